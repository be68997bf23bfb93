//! What a report is narrowed to: customers, items, classes and the like, by comma lists of ids or names (contract 6.2).
use super::Parameters;
use super::general_ledger::{line_of, type_name};
use crate::books::lists::DimensionRole;
use crate::books::{Document, Line, Posting};
use crate::quickbooks::moments;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::names::classes;
use jiff::civil::Date;

/// A list as it was given, and its entries.
#[derive(Clone, Debug, Default)]
struct Wanted {
    given: String,
    entries: Vec<String>,
}

impl Wanted {
    fn has(&self, value: &str) -> bool {
        self.entries.iter().any(|entry| entry.eq_ignore_ascii_case(value))
    }
    fn has_id(&self, id: Option<u64>) -> bool {
        id.is_some_and(|id| self.has(&id.to_string()))
    }
}

/// The filters of one call; empty ones let everything pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    customer: Option<Wanted>,
    vendor: Option<Wanted>,
    employee: Option<Wanted>,
    name: Option<Wanted>,
    item: Option<Wanted>,
    class: Option<Wanted>,
    department: Option<Wanted>,
    account: Option<Wanted>,
    account_type: Option<Wanted>,
    source_account: Option<Wanted>,
    source_account_type: Option<Wanted>,
    term: Option<Wanted>,
    transaction_type: Option<Wanted>,
    payment_method: Option<Wanted>,
    memo: Option<Wanted>,
    doc_num: Option<Wanted>,
    created: (Option<Date>, Option<Date>),
    modified: (Option<Date>, Option<Date>),
}

fn wanted(parameters: &Parameters, name: &str) -> Option<Wanted> {
    let given = parameters.get(name)?;
    let entries = given.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect();
    Some(Wanted { given: given.to_owned(), entries })
}

fn day(parameters: &Parameters, name: &'static str) -> Result<Option<Date>, Refusal> {
    let wrong = |value: &str| Refusal::invalid_parameter(name, format!("Invalid date, expected YYYY-MM-DD. Supplied value:{value}"));
    parameters.get(name).map(|value| value.parse::<Date>().map_err(|_| wrong(value))).transpose()
}

impl Filter {
    pub fn read(parameters: &Parameters) -> Result<Filter, Refusal> {
        let list = |name: &str| wanted(parameters, name);
        Ok(Filter {
            customer: list("customer"),
            vendor: list("vendor"),
            employee: list("employee"),
            name: list("name"),
            item: list("item"),
            class: list("class"),
            department: list("department"),
            account: list("account"),
            account_type: list("account_type"),
            source_account: list("source_account"),
            source_account_type: list("source_account_type"),
            term: list("term"),
            transaction_type: list("transaction_type"),
            payment_method: list("payment_method"),
            memo: list("memo"),
            doc_num: list("doc_num"),
            created: (day(parameters, "start_createdate")?, day(parameters, "end_createdate")?),
            modified: (day(parameters, "start_moddate")?, day(parameters, "end_moddate")?),
        })
    }

    /// Whether whole accounts can be taken as they are.
    pub fn is_empty(&self) -> bool {
        let lists = [
            &self.customer,
            &self.vendor,
            &self.employee,
            &self.name,
            &self.item,
            &self.class,
            &self.department,
            &self.account,
            &self.account_type,
            &self.source_account,
            &self.source_account_type,
            &self.term,
            &self.transaction_type,
            &self.payment_method,
            &self.memo,
            &self.doc_num,
        ];
        let none = (None, None);
        lists.iter().all(|list| list.is_none()) && self.created == none && self.modified == none
    }

    /// "Filter echoes" of a report's header (contract 6.3).
    pub fn echoes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let echoed = [
            ("Customer", &self.customer),
            ("Vendor", &self.vendor),
            ("Employee", &self.employee),
            ("Item", &self.item),
            ("Class", &self.class),
            ("Department", &self.department),
        ];
        echoed.into_iter().filter_map(|(name, list)| list.as_ref().map(|list| (name, list.given.as_str())))
    }

    /// What a whole transaction decides.
    pub fn keeps_document(&self, view: &View, document: &Document) -> bool {
        let within = |(from, to): (Option<Date>, Option<Date>), at: jiff::Timestamp| {
            // the day in the zone that the times are shown in
            let day = moments::day(at);
            from.is_none_or(|from| day >= from) && to.is_none_or(|to| day <= to)
        };
        let squeezed = |text: &str| text.replace(' ', "").to_lowercase();
        let is_type = self.transaction_type.as_ref().is_none_or(|types| {
            let (word, link) = (squeezed(type_name(view, document)), squeezed(view.link_type(document)));
            types.entries.iter().map(|kind| squeezed(kind)).any(|kind| kind == word || kind == link)
        });
        is_type
            && self.term.as_ref().is_none_or(|terms| terms.has_id(document.details.term))
            && self.payment_method.as_ref().is_none_or(|methods| {
                let named = document.details.payment_method.and_then(|id| view.books.lists.payment_methods.get(&id));
                methods.has_id(document.details.payment_method) || named.is_some_and(|method| methods.has(&method.name))
            })
            && self.doc_num.as_ref().is_none_or(|numbers| numbers.has(&document.number))
            && self.memo.as_ref().is_none_or(|words| {
                let memo = document.memo.to_lowercase();
                words.entries.iter().any(|word| memo.contains(&word.to_lowercase()))
            })
            && self.source_account.as_ref().is_none_or(|accounts| accounts.has_id(document.account))
            && self.source_account_type.as_ref().is_none_or(|types| self.is_of_type(view, types, document.account))
            && within(self.created, document.created_at)
            && within(self.modified, document.updated_at)
    }

    fn is_of_type(&self, view: &View, types: &Wanted, account: Option<u64>) -> bool {
        let known = account.and_then(|id| view.books.accounts.get(&id));
        known.is_some_and(|account| {
            let word = classes(account, &view.books.country).account_type;
            types.has(word) || types.has(&word.replace(' ', ""))
        })
    }

    /// Who, what and where a line is about.
    fn keeps_part(&self, view: &View, document: &Document, line: Option<&Line>, contact: Option<u64>) -> bool {
        let is_customer = |id: u64| view.books.contacts.get(&id).is_some_and(|contact| contact.is_customer);
        let is_vendor = |id: u64| view.books.contacts.get(&id).is_some_and(|contact| contact.is_supplier);
        let tracked = |role: DimensionRole| view.books.tracked(document, line, role).map(|option| option.id);
        self.customer.as_ref().is_none_or(|ids| ids.has_id(contact.filter(|id| is_customer(*id))))
            && self.vendor.as_ref().is_none_or(|ids| ids.has_id(contact.filter(|id| is_vendor(*id))))
            && self.name.as_ref().is_none_or(|ids| ids.has_id(contact))
            // people on the payroll stand on no posting of the sandbox
            && self.employee.is_none()
            && self.item.as_ref().is_none_or(|ids| ids.has_id(line.and_then(|line| line.item)))
            && self.class.as_ref().is_none_or(|ids| ids.has_id(tracked(DimensionRole::Class)))
            && self.department.as_ref().is_none_or(|ids| ids.has_id(tracked(DimensionRole::Location)))
    }

    pub fn keeps_line(&self, view: &View, document: &Document, line: &Line) -> bool {
        self.keeps_account(view, line.account) && self.keeps_part(view, document, Some(line), line.contact.or(document.contact))
    }

    /// A posting of a transaction that is kept.
    pub fn keeps_posting(&self, view: &View, document: &Document, posting: &Posting) -> bool {
        if !self.keeps_account(view, posting.account) {
            return false;
        }
        let is_about_lines = self.item.is_some() || self.class.is_some() || self.department.is_some();
        let line = if is_about_lines { line_of(document, posting) } else { None };
        self.keeps_part(view, document, line, posting.contact.or(document.contact))
    }

    pub fn keeps_account(&self, view: &View, account: u64) -> bool {
        self.account.as_ref().is_none_or(|ids| ids.has_id(Some(account)))
            && self.account_type.as_ref().is_none_or(|types| self.is_of_type(view, types, Some(account)))
    }

    /// For reports of items.
    pub fn keeps_item(&self, item: u64) -> bool {
        self.item.as_ref().is_none_or(|ids| ids.has_id(Some(item)))
    }

    /// Whether only some postings of an account are kept, so that its balance before says nothing.
    pub fn divides_accounts(&self) -> bool {
        !Filter { account: None, account_type: None, ..self.clone() }.is_empty()
    }

    /// For reports of whole customers and vendors.
    pub fn keeps_contact(&self, contact: u64) -> bool {
        [&self.customer, &self.vendor, &self.name].into_iter().all(|list| list.as_ref().is_none_or(|ids| ids.has_id(Some(contact))))
    }
}
