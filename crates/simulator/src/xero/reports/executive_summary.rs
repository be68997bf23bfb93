//! Reports/ExecutiveSummary: a month beside the one before it, in figures of cash, profit, position and performance.
use super::bank_summary::flows;
use super::{Cell, Report, data_row, date_parameter, header, report, section};
use crate::books::{AccountType, Books, Kind};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::{dates, settings};
use jiff::Timestamp;
use jiff::civil::Date;

/// A figure of a month; `None` where it cannot be had, as a ratio to nothing.
#[derive(Clone, Copy)]
enum Figure {
    Money(Cents),
    Count(i128),
    /// In tenths of a per cent.
    Percent(Option<i128>),
    /// In hundredths.
    Ratio(Option<i128>),
}

impl Figure {
    fn text(self) -> String {
        match self {
            Figure::Money(amount) => amount.to_string(),
            Figure::Count(count) => count.to_string(),
            Figure::Percent(tenths) => tenths.map(percent).unwrap_or_default(),
            Figure::Ratio(hundredths) => hundredths.map(|value| decimal(value, 100, 2)).unwrap_or_default(),
        }
    }
    fn value(self) -> Option<i128> {
        match self {
            Figure::Money(amount) => Some(i128::from(amount.0)),
            Figure::Count(count) => Some(count),
            Figure::Percent(value) | Figure::Ratio(value) => value,
        }
    }
}

fn decimal(value: i128, unit: i128, places: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{:0places$}", value.abs() / unit, value.abs() % unit)
}

fn percent(tenths: i128) -> String {
    format!("{}%", decimal(tenths, 10, 1))
}

/// `part / whole * scale`, rounded half away from zero; nothing of nothing.
fn share(part: Cents, whole: Cents, scale: i128) -> Option<i128> {
    let (product, whole) = (i128::from(part.0) * scale, i128::from(whole.0));
    (whole != 0).then(|| {
        let doubled = 2 * product * whole.signum();
        (doubled + doubled.signum() * whole.abs()) / (2 * whole.abs())
    })
}

pub fn make(books: &Books, parameters: &Parameters, now: Timestamp) -> Result<String, Refusal> {
    let date = date_parameter(parameters, "date")?.unwrap_or_else(|| dates::today(now, &books.time_zone));
    let this = dates::first_of_month(date);
    let before = dates::months_before(this, 1).ok_or_else(|| Refusal::Validation("The month before is not in the calendar".into()))?;
    let months = [month(books, this), month(books, before)];
    let title = |date: Date| date.strftime("%b %Y").to_string();
    let mut rows = vec![header(&[String::new(), title(this), title(before), "Variance".into()])];
    let [current, earlier] = &months;
    for ((name, figures), (_, old)) in current.iter().zip(earlier) {
        let lines: Vec<String> = figures.iter().zip(old).map(|((label, figure), (_, old))| line(label, *figure, *old)).collect();
        rows.push(section(name, &lines));
    }
    let period = format!("For the month of {}", this.strftime("%B %Y"));
    Ok(report(books, Report::ExecutiveSummary, "Executive Summary", &period, &rows, now))
}

fn line(label: &str, figure: Figure, old: Figure) -> String {
    // the change in proportion to the month before; nothing to compare with counts as no change
    let variance = match (figure.value(), old.value()) {
        (Some(new), Some(old)) if old != 0 => {
            let doubled = 2 * (new - old) * 1_000;
            (doubled + doubled.signum() * old.abs()) / (2 * old.abs())
        }
        _ => 0,
    };
    data_row(&[Cell::plain(label), Cell::plain(figure.text()), Cell::plain(old.text()), Cell::plain(percent(variance))])
}

type Section = (&'static str, Vec<(&'static str, Figure)>);

/// All figures of the month that begins on this day.
fn month(books: &Books, from: Date) -> Vec<Section> {
    use Figure::{Count, Money, Percent, Ratio};
    let to = dates::last_of_month(from);
    let flows = flows(books, from, to);
    let received: Cents = flows.values().map(|flow| flow.received).sum();
    let spent: Cents = flows.values().map(|flow| flow.spent).sum();
    let movement = books.movement(from, to);
    let balances = books.balances_at(to);
    let total = |sums: &std::collections::BTreeMap<u64, Cents>, wanted: &dyn Fn(&crate::books::Account) -> bool| -> Cents {
        sums.iter().filter(|(id, _)| books.accounts.get(id).is_some_and(wanted)).map(|(_, amount)| *amount).sum()
    };
    let moved = |types: &'static [&'static str]| total(&movement, &|account| types.contains(&settings::account_type(account)));
    let held = |types: &'static [&'static str]| total(&balances, &|account| types.contains(&settings::account_type(account)));
    let of_type = |wanted: AccountType| total(&balances, &|account| account.account_type == wanted);
    let (income, costs) = (-moved(&["REVENUE", "SALES"]), moved(&["DIRECTCOSTS"]));
    let (other, expenses) = (-moved(&["OTHERINCOME"]), moved(&["EXPENSE", "OVERHEADS", "DEPRECIATN"]));
    let (gross, profit) = (income - costs, income - costs + other - expenses);
    let (debtors, creditors) = (of_type(AccountType::Receivable), -of_type(AccountType::Payable));
    let bank = held(&["BANK"]);
    let net_assets = total(&balances, &|account| matches!(settings::class(account), "ASSET" | "LIABILITY"));
    let issued: Vec<Cents> = books
        .documents_between(from, to)
        .filter(|document| document.kind == Kind::Invoice)
        .map(|document| books.total(document).at(document.rate))
        .collect();
    let count = i64::try_from(issued.len()).unwrap_or(i64::MAX);
    let average = share(issued.iter().copied().sum(), Cents(count), 1).and_then(|cents| i64::try_from(cents).ok()).map_or(Cents::ZERO, Cents);
    let days = i128::from(to.day());
    let current_assets = bank + held(&["CURRENT", "INVENTORY", "PREPAYMENT"]);
    let current_liabilities = -held(&["CURRLIAB", "PAYG"]);
    vec![
        (
            "Cash",
            vec![
                ("Cash received", Money(received)),
                ("Cash spent", Money(spent)),
                ("Cash surplus (deficit)", Money(received - spent)),
                ("Closing bank balance", Money(bank)),
            ],
        ),
        (
            "Profitability",
            vec![
                ("Income", Money(income)),
                ("Direct costs", Money(costs)),
                ("Gross profit (loss)", Money(gross)),
                ("Other Income", Money(other)),
                ("Expenses", Money(expenses)),
                ("Profit (loss)", Money(profit)),
            ],
        ),
        ("Balance Sheet", vec![("Debtors", Money(debtors)), ("Creditors", Money(creditors)), ("Net assets", Money(net_assets))]),
        ("Income", vec![("Number of invoices issued", Count(i128::from(count))), ("Average value of invoices", Money(average))]),
        (
            "Performance",
            vec![
                ("Gross profit margin", Percent(share(gross, income, 1_000))),
                ("Net profit margin", Percent(share(profit, income, 1_000))),
                ("Return on investment (p.a.)", Percent(share(profit, net_assets, 12_000))),
            ],
        ),
        (
            "Position",
            vec![
                ("Average debtors days", Ratio(share(debtors, income, 100 * days))),
                ("Average creditors days", Ratio(share(creditors, costs + expenses, 100 * days))),
                ("Short term cash forecast", Money(debtors - creditors)),
                ("Current assets to liabilities", Ratio(share(current_assets, current_liabilities, 100))),
                ("Term assets to liabilities", Ratio(share(held(&["FIXED", "NONCURRENT"]), -held(&["TERMLIAB", "LIABILITY"]), 100))),
            ],
        ),
    ]
}
