//! Contacts, whole and as documents embed them.
//!
//! Contract: providers/xero.md 6.3.
use super::json::Object;
use super::{Detail, dates};
use crate::books::{Books, Contact, ContactId, Kind, Status};
use crate::money::Cents;
use jiff::Timestamp;

pub fn status(contact: &Contact) -> &'static str {
    if contact.active { "ACTIVE" } else { "ARCHIVED" }
}

const ADDRESSES: &str = r#"[{"AddressType":"STREET","City":"","Region":"","PostalCode":"","Country":""},{"AddressType":"POBOX","City":"","Region":"","PostalCode":"","Country":""}]"#;
const PHONES: &str = r#"[{"PhoneType":"DDI","PhoneNumber":"","PhoneAreaCode":"","PhoneCountryCode":""},{"PhoneType":"DEFAULT","PhoneNumber":"","PhoneAreaCode":"","PhoneCountryCode":""},{"PhoneType":"FAX","PhoneNumber":"","PhoneAreaCode":"","PhoneCountryCode":""},{"PhoneType":"MOBILE","PhoneNumber":"","PhoneAreaCode":"","PhoneCountryCode":""}]"#;

/// A contact of the list, or by id with its balances.
pub fn contact(books: &Books, contact: &Contact, detail: Detail, now: Timestamp) -> String {
    let summary = detail == Detail::Summary;
    let object = Object::new()
        .text("ContactID", &books.guid("Contact", contact.id))
        .text("ContactStatus", status(contact))
        .text("Name", &contact.name)
        .maybe("EmailAddress", Some(contact.email.as_str()).filter(|email| !email.is_empty()))
        .text("BankAccountDetails", "")
        .when(!summary, |object| object.raw("Addresses", ADDRESSES))
        .raw("Phones", PHONES)
        .raw("UpdatedDateUTC", &dates::ms_time(contact.updated_at))
        .when(!summary, |object| {
            object
                .raw("ContactGroups", "[]")
                .flag("IsSupplier", contact.is_supplier)
                .flag("IsCustomer", contact.is_customer)
                .when(contact.currency != books.currency, |object| object.text("DefaultCurrency", &contact.currency))
        });
    let object = if detail == Detail::Single { object.raw("Balances", &balances(books, contact.id, now)) } else { object };
    object
        .when(!summary, |object| object.raw("ContactPersons", "[]"))
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"))
        .flag("HasAttachments", false)
        .flag("HasValidationErrors", false)
        .end()
}

/// The contact as a document embeds it: a summary in lists, whole by id.
pub fn embedded(books: &Books, id: ContactId, detail: Detail) -> Option<String> {
    let contact = books.contacts.get(&id)?;
    let object = Object::new().text("ContactID", &books.guid("Contact", contact.id));
    let object = if detail == Detail::Single {
        object
            .text("ContactStatus", status(contact))
            .text("Name", &contact.name)
            .maybe("EmailAddress", Some(contact.email.as_str()).filter(|email| !email.is_empty()))
            .text("BankAccountDetails", "")
            .raw("Addresses", ADDRESSES)
            .raw("Phones", PHONES)
            .raw("UpdatedDateUTC", &dates::ms_time(contact.updated_at))
            .raw("ContactGroups", "[]")
            .flag("IsSupplier", contact.is_supplier)
            .flag("IsCustomer", contact.is_customer)
            .raw("SalesTrackingCategories", "[]")
            .raw("PurchasesTrackingCategories", "[]")
            .raw("ContactPersons", "[]")
    } else {
        object.text("Name", &contact.name).raw("Addresses", "[]").raw("Phones", "[]").raw("ContactGroups", "[]").raw("ContactPersons", "[]")
    };
    Some(object.flag("HasValidationErrors", false).end())
}

/// Open and overdue amounts per side, in each document's own currency ("not converted to base currency", section 6.3).
fn balances(books: &Books, id: ContactId, now: Timestamp) -> String {
    let today = dates::today(now, &books.time_zone);
    let (mut receivable, mut payable) = ([Cents::ZERO; 2], [Cents::ZERO; 2]);
    for document in books.documents.values().filter(|d| d.contact == Some(id) && d.status == Status::Active) {
        let due = books.amount_due(document.id);
        let (side, sign) = match document.kind {
            Kind::Invoice => (&mut receivable, 1),
            Kind::CreditMemo => (&mut receivable, -1),
            Kind::Bill => (&mut payable, 1),
            Kind::VendorCredit => (&mut payable, -1),
            _ => continue,
        };
        side[0] += Cents(sign * due.0);
        if sign > 0 && document.due_date.is_some_and(|day| day < today) {
            side[1] += due;
        }
    }
    let side = |sums: [Cents; 2]| Object::new().money("Outstanding", sums[0]).money("Overdue", sums[1]).end();
    Object::new().raw("AccountsReceivable", &side(receivable)).raw("AccountsPayable", &side(payable)).end()
}
