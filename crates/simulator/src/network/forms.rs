//! The providers' words for failures that arise before a face is asked.
use crate::books::Face;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;

pub fn answer(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// A maintenance page with any status.
pub fn html(status: u16) -> Response {
    let mut page = crate::faults::html_page();
    *page.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    page
}

/// QuickBooks' gateway: lower-case keys, the time as a number; Xero: title and detail.
pub fn authentication(face: Face, status: u16, now: Timestamp) -> Response {
    match face {
        Face::QuickBooks => {
            let message = format!("message=AuthenticationFailed; errorCode=003200; statusCode={status}");
            let mut response = answer(status, "application/json", gateway(&message, None, "3200", "AUTHENTICATION", now));
            if status == 401 {
                let why = HeaderValue::from_static("Bearer realm=\"Intuit\", error=\"invalid_token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, why);
            }
            response
        }
        Face::Xero => {
            let body = serde_json::json!({"Type": null, "Title": "Unauthorized", "Status": status, "Detail": "AuthenticationUnsuccessful",
                "Instance": crate::oauth::random_guid(), "Extensions": {}});
            answer(status, "application/json; charset=utf-8", body.to_string())
        }
    }
}

pub fn forbidden(face: Face, now: Timestamp) -> Response {
    match face {
        Face::QuickBooks => {
            let message = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403";
            answer(403, "application/json", gateway(message, None, "3100", "SERVICE", now))
        }
        Face::Xero => {
            let body = serde_json::json!({"Type": null, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful",
                "Instance": crate::oauth::random_guid(), "Extensions": {}});
            answer(403, "application/json; charset=utf-8", body.to_string())
        }
    }
}

/// QuickBooks says nothing about how long; Xero's 429 has no body and names the limit.
pub fn throttled(face: Face, problem: &'static str, retry_after_secs: Option<u32>, now: Timestamp) -> Response {
    let mut response = match face {
        Face::QuickBooks => {
            let message = "message=ThrottleExceeded; errorCode=003001; statusCode=429";
            answer(429, "application/json", gateway(message, Some("The request limit was reached.  Try again later"), "3001", "SERVICE", now))
        }
        Face::Xero => {
            let mut response = answer(429, "application/json", Body::empty());
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.headers_mut().insert("x-rate-limit-problem", HeaderValue::from_static(problem));
            response
        }
    };
    if let Some(secs) = retry_after_secs {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

/// "Invalid Company Status" (code 6190) at QuickBooks; Xero answers 403 to everything of an organisation whose subscription ended.
pub fn lapsed(face: Face, now: Timestamp) -> Response {
    match face {
        Face::QuickBooks => answer(
            403,
            "application/json",
            fault(
                "6190",
                "Invalid Company Status",
                "Subscription period has ended or canceled or there was a billing problem",
                "ValidationFault",
                now,
            ),
        ),
        Face::Xero => forbidden(face, now),
    }
}

/// The provider's own failure.
pub fn system(face: Face, status: u16, now: Timestamp) -> Response {
    match face {
        Face::QuickBooks => answer(status, "application/json", system_fault(now)),
        Face::Xero if status == 500 => {
            let message = "An error occurred in Xero. Check the API Status page https://status.xero.com for current service status.";
            let body = serde_json::json!({"ErrorNumber": 500, "Type": "InternalServerException", "Message": message});
            answer(status, "application/json; charset=utf-8", body.to_string())
        }
        Face::Xero => answer(status, "text/plain; charset=utf-8", "The Organisation is offline"),
    }
}

/// An unpaged list of more records than Xero gives at once.
pub fn too_many_records(most: u64) -> Response {
    let message = format!("The request would return more than {most} records. Use paging or filters to reduce the result");
    let body = serde_json::json!({"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": message}]}]});
    answer(400, "application/json; charset=utf-8", body.to_string())
}

/// 200 with a fault in it.
pub fn fault_in_ok(face: Face, inside: bool, now: Timestamp) -> Response {
    match face {
        Face::QuickBooks if inside => {
            let fault = system_fault(now);
            let at = now.to_string();
            answer(200, "application/json;charset=UTF-8", format!("{{\"QueryResponse\":{fault},\"time\":\"{at}\"}}"))
        }
        Face::QuickBooks => answer(200, "application/json;charset=UTF-8", system_fault(now)),
        Face::Xero => {
            let body = serde_json::json!({"ErrorNumber": 500, "Type": "InternalServerException", "Message": "An error occurred in Xero."});
            let body = if inside { serde_json::json!({"Id": crate::oauth::random_guid(), "Status": "ERROR", "Error": body}) } else { body };
            answer(200, "application/json; charset=utf-8", body.to_string())
        }
    }
}

/// RFC 6749 5.2.
pub fn invalid_grant(face: Face) -> Response {
    let body = match face {
        Face::QuickBooks => r#"{"error":"invalid_grant","error_description":"Incorrect or invalid refresh token"}"#,
        Face::Xero => r#"{"error":"invalid_grant"}"#,
    };
    answer(400, "application/json", body)
}

fn system_fault(now: Timestamp) -> String {
    let message = "An application error has occurred while processing your request";
    fault("10000", message, "System Failure Error: com.intuit.qbo.platform", "SystemFault", now)
}

fn fault(code: &str, message: &str, detail: &str, kind: &str, now: Timestamp) -> String {
    let error = serde_json::json!({"Message": message, "Detail": detail, "code": code});
    serde_json::json!({"Fault": {"Error": [error], "type": kind}, "time": now.to_string()}).to_string()
}

fn gateway(message: &str, detail: Option<&str>, code: &str, kind: &str, now: Timestamp) -> String {
    serde_json::json!({
        "warnings": null, "intuitObject": null,
        "fault": {"error": [{"message": message, "detail": detail, "code": code, "element": null}], "type": kind},
        "report": null, "queryResponse": null, "batchItemResponse": [], "attachableResponse": [], "syncErrorResponse": null,
        "requestId": null, "time": now.as_millisecond(), "status": null, "cdcresponse": [],
    })
    .to_string()
}
