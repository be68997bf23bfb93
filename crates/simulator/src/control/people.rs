//! Control of who uses the providers: apps with their tiers, people with what they may see.
use super::{Answer, Problem, body, json};
use crate::apps::{App, Tier, User};
use crate::books::Face;
use crate::oauth::random_guid;
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as object};

fn app_shown(app: &App) -> Value {
    let mut shown = object!({"face": app.face, "client_id": app.client_id, "redirect_uris": app.redirect_uris});
    if app.face == Face::Xero {
        let tier = object!({"tier": app.tier, "certified": app.is_certified, "granular_only": app.granular_only, "rapid_sync": app.rapid_sync});
        if let (Value::Object(shown), Value::Object(tier)) = (&mut shown, tier) {
            shown.extend(tier);
        }
    }
    shown
}

pub async fn apps(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| object!({"apps": state.apps.iter().map(app_shown).collect::<Vec<_>>()})))
}

/// A new app, or a known one (by face and client id) with what is given changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedApp {
    face: Face,
    client_id: String,
    client_secret: Option<String>,
    redirect_uris: Option<Vec<String>>,
    tier: Option<Tier>,
    certified: Option<bool>,
    granular_only: Option<bool>,
    rapid_sync: Option<bool>,
}

pub async fn put_app(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: WantedApp = body::read(&bytes)?;
    if wanted.client_id.trim().is_empty() {
        return Err(Problem::bad("client_id must not be empty"));
    }
    let of_xero = wanted.tier.is_some() || wanted.certified.is_some() || wanted.granular_only.is_some() || wanted.rapid_sync.is_some();
    if wanted.face == Face::QuickBooks && of_xero {
        return Err(Problem::bad("tier, certified, granular_only and rapid_sync are of Xero apps"));
    }
    sandbox.write(|state| {
        let known = state.apps.iter().position(|app| app.face == wanted.face && app.client_id == wanted.client_id);
        let mut app = known.map_or_else(|| App { client_id: wanted.client_id.clone(), ..App::standard(wanted.face) }, |at| state.apps[at].clone());
        app.client_secret = wanted.client_secret.unwrap_or(app.client_secret);
        app.redirect_uris = wanted.redirect_uris.unwrap_or(app.redirect_uris);
        // a tier brings or takes the certification, unless that is said as well
        app.is_certified = wanted.certified.or(wanted.tier.map(Tier::is_certified)).unwrap_or(app.is_certified);
        app.tier = wanted.tier.unwrap_or(app.tier);
        app.granular_only = wanted.granular_only.unwrap_or(app.granular_only);
        app.rapid_sync = wanted.rapid_sync.unwrap_or(app.rapid_sync);
        let answer = json(app_shown(&app));
        match known {
            Some(at) => state.apps[at] = app,
            None => state.apps.push(app),
        }
        answer
    })
}

fn user_shown(user: &User) -> Value {
    object!({
        "id": user.id,
        "email": user.email,
        "given_name": user.given_name,
        "family_name": user.family_name,
        "companies": user.companies,
        "sees_reports": user.sees_reports,
    })
}

pub async fn users(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| object!({"users": state.users.iter().map(user_shown).collect::<Vec<_>>()})))
}

/// A new person, or a known one (by e-mail address) with what is given changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedUser {
    email: String,
    given_name: Option<String>,
    family_name: Option<String>,
    /// Ids or names; empty: all.
    companies: Option<Vec<String>>,
    sees_reports: Option<bool>,
}

pub async fn put_user(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: WantedUser = body::read(&bytes)?;
    if !wanted.email.contains('@') {
        return Err(Problem::bad("email must be an e-mail address"));
    }
    sandbox.write(|state| {
        let companies = match &wanted.companies {
            Some(named) => Some(named.iter().map(|name| super::behaviour::company_id(state, name)).collect::<Result<Vec<_>, _>>()?),
            None => None,
        };
        let known = state.users.iter().position(|user| user.email.eq_ignore_ascii_case(&wanted.email));
        let mut user = known.map_or_else(|| User::new(random_guid(), wanted.email.clone(), "Sandbox", "Visitor"), |at| state.users[at].clone());
        user.given_name = wanted.given_name.unwrap_or(user.given_name);
        user.family_name = wanted.family_name.unwrap_or(user.family_name);
        user.companies = companies.unwrap_or(user.companies);
        user.sees_reports = wanted.sees_reports.unwrap_or(user.sees_reports);
        let answer = json(user_shown(&user));
        match known {
            Some(at) => state.users[at] = user,
            None => state.users.push(user),
        }
        answer
    })
}
