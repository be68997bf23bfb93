//! Classes, departments, terms, payment methods, currencies, exchange rates, journal codes and budgets as QuickBooks writes them.
use super::View;
use super::tree::{Json, Object, reference};
use crate::books::Books;
use crate::books::lists::{Budget, Currency, DimensionRole, Due, PaymentMethod, Stamp, Term, TrackingOption};
use crate::money::{Cents, Rate};
use crate::quickbooks::moments;
use jiff::Timestamp;
use jiff::civil::Date;

impl View<'_> {
    /// The keys every entity ends with, of a list entry.
    pub fn stamped(&self, object: Object, id: u64, stamp: &Stamp) -> Object {
        self.identified(object, id, stamp.sync_token, stamp.created_at, stamp.updated_at)
    }

    /// `Parent:Child`, with the suffix of an inactive one.
    pub fn tracking_name(&self, option: &TrackingOption) -> String {
        let mut path = vec![option.name.as_str()];
        let mut parent = option.parent;
        while let Some(above) = parent.and_then(|id| self.books.lists.options.get(&id))
            && path.len() < 5
        {
            path.push(above.name.as_str());
            parent = above.parent;
        }
        path.reverse();
        self.shown_name(&path.join(":"), option.stamp.active)
    }

    pub fn tracking_reference(&self, option: &TrackingOption) -> Object {
        reference(option.id, &self.tracking_name(option))
    }

    /// A term without its name, as recorded (contract 7.3).
    pub fn term_reference(&self, term: Option<u64>) -> Option<Object> {
        let id = term.filter(|id| self.books.lists.terms.contains_key(id))?;
        Some(Object::new().put("value", id.to_string()))
    }

    pub fn payment_method_reference(&self, method: Option<u64>) -> Option<Object> {
        let method = self.books.lists.payment_methods.get(&method?)?;
        Some(reference(method.id, &self.shown_name(&method.name, method.stamp.active)))
    }
}

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/class> and the department page beside it.
pub fn tracking(view: &View, option: &TrackingOption) -> Object {
    let role = view.books.lists.dimensions.get(&option.dimension).map(|dimension| dimension.role);
    let below = if role == Some(DimensionRole::Location) { "SubDepartment" } else { "SubClass" };
    let object = Object::new()
        .put("Name", view.shown_name(&option.name, option.stamp.active))
        .put(below, option.parent.is_some())
        .put_some("ParentRef", option.parent.map(|parent| Object::new().put("value", parent.to_string())))
        .put("FullyQualifiedName", view.tracking_name(option))
        .put("Active", option.stamp.active);
    view.stamped(object, option.id, &option.stamp)
}

/// "Type STANDARD or DATE_DRIVEN" (contract 7.5).
pub fn term(view: &View, term: &Term) -> Object {
    let percent = Json::Amount(Cents(term.discount_basis_points));
    let object = Object::new().put("Name", view.shown_name(&term.name, term.stamp.active)).put("Active", term.stamp.active);
    let object = match term.due {
        Due::Days(days) => {
            object.put("Type", "STANDARD").put("DiscountPercent", percent).put("DueDays", days).put("DiscountDays", term.discount_days.unwrap_or(0))
        }
        Due::DayOfMonth { day, next_month_within } => object
            .put("Type", "DATE_DRIVEN")
            .put("DiscountPercent", percent)
            .put("DayOfMonthDue", i64::from(day))
            .put("DueNextMonthDays", next_month_within)
            .put("DiscountDayOfMonth", term.discount_days.unwrap_or(0)),
    };
    view.stamped(object, term.id, &term.stamp)
}

pub fn payment_method(view: &View, method: &PaymentMethod) -> Object {
    let object = Object::new()
        .put("Name", view.shown_name(&method.name, method.stamp.active))
        .put("Active", method.stamp.active)
        .put("Type", if method.is_credit_card { "CREDIT_CARD" } else { "NON_CREDIT_CARD" });
    view.stamped(object, method.id, &method.stamp)
}

pub fn company_currency(view: &View, currency: &Currency) -> Object {
    let shown = view.currency(&currency.code);
    let name = match shown.get("name") {
        Some(Json::Text(name)) => name.clone(),
        _ => currency.code.clone(),
    };
    let object = Object::new().put("Code", currency.code.clone()).put("Name", name).put("Active", currency.stamp.active);
    view.stamped(object, Currency::id(&currency.code), &currency.stamp)
}

/// "NO Id": <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/exchangerate>.
pub fn exchange_rate(view: &View, code: &str, date: Date, rate: Rate, at: Timestamp) -> Object {
    Object::new()
        .put("SourceCurrencyCode", code)
        .put("TargetCurrencyCode", view.books.currency.clone())
        .put("Rate", Json::Number(super::shortest(rate)))
        .put("AsOfDate", date)
        .put("domain", "QBO")
        .put("sparse", false)
        .put("SyncToken", "0")
        .put("MetaData", Object::new().put("LastUpdatedTime", moments::seconds(at)))
}

/// The book a French transaction is entered in.
#[derive(Clone, Copy, Debug)]
pub struct JournalCode {
    pub id: u64,
    pub name: &'static str,
    description: &'static str,
    code_type: &'static str,
}

/// Companies in France have these from the start, others have none and no such feature:
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/journalcode>.
pub fn journal_codes(books: &Books) -> impl Iterator<Item = JournalCode> + use<> {
    let all = [
        (1, "VT", "Ventes", "Sales"),
        (2, "AC", "Achats", "Expenses"),
        (3, "BQ", "Banque", "Bank"),
        (4, "CA", "Caisse", "Cash"),
        (5, "OD", "Divers", "Others"),
    ];
    let count = if books.country == "FR" { all.len() } else { 0 };
    all.into_iter().take(count).map(|(id, name, description, code_type)| JournalCode { id, name, description, code_type })
}

pub fn journal_code(view: &View, code: &JournalCode) -> Object {
    let object = Object::new().put("Name", code.name).put("Type", code.code_type).put("Description", code.description).put("Active", true);
    view.identified(object, code.id, 0, view.books.created_at, view.books.created_at)
}

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/budget>.
pub fn budget(view: &View, budget: &Budget) -> Object {
    let details: Vec<Object> = budget
        .lines
        .iter()
        .map(|line| {
            let option = line.tracking.and_then(|id| view.books.lists.options.get(&id));
            Object::new()
                .put("BudgetDate", line.month)
                .put("Amount", line.amount)
                .put("AccountRef", view.account_reference(line.account))
                .put_some("ClassRef", option.map(|option| view.tracking_reference(option)))
        })
        .collect();
    let object = Object::new()
        .put("Name", budget.name.clone())
        .put("StartDate", budget.from)
        .put("EndDate", budget.to)
        .put("BudgetType", if budget.is_profit_and_loss { "ProfitAndLoss" } else { "BalanceSheet" })
        .put("BudgetEntryType", "Monthly")
        .put("Active", budget.stamp.active)
        .put("BudgetDetail", details);
    view.stamped(object, budget.id, &budget.stamp)
}
