//! Faults a test or a person injects: the next matching calls are answered wrongly, as the providers' bad days are.
use crate::books::Face;
use crate::limits::Problem;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;

/// Injected faults in the order they were given, and switches of behaviour that differs between real companies.
#[derive(Debug, Default)]
pub struct Faults {
    queue: Vec<Injected>,
    pub switches: Switches,
    pub outages: Vec<Outage>,
}

/// Behaviour of the faces that real companies and apps differ in.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// False: the Xero app has no access to the premium Journals endpoint and its scope is refused.
    pub xero_journals: bool,
    /// True: Xero's profit and loss shows currency gains as one `FXGROUPID` row.
    pub xero_groups_currency_gains: bool,
    /// Entities whose changes QuickBooks' change data capture keeps to itself, by name.
    pub quickbooks_cdc_omits: Vec<String>,
    /// Realms that count as production companies: the sandbox's apps have development keys, which do not reach them.
    pub quickbooks_production: Vec<String>,
    /// True: QuickBooks' change data capture answers for any time, as recorded in 2020, and not for 30 days only.
    pub quickbooks_cdc_any_age: bool,
    /// Changes made through the control API show this many seconds later, with the moment at which they were made; 0: at once.
    pub visible_after_secs: u32,
    /// Scopes a provider no longer knows: consent for them is refused, and tokens lose them at the next refresh.
    pub retired_scopes: Vec<String>,
    /// What the status page says of a provider, whatever its API does.
    pub status_page: String,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            xero_journals: true,
            xero_groups_currency_gains: false,
            quickbooks_cdc_omits: Vec::new(),
            quickbooks_production: Vec::new(),
            quickbooks_cdc_any_age: false,
            visible_after_secs: 0,
            retired_scopes: Vec::new(),
            status_page: "operational".into(),
        }
    }
}

/// One injected fault and the calls it waits for. What is left out matches every call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    /// `Books::id`. Calls that name no company (token endpoint, `/connections`) match only without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Part of path and query, compared without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// How many matching calls pass untouched before the first is hit.
    #[serde(default)]
    pub skip: u32,
    /// How many matching calls are hit.
    #[serde(default = "once")]
    pub times: u32,
    pub fault: Fault,
}

fn once() -> u32 {
    1
}

/// What happens to a call that is hit.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 in the provider's form.
    RateLimit {
        problem: Problem,
        #[serde(default)]
        retry_after_secs: Option<u32>,
    },
    /// An error status (500, 502, 503, 504, 403, ...) with the provider's body for it.
    Status { status: u16 },
    /// 401 in the provider's form, although the token is good.
    Unauthorized,
    /// 200 with a page of HTML, as a maintenance page or a proxy answers.
    HtmlBody,
    /// 200 with JSON that ends in the middle.
    MalformedJson,
    /// The right answer, after waiting.
    Delay { ms: u64 },
    /// The connection ends without an answer, and the call has no effect.
    Drop,
    /// The call takes effect (a token is rotated), then the connection ends without its answer.
    LoseAnswer,
    /// 200 with a `Fault` in place of the answer, or inside the entity's own frame.
    FaultInOk {
        #[serde(default)]
        inside: bool,
    },
    /// A page of HTML with this status.
    Html { status: u16 },
    /// 429 with an empty body and this text as `Retry-After`: seconds, a date, nonsense; left out, no such header.
    Throttle {
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 401 or 500 with the body of a failed authentication, although the token is good.
    AuthenticationFault { status: u16 },
    /// A token request is refused with `invalid_grant`; no token changes.
    InvalidGrant,
    /// The company's subscription has ended: QuickBooks 6190, Xero 403. The tokens stay good.
    Lapsed,
    /// Any answer one can think of.
    Answer {
        status: u16,
        #[serde(default)]
        content_type: Option<String>,
        #[serde(default)]
        body: String,
    },
    /// The request runs this long, takes effect, and is then cut off with a 504.
    CutOff { after_ms: u64 },
    /// The right answer ends after this many bytes; the rest never comes.
    Truncate { bytes: usize },
    /// The right answer at this pace.
    Drip { bytes_per_second: u32 },
    /// The access token of the call ends right after it; with `mid_body` the answer breaks off in the middle, too.
    ExpireToken {
        #[serde(default)]
        mid_body: bool,
    },
    /// Change data capture shows this many live records as deleted.
    FalseDelete { records: usize },
    /// Change data capture, or a page, ends after this many records and does not say so.
    Cap { records: usize },
    /// The count in the answer is wrong by this much.
    CountOff { by: i64 },
    /// The page comes doubled, turned round, short, empty, or it is the first one again.
    Page { how: Page },
    /// The first record (or every one) is as long as this.
    LargeRecords {
        bytes: usize,
        #[serde(default)]
        every: bool,
    },
    /// The page holds this many small records, made from its first one under ids of their own.
    ManyRecords { records: usize },
    /// The records are not as documented.
    Drift { drift: Drift },
    /// Times in the records carry an offset that is wrong by this many minutes.
    WrongOffset { minutes: i64 },
    /// Right after the call was answered, these requests to the control API are made: changes between two pages.
    Meanwhile { requests: Vec<ControlRequest> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    Doubled,
    Reversed,
    Short,
    Empty,
    FirstAgain,
}

/// How records differ from the documentation; `field` is a name at the top of the record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Drift {
    Renamed {
        field: String,
        to: String,
    },
    Missing {
        field: String,
    },
    /// Numbers and flags become texts, texts become lists.
    ChangedType {
        field: String,
    },
    /// A value nobody knows.
    NewValue {
        field: String,
        value: String,
    },
}

/// A request to the control API: `{"path": "/_control/...", "body": {...}}`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    pub path: String,
    #[serde(default)]
    pub body: serde_json::Value,
}

impl Fault {
    /// Done on the way between client and face, by `network`; the others are the faces' own.
    pub fn is_on_the_way(&self) -> bool {
        !matches!(
            self,
            Fault::RateLimit { .. }
                | Fault::Status { .. }
                | Fault::Unauthorized
                | Fault::HtmlBody
                | Fault::MalformedJson
                | Fault::Delay { .. }
                | Fault::Drop
                | Fault::LoseAnswer
        )
    }

    /// The word of the control API.
    pub fn word(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["kind"].as_str().unwrap_or_default().to_owned()
    }
}

/// All calls of a face (or of one of its companies) fail until this moment of the sandbox's clock.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    pub until: jiff::Timestamp,
    pub fault: Fault,
}

impl Faults {
    pub fn inject(&mut self, injected: Injected) {
        self.queue.push(injected);
    }

    pub fn clear(&mut self) {
        self.queue.clear();
        self.outages.clear();
    }

    /// The fault of an outage that lasts at this moment.
    pub fn outage(&mut self, face: Face, company: &str, now: jiff::Timestamp) -> Option<Fault> {
        self.outages.retain(|outage| now < outage.until);
        let hits =
            |outage: &&Outage| outage.face.is_none_or(|f| f == face) && outage.company.as_deref().is_none_or(|c| c.eq_ignore_ascii_case(company));
        self.outages.iter().find(hits).map(|outage| outage.fault.clone())
    }

    /// Faults that still wait for calls.
    pub fn waiting(&self) -> &[Injected] {
        &self.queue
    }

    /// The face's own fault for this call, if one waits for it; uses up one of its times. `company` is empty for calls that name none;
    /// `path` is path and query.
    pub fn next(&mut self, face: Face, company: &str, path: &str) -> Option<Fault> {
        self.next_of(false, face, company, path)
    }

    /// The same for the faults that happen between client and face.
    pub fn next_on_the_way(&mut self, face: Face, company: &str, path: &str) -> Option<Fault> {
        self.next_of(true, face, company, path)
    }

    fn next_of(&mut self, on_the_way: bool, face: Face, company: &str, path: &str) -> Option<Fault> {
        if self.queue.is_empty() {
            return None;
        }
        let path = path.to_lowercase();
        let mut hit = None;
        for (index, injected) in self.queue.iter_mut().enumerate() {
            let matches = injected.fault.is_on_the_way() == on_the_way
                && injected.face.is_none_or(|f| f == face)
                && injected.company.as_deref().is_none_or(|c| c.eq_ignore_ascii_case(company))
                && injected.path_contains.as_deref().is_none_or(|part| path.contains(&part.to_lowercase()));
            if !matches {
                continue;
            }
            if injected.skip > 0 {
                injected.skip -= 1;
                continue;
            }
            hit = Some(index);
            break;
        }
        let index = hit?;
        let injected = &mut self.queue[index];
        let fault = injected.fault.clone();
        injected.times = injected.times.saturating_sub(1);
        if injected.times == 0 {
            self.queue.remove(index);
        }
        Some(fault)
    }
}

/// An answer that breaks off: the server closes the connection before the announced body has come.
pub fn broken_connection() -> Response {
    let stream = futures::stream::once(async { Err::<Bytes, std::io::Error>(std::io::Error::other("connection dropped on purpose")) });
    let mut response = Response::new(Body::from_stream(stream));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert("content-length", axum::http::HeaderValue::from_static("4096"));
    response
}

/// A maintenance page.
pub fn html_page() -> Response {
    let mut response = Response::new(Body::from(
        "<!DOCTYPE html><html><head><title>Service temporarily unavailable</title></head><body><h1>We'll be right back</h1></body></html>",
    ));
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// JSON that ends in the middle.
pub fn malformed_json() -> Response {
    let mut response = Response::new(Body::from("{\"QueryResponse\":{\"Invoice\":[{\"Id\":\"1\",\"TotalAmt\":12."));
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}
