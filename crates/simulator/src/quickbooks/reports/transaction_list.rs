//! TransactionList, with splits, and by customer and vendor: one row per transaction, or one per posting.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/transactionlist>
use super::general_ledger::type_name;
use super::period::Period;
use super::{Parameters, cell, cells, column, data_row, frame, header, named_cell};
use crate::books::{ContactId, Document, Posting};
use crate::money::Cents;
use crate::quickbooks::moments;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use std::collections::BTreeMap;

type Column = (&'static str, &'static str, &'static str);

const COLUMNS: [Column; 17] = [
    ("tx_date", "Date", "Date"),
    ("txn_type", "Transaction Type", "String"),
    ("doc_num", "Num", "String"),
    ("is_no_post", "Posting", "Boolean"),
    ("name", "Name", "String"),
    ("memo", "Memo/Description", "String"),
    ("account_name", "Account", "String"),
    ("other_account", "Split", "String"),
    ("subt_nat_amount", "Amount", "Money"),
    ("create_date", "Create Date", "String"),
    ("last_mod_date", "Last Modified", "String"),
    ("due_date", "Due Date", "Date"),
    ("term_name", "Terms", "String"),
    ("pmt_mthd", "Payment Method", "String"),
    ("currency", "Currency", "String"),
    ("debt_amt", "Debit", "Money"),
    ("credit_amt", "Credit", "Money"),
];

/// What is shown without being asked.
const USUAL: usize = 9;

fn columns(parameters: &Parameters) -> Result<Vec<Column>, Refusal> {
    let Some(keys) = parameters.get("columns") else { return Ok(COLUMNS[..USUAL].to_vec()) };
    let find = |key: &str| {
        let known = COLUMNS.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(key));
        known.ok_or_else(|| Refusal::invalid_parameter("columns", format!("Unknown column. Supplied value:{key}")))
    };
    keys.split(',').map(str::trim).filter(|key| !key.is_empty()).map(find).collect()
}

/// A row's cells, in the order of the columns, with what it is sorted by.
struct Row<'a> {
    document: &'a Document,
    /// Of a list with splits.
    posting: Option<Posting>,
}

/// `by_customer`: sections per customer or vendor instead of one flat list.
pub fn report(view: &View, name: &'static str, by_customer: Option<bool>, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let columns = columns(parameters)?;
    let kept = view.books.documents_between(period.from, period.to).filter(|document| {
        let about = || view.books.postings(document).iter().any(|posting| period.filter.keeps_posting(view, document, posting));
        period.filter.keeps_document(view, document) && (period.filter.is_empty() || about())
    });
    let mut rows: Vec<Row> = kept.map(|document| Row { document, posting: None }).collect();
    sort(view, &mut rows, parameters)?;
    let rows: Vec<Json> = match (by_customer, name) {
        (None, "TransactionListWithSplits") => rows.iter().map(|row| with_splits(view, row.document, &columns)).collect(),
        (None, _) => rows.iter().map(|row| data_row(cells_of(view, row, &columns)).into()).collect(),
        (Some(customers), _) => {
            let mut groups: BTreeMap<(String, ContactId), Vec<Row>> = BTreeMap::new();
            for row in rows {
                let Some(contact) = row.document.contact.and_then(|id| view.books.contacts.get(&id)) else { continue };
                if if customers { contact.is_customer } else { contact.is_supplier } {
                    groups.entry((view.contact_name(contact.id), contact.id)).or_default().push(row);
                }
            }
            groups.into_iter().map(|((name, id), rows)| section(view, named_cell(name.clone(), id), &name, &rows, &columns)).collect()
        }
    };
    let is_empty = rows.is_empty();
    let columns = columns.iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", (*key).to_owned())])).collect();
    Ok(frame(header(view, name, period, None, false, is_empty), columns, rows))
}

/// "sort_by, sort_order (ascend, descend)" (contract 6.2); by date and then id without.
fn sort(view: &View, rows: &mut [Row], parameters: &Parameters) -> Result<(), Refusal> {
    if let Some(key) = parameters.get("sort_by") {
        let column = COLUMNS.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(key));
        let column = column.ok_or_else(|| Refusal::invalid_parameter("sort_by", format!("Unknown column. Supplied value:{key}")))?;
        rows.sort_by_cached_key(|row| {
            let cells = cells_of(view, row, &[column]);
            let text = cells
                .first()
                .and_then(|cell| cell.get("value"))
                .and_then(|value| if let Json::Text(text) = value { Some(text.clone()) } else { None });
            let text = text.unwrap_or_default();
            (Cents::parse(&text).filter(|_| column.2 == "Money"), text.to_lowercase(), row.document.id)
        });
    }
    match parameters.get("sort_order").map(str::to_ascii_lowercase).as_deref() {
        None | Some("ascend") => {}
        Some("descend") => rows.reverse(),
        Some(other) => return Err(Refusal::invalid_parameter("sort_order", format!("Supplied value:{other}. Valid values are ascend, descend"))),
    }
    Ok(())
}

fn section(view: &View, head: Object, name: &str, rows: &[Row], columns: &[Column]) -> Json {
    let total: Cents = rows.iter().map(|row| view.books.total(row.document).at(row.document.rate)).sum();
    let inside: Vec<Json> = rows.iter().map(|row| data_row(cells_of(view, row, columns)).into()).collect();
    let summary = columns.iter().enumerate().map(|(index, (key, ..))| match *key {
        _ if index == 0 => cell(format!("Total for {name}")),
        "subt_nat_amount" => cell(total.to_string()),
        _ => cell(""),
    });
    Object::new()
        .put("Header", cells(std::iter::once(head).chain(columns.iter().skip(1).map(|_| cell(""))).collect()))
        .put("Rows", Object::new().put("Row", inside))
        .put("Summary", cells(summary.collect()))
        .put("type", "Section")
        .into()
}

/// A transaction with all that it posts.
fn with_splits(view: &View, document: &Document, columns: &[Column]) -> Json {
    let rows: Vec<Row> = view.books.postings(document).into_iter().map(|posting| Row { document, posting: Some(posting) }).collect();
    let title = format!("{} {}", type_name(view, document), document.number);
    let inside: Vec<Json> = rows.iter().map(|row| data_row(cells_of(view, row, columns)).into()).collect();
    let head = cells(std::iter::once(named_cell(title.trim().to_owned(), document.id)).chain(columns.iter().skip(1).map(|_| cell(""))).collect());
    Object::new().put("Header", head).put("Rows", Object::new().put("Row", inside)).put("type", "Section").into()
}

fn cells_of(view: &View, row: &Row, columns: &[Column]) -> Vec<Object> {
    let (document, books) = (row.document, view.books);
    let postings = if row.posting.is_some() { Vec::new() } else { books.postings(document) };
    let main = match &row.posting {
        Some(posting) => Some(posting.account),
        None => document.account.or_else(|| postings.first().map(|posting| posting.account)),
    };
    let of_account = |id: Option<u64>| id.map_or_else(|| cell(""), |id| named_cell(view.account_name(id), id));
    let side = |sign: i64| match &row.posting {
        Some(posting) if posting.amount.0 * sign > 0 => cell(posting.amount.abs().to_string()),
        Some(_) => cell(""),
        None => cell(postings.iter().map(|posting| posting.amount).filter(|amount| amount.0 * sign > 0).sum::<Cents>().abs().to_string()),
    };
    let one = |key: &str| match key {
        "tx_date" => cell(document.date.to_string()),
        "txn_type" => named_cell(type_name(view, document), document.id),
        "doc_num" => cell(document.number.clone()),
        "is_no_post" => cell("Yes"),
        "name" => document.contact.map_or_else(|| cell(""), |id| named_cell(view.contact_name(id), id)),
        "memo" => match &row.posting {
            Some(posting) if !posting.description.is_empty() => cell(posting.description.clone()),
            _ => cell(document.memo.clone()),
        },
        "account_name" => of_account(main),
        "other_account" => {
            let mut others: Vec<u64> = postings.iter().map(|posting| posting.account).filter(|id| Some(*id) != main).collect();
            others.sort_unstable();
            others.dedup();
            match others.as_slice() {
                [] => cell(""),
                [other] => of_account(Some(*other)),
                _ => cell("-Split-"),
            }
        }
        "subt_nat_amount" => match &row.posting {
            Some(posting) => cell(posting.amount.to_string()),
            None => cell(books.total(document).at(document.rate).to_string()),
        },
        "create_date" => cell(moments::seconds(document.created_at)),
        "last_mod_date" => cell(moments::seconds(document.updated_at)),
        "due_date" => cell(document.due_date.map(|due| due.to_string()).unwrap_or_default()),
        "term_name" => cell(document.details.term.and_then(|id| books.lists.terms.get(&id)).map_or("", |term| term.name.as_str())),
        "pmt_mthd" => {
            cell(document.details.payment_method.and_then(|id| books.lists.payment_methods.get(&id)).map_or("", |method| method.name.as_str()))
        }
        "currency" => cell(document.currency.clone()),
        "debt_amt" => side(1),
        _ => side(-1),
    };
    columns.iter().map(|(key, ..)| one(key)).collect()
}
