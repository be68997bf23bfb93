//! Control of accounts and contacts.
use super::body::{self, Reference};
use super::companies::{change, look};
use super::{Answer, Problem, json};
use crate::books::{AccountType, Books};
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json as object};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeBody {
    into: Reference,
}

pub async fn change_account(State(sandbox): State<Sandbox>, Path((company, account, word)): Path<(String, String, String)>, bytes: Bytes) -> Answer {
    change(&sandbox, &company, |books, now| {
        let id = body::account(books, &account)?;
        match word.as_str() {
            "archive" => books.set_account_active(id, false, now)?,
            "restore" => books.set_account_active(id, true, now)?,
            "rename" => books.rename_account(id, body::read::<RenameBody>(&bytes)?.name, now)?,
            "merge" => {
                let into = body::account(books, &body::read::<MergeBody>(&bytes)?.into.to_string())?;
                books.merge_accounts(id, into, now)?;
                return json(shown_account(books, into));
            }
            other => return Err(Problem::missing(format!("{other} is none of archive, restore, rename, merge"))),
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

pub async fn change_contact(State(sandbox): State<Sandbox>, Path((company, contact, word)): Path<(String, String, String)>, bytes: Bytes) -> Answer {
    change(&sandbox, &company, |books, now| {
        let id = body::contact(books, &contact)?;
        match word.as_str() {
            "archive" => books.set_contact_active(id, false, now)?,
            "restore" => books.set_contact_active(id, true, now)?,
            "merge" => {
                let into = body::contact(books, &body::read::<MergeBody>(&bytes)?.into.to_string())?;
                books.merge_contacts(id, into, now)?;
                return json(shown_contact(books, into));
            }
            other => return Err(Problem::missing(format!("{other} is none of archive, restore, merge"))),
        }
        json(shown_contact(books, id))
    })
}
