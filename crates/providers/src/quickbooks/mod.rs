//! QuickBooks Online: what it offers, and where each part of it is read.
mod changes;
mod company;
mod fault;
mod fetch;
mod ledger;
mod months;
mod normalize;
mod oauth;
mod reports;
mod wire;

use crate::error::ProviderError;
use crate::http::{Answer, Http};
use crate::oauth::{Callback, Grant, Identity, Secret, TokenPair};
use crate::provider::{
    Books, CallLimits, Chunk, CompanyFacts, FiscalYear, LedgerPiece, LedgerSource, Permission, Profile, Provider, RemoteCompany, Reported, Sight,
};
use crate::registry::Settings;
use async_trait::async_trait;
use domain::clock::{Clock, Month};
use domain::data_type::DataType;
use domain::document::{Document, Unreadable};
use domain::ledger::Basis;
use domain::record::RawRecord;
use domain::sync::Checkpoint;
use domain::verification::{ReportedBalances, ReportedMonth};
use fault::{Refused, accepted, unexpected};
use jiff::Timestamp;
use jiff::civil::Date;
use oauth::Addresses;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAME: &str = "QuickBooks";

/// Everything a full sync lists, in order of dependence.
const DATA_TYPES: [DataType; 18] = [
    DataType::CompanyInfo,
    DataType::Preferences,
    DataType::Account,
    DataType::Customer,
    DataType::Vendor,
    DataType::Item,
    DataType::Invoice,
    DataType::CreditMemo,
    DataType::SalesReceipt,
    DataType::RefundReceipt,
    DataType::Payment,
    DataType::Bill,
    DataType::VendorCredit,
    DataType::BillPayment,
    DataType::Purchase,
    DataType::Deposit,
    DataType::Transfer,
    DataType::JournalEntry,
];

/// The types that change data capture knows; CompanyInfo and Preferences, the first two, are read anew instead.
const CHANGE_TYPES: &[DataType] = DATA_TYPES.split_at(2).1;

/// QuickBooks Online as one provider among others.
pub struct QuickBooks {
    http: Http,
    addresses: Addresses,
    settings: Settings,
    profile: Profile,
}

impl QuickBooks {
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<QuickBooks, ProviderError> {
        let profile = Profile {
            id: "quickbooks",
            name: NAME,
            data_types: &DATA_TYPES,
            ledger: LedgerSource::Windows,
            // REF/changedatacapture: the look-back is 30 days
            changes_window_days: Some(30),
            // D-REST: 10 requests a second for a company and app, 500 a minute for a company; we stay a little below
            limits: CallLimits { per_second: Some(8), per_minute: 450, per_day: None, concurrent: 8, app_per_minute: None },
            pkce: false,
        };
        let addresses = Addresses::of(&settings)?;
        let http = Http::new(NAME, "intuit_tid", clock)?;
        Ok(QuickBooks { http, addresses, settings, profile })
    }

    fn now(&self) -> Timestamp {
        self.http.clock.now()
    }

    /// One read below `/v3/company/{realm}`.
    async fn read(&self, books: &Books<'_>, endpoint: &str, path: &[&str], parameters: &[(&str, &str)]) -> Result<Answer, Refused> {
        let url = self.addresses.company(books.company, path, parameters);
        accepted(self.http.get(books.gate, endpoint, &url, &[]).await?, self.now())
    }
}

/// Reads the frame of an answer; what it holds is borrowed from the body.
fn frame<'a, T: serde::Deserialize<'a>>(answer: &'a Answer) -> Result<T, ProviderError> {
    serde_json::from_str(&answer.body).map_err(|error| unexpected(wire::defect(&answer.body, &error), answer.call.clone()))
}

#[async_trait]
impl Provider for QuickBooks {
    fn profile(&self) -> &Profile {
        &self.profile
    }
    fn issuer(&self) -> &'static str {
        oauth::ISSUER
    }
    /// The accounting scope is all or nothing.
    fn permissions(&self) -> Vec<Permission> {
        vec![Permission { scope: oauth::ACCOUNTING, data: "Everything in the books".into() }]
    }
    /// QuickBooks does not tell what it granted; a consent without the accounting scope reaches no company.
    fn is_granted(&self, granted: &str, scope: &str) -> bool {
        granted.is_empty() || granted.split_whitespace().any(|word| word == scope)
    }

    fn authorize_url(&self, state: &Secret, redirect_uri: &str, _verifier: &Secret) -> String {
        oauth::authorize_url(&self.addresses, &self.settings, state, redirect_uri)
    }
    async fn exchange(&self, callback: &Callback, redirect_uri: &str, _verifier: &Secret) -> Result<Grant, ProviderError> {
        oauth::exchange(&self.http, &self.addresses, &self.settings, callback, redirect_uri).await
    }
    async fn refresh(&self, refresh: &Secret) -> Result<TokenPair, ProviderError> {
        oauth::refresh(&self.http, &self.addresses, &self.settings, refresh).await
    }
    async fn revoke(&self, refresh: &Secret) -> Result<(), ProviderError> {
        oauth::revoke(&self.http, &self.addresses, &self.settings, refresh).await
    }
    async fn identity(&self, grant: &Grant) -> Result<Identity, ProviderError> {
        oauth::identity(&self.http, &self.addresses, grant).await
    }
    async fn companies(&self, grant: &Grant) -> Result<Vec<RemoteCompany>, ProviderError> {
        self.granted_company(grant).await.map(|company| vec![company])
    }

    /// A token is bound to one company: of every other one it is told that it is not authorized, also after it was renewed. A renewal that is refused is
    /// another matter.
    async fn can_see(&self, books: &Books<'_>) -> Result<Sight, ProviderError> {
        match self.read_company(books, false).await {
            Ok(_) => Ok(Sight::Sees),
            Err(ProviderError::NeedsReconnect { call, .. }) if call.endpoint != "POST token" => {
                Ok(Sight::Blind("This sign-in was given for another company.".into()))
            }
            Err(ProviderError::Forbidden { permission, .. }) => Ok(Sight::Blind(format!("{permission}."))),
            Err(ProviderError::NotFound { .. }) => Ok(Sight::Blind("QuickBooks does not know the company.".into())),
            Err(error) => Err(error),
        }
    }

    async fn company_facts(&self, books: &Books<'_>, thorough: bool) -> Result<CompanyFacts, ProviderError> {
        self.read_company(books, thorough).await
    }
    async fn fetch(&self, books: &Books<'_>, data_type: DataType, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError> {
        match data_type {
            DataType::CompanyInfo | DataType::Preferences => self.fetch_single(books, data_type).await,
            _ => self.fetch_page(books, data_type, from).await,
        }
    }
    async fn changes(&self, books: &Books<'_>, since: Timestamp, _thorough: bool, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError> {
        self.fetch_changes(books, since, from).await
    }
    async fn existing(&self, books: &Books<'_>, data_type: DataType, ids: &[String]) -> Result<Option<Vec<String>>, ProviderError> {
        self.find_existing(books, data_type, ids).await
    }
    async fn count(&self, books: &Books<'_>, data_type: DataType) -> Result<Option<u64>, ProviderError> {
        self.count_records(books, data_type).await
    }

    async fn ledger_window(&self, books: &Books<'_>, basis: Basis, from: Date, to: Date) -> Result<LedgerPiece, ProviderError> {
        self.read_ledger(books, basis, from, to).await
    }
    async fn ledger_journals(&self, _books: &Books<'_>, _basis: Basis, _after: i64) -> Result<LedgerPiece, ProviderError> {
        Err(unexpected("it has no feed of journals; its ledger is read by ranges of days", crate::error::Call::default()))
    }

    async fn reported_balances(
        &self,
        books: &Books<'_>,
        basis: Basis,
        as_of: Date,
        facts: &FiscalYear,
    ) -> Result<Reported<ReportedBalances>, ProviderError> {
        self.read_trial_balance(books, basis, as_of, facts).await
    }
    async fn reported_months(
        &self,
        books: &Books<'_>,
        basis: Basis,
        first: Month,
        balances: &ReportedBalances,
        facts: &FiscalYear,
    ) -> Result<Reported<BTreeMap<Month, ReportedMonth>>, ProviderError> {
        self.read_months(books, basis, first, balances.as_of, facts).await
    }

    fn normalize(&self, record: &RawRecord) -> Result<Document, Unreadable> {
        normalize::document(record)
    }
}
