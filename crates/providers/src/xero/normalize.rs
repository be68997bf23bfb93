//! Xero's records in neutral words.
use super::wire::{Defect, Fields};
use domain::data_type::DataType;
use domain::document::{AccountClass, AccountFacts, Document, Unreadable};
use domain::record::{RawRecord, RecordState};

/// The same record always gives the same document.
pub fn normalize(record: &RawRecord) -> Result<Document, Unreadable> {
    document(record).map_err(|defect| Unreadable { data_type: record.data_type, id: record.id.clone(), reason: defect.0 })
}

/// A prepayment or overpayment is a bank transaction with a second id, and journals name it by that one
/// (<https://developer.xero.com/documentation/api/accounting/overpayments>).
pub fn also_known_as(data_type: DataType, body: &str) -> Vec<String> {
    if data_type != DataType::BankTransaction {
        return Vec::new();
    }
    let Ok(fields) = Fields::parse(body) else { return Vec::new() };
    ["PrepaymentID", "OverpaymentID"].into_iter().filter_map(|name| Some(fields.text(name).ok()??.into_owned())).filter(|id| !id.is_empty()).collect()
}

fn document(record: &RawRecord) -> Result<Document, Defect> {
    let fields = Fields::parse(&record.body)?;
    let text = |name: &str| -> Result<Option<String>, Defect> { Ok(fields.text(name)?.map(|text| text.into_owned())) };
    let mut document = Document {
        data_type: record.data_type,
        id: record.id.clone(),
        state: state(&fields)?,
        date: None,
        number: None,
        name: None,
        contact_id: None,
        currency: None,
        total: None,
        updated_at: fields.instant("UpdatedDateUTC")?,
        account: None,
    };
    match record.data_type {
        DataType::Organisation => {
            document.name = text("Name")?;
            document.currency = text("BaseCurrency")?;
        }
        DataType::Account => {
            document.name = Some(fields.required_text("Name")?.into_owned());
            document.number = text("Code")?;
            document.currency = text("CurrencyCode")?;
            document.account = Some(account(&fields)?);
        }
        DataType::TaxRate => {
            document.name = text("Name")?;
            document.number = Some(record.id.clone());
        }
        DataType::Contact => {
            document.name = text("Name")?;
            document.number = text("ContactNumber")?;
            document.currency = text("DefaultCurrency")?;
        }
        DataType::Invoice | DataType::CreditNote | DataType::BankTransaction => {
            document.date = day_of(&fields)?;
            document.number = text(match record.data_type {
                DataType::Invoice => "InvoiceNumber",
                DataType::CreditNote => "CreditNoteNumber",
                _ => "Reference",
            })?;
            document.contact_id = contact_of(&fields)?;
            document.currency = text("CurrencyCode")?;
            document.total = Some(fields.required_amount("Total")?);
        }
        DataType::Payment => {
            document.date = day_of(&fields)?;
            document.number = text("Reference")?;
            // the amount is in the currency of what is paid, not of the bank account
            document.total = Some(fields.required_amount("Amount")?);
            for paid in ["Invoice", "CreditNote", "Prepayment", "Overpayment"] {
                if let Some(paid) = fields.object(paid)? {
                    document.contact_id = contact_of(&paid)?;
                    document.currency = paid.text("CurrencyCode")?.map(|code| code.into_owned());
                }
            }
        }
        DataType::BankTransfer => {
            document.date = day_of(&fields)?;
            document.number = text("Reference")?;
            document.total = Some(fields.required_amount("Amount")?);
            document.currency =
                fields.object("FromBankAccount")?.map(|account| account.text("CurrencyCode")).transpose()?.flatten().map(|code| code.into_owned());
            document.updated_at = fields.instant("CreatedDateUTC")?;
        }
        DataType::ManualJournal => {
            document.date = day_of(&fields)?;
            document.name = text("Narration")?;
        }
        other => return Err(Defect(format!("Xero has no data type {other}"))),
    }
    Ok(document)
}

/// Status words grow over time; one we do not know leaves the record in its ordinary state.
fn state(fields: &Fields<'_>) -> Result<RecordState, Defect> {
    let status = match fields.text("Status")? {
        Some(status) => Some(status),
        None => fields.text("ContactStatus")?,
    };
    Ok(match status.as_deref() {
        // a contact whose personal data was erased on request is kept like an archived one
        Some("ARCHIVED" | "GDPRREQUEST") => RecordState::Archived,
        Some("VOIDED") => RecordState::Voided,
        Some("DELETED") => RecordState::Deleted,
        _ => RecordState::Active,
    })
}

/// Every transaction has a date, but for drafts and what became of them.
fn day_of(fields: &Fields<'_>) -> Result<Option<jiff::civil::Date>, Defect> {
    let day = fields.day("Date")?;
    let may_lack_it = matches!(fields.text("Status")?.as_deref(), Some("DRAFT" | "SUBMITTED" | "DELETED"));
    if day.is_none() && !may_lack_it {
        return Err(Defect("Date is missing".into()));
    }
    Ok(day)
}

fn contact_of(fields: &Fields<'_>) -> Result<Option<String>, Defect> {
    let Some(contact) = fields.object("Contact")? else { return Ok(None) };
    Ok(contact.text("ContactID")?.map(|id| id.into_owned()))
}

fn account(fields: &Fields<'_>) -> Result<AccountFacts, Defect> {
    let account_type = fields.text("Type")?.unwrap_or_default();
    let class = match fields.text("Class")?.as_deref() {
        Some("ASSET") => AccountClass::Asset,
        Some("LIABILITY") => AccountClass::Liability,
        Some("EQUITY") => AccountClass::Equity,
        Some("REVENUE") => AccountClass::Revenue,
        Some("EXPENSE") => AccountClass::Expense,
        Some(_) => return Err(Defect("Class is none of Xero's five classes".into())),
        None => class_of_type(&account_type).ok_or_else(|| Defect("Class is missing, and Type does not tell it".into()))?,
    };
    let role = fields.text("SystemAccount")?.unwrap_or_default();
    Ok(AccountFacts {
        class,
        account_type: account_type.into_owned(),
        is_retained_earnings: role == "RETAINEDEARNINGS",
        role: role.into_owned(),
        parent_id: None,
    })
}

/// <https://developer.xero.com/documentation/api/accounting/types#account-types>
fn class_of_type(account_type: &str) -> Option<AccountClass> {
    Some(match account_type {
        "BANK" | "CURRENT" | "FIXED" | "INVENTORY" | "NONCURRENT" | "PREPAYMENT" => AccountClass::Asset,
        "CURRLIAB" | "LIABILITY" | "TERMLIAB" | "PAYG" | "PAYGLIABILITY" | "SUPERANNUATIONLIABILITY" => AccountClass::Liability,
        "EQUITY" => AccountClass::Equity,
        "REVENUE" | "SALES" | "OTHERINCOME" => AccountClass::Revenue,
        "EXPENSE" | "DIRECTCOSTS" | "OVERHEADS" | "DEPRECIATN" | "WAGESEXPENSE" | "SUPERANNUATIONEXPENSE" => AccountClass::Expense,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xero::fetch::{resource_of, split};
    use crate::xero::wire::Envelope;
    use domain::money::Amount;
    use jiff::civil::date;

    fn records(data_type: DataType, body: &str) -> Vec<RawRecord> {
        let resource = resource_of(data_type).unwrap();
        let (records, unreadable) = split(resource, &Envelope::parse(body, resource.list).unwrap(), 1);
        assert!(unreadable.is_empty());
        records
    }
    fn one(data_type: DataType, body: &str) -> Result<Document, String> {
        normalize(&RawRecord { data_type, id: "x".into(), body: body.into(), updated_at: None, deleted: false })
            .map_err(|unreadable| unreadable.reason)
    }

    #[test]
    fn accounts_tell_class_role_and_state() {
        let accounts: Vec<Document> =
            records(DataType::Account, include_str!("fixtures/accounts.json")).iter().map(|r| normalize(r).unwrap()).collect();
        let told: Vec<_> = accounts
            .iter()
            .map(|document| {
                let facts = document.account.as_ref().unwrap();
                (
                    document.name.as_deref().unwrap(),
                    document.number.as_deref(),
                    document.state,
                    facts.class,
                    facts.role.as_str(),
                    facts.is_retained_earnings,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Business Bank Account", None, RecordState::Active, AccountClass::Asset, "", false),
                ("Sales", Some("200"), RecordState::Active, AccountClass::Revenue, "", false),
                ("Accounts Receivable", Some("610"), RecordState::Active, AccountClass::Asset, "DEBTORS", false),
                ("Old Motor Vehicle", Some("449"), RecordState::Archived, AccountClass::Expense, "", false),
                ("Retained Earnings", Some("960"), RecordState::Active, AccountClass::Equity, "RETAINEDEARNINGS", true),
            ]
        );
        assert_eq!(accounts[0].currency.as_deref(), Some("NZD"));
        assert_eq!(accounts[1].account.as_ref().unwrap().account_type, "REVENUE");
    }

    // proves C15 in part
    #[test]
    fn voided_deleted_and_archived_are_three_states() {
        let invoices: Vec<Document> =
            records(DataType::Invoice, include_str!("fixtures/invoices.json")).iter().map(|r| normalize(r).unwrap()).collect();
        let states: Vec<RecordState> = invoices.iter().map(|invoice| invoice.state).collect();
        assert_eq!(states, [RecordState::Active, RecordState::Voided, RecordState::Deleted, RecordState::Active]);
        assert_eq!(invoices[0].number.as_deref(), Some("INV-0042"));
        assert_eq!(invoices[0].date, Some(date(2026, 4, 16)));
        assert_eq!(invoices[0].total, Some(Amount(11_500_000)));
        assert_eq!(invoices[0].currency.as_deref(), Some("NZD"));
        assert_eq!(invoices[0].contact_id.as_deref(), Some("5cc8cf28-567e-4d43-b287-687cfcaec47c"));
        assert_eq!(invoices[0].updated_at.unwrap().as_millisecond(), 1_776_297_612_345);
        // before 1970, and the total as a text
        assert_eq!(invoices[3].date, Some(date(1969, 12, 31)));
        assert_eq!(invoices[3].total, Some(Amount(869_600)));
        assert_eq!(one(DataType::Contact, r#"{"Name":"A","ContactStatus":"ARCHIVED"}"#).unwrap().state, RecordState::Archived);
        assert_eq!(one(DataType::Contact, r#"{"Name":"A","ContactStatus":"GDPRREQUEST"}"#).unwrap().state, RecordState::Archived);
        assert_eq!(one(DataType::ManualJournal, r#"{"Status":"VOIDED","Date":"/Date(0+0000)/"}"#).unwrap().state, RecordState::Voided);
        assert_eq!(one(DataType::TaxRate, r#"{"Name":"GST","Status":"DELETED"}"#).unwrap().state, RecordState::Deleted);
    }

    #[test]
    fn an_overpayment_has_the_id_of_its_bank_transaction_and_one_of_its_own() {
        let body = r#"{"BankTransactionID":"b","Type":"RECEIVE-OVERPAYMENT","OverpaymentID":"o","PrepaymentID":""}"#;
        assert_eq!(also_known_as(DataType::BankTransaction, body), ["o"]);
        assert!(also_known_as(DataType::BankTransaction, r#"{"BankTransactionID":"b"}"#).is_empty());
        assert!(also_known_as(DataType::Invoice, body).is_empty() && also_known_as(DataType::BankTransaction, "<").is_empty());
    }

    #[test]
    fn payments_and_transfers_say_what_they_move() {
        let payment = one(
            DataType::Payment,
            r#"{"Date":"\/Date(1776297600000+0000)\/","Amount":50.00,"BankAmount":70.10,"Status":"AUTHORISED","Reference":"",
                "Invoice":{"InvoiceID":"i","CurrencyCode":"USD","Contact":{"ContactID":"c"}}}"#,
        )
        .unwrap();
        assert_eq!((payment.total, payment.currency.as_deref(), payment.contact_id.as_deref()), (Some(Amount(500_000)), Some("USD"), Some("c")));
        assert_eq!(payment.number, None);
        let transfer = one(
            DataType::BankTransfer,
            r#"{"Date":"/Date(1776297600000+0000)/","Amount":20,"CreatedDateUTC":"/Date(1000+0000)/","Status":"DELETED"}"#,
        )
        .unwrap();
        assert_eq!((transfer.total, transfer.state), (Some(Amount(200_000)), RecordState::Deleted));
        assert_eq!(transfer.updated_at.unwrap().as_second(), 1);
    }

    // proves F10 in part
    #[test]
    fn what_cannot_be_read_names_its_field_and_no_value() {
        let cases = [
            (DataType::Invoice, r#"{"Date":"/Date(0+0000)/","Total":1.23456}"#, "Total has more than 4 decimals"),
            (DataType::Invoice, r#"{"Date":"/Date(0+0000)/","Total":null}"#, "Total is missing"),
            (DataType::Invoice, r#"{"Date":"/Date(0+0000)/"}"#, "Total is missing"),
            (DataType::Invoice, r#"{"Date":"last week","Total":1}"#, "Date is not a date"),
            (DataType::Invoice, r#"{"Status":"AUTHORISED","Total":1}"#, "Date is missing"),
            (DataType::Invoice, r#"{"Date":"/Date(0+0000)/","Total":1,"Contact":"x"}"#, "Contact is not an object"),
            (DataType::Invoice, r#"{"Date":"/Date(0+0000)/","Total":1,"InvoiceNumber":["x"]}"#, "InvoiceNumber is not a text"),
            (DataType::Invoice, r#"{"Date":"/Date(0+0000)/","Total":1,"UpdatedDateUTC":"x"}"#, "UpdatedDateUTC is not a point in time"),
            (DataType::Payment, r#"{"Date":"/Date(0+0000)/","Amount":"a lot"}"#, "Amount is not a decimal number"),
            (DataType::Account, r#"{"Name":"A","Type":"NEWTYPE"}"#, "Class is missing, and Type does not tell it"),
            (DataType::Account, r#"{"Name":"A","Class":"SECRET"}"#, "Class is none of Xero's five classes"),
            (DataType::Account, r#"{"Class":"ASSET"}"#, "Name is missing"),
            (DataType::Invoice, r#"{"Total":1"#, "it is not a whole JSON object"),
            (DataType::Invoice, "<html></html>", "it is not a whole JSON object"),
            (DataType::Bill, "{}", "Xero has no data type Bill"),
        ];
        for (data_type, body, reason) in cases {
            assert_eq!(one(data_type, body).unwrap_err(), reason, "{body}");
        }
        assert!(one(DataType::Invoice, r#"{"Status":"DRAFT","Total":1}"#).unwrap().date.is_none());
        assert_eq!(one(DataType::Account, r#"{"Name":"A","Type":"PAYG"}"#).unwrap().account.unwrap().class, AccountClass::Liability);
    }
}
