//! Limits and bad days.
use super::desk::{Desk, books};
use domain::data_type::DataType;
use providers::error::ProviderError;
use providers::provider::{Books as Company, Provider};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_minute_limit_says_when_to_ask_again() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.control("limits", json!({"enforced": true, "xero_per_minute": 2})).await;
    let company = Company { company: &id, gate: &gate };
    desk.xero.company_facts(&company, false).await.unwrap();
    desk.xero.fetch(&company, DataType::Account, None).await.unwrap();
    let refused = desk.xero.fetch(&company, DataType::Invoice, None).await.unwrap_err();
    let ProviderError::RateLimited { limit, retry_at: Some(retry_at), call, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(limit, "minute");
    assert_eq!((call.endpoint.as_str(), call.http_status), ("GET Invoices", Some(429)));
    let wait = retry_at.as_second() - super::desk::now().as_second();
    assert!((1..=61).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_limit_is_called_so() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.fault("/Invoices", 1, json!({"kind": "rate_limit", "problem": "day", "retry_after_secs": 77_000})).await;
    let refused = desk.xero.fetch(&Company { company: &id, gate: &gate }, DataType::Invoice, None).await.unwrap_err();
    let problem = refused.problem();
    assert_eq!(problem.sentence, "Xero's daily limit is reached.");
    assert!(problem.retry_at.unwrap().as_second() > super::desk::now().as_second() + 76_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_is_waited_out_and_a_long_one_is_reported() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let company = Company { company: &id, gate: &gate };
    desk.fault("/Accounts", 2, json!({"kind": "status", "status": 500})).await;
    assert!(!desk.xero.fetch(&company, DataType::Account, None).await.unwrap().records.is_empty());
    desk.fault("/Accounts", 3, json!({"kind": "status", "status": 503})).await;
    let down = desk.xero.fetch(&company, DataType::Account, None).await.unwrap_err();
    assert!(matches!(down, ProviderError::Down { .. }), "{down:?}");
    desk.fault("/Accounts", 1, json!({"kind": "drop"})).await;
    assert!(desk.xero.fetch(&company, DataType::Account, None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_is_never_an_empty_list() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let company = Company { company: &id, gate: &gate };
    for kind in ["html_body", "malformed_json"] {
        for data_type in desk.xero.profile().data_types {
            desk.fault("api.xro", 1, json!({"kind": kind})).await;
            let refused = desk.xero.fetch(&company, *data_type, None).await.unwrap_err();
            assert!(matches!(refused, ProviderError::UnexpectedAnswer { .. }), "{kind} {data_type}: {refused:?}");
        }
        desk.fault("Journals", 1, json!({"kind": kind})).await;
        assert!(matches!(desk.xero.ledger_journals(&company, domain::ledger::Basis::Accrual, 0).await, Err(ProviderError::UnexpectedAnswer { .. })));
    }
}
