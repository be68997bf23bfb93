//! One operation of the API: where it is, who may call it, what it takes and answers. Routing and document are both made from it.
use crate::app::App;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use domain::organization::Action;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// A function that writes the schema of a type into the document.
pub type Describe = fn(&mut SchemaGenerator) -> Schema;

/// What a caller must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    pub action: Action,
    /// A key that may only read is refused.
    pub changes: bool,
}

pub struct Operation {
    pub method: Method,
    /// Below `/api/v1`.
    pub path: &'static str,
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub needs: Needs,
    pub query: Option<Describe>,
    pub body: Option<Describe>,
    /// A body as somebody would send it.
    pub example: Option<Value>,
    pub status: StatusCode,
    pub answer: Option<Describe>,
    /// Besides those every operation can answer with.
    pub refusals: Vec<StatusCode>,
    pub handler: MethodRouter<App>,
}

fn describe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    fn new<H, T>(method: Method, path: &'static str, id: &'static str, action: Action, handler: H) -> Operation
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let changes = method != Method::GET;
        let filter = MethodFilter::try_from(method.clone()).expect("an ordinary method");
        Operation {
            method,
            path,
            id,
            tag: "",
            summary: "",
            description: "",
            needs: Needs { action, changes },
            query: None,
            body: None,
            example: None,
            status: StatusCode::OK,
            answer: None,
            refusals: Vec::new(),
            handler: on(filter, handler),
        }
    }
    /// Reads; never changes anything.
    pub fn get<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, action: Action, handler: H) -> Operation {
        Operation::new(Method::GET, path, id, action, handler)
    }
    /// Does something; accepts an `Idempotency-Key`.
    pub fn post<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, action: Action, handler: H) -> Operation {
        Operation::new(Method::POST, path, id, action, handler).refuses(StatusCode::CONFLICT).refuses(StatusCode::UNPROCESSABLE_ENTITY)
    }
    pub fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, action: Action, handler: H) -> Operation {
        Operation::new(Method::DELETE, path, id, action, handler)
    }
    /// Asks by POST because it asks for much, and changes nothing: a key that may only read may use it.
    pub fn only_reads(mut self) -> Operation {
        self.needs.changes = false;
        self
    }
    pub fn told(mut self, tag: &'static str, summary: &'static str, description: &'static str) -> Operation {
        (self.tag, self.summary, self.description) = (tag, summary, description);
        self
    }
    pub fn takes_query<T: JsonSchema>(mut self) -> Operation {
        self.query = Some(describe::<T>);
        self
    }
    pub fn takes<T: JsonSchema>(mut self, example: Value) -> Operation {
        self.body = Some(describe::<T>);
        self.example = Some(example);
        self.refuses(StatusCode::UNSUPPORTED_MEDIA_TYPE).refuses(StatusCode::PAYLOAD_TOO_LARGE)
    }
    pub fn answers<T: JsonSchema>(mut self) -> Operation {
        self.answer = Some(describe::<T>);
        self
    }
    pub fn with_status(mut self, status: StatusCode) -> Operation {
        self.status = status;
        self
    }
    pub fn refuses(mut self, status: StatusCode) -> Operation {
        if !self.refusals.contains(&status) {
            self.refusals.push(status);
        }
        self
    }
}
