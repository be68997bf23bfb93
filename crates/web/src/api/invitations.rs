//! Invitations that are open: made, sent again, cancelled.
use super::answer::{List, Time};
use super::api_keys::RoleWord;
use super::caller::Caller;
use super::error::{ApiError, FieldProblem};
use super::input::{Body, Ids, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::parts::fields;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::CompanyId;
use domain::organization::{Action, Role};
use engine::people::invitations::{self, MOST_AT_ONCE, Obstacle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::readers::Reader;

const TAG: &str = "Invitations";

#[derive(Debug, Serialize, JsonSchema)]
pub struct Invitation {
    pub id: String,
    pub email: String,
    /// `admin` or `member`.
    pub role: &'static str,
    /// What a Member reads from the first day on.
    pub companies: Vec<String>,
    /// Who invited, by name.
    pub invited_by: String,
    pub sent_at: Time,
    pub expires_at: Time,
    pub is_expired: bool,
    /// For handing over where the server sends no mail. Only the invited address can use it.
    pub url: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskInvitations {
    /// 1 to 50 addresses; all are invited or none.
    #[schemars(length(min = 1, max = 50))]
    pub emails: Vec<String>,
    pub role: RoleWord,
    /// For Members only.
    #[serde(default)]
    pub companies: Vec<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/invitations", "list_invitations", Action::ManageMembers, list)
            .told(TAG, "Open invitations", "The latest first, expired ones included: they can be sent again.")
            .takes_query::<Nothing>()
            .answers::<List<Invitation>>(),
        Operation::post("/invitations", "create_invitations", Action::ManageMembers, create)
            .told(TAG, "Invite people", "Every address is invited or none. Nobody is invited as an Owner.")
            .takes::<AskInvitations>(json!({ "emails": ["grace@birchwood.example"], "role": "member", "companies": [] }))
            .with_status(StatusCode::CREATED)
            .answers::<List<Invitation>>(),
        Operation::post("/invitations/{id}/resend", "resend_invitation", Action::ManageMembers, resend)
            .told(TAG, "Send an invitation again", "Its time begins again, and its link stays. One that has ended is refused with 409.")
            .answers::<Invitation>(),
        Operation::delete("/invitations/{id}", "cancel_invitation", Action::ManageMembers, cancel)
            .told(TAG, "Cancel an invitation", "Its link no longer works. One that has ended is refused with 409.")
            .refuses(StatusCode::CONFLICT)
            .answers::<Invitation>(),
    ]
}

fn shown(app: &App, caller: &Caller, invitation: store::invitations::Invitation) -> Result<Invitation, ApiError> {
    let url = invitations::link(&app.engine, &invitation)?.to_string();
    Ok(Invitation {
        url,
        is_expired: !invitation.is_valid(caller.now.as_millisecond()),
        id: invitation.id,
        email: invitation.email,
        role: invitation.role.as_str(),
        companies: invitation.company_ids.into_iter().map(|id| id.0).collect(),
        invited_by: invitation.invited_by,
        sent_at: Time(invitation.sent_at),
        expires_at: Time(invitation.expires_at),
    })
}

async fn open(app: &App, caller: &Caller) -> Result<Vec<Invitation>, ApiError> {
    let open = store::invitations::list_open(&mut app.engine.store.read().await?, &caller.organization_id).await?;
    open.into_iter().map(|invitation| shown(app, caller, invitation)).collect()
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Invitation>>, ApiError> {
    caller.is_unconfined()?;
    Ok(Json(List { data: open(&app, &caller).await?, next_cursor: None }))
}

async fn create(State(app): State<App>, caller: Caller, Body(asked): Body<AskInvitations>) -> Result<(StatusCode, Json<List<Invitation>>), ApiError> {
    caller.is_unconfined()?;
    if asked.emails.is_empty() || asked.emails.len() > MOST_AT_ONCE {
        return Err(ApiError::field("emails", format!("expected 1 to {MOST_AT_ONCE} addresses")));
    }
    let (mut emails, mut wrong): (Vec<String>, Vec<FieldProblem>) = (Vec::new(), Vec::new());
    let mut fault = |field: String, message: &str| wrong.push(FieldProblem { field, message: message.to_owned() });
    for (at, email) in asked.emails.iter().enumerate() {
        let email = email.trim().to_lowercase();
        if !fields::is_address(&email) {
            fault(format!("emails[{at}]"), "expected an address such as ada@example.com");
        } else if emails.contains(&email) {
            fault(format!("emails[{at}]"), "named twice");
        }
        emails.push(email);
    }
    let role = match asked.role {
        RoleWord::Member => Role::Member,
        RoleWord::Admin => Role::Admin,
    };
    let known = store::companies::list_names(&mut app.engine.store.read().await?, &caller.organization_id, &Reader::Everything).await?;
    for (at, id) in asked.companies.iter().enumerate() {
        if role != Role::Member {
            fault("companies".to_owned(), "an Admin reads every company: leave it out");
            break;
        }
        if !known.iter().any(|company| company.id.as_str() == id) {
            fault(format!("companies[{at}]"), "unknown in this organization");
        }
    }
    if !wrong.is_empty() {
        return Err(ApiError::Unprocessable(wrong));
    }
    let company_ids: Vec<CompanyId> = asked.companies.into_iter().map(CompanyId).collect();
    if let Err(obstacles) = invitations::invite(&app.engine, &caller.actor(), &emails, role, &company_ids).await? {
        let problem = |(email, obstacle): (String, Obstacle)| FieldProblem {
            field: format!("emails[{}]", emails.iter().position(|one| *one == email).unwrap_or_default()),
            message: match obstacle {
                Obstacle::Member => "is a member already".to_owned(),
                Obstacle::Invited => "is invited already; send that invitation again instead".to_owned(),
            },
        };
        return Err(ApiError::Unprocessable(obstacles.into_iter().map(problem).collect()));
    }
    let data = open(&app, &caller).await?.into_iter().filter(|invitation| emails.contains(&invitation.email)).collect();
    Ok((StatusCode::CREATED, Json(List { data, next_cursor: None })))
}

async fn resend(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Invitation>, ApiError> {
    caller.is_unconfined()?;
    let sent = invitations::resend(&app.engine, &caller.actor(), ids.text("id")).await?;
    let renewed = store::invitations::find(&mut app.engine.store.read().await?, &caller.organization_id, &sent.id).await?;
    Ok(Json(shown(&app, &caller, renewed.ok_or(ApiError::NotFound)?)?))
}

async fn cancel(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Invitation>, ApiError> {
    caller.is_unconfined()?;
    let cancelled = invitations::cancel(&app.engine, &caller.actor(), ids.text("id")).await?;
    Ok(Json(shown(&app, &caller, cancelled)?))
}
