//! Consents: who gave them, what they reach, how they end.
use super::desk::{Desk, Gate, REDIRECT, books, settings};
use domain::clock::SystemClock;
use providers::error::ProviderError;
use providers::oauth::{Callback, Secret, random_text};
use providers::provider::{Books as Company, Provider};
use providers::xero::Xero;
use serde_json::json;
use std::sync::Arc;

// proves A4 in part
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_tells_which_organisations_it_granted() {
    let (first, second, third) = (books(1, |_| {}), books(2, |_| {}), books(3, |_| {}));
    let (first_id, second_id, third_id) = (first.id.clone(), second.id.clone(), third.id.clone());
    let desk = Desk::open(vec![first, second, third]).await;
    let (grant, _) = desk.connect(&format!("auto=approve&company={first_id}")).await;
    let companies = desk.xero.companies(&grant).await.unwrap();
    assert_eq!(companies.iter().map(|company| (company.id.as_str(), company.newly_granted)).collect::<Vec<_>>(), [(first_id.as_str(), true)]);
    assert_eq!(companies[0].name, "Imagined Company 1");

    let (grant, _) = desk.connect(&format!("auto=approve&company={second_id},{third_id}")).await;
    let mut seen: Vec<(String, bool)> =
        desk.xero.companies(&grant).await.unwrap().into_iter().map(|company| (company.id, company.newly_granted)).collect();
    seen.sort();
    let mut expected = [(first_id, false), (second_id, true), (third_id, true)];
    expected.sort();
    assert_eq!(seen, expected);

    let identity = desk.xero.identity(&grant).await.unwrap();
    assert_eq!(identity.key, "6f1c9a52-0d3f-4c55-9a5e-3f1de0b7c1a1");
    assert_eq!((identity.email.as_str(), identity.name.as_str()), ("casey@harborpine.example", "Casey Morgan"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_consent_a_replayed_code_and_wrong_keys_are_told_apart() {
    let desk = Desk::open(vec![books(1, |_| {})]).await;
    let verifier = random_text();
    let denied = desk.consent(&desk.xero, &verifier, "auto=deny").await;
    assert_eq!(denied.error.as_deref(), Some("access_denied"));
    assert!(matches!(desk.xero.exchange(&denied, REDIRECT, &verifier).await, Err(ProviderError::NeedsReconnect { .. })));

    let callback = desk.consent(&desk.xero, &verifier, "auto=approve").await;
    desk.xero.exchange(&callback, REDIRECT, &verifier).await.unwrap();
    assert!(matches!(desk.xero.exchange(&callback, REDIRECT, &verifier).await, Err(ProviderError::NeedsReconnect { .. })));

    let callback = desk.consent(&desk.xero, &verifier, "auto=approve").await;
    let stolen = desk.xero.exchange(&callback, REDIRECT, &random_text()).await;
    assert!(matches!(stolen, Err(ProviderError::NeedsReconnect { .. })), "another verifier must not redeem the code");

    let wrong = Xero::new(settings(&desk.address, "tieout-xero", "another-secret", true), Arc::new(SystemClock)).unwrap();
    let callback = desk.consent(&desk.xero, &verifier, "auto=approve").await;
    assert!(matches!(wrong.exchange(&callback, REDIRECT, &verifier).await, Err(ProviderError::WrongKeys { .. })));
    let no_code = Callback::default();
    assert!(matches!(desk.xero.exchange(&no_code, REDIRECT, &verifier).await, Err(ProviderError::NeedsReconnect { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_renewed_once_and_the_call_repeated() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.control("tokens/expire", json!({})).await;
    let facts = desk.xero.company_facts(&Company { company: &id, gate: &gate }, false).await.unwrap();
    assert_eq!((facts.currency.as_str(), facts.fiscal_year_start_month, facts.time_zone.as_str()), ("NZD", 4, "Pacific/Auckland"));
    assert!((facts.provider_now.as_second() - super::desk::now().as_second()).abs() < 60);
    assert_eq!(*gate.renewals.lock().unwrap(), 1);
    let statuses: Vec<Option<u16>> = gate.answered.lock().unwrap().iter().map(|call| call.http_status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);
    assert!(gate.answered.lock().unwrap().iter().all(|call| call.request_id.is_some()), "every answer has a correlation id");
}

// proves A5 in part
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_authorization_needs_a_new_consent() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.control("tokens/revoke", json!({})).await;
    let refused = desk.xero.company_facts(&Company { company: &id, gate: &gate }, false).await.unwrap_err();
    assert!(matches!(refused, ProviderError::NeedsReconnect { .. }), "{refused:?}");

    // a token whose renewal does not help either: 401 again
    let (_, gate) = desk.connect("auto=approve").await;
    desk.fault("/Organisation", 2, json!({"kind": "unauthorized"})).await;
    let refused = desk.xero.company_facts(&Company { company: &id, gate: &gate }, false).await.unwrap_err();
    assert!(matches!(refused, ProviderError::NeedsReconnect { .. }), "{refused:?}");
    assert_eq!(*gate.renewals.lock().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_ends_the_authorization_and_may_be_done_twice() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.xero.revoke(&gate.refresh_token()).await.unwrap();
    assert!(matches!(desk.xero.refresh(&gate.refresh_token()).await, Err(ProviderError::NeedsReconnect { .. })));
    assert!(desk.xero.company_facts(&Company { company: &id, gate: &gate }, false).await.is_err());
    desk.xero.revoke(&gate.refresh_token()).await.unwrap();
    desk.xero.revoke(&Secret::new("never-issued")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_was_disconnected_is_forbidden_by_name() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.sandbox.write(|state| state.grants.xero_connections.clear());
    let refused = desk.xero.company_facts(&Company { company: &id, gate: &gate }, false).await.unwrap_err();
    assert!(matches!(&refused, ProviderError::Forbidden { permission, .. } if permission.contains("no longer connected")), "{refused:?}");
}

// proves A14 in part
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_is_named_and_costs_no_call_where_the_token_tells_it() {
    let company = books(1, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let without = Arc::new(Xero::new(settings(&desk.address, "tieout-xero", "sandbox-secret", false), Arc::new(SystemClock)).unwrap());
    let verifier = random_text();
    let callback = desk.consent(&without, &verifier, "auto=approve").await;
    let grant = without.exchange(&callback, REDIRECT, &verifier).await.unwrap();
    assert!(!grant.tokens.scope.contains("accounting.journals.read"));
    let gate = Gate::new(without.clone(), &grant);
    let company = Company { company: &id, gate: &gate };
    let refused = without.ledger_journals(&company, domain::ledger::Basis::Accrual, 0).await.unwrap_err();
    assert!(matches!(&refused, ProviderError::Forbidden { permission, .. } if permission.contains("accounting.journals.read")), "{refused:?}");
    assert_eq!(desk.calls("GET Journals"), 0);
    assert!(without.company_facts(&company, false).await.is_ok());

    // taken away later: the token does not tell it, Xero does, and no renewal is tried
    let (_, gate) = desk.connect("auto=approve").await;
    desk.control("switches", json!({"xero_journals": false})).await;
    let refused = desk.xero.ledger_journals(&Company { company: &id, gate: &gate }, domain::ledger::Basis::Accrual, 0).await.unwrap_err();
    assert!(matches!(&refused, ProviderError::Forbidden { permission, .. } if permission.contains("accounting.journals.read")), "{refused:?}");
    assert_eq!(*gate.renewals.lock().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_page_is_no_token_answer() {
    let desk = Desk::open(vec![books(1, |_| {})]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.fault("connect/token", 1, json!({"kind": "html_body"})).await;
    assert!(matches!(desk.xero.refresh(&gate.refresh_token()).await, Err(ProviderError::UnexpectedAnswer { .. })));
    desk.fault("connect/token", 1, json!({"kind": "malformed_json"})).await;
    assert!(matches!(desk.xero.refresh(&gate.refresh_token()).await, Err(ProviderError::UnexpectedAnswer { .. })));
    desk.fault("connect/token", 1, json!({"kind": "status", "status": 503})).await;
    assert!(matches!(desk.xero.refresh(&gate.refresh_token()).await, Err(ProviderError::Down { .. })));
    desk.fault("connect/token", 1, json!({"kind": "lose_answer"})).await;
    let before = gate.refresh_token();
    assert!(matches!(desk.xero.refresh(&before).await, Err(ProviderError::Down { .. })));
    // the answer was lost after the rotation: the grace of 30 minutes lets the old token try again
    assert!(desk.xero.refresh(&before).await.is_ok());
}
