//! TenNinetyNine: what was paid to suppliers in a calendar year, for the forms of the tax office. Organisations in the US only.
//!
//! Contract: providers/xero.md 5.2; the shape is that of the example in xero_accounting.yaml.
use super::super::lists::Parameters;
use super::super::refusal::Refusal;
use super::super::wire::dates;
use super::super::wire::json::Object;
use crate::books::{Books, ContactId, Kind};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// Smaller sums are not reported.
const LEAST: Cents = Cents(60_000);

/// Two reports: services on 1099-NEC, rent on 1099-MISC.
pub fn make(books: &Books, parameters: &Parameters, now: Timestamp) -> Result<Vec<String>, Refusal> {
    if books.country != "US" {
        return Err(Refusal::Validation("The 1099 report is available to organisations in the United States only".into()));
    }
    let this_year = u64::try_from(dates::today(now, &books.time_zone).year()).unwrap_or(0);
    let year = parameters.whole("reportyear")?.unwrap_or(this_year);
    let year = i16::try_from(year).ok().filter(|year| (1990..=2200).contains(year));
    let year = year.ok_or_else(|| Refusal::Validation("reportYear must be a year such as 2025".into()))?;
    let (from, to) = (date(year, 1, 1), date(year, 12, 31));
    let mut paid: BTreeMap<ContactId, (Cents, Cents)> = BTreeMap::new();
    for document in books.documents_between(from, to) {
        let Some(contact) = document.contact.filter(|id| books.contacts.get(id).is_some_and(|contact| contact.is_supplier)) else { continue };
        let sums = paid.entry(contact).or_default();
        match document.kind {
            Kind::BillPayment => sums.0 += books.total(document).at(document.rate),
            Kind::Expense => {
                for line in &document.lines {
                    let is_rent = books.accounts.get(&line.account).is_some_and(|account| account.name.to_lowercase().contains("rent"));
                    let side = if is_rent { &mut sums.1 } else { &mut sums.0 };
                    *side += line.amount.at(document.rate);
                }
            }
            _ => {}
        }
    }
    let of = |sums: &(Cents, Cents), rent: bool| if rent { sums.1 } else { sums.0 };
    let chosen = |rent: bool| -> Vec<String> {
        let reported = paid.iter().filter(|(_, sums)| of(sums, rent) >= LEAST);
        reported.map(|(contact, sums)| row(books, *contact, of(sums, rent), rent)).collect()
    };
    Ok(vec![report("1099-NEC report", from, to, &chosen(false)), report("1099-MISC report", from, to, &chosen(true))])
}

fn report(name: &str, from: Date, to: Date, contacts: &[String]) -> String {
    let day = |date: Date| date.strftime("%-d %b %Y").to_string();
    Object::new()
        .text("ReportName", name)
        .text("ReportDate", &format!("{} to {}", day(from), day(to)))
        .raw("Fields", "[]")
        .list("Contacts", contacts)
        .end()
}

/// The first box holds the sum; the others of the form are empty.
fn row(books: &Books, contact: ContactId, sum: Cents, rent: bool) -> String {
    let boxes: &[u8] = if rent { &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14] } else { &[2, 4] };
    let object = boxes.iter().fold(Object::new().money("Box1", sum), |object, number| object.money(&format!("Box{number}"), Cents::ZERO));
    let known = &books.contacts[&contact];
    object
        .text("Name", &known.name)
        .maybe("Email", Some(known.email.as_str()).filter(|email| !email.is_empty()))
        .text("ContactId", &books.guid("Contact", contact))
        .text("BusinessName", &known.name)
        .end()
}
