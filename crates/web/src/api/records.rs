//! Records as the provider sent them: how many of each type, and each with its last content, deleted ones included.
use super::answer::{List, Money, Time};
use super::caller::Caller;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{Ids, Limit, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::organization::Action;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::documents::Listed;

const TAG: &str = "Records";

/// How many records of one type there are.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DataTypeCount {
    /// The provider's name of it.
    pub data_type: &'static str,
    pub label: &'static str,
    pub records: i64,
    /// Gone at the provider; their last content is kept.
    pub deleted: i64,
    pub oldest: Option<String>,
    pub newest: Option<String>,
    /// How many the provider counted when it was last asked, and how many of ours the same listing held.
    pub counted_there: Option<i64>,
    pub counted_here: Option<i64>,
    /// Deletions are proven complete as of this moment.
    pub complete_at: Option<Time>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Record {
    pub data_type: &'static str,
    /// The provider's id.
    pub id: String,
    /// `active`, `archived`, `voided` or `deleted`.
    pub state: &'static str,
    pub day: Option<String>,
    pub number: Option<String>,
    /// In the record's own currency.
    pub total: Option<Money>,
    /// When the provider says it changed it.
    pub updated_at: Option<Time>,
    /// When we noticed the state it is in.
    pub noticed_at: Time,
}

/// A record with its content.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecordWithContent {
    #[serde(flatten)]
    pub record: Record,
    /// Versions that were seen; all are kept.
    pub versions: i64,
    /// The provider's JSON, unchanged.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub content: Box<RawValue>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRecords {
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

/// A record that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Quarantined {
    pub data_type: String,
    pub id: String,
    pub reason: String,
    pub noticed_at: Time,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/companies/{id}/records", "count_records", Action::ReadCompany, count)
            .told(TAG, "Data types and their counts", "")
            .takes_query::<Nothing>()
            .answers::<List<DataTypeCount>>(),
        Operation::get("/companies/{id}/records/{data_type}", "list_records", Action::ReadCompany, list)
            .told(TAG, "Records of a data type", "In order of the provider's id, deleted ones included.")
            .takes_query::<AskRecords>()
            .answers::<List<Record>>(),
        Operation::get("/companies/{id}/records/{data_type}/{record_id}", "get_record", Action::ReadCompany, show)
            .told(TAG, "One record with its content", "")
            .takes_query::<Nothing>()
            .answers::<RecordWithContent>(),
        Operation::get("/companies/{id}/quarantine", "list_quarantine", Action::ReadCompany, list_quarantine)
            .told(TAG, "Records that could not be read", "At most 200; they are kept whole and read again with every sync.")
            .takes_query::<Nothing>()
            .answers::<List<Quarantined>>(),
    ]
}

fn shown(listed: Listed) -> Record {
    Record {
        data_type: listed.data_type.as_str(),
        id: listed.remote_id,
        state: listed.state.as_str(),
        day: listed.day.map(|day| day.to_string()),
        number: listed.number,
        total: listed.total.map(Money),
        updated_at: listed.updated_at.map(|at| Time(at.as_millisecond())),
        noticed_at: Time(listed.noticed_at),
    }
}

async fn count(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<DataTypeCount>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let counted = store::inventory::list(&mut conn, &company.id).await?;
    let data = store::documents::count_by_type(&mut conn, &company.id).await?.into_iter().map(|count| {
        let census = counted.iter().find(|counted| counted.data_type == count.data_type);
        DataTypeCount {
            data_type: count.data_type.as_str(),
            label: count.data_type.label(),
            records: count.live,
            deleted: count.deleted,
            oldest: count.oldest,
            newest: count.newest,
            counted_there: census.and_then(|census| census.theirs),
            counted_here: census.filter(|census| census.theirs.is_some()).map(|census| census.ours),
            complete_at: census.and_then(|census| census.complete_at).map(Time),
        }
    });
    Ok(Json(List { data: data.collect(), next_cursor: None }))
}

async fn list(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<AskRecords>) -> Result<Json<List<Record>>, ApiError> {
    let limit = asked.limit.map_or(100, |limit| limit.0);
    let data_type = ids.data_type()?;
    let place = Place { app: &app, caller: &caller, list: "records", filter: format!("{}|{data_type}", ids.text("id")) };
    let after = place.open(asked.cursor.as_deref())?.unwrap_or_default();
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let mut rows = store::documents::list(&mut conn, &company.id, data_type, &after, limit as i64 + 1).await?;
    let next_cursor = place.next(&mut rows, limit, |row| row.remote_id.clone());
    Ok(Json(List { data: rows.into_iter().map(shown).collect(), next_cursor }))
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<RecordWithContent>, ApiError> {
    let (data_type, record_id) = (ids.data_type()?, ids.text("record_id"));
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let record = store::documents::find(&mut conn, &company.id, data_type, record_id).await?.ok_or(ApiError::NotFound)?;
    let content = store::raw_records::find_current(&mut conn, &company.id, data_type, record_id).await?.ok_or(ApiError::NotFound)?;
    let versions = store::raw_records::count_versions(&mut conn, &company.id, data_type, record_id).await?;
    let content = RawValue::from_string(content).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(Json(RecordWithContent { record: shown(record), versions, content }))
}

async fn list_quarantine(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<List<Quarantined>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let data = store::quarantine::list(&mut conn, &company.id, 200).await?.into_iter().map(|row| Quarantined {
        data_type: row.data_type,
        id: row.remote_id,
        reason: row.reason,
        noticed_at: Time(row.noticed_at),
    });
    Ok(Json(List { data: data.collect(), next_cursor: None }))
}
