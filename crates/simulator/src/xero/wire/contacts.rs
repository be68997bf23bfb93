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

/// Texts that clients give and read again; the books look at none of them.
pub const TEXTS: [&str; 14] = [
    "FirstName",
    "LastName",
    "ContactNumber",
    "AccountNumber",
    "CompanyNumber",
    "TaxNumber",
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
    "Website",
    "XeroNetworkKey",
    "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode",
    "SalesDefaultLineAmountType",
    "PurchasesDefaultLineAmountType",
];

/// The number an outside system gave the contact; empty without one.
pub fn number(books: &Books, id: ContactId) -> String {
    books.text_property("Contact", id, "ContactNumber").unwrap_or_default()
}

fn groups(books: &Books, id: ContactId) -> Vec<String> {
    let groups = books.xero.contact_groups.values().filter(|group| !group.deleted && group.contacts.contains(&id));
    let shown = groups.map(|group| {
        Object::new()
            .text("ContactGroupID", &books.guid("ContactGroup", group.id))
            .text("Name", &group.name)
            .text("Status", "ACTIVE")
            .raw("Contacts", "[]")
            .flag("HasValidationErrors", false)
            .end()
    });
    shown.collect()
}

/// Given texts, after the name.
fn texts(object: Object, books: &Books, id: ContactId) -> Object {
    TEXTS.into_iter().fold(object, |object, name| object.maybe(name, books.text_property("Contact", id, name).as_deref()))
}

/// A contact of the list, or by id with its balances.
pub fn contact(books: &Books, contact: &Contact, detail: Detail, now: Timestamp) -> String {
    let summary = detail == Detail::Summary;
    let property = |name: &str| books.property("Contact", contact.id, name);
    let bank_details = books.text_property("Contact", contact.id, "BankAccountDetails").unwrap_or_default();
    let object = Object::new()
        .text("ContactID", &books.guid("Contact", contact.id))
        .text("ContactStatus", status(contact))
        .text("Name", &contact.name)
        .maybe("EmailAddress", Some(contact.email.as_str()).filter(|email| !email.is_empty()))
        .text("BankAccountDetails", &bank_details);
    let object = texts(object, books, contact.id)
        .when(!summary, |object| object.raw("Addresses", property("Addresses").unwrap_or(ADDRESSES)))
        .raw("Phones", property("Phones").unwrap_or(PHONES))
        .raw("UpdatedDateUTC", &dates::ms_time(contact.updated_at))
        .when(!summary, |object| {
            object
                .list("ContactGroups", &groups(books, contact.id))
                .flag("IsSupplier", contact.is_supplier)
                .flag("IsCustomer", contact.is_customer)
                .maybe("MergedToContactID", contact.merged_into.map(|id| books.guid("Contact", id)).as_deref())
                .when(contact.currency != books.currency, |object| object.text("DefaultCurrency", &contact.currency))
        });
    let object = if detail == Detail::Single { object.raw("Balances", &balances(books, contact.id, now)) } else { object };
    object
        .when(!summary, |object| object.raw("ContactPersons", property("ContactPersons").unwrap_or("[]")))
        .when(!summary && property("PaymentTerms").is_some(), |object| object.raw("PaymentTerms", property("PaymentTerms").unwrap_or("{}")))
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
        let property = |name: &str| books.property("Contact", contact.id, name);
        let object = object
            .text("ContactStatus", status(contact))
            .text("Name", &contact.name)
            .maybe("EmailAddress", Some(contact.email.as_str()).filter(|email| !email.is_empty()))
            .text("BankAccountDetails", &books.text_property("Contact", contact.id, "BankAccountDetails").unwrap_or_default());
        texts(object, books, contact.id)
            .raw("Addresses", property("Addresses").unwrap_or(ADDRESSES))
            .raw("Phones", property("Phones").unwrap_or(PHONES))
            .raw("UpdatedDateUTC", &dates::ms_time(contact.updated_at))
            .list("ContactGroups", &groups(books, contact.id))
            .flag("IsSupplier", contact.is_supplier)
            .flag("IsCustomer", contact.is_customer)
            .raw("SalesTrackingCategories", "[]")
            .raw("PurchasesTrackingCategories", "[]")
            .raw("ContactPersons", property("ContactPersons").unwrap_or("[]"))
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
    // money that came or went ahead counts against what is open
    for (id, _) in books.xero.advances.iter().filter(|(document, _)| books.documents.get(document).is_some_and(|d| d.contact == Some(id))) {
        let side = if books.documents[id].kind == Kind::Deposit { &mut receivable } else { &mut payable };
        side[0] += -books.advance_remaining(*id);
    }
    let side = |sums: [Cents; 2]| Object::new().money("Outstanding", sums[0]).money("Overdue", sums[1]).end();
    Object::new().raw("AccountsReceivable", &side(receivable)).raw("AccountsPayable", &side(payable)).end()
}
