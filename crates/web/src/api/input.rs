//! What a request says: path, query and body, read strictly. Nothing unknown, nothing twice, nothing of the wrong form is passed over.
use super::error::{ApiError, FieldProblem};
use crate::app::App;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use domain::audit::Act;
use domain::clock::Month;
use domain::data_type::DataType;
use domain::ids::{ApiKeyId, CompanyId, ConnectionId, RunId, UserId};
use domain::ledger::Basis;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// The ids of the path. An id that is not of the right form is simply unknown.
#[derive(Debug)]
pub struct Ids(BTreeMap<String, String>);

impl Ids {
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
    pub fn company(&self) -> CompanyId {
        CompanyId::new(self.text("id"))
    }
    pub fn connection(&self) -> ConnectionId {
        ConnectionId::new(self.text("id"))
    }
    pub fn run(&self) -> RunId {
        RunId::new(self.text("id"))
    }
    pub fn member(&self) -> UserId {
        UserId::new(self.text("id"))
    }
    pub fn api_key(&self) -> ApiKeyId {
        ApiKeyId::new(self.text("id"))
    }
    pub fn data_type(&self) -> Result<DataType, ApiError> {
        self.text("data_type").parse().map_err(|_| ApiError::NotFound)
    }
}

impl FromRequestParts<App> for Ids {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Ids, ApiError> {
        let Path(ids) = Path::<BTreeMap<String, String>>::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiError::bad("The path holds bytes that are no text. Percent-encode UTF-8."))?;
        if ids.values().any(|id| id.chars().any(char::is_control)) {
            return Err(ApiError::bad("The path holds a control character."));
        }
        Ok(Ids(ids))
    }
}

/// The query of a list or report.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Query<T>, ApiError> {
        let query = parts.uri.query().unwrap_or("");
        if url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(ApiError::bad("The query holds a NUL character."));
        }
        axum::extract::Query::<T>::try_from_uri(&parts.uri).map(|query| Query(query.0)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            ApiError::bad(format!("The query cannot be read: {text}."))
        })
    }
}

/// No parameter at all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A JSON object as body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, app: &App) -> Result<Body<T>, ApiError> {
        is_json(request.headers())?;
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
            _ => ApiError::bad("The body did not arrive whole."),
        })?;
        read(&bytes).map(Body)
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    const EXPECTED: &str = "Send the body as `Content-Type: application/json` in UTF-8, not compressed.";
    let refused = || ApiError::UnsupportedMediaType(EXPECTED.to_owned());
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return Err(refused());
    }
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    let charset = parameters.trim().to_ascii_lowercase();
    let fits = kind.trim().eq_ignore_ascii_case("application/json") && matches!(charset.as_str(), "" | "charset=utf-8" | "charset=\"utf-8\"");
    if fits { Ok(()) } else { Err(refused()) }
}

/// The first text with a NUL, which PostgreSQL neither keeps nor looks for.
fn nul(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(values) => values.iter().enumerate().find_map(|(at, value)| nul(value, &format!("{path}[{at}]"))),
        Value::Object(fields) => {
            fields.iter().find_map(|(name, value)| nul(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }))
        }
        _ => None,
    }
}

/// Levels of a body.
const DEEPEST: usize = 64;

/// How deep brackets stand in one another, those inside of texts left out.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Not JSON at all is 400; JSON of another shape is 422 with the field.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::bad("The body is not UTF-8."))?;
    if !text.trim_start().starts_with('{') {
        return Err(ApiError::bad("The body must be a JSON object."));
    }
    if depth(text) > DEEPEST {
        return Err(ApiError::bad(format!("The body is nested deeper than {DEEPEST} levels.")));
    }
    // once as plain JSON, so that a mistake of form is told from one of content
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| ApiError::bad(format!("The body is not JSON: {error}.")))?;
    if let Some(field) = Some(text).filter(|text| text.contains("\\u0000")).and_then(|text| nul(&serde_json::from_str(text).ok()?, "")) {
        return Err(ApiError::field(&field, "expected no NUL character"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        let message = error.inner().to_string();
        // `unknown field`, `missing field`: serde adds where in the text, which helps nobody
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
        if message.starts_with("duplicate field") {
            return ApiError::bad(format!("The body names a field twice: {message}."));
        }
        ApiError::Unprocessable(vec![FieldProblem { field: if field == "." { String::new() } else { field }, message }])
    })
}

macro_rules! parsed {
    ($(#[$doc:meta])* $name:ident($inner:ty) = $parse:expr, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub $inner);
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                parse(&text).map($name).map_err(serde::de::Error::custom)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn inline_schema() -> bool { true }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema { $schema }
        }
    };
}

/// Rows of a list: 1 to 200.
pub const LARGEST_LIMIT: usize = 200;

parsed!(
    /// How many rows.
    Limit(usize) = |text| match text.parse::<usize>() {
        Ok(limit) if (1..=LARGEST_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(format!("expected a whole number from 1 to {LARGEST_LIMIT}")),
    },
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT })
);
parsed!(
    /// A calendar day.
    Day(Date) = |text| match text.parse::<Date>() {
        Ok(day) if text.len() == 10 => Ok(day),
        _ => Err("expected a day such as 2026-01-31".to_owned()),
    },
    schemars::json_schema!({ "type": "string", "format": "date" })
);
parsed!(
    /// A calendar month.
    MonthText(Month) = |text| Month::parse(text).ok_or_else(|| "expected a month such as 2026-01".to_owned()),
    schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$" })
);
parsed!(
    /// A moment with its offset from UTC.
    Instant(Timestamp) = |text| text.parse().map_err(|_| "expected a time with its offset from UTC, such as 2026-01-31T09:00:00Z".to_owned()),
    schemars::json_schema!({ "type": "string", "format": "date-time" })
);
parsed!(
    /// Accrual or cash.
    BasisWord(Basis) = |text| Basis::parse(text).ok_or_else(|| "expected accrual or cash".to_owned()),
    schemars::json_schema!({ "type": "string", "enum": ["accrual", "cash"] })
);
parsed!(
    /// What was done.
    ActWord(Act) = |text| Act::parse(text).ok_or_else(|| "expected what an entry of the audit log has as `act`".to_owned()),
    schemars::json_schema!({ "type": "string", "enum": Act::ALL.iter().map(|act| act.as_str()).collect::<Vec<_>>() })
);
parsed!(
    /// Part of a text, at most 200 characters.
    Part(String) = |text| match text.chars().count() {
        1..=200 => Ok(text.to_owned()),
        _ => Err("expected 1 to 200 characters".to_owned()),
    },
    schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 200 })
);
parsed!(
    /// A truth.
    Flag(bool) = |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    },
    schemars::json_schema!({ "type": "boolean" })
);

/// A name a person typed: no control characters, nothing but blanks, at most 200 characters.
pub fn name(field: &str, text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(ApiError::field(field, "expected a name"));
    }
    if name.chars().count() > 200 {
        return Err(ApiError::field(field, "expected at most 200 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(ApiError::field(field, "expected no control characters"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        name: String,
        #[serde(default)]
        #[allow(dead_code)]
        ids: Vec<String>,
    }

    fn status(bytes: &[u8]) -> (u16, String) {
        use axum::response::IntoResponse;
        match read::<Sample>(bytes) {
            Ok(_) => (200, String::new()),
            Err(error) => {
                let field = match &error {
                    ApiError::Unprocessable(fields) => fields[0].field.clone(),
                    _ => String::new(),
                };
                (error.into_response().status().as_u16(), field)
            }
        }
    }

    #[test]
    fn what_is_no_json_is_told_from_json_of_another_shape() {
        assert_eq!(status(br#"{"name": "a", "ids": ["x"]}"#).0, 200);
        for bad in ["", "null", "[]", "\"x\"", "{", "{\"name\": }", "not json"] {
            assert_eq!(status(bad.as_bytes()).0, 400, "{bad}");
        }
        assert_eq!(status(b"{\"name\": \"\xff\"}").0, 400);
        assert_eq!(status(br#"{"name": "a", "name": "b"}"#).0, 400);
        assert_eq!(status(format!("{{\"name\": {}", "[".repeat(5_000)).as_bytes()).0, 400);
        let nested = |levels: usize| format!("{{\"name\": {}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!((status(nested(63).as_bytes()).0, status(nested(64).as_bytes()).0), (422, 400));
        assert_eq!(status(br#"{"name": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"{{"}"#).0, 200, "a text is no level");
        assert_eq!(status(br#"{"name": ["a"]}"#), (422, "name".into()));
        assert_eq!(status(br#"{"name": "a", "ids": ["x", 7]}"#), (422, "ids[1]".into()));
        assert_eq!(status(br#"{"name": "a", "role": "owner"}"#), (422, "role".into()));
        assert_eq!(status(br#"{}"#).0, 422);
    }
}
