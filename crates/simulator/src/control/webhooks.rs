//! Control of webhooks: who is told, what goes wrong on the way, what was sent.
use super::body;
use super::{Answer, Problem, json};
use crate::books::Face;
use crate::sandbox::Sandbox;
use crate::webhooks::{self, Address, Form, Mischief};
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as object};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEndpoint {
    face: Face,
    url: String,
    key: String,
    /// QuickBooks only: `cloud_events` or `classic`.
    form: Option<Form>,
    /// QuickBooks only: `void` or `voided`.
    void_word: Option<String>,
}

pub async fn endpoints(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| {
        let endpoints: Vec<Value> = state
            .webhooks
            .endpoints
            .iter()
            .map(|endpoint| {
                object!({
                    "number": endpoint.number,
                    "face": endpoint.face,
                    "url": endpoint.address.text(),
                    "form": endpoint.form,
                    "status": endpoint.status,
                })
            })
            .collect();
        object!({"endpoints": endpoints, "waiting": state.webhooks.waiting(), "mischief": state.webhooks.mischief})
    }))
}

pub async fn add(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: NewEndpoint = body::read(&bytes)?;
    let address = Address::read(&wanted.url).ok_or_else(|| Problem::bad(format!("url: {} is no http address", wanted.url)))?;
    let form = match (wanted.face, wanted.form) {
        (Face::Xero, None | Some(Form::Xero)) => Form::Xero,
        (Face::QuickBooks, None) => Form::CloudEvents,
        (Face::QuickBooks, Some(form)) if form != Form::Xero => form,
        (_, Some(form)) => return Err(Problem::bad(format!("form: {form:?} is not one of this provider"))),
    };
    let void_word = wanted.void_word.unwrap_or_else(|| "void".into());
    if !["void", "voided"].contains(&void_word.as_str()) {
        return Err(Problem::bad(format!("void_word: {void_word} is none of void, voided")));
    }
    sandbox.write(|state| {
        let known = webhooks::known(state);
        state.webhooks.add(wanted.face, address, wanted.key, form, void_word, &known);
    });
    endpoints(State(sandbox)).await
}

pub async fn remove(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| state.webhooks = webhooks::Webhooks::default());
    endpoints(State(sandbox)).await
}

pub async fn mischief(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: Mischief = body::read(&bytes)?;
    sandbox.write(|state| state.webhooks.mischief = wanted);
    endpoints(State(sandbox)).await
}

pub async fn deliveries(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| {
        let shown = state.webhooks.deliveries.iter().map(|delivery| {
            object!({
                "number": delivery.number,
                "endpoint": delivery.endpoint,
                "at": delivery.at.to_string(),
                "attempt": delivery.attempt,
                "status": delivery.status,
                "lost": delivery.lost,
                "body": serde_json::from_str::<Value>(&delivery.body).unwrap_or_default(),
            })
        });
        object!({"deliveries": shown.collect::<Vec<_>>()})
    }))
}
