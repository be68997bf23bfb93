//! Line items, currency rates and embedded accounts: what several documents share.
use super::json::Object;
use super::{Detail, tracking};
use crate::books::xero::AmountTypes;
use crate::books::{Account, Books, Document, DocumentId, Line};
use crate::money::{Cents, Rate};

/// Guids of line items: unique in a company, whatever the document.
pub fn line_guid(books: &Books, document: DocumentId, line: u64) -> String {
    books.guid("LineItem", document * 1_000 + line)
}

/// As entered; else `Exclusive` when tax stands on top of the lines, `NoTax` when no line carries a tax code.
pub fn amount_types(books: &Books, document: &Document) -> &'static str {
    match books.xero.documents.get(&document.id).and_then(|details| details.amount_types) {
        Some(AmountTypes::Exclusive) => return "Exclusive",
        Some(AmountTypes::Inclusive) => return "Inclusive",
        Some(AmountTypes::NoTax) => return "NoTax",
        None => {}
    }
    if document.lines.iter().any(|line| line.tax_rate.is_some()) { "Exclusive" } else { "NoTax" }
}

/// The tax code of a line; `NONE` where it has none.
pub fn tax_type(books: &Books, tax_rate: Option<u64>) -> &str {
    tax_rate.and_then(|id| books.tax_rate(id)).map_or("NONE", |rate| rate.code.as_str())
}

pub fn tax_name(books: &Books, tax_rate: Option<u64>) -> String {
    tax_rate.and_then(|id| books.tax_rate(id)).map_or_else(|| super::settings::no_tax_name(books).to_string(), |rate| rate.name.clone())
}

/// The line items of an invoice, credit note or bank transaction.
pub fn line_items(books: &Books, document: &Document, detail: Detail) -> Vec<String> {
    if matches!(detail, Detail::Listed | Detail::Summary) {
        return Vec::new();
    }
    document.lines.iter().map(|line| line_item(books, document, line, detail, true)).collect()
}

/// One line; orders show no AccountID.
pub fn line_item(books: &Books, document: &Document, line: &Line, detail: Detail, with_account_id: bool) -> String {
    let item = line.item.and_then(|id| books.items.get(&id));
    let account = books.accounts.get(&line.account);
    let inclusive = amount_types(books, document) == "Inclusive";
    let shown = if inclusive { line.amount + books.line_tax(line) } else { line.amount };
    // quantity times price must be the line's amount; where it is not (a rounded price), the line reads as one of the whole
    let product = i128::from(line.quantity_hundredths) * i128::from(line.unit_price.0);
    let fits = product == i128::from(shown.0) * 100;
    let (quantity, price) = if fits { (Cents(line.quantity_hundredths), line.unit_price) } else { (Cents(100), shown) };
    Object::new()
        .when(item.is_some(), |line_object| {
            let item = item.expect("checked just before");
            let code = super::settings::item_code(books, item);
            let embedded = Object::new().text("ItemID", &books.guid("Item", item.id)).text("Name", &item.name).text("Code", &code).end();
            line_object.text("ItemCode", &code).raw("Item", &embedded)
        })
        .text("Description", &line.description)
        .money("UnitAmount", price)
        .text("TaxType", tax_type(books, line.tax_rate))
        .money("TaxAmount", books.line_tax(line))
        .money("LineAmount", shown)
        .maybe("AccountCode", account.map(|a| a.code.as_str()).filter(|code| !code.is_empty()))
        .when(with_account_id, |object| object.text("AccountID", &books.guid("Account", line.account)))
        .list("Tracking", &tracking::on_line(books, &line.tracking, detail == Detail::Single))
        .money("Quantity", quantity)
        .text("LineItemID", &line_guid(books, document.id, line.id))
        .when(detail == Detail::Single, |line| line.raw("ValidationErrors", "[]"))
        .end()
}

/// Net, tax and gross of a document, in its currency.
pub fn totals(object: Object, books: &Books, document: &Document) -> Object {
    let (net, gross) = (books.net_total(document), books.total(document));
    object.money("SubTotal", net).money("TotalTax", gross - net).money("Total", gross)
}

/// Xero's CurrencyRate: foreign units per unit of base currency, the inverse of the books' rate. Cut, not rounded, at ten decimals: an
/// amount divided by it then never falls below the exact product, so halves round the same way on both sides.
pub fn currency_rate(rate: Rate) -> String {
    const PLACES: u32 = 10;
    let unit = 10_i128.pow(PLACES);
    let inverse = unit * i128::from(Rate::SCALE) / i128::from(rate.0.max(1));
    let text = format!("{}.{:010}", inverse / unit, inverse % unit);
    // at least one decimal stays
    let trimmed = text.trim_end_matches('0');
    if trimmed.ends_with('.') { format!("{trimmed}0") } else { trimmed.to_string() }
}

/// An account as other objects embed it.
pub fn embedded_account(books: &Books, account: &Account, with_name: bool) -> String {
    Object::new()
        .text("AccountID", &books.guid("Account", account.id))
        .maybe("Code", Some(account.code.as_str()).filter(|code| !code.is_empty()))
        .when(with_name, |object| object.text("Name", &account.name))
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_rate_is_the_inverse_in_decimals() {
        assert_eq!(currency_rate(Rate::ONE), "1.0");
        assert_eq!(currency_rate(Rate(1_250_000)), "0.8");
        assert_eq!(currency_rate(Rate(1_615_000)), "0.6191950464");
        assert_eq!(currency_rate(Rate(500_000)), "2.0");
    }
}
