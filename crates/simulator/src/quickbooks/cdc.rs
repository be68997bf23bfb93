//! Change data capture: everything that changed since a moment, the deleted included.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/changedatacapture>
use super::entity::Entity;
use super::moments;
use super::refusal::Refusal;
use super::rows::{self, Row};
use super::wire::View;
use super::wire::tree::{Json, Object};
use jiff::Timestamp;

/// "Look-back at most 30 days", "at most 1000 objects per response, no paging" (contract 4).
const LOOK_BACK_SECS: i64 = 30 * 86_400;
const MAX_OBJECTS: usize = 1000;

/// The `CDCResponse` list: one `QueryResponse` element per requested entity, in the order of the request.
pub fn answer(view: &View, entities: Option<&str>, changed_since: Option<&str>, any_age: bool) -> Result<Json, Refusal> {
    let names: Vec<&str> = entities.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(Refusal::missing_parameter("entities"));
    }
    let changed_since = changed_since.map(str::trim).filter(|text| !text.is_empty()).ok_or_else(|| Refusal::missing_parameter("changedSince"))?;
    let since = moments::read(changed_since)
        .ok_or_else(|| Refusal::invalid_parameter("changedSince", format!("Invalid date value. Supplied value:{changed_since}")))?;
    if !any_age && since.as_second() < view.now.as_second() - LOOK_BACK_SECS {
        return Err(Refusal::unsupported(format!(
            "Operation cdc with changedSince date {changed_since} which is older than fixed days is not supported."
        )));
    }
    let mut room = MAX_OBJECTS;
    let mut groups = Vec::with_capacity(names.len());
    for name in names {
        let entity = Entity::named(name)
            .filter(|entity| entity.has_cdc())
            .ok_or_else(|| Refusal::unsupported(format!("Operation cdc on entity {name} is not supported.")))?;
        groups.push(group(view, entity, since, &mut room));
    }
    Ok(Json::List(vec![Object::new().put("QueryResponse", groups).into()]))
}

/// "Within a group objects are ordered by LastUpdatedTime, deleted ones after live ones" (contract 4).
fn group(view: &View, entity: Entity, since: Timestamp, room: &mut usize) -> Object {
    let mut changed: Vec<Row> = rows::ever(view.books, entity).filter(|row| row.updated_at().as_second() >= since.as_second()).collect();
    changed.sort_by_key(|row| (row.is_deleted(), row.updated_at(), row.id()));
    changed.truncate(*room);
    *room -= changed.len();
    if changed.is_empty() {
        return Object::new();
    }
    let only_deleted = changed.iter().all(Row::is_deleted);
    let count = changed.len();
    let objects: Vec<Object> = changed.iter().map(|row| if row.is_deleted() { stub(row) } else { row.render(view) }).collect();
    let group = Object::new().put(entity.key(), objects);
    // "startPosition absent in some deleted-only groups, where maxResults and totalCount appear" (contract 4).
    let group = if only_deleted { group } else { group.put("startPosition", 1_i64) };
    let group = group.put("maxResults", count);
    if only_deleted || entity.shows_total_count() { group.put("totalCount", count) } else { group }
}

fn stub(row: &Row) -> Object {
    Object::new()
        .put("status", "Deleted")
        .put("domain", "QBO")
        .put("Id", row.shown_id())
        .put("MetaData", Object::new().put("LastUpdatedTime", moments::seconds(row.updated_at())))
}
