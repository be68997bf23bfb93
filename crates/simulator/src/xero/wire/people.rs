//! Users, branding themes and contact groups.
//!
//! Contract: providers/xero.md 6.4 and 6.8.
use super::json::Object;
use super::{Detail, contacts, dates};
use crate::books::Books;
use crate::xero::kept::{Entry, View};

pub fn users(books: &Books, _: &View) -> Vec<Entry> {
    let users = books.xero.users.iter().map(|user| {
        let id = books.guid("User", user.id);
        let object = Object::new()
            .text("UserID", &id)
            .text("EmailAddress", &user.email)
            .text("FirstName", &user.first_name)
            .text("LastName", &user.last_name)
            .raw("UpdatedDateUTC", &dates::ms_time(user.updated_at))
            .flag("IsSubscriber", user.is_subscriber)
            .text("OrganisationRole", user.role);
        Entry { id, number: None, at: user.updated_at, hidden: false, json: object.end() }
    });
    users.collect()
}

pub fn branding_themes(books: &Books, _: &View) -> Vec<Entry> {
    let themes = (0..).zip(&books.xero.branding_themes).map(|(order, theme): (u32, _)| {
        let id = books.guid("BrandingTheme", theme.id);
        let object = Object::new()
            .text("BrandingThemeID", &id)
            .text("Name", &theme.name)
            .text("Type", "INVOICE")
            .number("SortOrder", order)
            .raw("CreatedDateUTC", &dates::ms_time(theme.created_at));
        Entry { id, number: None, at: theme.created_at, hidden: false, json: object.end() }
    });
    themes.collect()
}

/// Only ACTIVE groups are returned, members only by id.
pub fn contact_groups(books: &Books, view: &View) -> Vec<Entry> {
    let groups = books.xero.contact_groups.values().filter(|group| !group.deleted).map(|group| {
        let id = books.guid("ContactGroup", group.id);
        let members: Vec<String> = match view.detail {
            Detail::Single => group.contacts.iter().filter_map(|id| contacts::embedded(books, *id, Detail::Listed)).collect(),
            _ => Vec::new(),
        };
        let object = Object::new()
            .text("ContactGroupID", &id)
            .text("Name", &group.name)
            .text("Status", "ACTIVE")
            .list("Contacts", &members)
            .flag("HasValidationErrors", false);
        Entry { id, number: None, at: books.created_at, hidden: false, json: object.end() }
    });
    groups.collect()
}
