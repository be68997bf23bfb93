//! InventoryValuationSummary and InventoryValuationDetail: what is on hand of counted items, and what moved it.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/inventoryvaluationsummary> and its neighbour.
use super::general_ledger::type_name;
use super::period::Period;
use super::{cell, cells, column, data_row, frame, header, named_cell};
use crate::books::Item;
use crate::money::Cents;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

fn items<'a>(view: &View<'a>, period: &Period) -> Vec<&'a Item> {
    let mut items: Vec<&Item> = view.books.counted_items().filter_map(|id| view.books.items.get(&id)).collect();
    items.retain(|item| period.filter.keeps_item(item.id));
    items.sort_by_cached_key(|item| (item.name.to_lowercase(), item.id));
    items
}

/// What one costs on average.
fn each(quantity_hundredths: i64, value: Cents) -> String {
    if quantity_hundredths <= 0 {
        return String::new();
    }
    let cents = i128::from(value.0) * 100 / i128::from(quantity_hundredths);
    Cents(i64::try_from(cents).unwrap_or(i64::MAX)).to_string()
}

pub fn summary(view: &View, name: &'static str, period: &Period) -> Object {
    let mut rows: Vec<Json> = Vec::new();
    let (mut quantities, mut values) = (0, Cents::ZERO);
    for item in items(view, period) {
        let (quantity, value) = view.books.on_hand_at(item.id, period.to);
        (quantities, values) = (quantities + quantity, values + value);
        let sku = view.books.lists.properties.get(&("Item".to_owned(), item.id)).and_then(|own| own.get("Sku"));
        let sku = sku.and_then(|json| serde_json::from_str::<String>(json).ok()).unwrap_or_default();
        let first = named_cell(view.shown_name(&item.name, item.active), item.id);
        rows.push(data_row(vec![first, cell(sku), cell(Cents(quantity).to_string()), cell(value.to_string()), cell(each(quantity, value))]).into());
    }
    let is_empty = rows.is_empty();
    if !is_empty {
        let total = cells(vec![cell("TOTAL"), cell(""), cell(Cents(quantities).to_string()), cell(values.to_string()), cell("")]);
        rows.push(Object::new().put("Summary", total).put("type", "Section").put("group", "GrandTotal").into());
    }
    let columns = [("", "Inventory", "item_name"), ("SKU", "String", "sku"), ("Qty", "Quantity", "qty"), ("Asset Value", "Money", "value")];
    let columns = columns.into_iter().chain([("Calc. Avg", "Money", "avg_cost")]);
    let columns = columns.map(|(title, kind, key)| column(title, kind, &[("ColKey", key.into())])).collect();
    frame(header(view, name, period, Some("Total"), false, is_empty), columns, rows)
}

const DETAIL: [(&str, &str, &str); 8] = [
    ("tx_date", "Date", "Date"),
    ("txn_type", "Transaction Type", "String"),
    ("doc_num", "Num", "String"),
    ("name", "Name", "String"),
    ("quantity", "Qty", "Quantity"),
    ("fifo_cost", "FIFO Cost", "Money"),
    ("qty_on_hand", "Qty On Hand", "Quantity"),
    ("value", "Asset Value", "Money"),
];

pub fn detail(view: &View, name: &'static str, period: &Period) -> Object {
    let mut rows: Vec<Json> = Vec::new();
    for item in items(view, period) {
        let before = crate::quickbooks::dates::day_before(period.from);
        let (mut quantity, mut value) = view.books.on_hand_at(item.id, before);
        let moves = view.books.moves_of(item.id, period.from, period.to);
        let moved: Vec<Json> = moves
            .filter_map(|(document, _, moved, worth)| {
                let document = view.books.documents.get(&document)?;
                let worth = if moved < 0 { -worth } else { worth };
                (quantity, value) = (quantity + moved, value + worth);
                Some(
                    data_row(vec![
                        cell(document.date.to_string()),
                        named_cell(type_name(view, document), document.id),
                        cell(document.number.clone()),
                        document.contact.map_or_else(|| cell(""), |id| named_cell(view.contact_name(id), id)),
                        cell(Cents(moved).to_string()),
                        cell(worth.to_string()),
                        cell(Cents(quantity).to_string()),
                        cell(value.to_string()),
                    ])
                    .into(),
                )
            })
            .collect();
        if moved.is_empty() {
            continue;
        }
        let blanks = |count: usize| (0..count).map(|_| cell(""));
        let shown = view.shown_name(&item.name, item.active);
        let head = cells(std::iter::once(named_cell(shown.clone(), item.id)).chain(blanks(DETAIL.len() - 1)).collect());
        let sums = [cell(Cents(quantity).to_string()), cell(value.to_string())];
        let total = cells(std::iter::once(cell(format!("Total for {shown}"))).chain(blanks(DETAIL.len() - 3)).chain(sums).collect());
        let section = Object::new().put("Header", head).put("Rows", Object::new().put("Row", moved)).put("Summary", total);
        rows.push(section.put("type", "Section").into());
    }
    let is_empty = rows.is_empty();
    let columns = DETAIL.iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", (*key).to_owned())])).collect();
    frame(header(view, name, period, None, false, is_empty), columns, rows)
}
