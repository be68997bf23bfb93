//! PUT and POST of Payments and BatchPayments; both are deleted by their status and never edited.
use super::fields::{self, Problems};
use super::{Maker, Saved};
use crate::books::{AccountType, Application, Books, Document, DocumentId, Kind, NewDocument, Status};
use crate::money::Cents;
use crate::xero::tree::Node;
use crate::xero::wire::settings;

pub fn save(books: &mut Books, maker: &Maker, known: Option<DocumentId>, element: &Node) -> Saved {
    let named = element.get("PaymentID").and_then(Node::text).filter(|id| !id.is_empty());
    let known = match (known, named) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => {
            let found = books.id_of_guid("Payment", id).filter(|id| books.documents.get(id).is_some_and(|d| d.kind.is_payment()));
            Some(found.ok_or_else(|| Problems::one("The payment could not be found"))?)
        }
        (None, None) => None,
    };
    match known {
        None => create(books, maker, element),
        Some(id) if fields::text(element, "Status")?.as_deref() == Some("DELETED") => {
            if books.batch_of(id).is_some() {
                return Err(Problems::one("This payment is part of a batch payment: delete the batch"));
            }
            books.delete(id, maker.now)?;
            Ok(id)
        }
        Some(_) => Err(Problems::one("Payments cannot be changed: delete this one and create another")),
    }
}

/// What is paid, or paid back: exactly one of the four.
fn target<'a>(books: &'a Books, element: &Node) -> Result<&'a Document, Problems> {
    let ids = [("Invoice", "InvoiceID", "InvoiceNumber"), ("CreditNote", "CreditNoteID", "CreditNoteNumber")];
    for (name, id, number) in ids {
        let Some(given) = element.get(name) else { continue };
        if let Some(id) = given.get(id).and_then(Node::text).filter(|id| !id.is_empty()) {
            let found = books.id_of_guid(name, id).and_then(|id| books.documents.get(&id)).filter(|d| d.kind.is_open_item());
            return found.ok_or_else(|| Problems::one(format!("{name} could not be found")));
        }
        let number = fields::text(given, number)?.filter(|number| !number.is_empty());
        let credit = name == "CreditNote";
        let open = |d: &&Document| d.kind.is_open_item() && d.kind.is_credit() == credit && d.status == Status::Active;
        let found = number.and_then(|number| books.documents.values().filter(open).find(|d| d.number == number));
        return found.ok_or_else(|| Problems::one(format!("{name} could not be found")));
    }
    for (name, prepayment) in [("Prepayment", true), ("Overpayment", false)] {
        let Some(given) = element.get(name) else { continue };
        let id = given.get(&format!("{name}ID")).and_then(Node::text).and_then(|id| books.id_of_guid(name, id));
        let found =
            id.filter(|id| books.advance(*id).is_some_and(|advance| advance.is_prepayment == prepayment)).and_then(|id| books.documents.get(&id));
        return found.ok_or_else(|| Problems::one(format!("{name} could not be found")));
    }
    Err(Problems::one("Payment must be for an Invoice, a CreditNote, a Prepayment or an Overpayment"))
}

fn create(books: &mut Books, maker: &Maker, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let account = problems.take(fields::embedded_account(books, element, "Account"));
    let account = account.or(problems.take(fields::account(books, None, element.get("Code"))).map(|account| account.id));
    if account.is_none() {
        problems.0.push("Account must be valid and specified for the payment".into());
    }
    let date = problems.take(fields::date(element, "Date")).unwrap_or(maker.today);
    let amount = problems.take(fields::money(element, "Amount"));
    if amount.is_none_or(|amount| amount.0 <= 0) {
        problems.0.push("The payment amount must be greater than zero".into());
    }
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_default();
    let reconciled = problems.take(fields::flag(element, "IsReconciled")).unwrap_or(false);
    problems.end()?;
    let paid = target(books, element)?;
    let new = new_payment(books, paid, account.unwrap_or_default(), date, amount.unwrap_or_default(), reference, element)?;
    let id = books.add_document(new, maker.now)?;
    if reconciled {
        books.xero.reconciled.insert(id);
    }
    Ok(id)
}

fn new_payment(
    books: &Books,
    paid: &Document,
    account: u64,
    date: jiff::civil::Date,
    amount: Cents,
    reference: String,
    element: &Node,
) -> Result<NewDocument, Problems> {
    if paid.status != Status::Active {
        return Err(Problems::one("Payments can only be made against Authorised documents"));
    }
    let left = if books.advance(paid.id).is_some() { books.advance_remaining(paid.id) } else { books.amount_due(paid.id) };
    if amount > left {
        return Err(Problems::one("Payment amount exceeds the amount outstanding on this document"));
    }
    let known = &books.accounts[&account];
    let is_bank = matches!(known.account_type, AccountType::Bank | AccountType::CreditCard);
    if !is_bank && !settings::payments_enabled(books, known) {
        return Err(Problems::one("Account type is invalid for payments: it must be a bank account or allow payments"));
    }
    let rate = match paid.currency == books.currency {
        true => None,
        // the rate of the day when none is given
        false => {
            let priced = Node::Object(
                [
                    Some(("CurrencyCode".to_string(), Node::Text(paid.currency.clone()))),
                    element.get("CurrencyRate").map(|rate| ("CurrencyRate".to_string(), rate.clone())),
                ]
                .into_iter()
                .flatten()
                .collect(),
            );
            fields::currency(books, &priced, date)?.1
        }
    };
    let kind = match paid.kind {
        Kind::Invoice | Kind::CreditMemo | Kind::Deposit => Kind::Payment,
        _ => Kind::BillPayment,
    };
    Ok(NewDocument {
        contact: paid.contact,
        currency: Some(paid.currency.clone()),
        rate,
        account: Some(account),
        applications: vec![Application { document: paid.id, amount }],
        memo: reference,
        ..NewDocument::new(kind, date)
    })
}

pub fn save_batch(books: &mut Books, maker: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let named = element.get("BatchPaymentID").and_then(Node::text).filter(|id| !id.is_empty());
    let known = match (known, named) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => {
            let found = books.id_of_guid("BatchPayment", id).filter(|id| books.xero.batches.contains_key(id));
            Some(found.ok_or_else(|| Problems::one("The batch payment could not be found"))?)
        }
        (None, None) => None,
    };
    if let Some(id) = known {
        if fields::text(element, "Status")?.as_deref() != Some("DELETED") {
            return Err(Problems::one("Batch payments cannot be changed, only deleted"));
        }
        books.delete_batch(id, maker.now)?;
        return Ok(id);
    }
    let mut problems = Problems::default();
    let account = problems.take(fields::embedded_account(books, element, "Account"));
    let date = problems.take(fields::date(element, "Date"));
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_default();
    let (details, narrative) = (problems.take(fields::text(element, "Details")), problems.take(fields::text(element, "Narrative")));
    let payments = element.get("Payments").and_then(Node::list).unwrap_or_default();
    if payments.is_empty() {
        problems.0.push("A batch payment needs at least one payment".into());
    }
    let (Some(account), Some(date)) = (account, date) else {
        problems.0.push("A batch payment needs an Account and a Date".into());
        return Err(problems);
    };
    problems.end()?;
    // the payments of a batch stand or fall together
    let mut made: Vec<DocumentId> = Vec::new();
    for payment in payments {
        let entered = one_of_batch(books, maker, payment, account, date, &reference);
        match entered {
            Ok(id) => made.push(id),
            Err(problems) => return Err(taken_back(books, maker, made, problems)),
        }
    }
    match books.batch_payments(made.clone(), reference, maker.now) {
        Ok(id) => {
            let batch = books.xero.batches.get_mut(&id).expect("made just before");
            batch.details = details.unwrap_or_default();
            batch.narrative = narrative.unwrap_or_default();
            Ok(id)
        }
        Err(refused) => Err(taken_back(books, maker, made, refused.into())),
    }
}

fn one_of_batch(books: &mut Books, maker: &Maker, payment: &Node, account: u64, date: jiff::civil::Date, reference: &str) -> Saved {
    let paid = target(books, payment)?;
    if !matches!(paid.kind, Kind::Invoice | Kind::Bill) {
        return Err(Problems::one("A batch pays invoices and bills only"));
    }
    let amount = fields::money(payment, "Amount")?.unwrap_or_else(|| books.amount_due(paid.id));
    if amount.0 <= 0 {
        return Err(Problems::one("The payment amount must be greater than zero"));
    }
    let new = new_payment(books, paid, account, date, amount, reference.to_string(), payment)?;
    Ok(books.add_document(new, maker.now)?)
}

fn taken_back(books: &mut Books, maker: &Maker, made: Vec<DocumentId>, mut problems: Problems) -> Problems {
    for id in made {
        if let Err(refused) = books.delete(id, maker.now) {
            problems.0.push(refused.to_string());
        }
    }
    problems
}
