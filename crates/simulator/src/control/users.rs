//! People with a sign-in at the providers: the consent pages let the visitor be one of them.
use super::behaviour::company_id;
use super::{Answer, Problem, body, json};
use crate::oauth::random_guid;
use crate::sandbox::{Sandbox, User};
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json as object;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    email: String,
    given_name: String,
    family_name: String,
    /// Ids or names; none is every company.
    #[serde(default)]
    companies: Vec<String>,
}

pub async fn users(State(sandbox): State<Sandbox>) -> Answer {
    let users: Vec<_> = sandbox.read(|state| {
        let of = |user: &User| object!({"id": user.id, "email": user.email, "given_name": user.given_name, "family_name": user.family_name, "companies": user.companies});
        state.users.iter().map(of).collect()
    });
    json(object!({"users": users}))
}

pub async fn add_user(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: NewUser = body::read(&bytes)?;
    if !wanted.email.contains('@') {
        return Err(Problem::bad(format!("{} is no e-mail address", wanted.email)));
    }
    sandbox.write(|state| {
        if state.users.iter().any(|user| user.email.eq_ignore_ascii_case(&wanted.email)) {
            return Err(Problem::bad(format!("there is a user {} already", wanted.email)));
        }
        let companies = wanted.companies.iter().map(|company| company_id(state, company)).collect::<Result<Vec<_>, _>>()?;
        let user = User { id: random_guid(), email: wanted.email, given_name: wanted.given_name, family_name: wanted.family_name, companies };
        state.users.push(user);
        Ok(())
    })?;
    users(State(sandbox)).await
}
