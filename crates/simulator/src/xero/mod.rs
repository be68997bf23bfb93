//! The Xero face of the sandbox: OAuth 2.0, connections and the Accounting API over the books.
//!
//! Built from the wire contract providers/xero.md (Xero-OpenAPI, the documentation of developer.xero.com, recorded responses).
//! Answers are JSON where a call asks for it and XML elsewhere.
mod connections;
mod filter;
mod frame;
mod idempotency;
mod kept;
mod lists;
mod oauth;
mod read;
mod refusal;
mod reports;
mod resource;
mod target;
mod tree;
mod wire;
mod write;
mod xml;

use crate::books::{Books, Document, Kind, Status};
use crate::sandbox::Sandbox;
use axum::Router;
use axum::routing::{any, delete, get, post};
use jiff::Timestamp;
use resource::Resource;
use serde_json::{Value, json};
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use wire::Detail;

/// Everything Xero serves, on the paths of login.xero.com, identity.xero.com and api.xero.com. Paths of the APIs are matched in any case.
pub fn router(sandbox: Sandbox) -> Router {
    let mut router = Router::new()
        .route("/.well-known/openid-configuration", get(oauth::discovery))
        .route("/.well-known/openid-configuration/jwks", get(oauth::jwks))
        .route("/identity/connect/authorize", get(oauth::authorize::authorize).post(oauth::authorize::authorize))
        .route("/connect/token", post(oauth::tokens::token))
        .route("/connect/revocation", post(oauth::tokens::revocation))
        .route("/connect/userinfo", get(oauth::userinfo));
    for word in ["connections", "Connections", "CONNECTIONS"] {
        router = router
            .route(&format!("/{word}"), get(connections::list))
            .route(&format!("/{word}/"), get(connections::list))
            .route(&format!("/{word}/{{id}}"), delete(connections::delete))
            .route(&format!("/{word}/{{id}}/"), delete(connections::delete));
    }
    for root in ["api.xro", "API.XRO", "Api.Xro"] {
        router = router.route(&format!("/{root}/2.0/{{*path}}"), any(frame::accounting));
    }
    router.layer(compression()).with_state(sandbox)
}

/// Answers are packed for callers that send Accept-Encoding; short ones are not worth it.
fn compression() -> CompressionLayer<SizeAbove> {
    const WORTH_BYTES: u16 = 1_024;
    CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(WORTH_BYTES.into()))
}

/// The id under which a document is shown.
pub fn document_id(books: &Books, document: &Document) -> String {
    books.guid(wire::journals::entity(document.kind), document.id)
}

/// The id under which an account is shown.
pub fn account_id(books: &Books, account: crate::books::AccountId) -> String {
    books.guid("Account", account)
}

/// Every record the Accounting API would serve, as a paged list shows it, archived and deleted ones included.
pub fn truth(books: &Books, now: Timestamp) -> Vec<Value> {
    let record = |word: &str, id: &str, state: &str, body: String| {
        let body: Value = serde_json::from_str(&body).expect("a rendered record is JSON");
        json!({"type": word, "id": id, "state": state, "body": body})
    };
    let state = |active: bool| if active { "active" } else { "archived" };
    let mut records = vec![record("Organisation", &books.id, "active", Resource::Organisation.render(books, 0, Detail::Paged, now))];
    for account in books.accounts.values() {
        let body = Resource::Accounts.render(books, account.id, Detail::Paged, now);
        records.push(record("Account", &books.guid("Account", account.id), state(account.active), body));
    }
    for contact in books.contacts.values() {
        let body = Resource::Contacts.render(books, contact.id, Detail::Paged, now);
        records.push(record("Contact", &books.guid("Contact", contact.id), state(contact.active), body));
    }
    for rate in &books.tax_rates {
        records.push(record("TaxRate", &rate.code, "active", wire::settings::tax_rate(books, rate)));
    }
    if let Some(body) = wire::settings::built_in_tax_rate(books) {
        records.push(record("TaxRate", "NONE", "active", body));
    }
    for document in books.documents.values().filter(|document| !document.is_of_a_claim()) {
        let resource = resource_of(document.kind);
        // payments, bank transactions and transfers know no VOIDED: both end as DELETED
        let undone = if resource.status(books, document) == "VOIDED" { "voided" } else { "deleted" };
        let state = if matches!(document.status, Status::Active | Status::Draft) { "active" } else { undone };
        let body = resource.render(books, document.id, Detail::Paged, now);
        records.push(record(resource.word(), &books.guid(resource.word(), document.id), state, body));
    }
    records
}

fn resource_of(kind: Kind) -> Resource {
    match kind {
        Kind::Invoice | Kind::Bill => Resource::Invoices,
        Kind::CreditMemo | Kind::VendorCredit => Resource::CreditNotes,
        Kind::Payment | Kind::BillPayment => Resource::Payments,
        Kind::SalesReceipt | Kind::RefundReceipt | Kind::Expense | Kind::Deposit => Resource::BankTransactions,
        Kind::Transfer => Resource::BankTransfers,
        Kind::Journal => Resource::ManualJournals,
    }
}
