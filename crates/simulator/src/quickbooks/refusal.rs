//! Error answers: the application's faults and the gateway's, with their codes.
use super::moments;
use super::wire::tree::{Json, Object};
use axum::http::StatusCode;
use jiff::Timestamp;

/// Why a call is refused. Codes and texts: contract 9.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub detail: Option<String>,
    pub element: Option<&'static str>,
    pub form: Form,
}

/// Which part of QuickBooks words the refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The application: capital keys, with this fault type.
    Application(&'static str),
    /// The gateway in front of it: lower-case keys, the time as a number.
    Gateway(&'static str),
    /// The application's authentication, which answers in XML whatever was asked for (contract 9.3, code 100).
    Xml(&'static str),
}

impl Refusal {
    fn validation(code: &'static str, message: &str, detail: impl Into<String>) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.to_owned(),
            detail: Some(detail.into()),
            element: None,
            form: Form::Application("ValidationFault"),
        }
    }
    pub fn query_syntax(detail: impl Into<String>) -> Refusal {
        Refusal::validation("4000", "Error parsing query", detail)
    }
    pub fn query_invalid(detail: impl std::fmt::Display) -> Refusal {
        Refusal::validation("4001", "Invalid query", format!("QueryValidationError: {detail}"))
    }
    pub fn unsupported(detail: impl Into<String>) -> Refusal {
        Refusal::validation("500", "Unsupported Operation", detail)
    }
    pub fn missing_parameter(name: &'static str) -> Refusal {
        let detail = format!("Required parameter {name} is missing in the request");
        Refusal {
            element: Some(name),
            ..Refusal::validation("2020", "Required param missing, need to supply the required value for the API", detail)
        }
    }
    pub fn invalid_parameter(name: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { element: Some(name), ..Refusal::validation("2030", "Invalid parameter value", detail) }
    }
    pub fn invalid_id(supplied: &str) -> Refusal {
        let detail = format!("Id should be a valid number. Supplied value:{supplied}");
        Refusal { element: Some("Id"), ..Refusal::validation("2030", "Invalid ID", detail) }
    }
    pub fn not_found() -> Refusal {
        let detail = "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, \
                      vendors or employees.";
        Refusal { element: Some(""), ..Refusal::validation("610", "Object Not Found", detail) }
    }
    /// Code 5030: the company's edition or country does not have it.
    pub fn feature_not_supported() -> Refusal {
        let detail = "Feature Not Supported Error : The feature is not supported for this company.";
        Refusal::validation("5030", "Feature Not Supported", detail)
    }
    /// Code 3200: the token itself.
    pub fn token(detail: Option<String>) -> Refusal {
        Refusal {
            status: StatusCode::UNAUTHORIZED,
            code: "3200",
            message: "message=AuthenticationFailed; errorCode=003200; statusCode=401".into(),
            detail,
            element: None,
            form: Form::Gateway("AUTHENTICATION"),
        }
    }
    /// Code 100: a good token of another company.
    pub fn other_company() -> Refusal {
        Refusal {
            status: StatusCode::UNAUTHORIZED,
            code: "100",
            message: "General Authentication Error".into(),
            detail: Some("AuthenticationErrorGeneral: SRV-110-Authentication Failure , statusCode: 401".into()),
            element: None,
            form: Form::Xml("AuthenticationFault"),
        }
    }
    /// Code 3100: the app may not do this.
    pub fn application() -> Refusal {
        Refusal {
            status: StatusCode::FORBIDDEN,
            code: "3100",
            message: "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403".into(),
            detail: None,
            element: None,
            form: Form::Gateway("SERVICE"),
        }
    }
    /// Code 3001, with the two blanks of the recording.
    pub fn throttled() -> Refusal {
        Refusal {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "3001",
            message: "message=ThrottleExceeded; errorCode=003001; statusCode=429".into(),
            detail: Some("The request limit was reached.  Try again later".into()),
            element: None,
            form: Form::Gateway("SERVICE"),
        }
    }
    /// Code 10000: QuickBooks' own failure.
    pub fn system(status: StatusCode) -> Refusal {
        Refusal {
            status,
            code: "10000",
            message: "An application error has occurred while processing your request".into(),
            detail: Some("System Failure Error: com.intuit.qbo.platform".into()),
            element: None,
            form: Form::Application("SystemFault"),
        }
    }

    pub fn body(&self, now: Timestamp) -> (String, &'static str) {
        match self.form {
            Form::Application(fault) => {
                let error = Object::new()
                    .put("Message", self.message.clone())
                    .put_some("Detail", self.detail.clone())
                    .put("code", self.code)
                    .put_some("element", self.element);
                let fault = Object::new().put("Error", vec![error]).put("type", fault);
                let body = Object::new().put("Fault", fault).put("time", moments::milliseconds(now));
                (serde_json::to_string(&body).expect("a tree is JSON"), "application/json")
            }
            Form::Gateway(fault) => {
                let null = || Json::Number("null".into());
                let error = Object::new()
                    .put("message", self.message.clone())
                    .put("detail", self.detail.clone().map_or_else(null, Json::Text))
                    .put("code", self.code)
                    .put("element", null());
                let body = Object::new()
                    .put("warnings", null())
                    .put("intuitObject", null())
                    .put("fault", Object::new().put("error", vec![error]).put("type", fault))
                    .put("report", null())
                    .put("queryResponse", null())
                    .put("batchItemResponse", Json::List(Vec::new()))
                    .put("attachableResponse", Json::List(Vec::new()))
                    .put("syncErrorResponse", null())
                    .put("requestId", null())
                    .put("time", now.as_millisecond())
                    .put("status", null())
                    .put("cdcresponse", Json::List(Vec::new()));
                (serde_json::to_string(&body).expect("a tree is JSON"), "application/json")
            }
            Form::Xml(fault) => {
                let detail = self.detail.as_deref().map(|detail| format!("<Detail>{detail}</Detail>")).unwrap_or_default();
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><IntuitResponse \
                     xmlns=\"http://schema.intuit.com/finance/v3\" time=\"{}\"><Fault type=\"{fault}\"><Error code=\"{}\"><Message>{}</Message>{detail}\
                     </Error></Fault></IntuitResponse>",
                    moments::milliseconds(now),
                    self.code,
                    self.message,
                );
                (body, "application/xml")
            }
        }
    }
}
