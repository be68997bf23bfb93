//! Where accounts lie in the standard chart: what rules and suggestions say, and what people decided, as a history that only grows.
use crate::args;
use crate::columns::word;
use crate::db::{Arg, Conn, Row, Tx};
use crate::error::StoreError;
use domain::chart::mapping::{Flag, MappingSource, Step};
use domain::ids::{CompanyId, OrganizationId, UserId};
use std::collections::BTreeMap;

/// What an endpoint answered for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAnswer {
    pub model: String,
    pub category: String,
    pub confidence: u8,
    pub reason: String,
}

/// What rules and suggestions say of an account, and what the account was when they said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub account_id: String,
    pub category: String,
    pub source: MappingSource,
    pub confidence: u8,
    pub reason: String,
    pub account_name: String,
    pub account_type: String,
    pub rules_version: i64,
    pub answer: Option<ModelAnswer>,
    pub assigned_at: i64,
    pub flag: Option<Flag>,
    pub flagged_at: Option<i64>,
    /// Its name or type before.
    pub previous: Option<String>,
}

fn percent(number: i64) -> u8 {
    u8::try_from(number.clamp(0, 100)).unwrap_or(0)
}

pub async fn put(conn: &mut Tx, company_id: &CompanyId, assigned: &[Assigned]) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(assigned.len() * 17);
    for one in assigned {
        let answer = one.answer.as_ref();
        values.push(Arg::from(company_id));
        values.push(Arg::from(one.account_id.as_str()));
        values.push(Arg::from(one.category.as_str()));
        values.push(Arg::from(one.source.as_str()));
        values.push(Arg::from(i64::from(one.confidence)));
        values.push(Arg::from(one.reason.as_str()));
        values.push(Arg::from(one.account_name.as_str()));
        values.push(Arg::from(one.account_type.as_str()));
        values.push(Arg::from(one.rules_version));
        values.push(Arg::from(answer.map(|answer| answer.model.as_str())));
        values.push(Arg::from(answer.map(|answer| answer.category.as_str())));
        values.push(Arg::from(answer.map(|answer| i64::from(answer.confidence))));
        values.push(Arg::from(answer.map(|answer| answer.reason.as_str())));
        values.push(Arg::from(one.assigned_at));
        values.push(Arg::from(one.flag.map(Flag::as_str)));
        values.push(Arg::from(one.flagged_at));
        values.push(Arg::from(one.previous.as_deref()));
    }
    conn.insert_rows(
        "INSERT INTO mapping_assignments (company_id, account_id, category, source, confidence, reason, account_name, account_type, rules_version,
         model, model_category, model_confidence, model_reason, assigned_at, flag, flagged_at, previous)",
        17,
        values,
        "ON CONFLICT (company_id, account_id) DO UPDATE SET category = excluded.category, source = excluded.source, confidence = excluded.confidence,
         reason = excluded.reason, account_name = excluded.account_name, account_type = excluded.account_type, rules_version = excluded.rules_version,
         model = excluded.model, model_category = excluded.model_category, model_confidence = excluded.model_confidence,
         model_reason = excluded.model_reason, assigned_at = excluded.assigned_at, flag = excluded.flag, flagged_at = excluded.flagged_at,
         previous = excluded.previous",
    )
    .await?;
    Ok(())
}

pub async fn list(conn: &mut Conn, company_id: &CompanyId) -> Result<BTreeMap<String, Assigned>, StoreError> {
    let rows = conn
        .query(
            "SELECT account_id, category, source, confidence, reason, account_name, account_type, rules_version, model, model_category,
                    model_confidence, model_reason, assigned_at, flag, flagged_at, previous
             FROM mapping_assignments WHERE company_id = $1 ORDER BY account_id",
            args![company_id],
        )
        .await?;
    rows.iter().map(|row| assigned(row).map(|one| (one.account_id.clone(), one))).collect()
}

fn assigned(row: &Row) -> Result<Assigned, StoreError> {
    let answer = match (row.opt_text(8)?, row.opt_text(9)?) {
        (Some(model), Some(category)) => {
            Some(ModelAnswer { model, category, confidence: percent(row.opt_int(10)?.unwrap_or(0)), reason: row.opt_text(11)?.unwrap_or_default() })
        }
        _ => None,
    };
    Ok(Assigned {
        account_id: row.text(0)?,
        category: row.text(1)?,
        source: word(row, 2, MappingSource::parse)?,
        confidence: percent(row.int(3)?),
        reason: row.text(4)?,
        account_name: row.text(5)?,
        account_type: row.text(6)?,
        rules_version: row.int(7)?,
        answer,
        assigned_at: row.int(12)?,
        flag: row.opt_text(13)?.as_deref().and_then(Flag::parse),
        flagged_at: row.opt_int(14)?,
        previous: row.opt_text(15)?,
    })
}

/// Somebody has looked at these accounts; without any, at all of them.
pub async fn clear_flags(conn: &mut Tx, company_id: &CompanyId, account_ids: Option<&[&str]>) -> Result<(), StoreError> {
    const ALL: &str = "UPDATE mapping_assignments SET flag = NULL, flagged_at = NULL, previous = NULL WHERE company_id = $1 AND flag IS NOT NULL";
    const ONE: &str = "UPDATE mapping_assignments SET flag = NULL, flagged_at = NULL, previous = NULL WHERE company_id = $1 AND account_id = $2";
    match account_ids {
        None => {
            conn.execute(ALL, args![company_id]).await?;
        }
        Some(ids) => {
            for id in ids {
                conn.execute(ONE, args![company_id, *id]).await?;
            }
        }
    }
    Ok(())
}

/// One decision about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    pub account_id: String,
    pub account_name: String,
    pub step: Step,
    pub from_category: String,
    pub from_source: MappingSource,
    /// None: back to what rules and suggestions say.
    pub to_category: Option<String>,
    pub note: String,
}

/// Writes decisions made at once as the next version, which it answers.
pub async fn append(conn: &mut Tx, company_id: &CompanyId, changes: &[NewChange], made_by: &UserId, now_ms: i64) -> Result<i64, StoreError> {
    // also keeps a second writer out until this transaction ends
    let version = conn
        .query_one("UPDATE companies SET mapping_version = mapping_version + 1 WHERE id = $1 RETURNING mapping_version", args![company_id])
        .await?
        .int(0)?;
    let mut values = Vec::with_capacity(changes.len() * 11);
    for change in changes {
        values.push(Arg::from(company_id));
        values.push(Arg::from(version));
        values.push(Arg::from(change.account_id.as_str()));
        values.push(Arg::from(change.step.as_str()));
        values.push(Arg::from(change.account_name.as_str()));
        values.push(Arg::from(change.from_category.as_str()));
        values.push(Arg::from(change.from_source.as_str()));
        values.push(Arg::from(change.to_category.as_deref()));
        values.push(Arg::from(made_by));
        values.push(Arg::from(now_ms));
        values.push(Arg::from(change.note.as_str()));
    }
    conn.insert_rows(
        "INSERT INTO mapping_changes (company_id, version, account_id, kind, account_name, from_category, from_source, to_category, made_by, made_at, note)",
        11,
        values,
        "",
    )
    .await?;
    Ok(version)
}

/// A decision as the history shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub version: i64,
    pub account_id: String,
    pub account_name: String,
    pub step: Step,
    pub from_category: String,
    pub from_source: MappingSource,
    pub to_category: Option<String>,
    /// The person's name; empty when the person is no longer known.
    pub made_by: String,
    pub made_at: i64,
    pub note: String,
}

fn change(row: &Row) -> Result<Change, StoreError> {
    Ok(Change {
        version: row.int(0)?,
        account_id: row.text(1)?,
        account_name: row.text(2)?,
        step: word(row, 3, Step::parse)?,
        from_category: row.text(4)?,
        from_source: word(row, 5, MappingSource::parse)?,
        to_category: row.opt_text(6)?,
        made_by: row.opt_text(7)?.unwrap_or_default(),
        made_at: row.int(8)?,
        note: row.text(9)?,
    })
}

/// The last decision for each account up to a version: what people's part of the mapping was then.
pub async fn list_decisions(conn: &mut Conn, company_id: &CompanyId, through: i64) -> Result<BTreeMap<String, Change>, StoreError> {
    conn.query(
        "SELECT c.version, c.account_id, c.account_name, c.kind, c.from_category, c.from_source, c.to_category, u.name, c.made_at, c.note
         FROM mapping_changes c LEFT JOIN users u ON u.id = c.made_by
         WHERE c.company_id = $1 AND c.version = (SELECT MAX(l.version) FROM mapping_changes l
               WHERE l.company_id = $1 AND l.account_id = c.account_id AND l.version <= $2)
         ORDER BY c.account_id",
        args![company_id, through],
    )
    .await?
    .iter()
    .map(|row| change(row).map(|change| (change.account_id.clone(), change)))
    .collect()
}

/// The history, newest first, from behind a version and account that were shown before.
pub async fn list_changes(
    conn: &mut Conn,
    company_id: &CompanyId,
    account_id: Option<&str>,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Change>, StoreError> {
    let (version, after_account) = before.unwrap_or((i64::MAX, ""));
    conn.query(
        "SELECT c.version, c.account_id, c.account_name, c.kind, c.from_category, c.from_source, c.to_category, u.name, c.made_at, c.note
         FROM mapping_changes c LEFT JOIN users u ON u.id = c.made_by
         WHERE c.company_id = $1 AND (c.version < $2 OR (c.version = $2 AND c.account_id > $3)) AND ($4 = '' OR c.account_id = $4)
         ORDER BY c.version DESC, c.account_id LIMIT $5",
        args![company_id, version, after_account, account_id.unwrap_or_default(), limit],
    )
    .await?
    .iter()
    .map(change)
    .collect()
}

/// What is open in the mapping of a company, without looking at its ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    pub accounts: i64,
    pub flagged: i64,
    pub unmapped: i64,
}

/// By company, for all of an organization. Accounts that a person has decided are not counted as unmapped.
pub async fn count_open(conn: &mut Conn, organization_id: &OrganizationId) -> Result<BTreeMap<CompanyId, Open>, StoreError> {
    conn.query(
        "SELECT a.company_id, COUNT(*), COUNT(a.flag),
                CAST(SUM(CASE WHEN a.source <> 'unmapped' THEN 0 WHEN (SELECT c.to_category FROM mapping_changes c WHERE c.company_id = a.company_id
                     AND c.account_id = a.account_id ORDER BY c.version DESC LIMIT 1) IS NULL THEN 1 ELSE 0 END) AS BIGINT)
         FROM mapping_assignments a JOIN companies k ON k.id = a.company_id WHERE k.organization_id = $1 GROUP BY a.company_id ORDER BY a.company_id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok((CompanyId(row.text(0)?), Open { accounts: row.int(1)?, flagged: row.int(2)?, unmapped: row.int(3)? })))
    .collect()
}
