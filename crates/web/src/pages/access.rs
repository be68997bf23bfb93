//! Organization, Members, Internal Access: which Member reads which company, as a matrix.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::members::{Tabs, actor};
use crate::parts::address::{Address, Asked};
use crate::parts::figures::counted;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::response::Response;
use domain::ids::{CompanyId, UserId};
use domain::organization::Role;
use engine::people::{self, Assignment};
use std::collections::{BTreeMap, BTreeSet};
use store::companies::Named;
use store::members::Member;
use store::readers::Reader;

pub const PATH: &str = "/organization/access";
const COMPANIES_ON_A_PAGE: usize = 50;
const PEOPLE_ON_A_PAGE: usize = 6;

/// A column: one person.
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: &'static str,
    /// Owners and Admins read everything.
    pub locked: bool,
    /// "sees 3 of 12"
    pub sees: String,
}

/// One box of the matrix.
pub struct Cell {
    pub value: String,
    pub label: String,
    pub checked: bool,
    pub locked: bool,
}

/// A line: one company.
pub struct Row {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "pages/access.html")]
pub struct AccessPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub organization_id: String,
    pub people: Vec<Person>,
    pub rows: Vec<Row>,
    pub search: String,
    pub who: String,
    pub provider: String,
    /// Companies the filter finds, over all pages.
    pub found: String,
    pub companies: usize,
    pub members: usize,
    pub address: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub fewer: Option<String>,
    pub more: Option<String>,
    /// "1 to 50 of 1,204 companies"
    pub shown: String,
}

/// What the filter says.
struct Filter {
    search: String,
    who: String,
    provider: String,
}

impl Filter {
    fn of(asked: &Asked) -> Filter {
        Filter {
            search: asked.get("q").to_owned(),
            who: asked.get("who").to_owned(),
            provider: asked.one_of("provider", &["quickbooks", "xero"]).to_owned(),
        }
    }
    fn address(&self) -> Address {
        Address::new(PATH).with("q", &self.search).with("who", &self.who).with("provider", &self.provider)
    }
    fn has_company(&self, company: &Named) -> bool {
        company.linked_at.is_some()
            && company.name.to_lowercase().contains(&self.search.to_lowercase())
            && (self.provider.is_empty() || self.provider == company.provider)
    }
    fn has_person(&self, member: &Member) -> bool {
        let who = self.who.to_lowercase();
        member.name.to_lowercase().contains(&who) || member.email.contains(&who)
    }
}

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let filter = Filter::of(&asked);
    let organization_id = visit.organization_id();
    let mut conn = app.engine.store.read().await?;
    let mut members = store::members::list(&mut conn, organization_id).await?;
    let all = store::companies::list_names(&mut conn, organization_id, &Reader::Everything).await?;
    let assigned = store::readers::list_all(&mut conn, organization_id).await?;
    let invitations = store::invitations::list_open(&mut conn, organization_id).await?.len();
    let shell = visit.shell(&mut conn, Place::Members, "Internal Access").await?;
    drop(conn);
    let count = members.len();
    let mut companies: Vec<&Named> = all.iter().filter(|company| filter.has_company(company)).collect();
    companies.sort_by_cached_key(|company| company.name.to_lowercase());
    let mut sees: BTreeMap<&UserId, usize> = BTreeMap::new();
    let linked_ids: BTreeSet<&CompanyId> = all.iter().filter(|company| company.linked_at.is_some()).map(|company| &company.id).collect();
    for (user_id, company_id) in &assigned {
        if linked_ids.contains(company_id) {
            *sees.entry(user_id).or_default() += 1;
        }
    }
    // those whose access can be changed come first
    members.retain(|member| filter.has_person(member));
    members.sort_by_cached_key(|member| (member.role, member.name.to_lowercase()));
    let page: usize = asked.get("page").parse().unwrap_or(1).max(1);
    let column: usize = asked.get("people").parse().unwrap_or(1).max(1);
    let (first, first_person) = ((page - 1).saturating_mul(COMPANIES_ON_A_PAGE), (column - 1).saturating_mul(PEOPLE_ON_A_PAGE));
    let shown_companies: Vec<&Named> = companies.iter().copied().skip(first).take(COMPANIES_ON_A_PAGE).collect();
    let shown_people: Vec<&Member> = members.iter().skip(first_person).take(PEOPLE_ON_A_PAGE).collect();
    let address = filter.address();
    let at = |page: usize, column: usize| {
        let number = |value: usize| if value > 1 { value.to_string() } else { String::new() };
        address.with("page", number(page)).with("people", number(column)).to_string()
    };
    let rows = shown_companies.iter().map(|company| row(company, &shown_people, &assigned)).collect();
    visit.page(&AccessPage {
        tabs: Tabs { at: "access", members: count, invitations },
        organization_id: organization_id.0.clone(),
        people: shown_people
            .iter()
            .map(|member| Person {
                id: member.user_id.0.clone(),
                name: member.name.clone(),
                email: member.email.clone(),
                role: member.role.label(),
                locked: member.role != Role::Member,
                sees: match member.role {
                    Role::Member => format!("sees {} of {}", sees.get(&member.user_id).copied().unwrap_or(0), linked_ids.len()),
                    _ => "sees all".to_owned(),
                },
            })
            .collect(),
        rows,
        found: counted(companies.len(), "company", "companies"),
        companies: linked_ids.len(),
        members: members.len(),
        address: at(page, column),
        previous: (page > 1).then(|| at(page - 1, column)),
        next: (companies.len() > first + shown_companies.len()).then(|| at(page + 1, column)),
        fewer: (column > 1).then(|| at(page, column - 1)),
        more: (members.len() > first_person + shown_people.len()).then(|| at(page, column + 1)),
        shown: match shown_companies.len() {
            0 => "no company".to_owned(),
            shown => format!("{} to {} of {}", first + 1, first + shown, counted(companies.len(), "company", "companies")),
        },
        search: filter.search,
        who: filter.who,
        provider: filter.provider,
        shell,
    })
}

fn row(company: &Named, people: &[&Member], assigned: &BTreeSet<(UserId, CompanyId)>) -> Row {
    let cells = people
        .iter()
        .map(|member| Cell {
            value: format!("{}:{}", member.user_id, company.id),
            label: format!("{} reads {}", member.name, company.name),
            checked: member.role != Role::Member || assigned.contains(&(member.user_id.clone(), company.id.clone())),
            locked: member.role != Role::Member,
        })
        .collect();
    Row { id: company.id.0.clone(), name: company.name.clone(), provider: company.provider.clone(), cells }
}

/// POST: what was ticked and unticked since the page was drawn; or, with `all` or `none`, everything the filter finds for one person. What somebody
/// else changed meanwhile, in boxes that were not touched, stays.
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let text = form;
    let form = Asked::parse(&text);
    visit.check_organization(&form)?;
    let back = form.back(PATH).to_owned();
    let changes = match (form.get("all"), form.get("none")) {
        ("", "") => ticked(&form),
        ("", person) => whole(&app, &visit, person, false, &form).await?,
        (person, _) => whole(&app, &visit, person, true, &form).await?,
    };
    let changed = people::assign(&app.engine, &actor(&visit), &changes).await?;
    let flash = match changed {
        0 => Flash::good("Nothing was changed."),
        changed => Flash::good(format!("{} saved, effective now.", counted(changed, "change", "changes"))),
    };
    Ok(flash.redirect(&back))
}

fn ticked(form: &Asked) -> Vec<Assignment> {
    let pairs = |name| -> BTreeSet<(String, String)> {
        form.all(name).filter_map(|value| value.split_once(':')).map(|(user, company)| (user.to_owned(), company.to_owned())).collect()
    };
    let (before, now) = (pairs("had"), pairs("reads"));
    let change = |(user, company): &(String, String), reads| Assignment {
        user_id: UserId::new(user.clone()),
        company_id: CompanyId::new(company.clone()),
        reads,
    };
    now.difference(&before).map(|pair| change(pair, true)).chain(before.difference(&now).map(|pair| change(pair, false))).collect()
}

async fn whole(app: &App, visit: &Visit, person: &str, reads: bool, form: &Asked) -> Result<Vec<Assignment>, WebError> {
    let filter = Filter::of(form);
    let companies = store::companies::list_names(&mut app.engine.store.read().await?, visit.organization_id(), &Reader::Everything).await?;
    let found = companies.into_iter().filter(|company| filter.has_company(company));
    Ok(found.map(|company| Assignment { user_id: UserId::new(person), company_id: company.id, reads }).collect())
}
