//! General-journal files: what is refused, and that the books equal the file to the cent on both faces.
use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use simulator::books::generator::Dice;
use simulator::books::journal_csv::{BadRow, Meta, read};
use simulator::books::{AccountType, Books, Face, Kind, Status};
use simulator::money::Cents;
use std::collections::BTreeMap;
use std::fmt::Write;

const HEADER: &str = "entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo\n";

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

fn meta() -> Meta {
    Meta {
        name: "From a file".into(),
        country: "NZ".into(),
        currency: "NZD".into(),
        time_zone: "Pacific/Auckland".into(),
        fiscal_year_start_month: 4,
        seed: 3,
    }
}

fn load(rows: &str, face: Face) -> Result<Books, Vec<BadRow>> {
    read(format!("{HEADER}{rows}").as_bytes(), face, &meta(), now())
}

fn load_both(rows: &str) -> [Books; 2] {
    [Face::QuickBooks, Face::Xero].map(|face| load(rows, face).unwrap_or_else(|bad| panic!("{face:?}: {bad:?}")))
}

/// The one bad row that loading gives, on either face.
fn refusal(rows: &str) -> BadRow {
    let [one, other] = [Face::QuickBooks, Face::Xero].map(|face| load(rows, face).expect_err("the file is refused"));
    assert_eq!(one, other, "both faces refuse alike");
    assert_eq!(one.len(), 1, "{one:?}");
    one.into_iter().next().expect("one row")
}

/// Balance per account code at a date, without what the file does not know.
fn balances(books: &Books, at: Date) -> BTreeMap<String, Cents> {
    books.balances_at(at).into_iter().map(|(id, amount)| (books.accounts[&id].code.clone(), amount)).collect()
}

const GOOD: &str = "\
1,2025-01-02,,090,Bank,bank,100.00,,NZD,,start
1,2025-01-02,,970,Owner,equity,,100,,,start
";

#[test]
fn every_kind_of_bad_row_is_refused_with_its_line_and_reason() {
    let cases: [(&str, u64, &str); 20] = [
        ("2,2025-01-03,,090,Bank,bank,5,,,,\n2,2025-01-03,,200,Sales,income,,4.99,,,\n", 4, "does not balance: debits are larger by 0.01"),
        ("2,2025-02-30,,090,Bank,bank,5,,,,\n", 4, "date \"2025-02-30\" is no date"),
        ("2,03/01/2025,,090,Bank,bank,5,,,,\n", 4, "is no date of the form"),
        ("2,2025-01-03,,090,Bank,money,5,,,,\n", 4, "account_type \"money\" is none of bank, receivable"),
        ("2,2025-01-03,cheque,090,Bank,bank,5,,,,\n", 4, "kind \"cheque\" is none of journal"),
        ("2,2025-01-03,,090,Bank,bank,5,5,,,\n", 4, "debit and credit both"),
        ("2,2025-01-03,,090,Bank,bank,,,,,\n", 4, "neither debit nor credit"),
        ("2,2025-01-03,,090,Bank,bank,0.00,0,,,\n", 4, "neither debit nor credit"),
        ("2,2025-01-03,,090,Bank,bank,1.005,,,,\n", 4, "debit \"1.005\" is no amount with at most two decimals"),
        ("2,2025-01-03,,090,Bank,bank,ten,,,,\n", 4, "debit \"ten\" is no amount"),
        ("2,2025-01-03,,090,Bank,bank,,-5,,,\n", 4, "credit -5 is negative"),
        ("2,2025-01-03,,,Bank,bank,5,,,,\n", 4, "account_code is missing"),
        ("2,2025-01-03,,090,,bank,5,,,,\n", 4, "account_name is missing"),
        ("2,2025-01-03,,090,Bank,expense,5,,,,\n", 4, "account 090 is bank on line 2 and expense here"),
        ("2,2025-01-03,,090,Banque,bank,5,,,,\n", 4, "account 090 is called Bank on line 2 and Banque here"),
        ("2,2025-01-03,,091,Bank,bank,5,,,,\n", 4, "account name Bank belongs to code 090 on line 2 and to 091 here"),
        ("1,2025-01-03,,090,Bank,bank,5,,,,\n", 4, "entry 1 is dated 2025-01-02 on line 2 and 2025-01-03 here"),
        (",2025-01-03,,090,Bank,bank,5,,,,\n", 4, "entry is missing"),
        ("2,2025-01-03,,090,Bank,bank,5,,XYZ,,\n", 4, "currency \"XYZ\" is not the home currency NZD"),
        ("2,2025-01-03,,090,Bank,bank,5,\n", 4, "the row has 8 fields, the header 11"),
    ];
    for (rows, line, reason) in cases {
        let bad = refusal(&format!("{GOOD}{rows}"));
        assert_eq!(bad.line, line, "{rows}: {bad:?}");
        assert!(bad.reason.contains(reason), "{rows}: {bad:?} should say {reason:?}");
    }
}

#[test]
fn a_wrong_header_is_refused_at_line_one() {
    for (header, reason) in [
        ("entry,date,kind,code,account_name,account_type,debit,credit,currency,contact,memo\n", "column \"code\" is none of"),
        ("entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact\n", "column memo is missing"),
        ("entry,date,date,account_code,account_name,account_type,debit,credit,currency,contact,memo\n", "column date comes twice"),
        ("", "column \"\" is none of"),
    ] {
        let bad = read(format!("{header}{GOOD}").as_bytes(), Face::Xero, &meta(), now()).expect_err("refused");
        assert_eq!(bad[0].line, 1, "{header}");
        if !header.is_empty() {
            assert!(bad[0].reason.contains(reason), "{header}: {bad:?}");
        }
    }
    assert_eq!(refusal("").reason, "the file has no rows");
}

#[test]
fn columns_may_come_in_any_order_and_all_bad_rows_are_named_at_once() {
    let swapped = "memo,credit,debit,entry,date,kind,account_type,account_name,account_code,contact,currency\n\
        m,,100,1,2025-01-02,,bank,Bank,090,,\nm,100,,1,2025-01-02,,equity,Owner,970,,\n";
    let books = read(swapped.as_bytes(), Face::QuickBooks, &meta(), now()).expect("loaded");
    assert_eq!(balances(&books, date(2025, 1, 2))["090"], Cents(10_000));
    let bad = load(&format!("{GOOD}2,x,,090,Bank,bank,5,,,,\n3,2025-01-01,,090,Bank,bank,,,,,\n"), Face::Xero).expect_err("refused");
    assert_eq!(bad.iter().map(|b| b.line).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn a_retained_earnings_account_is_added_only_where_the_file_has_none() {
    for books in load_both(GOOD) {
        assert!(books.account_of(AccountType::RetainedEarnings).is_some());
        assert_eq!(books.accounts.len(), 3);
    }
    let own = "1,2025-01-02,,090,Bank,bank,100,,,,\n1,2025-01-02,,966,Kept,retained_earnings,,100,,,\n";
    for books in load_both(own) {
        assert_eq!(books.accounts.len(), 2);
        assert_eq!(balances(&books, date(2025, 2, 1))["966"], Cents(-10_000));
    }
}

const TRADE: &str = "\
i1,2025-01-05,invoice,610,Debtors,receivable,115,,,Aroha Ltd,
i1,2025-01-05,invoice,200,Sales,income,,100,,Aroha Ltd,work
i1,2025-01-05,invoice,820,GST,tax_payable,,15,,Aroha Ltd,
i2,2025-01-06,invoice,610,Debtors,receivable,50,,,Aroha Ltd,
i2,2025-01-06,invoice,200,Sales,income,,50,,Aroha Ltd,
p1,2025-01-20,payment,090,Bank,bank,140,,,aroha ltd,
p1,2025-01-20,payment,610,Debtors,receivable,,140,,aroha ltd,
p2,2025-01-25,payment,090,Bank,bank,40,,,Aroha Ltd,
p2,2025-01-25,payment,610,Debtors,receivable,,40,,Aroha Ltd,
b1,2025-01-07,bill,800,Creditors,payable,,30,,Paper Co,
b1,2025-01-07,bill,453,Office,expense,30,,,Paper Co,
q1,2025-01-30,payment,800,Creditors,payable,30,,,Paper Co,
q1,2025-01-30,payment,090,Bank,bank,,30,,Paper Co,
";

#[test]
fn payments_are_applied_to_the_oldest_open_documents_of_their_contact() {
    for books in load_both(TRADE) {
        let invoice = |number: &str| books.documents.values().find(|d| d.number == number).expect("the document").id;
        assert_eq!((books.amount_due(invoice("i1")), books.amount_due(invoice("i2"))), (Cents::ZERO, Cents::ZERO));
        assert_eq!(books.amount_due(invoice("b1")), Cents::ZERO);
        let payments: Vec<_> = books.documents.values().filter(|d| d.kind == Kind::Payment).collect();
        let rest = books.documents.values().find(|d| d.kind == Kind::Deposit);
        if books.face == Face::QuickBooks {
            assert_eq!(payments.len(), 2);
            assert_eq!((payments[0].applications.len(), payments[1].unapplied), (2, Cents(1_500)));
            assert!(rest.is_none());
        } else {
            assert_eq!(payments.len(), 3, "one payment per invoice");
            let rest = rest.expect("the remainder is a bank transaction");
            assert_eq!(books.accounts[&rest.lines[0].account].account_type, AccountType::Receivable);
            assert_eq!(books.total(rest), Cents(1_500));
        }
        let contact = books.contacts.values().find(|c| c.name == "Aroha Ltd").expect("one contact, whatever the case").id;
        assert_eq!(books.contact_balance(contact).0, Cents(-1_500));
        assert_eq!(balances(&books, date(2025, 1, 31))["610"], Cents(-1_500));
    }
}

/// A random file and its own sums per day.
fn random_file(seed: u64) -> (String, BTreeMap<Date, BTreeMap<String, Cents>>) {
    const ACCOUNTS: [(&str, &str, AccountType); 14] = [
        ("090", "Bank", AccountType::Bank),
        ("091", "Savings", AccountType::Bank),
        ("092", "Card", AccountType::CreditCard),
        ("610", "Debtors", AccountType::Receivable),
        ("611", "Other debtors", AccountType::Receivable),
        ("630", "Stock", AccountType::Inventory),
        ("710", "Equipment", AccountType::FixedAsset),
        ("620", "Prepaid", AccountType::CurrentAsset),
        ("800", "Creditors", AccountType::Payable),
        ("820", "GST", AccountType::TaxPayable),
        ("960", "Retained", AccountType::RetainedEarnings),
        ("970", "Owner", AccountType::Equity),
        ("200", "Sales", AccountType::Income),
        ("400", "Adverts", AccountType::Expense),
    ];
    const KINDS: [&str; 8] = ["", "", "journal", "invoice", "bill", "payment", "expense", "deposit"];
    let mut dice = Dice::new(seed);
    let mut text = HEADER.to_owned();
    let mut sums: BTreeMap<Date, BTreeMap<String, Cents>> = BTreeMap::new();
    for entry in 0..dice.between(30, 120) {
        let day = date(2024, 1, 1).saturating_add(jiff::Span::new().days(dice.between(0, 500)));
        let mut kind = dice.pick(&KINDS);
        let transfer = dice.percent(8);
        if transfer {
            kind = "transfer";
        }
        let contact = dice.pick(&["", "Ann", "Bob", "Cleo"]);
        // Often the shape the kind expects, often any mixture of accounts.
        let proper = dice.percent(60);
        let mut legs: Vec<((&str, &str, AccountType), Cents)> = Vec::new();
        let amount = dice.amount(1, 500);
        match (kind, proper) {
            ("invoice", true) => legs.extend([(ACCOUNTS[3], amount), (ACCOUNTS[12], -amount)]),
            ("bill", true) => legs.extend([(ACCOUNTS[8], -amount), (ACCOUNTS[13], amount)]),
            ("payment", true) if dice.percent(50) => legs.extend([(ACCOUNTS[0], amount), (ACCOUNTS[3], -amount)]),
            ("payment", true) => legs.extend([(ACCOUNTS[0], -amount), (ACCOUNTS[8], amount)]),
            ("expense", true) => legs.extend([(ACCOUNTS[2], -amount), (ACCOUNTS[13], amount)]),
            ("deposit", true) => legs.extend([(ACCOUNTS[0], amount), (ACCOUNTS[11], -amount)]),
            ("transfer", true) => legs.extend([(ACCOUNTS[0], -amount), (ACCOUNTS[1], amount)]),
            _ => {
                let mut sum = Cents::ZERO;
                for _ in 0..dice.between(1, 5) {
                    let part = Cents(if dice.percent(50) { dice.amount(1, 300).0 } else { -dice.amount(1, 300).0 });
                    legs.push((dice.pick(&ACCOUNTS), part));
                    sum += part;
                }
                if !sum.is_zero() {
                    legs.push((dice.pick(&ACCOUNTS), -sum));
                }
            }
        }
        for ((code, name, account_type), amount) in legs {
            let (debit, credit) = if amount.0 > 0 { (amount.to_string(), String::new()) } else { (String::new(), (-amount).to_string()) };
            writeln!(text, "e{entry},{day},{kind},{code},{name},{},{debit},{credit},,{contact},", account_type.word()).expect("text");
            *sums.entry(day).or_default().entry(code.to_owned()).or_default() += amount;
        }
    }
    (text, sums)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_file_holds_each_account_has_its_total_on_each_day(seed: u64) {
        let (text, sums) = random_file(seed);
        for face in [Face::QuickBooks, Face::Xero] {
            let books = match read(text.as_bytes(), face, &meta(), now()) {
                Ok(books) => books,
                Err(bad) => return Err(TestCaseError::fail(format!("{face:?} seed {seed}: {bad:?}"))),
            };
            let mut running: BTreeMap<String, Cents> = BTreeMap::new();
            for (day, parts) in &sums {
                for (code, amount) in parts {
                    *running.entry(code.clone()).or_default() += *amount;
                }
                let mut expected = running.clone();
                expected.retain(|_, amount| !amount.is_zero());
                prop_assert_eq!(balances(&books, *day), expected, "{:?} seed {} at {}", face, seed, day);
            }
            for document in books.documents.values() {
                prop_assert_eq!(document.status, Status::Active);
                prop_assert!(books.amount_due(document.id).0 >= 0);
            }
        }
    }
}

#[test]
fn a_hundred_thousand_entries_are_loaded_and_balance() {
    let mut text = HEADER.to_owned();
    let mut dice = Dice::new(1);
    for entry in 0..100_000 {
        let day = date(2022, 1, 1).saturating_add(jiff::Span::new().days(entry / 100));
        let (amount, customer) = (dice.amount(1, 900), entry % 700);
        if entry % 2 == 0 {
            writeln!(text, "{entry},{day},invoice,610,Debtors,receivable,{amount},,,Customer {customer},").expect("text");
            writeln!(text, "{entry},{day},invoice,200,Sales,income,,{amount},,Customer {customer},").expect("text");
        } else {
            writeln!(text, "{entry},{day},payment,090,Bank,bank,{amount},,,Customer {},", customer - 1).expect("text");
            writeln!(text, "{entry},{day},payment,610,Debtors,receivable,,{amount},,Customer {},", customer - 1).expect("text");
        }
    }
    let books = read(text.as_bytes(), Face::Xero, &meta(), now()).expect("loaded");
    assert!(books.documents.len() >= 100_000);
    for month in 0..36 {
        let at = date(2022, 1, 31).saturating_add(jiff::Span::new().months(month));
        assert_eq!(books.trial_balance(at).values().copied().sum::<Cents>(), Cents::ZERO);
    }
}
