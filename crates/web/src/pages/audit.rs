//! Organization, **Audit log**: what people, keys and the command line did, and whether the chain of entries is intact; as a table and as files.
use crate::app::App;
use crate::error::WebError;
use crate::exports::{self, Format, Source, csv_line, escape_hidden};
use crate::pages::log_table::day_bounds;
use crate::parts::address::{Address, Asked};
use crate::parts::figures;
use crate::parts::moment::Moment;
use crate::visit::{Place as Section, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::audit::{Act, ActorKind, BROKEN_MEANS, BROKEN_REMEDY, Ending, Entry, ObjectKind};
use domain::clock::instant;
use domain::ids::OrganizationId;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::audit::{self, Checked, Filter, Page};
use store::log_entries::Place;
use store::{Conn, StoreError};

pub const PATH: &str = "/organization/audit";
/// Beyond this, counting costs more than the number is worth.
const COUNT_CAP: i64 = 1_000;
/// Entries that are checked with every look at the page; a longer chain is checked whole when somebody asks.
pub const CHECKED: i64 = 5_000;
/// Entries of an export that are read at once.
const BATCH: i64 = 500;

pub struct Row {
    pub number: i64,
    pub when: Moment,
    pub who: String,
    /// What is not a person says what it is.
    pub who_kind: Option<String>,
    pub what: String,
    pub is_refused: bool,
    pub object: String,
    pub object_kind: String,
    pub before: String,
    pub after: String,
    pub place: String,
    /// A break of the chain is at this entry.
    pub is_broken: bool,
}

pub struct Chip {
    pub label: String,
    pub remove: String,
}

/// Whether the chain is intact, as people read it.
pub struct Chain {
    pub is_intact: bool,
    /// `12 entries`, or `the newest 5,000 of 12,345 entries`.
    pub looked_at: String,
    pub removed: Option<String>,
    pub checked: Moment,
    pub breaks: Vec<String>,
    pub more: Option<String>,
    pub means: &'static str,
    pub remedy: &'static str,
    /// Where the rest is checked too.
    pub check_all: Option<String>,
}

/// What the filters of the form say, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    pub who: String,
    pub act: String,
    pub object: String,
    pub from: String,
    pub to: String,
    pub date_error: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/audit.html")]
pub struct AuditPage {
    pub shell: Shell,
    pub chain: Chain,
    pub typed: Typed,
    /// Word, label, and whether it is chosen.
    pub acts: Vec<(&'static str, &'static str, bool)>,
    pub chips: Vec<Chip>,
    pub exports: [(&'static str, String); 2],
    pub rows: Vec<Row>,
    pub total: String,
    pub kept_days: String,
    pub newest: Option<String>,
    pub newer: Option<String>,
    pub older: Option<String>,
    pub size: usize,
    pub sizes: Vec<(usize, String, bool)>,
    pub zone: String,
}

/// GET /organization/audit
pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let (filter, typed) = filter(&asked, &visit.zone);
    let (size, place, all) = (asked.size(), place(&asked), asked.get("check") == "all");
    let mut conn = app.engine.store.read().await?;
    let (page, total) = match typed.date_error {
        // nothing is shown rather than something that was not asked for
        Some(_) => (Page { entries: Vec::new(), has_older: false, has_newer: false }, 0),
        None => (
            audit::list_page(&mut conn, visit.organization_id(), &filter, place, size as i64).await?,
            audit::count(&mut conn, visit.organization_id(), &filter, COUNT_CAP).await?,
        ),
    };
    let checked = audit::check(&app.engine.store, &mut conn, visit.organization_id(), (!all).then_some(CHECKED)).await?;
    let shell = visit.shell(&mut conn, Section::AuditLog, "Audit log").await?;
    drop(conn);
    let base = address(PATH, &typed).with("size", if size == 50 { String::new() } else { size.to_string() });
    let at = |name: &str, entry: Option<&Entry>, there: bool| entry.filter(|_| there).map(|entry| base.with(name, entry.number).to_string());
    let broken: Vec<i64> = checked.breaks.iter().map(|found| found.number).collect();
    let view = AuditPage {
        newest: (place != Place::Newest).then(|| base.to_string()),
        newer: at("newer", page.entries.first(), page.has_newer),
        older: at("older", page.entries.last(), page.has_older),
        sizes: [25, 50, 100]
            .map(|size| (size, base.with("size", if size == 50 { String::new() } else { size.to_string() }).to_string()))
            .map(|(of, href)| (of, href, of == size))
            .into(),
        exports: [("csv", "CSV"), ("jsonl", "JSONL")]
            .map(|(format, label)| (label, address(&format!("{PATH}/export"), &typed).with("format", format).to_string())),
        chain: chain(&checked, &visit, &base),
        acts: Act::ALL.iter().map(|act| (act.as_str(), act.label(), act.as_str() == typed.act)).collect(),
        chips: chips(&typed, &base),
        rows: page.entries.iter().map(|entry| row(entry, &broken, &visit.zone)).collect(),
        total: figures::capped(total, COUNT_CAP),
        kept_days: figures::count(app.engine.audit_days()),
        zone: visit.zone.iana_name().unwrap_or("UTC").to_owned(),
        shell,
        typed,
        size,
    };
    visit.page(&view)
}

fn place(asked: &Asked) -> Place {
    match (asked.get("older").parse(), asked.get("newer").parse()) {
        (Ok(number), _) => Place::OlderThan(number),
        (_, Ok(number)) => Place::NewerThan(number),
        _ => Place::Newest,
    }
}

/// The filters as the store understands them, and as typed. A day is a day of the reader's zone.
fn filter(asked: &Asked, zone: &TimeZone) -> (Filter, Typed) {
    let mut typed = Typed {
        who: asked.get("who").to_owned(),
        act: Act::parse(asked.get("act")).map_or("", Act::as_str).to_owned(),
        object: asked.get("object").to_owned(),
        from: asked.get("from").to_owned(),
        to: asked.get("to").to_owned(),
        date_error: None,
    };
    let mut bounds = |text: &str| {
        let found = day_bounds(text, zone);
        if found.is_none() && !text.is_empty() {
            typed.date_error = Some(format!("\u{201c}{text}\u{201d} is not a day. Write it as 2026-01-31."));
        }
        found
    };
    let (from_ms, until_ms) = (bounds(&typed.from.clone()).map(|day| day.0), bounds(&typed.to.clone()).map(|day| day.1));
    if let (Some(from_ms), Some(until_ms)) = (from_ms, until_ms)
        && from_ms >= until_ms
    {
        typed.date_error = Some(format!("{} comes before {}. Put the earlier day first.", typed.to, typed.from));
    }
    (Filter { actor: typed.who.clone(), act: typed.act.clone(), object: typed.object.clone(), from_ms, until_ms }, typed)
}

fn address(path: &str, typed: &Typed) -> Address {
    Address::new(path).with("who", &typed.who).with("act", &typed.act).with("object", &typed.object).with("from", &typed.from).with("to", &typed.to)
}

fn chips(typed: &Typed, base: &Address) -> Vec<Chip> {
    let filters = [
        ("who", "Who", typed.who.clone()),
        ("act", "What", Act::parse(&typed.act).map_or(String::new(), |act| act.label().to_owned())),
        ("object", "Object", typed.object.clone()),
        ("from", "From", typed.from.clone()),
        ("to", "To", typed.to.clone()),
    ];
    let said = filters.into_iter().filter(|(_, _, value)| !value.is_empty());
    said.map(|(name, label, value)| Chip { label: format!("{label}: {value}"), remove: base.with(name, "").to_string() }).collect()
}

fn chain(checked: &Checked, visit: &Visit, base: &Address) -> Chain {
    let kept = checked.last_number - checked.first_number + 1;
    let removed = checked.first_number - 1;
    let more = checked.broken - checked.breaks.len() as i64;
    Chain {
        is_intact: checked.is_intact(),
        looked_at: match checked.is_whole {
            true => figures::counted(checked.entries, "entry", "entries"),
            false => format!("the newest {} of {}", figures::count(checked.entries), figures::counted(kept, "entry", "entries")),
        },
        removed: (removed > 0).then(|| figures::counted(removed, "older entry", "older entries")),
        checked: Moment::exact(visit.now.as_millisecond(), &visit.zone),
        breaks: checked.breaks.iter().map(|found| found.sentence()).collect(),
        more: (more > 0).then(|| figures::counted(more, "more break", "more breaks")),
        means: BROKEN_MEANS,
        remedy: BROKEN_REMEDY,
        check_all: (!checked.is_whole).then(|| base.with("check", "all").to_string()),
    }
}

fn row(entry: &Entry, broken: &[i64], zone: &TimeZone) -> Row {
    let is_person = entry.actor_kind == ActorKind::Person.as_str();
    let kind = ActorKind::label_of(&entry.actor_kind);
    Row {
        number: entry.number,
        when: Moment::exact(entry.at_ms, zone),
        who: entry.actor_name.clone(),
        who_kind: (!is_person && entry.actor_name != kind).then(|| kind.to_owned()),
        what: Act::label_of(&entry.act).to_owned(),
        is_refused: entry.outcome == Ending::Refused.as_str(),
        object: entry.object_name.clone(),
        object_kind: ObjectKind::label_of(&entry.object_kind).to_owned(),
        before: entry.before.clone(),
        after: entry.after.clone(),
        place: entry.place.clone(),
        is_broken: broken.contains(&entry.number),
    }
}

/// GET /organization/audit/export: everything a view finds, oldest first, so that the chain can be followed from its first line.
pub async fn export(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let format = Format::of(&asked)?;
    let (filter, typed) = filter(&asked, &visit.zone);
    if let Some(error) = typed.date_error {
        return Err(WebError::Unreadable(error.trim_end_matches('.').to_owned()));
    }
    // the file ends with the entry that tells of it
    exports::note(&app, visit.organization_id(), "Audit log", &asked).await?;
    let newest = audit::list_page(&mut app.engine.store.read().await?, visit.organization_id(), &Filter::default(), Place::Newest, 1).await?;
    let until = newest.entries.first().map_or(0, |entry| entry.number);
    let source = AuditSource { organization_id: visit.organization_id().clone(), filter, after: 0, until, has_ended: false };
    Ok(exports::file(app, &visit, format, source))
}

struct AuditSource {
    organization_id: OrganizationId,
    filter: Filter,
    after: i64,
    until: i64,
    has_ended: bool,
}

impl Source for AuditSource {
    type Entry = Entry;
    const NAME: &'static str = "audit";
    const HEAD: &'static [&'static str] = &HEAD;
    fn csv(entry: &Entry) -> String {
        csv(entry)
    }
    fn json_line(entry: &Entry) -> String {
        json_line(entry)
    }
    async fn next(&mut self, conn: &mut Conn) -> Result<Vec<Entry>, StoreError> {
        let mut page = audit::list_page(conn, &self.organization_id, &self.filter, Place::NewerThan(self.after), BATCH).await?;
        self.after = page.entries.first().map_or(self.after, |entry| entry.number);
        self.has_ended = !page.has_newer || self.after >= self.until;
        // newest first, as pages are
        page.entries.reverse();
        page.entries.retain(|entry| entry.number <= self.until);
        Ok(page.entries)
    }
    fn has_ended(&self) -> bool {
        self.has_ended
    }
}

const HEAD: [&str; 15] = [
    "Number",
    "Date",
    "Who",
    "Who is",
    "Who id",
    "What",
    "Object",
    "Object is",
    "Object id",
    "Before",
    "After",
    "From where",
    "Outcome",
    "Previous hash",
    "Hash",
];

fn csv(entry: &Entry) -> String {
    csv_line(&[
        entry.number.to_string(),
        instant(entry.at_ms),
        entry.actor_name.clone(),
        ActorKind::label_of(&entry.actor_kind).to_owned(),
        entry.actor_id.clone(),
        Act::label_of(&entry.act).to_owned(),
        entry.object_name.clone(),
        ObjectKind::label_of(&entry.object_kind).to_owned(),
        entry.object_id.clone(),
        entry.before.clone(),
        entry.after.clone(),
        entry.place.clone(),
        Ending::label_of(&entry.outcome).to_owned(),
        entry.previous_hash.clone(),
        entry.hash.clone(),
    ])
}

/// Every field as the hash was taken over it.
fn fields(entry: &Entry) -> Value {
    json!({
        "organization_id": entry.organization_id.0,
        "number": entry.number,
        "at_ms": entry.at_ms,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "act": entry.act,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "object_name": entry.object_name,
        "before": entry.before,
        "after": entry.after,
        "place": entry.place,
        "outcome": entry.outcome,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    })
}

/// Marks that cannot be seen are written as JSON writes them: they read back as they are.
fn json_line(entry: &Entry) -> String {
    format!("{}\n", escape_hidden(&fields(entry).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_and_a_wrong_day_is_named() {
        let of = |query: &str| filter(&Asked::parse(query.as_bytes()), &TimeZone::UTC);
        let (found, typed) = of("who=Ada&act=role_changed&object=Acme&from=2026-03-01&to=2026-03-03");
        assert_eq!((found.actor.as_str(), found.act.as_str(), found.object.as_str()), ("Ada", "role_changed", "Acme"));
        assert_eq!(found.until_ms.unwrap() - found.from_ms.unwrap(), 3 * 86_400_000);
        assert_eq!(address(PATH, &typed).to_string(), "/organization/audit?who=Ada&act=role_changed&object=Acme&from=2026-03-01&to=2026-03-03");
        assert_eq!(of("act=nonsense").0, Filter::default());
        assert!(of("from=1.3.2026").1.date_error.unwrap().contains("1.3.2026"));
        assert!(of("from=2026-03-03&to=2026-03-01").1.date_error.unwrap().contains("Put the earlier day first"));
    }
}
