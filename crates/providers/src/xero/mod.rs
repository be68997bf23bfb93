//! Xero: its addresses, its consent, its lists, its journals, its reports.
//!
//! <https://developer.xero.com/documentation/api/accounting/overview>
mod calls;
mod changes;
mod company;
mod dates;
mod fetch;
mod journals;
mod months;
mod normalize;
mod oauth;
mod refusals;
mod reports;
mod time_zones;
mod wire;

use crate::error::{Call, ProviderError};
use crate::http::Http;
use crate::oauth::{Callback, Grant, Identity, Secret, TokenPair, pkce_challenge};
use crate::provider::{
    Books, CallLimits, Chunk, CompanyFacts, FiscalYear, LedgerPiece, LedgerSource, Next, Permission, Profile, Provider, RemoteCompany, Reported,
    Sight,
};
use crate::registry::Settings;
use async_trait::async_trait;
use domain::clock::{Clock, Month};
use domain::connection::Environment;
use domain::data_type::DataType;
use domain::document::{Document, Unreadable};
use domain::ledger::Basis;
use domain::record::RawRecord;
use domain::sync::Checkpoint;
use domain::verification::{ReportedBalances, ReportedMonth};
use fetch::{Position, resource_of};
use jiff::Timestamp;
use jiff::civil::Date;
use oauth::Claims;
use refusals::{PROVIDER, unexpected};
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;
use wire::{Envelope, Fields};

/// The badge we draw for Xero; it is our own drawing.
pub const LOGO_SVG: &str = include_str!("logo.svg");

static DATA_TYPES: [DataType; 10] = [
    DataType::Organisation,
    DataType::Account,
    DataType::TaxRate,
    DataType::Contact,
    DataType::Invoice,
    DataType::CreditNote,
    DataType::Payment,
    DataType::BankTransaction,
    DataType::BankTransfer,
    DataType::ManualJournal,
];

const JOURNALS_SCOPE: &str = "accounting.journals.read";
/// Ids in one filter: <https://developer.xero.com/documentation/api/accounting/invoices> advises 40.
const IDS_PER_CALL: usize = 40;
/// How far a clock may go back between two answers of Xero.
const TAIL_OVERLAP_SECS: i64 = 2;

pub struct Xero {
    profile: Profile,
    addresses: Addresses,
    client_id: String,
    client_secret: Secret,
    journals: bool,
    http: Http,
}

/// Where Xero listens.
struct Addresses {
    authorize: Url,
    token: Url,
    revocation: Url,
    userinfo: Url,
    connections: Url,
    /// Ends in `/api.xro/2.0/`.
    accounting: Url,
}

impl Addresses {
    fn new(login: &str, identity: &str, api: &str) -> Result<Addresses, url::ParseError> {
        Ok(Addresses {
            authorize: Url::parse(&format!("{login}/identity/connect/authorize"))?,
            token: Url::parse(&format!("{identity}/connect/token"))?,
            revocation: Url::parse(&format!("{identity}/connect/revocation"))?,
            userinfo: Url::parse(&format!("{identity}/connect/userinfo"))?,
            connections: Url::parse(&format!("{api}/connections"))?,
            accounting: Url::parse(&format!("{api}/api.xro/2.0/"))?,
        })
    }
}

impl Xero {
    /// Fails when the simulator is to be used and its address is missing, or when TLS cannot be set up.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Xero, ProviderError> {
        let unusable = |detail: &str| ProviderError::Down { provider: PROVIDER, detail: detail.to_owned(), call: Call::default() };
        let addresses = match (settings.environment, &settings.simulator_url) {
            (Environment::Simulator, Some(url)) => {
                let base = url.as_str().trim_end_matches('/');
                Addresses::new(base, base, base)
            }
            (Environment::Simulator, None) => return Err(unusable("the address of the simulator is not set")),
            // Xero has no second world for developers: demo companies live beside real ones
            (Environment::Production | Environment::Sandbox, _) => {
                Addresses::new("https://login.xero.com", "https://identity.xero.com", "https://api.xero.com")
            }
        };
        let addresses = addresses.map_err(|_| unusable("the address of the simulator is not a base address"))?;
        let http = Http::new(PROVIDER, "xero-correlation-id", clock)?.renewing_when(refusals::wants_a_new_token);
        Ok(Xero {
            profile: Profile {
                id: "xero",
                name: PROVIDER,
                data_types: &DATA_TYPES,
                ledger: LedgerSource::Journals,
                changes_window_days: None,
                // Xero admits 60 a minute, 5,000 a day and 5 at once: <https://developer.xero.com/documentation/guides/oauth2/limits/>
                limits: CallLimits { per_second: None, per_minute: 58, per_day: Some(4_900), concurrent: 4, app_per_minute: Some(9_500) },
                pkce: true,
            },
            addresses,
            client_id: settings.client_id,
            client_secret: settings.client_secret,
            journals: settings.journals,
            http,
        })
    }

    fn now(&self) -> Timestamp {
        self.http.clock.now()
    }

    fn no_such(&self, what: String) -> ProviderError {
        ProviderError::UnexpectedAnswer { provider: PROVIDER, detail: what, call: Call::default() }
    }
}

/// What asks for the cash basis; without it reports and journals are on the accrual basis.
fn payments_only(basis: Basis) -> Option<(&'static str, &'static str)> {
    (basis == Basis::Cash).then_some(("paymentsOnly", "true"))
}

#[async_trait]
impl Provider for Xero {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn issuer(&self) -> &'static str {
        "https://identity.xero.com"
    }

    fn permissions(&self) -> Vec<Permission> {
        let mut permissions: Vec<Permission> = Vec::new();
        for data_type in DATA_TYPES {
            let Some(resource) = resource_of(data_type) else { continue };
            match permissions.iter_mut().find(|permission| permission.scope == resource.scope) {
                Some(permission) => permission.data = format!("{}, {}", permission.data, data_type.label()),
                None => permissions.push(Permission { scope: resource.scope, data: data_type.label().into() }),
            }
        }
        for (scope, data) in [
            ("accounting.reports.trialbalance.read", "Proof against Xero's own trial balance"),
            ("accounting.reports.profitandloss.read", "Proof of every month's profit and loss"),
            ("accounting.reports.balancesheet.read", "Proof of every month's balance sheet"),
        ] {
            permissions.push(Permission { scope, data: data.into() });
        }
        if self.journals {
            permissions.push(Permission { scope: JOURNALS_SCOPE, data: DataType::Ledger.label().into() });
        }
        permissions
    }

    fn is_granted(&self, granted: &str, scope: &str) -> bool {
        let granted: Vec<String> = granted.split_whitespace().map(str::to_owned).collect();
        granted.is_empty() || oauth::covers(&granted, scope)
    }

    /// Reading the organisation itself: the list of connections would not say whether the user still may.
    async fn can_see(&self, books: &Books<'_>) -> Result<Sight, ProviderError> {
        match self.company_facts(books, false).await {
            Ok(_) => Ok(Sight::Sees),
            Err(ProviderError::Forbidden { call, .. }) if call.http_status == Some(403) => {
                Ok(Sight::Blind("This sign-in was not given for the organisation: it was not selected when access was granted.".into()))
            }
            Err(ProviderError::Forbidden { permission, .. }) => Ok(Sight::Blind(format!("{permission}."))),
            Err(ProviderError::NotFound { .. }) => Ok(Sight::Blind("Xero does not know the organisation.".into())),
            Err(error) => Err(error),
        }
    }

    fn authorize_url(&self, state: &Secret, redirect_uri: &str, verifier: &Secret) -> String {
        let mut url = self.addresses.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &oauth::scopes(self.journals))
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &pkce_challenge(verifier))
            .append_pair("code_challenge_method", "S256");
        // a space written as `+` is not read as one everywhere
        url.as_str().replace('+', "%20")
    }

    async fn exchange(&self, callback: &Callback, redirect_uri: &str, verifier: &Secret) -> Result<Grant, ProviderError> {
        let code = callback.code.as_deref().filter(|code| !code.is_empty() && callback.error.is_none());
        let Some(code) = code else {
            return Err(ProviderError::NeedsReconnect { provider: PROVIDER, call: Call { endpoint: "GET authorize".into(), ..Call::default() } });
        };
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri), ("code_verifier", verifier.expose())];
        let answer = self.http.oauth_post("POST token", &self.addresses.token, &self.client_id, &self.client_secret, &form).await?;
        Ok(Grant { tokens: oauth::with_scope(oauth::token_pair(&answer, self.now())?), company_hint: None })
    }

    async fn refresh(&self, refresh: &Secret) -> Result<TokenPair, ProviderError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let answer = self.http.oauth_post("POST token", &self.addresses.token, &self.client_id, &self.client_secret, &form).await?;
        Ok(oauth::with_scope(oauth::token_pair(&answer, self.now())?))
    }

    /// Ends every connection this user made for the app, of all organisations.
    async fn revoke(&self, refresh: &Secret) -> Result<(), ProviderError> {
        let form = [("token", refresh.expose())];
        let answer = self.http.oauth_post("POST revocation", &self.addresses.revocation, &self.client_id, &self.client_secret, &form).await?;
        let is_dead_already = matches!(oauth::error_word(&answer).as_deref(), Some("invalid_grant" | "invalid_token"));
        if answer.status == 200 || answer.status == 204 || is_dead_already { Ok(()) } else { Err(oauth::refusal(&answer, self.now())) }
    }

    /// Who gave the consent. Name and e-mail are for people to read: a consent is not lost because they cannot be had.
    async fn identity(&self, grant: &Grant) -> Result<Identity, ProviderError> {
        let no_user = || ProviderError::UnexpectedAnswer {
            provider: PROVIDER,
            detail: "the access token names no user".into(),
            call: Call { endpoint: "POST token".into(), ..Call::default() },
        };
        let key = Claims::read(&grant.tokens.access).and_then(|claims| claims.xero_userid).filter(|id| !id.is_empty()).ok_or_else(no_user)?;
        let mut identity = Identity { key, email: String::new(), name: String::new() };
        match self.http.get_with(&grant.tokens.access, "GET userinfo", &self.addresses.userinfo, &[]).await {
            Ok(answer) if answer.status == 200 => {
                if let Ok(fields) = Fields::parse(&answer.body) {
                    let text = |name: &str| fields.text(name).ok().flatten().map(|text| text.into_owned());
                    identity.email = text("email").unwrap_or_default();
                    let whole = [text("given_name"), text("family_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
                    identity.name = text("name").unwrap_or(whole);
                }
            }
            Ok(answer) => tracing::warn!(http_status = answer.status, "Xero does not tell who gave the consent"),
            Err(error) => tracing::warn!(%error, "Xero does not tell who gave the consent"),
        }
        Ok(identity)
    }

    /// `connections` lists every organisation this user ever connected, in no useful order; the ones of this consent carry its event id.
    async fn companies(&self, grant: &Grant) -> Result<Vec<RemoteCompany>, ProviderError> {
        let event = Claims::read(&grant.tokens.access).and_then(|claims| claims.authentication_event_id);
        let newly_granted: Vec<String> = match &event {
            Some(event) => self.list_connections(&grant.tokens, Some(event)).await?.into_iter().map(|connection| connection.tenant_id).collect(),
            None => Vec::new(),
        };
        let mut companies: Vec<RemoteCompany> = Vec::new();
        for connection in self.list_connections(&grant.tokens, None).await? {
            if !connection.is_organisation || companies.iter().any(|company| company.id == connection.tenant_id) {
                continue;
            }
            let newly_granted = newly_granted.contains(&connection.tenant_id);
            let name = match connection.name {
                Some(name) => name,
                None => match self.organisation_name(&grant.tokens, &connection.tenant_id).await {
                    Ok(name) => name,
                    // an organisation that ended is still listed, but cannot be read
                    Err(ProviderError::Forbidden { .. } | ProviderError::NotFound { .. }) => continue,
                    Err(error) => return Err(error),
                },
            };
            companies.push(RemoteCompany { id: connection.tenant_id, name, newly_granted });
        }
        Ok(companies)
    }

    async fn company_facts(&self, books: &Books<'_>, _thorough: bool) -> Result<CompanyFacts, ProviderError> {
        let answer = self.ask(books, "Organisation", &[], None, "accounting.settings.read").await?;
        let facts = company::facts(&answer, self.now())?;
        let tenant = facts.records.first().map_or("", |record| record.id.as_str());
        if !tenant.eq_ignore_ascii_case(books.company) {
            return Err(unexpected(&answer, "it is of another organisation"));
        }
        Ok(facts)
    }

    async fn fetch(&self, books: &Books<'_>, data_type: DataType, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError> {
        let resource = resource_of(data_type).ok_or_else(|| self.no_such(format!("Xero has no data type {data_type}")))?;
        let position = match from {
            Some(Checkpoint(text)) => Position::parse(text).ok_or_else(|| self.no_such("the checkpoint is not one of Xero's".into()))?,
            None => Position::First,
        };
        let since = match position {
            Position::Tail { started, .. } => Timestamp::from_second(started - TAIL_OVERLAP_SECS).ok(),
            _ => None,
        };
        let (mut chunk, end) = self.page(books, resource, position.page(), since).await?;
        if resource.paged
            && let Some(next) = position.after(&end, true)
        {
            chunk.next = Next::More(next.checkpoint());
        }
        Ok(chunk)
    }

    async fn changes(&self, books: &Books<'_>, since: Timestamp, thorough: bool, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError> {
        let step = changes::Step::parse(from).ok_or_else(|| self.no_such("the checkpoint is not one of Xero's".into()))?;
        let resource = step.resource();
        let next_list = step.next_list(thorough).map_or(Next::UpToDate, Next::More);
        let (mut chunk, end) = match self.page(books, resource, step.position.page(), (!step.is_full()).then_some(since)).await {
            Ok(page) => page,
            // one missing permission must not keep the other lists from being read; a lost organisation concerns all of them
            Err(ProviderError::Forbidden { permission, .. }) if permission.contains(resource.scope) => {
                return Ok(Chunk { next: next_list, refused: vec![(resource.data_type, permission)], ..Chunk::default() });
            }
            Err(error) => return Err(error),
        };
        if step.is_full() && chunk.unreadable.is_empty() {
            chunk.complete.push(resource.data_type);
        }
        chunk.next = match step.position.after(&end, false).filter(|_| resource.paged) {
            Some(position) => Next::More(step.page(position)),
            None => next_list,
        };
        Ok(chunk)
    }

    /// Invoices and Contacts can be asked for by id; for the others a full list is as cheap.
    async fn existing(&self, books: &Books<'_>, data_type: DataType, ids: &[String]) -> Result<Option<Vec<String>>, ProviderError> {
        let Some(resource) = resource_of(data_type).filter(|_| matches!(data_type, DataType::Invoice | DataType::Contact)) else { return Ok(None) };
        let mut existing = Vec::with_capacity(ids.len());
        for part in ids.chunks(IDS_PER_CALL) {
            let list = part.join(",");
            let mut query = vec![("IDs", list.as_str()), ("summaryOnly", "true"), ("page", "1"), ("pageSize", "100")];
            query.extend(resource.extra);
            let answer = self.ask(books, resource.path, &query, None, resource.scope).await?;
            let envelope = Envelope::parse(&answer.body, resource.list).map_err(|defect| unexpected(&answer, defect))?;
            let (records, _) = fetch::split(resource, &envelope, 1);
            existing.extend(records.into_iter().map(|record| record.id).filter(|id| part.contains(id)));
        }
        Ok(Some(existing))
    }

    /// Every page tells `pagination.itemCount`; lists without pages have no count but themselves.
    async fn count(&self, _books: &Books<'_>, _data_type: DataType) -> Result<Option<u64>, ProviderError> {
        Ok(None)
    }

    async fn ledger_window(&self, _books: &Books<'_>, _basis: Basis, _from: Date, _to: Date) -> Result<LedgerPiece, ProviderError> {
        Err(self.no_such("Xero gives its ledger as numbered journals, not by window of days".into()))
    }

    /// A transfer has no time of change, but every one that is made or deleted posts a journal.
    fn implied_by(&self, source_type: &str) -> Option<DataType> {
        (source_type == "TRANSFER").then_some(DataType::BankTransfer)
    }

    async fn ledger_journals(&self, books: &Books<'_>, basis: Basis, after: i64) -> Result<LedgerPiece, ProviderError> {
        let after = after.to_string();
        let mut query = vec![("offset", after.as_str())];
        query.extend(payments_only(basis));
        let mut answer = self.ask(books, "Journals", &query, None, JOURNALS_SCOPE).await?;
        let body = std::mem::take(&mut answer.body);
        journals::read(body).map_err(|defect| unexpected(&answer, defect))
    }

    async fn reported_balances(
        &self,
        books: &Books<'_>,
        basis: Basis,
        as_of: Date,
        facts: &FiscalYear,
    ) -> Result<Reported<ReportedBalances>, ProviderError> {
        let (report, body) = self.trial_balance(books, basis, as_of, facts).await?;
        Ok(Reported { figures: ReportedBalances { as_of, balances: report.balances }, bodies: vec![body] })
    }

    async fn reported_months(
        &self,
        books: &Books<'_>,
        basis: Basis,
        first: Month,
        balances: &ReportedBalances,
        facts: &FiscalYear,
    ) -> Result<Reported<BTreeMap<Month, ReportedMonth>>, ProviderError> {
        months::Collector { xero: self, books, basis, year: facts, figures: BTreeMap::new(), bodies: Vec::new() }.collect(first, balances).await
    }

    fn normalize(&self, record: &RawRecord) -> Result<Document, Unreadable> {
        normalize::normalize(record)
    }

    fn also_known_as(&self, data_type: DataType, body: &str) -> Vec<String> {
        normalize::also_known_as(data_type, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::ManualClock;

    fn xero(journals: bool) -> Xero {
        let settings = Settings {
            client_id: "client 1".into(),
            client_secret: Secret::new("secret"),
            environment: Environment::Production,
            simulator_url: None,
            journals,
        };
        Xero::new(settings, Arc::new(ManualClock::at(0))).unwrap()
    }

    #[test]
    fn the_consent_page_is_asked_for_with_every_scope_and_a_challenge() {
        let url = Url::parse(&xero(true).authorize_url(&Secret::new("st"), "https://books.example/oauth/xero/callback", &Secret::new("v"))).unwrap();
        assert_eq!((url.host_str(), url.path()), (Some("login.xero.com"), "/identity/connect/authorize"));
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["client_id"], "client 1");
        assert_eq!(query["redirect_uri"], "https://books.example/oauth/xero/callback");
        assert_eq!(query["state"], "st");
        assert_eq!(query["code_challenge"], pkce_challenge(&Secret::new("v")));
        assert!(query["scope"].starts_with("openid profile email offline_access accounting.settings.read "));
        assert!(query["scope"].ends_with("accounting.reports.balancesheet.read accounting.journals.read"));
        assert!(!query["scope"].contains("  "));
        assert!(!url.as_str().contains('+'));
        // asked for without Xero's approval it would fail every consent
        let without = xero(false).authorize_url(&Secret::new("st"), "https://books.example", &Secret::new("v"));
        assert!(without.contains("accounting.manualjournals.read") && !without.contains("accounting.journals.read"));
    }

    #[test]
    fn the_simulator_needs_its_address() {
        let settings = Settings {
            client_id: "c".into(),
            client_secret: Secret::new("s"),
            environment: Environment::Simulator,
            simulator_url: None,
            journals: true,
        };
        assert!(Xero::new(settings.clone(), Arc::new(ManualClock::at(0))).is_err());
        let settings = Settings { simulator_url: Some(Url::parse("http://127.0.0.1:9/").unwrap()), ..settings };
        let xero = Xero::new(settings, Arc::new(ManualClock::at(0))).unwrap();
        assert_eq!(xero.addresses.token.as_str(), "http://127.0.0.1:9/connect/token");
        assert_eq!(xero.addresses.accounting.join("Reports/TrialBalance").unwrap().as_str(), "http://127.0.0.1:9/api.xro/2.0/Reports/TrialBalance");
    }
}
