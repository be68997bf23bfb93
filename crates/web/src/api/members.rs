//! Members: their roles, what each reads, and a link for a new password.
use super::answer::{List, Time};
use super::caller::Caller;
use super::error::{ApiError, FieldProblem};
use super::input::{Body, Ids, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::feed::row::account_name;
use axum::Json;
use axum::extract::State;
use domain::ids::{CompanyId, UserId};
use domain::organization::{Action, Role};
use engine::people::{self, Assignment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::readers::Reader;

const TAG: &str = "Members";
const MOST_CHANGES: usize = 1_000;

#[derive(Debug, Serialize, JsonSchema)]
pub struct Member {
    pub id: String,
    pub name: String,
    pub email: String,
    /// `owner`, `admin` or `member`.
    pub role: &'static str,
    pub joined_at: Time,
    pub last_seen_at: Option<Time>,
    /// Signing in asks for a code besides the password.
    pub second_factor: bool,
    /// What a Member reads; null: every company, as Owners and Admins do.
    pub companies: Option<Vec<String>>,
}

/// A member, with what hangs on them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MemberInFull {
    #[serde(flatten)]
    pub member: Member,
    /// Companies that are read through accounts this person connected. They stay connected when the person is removed.
    pub powers: Vec<Powered>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Powered {
    pub company_id: String,
    pub company: String,
    pub connection_id: String,
    pub connection: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRole {
    pub role: MemberRole,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    Owner,
    Admin,
    Member,
}

impl MemberRole {
    fn role(self) -> Role {
        match self {
            MemberRole::Owner => Role::Owner,
            MemberRole::Admin => Role::Admin,
            MemberRole::Member => Role::Member,
        }
    }
}

/// A link that is handed over to one person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PasswordLink {
    /// Good for an hour, once; links made before end.
    pub url: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskAccess {
    /// 1 to 1,000; all are made or none.
    #[schemars(length(min = 1, max = 1_000))]
    pub changes: Vec<AskAssignment>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskAssignment {
    pub member_id: String,
    pub company_id: String,
    pub reads: bool,
}

/// How many of several things were changed; the others were so already.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Changed {
    pub changed: usize,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/members", "list_members", Action::ManageMembers, list)
            .told(TAG, "Members", "Everybody who belongs to the organization, by name.")
            .takes_query::<Nothing>()
            .answers::<List<Member>>(),
        Operation::get("/members/{id}", "get_member", Action::ManageMembers, show)
            .told(TAG, "One member", "With the companies that are read through accounts this person connected.")
            .takes_query::<Nothing>()
            .answers::<MemberInFull>(),
        Operation::post("/members/{id}/role", "set_member_role", Action::ManageMembers, set_role)
            .told(
                TAG,
                "Give a member another role",
                "It holds for that person's very next request. Owners are made by Owners only, in the pages: no key acts as one.",
            )
            .takes::<AskRole>(json!({ "role": "admin" }))
            .answers::<Member>(),
        Operation::post("/members/{id}/password-link", "make_password_link", Action::ManageMembers, make_password_link)
            .told(TAG, "Make a link for a new password", "For handing over. It is refused for somebody who belongs to other organizations too.")
            .answers::<PasswordLink>(),
        Operation::delete("/members/{id}", "remove_member", Action::ManageMembers, remove)
            .told(
                TAG,
                "Remove a member",
                "Sessions and keys of that person end at once; accounts they connected stay. The last Owner is refused with 409.",
            )
            .refuses(axum::http::StatusCode::CONFLICT)
            .answers::<Member>(),
        Operation::post("/members/access", "set_access", Action::ManageMembers, set_access)
            .told(TAG, "Assign companies to Members", "What each Member reads stands in `companies` of the member. All changes are made, or none.")
            .takes::<AskAccess>(json!({ "changes": [
                { "member_id": "0197a1c2d3e4f5061728394a5b6c7d8e", "company_id": "0197a1c2d3e4f5061728394a5b6c7d8f", "reads": true },
            ] }))
            .answers::<Changed>(),
    ]
}

fn shown(member: store::members::Member, assigned: &BTreeSet<(UserId, CompanyId)>) -> Member {
    let reads = || assigned.iter().filter(|(user, _)| *user == member.user_id).map(|(_, company)| company.0.clone()).collect();
    Member {
        companies: (member.role == Role::Member).then(reads),
        id: member.user_id.0,
        name: member.name,
        email: member.email,
        role: member.role.as_str(),
        joined_at: Time(member.joined_at),
        last_seen_at: member.seen_at.map(Time),
        second_factor: member.has_second_factor,
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Member>>, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let assigned = store::readers::list_all(&mut conn, &caller.organization_id).await?;
    let members = store::members::list(&mut conn, &caller.organization_id).await?;
    Ok(Json(List { data: members.into_iter().map(|member| shown(member, &assigned)).collect(), next_cursor: None }))
}

async fn find(app: &App, caller: &Caller, id: &UserId) -> Result<Member, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let assigned = store::readers::list_all(&mut conn, &caller.organization_id).await?;
    let members = store::members::list(&mut conn, &caller.organization_id).await?;
    members.into_iter().find(|member| member.user_id == *id).map(|member| shown(member, &assigned)).ok_or(ApiError::NotFound)
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<MemberInFull>, ApiError> {
    let member = find(&app, &caller, &ids.member()).await?;
    let powers = store::companies::list_powered_by(&mut app.engine.store.read().await?, &caller.organization_id, &ids.member()).await?;
    let powered = |company: store::companies::Company| Powered {
        connection: account_name(&company.connection_name, &company.connection_email),
        connection_id: company.connection_id.0,
        company_id: company.id.0,
        company: company.name,
    };
    Ok(Json(MemberInFull { member, powers: powers.into_iter().map(powered).collect() }))
}

async fn set_role(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskRole>) -> Result<Json<Member>, ApiError> {
    caller.is_unconfined()?;
    people::set_role(&app.engine, &caller.actor(), &ids.member(), asked.role.role()).await?;
    Ok(Json(find(&app, &caller, &ids.member()).await?))
}

async fn make_password_link(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<PasswordLink>, ApiError> {
    caller.is_unconfined()?;
    let url = people::passwords::make_link_for(&app.engine, &caller.actor(), &ids.member()).await?;
    Ok(Json(PasswordLink { url: url.to_string() }))
}

async fn remove(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Member>, ApiError> {
    let member = find(&app, &caller, &ids.member()).await?;
    people::remove(&app.engine, &caller.actor(), &ids.member()).await?;
    Ok(Json(member))
}

async fn set_access(State(app): State<App>, caller: Caller, Body(asked): Body<AskAccess>) -> Result<Json<Changed>, ApiError> {
    caller.is_unconfined()?;
    if asked.changes.is_empty() || asked.changes.len() > MOST_CHANGES {
        return Err(ApiError::field("changes", "expected 1 to 1,000 changes"));
    }
    let mut conn = app.engine.store.read().await?;
    let members = store::members::list(&mut conn, &caller.organization_id).await?;
    let roles: BTreeMap<UserId, Role> = members.into_iter().map(|member| (member.user_id, member.role)).collect();
    let companies = store::companies::list_names(&mut conn, &caller.organization_id, &Reader::Everything).await?;
    let companies: BTreeSet<CompanyId> = companies.into_iter().map(|company| company.id).collect();
    drop(conn);
    let (mut changes, mut wrong, mut named) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (at, AskAssignment { member_id, company_id, reads }) in asked.changes.into_iter().enumerate() {
        let change = Assignment { user_id: UserId(member_id), company_id: CompanyId(company_id), reads };
        let mut fault =
            |field: &str, message: &str| wrong.push(FieldProblem { field: format!("changes[{at}].{field}"), message: message.to_owned() });
        match roles.get(&change.user_id) {
            None => fault("member_id", "unknown in this organization"),
            Some(Role::Member) => {}
            Some(_) => fault("member_id", "an Owner or Admin, who reads every company"),
        }
        if !companies.contains(&change.company_id) {
            fault("company_id", "unknown in this organization");
        }
        if !named.insert((change.user_id.clone(), change.company_id.clone())) {
            fault("company_id", "named twice for this member");
        }
        changes.push(change);
    }
    if !wrong.is_empty() {
        return Err(ApiError::Unprocessable(wrong));
    }
    Ok(Json(Changed { changed: people::assign(&app.engine, &caller.actor(), &changes).await? }))
}
