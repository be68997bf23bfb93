//! From a call that is admitted to its answer: which path means what, and in which format the answer goes out.
use super::entity::Entity;
use super::frame::{Call, refused};
use super::refusal::{Form, Refusal};
use super::reports::{self, Parameters};
use super::wire::View;
use super::wire::tree::{Json, Object};
use super::{attachments, batch, body, cdc, dates, forms, moments, query, rows, write, xml};
use crate::books::Books;
use crate::sandbox::Sandbox;
use axum::body::Body;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use jiff::Timestamp;

pub fn respond(sandbox: &Sandbox, call: &Call) -> Response {
    let now = sandbox.clock.now();
    let answered = if is_write(call) {
        sandbox.write(|state| {
            let books = state.companies.get_mut(&call.realm).ok_or_else(Refusal::application)?;
            change(books, call, now)
        })
    } else {
        sandbox.read(|state| {
            let books = state.companies.get(&call.realm).ok_or_else(Refusal::application)?;
            let view = View::new(books, now).asked_at(&call.base);
            look(&view, call, state.limits.figures.quickbooks_report_cells, state.faults.switches.quickbooks_cdc_any_age)
        })
    };
    match answered {
        Ok(Answer::Tree(tree)) => written(serde_json::to_string(&tree).expect("a tree is JSON"), call.wants_xml),
        Ok(Answer::Json(text)) => written(text, call.wants_xml),
        Ok(Answer::Text(text)) => good(text, "text/plain;charset=UTF-8"),
        Ok(Answer::Paper(file)) => good(file, "application/pdf"),
        Err(refusal) if call.wants_xml && matches!(refusal.form, Form::Application(_)) => {
            let mut response = refused(&refusal, now);
            let document = xml::document(&body::read(&refusal.body(now).0).expect("a fault is JSON"));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            *response.body_mut() = Body::from(document);
            response
        }
        Err(refusal) => refused(&refusal, now),
    }
}

/// What goes out.
pub enum Answer {
    Tree(Object),
    /// JSON that is written already.
    Json(String),
    Text(String),
    /// A PDF.
    Paper(Vec<u8>),
}

fn written(json: String, wants_xml: bool) -> Response {
    if wants_xml {
        let document = xml::document(&body::read(&json).expect("an answer is JSON"));
        return good(document, "application/xml;charset=UTF-8");
    }
    good(json, "application/json;charset=UTF-8")
}

fn good(body: impl Into<Body>, content_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private"));
    headers.insert(header::EXPIRES, HeaderValue::from_static("0"));
    headers.insert("qbo-version", HeaderValue::from_static("1944.190"));
    headers.insert("service-time", HeaderValue::from_static("total=12, db=4"));
    response
}

fn is_write(call: &Call) -> bool {
    call.method == Method::POST && call.path.first().is_none_or(|first| first != "query")
}

fn change(books: &mut Books, call: &Call, now: Timestamp) -> Result<Answer, Refusal> {
    let text = String::from_utf8_lossy(&call.body);
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    // "Idempotency key … only the query parameter is documented" (contract 2.3).
    let request = call.parameters.get("requestid").filter(|id| !id.is_empty()).map(str::to_owned);
    if let Some(answered) = request.as_ref().and_then(|id| books.lists.answered(id)) {
        return Ok(Answer::Json(answered.to_owned()));
    }
    let tree = match path.as_slice() {
        ["batch"] => batch::answer(books, &text, &call.base, now)?,
        ["upload"] => attachments::upload(books, call, now)?,
        ["taxservice", "taxcode"] => write::taxes::answer(books, &text, now)?,
        [name, id, "send"] => match Entity::named(name) {
            Some(entity) => timed_at(forms::send(books, entity, id, call.parameters.get("sendTo"), now)?, now),
            None => return Err(unknown_route(call)),
        },
        [name] => match Entity::named(name) {
            Some(entity) => {
                let operation = write::Operation::named(call.parameters.get("operation"), call.parameters.get("include"))?;
                let allows_twins = call.parameters.get("include") == Some("allowduplicatedocnum");
                let object = write::answer(books, entity, operation, &text, allows_twins, now)?;
                timed_at(object, now)
            }
            None => return Err(unknown_route(call)),
        },
        _ => return Err(unknown_route(call)),
    };
    let Some(id) = request else { return Ok(Answer::Tree(tree)) };
    let json = serde_json::to_string(&tree).expect("a tree is JSON");
    books.lists.remember_answer(id, json.clone());
    Ok(Answer::Json(json))
}

fn look(view: &View, call: &Call, max_report_cells: u64, cdc_any_age: bool) -> Result<Answer, Refusal> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let is_get = call.method == Method::GET;
    let tree = match path.as_slice() {
        ["query"] if is_get || call.method == Method::POST => {
            let body = String::from_utf8_lossy(&call.body);
            // "POST with the statement in the URL too" (contract 3.1).
            let statement = call.parameters.get("query").unwrap_or(&body);
            timed(view, Object::new().put("QueryResponse", query::answer(view, statement)?))
        }
        ["cdc"] if is_get => {
            let changed = cdc::answer(view, call.parameters.get("entities"), call.parameters.get("changedSince"), cdc_any_age)?;
            timed(view, Object::new().put("CDCResponse", changed))
        }
        ["reports", name] if is_get => match reports::named(name) {
            Some(name) => reports::answer(view, name, &call.parameters, max_report_cells)?,
            None => return Err(Refusal::unsupported(format!("Operation report {name} is not supported by the sandbox."))),
        },
        ["companyinfo", id] if is_get => {
            if id.parse::<u64>().is_err() {
                return Err(Refusal::invalid_id(id));
            }
            if *id == call.realm || *id == "1" { single(view, Entity::CompanyInfo, "1")? } else { return Err(Refusal::not_found()) }
        }
        ["exchangerate"] if is_get => exchange_rate(view, &call.parameters)?,
        ["preferences"] if is_get => single(view, Entity::Preferences, "1")?,
        ["download", id] if is_get => return attachments::download(view, id).map(Answer::Text),
        [name, id, "pdf"] if is_get => match Entity::named(name) {
            Some(entity) => return forms::printed(view.books, entity, id).map(Answer::Paper),
            None => return Err(unknown_route(call)),
        },
        [name, id] if is_get => match Entity::named(name) {
            Some(entity) => single(view, entity, id)?,
            None => return Err(unknown_route(call)),
        },
        _ => return Err(unknown_route(call)),
    };
    Ok(Answer::Tree(tree))
}

fn unknown_route(call: &Call) -> Refusal {
    let path = &call.full_path;
    Refusal::unsupported(format!("Operation Could not find resource for relative : {path} of full path: {path} is not supported."))
}

/// `{"<Entity>":{…},"time":"…"}`. A deleted transaction is not found; an inactive name is (contract 7.1).
fn single(view: &View, entity: Entity, id: &str) -> Result<Object, Refusal> {
    if entity == Entity::JournalCode && view.books.country != "FR" {
        return Err(Refusal::feature_not_supported());
    }
    if entity.has_number_ids() && id.parse::<u64>().is_err() {
        return Err(Refusal::invalid_id(id));
    }
    let row = rows::find_shown(view.books, entity, id).filter(|row| !row.is_deleted()).ok_or_else(Refusal::not_found)?;
    Ok(timed(view, Object::new().put(entity.key(), row.render(view))))
}

/// "GET needs sourcecurrencycode, optional asofdate (default today)" (contract 7.5).
fn exchange_rate(view: &View, parameters: &Parameters) -> Result<Object, Refusal> {
    let code =
        parameters.get("sourcecurrencycode").filter(|code| !code.is_empty()).ok_or_else(|| Refusal::missing_parameter("sourcecurrencycode"))?;
    let date = match parameters.get("asofdate") {
        None => dates::day_of(view.books, view.now),
        Some(text) => text.parse().map_err(|_| Refusal::invalid_parameter("asofdate", format!("Invalid date value. Supplied value:{text}")))?,
    };
    let mut known = rows::exchange_rates(view.books, date);
    let row = known.find(|row| row.name().eq_ignore_ascii_case(code)).ok_or_else(Refusal::not_found)?;
    Ok(timed(view, Object::new().put("ExchangeRate", row.render(view))))
}

fn timed(view: &View, object: Object) -> Object {
    timed_at(object, view.now)
}

fn timed_at(object: Object, now: Timestamp) -> Object {
    object.put("time", Json::Text(moments::milliseconds(now)))
}
