//! ManualJournals, and Journals: the append-only general ledger.
//!
//! Contract: providers/xero.md section 4 and 6.17.
use super::json::{Object, array};
use super::{Detail, advances, dates, history, lines, payments, settings, tracking};
use crate::books::xero::AmountTypes;
use crate::books::{AccountType, Basis, Books, Document, Journal, Kind, NO_DOCUMENT, Posting, Status};
use crate::money::Cents;

/// DRAFT posts nothing; DELETED was a draft, VOIDED was posted.
pub fn manual_status(document: &Document) -> &'static str {
    match document.status {
        Status::Draft => "DRAFT",
        Status::Active => "POSTED",
        Status::Voided => "VOIDED",
        Status::Deleted => "DELETED",
    }
}

pub fn manual_journal(books: &Books, document: &Document, detail: Detail) -> String {
    let with_lines = matches!(detail, Detail::Paged | Detail::Single);
    let details = books.xero.documents.get(&document.id);
    let inclusive = details.is_some_and(|details| details.amount_types == Some(AmountTypes::Inclusive));
    let shown = document.lines.len().saturating_sub(details.map_or(0, |details| details.tax_lines));
    let journal_lines: Vec<String> = document.lines[..shown]
        .iter()
        .filter(|_| with_lines)
        .map(|line| {
            let code = books.accounts.get(&line.account).map(|a| a.code.as_str()).filter(|code| !code.is_empty());
            Object::new()
                .text("Description", &line.description)
                .text("TaxType", lines::tax_type(books, line.tax_rate))
                .money("TaxAmount", line.tax_amount.unwrap_or_default())
                .money("LineAmount", if inclusive { line.amount + line.tax_amount.unwrap_or_default() } else { line.amount })
                .maybe("AccountCode", code)
                .list("Tracking", &tracking::on_line(books, &line.tracking, detail == Detail::Single))
                .text("AccountID", &books.guid("Account", line.account))
                .flag("IsBlank", false)
                .end()
        })
        .collect();
    Object::new()
        .raw("Date", &dates::ms_date(document.date))
        .text("Status", manual_status(document))
        .text("LineAmountTypes", if details.is_some() { lines::amount_types(books, document) } else { "NoTax" })
        .raw("UpdatedDateUTC", &dates::ms_time(document.updated_at))
        .text("ManualJournalID", &books.guid("ManualJournal", document.id))
        .text("Narration", narration(document))
        .list("JournalLines", &journal_lines)
        .flag("ShowOnCashBasisReports", !details.is_some_and(|details| details.hidden_on_cash_basis))
        .maybe("Url", details.map(|details| details.url.as_str()).filter(|url| !url.is_empty()))
        .flag("HasAttachments", history::has_attachments(books, "ManualJournal", document.id))
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"))
        .end()
}

/// Xero requires a narration; the number stands in for an empty memo.
pub fn narration(document: &Document) -> &str {
    if document.memo.is_empty() { &document.number } else { &document.memo }
}

/// The entity a document is listed under: the word of its guid and of the truth.
pub fn entity(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoice | Kind::Bill => "Invoice",
        Kind::CreditMemo | Kind::VendorCredit => "CreditNote",
        Kind::Payment | Kind::BillPayment => "Payment",
        Kind::SalesReceipt | Kind::RefundReceipt | Kind::Expense | Kind::Deposit => "BankTransaction",
        Kind::Transfer => "BankTransfer",
        Kind::Journal => "ManualJournal",
    }
}

fn source_type(books: &Books, journal: &Journal) -> &'static str {
    if let (Some(advance), Some(document)) = (books.advance(journal.document), books.documents.get(&journal.document)) {
        return advances::source_type(document, advance);
    }
    if books.documents.get(&journal.document).is_some_and(Document::is_of_a_claim) {
        return if journal.kind == Kind::Journal { "EXPCLAIM" } else { "EXPPAYMENT" };
    }
    match journal.kind {
        Kind::Invoice => "ACCREC",
        Kind::Bill => "ACCPAY",
        Kind::CreditMemo => "ACCRECCREDIT",
        Kind::VendorCredit => "ACCPAYCREDIT",
        Kind::Payment | Kind::BillPayment => match books.documents.get(&journal.document) {
            Some(payment) => payments::payment_type(books, payment),
            None => "ACCRECPAYMENT",
        },
        Kind::SalesReceipt | Kind::Deposit => "CASHREC",
        Kind::Expense | Kind::RefundReceipt => "CASHPAID",
        Kind::Transfer => "TRANSFER",
        Kind::Journal => "MANJOURNAL",
    }
}

/// The id of what a journal was posted for.
fn source_id(books: &Books, journal: &Journal) -> String {
    if let (Kind::Journal, Some(claim)) = (journal.kind, books.claim_of(journal.document)) {
        return books.guid("ExpenseClaim", claim.id);
    }
    let is_payment = books.documents.get(&journal.document).is_some_and(Document::is_of_a_claim);
    let word = if is_payment { "Payment" } else { books.advance(journal.document).map_or(entity(journal.kind), advances::word) };
    books.guid(word, journal.document)
}

/// One journal; `with_source` is false by id or number, where Xero leaves SourceID and SourceType out.
/// Journals of the two bases are numbered apart, and so have ids apart.
pub fn journal(books: &Books, journal: &Journal, basis: Basis, with_source: bool) -> String {
    let (journal_id, line_id) = match basis {
        Basis::Accrual => ("Journal", "JournalLine"),
        Basis::Cash => ("CashJournal", "CashJournalLine"),
    };
    let document = books.documents.get(&journal.document);
    let journal_lines: Vec<String> = journal
        .postings
        .iter()
        .enumerate()
        .map(|(index, posting)| line(books, journal, posting, &books.guid(line_id, journal.number * 1_000 + index as u64)))
        .collect();
    let object = Object::new()
        .text("JournalID", &books.guid(journal_id, journal.number))
        .raw("JournalDate", &dates::ms_date_bare(journal.date))
        .number("JournalNumber", journal.number)
        .raw("CreatedDateUTC", &dates::ms_time(journal.created_at));
    let object = match document {
        // journals never change, so what a person may still edit on the document is not shown here
        Some(document) => object.text("Reference", &document.number),
        None => object,
    };
    object
        .when(with_source && journal.document != NO_DOCUMENT, |object| {
            object.text("SourceID", &source_id(books, journal)).text("SourceType", source_type(books, journal))
        })
        .raw("JournalLines", &array(&journal_lines))
        .end()
}

fn line(books: &Books, journal: &Journal, posting: &Posting, id: &str) -> String {
    let account = books.accounts.get(&posting.account);
    let object = Object::new().text("JournalLineID", id).text("AccountID", &books.guid("Account", posting.account));
    let object = match account {
        Some(account) => object
            .maybe("AccountCode", Some(account.code.as_str()).filter(|code| !code.is_empty()))
            .text("AccountType", settings::account_type(account))
            .text("AccountName", &account.name),
        None => object,
    };
    let object = object
        .text("Description", &posting.description)
        .money("NetAmount", posting.amount)
        .money("GrossAmount", if is_split(journal, posting) { Cents::ZERO } else { posting.amount + posting.tax })
        .money("TaxAmount", posting.tax);
    let object = match tax(books, journal, posting) {
        Some((code, name)) => object.text("TaxType", &code).text("TaxName", &name),
        None => object,
    };
    object.list("TrackingCategories", &tracking::on_line(books, &posting.tracking, true)).end()
}

/// Recorded: control and tax lines that are split by tracking have no gross amount.
fn is_split(journal: &Journal, posting: &Posting) -> bool {
    let other_part = |other: &Posting| other.account == posting.account && other.tax_rate.is_none() && other.tracking != posting.tracking;
    posting.tax_rate.is_none() && journal.postings.iter().any(|other| !other.tracking.is_empty()) && journal.postings.iter().any(other_part)
}

/// Tax code and name: absent on receivable, payable and tax lines and on the bank side; BASEXCLUDED on conversion balances.
fn tax(books: &Books, journal: &Journal, posting: &Posting) -> Option<(String, String)> {
    if journal.document == NO_DOCUMENT {
        return Some(("BASEXCLUDED".into(), "BAS Excluded".into()));
    }
    if posting.tax_rate.is_some() {
        return Some((lines::tax_type(books, posting.tax_rate).into(), lines::tax_name(books, posting.tax_rate)));
    }
    use AccountType::*;
    let account_type = books.accounts.get(&posting.account)?.account_type;
    let own = matches!(account_type, Bank | CreditCard | Receivable | Payable | TaxPayable | CurrencyGain);
    let untaxed = matches!(journal.kind, Kind::Payment | Kind::BillPayment | Kind::Transfer);
    (!own && !untaxed).then(|| ("NONE".into(), lines::tax_name(books, None)))
}
