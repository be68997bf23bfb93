//! Income and expenses by who, what and where: CustomerIncome, CustomerSales, VendorExpenses, ItemSales, ClassSales, DepartmentSales.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/customerincome> and its neighbours.
use super::period::Period;
use super::{cell, cells, column, frame, header, named_cell, total_cell};
use crate::books::lists::DimensionRole;
use crate::books::{Account, AccountType, Document, Line};
use crate::money::Cents;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use std::collections::BTreeMap;

/// The name and id that a line counts for; those without one come last.
type Key = (String, Option<u64>);

pub fn report(view: &View, name: &'static str, period: &Period) -> Object {
    let (title, titles): (&str, &[&str]) = match name {
        "CustomerIncome" => ("Customer", &["Total income", "Total expenses", "Net income"]),
        "CustomerSales" => ("Customer", &["Total"]),
        "VendorExpenses" => ("Vendor", &["Total"]),
        "ItemSales" => ("Product/Service", &["Qty", "Total"]),
        "ClassSales" => ("Class", &["Total"]),
        _ => ("Location", &["Total"]),
    };
    let mut figures: BTreeMap<Key, Vec<Cents>> = BTreeMap::new();
    for document in view.books.documents_between(period.from, period.to).filter(|document| period.filter.keeps_document(view, document)) {
        for line in document.lines.iter().filter(|line| period.filter.keeps_line(view, document, line)) {
            let Some(account) = view.books.accounts.get(&line.account) else { continue };
            let Some((key, row)) = counted(view, name, document, line, account) else { continue };
            super::add(figures.entry(key).or_insert_with(|| vec![Cents::ZERO; titles.len()]), &row);
        }
    }
    figures.retain(|_, row| row.iter().any(|amount| !amount.is_zero()));
    let mut sums = vec![Cents::ZERO; titles.len()];
    let mut rows: Vec<Json> = Vec::new();
    let (unnamed, named): (Vec<_>, Vec<_>) = figures.into_iter().partition(|((_, id), _)| id.is_none());
    for ((name, id), row) in named.into_iter().chain(unnamed) {
        super::add(&mut sums, &row);
        let first = id.map_or_else(|| cell("Not specified"), |id| named_cell(name, id));
        rows.push(cells(std::iter::once(first).chain(row.iter().map(|amount| total_cell(*amount))).collect()).into());
    }
    let is_empty = rows.is_empty();
    if !is_empty {
        let total = cells(std::iter::once(cell("TOTAL")).chain(sums.iter().map(|sum| total_cell(*sum))).collect());
        rows.push(Object::new().put("Summary", total).put("type", "Section").put("group", "GrandTotal").into());
    }
    let money = titles.iter().map(|title| column(title, "Money", &[("ColKey", title.to_lowercase().replace(' ', "_"))]));
    let columns = std::iter::once(column("", title, &[])).chain(money).collect();
    frame(header(view, name, period, Some("Total"), false, is_empty), columns, rows)
}

/// What a line brings to a report, in home currency, income positive.
fn counted(view: &View, name: &str, document: &Document, line: &Line, account: &Account) -> Option<(Key, Vec<Cents>)> {
    let books = view.books;
    let posted = Cents(document.kind.line_sign() * line.amount.at(document.rate).0);
    let is_income = matches!(account.account_type, AccountType::Income | AccountType::OtherIncome);
    if !account.account_type.is_profit_and_loss() {
        return None;
    }
    let contact = line.contact.or(document.contact).and_then(|id| books.contacts.get(&id));
    let of_contact = |is_wanted: bool| contact.filter(|_| is_wanted).map(|contact| (view.contact_name(contact.id), Some(contact.id)));
    let tracked = |role: DimensionRole| {
        let option = books.tracked(document, Some(line), role);
        option.map_or((String::new(), None), |option| (view.tracking_name(option), Some(option.id)))
    };
    match name {
        "CustomerIncome" => {
            let key = of_contact(contact.is_some_and(|contact| contact.is_customer))?;
            let (income, expense) = if is_income { (-posted, Cents::ZERO) } else { (Cents::ZERO, posted) };
            Some((key, vec![income, expense, income - expense]))
        }
        "CustomerSales" if is_income => Some((of_contact(contact.is_some_and(|contact| contact.is_customer))?, vec![-posted])),
        "VendorExpenses" if !is_income => Some((of_contact(contact.is_some_and(|contact| contact.is_supplier))?, vec![posted])),
        "ItemSales" if is_income => {
            let item = line.item.and_then(|id| books.items.get(&id));
            let quantity = Cents(if posted.0 > 0 { -line.quantity_hundredths } else { line.quantity_hundredths });
            let key = item.map_or((String::new(), None), |item| (view.shown_name(&item.name, item.active), Some(item.id)));
            Some((key, vec![quantity, -posted]))
        }
        "ClassSales" if is_income => Some((tracked(DimensionRole::Class), vec![-posted])),
        "DepartmentSales" if is_income => Some((tracked(DimensionRole::Location), vec![-posted])),
        _ => None,
    }
}
