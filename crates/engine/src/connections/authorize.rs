//! An authorization from the button to its result: to the provider's consent page and back, as a new account or to repair one.
use super::{Happening, access, note};
use crate::error::EngineError;
use crate::limits::tokens;
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object, ObjectKind};
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};
use domain::log::LogMessage;
use providers::ProviderError;
use providers::oauth::{Callback, Grant, Identity, Secret, random_text};
use providers::provider::RemoteCompany;
use serde::{Deserialize, Serialize};
use store::companies::{self, Found};
use store::connections::{self, NewConnection};
use store::oauth_states::{self, NewState, OauthResult, UsedState};
use store::reconnect_links;
use url::Url;

/// An authorization that is not finished in this time is void.
const STATE_MS: i64 = 10 * 60_000;

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
    /// Who says to have answered (RFC 9207); absent at both providers today.
    pub issuer: Option<String>,
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
    ConnectionLimit = "connection_limit";
    Failed = "failed";
}

/// What the page of an outcome says beside its title. No token, no code, nothing that anybody could have written into an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The account the sign-in turned out to be of, where another one was expected.
    pub got: String,
    /// What will not be read, in words, where less was granted than asked for.
    pub missing: Vec<String>,
    /// Companies this consent newly brought that nobody has linked.
    pub importable: usize,
    /// The provider's word for the call that failed, its status and its request id.
    pub endpoint: Option<String>,
    pub http_status: Option<u16>,
    pub request_id: Option<String>,
}

/// Begins an authorization: where to send the browser. `reconnect` repairs that connection and no other.
pub async fn start(engine: &Engine, who: &Who<'_>, provider: &str, reconnect: Option<&ConnectionId>) -> Result<Url, EngineError> {
    begin(engine, who, provider, reconnect, None).await
}

pub(super) async fn begin(
    engine: &Engine,
    who: &Who<'_>,
    provider_id: &str,
    reconnect: Option<&ConnectionId>,
    link_hash: Option<&str>,
) -> Result<Url, EngineError> {
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
            link_hash,
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
    facts: Facts,
    /// Why it was refused, and whose it was, where that is known.
    refused: Option<(&'static str, Option<OrganizationId>)>,
}

impl Ended {
    fn of(outcome: Outcome) -> Ended {
        Ended { outcome, connection_id: None, detail: String::new(), facts: Facts::default(), refused: None }
    }
    fn about(outcome: Outcome, connection_id: &ConnectionId, name: &str) -> Ended {
        Ended { connection_id: Some(connection_id.clone()), detail: name.to_owned(), ..Ended::of(outcome) }
    }
    /// The state was missing, used, of somebody else or of another time. The trace and the audit log say why, the page does not.
    fn invalid(provider: &str, reason: &'static str, organization_id: Option<OrganizationId>) -> Ended {
        tracing::warn!(provider, reason, "an authorization was refused");
        Ended { refused: Some((reason, organization_id)), ..Ended::of(Outcome::InvalidState) }
    }
}

/// Whose browser came back.
enum Party<'a> {
    Member(&'a Who<'a>),
    /// Somebody who followed a reconnect link; nobody is signed in.
    Guest {
        session_hash: &'a str,
    },
}

impl Party<'_> {
    fn session_hash(&self) -> &str {
        match self {
            Party::Member(who) => who.session_hash,
            Party::Guest { session_hash } => session_hash,
        }
    }
    /// Whose log tells what a member's browser brought; a guest's state says it, where it is known.
    fn organization_id(&self) -> Option<&OrganizationId> {
        match self {
            Party::Member(who) => Some(who.organization_id),
            Party::Guest { .. } => None,
        }
    }
    fn may_finish(&self, used: &UsedState) -> bool {
        match self {
            Party::Member(who) => used.link_hash.is_none() && used.organization_id == *who.organization_id && used.user_id == *who.user_id,
            Party::Guest { .. } => used.link_hash.is_some() && used.connection_id.is_some(),
        }
    }
}

/// Ends an authorization: uses the state up, exchanges the code, and writes the result for the page that follows. Errors of ours only; whatever the
/// provider does is a result.
pub async fn finish(engine: &Engine, who: &Who<'_>, provider: &str, query: CallbackQuery) -> Result<(), EngineError> {
    end(engine, &Party::Member(who), provider, query).await
}

/// The same for somebody who followed a reconnect link: it can only repair the one connection of the link.
pub async fn finish_link(engine: &Engine, session_hash: &str, provider: &str, query: CallbackQuery) -> Result<(), EngineError> {
    end(engine, &Party::Guest { session_hash }, provider, query).await
}

async fn end(engine: &Engine, party: &Party<'_>, provider: &str, query: CallbackQuery) -> Result<(), EngineError> {
    let ended = match conclude(engine, party, provider, &query).await {
        Ok(ended) => ended,
        Err(EngineError::Provider(error)) => {
            tracing::warn!(provider, error = %error, "authorization failed");
            let outcome = match &error {
                ProviderError::WrongKeys { .. } => Outcome::WrongKeys,
                ProviderError::Down { .. } | ProviderError::RateLimited { .. } => Outcome::ProviderUnavailable,
                // with a token of this minute: keys of one environment and a company of the other (QuickBooks' 3100)
                ProviderError::NeedsReconnect { call, .. } if call.http_status == Some(403) => Outcome::WrongKeys,
                // the code was refused: used, expired or not ours
                ProviderError::NeedsReconnect { .. } => Outcome::InvalidState,
                ProviderError::Forbidden { .. } => Outcome::ScopeMissing,
                _ => Outcome::Failed,
            };
            let mut ended = Ended::of(outcome);
            ended.refused = (outcome == Outcome::InvalidState).then_some(("code_refused", None));
            if let Some(call) = error.call() {
                let endpoint = Some(call.endpoint.clone()).filter(|endpoint| !endpoint.is_empty());
                ended.facts = Facts { endpoint, http_status: call.http_status, request_id: call.request_id.clone(), ..Facts::default() };
            }
            ended
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
        facts: serde_json::to_string(&ended.facts).expect("facts are plain data"),
        created_at: engine.now_ms(),
    };
    oauth_states::insert_result(&mut tx, party.session_hash(), &result).await?;
    if let Some((reason, known)) = ended.refused
        && let Some(organization_id) = party.organization_id().cloned().or(known)
    {
        let object = Object::new(ObjectKind::Provider, provider, provider);
        audit::note_refused(engine, &mut tx, &organization_id, Act::CallbackRefused, object, reason).await?;
    }
    tx.commit().await?;
    if let Party::Member(who) = party {
        engine.changed(who.organization_id, None);
    }
    Ok(())
}

async fn conclude(engine: &Engine, party: &Party<'_>, provider: &str, query: &CallbackQuery) -> Result<Ended, EngineError> {
    let Some(state) = query.state.as_deref().filter(|state| !state.is_empty()) else {
        return Ok(Ended::invalid(provider, "missing_state", None));
    };
    let service = engine.provider(provider)?.clone();
    if query.issuer.as_deref().is_some_and(|issuer| issuer != service.issuer()) {
        return Ok(Ended::invalid(provider, "mix_up", None));
    }
    let mut tx = engine.store.begin().await?;
    let used = oauth_states::take(&engine.store, &mut tx, state, provider, party.session_hash(), engine.now_ms()).await?;
    let refusal = match &used {
        Some(used) => Some((used.organization_id.clone(), "mismatch")),
        None => oauth_states::refusal(&mut tx, state, provider, party.session_hash(), engine.now_ms()).await?,
    };
    tx.commit().await?;
    let Some(used) = used.filter(|used| party.may_finish(used)) else {
        let (organization_id, reason) = refusal.map_or((None, "unknown_state"), |(organization_id, reason)| (Some(organization_id), reason));
        return Ok(Ended::invalid(provider, reason, organization_id));
    };
    // who tries again wants the same: the account that was to be reconnected, if one was
    let again = |outcome| Ended { connection_id: used.connection_id.clone(), ..Ended::of(outcome) };
    match (query.error.as_deref(), &query.code) {
        (Some("invalid_scope"), _) => return Ok(Ended::of(Outcome::ScopeMissing)),
        (Some("temporarily_unavailable" | "server_error"), _) => return Ok(again(Outcome::ProviderUnavailable)),
        (Some("unauthorized_client" | "invalid_client"), _) => return Ok(Ended::of(Outcome::WrongKeys)),
        // neither provider documents its word for a full app; all that are told of name the limit
        (Some(word), _) if word.contains("limit") => return Ok(Ended::of(Outcome::ConnectionLimit)),
        // the provider's text is not repeated: anybody can write an address
        (Some(_), _) => return Ok(again(Outcome::Denied)),
        (None, None) => return Ok(Ended::invalid(provider, "no_code", Some(used.organization_id))),
        (None, Some(_)) => {}
    }
    let callback = Callback { code: query.code.clone(), realm_id: query.realm_id.clone(), error: None };
    let grant = service.exchange(&callback, &used.redirect_uri, &Secret::new(used.verifier.clone())).await?;
    let identity = service.identity(&grant).await?;
    let remote = service.companies(&grant).await?;
    let mut ended = match &used.connection_id {
        Some(connection_id) => reconnect(engine, &used, connection_id, &grant, &identity, &remote).await?,
        None => connect(engine, &used, &grant, &identity, &remote).await?,
    };
    // less than asked for is said, not passed over in silence
    if matches!(ended.outcome, Outcome::Connected | Outcome::Reconnected) {
        let missing = access::missing(service.as_ref(), &grant.tokens.scope);
        if !missing.is_empty() {
            ended.outcome = Outcome::ScopeMissing;
            ended.facts.missing = missing;
        }
    }
    Ok(ended)
}

/// A QuickBooks sign-in reaches one company: its name tells two sign-ins of one person apart.
fn name_of(provider: &str, identity: &Identity, remote: &[RemoteCompany]) -> String {
    match (remote, identity.name.is_empty()) {
        ([only], _) if provider == "quickbooks" => only.name.clone(),
        (_, false) => identity.name.clone(),
        _ => identity.email.clone(),
    }
}

async fn connect(engine: &Engine, used: &UsedState, grant: &Grant, identity: &Identity, remote: &[RemoteCompany]) -> Result<Ended, EngineError> {
    let now_ms = engine.now_ms();
    let id = ConnectionId(engine.make_id());
    let environment = engine.registry.environment(&used.provider).map_or("production", |environment| environment.as_str());
    let tokens = tokens(&grant.tokens);
    let name = name_of(&used.provider, identity, remote);
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
            store::incidents::settle_account(&mut tx, &existing, domain::log::Settled::Reconnected, now_ms).await?;
            let importable = note_companies(engine, &mut tx, used, &existing, remote).await?;
            let existing_name =
                connections::find(&mut tx, &used.organization_id, &existing).await?.map(|connection| connection.name).unwrap_or_default();
            let object = Object::account(&existing, &existing_name);
            audit::note(engine, &mut tx, &used.organization_id, Act::AccountReconnected, object, "", "by another consent").await?;
            tx.commit().await?;
            let mut ended = Ended::about(Outcome::AlreadyConnected, &existing, &existing_name);
            ended.facts.importable = importable;
            Ok(ended)
        }
        Ok(()) => {
            note_companies(engine, &mut tx, used, &id, remote).await?;
            note(engine, &mut tx, &used.organization_id, &id, Happening::Connected, Some(&used.user_id), None).await?;
            if let Some(connection) = connections::find(&mut tx, &used.organization_id, &id).await? {
                logbook::about_connection(&mut tx, &used.organization_id, &connection, &LogMessage::AccountConnected, now_ms).await?;
            }
            let after = format!("{}, {} companies", used.provider, remote.len());
            audit::note(engine, &mut tx, &used.organization_id, Act::AccountConnected, Object::account(&id, &name), "", &after).await?;
            tx.commit().await?;
            Ok(Ended::about(if remote.is_empty() { Outcome::NoCompanies } else { Outcome::Connected }, &id, &name))
        }
    }
}

async fn reconnect(
    engine: &Engine,
    used: &UsedState,
    connection_id: &ConnectionId,
    grant: &Grant,
    identity: &Identity,
    remote: &[RemoteCompany],
) -> Result<Ended, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let Some(connection) = connections::find(&mut tx, &used.organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()) else {
        return Ok(Ended::invalid(&used.provider, "disconnected", Some(used.organization_id.clone())));
    };
    if !connections::has_identity(&engine.store, &mut tx, connection_id, &identity.key).await? {
        let mut ended = Ended::about(Outcome::DifferentAccount, connection_id, &connection.name);
        ended.facts.got = match (name_of(&used.provider, identity, remote), identity.email.as_str()) {
            (name, "") => name,
            (name, email) if name == email => name,
            (name, email) => format!("{name} ({email})"),
        };
        return Ok(ended);
    }
    // the link counts when it repairs: a person who declined, or signed in with the wrong account, can follow it again
    if let Some(link_hash) = &used.link_hash
        && !reconnect_links::use_up(&mut tx, link_hash, now_ms).await?
    {
        return Ok(Ended::invalid(&used.provider, "link_used", Some(used.organization_id.clone())));
    }
    let environment = engine.registry.environment(&used.provider).map_or("production", |environment| environment.as_str());
    connections::store_tokens(&engine.store, &mut tx, connection_id, &tokens(&grant.tokens), Some(&grant.tokens.scope), now_ms).await?;
    connections::set_environment(&mut tx, connection_id, environment).await?;
    let importable = note_companies(engine, &mut tx, used, connection_id, remote).await?;
    // syncing resumes by itself
    companies::make_due(&mut tx, connection_id, now_ms).await?;
    let (what, user_id) = match used.link_hash {
        Some(_) => (Happening::ReconnectedByLink, None),
        None => (Happening::Reconnected, Some(&used.user_id)),
    };
    note(engine, &mut tx, &used.organization_id, connection_id, what, user_id, None).await?;
    logbook::about_connection(&mut tx, &used.organization_id, &connection, &LogMessage::AccountReconnected, now_ms).await?;
    let (object, way) =
        (Object::account(connection_id, connection.shown_name()), if used.link_hash.is_some() { "through a reconnect link" } else { "" });
    audit::note(engine, &mut tx, &used.organization_id, Act::AccountReconnected, object, connection.state.as_str(), way).await?;
    tx.commit().await?;
    engine.changed(&used.organization_id, None);
    let mut ended = Ended::about(Outcome::Reconnected, connection_id, &connection.name);
    ended.facts.importable = importable;
    Ok(ended)
}

/// Notes what the account sees; how many companies this very consent brought that nobody has linked.
async fn note_companies(
    engine: &Engine,
    tx: &mut store::Tx,
    used: &UsedState,
    connection_id: &ConnectionId,
    remote: &[RemoteCompany],
) -> Result<usize, EngineError> {
    let mut importable = 0;
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
        let id = companies::put_found(&engine.store, tx, &found).await?;
        if company.newly_granted && companies::find(tx, &used.organization_id, &id).await?.is_some_and(|company| company.linked_at.is_none()) {
            importable += 1;
        }
    }
    Ok(importable)
}
