//! JournalEntry.
use super::tree::{Json, Object, reference};
use super::{View, quantity};
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
                .put_some("ClassRef", view.class(document, line))
                .put("AccountRef", view.account_reference(line.account)),
        )
        .put("LinkedTxn", Json::List(Vec::new()))
}

/// "No amounts on the wire: value = cost, only visible in reports" (contract 7.5). The lines on the items' asset accounts carry the item
/// and the change of its quantity.
pub fn inventory_adjustment(view: &View, document: &Document) -> Object {
    let items = document.lines.iter().filter_map(|line| Some((line, view.books.items.get(&line.item?)?)));
    let lines: Vec<Object> = items
        .map(|(line, item)| {
            Object::new().put("Id", line.id.to_string()).put("DetailType", "ItemAdjustmentLineDetail").put(
                "ItemAdjustmentLineDetail",
                Object::new()
                    .put("ItemRef", reference(item.id, &view.shown_name(&item.name, item.active)))
                    .put("QtyDiff", quantity(line.quantity_hundredths)),
            )
        })
        .collect();
    let adjusted = document.lines.iter().find(|line| line.item.is_none()).map(|line| view.account_reference(line.account));
    let object = Object::new().put_some("AdjustAccountRef", adjusted);
    Object(object.0.into_iter().chain(view.transaction(document).0).collect()).put("Line", lines)
}
