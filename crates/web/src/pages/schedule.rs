//! How often companies are synced and how fresh they must be: of one, of those that are ticked, and of the organization.
use crate::app::App;
use crate::error::WebError;
use crate::feed::{PATH, selection};
use crate::flash::Flash;
use crate::parts::address::{Address, Asked};
use crate::parts::figures::counted;
use crate::parts::seen::{self, Changed};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::CompanyId;
use domain::schedule::{FRESHNESS_HOURS, INTERVAL_MINUTES};
use store::companies::Company;

#[derive(Template)]
#[template(path = "pages/schedule.html")]
pub struct SchedulePage {
    pub shell: Shell,
    /// Names of the companies the form is for.
    pub names: Vec<String>,
    /// Only one, by its id: the others are those that are ticked.
    pub company: String,
    pub interval: String,
    pub interval_error: Option<String>,
    /// `own` or empty: as the organization says.
    pub target: String,
    pub freshness: String,
    pub freshness_error: Option<String>,
    pub organization_hours: String,
    pub organization_error: Option<String>,
    /// What the schedules, and the organization's target, are now.
    pub seen: String,
    pub organization_seen: String,
    pub changed: Option<Changed>,
}

impl SchedulePage {
    fn heading(&self) -> String {
        match self.names.as_slice() {
            [name] => format!("Schedule of {name}"),
            names => format!("Schedule of {}", counted(names.len(), "company", "companies")),
        }
    }
    fn bounds(&self) -> String {
        format!("{} to {} minutes", INTERVAL_MINUTES.start(), domain::money::grouped(*INTERVAL_MINUTES.end()))
    }
}

/// The companies a request is for: the one it names, or those that are ticked.
async fn chosen(app: &App, visit: &Visit, asked: &Asked) -> Result<Vec<Company>, WebError> {
    let mut conn = app.engine.store.read().await?;
    let ids = match asked.get("company") {
        "" => store::selections::list(&mut conn, &visit.session.token_hash, visit.organization_id()).await?,
        id => vec![CompanyId::new(id)],
    };
    let companies = store::feed::list_by_ids(&mut conn, visit.organization_id(), &ids).await?;
    if companies.len() < ids.len() { Err(WebError::NotFound) } else { Ok(companies) }
}

/// Only the schedule: a sync that ends meanwhile changes a company and nothing of this.
fn seen_of(companies: &[Company]) -> String {
    let mut lines: Vec<String> =
        companies.iter().map(|company| format!("{} {} {:?}", company.id, company.interval_secs, company.freshness_secs)).collect();
    lines.sort();
    seen::tag(lines.join("\n").as_bytes())
}

/// What is there now, for whoever typed something else meanwhile.
fn changed(page: &SchedulePage, href: String) -> Changed {
    let or_several = |text: &str, unit: &str| if text.is_empty() { "the companies differ".to_owned() } else { format!("{text} {unit}") };
    let freshness = match page.target.as_str() {
        "own" => or_several(&page.freshness, "hours"),
        _ => format!("as the organization says, {} hours", page.organization_hours),
    };
    Changed::new(href).is("Sync every", or_several(&page.interval, "minutes")).is("Freshness target", freshness)
}

fn here(company: &str) -> Address {
    Address::new("/integrations/data-feed/schedule").with("company", company)
}

async fn page(app: &App, visit: &Visit, companies: &[Company], asked: &Asked) -> Result<SchedulePage, WebError> {
    let mut conn = app.engine.store.read().await?;
    let organization_secs = store::feed::freshness_target(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Place::DataFeed, "Schedule").await?;
    drop(conn);
    // what they have in common; nothing where they differ
    let same = |values: Vec<i64>| values.first().filter(|first| values.iter().all(|value| value == *first)).map(i64::to_string).unwrap_or_default();
    let own: Vec<i64> = companies.iter().filter_map(|company| company.freshness_secs).map(|secs| secs / 3_600).collect();
    Ok(SchedulePage {
        shell,
        names: companies.iter().map(|company| company.name.clone()).collect(),
        company: asked.get("company").to_owned(),
        interval: same(companies.iter().map(|company| company.interval_secs / 60).collect()),
        interval_error: None,
        target: if own.is_empty() { String::new() } else { "own".to_owned() },
        freshness: same(own),
        freshness_error: None,
        organization_hours: (organization_secs / 3_600).to_string(),
        organization_error: None,
        seen: seen_of(companies),
        organization_seen: seen::tag(organization_secs.to_string().as_bytes()),
        changed: None,
    })
}

/// GET /integrations/data-feed/schedule
pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let companies = chosen(&app, &visit, &asked).await?;
    if companies.is_empty() {
        return Ok(Flash::warn("No company is selected. Tick the companies to schedule first.").redirect(PATH));
    }
    visit.page(&page(&app, &visit, &companies, &asked).await?)
}

/// A whole number within its bounds, or what is wrong with it.
fn whole(text: &str, bounds: &std::ops::RangeInclusive<i64>, unit: &str) -> Result<i64, String> {
    let (least, most) = (bounds.start(), domain::money::grouped(*bounds.end()));
    match text.parse::<i64>() {
        Ok(number) if bounds.contains(&number) => Ok(number),
        _ => Err(format!("Enter a whole number of {unit} between {least} and {most}.")),
    }
}

/// POST /integrations/data-feed/schedule
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let companies = chosen(&app, &visit, &form).await?;
    if companies.is_empty() {
        return Ok(Flash::warn("No company is selected. Tick the companies to schedule first.").redirect(PATH));
    }
    let interval = whole(form.get("interval"), &INTERVAL_MINUTES, "minutes");
    let freshness = match form.get("target") {
        "own" => whole(form.get("freshness"), &FRESHNESS_HOURS, "hours").map(Some),
        _ => Ok(None),
    };
    match (interval, freshness) {
        (Ok(minutes), Ok(hours)) => {
            let ids: Vec<CompanyId> = companies.iter().map(|company| company.id.clone()).collect();
            let freshness_secs = hours.map(|hours| hours * 3_600);
            // a button that is pressed twice has changed nothing meanwhile
            let are_so =
                |now: &[Company]| now.iter().all(|company| (company.interval_secs, company.freshness_secs) == (minutes * 60, freshness_secs));
            let are_as_seen = |now: &[Company]| !seen::is_stale(&form, &seen_of(now)) || are_so(now);
            let set = engine::schedule::set_if(&app.engine, visit.organization_id(), &ids, minutes * 60, freshness_secs, are_as_seen).await?;
            let Some(set) = set else {
                let companies = chosen(&app, &visit, &form).await?;
                let mut page = page(&app, &visit, &companies, &form).await?;
                page.changed = Some(changed(&page, here(&page.company).to_string()));
                page.interval = form.get("interval").to_owned();
                (page.target, page.freshness) = (form.get("target").to_owned(), form.get("freshness").to_owned());
                return visit.page_with(StatusCode::CONFLICT, &page);
            };
            if form.get("company").is_empty() {
                selection::forget(&app, &visit).await?;
            }
            Ok(Flash::good(format!("Schedule of {} saved.", counted(set, "company", "companies"))).redirect(PATH))
        }
        (interval, freshness) => {
            let mut page = page(&app, &visit, &companies, &form).await?;
            (page.interval, page.interval_error) = (form.get("interval").to_owned(), interval.err());
            (page.target, page.freshness) = (form.get("target").to_owned(), form.get("freshness").to_owned());
            page.freshness_error = freshness.err();
            visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// POST /integrations/data-feed/freshness: the target of every company without one of its own.
pub async fn save_target(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let back = here(form.get("company")).to_string();
    let now = store::feed::freshness_target(&mut app.engine.store.read().await?, visit.organization_id()).await?;
    let is_stale = seen::is_stale(&form, &seen::tag(now.to_string().as_bytes()));
    match whole(form.get("organization_hours"), &FRESHNESS_HOURS, "hours") {
        Ok(hours) if is_stale && hours * 3_600 != now => {
            let companies = chosen(&app, &visit, &form).await?;
            let mut page = page(&app, &visit, &companies, &form).await?;
            page.changed = Some(Changed::new(back).is("Freshness target of the organization", format!("{} hours", page.organization_hours)));
            page.organization_hours = hours.to_string();
            visit.page_with(StatusCode::CONFLICT, &page)
        }
        Ok(hours) => {
            engine::schedule::set_target(&app.engine, visit.organization_id(), hours * 3_600).await?;
            Ok(Flash::good("Freshness target of the organization saved.").redirect(&back))
        }
        Err(error) => {
            let companies = chosen(&app, &visit, &form).await?;
            let mut page = page(&app, &visit, &companies, &form).await?;
            (page.organization_hours, page.organization_error) = (form.get("organization_hours").to_owned(), Some(error));
            visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // reliability.md 5.4, row 39
    #[test]
    fn an_interval_that_makes_no_sense_is_answered_with_its_bounds() {
        for wrong in ["0", "-1", "1", "1e9", "abc", "15.5", "", "99999999999999999999", "43201"] {
            let error = whole(wrong, &INTERVAL_MINUTES, "minutes").unwrap_err();
            assert_eq!(error, "Enter a whole number of minutes between 15 and 43,200.", "{wrong}");
        }
        assert_eq!(whole("15", &INTERVAL_MINUTES, "minutes"), Ok(15));
        assert_eq!(whole("43200", &INTERVAL_MINUTES, "minutes"), Ok(43_200));
    }
}
