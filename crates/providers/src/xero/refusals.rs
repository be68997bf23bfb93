//! What Xero's refusals mean: status, headers and bodies of every kind become one `ProviderError`.
//!
//! <https://developer.xero.com/documentation/api/accounting/responsecodes>
use super::wire::Fields;
use crate::error::ProviderError;
use crate::http::Answer;
use jiff::Timestamp;

pub const PROVIDER: &str = "Xero";

/// Whether a new access token may help: a missing permission stays missing, so its 401 renews nothing.
pub fn wants_a_new_token(answer: &Answer) -> bool {
    answer.status == 401 && detail(&answer.body).as_deref() != Some("AuthorizationUnsuccessful")
}

/// Lets an answer with data through and names every other one. `scope` is what the call needs.
pub fn check(answer: Answer, scope: &str, now: Timestamp) -> Result<Answer, ProviderError> {
    let provider = PROVIDER;
    let detail = detail(&answer.body);
    let retry_at = |default_secs| Some(answer.retry_at(now, default_secs));
    let call = answer.call.clone();
    Err(match answer.status {
        200 => return Ok(answer),
        401 if detail.as_deref() == Some("AuthorizationUnsuccessful") => {
            ProviderError::Forbidden { provider, permission: format!("the scope {scope} is missing"), call }
        }
        // a 401 that outlived its one renewal
        401 => ProviderError::NeedsReconnect { provider, call },
        403 if detail.as_deref() == Some("AuthenticationUnsuccessful") => {
            ProviderError::Forbidden { provider, permission: "the organisation is no longer connected to this app".into(), call }
        }
        403 if scope.starts_with("accounting.reports") || scope.starts_with("accounting.journals") => ProviderError::Forbidden {
            provider,
            permission: format!("the user who connected it may not read reports and journals, or the scope {scope} is missing"),
            call,
        },
        403 => ProviderError::Forbidden { provider, permission: format!("the user who connected it has no permission that {scope} needs"), call },
        404 | 410 => ProviderError::NotFound { provider, call },
        413 => ProviderError::TooLarge { provider, call },
        429 => {
            let problem = answer.limit_problem.as_deref().unwrap_or("minute").to_ascii_lowercase();
            // which limit it was decides how long to wait where Xero does not say
            let (limit, default_secs) = match problem.as_str() {
                "day" | "daily" => ("daily", 3_600),
                "concurrent" => ("concurrent calls", 5),
                "appminute" => ("whole app's minute", 60),
                _ => ("minute", 60),
            };
            ProviderError::RateLimited { provider, limit: limit.into(), retry_at: retry_at(default_secs), call }
        }
        408 | 409 | 423 | 425 | 500 | 502..=599 => {
            ProviderError::Down { provider, detail: plain_text(&answer.body).unwrap_or_else(|| format!("HTTP status {}", answer.status)), call }
        }
        status => ProviderError::UnexpectedAnswer { provider, detail: explain(status, &answer.body), call },
    })
}

/// An answer whose body is not what was asked for.
pub fn unexpected(answer: &Answer, detail: impl std::fmt::Display) -> ProviderError {
    let detail = if looks_like_html(&answer.body) { "it is a web page, not data".to_owned() } else { detail.to_string() };
    ProviderError::UnexpectedAnswer { provider: PROVIDER, detail, call: answer.call.clone() }
}

/// `Detail` of `{"Type":null,"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: …"}`, whose keys come in both cases.
fn detail(body: &str) -> Option<String> {
    let fields = Fields::parse(body).ok()?;
    fields.text_any_case("Detail").map(|text| text.into_owned())
}

/// Type and message of `{"ErrorNumber":10,"Type":"ValidationException","Message":"…"}`; such messages speak of parameters, not of books.
fn explain(status: u16, body: &str) -> String {
    let named = Fields::parse(body).ok().and_then(|fields| {
        let kind = fields.text_any_case("Type").or_else(|| fields.text_any_case("Title"))?.into_owned();
        let message = fields.text_any_case("Message").or_else(|| fields.text_any_case("Detail"));
        Some(message.map_or(kind.clone(), |message| format!("{kind}: {}", shortened(&message))))
    });
    match named.or_else(|| plain_text(body)) {
        Some(text) => format!("HTTP status {status}, {text}"),
        None => format!("HTTP status {status}"),
    }
}

/// The body, if it is one of the short plain texts of the 404 and 503 answers.
fn plain_text(body: &str) -> Option<String> {
    let text = body.trim();
    let is_plain = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
    is_plain.then(|| text.trim_end_matches('.').to_owned())
}

fn looks_like_html(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

fn shortened(text: &str) -> String {
    text.trim().trim_end_matches('.').chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Call;

    fn answer(status: u16, body: &str) -> Answer {
        let call = Call { endpoint: "GET Invoices".into(), http_status: Some(status), request_id: None };
        Answer { status, body: body.into(), call, date: None, retry_after_secs: None, limit_problem: None }
    }
    fn now() -> Timestamp {
        Timestamp::from_second(1_000).unwrap()
    }
    fn refused(answer: Answer) -> ProviderError {
        check(answer, "accounting.invoices.read", now()).map(|_| ()).unwrap_err()
    }

    #[test]
    fn each_refusal_has_its_meaning() {
        let expired = r#"{"Type":null,"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired at 03/03/2020 09:46:07","Instance":"x","Extensions":{}}"#;
        let scope = r#"{"type":null,"title":"Unauthorized","status":401,"detail":"AuthorizationUnsuccessful","instance":"x","extensions":{}}"#;
        let gone = r#"{"Type":null,"Title":"Forbidden","Status":403,"Detail":"AuthenticationUnsuccessful","Instance":"x","Extensions":{}}"#;
        assert!(wants_a_new_token(&answer(401, expired)));
        assert!(!wants_a_new_token(&answer(401, scope)));
        assert!(wants_a_new_token(&answer(401, "<html>")));
        assert!(!wants_a_new_token(&answer(403, gone)));
        assert!(matches!(refused(answer(401, expired)), ProviderError::NeedsReconnect { .. }));
        assert!(matches!(refused(answer(401, "")), ProviderError::NeedsReconnect { .. }));
        assert!(
            matches!(refused(answer(401, scope)), ProviderError::Forbidden { permission, .. } if permission.contains("accounting.invoices.read"))
        );
        assert!(matches!(refused(answer(403, gone)), ProviderError::Forbidden { permission, .. } if permission.contains("no longer connected")));
        assert!(matches!(refused(answer(404, "The resource you're looking for cannot be found")), ProviderError::NotFound { .. }));
        assert!(
            matches!(refused(answer(503, "The Organisation is offline")), ProviderError::Down { detail, .. } if detail == "The Organisation is offline")
        );
        assert!(
            matches!(refused(answer(500, "<html><body>An error occurred</body></html>")), ProviderError::Down { detail, .. } if detail == "HTTP status 500")
        );
        let validation = r#"{"ErrorNumber":10,"Type":"ValidationException","Message":"FromDate must be within a year of ToDate.","Elements":[]}"#;
        assert!(matches!(refused(answer(400, validation)), ProviderError::UnexpectedAnswer { detail, .. }
            if detail == "HTTP status 400, ValidationException: FromDate must be within a year of ToDate"));
        assert!(matches!(refused(answer(302, "")), ProviderError::UnexpectedAnswer { .. }));
    }

    #[test]
    fn a_limit_says_when_to_ask_again() {
        let mut day = answer(429, "");
        day.limit_problem = Some("Day".into());
        day.retry_after_secs = Some(77_000);
        let error = refused(day);
        assert!(matches!(&error, ProviderError::RateLimited { limit, retry_at, .. } if limit == "daily" && retry_at.unwrap().as_second() == 78_000));
        assert_eq!(error.problem().sentence, "Xero's daily limit is reached.");
        let mut concurrent = answer(429, "");
        concurrent.limit_problem = Some("concurrent".into());
        assert!(matches!(refused(concurrent), ProviderError::RateLimited { retry_at, .. } if retry_at.unwrap().as_second() == 1_005));
        assert!(matches!(refused(answer(429, "")), ProviderError::RateLimited { retry_at, .. } if retry_at.unwrap().as_second() == 1_060));
    }

    #[test]
    fn a_web_page_instead_of_data_is_called_one() {
        let page = answer(200, "<!DOCTYPE html><html></html>");
        assert!(matches!(unexpected(&page, "x"), ProviderError::UnexpectedAnswer { detail, .. } if detail == "it is a web page, not data"));
    }
}
