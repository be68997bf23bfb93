//! Compares what we hold of a company, record by record, with everything its provider would serve.
use crate::house::House;
use domain::data_type::DataType;
use domain::ids::CompanyId;
use domain::record::RecordState;
use serde_json::Value;
use simulator::books::Face;
use std::collections::BTreeMap;

/// How many records were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub live: usize,
    pub voided: usize,
    pub archived: usize,
    pub deleted: usize,
}

/// Every record of the provider is here in the same state and with the same content, deleted ones with their last content, and nothing else is here.
pub async fn assert_equal(house: &House, company_id: &CompanyId) -> Compared {
    let now = house.sandbox.clock.now();
    let truth = house
        .look(company_id, |books| match books.face {
            Face::QuickBooks => simulator::quickbooks::truth(books, now),
            Face::Xero => simulator::xero::truth(books, now),
        })
        .await;
    let mut ours = held(house, company_id).await;
    let mut compared = Compared::default();
    let mut wrong = Vec::new();
    for record in truth {
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        let data_type: DataType = text("type").parse().unwrap();
        let state = RecordState::parse(&text("state")).unwrap();
        let name = format!("{data_type} {}", text("id"));
        match (ours.remove(&(data_type, text("id"))), state) {
            // gone before we ever saw it
            (None, RecordState::Deleted) => {}
            (None, _) => wrong.push(format!("{name} is missing")),
            (Some((our_state, _)), _) if our_state != state => wrong.push(format!("{name} is {our_state:?} here and {state:?} there")),
            (Some((_, body)), RecordState::Deleted) => {
                compared.deleted += 1;
                if body["Id"].is_null() && body.as_object().is_none_or(|fields| fields.len() < 5) {
                    wrong.push(format!("the last content of {name} is lost: {body}"));
                }
            }
            (Some((_, body)), _) => {
                match state {
                    RecordState::Voided => compared.voided += 1,
                    RecordState::Archived => compared.archived += 1,
                    _ => compared.live += 1,
                }
                let (body, theirs) = (comparable(data_type, body), comparable(data_type, record["body"].clone()));
                if body != theirs {
                    wrong.push(format!("{name} differs:\n  ours   {body}\n  theirs {theirs}"));
                }
            }
        }
    }
    wrong.extend(ours.keys().map(|(data_type, id)| format!("{data_type} {id} is here and not there")));
    assert!(wrong.is_empty(), "{} of the records are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    compared
}

/// What of a body follows from the record itself. Neither provider counts it as a change of a record when something it points to is renamed or made
/// inactive (QuickBooks writes the words " (deleted)" after such names), so the name beside an id says nothing; the id is compared.
fn comparable(data_type: DataType, mut body: Value) -> Value {
    fn forget_names(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("value") {
                    fields.remove("name");
                }
                fields.values_mut().for_each(forget_names);
            }
            Value::Array(values) => values.iter_mut().for_each(forget_names),
            _ => {}
        }
    }
    forget_names(&mut body);
    if data_type == DataType::Contact
        && let Some(fields) = body.as_object_mut()
    {
        // derived from the contact's documents when asked for; they do not move UpdatedDateUTC
        // (<https://developer.xero.com/documentation/api/accounting/contacts>)
        for derived in ["Balances", "IsCustomer", "IsSupplier"] {
            fields.remove(derived);
        }
    }
    body
}

async fn held(house: &House, company_id: &CompanyId) -> BTreeMap<(DataType, String), (RecordState, Value)> {
    let mut conn = house.engine.store.read().await.unwrap();
    let mut held = BTreeMap::new();
    for data_type in DataType::ALL {
        for record in store::documents::list(&mut conn, company_id, *data_type, "", 100_000).await.unwrap() {
            let body = store::raw_records::find_current(&mut conn, company_id, *data_type, &record.remote_id).await.unwrap().unwrap();
            held.insert((*data_type, record.remote_id), (record.state, serde_json::from_str(&body).unwrap()));
        }
    }
    held
}
