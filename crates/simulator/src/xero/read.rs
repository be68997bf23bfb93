//! Answers to GET: lists, single records, what stands below them, reports.
//!
//! Contract: providers/xero.md 3.2 to 3.7.
use super::lists::{self, Parameters};
use super::refusal::{self, Refusal};
use super::reports;
use super::resource::Resource;
use super::target::{Below, Target};
use super::wire::json::{Object, array};
use super::wire::{Detail, dates, history, journals, settings};
use crate::books::{Basis, Books, Kind};
use crate::faults::Switches;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

/// A GET that was let in.
pub struct Reading<'a> {
    pub target: &'a Target,
    pub app: &'a str,
    pub parameters: Parameters,
    pub since: Option<Timestamp>,
    pub now: Timestamp,
}

impl Reading<'_> {
    pub fn answer(&self, books: &Books, switches: &Switches) -> Result<Response, Refusal> {
        if let Target::Below(resource, id, Below::Attachments, Some(file)) = self.target {
            let owner = record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
            return history::download(books, *resource, owner, file).ok_or(Refusal::NotFound);
        }
        if let Target::Below(resource, id, Below::Pdf, None) = self.target {
            let number = record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
            return printed(books, *resource, number).ok_or(Refusal::NotFound);
        }
        let mut body = self.body(books, switches)?;
        if self.parameters.get("unitdp") == Some("4") {
            body = four_decimals(&body);
        }
        Ok(refusal::json(200, body))
    }

    fn body(&self, books: &Books, switches: &Switches) -> Result<String, Refusal> {
        let (parameters, now) = (&self.parameters, self.now);
        let envelope = envelope(self.app, now);
        Ok(match self.target {
            Target::List(Resource::Journals) => envelope.list("Journals", &lists::journals(books, parameters, self.since)?).end(),
            Target::List(resource) => {
                let page = lists::list(books, *resource, parameters, self.since, self.app, now)?;
                let envelope = match &page.pagination {
                    Some(pagination) => envelope.raw("pagination", pagination),
                    None => envelope,
                };
                envelope.list(resource.list_key(), &page.records).end()
            }
            Target::One(resource, id) => {
                let record = one(books, *resource, id, parameters, now).ok_or(Refusal::NotFound)?;
                envelope.list(resource.list_key(), &[record]).end()
            }
            Target::Below(resource, id, below, None) => {
                let owner = record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
                match below {
                    Below::History => envelope.list("HistoryRecords", &history::records(books, *resource, owner)).end(),
                    Below::Attachments => envelope.list("Attachments", &history::attachments(books, *resource, owner)).end(),
                    Below::OnlineInvoice => {
                        let url = format!("https://in.xero.com/{}", books.guid("OnlineInvoice", owner).replace('-', ""));
                        envelope.list("OnlineInvoices", &[Object::new().text("OnlineInvoiceUrl", &url).end()]).end()
                    }
                    Below::CisSettings => envelope.list("CISSettings", &[]).end(),
                    Below::PaymentServices => envelope.list("PaymentServices", &[]).end(),
                    _ => return Err(Refusal::NotImplemented),
                }
            }
            Target::Report(report) => {
                let made = reports::make(books, *report, parameters, now, switches.xero_groups_currency_gains)?;
                envelope.raw("Reports", &array(&made)).end()
            }
            Target::PublishedReports => envelope.list("Reports", &[]).end(),
            Target::Actions => envelope.list("Actions", &settings::actions(books)).end(),
            Target::Reminders => envelope.list("InvoiceReminders", &[Object::new().flag("Enabled", false).end()]).end(),
            Target::Setup | Target::Below(..) => return Err(Refusal::NotImplemented),
            Target::Unknown => return Err(Refusal::NotFound),
        })
    }
}

/// The record as a PDF.
fn printed(books: &Books, resource: Resource, id: u64) -> Option<Response> {
    let ordered = books.lists.orders.get(&id).filter(|_| matches!(resource, Resource::Kept(_))).map(|order| order.as_document());
    let document = ordered.or_else(|| books.documents.get(&id).cloned())?;
    let title = match (resource, document.kind) {
        (Resource::Kept(kept), _) if kept.name == "Quotes" => "Quote",
        (Resource::Kept(_), _) => "Purchase order",
        (Resource::CreditNotes, _) => "Credit note",
        (_, Kind::Bill) => "Bill",
        _ => "Invoice",
    };
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"))];
    Some((headers, crate::paper::of_document(books, title, &document)).into_response())
}

/// One record by its guid, or by the number or code it also goes by.
pub fn one(books: &Books, resource: Resource, id: &str, parameters: &Parameters, now: Timestamp) -> Option<String> {
    match resource {
        Resource::Journals => {
            let number = id.parse().ok().or_else(|| books.id_of_guid("Journal", id))?;
            let index = books.journals.binary_search_by_key(&number, |journal| journal.number).ok()?;
            Some(journals::journal(books, &books.journals[index], Basis::Accrual, false))
        }
        Resource::Organisation => id.eq_ignore_ascii_case(&books.id).then(|| settings::organisation(books)),
        Resource::Kept(kept) => kept.one(books, id, parameters),
        _ => Some(resource.render(books, record_id(books, resource, id)?, Detail::Single, now)),
    }
}

/// The number in the books of the record that a path names by guid, number or code.
pub fn record_id(books: &Books, resource: Resource, id: &str) -> Option<u64> {
    let number = || books.id_of_guid(resource.word(), id);
    let same = |known: &str| !known.is_empty() && known.eq_ignore_ascii_case(id);
    match resource {
        Resource::Accounts => number().filter(|id| books.accounts.contains_key(id)),
        Resource::Contacts => {
            let by_number = || books.contacts.keys().copied().find(|contact| same(&super::wire::contacts::number(books, *contact)));
            number().filter(|id| books.contacts.contains_key(id)).or_else(by_number)
        }
        Resource::Items => {
            let listed = |item: &&crate::books::Item| settings::is_listed(books, item);
            let by_code = || books.items.values().filter(listed).find(|item| same(&settings::item_code(books, item))).map(|item| item.id);
            number().filter(|id| books.items.get(id).is_some_and(|item| settings::is_listed(books, item))).or_else(by_code)
        }
        Resource::TaxRates => {
            let rate = books.tax_rates.iter().find(|rate| same(&rate.code)).map(|rate| rate.id);
            let built_in = || id.eq_ignore_ascii_case("NONE").then_some(0).filter(|_| settings::built_in_tax_rate(books).is_some());
            rate.or_else(built_in)
        }
        Resource::Organisation => same(&books.id).then_some(0),
        Resource::Kept(_) => resource.number_of(books, id),
        Resource::Currencies | Resource::Journals => None,
        _ => {
            let of_it = |document: &&crate::books::Document| resource.kinds().contains(&document.kind) && !document.is_of_a_claim();
            let by_number = || {
                let numbered = matches!(resource, Resource::Invoices | Resource::CreditNotes);
                books.documents.values().filter(|_| numbered).filter(of_it).find(|document| same(&document.number)).map(|document| document.id)
            };
            number().filter(|id| books.documents.get(id).filter(of_it).is_some()).or_else(by_number)
        }
    }
}

/// `ProviderName` is the app's name; DateTimeUTC has no offset.
pub fn envelope(app: &str, now: Timestamp) -> Object {
    Object::new()
        .text("Id", &crate::oauth::random_guid())
        .text("Status", "OK")
        .text("ProviderName", app)
        .raw("DateTimeUTC", &dates::ms_time_bare(now))
}

/// `unitdp=4`: unit amounts and prices with four decimals. The books keep two, so two zeros follow.
fn four_decimals(body: &str) -> String {
    let mut text = String::with_capacity(body.len() + 256);
    let mut rest = body;
    while let Some(at) = ["\"UnitAmount\":", "\"UnitPrice\":"].into_iter().filter_map(|name| rest.find(name).map(|at| at + name.len())).min() {
        let number = rest[at..].bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')).count();
        text.push_str(&rest[..at + number]);
        text.push_str("00");
        rest = &rest[at + number..];
    }
    text.push_str(rest);
    text
}
