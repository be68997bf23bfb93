//! PUT and POST of Invoices and CreditNotes, and sending an invoice.
use super::fields::{self, Problems};
use super::lines::{self, Purpose};
use super::{Maker, Saved};
use crate::books::xero::AmountTypes;
use crate::books::{Books, Document, DocumentId, Kind, NewDocument, NewLine, Status};
use crate::xero::tree::Node;
use jiff::Timestamp;

pub fn save_invoice(books: &mut Books, maker: &Maker, known: Option<DocumentId>, element: &Node) -> Saved {
    save(books, maker, known, element, &INVOICES)
}

pub fn save_credit_note(books: &mut Books, maker: &Maker, known: Option<DocumentId>, element: &Node) -> Saved {
    save(books, maker, known, element, &CREDIT_NOTES)
}

/// What invoices and credit notes differ in.
struct Family {
    /// The word of the guid, and the beginning of the names of id and number.
    word: &'static str,
    types: [(&'static str, Kind); 2],
    label: &'static str,
}

const INVOICES: Family = Family { word: "Invoice", types: [("ACCREC", Kind::Invoice), ("ACCPAY", Kind::Bill)], label: "Invoice" };
const CREDIT_NOTES: Family =
    Family { word: "CreditNote", types: [("ACCRECCREDIT", Kind::CreditMemo), ("ACCPAYCREDIT", Kind::VendorCredit)], label: "Credit note" };

fn save(books: &mut Books, maker: &Maker, known: Option<DocumentId>, element: &Node, family: &Family) -> Saved {
    let known = match known {
        Some(id) => Some(id),
        None => named(books, maker, element, family)?,
    };
    match known {
        Some(id) => change(books, maker, id, element, family),
        None => create(books, maker, element, family),
    }
}

/// The document that an id or, with POST, the number of a sales document names.
fn named(books: &Books, maker: &Maker, element: &Node, family: &Family) -> Result<Option<DocumentId>, Problems> {
    let of_it = |document: &&Document| family.types.iter().any(|(_, kind)| *kind == document.kind);
    if let Some(id) = element.get(&format!("{}ID", family.word)).and_then(Node::text).filter(|id| !id.is_empty()) {
        let found = books.id_of_guid(family.word, id).filter(|id| books.documents.get(id).filter(of_it).is_some());
        return found.map(Some).ok_or_else(|| Problems::one(format!("{} could not be found", family.label)));
    }
    let number = fields::text(element, &format!("{}Number", family.word))?.filter(|number| !number.is_empty());
    let Some(number) = number else { return Ok(None) };
    let sale = family.types[0].1;
    let is_sale = element.get("Type").and_then(Node::text).is_none_or(|kind| kind == family.types[0].0);
    let gone = |document: &Document| matches!(document.status, Status::Voided | Status::Deleted);
    let found = books.documents.values().find(|d| is_sale && d.kind == sale && d.number == number && !gone(d)).map(|d| d.id);
    match found {
        Some(_) if maker.only_new => Err(Problems::one(format!("{} # must be unique.", family.label))),
        found => Ok(found),
    }
}

/// The statuses a client may ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Draft,
    Submitted,
    Authorised,
    Voided,
    Deleted,
}

fn asked(element: &Node) -> Result<Option<Asked>, Problems> {
    Ok(Some(match fields::text(element, "Status")?.as_deref() {
        None | Some("" | "PAID") => return Ok(None),
        Some("DRAFT") => Asked::Draft,
        Some("SUBMITTED") => Asked::Submitted,
        Some("AUTHORISED") => Asked::Authorised,
        Some("VOIDED") => Asked::Voided,
        Some("DELETED") => Asked::Deleted,
        Some(other) => return Err(Problems::one(format!("Status '{other}' is not valid for this document"))),
    }))
}

fn create(books: &mut Books, maker: &Maker, element: &Node, family: &Family) -> Saved {
    let mut problems = Problems::default();
    let word = problems.take(fields::text(element, "Type")).unwrap_or_default();
    let kind = family.types.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
    if kind.is_none() {
        problems.0.push(format!("Type '{word}' is not one of {}, {}", family.types[0].0, family.types[1].0));
    }
    let kind = kind.unwrap_or(family.types[0].1);
    let status = problems.take(asked(element)).unwrap_or(Asked::Draft);
    if matches!(status, Asked::Voided | Asked::Deleted) {
        problems.0.push(format!("{} not of valid status for creation", family.label));
    }
    let date = problems.take(fields::date(element, "Date")).unwrap_or(maker.today);
    let due = problems.take(fields::date(element, "DueDate"));
    let amount_types = problems.take(lines::amount_types(element)).unwrap_or(AmountTypes::Exclusive);
    let purpose = Purpose { is_sale: kind.is_sale(), amount_types, continues: None };
    let items = problems.take(lines::read(books, element, purpose)).unwrap_or_default();
    if items.is_empty() && problems.0.is_empty() {
        problems.0.push("One or more line items must be specified".into());
    }
    let currency = problems.take(fields::currency(books, element, date).map(Some));
    let number = problems.take(fields::text(element, &format!("{}Number", family.word))).filter(|number| !number.is_empty());
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_default();
    let sent = problems.take(fields::flag(element, "SentToContact")).unwrap_or(false);
    let url = problems.take(fields::text(element, "Url")).unwrap_or_default();
    if status == Asked::Authorised && due.is_none() && matches!(kind, Kind::Invoice | Kind::Bill) {
        problems.0.push("DueDate must be specified for an approved invoice".into());
    }
    problems.end()?;
    let contact = fields::contact(books, element, maker.now)?;
    let (code, rate) = currency.expect("without problems there is one");
    let new = NewDocument {
        status: if status == Asked::Authorised { Status::Active } else { Status::Draft },
        number,
        due_date: due,
        contact: Some(contact.id),
        currency: Some(code),
        rate,
        lines: items,
        memo: reference,
        ..NewDocument::new(kind, date)
    };
    let id = books.add_document(new, maker.now).map_err(|refused| {
        contact.take_back(books);
        Problems::from(refused)
    })?;
    trades_with(books, contact.id, kind);
    let details = books.xero.documents.entry(id).or_default();
    details.amount_types = Some(amount_types);
    details.submitted = status == Asked::Submitted;
    details.sent_to_contact = sent;
    details.url = url;
    details.made_by = maker.app.to_string();
    Ok(id)
}

/// A contact becomes a customer or a supplier with its first document; its UpdatedDateUTC does not move.
pub fn trades_with(books: &mut Books, contact: u64, kind: Kind) {
    if let Some(contact) = books.contacts.get_mut(&contact) {
        contact.is_customer |= kind.is_sale();
        contact.is_supplier |= matches!(kind, Kind::Bill | Kind::VendorCredit);
    }
}

fn change(books: &mut Books, maker: &Maker, id: DocumentId, element: &Node, family: &Family) -> Saved {
    let old = books.documents[&id].clone();
    let mut problems = Problems::default();
    let status = problems.take(asked(element));
    if matches!(old.status, Status::Voided | Status::Deleted) {
        return Err(Problems::one(format!("{} not of valid status for modification", family.label)));
    }
    let goes_back = old.status == Status::Active && matches!(status, Some(Asked::Draft | Asked::Submitted));
    if goes_back {
        problems.0.push(format!("{} not of valid status for modification", family.label));
    }
    let known_types = books.xero.documents.get(&id).and_then(|details| details.amount_types);
    let amount_types = problems.take(lines::amount_types(element)).or(known_types).unwrap_or(AmountTypes::Exclusive);
    let purpose = Purpose { is_sale: old.kind.is_sale(), amount_types, continues: Some(id) };
    let items = problems.take(lines::read(books, element, purpose));
    let date = problems.take(fields::date(element, "Date")).unwrap_or(old.date);
    let due = problems.take(fields::date(element, "DueDate")).or(old.due_date);
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_else(|| old.memo.clone());
    let number = problems.take(fields::text(element, &format!("{}Number", family.word))).filter(|number| !number.is_empty());
    let sent = problems.take(fields::flag(element, "SentToContact"));
    problems.end()?;
    if matches!(status, Some(Asked::Voided | Asked::Deleted)) {
        let done = if status == Some(Asked::Voided) { books.void(id, maker.now) } else { books.delete(id, maker.now) };
        done.map_err(|_| Problems::one(format!("{} not of valid status for modification", family.label)))?;
        return Ok(id);
    }
    let contact = match element.get("Contact") {
        Some(_) => fields::contact(books, element, maker.now)?,
        None => fields::ContactFound { id: old.contact.unwrap_or_default(), is_new: false },
    };
    let new = NewDocument {
        status: if status == Some(Asked::Authorised) { Status::Active } else { old.status },
        number,
        due_date: due,
        contact: Some(contact.id),
        currency: Some(old.currency.clone()),
        rate: Some(old.rate),
        account: old.account,
        lines: items.unwrap_or_else(|| old.lines.iter().map(NewLine::again).collect()),
        applications: old.applications.clone(),
        memo: reference,
        details: old.details.clone(),
        ..NewDocument::new(old.kind, date)
    };
    books.replace_document(id, new, maker.now).map_err(|refused| {
        contact.take_back(books);
        Problems::from(refused)
    })?;
    let details = books.xero.documents.entry(id).or_default();
    details.amount_types = Some(amount_types);
    details.submitted = status.map_or(details.submitted, |status| status == Asked::Submitted);
    details.sent_to_contact = sent.unwrap_or(details.sent_to_contact);
    Ok(id)
}

/// `POST Invoices/{id}/Email`: marks an approved sales invoice as sent.
pub fn send(books: &mut Books, id: DocumentId, now: Timestamp) -> Result<(), Problems> {
    let document = books.documents.get_mut(&id).expect("looked up by the caller");
    if document.status != Status::Active || document.kind != Kind::Invoice {
        return Err(Problems::one("Only approved sales invoices can be sent"));
    }
    document.updated_at = now;
    document.sync_token += 1;
    books.xero.documents.entry(id).or_default().sent_to_contact = true;
    Ok(())
}
