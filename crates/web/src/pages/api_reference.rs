//! The reference of the JSON API, drawn from its own document: what is read here is what programs read.
use crate::api::openapi;
use crate::app::App;
use crate::error::WebError;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::organization::Action;
use serde_json::Value;

pub struct Field {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

pub struct OperationShown {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    pub parameters: Vec<Field>,
    pub body: Vec<Field>,
    pub status: String,
    pub answer: Vec<Field>,
    pub refusals: String,
    pub example: String,
}

pub struct Group {
    pub name: String,
    pub anchor: String,
    pub operations: Vec<OperationShown>,
}

#[derive(Template)]
#[template(path = "pages/api_reference.html")]
pub struct ApiReferencePage {
    pub shell: Shell,
    pub groups: Vec<Group>,
    pub origin: String,
    pub may_make_keys: bool,
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let shell = visit.shell(&mut conn, Place::ApiReference, "API reference").await?;
    drop(conn);
    let origin = app.options.origin();
    let page = ApiReferencePage { shell, groups: groups(&openapi::document(), &origin), origin, may_make_keys: visit.may(Action::ManageMembers) };
    visit.page(&page)
}

/// Operations by tag, in the order of the document.
fn groups(document: &Value, origin: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = document["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tag| tag["name"].as_str())
        .map(|name| Group { name: name.to_owned(), anchor: name.to_lowercase().replace(' ', "-"), operations: Vec::new() })
        .collect();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            if let Some(group) = groups.iter_mut().find(|group| group.name == tag) {
                group.operations.push(shown(document, origin, path, method, operation));
            }
        }
    }
    groups
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn shown(document: &Value, origin: &str, path: &str, method: &str, operation: &Value) -> OperationShown {
    let responses = operation["responses"].as_object().cloned().unwrap_or_default();
    let good = responses.iter().find(|(status, _)| status.starts_with('2'));
    let refusals: Vec<&str> = responses.keys().map(String::as_str).filter(|status| !status.starts_with('2') && *status != "304").collect();
    let method = method.to_uppercase();
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    let data = if body.is_some() { " \\\n  -H 'Content-Type: application/json' -d '{}'" } else { "" };
    let verb = if method == "GET" { String::new() } else { format!(" -X {method}") };
    OperationShown {
        id: text(&operation["operationId"]),
        path: format!("{}{path}", crate::api::BASE),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        parameters: operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| Field {
                name: text(&parameter["name"]),
                kind: format!("{}, {}", text(&parameter["in"]), kind(document, &parameter["schema"])),
                required: parameter["required"] == true,
                description: text(&parameter["description"]),
            })
            .collect(),
        body: body.map(|schema| fields(document, schema)).unwrap_or_default(),
        status: good.map(|(status, _)| status.clone()).unwrap_or_default(),
        answer: good
            .and_then(|(_, response)| response.pointer("/content/application~1json/schema"))
            .map(|schema| fields(document, schema))
            .unwrap_or_default(),
        refusals: refusals.join(", "),
        example: format!("curl{verb} -H \"Authorization: Bearer $KEY\" {origin}{}{path}{data}", crate::api::BASE),
        method,
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#'))) {
        Some(found) => found,
        None => schema,
    }
}

/// `text`, `date-time or null`, `list of Company`.
fn kind(document: &Value, schema: &Value) -> String {
    if let Some(any) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = any.iter().map(|one| kind(document, one)).collect();
        return kinds.join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return format!("one of {}", words.join(", "));
    }
    if let Some(path) = schema["$ref"].as_str() {
        let resolved = resolve(document, schema);
        return match resolved["type"].as_str() {
            Some("object") | None if resolved["enum"].is_null() => path.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => kind(document, resolved),
        };
    }
    let one = |word: &str| match (word, schema["format"].as_str()) {
        ("string", Some(format)) => format.to_owned(),
        ("string", None) => "text".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("array", _) => format!("list of {}", kind(document, &schema["items"])),
        (other, _) => other.to_owned(),
    };
    match &schema["type"] {
        Value::String(word) => one(word),
        Value::Array(words) => words.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or "),
        _ => "value".to_owned(),
    }
}

/// The properties of an object; those of the rows of a list after it, as `data[].name`.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let object = resolve(document, schema);
    let required: Vec<&str> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for (name, property) in object["properties"].as_object().into_iter().flatten() {
        fields.push(Field {
            name: name.clone(),
            kind: kind(document, property),
            required: required.contains(&name.as_str()),
            description: text(&property["description"]),
        });
        if property["type"] == "array" && name == "data" {
            for field in self::fields(document, &property["items"]) {
                fields.push(Field { name: format!("data[].{}", field.name), ..field });
            }
        }
    }
    fields
}
