//! Classes, departments, terms, payment methods, currencies, time activities and attachments.
use super::Write;
use super::fields::{References, amount, date, flag, inner, name, objects, reference, text, whole};
use crate::books::lists::{Currency, DimensionRole, Due, Owner, Stamp, Worker};
use crate::quickbooks::dates;
use crate::quickbooks::entity::Entity;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::attachables;
use crate::quickbooks::wire::tree::Object;
use std::collections::BTreeSet;

pub fn save(mut write: Write) -> Result<u64, Refusal> {
    match write.entity {
        Entity::Tracking(role) => tracking(&mut write, role),
        Entity::Term => term(&mut write),
        Entity::PaymentMethod => payment_method(&mut write),
        Entity::CompanyCurrency => currency(&mut write),
        Entity::TimeActivity => time_activity(&mut write),
        _ => attachment(&mut write),
    }
}

fn needed_name(fields: &Object) -> Result<String, Refusal> {
    let name = name(fields, "Name").ok_or_else(|| Refusal::missing_parameter("Name"))?;
    if name.chars().count() > 100 || name.contains(':') {
        return Err(Refusal::business("A name has at most 100 characters and no colon"));
    }
    Ok(name.to_owned())
}

fn tracking(write: &mut Write, role: DimensionRole) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let shown = needed_name(fields)?;
    let books = &mut *write.books;
    let used = write.id.and_then(|id| books.lists.options.get(&id)?.parent).into_iter().collect();
    let parent = References { books, used }.tracking(fields, "ParentRef", role)?;
    let mut others =
        books.lists.options.values().filter(|option| books.lists.dimensions.get(&option.dimension).is_some_and(|dimension| dimension.role == role));
    if others.any(|option| Some(option.id) != write.id && option.parent == parent && option.name.eq_ignore_ascii_case(&shown)) {
        return Err(Refusal::duplicate_name());
    }
    let active = flag(fields, "Active").unwrap_or(true);
    match write.id {
        Some(id) => {
            books.change_tracking_option(id, shown, parent, active, write.now)?;
            Ok(id)
        }
        None => {
            let word = if role == DimensionRole::Class { "Class" } else { "Location" };
            let dimension = books.dimension(role).unwrap_or_else(|| books.add_dimension(word, role, write.now));
            let id = books.add_tracking_option(dimension, shown, parent, write.now)?;
            books.lists.options.get_mut(&id).expect("added above").stamp.active = active;
            Ok(id)
        }
    }
}

fn term(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let shown = needed_name(fields)?;
    let lists = &mut write.books.lists;
    if lists.terms.values().any(|other| Some(other.id) != write.id && other.name.eq_ignore_ascii_case(&shown)) {
        return Err(Refusal::duplicate_name());
    }
    let days = |key: &str| whole(fields, key).map(|days| days.clamp(0, 999));
    let by_day = text(fields, "Type").map_or(days("DayOfMonthDue").is_some_and(|day| day > 0), |word| word.eq_ignore_ascii_case("DATE_DRIVEN"));
    let due = if by_day {
        let day = days("DayOfMonthDue").ok_or_else(|| Refusal::missing_parameter("DayOfMonthDue"))?;
        Due::DayOfMonth { day: i8::try_from(day.clamp(1, 31)).expect("at most 31"), next_month_within: days("DueNextMonthDays").unwrap_or(0) }
    } else {
        Due::Days(days("DueDays").ok_or_else(|| Refusal::missing_parameter("DueDays"))?)
    };
    let discount_basis_points = amount(fields, "DiscountPercent")?.map_or(0, |percent| percent.0.clamp(0, 10_000));
    let discount_days = days(if by_day { "DiscountDayOfMonth" } else { "DiscountDays" }).filter(|days| *days > 0);
    let active = flag(fields, "Active").unwrap_or(true);
    let id = write.id.unwrap_or_else(|| write.books.add_term(shown.clone(), due, write.now));
    let term = write.books.lists.terms.get_mut(&id).expect("added or found");
    let before = term.clone();
    (term.name, term.due, term.discount_basis_points, term.discount_days) = (shown, due, discount_basis_points, discount_days);
    term.stamp.active = active;
    if write.id.is_some() && *term != before {
        term.stamp.touch(write.now);
    }
    Ok(id)
}

fn payment_method(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let shown = needed_name(fields)?;
    if write.books.lists.payment_methods.values().any(|other| Some(other.id) != write.id && other.name.eq_ignore_ascii_case(&shown)) {
        return Err(Refusal::duplicate_name());
    }
    let is_credit_card = text(fields, "Type") == Some("CREDIT_CARD");
    let active = flag(fields, "Active").unwrap_or(true);
    let id = write.id.unwrap_or_else(|| write.books.add_payment_method(shown.clone(), is_credit_card, write.now));
    let method = write.books.lists.payment_methods.get_mut(&id).expect("added or found");
    let before = method.clone();
    (method.name, method.is_credit_card, method.stamp.active) = (shown, is_credit_card, active);
    if write.id.is_some() && *method != before {
        method.stamp.touch(write.now);
    }
    Ok(id)
}

fn currency(write: &mut Write) -> Result<u64, Refusal> {
    let code = text(&write.fields, "Code").ok_or_else(|| Refusal::missing_parameter("Code"))?.to_ascii_uppercase();
    if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Refusal::business(format!("{code} is not a currency code")));
    }
    let id = Currency::id(&code);
    let known = write.books.foreign_currencies();
    if write.id.is_none() && (known.contains_key(&code) || code == write.books.currency) {
        return Err(Refusal::duplicate_name());
    }
    if write.id.is_some_and(|own| own != id) {
        return Err(Refusal::business("A currency keeps its code"));
    }
    let mut entry = known.get(&code).cloned().unwrap_or(Currency { code: code.clone(), stamp: Stamp::new(write.now) });
    let active = flag(&write.fields, "Active").unwrap_or(true);
    if entry.stamp.active != active {
        entry.stamp.active = active;
        if write.id.is_some() {
            entry.stamp.touch(write.now);
        }
    }
    write.books.lists.currencies.insert(code, entry);
    Ok(id)
}

fn time_activity(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let known = write.id.and_then(|id| write.books.lists.time_activities.get(&id)).cloned();
    let mut used: BTreeSet<u64> = known.iter().flat_map(|known| known.tracking.clone().into_iter().chain(known.customer).chain(known.item)).collect();
    used.extend(known.as_ref().map(|known| match known.worker {
        Worker::Employee(id) | Worker::Vendor(id) => id,
    }));
    let references = References { books: write.books, used };
    let worker = match text(fields, "NameOf") {
        Some("Vendor") => Worker::Vendor(references.vendor(fields, "VendorRef")?.ok_or_else(|| Refusal::missing_parameter("VendorRef"))?),
        Some("Employee") => Worker::Employee(references.employee(fields, "EmployeeRef")?.ok_or_else(|| Refusal::missing_parameter("EmployeeRef"))?),
        Some(other) => return Err(Refusal::business(format!("Time of {other} cannot be kept: use Employee or Vendor"))),
        None => return Err(Refusal::missing_parameter("NameOf")),
    };
    let minutes = whole(fields, "Hours").unwrap_or(0).clamp(0, 8_784) * 60 + whole(fields, "Minutes").unwrap_or(0).clamp(0, 59);
    if minutes == 0 && (fields.get("StartTime").is_none() || fields.get("EndTime").is_none()) {
        return Err(Refusal::missing_parameter("Hours"));
    }
    let (customer, item) = (references.customer(fields, "CustomerRef")?, references.item(fields, "ItemRef")?);
    let class = references.tracking(fields, "ClassRef", DimensionRole::Class)?;
    let location = references.tracking(fields, "DepartmentRef", DimensionRole::Location)?;
    let billable = text(fields, "BillableStatus") == Some("Billable");
    if billable && customer.is_none() {
        return Err(Refusal::missing_parameter("CustomerRef"));
    }
    let day = date(fields, "TxnDate")?.unwrap_or_else(|| dates::day_of(write.books, write.now));
    let hourly_rate = amount(fields, "HourlyRate")?.unwrap_or_default();
    let description = text(fields, "Description").unwrap_or_default().to_owned();
    let id = write.id.unwrap_or_else(|| write.books.add_time_activity(day, worker, minutes, write.now));
    let activity = write.books.lists.time_activities.get_mut(&id).expect("added or found");
    let before = activity.clone();
    (activity.date, activity.worker, activity.minutes, activity.customer, activity.item) = (day, worker, minutes, customer, item);
    (activity.hourly_rate, activity.billable, activity.description) = (hourly_rate, billable, description);
    let tracking: Vec<u64> = class.into_iter().chain(location).collect();
    if tracking.len() != activity.tracking.len() || !tracking.iter().all(|id| activity.tracking.contains(id)) {
        activity.tracking = tracking;
    }
    if write.id.is_some() && *activity != before {
        activity.stamp.touch(write.now);
    }
    Ok(id)
}

/// What an attachment hangs on, as `AttachableRef` says it.
pub fn owners(fields: &Object) -> Result<Vec<Owner>, Refusal> {
    let owner = |attached: &Object| {
        let entity = inner(attached, "EntityRef").and_then(|entity| text(entity, "type"));
        let kind = entity.ok_or_else(|| Refusal::missing_parameter("EntityRef"))?;
        let kind = Entity::named(kind).ok_or_else(|| Refusal::invalid_reference(kind, "0"))?;
        let id = reference(attached, "EntityRef").ok_or_else(|| Refusal::missing_parameter("EntityRef"))?;
        let id: u64 = id.parse().map_err(|_| Refusal::invalid_reference(kind.name(), id))?;
        Ok(Owner { kind: kind.name().to_owned(), id, include_on_send: flag(attached, "IncludeOnSend").unwrap_or(false) })
    };
    objects(fields, "AttachableRef").into_iter().map(owner).collect()
}

fn attachment(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let owners = owners(fields)?;
    let note = text(fields, "Note").unwrap_or_default().to_owned();
    let file_name = text(fields, "FileName").unwrap_or_default().to_owned();
    if note.is_empty() && file_name.is_empty() {
        return Err(Refusal::missing_parameter("Note"));
    }
    let content_type = text(fields, "ContentType").unwrap_or_default().to_owned();
    let id = match write.id.and_then(attachables::id_of) {
        Some(id) => id,
        None => write.books.add_attachment(file_name.clone(), content_type.clone(), None, 0, Vec::new(), write.now),
    };
    let attachment = write.books.lists.attachments.get_mut(&id).expect("added or found");
    let before = attachment.clone();
    (attachment.owners, attachment.note, attachment.file_name) = (owners, note, file_name);
    if !content_type.is_empty() {
        attachment.content_type = content_type;
    }
    if write.id.is_some() && *attachment != before {
        attachment.stamp.touch(write.now);
    }
    Ok(attachables::shown_id(id))
}
