//! Fills the lists of a made-up Xero organisation: groups, a template, a cost to charge on, batches, an overpayment and a prepayment.
use super::{AmountTypes, ContactGroup, LinkedTransaction};
use crate::books::lists::Every;
use crate::books::{AccountType, Books, ContactId, Document, DocumentId, Face, Kind, NewDocument, NewLine, Status};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Batches made of payments that stand already.
const BATCHES: usize = 3;

impl Books {
    /// Comes after all trading, so that its ids are those of books without it.
    pub fn furnish_xero(&mut self, now: Timestamp) {
        if self.face != Face::Xero {
            return;
        }
        self.furnish_groups();
        self.furnish_template(now);
        self.furnish_linked_transaction();
        self.furnish_batches();
        self.furnish_advances(now);
    }

    /// The last open bills and invoices name tracking options, line by line: an edit like any other, so journals follow. It comes after
    /// the categories are made, and changes no id.
    pub fn furnish_tracking(&mut self, now: Timestamp) {
        if self.face != Face::Xero {
            return;
        }
        let options: Vec<u64> = self.lists.options.values().filter(|option| option.stamp.active).map(|option| option.id).collect();
        let [first, second, ..] = options[..] else { return };
        for kind in [Kind::Invoice, Kind::Bill] {
            let open =
                |d: &&Document| d.kind == kind && d.status == Status::Active && d.currency == self.currency && self.payments_of(d.id).is_empty();
            for document in self.documents.values().rev().filter(open).take(2).cloned().collect::<Vec<_>>() {
                let lines = document
                    .lines
                    .iter()
                    .enumerate()
                    .map(|(index, line)| NewLine { tracking: vec![if index % 2 == 0 { first } else { second }], ..NewLine::again(line) });
                let new = NewDocument {
                    due_date: document.due_date,
                    contact: document.contact,
                    account: document.account,
                    lines: lines.collect(),
                    memo: document.memo.clone(),
                    details: document.details.clone(),
                    ..NewDocument::new(kind, document.date)
                };
                // accounts archived since keep such a document as it is
                let _fits = self.replace_document(document.id, new, now);
            }
        }
    }

    /// Receipts of an employee's: one being written, one handed in; with `approves` one more claim is approved and half paid. Only that
    /// one posts.
    pub fn furnish_expenses(&mut self, approves: bool, now: Timestamp) {
        if self.face != Face::Xero {
            return;
        }
        let (Some(day), Some(bank), Some(account)) = (self.last_date(), self.account_of(AccountType::Bank), self.account_of(AccountType::Expense))
        else {
            return;
        };
        let contact = self.contacts.values().find(|contact| contact.is_supplier && contact.active && contact.currency == self.currency).map(|c| c.id);
        let tax = self.tax_rates.iter().find(|rate| rate.for_purchases && rate.basis_points > 0).map(|rate| rate.id);
        let receipt = |books: &mut Books, words: &str, cents: i64| {
            let mut new = NewDocument::new(Kind::Expense, day);
            (new.contact, new.memo) = (contact, words.into());
            new.lines = vec![NewLine { tax_rate: tax, ..NewLine::new(account, Cents(cents), words) }];
            books.add_receipt(1, new, AmountTypes::Exclusive, now)
        };
        receipt(self, "Parking at the airport", 3_200);
        let handed_in = receipt(self, "Lunch with a customer", 8_650);
        // the receipts are good by how they were made
        let _fits = self.add_claim(1, vec![handed_in], now);
        if approves {
            let (taxi, hotel) = (receipt(self, "Taxi", 4_125), receipt(self, "Hotel", 21_990));
            let approved = self.add_claim(1, vec![taxi, hotel], now).and_then(|id| {
                self.approve_claim(id, day, Some(day.saturating_add(jiff::Span::new().days(14))), now)?;
                let half = Cents(self.claim_total(&self.xero.claims[&id]).0 / 2);
                self.pay_claim(id, bank, day, half, now)
            });
            let _fits = approved;
        }
    }

    fn furnish_groups(&mut self) {
        for (name, customers) in [("Key customers", true), ("Trade suppliers", false)] {
            let wanted = |c: &&crate::books::Contact| c.active && if customers { c.is_customer } else { c.is_supplier };
            let contacts = self.contacts.values().filter(wanted).take(3).map(|contact| contact.id).collect();
            let id = self.take_id();
            self.xero.contact_groups.insert(id, ContactGroup { id, name: name.into(), contacts, deleted: false });
        }
    }

    fn furnish_template(&mut self, now: Timestamp) {
        let invoice = self.documents.values().rev().find(|d| d.kind == Kind::Invoice && d.currency == self.currency && d.contact.is_some());
        let Some(invoice) = invoice else { return };
        let line = |line: &crate::books::Line| NewLine {
            item: line.item,
            quantity_hundredths: line.quantity_hundredths,
            unit_price: line.unit_price,
            tax_rate: line.tax_rate,
            ..NewLine::new(line.account, line.amount, line.description.clone())
        };
        let document = NewDocument {
            contact: invoice.contact,
            memo: "[Month] retainer".into(),
            lines: invoice.lines.iter().map(line).collect(),
            ..NewDocument::new(Kind::Invoice, invoice.date.first_of_month())
        };
        self.add_template("Retainer", document, Every::Month, true, now);
    }

    fn furnish_linked_transaction(&mut self) {
        let bill = self.documents.values().rev().find(|d| d.kind == Kind::Bill && d.status == Status::Active);
        let Some((source, source_line, updated_at)) = bill.and_then(|d| Some((d.id, d.lines.first()?.id, d.updated_at))) else { return };
        let contact = self.contacts.values().find(|c| c.is_customer && c.active).map(|c| c.id);
        let id = self.take_id();
        let linked = LinkedTransaction { id, source, source_line, contact, target: None, target_line: None, updated_at };
        self.xero.linked_transactions.insert(id, linked);
    }

    /// Payments of one kind and day that left or reached one account become a batch.
    fn furnish_batches(&mut self) {
        type Key = (Kind, Date, Option<u64>);
        let mut alike: BTreeMap<Key, Vec<&Document>> = BTreeMap::new();
        let home = |d: &&Document| d.kind.is_payment() && d.status == Status::Active && d.currency == self.currency;
        for payment in self.documents.values().filter(home) {
            alike.entry((payment.kind, payment.date, payment.account)).or_default().push(payment);
        }
        let chosen: Vec<(Vec<DocumentId>, Timestamp)> = alike
            .into_values()
            .filter(|payments| payments.len() > 1)
            .take(BATCHES)
            .map(|payments| (payments.iter().map(|p| p.id).collect(), payments.iter().map(|p| p.updated_at).max().unwrap_or_default()))
            .collect();
        for (number, (payments, at)) in (1..).zip(chosen) {
            // they fit by how they were chosen; a batch that does not is left out
            let _fits = self.batch_payments(payments, format!("Batch {number}"), at);
        }
    }

    fn furnish_advances(&mut self, now: Timestamp) {
        let Some(bank) = self.account_of(AccountType::Bank) else { return };
        let Some(day) = self.last_date() else { return };
        let open = |books: &Books, kind: Kind| -> Option<(ContactId, DocumentId)> {
            let wanted = |d: &&Document| d.kind == kind && d.status == Status::Active && d.currency == books.currency;
            let document = books.documents.values().rev().filter(wanted).find(|d| books.amount_due(d.id).0 > 10_000)?;
            Some((document.contact?, document.id))
        };
        if let Some((contact, invoice)) = open(self, Kind::Invoice) {
            let mut new = NewDocument::new(Kind::Deposit, day);
            (new.contact, new.account, new.memo) = (Some(contact), Some(bank), "Paid twice".into());
            new.lines = vec![NewLine::new(bank, Cents(12_000), "Overpayment")];
            if let Ok(id) = self.add_advance(new, false, now) {
                let _fits = self.allocate_advance(id, invoice, Cents(5_000), day, now);
            }
        }
        let expense = self.account_of(AccountType::Expense);
        if let (Some((contact, _)), Some(expense)) = (open(self, Kind::Bill), expense) {
            let mut new = NewDocument::new(Kind::Expense, day);
            (new.contact, new.account, new.memo) = (Some(contact), Some(bank), "Paid ahead".into());
            new.lines = vec![NewLine::new(expense, Cents(23_000), "Prepayment")];
            let _fits = self.add_advance(new, true, now);
        }
    }
}
