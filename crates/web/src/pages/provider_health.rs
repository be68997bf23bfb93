//! How each provider answers: errors, times, what is left of its limits, and whom it keeps waiting.
use crate::app::App;
use crate::error::WebError;
use crate::parts::figures::{count, counted};
use crate::parts::incident;
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use engine::health::{self, Health, Summary};
use store::provider_calls::{MINUTE_MS, Tally};

/// One hour of the picture: places in the drawing, and its calls in words.
pub struct Bar {
    pub x: i64,
    pub answered_y: i64,
    pub answered_height: i64,
    pub failed_y: i64,
    pub failed_height: i64,
    pub words: String,
    /// Every sixth.
    pub label: Option<String>,
}

/// Figures of an hour or a day.
pub struct Figures {
    pub over: &'static str,
    pub calls: String,
    pub failed: String,
    pub has_failures: bool,
    pub limited: String,
    pub usual: String,
    pub slow: String,
    pub slowest: String,
}

/// A limit of the provider, and how much of it was used.
pub struct Headroom {
    pub limit: String,
    pub used: String,
    /// Of 100.
    pub percent: i64,
    /// The company it is about.
    pub company: Option<(String, String)>,
}

pub struct Panel {
    pub id: String,
    pub name: String,
    pub word: &'static str,
    pub tone: &'static str,
    pub icon: &'static str,
    pub sentence: String,
    pub last_answer: Option<Moment>,
    pub figures: Vec<Figures>,
    pub headroom: Vec<Headroom>,
    pub waiting: i64,
    pub bars: Vec<Bar>,
    pub picture: String,
    pub incident: Option<(String, String, Moment)>,
}

impl Panel {
    pub fn mark(&self) -> crate::parts::icon::Icon {
        crate::parts::icon::provider_mark(&self.id)
    }
}

#[derive(Template)]
#[template(path = "pages/provider_health.html")]
pub struct ProviderHealthPage {
    pub shell: Shell,
    pub panels: Vec<Panel>,
}

/// GET /integrations/health
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let found = health::list(&app.engine, visit.organization_id()).await?;
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Overview, "Provider health").await?;
    visit.page(&ProviderHealthPage { shell, panels: found.iter().map(|health| panel(health, &visit)).collect() })
}

fn panel(health: &Health, visit: &Visit) -> Panel {
    let name = provider::full_name(&health.provider).to_owned();
    let (word, tone, icon, sentence) = match health.state {
        health::State::Quiet => ("Quiet", "muted", "dot", format!("{name} was not called in the last ten minutes.")),
        health::State::Answering => ("Answering", "good", "check-circle", format!("{name} answered every call of the last ten minutes.")),
        health::State::Unsteady => {
            ("Unsteady", "warn", "alert", format!("{name} failed to answer some calls of the last ten minutes. Tieout asks again by itself."))
        }
        health::State::Limited => {
            ("Limit reached", "wait", "clock", format!("{name} refuses calls until one of its limits ends. Syncs wait and go on by themselves."))
        }
        health::State::Failing => (
            "Not answering",
            "bad",
            "x-circle",
            format!("{name} failed to answer most calls of the last ten minutes. Syncs are tried again by themselves."),
        ),
    };
    let bars = bars(&health.hours, visit);
    let picture =
        format!("{} in the last 24 hours, {} of them failed", counted(health.day.tally.calls, "call", "calls"), count(health.day.tally.failed));
    Panel {
        id: health.provider.clone(),
        word,
        tone,
        icon,
        sentence,
        last_answer: health.last_answer_minute.map(|minute| Moment::relative(minute * MINUTE_MS, visit.now, &visit.zone)),
        figures: vec![figures("Last hour", &health.hour), figures("Last 24 hours", &health.day)],
        headroom: headroom(health),
        waiting: health.waiting,
        bars,
        picture,
        incident: health.last_incident.as_ref().map(|last| {
            (format!("/integrations/incidents/{}", last.id), incident::title(last), Moment::relative(last.opened_at, visit.now, &visit.zone))
        }),
        name,
    }
}

fn figures(over: &'static str, summary: &Summary) -> Figures {
    let Tally { calls, failed, limited, slowest_ms, .. } = summary.tally;
    let none = || "\u{2013}".to_owned();
    let within = |percent: i64| match summary.within_ms(percent) {
        _ if calls == 0 => none(),
        Some(ms) => format!("within {}", short(ms)),
        None => "longer than 10 s".to_owned(),
    };
    Figures {
        over,
        calls: count(calls),
        failed: if calls == 0 { none() } else { rate(summary.failed_basis_points()) },
        has_failures: failed > 0,
        limited: count(limited),
        usual: within(50),
        slow: within(95),
        slowest: if calls == 0 { none() } else { crate::parts::moment::span(slowest_ms) },
    }
}

/// `0.25 %`
fn rate(basis_points: i64) -> String {
    match basis_points {
        0 => "0 %".to_owned(),
        points => format!("{}.{:02} %", points / 100, points % 100),
    }
}

/// `250 ms`, `2.5 s`.
fn short(ms: u64) -> String {
    match ms {
        ms if ms < 1_000 => format!("{ms} ms"),
        ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        ms => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

fn headroom(health: &Health) -> Vec<Headroom> {
    let Some(limits) = &health.limits else { return Vec::new() };
    let percent = |used: i64, of: u32| (used * 100 / i64::from(of.max(1))).clamp(0, 100);
    let mut lines = Vec::new();
    if let Some(per_day) = limits.per_day {
        let used = health.busiest_today.as_ref().map_or(0, |busiest| busiest.calls);
        lines.push(Headroom {
            limit: format!("{} a day for each company", counted(per_day, "call", "calls")),
            used: format!("{} used by the busiest today", count(used)),
            percent: percent(used, per_day),
            company: health.busiest_today.as_ref().map(|busiest| (format!("/companies/{}", busiest.company_id), busiest.name.clone())),
        });
    }
    if let Some(per_minute) = limits.app_per_minute {
        lines.push(Headroom {
            limit: format!("{} a minute for all companies", counted(per_minute, "call", "calls")),
            used: format!("{} in the busiest minute of the last hour", count(health.hour.busiest_minute)),
            percent: percent(health.hour.busiest_minute, per_minute),
            company: None,
        });
    } else {
        lines.push(Headroom {
            limit: format!("{} a minute for each company", counted(limits.per_minute, "call", "calls")),
            used: format!("{} of all companies in the busiest minute of the last hour", count(health.hour.busiest_minute)),
            percent: percent(health.hour.busiest_minute, limits.per_minute),
            company: None,
        });
    }
    lines
}

const WIDTH: i64 = 960;
/// Where the bars stand, and how high they reach.
const FOOT: i64 = 100;
const ROOM: i64 = 92;

fn bars(hours: &[(i64, Tally)], visit: &Visit) -> Vec<Bar> {
    let most = hours.iter().map(|(_, tally)| tally.calls).max().unwrap_or(0).max(1);
    let step = WIDTH / i64::try_from(hours.len().max(1)).unwrap_or(1);
    let height = |calls: i64| if calls == 0 { 0 } else { (calls * ROOM / most).max(3) };
    hours
        .iter()
        .enumerate()
        .map(|(at, (began, tally))| {
            let clock = jiff::Timestamp::from_millisecond(*began).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(visit.zone.clone());
            let (failed, answered) = (height(tally.failed), height(tally.calls - tally.failed));
            Bar {
                x: step * i64::try_from(at).unwrap_or(0) + 5,
                failed_y: FOOT - failed,
                failed_height: failed,
                answered_y: FOOT - failed - answered,
                answered_height: answered,
                words: format!("{}: {}, {} failed", clock.strftime("%H:%M"), counted(tally.calls, "call", "calls"), count(tally.failed)),
                label: (at % 6 == 0).then(|| clock.strftime("%H:%M").to_string()),
            }
        })
        .collect()
}
