//! Daily business of made-up companies: sales, purchases, their payments, and what goes wrong with them.
use super::{Event, Maker};
use crate::books::{Application, ContactId, DocumentId, Edit, Face, Kind, NewDocument, NewLine, Status};
use crate::money::{Cents, Rate};
use jiff::Timestamp;

impl Maker {
    /// One more document of daily business.
    pub(super) fn trade(&mut self) {
        match self.dice.below(100) {
            0..=33 => self.invoice(),
            34..=53 => self.bill(),
            54..=66 => self.expense(self.chart.bank),
            67..=79 => self.expense(self.chart.card),
            80..=89 => self.sales_receipt(),
            90..=92 => self.direct_deposit(),
            93..=95 => self.credit_memo(),
            96..=97 => self.vendor_credit(),
            98 => self.refund(),
            _ => self.move_to_savings(),
        }
    }

    /// Enters what the generator made up; the books must accept it.
    pub(super) fn enter(&mut self, new: NewDocument) -> DocumentId {
        let now: Timestamp = self.tick();
        self.books.add_document(new, now).unwrap_or_else(|refused| panic!("the generator made up a document that the books refuse: {refused}"))
    }

    fn draft(&self, kind: Kind) -> NewDocument {
        NewDocument::new(kind, self.today)
    }

    fn pick_contact(&mut self, customer: bool) -> (ContactId, bool) {
        let foreign = if customer { &self.foreign_customers } else { &self.foreign_suppliers };
        if !foreign.is_empty() && self.dice.percent(15) {
            return (self.dice.pick(foreign), true);
        }
        (self.dice.pick(if customer { &self.customers } else { &self.suppliers }), false)
    }

    fn set_currency(&self, document: &mut NewDocument, foreign: bool) {
        if foreign {
            document.currency = self.spec.second_currency.as_ref().map(|second| second.code.clone());
            document.rate = self.rate_today();
        }
    }

    /// One to four lines from the price list, now and then with a discount.
    fn sale_lines(&mut self, foreign: bool) -> Vec<NewLine> {
        let taxed = self.dice.percent(65);
        let is_xero = self.books.face == Face::Xero;
        let early = self.is_early();
        let count = self.dice.between(1, 4);
        let mut lines = Vec::new();
        for _ in 0..count {
            let id = self.dice.pick(&self.chart.items);
            let item = &self.books.items[&id];
            let (account, unit_price, description, is_product) =
                (item.income_account, item.unit_price, item.description.clone(), item.expense_account.is_some());
            let quantity_hundredths = if self.dice.percent(12) { self.dice.between(1, 9) * 50 } else { self.dice.between(1, 6) * 100 };
            let amount = unit_price.at(Rate(quantity_hundredths * (Rate::SCALE / 100)));
            let tax_rate = match (is_xero, foreign) {
                (true, true) => self.chart.export_tax,
                (true, false) => Some(self.chart.sales_tax),
                (false, true) => None,
                (false, false) => (taxed && is_product).then_some(self.chart.sales_tax),
            };
            lines.push(NewLine { item: Some(id), quantity_hundredths, unit_price, tax_rate, ..NewLine::new(account, amount, description) });
        }
        if early && self.dice.percent(15) {
            let mut line = NewLine::new(self.chart.old_income, self.dice.amount(150, 900), "Consulting");
            line.tax_rate = lines[0].tax_rate.filter(|_| is_xero);
            lines.push(line);
        }
        if self.dice.percent(4) {
            let sum: Cents = lines.iter().map(|l| l.amount).sum();
            let mut line = NewLine::new(self.chart.sales, -sum.at(Rate(Rate::SCALE / 20)), "Seasonal discount");
            line.tax_rate = lines[0].tax_rate.filter(|_| is_xero);
            lines.push(line);
        }
        lines
    }

    fn purchase_lines(&mut self, most: i64, foreign: bool) -> Vec<NewLine> {
        let count = self.dice.between(1, 3);
        (0..count)
            .map(|_| {
                let account = match self.chart.inventory {
                    Some(inventory) if self.dice.percent(35) => inventory,
                    None if self.dice.percent(30) => self.chart.cost_of_sales,
                    _ => self.dice.pick(&self.chart.expenses),
                };
                let amount = self.dice.amount(12, most);
                let goods = if self.chart.inventory == Some(account) && !foreign { self.goods_for(amount) } else { None };
                let words = goods.as_ref().map_or_else(|| self.books.accounts[&account].name.clone(), |(.., words)| words.clone());
                let mut line = NewLine::new(account, amount, words);
                if let Some((item, quantity_hundredths, _)) = goods.filter(|_| self.spec.tracks_inventory) {
                    (line.item, line.quantity_hundredths) = (Some(item), quantity_hundredths);
                    line.unit_price = Cents(amount.0 * 100 / quantity_hundredths.max(1));
                }
                line.tax_rate = if foreign || self.dice.percent(15) { self.chart.no_tax } else { self.chart.purchase_tax.or(self.chart.no_tax) };
                line
            })
            .collect()
    }

    fn invoice(&mut self) {
        let (contact, foreign) = self.pick_contact(true);
        let mut document = self.draft(Kind::Invoice);
        document.contact = Some(contact);
        document.lines = self.sale_lines(foreign);
        document.due_date = Some(self.today.saturating_add(jiff::Span::new().days(30)));
        document.memo = if self.dice.percent(20) { "Thank you for your business".into() } else { String::new() };
        self.set_currency(&mut document, foreign);
        let id = self.enter(document);
        self.plan(id, contact);
    }

    fn bill(&mut self) {
        let (contact, foreign) = self.pick_contact(false);
        let mut document = self.draft(Kind::Bill);
        document.contact = Some(contact);
        document.lines = self.purchase_lines(1_500, foreign);
        document.due_date = Some(self.today.saturating_add(jiff::Span::new().days(20)));
        document.number = Some(format!("{}-{}", self.dice.pick(&["A", "R", "INV", "FT"]), self.dice.between(1_000, 99_999)));
        self.set_currency(&mut document, foreign);
        let id = self.enter(document);
        self.plan(id, contact);
        let middle = self.today > self.spec.from.saturating_add(jiff::Span::new().months(3));
        if self.duplicates_left > 0 && middle && !foreign {
            self.duplicates_left -= 1;
            self.later(2, Event::EnterAgain(id));
        }
    }

    /// What will become of a new invoice or bill.
    fn plan(&mut self, id: DocumentId, contact: ContactId) {
        self.open.entry(contact).or_default().push(id);
        if self.dice.permille(15) {
            let days = self.dice.between(1, 12);
            self.later(days, Event::Correct(id));
        } else if self.dice.permille(8) {
            let days = self.dice.between(20, 45);
            self.later(days, Event::Backdate(id));
        }
        match self.dice.below(100) {
            0..=77 => {
                let days = self.dice.between(5, 55);
                self.later(days, Event::Pay { document: id, percent: 100 });
            }
            78..=86 => {
                let (first, second) = (self.dice.between(10, 30), self.dice.between(35, 75));
                self.later(first, Event::Pay { document: id, percent: 40 });
                self.later(second, Event::Pay { document: id, percent: 100 });
            }
            87..=90 => {
                let days = self.dice.between(10, 40);
                self.later(days, Event::Pay { document: id, percent: 50 });
            }
            91..=93 => {
                let days = self.dice.between(5, 60);
                self.later(days, Event::Void(id));
            }
            94 => {
                let days = self.dice.between(5, 60);
                self.later(days, Event::Delete(id));
            }
            _ => {}
        }
    }

    fn expense(&mut self, account: u64) {
        let mut document = self.draft(Kind::Expense);
        let former = self.is_early() && self.dice.percent(15);
        document.contact = Some(if former { self.former[1] } else { self.dice.pick(&self.suppliers) });
        document.account = Some(account);
        document.lines = self.purchase_lines(320, false);
        let id = self.enter(document);
        self.plan_simple(id);
    }

    fn sales_receipt(&mut self) {
        let mut document = self.draft(Kind::SalesReceipt);
        let former = self.is_early() && self.dice.percent(30);
        document.contact = Some(if former { self.former[0] } else { self.dice.pick(&self.customers) });
        document.account = Some(self.chart.bank);
        document.lines = self.sale_lines(false);
        let id = self.enter(document);
        self.plan_simple(id);
    }

    fn refund(&mut self) {
        let mut document = self.draft(Kind::RefundReceipt);
        document.contact = Some(self.dice.pick(&self.customers));
        document.account = Some(self.chart.bank);
        let mut lines = self.sale_lines(false);
        lines.truncate(1);
        document.lines = lines;
        self.enter(document);
    }

    fn direct_deposit(&mut self) {
        let mut document = self.draft(Kind::Deposit);
        document.contact = Some(self.dice.pick(&self.customers));
        document.account = Some(self.chart.bank);
        let mut line = NewLine::new(self.chart.sales, self.dice.amount(40, 700), "Market day takings");
        line.tax_rate = self.chart.no_tax;
        document.lines = vec![line];
        let id = self.enter(document);
        self.plan_simple(id);
    }

    /// Documents that nothing is applied to: few are corrected, voided or deleted later.
    fn plan_simple(&mut self, id: DocumentId) {
        let days = self.dice.between(2, 50);
        match self.dice.below(1_000) {
            0..=11 => self.later(days, Event::Delete(id)),
            12..=19 => self.later(days, Event::Void(id)),
            20..=34 => self.later(days, Event::Correct(id)),
            35..=41 => self.later(days, Event::Backdate(id)),
            _ => {}
        }
    }

    fn credit_memo(&mut self) {
        let contact = self.dice.pick(&self.customers);
        let mut document = self.draft(Kind::CreditMemo);
        document.contact = Some(contact);
        let mut line = NewLine::new(self.chart.sales, self.dice.amount(20, 250), "Returned goods");
        line.tax_rate = Some(self.chart.sales_tax);
        document.lines = vec![line];
        let id = self.enter(document);
        let days = self.dice.between(1, 15);
        self.later(days, Event::UseCredit { credit: id });
    }

    fn vendor_credit(&mut self) {
        let mut document = self.draft(Kind::VendorCredit);
        document.contact = Some(self.dice.pick(&self.suppliers));
        let mut lines = self.purchase_lines(150, false);
        lines.truncate(1);
        document.lines = lines;
        let id = self.enter(document);
        let days = self.dice.between(1, 15);
        self.later(days, Event::UseCredit { credit: id });
    }

    pub(super) fn move_to_savings(&mut self) {
        let (bank, savings) = (self.chart.bank, self.chart.savings);
        let amount = Cents(self.dice.between(1, 12) * 10_000);
        self.transfer(bank, savings, amount);
    }

    pub(super) fn transfer(&mut self, from: u64, to: u64, amount: Cents) {
        let mut document = self.draft(Kind::Transfer);
        document.account = Some(from);
        document.to_account = Some(to);
        document.lines = vec![NewLine::new(to, amount, "")];
        self.enter(document);
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Pay { document, percent } => self.pay(document, percent),
            Event::UseCredit { credit } => self.use_credit(credit),
            Event::EnterAgain(id) => self.enter_again(id),
            Event::Void(id) => self.void(id),
            Event::Delete(id) => self.delete(id),
            Event::Correct(id) => {
                let document = &self.books.documents[&id];
                if document.status == Status::Active && self.books.payments_of(id).is_empty() {
                    let amount = document.lines[0].amount;
                    let change = amount.at(Rate(Rate::SCALE / 100 * self.dice.between(-12, 15)));
                    self.change(id, Edit::Amount(amount + change));
                }
            }
            Event::Backdate(id) => {
                let document = &self.books.documents[&id];
                if document.status == Status::Active {
                    let earlier = document.date.saturating_sub(jiff::Span::new().days(self.dice.between(10, 40)));
                    let date = earlier.max(self.spec.from);
                    self.change(id, Edit::Date(date));
                }
            }
        }
    }

    fn change(&mut self, id: DocumentId, edit: Edit) {
        let now = self.tick();
        self.books.edit(id, edit, now).unwrap_or_else(|refused| panic!("the generator made up an edit that the books refuse: {refused}"));
    }

    fn is_applied(&self, id: DocumentId) -> bool {
        !self.books.payments_of(id).is_empty()
    }

    /// Takes a document back in the way its provider has for it.
    fn void(&mut self, id: DocumentId) {
        let (kind, status) = (self.books.documents[&id].kind, self.books.documents[&id].status);
        if status != Status::Active || self.is_applied(id) {
            return;
        }
        let can_void = match self.books.face {
            Face::Xero => kind.is_open_item() || kind == Kind::Journal,
            Face::QuickBooks => !matches!(kind, Kind::Bill | Kind::VendorCredit | Kind::Deposit | Kind::Transfer | Kind::Journal),
        };
        let now = self.tick();
        let done = if can_void { self.books.void(id, now) } else { self.books.delete(id, now) };
        done.unwrap_or_else(|refused| panic!("the generator takes back what the books keep: {refused}"));
    }

    fn delete(&mut self, id: DocumentId) {
        let document = &self.books.documents[&id];
        if document.status != Status::Active || self.is_applied(id) {
            return;
        }
        if self.books.face == Face::Xero && document.kind.is_open_item() {
            return self.void(id);
        }
        let paid: Vec<DocumentId> = document.applications.iter().map(|a| a.document).collect();
        let now = self.tick();
        self.books.delete(id, now).unwrap_or_else(|refused| panic!("the generator deletes what the books keep: {refused}"));
        for document in paid {
            self.later(9, Event::Pay { document, percent: 100 });
        }
    }

    fn pay(&mut self, id: DocumentId, percent: i64) {
        let due = self.books.amount_due(id);
        if due.0 <= 0 {
            return;
        }
        let target = &self.books.documents[&id];
        let contact = target.contact.expect("invoices and bills have a contact");
        let (currency, foreign) = (target.currency.clone(), target.currency != self.books.currency);
        let receivable = target.kind == Kind::Invoice;
        let mut document = self.draft(if receivable { Kind::Payment } else { Kind::BillPayment });
        document.contact = Some(contact);
        self.set_currency(&mut document, foreign);
        let amount = if percent == 100 { due } else { Cents((due.0 * percent / 100).max(1)) };
        document.applications = vec![Application { document: id, amount }];
        if self.books.face == Face::QuickBooks && percent == 100 {
            if self.dice.percent(20) {
                self.add_other_open(&mut document.applications, contact, &currency);
            }
            if receivable && self.dice.percent(2) {
                document.unapplied = self.dice.amount(5, 60);
            }
        }
        document.account = Some(self.payment_account(receivable, foreign));
        document.memo = if self.dice.percent(30) { format!("Ref {}", self.dice.between(100_000, 999_999)) } else { String::new() };
        let in_drawer = document.account.is_some() && document.account == self.chart.undeposited;
        let payment = self.enter(document);
        if in_drawer {
            self.drawer.push(payment);
        }
        // What else was settled meanwhile is passed over when it is met.
        let settled: Vec<DocumentId> = self.books.documents[&payment].applications.iter().map(|paid| paid.document).collect();
        let settled: Vec<DocumentId> = settled.into_iter().filter(|&id| self.books.amount_due(id).0 <= 0).collect();
        if let Some(open) = self.open.get_mut(&contact) {
            open.retain(|id| !settled.contains(id));
        }
        if self.dice.permille(12) {
            let days = self.dice.between(1, 40);
            let event = if self.dice.percent(30) { Event::Void(payment) } else { Event::Delete(payment) };
            self.later(days, event);
        }
    }

    fn payment_account(&mut self, receivable: bool, foreign: bool) -> u64 {
        match (self.chart.foreign_bank, self.chart.undeposited) {
            (Some(bank), _) if foreign && self.dice.percent(85) => bank,
            (_, Some(undeposited)) if receivable && !foreign && self.dice.percent(30) => undeposited,
            _ if !receivable && !foreign && self.dice.percent(10) => self.chart.card,
            _ => self.chart.bank,
        }
    }

    /// QuickBooks: one payment for several open documents.
    fn add_other_open(&self, applications: &mut Vec<Application>, contact: ContactId, currency: &str) {
        let first = applications[0].document;
        let others = self.open.get(&contact).into_iter().flatten().filter(|&&id| id != first);
        let others: Vec<Application> = others
            .filter(|id| self.books.documents[id].status == Status::Active && self.books.documents[id].currency == currency)
            .map(|&document| Application { document, amount: self.books.amount_due(document) })
            .filter(|a| a.amount.0 > 0)
            .take(2)
            .collect();
        applications.extend(others);
    }

    fn use_credit(&mut self, credit: DocumentId) {
        let document = &self.books.documents[&credit];
        if document.status != Status::Active {
            return;
        }
        let (contact, receivable) = (document.contact.expect("credits have a contact"), document.kind == Kind::CreditMemo);
        let left = self.books.amount_due(credit);
        let open = self.open.get(&contact).into_iter().flatten().copied();
        let Some(target) = open.into_iter().find(|&id| self.books.documents[&id].status == Status::Active && self.books.amount_due(id).0 > 0) else {
            return;
        };
        let amount = left.min(self.books.amount_due(target));
        if amount.0 <= 0 {
            return;
        }
        if self.books.face == Face::Xero {
            let now = self.tick();
            self.books
                .allocate(credit, target, amount, now)
                .unwrap_or_else(|refused| panic!("the generator allocates what the books refuse: {refused}"));
            return;
        }
        let mut document = self.draft(if receivable { Kind::Payment } else { Kind::BillPayment });
        document.contact = Some(contact);
        document.account = Some(self.chart.bank);
        document.applications = vec![Application { document: target, amount }, Application { document: credit, amount }];
        self.enter(document);
    }

    /// The same bill entered a second time, two days later.
    fn enter_again(&mut self, id: DocumentId) {
        let original = &self.books.documents[&id];
        let mut document = self.draft(Kind::Bill);
        document.number = Some(original.number.clone());
        document.contact = original.contact;
        document.due_date = original.due_date;
        document.lines =
            original.lines.iter().map(|l| NewLine { tax_rate: l.tax_rate, ..NewLine::new(l.account, l.amount, l.description.clone()) }).collect();
        self.enter(document);
    }

    /// What the last days leave behind: drafts (Xero), an archived account with history, inactive contacts.
    pub(super) fn closing_defects(&mut self) {
        if self.books.face == Face::Xero {
            for kind in [Kind::Invoice, Kind::Invoice, Kind::Bill, Kind::CreditMemo] {
                let customer = kind != Kind::Bill;
                let mut document = self.draft(kind);
                document.status = Status::Draft;
                document.contact = Some(self.dice.pick(if customer { &self.customers } else { &self.suppliers }));
                document.lines = if customer { self.sale_lines(false) } else { self.purchase_lines(400, false) };
                self.enter(document);
            }
            let mut dropped = self.draft(Kind::Invoice);
            dropped.status = Status::Draft;
            dropped.contact = Some(self.dice.pick(&self.customers));
            dropped.lines = self.sale_lines(false);
            let dropped = self.enter(dropped);
            let now = self.tick();
            self.books.delete(dropped, now).expect("a draft can be deleted");
        }
        let now = self.tick();
        self.books.set_account_active(self.chart.old_income, false, now).expect("an income account can be archived");
        for contact in self.former {
            let now = self.tick();
            self.books.set_contact_active(contact, false, now).expect("the contact exists");
        }
    }
}
