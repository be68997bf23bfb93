//! Budgets, recurring transactions and exchange rates: what is planned or quoted, and posts nothing.
use super::fields::{References, amount, date, flag, inner, objects, rate, text, whole};
use super::{Write, documents};
use crate::books::Kind;
use crate::books::lists::{BudgetLine, DimensionRole, Every, Template};
use crate::quickbooks::body;
use crate::quickbooks::dates;
use crate::quickbooks::entity::Entity;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::schema::conform;
use crate::quickbooks::wire::tree::{Json, Object};
use jiff::Timestamp;

const MOST_DETAILS: usize = 10_000;

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/budget>.
pub fn budget(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let name = text(fields, "Name").ok_or_else(|| Refusal::missing_parameter("Name"))?.to_owned();
    let day = |key: &'static str| date(fields, key)?.ok_or_else(|| Refusal::missing_parameter(key));
    let (from, to) = (day("StartDate")?, day("EndDate")?);
    if from > to {
        return Err(Refusal::business("A budget starts before it ends"));
    }
    let known = write.id.and_then(|id| write.books.lists.budgets.get(&id));
    let used =
        known.map(|known| known.lines.iter().flat_map(|line| std::iter::once(line.account).chain(line.tracking)).collect()).unwrap_or_default();
    let references = References { books: write.books, used };
    let details = objects(fields, "BudgetDetail");
    if details.is_empty() || details.len() > MOST_DETAILS {
        return Err(Refusal::missing_parameter("BudgetDetail"));
    }
    let mut lines = Vec::with_capacity(details.len());
    for detail in details {
        let month = date(detail, "BudgetDate")?.ok_or_else(|| Refusal::missing_parameter("BudgetDate"))?;
        if !(from..=to).contains(&month) {
            return Err(Refusal::business(format!("{month} is outside of the budget")));
        }
        let account = references.account(detail, "AccountRef")?.ok_or_else(|| Refusal::missing_parameter("AccountRef"))?;
        let amount = amount(detail, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
        let tracking = references.tracking(detail, "ClassRef", DimensionRole::Class)?;
        lines.push(BudgetLine { month: month.first_of_month(), account, amount, tracking });
    }
    let active = flag(fields, "Active").unwrap_or(true);
    let id = write.id.unwrap_or_else(|| write.books.add_budget(name.clone(), from, to, lines.clone(), write.now));
    let budget = write.books.lists.budgets.get_mut(&id).expect("added or found");
    let before = budget.clone();
    (budget.name, budget.from, budget.to, budget.lines, budget.stamp.active) = (name, from, to, lines, active);
    if write.id.is_some() && *budget != before {
        budget.stamp.touch(write.now);
    }
    Ok(id)
}

/// The typed record inside a RecurringTransaction (contract 7.5).
fn typed(fields: &Object) -> Result<(Entity, Object), Refusal> {
    let found = fields.0.iter().find_map(|(key, value)| match (Entity::named(key), value) {
        (Some(entity @ (Entity::Transaction(_) | Entity::Order(_))), Json::Written(text)) => Some((entity, text.clone())),
        _ => None,
    });
    let (entity, text) = found.ok_or_else(|| Refusal::missing_parameter("RecurringInfo"))?;
    let value = body::read(&text).map_err(|error| Refusal::unsupported_property(&error.to_string()))?;
    Ok((entity, conform::object(entity.name(), &value)?))
}

/// Where id and version stand: of a template inside.
pub fn identified(entity: Entity, fields: &Object) -> Result<Object, Refusal> {
    if entity == Entity::RecurringTransaction && fields.get("Id").is_none() {
        return typed(fields).map(|(_, own)| own);
    }
    Ok(fields.clone())
}

pub fn template(write: Write) -> Result<u64, Refusal> {
    let (entity, own) = typed(&write.fields)?;
    let Entity::Transaction(kind) = entity else {
        return Err(Refusal::unsupported(format!("Operation create or update of a recurring {} is not supported.", entity.name())));
    };
    if matches!(kind, Kind::Payment | Kind::BillPayment) {
        return Err(Refusal::unsupported(format!("Operation create or update of a recurring {} is not supported.", entity.name())));
    }
    let info = inner(&own, "RecurringInfo").ok_or_else(|| Refusal::missing_parameter("RecurringInfo"))?;
    let name = text(info, "Name").ok_or_else(|| Refusal::missing_parameter("Name"))?.to_owned();
    let is_automated = match text(info, "RecurType") {
        Some("Automated") => true,
        Some("Reminded" | "UnScheduled") => false,
        _ => return Err(Refusal::missing_parameter("RecurType")),
    };
    let schedule = inner(info, "ScheduleInfo").cloned().unwrap_or_default();
    let every = match text(&schedule, "IntervalType") {
        Some("Weekly") => Every::Week,
        Some("Yearly") => Every::Year,
        None | Some("Monthly") => Every::Month,
        Some(other) => return Err(Refusal::business(format!("IntervalType {other} is not one of Weekly, Monthly, Yearly"))),
    };
    let count = whole(&schedule, "NumInterval").unwrap_or(1).clamp(1, 99);
    let starts = date(&schedule, "StartDate")?.unwrap_or_else(|| dates::day_of(write.books, write.now));
    let active = flag(info, "Active").unwrap_or(true);
    let inner_write = Write { books: write.books, entity, fields: own, id: None, allows_twins: true, now: write.now };
    let mut document = documents::described(&inner_write, kind)?;
    document.date = starts;
    let books = inner_write.books;
    let id = match write.id {
        Some(id) => id,
        None => books.add_template(name.clone(), document.clone(), every, is_automated, write.now),
    };
    let template = books.lists.templates.get_mut(&id).expect("added or found");
    let stamp = template.stamp;
    let (next, previous) = (template.next, template.previous);
    *template = Template { id, name, document, is_automated, every, count, starts, next: next.map(|next| next.max(starts)), previous, stamp };
    template.stamp.active = active;
    if write.id.is_some() {
        template.stamp.touch(write.now);
    }
    Ok(id)
}

/// `POST …/exchangerate` sets the rate of a day: <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/exchangerate>.
pub fn exchange_rate(books: &mut crate::books::Books, fields: &Object, now: Timestamp) -> Result<(String, jiff::civil::Date), Refusal> {
    let code = text(fields, "SourceCurrencyCode").ok_or_else(|| Refusal::missing_parameter("SourceCurrencyCode"))?.to_ascii_uppercase();
    if !books.foreign_currencies().contains_key(&code) {
        return Err(Refusal::invalid_reference("Currency", &code));
    }
    if text(fields, "TargetCurrencyCode").is_some_and(|target| target != books.currency) {
        return Err(Refusal::business("The target of an exchange rate is the home currency"));
    }
    let given = rate(fields, "Rate")?.ok_or_else(|| Refusal::missing_parameter("Rate"))?;
    let day = date(fields, "AsOfDate")?.unwrap_or_else(|| dates::day_of(books, now));
    books.lists.exchange_rates.insert((code.clone(), day), given);
    Ok((code, day))
}
