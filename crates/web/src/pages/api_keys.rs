//! Keys of the JSON API: who made them, what they reach, when they were used last; making and revoking them.
use crate::app::App;
use crate::auth::api_keys::{self, DAYS, Refusal, Wanted};
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::confirm_person;
use crate::parts::address::Asked;
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{ApiKeyId, CompanyId};
use domain::organization::{KeyAccess, Role};
use store::readers::Reader;

const PATH: &str = "/organization/api-keys";

pub struct KeyRow {
    pub id: String,
    pub name: String,
    pub prefix: String,
    pub role: &'static str,
    pub access: &'static str,
    /// `all companies`, `3 companies`.
    pub reach: String,
    pub maker: String,
    pub last_used: Option<Moment>,
    pub expires: Option<Moment>,
    /// Why it no longer works.
    pub ended: Option<&'static str>,
    pub exposed: bool,
}

pub struct CompanyChoice {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

/// What the form says, as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub name: String,
    pub role: String,
    pub access: String,
    pub days: String,
    pub companies: Vec<String>,
}

#[derive(Template)]
#[template(path = "pages/api_keys.html")]
pub struct ApiKeysPage {
    pub shell: Shell,
    pub rows: Vec<KeyRow>,
    pub companies: Vec<CompanyChoice>,
    pub typed: Typed,
    pub refusal: Option<Refusal>,
    /// A secret that was just made: shown this once.
    pub secret: Option<String>,
    pub example: String,
}

impl ApiKeysPage {
    pub fn problem(&self, field: &str) -> Option<&str> {
        self.refusal.as_ref().filter(|refusal| refusal.field == field).map(|refusal| refusal.message.as_str())
    }
}

async fn page(app: &App, visit: &Visit, typed: Typed, refusal: Option<Refusal>, secret: Option<String>) -> Result<ApiKeysPage, WebError> {
    let now_ms = visit.now.as_millisecond();
    let mut conn = app.engine.store.read().await?;
    let mut rows = Vec::new();
    for key in store::api_keys::list(&mut conn, visit.organization_id()).await? {
        let reach = match store::api_keys::companies(&mut conn, &key.id).await? {
            None => "all companies".to_owned(),
            Some(companies) => crate::parts::figures::counted(companies.len() as i64, "company", "companies"),
        };
        let ended = match (key.revoked_at, key.expires_at.is_some_and(|at| at <= now_ms), key.creator_role) {
            (Some(_), ..) => Some("revoked"),
            (None, true, _) => Some("expired"),
            (None, false, None) => Some("its maker has left"),
            (None, false, Some(_)) => None,
        };
        rows.push(KeyRow {
            id: key.id.0,
            name: key.name,
            prefix: key.prefix,
            role: key.role.label(),
            access: if key.access == KeyAccess::Write { "reads and acts" } else { "reads" },
            reach,
            maker: key.creator_name,
            last_used: key.last_used_at.map(|at| Moment::relative(at, visit.now, &visit.zone)),
            expires: key.expires_at.map(|at| Moment::relative(at, visit.now, &visit.zone)),
            ended,
            exposed: key.exposed_at.is_some(),
        });
    }
    let companies = store::companies::list_names(&mut conn, visit.organization_id(), &Reader::Everything)
        .await?
        .into_iter()
        .filter(|company| company.linked_at.is_some());
    let companies =
        companies.map(|company| CompanyChoice { chosen: typed.companies.contains(&company.id.0), id: company.id.0, name: company.name }).collect();
    let shell = visit.shell(&mut conn, Place::ApiKeys, "API keys").await?;
    let shown = secret.as_deref().unwrap_or("tieout_...");
    let example = format!("curl -H \"Authorization: Bearer {shown}\" {}/api/v1/companies", app.options.origin());
    Ok(ApiKeysPage { shell, rows, companies, typed, refusal, secret, example })
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let typed = Typed { role: "admin".into(), access: "read".into(), days: DAYS.to_string(), ..Typed::default() };
    visit.page(&page(&app, &visit, typed, None, None).await?)
}

/// POST: makes a key. The answer shows its secret, so it is a page and no redirect: the secret is never put into a cookie or an address.
pub async fn create(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    if let Some(page) = confirm_person::before(&app, &visit, "Making an API key", &form, PATH).await? {
        return Ok(page);
    }
    let form = Asked::parse(&form);
    let typed = Typed {
        name: form.get("name").to_owned(),
        role: form.get("role").to_owned(),
        access: form.get("access").to_owned(),
        days: form.get("days").to_owned(),
        companies: form.all("company").map(str::to_owned).collect(),
    };
    let made = match wanted(&app, &typed) {
        Ok(wanted) => api_keys::make(&app, visit.organization_id(), visit.user_id(), visit.role(), &wanted).await?,
        Err(refusal) => Err(refusal),
    };
    match made {
        Ok(made) => {
            let fresh = Typed { role: "admin".into(), access: "read".into(), days: DAYS.to_string(), ..Typed::default() };
            visit.page(&page(&app, &visit, fresh, None, Some(made.secret)).await?)
        }
        Err(refusal) => visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&app, &visit, typed, Some(refusal), None).await?),
    }
}

fn wanted(app: &App, typed: &Typed) -> Result<Wanted, Refusal> {
    let refuse = |field, message: &str| Refusal { field, message: message.to_owned() };
    if typed.name.is_empty() || typed.name.chars().count() > 200 || typed.name.chars().any(char::is_control) {
        return Err(refuse("name", "Give the key a name of at most 200 characters, so that you know later what it is for."));
    }
    let days: i64 = typed.days.parse().ok().filter(|days| (1..=366).contains(days)).ok_or_else(|| refuse("days", "Choose 1 to 366 days."))?;
    let role = Role::parse(&typed.role).filter(|role| *role < Role::Owner).ok_or_else(|| refuse("role", "Choose Member or Admin."))?;
    if role == Role::Member && typed.companies.is_empty() {
        return Err(refuse("companies", "A Member's key reaches only the companies it names. Choose at least one."));
    }
    Ok(Wanted {
        name: typed.name.clone(),
        role,
        access: KeyAccess::parse(&typed.access).ok_or_else(|| refuse("access", "Choose whether the key may act."))?,
        companies: typed.companies.iter().map(CompanyId::new).collect(),
        expires_at: Some(app.engine.now_ms() + days * 86_400_000),
    })
}

/// POST: revokes a key.
pub async fn revoke(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let id = ApiKeyId::new(id);
    let mut tx = app.engine.store.begin().await?;
    let key = store::api_keys::find(&mut tx, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let revoked = api_keys::revoke(&app, &mut tx, &key).await?;
    tx.commit().await?;
    let flash = match revoked {
        true => Flash::good(format!("{} is revoked. Its next request is refused.", key.name)),
        false => Flash::warn(format!("{} was revoked already.", key.name)),
    };
    Ok(flash.redirect(PATH))
}
