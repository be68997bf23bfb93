//! Reports/TrialBalance: the movement of the month and the year to date, five sections and a total.
use super::{Cell, Report, amounts_row, by_name, data_row, date_parameter, header, report, section};
use crate::books::{Account, AccountType, Basis, Books};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::{dates, settings};
use jiff::Timestamp;
use jiff::civil::Date;

/// Section title, class of its accounts, and whether a debit is their natural side.
const SECTIONS: [(&str, &str, bool); 5] = [
    ("Revenue", "REVENUE", false),
    ("Expenses", "EXPENSE", true),
    ("Assets", "ASSET", true),
    ("Liabilities", "LIABILITY", false),
    ("Equity", "EQUITY", false),
];

/// Takes `date` only: fromDate and toDate are ignored by the real report too.
pub fn make(books: &Books, parameters: &Parameters, basis: Basis, now: Timestamp) -> Result<String, Refusal> {
    let date = date_parameter(parameters, "date")?.unwrap_or_else(|| dates::today(now, &books.time_zone));
    let month = books.on(basis).movement(dates::first_of_month(date), date);
    let year = books.on(basis).trial_balance(date);
    let of = |sums: &std::collections::BTreeMap<u64, Cents>, account: &Account| sums.get(&account.id).copied().unwrap_or_default();
    let mut rows = vec![header(&["Account", "Debit", "Credit", "YTD Debit", "YTD Credit"].map(String::from))];
    let mut totals = [Cents::ZERO; 4];
    for (title, class, debit_normal) in SECTIONS {
        let mut section_rows = Vec::new();
        for account in by_name(books.accounts.values().filter(|account| settings::class(account) == class)) {
            let (month, year) = (of(&month, account), of(&year, account));
            if month.is_zero() && year.is_zero() {
                continue;
            }
            for (total, amount) in totals.iter_mut().zip([month, -month, year, -year]) {
                *total += Cents(amount.0.max(0));
            }
            section_rows.push(account_row(books, account, [sides(month, debit_normal), sides(year, debit_normal)], date));
        }
        rows.push(section(title, &section_rows));
    }
    rows.push(section("", &[amounts_row("SummaryRow", "Total", &totals)]));
    Ok(report(books, Report::TrialBalance, "Trial Balance", &format!("As at {}", dates::long_date(date)), &rows, now))
}

/// Debit and credit texts: the unused side is empty, a zero stands on the natural side, an unnatural balance moves over.
fn sides(amount: Cents, debit_normal: bool) -> [String; 2] {
    let debit = if amount.is_zero() { debit_normal } else { amount.0 > 0 };
    let text = amount.abs().to_string();
    if debit { [text, String::new()] } else { [String::new(), text] }
}

fn account_row(books: &Books, account: &Account, amounts: [[String; 2]; 2], date: Date) -> String {
    let label = if account.code.is_empty() { account.name.clone() } else { format!("{} ({})", account.name, account.code) };
    let guid = books.guid("Account", account.id);
    let retained = account.account_type == AccountType::RetainedEarnings;
    let year_end = dates::fiscal_year_start(date, books.fiscal_year_start_month).yesterday().unwrap_or(date);
    let values = amounts.into_iter().flatten().map(|value| {
        let cell = Cell::of_account(value, &guid);
        if retained { cell.with_range(None, year_end) } else { cell }
    });
    let cells: Vec<Cell> = std::iter::once(Cell::of_account(label, &guid)).chain(values).collect();
    data_row(&cells)
}
