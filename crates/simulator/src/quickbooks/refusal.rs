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
    /// Code 2010: the schema does not know the property, or its value is not of its type.
    pub fn unsupported_property(name: &str) -> Refusal {
        let detail = format!("Property Name:{name} specified is unsupported or invalid");
        Refusal::validation("2010", "Request has invalid or unsupported property", detail)
    }
    /// Code 2500: a reference to nothing.
    pub fn invalid_reference(kind: &str, id: &str) -> Refusal {
        Refusal::validation("2500", "Invalid Reference Id", format!("Invalid Reference Id : {kind} element id {id} not found"))
    }
    /// Code 620: a payment for what cannot be paid.
    pub fn not_linkable(reason: impl std::fmt::Display) -> Refusal {
        Refusal::validation("620", "Transaction cannot be linked", format!("Transaction cannot be linked : {reason}"))
    }
    /// Code 6000: the rules of the books say no.
    pub fn business(reason: impl std::fmt::Display) -> Refusal {
        let message = "A business validation error has occurred while processing your request";
        Refusal { element: Some(""), ..Refusal::validation("6000", message, format!("Business Validation Error: {reason}")) }
    }
    /// Code 2050.
    pub fn too_long(name: &'static str, most: usize) -> Refusal {
        let message = "String length specified does not match the supported length";
        let detail = format!("{message}. Max:{most} supported. Supplied length is greater : {name}");
        Refusal { element: Some(name), ..Refusal::validation("2050", message, detail) }
    }
    /// Code 2300.
    pub fn unequal_sides() -> Refusal {
        Refusal::validation(
            "2300",
            "Amount on debits not equal to credits",
            "Amount on debits not equal to credits : The debits and credits of a journal entry must be equal",
        )
    }
    /// Code 6070.
    pub fn amount_mismatch(supplied: crate::money::Cents) -> Refusal {
        let message = "Amount calculation incorrect in the request";
        Refusal::validation("6070", message, format!("{message} : Amount is not equal to UnitPrice * Qty. Supplied value:{supplied}"))
    }
    /// Code 5010: somebody else was faster.
    pub fn stale() -> Refusal {
        let detail =
            "Stale Object Error : You and root were working on this at the same time. root finished before you did, so your work was not saved.";
        Refusal { element: Some(""), ..Refusal::validation("5010", "Stale Object Error", detail) }
    }
    /// Code 6140.
    pub fn duplicate_number(number: &str, entity: &str, id: u64) -> Refusal {
        let detail = format!(
            "Duplicate Document Number Error : You must specify a different number. This number has already been used. DocNumber={number} is \
             assigned to TxnType={entity} with TxnId={id}"
        );
        Refusal { element: Some(""), ..Refusal::validation("6140", "Duplicate Document Number Error", detail) }
    }
    /// Code 6240.
    pub fn duplicate_name() -> Refusal {
        Refusal { element: Some(""), ..Refusal::validation("6240", "Duplicate Name Exists Error", "The name supplied already exists. : null") }
    }
    /// Code 6220: somebody still owes or is owed.
    pub fn has_balance(name: &str) -> Refusal {
        let detail = format!("Delete List Has Balance Error : {name} has an open balance and cannot be made inactive");
        Refusal { element: Some(""), ..Refusal::validation("6220", "Delete List Has Balance Error", detail) }
    }
    /// Code 6540: the money is in the bank.
    pub fn deposited() -> Refusal {
        let message = "Deposited Transaction cannot be changed";
        let detail = format!("{message} : If you need to change or delete this transaction, edit the deposit it appears on and remove it");
        Refusal { element: Some(""), ..Refusal::validation("6540", message, detail) }
    }
    /// Code 6200: the books are closed.
    pub fn books_closed(closed: jiff::civil::Date) -> Refusal {
        let message = "Account Period Closed, Cannot Update Through Services Error";
        let detail = format!(
            "{message} : The account period has closed and the account books cannot be updated through the QBO Services API. Closed through:{closed}"
        );
        Refusal { element: Some(""), ..Refusal::validation("6200", message, detail) }
    }
    /// Code 1040.
    pub fn batch_too_large(most: usize) -> Refusal {
        let detail = format!("The batch size exceeds the allowed limit of {most} items");
        Refusal::validation("1040", "Batch size exceeds allowed limit", detail)
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

    /// `{"Fault":{…}}`, as it stands in the answer of a batch too.
    pub fn fault(&self) -> Object {
        let kind = match self.form {
            Form::Application(kind) | Form::Gateway(kind) | Form::Xml(kind) => kind,
        };
        let error = Object::new()
            .put("Message", self.message.clone())
            .put_some("Detail", self.detail.clone())
            .put("code", self.code)
            .put_some("element", self.element);
        Object::new().put("Fault", Object::new().put("Error", vec![error]).put("type", kind))
    }

    pub fn body(&self, now: Timestamp) -> (String, &'static str) {
        match self.form {
            Form::Application(_) => {
                let body = self.fault().put("time", moments::milliseconds(now));
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
