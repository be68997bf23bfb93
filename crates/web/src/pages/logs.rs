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
use jiff::Timestamp;
use jiff::tz::TimeZone;

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
}

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
    pub pages: Vec<(usize, String, bool)>,
}

const SORTS: [&str; 3] = ["last_activity", "errors", "name"];
const CARDS_ON_A_PAGE: usize = 100;

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let cards = store::log_entries::list_cards(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Place::Logs, "Integration Logs").await?;
    drop(conn);
    visit.page(&page(shell, &cards, &asked, visit.now, &visit.zone))
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
        pages: if pages == 1 { Vec::new() } else { (1..=pages).map(|page| (page, address.with("page", page).to_string(), page == chosen)).collect() },
    }
}
