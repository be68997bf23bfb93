//! The ledgers, one for each basis: one row for each posting, in pieces that are replaced whole. A piece is a month of a report, or one
//! numbered journal.
use crate::args;
use crate::columns::day;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::clock::Month;
use domain::ids::CompanyId;
use domain::ledger::{Basis, LedgerEntry};
use domain::money::Amount;
use domain::statements::AccountMovements;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// As the column `basis` holds it.
fn number(basis: Basis) -> i64 {
    match basis {
        Basis::Accrual => 0,
        Basis::Cash => 1,
    }
}

/// The number of a ledger, which its rows begin with; it is given when the first is written.
async fn put_ledger(conn: &mut Tx, company_id: &CompanyId, basis: Basis) -> Result<i64, StoreError> {
    loop {
        let known = conn.query_opt("SELECT id FROM ledgers WHERE company_id = $1 AND basis = $2", args![company_id, number(basis)]).await?;
        if let Some(row) = known {
            return row.int(0);
        }
        // another node may have given the same number to another ledger: then nothing is written, and the next number is tried
        conn.execute(
            "INSERT INTO ledgers (id, company_id, basis) SELECT COALESCE(MAX(id), 0) + 1, $1, $2 FROM ledgers WHERE TRUE ON CONFLICT DO NOTHING",
            args![company_id, number(basis)],
        )
        .await?;
    }
}

/// The piece of a month: 202601.
fn month_piece(month: Month) -> i64 {
    i64::from(month.year) * 100 + i64::from(month.month)
}

fn push_postings(values: &mut Vec<Arg>, ledger_id: i64, piece: i64, line: &mut i64, entry: &LedgerEntry) {
    let date = entry.date().to_string();
    for posting in entry.postings() {
        *line += 1;
        values.push(Arg::from(ledger_id));
        values.push(Arg::from(piece));
        values.push(Arg::from(*line));
        values.push(Arg::from(date.as_str()));
        values.push(Arg::from(posting.account_id.as_str()));
        values.push(Arg::from(posting.amount.0));
        values.push(Arg::from(entry.key().source_type.as_str()));
        values.push(Arg::from(entry.key().source_id.as_str()));
        values.push(Arg::from(posting.contact_id.as_deref()));
    }
}

const INSERT: &str = "INSERT INTO postings (ledger_id, piece, line, day, account_id, amount, source_type, source_id, contact_id)";

/// Replaces the postings of one month. False when the month is the same as before, by the hash of what the provider sent; then nothing is written
/// unless `always`.
#[allow(clippy::too_many_arguments)] // which month of which ledger, and what is in it
pub async fn replace_month(
    conn: &mut Tx,
    company_id: &CompanyId,
    basis: Basis,
    month: Month,
    entries: &[LedgerEntry],
    hash: &[u8; 32],
    always: bool,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let (ledger_id, piece) = (put_ledger(conn, company_id, basis).await?, month_piece(month));
    let known = conn.query_opt("SELECT hash FROM ledger_pieces WHERE ledger_id = $1 AND piece = $2", args![ledger_id, piece]).await?;
    let same = match &known {
        Some(row) => row.bytes(0)? == hash,
        None => false,
    };
    if same && !always {
        return Ok(false);
    }
    conn.execute("DELETE FROM postings WHERE ledger_id = $1 AND piece = $2", args![ledger_id, piece]).await?;
    let mut values = Vec::new();
    let mut line = 0;
    for entry in entries {
        push_postings(&mut values, ledger_id, piece, &mut line, entry);
    }
    conn.insert_rows(INSERT, 9, values, "").await?;
    conn.execute(
        "INSERT INTO ledger_pieces (ledger_id, piece, hash, entries, read_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (ledger_id, piece) DO UPDATE SET hash = excluded.hash, entries = excluded.entries, read_at = excluded.read_at",
        args![ledger_id, piece, &hash[..], entries.len() as i64, now_ms],
    )
    .await?;
    Ok(!same)
}

/// Writes journals by number; one that is there already is replaced (a journal never changes at the provider, so this repairs ours).
pub async fn put_journals(conn: &mut Tx, company_id: &CompanyId, basis: Basis, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    let ledger_id = put_ledger(conn, company_id, basis).await?;
    for part in entries.chunks(500) {
        let first = part.iter().map(|entry| entry.key().journal_number).min().unwrap_or(0);
        let last = part.iter().map(|entry| entry.key().journal_number).max().unwrap_or(0);
        // pages are contiguous in number: everything between the first and the last is in `part`
        conn.execute("DELETE FROM postings WHERE ledger_id = $1 AND piece >= $2 AND piece <= $3", args![ledger_id, first, last]).await?;
        let mut values = Vec::new();
        for entry in part {
            push_postings(&mut values, ledger_id, entry.key().journal_number, &mut 0, entry);
        }
        conn.insert_rows(INSERT, 9, values, "").await?;
    }
    Ok(())
}

/// Numbers of the journals that have a posting in a month: what a repair reads again.
pub async fn journal_numbers_in_month(conn: &mut Conn, company_id: &CompanyId, basis: Basis, month: Month) -> Result<Vec<i64>, StoreError> {
    conn.query(
        "SELECT DISTINCT piece FROM postings WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = $4) AND day >= $2 AND day <= $3 ORDER BY piece",
        args![company_id, month.first_day().to_string(), month.last_day().to_string(), number(basis)],
    )
    .await?
    .iter()
    .map(|row| row.int(0))
    .collect()
}

/// Postings that are summed up at once: the database sorts them in memory.
const POSTINGS_AT_ONCE: i64 = 20_000;

/// Net movement of each account in each month, of postings up to and including `through`.
pub async fn movements(conn: &mut Conn, company_id: &CompanyId, basis: Basis, through: Date) -> Result<AccountMovements, StoreError> {
    movements_by(conn, company_id, basis, through, POSTINGS_AT_ONCE).await
}

async fn movements_by(conn: &mut Conn, company_id: &CompanyId, basis: Basis, through: Date, at_once: i64) -> Result<AccountMovements, StoreError> {
    let mut movements: AccountMovements = BTreeMap::new();
    let ledger = conn.query_opt("SELECT id FROM ledgers WHERE company_id = $1 AND basis = $2", args![company_id, number(basis)]).await?;
    let Some(ledger_id) = ledger.map(|row| row.int(0)).transpose()? else { return Ok(movements) };
    let mut after = i64::MIN;
    loop {
        // whole pieces: from behind the last one to the one in which that many postings are reached, or to the end
        let until = conn
            .query_one(
                "SELECT COALESCE((SELECT piece FROM postings WHERE ledger_id = $1 AND piece > $2 ORDER BY piece, line LIMIT 1 OFFSET $3),
                                 (SELECT MAX(piece) FROM postings WHERE ledger_id = $1 AND piece > $2))",
                args![ledger_id, after, at_once],
            )
            .await?
            .opt_int(0)?;
        let Some(until) = until else { return Ok(movements) };
        let rows = conn
            .query(
                "SELECT account_id, SUBSTR(day, 1, 7) AS month, CAST(SUM(amount) AS BIGINT) FROM postings
                 WHERE ledger_id = $1 AND piece > $2 AND piece <= $3 AND day <= $4
                 GROUP BY account_id, SUBSTR(day, 1, 7)",
                args![ledger_id, after, until, through.to_string()],
            )
            .await?;
        for row in &rows {
            let text = row.text(1)?;
            let month = Month::parse(&text).ok_or_else(|| StoreError::Unreadable(format!("month `{text}`")))?;
            *movements.entry((row.text(0)?, month)).or_default() += Amount(row.int(2)?);
        }
        after = until;
    }
}

/// First and last day of the ledger.
pub async fn span(conn: &mut Conn, company_id: &CompanyId, basis: Basis) -> Result<Option<(Date, Date)>, StoreError> {
    let row = conn
        .query_one(
            "SELECT MIN(day), MAX(day) FROM postings WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = $2)",
            args![company_id, number(basis)],
        )
        .await?;
    match (row.opt_text(0)?, row.opt_text(1)?) {
        (Some(first), Some(last)) => Ok(Some((day(&first)?, day(&last)?))),
        _ => Ok(None),
    }
}

/// How many postings and distinct months the ledger holds.
pub async fn count(conn: &mut Conn, company_id: &CompanyId, basis: Basis) -> Result<(i64, i64), StoreError> {
    let row = conn
        .query_one(
            "SELECT COUNT(*), COUNT(DISTINCT SUBSTR(day, 1, 7)) FROM postings
             WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = $2)",
            args![company_id, number(basis)],
        )
        .await?;
    Ok((row.int(0)?, row.int(1)?))
}

/// Source documents with a posting on an account in a month: the candidates for a difference.
pub async fn list_sources(
    conn: &mut Conn,
    company_id: &CompanyId,
    basis: Basis,
    account_id: &str,
    month: Month,
    limit: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    conn.query(
        "SELECT source_type, source_id FROM postings
         WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = $6) AND account_id = $2 AND day >= $3 AND day <= $4
         GROUP BY source_type, source_id ORDER BY source_type, source_id LIMIT $5",
        args![company_id, account_id, month.first_day().to_string(), month.last_day().to_string(), limit, number(basis)],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.text(1)?)))
    .collect()
}

/// One posting of an account, as a statement's figure is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub piece: i64,
    pub line: i64,
    pub day: Date,
    pub amount: Amount,
    pub source_type: String,
    pub source_id: String,
    pub contact_id: Option<String>,
}

/// The postings of one account from one month through another, by day, from behind a line that was shown before.
pub async fn list_lines(
    conn: &mut Conn,
    company_id: &CompanyId,
    basis: Basis,
    account_id: &str,
    (first, last): (Month, Month),
    after: Option<(Date, i64, i64)>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let (day_shown, piece, line) = after.map_or((first.first_day(), i64::MIN, -1), |(day, piece, line)| (day, piece, line));
    conn.query(
        "SELECT piece, line, day, amount, source_type, source_id, contact_id FROM postings
         WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = $2) AND account_id = $3 AND day >= $4 AND day <= $5
           AND (day > $4 OR piece > $6 OR (piece = $6 AND line > $7))
         ORDER BY day, piece, line LIMIT $8",
        args![company_id, number(basis), account_id, day_shown.to_string(), last.last_day().to_string(), piece, line, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Line {
            piece: row.int(0)?,
            line: row.int(1)?,
            day: day(&row.text(2)?)?,
            amount: Amount(row.int(3)?),
            source_type: row.text(4)?,
            source_id: row.text(5)?,
            contact_id: row.opt_text(6)?,
        })
    })
    .collect()
}

/// Feeds every posting of both ledgers into a hash, in a fixed order that does not depend on the order of reading.
pub async fn hash_content(conn: &mut Conn, company_id: &CompanyId, hasher: &mut Sha256) -> Result<(), StoreError> {
    for basis in Basis::ALL {
        hasher.update(basis.as_str());
        let (mut piece, mut line) = (i64::MIN, 0_i64);
        loop {
            let rows = conn
                .query(
                    "SELECT piece, line, day, account_id, amount, source_type, source_id FROM postings
                     WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = $4) AND (piece > $2 OR (piece = $2 AND line > $3)) ORDER BY piece, line LIMIT 10000",
                    args![company_id, piece, line, number(basis)],
                )
                .await?;
            let Some(last) = rows.last() else { break };
            (piece, line) = (last.int(0)?, last.int(1)?);
            for row in &rows {
                hasher.update(row.int(0)?.to_be_bytes());
                for at in [2, 3, 5, 6] {
                    hasher.update(row.text(at)?);
                    hasher.update([0]);
                }
                hasher.update(row.int(4)?.to_be_bytes());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ledger::{EntryKey, Posting};

    fn entry(number: i64, date: &str, amount: i64) -> LedgerEntry {
        let key = EntryKey { source_type: "Invoice".into(), source_id: format!("i{number}"), journal_number: number };
        let posting = |account: &str, amount| Posting { account_id: account.into(), amount: Amount(amount), contact_id: None };
        let postings = vec![posting("debtors", amount), posting("sales", -amount)];
        LedgerEntry::new(key, date.parse().unwrap(), postings).unwrap_or_else(|_| panic!("the entry balances"))
    }

    #[tokio::test]
    async fn movements_are_the_same_however_few_postings_are_summed_at_once() {
        testkit::each_database(|url| async move {
            let store = crate::db::Store::open(&url, &crate::seal::Key::random()).await.unwrap();
            let (windows, journals) = (CompanyId::new("windows"), CompanyId::new("journals"));
            let mut tx = store.begin().await.unwrap();
            for number in 1..=24_i8 {
                let month = Month { year: 2024 + i16::from(number > 12), month: (number - 1) % 12 + 1 };
                let entries: Vec<LedgerEntry> = (1..=5).map(|day| entry(day, &format!("{month}-{day:02}"), i64::from(number) * 100 + day)).collect();
                replace_month(&mut tx, &windows, Basis::Accrual, month, &entries, &[0; 32], false, 0).await.unwrap();
            }
            let entries: Vec<LedgerEntry> = (1..=60).map(|number| entry(number, &format!("2025-{:02}-15", number % 12 + 1), number)).collect();
            put_journals(&mut tx, &journals, Basis::Accrual, &entries).await.unwrap();
            tx.commit().await.unwrap();

            let through = "2025-06-03".parse().unwrap();
            let mut conn = store.read().await.unwrap();
            for company_id in [&windows, &journals, &CompanyId::new("nobody")] {
                let whole = movements_by(&mut conn, company_id, Basis::Accrual, through, 1_000_000).await.unwrap();
                for at_once in [0, 1, 3, 7, 100] {
                    assert_eq!(
                        movements_by(&mut conn, company_id, Basis::Accrual, through, at_once).await.unwrap(),
                        whole,
                        "{company_id} by {at_once}"
                    );
                }
            }
            let by_window = movements(&mut conn, &windows, Basis::Accrual, through).await.unwrap();
            assert_eq!(by_window.len(), 2 * 18);
            // the last month counts up to its third day only: 18 * 100 * 3 + 1 + 2 + 3
            assert_eq!(by_window[&("debtors".to_owned(), Month { year: 2025, month: 6 })], Amount(5_406));
            let by_journal = movements(&mut conn, &journals, Basis::Accrual, through).await.unwrap();
            // numbers 1, 13, 25, 37 and 49 lie in February
            assert_eq!(by_journal[&("sales".to_owned(), Month { year: 2025, month: 2 })], Amount(-125));
            assert!(movements(&mut conn, &CompanyId::new("nobody"), Basis::Accrual, through).await.unwrap().is_empty());
        })
        .await;
    }
}
