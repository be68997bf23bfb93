//! Allocations of credit notes, overpayments and prepayments, made and taken back.
use super::Maker;
use super::fields::{self, Problems};
use crate::books::{Books, DocumentId, Kind, Status};
use crate::money::Cents;
use crate::xero::refusal::Refusal;
use crate::xero::resource::Resource;
use crate::xero::tree::Node;
use crate::xero::wire::json::Object;
use crate::xero::wire::{advances, dates, invoices};
use jiff::civil::Date;

/// `{"Amount": …, "Date": …, "Invoice": {"InvoiceID": …}}`.
pub fn allocate(books: &mut Books, maker: &Maker, resource: Resource, owner: DocumentId, element: &Node) -> Result<String, Problems> {
    let mut problems = Problems::default();
    let amount = problems.take(fields::money(element, "Amount"));
    let date = problems.take(fields::date(element, "Date"));
    let target = problems.take(invoice(books, element).map(Some));
    if amount.is_none_or(|amount| amount.0 <= 0) {
        problems.0.push("The allocation amount must be greater than zero".into());
    }
    problems.end()?;
    let (amount, target) = (amount.unwrap_or_default(), target.unwrap_or_default());
    let is_advance = resource != Resource::CreditNotes;
    let left = if is_advance { books.advance_remaining(owner) } else { books.amount_due(owner) };
    if amount > left {
        return Err(Problems::one("Allocation amount exceeds the credit that remains"));
    }
    if amount > books.amount_due(target) {
        return Err(Problems::one("Allocation amount exceeds the amount outstanding on this document"));
    }
    let guid = if is_advance {
        let date = date.unwrap_or(maker.today);
        let allocation = books.allocate_advance(owner, target, amount, date, maker.now)?;
        advances::allocation_guid(books, allocation)
    } else {
        if let Some(date) = date {
            books.xero.documents.entry(owner).or_default().allocated_on.insert(target, date);
        }
        books.allocate(owner, target, amount, maker.now)?;
        invoices::credit_allocation_guid(books, owner, target)
    };
    let date = date.or_else(|| books.allocation_date(owner, target)).unwrap_or(maker.today);
    Ok(shown(books, resource, owner, target, amount, date, &guid))
}

fn invoice(books: &Books, element: &Node) -> Result<DocumentId, Problems> {
    let given = element.get("Invoice").ok_or_else(|| Problems::one("An Invoice must be specified"))?;
    let open = |d: &&crate::books::Document| matches!(d.kind, Kind::Invoice | Kind::Bill) && d.status == Status::Active;
    let by_id = given.get("InvoiceID").and_then(Node::text).and_then(|id| books.id_of_guid("Invoice", id)).and_then(|id| books.documents.get(&id));
    let number = fields::text(given, "InvoiceNumber")?.filter(|number| !number.is_empty());
    let by_number = || number.and_then(|number| books.documents.values().filter(open).find(|d| d.number == number));
    by_id.filter(open).or_else(by_number).map(|d| d.id).ok_or_else(|| Problems::one("The Invoice could not be found or is not approved"))
}

fn shown(books: &Books, resource: Resource, owner: DocumentId, target: DocumentId, amount: Cents, date: Date, guid: &str) -> String {
    let invoice = invoices::named(books, target, None);
    let word = resource.word();
    let id = books.guid(word, owner);
    let source = Object::new().text(&format!("{word}ID"), &id).text("ID", &id).raw("LineItems", "[]");
    Object::new()
        .text("AllocationID", guid)
        .money("Amount", amount)
        .raw("Date", &dates::ms_date(date))
        .raw("Invoice", &invoice)
        .raw(word, &source.end())
        .flag("IsDeleted", false)
        .raw("ValidationErrors", "[]")
        .end()
}

/// Removes one; the answer is the bare allocation, marked as deleted.
pub fn take_back(books: &mut Books, maker: &Maker, resource: Resource, owner: DocumentId, guid: &str) -> Result<String, Refusal> {
    let refused = |refused: crate::books::Refused| Refusal::Validation(refused.to_string());
    if resource == Resource::CreditNotes {
        let targets: Vec<DocumentId> = books.documents[&owner].applications.iter().map(|a| a.document).collect();
        let same = |target: &DocumentId| invoices::credit_allocation_guid(books, owner, *target).eq_ignore_ascii_case(guid);
        let target = targets.into_iter().find(same).ok_or(Refusal::NotFound)?;
        books.deallocate(owner, target, maker.now).map_err(refused)?;
    } else {
        let known = books.advance(owner).into_iter().flat_map(|advance| &advance.allocations).map(|allocation| allocation.id);
        let same = |id: &u64| advances::allocation_guid(books, *id).eq_ignore_ascii_case(guid);
        let allocation = known.collect::<Vec<_>>().into_iter().find(same).ok_or(Refusal::NotFound)?;
        books.deallocate_advance(owner, allocation, maker.now).map_err(refused)?;
    }
    Ok(Object::new().text("AllocationID", guid).flag("IsDeleted", true).end())
}
