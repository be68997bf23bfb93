//! GeneralLedger: every posting of a range of days, as QuickBooks itself keeps its books.
use crate::error::{Call, ProviderError};
use crate::http::Answer;
use crate::provider::{Books, LedgerPiece};
use crate::quickbooks::QuickBooks;
use crate::quickbooks::fault::unexpected;
use crate::quickbooks::reports::{Cell, INACTIVE_SUFFIX, Report, Row, amount, value};
use crate::report;
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::ledger::{Basis, EntryKey, LedgerEntry, Posting};
use domain::money::Amount;
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// REF/generalledger spells it `debt_amt`. The home columns exist for companies with several currencies only.
const COLUMNS: &str =
    "tx_date,txn_type,doc_num,name,memo,split_acc,debt_amt,credit_amt,debt_home_amt,credit_home_amt,rbal_nat_amount,rbal_nat_home_amount";
const COLUMNS_WITHOUT_HOME: &str = "tx_date,txn_type,doc_num,name,memo,split_acc,debt_amt,credit_amt,rbal_nat_amount";

impl QuickBooks {
    /// Opening balances keep the report's natural sign (positive on the account's normal side); they tell zero from non-zero.
    pub(super) async fn read_ledger(&self, books: &Books<'_>, basis: Basis, from: Date, to: Date) -> Result<LedgerPiece, ProviderError> {
        let (start, end) = (from.to_string(), to.to_string());
        let parameters = |columns| [("start_date", start.as_str()), ("end_date", end.as_str()), ("columns", columns)];
        let answer = match self.read_report(books, "GeneralLedger", basis, &parameters(COLUMNS)).await {
            // a company with one currency may refuse the home columns
            Err(ProviderError::UnexpectedAnswer { call, .. }) if call.http_status == Some(400) => {
                self.read_report(books, "GeneralLedger", basis, &parameters(COLUMNS_WITHOUT_HOME)).await?
            }
            other => other?,
        };
        let mut piece = ledger(&answer, basis, self.now())?;
        piece.body = answer.body.into();
        Ok(piece)
    }
}

/// Where the columns stand that we read.
struct Places {
    date: usize,
    kind: usize,
    number: Option<usize>,
    contact: Option<usize>,
    debit: usize,
    credit: usize,
    balance: Option<usize>,
}

impl Places {
    fn of(report: &Report<'_>, call: &Call) -> Result<Places, ProviderError> {
        let required =
            |keys: &[&str]| report.column(keys).ok_or_else(|| unexpected(&format!("GeneralLedger has no column {}", keys[0]), call.clone()));
        // both or none: a debit in home currency never meets a credit in another
        let home = report.column(&["debt_home_amt"]).zip(report.column(&["credit_home_amt"]));
        let (debit, credit) = match home {
            Some(columns) => columns,
            None => (required(&["debt_amt", "debt_amt_nt"])?, required(&["credit_amt", "credit_amt_nt"])?),
        };
        let balance = if home.is_some() {
            report.column(&["rbal_nat_home_amount", "rbal_nat_amount"])
        } else {
            report.column(&["rbal_nat_amount", "rbal_nat_amount_nt"])
        };
        Ok(Places {
            date: required(&["tx_date"])?,
            kind: required(&["txn_type"])?,
            number: report.column(&["doc_num"]),
            contact: report.column(&["name"]),
            debit,
            credit,
            balance,
        })
    }
}

/// A transaction while its rows are collected from the accounts they stand under.
#[derive(Default)]
struct Draft {
    date: Option<Date>,
    postings: Vec<Posting>,
    /// What is wrong with one of its rows: then it is set aside whole.
    defect: Option<&'static str>,
}

struct Collector<'r> {
    places: Places,
    call: &'r Call,
    /// By type and id of the transaction.
    index: HashMap<(&'r str, Cow<'r, str>), usize>,
    drafts: Vec<Draft>,
    opening: BTreeMap<String, Amount>,
}

fn ledger(answer: &Answer, basis: Basis, now: jiff::Timestamp) -> Result<LedgerPiece, ProviderError> {
    let report = Report::read(answer, basis, now)?;
    let places = Places::of(&report, &answer.call)?;
    let mut collector = Collector { places, call: &answer.call, index: HashMap::new(), drafts: Vec::new(), opening: BTreeMap::new() };
    collector.add_rows(report.rows(), None)?;
    let Collector { index, drafts, opening, .. } = collector;
    let mut keys: Vec<Option<EntryKey>> = drafts.iter().map(|_| None).collect();
    for ((kind, id), at) in index {
        keys[at] = Some(EntryKey { source_type: kind.to_owned(), source_id: id.into_owned(), journal_number: 0 });
    }
    let mut piece = LedgerPiece {
        entries: Vec::with_capacity(drafts.len()),
        unbalanced: Vec::new(),
        unreadable: Vec::new(),
        opening,
        body: "".into(),
        next_after: None,
    };
    for (draft, key) in drafts.into_iter().zip(keys) {
        let key = key.expect("every draft was made with its key");
        let (Some(date), None) = (draft.date, draft.defect) else {
            let reason = draft.defect.unwrap_or("it has no date").to_owned();
            piece.unreadable.push(Unreadable { data_type: DataType::Ledger, id: format!("{} {}", key.source_type, key.source_id), reason });
            continue;
        };
        if draft.postings.is_empty() {
            continue;
        }
        match LedgerEntry::new(key, date, draft.postings) {
            Ok(entry) => piece.entries.push(entry),
            Err(unbalanced) => piece.unbalanced.push((date, unbalanced)),
        }
    }
    Ok(piece)
}

impl<'r> Collector<'r> {
    /// `account` is the account of the innermost section: sub-accounts are sections inside that of their parent.
    fn add_rows(&mut self, rows: &'r [Row<'_>], account: Option<&str>) -> Result<(), ProviderError> {
        for row in rows {
            if let Some(cells) = row.cells.as_deref() {
                self.add_row(cells, account)?;
            }
            let named = row.header().first().and_then(section_account);
            self.add_rows(row.inner(), named.as_deref().or(account))?;
        }
        Ok(())
    }

    fn add_row(&mut self, cells: &'r [Cell<'_>], account: Option<&str>) -> Result<(), ProviderError> {
        let Places { date, kind, number, contact, debit, credit, balance } = self.places;
        let amounts = report::cell(value(cells, debit)).and_then(|debit| report::cell(value(cells, credit)).map(|credit| debit - credit));
        let day: Option<Date> = value(cells, date).parse().ok();
        let kind_text = value(cells, kind);
        if day.is_none() && kind_text.is_empty() {
            // "Beginning Balance", in whatever language; a blank row says nothing
            let opening = match (balance, amounts) {
                (Some(at), _) if !value(cells, at).is_empty() => amount(cells, at, self.call)?,
                (_, Ok(signed)) => signed,
                (_, Err(_)) => return Err(unexpected("a beginning balance of GeneralLedger is not an amount", self.call.clone())),
            };
            if let Some(account) = account
                && !opening.is_zero()
            {
                *self.opening.entry(account.to_owned()).or_default() += opening;
            }
            return Ok(());
        }
        if amounts == Ok(Amount::ZERO) {
            return Ok(());
        }
        let Some(account) = account else { return Err(unexpected("a row of GeneralLedger stands under no account", self.call.clone())) };
        let id = match cells.get(kind).and_then(Cell::id) {
            Some(id) => Cow::Borrowed(id),
            // no id: what the rows of one transaction still share
            None => Cow::Owned(format!("{}#{}", value(cells, date), number.map(|at| value(cells, at)).unwrap_or_default())),
        };
        let at = *self.index.entry((kind_text, id)).or_insert_with(|| {
            self.drafts.push(Draft::default());
            self.drafts.len() - 1
        });
        let draft = &mut self.drafts[at];
        match (day, amounts) {
            (None, _) => draft.defect = Some("tx_date is not a date"),
            (_, Err(_)) => draft.defect = Some("debit or credit is not an amount of at most 4 decimals"),
            (Some(day), Ok(signed)) => {
                draft.date.get_or_insert(day);
                let contact_id = contact.and_then(|at| cells.get(at)).and_then(Cell::id).map(str::to_owned);
                draft.postings.push(Posting { account_id: account.to_owned(), amount: signed, contact_id });
            }
        }
        Ok(())
    }
}

/// The account a section header names; without an id, `name:` and its name, to be found in the chart later.
fn section_account(cell: &Cell<'_>) -> Option<String> {
    if let Some(id) = cell.id() {
        return Some(id.to_owned());
    }
    let name = cell.value().trim();
    (!name.is_empty()).then(|| format!("name:{}", name.strip_suffix(INACTIVE_SUFFIX).unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quickbooks::reports::tests::answer;
    use jiff::Timestamp;

    fn read(body: &str) -> Result<LedgerPiece, ProviderError> {
        ledger(&answer(body), Basis::Accrual, Timestamp::UNIX_EPOCH)
    }
    fn shown(entry: &LedgerEntry) -> String {
        let postings: Vec<String> = entry.postings().iter().map(|p| format!("{} {}", p.account_id, p.amount)).collect();
        format!("{} {} {}: {}", entry.date(), entry.key().source_type, entry.key().source_id, postings.join(", "))
    }

    // proves F4 in part
    #[test]
    fn rows_under_accounts_become_balanced_entries() {
        let piece = read(include_str!("fixtures/general_ledger.json")).unwrap();
        let mut entries: Vec<String> = piece.entries.iter().map(shown).collect();
        entries.sort();
        assert_eq!(
            entries,
            [
                "2026-01-05 Invoice 130: 84 362.07, 79 -335.25, 90 -26.82",
                "2026-01-07 Payment 131: 35 300.00, 84 -300.00",
                "2026-01-09 Expense 140: 35 -24.36, 56 24.36",
                "2026-01-31 Journal Entry 2026-01-31#17: name:Old Loan -100.00, 56 100.00",
            ]
        );
        let invoice = piece.entries.iter().find(|entry| entry.key().source_id == "130").unwrap();
        assert_eq!(invoice.postings()[0].contact_id.as_deref(), Some("3"));
        let (date, unbalanced) = &piece.unbalanced[0];
        assert_eq!((date.to_string().as_str(), unbalanced.key.source_id.as_str(), unbalanced.difference), ("2026-01-20", "150", Amount(10_000)));
        assert_eq!(piece.unbalanced.len(), 1);
    }

    #[test]
    fn beginning_balances_are_openings_of_their_own_account() {
        let piece = read(include_str!("fixtures/general_ledger.json")).unwrap();
        let opening: Vec<(&str, String)> = piece.opening.iter().map(|(id, amount)| (id.as_str(), amount.to_string())).collect();
        assert_eq!(opening, [("35", "1201.00".to_owned()), ("56", "63.15".to_owned()), ("name:Old Loan", "4000.00".to_owned())]);
    }

    #[test]
    fn home_amounts_are_used_where_the_company_has_several_currencies() {
        let piece = read(include_str!("fixtures/general_ledger_home.json")).unwrap();
        assert_eq!(piece.entries.iter().map(shown).collect::<Vec<_>>(), ["2026-01-12 Invoice 7: 84 110.00, 79 -110.00"]);
    }

    #[test]
    fn an_entry_with_a_field_that_cannot_be_read_is_set_aside_whole() {
        let good = include_str!("fixtures/general_ledger.json");
        for (bad, id, reason) in [
            (good.replace("\"335.25\"", "\"335.25001\""), "Invoice 130", "debit or credit is not an amount of at most 4 decimals"),
            (good.replacen("\"2026-01-07\"", "\"soon\"", 1), "Payment 131", "tx_date is not a date"),
        ] {
            let piece = read(&bad).unwrap();
            assert_eq!((piece.entries.len(), piece.unreadable.len()), (3, 1));
            assert_eq!((piece.unreadable[0].id.as_str(), piece.unreadable[0].reason.as_str()), (id, reason));
            assert!(piece.entries.iter().all(|entry| format!("{} {}", entry.key().source_type, entry.key().source_id) != id));
        }
    }

    #[test]
    fn a_ledger_that_cannot_be_read_is_refused_whole() {
        let good = include_str!("fixtures/general_ledger.json");
        for (bad, why) in [
            (good.replace("\"1201.00\"", "\"1201.00001\""), "not an amount"),
            (good.replace("\"debt_amt\"", "\"debit\""), "no column debt_amt"),
            (good[..good.len() - 40].to_owned(), "ends too early"),
        ] {
            let error = read(&bad).unwrap_err();
            assert!(matches!(&error, ProviderError::UnexpectedAnswer { detail, .. } if detail.contains(why)), "{why}: {error}");
        }
    }
}
