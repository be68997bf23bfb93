//! The JSON of each Xero entity, rendered from the books.
//!
//! Fields and their presence: providers/xero.md section 6, from Xero-OpenAPI xero_accounting.yaml and recorded responses.
pub mod advances;
pub mod banking;
pub mod batches;
pub mod budgets;
pub mod contacts;
pub mod dates;
pub mod expenses;
pub mod history;
pub mod invoices;
pub mod journals;
pub mod json;
pub mod lines;
pub mod orders;
pub mod payments;
pub mod people;
pub mod settings;
pub mod templates;
pub mod tracking;

/// How much of an object an answer shows (section 3.6: "What is present when").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// In a list without `page`: no line items.
    Listed,
    /// In a list with `page`: line items.
    Paged,
    /// `summaryOnly=true`.
    Summary,
    /// By id: line items, the whole contact, attachments.
    Single,
}
