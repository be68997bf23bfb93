//! PUT of Receipts and ExpenseClaims, and POST of one.
use super::fields::{self, Problems};
use super::lines::{self, Purpose};
use super::{Maker, Saved};
use crate::books::xero::AmountTypes;
use crate::books::xero::expenses::ReceiptStatus;
use crate::books::{Books, Kind, NewDocument};
use crate::xero::tree::Node;

/// The user an element names; without one, the organisation's first.
fn user(books: &Books, element: &Node) -> Result<u64, Problems> {
    let Some(id) = element.get("User").and_then(|user| user.get("UserID")).and_then(Node::text) else {
        return books.xero.users.first().map(|user| user.id).ok_or_else(|| Problems::one("User must be specified"));
    };
    let found = books.id_of_guid("User", id).filter(|id| books.xero.users.iter().any(|user| user.id == *id));
    found.ok_or_else(|| Problems::one("The User could not be found"))
}

fn receipt_status(word: &str) -> Option<ReceiptStatus> {
    Some(match word {
        "DRAFT" => ReceiptStatus::Draft,
        "SUBMITTED" => ReceiptStatus::Submitted,
        "DECLINED" => ReceiptStatus::Declined,
        "VOIDED" => ReceiptStatus::Voided,
        _ => return None,
    })
}

pub fn save_receipt(books: &mut Books, maker: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let named = element.get("ReceiptID").and_then(Node::text).filter(|id| !id.is_empty());
    let known = match (known, named) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => {
            let found = books.id_of_guid("Receipt", id).filter(|id| books.xero.receipts.contains_key(id));
            Some(found.ok_or_else(|| Problems::one("The receipt could not be found"))?)
        }
        (None, None) => None,
    };
    let old = known.map(|id| books.xero.receipts[&id].clone());
    if old.as_ref().is_some_and(|old| !matches!(old.status, ReceiptStatus::Draft | ReceiptStatus::Declined)) {
        return Err(Problems::one("Receipt not of valid status for modification"));
    }
    let mut problems = Problems::default();
    let status = match problems.take(fields::text(element, "Status")).as_deref() {
        None | Some("") => old.as_ref().map_or(ReceiptStatus::Draft, |old| old.status),
        Some(word) => receipt_status(word).unwrap_or_else(|| {
            problems.0.push(format!("Status '{word}' is not valid for this document"));
            ReceiptStatus::Draft
        }),
    };
    let user = problems.take(user(books, element).map(Some));
    let date = problems.take(fields::date(element, "Date")).or(old.as_ref().map(|old| old.document.date)).unwrap_or(maker.today);
    let amount_types = problems.take(lines::amount_types(element)).or(old.as_ref().map(|old| old.amount_types)).unwrap_or(AmountTypes::Exclusive);
    let items = problems.take(lines::read(books, element, Purpose { is_sale: false, amount_types, continues: None }));
    let reference = problems.take(fields::text(element, "Reference"));
    if old.is_none() && items.as_ref().is_none_or(Vec::is_empty) {
        problems.0.push("One or more line items must be specified".into());
    }
    problems.end()?;
    let contact = match (&old, element.get("Contact")) {
        (Some(old), None) => old.document.contact,
        _ => Some(fields::contact(books, element, maker.now)?.id),
    };
    let mut document = old.as_ref().map_or_else(|| NewDocument::new(Kind::Expense, date), |old| old.document.clone());
    document.date = date;
    document.contact = contact;
    document.memo = reference.unwrap_or(document.memo);
    document.lines = items.unwrap_or(document.lines);
    let id = match known {
        Some(id) => id,
        None => books.add_receipt(user.unwrap_or(1), document.clone(), amount_types, maker.now),
    };
    let receipt = books.xero.receipts.get_mut(&id).expect("made or found above");
    (receipt.document, receipt.amount_types, receipt.status, receipt.updated_at) = (document, amount_types, status, maker.now);
    Ok(id)
}

pub fn save_claim(books: &mut Books, maker: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let named = element.get("ExpenseClaimID").and_then(Node::text).filter(|id| !id.is_empty());
    let known = match (known, named) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => {
            let found = books.id_of_guid("ExpenseClaim", id).filter(|id| books.xero.claims.contains_key(id));
            Some(found.ok_or_else(|| Problems::one("The expense claim could not be found"))?)
        }
        (None, None) => None,
    };
    let status = fields::text(element, "Status")?.filter(|word| !word.is_empty());
    let id = match known {
        Some(id) => id,
        None => {
            let user = user(books, element)?;
            let given = element.get("Receipts").and_then(Node::list).unwrap_or_default();
            let ids = given.iter().map(|receipt| receipt.get("ReceiptID").and_then(Node::text).and_then(|id| books.id_of_guid("Receipt", id)));
            let receipts: Option<Vec<u64>> = ids.collect();
            let receipts = receipts.ok_or_else(|| Problems::one("A receipt could not be found"))?;
            books.add_claim(user, receipts, maker.now)?
        }
    };
    match status.as_deref() {
        None | Some("SUBMITTED") => {}
        Some("AUTHORISED") => books.approve_claim(id, maker.today, fields::date(element, "PaymentDueDate")?, maker.now)?,
        Some("VOIDED" | "DELETED") => books.take_claim_back(id, maker.now)?,
        Some(other) => return Err(Problems::one(format!("Status '{other}' is not valid for this document"))),
    }
    Ok(id)
}
