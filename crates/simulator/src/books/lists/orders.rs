//! Orders, which post nothing: estimates (Xero: quotes) and purchase orders.
use super::Stamp;
use crate::books::{Books, ContactId, Details, Document, DocumentId, Kind, Line, NewLine, Refused, Status, TaxLine};
use crate::money::{Cents, Rate};
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKind {
    /// QuickBooks Estimate · Xero Quote.
    Estimate,
    PurchaseOrder,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderStatus {
    /// Xero only.
    Draft,
    /// Sent and not answered. QuickBooks: Pending (estimate), Open (purchase order). Xero: SENT, SUBMITTED.
    Open,
    /// QuickBooks: Accepted. Xero: ACCEPTED, AUTHORISED.
    Accepted,
    /// QuickBooks: Rejected. Xero: DECLINED.
    Declined,
    /// Turned into an invoice or bill, or ended. QuickBooks: Closed. Xero: INVOICED, BILLED.
    Closed,
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: u64,
    pub kind: OrderKind,
    pub status: OrderStatus,
    pub number: String,
    pub date: Date,
    /// Until when an estimate holds, when goods on a purchase order are expected.
    pub expiry: Option<Date>,
    pub contact: ContactId,
    pub currency: String,
    pub rate: Rate,
    pub lines: Vec<Line>,
    pub taxes: Vec<TaxLine>,
    /// The invoices or bills it was turned into.
    pub links: Vec<DocumentId>,
    pub term: Option<u64>,
    pub tracking: Vec<u64>,
    /// Xero: Reference.
    pub reference: String,
    /// Xero: Title of a quote.
    pub title: String,
    pub memo: String,
    pub stamp: Stamp,
}

impl Order {
    /// An order as if it were the invoice or bill it may become, so that both are written by the same rules.
    pub fn as_document(&self) -> Document {
        Document {
            id: self.id,
            kind: if self.kind == OrderKind::Estimate { Kind::Invoice } else { Kind::Bill },
            status: Status::Active,
            number: self.number.clone(),
            date: self.date,
            due_date: self.expiry,
            contact: Some(self.contact),
            currency: self.currency.clone(),
            rate: self.rate,
            account: None,
            to_account: None,
            lines: self.lines.clone(),
            taxes: self.taxes.clone(),
            applications: Vec::new(),
            unapplied: Cents::ZERO,
            memo: self.memo.clone(),
            details: Details { term: self.term, tracking: self.tracking.clone(), ..Details::default() },
            created_at: self.stamp.created_at,
            updated_at: self.stamp.updated_at,
            sync_token: self.stamp.sync_token,
        }
    }
}

/// An order to be made. Start from `NewOrder::new`.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub kind: OrderKind,
    pub status: OrderStatus,
    /// `None`: the next number of its kind.
    pub number: Option<String>,
    pub date: Date,
    pub expiry: Option<Date>,
    pub contact: ContactId,
    /// `None`: the home currency.
    pub currency: Option<String>,
    pub rate: Option<Rate>,
    pub lines: Vec<NewLine>,
    pub links: Vec<DocumentId>,
    pub term: Option<u64>,
    pub tracking: Vec<u64>,
    pub reference: String,
    pub title: String,
    pub memo: String,
}

impl NewOrder {
    pub fn new(kind: OrderKind, date: Date, contact: ContactId) -> NewOrder {
        NewOrder {
            kind,
            status: OrderStatus::Open,
            number: None,
            date,
            expiry: None,
            contact,
            currency: None,
            rate: None,
            lines: Vec::new(),
            links: Vec::new(),
            term: None,
            tracking: Vec::new(),
            reference: String::new(),
            title: String::new(),
            memo: String::new(),
        }
    }
}

impl Order {
    pub fn net_total(&self) -> Cents {
        self.lines.iter().map(|line| line.amount).sum()
    }
    pub fn total(&self) -> Cents {
        self.net_total() + self.taxes.iter().map(|tax| tax.tax).sum()
    }
}

impl Books {
    pub fn add_order(&mut self, new: NewOrder, now: Timestamp) -> Result<u64, Refused> {
        let number = new.number.clone();
        let order = self.checked_order(new, Stamp::new(now))?;
        let id = self.take_id();
        let number = number.filter(|number| !number.is_empty()).unwrap_or_else(|| self.next_order_number(order.kind));
        self.lists.orders.insert(id, Order { id, number, ..order });
        Ok(id)
    }

    /// A full update. An order with the same content stays as it is, its version too.
    pub fn replace_order(&mut self, id: u64, new: NewOrder, now: Timestamp) -> Result<(), Refused> {
        let old = self.order(id)?.clone();
        if new.kind != old.kind {
            return Err(Refused("an order keeps its kind".into()));
        }
        let number = new.number.clone().unwrap_or_else(|| old.number.clone());
        let mut order = Order { id, number, ..self.checked_order(new, old.stamp)? };
        if order != old {
            order.stamp.touch(now);
            self.lists.orders.insert(id, order);
        }
        Ok(())
    }

    pub fn set_order_status(&mut self, id: u64, status: OrderStatus, now: Timestamp) -> Result<(), Refused> {
        let order = self.order(id)?;
        if order.status != status {
            let order = self.lists.orders.get_mut(&id).expect("looked up above");
            order.status = status;
            order.stamp.deleted = status == OrderStatus::Deleted;
            order.stamp.touch(now);
        }
        Ok(())
    }

    /// An order that is not deleted.
    pub fn order(&self, id: u64) -> Result<&Order, Refused> {
        let known = self.lists.orders.get(&id).filter(|order| order.status != OrderStatus::Deleted);
        known.ok_or_else(|| Refused(format!("there is no order {id}")))
    }

    fn checked_order(&self, new: NewOrder, stamp: Stamp) -> Result<Order, Refused> {
        if !self.contacts.contains_key(&new.contact) {
            return Err(Refused(format!("there is no contact {}", new.contact)));
        }
        let currency = new.currency.unwrap_or_else(|| self.currency.clone());
        let rate = self.checked_rate(&currency, new.rate)?;
        let lines = crate::books::new_document::numbered(new.lines);
        for line in &lines {
            self.usable_account(line.account)?;
            self.check_tracking(&line.tracking)?;
            if line.tax_rate.is_some_and(|rate| self.tax_rate(rate).is_none()) {
                return Err(Refused("an order's line names an unknown tax rate".into()));
            }
        }
        self.check_tracking(&new.tracking)?;
        let kind = if new.kind == OrderKind::Estimate { Kind::Invoice } else { Kind::Bill };
        let taxes = self.taxes_of(kind, &lines);
        Ok(Order {
            id: 0,
            kind: new.kind,
            status: new.status,
            number: new.number.unwrap_or_default(),
            date: new.date,
            expiry: new.expiry,
            contact: new.contact,
            currency,
            rate,
            lines,
            taxes,
            links: new.links,
            term: new.term,
            tracking: new.tracking,
            reference: new.reference,
            title: new.title,
            memo: new.memo,
            stamp,
        })
    }

    fn next_order_number(&mut self, kind: OrderKind) -> String {
        let is_xero = self.face == crate::books::Face::Xero;
        let last = self.lists.last_order_number.entry(kind).or_insert(if is_xero { 0 } else { 1000 });
        *last += 1;
        match (is_xero, kind) {
            (false, _) => last.to_string(),
            (true, OrderKind::Estimate) => format!("QU-{last:04}"),
            (true, OrderKind::PurchaseOrder) => format!("PO-{last:04}"),
        }
    }
}
