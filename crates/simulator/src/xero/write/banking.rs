//! PUT and POST of BankTransactions (overpayments and prepayments among them) and BankTransfers.
use super::fields::{self, Problems};
use super::lines::{self, Purpose};
use super::{Maker, Saved};
use crate::books::xero::AmountTypes;
use crate::books::{Books, DocumentId, Kind, NewDocument, NewLine, Status};
use crate::xero::tree::Node;

/// Received or spent, and whether it is an advance: `Some(true)` for a prepayment.
fn types(word: &str) -> Option<(Kind, Option<bool>)> {
    Some(match word {
        "RECEIVE" => (Kind::Deposit, None),
        "SPEND" => (Kind::Expense, None),
        "RECEIVE-OVERPAYMENT" => (Kind::Deposit, Some(false)),
        "SPEND-OVERPAYMENT" => (Kind::Expense, Some(false)),
        "RECEIVE-PREPAYMENT" => (Kind::Deposit, Some(true)),
        "SPEND-PREPAYMENT" => (Kind::Expense, Some(true)),
        _ => return None,
    })
}

pub fn save_transaction(books: &mut Books, maker: &Maker, known: Option<DocumentId>, element: &Node) -> Saved {
    let named = element.get("BankTransactionID").and_then(Node::text).filter(|id| !id.is_empty());
    match (known, named) {
        (Some(id), _) => change(books, maker, id, element),
        (None, Some(id)) => {
            let kinds = crate::xero::resource::Resource::BankTransactions.kinds();
            let found = books.id_of_guid("BankTransaction", id).filter(|id| books.documents.get(id).is_some_and(|d| kinds.contains(&d.kind)));
            change(books, maker, found.ok_or_else(|| Problems::one("The bank transaction could not be found"))?, element)
        }
        (None, None) => create(books, maker, element),
    }
}

fn create(books: &mut Books, maker: &Maker, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let word = problems.take(fields::text(element, "Type")).unwrap_or_default();
    let found = types(&word);
    if found.is_none() {
        problems.0.push(format!("Type '{word}' is not valid for a bank transaction"));
    }
    let (kind, advance) = found.unwrap_or((Kind::Deposit, None));
    let account = problems.take(fields::embedded_account(books, element, "BankAccount"));
    if account.is_none() {
        problems.0.push("Bank Account must be specified".into());
    }
    let date = problems.take(fields::date(element, "Date")).unwrap_or(maker.today);
    let amount_types = problems.take(lines::amount_types(element)).unwrap_or(AmountTypes::Exclusive);
    // money that is not for anything yet carries no tax
    let amount_types = if advance == Some(false) { AmountTypes::NoTax } else { amount_types };
    let items = match advance {
        Some(false) => problems.take(overpaid(books, element)),
        _ => {
            let purpose = Purpose { is_sale: kind == Kind::Deposit, amount_types, continues: None };
            problems.take(lines::read(books, element, purpose)).unwrap_or_default()
        }
    };
    if items.is_empty() {
        problems.0.push("One or more line items must be specified".into());
    }
    let currency = match account.and_then(|id| books.accounts.get(&id)) {
        Some(bank) => problems.take(of_account(books, element, &bank.currency, date).map(Some)),
        None => None,
    };
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_default();
    let reconciled = problems.take(fields::flag(element, "IsReconciled")).unwrap_or(false);
    let url = problems.take(fields::text(element, "Url")).unwrap_or_default();
    problems.end()?;
    let contact = fields::contact(books, element, maker.now)?;
    let (code, rate) = currency.expect("without problems there is one");
    let new =
        NewDocument { contact: Some(contact.id), account, currency: Some(code), rate, lines: items, memo: reference, ..NewDocument::new(kind, date) };
    let made = match advance {
        Some(is_prepayment) => books.add_advance(new, is_prepayment, maker.now),
        None => books.add_document(new, maker.now),
    };
    let id = made.map_err(|refused| {
        contact.take_back(books);
        Problems::from(refused)
    })?;
    let details = books.xero.documents.entry(id).or_default();
    details.amount_types = Some(amount_types);
    details.url = url;
    details.made_by = maker.app.to_string();
    if reconciled {
        books.xero.reconciled.insert(id);
    }
    Ok(id)
}

/// A transaction is in the currency of its bank account.
fn of_account(books: &Books, element: &Node, code: &str, date: jiff::civil::Date) -> Result<(String, Option<crate::money::Rate>), Problems> {
    let mut given = vec![("CurrencyCode".to_string(), Node::Text(code.to_string()))];
    if let Some(rate) = element.get("CurrencyRate") {
        given.push(("CurrencyRate".into(), rate.clone()));
    }
    fields::currency(books, &Node::Object(given), date)
}

/// The lines of an overpayment name no account: the books put them on the control account.
fn overpaid(books: &Books, element: &Node) -> Result<Vec<NewLine>, Problems> {
    let items = element.get("LineItems").and_then(Node::list).unwrap_or_default();
    let stand_in = books.accounts.keys().next().copied().unwrap_or_default();
    let mut found = Vec::new();
    for item in items.iter().take(100) {
        let amount = match fields::money(item, "LineAmount")? {
            Some(amount) => amount,
            None => fields::money(item, "UnitAmount")?.ok_or_else(|| Problems::one("An overpayment needs a LineAmount"))?,
        };
        found.push(NewLine::new(stand_in, amount, fields::text(item, "Description")?.unwrap_or_default()));
    }
    Ok(found)
}

fn change(books: &mut Books, maker: &Maker, id: DocumentId, element: &Node) -> Saved {
    let old = books.documents[&id].clone();
    if old.status != Status::Active {
        return Err(Problems::one("This bank transaction cannot be edited as it has been deleted"));
    }
    match fields::text(element, "Status")?.as_deref() {
        None | Some("" | "AUTHORISED") => {}
        Some("DELETED") => {
            books.delete(id, maker.now)?;
            return Ok(id);
        }
        Some(other) => return Err(Problems::one(format!("Status '{other}' is not valid for a bank transaction"))),
    }
    let mut problems = Problems::default();
    let known_types = books.xero.documents.get(&id).and_then(|details| details.amount_types);
    let amount_types = problems.take(lines::amount_types(element)).or(known_types).unwrap_or(AmountTypes::Exclusive);
    let is_advance = books.advance(id).is_some();
    let purpose = Purpose { is_sale: old.kind != Kind::Expense, amount_types, continues: Some(id) };
    let items = if is_advance { None } else { problems.take(lines::read(books, element, purpose)) };
    let date = problems.take(fields::date(element, "Date")).unwrap_or(old.date);
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_else(|| old.memo.clone());
    let reconciled = problems.take(fields::flag(element, "IsReconciled"));
    let account = problems.take(fields::embedded_account(books, element, "BankAccount")).or(old.account);
    if is_advance && (element.get("LineItems").is_some() || account != old.account) {
        problems.0.push("The amount and account of an overpayment or prepayment cannot change".into());
    }
    if account.and_then(|id| books.accounts.get(&id)).is_some_and(|bank| bank.currency != old.currency) {
        problems.0.push("The bank account must keep its currency".into());
    }
    problems.end()?;
    if !is_advance {
        let contact = match element.get("Contact") {
            Some(_) => fields::contact(books, element, maker.now)?,
            None => fields::ContactFound { id: old.contact.unwrap_or_default(), is_new: false },
        };
        let new = NewDocument {
            contact: Some(contact.id).filter(|id| *id != 0),
            account,
            currency: Some(old.currency.clone()),
            rate: Some(old.rate),
            lines: items.unwrap_or_else(|| old.lines.iter().map(NewLine::again).collect()),
            memo: reference,
            due_date: old.due_date,
            details: old.details.clone(),
            ..NewDocument::new(old.kind, date)
        };
        books.replace_document(id, new, maker.now).map_err(|refused| {
            contact.take_back(books);
            Problems::from(refused)
        })?;
        books.xero.documents.entry(id).or_default().amount_types = Some(amount_types);
    }
    match reconciled {
        Some(true) => books.xero.reconciled.insert(id),
        Some(false) => books.xero.reconciled.remove(&id),
        None => false,
    };
    Ok(id)
}

pub fn save_transfer(books: &mut Books, maker: &Maker, element: &Node) -> Saved {
    if let Some(id) = element.get("BankTransferID").and_then(Node::text).filter(|id| !id.is_empty()) {
        let found = books.id_of_guid("BankTransfer", id).filter(|id| books.documents.get(id).is_some_and(|d| d.kind == Kind::Transfer));
        let id = found.ok_or_else(|| Problems::one("The bank transfer could not be found"))?;
        if fields::text(element, "Status")?.as_deref() != Some("DELETED") {
            return Err(Problems::one("Bank transfers cannot be changed, only deleted"));
        }
        books.delete(id, maker.now)?;
        return Ok(id);
    }
    let mut problems = Problems::default();
    let from = problems.take(fields::embedded_account(books, element, "FromBankAccount"));
    let to = problems.take(fields::embedded_account(books, element, "ToBankAccount"));
    let amount = problems.take(fields::money(element, "Amount")).unwrap_or_default();
    let date = problems.take(fields::date(element, "Date")).unwrap_or(maker.today);
    let reference = problems.take(fields::text(element, "Reference")).unwrap_or_default();
    let (Some(from), Some(to)) = (from, to) else {
        problems.0.push("FromBankAccount and ToBankAccount must be specified".into());
        return Err(problems);
    };
    if amount.0 <= 0 {
        problems.0.push("The amount must be greater than zero".into());
    }
    let foreign = [from, to].iter().any(|id| books.accounts[id].currency != books.currency);
    if foreign {
        problems.0.push("Transfers are made between accounts in the base currency".into());
    }
    problems.end()?;
    let new = NewDocument {
        account: Some(from),
        to_account: Some(to),
        lines: vec![NewLine::new(to, amount, "")],
        memo: reference,
        ..NewDocument::new(Kind::Transfer, date)
    };
    let id = books.add_document(new, maker.now)?;
    books.xero.documents.entry(id).or_default().made_by = maker.app.to_string();
    Ok(id)
}
