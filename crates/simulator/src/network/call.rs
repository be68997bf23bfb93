//! What a request is before any face looks at it: whose API, which company, whose token.
use crate::books::Face;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, header};

/// A request to one of the providers.
#[derive(Clone, Debug)]
pub struct Call {
    pub face: Face,
    pub method: Method,
    /// Path and query as sent.
    pub path: String,
    /// `Books::id`; empty where the request names none.
    pub company: String,
    pub bearer: Option<String>,
    pub area: Area,
}

/// Which part of a provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Consent pages, discovery, user info.
    SignIn,
    /// Token and revocation endpoints.
    Tokens,
    /// Xero's list of connections.
    Connections,
    Data,
}

impl Call {
    /// `None`: the control API and the sandbox's own pages.
    pub fn of(request: &Request) -> Option<Call> {
        let uri = request.uri();
        let (face, area) = place(&uri.path().to_ascii_lowercase())?;
        let company = match (face, area) {
            (Face::QuickBooks, Area::Data) => uri.path().trim_start_matches("/v3/company/").split('/').next().unwrap_or_default().to_owned(),
            (Face::Xero, Area::Data) => header_text(request.headers(), "xero-tenant-id").trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        Some(Call { face, method: request.method().clone(), path: whole(uri), company, bearer: bearer(request.headers()), area })
    }

    pub fn is_change_data_capture(&self) -> bool {
        self.face == Face::QuickBooks && self.last_segment() == "cdc"
    }

    pub fn is_batch(&self) -> bool {
        self.face == Face::QuickBooks && self.area == Area::Data && self.last_segment() == "batch"
    }

    fn last_segment(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
    }
}

fn place(path: &str) -> Option<(Face, Area)> {
    let path = path.trim_end_matches('/');
    Some(match path {
        "/oauth2/v1/tokens/bearer" | "/v2/oauth2/tokens/revoke" => (Face::QuickBooks, Area::Tokens),
        "/connect/oauth2"
        | "/v1/openid_connect/userinfo"
        | "/op/v1/jwks"
        | "/.well-known/openid_configuration"
        | "/.well-known/openid_sandbox_configuration" => (Face::QuickBooks, Area::SignIn),
        "/connect/token" | "/connect/revocation" => (Face::Xero, Area::Tokens),
        "/connect/userinfo" | "/.well-known/openid-configuration" | "/.well-known/openid-configuration/jwks" => (Face::Xero, Area::SignIn),
        _ if path.starts_with("/v3/company/") => (Face::QuickBooks, Area::Data),
        _ if path.starts_with("/api.xro/") => (Face::Xero, Area::Data),
        _ if path == "/connections" || path.starts_with("/connections/") => (Face::Xero, Area::Connections),
        _ if path.starts_with("/identity/") => (Face::Xero, Area::SignIn),
        _ => return None,
    })
}

pub fn whole(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| uri.path().to_owned(), |path| path.as_str().to_owned())
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = header_text(headers, header::AUTHORIZATION.as_str()).split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The request's target turned to the first page, as a client that pages past the end of its luck gets it.
pub fn first_page(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &pairs {
        let value = match name.to_ascii_lowercase().as_str() {
            "page" => "1".to_owned(),
            "query" => first_position(value),
            _ => value.clone(),
        };
        out.append_pair(name, &value);
    }
    format!("{}?{}", uri.path(), out.finish()).parse().ok()
}

/// `... STARTPOSITION 101 ...` with 1 in its place.
fn first_position(statement: &str) -> String {
    let mut words: Vec<String> = statement.split_whitespace().map(str::to_owned).collect();
    for index in 1..words.len() {
        if words[index - 1].eq_ignore_ascii_case("startposition") && words[index].parse::<u64>().is_ok() {
            words[index] = "1".into();
        }
    }
    words.join(" ")
}

/// An authorize request whose retired scopes are words nobody knows.
pub fn without_scopes(uri: &Uri, retired: &[String]) -> Option<Uri> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(uri.query()?.as_bytes()).into_owned().collect();
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    let mut found = false;
    for (name, value) in pairs {
        if name != "scope" {
            out.append_pair(&name, &value);
            continue;
        }
        let scopes: Vec<String> = value
            .split_whitespace()
            .map(|scope| match retired.iter().any(|known| known == scope) {
                true => {
                    found = true;
                    format!("{scope}.retired")
                }
                false => scope.to_owned(),
            })
            .collect();
        out.append_pair(&name, &scopes.join(" "));
    }
    found.then(|| format!("{}?{}", uri.path(), out.finish()).parse().ok()).flatten()
}
