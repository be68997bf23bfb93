//! `/connections`: the tenants a user has connected to an app.
//!
//! Contract: providers/xero.md section 2; conformance facts 17 to 23.
use super::frame::{self, answer_instead, bearer, begin};
use super::lists::Parameters;
use super::refusal::{self, Refusal};
use super::wire::dates;
use super::wire::json::{Object, array};
use crate::books::Face;
use crate::faults::{self, Fault};
use crate::sandbox::Sandbox;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// `GET /connections`: a bare array, no tenant header, no envelope.
pub async fn list(State(sandbox): State<Sandbox>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer(&sandbox, &method, "connections", &uri, &headers, |access, sandbox| {
        let wanted = Parameters::read(uri.query().unwrap_or_default()).get("autheventid").map(str::to_ascii_lowercase);
        let connections: Vec<String> = sandbox.read(|state| {
            state
                .grants
                .xero_connections
                .iter()
                .filter(|c| c.user_id == access.user_id && c.client_id == access.client_id)
                .filter(|c| wanted.as_ref().is_none_or(|wanted| c.auth_event_id == *wanted))
                .filter_map(|c| state.companies.get(&c.tenant_id).map(|books| (c, books)))
                .map(|(c, books)| {
                    Object::new()
                        .text("id", &c.id)
                        .text("authEventId", &c.auth_event_id)
                        .text("tenantId", &c.tenant_id)
                        .text("tenantType", "ORGANISATION")
                        .text("tenantName", &books.name)
                        .text("createdDateUtc", &dates::connection_time(c.created_at))
                        .text("updatedDateUtc", &dates::connection_time(c.updated_at))
                        .end()
                })
                .collect()
        });
        refusal::json(200, array(&connections))
    })
    .await
}

/// `DELETE /connections/{id}`: 204; 404 when this user has no such connection.
pub async fn delete(State(sandbox): State<Sandbox>, Path(id): Path<String>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer(&sandbox, &method, "connections/{id}", &uri, &headers, |access, sandbox| {
        let id = id.trim_end_matches('/');
        let removed = sandbox.write(|state| {
            let connections = &mut state.grants.xero_connections;
            let before = connections.len();
            connections.retain(|c| !c.id.eq_ignore_ascii_case(id) || c.user_id != access.user_id || c.client_id != access.client_id);
            before != connections.len()
        });
        if removed { StatusCode::NO_CONTENT.into_response() } else { Refusal::NotFound.into_response() }
    })
    .await
}

/// The frame of a call without tenant: of the remaining-count headers only the app's comes back.
async fn answer(
    sandbox: &Sandbox,
    method: &Method,
    counted: &str,
    uri: &Uri,
    headers: &HeaderMap,
    work: impl FnOnce(crate::oauth::Access, &Sandbox) -> Response,
) -> Response {
    let fault = begin(sandbox, method, counted, "", uri);
    if let Some(refused) = fault.as_ref().and_then(answer_instead) {
        return frame::marked(refused, None);
    }
    if let Some(Fault::Delay { ms }) = fault {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
    let now = sandbox.clock.now();
    let access = match bearer(sandbox, headers, now) {
        Ok(access) => access,
        Err(refused) => return frame::marked(refused.into_response(), None),
    };
    let remaining = match sandbox.write(|state| state.limits.admit(Face::Xero, "", &access.client_id, sandbox.clock.now())) {
        Ok(remaining) => remaining,
        Err(limit) => return frame::marked(Refusal::Limited(limit).into_response(), None),
    };
    let mut response = work(access, sandbox);
    response.headers_mut().insert("x-appminlimit-remaining", HeaderValue::from(remaining.app_minute));
    if fault == Some(Fault::LoseAnswer) {
        return faults::broken_connection();
    }
    frame::marked(response, None)
}
