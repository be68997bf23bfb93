//! What Xero lists and how: paths, list keys, ids, paging.
//!
//! <https://developer.xero.com/documentation/api/accounting/requests-and-responses>
use super::wire::{Envelope, Fields, Pagination};
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::record::RawRecord;
use domain::sync::Checkpoint;
use jiff::Timestamp;
use serde_json::value::RawValue;

/// The most records a page may hold; a larger number would be clamped to it.
pub const PAGE_SIZE: &str = "1000";

/// How one data type is listed.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    pub data_type: DataType,
    /// The path below `/api.xro/2.0/`.
    pub path: &'static str,
    /// The key of the list in the envelope.
    pub list: &'static str,
    pub id: &'static str,
    /// When the record changed last: empty for what carries no time.
    pub updated: &'static str,
    pub paged: bool,
    /// Parameters that add what Xero leaves out by default.
    pub extra: Option<(&'static str, &'static str)>,
    pub scope: &'static str,
}

const fn resource(
    data_type: DataType,
    path: &'static str,
    id: &'static str,
    updated: &'static str,
    paged: bool,
    extra: Option<(&'static str, &'static str)>,
    scope: &'static str,
) -> Resource {
    Resource { data_type, path, list: path, id, updated, paged, extra, scope }
}

const UPDATED: &str = "UpdatedDateUTC";

/// Every resource, in order of dependence.
pub const RESOURCES: &[Resource] = &[
    Resource {
        list: "Organisations",
        ..resource(DataType::Organisation, "Organisation", "OrganisationID", "", false, None, "accounting.settings.read")
    },
    resource(DataType::Account, "Accounts", "AccountID", UPDATED, false, None, "accounting.settings.read"),
    resource(DataType::TaxRate, "TaxRates", "TaxType", "", false, None, "accounting.settings.read"),
    resource(DataType::Contact, "Contacts", "ContactID", UPDATED, true, Some(("includeArchived", "true")), "accounting.contacts.read"),
    resource(DataType::Invoice, "Invoices", "InvoiceID", UPDATED, true, None, "accounting.invoices.read"),
    resource(DataType::CreditNote, "CreditNotes", "CreditNoteID", UPDATED, true, None, "accounting.invoices.read"),
    resource(DataType::Payment, "Payments", "PaymentID", UPDATED, true, None, "accounting.payments.read"),
    resource(DataType::BankTransaction, "BankTransactions", "BankTransactionID", UPDATED, true, None, "accounting.banktransactions.read"),
    // transfers have no time of change, and deletions show only when asked for
    resource(
        DataType::BankTransfer,
        "BankTransfers",
        "BankTransferID",
        "CreatedDateUTC",
        false,
        Some(("includeDeleted", "true")),
        "accounting.banktransactions.read",
    ),
    resource(DataType::ManualJournal, "ManualJournals", "ManualJournalID", UPDATED, true, None, "accounting.manualjournals.read"),
];

pub fn resource_of(data_type: DataType) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.data_type == data_type)
}

/// Where a paged listing stands.
///
/// Xero orders by time of change, so a record that is changed while we read moves behind the end and every record after it moves one place
/// forward, over the border of a page. Pages are therefore read from the last to the first: what moves forward is seen twice, never missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Page 1, which tells how many pages there are.
    First,
    /// Page `page`, with all pages behind it read. `started` is Xero's clock at the first page.
    Down { page: u64, started: i64 },
    /// What changed since `started`, and so moved behind the pages that were read.
    Tail { page: u64, started: i64 },
    /// Page `page` of a list that does not tell its length: on until an empty page.
    Up { page: u64 },
}

impl Position {
    pub fn parse(text: &str) -> Option<Position> {
        let mut parts = text.split('/');
        let (word, page) = (parts.next()?, parts.next()?.parse().ok().filter(|page| *page > 0)?);
        let started = parts.next().map(str::parse::<i64>).transpose().ok()?;
        match (word, started, parts.next()) {
            ("down", Some(started), None) => Some(Position::Down { page, started }),
            ("tail", Some(started), None) => Some(Position::Tail { page, started }),
            ("up", None, None) => Some(Position::Up { page }),
            _ => None,
        }
    }

    pub fn checkpoint(self) -> Checkpoint {
        Checkpoint(match self {
            Position::First => "up/1".into(),
            Position::Down { page, started } => format!("down/{page}/{started}"),
            Position::Tail { page, started } => format!("tail/{page}/{started}"),
            Position::Up { page } => format!("up/{page}"),
        })
    }

    pub fn page(self) -> u64 {
        match self {
            Position::First => 1,
            Position::Down { page, .. } | Position::Tail { page, .. } | Position::Up { page } => page,
        }
    }

    /// Where to go on after a page; `None` at the end. Without `with_tail` the listing ends at the first page (the next run sees the rest).
    pub fn after(self, envelope: &PageEnd, with_tail: bool) -> Option<Position> {
        match self {
            Position::First => match envelope.pagination {
                Some(pagination) if pagination.page_count <= 1 => None,
                Some(pagination) => Some(Position::Down { page: pagination.page_count, started: envelope.answered_at.as_second() }),
                None if envelope.is_empty => None,
                None => Some(Position::Up { page: 2 }),
            },
            Position::Down { page, started } if page > 1 => Some(Position::Down { page: page - 1, started }),
            Position::Down { started, .. } => with_tail.then_some(Position::Tail { page: 1, started }),
            Position::Tail { page, started } => {
                let is_last = envelope.is_empty || envelope.pagination.is_some_and(|pagination| page >= pagination.page_count);
                (!is_last).then_some(Position::Tail { page: page + 1, started })
            }
            Position::Up { page } => (!envelope.is_empty).then_some(Position::Up { page: page + 1 }),
        }
    }
}

/// What the end of a page says about the list.
#[derive(Clone, Copy, Debug)]
pub struct PageEnd {
    pub pagination: Option<Pagination>,
    pub is_empty: bool,
    pub answered_at: Timestamp,
}

/// Splits a list into records, bodies unchanged; what has no id is set aside under its place in the answer.
pub fn split(resource: &Resource, envelope: &Envelope<'_>, page: u64) -> (Vec<RawRecord>, Vec<Unreadable>) {
    let mut records = Vec::with_capacity(envelope.entries.len());
    let mut unreadable = Vec::new();
    for (at, entry) in envelope.entries.iter().enumerate() {
        match record(resource, entry) {
            Ok(record) => records.push(record),
            Err(reason) => unreadable.push(Unreadable { data_type: resource.data_type, id: format!("page {page}, entry {}", at + 1), reason }),
        }
    }
    (records, unreadable)
}

fn record(resource: &Resource, entry: &RawValue) -> Result<RawRecord, String> {
    let fields = Fields::parse(entry.get()).map_err(|defect| defect.to_string())?;
    let id = fields.required_text(resource.id).map_err(|defect| defect.to_string())?.into_owned();
    // a time that cannot be read is no reason to lose the record; `normalize` names it
    let updated_at = if resource.updated.is_empty() { None } else { fields.instant(resource.updated).ok().flatten() };
    Ok(RawRecord { data_type: resource.data_type, id, body: entry.get().into(), updated_at, deleted: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(page_count: Option<u64>, is_empty: bool) -> PageEnd {
        let pagination = page_count.map(|page_count| Pagination { page_count, item_count: 0 });
        PageEnd { pagination, is_empty, answered_at: Timestamp::from_second(500).unwrap() }
    }
    fn walk(pages: u64, with_tail: bool) -> Vec<String> {
        let mut visited = Vec::new();
        let mut at = Some(Position::First);
        while let Some(position) = at {
            visited.push(position.checkpoint().0);
            let is_tail = matches!(position, Position::Tail { .. });
            at = position.after(&end(Some(if is_tail { 0 } else { pages }), is_tail), with_tail);
        }
        visited
    }

    #[test]
    fn pages_are_read_backwards_and_the_first_one_again() {
        assert_eq!(walk(0, true), ["up/1"]);
        assert_eq!(walk(1, true), ["up/1"]);
        assert_eq!(walk(3, true), ["up/1", "down/3/500", "down/2/500", "down/1/500", "tail/1/500"]);
        assert_eq!(walk(2, false), ["up/1", "down/2/500", "down/1/500"]);
    }

    #[test]
    fn a_list_without_pagination_ends_at_its_empty_page() {
        assert_eq!(Position::First.after(&end(None, false), true), Some(Position::Up { page: 2 }));
        assert_eq!(Position::Up { page: 2 }.after(&end(None, false), true), Some(Position::Up { page: 3 }));
        assert_eq!(Position::Up { page: 3 }.after(&end(None, true), true), None);
        assert_eq!(Position::First.after(&end(None, true), true), None);
    }

    #[test]
    fn checkpoints_are_read_back_and_foreign_ones_refused() {
        for position in [Position::Down { page: 7, started: 5 }, Position::Tail { page: 1, started: 5 }, Position::Up { page: 2 }] {
            assert_eq!(Position::parse(&position.checkpoint().0), Some(position));
        }
        for foreign in ["", "7", "down/7", "down/0/5", "up/2/5", "down/x/5", "down/7/5/1", "sideways/1"] {
            assert_eq!(Position::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn hostile_records_are_set_aside_and_the_others_kept() {
        let body = include_str!("fixtures/invoices_hostile.json");
        let resource = resource_of(DataType::Invoice).unwrap();
        let envelope = Envelope::parse(body, resource.list).unwrap();
        let (records, unreadable) = split(resource, &envelope, 3);
        let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(ids, ["11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002", "11111111-0000-4000-8000-000000000003"]);
        assert!(records.iter().all(|record| body.contains(&*record.body)));
        assert_eq!(records[1].updated_at, None);
        let reasons: Vec<(&str, &str)> = unreadable.iter().map(|set_aside| (set_aside.id.as_str(), set_aside.reason.as_str())).collect();
        assert_eq!(
            reasons,
            [
                ("page 3, entry 4", "InvoiceID is missing"),
                ("page 3, entry 5", "InvoiceID is missing"),
                ("page 3, entry 6", "InvoiceID is not a text"),
                ("page 3, entry 7", "it is not a whole JSON object"),
            ]
        );
    }
}
