//! What returns every month in made-up companies: rent, payroll, depreciation, loan, taxes, card payments.
use super::Maker;
use crate::books::{AccountId, Document, Face, Kind, NewDocument, NewLine, Status};
use crate::money::Cents;
use jiff::civil::Weekday;

impl Maker {
    /// Amounts of fixed costs grow with the size of the company.
    fn sized(&self, units: i64) -> Cents {
        Cents(units * 100 * i64::from(self.spec.documents_per_month.max(20)) / 60)
    }

    pub(super) fn opening_balances(&mut self) {
        let chart = &self.chart;
        let assets = [(chart.bank, 60_000), (chart.savings, 15_000), (chart.equipment, 24_000), (chart.accumulated_depreciation, -6_000)];
        let mut lines: Vec<(AccountId, Cents)> = assets.into_iter().map(|(account, units)| (account, self.sized(units))).collect();
        let sum: Cents = lines.iter().map(|(_, amount)| *amount).sum();
        lines.push((self.chart.equity, -sum));
        let now = self.tick();
        if let (Face::Xero, Some(historical)) = (self.books.face, self.chart.historical_adjustment) {
            // Each balance comes in against Historical Adjustment, which ends at zero.
            for (account, amount) in lines {
                self.books
                    .add_conversion_balances(self.today, &[(account, amount), (historical, -amount)], now)
                    .expect("two opposite amounts sum to zero");
            }
            return;
        }
        let mut document = NewDocument::new(Kind::Journal, self.today);
        document.memo = "Opening balances".into();
        document.number = Some("OPEN".into());
        document.lines = lines.into_iter().map(|(account, amount)| NewLine::new(account, amount, "Opening balance")).collect();
        self.enter(document);
    }

    pub(super) fn routine(&mut self) {
        let day = self.today.day();
        match day {
            1 => {
                let rent = self.sized(2_600);
                self.spend(vec![(self.chart.rent, rent, true)], "Monthly rent");
            }
            2 => self.restock(),
            3 => self.pay_card(),
            8 => {
                let interest = self.dice.amount(4, 30);
                self.receive(self.chart.savings, self.chart.interest_income, interest, "Interest");
            }
            10 => {
                let charges = self.dice.amount(8, 45);
                self.spend(vec![(self.chart.bank_charges, charges, false)], "Account fees");
            }
            12 if self.books.documents.len() > 20 && self.months_running() == 2 => {
                let amount = self.sized(30_000);
                self.receive(self.chart.bank, self.chart.loan, amount, "Loan drawdown");
            }
            15 if self.months_running() > 2 => {
                let (principal, interest) = (self.sized(480), Cents(self.sized(95).0 + self.dice.between(-900, 900)));
                self.spend(vec![(self.chart.loan, principal, false), (self.chart.interest, interest, false)], "Loan repayment");
            }
            18 if self.months_running() % 12 == 5 => {
                let amount = self.sized(3_400);
                self.spend(vec![(self.chart.equipment, amount, true)], "New equipment");
            }
            20 => {
                let drawn = self.sized(4_600);
                self.spend(vec![(self.chart.drawings, drawn, false)], "Owner's draw");
            }
            25 if self.today.month() % 3 == 1 => self.pay_tax(),
            _ => {}
        }
        if self.today.weekday() == Weekday::Friday {
            self.bank_undeposited();
        }
        if self.today == self.today.last_of_month() {
            self.payroll();
            self.month_end_journals();
        }
    }

    fn months_running(&self) -> i32 {
        let from = self.spec.from;
        (i32::from(self.today.year()) - i32::from(from.year())) * 12 + i32::from(self.today.month()) - i32::from(from.month())
    }

    fn spend(&mut self, lines: Vec<(AccountId, Cents, bool)>, memo: &str) {
        let mut document = NewDocument::new(Kind::Expense, self.today);
        document.account = Some(self.chart.bank);
        document.contact = self.suppliers.first().copied();
        document.memo = memo.into();
        document.lines = lines
            .into_iter()
            .map(|(account, amount, taxed)| {
                let tax_rate = if taxed { self.chart.purchase_tax.or(self.chart.no_tax) } else { self.chart.no_tax };
                NewLine { tax_rate, ..NewLine::new(account, amount, memo) }
            })
            .collect();
        self.enter(document);
    }

    fn receive(&mut self, into: AccountId, from: AccountId, amount: Cents, memo: &str) {
        let mut document = NewDocument::new(Kind::Deposit, self.today);
        document.account = Some(into);
        document.contact = self.customers.first().copied();
        document.memo = memo.into();
        document.lines = vec![NewLine { tax_rate: self.chart.no_tax, ..NewLine::new(from, amount, memo) }];
        self.enter(document);
    }

    fn balance(&self, account: AccountId) -> Cents {
        self.books.balances_at(self.today).get(&account).copied().unwrap_or_default()
    }

    fn pay_card(&mut self) {
        let owed = -self.balance(self.chart.card);
        if owed.0 > 0 {
            self.transfer(self.chart.bank, self.chart.card, owed);
        }
    }

    fn pay_tax(&mut self) {
        let owed = -self.balance(self.chart.tax);
        if owed.0 > 0 {
            self.spend(vec![(self.chart.tax, owed, false)], "Tax return");
        } else if owed.0 < 0 {
            self.receive(self.chart.bank, self.chart.tax, -owed, "Tax refund");
        }
    }

    /// QuickBooks: what was put in the drawer goes to the bank on Fridays.
    fn bank_undeposited(&mut self) {
        let Some(undeposited) = self.chart.undeposited else { return };
        let amount = self.balance(undeposited);
        let drawer = std::mem::take(&mut self.drawer);
        if amount.0 <= 0 {
            return;
        }
        // One line for each payment that is still there; what other ways brought or took is one more line.
        let is_there = |d: &&Document| d.status == Status::Active && d.account == Some(undeposited);
        let payments = drawer.iter().filter_map(|id| self.books.documents.get(id)).filter(is_there);
        let mut lines: Vec<NewLine> = payments
            .map(|payment| {
                let total = self.books.total(payment).at(payment.rate);
                NewLine { contact: payment.contact, ..NewLine::new(undeposited, total, format!("Payment {}", payment.number)) }
            })
            .filter(|line| !line.amount.is_zero())
            .collect();
        let rest = amount - lines.iter().map(|line| line.amount).sum();
        if !rest.is_zero() {
            lines.push(NewLine::new(undeposited, rest, "Weekly deposit"));
        }
        let mut document = NewDocument::new(Kind::Deposit, self.today);
        document.account = Some(self.chart.bank);
        document.contact = self.customers.first().copied();
        document.memo = "Weekly deposit".into();
        document.lines = lines.into_iter().map(|line| NewLine { tax_rate: self.chart.no_tax, ..line }).collect();
        self.enter(document);
    }

    /// Wages by journal. Xero's journals cannot touch the bank, so there the payments follow as bank transactions.
    fn payroll(&mut self) {
        let gross = Cents(self.sized(10_400).0 + self.dice.between(-25_000, 25_000));
        let employer = Cents(gross.0 * 765 / 10_000);
        let withheld = Cents(gross.0 * 18 / 100);
        let net = gross - withheld;
        let paid_from = self.chart.wages_payable.unwrap_or(self.chart.bank);
        let mut document = NewDocument::new(Kind::Journal, self.today);
        document.memo = "Monthly payroll".into();
        document.lines = vec![
            NewLine::new(self.chart.wages, gross, "Gross wages"),
            NewLine::new(self.chart.payroll_taxes, employer, "Employer contributions"),
            NewLine::new(self.chart.payroll_liabilities, -(withheld + employer), "Owed to the authorities"),
            NewLine::new(paid_from, -net, "Net wages"),
        ];
        self.enter(document);
        if self.chart.wages_payable.is_some() {
            self.spend(vec![(paid_from, net, false)], "Net wages");
        }
        let owed = -self.balance(self.chart.payroll_liabilities);
        let last_month = owed - withheld - employer;
        if last_month.0 > 0 {
            self.spend(vec![(self.chart.payroll_liabilities, last_month, false)], "Payroll taxes of last month");
        }
    }

    fn month_end_journals(&mut self) {
        let amount = self.sized(400);
        self.journal(self.chart.depreciation, self.chart.accumulated_depreciation, amount, "Monthly depreciation");
        // where goods are counted, each sale has said what it cost
        if let Some(inventory) = self.chart.inventory.filter(|_| !self.spec.tracks_inventory) {
            let sheet = self.dice.between(55, 80);
            let lines = self.cost_of_goods_sold(inventory);
            if !lines.is_empty() {
                let mut document = NewDocument::new(Kind::Journal, self.today);
                document.memo = format!("Goods sold this month, stock sheet {sheet}");
                document.lines = lines;
                self.enter(document);
            }
        }
    }

    fn journal(&mut self, debit: AccountId, credit: AccountId, amount: Cents, memo: &str) {
        let mut document = NewDocument::new(Kind::Journal, self.today);
        document.memo = memo.into();
        document.lines = vec![NewLine::new(debit, amount, memo), NewLine::new(credit, -amount, memo)];
        self.enter(document);
    }
}
