//! What QuickBooks says when it refuses, in its three dialects, and what that means for us.
use crate::error::{Call, ProviderError};
use crate::http::Answer;
use crate::quickbooks::NAME;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// `Fault` of the application and `fault` of the gateway: the same words in capital and in lower case.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Fault {
    #[serde(rename = "Error", alias = "error", default)]
    errors: Vec<FaultError>,
}

#[derive(Clone, Debug, Deserialize)]
struct FaultError {
    #[serde(rename = "Message", alias = "message")]
    message: Option<String>,
    #[serde(rename = "Detail", alias = "detail")]
    detail: Option<String>,
    code: Option<Value>,
}

/// A refused call, with the provider's own code (0 when it gives none) beside what it means for us.
#[derive(Debug)]
pub struct Refused {
    pub code: u32,
    pub error: Box<ProviderError>,
}

impl From<Refused> for ProviderError {
    fn from(refused: Refused) -> ProviderError {
        *refused.error
    }
}

impl From<ProviderError> for Refused {
    fn from(error: ProviderError) -> Refused {
        Refused { code: 0, error: Box::new(error) }
    }
}

impl Fault {
    /// Reads the fault of an error body, be it JSON of either frame or XML (gateway and throttling faults come as XML even to JSON clients).
    fn read(body: &str) -> Fault {
        #[derive(Deserialize)]
        struct Frame {
            #[serde(rename = "Fault", alias = "fault")]
            fault: Option<Fault>,
        }
        if body.trim_start().starts_with('<') {
            return Fault::read_xml(body);
        }
        serde_json::from_str::<Frame>(body).ok().and_then(|frame| frame.fault).unwrap_or_default()
    }

    fn read_xml(body: &str) -> Fault {
        let Some((_, error)) = body.split_once("<Error") else { return Fault::default() };
        let code = error.split('>').next().and_then(|tag| tag.split_once("code=")).and_then(|(_, rest)| {
            let quote = rest.chars().next()?;
            rest[quote.len_utf8()..].split(quote).next()
        });
        let element = |name: &str| {
            let (_, rest) = error.split_once(&format!("<{name}>"))?;
            rest.split_once("</").map(|(text, _)| text.to_owned())
        };
        Fault {
            errors: vec![FaultError {
                message: element("Message"),
                detail: element("Detail"),
                code: code.map(|text| Value::String(text.to_owned())),
            }],
        }
    }

    /// The provider's code; where the field is missing, the `errorCode=003200` of the message.
    fn code(&self) -> u32 {
        self.errors
            .iter()
            .find_map(|error| match &error.code {
                Some(Value::String(text)) => text.trim().parse().ok(),
                Some(Value::Number(number)) => number.as_u64().and_then(|code| u32::try_from(code).ok()),
                _ => None,
            })
            .or_else(|| {
                self.errors.iter().filter_map(|error| error.message.as_deref()).find_map(|message| {
                    let (_, rest) = message.split_once("errorCode=")?;
                    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
                })
            })
            .unwrap_or(0)
    }

    fn says(&self, words: &str) -> bool {
        self.errors.iter().any(|error| [&error.message, &error.detail].into_iter().flatten().any(|text| text.contains(words)))
    }

    /// What this fault means. Its texts stay here: the detail of 3200 holds the beginning of a token, others what stands in the books.
    pub fn refusal(&self, answer: &Answer, now: Timestamp) -> Refused {
        let (code, call) = (self.code(), answer.call.clone());
        let provider = NAME;
        let forbidden = |permission: &str, call: Call| ProviderError::Forbidden { provider, permission: permission.to_owned(), call };
        let error = match (code, answer.status) {
            // D-REST, "Limits and throttles": wait 60 seconds
            (3001, _) | (_, 429) => ProviderError::RateLimited { provider, limit: "request".into(), retry_at: Some(answer.retry_at(now, 60)), call },
            (500, _) if self.says("older than fixed days") => ProviderError::ChangesExpired { provider, call },
            // wrong cluster, under maintenance, a query or a request that could not be processed just now
            (130 | 150 | 4002 | 10000, _) => ProviderError::Down { provider, detail: format!("fault {code}"), call },
            (100 | 110 | 120 | 3100 | 3200 | 3201 | 3202, _) => ProviderError::NeedsReconnect { provider, call },
            (140, _) => forbidden("this company is locked", call),
            (6190, _) => forbidden("the QuickBooks subscription of this company has ended", call),
            (5020, _) => forbidden("the user who connected this company may not read this data", call),
            (5030, _) => forbidden("this company's edition of QuickBooks does not have this data", call),
            (610, _) | (0, 404) => ProviderError::NotFound { provider, call },
            (10100, _) => ProviderError::TooLarge { provider, call },
            (10200, _) => unexpected("the company was reset by its owner; sync it in full", call),
            (_, 401) => ProviderError::NeedsReconnect { provider, call },
            (_, 403) => forbidden("the user who connected this company may not read this data", call),
            (_, status) if status == 408 || status >= 500 => ProviderError::Down { provider, detail: format!("HTTP status {status}"), call },
            (0, 200..=299) => unexpected("it holds a fault without a code", call),
            (0, status) => unexpected(&format!("HTTP status {status} without a code"), call),
            (code, _) => unexpected(&format!("fault {code}"), call),
        };
        Refused { code, error: Box::new(error) }
    }
}

/// The answer if it is a success, or what the refusal means.
pub fn accepted(answer: Answer, now: Timestamp) -> Result<Answer, Refused> {
    if answer.status == 200 {
        return if answer.body.trim_start().starts_with('<') { Err(odd_body(&answer, now)) } else { Ok(answer) };
    }
    Err(Fault::read(&answer.body).refusal(&answer, now))
}

/// XML or HTML with status 200: a fault in XML counts, anything else cannot be read.
fn odd_body(answer: &Answer, now: Timestamp) -> Refused {
    let fault = Fault::read(&answer.body);
    if fault.code() == 0 { unexpected("it is XML or HTML instead of JSON", answer.call.clone()).into() } else { fault.refusal(answer, now) }
}

/// An answer that cannot be read; `detail` never quotes it.
pub fn unexpected(detail: &str, call: Call) -> ProviderError {
    ProviderError::UnexpectedAnswer { provider: NAME, detail: detail.to_owned(), call }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let call =
            Call { endpoint: "GET query Invoice".into(), http_status: Some(status), request_id: Some("1-5f73308b-2f2823c01f11f7ef4ca04af4".into()) };
        Answer { status, body: body.into(), call, date: None, retry_after_secs: None, limit_problem: None }
    }
    fn refused(status: u16, body: &str) -> Refused {
        match accepted(answer(status, body), Timestamp::UNIX_EPOCH) {
            Err(refused) => refused,
            Ok(_) => panic!("accepted: {body}"),
        }
    }
    fn business(code: &str) -> String {
        format!(
            r#"{{"Fault":{{"Error":[{{"Message":"m","Detail":"d","code":"{code}"}}],"type":"ValidationFault"}},"time":"2020-09-29T06:53:30.722-07:00"}}"#
        )
    }

    // proves D13 in part
    #[test]
    fn the_gateways_lower_case_frame_is_read_and_its_token_prefix_stays_out_of_the_error() {
        let refused = refused(401, include_str!("fixtures/fault_gateway_401.json"));
        assert_eq!(refused.code, 3200);
        assert!(matches!(*refused.error, ProviderError::NeedsReconnect { .. }));
        assert!(!format!("{:?} {} {:?}", refused.error, refused.error, refused.error.problem()).contains("AB01"));
    }

    #[test]
    fn throttling_in_xml_waits_a_minute() {
        let refused = refused(429, include_str!("fixtures/fault_throttled.xml"));
        assert_eq!(refused.code, 3001);
        assert!(matches!(*refused.error, ProviderError::RateLimited { retry_at: Some(at), .. } if at.as_second() == 60));
    }

    #[test]
    fn every_code_of_the_contract_has_its_meaning() {
        use ProviderError as E;
        let of = |status, code: &str| *refused(status, &business(code)).error;
        assert!(matches!(of(400, "610"), E::NotFound { .. }));
        assert!(matches!(of(401, "100"), E::NeedsReconnect { .. }));
        assert!(matches!(of(401, "130"), E::Down { .. }));
        assert!(matches!(of(403, "120"), E::NeedsReconnect { .. }));
        assert!(matches!(of(403, "3100"), E::NeedsReconnect { .. }));
        assert!(matches!(of(403, "3201"), E::NeedsReconnect { .. }));
        assert!(matches!(of(403, "5020"), E::Forbidden { .. }));
        assert!(matches!(of(400, "6190"), E::Forbidden { .. }));
        assert!(matches!(of(400, "10100"), E::TooLarge { .. }));
        assert!(matches!(of(500, "10000"), E::Down { .. }));
        assert!(matches!(of(400, "4001"), E::UnexpectedAnswer { .. }));
        assert!(matches!(*refused(404, "").error, E::NotFound { .. }));
        assert!(matches!(*refused(403, "<html>no</html>").error, E::Forbidden { .. }));
        assert!(matches!(*refused(503, "<html>maintenance</html>").error, E::Down { .. }));
        assert!(matches!(*refused(200, "<html>maintenance</html>").error, E::UnexpectedAnswer { .. }));
        assert!(matches!(
            *refused(200, r#"<IntuitResponse><Fault type="SystemFault"><Error code="10000"><Message>x</Message></Error></Fault></IntuitResponse>"#)
                .error,
            E::Down { .. }
        ));
    }

    #[test]
    fn changes_from_too_long_ago_are_told_from_other_unsupported_operations() {
        let old = r#"{"Fault":{"Error":[{"Message":"Unsupported Operation","Detail":"Operation cdc with changedSince date 2020-01-01 which is older than fixed days is not supported.","code":"500"}],"type":"ValidationFault"}}"#;
        assert!(matches!(*refused(400, old).error, ProviderError::ChangesExpired { .. }));
        assert!(matches!(*refused(400, &business("500")).error, ProviderError::UnexpectedAnswer { .. }));
    }

    #[test]
    fn retry_after_is_obeyed_where_it_is_sent() {
        let mut throttled = answer(429, "");
        throttled.retry_after_secs = Some(7);
        let Err(refused) = accepted(throttled, Timestamp::UNIX_EPOCH) else { panic!() };
        assert!(matches!(*refused.error, ProviderError::RateLimited { retry_at: Some(at), .. } if at.as_second() == 7));
    }
}
