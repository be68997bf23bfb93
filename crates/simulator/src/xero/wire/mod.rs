//! The JSON of each Xero entity, rendered from the books.
//!
//! Fields and their presence: providers/xero.md section 6, from Xero-OpenAPI xero_accounting.yaml and recorded responses.
pub mod banking;
pub mod contacts;
pub mod dates;
pub mod invoices;
pub mod journals;
pub mod json;
pub mod lines;
pub mod payments;
pub mod settings;

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
