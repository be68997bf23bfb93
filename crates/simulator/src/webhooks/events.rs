//! The bodies: CloudEvents and `eventNotifications` of QuickBooks, `events` of Xero. None carries more than ids.
use super::{Endpoint, Form};
use crate::books::recent::{Change, Verb, What};
use crate::books::{Books, Kind};
use crate::oauth::{random_guid, random_token};
use jiff::Timestamp;
use serde_json::{Value, json};

/// `None`: nothing in these changes is told in this form.
pub fn body(endpoint: &mut Endpoint, changes: &[(&Books, Change)]) -> Option<String> {
    match endpoint.form {
        Form::CloudEvents => {
            let events: Vec<Value> = changes.iter().filter_map(|(books, change)| cloud_event(books, change, &endpoint.void_word)).collect();
            (!events.is_empty()).then(|| Value::from(events).to_string())
        }
        Form::Classic => {
            let mut realms: Vec<(&str, Vec<Value>)> = Vec::new();
            for (books, change) in changes {
                let Some(entity) = classic(books, change) else { continue };
                match realms.iter_mut().find(|(realm, _)| *realm == books.id) {
                    Some((_, entities)) => entities.push(entity),
                    None => realms.push((&books.id, vec![entity])),
                }
            }
            let notifications: Vec<Value> =
                realms.into_iter().map(|(realm, entities)| json!({"realmId": realm, "dataChangeEvent": {"entities": entities}})).collect();
            (!notifications.is_empty()).then(|| json!({"eventNotifications": notifications}).to_string())
        }
        Form::Xero => {
            let events: Vec<Value> = changes.iter().flat_map(|(books, change)| xero(books, change)).collect();
            if events.is_empty() {
                return None;
            }
            let first = endpoint.sequence + 1;
            endpoint.sequence += u64::try_from(events.len()).ok()?;
            let body = json!({"events": events, "firstEventSequence": first, "lastEventSequence": endpoint.sequence, "entropy": entropy()});
            Some(body.to_string())
        }
    }
}

/// Xero's empty body that asks whether signatures are checked.
pub fn intent() -> String {
    json!({"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": entropy()}).to_string()
}

fn entropy() -> String {
    random_token(15).to_uppercase()
}

fn cloud_event(books: &Books, change: &Change, void_word: &str) -> Option<Value> {
    let (entity, id) = quickbooks_entity(books, change.what)?;
    let (verb, data) = match change.verb {
        Verb::Create => ("created", json!({})),
        Verb::Update => ("updated", json!({})),
        Verb::Void if voids(books, change.what) => (void_word, json!({})),
        Verb::Void => ("updated", json!({})),
        Verb::Delete => ("deleted", json!({})),
        Verb::Emailed => ("emailed", json!({})),
        Verb::Merge(gone) => ("merged", json!({"deletedid": gone.to_string()})),
    };
    Some(json!({
        "specversion": "1.0",
        "id": format!("{}-{entity}-{id}", random_guid()),
        "source": format!("intuit.{:016x}", crate::books::guid::mix(books.seed)),
        "type": format!("qbo.{}.{verb}.v1", entity.to_ascii_lowercase()),
        "datacontenttype": "application/json",
        "time": change.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "intuitentityid": id.to_string(),
        "intuitaccountid": books.id,
        "data": data,
    }))
}

fn classic(books: &Books, change: &Change) -> Option<Value> {
    let (entity, id) = quickbooks_entity(books, change.what)?;
    let operation = match change.verb {
        Verb::Create => "Create",
        Verb::Update => "Update",
        Verb::Void if voids(books, change.what) => "Void",
        Verb::Void => "Update",
        Verb::Delete => "Delete",
        Verb::Emailed => "Emailed",
        Verb::Merge(_) => "Merge",
    };
    let mut entity = json!({"name": entity, "id": id.to_string(), "operation": operation, "lastUpdated": milliseconds(change.at) + "Z"});
    if let Verb::Merge(gone) = change.verb {
        entity["deletedId"] = gone.to_string().into();
    }
    Some(entity)
}

fn milliseconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// The entities that have events: <https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks>.
const TOLD: [&str; 14] = [
    "Budget",
    "Class",
    "CompanyCurrency",
    "Department",
    "Employee",
    "Estimate",
    "JournalCode",
    "PaymentMethod",
    "Preferences",
    "PurchaseOrder",
    "TaxAgency",
    "Term",
    "TimeActivity",
    "ChangeOrder",
];

fn quickbooks_entity(books: &Books, what: What) -> Option<(&'static str, u64)> {
    Some(match what {
        What::Listed(entity, id) => (*TOLD.iter().find(|told| **told == entity)?, id),
        // shown under names that have no events
        What::Document(id) if books.documents.get(&id)?.details.variant.is_some() => return None,
        What::Document(id) => {
            let entity = match books.documents.get(&id)?.kind {
                Kind::Invoice => "Invoice",
                Kind::CreditMemo => "CreditMemo",
                Kind::SalesReceipt => "SalesReceipt",
                Kind::RefundReceipt => "RefundReceipt",
                Kind::Payment => "Payment",
                Kind::Bill => "Bill",
                Kind::VendorCredit => "VendorCredit",
                Kind::BillPayment => "BillPayment",
                Kind::Expense => "Purchase",
                Kind::Deposit => "Deposit",
                Kind::Transfer => "Transfer",
                Kind::Journal => "JournalEntry",
            };
            (entity, id)
        }
        What::Contact(id) => (if books.contacts.get(&id)?.is_customer { "Customer" } else { "Vendor" }, id),
        What::Account(id) => ("Account", id),
        What::Item(id) => ("Item", id),
    })
}

/// Only these have void events: <https://developer.intuit.com/hub/blog/2017/05/11/webhooks-quickbooks-online-api-2>.
fn voids(books: &Books, what: What) -> bool {
    let What::Document(id) = what else { return false };
    books.documents.get(&id).is_some_and(|document| {
        use Kind::*;
        matches!(document.kind, BillPayment | CreditMemo | Invoice | Payment | Expense | RefundReceipt | SalesReceipt | Transfer)
    })
}

/// Contacts, invoices, credit notes, and since August and September 2026 prepayments and overpayments; nothing else is told. A merged contact
/// is an update of both.
fn xero(books: &Books, change: &Change) -> Vec<Value> {
    let (path, word, category, id) = match change.what {
        What::Contact(id) => ("Contacts", "Contact", "CONTACT", id),
        What::Document(id) => match books.documents.get(&id).map(|document| document.kind) {
            Some(Kind::Invoice | Kind::Bill) => ("Invoices", "Invoice", "INVOICE", id),
            Some(Kind::CreditMemo | Kind::VendorCredit) => ("CreditNotes", "CreditNote", "CREDITNOTE", id),
            Some(_) => match books.advance(id) {
                Some(advance) if advance.is_prepayment => ("Prepayments", "Prepayment", "PREPAYMENT", id),
                Some(_) => ("Overpayments", "Overpayment", "OVERPAYMENT", id),
                None => return Vec::new(),
            },
            None => return Vec::new(),
        },
        What::Account(_) | What::Item(_) | What::Listed(..) => return Vec::new(),
    };
    let guid = books.guid(word, id);
    vec![json!({
        "resourceUrl": format!("https://api.xero.com/api.xro/2.0/{path}/{guid}"),
        "resourceId": guid,
        "eventDateUtc": milliseconds(change.at),
        "eventType": if change.verb == Verb::Create { "CREATE" } else { "UPDATE" },
        "eventCategory": category,
        "tenantId": books.id,
        "tenantType": "ORGANISATION",
    })]
}
