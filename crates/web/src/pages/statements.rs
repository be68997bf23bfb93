//! Statements of a company: profit and loss, balance sheet, trial balance, on either basis; every figure opens its lines.
use crate::app::App;
use crate::error::WebError;
use crate::pages::account_lines::What;
use crate::pages::company;
use crate::parts::address::{Address, Asked};
use crate::parts::chart::Bars;
use crate::parts::figures;
use crate::parts::status::Shield;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::chart::category::{self, Category};
use domain::chart::{Mapping, StandardChart};
use domain::clock::{Month, fiscal_year_start};
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::{AccountMovements, AccountRow, balance_sheet, profit_and_loss, trial_balance};
use jiff::civil::Date;
use std::collections::BTreeMap;
use store::accounts::{Account, ChartOfAccounts};
use store::companies::Company;

/// Months beside each other.
const COLUMNS: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    ProfitAndLoss,
    BalanceSheet,
    TrialBalance,
}

impl Report {
    const ALL: [Report; 3] = [Report::ProfitAndLoss, Report::BalanceSheet, Report::TrialBalance];
    fn word(self) -> &'static str {
        match self {
            Report::ProfitAndLoss => "profit-and-loss",
            Report::BalanceSheet => "balance-sheet",
            Report::TrialBalance => "trial-balance",
        }
    }
    fn label(self) -> &'static str {
        match self {
            Report::ProfitAndLoss => "Profit and loss",
            Report::BalanceSheet => "Balance sheet",
            Report::TrialBalance => "Trial balance",
        }
    }
}

/// A choice above the table.
pub struct Choice {
    pub label: &'static str,
    pub href: String,
    pub chosen: bool,
}

pub struct Figure {
    pub text: String,
    /// The lines it is made of; what is computed has none.
    pub href: Option<String>,
    pub is_negative: bool,
}

pub enum Kind {
    Section,
    /// A sum of the lines that follow, one level deeper.
    Group,
    Account,
    Total,
    Result,
}

pub struct Row {
    pub kind: Kind,
    pub label: String,
    pub code: String,
    /// How deep it lies in its section.
    pub level: u8,
    pub figures: Vec<Figure>,
}

#[derive(Template)]
#[template(path = "pages/statements.html")]
pub struct StatementsPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub currency: String,
    pub shield: Shield,
    pub proven_as_of: Option<String>,
    pub title: &'static str,
    pub period: String,
    pub basis: &'static str,
    pub reports: Vec<Choice>,
    pub bases: Vec<Choice>,
    /// The provider's own chart, or the standard one.
    pub charts: Vec<Choice>,
    pub is_standard: bool,
    pub earlier: Option<String>,
    pub later: Option<String>,
    pub heads: Vec<String>,
    pub rows: Vec<Row>,
    pub bars: Option<Bars>,
    /// The ledger holds nothing yet.
    pub is_empty: bool,
}

/// What is looked at, and the address of it.
struct View<'a> {
    company: &'a Company,
    chart: &'a ChartOfAccounts,
    movements: &'a AccountMovements,
    basis: Basis,
    months: Vec<Month>,
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let report = Report::ALL.into_iter().find(|report| report.word() == asked.get("report")).unwrap_or(Report::ProfitAndLoss);
    let basis = Basis::parse(asked.get("basis")).unwrap_or_default();
    let span = store::ledger::span(&mut conn, &id, basis).await?;
    let today =
        company.marked_as_of.as_deref().and_then(|day| day.parse::<Date>().ok()).unwrap_or_else(|| visit.now.to_zoned(visit.zone.clone()).date());
    let newest = span.map_or(Month::of(today), |(_, last)| Month::of(last).max(Month::of(today)));
    let oldest = span.map_or(newest, |(first, _)| Month::of(first));
    let to = Month::parse(asked.get("to")).unwrap_or(Month::of(today)).clamp(oldest, newest);
    let step = if report == Report::TrialBalance { 1 } else { COLUMNS };
    let months: Vec<Month> = oldest.through(to).into_iter().rev().take(step).rev().collect();
    let movements = store::ledger::movements(&mut conn, &id, basis, to.last_day()).await?;
    let is_standard = asked.get("chart") == "standard";
    let loaded = if is_standard { Some(engine::mappings::load(&mut conn, &id).await?) } else { None };
    let chart = store::accounts::list(&mut conn, &id).await?;
    let shell = visit.shell(&mut conn, Place::Companies, &company.name).await?;
    drop(conn);

    let in_chart = |address: Address, is_standard: bool| if is_standard { address.with("chart", "standard") } else { address };
    let address = |report: Report, basis: Basis, to: Month| {
        let address = in_chart(company::on_basis(&id, "/statements", basis).with("report", report.word()), is_standard);
        if to == Month::of(today) { address.to_string() } else { address.with("to", to).to_string() }
    };
    let first = months.first().copied().unwrap_or(to);
    let later = (0..step).fold(to, |month, _| month.next()).min(newest);
    let mapping = loaded.as_ref().map(|loaded| &loaded.mapping);
    let view = View { company: &company, chart: &chart, movements: &movements, basis, months };
    let mut page = StatementsPage {
        shell,
        id: id.0.clone(),
        name: company.name.clone(),
        currency: company.currency.clone(),
        shield: Shield::of(&company),
        proven_as_of: company.marked_as_of.as_deref().map(figures::day),
        title: report.label(),
        period: String::new(),
        basis: basis.as_str(),
        reports: Report::ALL.map(|one| Choice { label: one.label(), href: address(one, basis, to), chosen: one == report }).into(),
        bases: Basis::ALL.map(|one| Choice { label: one.label(), href: address(report, one, to), chosen: one == basis }).into(),
        charts: [(false, "Provider's chart"), (true, "Standard chart")]
            .map(|(standard, label)| {
                let address = company::on_basis(&id, "/statements", basis).with("report", report.word());
                let address = if to == Month::of(today) { address } else { address.with("to", to) };
                Choice { label, href: in_chart(address, standard).to_string(), chosen: standard == is_standard }
            })
            .into(),
        is_standard,
        earlier: (first > oldest).then(|| address(report, basis, first.previous())),
        later: (to < newest).then(|| address(report, basis, later)),
        heads: Vec::new(),
        rows: Vec::new(),
        bars: None,
        is_empty: movements.is_empty(),
    };
    match (report, mapping) {
        (Report::ProfitAndLoss, None) => view.show_profit_and_loss(&mut page),
        (Report::BalanceSheet, None) => view.show_balance_sheet(&mut page),
        (Report::TrialBalance, None) => view.show_trial_balance(&mut page),
        (Report::ProfitAndLoss, Some(mapping)) => view.show_standard_profit_and_loss(&mut page, mapping),
        (Report::BalanceSheet, Some(mapping)) => view.show_standard_balance_sheet(&mut page, mapping),
        (Report::TrialBalance, Some(mapping)) => view.show_standard_trial_balance(&mut page, mapping),
    }
    visit.page(&page)
}

/// `Jan 2026`.
fn short(month: Month) -> String {
    month.first_day().strftime("%b %Y").to_string()
}

/// Where an account stands in its statement, from the provider's own type of it: rank and title.
fn section(account: &Account) -> (u8, &'static str) {
    match (account.class, account.account_type.as_str()) {
        (AccountClass::Revenue, "Other Income" | "OTHERINCOME") => (3, "Other income"),
        (AccountClass::Revenue, _) => (0, "Income"),
        (AccountClass::Expense, "Cost of Goods Sold" | "DIRECTCOSTS") => (1, "Cost of sales"),
        (AccountClass::Expense, "Other Expense") => (4, "Other expenses"),
        (AccountClass::Expense, _) => (2, "Expenses"),
        (AccountClass::Asset, "Bank" | "BANK") => (0, "Bank"),
        (AccountClass::Asset, "Fixed Asset" | "FIXED") => (2, "Fixed assets"),
        (AccountClass::Asset, "Other Asset" | "NONCURRENT") => (3, "Other assets"),
        (AccountClass::Asset, _) => (1, "Current assets"),
        (AccountClass::Liability, "Long Term Liability" | "TERMLIAB" | "LIABILITY") => (5, "Long-term liabilities"),
        (AccountClass::Liability, _) => (4, "Current liabilities"),
        (AccountClass::Equity, _) => (6, "Equity"),
    }
}

/// A part of a statement in the provider's own chart whose sum stands in it: the key of its lines, and which ranks of `section` it is made of.
pub struct Part {
    pub key: &'static str,
    pub title: &'static str,
    /// Whose sign its sum has.
    pub class: AccountClass,
    ranks: &'static [u8],
}

const PARTS: [Part; 14] = {
    const fn part(key: &'static str, title: &'static str, class: AccountClass, ranks: &'static [u8]) -> Part {
        Part { key, title, class, ranks }
    }
    use AccountClass::{Asset, Expense, Liability, Revenue};
    [
        part("income", "Income", Revenue, &[0]),
        part("cost-of-sales", "Cost of sales", Expense, &[1]),
        part("gross-profit", "Gross profit", Revenue, &[0, 1]),
        part("expenses", "Expenses", Expense, &[2]),
        part("other-income", "Other income", Revenue, &[3]),
        part("other-expenses", "Other expenses", Expense, &[4]),
        part("net-profit", "Net profit", Revenue, &[0, 1, 2, 3, 4]),
        part("bank", "Bank", Asset, &[0]),
        part("current-assets", "Current assets", Asset, &[1]),
        part("fixed-assets", "Fixed assets", Asset, &[2]),
        part("other-assets", "Other assets", Asset, &[3]),
        part("assets", "Total assets", Asset, &[0, 1, 2, 3]),
        part("current-liabilities", "Current liabilities", Liability, &[4]),
        part("long-term-liabilities", "Long-term liabilities", Liability, &[5]),
    ]
};

impl Part {
    pub fn find(key: &str) -> Option<&'static Part> {
        PARTS.iter().find(|part| part.key == key)
    }
    /// What stands below this heading of a statement.
    fn below(class: AccountClass, rank: u8) -> Option<&'static Part> {
        PARTS.iter().find(|part| part.ranks == [rank] && part.class.is_profit_and_loss() == class.is_profit_and_loss())
    }
    pub fn has(&self, account: &Account) -> bool {
        account.class.is_profit_and_loss() == self.class.is_profit_and_loss() && self.ranks.contains(&section(account).0)
    }
}

/// A category of the standard chart whose figure is posted: what earlier years earned is computed.
fn is_posted(category: &Category) -> bool {
    !category::find("retained-earnings").expect("the chart has it").lies_in(category)
}

fn sums<'a>(rows: impl IntoIterator<Item = &'a AccountRow>, width: usize) -> Vec<Amount> {
    rows.into_iter().fold(vec![Amount::ZERO; width], |mut sums, row| {
        for (sum, amount) in sums.iter_mut().zip(&row.amounts) {
            *sum += *amount;
        }
        sums
    })
}

fn plain(amount: Amount) -> Figure {
    Figure { text: if amount.is_zero() { "0.00".into() } else { amount.grouped() }, href: None, is_negative: amount.0 < 0 }
}

fn row(kind: Kind, label: impl Into<String>, amounts: &[Amount]) -> Row {
    Row { kind, label: label.into(), code: String::new(), level: 0, figures: amounts.iter().map(|amount| plain(*amount)).collect() }
}

fn minus(left: &[Amount], right: &[Amount]) -> Vec<Amount> {
    left.iter().zip(right).map(|(left, right)| *left - *right).collect()
}

fn plus(left: &[Amount], right: &[Amount]) -> Vec<Amount> {
    left.iter().zip(right).map(|(left, right)| *left + *right).collect()
}

impl View<'_> {
    fn lines(&self, what: What<'_>, span: (Month, Month)) -> String {
        what.address(&self.company.id, self.basis, span).to_string()
    }

    /// The figures of a line of a statement, one for each month and one for all of them where there is a total, each with its lines.
    fn figures(&self, amounts: impl IntoIterator<Item = Amount>, what: Option<What<'_>>) -> Vec<Figure> {
        let first = self.months.first().copied().zip(self.months.last().copied());
        let spans = self.months.iter().map(|month| (*month, *month)).chain(first);
        let figure = |(amount, span): (Amount, (Month, Month))| Figure {
            href: what.filter(|_| !amount.is_zero()).map(|what| self.lines(what, span)),
            ..plain(amount)
        };
        amounts.into_iter().zip(spans).map(figure).collect()
    }

    /// A sum of a statement that leads to the lines it is made of.
    fn sum(&self, kind: Kind, label: impl Into<String>, amounts: &[Amount], what: Option<What<'_>>) -> Row {
        Row { figures: self.figures(amounts.iter().copied(), what), ..row(kind, label, &[]) }
    }

    /// From the first month of the fiscal year: what a profit-and-loss account shows in a trial balance was posted since then.
    fn year_to(&self, month: Month) -> (Month, Month) {
        (Month::of(fiscal_year_start(month.last_day(), self.company.fiscal_year_start_month)), month)
    }

    /// Rows by section: rank and title, then the accounts by code and name.
    fn sections(&self, rows: Vec<AccountRow>) -> BTreeMap<(u8, &'static str), Vec<(Account, AccountRow)>> {
        let mut sections: BTreeMap<(u8, &'static str), Vec<(Account, AccountRow)>> = BTreeMap::new();
        for row in rows {
            let account = self.chart.account(&row.account_id);
            sections.entry(section(&account)).or_default().push((account, row));
        }
        for accounts in sections.values_mut() {
            accounts.sort_by(|a, b| (&a.0.code, &a.0.name).cmp(&(&b.0.code, &b.0.name)));
        }
        sections
    }

    fn account_row(&self, account: &Account, row: &AccountRow, total: Option<Amount>) -> Row {
        // retained earnings are computed, not posted: they have no lines of their own
        let what = (!account.is_retained_earnings).then_some(What::Account(&account.remote_id));
        Row {
            kind: Kind::Account,
            label: account.name.clone(),
            code: account.code.clone(),
            level: 1,
            figures: self.figures(row.amounts.iter().copied().chain(total), what),
        }
    }

    fn show_profit_and_loss(&self, page: &mut StatementsPage) {
        let width = self.months.len();
        page.heads = self.months.iter().map(|month| short(*month)).chain(["Total".to_owned()]).collect();
        page.period = self.period();
        let with_total = |amounts: &[Amount]| amounts.iter().copied().chain([amounts.iter().copied().sum()]).collect::<Vec<Amount>>();
        let sections = self.sections(profit_and_loss(self.movements, self.chart, &self.months));
        let of = |rank: u8| sums(sections.iter().filter(|((at, _), _)| *at == rank).flat_map(|(_, rows)| rows.iter().map(|(_, row)| row)), width);
        let (income, costs, expenses, other_income, other_expenses) = (of(0), of(1), of(2), of(3), of(4));
        let gross = minus(&income, &costs);
        let net = minus(&plus(&minus(&gross, &expenses), &other_income), &other_expenses);
        for ((rank, title), accounts) in &sections {
            page.rows.push(row(Kind::Section, *title, &[]));
            for (account, amounts) in accounts {
                page.rows.push(self.account_row(account, amounts, Some(amounts.amounts.iter().copied().sum())));
            }
            let part = Part::below(AccountClass::Revenue, *rank).map(|part| What::Section(part.key));
            page.rows.push(self.sum(Kind::Total, format!("Total {}", title.to_lowercase()), &with_total(&of(*rank)), part));
            if *rank == 1 {
                page.rows.push(self.sum(Kind::Result, "Gross profit", &with_total(&gross), Some(What::Section("gross-profit"))));
            }
        }
        page.rows.push(self.sum(Kind::Result, "Net profit", &with_total(&net), Some(What::Section("net-profit"))));
        let labels: Vec<String> = self.months.iter().map(|month| short(*month)).collect();
        page.bars = Some(Bars::new(&labels, &plus(&income, &other_income), &plus(&plus(&costs, &expenses), &other_expenses), &net));
    }

    fn show_balance_sheet(&self, page: &mut StatementsPage) {
        let width = self.months.len();
        page.heads = self.months.iter().map(|month| short(*month)).collect();
        page.period = self.period();
        let sheet = balance_sheet(self.movements, self.chart, &self.months, self.company.fiscal_year_start_month);
        let of_class = |class: AccountClass| sums(sheet.rows.iter().filter(|row| row.class == class), width);
        let assets = of_class(AccountClass::Asset);
        let liabilities = of_class(AccountClass::Liability);
        let equity = plus(&of_class(AccountClass::Equity), &sheet.result_of_year);
        let sections = self.sections(sheet.rows.clone());
        for ((rank, title), accounts) in &sections {
            if *rank == 4 || *rank == 6 && !sections.keys().any(|(rank, _)| (4..6).contains(rank)) {
                page.rows.push(self.sum(Kind::Result, "Total assets", &assets, Some(What::Section("assets"))));
            }
            page.rows.push(row(Kind::Section, *title, &[]));
            for (account, amounts) in accounts {
                page.rows.push(self.account_row(account, amounts, None));
            }
            if *rank == 6 {
                page.rows.push(row(Kind::Account, "Result of this fiscal year", &sheet.result_of_year));
                page.rows.push(row(Kind::Total, "Total equity", &equity));
            } else {
                let part = Part::below(AccountClass::Asset, *rank).map(|part| What::Section(part.key));
                let total = sums(accounts.iter().map(|(_, row)| row), width);
                page.rows.push(self.sum(Kind::Total, format!("Total {}", title.to_lowercase()), &total, part));
            }
        }
        page.rows.push(row(Kind::Result, "Total liabilities and equity", &plus(&liabilities, &equity)));
    }

    fn show_trial_balance(&self, page: &mut StatementsPage) {
        let Some(month) = self.months.last().copied() else { return };
        page.heads = vec!["Debit".into(), "Credit".into()];
        page.period = format!("As of {}", figures::day(&month.last_day().to_string()));
        let balances = trial_balance(self.movements, self.chart, month.last_day(), self.company.fiscal_year_start_month);
        let mut accounts: Vec<(Account, Amount)> = balances.0.into_iter().map(|(id, balance)| (self.chart.account(&id), balance)).collect();
        accounts.sort_by(|a, b| (a.0.class, section(&a.0), &a.0.code, &a.0.name).cmp(&(b.0.class, section(&b.0), &b.0.code, &b.0.name)));
        let (mut debits, mut credits) = (Amount::ZERO, Amount::ZERO);
        for (account, balance) in accounts {
            let (debit, credit) = if balance.0 > 0 { (balance, Amount::ZERO) } else { (Amount::ZERO, -balance) };
            debits += debit;
            credits += credit;
            let span = if account.class.is_profit_and_loss() { self.year_to(month) } else { (month, month) };
            let figure = |amount: Amount| match amount.is_zero() {
                true => Figure { text: String::new(), href: None, is_negative: false },
                false => {
                    Figure { href: (!account.is_retained_earnings).then(|| self.lines(What::Account(&account.remote_id), span)), ..plain(amount) }
                }
            };
            page.rows.push(Row {
                kind: Kind::Account,
                label: account.name.clone(),
                code: account.code.clone(),
                level: 1,
                figures: vec![figure(debit), figure(credit)],
            });
        }
        page.rows.push(row(Kind::Result, "Total", &[debits, credits]));
    }

    /// The rows below a category of the second level: groups with their sums, leaves with figures that open their lines.
    fn rows_below(&self, top: &Category, by_leaf: &BTreeMap<&str, &[Amount]>, with_total: bool) -> Vec<Row> {
        let width = self.months.len();
        let of = |category: &Category| -> Option<Vec<Amount>> {
            let leaves = by_leaf.iter().filter(|(key, _)| category::find(key).is_some_and(|leaf| leaf.lies_in(category)));
            let mut found = false;
            let sums = leaves.fold(vec![Amount::ZERO; width], |sums, (_, amounts)| {
                found = true;
                plus(&sums, amounts)
            });
            found.then_some(sums)
        };
        let below = category::all().iter().filter(|category| category.lies_in(top) && (category.rank != top.rank || top.is_leaf));
        below
            .filter_map(|category| {
                let amounts = of(category)?;
                let total = with_total.then(|| amounts.iter().copied().sum::<Amount>());
                Some(Row {
                    kind: if category.is_leaf { Kind::Account } else { Kind::Group },
                    label: category.name.to_owned(),
                    code: String::new(),
                    level: if top.is_leaf { 1 } else { category.level - 2 },
                    figures: self.figures(amounts.iter().copied().chain(total), is_posted(category).then_some(What::Category(category.key))),
                })
            })
            .collect()
    }

    fn show_standard_profit_and_loss(&self, page: &mut StatementsPage, mapping: &Mapping) {
        let width = self.months.len();
        page.heads = self.months.iter().map(|month| short(*month)).chain(["Total".to_owned()]).collect();
        page.period = self.period();
        let rows = profit_and_loss(&mapping.normalize(self.movements, self.chart), &StandardChart, &self.months);
        let by_leaf: BTreeMap<&str, &[Amount]> = rows.iter().map(|row| (row.account_id.as_str(), row.amounts.as_slice())).collect();
        let with_total = |amounts: &[Amount]| amounts.iter().copied().chain([amounts.iter().copied().sum()]).collect::<Vec<Amount>>();
        let of = |key: &str| {
            let top = category::find(key).expect("the statement names categories of the chart");
            sums(rows.iter().filter(|row| category::find(&row.account_id).is_some_and(|leaf| leaf.lies_in(top))), width)
        };
        let gross = minus(&of("revenue"), &of("cost-of-sales"));
        let operating = minus(&gross, &of("operating-expenses"));
        let net = minus(&of("income"), &of("expenses"));
        for key in ["revenue", "cost-of-sales", "operating-expenses", "other-income", "other-expenses", "unmapped-income", "unmapped-expenses"] {
            let top = category::find(key).expect("the statement names categories of the chart");
            let below = self.rows_below(top, &by_leaf, true);
            if !below.is_empty() {
                page.rows.push(row(Kind::Section, top.name, &[]));
                page.rows.extend(below);
                if !top.is_leaf {
                    let label = format!("Total {}", top.name.to_lowercase());
                    page.rows.push(self.sum(Kind::Total, label, &with_total(&of(key)), Some(What::Category(key))));
                }
            }
            match key {
                "cost-of-sales" => page.rows.push(row(Kind::Result, "Gross profit", &with_total(&gross))),
                "operating-expenses" => page.rows.push(row(Kind::Result, "Operating profit", &with_total(&operating))),
                _ => {}
            }
        }
        page.rows.push(row(Kind::Result, "Net profit", &with_total(&net)));
        let labels: Vec<String> = self.months.iter().map(|month| short(*month)).collect();
        page.bars = Some(Bars::new(&labels, &of("income"), &of("expenses"), &net));
    }

    fn show_standard_balance_sheet(&self, page: &mut StatementsPage, mapping: &Mapping) {
        let width = self.months.len();
        page.heads = self.months.iter().map(|month| short(*month)).collect();
        page.period = self.period();
        let normalized = mapping.normalize(self.movements, self.chart);
        let sheet = balance_sheet(&normalized, &StandardChart, &self.months, self.company.fiscal_year_start_month);
        let by_leaf: BTreeMap<&str, &[Amount]> = sheet.rows.iter().map(|row| (row.account_id.as_str(), row.amounts.as_slice())).collect();
        let of_class = |class: AccountClass| sums(sheet.rows.iter().filter(|row| row.class == class), width);
        let equity = plus(&of_class(AccountClass::Equity), &sheet.result_of_year);
        for class in category::all().iter().filter(|category| category.level == 1 && !category.class.is_profit_and_loss()) {
            let tops = category::all().iter().filter(|category| category.level == 2 && category.lies_in(class));
            for top in tops {
                let below = self.rows_below(top, &by_leaf, false);
                if below.is_empty() {
                    continue;
                }
                page.rows.push(row(Kind::Section, top.name, &[]));
                page.rows.extend(below);
                if !top.is_leaf {
                    let lying = sheet.rows.iter().filter(|row| category::find(&row.account_id).is_some_and(|leaf| leaf.lies_in(top)));
                    let what = is_posted(top).then_some(What::Category(top.key));
                    page.rows.push(self.sum(Kind::Total, format!("Total {}", top.name.to_lowercase()), &sums(lying, width), what));
                }
            }
            match class.class {
                AccountClass::Asset => {
                    page.rows.push(self.sum(Kind::Result, "Total assets", &of_class(AccountClass::Asset), Some(What::Category(class.key))))
                }
                AccountClass::Liability => {
                    page.rows.push(self.sum(Kind::Total, "Total liabilities", &of_class(AccountClass::Liability), Some(What::Category(class.key))))
                }
                _ => {
                    page.rows.push(Row { level: 1, ..row(Kind::Account, "Result of this fiscal year", &sheet.result_of_year) });
                    page.rows.push(row(Kind::Total, "Total equity", &equity));
                }
            }
        }
        page.rows.push(row(Kind::Result, "Total liabilities and equity", &plus(&of_class(AccountClass::Liability), &equity)));
    }

    fn show_standard_trial_balance(&self, page: &mut StatementsPage, mapping: &Mapping) {
        let Some(month) = self.months.last().copied() else { return };
        page.heads = vec!["Debit".into(), "Credit".into()];
        page.period = format!("As of {}", figures::day(&month.last_day().to_string()));
        let normalized = mapping.normalize(self.movements, self.chart);
        let balances = trial_balance(&normalized, &StandardChart, month.last_day(), self.company.fiscal_year_start_month);
        let (mut debits, mut credits) = (Amount::ZERO, Amount::ZERO);
        let mut class = None;
        for leaf in category::all().iter().filter(|category| category.is_leaf) {
            let balance = balances.get(leaf.key);
            if balance.is_zero() {
                continue;
            }
            if class != Some(leaf.class) {
                class = Some(leaf.class);
                page.rows.push(row(Kind::Section, leaf.line()[0].name, &[]));
            }
            let (debit, credit) = if balance.0 > 0 { (balance, Amount::ZERO) } else { (Amount::ZERO, -balance) };
            debits += debit;
            credits += credit;
            let span = if leaf.class.is_profit_and_loss() { self.year_to(month) } else { (month, month) };
            let figure = |amount: Amount| match amount.is_zero() {
                true => Figure { text: String::new(), href: None, is_negative: false },
                false => Figure { href: is_posted(leaf).then(|| self.lines(What::Category(leaf.key), span)), ..plain(amount) },
            };
            let figures = vec![figure(debit), figure(credit)];
            page.rows.push(Row { kind: Kind::Account, label: leaf.name.to_owned(), code: String::new(), level: 1, figures });
        }
        page.rows.push(row(Kind::Result, "Total", &[debits, credits]));
    }

    fn period(&self) -> String {
        match (self.months.first(), self.months.last()) {
            (Some(first), Some(last)) if first != last => format!("{} to {}", short(*first), short(*last)),
            (Some(only), _) => short(*only),
            _ => String::new(),
        }
    }
}
