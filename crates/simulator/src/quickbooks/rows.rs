//! The records behind an entity, before they are written as JSON.
use super::entity::Entity;
use super::wire::tree::Object;
use super::wire::{View, company, names};
use crate::books::{Account, Books, Contact, Document, Item, Status};
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Copy)]
pub enum Row<'a> {
    CompanyInfo(&'a Books),
    Preferences(&'a Books),
    Account(&'a Account),
    Customer(&'a Contact),
    Vendor(&'a Contact),
    Item(&'a Item),
    Document(&'a Document),
}

impl<'a> Row<'a> {
    pub fn id(&self) -> u64 {
        match self {
            Row::CompanyInfo(_) | Row::Preferences(_) => 1,
            Row::Account(account) => account.id,
            Row::Customer(contact) | Row::Vendor(contact) => contact.id,
            Row::Item(item) => item.id,
            Row::Document(document) => document.id,
        }
    }
    pub fn created_at(&self) -> Timestamp {
        match self {
            Row::CompanyInfo(books) | Row::Preferences(books) => books.created_at,
            Row::Account(account) => account.created_at,
            Row::Customer(contact) | Row::Vendor(contact) => contact.created_at,
            Row::Item(item) => item.created_at,
            Row::Document(document) => document.created_at,
        }
    }
    pub fn updated_at(&self) -> Timestamp {
        match self {
            Row::CompanyInfo(books) | Row::Preferences(books) => books.updated_at,
            Row::Account(account) => account.updated_at,
            Row::Customer(contact) | Row::Vendor(contact) => contact.updated_at,
            Row::Item(item) => item.updated_at,
            Row::Document(document) => document.updated_at,
        }
    }
    pub fn is_active(&self) -> bool {
        match self {
            Row::Account(account) => account.active,
            Row::Customer(contact) | Row::Vendor(contact) => contact.active,
            Row::Item(item) => item.active,
            _ => true,
        }
    }
    pub fn date(&self) -> Option<Date> {
        match self {
            Row::Document(document) => Some(document.date),
            _ => None,
        }
    }
    pub fn name(&self) -> &'a str {
        match self {
            Row::CompanyInfo(books) | Row::Preferences(books) => &books.name,
            Row::Account(account) => &account.name,
            Row::Customer(contact) | Row::Vendor(contact) => &contact.name,
            Row::Item(item) => &item.name,
            Row::Document(document) => &document.number,
        }
    }
    pub fn render(&self, view: &View) -> Object {
        match self {
            Row::CompanyInfo(_) => company::company_info(view),
            Row::Preferences(_) => company::preferences(view),
            Row::Account(account) => names::account(view, account),
            Row::Customer(contact) => names::customer(view, contact),
            Row::Vendor(contact) => names::vendor(view, contact),
            Row::Item(item) => names::item(view, item),
            Row::Document(document) => view.document(document),
        }
    }
    /// `active`, `archived`, `voided` or `deleted`.
    pub fn state(&self) -> &'static str {
        match self {
            Row::Document(document) if document.status == Status::Deleted => "deleted",
            Row::Document(document) if document.status == Status::Voided => "voided",
            row if !row.is_active() => "archived",
            _ => "active",
        }
    }
}

/// Everything a query of this entity can find, in the order of ids: deleted transactions are gone (contract 4).
pub fn living<'a>(books: &'a Books, entity: Entity) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
    Box::new(ever(books, entity).filter(|row| !matches!(row, Row::Document(document) if document.status == Status::Deleted)))
}

/// The living and the deleted. QuickBooks has no drafts.
pub fn ever<'a>(books: &'a Books, entity: Entity) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
    match entity {
        Entity::CompanyInfo => Box::new(std::iter::once(Row::CompanyInfo(books))),
        Entity::Preferences => Box::new(std::iter::once(Row::Preferences(books))),
        Entity::Account => Box::new(books.accounts.values().map(Row::Account)),
        Entity::Customer => Box::new(books.contacts.values().filter(|contact| contact.is_customer).map(Row::Customer)),
        Entity::Vendor => Box::new(books.contacts.values().filter(|contact| contact.is_supplier).map(Row::Vendor)),
        Entity::Item => Box::new(books.items.values().map(Row::Item)),
        Entity::Transaction(kind) => {
            Box::new(books.documents.values().filter(move |document| document.kind == kind && document.status != Status::Draft).map(Row::Document))
        }
        Entity::Unused(_) => Box::new(std::iter::empty()),
    }
}

/// One record by its id, living or deleted.
pub fn find<'a>(books: &'a Books, entity: Entity, id: u64) -> Option<Row<'a>> {
    match entity {
        Entity::CompanyInfo | Entity::Preferences => ever(books, entity).next(),
        Entity::Account => books.accounts.get(&id).map(Row::Account),
        Entity::Customer => books.contacts.get(&id).filter(|contact| contact.is_customer).map(Row::Customer),
        Entity::Vendor => books.contacts.get(&id).filter(|contact| contact.is_supplier).map(Row::Vendor),
        Entity::Item => books.items.get(&id).map(Row::Item),
        Entity::Transaction(kind) => {
            books.documents.get(&id).filter(|document| document.kind == kind && document.status != Status::Draft).map(Row::Document)
        }
        Entity::Unused(_) => None,
    }
}
