//! The smaller lists of the API: what each is called, who may read it, what its parameters filter, and its records rendered from the books.
//!
//! Contract: providers/xero.md 3.4 to 3.7 and section 6.
use super::filter::evaluate::{FieldType, Query, Schema, Value};
use super::filter::parse::read_guid;
use super::lists::{self, Page, Parameters};
use super::refusal::Refusal;
use super::tree::Node;
use super::wire::{Detail, advances, batches, budgets, dates, expenses, orders, people, templates, tracking};
use crate::books::Books;
use jiff::Timestamp;
use jiff::civil::Date;

/// One of the smaller lists.
pub struct Kept {
    pub name: &'static str,
    pub scopes: &'static [&'static str],
    pub paging: Paging,
    /// If-Modified-Since filters it.
    pub by_time: bool,
    pub schema: Schema,
    filters: &'static [(&'static str, Filter)],
    records: fn(&Books, &View) -> Vec<Entry>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Kept) -> bool {
        self.name == other.name
    }
}
impl Eq for Kept {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// The whole list, always.
    None,
    /// With `page` in hundreds, and no pagination object.
    Plain,
    /// With `page`.
    Asked,
    /// Even without `page`.
    Always,
}

/// What a parameter compares with the record.
#[derive(Clone, Copy, Debug)]
enum Filter {
    Equals(&'static str),
    OneOf(&'static str),
    /// A list of ids: anything else is refused.
    Ids(&'static str),
    From(&'static str),
    Until(&'static str),
}

/// How records are to be rendered.
pub struct View<'a> {
    pub detail: Detail,
    pub parameters: &'a Parameters,
}

/// A record of a list.
pub struct Entry {
    pub id: String,
    /// A number by which it is found as well.
    pub number: Option<String>,
    pub at: Timestamp,
    /// In the list only when archived (or deleted) records are asked for.
    pub hidden: bool,
    pub json: String,
}

use FieldType::{Flag, Guid, Number, Text, Time};

const TRANSACTIONS_OR_PAYMENTS: &[&str] = &["accounting.transactions.read", "accounting.payments.read"];
const TRANSACTIONS_OR_INVOICES: &[&str] = &["accounting.transactions.read", "accounting.invoices.read"];
const TRANSACTIONS_OR_CLASSIC: &[&str] = &["accounting.transactions.read", "accounting.classicexpenses.read"];
const SETTINGS: &[&str] = &["accounting.settings.read"];
const CONTACTS: &[&str] = &["accounting.contacts.read"];

const NOTHING: fn(&Books, &View) -> Vec<Entry> = |_, _| Vec::new();

static KEPT: [Kept; 15] = [
    Kept {
        name: "BatchPayments",
        scopes: TRANSACTIONS_OR_PAYMENTS,
        paging: Paging::None,
        by_time: true,
        schema: &[
            ("batchpaymentid", Guid),
            ("type", Text),
            ("status", Text),
            ("reference", Text),
            ("date", Time),
            ("totalamount", Number),
            ("updateddateutc", Time),
            ("isreconciled", Flag),
            ("account.accountid", Guid),
        ],
        filters: &[],
        records: batches::records,
    },
    Kept {
        name: "BrandingThemes",
        scopes: SETTINGS,
        paging: Paging::None,
        by_time: false,
        schema: &[],
        filters: &[],
        records: people::branding_themes,
    },
    Kept {
        name: "ContactGroups",
        scopes: CONTACTS,
        paging: Paging::None,
        by_time: false,
        schema: &[("contactgroupid", Guid), ("name", Text), ("status", Text)],
        filters: &[],
        records: people::contact_groups,
    },
    Kept {
        name: "LinkedTransactions",
        scopes: TRANSACTIONS_OR_INVOICES,
        paging: Paging::Plain,
        by_time: false,
        schema: &[],
        filters: &[
            ("linkedtransactionid", Filter::Equals("LinkedTransactionID")),
            ("sourcetransactionid", Filter::Equals("SourceTransactionID")),
            ("targettransactionid", Filter::Equals("TargetTransactionID")),
            ("contactid", Filter::Equals("ContactID")),
            ("status", Filter::Equals("Status")),
        ],
        records: templates::linked_transactions,
    },
    Kept {
        name: "Overpayments",
        scopes: TRANSACTIONS_OR_PAYMENTS,
        paging: Paging::Asked,
        by_time: true,
        schema: &[
            ("overpaymentid", Guid),
            ("type", Text),
            ("status", Text),
            ("reference", Text),
            ("contact.contactid", Guid),
            ("contact.name", Text),
            ("currencycode", Text),
            ("date", Time),
            ("total", Number),
            ("remainingcredit", Number),
            ("updateddateutc", Time),
        ],
        filters: &[("references", Filter::OneOf("Reference"))],
        records: advances::overpayments,
    },
    Kept {
        name: "Prepayments",
        scopes: TRANSACTIONS_OR_PAYMENTS,
        paging: Paging::Asked,
        by_time: true,
        schema: &[
            ("prepaymentid", Guid),
            ("type", Text),
            ("status", Text),
            ("reference", Text),
            ("invoicenumber", Text),
            ("contact.contactid", Guid),
            ("contact.name", Text),
            ("currencycode", Text),
            ("date", Time),
            ("total", Number),
            ("remainingcredit", Number),
            ("updateddateutc", Time),
        ],
        filters: &[("invoicenumbers", Filter::OneOf("InvoiceNumber"))],
        records: advances::prepayments,
    },
    Kept {
        name: "RepeatingInvoices",
        scopes: TRANSACTIONS_OR_INVOICES,
        paging: Paging::None,
        by_time: false,
        schema: &[
            ("repeatinginvoiceid", Guid),
            ("type", Text),
            ("status", Text),
            ("reference", Text),
            ("contact.contactid", Guid),
            ("contact.name", Text),
            ("total", Number),
        ],
        filters: &[],
        records: templates::repeating_invoices,
    },
    Kept {
        name: "Users",
        scopes: SETTINGS,
        paging: Paging::None,
        by_time: true,
        schema: &[
            ("userid", Guid),
            ("emailaddress", Text),
            ("firstname", Text),
            ("lastname", Text),
            ("organisationrole", Text),
            ("issubscriber", Flag),
            ("updateddateutc", Time),
        ],
        filters: &[],
        records: people::users,
    },
    Kept {
        name: "Receipts",
        scopes: TRANSACTIONS_OR_CLASSIC,
        paging: Paging::None,
        by_time: true,
        schema: &[
            ("receiptid", Guid),
            ("receiptnumber", Text),
            ("status", Text),
            ("reference", Text),
            ("user.userid", Guid),
            ("contact.contactid", Guid),
            ("contact.name", Text),
            ("date", Time),
            ("total", Number),
            ("updateddateutc", Time),
        ],
        filters: &[],
        records: expenses::receipts,
    },
    Kept {
        name: "ExpenseClaims",
        scopes: TRANSACTIONS_OR_CLASSIC,
        paging: Paging::None,
        by_time: true,
        schema: &[
            ("expenseclaimid", Guid),
            ("status", Text),
            ("user.userid", Guid),
            ("total", Number),
            ("amountdue", Number),
            ("amountpaid", Number),
            ("reportingdate", Time),
            ("paymentduedate", Time),
            ("updateddateutc", Time),
        ],
        filters: &[],
        records: expenses::claims,
    },
    Kept { name: "PaymentServices", scopes: &["paymentservices"], paging: Paging::None, by_time: false, schema: &[], filters: &[], records: NOTHING },
    Kept {
        name: "TrackingCategories",
        scopes: SETTINGS,
        paging: Paging::None,
        by_time: false,
        schema: &[("trackingcategoryid", Guid), ("name", Text), ("status", Text)],
        filters: &[],
        records: tracking::records,
    },
    Kept {
        name: "Quotes",
        scopes: TRANSACTIONS_OR_INVOICES,
        paging: Paging::Plain,
        by_time: true,
        schema: ORDER_FIELDS,
        filters: &[
            ("status", Filter::Equals("Status")),
            ("contactid", Filter::Equals("Contact.ContactID")),
            ("quotenumber", Filter::Equals("QuoteNumber")),
            ("datefrom", Filter::From("Date")),
            ("dateto", Filter::Until("Date")),
            ("expirydatefrom", Filter::From("ExpiryDate")),
            ("expirydateto", Filter::Until("ExpiryDate")),
        ],
        records: orders::quotes,
    },
    Kept {
        name: "PurchaseOrders",
        scopes: TRANSACTIONS_OR_INVOICES,
        paging: Paging::Always,
        by_time: true,
        schema: ORDER_FIELDS,
        filters: &[("status", Filter::Equals("Status")), ("datefrom", Filter::From("Date")), ("dateto", Filter::Until("Date"))],
        records: orders::purchase_orders,
    },
    Kept {
        name: "Budgets",
        scopes: &["accounting.budgets.read"],
        paging: Paging::None,
        by_time: false,
        schema: &[],
        filters: &[("ids", Filter::Ids("BudgetID"))],
        records: budgets::records,
    },
];

/// Both kinds of orders; a field that one of them lacks is absent there.
const ORDER_FIELDS: Schema = &[
    ("quoteid", Guid),
    ("quotenumber", Text),
    ("purchaseorderid", Guid),
    ("purchaseordernumber", Text),
    ("reference", Text),
    ("status", Text),
    ("contact.contactid", Guid),
    ("contact.name", Text),
    ("currencycode", Text),
    ("date", Time),
    ("expirydate", Time),
    ("deliverydate", Time),
    ("subtotal", Number),
    ("totaltax", Number),
    ("total", Number),
    ("updateddateutc", Time),
];

impl Kept {
    pub fn all() -> &'static [Kept] {
        &KEPT
    }

    /// The record of this guid or number.
    pub fn one(&self, books: &Books, id: &str, parameters: &Parameters) -> Option<String> {
        let view = View { detail: Detail::Single, parameters };
        let found = (self.records)(books, &view).into_iter();
        let of_it =
            |entry: &Entry| entry.id.eq_ignore_ascii_case(id) || entry.number.as_deref().is_some_and(|number| number.eq_ignore_ascii_case(id));
        found.filter(|entry| !entry.json.is_empty()).find(of_it).map(|entry| entry.json)
    }

    pub fn list(&self, books: &Books, parameters: &Parameters, since: Option<Timestamp>, word: &str) -> Result<Page, Refusal> {
        let filterable = !self.schema.is_empty();
        let text = |name: &str| parameters.get(name).filter(|_| filterable);
        let query = Query::read(text("where"), text("order"), self.schema, word)?;
        let paging = match self.paging {
            Paging::None => None,
            Paging::Plain => parameters.whole("page")?.map(|page| lists::Paging::of_page(page.max(1))),
            Paging::Asked => lists::paging(parameters, false)?,
            Paging::Always => lists::paging(parameters, true)?,
        };
        let detail = if paging.is_some() { Detail::Paged } else { Detail::Listed };
        let hidden_too = parameters.flag("includearchived")?;
        let entries = (self.records)(books, &View { detail, parameters });
        let mut chosen: Vec<(Vec<Value>, Entry)> = Vec::new();
        for entry in entries {
            let recent = !self.by_time || since.is_none_or(|since| entry.at >= since);
            if !recent || (entry.hidden && !hidden_too) {
                continue;
            }
            let node = Node::read(entry.json.as_bytes()).expect("a rendered record is JSON");
            if !self.passes_filters(&node, parameters)? {
                continue;
            }
            let field = |path: &str| self.value(&node, path);
            if query.passes(&field) {
                chosen.push((query.key(&field), entry));
            }
        }
        chosen.sort_by(|left, right| query.compare(&left.0, &right.0).then(left.1.at.cmp(&right.1.at)).then(left.1.id.cmp(&right.1.id)));
        let count = chosen.len();
        let records = chosen.into_iter().map(|(_, entry)| entry.json);
        Ok(match paging {
            Some(paging) => {
                let shown = (self.paging != Paging::Plain).then(|| paging.pagination(count));
                Page { records: records.skip(paging.start()).take(paging.size).collect(), pagination: shown }
            }
            None => Page { records: records.collect(), pagination: None },
        })
    }

    fn passes_filters(&self, node: &Node, parameters: &Parameters) -> Result<bool, Refusal> {
        for (name, filter) in self.filters {
            let Some(wanted) = parameters.get(name) else { continue };
            let text = |path: &str| node.at(path).and_then(Node::text).unwrap_or_default().to_string();
            let passes = match filter {
                Filter::Equals(path) => text(path).eq_ignore_ascii_case(wanted),
                Filter::OneOf(path) => wanted.split(',').any(|word| word.trim() == text(path)),
                Filter::Ids(path) => {
                    let ids: Option<Vec<String>> = wanted.split(',').map(|word| read_guid(word.trim())).collect();
                    ids.ok_or_else(|| Refusal::NotAGuid("Ids".into()))?.contains(&text(path))
                }
                Filter::From(path) => day(&text(path)).is_some_and(|day| Some(day) >= day_parameter(wanted)),
                Filter::Until(path) => day(&text(path)).is_some_and(|day| day_parameter(wanted).is_none_or(|until| day <= until)),
            };
            if matches!(filter, Filter::From(_) | Filter::Until(_)) && day_parameter(wanted).is_none() {
                return Err(Refusal::Validation(format!("{name} must be a date such as 2026-03-31, not '{wanted}'")));
            }
            if !passes {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn value(&self, node: &Node, path: &str) -> Value {
        let Some(found) = node.at(path) else { return Value::Absent };
        let field_type = self.schema.iter().find(|(name, _)| *name == path).map(|(_, field_type)| *field_type);
        let value = match field_type {
            Some(Text) => found.text().map(Value::text),
            Some(Guid) => found.text().map(|text| Value::Guid(text.to_lowercase())),
            Some(Number) => found.scaled(4).map(Value::Number),
            Some(Flag) => found.flag().map(Value::Flag),
            Some(Time) => found.text().and_then(dates::read_ms).map(Value::Time),
            None => None,
        };
        value.unwrap_or(Value::Absent)
    }
}

/// The calendar date of `/Date(ms+0000)/`.
fn day(text: &str) -> Option<Date> {
    let at = Timestamp::from_millisecond(dates::read_ms(text)?).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn day_parameter(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}
