//! FECReport, and the French twins of TrialBalance, GeneralLedger and JournalReport: only companies in France have them (contract 6.1).
//!
//! The file of accounting entries has the eighteen columns of article A47 A-1 of the tax procedures book.
use super::period::Period;
use super::{Parameters, TOO_LARGE, cell, column, data_row, frame, general_ledger, header, journal_report, named_cell, trial_balance};
use crate::books::{AccountType, Document, Kind};
use crate::money::Cents;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

pub fn report(view: &View, name: &'static str, period: &Period, parameters: &Parameters, max_cells: u64) -> Result<Object, Refusal> {
    if view.books.country != "FR" {
        return Err(Refusal::feature_not_supported());
    }
    let mut report = match name {
        "TrialBalanceFR" => trial_balance::report(view, period),
        "GeneralLedgerFR" => general_ledger::report(view, period, parameters, max_cells)?,
        "JournalReportFR" => journal_report::report(view, period, max_cells),
        _ => return Ok(entries(view, period, max_cells)),
    };
    if let Some((_, Json::Object(header))) = report.0.iter_mut().find(|(key, _)| *key == "Header") {
        header.set("ReportName", name.into());
    }
    Ok(report)
}

const COLUMNS: [&str; 18] = [
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
];

fn journal(view: &View, document: &Document) -> (&'static str, &'static str) {
    let is_cash = document.account.and_then(|id| view.books.accounts.get(&id)).is_some_and(|account| account.account_type != AccountType::Bank);
    match document.kind {
        Kind::Invoice | Kind::CreditMemo => ("VT", "Ventes"),
        Kind::Bill | Kind::VendorCredit => ("AC", "Achats"),
        Kind::Journal => ("OD", "Divers"),
        _ if is_cash => ("CA", "Caisse"),
        _ => ("BQ", "Banque"),
    }
}

fn entries(view: &View, period: &Period, max_cells: u64) -> Object {
    let mut rows: Vec<Json> = Vec::new();
    let mut left = max_cells;
    let day = |date: jiff::civil::Date| date.strftime("%Y%m%d").to_string();
    'all: for document in view.books.documents_between(period.from, period.to).filter(|document| period.filter.keeps_document(view, document)) {
        let (code, word) = journal(view, document);
        for posting in view.books.on(period.basis).postings(document) {
            if left < COLUMNS.len() as u64 {
                rows.push(data_row(std::iter::once(cell(TOO_LARGE)).chain(COLUMNS.iter().skip(1).map(|_| cell(""))).collect()).into());
                break 'all;
            }
            left -= COLUMNS.len() as u64;
            let Some(account) = view.books.accounts.get(&posting.account) else { continue };
            let is_control = matches!(account.account_type, AccountType::Receivable | AccountType::Payable);
            let contact = posting.contact.filter(|_| is_control);
            let is_foreign = document.currency != view.books.currency;
            let number = if account.code.is_empty() { account.id.to_string() } else { account.code.clone() };
            let words = if posting.description.is_empty() { document.memo.clone() } else { posting.description.clone() };
            let side = |amount: Cents| cell(if amount.0 > 0 { amount.to_string() } else { "0.00".into() });
            rows.push(
                data_row(vec![
                    cell(code),
                    cell(word),
                    named_cell(document.id.to_string(), document.id),
                    cell(day(document.date)),
                    cell(number),
                    named_cell(view.account_name(account.id), account.id),
                    cell(contact.map(|id| id.to_string()).unwrap_or_default()),
                    cell(contact.map(|id| view.contact_name(id)).unwrap_or_default()),
                    cell(document.number.clone()),
                    cell(day(document.date)),
                    cell(words),
                    side(posting.amount),
                    side(-posting.amount),
                    cell(""),
                    cell(""),
                    cell(day(document.date)),
                    cell(if is_foreign { view.books.total(document).to_string() } else { String::new() }),
                    cell(if is_foreign { document.currency.clone() } else { String::new() }),
                ])
                .into(),
            );
        }
    }
    let is_empty = rows.is_empty();
    let columns = COLUMNS.iter().map(|key| column(key, "String", &[("ColKey", (*key).to_owned())])).collect();
    frame(header(view, "FECReport", period, None, false, is_empty), columns, rows)
}
