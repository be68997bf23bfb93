//! The OpenAPI document, made from the list of operations and the types they take and answer with.
use super::error::ErrorAnswer;
use super::operation::Operation;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document as text; the same for every installation.
pub static TEXT: LazyLock<String> = LazyLock::new(|| serde_json::to_string_pretty(&document()).expect("a document is plain data") + "\n");

/// GET /api/v1/openapi.json
pub async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for operation in super::all() {
        if !tags.contains(&operation.tag) {
            tags.push(operation.tag);
        }
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_lowercase()] = describe(&operation, &mut generator);
    }
    let refusal = generator.subschema_for::<ErrorAnswer>();
    let mut responses = Map::new();
    for (status, name, sentence) in REFUSALS {
        let schema = json!({ "description": sentence, "content": { "application/json": { "schema": refusal } } });
        debug_assert!(StatusCode::from_u16(*status).is_ok());
        responses.insert((*name).to_owned(), schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tieout",
            "version": "1",
            "description": "Everything the pages of Tieout show and do. Money is an exact decimal text, moments are RFC 3339 in UTC, accounting days have no zone. \
                            Lists come in pages: pass `next_cursor` as `cursor`. Every GET has an ETag; every POST accepts an `Idempotency-Key`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": super::BASE }],
        "security": [{ "key": [] }],
        "tags": tags.into_iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "A key of the organization, made under Organization, API keys." } },
            "responses": responses,
            "schemas": generator.take_definitions(true),
        },
    })
}

const REFUSALS: &[(u16, &str, &str)] = &[
    (400, "Unreadable", "The request cannot be read; the message names the parameter."),
    (401, "Unauthenticated", "There is no key, or it is unknown, expired or revoked."),
    (403, "Forbidden", "The key does not allow this."),
    (404, "NotFound", "Unknown, or not reached by this key."),
    (406, "NotAcceptable", "Only application/json is answered."),
    (408, "TooSlow", "The body did not arrive whole within half a minute."),
    (409, "Conflict", "It cannot be done as things are; the message says why."),
    (412, "PreconditionFailed", "`If-Match` never holds: what is changed has no entity tag."),
    (413, "TooLarge", "The body is larger than 1 MB."),
    (415, "UnsupportedMediaType", "The body is not application/json."),
    (422, "Unprocessable", "The body cannot be taken; `fields` says which fields and why."),
    (429, "TooMany", "The key has sent too many requests; `Retry-After` says how long to wait."),
    (500, "Internal", "Something failed on our side."),
];

fn describe(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if let Some(query) = operation.query {
        parameters.extend(query_parameters(query, generator));
    }
    if operation.method == axum::http::Method::POST {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same request with the same key has one effect and gets the first answer again, for a day.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses(operation, generator),
    });
    if !operation.description.is_empty() {
        described["description"] = operation.description.into();
    }
    if let Some(body) = operation.body {
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body(generator), "example": operation.example } } });
    }
    described
}

/// The properties of a query type, each as a parameter.
fn query_parameters(query: super::operation::Describe, generator: &mut SchemaGenerator) -> Vec<Value> {
    // a generator of its own: the type of a query is no component of the document
    let mut own = generator.settings().clone().into_generator();
    let schema = query(&mut own);
    let definitions = own.take_definitions(true);
    let resolve = |value: &Value| -> Value {
        let name = value.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        name.and_then(|name| definitions.get(name)).cloned().unwrap_or_else(|| value.clone())
    };
    let object = resolve(schema.as_value());
    let required: Vec<&str> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = object["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, property): (String, Value)| {
        let description = property.get("description").cloned();
        let mut schema = plain(&property, &resolve);
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("description");
        }
        let mut parameter = json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    properties.into_iter().map(parameter).collect()
}

/// A property without the null that an optional one may be in JSON: a query has no null.
fn plain(property: &Value, resolve: &dyn Fn(&Value) -> Value) -> Value {
    let one = property["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null")).unwrap_or(property);
    let mut schema = resolve(one);
    if let Some(kinds) = schema["type"].as_array() {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or(Value::Null);
        schema["type"] = kind;
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<Value> = words.iter().filter(|word| !word.is_null()).cloned().collect();
        schema["enum"] = words.into();
    }
    schema
}

fn responses(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let mut good = json!({ "description": "It worked." });
    if let Some(answer) = operation.answer {
        good["content"] = json!({ "application/json": { "schema": answer(generator) } });
    }
    responses.insert(operation.status.as_str().to_owned(), good);
    let mut statuses: Vec<u16> = vec![400, 401, 403, 406, 429, 500];
    if operation.method != axum::http::Method::GET {
        statuses.extend([408, 412, 413]);
    }
    if operation.path.contains('{') {
        statuses.push(404);
    }
    // an Idempotency-Key that was used for something else
    statuses.extend(operation.refusals.iter().map(StatusCode::as_u16));
    for (status, name, _) in REFUSALS.iter().filter(|(status, ..)| statuses.contains(status)) {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    if operation.method == axum::http::Method::GET {
        responses.insert("304".into(), json!({ "description": "Unchanged since the answer with this ETag." }));
    }
    Value::Object(responses)
}
