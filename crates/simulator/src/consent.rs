//! Stands in for the person at a consent page: approves an authorization without a browser. The demo uses it; everything after the redirect is the
//! ordinary flow.
use crate::sandbox::Sandbox;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;
use url::Url;

/// Why nothing came back.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the sandbox's consent page answered {status} instead of a redirect")]
pub struct NotApproved {
    pub status: StatusCode,
}

/// Visits the authorize address and approves for these companies (none: the page's own choice): the address the browser is sent back to.
pub async fn approve(sandbox: &Sandbox, authorize: &Url, companies: &[String]) -> Result<Url, NotApproved> {
    let mut address = authorize.clone();
    address.query_pairs_mut().append_pair("auto", "approve");
    if !companies.is_empty() {
        address.query_pairs_mut().append_pair("company", &companies.join(","));
    }
    let path = format!("{}?{}", address.path(), address.query().unwrap_or_default());
    let request = Request::get(path).body(Body::empty()).expect("an address is a request");
    let answer = match crate::server::router(sandbox.clone()).oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    answer
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| Url::parse(location).ok())
        .ok_or(NotApproved { status: answer.status() })
}
