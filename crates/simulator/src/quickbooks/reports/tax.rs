//! TaxSummary, and BAS in Australia: what was taxed at which rate, and what came of it.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/taxsummary>.
use super::period::Period;
use super::{cell, cells, column, data_row, frame, header, named_cell, total_cell};
use crate::books::TaxRate;
use crate::money::Cents;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use std::collections::BTreeMap;

/// Net and tax by rate, sales positive and purchases apart.
#[derive(Clone, Copy, Default)]
struct Taxed {
    sold: (Cents, Cents),
    bought: (Cents, Cents),
}

fn taxed(view: &View, period: &Period) -> BTreeMap<u64, Taxed> {
    let mut sums: BTreeMap<u64, Taxed> = BTreeMap::new();
    let kept = view.books.documents_between(period.from, period.to).filter(|document| period.filter.keeps_document(view, document));
    for document in kept {
        let is_sale = document.kind.is_sale() || document.kind == crate::books::Kind::Deposit;
        // what is owed to the office is a credit
        let sign = -document.kind.line_sign();
        for tax in &document.taxes {
            let own = sums.entry(tax.tax_rate).or_default();
            let (net, amount) = (tax.net.at(document.rate), tax.tax.at(document.rate));
            let side = if is_sale { &mut own.sold } else { &mut own.bought };
            let sign = if is_sale { sign } else { -sign };
            (side.0, side.1) = (side.0 + Cents(sign * net.0), side.1 + Cents(sign * amount.0));
        }
    }
    sums
}

fn row(first: Object, amounts: &[Cents]) -> Json {
    data_row(std::iter::once(first).chain(amounts.iter().map(|amount| total_cell(*amount))).collect()).into()
}

pub fn summary(view: &View, name: &'static str, period: &Period) -> Object {
    let sums = taxed(view, period);
    let mut rows: Vec<Json> = Vec::new();
    for agency in view.books.tax_agencies() {
        let of_agency = |rate: &&TaxRate| rate.account == agency.id;
        let mut inside: Vec<Json> = Vec::new();
        let mut total = [Cents::ZERO; 2];
        for rate in view.books.tax_rates.iter().filter(of_agency) {
            let Some(sum) = sums.get(&rate.id) else { continue };
            let amounts = [sum.sold.0 - sum.bought.0, sum.sold.1 - sum.bought.1];
            super::add(&mut total, &amounts);
            inside.push(row(named_cell(rate.name.clone(), rate.id), &amounts));
        }
        if inside.is_empty() {
            continue;
        }
        let head = cells(vec![named_cell(agency.name.clone(), agency.id), cell(""), cell("")]);
        let foot = cells(std::iter::once(cell(format!("Total for {}", agency.name))).chain(total.iter().map(|sum| total_cell(*sum))).collect());
        let section = Object::new().put("Header", head).put("Rows", Object::new().put("Row", inside)).put("Summary", foot);
        rows.push(section.put("type", "Section").into());
    }
    let is_empty = rows.is_empty();
    let columns = vec![
        column("", "TaxCode", &[("ColKey", "tax_name".into())]),
        column("Taxable Amount", "Money", &[("ColKey", "net_amount".into())]),
        column("Tax", "Money", &[("ColKey", "tax_amount".into())]),
    ];
    frame(header(view, name, period, Some("Total"), false, is_empty), columns, rows)
}

/// The business activity statement, whose labels are the tax office's: G1 total sales, 1A GST on sales, G11 purchases, 1B GST on purchases.
pub fn bas(view: &View, name: &'static str, period: &Period) -> Result<Object, Refusal> {
    if view.books.country != "AU" {
        return Err(Refusal::feature_not_supported());
    }
    let sums = taxed(view, period);
    let all = |pick: fn(&Taxed) -> Cents| sums.values().map(pick).sum::<Cents>();
    let (sold, on_sales) = (all(|sum| sum.sold.0 + sum.sold.1), all(|sum| sum.sold.1));
    let (bought, on_purchases) = (all(|sum| sum.bought.0 + sum.bought.1), all(|sum| sum.bought.1));
    let labels = [
        ("G1", "Total sales", sold),
        ("1A", "GST on sales", on_sales),
        ("G11", "Non-capital purchases", bought),
        ("1B", "GST on purchases", on_purchases),
        ("9", "Your payment or refund amount", on_sales - on_purchases),
    ];
    let rows = labels.into_iter().map(|(label, words, amount)| data_row(vec![cell(label), cell(words), total_cell(amount)]).into()).collect();
    let columns = vec![column("", "String", &[]), column("", "String", &[]), column("Total", "Money", &[("ColKey", "total".into())])];
    Ok(frame(header(view, name, period, Some("Total"), false, sums.is_empty()), columns, rows))
}
