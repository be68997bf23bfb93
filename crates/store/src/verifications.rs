//! Proofs: what was compared with what, and what differed.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Tx};
use crate::error::StoreError;
use domain::company::Mark;
use domain::ids::{CompanyId, RunId};
use domain::ledger::Basis;

#[derive(Clone, Debug)]
pub struct Verification {
    pub id: String,
    pub run_id: RunId,
    pub basis: Basis,
    /// 1, or 2 after a repair.
    pub pass: i64,
    /// The day the trial balances are of.
    pub as_of: String,
    pub mark: Mark,
    pub accounts: i64,
    /// How many months were proven one by one; 0 when only the day's trial balance was compared.
    pub months: i64,
    /// JSON: list of `engine::verify::ShownDifference`.
    pub differences: String,
    /// JSON: object of month to number of accounts that differ in it.
    pub month_strip: String,
    pub made_at: i64,
}

pub async fn insert(conn: &mut Tx, company_id: &CompanyId, verification: &Verification) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO verifications (id, company_id, run_id, pass, as_of, mark, accounts, months, differences, month_strip, made_at, basis)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            verification.id.as_str(),
            company_id,
            &verification.run_id,
            verification.pass,
            verification.as_of.as_str(),
            verification.mark.as_str(),
            verification.accounts,
            verification.months,
            verification.differences.as_str(),
            verification.month_strip.as_str(),
            verification.made_at,
            verification.basis.as_str(),
        ],
    )
    .await?;
    Ok(())
}

const COLUMNS: &str = "id, run_id, pass, as_of, mark, accounts, months, differences, month_strip, made_at, basis";

fn read(row: &Row) -> Result<Verification, StoreError> {
    Ok(Verification {
        id: row.text(0)?,
        run_id: RunId(row.text(1)?),
        pass: row.int(2)?,
        as_of: row.text(3)?,
        mark: word(row, 4, Mark::parse)?,
        accounts: row.int(5)?,
        months: row.int(6)?,
        differences: row.text(7)?,
        month_strip: row.text(8)?,
        made_at: row.int(9)?,
        basis: word(row, 10, Basis::parse)?,
    })
}

/// The latest proofs of a company on a basis, newest first.
pub async fn list(conn: &mut Conn, company_id: &CompanyId, basis: Basis, limit: i64) -> Result<Vec<Verification>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM verifications WHERE company_id = $1 AND basis = $2 ORDER BY id DESC LIMIT $3");
    conn.query_assembled(sql, args![company_id, basis.as_str(), limit]).await?.iter().map(read).collect()
}

/// The latest proof on a basis that went month by month: its strip stands until the next one.
pub async fn find_latest_monthly(conn: &mut Conn, company_id: &CompanyId, basis: Basis) -> Result<Option<Verification>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM verifications WHERE company_id = $1 AND basis = $2 AND months > 0 ORDER BY id DESC LIMIT 1");
    conn.query_assembled(sql, args![company_id, basis.as_str()]).await?.first().map(read).transpose()
}
