//! The calls themselves: below `/api.xro/2.0/` for one company through its gate, and with a fresh token before a connection exists.
use super::fetch::{self, PAGE_SIZE, PageEnd, Resource};
use super::oauth::{self, Claims};
use super::refusals::{self, PROVIDER, unexpected};
use super::wire::Envelope;
use super::{Xero, company, dates};
use crate::error::{Call, ProviderError};
use crate::http::Answer;
use crate::oauth::TokenPair;
use crate::provider::{Books, Chunk};
use jiff::Timestamp;

impl Xero {
    /// GET below `/api.xro/2.0/` for one company. A permission the token does not hold is named without a call.
    pub(super) async fn ask(
        &self,
        books: &Books<'_>,
        path: &str,
        query: &[(&str, &str)],
        if_modified_since: Option<&str>,
        scope: &str,
    ) -> Result<Answer, ProviderError> {
        let endpoint = format!("GET {path}");
        let granted = Claims::read(&books.gate.token(None).await?).and_then(|claims| claims.scopes());
        if granted.is_some_and(|granted| !oauth::covers(&granted, scope)) {
            let call = Call { endpoint, ..Call::default() };
            return Err(ProviderError::Forbidden { provider: PROVIDER, permission: format!("the scope {scope} is missing"), call });
        }
        let mut url = self.addresses.accounting.join(path).expect("paths of the Accounting API are relative addresses");
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut headers = vec![("xero-tenant-id", books.company)];
        headers.extend(if_modified_since.map(|since| ("if-modified-since", since)));
        let answer = self.http.get(books.gate, &endpoint, &url, &headers).await?;
        refusals::check(answer, scope, self.now())
    }

    pub(super) async fn report(&self, books: &Books<'_>, name: &str, query: &[(&str, &str)]) -> Result<Answer, ProviderError> {
        let scope = format!("accounting.reports.{}.read", name.to_ascii_lowercase());
        self.ask(books, &format!("Reports/{name}"), query, None, &scope).await
    }

    /// One page of a list, split into records.
    pub(super) async fn page(
        &self,
        books: &Books<'_>,
        resource: &Resource,
        page: u64,
        since: Option<Timestamp>,
    ) -> Result<(Chunk, PageEnd), ProviderError> {
        let number = page.to_string();
        let mut query = Vec::with_capacity(3);
        if resource.paged {
            query.extend([("page", number.as_str()), ("pageSize", PAGE_SIZE)]);
        }
        query.extend(resource.extra);
        let is_whole = since.is_none();
        let since = since.map(dates::if_modified_since);
        let answer = self.ask(books, resource.path, &query, since.as_deref(), resource.scope).await?;
        let envelope = Envelope::parse(&answer.body, resource.list).map_err(|defect| unexpected(&answer, defect))?;
        let (records, unreadable) = fetch::split(resource, &envelope, page);
        let answered_at = envelope.answered_at.or(answer.date).unwrap_or_else(|| self.now());
        let total = envelope.pagination.filter(|_| is_whole).map(|pagination| pagination.item_count);
        let end = PageEnd { pagination: envelope.pagination, is_empty: envelope.entries.is_empty(), answered_at };
        Ok((Chunk { records, unreadable, total, answered_at: Some(answered_at), ..Chunk::default() }, end))
    }

    pub(super) async fn list_connections(&self, tokens: &TokenPair, auth_event_id: Option<&str>) -> Result<Vec<company::Connection>, ProviderError> {
        let mut url = self.addresses.connections.clone();
        if let Some(auth_event_id) = auth_event_id {
            url.query_pairs_mut().append_pair("authEventId", auth_event_id);
        }
        let answer = self.http.get_with(&tokens.access, "GET connections", &url, &[]).await?;
        let answer = refusals::check(answer, "openid", self.now())?;
        company::connections(&answer.body).map_err(|defect| unexpected(&answer, defect))
    }

    /// The name of an organisation that `connections` lists without one.
    pub(super) async fn organisation_name(&self, tokens: &TokenPair, tenant_id: &str) -> Result<String, ProviderError> {
        let url = self.addresses.accounting.join("Organisation").expect("paths of the Accounting API are relative addresses");
        let answer = self.http.get_with(&tokens.access, "GET Organisation", &url, &[("xero-tenant-id", tenant_id)]).await?;
        let answer = refusals::check(answer, "accounting.settings.read", self.now())?;
        Ok(company::facts(&answer, self.now())?.name)
    }
}
