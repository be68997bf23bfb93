//! The contract of an accounting service: its URLs, its JSON, its errors. It knows nothing of storage, jobs or pages.
use crate::error::{Call, ProviderError};
use crate::oauth::{Callback, Grant, Identity, Secret, TokenPair};
use async_trait::async_trait;
use domain::clock::Month;
use domain::data_type::DataType;
use domain::document::{Document, Unreadable};
use domain::ledger::{Basis, EntryKey, LedgerEntry};
use domain::money::Amount;
use domain::record::RawRecord;
use domain::sync::Checkpoint;
use domain::verification::{ReportedBalances, ReportedMonth};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is fixed about a provider.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `quickbooks`, `xero`: as the database and settings spell it.
    pub id: &'static str,
    /// As a person reads it: `QuickBooks`, `Xero`.
    pub name: &'static str,
    /// What a full sync lists, in order of dependence.
    pub data_types: &'static [DataType],
    /// How the ledger is read.
    pub ledger: LedgerSource,
    /// How far back `changes` may reach; `None` is without end.
    pub changes_window_days: Option<i64>,
    pub limits: CallLimits,
    /// PKCE is offered (Xero) or not (QuickBooks).
    pub pkce: bool,
}

/// Where the provider's own ledger comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerSource {
    /// A report over a range of days (QuickBooks GeneralLedger).
    Windows,
    /// A feed of numbered journals (Xero Journals).
    Journals,
}

/// The provider's limits per company and app, a little under what it publishes.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    pub per_second: Option<u32>,
    pub per_minute: u32,
    pub per_day: Option<u32>,
    pub concurrent: u32,
    /// Calls of the app over all companies.
    pub app_per_minute: Option<u32>,
}

/// Asked before each call and told after it; it also holds the authorization. The engine implements it, shared by all workers.
#[async_trait]
pub trait CallGate: Send + Sync {
    /// Waits until a call may be made. Fails with `RateLimited` when the wait is longer than a worker should hold, `Cancelled` when the run was told to stop.
    async fn admit(&self, endpoint: &str) -> Result<(), ProviderError>;
    /// The access token. With `refused`, the token the provider just answered 401 to: the gate renews it, once for all that wait.
    async fn token(&self, refused: Option<&Secret>) -> Result<Secret, ProviderError>;
    /// Ends when the run was told to stop and a call under way is no longer worth waiting for: what only reads may be given up at any time.
    async fn given_up(&self) {
        std::future::pending().await
    }
    /// One call was answered (or failed): for the meters.
    fn answered(&self, call: &Call, cost: Cost);
}

/// What one call cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub bytes: u64,
    /// From the request to the last byte of the answer, or to the failure.
    pub took: Duration,
    /// We did not wait for the answer: nothing follows about the provider.
    pub given_up: bool,
}

/// One company at the provider: by whose authorization, through which gate.
pub struct Books<'a> {
    /// The provider's id of the company: realm id, tenant id.
    pub company: &'a str,
    pub gate: &'a dyn CallGate,
}

/// A company an authorization can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCompany {
    pub id: String,
    pub name: String,
    /// Granted in this very consent (Xero: by `authentication_event_id`; QuickBooks: always).
    pub newly_granted: bool,
}

/// What a sync must know of a company before it fetches anything.
#[derive(Clone, Debug)]
pub struct CompanyFacts {
    pub name: String,
    pub currency: String,
    pub country: Option<String>,
    /// 1-12.
    pub fiscal_year_start_month: i8,
    /// IANA name, where the provider's form is known; `UTC` otherwise.
    pub time_zone: String,
    /// The provider's clock when it answered the first call: the next cursor starts here, less an overlap.
    pub provider_now: Timestamp,
    /// CompanyInfo and Preferences, or Organisation, as received.
    pub records: Vec<RawRecord>,
}

/// One page of a provider's answer.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    pub records: Vec<RawRecord>,
    /// Entries of the page without a readable id or the like: set aside whole.
    pub unreadable: Vec<Unreadable>,
    pub next: Next,
    /// Data types whose part of a `changes` answer hit the provider's cap, so that they must be listed by `fetch` instead.
    pub overflowed: Vec<DataType>,
    /// Data types that a `changes` answer listed in full, whole in this very chunk: what we hold of them and is not in it no longer exists.
    pub complete: Vec<DataType>,
    /// How many records the whole list has, where the page says so.
    pub total: Option<u64>,
    /// The provider's clock when it answered: the first chunk's is where the next run begins, less an overlap.
    pub answered_at: Option<Timestamp>,
    /// Data types a `changes` answer had to leave out because a permission is missing, with the permission. The others went on.
    pub refused: Vec<(DataType, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Next {
    More(Checkpoint),
    #[default]
    UpToDate,
}

/// Every id with its version: finds what was deleted, proves the count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordVersion {
    pub id: String,
    pub updated_at: Option<Timestamp>,
}

/// A piece of the provider's own ledger.
#[derive(Clone, Debug, Default)]
pub struct LedgerPiece {
    pub entries: Vec<LedgerEntry>,
    /// Entries whose debits and credits differ: set aside and listed, never posted.
    pub unbalanced: Vec<(Date, domain::ledger::Unbalanced)>,
    /// Entries with a field that cannot be read: set aside whole, under `DataType::Ledger`.
    pub unreadable: Vec<Unreadable>,
    /// Windows only: balance of each account before the first day, debits positive, as the report states it (profit-and-loss accounts: fiscal year to date).
    pub opening: BTreeMap<String, Amount>,
    /// The answer as received, for the archive.
    pub body: Box<str>,
    /// Journals only: ask again after this number; `None` at the end (an empty page).
    pub next_after: Option<i64>,
}

/// The provider's own reports, as read and as received.
#[derive(Clone, Debug)]
pub struct Reported<T> {
    pub figures: T,
    /// (report name, parameters, body) for the archive.
    pub bodies: Vec<ReportBody>,
}

#[derive(Clone, Debug)]
pub struct ReportBody {
    /// `TrialBalance`, `ProfitAndLoss`, `BalanceSheet`.
    pub report: &'static str,
    /// `as_of=2026-01-31`, `2025-01..2026-01`; after `cash ` on the cash basis.
    pub parameters: String,
    pub body: Box<str>,
}

impl ReportBody {
    pub fn new(report: &'static str, basis: Basis, parameters: String, body: impl Into<Box<str>>) -> ReportBody {
        let parameters = if basis == Basis::Cash { format!("cash {parameters}") } else { parameters };
        ReportBody { report, parameters, body: body.into() }
    }
}

/// One thing a consent may allow, and what is not read without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The provider's word.
    pub scope: &'static str,
    /// What a person reads: `Invoices and Credit notes`.
    pub data: String,
}

/// Whether an authorization reaches a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    Sees,
    /// It does not; the reason is a sentence.
    Blind(String),
}

/// One accounting service.
#[async_trait]
pub trait Provider: Send + Sync {
    fn profile(&self) -> &Profile;
    /// How it names itself in the `iss` of a callback (RFC 9207).
    fn issuer(&self) -> &'static str;
    /// What is asked for at a consent, as far as data hang on it.
    fn permissions(&self) -> Vec<Permission>;
    /// Whether granted scopes, as `TokenPair::scope` holds them, cover one of `permissions`.
    fn is_granted(&self, granted: &str, scope: &str) -> bool;

    /// Where the browser is sent. `verifier` is used where the profile says PKCE.
    fn authorize_url(&self, state: &Secret, redirect_uri: &str, verifier: &Secret) -> String;
    /// Exchanges the code of a callback. Errors: `NeedsReconnect` when the code is refused, `WrongKeys`, `Down`, `UnexpectedAnswer`.
    async fn exchange(&self, callback: &Callback, redirect_uri: &str, verifier: &Secret) -> Result<Grant, ProviderError>;
    /// Renews an access token. The answer's refresh token must be stored before the access token is used.
    async fn refresh(&self, refresh: &Secret) -> Result<TokenPair, ProviderError>;
    /// Ends an authorization at the provider. An already dead token counts as revoked.
    async fn revoke(&self, refresh: &Secret) -> Result<(), ProviderError>;
    async fn identity(&self, grant: &Grant) -> Result<Identity, ProviderError>;
    /// The companies a grant can see. Each is read with the new token before it is believed.
    async fn companies(&self, grant: &Grant) -> Result<Vec<RemoteCompany>, ProviderError>;

    /// Whether an authorization reaches a company: asked of the provider now, by reading that very company.
    async fn can_see(&self, books: &Books<'_>) -> Result<Sight, ProviderError> {
        match self.company_facts(books, false).await {
            Ok(_) => Ok(Sight::Sees),
            Err(ProviderError::Forbidden { permission, .. }) => Ok(Sight::Blind(format!("{permission}."))),
            Err(ProviderError::NotFound { provider, .. }) => Ok(Sight::Blind(format!("{provider} does not know the company."))),
            Err(error) => Err(error),
        }
    }

    /// The first call of a full sync, and of the first run of a day. `thorough` also re-reads what has no change feed (QuickBooks Preferences).
    async fn company_facts(&self, books: &Books<'_>, thorough: bool) -> Result<CompanyFacts, ProviderError>;
    /// Everything of one data type, page by page, inactive, archived, voided and deleted included where the provider lists them.
    async fn fetch(&self, books: &Books<'_>, data_type: DataType, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError>;
    /// Everything that changed since an instant of the provider's clock, over all data types, deletions included. What the provider can only list
    /// in full, and what seldom changes, is listed when `thorough`, or when a posting says that it changed (`implied_by`).
    async fn changes(&self, books: &Books<'_>, since: Timestamp, thorough: bool, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError>;
    /// The data type that must be listed because the ledger shows a new posting of this source type.
    fn implied_by(&self, _source_type: &str) -> Option<DataType> {
        None
    }
    /// Which of these ids still exist at the provider; `None` when it cannot tell more cheaply than by `fetch`.
    async fn existing(&self, books: &Books<'_>, data_type: DataType, ids: &[String]) -> Result<Option<Vec<String>>, ProviderError>;
    /// The provider's own count of a data type, where it takes a call of its own to ask; `Chunk::total` where a page tells it.
    async fn count(&self, books: &Books<'_>, data_type: DataType) -> Result<Option<u64>, ProviderError>;

    /// `LedgerSource::Windows`: every posting of the days `from` to `to`. Fails with `TooLarge` when the answer is cut off.
    async fn ledger_window(&self, books: &Books<'_>, basis: Basis, from: Date, to: Date) -> Result<LedgerPiece, ProviderError>;
    /// `LedgerSource::Journals`: the journals after a number; those of each basis are numbered apart.
    async fn ledger_journals(&self, books: &Books<'_>, basis: Basis, after: i64) -> Result<LedgerPiece, ProviderError>;

    /// The provider's own trial balance.
    async fn reported_balances(
        &self,
        books: &Books<'_>,
        basis: Basis,
        as_of: Date,
        facts: &FiscalYear,
    ) -> Result<Reported<ReportedBalances>, ProviderError>;
    /// The provider's own ProfitAndLoss and BalanceSheet of every month from `first` to the day of `balances` (whose month is cut at that day).
    async fn reported_months(
        &self,
        books: &Books<'_>,
        basis: Basis,
        first: Month,
        balances: &ReportedBalances,
        facts: &FiscalYear,
    ) -> Result<Reported<BTreeMap<Month, ReportedMonth>>, ProviderError>;

    /// Pure: the same record always gives the same documents.
    fn normalize(&self, record: &RawRecord) -> Result<Document, Unreadable>;

    /// Other ids by which this provider's ledger names the same record.
    fn also_known_as(&self, _data_type: DataType, _body: &str) -> Vec<String> {
        Vec::new()
    }
}

/// What reports need to know of a company.
#[derive(Clone, Debug)]
pub struct FiscalYear {
    /// 1-12.
    pub start_month: i8,
    /// Class of each account by id, to give report figures their sign.
    pub debit_normal: BTreeMap<String, bool>,
    /// Account ids by `name` and by `code`, for report cells without an id.
    pub account_ids_by_name: BTreeMap<String, String>,
}

/// The key of a ledger entry, spelled short.
pub fn entry_key(source_type: &str, source_id: &str, journal_number: i64) -> EntryKey {
    EntryKey { source_type: source_type.to_owned(), source_id: source_id.to_owned(), journal_number }
}
