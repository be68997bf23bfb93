//! The log as a table: seven columns, seven filters, pages that stand still while entries arrive.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::moment::{Moment, span};
use crate::parts::status::{self, Shield, Status};
use crate::parts::{figures, provider};
use crate::visit::{Place as Section, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::{CompanyId, RunId};
use domain::log::{LogStatus, LogType};
use engine::sync::Progress;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use store::companies::Company;
use store::log_entries::{self, Filter, LogEntry, Page, Place};
use store::runs::Run;

/// The log of all companies; below the other, the log of one.
pub const ALL: &str = "/integrations/logs/all";
pub const COMPANIES: &str = "/integrations/logs/companies/";

/// Beyond this, counting costs more than the number is worth: "1,000+".
const COUNT_CAP: i64 = 1_000;

pub struct Row {
    pub id: i64,
    pub href: String,
    pub date: Moment,
    pub software: String,
    pub provider: String,
    pub company: String,
    pub account: String,
    pub log_type: &'static str,
    pub message: String,
    pub is_error: bool,
    pub status: &'static str,
    pub is_milestone: bool,
}

pub struct Chip {
    pub label: String,
    pub remove: String,
}

/// The head of a company's own log.
pub struct Head {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub linked: bool,
    pub status: Status,
    pub shield: Shield,
    pub last_synced: Option<Moment>,
    pub can_resync: bool,
}

/// The run the table is narrowed to.
pub struct RunHead {
    pub result: &'static str,
    pub started: Moment,
    pub took: String,
    pub trigger: &'static str,
    pub extent: &'static str,
    pub counts: String,
    pub calls: String,
    pub size: String,
}

/// What the filters of the form say, as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub software: String,
    pub company: String,
    pub account: String,
    pub log_type: String,
    pub message: String,
    pub status: String,
    pub date: String,
    /// The last day, where it is a range.
    pub to: String,
    /// From the end of the last good run.
    pub since_good_run: bool,
    /// What the body of an entry names; the form has no field for it.
    pub reference: String,
    pub date_error: Option<String>,
}

/// How many entries one value of a filter would find, beside the other filters.
pub struct Facet {
    pub label: &'static str,
    pub count: String,
    pub href: String,
    pub is_on: bool,
}

#[derive(Template)]
#[template(path = "pages/log_table.html")]
pub struct LogTablePage {
    pub shell: Shell,
    /// `/integrations/logs/all`, or the log of a company.
    pub path: String,
    pub head: Option<Head>,
    pub run: Option<RunHead>,
    pub run_id: String,
    pub typed: Typed,
    pub chips: Vec<Chip>,
    pub clear: String,
    /// Counts for each value, where they were asked for: counting costs more than the page.
    pub facets: Option<Vec<(&'static str, Vec<Facet>)>>,
    /// The same view with counts.
    pub counted: String,
    /// The runs of the same company.
    pub runs: String,
    /// Files of everything this view finds: CSV and JSONL.
    pub exports: [(&'static str, String); 2],
    pub kept_days: String,
    pub rows: Vec<Row>,
    pub total: String,
    /// A search that stopped before the end of the log has looked at everything up to here.
    pub searched_to: Option<Moment>,
    /// Entries whose body names what is looked for in the messages: how many, and where.
    pub named: Option<(String, String)>,
    pub newest: Option<String>,
    pub newer: Option<String>,
    pub older: Option<String>,
    pub size: usize,
    pub sizes: Vec<(usize, String, bool)>,
    /// Entries that arrived since this view was opened.
    pub arrived: Option<String>,
    /// The same view from its newest entry.
    pub fresh: String,
    /// Where the script asks for `arrived`.
    pub live: String,
    pub address: String,
    pub zone: String,
}

pub async fn show_all(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    show(&app, visit, &asked, None).await
}

pub async fn show_company(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    show(&app, visit, &asked, Some(CompanyId::new(id))).await
}

async fn show(app: &App, visit: Visit, asked: &Asked, company_id: Option<CompanyId>) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let company = match &company_id {
        Some(id) => Some(store::companies::find(&mut conn, visit.organization_id(), id).await?.ok_or(WebError::NotFound)?),
        None => None,
    };
    let run_id = Some(asked.get("run")).filter(|id| !id.is_empty()).map(RunId::new);
    let run = match &run_id {
        Some(id) => store::runs::find(&mut conn, id).await?.filter(|run| run.organization_id == *visit.organization_id()),
        None => None,
    };
    let last_success_at = company.as_ref().and_then(|company| company.last_success_at);
    let (filter, typed) = filter(asked, company_id, last_success_at, run_id, &visit.zone);
    let size = asked.size();
    let place = place(asked);
    let page = match typed.date_error {
        // nothing is shown rather than something that was not asked for
        Some(_) => Page { entries: Vec::new(), has_older: false, has_newer: false, searched_to: None },
        None => log_entries::list_page(&mut conn, visit.organization_id(), &filter, place, size as i64).await?,
    };
    let total = match (&typed.date_error, place) {
        (Some(_), _) => 0,
        // the page is everything there is: a search that finds little has read the whole log once, which is enough
        (None, Place::Newest) if !page.has_older => page.entries.len() as i64,
        (None, _) => log_entries::count(&mut conn, visit.organization_id(), &filter, COUNT_CAP).await?,
    };
    // what is already known of: entries above it are news
    let seen = match (asked.get("seen").parse::<i64>(), place, page.entries.first()) {
        (Ok(seen), ..) => seen,
        (Err(_), Place::Newest, Some(first)) => first.id,
        _ => log_entries::newest_id(&mut conn, visit.organization_id()).await?,
    };
    // a request id of the provider or a record stands in the body, and people paste it where they can
    let named = match typed.message.trim() {
        text if text.is_empty() || typed.date_error.is_some() || filter.reference.is_some() => 0,
        text => {
            let named = Filter { message: None, reference: Some(text.to_owned()), ..filter.clone() };
            log_entries::count(&mut conn, visit.organization_id(), &named, COUNT_CAP).await?
        }
    };
    let arrived = log_entries::count_newer(&mut conn, visit.organization_id(), &filter, seen, COUNT_CAP).await?;
    let title = company.as_ref().map_or("All companies log".to_owned(), |company| format!("{} log", company.name));
    let path = company.as_ref().map_or(ALL.to_owned(), |company| format!("{COMPANIES}{}", company.id));
    let base = address(&path, &typed, asked, size);
    let facets = match asked.get("counts") == "1" && typed.date_error.is_none() {
        true => Some(facets(&mut conn, &visit, &filter, &typed, &base).await?),
        false => None,
    };
    let kept_days = store::log_retention::days(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Section::Logs, &title).await?;
    drop(conn);

    // an entry that is opened from here knows this view: its neighbours are the view's
    let here = with_place(&base, place).to_string();
    let at = |name: &str, entry: Option<&LogEntry>, there: bool| {
        entry.filter(|_| there).map(|entry| base.with(name, entry.id).with("seen", seen).to_string())
    };
    let view = LogTablePage {
        rows: page.entries.iter().map(|entry| row(entry, &here, &visit.zone)).collect(),
        total: figures::capped(total, COUNT_CAP),
        newest: (place != Place::Newest).then(|| base.to_string()),
        newer: match (page.searched_to, place) {
            (Some(id), Place::NewerThan(_)) => Some(base.with("newer", id).with("seen", seen).to_string()),
            _ => at("newer", page.entries.first(), page.has_newer && place != Place::Newest),
        },
        older: match (page.searched_to, place) {
            (Some(id), Place::Newest | Place::OlderThan(_)) => Some(base.with("older", id).with("seen", seen).to_string()),
            _ => at("older", page.entries.last(), page.has_older),
        },
        named: (named > 0).then(|| {
            let href = base.with("message", "").with("reference", typed.message.trim()).to_string();
            let names = if named == 1 { "entry names this in its details" } else { "entries name this in their details" };
            (format!("{} {names}", figures::capped(named, COUNT_CAP)), href)
        }),
        searched_to: page.searched_to.map(|id| Moment::exact(log_entries::moment_of(id), &visit.zone)),
        sizes: [25, 50, 100]
            .map(|size| (size, base.with("size", if size == 50 { String::new() } else { size.to_string() }).to_string()))
            .map(|(of, href)| (of, href, of == size))
            .into(),
        arrived: (arrived > 0 && typed.date_error.is_none()).then(|| figures::capped(arrived, COUNT_CAP)),
        fresh: base.to_string(),
        live: with_place(&base, place).with("seen", seen).to_string(),
        address: here,
        facets,
        counted: with_place(&base, place).with("counts", 1).to_string(),
        runs: format!("{path}/runs"),
        exports: [("csv", "CSV"), ("jsonl", "JSONL")]
            .map(|(format, label)| (label, address(&format!("{path}/export"), &typed, asked, 50).with("format", format).to_string())),
        kept_days: figures::count(kept_days),
        chips: chips(&typed, &base, asked),
        clear: path.clone(),
        head: company.as_ref().map(|company| head(company, &visit)),
        run: run.as_ref().map(|run| run_head(run, &visit)),
        run_id: asked.get("run").to_owned(),
        zone: visit.zone.iana_name().unwrap_or("UTC").to_owned(),
        shell,
        path,
        typed,
        size,
    };
    visit.page(&view)
}

fn place(asked: &Asked) -> Place {
    match (asked.get("older").parse(), asked.get("newer").parse()) {
        (Ok(id), _) => Place::OlderThan(id),
        (_, Ok(id)) => Place::NewerThan(id),
        _ => Place::Newest,
    }
}

fn with_place(base: &Address, place: Place) -> Address {
    match place {
        Place::Newest => base.clone(),
        Place::OlderThan(id) => base.with("older", id),
        Place::NewerThan(id) => base.with("newer", id),
    }
}

/// The filters as typed, and as the store understands them. A day is a day of the reader's zone.
pub fn filter(asked: &Asked, company_id: Option<CompanyId>, last_success_at: Option<i64>, run_id: Option<RunId>, zone: &TimeZone) -> (Filter, Typed) {
    let mut typed = Typed {
        software: asked.one_of("software", &["quickbooks", "xero"]).to_owned(),
        company: asked.get("company").to_owned(),
        account: asked.get("account").to_owned(),
        log_type: asked.one_of("type", &["milestone", "event"]).to_owned(),
        message: asked.get("message").to_owned(),
        status: asked.one_of("status", &["success", "error"]).to_owned(),
        date: asked.get("date").to_owned(),
        to: asked.get("to").to_owned(),
        since_good_run: asked.get("since") == "good_run" && company_id.is_some(),
        reference: asked.get("reference").trim().to_owned(),
        date_error: None,
    };
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut filter = Filter {
        company_id,
        run_id,
        provider: text(&typed.software),
        company: text(&typed.company),
        account: text(&typed.account),
        log_type: LogType::parse(&typed.log_type),
        message: text(&typed.message),
        status: LogStatus::parse(&typed.status),
        from_ms: None,
        until_ms: None,
        reference: text(&typed.reference),
    };
    let mut bounds = |text: &str| match day_bounds(text, zone) {
        Some((from_ms, until_ms)) => (Some(from_ms), Some(until_ms)),
        None if text.is_empty() => (None, None),
        None => {
            typed.date_error = Some(format!("\u{201c}{text}\u{201d} is not a day. Write it as 2026-01-31."));
            (None, None)
        }
    };
    let (first, last) = (bounds(&typed.date.clone()), bounds(&typed.to.clone()));
    filter.from_ms = first.0;
    // without a last day it is one day
    filter.until_ms = last.1.or(first.1);
    if let (Some(from_ms), Some(until_ms)) = (filter.from_ms, filter.until_ms)
        && from_ms >= until_ms
    {
        typed.date_error = Some(format!("{} comes before {}. Put the earlier day first.", typed.to, typed.date));
    }
    if typed.since_good_run {
        // a company that never had one: everything
        filter.from_ms = filter.from_ms.max(last_success_at.map(|ms| ms + 1));
    }
    (filter, typed)
}

async fn facets(
    conn: &mut store::Conn,
    visit: &Visit,
    filter: &Filter,
    typed: &Typed,
    base: &Address,
) -> Result<Vec<(&'static str, Vec<Facet>)>, WebError> {
    let mut groups = Vec::new();
    for (name, heading, chosen, values) in [
        ("software", "Accounting Software", &typed.software, [("quickbooks", "QuickBooks"), ("xero", "Xero")]),
        ("type", "Log Type", &typed.log_type, [("milestone", "Milestone"), ("event", "Event")]),
        ("status", "Status", &typed.status, [("success", "Success"), ("error", "Error")]),
    ] {
        let mut facets = Vec::new();
        for (value, label) in values {
            let mut with = filter.clone();
            match name {
                "software" => with.provider = Some(value.to_owned()),
                "type" => with.log_type = LogType::parse(value),
                _ => with.status = LogStatus::parse(value),
            }
            let count = log_entries::count(conn, visit.organization_id(), &with, COUNT_CAP).await?;
            let is_on = chosen == value;
            let href = base.with(name, if is_on { "" } else { value }).to_string();
            facets.push(Facet { label, count: figures::capped(count, COUNT_CAP), href, is_on });
        }
        groups.push((heading, facets));
    }
    Ok(groups)
}

/// First instant of a day, and of the next one.
pub fn day_bounds(text: &str, zone: &TimeZone) -> Option<(i64, i64)> {
    let day: Date = text.parse().ok()?;
    let start = |day: Date| day.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp().as_millisecond());
    Some((start(day)?, start(day.tomorrow().ok()?)?))
}

/// The address of this view without its place: filters and size.
fn address(path: &str, typed: &Typed, asked: &Asked, size: usize) -> Address {
    Address::new(path)
        .with("software", &typed.software)
        .with("company", &typed.company)
        .with("account", &typed.account)
        .with("type", &typed.log_type)
        .with("message", &typed.message)
        .with("status", &typed.status)
        .with("date", &typed.date)
        .with("to", &typed.to)
        .with("since", if typed.since_good_run { "good_run" } else { "" })
        .with("run", asked.get("run"))
        .with("reference", &typed.reference)
        .with("size", if size == 50 { String::new() } else { size.to_string() })
}

fn chips(typed: &Typed, base: &Address, asked: &Asked) -> Vec<Chip> {
    let filters = [
        ("software", "Accounting Software", provider::name(&typed.software).to_owned()),
        ("company", "Company", typed.company.clone()),
        ("account", "External Account", typed.account.clone()),
        ("type", "Log Type", LogType::parse(&typed.log_type).map_or(String::new(), |t| t.label().to_owned())),
        ("message", "Message", typed.message.clone()),
        ("status", "Status", LogStatus::parse(&typed.status).map_or(String::new(), |s| s.label().to_owned())),
        ("date", if typed.to.is_empty() { "Date" } else { "Date from" }, typed.date.clone()),
        ("to", "Date to", typed.to.clone()),
        ("since", "Since", if typed.since_good_run { "the last good run".to_owned() } else { String::new() }),
        ("run", "Run", asked.get("run").chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect()),
        ("reference", "Reference", typed.reference.clone()),
    ];
    filters
        .into_iter()
        .filter(|(_, _, value)| !value.is_empty())
        .map(|(name, label, value)| Chip { label: format!("{label}: {value}"), remove: base.with(name, "").to_string() })
        .collect()
}

fn row(entry: &LogEntry, here: &str, zone: &TimeZone) -> Row {
    Row {
        id: entry.id,
        href: Address::new(format!("/integrations/logs/entries/{}", entry.id)).with("from", here).to_string(),
        date: Moment::exact(entry.logged_at, zone),
        software: provider::name(&entry.provider).to_owned(),
        provider: entry.provider.clone(),
        company: entry.company_name.clone(),
        account: entry.account_name.clone(),
        log_type: entry.log_type.label(),
        message: entry.message.clone(),
        is_error: entry.status == LogStatus::Error,
        status: entry.status.label(),
        is_milestone: entry.log_type == LogType::Milestone,
    }
}

fn head(company: &Company, visit: &Visit) -> Head {
    let status = status::of(company, visit.now, &visit.zone).with_health(&company.provider);
    Head {
        id: company.id.0.clone(),
        name: company.name.clone(),
        provider: company.provider.clone(),
        linked: company.linked_at.is_some(),
        can_resync: company.linked_at.is_some() && !matches!(status.key, "syncing" | "waiting" | "invalid_token"),
        status,
        shield: Shield::of(company),
        last_synced: company.last_success_at.map(|ms| Moment::relative(ms, visit.now, &visit.zone)),
    }
}

fn run_head(run: &Run, visit: &Visit) -> RunHead {
    let counts = Progress::parse(&run.progress).total();
    let started = run.started_at.unwrap_or(run.created_at);
    RunHead {
        result: super::company::result_word(run),
        started: Moment::relative(started, visit.now, &visit.zone),
        took: span(run.finished_at.unwrap_or(visit.now.as_millisecond()) - started),
        trigger: domain::job::Trigger::label(&run.requested_by),
        extent: super::company::extent_word(run),
        counts: super::company::counts_text(&counts),
        calls: figures::count(run.calls),
        size: figures::size(run.bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_of_the_readers_zone() {
        let utc = day_bounds("2026-03-29", &TimeZone::UTC).unwrap();
        assert_eq!(utc.1 - utc.0, 86_400_000);
        if let Ok(berlin) = TimeZone::get("Europe/Berlin") {
            let short = day_bounds("2026-03-29", &berlin).unwrap();
            assert_eq!(short.1 - short.0, 82_800_000, "the clocks go forward that night");
            assert_eq!(utc.0 - short.0, 3_600_000);
        }
        assert!(day_bounds("2026-13-40", &TimeZone::UTC).is_none() && day_bounds("yesterday", &TimeZone::UTC).is_none());
    }

    #[test]
    fn a_range_takes_both_days_in_and_the_wrong_way_round_is_said() {
        let range = |query: &str| filter(&Asked::parse(query.as_bytes()), None, None, None, &TimeZone::UTC);
        let (one, _) = range("date=2026-03-01");
        let (both, typed) = range("date=2026-03-01&to=2026-03-03");
        assert_eq!((both.from_ms, both.until_ms), (one.from_ms, one.from_ms.map(|ms| ms + 3 * 86_400_000)));
        assert!(typed.date_error.is_none());
        let (until, _) = range("to=2026-03-03");
        assert_eq!((until.from_ms, until.until_ms), (None, both.until_ms));
        assert!(range("date=2026-03-03&to=2026-03-01").1.date_error.unwrap().contains("Put the earlier day first"));
        // since the last good run: only where there is one company
        let since = |company: Option<CompanyId>| filter(&Asked::parse(b"since=good_run"), company, Some(5_000), None, &TimeZone::UTC).0.from_ms;
        assert_eq!([since(Some(CompanyId::new("c"))), since(None)], [Some(5_001), None]);
    }

    #[test]
    fn a_wrong_day_is_named_and_filters_nothing_else_away() {
        let (filter, typed) = filter(&Asked::parse(b"date=31.1.2026&status=error"), None, None, None, &TimeZone::UTC);
        assert!(typed.date_error.unwrap().contains("31.1.2026"));
        assert_eq!((filter.status, filter.from_ms), (Some(LogStatus::Error), None));
    }
}
