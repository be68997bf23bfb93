//! JournalEntry.
use super::View;
use super::tree::{Json, Object};
use crate::books::{AccountType, Document, Line};
use crate::money::Cents;

/// "TotalAmt (0 on the wire); Line[{Id from "0", Description, Amount > 0, JournalEntryLineDetail}]. A/R or A/P lines need Entity"
/// (contract 7.5).
pub fn entry(view: &View, document: &Document) -> Object {
    let lines: Vec<Object> = document.lines.iter().map(|line| entry_line(view, document, line)).collect();
    let object = Object::new().put("Adjustment", false).put("TotalAmt", Cents::ZERO);
    Object(object.0.into_iter().chain(view.transaction(document).0).collect()).put("Line", lines).put("TxnTaxDetail", Object::new())
}

fn entry_line(view: &View, document: &Document, line: &Line) -> Object {
    let account_type = view.books.accounts.get(&line.account).map(|account| account.account_type);
    let prefers_customer = account_type != Some(AccountType::Payable);
    let entity = line
        .contact
        .or(document.contact)
        .map(|id| Object::new().put("Type", view.contact_type(id, prefers_customer)).put("EntityRef", view.contact_reference(id)));
    Object::new()
        .put("Id", line.id.saturating_sub(1).to_string())
        .put_text("Description", &line.description)
        .put("Amount", view.amount(document, line.amount.abs()))
        .put("DetailType", "JournalEntryLineDetail")
        .put(
            "JournalEntryLineDetail",
            Object::new()
                .put("PostingType", if line.amount.0 < 0 { "Credit" } else { "Debit" })
                .put_some("Entity", entity)
                .put("AccountRef", view.account_reference(line.account)),
        )
        .put("LinkedTxn", Json::List(Vec::new()))
}
