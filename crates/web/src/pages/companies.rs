//! The companies of the organization: where each stands, at a glance.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::moment::Moment;
use crate::parts::status::{self, Shield, Status};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::company::Mark;
use domain::organization::Action;

pub struct Row {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub currency: String,
    pub status: Status,
    pub shield: Shield,
    pub as_of: Option<String>,
    pub last_synced: Option<Moment>,
}

#[derive(Template)]
#[template(path = "pages/companies.html")]
pub struct CompaniesPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub search: String,
    pub companies: usize,
    pub synced: usize,
    pub verified: usize,
    pub not_verified: usize,
    pub attention: usize,
    pub may_act: bool,
    pub previous: Option<String>,
    pub next: Option<String>,
}

const ROWS_ON_A_PAGE: usize = 100;

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let mut companies = store::companies::list_read_by(&mut conn, visit.organization_id(), &visit.reader()).await?;
    let shell = visit.shell(&mut conn, Place::Companies, "Companies").await?;
    drop(conn);
    companies.retain(|company| company.linked_at.is_some());
    companies.sort_by_cached_key(|company| company.name.to_lowercase());
    let mut page = CompaniesPage {
        shell,
        rows: Vec::new(),
        search: asked.get("q").to_owned(),
        companies: companies.len(),
        synced: 0,
        verified: 0,
        not_verified: 0,
        attention: 0,
        may_act: visit.may(Action::UseIntegrations),
        previous: None,
        next: None,
    };
    let search = page.search.to_lowercase();
    let address = Address::new("/companies").with("q", &page.search);
    let chosen: usize = asked.get("page").parse().unwrap_or(1).max(1);
    let (first, mut found) = ((chosen - 1).saturating_mul(ROWS_ON_A_PAGE), 0);
    for company in &companies {
        let status = status::of(company, visit.now, &visit.zone);
        page.synced += usize::from(status.key == "synced");
        page.attention += usize::from(matches!(status.key, "needs_resync" | "invalid_token"));
        page.verified += usize::from(company.mark == Mark::Verified);
        page.not_verified += usize::from(company.mark == Mark::NotVerified);
        if !company.name.to_lowercase().contains(&search) {
            continue;
        }
        found += 1;
        if found <= first || page.rows.len() == ROWS_ON_A_PAGE {
            continue;
        }
        page.rows.push(Row {
            id: company.id.0.clone(),
            name: company.name.clone(),
            provider: company.provider.clone(),
            currency: company.currency.clone(),
            shield: Shield::of(company),
            as_of: company.marked_as_of.as_deref().map(crate::parts::figures::day),
            last_synced: company.last_success_at.map(|ms| Moment::relative(ms, visit.now, &visit.zone)),
            status,
        });
    }
    page.previous = (chosen > 1).then(|| address.with("page", chosen - 1).to_string());
    page.next = (found > first + page.rows.len()).then(|| address.with("page", chosen + 1).to_string());
    visit.page(&page)
}
