//! PUT, POST and DELETE of TrackingCategories and their options.
use super::fields::{self, Problems};
use super::{Maker, Saved};
use crate::books::Books;
use crate::books::lists::{DimensionRole, Stamp};
use crate::xero::refusal::Refusal;
use crate::xero::tree::Node;
use crate::xero::wire::tracking;
use jiff::Timestamp;

/// At most two active ones, and four in all (developer.xero.com, "Types").
const MOST_ACTIVE: usize = 2;
const MOST: usize = 4;

pub fn save_category(books: &mut Books, maker: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let name = problems.take(fields::text(element, "Name")).filter(|name| !name.is_empty());
    let active = problems.take(active(element));
    let standing = || books.lists.dimensions.values().filter(|dimension| !dimension.stamp.deleted);
    if standing().any(|other| Some(other.id) != known && name.as_ref().is_some_and(|name| other.name.eq_ignore_ascii_case(name))) {
        problems.0.push("The Tracking Category name must be unique.".into());
    }
    let others_active = standing().filter(|dimension| dimension.stamp.active && Some(dimension.id) != known).count();
    let becomes_active = active.unwrap_or_else(|| known.is_none_or(|id| books.lists.dimensions[&id].stamp.active));
    if (becomes_active && others_active >= MOST_ACTIVE) || (known.is_none() && standing().count() >= MOST) {
        problems.0.push("Only two active tracking categories, and four in all, are allowed.".into());
    }
    if known.is_none() && name.is_none() {
        problems.0.push("The Tracking Category needs a Name.".into());
    }
    problems.end()?;
    let id = match known {
        Some(id) => id,
        None => books.add_dimension(name.clone().unwrap_or_default(), DimensionRole::Other, maker.now),
    };
    let dimension = books.lists.dimensions.get_mut(&id).expect("found or made above");
    dimension.name = name.unwrap_or_else(|| dimension.name.clone());
    dimension.stamp.active = active.unwrap_or(dimension.stamp.active);
    dimension.stamp.touch(maker.now);
    for option in element.get("Options").and_then(Node::list).unwrap_or_default().iter().take(100) {
        if let Some(name) = fields::text(option, "Name")?.filter(|name| !name.is_empty()) {
            books.add_tracking_option(id, name, None, maker.now)?;
        }
    }
    Ok(id)
}

fn active(element: &Node) -> Result<Option<bool>, Problems> {
    match fields::text(element, "Status")?.as_deref() {
        None => Ok(None),
        Some("ACTIVE") => Ok(Some(true)),
        Some("ARCHIVED") => Ok(Some(false)),
        Some(other) => Err(Problems::one(format!("Status '{other}' is not one of ACTIVE, ARCHIVED"))),
    }
}

fn option_id(books: &Books, category: u64, guid: &str) -> Result<u64, Refusal> {
    let known = books.id_of_guid("TrackingOption", guid);
    known.filter(|id| books.lists.options.get(id).is_some_and(|o| o.dimension == category && !o.stamp.deleted)).ok_or(Refusal::NotFound)
}

/// A new option, or the one of the path changed.
pub fn save_option(
    books: &mut Books,
    maker: &Maker,
    category: u64,
    known: Option<&str>,
    element: &Node,
) -> Result<Result<String, Problems>, Refusal> {
    let known = known.map(|guid| option_id(books, category, guid)).transpose()?;
    Ok(saved_option(books, maker.now, category, known, element).map(|id| tracking::option(books, &books.lists.options[&id])))
}

fn saved_option(books: &mut Books, now: Timestamp, category: u64, known: Option<u64>, element: &Node) -> Saved {
    let name = fields::text(element, "Name")?.filter(|name| !name.is_empty());
    let active = active(element)?;
    match known {
        Some(id) => {
            let option = books.lists.options[&id].clone();
            books.change_tracking_option(id, name.unwrap_or(option.name), option.parent, active.unwrap_or(option.stamp.active), now)?;
            Ok(id)
        }
        None => Ok(books.add_tracking_option(category, name.ok_or_else(|| Problems::one("The option needs a Name"))?, None, now)?),
    }
}

/// Used by a line of any document, order or template.
fn is_used(books: &Books, option: u64) -> bool {
    let names = |tracking: &[u64]| tracking.contains(&option);
    books.documents.values().any(|d| names(&d.details.tracking) || d.lines.iter().any(|line| names(&line.tracking)))
        || books.lists.orders.values().any(|order| names(&order.tracking) || order.lines.iter().any(|line| names(&line.tracking)))
}

pub fn delete_option(books: &mut Books, maker: &Maker, category: u64, guid: &str) -> Result<String, Refusal> {
    let id = option_id(books, category, guid)?;
    if is_used(books, id) {
        return Err(Refusal::Validation("The tracking option is used on transactions and cannot be deleted".into()));
    }
    end(&mut books.lists.options.get_mut(&id).expect("looked up above").stamp, maker.now);
    Ok(tracking::option(books, &books.lists.options[&id]))
}

pub fn delete_category(books: &mut Books, maker: &Maker, id: u64) -> Result<(), Problems> {
    let options: Vec<u64> = books.lists.options.values().filter(|option| option.dimension == id).map(|option| option.id).collect();
    if options.iter().any(|option| is_used(books, *option)) {
        return Err(Problems::one("The tracking category is used on transactions and cannot be deleted"));
    }
    for option in options {
        end(&mut books.lists.options.get_mut(&option).expect("listed above").stamp, maker.now);
    }
    end(&mut books.lists.dimensions.get_mut(&id).expect("looked up by the caller").stamp, maker.now);
    Ok(())
}

fn end(stamp: &mut Stamp, now: Timestamp) {
    stamp.deleted = true;
    stamp.active = false;
    stamp.touch(now);
}
