//! How summary reports are divided into columns: by stretches of time, or by who, what and where (contract 6.2, 6.5).
use super::period::Period;
use super::{Amounts, Parameters, Place, column};
use crate::books::lists::DimensionRole;
use crate::books::{AccountId, AccountType, Document, Posting};
use crate::money::Cents;
use crate::quickbooks::dates;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::Object;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// One of the columns of a stretch of time: its period and what it is called.
pub struct Span {
    pub from: Date,
    pub to: Date,
    title: String,
    key: String,
    is_total: bool,
}

/// What columns can stand for besides time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Customers,
    Vendors,
    Classes,
    Departments,
    Employees,
    Items,
}

const BY: [(&str, By); 6] = [
    ("Customers", By::Customers),
    ("Vendors", By::Vendors),
    ("Classes", By::Classes),
    ("Departments", By::Departments),
    ("Employees", By::Employees),
    ("ProductsAndServices", By::Items),
];

pub enum Columns {
    Time(&'static str, Vec<Span>),
    /// The word, what it stands for, and the columns in their order: those without come in one of their own, then the total.
    Parts(&'static str, By, Vec<(Option<u64>, String)>),
}

impl Columns {
    /// `summarize_column_by`: one column of everything, or "one Money column per month with MetaData StartDate, EndDate" (contract 6.5).
    pub fn read(view: &View, period: &Period, parameters: &Parameters, with_total: bool) -> Result<Columns, Refusal> {
        let total = |title: &str| Span { from: period.from, to: period.to, title: title.to_owned(), key: "total".into(), is_total: true };
        let asked = parameters.get("summarize_column_by").unwrap_or("Total");
        if asked.eq_ignore_ascii_case("Total") {
            return Ok(Columns::Time("Total", vec![total("Total")]));
        }
        if let Some((word, by)) = BY.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(asked)) {
            return Ok(Columns::Parts(word, by, parts(view, period, by)));
        }
        let Some((word, next)) = stretch(asked, view.books.fiscal_year_start_month) else {
            let known = "Total, Days, Week, Month, Quarter, Year, FiscalQuarter, FiscalYear, Customers, Vendors, Classes, Departments, Employees, \
                         ProductsAndServices";
            return Err(Refusal::invalid_parameter("summarize_column_by", format!("Supplied value:{asked}. Valid values are {known}")));
        };
        let mut spans: Vec<Span> = Vec::new();
        let mut from = period.from;
        while from <= period.to {
            if spans.len() >= MOST_SPANS {
                let detail = format!("Supplied value:{asked}. The period has more than {MOST_SPANS} of them");
                return Err(Refusal::invalid_parameter("summarize_column_by", detail));
            }
            let following = next(from);
            let to = dates::day_before(following).min(period.to);
            let key = if word == "Month" { from.strftime("%b %Y").to_string() } else { from.to_string() };
            spans.push(Span { from, to, title: month_title(from, to), key, is_total: false });
            if following <= from {
                break;
            }
            from = following;
        }
        if with_total {
            spans.push(total("Total"));
        }
        Ok(Columns::Time(word, spans))
    }

    pub fn word(&self) -> &'static str {
        match self {
            Columns::Time(word, _) | Columns::Parts(word, ..) => word,
        }
    }

    pub fn width(&self) -> usize {
        match self {
            Columns::Time(_, spans) => spans.len(),
            Columns::Parts(_, _, parts) => parts.len() + 2,
        }
    }

    pub fn shown(&self) -> Vec<Object> {
        let account = column("", "Account", &[("ColKey", "account".into())]);
        let money: Vec<Object> = match self {
            Columns::Time(_, spans) => spans
                .iter()
                .map(|span| {
                    let mut metadata = Vec::new();
                    if !span.is_total {
                        metadata.push(("StartDate", span.from.to_string()));
                        metadata.push(("EndDate", span.to.to_string()));
                    }
                    metadata.push(("ColKey", span.key.clone()));
                    column(&span.title, "Money", &metadata)
                })
                .collect(),
            Columns::Parts(_, _, parts) => {
                let named = parts.iter().map(|(id, name)| column(name, "Money", &[("ColKey", id.map(|id| id.to_string()).unwrap_or_default())]));
                let rest =
                    [("Not Specified", "not_specified"), ("TOTAL", "total")].map(|(title, key)| column(title, "Money", &[("ColKey", key.into())]));
                named.chain(rest).collect()
            }
        };
        std::iter::once(account).chain(money).collect()
    }

    /// What profit and loss accounts moved in each column, in their natural sign.
    pub fn movement(&self, view: &View, period: &Period) -> Amounts {
        let mut amounts = Amounts::new();
        let width = self.width();
        let mut add = |id: AccountId, index: usize, amount: Cents| {
            if let Some(account) = view.books.accounts.get(&id).filter(|account| account.account_type.is_profit_and_loss()) {
                amounts.entry(id).or_insert_with(|| vec![Cents::ZERO; width])[index] += Place::of(account).natural(amount);
            }
        };
        if let (Columns::Time(_, spans), true) = (self, period.filter.is_empty()) {
            for (index, span) in spans.iter().enumerate() {
                for (id, amount) in view.books.on(period.basis).movement(span.from, span.to) {
                    add(id, index, amount);
                }
            }
            return amounts;
        }
        for_each_posting(view, period, period.from, period.to, |document, posting| {
            for index in self.indices(view, document, posting) {
                add(posting.account, index, posting.amount);
            }
        });
        amounts.retain(|_, row| row.iter().any(|amount| !amount.is_zero()));
        amounts
    }

    /// The columns that a posting counts in.
    fn indices(&self, view: &View, document: &Document, posting: &Posting) -> Vec<usize> {
        match self {
            Columns::Time(_, spans) => (0..spans.len()).filter(|index| (spans[*index].from..=spans[*index].to).contains(&document.date)).collect(),
            Columns::Parts(_, by, parts) => {
                let key = key_of(view, *by, document, posting);
                let place = key.and_then(|key| parts.iter().position(|(id, _)| *id == Some(key)));
                vec![place.unwrap_or(parts.len()), parts.len() + 1]
            }
        }
    }

    /// Balances at the end of each column, debit-positive, and the results of the running year.
    pub fn balances(&self, view: &View, period: &Period) -> (BTreeMap<AccountId, Vec<Cents>>, Vec<Cents>) {
        let width = self.width();
        let (mut balances, mut net_income) = (BTreeMap::new(), vec![Cents::ZERO; width]);
        let books = view.books;
        let closes = |id: AccountId| books.accounts.get(&id).is_some_and(|account| account.account_type.is_profit_and_loss());
        if let (Columns::Time(_, spans), true) = (self, period.filter.is_empty()) {
            for (index, span) in spans.iter().enumerate() {
                for (id, balance) in books.on(period.basis).trial_balance(span.to) {
                    if closes(id) {
                        net_income[index] -= balance;
                    } else {
                        balances.entry(id).or_insert_with(|| vec![Cents::ZERO; width])[index] = balance;
                    }
                }
            }
            return (balances, net_income);
        }
        let retained = books.account_of(AccountType::RetainedEarnings);
        let mut count = |index: usize, to: Date, date: Date, posting: &Posting| {
            let is_of_this_year = date >= books.fiscal_year_start(to);
            match (closes(posting.account), is_of_this_year, retained) {
                (true, true, _) => net_income[index] -= posting.amount,
                (true, false, Some(retained)) => {
                    balances.entry(retained).or_insert_with(|| vec![Cents::ZERO; width])[index] += posting.amount;
                }
                _ => balances.entry(posting.account).or_insert_with(|| vec![Cents::ZERO; width])[index] += posting.amount,
            }
        };
        for_each_posting(view, period, Date::MIN, period.to, |document, posting| match self {
            Columns::Time(_, spans) => {
                for (index, span) in spans.iter().enumerate().filter(|(_, span)| document.date <= span.to) {
                    count(index, span.to, document.date, posting);
                }
            }
            Columns::Parts(..) => {
                for index in self.indices(view, document, posting) {
                    count(index, period.to, document.date, posting);
                }
            }
        });
        (balances, net_income)
    }
}

/// Every posting that the filter keeps.
fn for_each_posting(view: &View, period: &Period, from: Date, to: Date, mut act: impl FnMut(&Document, &Posting)) {
    for document in view.books.documents_between(from, to).filter(|document| period.filter.keeps_document(view, document)) {
        for posting in view.books.on(period.basis).postings(document) {
            if period.filter.keeps_posting(view, document, &posting) {
                act(document, &posting);
            }
        }
    }
}

fn key_of(view: &View, by: By, document: &Document, posting: &Posting) -> Option<u64> {
    let contact = posting.contact.or(document.contact).and_then(|id| view.books.contacts.get(&id));
    let line = || super::general_ledger::line_of(document, posting);
    match by {
        By::Customers => contact.filter(|contact| contact.is_customer).map(|contact| contact.id),
        By::Vendors => contact.filter(|contact| contact.is_supplier).map(|contact| contact.id),
        // people on the payroll stand on no posting of the sandbox
        By::Employees => None,
        By::Classes => view.books.tracked(document, line(), DimensionRole::Class).map(|option| option.id),
        By::Departments => view.books.tracked(document, line(), DimensionRole::Location).map(|option| option.id),
        By::Items => line().and_then(|line| line.item),
    }
}

/// The columns that are needed, by name.
fn parts(view: &View, period: &Period, by: By) -> Vec<(Option<u64>, String)> {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    for_each_posting(view, period, period.from, period.to, |document, posting| {
        let Some(key) = key_of(view, by, document, posting) else { return };
        names.entry(key).or_insert_with(|| match by {
            By::Customers | By::Vendors | By::Employees => view.contact_name(key),
            By::Classes | By::Departments => view.books.lists.options.get(&key).map(|option| view.tracking_name(option)).unwrap_or_default(),
            By::Items => view.books.items.get(&key).map(|item| view.shown_name(&item.name, item.active)).unwrap_or_default(),
        });
    });
    let mut parts: Vec<(Option<u64>, String)> = names.into_iter().map(|(id, name)| (Some(id), name)).collect();
    parts.sort_by_cached_key(|(id, name)| (name.to_lowercase(), *id));
    parts
}

/// So many columns fit into a report.
const MOST_SPANS: usize = 1_100;

/// Where the part after the one of a day begins.
type Following = Box<dyn Fn(Date) -> Date>;

/// How a period is divided.
fn stretch(by: &str, fiscal_month: i8) -> Option<(&'static str, Following)> {
    // whole months up to the next that a stretch of so many begins in, counted from this month of the year
    let months = |first: i8, length: i16| -> Following {
        Box::new(move |day: Date| {
            let into = (i16::from(day.month()) - i16::from(first)).rem_euclid(length);
            dates::month_start(day).saturating_add(jiff::Span::new().months(i64::from(length - into)))
        })
    };
    Some(match by.to_ascii_lowercase().as_str() {
        "days" => ("Days", Box::new(|day: Date| day.saturating_add(jiff::Span::new().days(1)))),
        // Weeks begin on Sundays.
        "week" => {
            let next = |day: Date| day.saturating_add(jiff::Span::new().days(7 - i64::from(day.weekday().to_sunday_zero_offset())));
            ("Week", Box::new(next))
        }
        "month" => ("Month", months(1, 1)),
        "quarter" => ("Quarter", months(1, 3)),
        "year" => ("Year", months(1, 12)),
        "fiscalquarter" => ("FiscalQuarter", months(fiscal_month, 3)),
        "fiscalyear" => ("FiscalYear", months(fiscal_month, 12)),
        _ => return None,
    })
}

/// `Jan 2026`, or `Jan 1 - 15, 2026` for a part of a month.
fn month_title(from: Date, to: Date) -> String {
    if from == dates::month_start(from) && to == dates::month_end(to) && (from.year(), from.month()) == (to.year(), to.month()) {
        from.strftime("%b %Y").to_string()
    } else if from == to {
        from.strftime("%b %-d, %Y").to_string()
    } else if (from.year(), from.month()) == (to.year(), to.month()) {
        format!("{} - {}", from.strftime("%b %-d"), to.strftime("%-d, %Y"))
    } else {
        format!("{} - {}", from.strftime("%b %-d, %Y"), to.strftime("%b %-d, %Y"))
    }
}
