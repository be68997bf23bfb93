//! What a template or an order would be as a document: for its lines, taxes and totals. Such a document is in no list and posts nothing.
use crate::books::lists::{Order, OrderKind, Template};
use crate::books::new_document::numbered;
use crate::books::{Books, Document, Kind, Status};
use crate::money::{Cents, Rate};

impl Books {
    pub fn preview(&self, template: &Template) -> Document {
        let new = &template.document;
        let lines = numbered(new.lines.clone());
        Document {
            id: template.id,
            kind: new.kind,
            status: Status::Draft,
            number: String::new(),
            date: new.date,
            due_date: new.due_date,
            contact: new.contact,
            currency: new.currency.clone().unwrap_or_else(|| self.currency.clone()),
            rate: new.rate.unwrap_or(Rate::ONE),
            account: None,
            to_account: None,
            taxes: self.taxes_of(new.kind, &lines),
            lines,
            applications: Vec::new(),
            unapplied: Cents::ZERO,
            memo: new.memo.clone(),
            details: new.details.clone(),
            created_at: template.stamp.created_at,
            updated_at: template.stamp.updated_at,
            sync_token: template.stamp.sync_token,
        }
    }

    pub fn preview_order(&self, order: &Order) -> Document {
        Document {
            id: order.id,
            kind: if order.kind == OrderKind::Estimate { Kind::Invoice } else { Kind::Bill },
            status: Status::Draft,
            number: order.number.clone(),
            date: order.date,
            due_date: order.expiry,
            contact: Some(order.contact),
            currency: order.currency.clone(),
            rate: order.rate,
            account: None,
            to_account: None,
            lines: order.lines.clone(),
            taxes: order.taxes.clone(),
            applications: Vec::new(),
            unapplied: Cents::ZERO,
            memo: order.reference.clone(),
            details: Default::default(),
            created_at: order.stamp.created_at,
            updated_at: order.stamp.updated_at,
            sync_token: order.stamp.sync_token,
        }
    }
}
