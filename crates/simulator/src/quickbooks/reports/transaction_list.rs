//! TransactionList and its variants by customer and vendor: one row per transaction.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/transactionlist>
use super::general_ledger::type_name;
use super::period::Period;
use super::{Parameters, cell, cells, column, data_row, frame, header, named_cell};
use crate::books::{ContactId, Document};
use crate::money::Cents;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: [(&str, &str, &str); 9] = [
    ("tx_date", "Date", "Date"),
    ("txn_type", "Transaction Type", "String"),
    ("doc_num", "Num", "String"),
    ("is_no_post", "Posting", "Boolean"),
    ("name", "Name", "String"),
    ("memo", "Memo/Description", "String"),
    ("account_name", "Account", "String"),
    ("other_account", "Split", "String"),
    ("subt_nat_amount", "Amount", "Money"),
];

/// `by_customer`: sections per customer or vendor instead of one flat list.
pub fn report(view: &View, name: &'static str, by_customer: Option<bool>, period: &Period, parameters: &Parameters) -> Object {
    let wanted = |key: &str| parameters.get(key).map(|ids| ids.split(',').map(|id| id.trim().to_owned()).collect::<BTreeSet<String>>());
    let types = wanted("transaction_type");
    let contacts = wanted("customer").or_else(|| wanted("vendor")).or_else(|| wanted("name"));
    let shown = view.books.documents_between(period.from, period.to).filter(|document| {
        let is_type = types.as_ref().is_none_or(|types| {
            let word = type_name(view, document).replace(' ', "");
            types.iter().any(|kind| kind.replace(' ', "").eq_ignore_ascii_case(&word))
        });
        is_type && contacts.as_ref().is_none_or(|ids| document.contact.is_some_and(|id| ids.contains(&id.to_string())))
    });
    let rows: Vec<Json> = match by_customer {
        None => shown.map(|document| data_row(row(view, document)).into()).collect(),
        Some(customers) => {
            let mut groups: BTreeMap<(String, ContactId), Vec<&Document>> = BTreeMap::new();
            for document in shown {
                let Some(contact) = document.contact.and_then(|id| view.books.contacts.get(&id)) else { continue };
                if if customers { contact.is_customer } else { contact.is_supplier } {
                    groups.entry((view.contact_name(contact.id), contact.id)).or_default().push(document);
                }
            }
            groups.into_iter().map(|((name, id), documents)| section(view, &name, id, &documents)).collect()
        }
    };
    let is_empty = rows.is_empty();
    let columns = COLUMNS.iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", (*key).to_owned())])).collect();
    frame(header(view, name, period, None, false, is_empty), columns, rows)
}

fn section(view: &View, name: &str, id: ContactId, documents: &[&Document]) -> Json {
    let rows: Vec<Json> = documents.iter().map(|document| data_row(row(view, document)).into()).collect();
    let total: Cents = documents.iter().map(|document| view.books.total(document).at(document.rate)).sum();
    let blanks = |count: usize| (0..count).map(|_| cell(""));
    let summary = std::iter::once(cell(format!("Total for {name}"))).chain(blanks(COLUMNS.len() - 2)).chain(std::iter::once(cell(total.to_string())));
    Object::new()
        .put("Header", cells(std::iter::once(named_cell(name, id)).chain(blanks(COLUMNS.len() - 1)).collect()))
        .put("Rows", Object::new().put("Row", rows))
        .put("Summary", cells(summary.collect()))
        .put("type", "Section")
        .into()
}

fn row(view: &View, document: &Document) -> Vec<Object> {
    let postings = view.books.postings(document);
    let main = document.account.or_else(|| postings.first().map(|posting| posting.account));
    let mut others: Vec<u64> = postings.iter().map(|posting| posting.account).filter(|id| Some(*id) != main).collect();
    others.sort_unstable();
    others.dedup();
    let split = match others.as_slice() {
        [] => cell(""),
        [other] => named_cell(view.account_name(*other), other),
        _ => cell("-Split-"),
    };
    vec![
        cell(document.date.to_string()),
        named_cell(type_name(view, document), document.id),
        cell(document.number.clone()),
        cell("Yes"),
        document.contact.map_or_else(|| cell(""), |id| named_cell(view.contact_name(id), id)),
        cell(document.memo.clone()),
        main.map_or_else(|| cell(""), |id| named_cell(view.account_name(id), id)),
        split,
        cell(view.books.total(document).at(document.rate).to_string()),
    ]
}
