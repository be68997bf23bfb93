//! Control of the books: what they hold, and changes as a person makes them in the provider's own screens.
use super::behaviour::company_id;
use super::body::{self, Reference, Written};
use super::{Answer, Problem, json};
use crate::books::generator::{CompanySpec, SecondCurrency, generate};
use crate::books::{AccountType, Application, Books, Document, Edit, Face, Kind, NewDocument, NewLine, Status, journal_csv};
use crate::money::Cents;
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json as object};
use std::collections::BTreeMap;

fn look<T>(sandbox: &Sandbox, company: &str, look: impl FnOnce(&Books) -> Result<T, Problem>) -> Result<T, Problem> {
    sandbox.read(|state| look(&state.companies[&company_id(state, company)?]))
}

fn change<T>(sandbox: &Sandbox, company: &str, change: impl FnOnce(&mut Books, Timestamp) -> Result<T, Problem>) -> Result<T, Problem> {
    let now = sandbox.clock.now();
    sandbox.write(|state| {
        let id = company_id(state, company)?;
        change(state.companies.get_mut(&id).expect("company_id names companies that exist"), now)
    })
}

/// Today in the company's own time zone.
fn today(books: &Books, now: Timestamp) -> Date {
    now.in_tz(&books.time_zone).map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date())
}

fn summary(books: &Books) -> Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for document in books.documents.values() {
        *counts.entry(document.kind.word()).or_default() += 1;
    }
    object!({
        "id": books.id,
        "face": books.face,
        "name": books.name,
        "country": books.country,
        "currency": books.currency,
        "time_zone": books.time_zone,
        "fiscal_year_start_month": books.fiscal_year_start_month,
        "first_date": books.first_date().map(|d| d.to_string()),
        "last_date": books.last_date().map(|d| d.to_string()),
        "accounts": books.accounts.len(),
        "contacts": books.contacts.len(),
        "documents": books.documents.len(),
        "journals": books.journals.len(),
        "counts": counts,
    })
}

pub async fn companies(State(sandbox): State<Sandbox>) -> Answer {
    json(object!({"companies": sandbox.read(|state| state.companies.values().map(summary).collect::<Vec<_>>())}))
}

pub async fn company(State(sandbox): State<Sandbox>, Path(company): Path<String>) -> Answer {
    look(&sandbox, &company, |books| json(summary(books)))
}

pub async fn remove_company(State(sandbox): State<Sandbox>, Path(company): Path<String>) -> Answer {
    sandbox.write(|state| {
        let id = company_id(state, &company)?;
        state.companies.remove(&id);
        json(object!({"removed": id}))
    })
}

/// A made-up company, or with `general_journal` the books in that file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCompany {
    face: Face,
    name: String,
    seed: u64,
    country: Option<String>,
    currency: Option<String>,
    time_zone: Option<String>,
    fiscal_year_start_month: Option<i8>,
    from: Option<Date>,
    to: Option<Date>,
    documents_per_month: Option<u32>,
    second_currency: Option<String>,
    second_rate: Option<Written>,
    general_journal: Option<String>,
}

pub async fn add_company(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: NewCompany = body::read(&bytes)?;
    let now = sandbox.clock.now();
    let to = wanted.to.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let from = wanted.from.unwrap_or_else(|| to.saturating_sub(jiff::Span::new().months(12)).first_of_month());
    let mut spec = CompanySpec::plain(wanted.face, wanted.seed, from, to);
    spec.name = wanted.name;
    spec.country = wanted.country.unwrap_or(spec.country);
    spec.currency = wanted.currency.unwrap_or(spec.currency);
    spec.time_zone = wanted.time_zone.unwrap_or(spec.time_zone);
    spec.fiscal_year_start_month = wanted.fiscal_year_start_month.unwrap_or(spec.fiscal_year_start_month);
    spec.documents_per_month = wanted.documents_per_month.unwrap_or(spec.documents_per_month);
    spec.second_currency = match (wanted.second_currency, wanted.second_rate) {
        (None, None) => None,
        (Some(code), Some(rate)) if code != spec.currency => Some(SecondCurrency { code, rate: rate.rate()? }),
        _ => return Err(Problem::bad("second_currency, another one than the home currency, and second_rate go together")),
    };
    if from > to || !(1..=12).contains(&spec.fiscal_year_start_month) || jiff::tz::TimeZone::get(&spec.time_zone).is_err() {
        return Err(Problem::bad("from must not be after to, fiscal_year_start_month is 1-12, time_zone is an IANA name"));
    }
    const MOST_A_MONTH: u32 = 100_000;
    if spec.documents_per_month > MOST_A_MONTH {
        return Err(Problem::bad(format!("documents_per_month is at most {MOST_A_MONTH}")));
    }
    let face = wanted.face;
    let books = match wanted.general_journal {
        None => generate(face, spec, now),
        Some(text) => journal_csv::read(text.as_bytes(), face, &journal_csv::Meta::from(&spec), now).map_err(|rows| {
            let rows: Vec<String> = rows.iter().take(20).map(|row| format!("line {}: {}", row.line, row.reason)).collect();
            Problem::bad(format!("the general journal is refused; {}", rows.join("; ")))
        })?,
    };
    sandbox.write(|state| {
        if state.companies.contains_key(&books.id) {
            return Err(Problem::bad(format!("there is already a company with the seed {}", books.seed)));
        }
        let answer = json(summary(&books));
        state.companies.insert(books.id.clone(), books);
        answer
    })
}

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
                for edit in edits {
                    books.edit(id, edit, now)?;
                }
            }
            other => return Err(Problem::missing(format!("{other} is none of edit, void, delete, approve, allocate"))),
        }
        json(shown(books, &books.documents[&id]))
    })
}

fn shown_account(books: &Books, id: u64) -> Value {
    let account = &books.accounts[&id];
    object!({
        "id": account.id,
        "shown_id": body::shown_account(books, account),
        "code": account.code,
        "name": account.name,
        "type": account.account_type.word(),
        "currency": account.currency,
        "parent": account.parent,
        "active": account.active,
        "updated_at": account.updated_at.to_string(),
    })
}

pub async fn accounts(State(sandbox): State<Sandbox>, Path(company): Path<String>) -> Answer {
    look(&sandbox, &company, |books| json(object!({"accounts": books.accounts.keys().map(|&id| shown_account(books, id)).collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountBody {
    name: String,
    #[serde(default)]
    code: String,
    #[serde(rename = "type")]
    account_type: String,
    parent: Option<Reference>,
    currency: Option<String>,
}

pub async fn add_account(State(sandbox): State<Sandbox>, Path(company): Path<String>, bytes: Bytes) -> Answer {
    let wanted: AccountBody = body::read(&bytes)?;
    let account_type = AccountType::from_word(&wanted.account_type).ok_or_else(|| {
        let known: Vec<&str> = AccountType::ALL.iter().map(|t| t.word()).collect();
        Problem::bad(format!("type: {} is none of {}", wanted.account_type, known.join(", ")))
    })?;
    change(&sandbox, &company, |books, now| {
        let taken = books.accounts.values().any(|a| a.name.eq_ignore_ascii_case(&wanted.name));
        if wanted.name.trim().is_empty() || taken || (!wanted.code.is_empty() && books.account_by_code(&wanted.code).is_some()) {
            return Err(Problem::bad("an account needs a name, and name and code of its own"));
        }
        let parent = wanted.parent.as_ref().map(|p| body::account(books, &p.to_string())).transpose()?;
        let id = books.add_account(wanted.name, wanted.code, account_type, parent, wanted.currency.as_deref(), now);
        json(shown_account(books, id))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RenameBody {
    name: String,
}

pub async fn change_account(State(sandbox): State<Sandbox>, Path((company, account, word)): Path<(String, String, String)>, bytes: Bytes) -> Answer {
    change(&sandbox, &company, |books, now| {
        let id = body::account(books, &account)?;
        match word.as_str() {
            "archive" => books.set_account_active(id, false, now)?,
            "restore" => books.set_account_active(id, true, now)?,
            "rename" => books.rename_account(id, body::read::<RenameBody>(&bytes)?.name, now)?,
            other => return Err(Problem::missing(format!("{other} is none of archive, restore, rename"))),
        }
        json(shown_account(books, id))
    })
}

fn shown_contact(books: &Books, id: u64) -> Value {
    let contact = &books.contacts[&id];
    let (receivable, payable) = books.contact_balance(id);
    object!({
        "id": contact.id,
        "shown_id": body::shown_contact(books, id),
        "name": contact.name,
        "email": contact.email,
        "customer": contact.is_customer,
        "supplier": contact.is_supplier,
        "currency": contact.currency,
        "active": contact.active,
        "receivable": receivable.to_string(),
        "payable": payable.to_string(),
        "updated_at": contact.updated_at.to_string(),
    })
}

pub async fn contacts(State(sandbox): State<Sandbox>, Path(company): Path<String>) -> Answer {
    look(&sandbox, &company, |books| json(object!({"contacts": books.contacts.keys().map(|&id| shown_contact(books, id)).collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactBody {
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    customer: bool,
    #[serde(default)]
    supplier: bool,
    currency: Option<String>,
}

pub async fn add_contact(State(sandbox): State<Sandbox>, Path(company): Path<String>, bytes: Bytes) -> Answer {
    let wanted: ContactBody = body::read(&bytes)?;
    change(&sandbox, &company, |books, now| {
        if wanted.name.trim().is_empty() || books.contacts.values().any(|c| c.name.eq_ignore_ascii_case(&wanted.name)) {
            return Err(Problem::bad("a contact needs a name of its own"));
        }
        if !wanted.customer && !wanted.supplier {
            return Err(Problem::bad("a contact is a customer, a supplier or both"));
        }
        let id = books.add_contact(wanted.name, wanted.email, wanted.customer, wanted.supplier, wanted.currency.as_deref(), now);
        json(shown_contact(books, id))
    })
}

pub async fn change_contact(State(sandbox): State<Sandbox>, Path((company, contact, word)): Path<(String, String, String)>) -> Answer {
    change(&sandbox, &company, |books, now| {
        let id = body::contact(books, &contact)?;
        match word.as_str() {
            "archive" => books.set_contact_active(id, false, now)?,
            "restore" => books.set_contact_active(id, true, now)?,
            other => return Err(Problem::missing(format!("{other} is none of archive, restore"))),
        }
        json(shown_contact(books, id))
    })
}

#[derive(Deserialize)]
pub struct AsOf {
    as_of: Option<Date>,
}

pub async fn trial_balance(State(sandbox): State<Sandbox>, Path(company): Path<String>, Query(query): Query<AsOf>) -> Answer {
    let now = sandbox.clock.now();
    look(&sandbox, &company, |books| {
        let as_of = query.as_of.unwrap_or_else(|| today(books, now));
        let rows: Vec<Value> = books
            .trial_balance(as_of)
            .into_iter()
            .map(|(id, balance)| {
                let account = &books.accounts[&id];
                object!({
                    "id": body::shown_account(books, account),
                    "code": account.code,
                    "name": account.name,
                    "type": account.account_type.word(),
                    "balance": balance.to_string(),
                })
            })
            .collect();
        json(object!({"as_of": as_of.to_string(), "currency": books.currency, "accounts": rows}))
    })
}

/// Every record as the face serves it.
pub async fn truth(State(sandbox): State<Sandbox>, Path(company): Path<String>) -> Answer {
    let now = sandbox.clock.now();
    look(&sandbox, &company, |books| match face_truth(books, now) {
        Some(records) => json(object!({"records": records})),
        None => Err(Problem::missing(format!("this build does not serve the face of {}", books.name))),
    })
}

/// `None` where the face was left out of the build.
#[cfg_attr(not(any(feature = "quickbooks", feature = "xero")), allow(unused_variables))]
fn face_truth(books: &Books, now: Timestamp) -> Option<Vec<Value>> {
    match books.face {
        #[cfg(feature = "quickbooks")]
        Face::QuickBooks => Some(crate::quickbooks::truth(books, now)),
        #[cfg(feature = "xero")]
        Face::Xero => Some(crate::xero::truth(books, now)),
        #[cfg(not(all(feature = "quickbooks", feature = "xero")))]
        _ => None,
    }
}
