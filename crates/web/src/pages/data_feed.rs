//! The Data Feed: every company the accounts can see, how fresh it is, and what to do about it.
use crate::app::App;
use crate::error::WebError;
pub use crate::feed::PATH;
pub use crate::feed::actions::{told, trigger};
use crate::feed::choice::{Chip, Choice, Select};
use crate::feed::row::{Row, account_name};
use crate::pages::result::{self, Check};
use crate::parts::address::{Address, Asked};
use crate::parts::figures;
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit, cookie};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{CompanyId, ConnectionId};
use std::collections::BTreeSet;
use store::connections::Connection;
use store::feed::{self, Counts};

/// A count of the summary line: a filter at the same time.
pub struct Facet {
    pub key: &'static str,
    pub label: &'static str,
    pub count: String,
    pub any: bool,
    pub href: String,
    pub chosen: bool,
}

pub struct Pager {
    pub from: i64,
    pub to: i64,
    pub total: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub sizes: Vec<(usize, String, bool)>,
}

/// A column that can be left out, and where its head leads.
pub struct Head {
    pub key: &'static str,
    pub label: &'static str,
    pub href: String,
    /// `ascending` or `descending`, when the table is sorted by it.
    pub sorted: Option<&'static str>,
    pub is_number: bool,
    pub is_hidden: bool,
    /// The company and its status are always there.
    pub may_hide: bool,
}

/// The three checks of an account without companies.
pub struct Checked {
    pub account: String,
    pub checks: Vec<Check>,
}

/// So many accounts are checked with their provider while the page is made.
const MOST_CHECKED: usize = 3;

#[derive(Template)]
#[template(path = "pages/data_feed.html")]
pub struct DataFeedPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub heads: Vec<Head>,
    pub facets: Vec<Facet>,
    pub chips: Vec<Chip>,
    pub selects: Vec<Select>,
    pub pager: Pager,
    pub choice: Choice,
    /// This page, for forms that return here.
    pub address: String,
    pub export: String,
    pub as_of: Moment,
    /// Companies there are, whatever the filter.
    pub companies: i64,
    pub accounts: usize,
    /// Where there is no company: why, of each account, asked a moment ago.
    pub checked: Vec<Checked>,
    pub due: i64,
    /// How many fit the filter.
    pub fitting: i64,
    pub selected: usize,
    /// Of those, ticked on other pages.
    pub elsewhere: usize,
}

impl DataFeedPage {
    fn shows(&self, key: &str) -> bool {
        self.heads.iter().any(|head| head.key == key && !head.is_hidden)
    }
}

/// Columns as the table shows them; `true` can be left out.
const COLUMNS: [(feed::Column, &str, bool); 10] = [
    (feed::Column::Name, "Company", false),
    (feed::Column::Account, "External account", true),
    (feed::Column::Link, "Link", true),
    (feed::Column::Status, "Status", false),
    (feed::Column::TieOut, "Tie-out", true),
    (feed::Column::LastSynced, "Last Synced", true),
    (feed::Column::NextRun, "Next run", true),
    (feed::Column::Took, "Duration", true),
    (feed::Column::Changes, "Last run", true),
    (feed::Column::Freshness, "Freshness", true),
];
const HIDDEN_COOKIE: &str = "tieout_feed_hidden";

pub async fn show(State(app): State<App>, visit: Visit, headers: HeaderMap, asked: Asked) -> Result<Response, WebError> {
    let choice = Choice::of(&asked);
    let organization_id = visit.organization_id();
    let now_ms = visit.now.as_millisecond();
    let mut conn = app.engine.store.read().await?;
    let page = feed::page(&mut conn, organization_id, &choice.filter, choice.sort(), now_ms, choice.size as i64, choice.page).await?;
    // whatever the filter: what **Auto Resync All** would do, and whether there is anything at all
    let all = match choice.filter == (feed::Filter { status: choice.filter.status.clone(), ..feed::Filter::default() }) {
        true => page.counts.clone(),
        false => feed::count(&mut conn, organization_id, &feed::Filter::default(), now_ms).await?,
    };
    let ticked: BTreeSet<CompanyId> = store::selections::list(&mut conn, &visit.session.token_hash, organization_id).await?.into_iter().collect();
    let mut accounts = match all.total {
        0 => store::connections::list(&mut conn, organization_id).await?,
        _ => Vec::new(),
    };
    accounts.retain(|account| account.disconnected_at.is_none());
    let account = match choice.filter.account.as_str() {
        "" => None,
        id => store::connections::find(&mut conn, organization_id, &ConnectionId::new(id)).await?,
    };
    let shell = visit.shell(&mut conn, Place::DataFeed, "Data Feed").await?;
    drop(conn);
    let checked = check(&app, &visit, &accounts).await;
    let rows: Vec<Row> = page.companies.iter().map(|company| Row::of(company, ticked.contains(&company.id), visit.now, &visit.zone)).collect();
    let here = rows.iter().filter(|row| row.ticked).count();
    visit.page(&DataFeedPage {
        shell,
        heads: heads(&choice, &hidden(&headers)),
        facets: facets(&page.counts, &choice),
        chips: choice.chips(account.map(|account| account_name(&account.name, &account.email))),
        selects: choice.selects(),
        pager: pager(&page, &choice),
        address: choice.address_of_page(page.page).to_string(),
        export: choice.address_at("/integrations/data-feed/export.csv").without(&["size"]).to_string(),
        as_of: Moment::relative(now_ms, visit.now, &visit.zone),
        companies: all.total,
        accounts: accounts.len(),
        checked,
        due: all.words.get("needs_resync").copied().unwrap_or(0),
        fitting: page.total,
        selected: ticked.len(),
        elsewhere: ticked.len() - here,
        rows,
        choice,
    })
}

/// Asks the providers; once for each visit, not with every live update.
async fn check(app: &App, visit: &Visit, accounts: &[Connection]) -> Vec<Checked> {
    let mut checked = Vec::new();
    if visit.is_live {
        return checked;
    }
    for account in accounts.iter().take(MOST_CHECKED) {
        match engine::connections::check_companies(&app.engine, visit.organization_id(), &account.id).await {
            Ok(found) => checked.push(Checked {
                account: account_name(&account.name, &account.email),
                checks: result::checks(&found, &account.provider, account.id.as_str()),
            }),
            // the questions stand on the page without answers
            Err(error) => tracing::warn!(%error, connection.id = %account.id, "an account could not be checked"),
        }
    }
    checked
}

fn facets(counts: &Counts, choice: &Choice) -> Vec<Facet> {
    Choice::words()
        .map(|(key, label)| {
            let count = match key {
                "" => counts.total,
                "not_verified" => counts.not_verified,
                "stale" => counts.stale,
                word => counts.words.get(word).copied().unwrap_or(0),
            };
            Facet {
                key,
                label,
                count: figures::count(count),
                any: count > 0,
                href: choice.address().with("status", key).to_string(),
                chosen: choice.filter.status == key,
            }
        })
        // words nobody has are left out, unless they are chosen
        .filter(|facet| facet.any || facet.chosen || matches!(facet.key, "" | "synced" | "needs_resync" | "syncing"))
        .collect()
}

fn heads(choice: &Choice, hidden: &BTreeSet<String>) -> Vec<Head> {
    COLUMNS
        .into_iter()
        .map(|(column, label, may_hide)| Head {
            key: column.key(),
            label,
            href: sorted_by(&choice.address(), choice.sort(), column),
            sorted: direction(choice.sort(), column),
            is_number: matches!(column, feed::Column::Took | feed::Column::Changes),
            is_hidden: may_hide && hidden.contains(column.key()),
            may_hide,
        })
        .collect()
}

/// Where the head of a column leads: to the table sorted by it, and to the other way round when it is already.
pub fn sorted_by(address: &Address, sort: feed::Sort, column: feed::Column) -> String {
    let other_way = feed::Sort { column, is_reversed: sort.column == column && !sort.is_reversed };
    let text = if other_way == feed::Sort::default() { String::new() } else { other_way.text() };
    address.with("sort", text).to_string()
}

/// As `aria-sort` has it, when the table is sorted by this column.
pub fn direction(sort: feed::Sort, column: feed::Column) -> Option<&'static str> {
    (sort.column == column).then_some(if sort.is_descending() { "descending" } else { "ascending" })
}

fn pager(page: &feed::Page, choice: &Choice) -> Pager {
    let first = (page.page - 1) * choice.size as i64;
    let to = first + page.companies.len() as i64;
    Pager {
        from: if page.companies.is_empty() { 0 } else { first + 1 },
        to,
        total: figures::count(page.total),
        previous: (page.page > 1).then(|| choice.address_of_page(page.page - 1).to_string()),
        next: (to < page.total).then(|| choice.address_of_page(page.page + 1).to_string()),
        sizes: [25, 50, 100].map(|size| (size, Choice { size, ..choice.clone() }.address().to_string(), size == choice.size)).into(),
    }
}

/// The columns this browser leaves out.
fn hidden(headers: &HeaderMap) -> BTreeSet<String> {
    cookie(headers, HIDDEN_COOKIE).unwrap_or_default().split('.').map(str::to_owned).collect()
}

/// POST: the columns that are ticked are shown, in this browser.
pub async fn choose_columns(RawForm(form): RawForm) -> Response {
    let form = Asked::parse(&form);
    let shown: BTreeSet<&str> = form.all("column").collect();
    let hidden: Vec<&str> =
        COLUMNS.iter().filter(|(column, _, may_hide)| *may_hide && !shown.contains(column.key())).map(|(column, ..)| column.key()).collect();
    let mut response = Redirect::to(form.back(PATH)).into_response();
    let cookie = format!("{HIDDEN_COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000", hidden.join("."));
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("keys of columns fit a header"));
    response
}
