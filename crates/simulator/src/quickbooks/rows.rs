//! The records behind an entity, before they are written as JSON.
use super::entity::Entity;
use super::wire::taxes::{self, TaxCode};
use super::wire::tree::Object;
use super::wire::{View, attachables, company, names, orders, small_lists, time};
use super::write::properties;
use crate::books::lists::{
    Attachment, Budget, Currency, Employee, Order, PaymentMethod, Stamp, TaxAgency, Template, Term, TimeActivity, TrackingOption,
};
use crate::books::{Account, Books, Contact, Document, Item, Kind, Status, TaxRate, Variant};
use crate::money::Rate;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone)]
pub enum Row<'a> {
    CompanyInfo(&'a Books),
    Preferences(&'a Books),
    Account(&'a Account),
    Customer(&'a Contact),
    Vendor(&'a Contact),
    Item(&'a Item),
    Document(&'a Document),
    Employee(&'a Employee),
    Tracking(&'a TrackingOption),
    Term(&'a Term),
    PaymentMethod(&'a PaymentMethod),
    TaxCode(TaxCode<'a>, &'a Books),
    TaxRate(&'a TaxRate, &'a Books),
    TaxAgency(TaxAgency, &'a Books),
    Currency(Currency),
    ExchangeRate { code: String, date: Date, rate: Rate, at: Timestamp },
    JournalCode(small_lists::JournalCode, &'a Books),
    Budget(&'a Budget),
    Attachment(&'a Attachment),
    Template(&'a Template),
    Order(&'a Order),
    TimeActivity(&'a TimeActivity),
}

impl<'a> Row<'a> {
    /// The number behind the id, by which rows are ordered.
    pub fn id(&self) -> u64 {
        match self {
            Row::CompanyInfo(_) | Row::Preferences(_) => 1,
            Row::Account(account) => account.id,
            Row::Customer(contact) | Row::Vendor(contact) => contact.id,
            Row::Item(item) => item.id,
            Row::Document(document) => document.id,
            Row::Employee(employee) => employee.id,
            Row::Tracking(option) => option.id,
            Row::Term(term) => term.id,
            Row::PaymentMethod(method) => method.id,
            Row::TaxCode(code, _) => code.number(),
            Row::TaxRate(rate, _) => rate.id,
            Row::TaxAgency(agency, _) => agency.id,
            Row::Currency(currency) => Currency::id(&currency.code),
            Row::ExchangeRate { code, .. } => Currency::id(code),
            Row::JournalCode(code, _) => code.id,
            Row::Budget(budget) => budget.id,
            Row::Attachment(attachment) => attachables::shown_id(attachment.id),
            Row::Template(template) => template.id,
            Row::Order(order) => order.id,
            Row::TimeActivity(activity) => activity.id,
        }
    }
    /// The id as it is shown.
    pub fn shown_id(&self) -> String {
        match self {
            Row::TaxCode(code, _) => code.id(),
            other => other.id().to_string(),
        }
    }
    fn stamp(&self) -> Option<Stamp> {
        Some(match self {
            Row::Employee(employee) => employee.stamp,
            Row::Tracking(option) => option.stamp,
            Row::Term(term) => term.stamp,
            Row::PaymentMethod(method) => method.stamp,
            Row::Currency(currency) => currency.stamp,
            Row::Budget(budget) => budget.stamp,
            Row::Attachment(attachment) => attachment.stamp,
            Row::Template(template) => template.stamp,
            Row::Order(order) => order.stamp,
            Row::TimeActivity(activity) => activity.stamp,
            _ => return None,
        })
    }
    pub fn created_at(&self) -> Timestamp {
        match self {
            Row::CompanyInfo(books) | Row::Preferences(books) => books.created_at,
            Row::TaxCode(_, books) | Row::TaxRate(_, books) | Row::TaxAgency(_, books) | Row::JournalCode(_, books) => books.created_at,
            Row::Account(account) => account.created_at,
            Row::Customer(contact) | Row::Vendor(contact) => contact.created_at,
            Row::Item(item) => item.created_at,
            Row::Document(document) => document.created_at,
            Row::ExchangeRate { at, .. } => *at,
            other => other.stamp().map_or(Timestamp::UNIX_EPOCH, |stamp| stamp.created_at),
        }
    }
    pub fn updated_at(&self) -> Timestamp {
        match self {
            Row::CompanyInfo(books) => company::version(books, "CompanyInfo").1,
            Row::Preferences(books) => company::version(books, "Preferences").1,
            Row::Account(account) => account.updated_at,
            Row::Customer(contact) | Row::Vendor(contact) => contact.updated_at,
            Row::Item(item) => item.updated_at,
            Row::Document(document) => document.updated_at,
            other => other.stamp().map_or_else(|| other.created_at(), |stamp| stamp.updated_at),
        }
    }
    pub fn sync_token(&self) -> u32 {
        match self {
            Row::CompanyInfo(books) => company::version(books, "CompanyInfo").0,
            Row::Preferences(books) => company::version(books, "Preferences").0,
            Row::Account(account) => account.sync_token,
            Row::Customer(contact) | Row::Vendor(contact) => contact.sync_token,
            Row::Item(item) => item.sync_token,
            Row::Document(document) => document.sync_token,
            other => other.stamp().map_or(0, |stamp| stamp.sync_token),
        }
    }
    pub fn is_active(&self) -> bool {
        match self {
            Row::Account(account) => account.active,
            Row::Customer(contact) | Row::Vendor(contact) => contact.active,
            Row::Item(item) => item.active,
            other => other.stamp().is_none_or(|stamp| stamp.active),
        }
    }
    pub fn date(&self) -> Option<Date> {
        match self {
            Row::Document(document) => Some(document.date),
            Row::Order(order) => Some(order.date),
            Row::TimeActivity(activity) => Some(activity.date),
            Row::ExchangeRate { date, .. } => Some(*date),
            _ => None,
        }
    }
    pub fn name(&self) -> &str {
        match self {
            Row::CompanyInfo(books) | Row::Preferences(books) => &books.name,
            Row::Account(account) => &account.name,
            Row::Customer(contact) | Row::Vendor(contact) => &contact.name,
            Row::Item(item) => &item.name,
            Row::Document(document) => &document.number,
            Row::Employee(employee) => &employee.display_name,
            Row::Tracking(option) => &option.name,
            Row::Term(term) => &term.name,
            Row::PaymentMethod(method) => &method.name,
            Row::TaxCode(code, _) => code.name(),
            Row::TaxRate(rate, _) => &rate.name,
            Row::TaxAgency(agency, _) => &agency.name,
            Row::Currency(currency) => &currency.code,
            Row::ExchangeRate { code, .. } => code,
            Row::JournalCode(code, _) => code.name,
            Row::Budget(budget) => &budget.name,
            Row::Attachment(attachment) => &attachment.file_name,
            Row::Template(template) => &template.name,
            Row::Order(order) => &order.number,
            Row::TimeActivity(activity) => &activity.description,
        }
    }
    /// The record as it is shown: what the books say, and over it what only this face keeps.
    pub fn render(&self, view: &View) -> Object {
        let mut object = self.of_the_books(view);
        if let Some(entity) = self.entity(view.books) {
            properties::lay_over(view.books, entity, self.id(), &mut object);
        }
        object
    }
    /// The entity of records that can keep properties of their own.
    fn entity(&self, books: &Books) -> Option<Entity> {
        Some(match self {
            Row::CompanyInfo(_) => Entity::CompanyInfo,
            Row::Preferences(_) => Entity::Preferences,
            Row::Account(_) => Entity::Account,
            Row::Customer(_) => Entity::Customer,
            Row::Vendor(_) => Entity::Vendor,
            Row::Item(_) => Entity::Item,
            Row::Employee(_) => Entity::Employee,
            Row::Document(document) => entity_of(document),
            Row::Order(order) => Entity::Order(order.kind),
            Row::Term(_) => Entity::Term,
            Row::PaymentMethod(_) => Entity::PaymentMethod,
            Row::TimeActivity(_) => Entity::TimeActivity,
            Row::Attachment(_) => Entity::Attachable,
            Row::Tracking(option) => Entity::Tracking(books.lists.dimensions.get(&option.dimension)?.role),
            _ => return None,
        })
    }
    fn of_the_books(&self, view: &View) -> Object {
        match self {
            Row::CompanyInfo(_) => company::company_info(view),
            Row::Preferences(_) => company::preferences(view),
            Row::Account(account) => names::account(view, account),
            Row::Customer(contact) => names::customer(view, contact),
            Row::Vendor(contact) => names::vendor(view, contact),
            Row::Item(item) => names::item(view, item),
            Row::Document(document) => view.document(document),
            Row::Employee(employee) => names::employee(view, employee),
            Row::Tracking(option) => small_lists::tracking(view, option),
            Row::Term(term) => small_lists::term(view, term),
            Row::PaymentMethod(method) => small_lists::payment_method(view, method),
            Row::TaxCode(code, _) => taxes::code(view, code),
            Row::TaxRate(rate, _) => taxes::rate(view, rate),
            Row::TaxAgency(agency, _) => taxes::agency(view, agency),
            Row::Currency(currency) => small_lists::company_currency(view, currency),
            Row::ExchangeRate { code, date, rate, at } => small_lists::exchange_rate(view, code, *date, *rate, *at),
            Row::JournalCode(code, _) => small_lists::journal_code(view, code),
            Row::Budget(budget) => small_lists::budget(view, budget),
            Row::Attachment(attachment) => attachables::attachable(view, attachment),
            Row::Template(template) => orders::template(view, template),
            Row::Order(order) => orders::order(view, order),
            Row::TimeActivity(activity) => time::activity(view, activity),
        }
    }
    pub fn is_deleted(&self) -> bool {
        match self {
            Row::Document(document) => document.status == Status::Deleted,
            other => other.stamp().is_some_and(|stamp| stamp.deleted),
        }
    }
    /// `active`, `archived`, `voided` or `deleted`.
    pub fn state(&self) -> &'static str {
        match self {
            row if row.is_deleted() => "deleted",
            Row::Document(document) if document.status == Status::Voided => "voided",
            row if !row.is_active() => "archived",
            _ => "active",
        }
    }
}

/// Everything a query of this entity can find, in the order of ids: deleted transactions are gone (contract 4).
pub fn living<'a>(books: &'a Books, entity: Entity) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
    Box::new(ever(books, entity).filter(|row| !row.is_deleted()))
}

/// The living and the deleted. QuickBooks has no drafts. Exchange rates are of no day yet: see `exchange_rates`.
pub fn ever<'a>(books: &'a Books, entity: Entity) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
    let lists = &books.lists;
    match entity {
        Entity::CompanyInfo => Box::new(std::iter::once(Row::CompanyInfo(books))),
        Entity::Preferences => Box::new(std::iter::once(Row::Preferences(books))),
        Entity::Account => Box::new(books.accounts.values().map(Row::Account)),
        Entity::Customer => Box::new(books.contacts.values().filter(|contact| contact.is_customer).map(Row::Customer)),
        Entity::Vendor => Box::new(books.contacts.values().filter(|contact| contact.is_supplier).map(Row::Vendor)),
        Entity::Item => Box::new(books.items.values().map(Row::Item)),
        Entity::Employee => Box::new(lists.employees.values().map(Row::Employee)),
        Entity::Tracking(role) => {
            let dimension = books.dimension(role);
            Box::new(lists.options.values().filter(move |option| Some(option.dimension) == dimension).map(Row::Tracking))
        }
        Entity::Term => Box::new(lists.terms.values().map(Row::Term)),
        Entity::PaymentMethod => Box::new(lists.payment_methods.values().map(Row::PaymentMethod)),
        Entity::TaxCode => Box::new(taxes::codes(books).map(move |code| Row::TaxCode(code, books))),
        Entity::TaxRate => Box::new(books.tax_rates.iter().map(move |rate| Row::TaxRate(rate, books))),
        Entity::TaxAgency => Box::new(books.tax_agencies().into_iter().map(move |agency| Row::TaxAgency(agency, books))),
        Entity::CompanyCurrency => Box::new(books.foreign_currencies().into_values().map(Row::Currency)),
        Entity::ExchangeRate | Entity::CustomerType => Box::new(std::iter::empty()),
        Entity::JournalCode => Box::new(small_lists::journal_codes(books).map(move |code| Row::JournalCode(code, books))),
        Entity::Budget => Box::new(lists.budgets.values().map(Row::Budget)),
        Entity::Attachable => Box::new(lists.attachments.values().map(Row::Attachment)),
        Entity::RecurringTransaction => Box::new(lists.templates.values().map(Row::Template)),
        Entity::TimeActivity => Box::new(lists.time_activities.values().map(Row::TimeActivity)),
        Entity::Order(kind) => Box::new(lists.orders.values().filter(move |order| order.kind == kind).map(Row::Order)),
        Entity::Transaction(_) | Entity::Variant(_) => {
            Box::new(books.documents.values().filter(move |document| shows(entity, document)).map(Row::Document))
        }
    }
}

/// Whether this entity is the one under which a document is shown.
fn shows(entity: Entity, document: &Document) -> bool {
    let own = entity_of(document);
    document.status != Status::Draft && own == entity
}

/// The entity under which a document is shown.
pub fn entity_of(document: &Document) -> Entity {
    match (document.kind, document.details.variant) {
        (Kind::Transfer, Some(Variant::CardPayment)) => Entity::Variant(Variant::CardPayment),
        (Kind::Journal, Some(variant @ (Variant::InventoryAdjustment | Variant::InventoryStart))) => Entity::Variant(variant),
        (kind, _) => Entity::Transaction(kind),
    }
}

/// The rate of every foreign currency on a day.
pub fn exchange_rates(books: &Books, date: Date) -> impl Iterator<Item = Row<'_>> {
    books.foreign_currencies().into_values().filter_map(move |currency| {
        let rate = books.exchange_rate(&currency.code, date)?;
        Some(Row::ExchangeRate { code: currency.code, date, rate, at: currency.stamp.created_at })
    })
}

/// One record by its id, living or deleted.
pub fn find<'a>(books: &'a Books, entity: Entity, id: u64) -> Option<Row<'a>> {
    match entity {
        Entity::Account => books.accounts.get(&id).map(Row::Account),
        Entity::Customer => books.contacts.get(&id).filter(|contact| contact.is_customer).map(Row::Customer),
        Entity::Vendor => books.contacts.get(&id).filter(|contact| contact.is_supplier).map(Row::Vendor),
        Entity::Item => books.items.get(&id).map(Row::Item),
        Entity::Order(kind) => books.lists.orders.get(&id).filter(|order| order.kind == kind).map(Row::Order),
        Entity::Transaction(_) | Entity::Variant(_) => books.documents.get(&id).filter(|document| shows(entity, document)).map(Row::Document),
        small => ever(books, small).find(|row| row.id() == id),
    }
}

/// One record by the id as it is shown.
pub fn find_shown<'a>(books: &'a Books, entity: Entity, id: &str) -> Option<Row<'a>> {
    match id.parse() {
        Ok(number) => find(books, entity, number),
        Err(_) => ever(books, entity).find(|row| !entity.has_number_ids() && row.shown_id() == id),
    }
}
