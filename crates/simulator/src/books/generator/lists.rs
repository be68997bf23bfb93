//! The small lists of made-up companies: classes, terms, people, orders, budgets, attachments. Made last, so that everything else has the
//! same ids with and without them.
use super::Maker;
use crate::books::lists::{BudgetLine, DimensionRole, Due, Every, NewOrder, OrderKind, OrderStatus, Owner, Worker};
use crate::books::{DocumentId, Face, Kind, NewDocument, NewLine, Status};
use crate::money::{Cents, Rate};
use jiff::{Span, ToSpan};

impl Maker {
    pub(super) fn small_lists(&mut self) {
        let options = self.dimensions();
        let terms = self.terms();
        if self.books.face == Face::QuickBooks {
            self.describe_documents(&options, &terms);
            self.recurring();
        }
        self.people();
        self.orders(&terms);
        self.budget();
        self.attachments();
    }

    /// Classes (or the first tracking category) and locations (or the second), with the ids of their options.
    fn dimensions(&mut self) -> [Vec<u64>; 2] {
        let is_xero = self.books.face == Face::Xero;
        let parts = [
            (if is_xero { "Department" } else { "Class" }, DimensionRole::Class, ["Retail", "Wholesale", "Workshop", "Old line"]),
            (if is_xero { "Region" } else { "Location" }, DimensionRole::Location, ["Main Street", "Harbour", "Online", "Airport"]),
        ];
        parts.map(|(name, role, options)| {
            let now = self.tick();
            let dimension = self.books.add_dimension(name, role, now);
            let ids: Vec<u64> = options
                .into_iter()
                .map(|option| self.books.add_tracking_option(dimension, option, None, now).expect("names of made-up options differ"))
                .collect();
            let old = ids[3];
            let then = self.tick();
            self.books.change_tracking_option(old, options[3].to_owned(), None, false, then).expect("the option exists");
            ids[..3].to_vec()
        })
    }

    fn terms(&mut self) -> Vec<u64> {
        let now = self.tick();
        for (name, card) in [("Cash", false), ("Check", false), ("Visa", true), ("MasterCard", true)] {
            self.books.add_payment_method(name, card, now);
        }
        let days = [("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60)];
        let mut terms: Vec<u64> = days.into_iter().map(|(name, days)| self.books.add_term(name, Due::Days(days), now)).collect();
        terms.push(self.books.add_term("20th of the month", Due::DayOfMonth { day: 20, next_month_within: 5 }, now));
        let discounted = self.books.add_term("2% 10 Net 30", Due::Days(30), now);
        if let Some(term) = self.books.lists.terms.get_mut(&discounted) {
            (term.discount_basis_points, term.discount_days) = (200, Some(10));
        }
        terms
    }

    /// Some documents name classes, locations, terms and payment methods; none of it posts or counts as a change.
    fn describe_documents(&mut self, options: &[Vec<u64>; 2], terms: &[u64]) {
        let methods: Vec<u64> = self.books.lists.payment_methods.keys().copied().collect();
        let [classes, locations] = options;
        for document in self.books.documents.values_mut() {
            let draw = usize::try_from(document.id % 1_000).expect("below 1000");
            if document.kind != Kind::Transfer && draw.is_multiple_of(3) {
                document.details.tracking = vec![locations[draw / 3 % locations.len()]];
            }
            for (index, line) in document.lines.iter_mut().enumerate() {
                if document.kind != Kind::Transfer && !(draw + index).is_multiple_of(4) {
                    line.tracking = vec![classes[(draw + index) % classes.len()]];
                }
            }
            match document.kind {
                Kind::Invoice => document.details.term = Some(terms[2]),
                Kind::Bill if draw.is_multiple_of(2) => document.details.term = Some(terms[1]),
                Kind::Payment | Kind::SalesReceipt | Kind::RefundReceipt => {
                    document.details.payment_method = Some(methods[draw % methods.len()]);
                    document.details.payment_reference = if draw.is_multiple_of(5) { format!("{}", 4_000 + draw) } else { String::new() };
                }
                _ => {}
            }
        }
    }

    /// Rent every month by itself, an invoice that somebody is reminded of.
    fn recurring(&mut self) {
        let (supplier, customer) = (self.suppliers[0], self.customers[0]);
        let next = self.spec.to.first_of_month().saturating_add(1.month());
        let rent = NewDocument {
            contact: Some(supplier),
            lines: vec![NewLine::new(self.chart.rent, Cents(180_000), "Rent")],
            ..NewDocument::new(Kind::Bill, next)
        };
        let care = NewDocument {
            contact: Some(customer),
            lines: vec![NewLine::new(self.chart.sales, Cents(24_500), "Care plan")],
            ..NewDocument::new(Kind::Invoice, next)
        };
        let now = self.tick();
        self.books.add_template("Rent", rent, Every::Month, true, now);
        self.books.add_template("Care plan", care, Every::Month, false, now);
    }

    fn people(&mut self) {
        let class = self.books.dimension(DimensionRole::Class);
        let option = self.books.lists.options.values().find(|option| Some(option.dimension) == class).map(|option| option.id);
        let mut employees = Vec::new();
        for (index, (given, family)) in [("Alex", "Rivera"), ("Sam", "Whitlock"), ("Jo", "Tane")].into_iter().enumerate() {
            let now = self.tick();
            let id = self.books.add_employee(given, family, format!("{}@staff.example", given.to_lowercase()), now);
            let hired = self.spec.from.saturating_add(Span::new().days(i64::try_from(index).expect("three people") * 40));
            let employee = self.books.lists.employees.get_mut(&id).expect("added above");
            employee.hired = Some(hired);
            if index == 2 {
                employee.released = Some(self.spec.to);
                employee.stamp.active = false;
            }
            employees.push(id);
        }
        for day in 1..=8_i64 {
            let worker = if day % 4 == 0 { Worker::Vendor(self.suppliers[1]) } else { Worker::Employee(employees[usize::from(day % 2 == 0)]) };
            let date = self.spec.to.saturating_sub(Span::new().days(day * 3)).max(self.spec.from);
            let minutes = self.dice.between(2, 16) * 30;
            let customer = self.dice.pick(&self.customers);
            let item = self.dice.pick(&self.chart.items);
            let now = self.tick();
            let id = self.books.add_time_activity(date, worker, minutes, now);
            let activity = self.books.lists.time_activities.get_mut(&id).expect("added above");
            activity.customer = Some(customer);
            activity.item = Some(item);
            activity.hourly_rate = Cents(6_500);
            activity.billable = day % 3 != 0;
            activity.tracking = option.into_iter().collect();
            activity.description = "Work on site".into();
        }
    }

    fn orders(&mut self, terms: &[u64]) {
        let statuses =
            [OrderStatus::Open, OrderStatus::Accepted, OrderStatus::Declined, OrderStatus::Closed, OrderStatus::Open, OrderStatus::Deleted];
        for (index, status) in statuses.into_iter().enumerate() {
            let date = self.spec.to.saturating_sub(Span::new().days(i64::try_from(index).expect("six orders") * 11)).max(self.spec.from);
            for kind in [OrderKind::Estimate, OrderKind::PurchaseOrder] {
                let is_estimate = kind == OrderKind::Estimate;
                let contact = self.dice.pick(if is_estimate { &self.customers } else { &self.suppliers });
                let mut order = NewOrder::new(kind, date, contact);
                order.expiry = Some(date.saturating_add(30.days()));
                order.term = Some(terms[2]);
                order.memo = if index == 0 { "By word of mouth".into() } else { String::new() };
                order.lines = if is_estimate { self.order_lines() } else { self.purchase_order_lines() };
                let wanted = if is_estimate { Kind::Invoice } else { Kind::Bill };
                if status == OrderStatus::Closed {
                    let made: Option<DocumentId> =
                        self.books.documents.values().rev().find(|d| d.kind == wanted && d.status == Status::Active).map(|d| d.id);
                    order.links = made.into_iter().collect();
                    if let Some(document) = made.map(|id| &self.books.documents[&id]) {
                        order.contact = document.contact.unwrap_or(contact);
                    }
                }
                let now = self.tick();
                let id = self.books.add_order(order, now).expect("the generator makes up good orders");
                let then = self.tick();
                self.books.set_order_status(id, status, then).expect("the order exists");
            }
        }
    }

    fn order_lines(&mut self) -> Vec<NewLine> {
        (0..2)
            .map(|_| {
                let id = self.dice.pick(&self.chart.items);
                let item = &self.books.items[&id];
                let (account, unit_price, description) = (item.income_account, item.unit_price, item.description.clone());
                let quantity_hundredths = self.dice.between(1, 5) * 100;
                let amount = unit_price.at(Rate(quantity_hundredths * (Rate::SCALE / 100)));
                let tax_rate = Some(self.chart.sales_tax);
                NewLine { item: Some(id), quantity_hundredths, unit_price, tax_rate, ..NewLine::new(account, amount, description) }
            })
            .collect()
    }

    fn purchase_order_lines(&mut self) -> Vec<NewLine> {
        let account = self.dice.pick(&self.chart.expenses);
        let name = self.books.accounts[&account].name.clone();
        let amount = self.dice.amount(40, 900);
        vec![NewLine { tax_rate: self.chart.purchase_tax.or(self.chart.no_tax), ..NewLine::new(account, amount, name) }]
    }

    /// Sales, rent and wages for the fiscal year of the last day.
    fn budget(&mut self) {
        let from = self.books.fiscal_year_start(self.spec.to);
        let to = from.saturating_add(11.months()).last_of_month();
        let plan = [(self.chart.sales, 2_400_000), (self.chart.rent, 180_000), (self.chart.wages, 900_000)];
        let lines = (0..12_i64).flat_map(|month| {
            plan.map(|(account, cents)| BudgetLine {
                month: from.saturating_add(Span::new().months(month)),
                account,
                amount: Cents(cents + month * 1_000),
                tracking: None,
            })
        });
        let lines = lines.collect();
        let now = self.tick();
        self.books.add_budget(format!("Budget {}", from.year()), from, to, lines, now);
    }

    fn attachments(&mut self) {
        for (kind, word) in [(Kind::Invoice, "Invoice"), (Kind::Bill, if self.books.face == Face::Xero { "Invoice" } else { "Bill" })] {
            let last = self.books.documents.values().rev().find(|d| d.kind == kind && d.status == Status::Active).map(|d| d.id);
            let Some(id) = last else { continue };
            let owner = Owner { kind: word.into(), id, include_on_send: kind == Kind::Invoice };
            let now = self.tick();
            let name = format!("{}-{id}.txt", kind.word());
            self.books.add_attachment(name, "text/plain", None, 2_048, vec![owner], now);
        }
        if self.books.face == Face::QuickBooks {
            let owner = Owner { kind: "Customer".into(), id: self.customers[0], include_on_send: false };
            let now = self.tick();
            let id = self.books.add_attachment("", "", None, 0, vec![owner], now);
            self.books.lists.attachments.get_mut(&id).expect("added above").note = "Prefers to be called in the morning".into();
        }
    }
}
