//! Books read from a general-journal file.
//!
//! Columns, in any order: `entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo`. Rows with the
//! same `entry` form one entry, which must balance. `kind` is journal, invoice, bill, payment, expense, deposit, transfer, or empty for
//! whatever document fits. Amounts are in the home currency; `currency` repeats it or is empty. Whatever documents an entry becomes,
//! every account has the file's total on every date.
mod enter;

use super::generator::{CompanySpec, company_id};
use super::{AccountType, Books, Face, Kind};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// A row that is refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BadRow {
    /// Line in the file, the header being line 1.
    pub line: u64,
    pub reason: String,
}

/// What the file does not say about the company.
#[derive(Clone, Debug)]
pub struct Meta {
    pub name: String,
    pub country: String,
    pub currency: String,
    pub time_zone: String,
    pub fiscal_year_start_month: i8,
    pub seed: u64,
}

impl From<&CompanySpec> for Meta {
    fn from(spec: &CompanySpec) -> Meta {
        Meta {
            name: spec.name.clone(),
            country: spec.country.clone(),
            currency: spec.currency.clone(),
            time_zone: spec.time_zone.clone(),
            fiscal_year_start_month: spec.fiscal_year_start_month,
            seed: spec.seed,
        }
    }
}

const COLUMNS: [&str; 11] =
    ["entry", "date", "kind", "account_code", "account_name", "account_type", "debit", "credit", "currency", "contact", "memo"];

/// One side of an entry.
struct Leg {
    code: String,
    account_type: AccountType,
    /// Debits positive.
    amount: Cents,
    contact: String,
    memo: String,
}

/// Rows with the same `entry`.
struct Entry {
    /// Line of its first row.
    line: u64,
    number: String,
    date: Date,
    kind: Option<Kind>,
    legs: Vec<Leg>,
}

/// An account as the file's rows describe it.
struct FileAccount {
    name: String,
    account_type: AccountType,
    line: u64,
}

#[derive(Default)]
struct File {
    accounts: BTreeMap<String, FileAccount>,
    entries: Vec<Entry>,
    by_number: HashMap<String, usize>,
}

/// Reads the whole file; a single bad row refuses it all, and every bad row is named.
pub fn read(file: impl Read, face: Face, meta: &Meta, now: Timestamp) -> Result<Books, Vec<BadRow>> {
    let file = parse(file, meta)?;
    let mut books = Books::new(
        face,
        company_id(face, meta.seed),
        meta.name.clone(),
        meta.country.clone(),
        meta.currency.clone(),
        meta.time_zone.clone(),
        meta.fiscal_year_start_month,
        meta.seed,
        now,
    );
    enter::enter(&mut books, file, now).map_err(|bad| vec![bad])?;
    Ok(books)
}

fn parse(file: impl Read, meta: &Meta) -> Result<File, Vec<BadRow>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(file);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![BadRow { line: 1, reason: format!("the header cannot be read: {error}") }]),
    };
    let columns = columns(&header).map_err(|reason| vec![BadRow { line: 1, reason }])?;
    let mut file = File::default();
    let mut bad = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                bad.push(BadRow { line, reason: format!("the row cannot be read: {error}") });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            bad.push(BadRow { line, reason: format!("the row has {} fields, the header {}", record.len(), header.len()) });
            continue;
        }
        let field = |name: &str| columns.get(name).and_then(|&index| record.get(index)).unwrap_or_default();
        if let Err(reason) = file.take(line, &field, meta) {
            bad.push(BadRow { line, reason });
        }
    }
    for entry in &file.entries {
        let sum: Cents = entry.legs.iter().map(|leg| leg.amount).sum();
        // A row that was refused leaves its entry unbalanced; saying so again would not help.
        if !sum.is_zero() && bad.is_empty() {
            let (side, by) = if sum.0 > 0 { ("debits", sum) } else { ("credits", -sum) };
            bad.push(BadRow { line: entry.line, reason: format!("entry {} does not balance: {side} are larger by {by}", entry.number) });
        }
    }
    if bad.is_empty() && file.entries.is_empty() {
        bad.push(BadRow { line: 1, reason: "the file has no rows".into() });
    }
    if bad.is_empty() {
        return Ok(file);
    }
    bad.sort_by_key(|row| row.line);
    Err(bad)
}

/// Column name to its place; all are needed, none may come twice, no other is known.
fn columns(header: &csv::StringRecord) -> Result<HashMap<String, usize>, String> {
    let mut columns = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        let name = name.trim_start_matches('\u{feff}').trim().to_lowercase();
        if !COLUMNS.contains(&name.as_str()) {
            return Err(format!("column {name:?} is none of {}", COLUMNS.join(", ")));
        }
        if columns.insert(name.clone(), index).is_some() {
            return Err(format!("column {name} comes twice"));
        }
    }
    match COLUMNS.iter().find(|name| !columns.contains_key(**name)) {
        Some(missing) => Err(format!("column {missing} is missing")),
        None => Ok(columns),
    }
}

impl File {
    fn take<'a>(&mut self, line: u64, field: &impl Fn(&str) -> &'a str, meta: &Meta) -> Result<(), String> {
        let number = field("entry");
        if number.is_empty() {
            return Err("entry is missing".into());
        }
        let date = field("date");
        // Only the plain form: jiff would also read other ISO 8601 forms.
        let date: Date = date.parse().ok().filter(|_| date.len() == 10).ok_or_else(|| format!("date {date:?} is no date of the form 2025-01-31"))?;
        let kind = kind(field("kind"))?;
        let (code, name) = (field("account_code"), field("account_name"));
        if code.is_empty() || name.is_empty() {
            return Err(format!("account_{} is missing", if code.is_empty() { "code" } else { "name" }));
        }
        let word = field("account_type");
        let account_type = AccountType::from_word(word).ok_or_else(|| {
            let known: Vec<&str> = AccountType::ALL.iter().map(|t| t.word()).collect();
            format!("account_type {word:?} is none of {}", known.join(", "))
        })?;
        let currency = field("currency");
        if !currency.is_empty() && currency != meta.currency {
            return Err(format!("currency {currency:?} is not the home currency {}, in which all amounts are", meta.currency));
        }
        let amount = match (amount("debit", field("debit"))?, amount("credit", field("credit"))?) {
            (Cents::ZERO, Cents::ZERO) => return Err("neither debit nor credit has an amount".into()),
            (debit, Cents::ZERO) => debit,
            (Cents::ZERO, credit) => -credit,
            _ => return Err("debit and credit both have an amount".into()),
        };
        match self.accounts.get(code) {
            None => {
                if let Some((other, known)) = self.accounts.iter().find(|(_, known)| known.name.eq_ignore_ascii_case(name)) {
                    return Err(format!("account name {name} belongs to code {other} on line {} and to {code} here", known.line));
                }
                self.accounts.insert(code.to_owned(), FileAccount { name: name.to_owned(), account_type, line });
            }
            Some(known) if known.account_type != account_type => {
                let (before, here) = (known.account_type.word(), account_type.word());
                return Err(format!("account {code} is {before} on line {} and {here} here", known.line));
            }
            Some(known) if known.name != name => {
                return Err(format!("account {code} is called {} on line {} and {name} here", known.name, known.line));
            }
            Some(_) => {}
        }
        let index = *self.by_number.entry(number.to_owned()).or_insert(self.entries.len());
        if index == self.entries.len() {
            self.entries.push(Entry { line, number: number.to_owned(), date, kind, legs: Vec::new() });
        }
        let entry = &mut self.entries[index];
        if entry.date != date {
            return Err(format!("entry {number} is dated {} on line {} and {date} here", entry.date, entry.line));
        }
        if entry.kind != kind {
            return Err(format!("entry {number} has another kind on line {}", entry.line));
        }
        entry.legs.push(Leg { code: code.to_owned(), account_type, amount, contact: field("contact").to_owned(), memo: field("memo").to_owned() });
        Ok(())
    }
}

fn kind(word: &str) -> Result<Option<Kind>, String> {
    match word {
        "" => Ok(None),
        "journal" | "invoice" | "bill" | "payment" | "expense" | "deposit" | "transfer" => Ok(Kind::from_word(word)),
        other => Err(format!("kind {other:?} is none of journal, invoice, bill, payment, expense, deposit, transfer, or empty")),
    }
}

/// Empty counts as zero.
fn amount(name: &str, text: &str) -> Result<Cents, String> {
    if text.is_empty() {
        return Ok(Cents::ZERO);
    }
    const LONGEST: usize = 18;
    let amount = Cents::parse(text).filter(|_| text.len() <= LONGEST);
    let amount = amount.ok_or_else(|| format!("{name} {text:?} is no amount with at most two decimals"))?;
    if amount.0 < 0 {
        return Err(format!("{name} {text} is negative; write it in the other column"));
    }
    Ok(amount)
}
