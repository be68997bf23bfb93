//! Connect, reconnect, disconnect, link, unlink: what a person does on the Integrations pages.
use crate::Engine;
use crate::error::EngineError;
use crate::limits::tokens;
use crate::logbook;
use crate::sync::request;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};
use domain::job::Trigger;
use domain::log::LogMessage;
use providers::ProviderError;
use providers::oauth::{Callback, Secret, random_text};
use providers::provider::RemoteCompany;
use store::companies::{self, Found};
use store::connections::{self, NewConnection};
use store::oauth_states::{self, NewState, OauthResult, UsedState};
use store::runs::Requested;
use url::Url;

/// An authorization that is not finished in this time is void.
const STATE_MS: i64 = 10 * 60_000;
/// How long to wait before a revocation is asked for again.
const REVOCATION_RETRY_MS: i64 = 10 * 60_000;

/// Who acts: the state of an authorization is bound to all three.
pub struct Who<'a> {
    pub organization_id: &'a OrganizationId,
    pub user_id: &'a UserId,
    /// `store::sessions::Session::token_hash`.
    pub session_hash: &'a str,
}

/// What the provider sent to our callback.
#[derive(Clone, Debug, Default)]
pub struct CallbackQuery {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub realm_id: Option<String>,
}

macro_rules! outcomes {
    ($($variant:ident = $word:literal;)*) => {
        /// How an authorization ended; each has its page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Outcome { $($variant),* }
        impl Outcome {
            pub const ALL: &'static [Outcome] = &[$(Outcome::$variant),*];
            pub fn as_str(self) -> &'static str { match self { $(Outcome::$variant => $word),* } }
            pub fn parse(word: &str) -> Option<Outcome> { match word { $($word => Some(Outcome::$variant),)* _ => None } }
        }
    };
}

outcomes! {
    Connected = "connected";
    Reconnected = "reconnected";
    Denied = "denied";
    InvalidState = "invalid_state";
    AlreadyConnected = "already_connected";
    NoCompanies = "no_companies";
    DifferentAccount = "different_account";
    ProviderUnavailable = "provider_unavailable";
    WrongKeys = "wrong_keys";
    ScopeMissing = "scope_missing";
    Failed = "failed";
}

/// Begins an authorization: where to send the browser. `reconnect` repairs that connection and no other.
pub async fn start(engine: &Engine, who: &Who<'_>, provider: &str, reconnect: Option<&ConnectionId>) -> Result<Url, EngineError> {
    let provider_id = provider;
    let provider = engine.provider(provider_id)?.clone();
    let (state, verifier) = (random_text(), random_text());
    // the redirect address comes from the settings only, never from the request
    let redirect_uri = redirect_uri(engine, provider_id)?;
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    if let Some(connection_id) = reconnect {
        let connection = connections::find(&mut tx, who.organization_id, connection_id).await?.ok_or(EngineError::NotFound)?;
        if connection.provider != provider_id || connection.disconnected_at.is_some() {
            return Err(EngineError::NotFound);
        }
    }
    oauth_states::insert(
        &engine.store,
        &mut tx,
        &NewState {
            state: state.expose(),
            organization_id: who.organization_id,
            user_id: who.user_id,
            session_hash: who.session_hash,
            provider: provider_id,
            connection_id: reconnect,
            verifier: verifier.expose(),
            redirect_uri: &redirect_uri,
            now_ms,
            expires_at: now_ms + STATE_MS,
        },
    )
    .await?;
    tx.commit().await?;
    let address = provider.authorize_url(&state, &redirect_uri, &verifier);
    Url::parse(&address).map_err(|error| EngineError::Refused(format!("the provider's sign-in address is not usable: {error}")))
}

fn redirect_uri(engine: &Engine, provider: &str) -> Result<String, EngineError> {
    let joined = engine.settings.public_url.join(&format!("oauth/{provider}/callback"));
    Ok(joined.map_err(|error| EngineError::Refused(format!("the setting public_url is not usable: {error}")))?.to_string())
}

/// What became of an authorization, before it is written down.
struct Ended {
    outcome: Outcome,
    connection_id: Option<ConnectionId>,
    detail: String,
}

impl Ended {
    fn without_connection(outcome: Outcome, detail: impl Into<String>) -> Ended {
        Ended { outcome, connection_id: None, detail: detail.into() }
    }
}

/// Ends an authorization: uses the state up, exchanges the code, and writes the result for the page that follows. Errors of ours only; whatever the
/// provider does is a result.
pub async fn finish(engine: &Engine, who: &Who<'_>, provider: &str, query: CallbackQuery) -> Result<(), EngineError> {
    let ended = match conclude(engine, who, provider, &query).await {
        Ok(ended) => ended,
        Err(EngineError::Provider(error)) => {
            tracing::warn!(provider, error = %error, "authorization failed");
            let outcome = match &error {
                ProviderError::WrongKeys { .. } => Outcome::WrongKeys,
                ProviderError::Down { .. } | ProviderError::RateLimited { .. } => Outcome::ProviderUnavailable,
                // the code was refused: used, expired or not ours
                ProviderError::NeedsReconnect { .. } => Outcome::InvalidState,
                ProviderError::Forbidden { .. } => Outcome::ScopeMissing,
                _ => Outcome::Failed,
            };
            let request_id = error.call().and_then(|call| call.request_id.clone());
            Ended::without_connection(outcome, request_id.unwrap_or_default())
        }
        Err(error) => return Err(error),
    };
    let mut tx = engine.store.begin().await?;
    let result = OauthResult {
        id: engine.make_id(),
        provider: provider.to_owned(),
        outcome: ended.outcome.as_str().to_owned(),
        connection_id: ended.connection_id,
        detail: ended.detail,
        created_at: engine.now_ms(),
    };
    oauth_states::insert_result(&mut tx, who.session_hash, &result).await?;
    tx.commit().await?;
    engine.changed(who.organization_id, None);
    Ok(())
}

async fn conclude(engine: &Engine, who: &Who<'_>, provider: &str, query: &CallbackQuery) -> Result<Ended, EngineError> {
    let Some(state) = query.state.as_deref().filter(|state| !state.is_empty()) else {
        return Ok(Ended::without_connection(Outcome::InvalidState, ""));
    };
    let mut tx = engine.store.begin().await?;
    let used = oauth_states::take(&engine.store, &mut tx, state, provider, who.session_hash, engine.now_ms()).await?;
    tx.commit().await?;
    let Some(used) = used.filter(|used| used.organization_id == *who.organization_id && used.user_id == *who.user_id) else {
        return Ok(Ended::without_connection(Outcome::InvalidState, ""));
    };
    match (query.error.as_deref(), &query.code) {
        (Some("invalid_scope"), _) => return Ok(Ended::without_connection(Outcome::ScopeMissing, "invalid_scope")),
        (Some("access_denied"), _) => return Ok(Ended::without_connection(Outcome::Denied, "access_denied")),
        // the provider's text is not repeated: anybody can write an address
        (Some(_), _) | (None, None) => return Ok(Ended::without_connection(Outcome::Denied, "")),
        (None, Some(_)) => {}
    }
    let service = engine.provider(&used.provider)?.clone();
    let callback = Callback { code: query.code.clone(), realm_id: query.realm_id.clone(), error: None };
    let grant = service.exchange(&callback, &used.redirect_uri, &Secret::new(used.verifier.clone())).await?;
    let identity = service.identity(&grant).await?;
    let remote = service.companies(&grant).await?;
    match &used.connection_id {
        Some(connection_id) => reconnect(engine, &used, connection_id, &grant, &identity, &remote).await,
        None => connect(engine, &used, &grant, &identity, &remote).await,
    }
}

async fn connect(
    engine: &Engine,
    used: &UsedState,
    grant: &providers::oauth::Grant,
    identity: &providers::oauth::Identity,
    remote: &[RemoteCompany],
) -> Result<Ended, EngineError> {
    let now_ms = engine.now_ms();
    let id = ConnectionId(engine.make_id());
    let environment = engine.registry.environment(&used.provider).map_or("production", |environment| environment.as_str());
    let tokens = tokens(&grant.tokens);
    // a QuickBooks sign-in reaches one company: its name tells two sign-ins of one person apart
    let name = match (remote, identity.name.is_empty()) {
        ([only], _) if used.provider == "quickbooks" => only.name.clone(),
        (_, false) => identity.name.clone(),
        _ => identity.email.clone(),
    };
    let new = NewConnection {
        id: id.clone(),
        organization_id: &used.organization_id,
        provider: &used.provider,
        environment,
        identity_key: &identity.key,
        name: &name,
        email: &identity.email,
        scope: &grant.tokens.scope,
        tokens: &tokens,
        connected_by: &used.user_id,
        now_ms,
    };
    let mut tx = engine.store.begin().await?;
    match connections::insert(&engine.store, &mut tx, &new).await? {
        Err(existing) => {
            // the second consent may have ended the first one's tokens at the provider: the connection that stays gets the fresh pair
            connections::store_tokens(&engine.store, &mut tx, &existing, &tokens, Some(&grant.tokens.scope), now_ms).await?;
            note_companies(engine, &mut tx, used, &existing, remote).await?;
            let existing_name =
                connections::find(&mut tx, &used.organization_id, &existing).await?.map(|connection| connection.name).unwrap_or_default();
            tx.commit().await?;
            Ok(Ended { outcome: Outcome::AlreadyConnected, connection_id: Some(existing), detail: existing_name })
        }
        Ok(()) => {
            note_companies(engine, &mut tx, used, &id, remote).await?;
            if let Some(connection) = connections::find(&mut tx, &used.organization_id, &id).await? {
                logbook::about_connection(&mut tx, &used.organization_id, &connection, &LogMessage::AccountConnected, now_ms).await?;
            }
            tx.commit().await?;
            let outcome = if remote.is_empty() { Outcome::NoCompanies } else { Outcome::Connected };
            Ok(Ended { outcome, connection_id: Some(id), detail: name })
        }
    }
}

async fn reconnect(
    engine: &Engine,
    used: &UsedState,
    connection_id: &ConnectionId,
    grant: &providers::oauth::Grant,
    identity: &providers::oauth::Identity,
    remote: &[RemoteCompany],
) -> Result<Ended, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let Some(connection) = connections::find(&mut tx, &used.organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()) else {
        return Ok(Ended::without_connection(Outcome::InvalidState, ""));
    };
    if !connections::has_identity(&engine.store, &mut tx, connection_id, &identity.key).await? {
        return Ok(Ended { outcome: Outcome::DifferentAccount, connection_id: Some(connection_id.clone()), detail: connection.name });
    }
    connections::store_tokens(&engine.store, &mut tx, connection_id, &tokens(&grant.tokens), Some(&grant.tokens.scope), now_ms).await?;
    note_companies(engine, &mut tx, used, connection_id, remote).await?;
    // syncing resumes by itself
    companies::make_due(&mut tx, connection_id, now_ms).await?;
    logbook::about_connection(&mut tx, &used.organization_id, &connection, &LogMessage::AccountReconnected, now_ms).await?;
    tx.commit().await?;
    Ok(Ended { outcome: Outcome::Reconnected, connection_id: Some(connection_id.clone()), detail: connection.name })
}

async fn note_companies(
    engine: &Engine,
    tx: &mut store::Tx,
    used: &UsedState,
    connection_id: &ConnectionId,
    remote: &[RemoteCompany],
) -> Result<(), EngineError> {
    for company in remote {
        let found = Found {
            id: CompanyId(engine.make_id()),
            organization_id: &used.organization_id,
            connection_id,
            provider: &used.provider,
            remote_id: &company.id,
            name: &company.name,
            newly_granted: company.newly_granted,
            now_ms: engine.now_ms(),
        };
        companies::put_found(&engine.store, tx, &found).await?;
    }
    Ok(())
}

/// Ends a connection: here at once, then at the provider. True when the provider confirmed.
pub async fn disconnect(engine: &Engine, organization_id: &OrganizationId, connection_id: &ConnectionId) -> Result<bool, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let connection =
        connections::find(&mut tx, organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()).ok_or(EngineError::NotFound)?;
    let refresh = connections::refresh_token(&engine.store, &mut tx, connection_id).await?;
    for (company, _) in companies::list_by_connection(&mut tx, connection_id).await? {
        if company.connection_id == *connection_id
            && let Some(run) = &company.run
        {
            store::runs::cancel(&mut tx, &run.id, now_ms).await?;
        }
    }
    connections::disconnect(&mut tx, connection_id, now_ms).await?;
    tx.commit().await?;
    engine.changed(organization_id, None);

    let revoked = revoke(engine, &connection.provider, connection_id, refresh).await;
    let mut tx = engine.store.begin().await?;
    if revoked {
        connections::revocation_confirmed(&mut tx, connection_id).await?;
    }
    logbook::about_connection(&mut tx, organization_id, &connection, &LogMessage::AccountDisconnected { revoked }, engine.now_ms()).await?;
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(revoked)
}

/// Asks the provider to end an authorization; whether it confirmed.
async fn revoke(engine: &Engine, provider: &str, connection_id: &ConnectionId, refresh: Option<String>) -> bool {
    let (Ok(provider), Some(refresh)) = (engine.provider(provider), refresh) else { return false };
    match provider.revoke(&Secret::new(refresh)).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(connection.id = %connection_id, error = %error, "revocation not confirmed");
            false
        }
    }
}

/// Asks again for revocations that a provider has not confirmed, each every ten minutes until it does; how many were confirmed.
pub async fn retry_revocations(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let pending = connections::take_pending_revocations(&mut tx, now_ms - REVOCATION_RETRY_MS, now_ms).await?;
    tx.commit().await?;
    let mut confirmed = 0;
    for (connection_id, organization_id, provider) in pending {
        let refresh = connections::refresh_token(&engine.store, &mut engine.store.read().await?, &connection_id).await?;
        if !revoke(engine, &provider, &connection_id, refresh).await {
            continue;
        }
        confirmed += 1;
        let mut tx = engine.store.begin().await?;
        connections::revocation_confirmed(&mut tx, &connection_id).await?;
        if let Some(connection) = connections::find(&mut tx, &organization_id, &connection_id).await? {
            let message = LogMessage::AccountDisconnected { revoked: true };
            logbook::about_connection(&mut tx, &organization_id, &connection, &message, engine.now_ms()).await?;
        }
        tx.commit().await?;
        engine.changed(&organization_id, None);
    }
    Ok(confirmed)
}

/// What **Import All Companies** did.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    pub queued: Vec<CompanyId>,
    /// Companies that were linked before: a second click queues nothing.
    pub already: usize,
}

/// Links every company this connection sees that is not linked yet, and queues exactly one sync for each.
pub async fn import_all(
    engine: &Engine,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: &UserId,
) -> Result<ImportReport, EngineError> {
    let now_ms = engine.now_ms();
    let mut report = ImportReport::default();
    let mut tx = engine.store.begin().await?;
    connections::find(&mut tx, organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()).ok_or(EngineError::NotFound)?;
    for (company, _) in companies::list_by_connection(&mut tx, connection_id).await? {
        if link_in(engine, &mut tx, &company, user_id, now_ms).await?.is_some() {
            report.queued.push(company.id);
        } else {
            report.already += 1;
        }
    }
    connections::finish_setup(&mut tx, connection_id, now_ms).await?;
    tx.commit().await?;
    engine.queued.notify_one();
    engine.changed(organization_id, None);
    Ok(report)
}

/// **Add Companies Manually**: the question is answered, nothing is linked.
pub async fn finish_setup(engine: &Engine, organization_id: &OrganizationId, connection_id: &ConnectionId) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    connections::find(&mut tx, organization_id, connection_id).await?.ok_or(EngineError::NotFound)?;
    connections::finish_setup(&mut tx, connection_id, engine.now_ms()).await?;
    tx.commit().await?;
    Ok(())
}

async fn link_in(
    engine: &Engine,
    tx: &mut store::Tx,
    company: &companies::Company,
    user_id: &UserId,
    now_ms: i64,
) -> Result<Option<Requested>, EngineError> {
    if !companies::link(tx, &company.id, now_ms).await? {
        return Ok(None);
    }
    logbook::about_company(tx, company, None, &LogMessage::CompanyLinked, 1, now_ms).await?;
    let trigger = if company.last_success_at.is_none() { Trigger::Connect } else { Trigger::Person(user_id.0.clone()) };
    Ok(Some(request::enqueue(engine, tx, &company.organization_id, &company.id, &trigger, None).await?))
}

/// Links one company and queues its first sync. A company that is linked already answers with the run it has, or is asked to sync.
pub async fn link(engine: &Engine, organization_id: &OrganizationId, company_id: &CompanyId, user_id: &UserId) -> Result<Requested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    let requested = match link_in(engine, &mut tx, &company, user_id, engine.now_ms()).await? {
        Some(requested) => requested,
        None => match &company.run {
            Some(run) => Requested::AlreadyActive(run.id.clone()),
            None => return Err(EngineError::Refused(format!("{} is linked already.", company.name))),
        },
    };
    tx.commit().await?;
    engine.queued.notify_one();
    engine.changed(organization_id, Some(company_id));
    Ok(requested)
}

/// Unlinks a company: it is no longer synced, what was synced is kept.
pub async fn unlink(engine: &Engine, organization_id: &OrganizationId, company_id: &CompanyId) -> Result<(), EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    if companies::unlink(&mut tx, company_id).await? {
        if let Some(run) = &company.run {
            store::runs::cancel(&mut tx, &run.id, now_ms).await?;
        }
        logbook::about_company(&mut tx, &company, None, &LogMessage::CompanyUnlinked, 1, now_ms).await?;
    }
    tx.commit().await?;
    engine.changed(organization_id, Some(company_id));
    Ok(())
}
