//! Integration Logs: one card for each company, whose numbers are the ones its table shows.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::figures;
use crate::parts::moment::Moment;
use crate::parts::status::Shield;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::ids::CompanyId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use store::run_days::{self, DAY_MS, Tally};

pub const PATH: &str = "/integrations/logs";

pub struct Card {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub total: String,
    pub errors: String,
    pub has_errors: bool,
    pub milestones: String,
    pub last_activity: Option<Moment>,
    pub shield: Option<Shield>,
    pub has_incident: bool,
    /// Its last days, the oldest first; and what they are in words.
    pub days: Vec<Day>,
    pub days_in_words: String,
}

/// One day of the strip.
pub struct Day {
    pub look: &'static str,
    pub title: String,
}

/// Days of the strip.
const DAYS: i64 = 14;

#[derive(Template)]
#[template(path = "pages/logs.html")]
pub struct LogsPage {
    pub shell: Shell,
    pub cards: Vec<Card>,
    /// Unlinked companies whose log is kept.
    pub past: Vec<Card>,
    pub search: String,
    pub provider: String,
    pub sort: String,
    pub with_errors: bool,
    /// Cards there are, whatever the filter.
    pub companies: usize,
    pub found: usize,
    /// Open ones.
    pub incidents: i64,
    pub pages: Vec<(usize, String, bool)>,
}

const SORTS: [&str; 3] = ["last_activity", "errors", "name"];
const CARDS_ON_A_PAGE: usize = 100;

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let cards = store::log_entries::list_cards(&mut conn, visit.organization_id()).await?;
    let stopped: HashSet<CompanyId> =
        store::incidents::list_stopped(&mut conn, visit.organization_id()).await?.into_iter().map(|(company_id, _)| company_id).collect();
    let incidents = store::frame::count_incidents(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Place::Logs, "Integration Logs").await?;
    let mut page = page(shell, &cards, &asked, visit.now, &visit.zone);
    page.incidents = incidents;
    let shown: Vec<CompanyId> = page.cards.iter().chain(&page.past).map(|card| CompanyId::new(&card.id)).collect();
    let today = visit.now.as_millisecond().div_euclid(DAY_MS);
    let mut tallies: HashMap<CompanyId, Vec<Tally>> = HashMap::new();
    for tally in run_days::list(&mut conn, &shown, today - DAYS + 1).await? {
        tallies.entry(tally.company_id.clone()).or_default().push(tally);
    }
    drop(conn);
    for card in page.cards.iter_mut().chain(&mut page.past) {
        let company_id = CompanyId::new(&card.id);
        card.has_incident = stopped.contains(&company_id);
        (card.days, card.days_in_words) = strip(tallies.get(&company_id).map(Vec::as_slice).unwrap_or_default(), today);
    }
    visit.page(&page)
}

/// The last days of a company, one cell each.
fn strip(tallies: &[Tally], today: i64) -> (Vec<Day>, String) {
    let (mut good, mut failed, mut waited) = (0, 0, 0);
    let days = (today - DAYS + 1..=today)
        .map(|day| {
            let name = Timestamp::from_millisecond(day * DAY_MS).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%-d %b").to_string();
            let Some(tally) = tallies.iter().find(|tally| tally.day == day) else { return Day { look: "none", title: format!("{name}: no run") } };
            good += tally.good;
            failed += tally.failed;
            waited += tally.waited;
            let look = match (tally.good, tally.failed, tally.waited) {
                (0, 0, 0) => "none",
                (_, 0, 0) => "good",
                (0, 0, _) | (_, 0, _) => "wait",
                (0, _, _) => "bad",
                _ => "part",
            };
            Day { look, title: format!("{name}: {}", in_words(tally.good, tally.failed, tally.waited)) }
        })
        .collect();
    (days, format!("Runs of the last {DAYS} days: {}", in_words(good, failed, waited)))
}

fn in_words(good: i64, failed: i64, waited: i64) -> String {
    let parts: Vec<String> = [(good, "good"), (failed, "failed"), (waited, "waited")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", figures::count(count)))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn page(shell: Shell, cards: &[store::log_entries::Card], asked: &Asked, now: Timestamp, zone: &TimeZone) -> LogsPage {
    let search = asked.get("q").to_lowercase();
    let provider = asked.get("provider");
    let with_errors = asked.get("errors") == "1";
    let sort = asked.one_of("sort", &SORTS);
    let mut found: Vec<&store::log_entries::Card> = cards
        .iter()
        .filter(|card| search.is_empty() || card.name.to_lowercase().contains(&search))
        .filter(|card| provider.is_empty() || card.provider == provider)
        .filter(|card| !with_errors || card.errors > 0)
        .collect();
    match sort {
        "errors" => found.sort_by_key(|card| std::cmp::Reverse(card.errors)),
        "name" => found.sort_by_cached_key(|card| card.name.to_lowercase()),
        // as the store lists them: last activity first
        _ => {}
    }
    let view = |card: &&store::log_entries::Card| Card {
        id: card.company_id.0.clone(),
        name: card.name.clone(),
        provider: card.provider.clone(),
        total: figures::count(card.total),
        errors: figures::count(card.errors),
        has_errors: card.errors > 0,
        milestones: figures::count(card.milestones),
        last_activity: card.last_at.map(|ms| Moment::relative(ms, now, zone)),
        shield: card.linked.then(|| Shield::new(card.mark, card.marked_as_of.as_deref())),
        has_incident: false,
        days: Vec::new(),
        days_in_words: String::new(),
    };
    let (linked, past): (Vec<_>, Vec<_>) = found.into_iter().partition(|card| card.linked);
    let pages = linked.len().div_ceil(CARDS_ON_A_PAGE).max(1);
    let chosen = asked.get("page").parse().unwrap_or(1).clamp(1, pages);
    let address =
        Address::new(PATH).with("q", asked.get("q")).with("provider", provider).with("sort", sort).with("errors", if with_errors { "1" } else { "" });
    LogsPage {
        shell,
        found: linked.len() + past.len(),
        cards: linked.iter().skip((chosen - 1) * CARDS_ON_A_PAGE).take(CARDS_ON_A_PAGE).map(view).collect(),
        past: if chosen == pages { past.iter().map(view).collect() } else { Vec::new() },
        search: asked.get("q").to_owned(),
        provider: provider.to_owned(),
        sort: sort.to_owned(),
        with_errors,
        companies: cards.len(),
        incidents: 0,
        pages: if pages == 1 { Vec::new() } else { (1..=pages).map(|page| (page, address.with("page", page).to_string(), page == chosen)).collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_a_cell_for_each_day_and_says_it_in_words() {
        let tally = |day: i64, good: i64, failed: i64, waited: i64| Tally { company_id: CompanyId::new("c"), day, good, failed, waited };
        let (days, words) =
            strip(&[tally(1, 9, 9, 9), tally(20_000, 96, 0, 0), tally(20_001, 95, 1, 0), tally(20_002, 0, 2, 0), tally(20_003, 3, 0, 1)], 20_003);
        let looks: Vec<&str> = days.iter().map(|day| day.look).collect();
        assert_eq!((looks.len(), &looks[9..]), (14, ["none", "good", "part", "bad", "wait"].as_slice()));
        // 20,001 days after 1 January 1970: 5 October 2024
        assert_eq!(days[11].title, "5 Oct: 95 good, 1 failed");
        assert_eq!(words, "Runs of the last 14 days: 194 good, 3 failed, 1 waited");
    }
}
