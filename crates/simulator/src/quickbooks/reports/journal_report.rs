//! JournalReport: every transaction of a period with all its postings.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/journalreport>: the first row of a transaction has its
//! date, type and number, the others the placeholder `0-00-00`; then its totals, then a blank row.
use super::general_ledger::type_name;
use super::period::Period;
use super::{TOO_LARGE, cell, cells, column, data_row, frame, header, named_cell};
use crate::books::{AccountType, Document, Posting};
use crate::money::Cents;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

const COLUMNS: [(&str, &str, &str); 8] = [
    ("tx_date", "Date", "Date"),
    ("txn_type", "Transaction Type", "String"),
    ("doc_num", "Num", "String"),
    ("name", "Name", "String"),
    ("memo", "Memo/Description", "String"),
    ("account_name", "Account", "String"),
    ("debt_amt", "Debit", "Money"),
    ("credit_amt", "Credit", "Money"),
];

pub fn report(view: &View, period: &Period, max_cells: u64) -> Object {
    let width = COLUMNS.len() as u64;
    let blank = || data_row(COLUMNS.iter().map(|_| cell("")).collect());
    let mut rows: Vec<Json> = Vec::new();
    let mut cells_left = max_cells;
    for document in view.books.documents_between(period.from, period.to).filter(|document| period.filter.keeps_document(view, document)) {
        let mut postings = view.books.on(period.basis).postings(document);
        postings.retain(|posting| period.filter.keeps_posting(view, document, posting));
        if postings.is_empty() {
            continue;
        }
        let needed = width * (postings.len() as u64 + 2);
        if cells_left < needed {
            rows.push(data_row(std::iter::once(cell(TOO_LARGE)).chain(COLUMNS.iter().skip(1).map(|_| cell(""))).collect()).into());
            break;
        }
        cells_left -= needed;
        let (mut debits, mut credits) = (Cents::ZERO, Cents::ZERO);
        for (index, posting) in postings.iter().enumerate() {
            if posting.amount.0 > 0 {
                debits += posting.amount;
            } else {
                credits += -posting.amount;
            }
            let row = data_row(line(view, document, posting, index == 0));
            rows.push(Json::Written(serde_json::to_string(&row).expect("a tree is JSON")));
        }
        let totals = COLUMNS.iter().map(|(key, ..)| match *key {
            "debt_amt" => cell(short(debits)),
            "credit_amt" => cell(short(credits)),
            _ => cell(""),
        });
        rows.push(Object::new().put("Summary", cells(totals.collect())).put("type", "Section").into());
        rows.push(blank().into());
    }
    let is_empty = rows.is_empty();
    let columns = COLUMNS.iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", (*key).to_owned())])).collect();
    frame(header(view, "JournalReport", period, None, false, is_empty), columns, rows)
}

fn line(view: &View, document: &Document, posting: &Posting, is_first: bool) -> Vec<Object> {
    let account_type = view.books.accounts.get(&posting.account).map(|account| account.account_type);
    // Names stand on the lines of a journal entry that have one, and on the main line of everything else.
    let shows_name = is_first || matches!(account_type, Some(AccountType::Receivable | AccountType::Payable));
    let name = posting.contact.filter(|_| shows_name).map_or_else(|| cell(""), |id| named_cell(view.contact_name(id), id));
    let memo = if posting.description.is_empty() { document.memo.clone() } else { posting.description.clone() };
    vec![
        cell(if is_first { document.date.to_string() } else { "0-00-00".to_owned() }),
        if is_first { named_cell(type_name(view, document), document.id) } else { cell("") },
        cell(if is_first { document.number.as_str() } else { "" }),
        name,
        cell(memo),
        named_cell(view.account_name(posting.account), posting.account),
        cell(if posting.amount.0 > 0 { short(posting.amount) } else { String::new() }),
        cell(if posting.amount.0 < 0 { short(-posting.amount) } else { String::new() }),
    ]
}

/// "Values under 1 print .44 in journal-type reports" (contract 6.3).
fn short(amount: Cents) -> String {
    let text = amount.to_string();
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}
