//! Control of companies: which there are, new ones, their trial balance and every record their face serves.
use super::behaviour::company_id;
use super::body::{self, Written};
use super::{Answer, Problem, json};
use crate::books::generator::{CompanySpec, SecondCurrency, generate};
use crate::books::{Basis, Books, Face, journal_csv};
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json as object};
use std::collections::BTreeMap;

pub(super) fn look<T>(sandbox: &Sandbox, company: &str, look: impl FnOnce(&Books) -> Result<T, Problem>) -> Result<T, Problem> {
    sandbox.read(|state| look(&state.companies[&company_id(state, company)?]))
}

pub(super) fn change<T>(sandbox: &Sandbox, company: &str, change: impl FnOnce(&mut Books, Timestamp) -> Result<T, Problem>) -> Result<T, Problem> {
    let now = sandbox.clock.now();
    sandbox.write(|state| {
        let id = company_id(state, company)?;
        change(state.companies.get_mut(&id).expect("company_id names companies that exist"), now)
    })
}

/// Today in the company's own time zone.
pub(super) fn today(books: &Books, now: Timestamp) -> Date {
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
        "lines": books.documents.values().map(|document| document.lines.len().max(1)).sum::<usize>(),
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
    /// Goods have a quantity on hand.
    #[serde(default)]
    tracks_inventory: bool,
    /// Xero: with an approved expense claim.
    #[serde(default)]
    classic_expenses: bool,
    /// Exactly so many documents, over up to three years to the last day.
    documents: Option<u32>,
}

/// Some five million lines.
const MOST_DOCUMENTS: u32 = 2_000_000;

pub async fn add_company(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: NewCompany = body::read(&bytes)?;
    let now = sandbox.clock.now();
    let to = wanted.to.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let from = wanted.from.unwrap_or_else(|| to.saturating_sub(jiff::Span::new().months(12)).first_of_month());
    let mut spec = match wanted.documents {
        Some(documents) => {
            if !(100..=MOST_DOCUMENTS).contains(&documents) || wanted.from.is_some() || wanted.documents_per_month.is_some() {
                return Err(Problem::bad(format!("documents is 100 to {MOST_DOCUMENTS}, without from and documents_per_month")));
            }
            CompanySpec::of_size(wanted.face, wanted.seed, documents, to)
        }
        None => CompanySpec::plain(wanted.face, wanted.seed, from, to),
    };
    spec.tracks_inventory = wanted.tracks_inventory;
    spec.classic_expenses = wanted.classic_expenses;
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

#[derive(Deserialize)]
pub struct AsOf {
    as_of: Option<Date>,
    /// `accrual`, the default, or `cash`.
    #[serde(default)]
    basis: Basis,
}

pub async fn trial_balance(State(sandbox): State<Sandbox>, Path(company): Path<String>, Query(query): Query<AsOf>) -> Answer {
    let now = sandbox.clock.now();
    look(&sandbox, &company, |books| {
        let as_of = query.as_of.unwrap_or_else(|| today(books, now));
        let rows: Vec<Value> = books
            .on(query.basis)
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
