//! Reading the control API's JSON bodies with errors that name what is wrong.
use super::Problem;
use crate::books::{Account, AccountId, Books, ContactId, Document, DocumentId, Face, Kind};
use crate::money::{Cents, Rate};
use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The body as `T`; an empty body counts as `{}`.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let bytes: &[u8] = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(bytes).map_err(|error| Problem::bad(format!("the body is not as expected: {error}")))
}

/// An amount or rate as it was written, so that no binary float comes between.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(transparent)]
pub struct Written(Box<RawValue>);

impl Written {
    fn text(&self) -> &str {
        self.0.get().trim_matches('"')
    }
    pub fn cents(&self, name: &str) -> Result<Cents, Problem> {
        Cents::parse(self.text()).ok_or_else(|| Problem::bad(format!("{name}: {} is no amount with up to two decimals", self.0.get())))
    }
    /// Up to six decimals, above zero.
    pub fn rate(&self) -> Result<Rate, Problem> {
        let wrong = || Problem::bad(format!("rate: {} is no rate above zero with up to six decimals", self.0.get()));
        let (whole, fraction) = self.text().split_once('.').unwrap_or((self.text(), ""));
        if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let fraction: i64 = format!("{fraction:0<6}").parse().map_err(|_| wrong())?;
        let value = whole.checked_mul(Rate::SCALE).and_then(|v| v.checked_add(fraction)).filter(|v| whole >= 0 && *v > 0).ok_or_else(wrong)?;
        Ok(Rate(value))
    }
}

/// A name, code or id in a body: text or whole number.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
pub enum Reference {
    Number(u64),
    Text(String),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reference::Number(number) => write!(f, "{number}"),
            Reference::Text(text) => f.write_str(text),
        }
    }
}

/// By code, name, number of the books, or the id the face shows; in this order, as codes are what people write.
pub fn account(books: &Books, wanted: &str) -> Result<AccountId, Problem> {
    books
        .account_by_code(wanted)
        .or_else(|| books.accounts.values().find(|a| a.name.eq_ignore_ascii_case(wanted)).map(|a| a.id))
        .or_else(|| known_id(books, "Account", wanted).filter(|id| books.accounts.contains_key(id)))
        .ok_or_else(|| Problem::missing(format!("{} has no account with the code, name or id {wanted}", books.name)))
}

pub fn contact(books: &Books, wanted: &str) -> Result<ContactId, Problem> {
    let by_name = books.contacts.values().find(|c| c.name.eq_ignore_ascii_case(wanted)).map(|c| c.id);
    by_name
        .or_else(|| known_id(books, "Contact", wanted).filter(|id| books.contacts.contains_key(id)))
        .ok_or_else(|| Problem::missing(format!("{} has no contact with the name or id {wanted}", books.name)))
}

/// By number of the books or the id the face shows.
pub fn document(books: &Books, wanted: &str) -> Result<DocumentId, Problem> {
    let words = ["Invoice", "CreditNote", "Payment", "BankTransaction", "BankTransfer", "ManualJournal"];
    let by_number = wanted.parse().ok().filter(|id| books.documents.contains_key(id));
    by_number
        .or_else(|| words.iter().find_map(|word| known_id(books, word, wanted)).filter(|id| books.documents.contains_key(id)))
        .ok_or_else(|| Problem::missing(format!("{} has no document {wanted}", books.name)))
}

fn known_id(books: &Books, kind: &str, wanted: &str) -> Option<u64> {
    wanted.parse().ok().or_else(|| books.id_of_guid(kind, wanted))
}

/// The id under which the face shows an account.
pub fn shown_account(books: &Books, account: &Account) -> String {
    shown(books, "Account", account.id)
}

pub fn shown_contact(books: &Books, contact: ContactId) -> String {
    shown(books, "Contact", contact)
}

/// The id under which the face shows a document.
pub fn shown_document(books: &Books, document: &Document) -> String {
    let word = match document.kind {
        Kind::Invoice | Kind::Bill => "Invoice",
        Kind::CreditMemo | Kind::VendorCredit => "CreditNote",
        Kind::Payment | Kind::BillPayment => "Payment",
        Kind::SalesReceipt | Kind::RefundReceipt | Kind::Expense | Kind::Deposit => "BankTransaction",
        Kind::Transfer => "BankTransfer",
        Kind::Journal => "ManualJournal",
    };
    shown(books, word, document.id)
}

fn shown(books: &Books, word: &str, id: u64) -> String {
    match books.face {
        Face::QuickBooks => id.to_string(),
        Face::Xero => books.guid(word, id),
    }
}
