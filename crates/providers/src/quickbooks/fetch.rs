//! The query endpoint: every record of a type page by page, which ids exist, how many there are.
use crate::error::ProviderError;
use crate::http::Answer;
use crate::provider::{Books, Chunk, Next};
use crate::quickbooks::fault::{Refused, unexpected};
use crate::quickbooks::wire::{self, Group, QueryAnswer};
use crate::quickbooks::{QuickBooks, frame};
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::record::RawRecord;
use domain::sync::Checkpoint;
use std::collections::HashSet;
use std::fmt;

/// D-QUERY: at most 1,000 rows an answer.
const PAGE_SIZE: u64 = 1_000;
/// Pages that time out are halved, but not below this.
const SMALLEST_PAGE: u64 = 50;
/// Ids in one `IN (…)`: the statement stays far below what a URL may hold.
const IDS_IN_ONE_STATEMENT: usize = 200;

/// Name lists: left out of an answer while inactive, unless the statement filters on `Active` (D-QUERY).
fn is_name_list(data_type: DataType) -> bool {
    matches!(data_type, DataType::Account | DataType::Customer | DataType::Vendor | DataType::Item)
}

/// Where the next page begins. Each page repeats the last row of the page before, which proves that no row moved while we were paging.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// 1-based position of the first row to ask for.
    start: u64,
    size: u64,
    /// The row that should stand at `start`; empty at the beginning.
    last_id: String,
}

impl Place {
    fn read(from: Option<&Checkpoint>) -> Place {
        let beginning = Place { start: 1, size: PAGE_SIZE, last_id: String::new() };
        let Some(Checkpoint(text)) = from else { return beginning };
        let mut parts = text.splitn(3, ':');
        let start = parts.next().and_then(|part| part.parse().ok()).filter(|start| *start >= 1);
        let size = parts.next().and_then(|part| part.parse().ok()).filter(|size| (1..=PAGE_SIZE).contains(size));
        match (start, size, parts.next()) {
            (Some(start), Some(size), Some(last_id)) => Place { start, size, last_id: last_id.to_owned() },
            // a checkpoint of another form: listing from the beginning repeats work but loses nothing
            _ => beginning,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.start, self.size, self.last_id)
    }
}

type Row = Result<RawRecord, Unreadable>;

impl QuickBooks {
    /// One page of a listing ordered by id. New rows append at the end; a deleted row moves all later ones up, which shows in the repeated
    /// row: then we step back until the place is found again.
    pub(super) async fn fetch_page(&self, books: &Books<'_>, data_type: DataType, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError> {
        let mut place = Place::read(from);
        let mut stepped_back = false;
        let (rows, full) = loop {
            let answer = match self.query(books, data_type, &listing(data_type, place.start, place.size)).await {
                Ok(answer) => answer,
                // 5030: this edition of QuickBooks does not have such records
                Err(refused) if refused.code == 5030 => return Ok(chunk(Vec::new(), Next::UpToDate)),
                Err(refused) if is_too_heavy(&refused.error) && place.size > SMALLEST_PAGE => {
                    place.size = (place.size / 2).max(SMALLEST_PAGE);
                    continue;
                }
                Err(refused) => return Err(refused.into()),
            };
            let rows = self.rows(&answer, data_type)?;
            let full = rows.len() as u64 >= place.size;
            let new_from = if place.last_id.is_empty() { Some(0) } else { first_new(&rows, &place.last_id) };
            let Some(new_from) = new_from.or_else(|| (place.start == 1).then_some(0)) else {
                place.start = place.start.saturating_sub(place.size.max(2) - 1).max(1);
                stepped_back = true;
                continue;
            };
            if full && new_from == rows.len() && !stepped_back {
                return Err(unexpected("it answers every page with the same records", answer.call));
            }
            place.start = match rows.last() {
                Some(Ok(last)) => {
                    place.last_id.clone_from(&last.id);
                    place.start + rows.len() as u64 - 1
                }
                _ => {
                    place.last_id.clear();
                    place.start + rows.len() as u64
                }
            };
            break (rows.into_iter().skip(new_from).collect::<Vec<_>>(), full);
        };
        let next = if full { Next::More(Checkpoint(place.to_string())) } else { Next::UpToDate };
        Ok(chunk(rows, next))
    }

    /// Asks for many ids at a time; an inactive record exists.
    pub(super) async fn find_existing(&self, books: &Books<'_>, data_type: DataType, ids: &[String]) -> Result<Option<Vec<String>>, ProviderError> {
        if matches!(data_type, DataType::CompanyInfo | DataType::Preferences) {
            return Ok(None);
        }
        let mut existing = Vec::new();
        for ids in ids.chunks(IDS_IN_ONE_STATEMENT) {
            let answer = match self.query(books, data_type, &existence("Id", data_type, ids)).await {
                // D-QUERY documents `*` only
                Err(refused) if matches!(refused.code, 4000 | 4001) => self.query(books, data_type, &existence("*", data_type, ids)).await?,
                Err(refused) if refused.code == 5030 => return Ok(None),
                other => other?,
            };
            let found: HashSet<String> = self.rows(&answer, data_type)?.into_iter().filter_map(Result::ok).map(|record| record.id).collect();
            existing.extend(ids.iter().filter(|id| found.contains(*id)).cloned());
        }
        Ok(Some(existing))
    }

    /// The provider's own count, inactive records included.
    pub(super) async fn count_records(&self, books: &Books<'_>, data_type: DataType) -> Result<Option<u64>, ProviderError> {
        if matches!(data_type, DataType::CompanyInfo | DataType::Preferences) {
            return Ok(None);
        }
        let filter = if is_name_list(data_type) { " WHERE Active IN (true,false)" } else { "" };
        let answer = match self.query(books, data_type, &format!("SELECT COUNT(*) FROM {data_type}{filter}")).await {
            Err(refused) if refused.code == 5030 => return Ok(None),
            other => other?,
        };
        match self.group(&answer)?.total_count {
            Some(count) => Ok(Some(count)),
            None => Err(unexpected("it holds no totalCount", answer.call)),
        }
    }

    async fn query(&self, books: &Books<'_>, data_type: DataType, statement: &str) -> Result<Answer, Refused> {
        self.read(books, &format!("GET query {data_type}"), &["query"], &[("query", statement)]).await
    }

    fn group<'a>(&self, answer: &'a Answer) -> Result<Group<'a>, ProviderError> {
        let envelope: QueryAnswer<'a> = frame(answer)?;
        let fault = envelope.fault.as_ref().or(envelope.response.as_ref().and_then(|group| group.fault.as_ref()));
        if let Some(fault) = fault {
            return Err(fault.refusal(answer, self.now()).into());
        }
        envelope.response.ok_or_else(|| unexpected("it holds no QueryResponse", answer.call.clone()))
    }

    fn rows(&self, answer: &Answer, data_type: DataType) -> Result<Vec<Row>, ProviderError> {
        let group = self.group(answer)?;
        let rows = group.rows.into_iter().find(|(answered, _)| *answered == data_type).map(|(_, rows)| rows).unwrap_or_default();
        Ok(rows.into_iter().map(|raw| wire::record(data_type, raw)).collect())
    }
}

fn chunk(rows: Vec<Row>, next: Next) -> Chunk {
    let mut chunk = Chunk { records: Vec::with_capacity(rows.len()), next, ..Chunk::default() };
    for row in rows {
        match row {
            Ok(record) => chunk.records.push(record),
            Err(unreadable) => chunk.unreadable.push(unreadable),
        }
    }
    chunk
}

fn listing(data_type: DataType, start: u64, size: u64) -> String {
    // `SELECT *` leaves Sku out of items; naming it brings it
    let columns = if data_type == DataType::Item { "*, Sku" } else { "*" };
    let filter = if is_name_list(data_type) { " WHERE Active IN (true,false)" } else { "" };
    format!("SELECT {columns} FROM {data_type}{filter} ORDERBY Id STARTPOSITION {start} MAXRESULTS {size}")
}

fn existence(columns: &str, data_type: DataType, ids: &[String]) -> String {
    let filter = if is_name_list(data_type) { " AND Active IN (true,false)" } else { "" };
    let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
    format!("SELECT {columns} FROM {data_type} WHERE Id IN ({}){filter} MAXRESULTS {PAGE_SIZE}", ids.join(","))
}

/// A text as the query language spells it: single quotes, `\'` and `\\` inside (D-QUERY).
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The page took longer than the provider allows (120 s, D-REST) or holds more than it hands out.
fn is_too_heavy(error: &ProviderError) -> bool {
    match error {
        ProviderError::TooLarge { .. } => true,
        ProviderError::Down { detail, call, .. } => call.http_status == Some(504) || detail == "time-out",
        _ => false,
    }
}

/// Index of the first row after the one we know; `None` when the page does not show where that is.
fn first_new(rows: &[Row], last_id: &str) -> Option<usize> {
    if let Some(at) = rows.iter().position(|row| row.as_ref().is_ok_and(|record| record.id == last_id)) {
        return Some(at + 1);
    }
    // our row was deleted meanwhile: where ids ascend as numbers, those below it are known already
    let last: u64 = last_id.parse().ok()?;
    let ids: Vec<u64> = rows.iter().map(|row| row.as_ref().ok()?.id.parse().ok()).collect::<Option<_>>()?;
    let ascends = ids.is_sorted() && ids.first().is_some_and(|first| *first < last);
    ascends.then(|| ids.partition_point(|id| *id < last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> Row {
        Ok(RawRecord { data_type: DataType::Bill, id: id.into(), body: "{}".into(), updated_at: None, deleted: false })
    }
    fn page(ids: &[&str]) -> Vec<Row> {
        ids.iter().map(|id| row(id)).collect()
    }

    #[test]
    fn statements_list_inactive_names_and_order_by_id() {
        assert_eq!(listing(DataType::Bill, 1_000, 500), "SELECT * FROM Bill ORDERBY Id STARTPOSITION 1000 MAXRESULTS 500");
        assert_eq!(
            listing(DataType::Account, 1, 1_000),
            "SELECT * FROM Account WHERE Active IN (true,false) ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000"
        );
        assert!(listing(DataType::Item, 1, 1_000).starts_with("SELECT *, Sku FROM Item "));
    }

    #[test]
    fn quotes_in_ids_cannot_leave_their_text() {
        let statement = existence("Id", DataType::Vendor, &["5".into(), "6' OR '1".into(), "\\".into()]);
        assert_eq!(statement, r"SELECT Id FROM Vendor WHERE Id IN ('5','6\' OR \'1','\\') AND Active IN (true,false) MAXRESULTS 1000");
    }

    #[test]
    fn checkpoints_are_read_back_and_foreign_ones_begin_anew() {
        let place = Place { start: 1_999, size: 500, last_id: "a:7".into() };
        assert_eq!(Place::read(Some(&Checkpoint(place.to_string()))), place);
        let beginning = Place::read(None);
        for odd in ["", "x", "5", "0:1000:7", "5:0:7", "5:100000:7"] {
            assert_eq!(Place::read(Some(&Checkpoint(odd.into()))), beginning, "{odd}");
        }
    }

    // proves C7 in part
    #[test]
    fn the_repeated_row_shows_whether_rows_moved() {
        assert_eq!(first_new(&page(&["7", "8", "9"]), "7"), Some(1)); // nothing moved
        assert_eq!(first_new(&page(&["5", "7", "9"]), "7"), Some(2)); // a row came in before
        assert_eq!(first_new(&page(&["8", "9"]), "7"), None); // rows before were deleted: step back
        assert_eq!(first_new(&page(&[]), "7"), None);
        assert_eq!(first_new(&page(&["5", "6", "8"]), "7"), Some(2)); // our own row was deleted
        assert_eq!(first_new(&page(&["9", "10", "6"]), "7"), None); // not in the order of numbers: only the row itself tells
    }
}
