//! Lists of records: the request's parameters, which records they select, in which order, and the page that is rendered.
//!
//! Contract: providers/xero.md 3.4 to 3.6 (developer.xero.com, "Requests and responses").
use super::filter::evaluate::{Query, Value};
use super::filter::parse::read_guid;
use super::refusal::Refusal;
use super::resource::Resource;
use super::wire::json::Object;
use super::wire::{Detail, dates, settings};
use crate::books::{Books, Status};
use jiff::Timestamp;
use std::collections::HashSet;

/// A request that would give more records than this is refused: "use paging" (section 3.5, high volume).
const MOST_RECORDS: usize = 100_000;
const DEFAULT_PAGE_SIZE: usize = 100;
const LARGEST_PAGE_SIZE: usize = 1_000;

/// The query string, names matched without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn read(query: &str) -> Parameters {
        Parameters(url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect())
    }
    /// `name` in lower case. An empty value counts as not given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.trim().is_empty()).map(|(_, value)| value.trim())
    }
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refusal::Validation(format!("{name} must be true or false, not '{other}'"))),
        }
    }
    pub fn whole(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Refusal::Validation(format!("{name} must be a whole number, not '{text}'"))),
            },
        }
    }
    fn words(&self, name: &str) -> Option<HashSet<String>> {
        self.get(name).map(|list| list.split(',').map(|word| word.trim().to_string()).filter(|word| !word.is_empty()).collect())
    }
    fn guids(&self, name: &str, shown_name: &str) -> Result<Option<HashSet<String>>, Refusal> {
        let Some(words) = self.words(name) else { return Ok(None) };
        let guids: Option<HashSet<String>> = words.iter().map(|word| read_guid(word)).collect();
        guids.map(Some).ok_or(Refusal::NotAGuid(shown_name.to_string()))
    }
}

/// A page to answer with: the rendered records and, when the call is paged, the pagination object.
pub struct Page {
    pub records: Vec<String>,
    pub pagination: Option<String>,
}

/// A page of a list.
pub struct Paging {
    pub page: u64,
    pub size: usize,
}

/// `app` is whose call it is, for `createdByMyApp`.
pub fn list(
    books: &Books,
    resource: Resource,
    parameters: &Parameters,
    since: Option<Timestamp>,
    app: &str,
    now: Timestamp,
) -> Result<Page, Refusal> {
    if let Resource::Kept(kept) = resource {
        return kept.list(books, parameters, since, resource.word());
    }
    if resource == Resource::Organisation {
        return Ok(Page { records: vec![settings::organisation(books)], pagination: None });
    }
    let query = Query::read(parameters.get("where"), parameters.get("order"), resource.schema(), resource.word())?;
    if resource == Resource::Currencies {
        return currencies(books, &query);
    }
    let mut selection = Selection::read(resource, parameters, since, query)?;
    selection.made_by = Some(app.to_string()).filter(|_| selection.made_by.is_some());
    let summary = matches!(resource, Resource::Invoices | Resource::Contacts) && parameters.flag("summaryonly")?;
    let paging = match resource.is_paged() {
        true => paging(parameters, summary || selection.statuses.is_some())?,
        false => None,
    };
    let mut chosen = selection.choose(books);
    let count = chosen.len();
    let records = match &paging {
        Some(paging) => selection.page(books, &mut chosen, paging),
        None if count > MOST_RECORDS => {
            return Err(Refusal::Validation(format!("The request would return {count} records; use paging to read more than {MOST_RECORDS}")));
        }
        None => {
            let whole = Paging { page: 1, size: count.max(1) };
            selection.page(books, &mut chosen, &whole)
        }
    };
    let detail = match (&paging, summary) {
        (_, true) => Detail::Summary,
        (Some(_), _) => Detail::Paged,
        (None, _) => Detail::Listed,
    };
    let records = records.into_iter().map(|id| resource.render(books, id, detail, now)).collect();
    Ok(Page { records, pagination: paging.map(|paging| paging.pagination(count)) })
}

fn currencies(books: &Books, query: &Query) -> Result<Page, Refusal> {
    let mut records = Vec::new();
    for json in settings::currencies(books) {
        let parsed: serde_json::Value = serde_json::from_str(&json).expect("a rendered currency is JSON");
        let field = |path: &str| parsed[if path == "code" { "Code" } else { "Description" }].as_str().map_or(Value::Absent, Value::text);
        if query.passes(&field) {
            records.push((query.key(&field), json));
        }
    }
    records.sort_by(|left, right| query.compare(&left.0, &right.0));
    Ok(Page { records: records.into_iter().map(|(_, json)| json).collect(), pagination: None })
}

/// The page a call asks for; `always` when the list comes in pages without being asked.
pub fn paging(parameters: &Parameters, always: bool) -> Result<Option<Paging>, Refusal> {
    let (page, size) = (parameters.whole("page")?, parameters.whole("pagesize")?);
    if page == Some(0) || size == Some(0) {
        return Err(Refusal::Validation("page and pageSize begin at 1".into()));
    }
    if page.is_none() && size.is_none() && !always {
        return Ok(None);
    }
    let size = size.map_or(DEFAULT_PAGE_SIZE, |size| usize::try_from(size).unwrap_or(LARGEST_PAGE_SIZE).min(LARGEST_PAGE_SIZE));
    Ok(Some(Paging { page: page.unwrap_or(1), size }))
}

impl Paging {
    pub fn of_page(page: u64) -> Paging {
        Paging { page, size: DEFAULT_PAGE_SIZE }
    }
    /// How many records come before the page.
    pub fn start(&self) -> usize {
        usize::try_from(self.page - 1).ok().and_then(|page| page.checked_mul(self.size)).unwrap_or(usize::MAX)
    }
    pub fn pagination(&self, count: usize) -> String {
        Object::new()
            .number("page", self.page)
            .number("pageSize", self.size)
            .number("pageCount", count.div_ceil(self.size))
            .number("itemCount", count)
            .end()
    }
}

/// Which records a request selects.
struct Selection {
    resource: Resource,
    query: Query,
    since: Option<Timestamp>,
    ids: Option<HashSet<String>>,
    contacts: Option<HashSet<String>>,
    numbers: Option<HashSet<String>>,
    statuses: Option<HashSet<String>>,
    search: Option<String>,
    include_archived: bool,
    include_deleted: bool,
    /// `createdByMyApp`: the app.
    made_by: Option<String>,
}

impl Selection {
    fn read(resource: Resource, parameters: &Parameters, since: Option<Timestamp>, query: Query) -> Result<Selection, Refusal> {
        let (invoices, contacts) = (resource == Resource::Invoices, resource == Resource::Contacts);
        let none = Parameters::default();
        let of_invoices = if invoices { parameters } else { &none };
        let of_both = if invoices || contacts { parameters } else { &none };
        Ok(Selection {
            resource,
            query,
            since: since.filter(|_| resource.filters_by_time()),
            ids: of_both.guids("ids", "Ids")?,
            contacts: of_invoices.guids("contactids", "ContactIds")?,
            numbers: of_invoices.words("invoicenumbers"),
            statuses: of_invoices.words("statuses").map(|words| words.iter().map(|word| word.to_ascii_uppercase()).collect()),
            search: of_both.get("searchterm").map(str::to_lowercase),
            include_archived: contacts && parameters.flag("includearchived")?,
            include_deleted: resource == Resource::BankTransfers && parameters.flag("includedeleted")?,
            made_by: (invoices && parameters.flag("createdbymyapp")?).then(String::new),
        })
    }

    /// The number and the time of every record selected, in no order yet.
    fn choose(&self, books: &Books) -> Vec<(Timestamp, u64)> {
        let passes = |id: u64| self.query.passes(&|path| self.resource.field(books, id, path));
        let recent = |at: Timestamp| self.since.is_none_or(|since| at >= since);
        match self.resource {
            Resource::Accounts => books.accounts.values().filter(|a| recent(a.updated_at) && passes(a.id)).map(|a| (a.updated_at, a.id)).collect(),
            Resource::Items => books
                .items
                .values()
                .filter(|i| settings::is_listed(books, i) && recent(i.updated_at) && passes(i.id))
                .map(|i| (i.updated_at, i.id))
                .collect(),
            Resource::TaxRates => {
                let built_in = settings::built_in_tax_rate(books).map(|_| 0);
                let ids = books.tax_rates.iter().map(|rate| rate.id).chain(built_in);
                ids.filter(|id| passes(*id)).map(|id| (books.created_at, id)).collect()
            }
            Resource::Contacts => books
                .contacts
                .values()
                .filter(|contact| contact.active || self.include_archived || self.ids.is_some())
                .filter(|contact| recent(contact.updated_at))
                .filter(|contact| self.ids.as_ref().is_none_or(|ids| ids.contains(&books.guid("Contact", contact.id))))
                .filter(|contact| self.found([contact.name.as_str(), contact.email.as_str()]))
                .filter(|contact| passes(contact.id))
                .map(|contact| (contact.updated_at, contact.id))
                .collect(),
            _ => self.documents(books),
        }
    }

    fn documents(&self, books: &Books) -> Vec<(Timestamp, u64)> {
        let kinds = self.resource.kinds();
        let transfers = self.resource == Resource::BankTransfers;
        let mut chosen = Vec::new();
        for document in books.documents.values().filter(|document| kinds.contains(&document.kind) && !document.is_of_a_claim()) {
            // transfers have no UpdatedDateUTC: the header filters by creation
            let at = if transfers { document.created_at } else { document.updated_at };
            let hidden = transfers && !self.include_deleted && matches!(document.status, Status::Voided | Status::Deleted);
            let listed = !hidden
                && self.since.is_none_or(|since| at >= since)
                && self.ids.as_ref().is_none_or(|ids| ids.contains(&books.guid(self.resource.word(), document.id)))
                && self.contacts.as_ref().is_none_or(|ids| document.contact.is_some_and(|id| ids.contains(&books.guid("Contact", id))))
                && self.numbers.as_ref().is_none_or(|numbers| numbers.contains(&document.number))
                && self.statuses.as_ref().is_none_or(|statuses| statuses.contains(self.resource.status(books, document)))
                && self.made_by.as_ref().is_none_or(|app| books.xero.documents.get(&document.id).is_some_and(|details| details.made_by == *app))
                && self.found([document.number.as_str(), document.memo.as_str()])
                && self.query.passes(&|path| self.resource.field(books, document.id, path));
            if listed {
                chosen.push((at, document.id));
            }
        }
        chosen
    }

    fn found(&self, texts: [&str; 2]) -> bool {
        self.search.as_ref().is_none_or(|term| texts.iter().any(|text| text.to_lowercase().contains(term)))
    }

    /// The numbers of one page. The default order is by time, then number; only the page itself is sorted, so that a page of a large
    /// company costs one pass.
    fn page(&self, books: &Books, chosen: &mut [(Timestamp, u64)], paging: &Paging) -> Vec<u64> {
        let start = paging.start();
        if start >= chosen.len() {
            return Vec::new();
        }
        let length = paging.size.min(chosen.len() - start);
        if self.query.is_ordered() {
            let mut keyed: Vec<_> = chosen.iter().map(|entry| (self.query.key(&|path| self.resource.field(books, entry.1, path)), *entry)).collect();
            keyed.sort_by(|left, right| self.query.compare(&left.0, &right.0).then(left.1.cmp(&right.1)));
            return keyed[start..start + length].iter().map(|(_, (_, id))| *id).collect();
        }
        if matches!(self.resource, Resource::Accounts | Resource::Items | Resource::TaxRates) {
            return self.by_code(books, chosen)[start..start + length].to_vec();
        }
        if start > 0 {
            chosen.select_nth_unstable(start);
        }
        let tail = &mut chosen[start..];
        if length < tail.len() {
            tail.select_nth_unstable(length - 1);
        }
        let page = &mut tail[..length];
        page.sort_unstable();
        page.iter().map(|(_, id)| *id).collect()
    }

    /// Recorded: accounts and items come by Code, as text; tax rates by name.
    fn by_code(&self, books: &Books, chosen: &[(Timestamp, u64)]) -> Vec<u64> {
        let path = if self.resource == Resource::TaxRates { "name" } else { "code" };
        let text = |id: u64| match self.resource.field(books, id, path) {
            Value::Text(text) => text,
            _ => String::new(),
        };
        let mut keyed: Vec<(String, u64)> = chosen.iter().map(|(_, id)| (text(*id), *id)).collect();
        keyed.sort();
        keyed.into_iter().map(|(_, id)| id).collect()
    }
}

/// Journals with a number above `offset`, oldest first, at most 100. Numbers have gaps and some pages are shorter although more follow:
/// only an empty list is the end (section 4.1).
pub fn journals(books: &Books, parameters: &Parameters, since: Option<Timestamp>) -> Result<Vec<String>, Refusal> {
    const PAGE: usize = 100;
    let basis = super::reports::basis(parameters)?;
    let journals = books.journals_on(basis);
    if let Some(filter) = parameters.get("where") {
        Query::read(Some(filter), None, Resource::Journals.schema(), Resource::Journals.word())?;
    }
    let offset = parameters.whole("offset")?.unwrap_or(0);
    let first = journals.partition_point(|journal| journal.number <= offset);
    let short = crate::books::guid::mix(books.seed ^ offset.wrapping_mul(31)).is_multiple_of(4);
    let most = if short { PAGE - 3 } else { PAGE };
    Ok(journals[first..]
        .iter()
        .filter(|journal| since.is_none_or(|since| journal.created_at >= since))
        .take(most)
        .map(|journal| super::wire::journals::journal(books, journal, basis, true))
        .collect())
}

/// The header If-Modified-Since, in any form clients send.
pub fn modified_since(text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => dates::modified_since(text)
            .map(Some)
            .ok_or_else(|| Refusal::Validation(format!("If-Modified-Since '{text}' is not a time; the form is yyyy-mm-ddThh:mm:ss in UTC"))),
    }
}
