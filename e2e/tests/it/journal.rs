//! A journal in hledger's own form: three years of a trading company, made up deterministically.
#![allow(clippy::inconsistent_digit_grouping)] // amounts are in cents: the last two digits stand apart

use std::collections::VecDeque;
use std::fmt::Write;

const CUSTOMERS: [&str; 6] = ["Alder & Sons", "Bluebell Cafe", "Cedar Homes", "Driftwood Hotel", "Elm Street School", "Fern Clinic"];
const SUPPLIERS: [&str; 4] = ["Northern Timber", "Paint Depot", "City Power", "Quick Couriers"];

const CHECKING: &str = "assets:bank:checking";
const SAVINGS: &str = "assets:bank:savings";
const RECEIVABLE: &str = "assets:receivable";
const PAYABLE: &str = "liabilities:payable";
const CARD: &str = "liabilities:card:visa";
const SALES_TAX: &str = "liabilities:sales tax";
const PAYROLL: &str = "liabilities:payroll";
const LOAN: &str = "liabilities:loan";

/// First year of the journal; it spans this and the next two.
pub const FIRST_YEAR: i16 = 2022;
const MONTHS: i16 = 36;

/// One of the small journals that hledger's manual begins with: no kinds, no retained earnings, payees only here and there.
pub const CLASSIC: &str = "\
2022-01-01 opening balances
    assets:bank:checking        1000.00 USD
    assets:cash                  100.00 USD
    equity:opening balances

2022-01-31 income
    assets:bank:checking        2150.50 USD
    income:salary

2022-06-02 save
    assets:bank:saving           500.00 USD
    assets:bank:checking

2022-06-03 * Corner Shop | eat & shop
    expenses:food                 41.37 USD
    expenses:supplies             18.63 USD
    assets:cash

2022-09-10 borrow
    assets:bank:checking         300.00 USD
    liabilities:debts

2023-02-28 income
    assets:bank:checking        2210.25 USD
    income:salary

2023-03-01 * rent and food, from two pockets
    expenses:rent                900.00 USD
    expenses:food                 35.20 USD
    assets:cash                  -35.20 USD
    assets:bank:checking        -900.00 USD

2023-12-31 * pay off
    liabilities:debts            250.00 USD
    assets:bank:checking

2024-02-29 ! gift
    assets:cash                   20.00 USD
    income:gifts

2024-03-30 Corner Shop | food returned
    assets:cash                    4.01 USD
    expenses:food
";

/// What customers or suppliers are still owed or owe: the first to pay comes first.
type Open = VecDeque<(usize, i64)>;

struct Maker {
    text: String,
    dice: u64,
    entries: usize,
}

/// The text of the journal.
pub fn trading_company() -> String {
    let mut maker = Maker { text: String::from("commodity 1000.00 USD\n\n"), dice: 0x5eed, entries: 0 };
    maker.entry(
        (FIRST_YEAR, 1, 1),
        "journal",
        "Opening",
        "balances brought forward",
        &[
            (CHECKING, 48_250_17),
            (SAVINGS, 20_000_00),
            ("assets:equipment:vans", 64_000_00),
            ("assets:equipment:depreciation", -12_800_00),
            ("assets:inventory", 9_315_42),
            (LOAN, -40_000_00),
            ("equity:capital", -60_000_00),
            ("equity:retained earnings", -28_765_59),
        ],
    );
    let (mut invoices, mut bills) = (Open::new(), Open::new());
    for month in 0..MONTHS {
        maker.month(FIRST_YEAR + month / 12, month % 12 + 1, &mut invoices, &mut bills);
    }
    assert!(maker.entries > 400, "a few hundred entries, but these are {}", maker.entries);
    maker.text
}

impl Maker {
    /// From `low` to `high` cents.
    fn roll(&mut self, low: i64, high: i64) -> i64 {
        // Knuth's MMIX generator; the upper bits are the good ones.
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + i64::try_from((self.dice >> 33) % u64::try_from(high - low + 1).expect("a range")).expect("31 bits")
    }

    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.roll(0, i64::try_from(count).expect("few") - 1)).expect("not negative")
    }

    fn entry(&mut self, (year, month, day): (i16, i16, i16), kind: &str, payee: &str, note: &str, postings: &[(&str, i64)]) {
        assert_eq!(postings.iter().map(|(_, cents)| cents).sum::<i64>(), 0, "{note}: {postings:?}");
        let tag = if kind.is_empty() { String::new() } else { format!("  ; kind:{kind}") };
        writeln!(self.text, "{year}-{month:02}-{day:02} {payee} | {note}{tag}").expect("writing to a string");
        for (account, cents) in postings {
            let sign = if *cents < 0 { "-" } else { "" };
            writeln!(self.text, "    {account}  {sign}{}.{:02} USD", cents.abs() / 100, cents.abs() % 100).expect("writing to a string");
        }
        self.text.push('\n');
        self.entries += 1;
    }

    fn month(&mut self, year: i16, month: i16, invoices: &mut Open, bills: &mut Open) {
        let on = |day: i16| (year, month, day);
        self.entry(on(1), "expense", "Harbour Estates", "rent", &[("expenses:rent", 2_400_00), (CHECKING, -2_400_00)]);
        self.settle(on(2), invoices, true);
        self.settle(on(10), bills, false);
        for day in [3, 11, 17, 24] {
            let (customer, goods, work) = (self.pick(CUSTOMERS.len()), self.roll(150_00, 4_200_00), self.roll(0, 1_800_00));
            let tax = (goods * 8 + 50) / 100;
            let mut postings = vec![(RECEIVABLE, goods + work + tax), ("revenue:goods", -goods), (SALES_TAX, -tax)];
            postings.extend((work > 0).then_some(("revenue:services", -work)));
            self.entry(on(day), "invoice", CUSTOMERS[customer], "goods and work", &postings);
            invoices.push_back((customer, goods + work + tax));
        }
        for (day, account) in [(5, "expenses:cost of goods"), (12, "assets:inventory"), (18, "expenses:utilities")] {
            let (supplier, amount) = (self.pick(SUPPLIERS.len()), self.roll(80_00, 1_900_00));
            self.entry(on(day), "bill", SUPPLIERS[supplier], "delivery", &[(account, amount), (PAYABLE, -amount)]);
            bills.push_back((supplier, amount));
        }
        for (day, account) in [(8, "expenses:fuel"), (19, "expenses:office")] {
            let amount = self.roll(9_99, 240_00);
            self.entry(on(day), "expense", "Card purchase", "paid by card", &[(account, amount), (CARD, -amount)]);
        }
        let (wages, held) = (self.roll(7_000_00, 9_000_00), self.roll(1_500_00, 1_900_00));
        let own = wages * 765 / 10_000;
        let payroll = [("expenses:wages", wages), ("expenses:payroll tax", own), (PAYROLL, -held - own), (CHECKING, held - wages)];
        self.entry(on(15), "journal", "Staff", "payroll", &payroll);
        self.entry(on(21), "", "Revenue Service", "payroll liabilities", &[(PAYROLL, held + own), (CHECKING, -held - own)]);
        let card = self.roll(15_00, 300_00);
        self.entry(on(20), "transfer", "Card", "payment", &[(CARD, card), (CHECKING, -card)]);
        self.entry(on(22), "transfer", "Own accounts", "to savings", &[(SAVINGS, 250_00), (CHECKING, -250_00)]);
        let interest = self.roll(110_00, 190_00);
        let loan = [(LOAN, 900_00 - interest), ("expenses:interest", interest), (CHECKING, -900_00)];
        self.entry(on(25), "", "Valley Bank", "loan instalment", &loan);
        let earned = self.roll(3_00, 41_00);
        self.entry(on(28), "deposit", "Valley Bank", "interest earned", &[(SAVINGS, earned), ("revenue:interest", -earned)]);
        self.entry(on(28), "journal", "Books", "depreciation", &[("expenses:depreciation", 533_33), ("assets:equipment:depreciation", -533_33)]);
        let used = self.roll(100_00, 900_00);
        self.entry(on(28), "journal", "Books", "stock used", &[("expenses:cost of goods", used), ("assets:inventory", -used)]);
        if month % 3 == 0 {
            let tax = self.roll(300_00, 900_00);
            self.entry(on(26), "deposit", "Market day", "cash sales", &[(CHECKING, 1_234_56), ("revenue:goods", -1_234_56)]);
            self.entry(on(27), "expense", "State Treasury", "sales tax", &[(SALES_TAX, tax), (CHECKING, -tax)]);
        }
        match month {
            2 => self.entry(on(14), "payment", CUSTOMERS[0], "paid in advance", &[(CHECKING, 777_70), (RECEIVABLE, -777_70)]),
            4 => self.entry(on(14), "journal", "Insurer", "premium for a year", &[("assets:prepaid", 1_200_00), (CHECKING, -1_200_00)]),
            6 => {
                let legs = [(CHECKING, 2_000_00), ("expenses:bank fees", 12_50), (SAVINGS, -2_012_50)];
                self.entry(on(14), "", "Valley Bank", "from savings, less a fee", &legs);
            }
            9 => self.entry(on(14), "journal", CUSTOMERS[1], "given up", &[("expenses:bad debts", 88_80), (RECEIVABLE, -88_80)]),
            11 => self.entry(on(14), "expense", "Owner", "drawings", &[("equity:drawings", 5_000_00), (CHECKING, -5_000_00)]),
            12 => self.entry(on(31), "journal", "Books", "insurance used up", &[("expenses:insurance", 900_00), ("assets:prepaid", -900_00)]),
            _ => {}
        }
    }

    /// Pays what is open from before, most of it in full, some in two parts.
    fn settle(&mut self, date: (i16, i16, i16), open: &mut Open, of_customers: bool) {
        for _ in 0..open.len().min(4) {
            let Some((who, due)) = open.pop_front() else { return };
            let paid = if self.roll(0, 4) == 0 && due > 100_00 { due * 6 / 10 } else { due };
            if of_customers {
                self.entry(date, "payment", CUSTOMERS[who], "received", &[(CHECKING, paid), (RECEIVABLE, -paid)]);
            } else {
                self.entry(date, "payment", SUPPLIERS[who], "paid", &[(PAYABLE, paid), (CHECKING, -paid)]);
            }
            if paid < due {
                open.push_back((who, due - paid));
            }
        }
    }
}
