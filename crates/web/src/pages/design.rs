//! Every component in every state, on one page for those who work on it. It exists in debug builds only, and is made by the parts the pages use.
use crate::app::App;
use crate::error::WebError;
use crate::pages::logs::{Card, Day};
use crate::parts::chart::Bars;
use crate::parts::incident::IncidentLine;
use crate::parts::moment::Moment;
use crate::parts::status::{Shield, Status, WORDS};
use crate::parts::step::{Step, Stops};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::company::Mark;
use domain::money::Amount;
use domain::problem::ProblemKind;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub const PATH: &str = "/dev/design";

#[derive(Template)]
#[template(path = "pages/design.html")]
pub struct DesignPage {
    pub shell: Shell,
    pub tokens: [&'static str; 15],
    pub statuses: Vec<Status>,
    pub shields: Vec<Shield>,
    /// The one step of each kind of problem, large and small.
    pub steps: Vec<Step>,
    pub incident: IncidentLine,
    pub bars: Bars,
    pub cards: Vec<Card>,
    pub moment: Moment,
}

/// GET /dev/design
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Elsewhere, "Design").await?;
    visit.page(&DesignPage::new(shell, visit.now, &visit.zone))
}

impl DesignPage {
    pub fn new(shell: Shell, now: Timestamp, zone: &TimeZone) -> DesignPage {
        let ago = |minutes: i64| Moment::relative(now.as_millisecond() - minutes * 60_000, now, zone);
        let status = |(key, label): &(&'static str, &'static str)| {
            let reason = match *key {
                "needs_resync" => Some("last sync failed".to_owned()),
                "waiting" => Some("Xero daily limit".to_owned()),
                "invalid_token" => Some("sign-in expired".to_owned()),
                _ => None,
            };
            let resumes = (*key == "waiting").then(|| Moment::clock(now.as_millisecond() + 1_800_000, now, zone));
            Status { key, label, reason, resumes, health: None }
        };
        let labels: Vec<String> =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].map(|month| format!("{month} 2026")).into();
        let thousands = |figures: [i64; 12]| figures.map(|figure| Amount(figure * 10_000_000));
        let revenue = thousands([42, 38, 51, 47, 55, 60, 12, 44, 58, 61, 57, 72]);
        let expenses = thousands([30, 33, 35, 38, 41, 39, 36, 35, 40, 44, 42, 47]);
        let profit: Vec<Amount> = revenue.iter().zip(&expenses).map(|(revenue, expense)| Amount(revenue.0 - expense.0)).collect();
        let place = Stops::Company { id: "none", connection_id: "none" };
        DesignPage {
            shell,
            tokens: [
                "canvas",
                "surface",
                "raised",
                "sunken",
                "hover",
                "accent",
                "accent-soft",
                "good",
                "good-soft",
                "warn",
                "warn-soft",
                "bad",
                "bad-soft",
                "busy",
                "busy-soft",
            ],
            statuses: WORDS.iter().map(status).collect(),
            shields: [Mark::Verified, Mark::NotVerified, Mark::NotChecked].map(|mark| Shield::new(mark, Some("2026-10-31"))).into(),
            steps: ProblemKind::ALL.into_iter().map(|kind| Step::of(kind, place, PATH).small()).collect(),
            incident: IncidentLine {
                id: "none".to_owned(),
                title: domain::incident::title(ProblemKind::NeedsReconnect, "Xero", "books@birchwood.example"),
                companies: "14 companies stopped".to_owned(),
                sentence: "Xero no longer accepts this authorization.".to_owned(),
                since: ago(180),
                is_sign_in: true,
                step: Step::of(ProblemKind::NeedsReconnect, Stops::Account { connection_id: Some("none") }, PATH),
            },
            bars: Bars::new(&labels, &revenue, &expenses, &profit),
            cards: vec![card(false, Some(ago(3))), card(true, None)],
            moment: ago(3),
        }
    }
}

fn card(has_errors: bool, last_activity: Option<Moment>) -> Card {
    let looks = if has_errors { ["none", "good", "part", "bad", "wait"] } else { ["good"; 5] };
    Card {
        id: "none".to_owned(),
        name: if has_errors {
            "A company whose name is much longer than its card is wide, Limited".to_owned()
        } else {
            "Kauri Outdoor Ltd".to_owned()
        },
        provider: if has_errors { "quickbooks" } else { "xero" }.to_owned(),
        total: "1,204".to_owned(),
        errors: if has_errors { "12" } else { "0" }.to_owned(),
        has_errors,
        milestones: "96".to_owned(),
        last_activity,
        shield: Some(Shield::new(if has_errors { Mark::NotVerified } else { Mark::Verified }, None)),
        has_incident: has_errors,
        days: looks.iter().cycle().take(14).map(|look| Day { look, title: "A day".to_owned() }).collect(),
        days_in_words: "The last 14 days, as an example".to_owned(),
    }
}
