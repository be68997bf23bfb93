//! QuickBooks records in neutral words.
use crate::quickbooks::reports::INACTIVE_SUFFIX;
use crate::quickbooks::wire;
use domain::clock::Date;
use domain::data_type::DataType;
use domain::document::{AccountClass, AccountFacts, Document, Unreadable};
use domain::money::{Amount, NotAnAmount};
use domain::record::{RawRecord, RecordState};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The fields of all entities that a document is made of, each left unread until it is asked for, so that what is wrong can be named.
#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(rename = "Active", borrow)]
    active: Option<&'a RawValue>,
    #[serde(rename = "MetaData", borrow)]
    meta: Option<&'a RawValue>,
    #[serde(rename = "TxnDate", borrow)]
    date: Option<&'a RawValue>,
    #[serde(rename = "DocNumber", borrow)]
    number: Option<&'a RawValue>,
    #[serde(rename = "PaymentRefNum", borrow)]
    payment_number: Option<&'a RawValue>,
    #[serde(rename = "AcctNum", borrow)]
    account_number: Option<&'a RawValue>,
    #[serde(rename = "Name", borrow)]
    name: Option<&'a RawValue>,
    #[serde(rename = "FullyQualifiedName", borrow)]
    full_name: Option<&'a RawValue>,
    #[serde(rename = "DisplayName", borrow)]
    display_name: Option<&'a RawValue>,
    #[serde(rename = "CompanyName", borrow)]
    company_name: Option<&'a RawValue>,
    #[serde(rename = "CustomerRef", borrow)]
    customer: Option<&'a RawValue>,
    #[serde(rename = "VendorRef", borrow)]
    vendor: Option<&'a RawValue>,
    #[serde(rename = "EntityRef", borrow)]
    entity: Option<&'a RawValue>,
    #[serde(rename = "CurrencyRef", borrow)]
    currency: Option<&'a RawValue>,
    #[serde(rename = "TotalAmt", borrow)]
    total: Option<&'a RawValue>,
    #[serde(rename = "Amount", borrow)]
    amount: Option<&'a RawValue>,
    #[serde(rename = "PrivateNote", borrow)]
    note: Option<&'a RawValue>,
    #[serde(rename = "Line", borrow)]
    lines: Option<&'a RawValue>,
    #[serde(rename = "Classification", borrow)]
    classification: Option<&'a RawValue>,
    #[serde(rename = "AccountType", borrow)]
    account_type: Option<&'a RawValue>,
    #[serde(rename = "AccountSubType", borrow)]
    account_subtype: Option<&'a RawValue>,
    #[serde(rename = "ParentRef", borrow)]
    parent: Option<&'a RawValue>,
}

/// What is wrong with which field.
struct Wrong(String);

/// The same record always gives the same document; one that cannot be read says which field is the cause.
pub fn document(record: &RawRecord) -> Result<Document, Unreadable> {
    read(record).map_err(|Wrong(reason)| Unreadable { data_type: record.data_type, id: record.id.clone(), reason })
}

fn read(record: &RawRecord) -> Result<Document, Wrong> {
    let data_type = record.data_type;
    let fields: Entity<'_> = serde_json::from_str(&record.body).map_err(|_| Wrong("the record is not a JSON object with distinct keys".into()))?;
    let mut document = Document {
        data_type,
        id: record.id.clone(),
        state: if record.deleted { RecordState::Deleted } else { RecordState::Active },
        date: None,
        number: None,
        name: None,
        contact_id: None,
        currency: reference(fields.currency, "CurrencyRef")?,
        total: None,
        updated_at: updated_at(fields.meta)?.or(record.updated_at),
        account: None,
    };
    // a stub of a deletion has an id and a time, nothing else
    if record.deleted {
        return Ok(document);
    }
    match data_type {
        DataType::CompanyInfo => document.name = text(fields.company_name, "CompanyName")?,
        DataType::Preferences => {}
        DataType::Account | DataType::Customer | DataType::Vendor | DataType::Item => read_name(&fields, &mut document)?,
        _ => read_transaction(&fields, &mut document)?,
    }
    if data_type == DataType::Account {
        document.number = text(fields.account_number, "AcctNum")?;
        document.account = Some(account_facts(&fields)?);
    }
    Ok(document)
}

fn read_name(fields: &Entity<'_>, document: &mut Document) -> Result<(), Wrong> {
    let inactive = match fields.active.map(RawValue::get) {
        None | Some("true") => false,
        Some("false") => true,
        Some(_) => return Err(Wrong("Active is neither true nor false".into())),
    };
    let (name, field) = match document.data_type {
        // unique within the chart, which the name alone is not
        DataType::Account | DataType::Item => (text(fields.full_name, "FullyQualifiedName")?.or(text(fields.name, "Name")?), "Name"),
        _ => (text(fields.display_name, "DisplayName")?, "DisplayName"),
    };
    let mut name = name.ok_or_else(|| Wrong(format!("{field} is missing")))?;
    if inactive {
        document.state = RecordState::Archived;
        // QuickBooks marks the names of inactive records; the state says it already
        let plain = name.strip_suffix(INACTIVE_SUFFIX).or_else(|| name.strip_suffix(" (Deleted)")).map(str::len);
        name.truncate(plain.unwrap_or(name.len()));
    }
    document.name = Some(name);
    Ok(())
}

fn read_transaction(fields: &Entity<'_>, document: &mut Document) -> Result<(), Wrong> {
    document.date = Some(date(fields.date)?);
    document.number = text(fields.number, "DocNumber")?.or(text(fields.payment_number, "PaymentRefNum")?);
    document.contact_id =
        reference(fields.customer, "CustomerRef")?.or(reference(fields.vendor, "VendorRef")?).or(reference(fields.entity, "EntityRef")?);
    document.total = match document.data_type {
        DataType::Transfer => amount(fields.amount, "Amount")?,
        // its TotalAmt is 0 on the wire
        DataType::JournalEntry => Some(debits(fields.lines)?),
        _ => amount(fields.total, "TotalAmt")?,
    };
    // there is no flag: a voided transaction keeps its id, has zeros, and its note begins with the word (7.2 of the contract)
    let voided_note = text(fields.note, "PrivateNote")?.is_some_and(|note| note.starts_with("Voided"));
    if voided_note && document.total == Some(Amount::ZERO) {
        document.state = RecordState::Voided;
    }
    Ok(())
}

/// What a journal entry moves: the sum of its debits.
fn debits(lines: Option<&RawValue>) -> Result<Amount, Wrong> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(rename = "Amount", borrow)]
        amount: Option<&'a RawValue>,
        #[serde(rename = "JournalEntryLineDetail")]
        detail: Option<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(rename = "PostingType")]
        posting_type: Option<String>,
    }
    let Some(lines) = lines else { return Ok(Amount::ZERO) };
    let lines: Vec<Line<'_>> = serde_json::from_str(lines.get()).map_err(|_| Wrong("Line is not a list of lines".into()))?;
    let mut sum = Amount::ZERO;
    for line in lines {
        let is_debit = line.detail.and_then(|detail| detail.posting_type).is_some_and(|posting| posting == "Debit");
        let value = amount(line.amount, "Line.Amount")?.unwrap_or_default();
        if is_debit {
            sum = sum.checked_add(value).ok_or_else(|| Wrong("Line.Amount adds up to too large a sum".into()))?;
        }
    }
    Ok(sum)
}

fn account_facts(fields: &Entity<'_>) -> Result<AccountFacts, Wrong> {
    let account_type = text(fields.account_type, "AccountType")?.unwrap_or_default();
    let class = match text(fields.classification, "Classification")? {
        Some(word) => AccountClass::parse(&word.to_ascii_lowercase()),
        None => class_of_type(&account_type),
    };
    let role = text(fields.account_subtype, "AccountSubType")?.unwrap_or_default();
    Ok(AccountFacts {
        class: class.ok_or_else(|| Wrong("Classification and AccountType name no known class".into()))?,
        is_retained_earnings: role == "RetainedEarnings",
        account_type,
        role,
        parent_id: reference(fields.parent, "ParentRef")?,
    })
}

/// REF/account: the class of each account type.
fn class_of_type(account_type: &str) -> Option<AccountClass> {
    Some(match account_type {
        "Bank" | "Other Current Asset" | "Fixed Asset" | "Other Asset" | "Accounts Receivable" => AccountClass::Asset,
        "Accounts Payable" | "Credit Card" | "Long Term Liability" | "Other Current Liability" => AccountClass::Liability,
        "Equity" => AccountClass::Equity,
        "Income" | "Other Income" => AccountClass::Revenue,
        "Expense" | "Other Expense" | "Cost of Goods Sold" => AccountClass::Expense,
        _ => return None,
    })
}

fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

fn text(raw: Option<&RawValue>, field: &str) -> Result<Option<String>, Wrong> {
    let Some(raw) = present(raw) else { return Ok(None) };
    let text = wire::text(raw).ok_or_else(|| Wrong(format!("{field} is not a text")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn reference(raw: Option<&RawValue>, field: &str) -> Result<Option<String>, Wrong> {
    #[derive(Deserialize)]
    struct Reference {
        value: Option<String>,
    }
    let Some(raw) = present(raw) else { return Ok(None) };
    let reference: Reference = serde_json::from_str(raw.get()).map_err(|_| Wrong(format!("{field} is not a reference")))?;
    Ok(reference.value.filter(|value| !value.is_empty()))
}

fn amount(raw: Option<&RawValue>, field: &str) -> Result<Option<Amount>, Wrong> {
    let Some(raw) = present(raw) else { return Ok(None) };
    // the text of the number, never a float; some answers quote it
    let digits = raw.get().trim_matches('"');
    match Amount::parse(digits) {
        Ok(amount) => Ok(Some(amount)),
        Err(NotAnAmount::TooFine(_)) => Err(Wrong(format!("{field} has more than 4 decimals"))),
        Err(NotAnAmount::TooLarge(_)) => Err(Wrong(format!("{field} is too large"))),
        Err(NotAnAmount::Syntax(_)) => Err(Wrong(format!("{field} is not a decimal number"))),
    }
}

fn date(raw: Option<&RawValue>) -> Result<Date, Wrong> {
    let text = text(raw, "TxnDate")?.ok_or_else(|| Wrong("TxnDate is missing".into()))?;
    if text.len() != 10 {
        return Err(Wrong("TxnDate is not a date".into()));
    }
    text.parse().map_err(|_| Wrong("TxnDate is not a date".into()))
}

fn updated_at(meta: Option<&RawValue>) -> Result<Option<jiff::Timestamp>, Wrong> {
    let Some(meta) = present(meta) else { return Ok(None) };
    wire::last_updated(meta).map(Some).ok_or_else(|| Wrong("MetaData.LastUpdatedTime is not a time with an offset".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(data_type: DataType, body: &str) -> RawRecord {
        RawRecord { data_type, id: "1".into(), body: body.into(), updated_at: None, deleted: false }
    }
    fn good(data_type: DataType, body: &str) -> Document {
        document(&record(data_type, body)).unwrap()
    }
    fn reason(data_type: DataType, body: &str) -> String {
        document(&record(data_type, body)).unwrap_err().reason
    }
    fn fixture(body: &str, data_type: DataType) -> Vec<Document> {
        let answer: wire::QueryAnswer<'_> = serde_json::from_str(body).unwrap();
        let rows = answer.response.unwrap().rows.into_iter().find(|(answered, _)| *answered == data_type).unwrap().1;
        rows.into_iter().map(|raw| document(&wire::record(data_type, raw).unwrap()).unwrap()).collect()
    }

    #[test]
    fn invoices_keep_date_number_contact_currency_and_exact_total() {
        let invoices = fixture(include_str!("fixtures/query_invoice.json"), DataType::Invoice);
        let first = &invoices[0];
        assert_eq!(first.date, Some(jiff::civil::date(2026, 1, 5)));
        assert_eq!(first.number.as_deref(), Some("1037"));
        assert_eq!(first.contact_id.as_deref(), Some("24"));
        assert_eq!(first.currency.as_deref(), Some("USD"));
        assert_eq!(first.total, Some(Amount(6_390_000)));
        assert_eq!(first.state, RecordState::Active);
        assert_eq!(invoices[1].total, Some(Amount(1)));
        // proved by note and zero total, both
        assert_eq!(invoices[2].state, RecordState::Voided);
    }

    // proves C15 in part
    #[test]
    fn inactive_voided_and_deleted_are_three_states() {
        let vendor = good(DataType::Vendor, r#"{"DisplayName":"Amy's (deleted)","Active":false}"#);
        assert_eq!((vendor.state, vendor.name.as_deref()), (RecordState::Archived, Some("Amy's")));
        let voided = r#"{"TxnDate":"2026-01-05","TotalAmt":0,"PrivateNote":"Voided by the owner"}"#;
        assert_eq!(good(DataType::Payment, voided).state, RecordState::Voided);
        assert_eq!(good(DataType::Payment, &voided.replace(":0,", ":5,")).state, RecordState::Active);
        assert_eq!(good(DataType::Payment, &voided.replace("Voided", "Not voided")).state, RecordState::Active);
        let mut stub =
            record(DataType::Invoice, r#"{"status":"Deleted","domain":"QBO","Id":"1","MetaData":{"LastUpdatedTime":"2016-04-13T07:34:31-07:00"}}"#);
        stub.deleted = true;
        let deleted = document(&stub).unwrap();
        assert_eq!((deleted.state, deleted.updated_at.is_some()), (RecordState::Deleted, true));
    }

    #[test]
    fn accounts_have_their_class_role_and_parent() {
        let accounts = fixture(include_str!("fixtures/query_account.json"), DataType::Account);
        let facts: Vec<(&str, AccountClass, bool)> = accounts
            .iter()
            .map(|document| {
                let account = document.account.as_ref().unwrap();
                (document.name.as_deref().unwrap(), account.class, account.is_retained_earnings)
            })
            .collect();
        assert_eq!(
            facts,
            [
                ("Checking", AccountClass::Asset, false),
                ("Truck:Original Cost", AccountClass::Asset, false),
                ("Retained Earnings", AccountClass::Equity, true),
                ("Fees Billed", AccountClass::Revenue, false),
                ("Accounts Payable (A/P)", AccountClass::Liability, false),
            ]
        );
        assert_eq!(accounts[1].account.as_ref().unwrap().parent_id.as_deref(), Some("37"));
        assert_eq!(accounts[1].number.as_deref(), Some("1510"));
        assert_eq!(accounts[3].state, RecordState::Archived);
    }

    #[test]
    fn journal_entries_count_their_debits_and_transfers_their_amount() {
        let entry = r#"{"TxnDate":"2026-01-31","TotalAmt":0,"Line":[{"Id":"0","Amount":10.50,"JournalEntryLineDetail":{"PostingType":"Debit"}},
            {"Id":"1","Amount":4.25,"JournalEntryLineDetail":{"PostingType":"Debit"}},{"Id":"2","Amount":14.75,"JournalEntryLineDetail":{"PostingType":"Credit"}}]}"#;
        assert_eq!(good(DataType::JournalEntry, entry).total, Some(Amount(147_500)));
        assert_eq!(good(DataType::Transfer, r#"{"TxnDate":"2026-01-31","Amount":12.5}"#).total, Some(Amount(125_000)));
    }

    // proves C27 in part
    #[test]
    fn a_record_that_cannot_be_read_names_the_field_and_no_value() {
        let bill = |field: &str| format!(r#"{{"TxnDate":"2026-01-05","TotalAmt":1,{field}}}"#);
        for (data_type, body, expected) in [
            (DataType::Bill, r#"{"TotalAmt":1}"#.to_owned(), "TxnDate is missing"),
            (DataType::Bill, r#"{"TxnDate":"05.01.2026"}"#.to_owned(), "TxnDate is not a date"),
            (DataType::Bill, r#"{"TxnDate":20260105}"#.to_owned(), "TxnDate is not a text"),
            (DataType::Bill, r#"{"TxnDate":"2026-02-30"}"#.to_owned(), "TxnDate is not a date"),
            (DataType::Bill, r#"{"TxnDate":"2026-01-05","TotalAmt":1.00001}"#.to_owned(), "TotalAmt has more than 4 decimals"),
            (DataType::Bill, r#"{"TxnDate":"2026-01-05","TotalAmt":"twelve"}"#.to_owned(), "TotalAmt is not a decimal number"),
            (DataType::Bill, r#"{"TxnDate":"2026-01-05","TotalAmt":1e17}"#.to_owned(), "TotalAmt is too large"),
            (DataType::Bill, r#"{"TxnDate":"2026-01-05","TotalAmt":true}"#.to_owned(), "TotalAmt is not a decimal number"),
            (DataType::Bill, bill(r#""VendorRef":"56""#), "VendorRef is not a reference"),
            (DataType::Bill, bill(r#""MetaData":{"LastUpdatedTime":"yesterday"}"#), "MetaData.LastUpdatedTime is not a time with an offset"),
            (DataType::Bill, r#"{"TxnDate":"2026-01-05","Tot"#.to_owned(), "the record is not a JSON object with distinct keys"),
            (DataType::Customer, r#"{"Active":true}"#.to_owned(), "DisplayName is missing"),
            (DataType::Customer, r#"{"DisplayName":"A","Active":"yes"}"#.to_owned(), "Active is neither true nor false"),
            (DataType::Account, r#"{"Name":"A","AccountType":"Non-Posting"}"#.to_owned(), "Classification and AccountType name no known class"),
            (DataType::JournalEntry, r#"{"TxnDate":"2026-01-05","Line":{}}"#.to_owned(), "Line is not a list of lines"),
        ] {
            assert_eq!(reason(data_type, &body), expected);
        }
    }

    #[test]
    fn unknown_fields_and_nulls_do_no_harm() {
        let document = good(
            DataType::Purchase,
            r#"{"TxnDate":"2026-01-05","TotalAmt":-12.00,"EntityRef":{"value":"9","type":"Vendor"},"DocNumber":null,"Novelty":{"a":[1]}}"#,
        );
        assert_eq!((document.total, document.contact_id.as_deref(), document.number), (Some(Amount(-120_000)), Some("9"), None));
    }
}
