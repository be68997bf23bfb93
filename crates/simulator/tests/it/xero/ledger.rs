//! The documents alone, read over HTTP and posted by the rules of section 4.5, give the books: what an app without Journals relies on.
use super::*;
use std::collections::{BTreeMap, HashMap};

/// A CurrencyRate as foreign units per base unit, in ten-thousand-millionths; absent or 0 means 1.
fn rate(record: &Value) -> i128 {
    const UNIT: i128 = 10_000_000_000;
    let Some(value) = record.get("CurrencyRate") else { return UNIT };
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let scaled = whole.parse::<i128>().unwrap() * UNIT + format!("{fraction:0<10}")[..10].parse::<i128>().unwrap();
    if scaled == 0 { UNIT } else { scaled }
}

/// Base currency = amount / CurrencyRate, rounded half away from zero.
fn base(amount: Cents, rate: i128) -> Cents {
    let scaled = i128::from(amount.0) * 10_000_000_000;
    let doubled = scaled.abs() * 2 + rate;
    let rounded = doubled / (2 * rate);
    Cents(i64::try_from(if scaled < 0 { -rounded } else { rounded }).unwrap())
}

fn negated(amount: Cents, yes: bool) -> Cents {
    if yes { -amount } else { amount }
}

#[derive(Default)]
struct Ledger {
    sums: BTreeMap<String, Cents>,
}

impl Ledger {
    fn add(&mut self, account: &str, amount: Cents) {
        *self.sums.entry(account.into()).or_default() += amount;
    }

    /// Lines and taxes of a document, each in base currency; returns what stands against them.
    fn lines(&mut self, document: &Value, tax_account: &str, credit: bool) -> Cents {
        let rate = rate(document);
        let (mut other_side, mut taxes) = (Cents::ZERO, BTreeMap::<String, Cents>::new());
        for line in document["LineItems"].as_array().unwrap() {
            let amount = negated(base(cents(&line["LineAmount"]), rate), credit);
            self.add(line["AccountID"].as_str().unwrap(), amount);
            other_side -= amount;
            *taxes.entry(line["TaxType"].as_str().unwrap().into()).or_default() += cents(&line["TaxAmount"]);
        }
        for tax in taxes.into_values() {
            let amount = negated(base(tax, rate), credit);
            self.add(tax_account, amount);
            other_side -= amount;
        }
        other_side
    }
}

// proves J1 in part
#[tokio::test]
async fn documents_alone_give_the_balances_of_the_books() {
    for (seed, second_currency) in [(1, false), (2, true), (3, true), (11, true)] {
        let served = Served::with(vec![company(seed, second_currency)]).await;
        let accounts = served.list("Accounts", "Accounts").await;
        let system = |mark: &str| {
            accounts.iter().find(|account| account["SystemAccount"] == mark).map_or("", |account| account["AccountID"].as_str().unwrap())
        };
        let (debtors, creditors, tax, gains) = (system("DEBTORS"), system("CREDITORS"), system("GST"), system("REALISEDCURRENCYGAIN"));
        let posted = |record: &Value| matches!(record["Status"].as_str(), Some("AUTHORISED" | "PAID" | "POSTED"));
        let mut ledger = Ledger::default();
        let mut rates: HashMap<String, i128> = HashMap::new();

        for invoice in served.all("Invoices", "Invoices").await.iter().filter(|record| posted(record)) {
            let sale = invoice["Type"] == "ACCREC";
            rates.insert(invoice["InvoiceID"].as_str().unwrap().into(), rate(invoice));
            let other_side = ledger.lines(invoice, tax, sale);
            ledger.add(if sale { debtors } else { creditors }, other_side);
        }
        for note in served.all("CreditNotes", "CreditNotes").await.iter().filter(|record| posted(record)) {
            let sale = note["Type"] == "ACCRECCREDIT";
            let mut other_side = ledger.lines(note, tax, !sale);
            // using a credit against an invoice of another rate realises the difference
            for allocation in note["Allocations"].as_array().unwrap() {
                let amount = cents(&allocation["Amount"]);
                let at_invoice = base(amount, rates[allocation["Invoice"]["InvoiceID"].as_str().unwrap()]);
                let gain = negated(at_invoice - base(amount, rate(note)), !sale);
                other_side -= gain;
                ledger.add(gains, gain);
            }
            ledger.add(if sale { debtors } else { creditors }, other_side);
        }
        for payment in served.all("Payments", "Payments").await.iter().filter(|record| posted(record)) {
            let received = payment["PaymentType"] == "ACCRECPAYMENT";
            assert!(received || payment["PaymentType"] == "ACCPAYPAYMENT", "{payment}");
            let amount = cents(&payment["Amount"]);
            let bank = negated(base(amount, rate(payment)), !received);
            let control = negated(base(amount, rates[payment["Invoice"]["InvoiceID"].as_str().unwrap()]), received);
            ledger.add(payment["Account"]["AccountID"].as_str().unwrap(), bank);
            ledger.add(if received { debtors } else { creditors }, control);
            ledger.add(gains, -(bank + control));
        }
        for transaction in served.all("BankTransactions", "BankTransactions").await.iter().filter(|record| posted(record)) {
            let other_side = ledger.lines(transaction, tax, transaction["Type"].as_str().unwrap().starts_with("RECEIVE"));
            ledger.add(transaction["BankAccount"]["AccountID"].as_str().unwrap(), other_side);
        }
        for transfer in served.list("BankTransfers", "BankTransfers").await {
            let amount = base(cents(&transfer["Amount"]), rate(&transfer));
            ledger.add(transfer["FromBankAccount"]["AccountID"].as_str().unwrap(), -amount);
            ledger.add(transfer["ToBankAccount"]["AccountID"].as_str().unwrap(), amount);
        }
        for journal in served.all("ManualJournals", "ManualJournals").await.iter().filter(|record| posted(record)) {
            for line in journal["JournalLines"].as_array().unwrap() {
                ledger.add(line["AccountID"].as_str().unwrap(), cents(&line["LineAmount"]));
            }
        }
        // conversion balances are no documents: they stand in Journals only
        let conversions = served.list("Journals", "Journals").await.into_iter().filter(|journal| journal.get("SourceID").is_none());
        for line in conversions.flat_map(|journal| journal["JournalLines"].as_array().unwrap().clone()) {
            ledger.add(line["AccountID"].as_str().unwrap(), cents(&line["NetAmount"]));
        }

        ledger.sums.retain(|_, amount| !amount.is_zero());
        let expected: BTreeMap<String, Cents> = served.books(|books| {
            books.balances_at(date(2030, 1, 1)).into_iter().map(|(account, amount)| (books.guid("Account", account), amount)).collect()
        });
        let named = |sums: &BTreeMap<String, Cents>| -> BTreeMap<String, String> {
            let name = |id: &String| accounts.iter().find(|account| account["AccountID"] == id.as_str()).unwrap()["Name"].to_string();
            sums.iter().map(|(id, amount)| (name(id), amount.to_string())).collect()
        };
        assert_eq!(named(&ledger.sums), named(&expected), "seed {seed}");
    }
}
