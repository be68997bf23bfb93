//! The audit log: what people, keys and the command line did, and whether its chain is intact.
use super::answer::{List, Time};
use super::caller::Caller;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{ActWord, Instant, Limit, Nothing, Part, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::audit::{BROKEN_MEANS, BROKEN_REMEDY, Entry};
use domain::organization::Action;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::audit::{self, Filter};
use store::log_entries;

const TAG: &str = "Audit log";

#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// 1, 2, 3 … in the organization.
    pub number: i64,
    pub at: Time,
    pub actor: Named,
    pub act: String,
    pub object: Named,
    pub before: String,
    pub after: String,
    /// The address it was asked from, or `command line`; empty where nobody asked.
    pub from_where: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Of the entry before.
    pub previous_hash: String,
    pub hash: String,
}

/// A person, a key, a company …, by the name it had then.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Named {
    pub kind: String,
    pub id: String,
    pub name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAudit {
    /// Part of the name of who acted.
    pub actor: Option<Part>,
    pub act: Option<ActWord>,
    /// Part of the object's name, or its id.
    pub object: Option<Part>,
    /// Entries of this moment and later.
    pub from: Option<Instant>,
    /// Entries before this moment.
    pub until: Option<Instant>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditCheck {
    pub intact: bool,
    pub checked_at: Time,
    pub entries: i64,
    /// The oldest entry that is kept; those before it were removed when their time was over.
    pub first_number: i64,
    pub last_number: i64,
    /// Keep it elsewhere: it shows later that nothing up to this entry was replaced.
    pub last_hash: String,
    /// The first 20 breaks.
    pub breaks: Vec<AuditBreak>,
    /// How many there are.
    pub broken: i64,
    /// What a break means and what to do.
    pub meaning: Option<&'static str>,
    pub what_to_do: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditBreak {
    pub number: i64,
    /// `content`, `link`, `missing`, `last`, `added`, `seal` or `no_head`.
    pub differs: &'static str,
    pub sentence: String,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/audit", "list_audit", Action::ManageMembers, list)
            .told(TAG, "What was done", "Newest first; all filters combine.")
            .takes_query::<ListAudit>()
            .answers::<List<AuditEntry>>(),
        Operation::get("/audit/check", "check_audit", Action::ManageMembers, check)
            .told(TAG, "Whether the chain of entries is intact", "Every entry that is kept is looked at.")
            .takes_query::<Nothing>()
            .answers::<AuditCheck>(),
    ]
}

fn shown(entry: Entry) -> AuditEntry {
    AuditEntry {
        number: entry.number,
        at: Time(entry.at_ms),
        actor: Named { kind: entry.actor_kind, id: entry.actor_id, name: entry.actor_name },
        act: entry.act,
        object: Named { kind: entry.object_kind, id: entry.object_id, name: entry.object_name },
        before: entry.before,
        after: entry.after,
        from_where: entry.place,
        outcome: entry.outcome,
        previous_hash: entry.previous_hash,
        hash: entry.hash,
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(asked): Query<ListAudit>) -> Result<Json<List<AuditEntry>>, ApiError> {
    caller.is_unconfined()?;
    let limit = asked.limit.as_ref().map_or(50, |limit| limit.0);
    let text = |part: Option<Part>| part.map(|part| part.0).unwrap_or_default();
    let filter = Filter {
        actor: text(asked.actor),
        act: asked.act.map(|act| act.0.as_str().to_owned()).unwrap_or_default(),
        object: text(asked.object),
        from_ms: asked.from.map(|at| at.0.as_millisecond()),
        until_ms: asked.until.map(|at| at.0.as_millisecond()),
    };
    let place = Place { app: &app, caller: &caller, list: "audit", filter: format!("{filter:?}") };
    let position = place.open(asked.cursor.as_deref())?.and_then(|text| text.parse().ok());
    let from = position.map_or(log_entries::Place::Newest, log_entries::Place::OlderThan);
    let mut conn = app.engine.store.read().await?;
    let page = audit::list_page(&mut conn, &caller.organization_id, &filter, from, limit as i64).await?;
    let next_cursor = page.entries.last().filter(|_| page.has_older).map(|last| place.seal(&last.number.to_string()));
    Ok(Json(List { data: page.entries.into_iter().map(shown).collect(), next_cursor }))
}

async fn check(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<AuditCheck>, ApiError> {
    caller.is_unconfined()?;
    let checked = audit::check(&app.engine.store, &mut app.engine.store.read().await?, &caller.organization_id, None).await?;
    let intact = checked.is_intact();
    let breaks = checked.breaks.iter();
    Ok(Json(AuditCheck {
        intact,
        checked_at: Time(caller.now.as_millisecond()),
        entries: checked.entries,
        first_number: checked.first_number,
        last_number: checked.last_number,
        breaks: breaks.map(|at| AuditBreak { number: at.number, differs: at.difference.as_str(), sentence: at.sentence() }).collect(),
        broken: checked.broken,
        meaning: (!intact).then_some(BROKEN_MEANS),
        what_to_do: (!intact).then_some(BROKEN_REMEDY),
        last_hash: checked.last_hash,
    }))
}
