//! How the runs of a company ended, day by day: tallied when they end, so that a card costs no count over its history.
use crate::args;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::ids::CompanyId;

pub const DAY_MS: i64 = 86_400_000;

/// What a run did on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    Good,
    Failed,
    /// It was put back to wait for the provider.
    Waited,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub company_id: CompanyId,
    /// Days since 1970, UTC.
    pub day: i64,
    pub good: i64,
    pub failed: i64,
    pub waited: i64,
}

pub async fn add(conn: &mut Tx, company_id: &CompanyId, what: Day, now_ms: i64) -> Result<(), StoreError> {
    let one = |day: Day| i64::from(what == day);
    conn.execute(
        "INSERT INTO run_days (company_id, day, good, failed, waited) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (company_id, day) DO UPDATE SET good = run_days.good + excluded.good, failed = run_days.failed + excluded.failed,
                     waited = run_days.waited + excluded.waited",
        args![company_id, now_ms.div_euclid(DAY_MS), one(Day::Good), one(Day::Failed), one(Day::Waited)],
    )
    .await?;
    Ok(())
}

/// The days of these companies since a day, in their order.
pub async fn list(conn: &mut Conn, company_ids: &[CompanyId], since_day: i64) -> Result<Vec<Tally>, StoreError> {
    let mut tallies = Vec::new();
    for part in company_ids.chunks(500) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!(
            "SELECT company_id, day, good, failed, waited FROM run_days WHERE day >= $1 AND company_id IN ({}) ORDER BY company_id, day",
            marks.join(",")
        );
        let mut values = args![since_day];
        values.extend(part.iter().map(Arg::from));
        for row in conn.query_assembled(sql, values).await? {
            let company_id = CompanyId(row.text(0)?);
            tallies.push(Tally { company_id, day: row.int(1)?, good: row.int(2)?, failed: row.int(3)?, waited: row.int(4)? });
        }
    }
    Ok(tallies)
}
