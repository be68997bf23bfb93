//! The audit log: written in the transaction of the act it tells, one chain for each organization, checked entry by entry.
use crate::args;
use crate::db::{Arg, Conn, Row, Store, Tx};
use crate::error::StoreError;
use crate::log_entries::Place;
use domain::audit::{Act, Actor, Break, Difference, Ending, Entry, NOTHING_BEFORE, Object, Walk};
use domain::ids::OrganizationId;

/// How long entries are kept unless the setting says longer; a year is what Xero asks of its partners, and less is refused.
pub const DEFAULT_DAYS: i64 = 400;
pub const SHORTEST_DAYS: i64 = 365;
pub const LONGEST_DAYS: i64 = 36_500;

/// Letters of a name, and of what was before and after: an entry is short.
const LONGEST_NAME: usize = 300;
const LONGEST_TEXT: usize = 2_000;
/// Entries read at once by a check.
const BATCH: i64 = 1_000;

pub struct NewEntry<'a> {
    pub organization_id: &'a OrganizationId,
    pub at_ms: i64,
    pub actor: &'a Actor,
    pub act: Act,
    pub object: &'a Object,
    pub before: &'a str,
    pub after: &'a str,
    pub outcome: Ending,
}

const COLUMNS: &str =
    "organization_id, number, at_ms, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name, before_act, after_act,
    place, outcome, previous_hash, hash";

fn read(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        organization_id: OrganizationId(row.text(0)?),
        number: row.int(1)?,
        at_ms: row.int(2)?,
        actor_kind: row.text(3)?,
        actor_id: row.text(4)?,
        actor_name: row.text(5)?,
        act: row.text(6)?,
        object_kind: row.text(7)?,
        object_id: row.text(8)?,
        object_name: row.text(9)?,
        before: row.text(10)?,
        after: row.text(11)?,
        place: row.text(12)?,
        outcome: row.text(13)?,
        previous_hash: row.text(14)?,
        hash: row.text(15)?,
    })
}

/// Both ends of a chain.
struct Head {
    last_number: i64,
    last_hash: String,
    anchor_number: i64,
    anchor_hash: String,
    seal: Vec<u8>,
}

impl Head {
    fn read(row: &Row) -> Result<Head, StoreError> {
        Ok(Head { last_number: row.int(0)?, last_hash: row.text(1)?, anchor_number: row.int(2)?, anchor_hash: row.text(3)?, seal: row.bytes(4)? })
    }
    fn seal(&self, store: &Store, organization_id: &OrganizationId) -> Vec<u8> {
        let ends = format!("{} {} {} {}", self.last_number, self.last_hash, self.anchor_number, self.anchor_hash);
        store.sealer.seal_same("audit_chains.seal", organization_id.as_str(), ends.as_bytes())
    }
    fn is_ours(&self, store: &Store, organization_id: &OrganizationId) -> bool {
        self.seal(store, organization_id) == self.seal
    }
    /// The ends as they are from now on. A seal that did not fit is not made to fit: what somebody did by hand stays visible.
    async fn write(&mut self, store: &Store, conn: &mut Tx, organization_id: &OrganizationId, was_ours: bool) -> Result<(), StoreError> {
        if was_ours {
            self.seal = self.seal(store, organization_id);
        }
        conn.execute(
            "UPDATE audit_chains SET last_number = $2, last_hash = $3, anchor_number = $4, anchor_hash = $5, seal = $6 WHERE organization_id = $1",
            args![organization_id, self.last_number, self.last_hash.as_str(), self.anchor_number, self.anchor_hash.as_str(), self.seal.as_slice()],
        )
        .await?;
        Ok(())
    }
}

/// Holds the chain's row until the transaction ends: writers of one organization follow one another.
async fn lock(conn: &mut Tx, organization_id: &OrganizationId) -> Result<Option<Head>, StoreError> {
    let sql = "UPDATE audit_chains SET last_number = last_number WHERE organization_id = $1
               RETURNING last_number, last_hash, anchor_number, anchor_hash, seal";
    conn.query_opt(sql, args![organization_id]).await?.as_ref().map(Head::read).transpose()
}

async fn lock_or_begin(store: &Store, conn: &mut Tx, organization_id: &OrganizationId) -> Result<Head, StoreError> {
    if let Some(head) = lock(conn, organization_id).await? {
        return Ok(head);
    }
    let mut first =
        Head { last_number: 0, last_hash: NOTHING_BEFORE.to_owned(), anchor_number: 0, anchor_hash: NOTHING_BEFORE.to_owned(), seal: Vec::new() };
    // a head that somebody removed is not made anew as if nothing had been: the numbers go on, and no seal fits
    let sql = "SELECT number, hash FROM audit_entries WHERE organization_id = $1 ORDER BY number DESC LIMIT 1";
    match conn.query_opt(sql, args![organization_id]).await? {
        Some(row) => (first.last_number, first.last_hash) = (row.int(0)?, row.text(1)?),
        None => first.seal = first.seal(store, organization_id),
    }
    conn.execute(
        "INSERT INTO audit_chains (organization_id, last_number, last_hash, anchor_number, anchor_hash, seal) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (organization_id) DO NOTHING",
        args![organization_id, first.last_number, first.last_hash.as_str(), first.anchor_number, first.anchor_hash.as_str(), first.seal.as_slice()],
    )
    .await?;
    lock(conn, organization_id).await?.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
}

fn short(text: &str, longest: usize) -> String {
    let text = text.replace('\0', "\u{fffd}");
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Writes an entry in the caller's transaction, as its last step: the row of the chain is held from here to the commit. Its number.
pub async fn append(store: &Store, conn: &mut Tx, new: &NewEntry<'_>) -> Result<i64, StoreError> {
    let mut head = lock_or_begin(store, conn, new.organization_id).await?;
    let was_ours = head.is_ours(store, new.organization_id);
    let mut entry = Entry {
        organization_id: new.organization_id.clone(),
        number: head.last_number + 1,
        at_ms: new.at_ms,
        actor_kind: new.actor.kind.as_str().to_owned(),
        actor_id: short(&new.actor.id, LONGEST_NAME),
        actor_name: short(&new.actor.name, LONGEST_NAME),
        act: new.act.as_str().to_owned(),
        object_kind: new.object.kind.as_str().to_owned(),
        object_id: short(&new.object.id, LONGEST_NAME),
        object_name: short(&new.object.name, LONGEST_NAME),
        before: short(new.before, LONGEST_TEXT),
        after: short(new.after, LONGEST_TEXT),
        place: short(&new.actor.place, LONGEST_NAME),
        outcome: new.outcome.as_str().to_owned(),
        previous_hash: head.last_hash.clone(),
        hash: String::new(),
    };
    entry.hash = entry.compute_hash();
    conn.execute(
        "INSERT INTO audit_entries (organization_id, number, at_ms, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name, before_act,
             after_act, place, outcome, previous_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        args![
            new.organization_id,
            entry.number,
            entry.at_ms,
            entry.actor_kind,
            entry.actor_id,
            entry.actor_name,
            entry.act,
            entry.object_kind,
            entry.object_id,
            entry.object_name,
            entry.before,
            entry.after,
            entry.place,
            entry.outcome,
            entry.previous_hash,
            entry.hash.as_str(),
        ],
    )
    .await?;
    (head.last_number, head.last_hash) = (entry.number, entry.hash);
    head.write(store, conn, new.organization_id, was_ours).await?;
    Ok(head.last_number)
}

/// What a list is narrowed to; all of it combines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the name of who acted.
    pub actor: String,
    /// A word of `domain::audit::Act`.
    pub act: String,
    /// Part of the object's name, or its id.
    pub object: String,
    pub from_ms: Option<i64>,
    pub until_ms: Option<i64>,
}

impl Filter {
    /// The condition and its values.
    fn sql(&self, organization_id: &OrganizationId) -> (String, Vec<Arg>) {
        let mut args = args![organization_id];
        let mut sql = "organization_id = $1".to_owned();
        if !self.actor.is_empty() {
            args.extend([Arg::from(part(&self.actor.to_lowercase())), Arg::from(part(&self.actor))]);
            let (folded, typed) = (args.len() - 1, args.len());
            sql.push_str(&format!(" AND (LOWER(actor_name) LIKE ${folded} ESCAPE '!' OR actor_name LIKE ${typed} ESCAPE '!')"));
        }
        if !self.act.is_empty() {
            args.push(Arg::from(self.act.as_str()));
            sql.push_str(&format!(" AND act = ${}", args.len()));
        }
        if !self.object.is_empty() {
            args.extend([Arg::from(part(&self.object.to_lowercase())), Arg::from(part(&self.object)), Arg::from(self.object.as_str())]);
            let (folded, typed, id) = (args.len() - 2, args.len() - 1, args.len());
            sql.push_str(&format!(
                " AND (LOWER(object_name) LIKE ${folded} ESCAPE '!' OR object_name LIKE ${typed} ESCAPE '!' OR object_id = ${id})"
            ));
        }
        if let Some(from_ms) = self.from_ms {
            args.push(Arg::from(from_ms));
            sql.push_str(&format!(" AND at_ms >= ${}", args.len()));
        }
        if let Some(until_ms) = self.until_ms {
            args.push(Arg::from(until_ms));
            sql.push_str(&format!(" AND at_ms < ${}", args.len()));
        }
        (sql, args)
    }
}

/// A text to be found anywhere, with what LIKE would take for a sign.
fn part(text: &str) -> String {
    format!("%{}%", text.replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    pub has_older: bool,
    pub has_newer: bool,
}

/// A page of the log under a filter, found by number: any depth costs the same, and new entries move nothing.
pub async fn list_page(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, place: Place, size: i64) -> Result<Page, StoreError> {
    let (mut condition, mut args) = filter.sql(organization_id);
    let order = match place {
        Place::Newest => "DESC",
        Place::OlderThan(number) => {
            args.push(Arg::from(number));
            condition.push_str(&format!(" AND number < ${}", args.len()));
            "DESC"
        }
        Place::NewerThan(number) => {
            args.push(Arg::from(number));
            condition.push_str(&format!(" AND number > ${}", args.len()));
            "ASC"
        }
    };
    args.push(Arg::from(size + 1));
    let sql = format!("SELECT {COLUMNS} FROM audit_entries WHERE {condition} ORDER BY number {order} LIMIT ${}", args.len());
    let mut entries = conn.query_assembled(sql, args).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() as i64 > size;
    entries.truncate(usize::try_from(size).unwrap_or(0));
    let (has_older, has_newer) = match place {
        Place::Newest => (more, false),
        Place::OlderThan(_) => (more, true),
        Place::NewerThan(_) => {
            entries.reverse();
            (true, more)
        }
    };
    Ok(Page { entries, has_older, has_newer })
}

/// How many entries a filter finds, counted up to `cap`.
pub async fn count(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, cap: i64) -> Result<i64, StoreError> {
    let (condition, mut args) = filter.sql(organization_id);
    args.push(Arg::from(cap));
    let sql = format!("SELECT COUNT(*) FROM (SELECT number FROM audit_entries WHERE {condition} LIMIT ${}) AS found", args.len());
    conn.query_assembled(sql, args).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many entries were looked at.
    pub entries: i64,
    /// The oldest of all that are kept; those before it were removed because of their age.
    pub first_number: i64,
    /// The newest, and its hash: written down elsewhere, it shows later that nothing up to it was replaced.
    pub last_number: i64,
    pub last_hash: String,
    /// All that are kept were looked at.
    pub is_whole: bool,
    /// The first breaks, in the order of the entries.
    pub breaks: Vec<Break>,
    pub broken: i64,
}

impl Checked {
    pub fn is_intact(&self) -> bool {
        self.broken == 0
    }
}

/// Checks the chain of an organization: all of it, or the newest entries only.
pub async fn check(store: &Store, conn: &mut Conn, organization_id: &OrganizationId, newest: Option<i64>) -> Result<Checked, StoreError> {
    // entries that are removed for their age while the check goes on are not missing: then it begins again
    for _ in 0..3 {
        let (checked, anchor) = check_once(store, conn, organization_id, newest).await?;
        if checked.is_intact() || find_head(conn, organization_id).await?.map_or(0, |head| head.anchor_number) == anchor {
            return Ok(checked);
        }
    }
    Ok(check_once(store, conn, organization_id, newest).await?.0)
}

async fn find_head(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT last_number, last_hash, anchor_number, anchor_hash, seal FROM audit_chains WHERE organization_id = $1";
    conn.query_opt(sql, args![organization_id]).await?.as_ref().map(Head::read).transpose()
}

async fn check_once(store: &Store, conn: &mut Conn, organization_id: &OrganizationId, newest: Option<i64>) -> Result<(Checked, i64), StoreError> {
    // before the head is read: what others add meanwhile is behind it
    let newest_number =
        conn.query_one("SELECT COALESCE(MAX(number), 0) FROM audit_entries WHERE organization_id = $1", args![organization_id]).await?.int(0)?;
    let Some(head) = find_head(conn, organization_id).await? else {
        let mut walk = Walk::after(0, NOTHING_BEFORE);
        if newest_number > 0 {
            walk.note(newest_number, Difference::NoHead);
        }
        let checked = Checked {
            entries: 0,
            first_number: 1,
            last_number: newest_number,
            last_hash: NOTHING_BEFORE.to_owned(),
            is_whole: true,
            breaks: walk.breaks,
            broken: walk.broken,
        };
        return Ok((checked, 0));
    };
    let from = newest.map_or(head.anchor_number, |newest| head.anchor_number.max(head.last_number - newest));
    let is_whole = from == head.anchor_number;
    let mut walk = match is_whole {
        true => Walk::after(from, head.anchor_hash.clone()),
        false => {
            let sql = "SELECT hash FROM audit_entries WHERE organization_id = $1 AND number = $2";
            match conn.query_opt(sql, args![organization_id, from]).await? {
                Some(row) => Walk::after(from, row.text(0)?),
                // it is told as missing
                None => Walk::after(from - 1, ""),
            }
        }
    };
    let mut after = from;
    loop {
        let page = list_after(conn, organization_id, after, head.last_number, BATCH).await?;
        page.iter().for_each(|entry| walk.take(entry));
        match page.last() {
            Some(last) => after = last.number,
            None => break,
        }
    }
    walk.end(head.last_number, &head.last_hash);
    if newest_number > head.last_number {
        walk.note(head.last_number + 1, Difference::Added);
    }
    if !head.is_ours(store, organization_id) {
        walk.note(head.last_number, Difference::Seal);
    }
    let checked = Checked {
        entries: walk.entries,
        first_number: head.anchor_number + 1,
        last_number: head.last_number,
        last_hash: head.last_hash,
        is_whole,
        breaks: walk.breaks,
        broken: walk.broken,
    };
    Ok((checked, head.anchor_number))
}

/// Entries behind `after` up to `until`, oldest first.
async fn list_after(conn: &mut Conn, organization_id: &OrganizationId, after: i64, until: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM audit_entries WHERE organization_id = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4");
    conn.query_assembled(sql, args![organization_id, after, until, limit]).await?.iter().map(read).collect()
}

/// Every organization, by name: each has a chain of its own.
pub async fn list_organizations(conn: &mut Conn) -> Result<Vec<(OrganizationId, String)>, StoreError> {
    conn.query("SELECT id, name FROM organizations ORDER BY name, id", vec![])
        .await?
        .iter()
        .map(|row| Ok((OrganizationId(row.text(0)?), row.text(1)?)))
        .collect()
}

/// Whether an organization has entries that were made before an instant.
pub async fn has_older(conn: &mut Conn, organization_id: &OrganizationId, before_ms: i64) -> Result<bool, StoreError> {
    let sql = "SELECT number FROM audit_entries WHERE organization_id = $1 AND at_ms < $2 LIMIT 1";
    Ok(conn.query_opt(sql, args![organization_id, before_ms]).await?.is_some())
}

/// Removes the oldest entries, at most `limit`, up to the first that was made at `before_ms` or later, and keeps the hash of the last one removed. How
/// many were removed and the number of the last; nothing of a part that is broken: it is evidence.
pub async fn prune(
    store: &Store,
    conn: &mut Tx,
    organization_id: &OrganizationId,
    before_ms: i64,
    limit: i64,
) -> Result<Option<(i64, i64)>, StoreError> {
    let Some(mut head) = lock(conn, organization_id).await? else { return Ok(None) };
    let was_ours = head.is_ours(store, organization_id);
    let sql = "SELECT MIN(number) FROM audit_entries WHERE organization_id = $1 AND at_ms >= $2";
    let first_kept = conn.query_one(sql, args![organization_id, before_ms]).await?.opt_int(0)?.unwrap_or(head.last_number + 1);
    let until = (first_kept - 1).min(head.anchor_number + limit);
    if until <= head.anchor_number {
        return Ok(None);
    }
    let mut walk = Walk::after(head.anchor_number, head.anchor_hash.clone());
    let old = list_after(conn, organization_id, head.anchor_number, until, limit).await?;
    old.iter().for_each(|entry| walk.take(entry));
    let Some(last) = old.last().filter(|last| walk.broken == 0 && was_ours && last.number == until) else {
        tracing::error!(organization.id = %organization_id, "the audit log is broken; nothing of it is removed");
        return Ok(None);
    };
    (head.anchor_number, head.anchor_hash) = (last.number, last.hash.clone());
    head.write(store, conn, organization_id, was_ours).await?;
    let removed =
        conn.execute("DELETE FROM audit_entries WHERE organization_id = $1 AND number <= $2", args![organization_id, head.anchor_number]).await?;
    Ok(Some((removed as i64, head.anchor_number)))
}
