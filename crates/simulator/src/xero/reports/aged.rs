//! Reports/AgedReceivablesByContact and AgedPayablesByContact: what is open with one contact, document by document.
use super::{Cell, Report, data_row, date_parameter, header, row_of, section, titled};
use crate::books::{Books, ContactId, Document, Kind, Status};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::dates;
use jiff::Timestamp;
use jiff::civil::Date;

/// Total, paid, credited and due of a document on a day.
type Standing = [Cents; 4];

pub fn make(books: &Books, parameters: &Parameters, receivable: bool, now: Timestamp) -> Result<String, Refusal> {
    let contact = contact(books, parameters)?;
    let date = date_parameter(parameters, "date")?.unwrap_or_else(|| dates::today(now, &books.time_zone));
    let until = date_parameter(parameters, "todate")?.unwrap_or(date);
    let kind = if receivable { Kind::Invoice } else { Kind::Bill };
    let mut documents: Vec<&Document> =
        books.documents.values().filter(|d| d.kind == kind && d.contact == Some(contact) && d.status == Status::Active && d.date <= until).collect();
    documents.sort_by_key(|document| (document.date, document.id));
    let from = date_parameter(parameters, "fromdate")?.or_else(|| documents.first().map(|document| document.date)).unwrap_or(until);
    let (mut opening, mut rows, mut totals) = (Cents::ZERO, Vec::new(), [Cents::ZERO; 4]);
    for document in documents {
        let standing = standing(books, document, date);
        if document.date < from {
            opening += standing[3];
            continue;
        }
        if standing[3].is_zero() {
            continue;
        }
        for (total, amount) in totals.iter_mut().zip(standing) {
            *total += amount;
        }
        rows.push(row(books, document, standing, date, receivable));
    }
    rows.push(summary("Total", totals));
    let closing = [totals[0], totals[1], totals[2], totals[3] + opening];
    let mut first = vec![Cell::plain(dates::date_string(from)), Cell::plain("Opening Balance")];
    first.extend((0..5).map(|_| Cell::plain("")));
    first.push(Cell::plain(opening.to_string()));
    let titles = ["Date", if receivable { "Number" } else { "Reference" }, "Due Date", "", "Total", "Paid", "Credited", "Due"].map(String::from);
    let sections = [header(&titles), section("", &[data_row(&first)]), section("", &rows), section("", &[summary("Closing Balance", closing)])];
    let (which, name) = match receivable {
        true => (Report::AgedReceivablesByContact, "Aged Receivables By Contact"),
        false => (Report::AgedPayablesByContact, "Aged Payables By Contact"),
    };
    let range = format!("From {} to {}", dates::long_date(from), dates::long_date(until));
    let payments = format!("Showing payments to {}", dates::long_date(date));
    let contact = books.contacts.get(&contact).map_or("", |contact| contact.name.as_str());
    Ok(titled(books, which, name, &["Invoices", contact, &range, &payments], &sections, now))
}

fn contact(books: &Books, parameters: &Parameters) -> Result<ContactId, Refusal> {
    let given = parameters.get("contactid").ok_or_else(|| Refusal::Validation("Parameter contactId is required".into()))?;
    let known = books.id_of_guid("Contact", given).filter(|id| books.contacts.contains_key(id));
    known.ok_or_else(|| Refusal::Validation(format!("No contact found with ContactID '{given}'")))
}

/// What payments and credits up to the day leave open.
fn standing(books: &Books, document: &Document, date: Date) -> Standing {
    let (mut paid, mut credited) = (Cents::ZERO, Cents::ZERO);
    for (payer, amount) in books.payments_of(document.id) {
        let Some(payer) = books.documents.get(&payer) else { continue };
        if payer.kind.is_payment() {
            paid += if payer.date <= date { amount } else { Cents::ZERO };
        } else if let Some(advance) = books.advance(payer.id) {
            let used = advance.allocations.iter().filter(|used| used.document == document.id && used.date <= date);
            credited += used.map(|used| used.amount).sum();
        } else if books.allocation_date(payer.id, document.id).is_some_and(|day| day <= date) {
            credited += amount;
        }
    }
    let total = books.total(document);
    [total, paid, credited, total - paid - credited]
}

fn row(books: &Books, document: &Document, standing: Standing, date: Date, receivable: bool) -> String {
    let guid = books.guid("Invoice", document.id);
    let due = document.due_date.unwrap_or(document.date);
    let late = due.until(date).map_or(0, |span| span.get_days());
    let overdue = match late {
        ..=0 => String::new(),
        1 => "1 day overdue".into(),
        days => format!("{days} days overdue"),
    };
    let label = if receivable { &document.number } else { &document.memo };
    let mut values = vec![dates::date_string(document.date), label.clone(), dates::date_string(due), overdue];
    values.extend(standing.map(|amount| amount.to_string()));
    let cells: Vec<Cell> = values.into_iter().map(|value| Cell { value, attributes: vec![("invoiceID", guid.clone())] }).collect();
    data_row(&cells)
}

fn summary(label: &str, standing: Standing) -> String {
    let mut cells = vec![Cell::plain(label), Cell::plain(""), Cell::plain(""), Cell::plain("")];
    cells.extend(standing.map(|amount| Cell::plain(amount.to_string())));
    row_of("SummaryRow", &cells)
}
