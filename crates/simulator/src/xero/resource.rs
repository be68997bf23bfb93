//! The resources of the Accounting API: names, scopes, what each list understands, and the fields a `where` may name.
//!
//! Contract: providers/xero.md 1.8 (scopes), 3.4 (If-Modified-Since), 3.5 (paging), 3.7 (endpoints).
use super::filter::evaluate::{FieldType, Schema, Value};
use super::kept::{Kept, Paging};
use super::wire::{Detail, banking, contacts, dates, invoices, journals, payments, settings};
use crate::books::lists::{Order, OrderKind};
use crate::books::{Books, Document, Kind};
use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Organisation,
    Accounts,
    Contacts,
    TaxRates,
    Currencies,
    Items,
    Invoices,
    CreditNotes,
    Payments,
    BankTransactions,
    BankTransfers,
    ManualJournals,
    Journals,
    /// The smaller lists, all of one pattern.
    Kept(&'static Kept),
}

const TRANSACTIONS_OR_PAYMENTS: &[&str] = &["accounting.transactions.read", "accounting.payments.read"];
const TRANSACTIONS_OR_INVOICES: &[&str] = &["accounting.transactions.read", "accounting.invoices.read"];
const TRANSACTIONS_OR_BANK: &[&str] = &["accounting.transactions.read", "accounting.banktransactions.read"];
const SETTINGS: &[&str] = &["accounting.settings.read"];

const NAMED: [Resource; 13] = [
    Resource::Organisation,
    Resource::Accounts,
    Resource::Contacts,
    Resource::TaxRates,
    Resource::Currencies,
    Resource::Items,
    Resource::Invoices,
    Resource::CreditNotes,
    Resource::Payments,
    Resource::BankTransactions,
    Resource::BankTransfers,
    Resource::ManualJournals,
    Resource::Journals,
];

impl Resource {
    /// By the word in the path, any case.
    pub fn named(word: &str) -> Option<Resource> {
        // tap-xero asks for `Organisations`, the key of the answer, and is answered (its client.py makes paths from names of streams)
        let known = NAMED.into_iter().find(|resource| [resource.path(), resource.list_key()].iter().any(|name| name.eq_ignore_ascii_case(word)));
        known.or_else(|| Kept::all().iter().find(|kept| kept.name.eq_ignore_ascii_case(word)).map(Resource::Kept))
    }

    pub fn path(self) -> &'static str {
        match self {
            Resource::Organisation => "Organisation",
            Resource::Accounts => "Accounts",
            Resource::Contacts => "Contacts",
            Resource::TaxRates => "TaxRates",
            Resource::Currencies => "Currencies",
            Resource::Items => "Items",
            Resource::Invoices => "Invoices",
            Resource::CreditNotes => "CreditNotes",
            Resource::Payments => "Payments",
            Resource::BankTransactions => "BankTransactions",
            Resource::BankTransfers => "BankTransfers",
            Resource::ManualJournals => "ManualJournals",
            Resource::Journals => "Journals",
            Resource::Kept(kept) => kept.name,
        }
    }

    /// The key of the list in the envelope.
    pub fn list_key(self) -> &'static str {
        if self == Resource::Organisation { "Organisations" } else { self.path() }
    }

    /// The singular word: of guids, of the truth, and of QueryParseException messages.
    pub fn word(self) -> &'static str {
        let plural = self.path();
        match plural {
            "TrackingCategories" => "TrackingCategory",
            "Currencies" => "Currency",
            _ => plural.strip_suffix('s').unwrap_or(plural),
        }
    }

    /// Any one of these opens the resource; so does the write scope without `.read`.
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            Resource::Organisation | Resource::Accounts | Resource::TaxRates | Resource::Currencies => SETTINGS,
            Resource::Items => &["accounting.settings.read", "accounting.invoices.read"],
            Resource::Contacts => &["accounting.contacts.read"],
            Resource::Invoices | Resource::CreditNotes => TRANSACTIONS_OR_INVOICES,
            Resource::Payments => TRANSACTIONS_OR_PAYMENTS,
            Resource::BankTransactions | Resource::BankTransfers => TRANSACTIONS_OR_BANK,
            Resource::ManualJournals => &["accounting.transactions.read", "accounting.manualjournals.read"],
            Resource::Journals => &["accounting.journals.read"],
            Resource::Kept(kept) => kept.scopes,
        }
    }

    /// The number in the books of a record of one of the smaller lists, by its guid; orders by their number too.
    pub fn number_of(self, books: &Books, id: &str) -> Option<u64> {
        let Resource::Kept(kept) = self else { return None };
        let kind = match kept.name {
            "Quotes" => Some(OrderKind::Estimate),
            "PurchaseOrders" => Some(OrderKind::PurchaseOrder),
            _ => None,
        };
        let numbered = |order: &&Order| Some(order.kind) == kind && order.number.eq_ignore_ascii_case(id);
        if let Some(order) = books.lists.orders.values().find(numbered) {
            return Some(order.id);
        }
        let number = books.id_of_guid(self.word(), id)?;
        let known = match kept.name {
            "Overpayments" => books.advance(number).is_some_and(|advance| !advance.is_prepayment),
            "Prepayments" => books.advance(number).is_some_and(|advance| advance.is_prepayment),
            "BatchPayments" => books.xero.batches.contains_key(&number),
            "BrandingThemes" => books.xero.branding_themes.iter().any(|theme| theme.id == number),
            "Receipts" => books.xero.receipts.contains_key(&number),
            "ExpenseClaims" => books.xero.claims.contains_key(&number),
            "ContactGroups" => books.xero.contact_groups.contains_key(&number),
            "LinkedTransactions" => books.xero.linked_transactions.contains_key(&number),
            "Quotes" | "PurchaseOrders" => books.lists.orders.get(&number).is_some_and(|order| Some(order.kind) == kind),
            "RepeatingInvoices" => books.lists.templates.contains_key(&number),
            "TrackingCategories" => books.lists.dimensions.get(&number).is_some_and(|dimension| !dimension.stamp.deleted),
            _ => false,
        };
        known.then_some(number)
    }

    /// Lists of this resource come in pages when `page` is given.
    pub fn is_paged(self) -> bool {
        match self {
            Resource::Contacts
            | Resource::Invoices
            | Resource::CreditNotes
            | Resource::Payments
            | Resource::BankTransactions
            | Resource::ManualJournals => true,
            Resource::Kept(kept) => kept.paging != Paging::None,
            _ => false,
        }
    }

    /// If-Modified-Since filters this list; elsewhere it is ignored.
    pub fn filters_by_time(self) -> bool {
        if let Resource::Kept(kept) = self {
            return kept.by_time;
        }
        self.is_paged() || matches!(self, Resource::Accounts | Resource::BankTransfers | Resource::Items | Resource::Journals)
    }

    /// The kinds of documents listed here.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Resource::Invoices => &[Kind::Invoice, Kind::Bill],
            Resource::CreditNotes => &[Kind::CreditMemo, Kind::VendorCredit],
            Resource::Payments => &[Kind::Payment, Kind::BillPayment],
            Resource::BankTransactions => &[Kind::SalesReceipt, Kind::RefundReceipt, Kind::Expense, Kind::Deposit],
            Resource::BankTransfers => &[Kind::Transfer],
            Resource::ManualJournals => &[Kind::Journal],
            _ => &[],
        }
    }

    pub fn schema(self) -> Schema {
        use FieldType::*;
        match self {
            Resource::Accounts => &[
                ("accountid", Guid),
                ("code", Text),
                ("name", Text),
                ("type", Text),
                ("class", Text),
                ("status", Text),
                ("taxtype", Text),
                ("systemaccount", Text),
                ("bankaccounttype", Text),
                ("currencycode", Text),
                ("enablepaymentstoaccount", Flag),
                ("updateddateutc", Time),
            ],
            Resource::Contacts => &[
                ("contactid", Guid),
                ("contactstatus", Text),
                ("name", Text),
                ("emailaddress", Text),
                ("accountnumber", Text),
                ("contactnumber", Text),
                ("issupplier", Flag),
                ("iscustomer", Flag),
                ("defaultcurrency", Text),
                ("updateddateutc", Time),
            ],
            Resource::TaxRates => &[("name", Text), ("taxtype", Text), ("status", Text)],
            Resource::Currencies => &[("code", Text), ("description", Text)],
            Resource::Items => &[("itemid", Guid), ("code", Text), ("name", Text), ("updateddateutc", Time)],
            Resource::Invoices => &[
                ("invoiceid", Guid),
                ("invoicenumber", Text),
                ("type", Text),
                ("status", Text),
                ("reference", Text),
                ("contact.contactid", Guid),
                ("contact.name", Text),
                ("contact.contactnumber", Text),
                ("currencycode", Text),
                ("date", Time),
                ("duedate", Time),
                ("subtotal", Number),
                ("totaltax", Number),
                ("total", Number),
                ("amountdue", Number),
                ("amountpaid", Number),
                ("updateddateutc", Time),
            ],
            Resource::CreditNotes => &[
                ("creditnoteid", Guid),
                ("creditnotenumber", Text),
                ("type", Text),
                ("status", Text),
                ("reference", Text),
                ("contact.contactid", Guid),
                ("contact.name", Text),
                ("contact.contactnumber", Text),
                ("currencycode", Text),
                ("date", Time),
                ("subtotal", Number),
                ("totaltax", Number),
                ("total", Number),
                ("remainingcredit", Number),
                ("updateddateutc", Time),
            ],
            Resource::Payments => &[
                ("paymentid", Guid),
                ("paymenttype", Text),
                ("status", Text),
                ("reference", Text),
                ("date", Time),
                ("amount", Number),
                ("account.accountid", Guid),
                ("account.code", Text),
                ("invoice.invoiceid", Guid),
                ("invoice.invoicenumber", Text),
                ("isreconciled", Flag),
                ("updateddateutc", Time),
            ],
            Resource::BankTransactions => &[
                ("banktransactionid", Guid),
                ("type", Text),
                ("status", Text),
                ("reference", Text),
                ("contact.contactid", Guid),
                ("contact.name", Text),
                ("bankaccount.accountid", Guid),
                ("bankaccount.code", Text),
                ("currencycode", Text),
                ("date", Time),
                ("subtotal", Number),
                ("totaltax", Number),
                ("total", Number),
                ("isreconciled", Flag),
                ("updateddateutc", Time),
            ],
            Resource::BankTransfers => &[
                ("banktransferid", Guid),
                ("status", Text),
                ("reference", Text),
                ("frombankaccount.accountid", Guid),
                ("tobankaccount.accountid", Guid),
                ("date", Time),
                ("amount", Number),
                ("createddateutc", Time),
            ],
            Resource::ManualJournals => &[("manualjournalid", Guid), ("status", Text), ("narration", Text), ("date", Time), ("updateddateutc", Time)],
            Resource::Kept(kept) => kept.schema,
            Resource::Organisation | Resource::Journals => &[],
        }
    }

    /// The value of a schema field in the record of this number.
    pub fn field(self, books: &Books, id: u64, path: &str) -> Value {
        match self {
            Resource::Accounts => account_field(books, id, path),
            Resource::Contacts => contact_field(books, id, path),
            Resource::Items => item_field(books, id, path),
            Resource::TaxRates => tax_rate_field(books, id, path),
            _ => match books.documents.get(&id) {
                Some(document) => self.document_field(books, document, path),
                None => Value::Absent,
            },
        }
    }

    fn document_field(self, books: &Books, document: &Document, path: &str) -> Value {
        let contact = || document.contact.and_then(|id| books.contacts.get(&id));
        let account_code = |id: Option<u64>| id.and_then(|id| books.accounts.get(&id)).map_or(Value::Absent, |a| Value::text(&a.code));
        let guid = |word: &str, id: Option<u64>| id.map_or(Value::Absent, |id| Value::Guid(books.guid(word, id)));
        match path {
            "invoiceid" | "creditnoteid" | "paymentid" | "banktransactionid" | "banktransferid" | "manualjournalid" => {
                Value::Guid(books.guid(self.word(), document.id))
            }
            "invoicenumber" | "creditnotenumber" => Value::text(&document.number),
            "type" => Value::text(if self == Resource::BankTransactions {
                banking::transaction_type(books, document)
            } else {
                invoices::invoice_type(document)
            }),
            "paymenttype" => Value::text(payments::payment_type(books, document)),
            "status" => Value::text(self.status(books, document)),
            "reference" => Value::text(&document.memo),
            "narration" => Value::text(journals::narration(document)),
            "contact.contactid" => guid("Contact", document.contact),
            "contact.name" => contact().map_or(Value::Absent, |contact| Value::text(&contact.name)),
            "bankaccount.accountid" | "account.accountid" | "frombankaccount.accountid" => guid("Account", document.account),
            "tobankaccount.accountid" => guid("Account", document.to_account),
            "bankaccount.code" | "account.code" => account_code(document.account),
            "invoice.invoiceid" => guid("Invoice", payments::target(books, document).filter(|paid| !paid.kind.is_credit()).map(|paid| paid.id)),
            "invoice.invoicenumber" => payments::target(books, document).map_or(Value::Absent, |paid| Value::text(&paid.number)),
            "currencycode" => Value::text(&document.currency),
            "date" => Value::Time(dates::midnight_ms(document.date)),
            "duedate" => document.due_date.map_or(Value::Absent, |day| Value::Time(dates::midnight_ms(day))),
            "subtotal" => Value::money(books.net_total(document)),
            "totaltax" => Value::money(books.total(document) - books.net_total(document)),
            "total" => Value::money(books.total(document)),
            "amount" => Value::money(books.total(document).abs()),
            "amountdue" | "remainingcredit" => Value::money(invoices::amount_due(books, document)),
            "amountpaid" => Value::money(invoices::amount_paid(books, document.id)),
            "isreconciled" => Value::Flag(books.xero.reconciled.contains(&document.id)),
            "updateddateutc" => Value::Time(document.updated_at.as_millisecond()),
            "createddateutc" => Value::Time(document.created_at.as_millisecond()),
            _ => Value::Absent,
        }
    }

    /// The status word of a document in this list.
    pub fn status(self, books: &Books, document: &Document) -> &'static str {
        match self {
            Resource::Payments => payments::status(document),
            Resource::BankTransactions | Resource::BankTransfers => banking::status(document),
            Resource::ManualJournals => journals::manual_status(document),
            _ => invoices::status(books, document),
        }
    }

    /// The record's JSON.
    pub fn render(self, books: &Books, id: u64, detail: Detail, now: Timestamp) -> String {
        let document = || books.documents.get(&id).expect("a listed document is in the books");
        match self {
            Resource::Organisation => settings::organisation(books),
            Resource::Accounts => settings::account(books, books.accounts.get(&id).expect("a listed account is in the books")),
            Resource::Contacts => contacts::contact(books, books.contacts.get(&id).expect("a listed contact is in the books"), detail, now),
            Resource::Items => settings::item(books, books.items.get(&id).expect("a listed item is in the books")),
            Resource::TaxRates => match books.tax_rate(id) {
                Some(rate) => settings::tax_rate(books, rate),
                None => settings::built_in_tax_rate(books).unwrap_or_default(),
            },
            Resource::Invoices => invoices::invoice(books, document(), detail),
            Resource::CreditNotes => invoices::credit_note(books, document(), detail),
            Resource::Payments => payments::payment(books, document(), detail),
            Resource::BankTransactions => banking::transaction(books, document(), detail),
            Resource::BankTransfers => banking::transfer(books, document()),
            Resource::ManualJournals => journals::manual_journal(books, document(), detail),
            Resource::Currencies | Resource::Journals | Resource::Kept(_) => unreachable!("these lists are not made of numbered records"),
        }
    }
}

fn account_field(books: &Books, id: u64, path: &str) -> Value {
    let Some(account) = books.accounts.get(&id) else { return Value::Absent };
    let filled = |text: &str| if text.is_empty() { Value::Absent } else { Value::text(text) };
    match path {
        "accountid" => Value::Guid(books.guid("Account", id)),
        "code" => filled(&account.code),
        "name" => Value::text(&account.name),
        "type" => Value::text(settings::account_type(account)),
        "class" => Value::text(settings::class(account)),
        "status" => Value::text(settings::account_status(account)),
        "taxtype" => Value::Text(settings::account_tax_type(books, account)),
        "systemaccount" => filled(settings::system_account(books, account)),
        "bankaccounttype" => Value::text(settings::bank_account_type(account)),
        "currencycode" if !settings::bank_account_type(account).is_empty() => Value::text(&account.currency),
        "enablepaymentstoaccount" => Value::Flag(settings::payments_enabled(books, account)),
        "updateddateutc" => Value::Time(account.updated_at.as_millisecond()),
        _ => Value::Absent,
    }
}

fn contact_field(books: &Books, id: u64, path: &str) -> Value {
    let Some(contact) = books.contacts.get(&id) else { return Value::Absent };
    match path {
        "contactid" => Value::Guid(books.guid("Contact", id)),
        "contactstatus" => Value::text(contacts::status(contact)),
        "name" => Value::text(&contact.name),
        "accountnumber" => books.text_property("Contact", id, "AccountNumber").map_or(Value::Absent, Value::Text),
        "contactnumber" => books.text_property("Contact", id, "ContactNumber").map_or(Value::Absent, Value::Text),
        "emailaddress" if !contact.email.is_empty() => Value::text(&contact.email),
        "issupplier" => Value::Flag(contact.is_supplier),
        "iscustomer" => Value::Flag(contact.is_customer),
        "defaultcurrency" if contact.currency != books.currency => Value::text(&contact.currency),
        "updateddateutc" => Value::Time(contact.updated_at.as_millisecond()),
        _ => Value::Absent,
    }
}

fn item_field(books: &Books, id: u64, path: &str) -> Value {
    let Some(item) = books.items.get(&id) else { return Value::Absent };
    match path {
        "itemid" => Value::Guid(books.guid("Item", id)),
        "code" => Value::Text(settings::item_code(books, item)),
        "name" => Value::text(&item.name),
        "updateddateutc" => Value::Time(item.updated_at.as_millisecond()),
        _ => Value::Absent,
    }
}

fn tax_rate_field(books: &Books, id: u64, path: &str) -> Value {
    let rate = books.tax_rate(id);
    match path {
        "name" => Value::text(rate.map_or(settings::no_tax_name(books), |rate| &rate.name)),
        "taxtype" => Value::text(rate.map_or("NONE", |rate| &rate.code)),
        "status" => Value::text(settings::tax_rate_status(books, id)),
        _ => Value::Absent,
    }
}
