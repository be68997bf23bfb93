//! TrackingCategories with their options, and the tracking of lines.
//!
//! Contract: providers/xero.md 6.7 and 3.6.
use super::Detail;
use super::json::Object;
use crate::books::Books;
use crate::books::lists::{Dimension, Stamp, TrackingOption};
use crate::xero::kept::{Entry, View};

fn status(stamp: &Stamp) -> &'static str {
    match (stamp.deleted, stamp.active) {
        (true, _) => "DELETED",
        (_, true) => "ACTIVE",
        _ => "ARCHIVED",
    }
}

/// ACTIVE ones; ARCHIVED ones too with `includeArchived`; deleted ones are gone.
pub fn records(books: &Books, view: &View) -> Vec<Entry> {
    let archived_too = view.detail == Detail::Single || view.parameters.flag("includearchived").unwrap_or(false);
    let kept = books.lists.dimensions.values().filter(|dimension| !dimension.stamp.deleted);
    let entries = kept.map(|dimension| Entry {
        id: books.guid("TrackingCategory", dimension.id),
        number: None,
        at: dimension.stamp.updated_at,
        hidden: !dimension.stamp.active,
        json: category(books, dimension, archived_too),
    });
    entries.collect()
}

fn category(books: &Books, dimension: &Dimension, archived_too: bool) -> String {
    let own = books.lists.options.values().filter(|option| option.dimension == dimension.id && !option.stamp.deleted);
    let options: Vec<String> = own.filter(|option| option.stamp.active || archived_too).map(|found| option(books, found)).collect();
    Object::new()
        .text("Name", &dimension.name)
        .text("Status", status(&dimension.stamp))
        .text("TrackingCategoryID", &books.guid("TrackingCategory", dimension.id))
        .list("Options", &options)
        .end()
}

pub fn option(books: &Books, option: &TrackingOption) -> String {
    Object::new()
        .text("TrackingOptionID", &books.guid("TrackingOption", option.id))
        .text("Name", &option.name)
        .text("Status", status(&option.stamp))
        .flag("HasValidationErrors", false)
        .flag("IsDeleted", false)
        .flag("IsArchived", !option.stamp.active)
        .flag("IsActive", option.stamp.active)
        .end()
}

/// The options a line carries. Recorded: the lists leave the option's id out.
pub fn on_line(books: &Books, options: &[u64], with_option_id: bool) -> Vec<String> {
    let known = options.iter().filter_map(|id| books.lists.options.get(id));
    let embedded = known.filter_map(|option| {
        let dimension = books.lists.dimensions.get(&option.dimension)?;
        let object = Object::new()
            .text("Name", &dimension.name)
            .text("Option", &option.name)
            .text("TrackingCategoryID", &books.guid("TrackingCategory", dimension.id))
            .when(with_option_id, |object| object.text("TrackingOptionID", &books.guid("TrackingOption", option.id)));
        Some(object.raw("Options", "[]").end())
    });
    embedded.collect()
}
