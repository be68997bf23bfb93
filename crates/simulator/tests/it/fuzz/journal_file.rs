//! General-journal files.
use super::Target;
use super::dice::Dice;
use super::json::Harvest;
use super::shot::Shot;
use super::text::{self, ODD};

pub struct JournalFile;

const COLUMNS: [&str; 11] =
    ["entry", "date", "kind", "account_code", "account_name", "account_type", "debit", "credit", "currency", "contact", "memo"];
const KINDS: [&str; 8] = ["", "journal", "invoice", "bill", "payment", "expense", "deposit", "transfer"];
const ACCOUNTS: [(&str, &str, &str); 9] = [
    ("1000", "Bank", "bank"),
    ("1010", "Savings", "bank"),
    ("1200", "Debtors", "receivable"),
    ("2000", "Creditors", "payable"),
    ("2100", "Card", "credit_card"),
    ("2200", "Tax", "tax_payable"),
    ("3900", "Retained", "retained_earnings"),
    ("4000", "Sales", "income"),
    ("6000", "Rent", "expense"),
];
const WORDS: [&str; 16] = [
    ",",
    "\"",
    "\"\"",
    "\n",
    "\r\n",
    "invoice",
    "payment",
    "receivable",
    "payable",
    "USD",
    "EUR",
    "2025-01-31",
    "92233720368547758.07",
    "-1.00",
    "1,000.00",
    ";",
];

impl Target for JournalFile {
    fn shot(&mut self, _harvest: &Harvest, dice: &mut Dice) -> Shot {
        let mut columns = COLUMNS.to_vec();
        if dice.one_in(10) {
            let (one, other) = (dice.below(11), dice.below(11));
            columns.swap(one, other);
        }
        if dice.one_in(20) {
            columns.remove(dice.below(11));
        }
        let mut rows = vec![columns.join(",")];
        for entry in 0..1 + dice.below(12) {
            let (date, kind) = (
                format!("2025-{:02}-{:02}", 1 + dice.below(12), 1 + dice.mostly_below(28, 9, 31)),
                if dice.one_in(100) { "x" } else { dice.word(&KINDS) },
            );
            let whole = 1 + dice.mostly_below(500, 9, 900_000_000);
            let parts = 1 + dice.below(3);
            let cents = dice.below(100);
            let mut sides: Vec<(String, bool)> = (0..parts).map(|_| (format!("{whole}.{cents:02}"), true)).collect();
            sides.extend((0..parts).map(|_| (format!("{whole}.{cents:02}"), false)));
            for (amount, is_debit) in sides {
                let (code, name, kind_of_account) = *dice.pick(&ACCOUNTS);
                let contact = dice.word(&["", "Amy", "Landlord", "Bob, Ltd"]);
                let currency = if dice.one_in(200) { "EUR" } else { dice.word(&["USD", "USD", ""]) };
                let amount = if dice.one_in(150) { dice.word(&ODD).to_owned() } else { amount };
                let (debit, credit) = if is_debit { (amount.as_str(), "") } else { ("", amount.as_str()) };
                let cells = [entry.to_string().as_str(), &date, kind, code, name, kind_of_account, debit, credit, currency, contact, "memo"]
                    .map(|cell| if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() });
                rows.push(cells.join(","));
            }
        }
        let file = rows.join("\n");
        let body = if dice.one_in(2) { text::vary_bytes(file.as_bytes(), &WORDS, dice) } else { file.into_bytes() };
        Shot { method: "FILE".into(), path: "journal.csv".into(), body, ..Shot::default() }
    }

    fn words(&self) -> Vec<&str> {
        WORDS.to_vec()
    }

    fn patience(&self) -> u32 {
        100_000
    }

    fn sweeps(&self) -> bool {
        false
    }
}
