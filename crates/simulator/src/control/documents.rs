//! Control of documents: made, edited, voided and deleted as a person does it in the provider's own screens.
use super::body::{self, Reference, Written};
use super::companies::{change, look, today};
use super::{Answer, Problem, json};
use crate::books::{AccountType, Application, Books, Document, Edit, Kind, NewDocument, NewLine, Status};
use crate::money::Cents;
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json as object};

fn shown(books: &Books, document: &Document) -> Value {
    let name = |id: u64| books.accounts.get(&id).map(|a| a.name.clone());
    let status = match document.status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Voided => "voided",
        Status::Deleted => "deleted",
    };
    object!({
        "id": document.id,
        "shown_id": body::shown_document(books, document),
        "kind": document.kind.word(),
        "status": status,
        "number": document.number,
        "date": document.date.to_string(),
        "due_date": document.due_date.map(|d| d.to_string()),
        "contact": document.contact.and_then(|id| books.contacts.get(&id)).map(|c| c.name.clone()),
        "contact_id": document.contact.map(|id| body::shown_contact(books, id)),
        "currency": document.currency,
        "rate": document.rate.to_string(),
        "account": document.account.and_then(name),
        "to_account": document.to_account.and_then(name),
        "total": books.total(document).to_string(),
        "net_total": books.net_total(document).to_string(),
        "amount_due": books.amount_due(document.id).to_string(),
        "unapplied": document.unapplied.to_string(),
        "memo": document.memo,
        "lines": document.lines.iter().map(|l| object!({
            "account": name(l.account), "amount": l.amount.to_string(), "description": l.description,
        })).collect::<Vec<_>>(),
        "applies_to": document.applications.iter().map(|a| object!({"document": a.document, "amount": a.amount.to_string()})).collect::<Vec<_>>(),
        "postings": books.postings(document).iter().map(|p| object!({
            "account": name(p.account), "amount": p.amount.to_string(),
        })).collect::<Vec<_>>(),
        "created_at": document.created_at.to_string(),
        "updated_at": document.updated_at.to_string(),
    })
}

#[derive(Deserialize)]
pub struct DocumentFilter {
    kind: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
}

fn kind(word: &str) -> Result<Kind, Problem> {
    Kind::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|k| k.word()).collect();
        Problem::bad(format!("kind: {word} is none of {}", known.join(", ")))
    })
}

pub async fn documents(State(sandbox): State<Sandbox>, Path(company): Path<String>, Query(filter): Query<DocumentFilter>) -> Answer {
    let wanted = filter.kind.as_deref().map(kind).transpose()?;
    look(&sandbox, &company, |books| {
        let list = books
            .documents
            .values()
            .filter(|d| wanted.is_none_or(|k| d.kind == k))
            .filter(|d| filter.from.is_none_or(|from| d.date >= from) && filter.to.is_none_or(|to| d.date <= to));
        json(object!({"documents": list.map(|d| shown(books, d)).collect::<Vec<_>>()}))
    })
}

pub async fn document(State(sandbox): State<Sandbox>, Path((company, document)): Path<(String, String)>) -> Answer {
    look(&sandbox, &company, |books| json(shown(books, &books.documents[&body::document(books, &document)?])))
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentBody {
    kind: String,
    date: Option<Date>,
    due_date: Option<Date>,
    number: Option<String>,
    contact: Option<Reference>,
    currency: Option<String>,
    rate: Option<Written>,
    account: Option<Reference>,
    to_account: Option<Reference>,
    #[serde(default)]
    lines: Vec<LineBody>,
    /// Of a transfer or a payment.
    amount: Option<Written>,
    /// What a payment pays.
    #[serde(default)]
    applies_to: Vec<ApplicationBody>,
    unapplied: Option<Written>,
    #[serde(default)]
    memo: String,
    #[serde(default)]
    draft: bool,
    /// Makes this many of it.
    repeat: Option<u32>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody {
    account: Reference,
    amount: Written,
    #[serde(default)]
    description: String,
    /// Code or name of a tax rate.
    tax: Option<String>,
    contact: Option<Reference>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationBody {
    document: Reference,
    /// Left out: all that is open.
    amount: Option<Written>,
}

fn new_document(books: &Books, wanted: &DocumentBody, now: Timestamp) -> Result<NewDocument, Problem> {
    let kind = kind(&wanted.kind)?;
    let find_account = |reference: &Option<Reference>| reference.as_ref().map(|r| body::account(books, &r.to_string())).transpose();
    let find_contact = |reference: &Option<Reference>| reference.as_ref().map(|r| body::contact(books, &r.to_string())).transpose();
    let mut new = NewDocument::new(kind, wanted.date.unwrap_or_else(|| today(books, now)));
    new.status = if wanted.draft { Status::Draft } else { Status::Active };
    new.number = wanted.number.clone();
    new.due_date = wanted.due_date;
    new.contact = find_contact(&wanted.contact)?;
    new.currency = wanted.currency.clone();
    new.rate = wanted.rate.as_ref().map(Written::rate).transpose()?;
    new.account = find_account(&wanted.account)?;
    if new.account.is_none() && !kind.is_open_item() && kind != Kind::Journal {
        new.account = books.account_of(AccountType::Bank);
    }
    new.to_account = find_account(&wanted.to_account)?;
    new.memo = wanted.memo.clone();
    for line in &wanted.lines {
        let account = body::account(books, &line.account.to_string())?;
        let mut made = NewLine::new(account, line.amount.cents("amount")?, line.description.clone());
        made.contact = find_contact(&line.contact)?;
        if let Some(tax) = &line.tax {
            let known = books.tax_rates.iter().find(|r| r.code.eq_ignore_ascii_case(tax) || r.name.eq_ignore_ascii_case(tax));
            made.tax_rate = Some(known.map(|r| r.id).ok_or_else(|| Problem::missing(format!("{} has no tax rate {tax}", books.name)))?);
        }
        new.lines.push(made);
    }
    let amount = wanted.amount.as_ref().map(|a| a.cents("amount")).transpose()?;
    if kind == Kind::Transfer
        && let (Some(amount), Some(to), true) = (amount, new.to_account, new.lines.is_empty())
    {
        new.lines.push(NewLine::new(to, amount, ""));
    }
    let mut left = amount;
    for application in &wanted.applies_to {
        let document = body::document(books, &application.document.to_string())?;
        let due = books.amount_due(document);
        let amount = match (&application.amount, left) {
            (Some(written), _) => written.cents("amount")?,
            (None, Some(left)) => left.min(due),
            (None, None) => due,
        };
        left = left.map(|left| left - amount);
        new.applications.push(Application { document, amount });
        let target = &books.documents[&document];
        new.contact = new.contact.or(target.contact);
        if new.currency.is_none() && target.currency != books.currency {
            new.currency = Some(target.currency.clone());
            new.rate = new.rate.or(Some(target.rate));
        }
    }
    new.unapplied = match &wanted.unapplied {
        Some(written) => written.cents("unapplied")?,
        None if kind.is_payment() => left.unwrap_or(Cents::ZERO),
        None => Cents::ZERO,
    };
    Ok(new)
}

pub async fn add_document(State(sandbox): State<Sandbox>, Path(company): Path<String>, bytes: Bytes) -> Answer {
    let wanted: DocumentBody = body::read(&bytes)?;
    const MOST_AT_ONCE: u32 = 10_000;
    let times = wanted.repeat.unwrap_or(1);
    if !(1..=MOST_AT_ONCE).contains(&times) {
        return Err(Problem::bad(format!("repeat is 1 to {MOST_AT_ONCE}")));
    }
    change(&sandbox, &company, |books, now| {
        let mut ids = Vec::new();
        for _ in 0..times {
            let new = new_document(books, &wanted, now)?;
            ids.push(books.add_document(new, now)?);
        }
        let last = &books.documents[ids.last().expect("at least one was made")];
        let mut answer = shown(books, last);
        answer["ids"] = object!(ids);
        json(answer)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    amount: Option<Written>,
    date: Option<Date>,
    memo: Option<String>,
    contact: Option<Reference>,
    /// The change leaves the document's time of the last change as it was.
    #[serde(default)]
    quiet: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllocateBody {
    document: Reference,
    amount: Written,
}

pub async fn change_document(
    State(sandbox): State<Sandbox>,
    Path((company, document, word)): Path<(String, String, String)>,
    bytes: Bytes,
) -> Answer {
    change(&sandbox, &company, |books, now| {
        let id = body::document(books, &document)?;
        match word.as_str() {
            "void" => books.void(id, now)?,
            "delete" => books.delete(id, now)?,
            "approve" => books.approve(id, now)?,
            "allocate" => {
                let wanted: AllocateBody = body::read(&bytes)?;
                let target = body::document(books, &wanted.document.to_string())?;
                books.allocate(id, target, wanted.amount.cents("amount")?, now)?;
            }
            "edit" => {
                let wanted: EditBody = body::read(&bytes)?;
                let mut edits = Vec::new();
                if let Some(amount) = wanted.amount {
                    edits.push(Edit::Amount(amount.cents("amount")?));
                }
                edits.extend(wanted.date.map(Edit::Date));
                edits.extend(wanted.memo.map(Edit::Memo));
                if let Some(contact) = wanted.contact {
                    edits.push(Edit::Contact(body::contact(books, &contact.to_string())?));
                }
                if edits.is_empty() {
                    return Err(Problem::bad("give at least one of amount, date, memo, contact"));
                }
                let before = books.documents[&id].updated_at;
                for edit in edits {
                    books.edit(id, edit, now)?;
                }
                if wanted.quiet
                    && let Some(document) = books.documents.get_mut(&id)
                {
                    document.updated_at = before;
                }
            }
            other => return Err(Problem::missing(format!("{other} is none of edit, void, delete, approve, allocate"))),
        }
        json(shown(books, &books.documents[&id]))
    })
}
