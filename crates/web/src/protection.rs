//! What stands between the site and a hostile page: where forms may come from, which names it answers to, and the headers of every answer.
use crate::app::App;
use crate::error::WebError;
use crate::pages::send_again;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::timeout;
use url::{Host, Url};

/// An own path to go on to: never another site, whatever is written.
pub fn is_own_path(text: &str) -> bool {
    let clean = text.len() <= 2_000 && text.bytes().all(|byte| byte > b' ' && byte < 0x7f && byte != b'\\');
    if !clean || !text.starts_with('/') || text.starts_with("//") {
        return false;
    }
    let base = Url::parse("https://tieout.invalid").expect("a constant address");
    base.join(text).is_ok_and(|url| url.origin() == base.origin() && url.username().is_empty())
}

/// Unsafe methods count only when a page of this site sent them (OWASP, "Cross-Site Request Forgery Prevention": fetch metadata, then `Origin`).
pub async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) || is_same_origin(request.headers(), &app.options.origin()) {
        return next.run(request).await;
    }
    let typed = if is_of_another_site(request.headers(), &app.options.public_url) { Vec::new() } else { send_again::typed(request).await };
    WebError::ForeignForm { typed }.into_response()
}

/// It says so itself. Nothing of it is shown on a page of ours; what only fails to say where it comes from may be a person's own work.
fn is_of_another_site(headers: &HeaderMap, own: &Url) -> bool {
    let is_other = |origin: &HeaderValue| {
        let origin = origin.to_str().unwrap_or("");
        origin != "null" && Url::parse(origin).ok().is_none_or(|origin| origin.host() != own.host())
    };
    headers.get_all("sec-fetch-site").iter().any(|site| site == "cross-site") || headers.get_all("origin").iter().any(is_other)
}

fn is_same_origin(headers: &HeaderMap, own: &str) -> bool {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        (values.next().map(|value| value.to_str().unwrap_or("")), values.next().is_some())
    };
    match (one("sec-fetch-site"), one("origin")) {
        ((_, true), _) | (_, (_, true)) => false,
        // a browser that says where the form came from is believed; a page with `Referrer-Policy: no-referrer` (setup, sign-in link) sends `Origin: null`
        ((Some("same-origin"), _), _) => true,
        ((Some(_), _), _) => false,
        ((None, _), (Some(origin), _)) => origin == own,
        // neither header: no browser of today; a request that carries a session must say where it comes from
        ((None, _), (None, _)) => !headers.contains_key(header::COOKIE),
    }
}

/// The site answers to its own name only: cookies, links and the callback all use it.
pub async fn host(State(app): State<App>, request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or("?").to_owned());
    let path = request.uri().path();
    let Some(asked) = asked.filter(|_| path != "/healthz" && path != "/readyz") else { return next.run(request).await };
    let own = &app.options.public_url;
    let Ok(url) = Url::parse(&format!("{}://{asked}", own.scheme())) else { return WebError::WrongHost(asked).into_response() };
    if url.host() == own.host() && url.port_or_known_default() == own.port_or_known_default() {
        return next.run(request).await;
    }
    // `localhost` and `127.0.0.1` are different sites to a browser: lead to the one whose cookies and callback are set up
    if is_loopback(&url)
        && is_loopback(own)
        && url.port_or_known_default() == own.port_or_known_default()
        && request.method() == Method::GET
        && !path.starts_with("/oauth/")
    {
        let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
        return (StatusCode::FOUND, [(header::LOCATION, format!("{}{address}", app.options.origin()))]).into_response();
    }
    WebError::WrongHost(asked.chars().take(80).collect()).into_response()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Sets the headers of every answer, errors and files included.
pub async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()");
    // pages hold a customer's affairs: nothing is kept by browsers or proxies between
    set("cache-control", "no-cache, no-store");
    if app.options.secure_cookies {
        set("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    let policy = policy(&app.options.authorize_origins);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'self'")));
    response
}

/// Nothing but our own files; forms may lead on to the providers' consent pages, because browsers apply `form-action` to redirects too.
fn policy(authorize_origins: &[String]) -> String {
    let mut policy = String::from(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    for origin in authorize_origins {
        policy.push(' ');
        policy.push_str(origin);
    }
    policy
}

/// A form or body that has not arrived after this is given up.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Forms and bodies arrive whole, soon, and are not large (`DefaultBodyLimit` says how large), before anybody looks at them.
pub async fn body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match timeout(BODY_TIME, Bytes::from_request(Request::from_parts(head.clone(), body), &())).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Ok(Err(_)) => WebError::Unreadable("What was sent broke off before its end".to_owned()).into_response(),
        Err(_) => WebError::TooSlow.into_response(),
    }
}

/// What is to be changed is changed to its end, though the browser goes away meanwhile: a closed connection drops the work of its request, and half of it
/// would be done. An account that was consented to would be lost between its code and its tokens.
pub async fn to_its_end(request: Request, next: Next) -> Response {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !request.uri().path().starts_with("/oauth/");
    if only_reads {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await.map_err(|failed| failed.try_into_panic()) {
        Ok(response) => response,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // the program ends
        Err(Err(_)) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Addresses of more than 8 KB are nobody's.
pub async fn limits(request: Request, next: Next) -> Response {
    if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > 8_192) {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_on_to() {
        for good in ["/", "/integrations", "/integrations/logs/all?status=error&page=2", "/companies/01ab#top", "/a//b"] {
            assert!(is_own_path(good), "{good}");
        }
        let bad = [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https:evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            " /x",
            "evil.example",
            "http:/x",
            "/x\r\nSet-Cookie: a=b",
            "data:text/html,x",
            "/\u{0}",
            "./x",
            "?x",
        ];
        for bad in bad {
            assert!(!is_own_path(bad), "{bad:?}");
        }
    }

    #[test]
    fn forms_of_other_sites_do_not_count() {
        let own = "https://books.example";
        let of = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_static(value));
            }
            is_same_origin(&headers, own)
        };
        assert!(of(&[("sec-fetch-site", "same-origin"), ("origin", own)]));
        assert!(of(&[("sec-fetch-site", "same-origin")]));
        assert!(of(&[("origin", own)]));
        assert!(of(&[]));
        assert!(!of(&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]));
        assert!(!of(&[("sec-fetch-site", "same-site"), ("origin", "https://other.books.example")]));
        assert!(!of(&[("sec-fetch-site", "none")]));
        assert!(!of(&[("origin", "null")]));
        assert!(of(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!of(&[("sec-fetch-site", "cross-site"), ("origin", "null")]));
        assert!(!of(&[("origin", "http://books.example")]));
        assert!(!of(&[("origin", own), ("origin", "https://evil.example")]));
        assert!(!of(&[("cookie", "tieout_session=x")]));
    }
}
