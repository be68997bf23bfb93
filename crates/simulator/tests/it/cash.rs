//! The cash basis: what counts when.
use super::books::assert_sound;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use simulator::books::{AccountId, AccountType, Application, Basis, Books, DocumentId, Edit, Face, Kind, NewDocument, NewLine};
use simulator::money::{Cents, Rate};
use std::collections::BTreeMap;

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

/// Books with one customer who is a supplier too.
struct Shop {
    books: Books,
    contact: u64,
    bank: AccountId,
    sales: AccountId,
    shipping: AccountId,
    rent: AccountId,
    tax_rate: u64,
    tax: AccountId,
}

fn shop(face: Face) -> Shop {
    let mut books = Books::new(face, "1", "Shop", "US", "USD", "America/New_York", 1, 7, now());
    let mut account = |name: &str, account_type| books.add_account(name, name.to_ascii_lowercase(), account_type, None, None, now());
    let bank = account("Bank", AccountType::Bank);
    let (sales, shipping) = (account("Sales", AccountType::Income), account("Shipping", AccountType::Income));
    let rent = account("Rent", AccountType::Expense);
    let tax = account("Tax", AccountType::TaxPayable);
    account("Debtors", AccountType::Receivable);
    account("Creditors", AccountType::Payable);
    account("Retained", AccountType::RetainedEarnings);
    books.add_account("Debtors EUR", "debtors-eur", AccountType::Receivable, None, Some("EUR"), now());
    let tax_rate = books.add_tax_rate("Ten", "OUTPUT", 1_000, tax, true, true);
    let contact = books.add_contact("Ann", "", true, true, None, now());
    Shop { books, contact, bank, sales, shipping, rent, tax_rate, tax }
}

impl Shop {
    fn add(&mut self, kind: Kind, day: Date, lines: &[(AccountId, i64, bool)]) -> DocumentId {
        let mut new = NewDocument::new(kind, day);
        new.contact = Some(self.contact);
        new.lines = lines
            .iter()
            .map(|&(account, amount, taxed)| NewLine { tax_rate: taxed.then_some(self.tax_rate), ..NewLine::new(account, Cents(amount), "") })
            .collect();
        self.books.add_document(new, now()).expect("a document")
    }
    fn pay(&mut self, kind: Kind, day: Date, paid: &[(DocumentId, i64)], unapplied: i64) -> DocumentId {
        let mut new = NewDocument::new(kind, day);
        new.contact = Some(self.contact);
        new.account = Some(self.bank);
        new.applications = paid.iter().map(|&(document, amount)| Application { document, amount: Cents(amount) }).collect();
        new.unapplied = Cents(unapplied);
        self.books.add_document(new, now()).expect("a payment")
    }
    fn cash(&self, day: Date) -> BTreeMap<AccountId, i64> {
        self.books.on(Basis::Cash).balances_at(day).into_iter().map(|(account, amount)| (account, amount.0)).collect()
    }
}

#[test]
fn an_invoice_counts_when_and_as_far_as_it_is_paid() {
    for face in [Face::QuickBooks, Face::Xero] {
        let mut shop = shop(face);
        let (sales, shipping) = (shop.sales, shop.shipping);
        // 100.00 + 50.00 and 10 % on the first: 160.00
        let invoice = shop.add(Kind::Invoice, date(2025, 1, 10), &[(sales, 10_000, true), (shipping, 5_000, false)]);
        assert_eq!(shop.cash(date(2025, 1, 31)), BTreeMap::new(), "unpaid");
        shop.pay(Kind::Payment, date(2025, 3, 5), &[(invoice, 4_000)], 0);
        assert_eq!(shop.cash(date(2025, 2, 28)), BTreeMap::new());
        let a_quarter = BTreeMap::from([(shop.bank, 4_000), (shop.tax, -250), (sales, -2_500), (shipping, -1_250)]);
        assert_eq!(shop.cash(date(2025, 3, 31)), a_quarter, "{face:?}");
        shop.pay(Kind::Payment, date(2025, 4, 1), &[(invoice, 12_000)], 0);
        let whole = BTreeMap::from([(shop.bank, 16_000), (shop.tax, -1_000), (sales, -10_000), (shipping, -5_000)]);
        assert_eq!(shop.cash(date(2025, 4, 1)), whole, "{face:?}");
        // paid in full, both bases say the same
        assert_eq!(shop.books.balances_at(date(2025, 12, 31)), shop.books.on(Basis::Cash).balances_at(date(2025, 12, 31)));
        assert_sound(&shop.books);
    }
}

#[test]
fn changing_a_paid_bill_changes_the_month_it_was_paid_in() {
    let mut shop = shop(Face::QuickBooks);
    let (rent, shipping) = (shop.rent, shop.shipping);
    let bill = shop.add(Kind::Bill, date(2025, 1, 10), &[(rent, 9_000, false), (shipping, 1_000, false)]);
    let payment = shop.pay(Kind::BillPayment, date(2025, 2, 3), &[(bill, 5_000)], 0);
    assert_eq!(shop.cash(date(2025, 2, 28)), BTreeMap::from([(shop.bank, -5_000), (rent, 4_500), (shipping, 500)]));
    shop.books.edit(bill, Edit::Amount(Cents(19_000)), now()).expect("edited");
    assert_eq!(shop.cash(date(2025, 2, 28)), BTreeMap::from([(shop.bank, -5_000), (rent, 4_750), (shipping, 250)]));
    shop.books.delete(payment, now()).expect("deleted");
    assert_eq!(shop.cash(date(2025, 12, 31)), BTreeMap::new());
    assert_sound(&shop.books);
}

#[test]
fn what_quickbooks_is_paid_in_advance_stands_in_its_two_accounts_for_it() {
    let mut shop = shop(Face::QuickBooks);
    let sales = shop.sales;
    let invoice = shop.add(Kind::Invoice, date(2025, 1, 10), &[(sales, 10_000, false)]);
    shop.pay(Kind::Payment, date(2025, 1, 20), &[(invoice, 10_000)], 2_500);
    shop.pay(Kind::BillPayment, date(2025, 1, 21), &[], 700);
    let of = |subtype: &str| shop.books.accounts.keys().copied().find(|id| shop.books.unapplied_subtype(*id) == Some(subtype)).expect("the account");
    let (income, expense) = (of("UnappliedCashPaymentIncome"), of("UnappliedCashBillPaymentExpense"));
    assert_eq!(shop.cash(date(2025, 1, 31)), BTreeMap::from([(shop.bank, 11_800), (sales, -10_000), (income, -2_500), (expense, 700)]));
    // without its invoice all of the payment is in advance
    shop.books.delete(invoice, now()).expect("deleted");
    assert_eq!(shop.cash(date(2025, 1, 31)), BTreeMap::from([(shop.bank, 11_800), (income, -12_500), (expense, 700)]));
    assert_sound(&shop.books);
}

#[test]
fn a_credit_counts_when_it_is_used() {
    for face in [Face::QuickBooks, Face::Xero] {
        let mut shop = shop(face);
        let (sales, shipping) = (shop.sales, shop.shipping);
        let invoice = shop.add(Kind::Invoice, date(2025, 1, 10), &[(sales, 10_000, false)]);
        let credit = shop.add(Kind::CreditMemo, date(2025, 1, 12), &[(shipping, 3_000, false)]);
        assert_eq!(shop.cash(date(2025, 1, 31)), BTreeMap::new());
        if face == Face::Xero {
            shop.books.allocate(credit, invoice, Cents(3_000), now()).expect("allocated");
        } else {
            shop.pay(Kind::Payment, date(2025, 1, 12), &[(invoice, 3_000), (credit, 3_000)], 0);
        }
        assert_eq!(shop.cash(date(2025, 1, 31)), BTreeMap::from([(sales, -3_000), (shipping, 3_000)]), "{face:?}");
        assert_sound(&shop.books);
    }
}

#[test]
fn the_parts_of_a_foreign_payment_add_up_to_the_cent_with_its_gain() {
    let mut shop = shop(Face::QuickBooks);
    let (sales, shipping) = (shop.sales, shop.shipping);
    let euros = shop.books.add_contact("Eva", "", true, false, Some("EUR"), now());
    let mut new = NewDocument::new(Kind::Invoice, date(2025, 1, 10));
    (new.contact, new.currency, new.rate) = (Some(euros), Some("EUR".into()), Some(Rate(1_111_111)));
    new.lines = vec![NewLine::new(sales, Cents(3_333), ""), NewLine::new(shipping, Cents(3_333), ""), NewLine::new(sales, Cents(-1), "")];
    let invoice = shop.books.add_document(new, now()).expect("an invoice");
    for (day, amount) in [(1, 1_111), (2, 2_222), (3, 3_332)] {
        let mut new = NewDocument::new(Kind::Payment, date(2025, 2, day));
        (new.contact, new.currency, new.rate, new.account) = (Some(euros), Some("EUR".into()), Some(Rate(1_200_000)), Some(shop.bank));
        new.applications = vec![Application { document: invoice, amount: Cents(amount) }];
        shop.books.add_document(new, now()).expect("a payment");
    }
    let gain = shop.books.account_of(AccountType::CurrencyGain).expect("made with the first foreign document");
    let (accrual, cash) = (shop.books.balances_at(date(2025, 12, 31)), shop.cash(date(2025, 12, 31)));
    assert_eq!(accrual[&gain].0, cash[&gain]);
    assert_eq!(cash[&shop.bank], accrual[&shop.bank].0);
    assert_eq!(cash.values().sum::<i64>(), 0);
    assert_sound(&shop.books);
}

#[test]
fn what_is_paid_at_once_counts_alike_on_both_bases() {
    let mut shop = shop(Face::QuickBooks);
    let (sales, rent, bank) = (shop.sales, shop.rent, shop.bank);
    for (kind, account, amount) in [(Kind::SalesReceipt, sales, 5_000), (Kind::Expense, rent, 2_000), (Kind::Deposit, sales, 300)] {
        let mut new = NewDocument::new(kind, date(2025, 1, 10));
        (new.contact, new.account, new.lines) = (Some(shop.contact), Some(bank), vec![NewLine::new(account, Cents(amount), "")]);
        shop.books.add_document(new, now()).expect("a document");
    }
    let mut journal = NewDocument::new(Kind::Journal, date(2025, 1, 31));
    journal.lines = vec![NewLine::new(rent, Cents(900), ""), NewLine::new(bank, Cents(-900), "")];
    shop.books.add_document(journal, now()).expect("a journal");
    assert_eq!(shop.books.balances_at(date(2025, 1, 31)), shop.books.on(Basis::Cash).balances_at(date(2025, 1, 31)));
    assert_sound(&shop.books);
}
