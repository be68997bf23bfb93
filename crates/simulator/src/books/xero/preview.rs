//! What a template or an order would be as a document: for its lines, taxes and totals. Such a document is in no list and posts nothing.
use crate::books::lists::{Order, Template};
use crate::books::new_document::numbered;
use crate::books::{Books, Document, Status};
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

    /// Xero shows the reference of an order where a document has its memo, and nothing of an order posts.
    pub fn preview_order(&self, order: &Order) -> Document {
        Document { status: Status::Draft, memo: order.reference.clone(), details: Default::default(), ..order.as_document() }
    }
}
