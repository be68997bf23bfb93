//! Xero's journals: every posting of every module, numbered, never changed; edits and voids add reversals.
//!
//! <https://developer.xero.com/documentation/api/accounting/journals>
use super::dates;
use super::wire::{Defect, Envelope, Fields};
use crate::provider::{LedgerPiece, entry_key};
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::ledger::{EntryKey, LedgerEntry, Posting};
use domain::money::Amount;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An answer as nearly all of them are: read in one pass. What does not fit is read field by field, which says what is wrong.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Plain<'a> {
    #[serde(borrow)]
    journals: Vec<PlainJournal<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PlainJournal<'a> {
    journal_number: i64,
    #[serde(borrow)]
    journal_date: Cow<'a, str>,
    #[serde(default)]
    source_type: Option<Cow<'a, str>>,
    #[serde(rename = "SourceID", default)]
    source_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    journal_lines: Vec<PlainLine<'a>>,
}

#[derive(Deserialize)]
struct PlainLine<'a> {
    #[serde(rename = "AccountID", borrow)]
    account_id: Cow<'a, str>,
    #[serde(rename = "NetAmount", borrow)]
    net_amount: &'a RawValue,
}

/// `None` when one of the journals is not plain.
fn plain(body: &str) -> Option<LedgerPiece> {
    let mut piece = LedgerPiece::default();
    let answer: Plain = serde_json::from_str(body).ok()?;
    for journal in answer.journals {
        let date = dates::day(&journal.journal_date)?;
        let posting = |line: &PlainLine| {
            let amount = Amount::parse(line.net_amount.get()).ok()?;
            (!line.account_id.is_empty()).then(|| Posting { account_id: line.account_id.to_string(), amount, contact_id: None })
        };
        let postings = journal.journal_lines.iter().map(posting).collect::<Option<Vec<_>>>()?;
        let key = entry_key(&journal.source_type.unwrap_or_default(), &journal.source_id.unwrap_or_default(), journal.journal_number);
        piece.add_journal(journal.journal_number, key, date, postings);
    }
    Some(piece)
}

/// Reads one answer of `Journals?offset=`. Only an empty list is the end: numbers have gaps, and a page may be short.
pub fn read(body: String) -> Result<LedgerPiece, Defect> {
    let mut piece = match plain(&body) {
        Some(piece) => piece,
        None => by_fields(&body)?,
    };
    piece.body = body.into_boxed_str();
    Ok(piece)
}

fn by_fields(body: &str) -> Result<LedgerPiece, Defect> {
    let mut piece = LedgerPiece::default();
    for entry in Envelope::parse(body, "Journals")?.entries {
        let fields: Fields = serde_json::from_str(entry.get()).map_err(|_| Defect("an entry of Journals is not an object".into()))?;
        // the number is the cursor: without it there is no going on
        let number = fields.integer("JournalNumber")?.ok_or_else(|| Defect("JournalNumber is missing".into()))?;
        match journal(&fields, number) {
            Ok((key, date, postings)) => piece.add_journal(number, key, date, postings),
            Err(defect) => {
                piece.note_number(number);
                piece.unreadable.push(Unreadable { data_type: DataType::Ledger, id: number.to_string(), reason: defect.0 });
            }
        }
    }
    Ok(piece)
}

fn journal(fields: &Fields<'_>, number: i64) -> Result<(EntryKey, Date, Vec<Posting>), Defect> {
    let date = fields.day("JournalDate")?.ok_or_else(|| Defect("JournalDate is missing".into()))?;
    // conversion balances, pay runs, fixed assets: no source
    let source_type = fields.text("SourceType")?.unwrap_or_default();
    let source_id = fields.text("SourceID")?.unwrap_or_default();
    let postings = fields.list("JournalLines")?.into_iter().map(posting).collect::<Result<Vec<_>, _>>()?;
    Ok((entry_key(&source_type, &source_id, number), date, postings))
}

impl LedgerPiece {
    fn add_journal(&mut self, number: i64, key: EntryKey, date: Date, postings: Vec<Posting>) {
        self.note_number(number);
        match LedgerEntry::new(key, date, postings) {
            Ok(entry) => self.entries.push(entry),
            Err(unbalanced) => self.unbalanced.push((date, unbalanced)),
        }
    }

    fn note_number(&mut self, number: i64) {
        self.next_after = Some(self.next_after.map_or(number, |highest| highest.max(number)));
    }
}

/// `NetAmount` alone is the posting: debits positive, base currency. Gross and tax repeat parts of it.
fn posting(line: &RawValue) -> Result<Posting, Defect> {
    let fields: Fields = serde_json::from_str(line.get()).map_err(|_| Defect("an entry of JournalLines is not an object".into()))?;
    Ok(Posting { account_id: fields.required_text("AccountID")?.into_owned(), amount: fields.required_amount("NetAmount")?, contact_id: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_page_of_journals_becomes_balanced_entries() {
        let body = include_str!("fixtures/journals.json");
        let piece = read(body.to_owned()).unwrap();
        assert_eq!(&*piece.body, body);
        assert_eq!(piece.next_after, Some(30));
        let keys: Vec<(i64, &str, &str)> = piece
            .entries
            .iter()
            .map(|entry| (entry.key().journal_number, entry.key().source_type.as_str(), entry.key().source_id.as_str()))
            .collect();
        assert_eq!(
            keys,
            [(1, "", ""), (9, "ACCREC", "0e1d1c0b-4a5b-4c6d-8e7f-000000000001"), (14, "ACCREC", "0e1d1c0b-4a5b-4c6d-8e7f-000000000001")]
        );
        assert_eq!(piece.entries[1].date(), date(2026, 4, 16));
        assert_eq!(piece.entries[1].postings()[0].amount, Amount(1_150_000));
        assert_eq!(piece.entries[2].postings()[0].amount, Amount(-1_150_000));
        // 30 does not balance, and 22 has an amount finer than the ledger keeps
        assert_eq!(piece.unbalanced.len(), 1);
        assert_eq!((piece.unbalanced[0].1.key.journal_number, piece.unbalanced[0].1.difference), (30, Amount(100)));
        assert_eq!(
            piece.unreadable,
            [Unreadable { data_type: DataType::Ledger, id: "22".into(), reason: "NetAmount has more than 4 decimals".into() }]
        );
    }

    #[test]
    fn a_plain_page_is_read_in_one_pass_and_says_the_same_as_field_by_field() {
        // without the journal whose amount is finer than the ledger keeps
        let body: String = include_str!("fixtures/journals.json").lines().filter(|line| !line.contains("\"JournalNumber\":22,")).collect();
        let (at_once, by_fields) = (plain(&body).expect("the page is plain"), by_fields(&body).unwrap());
        assert_eq!((at_once.entries.len(), at_once.unbalanced.len(), at_once.next_after), (3, 1, Some(30)));
        assert_eq!(format!("{at_once:?}"), format!("{by_fields:?}"));
        assert!(plain(include_str!("fixtures/journals.json")).is_none(), "what is wrong with an amount is said field by field");
    }

    #[test]
    fn only_an_empty_page_is_the_end() {
        assert_eq!(read("{\"Journals\":[]}".into()).unwrap().next_after, None);
        assert!(read("{}".into()).is_err());
        assert!(read("{\"Journals\":[{\"JournalID\":\"x\"}]}".into()).is_err());
        assert!(read("<html></html>".into()).is_err());
    }
}
