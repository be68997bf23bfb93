//! Consent, tokens, limits and the provider's bad days.
use super::*;
use domain::ledger::Basis;
use serde_json::json;

#[tokio::test]
async fn connecting_names_the_person_and_the_one_company() {
    let world = World::start(vec![shop(), made_up(3, false)]).await;
    let grant = world.grant(SHOP).await;
    assert_eq!(grant.company_hint.as_deref(), Some(SHOP));
    assert!(grant.tokens.access_expires_at.as_second() - now().as_second() == 3_600);
    let identity = world.provider.identity(&grant).await.unwrap();
    assert_eq!(identity.email, "casey@harborpine.example");
    assert!(identity.key.ends_with(&format!("|{SHOP}")) && identity.key.len() > SHOP.len() + 30, "{}", identity.key);
    let companies = world.provider.companies(&grant).await.unwrap();
    assert_eq!(
        companies.iter().map(|company| (company.id.as_str(), company.name.as_str(), company.newly_granted)).collect::<Vec<_>>(),
        [(SHOP, "Corner Shop", true)]
    );
}

#[tokio::test]
async fn a_realm_that_was_tampered_with_is_not_believed() {
    let other = made_up(3, false);
    let other_realm = other.id.clone();
    let world = World::start(vec![shop(), other]).await;
    let mut grant = world.grant(SHOP).await;
    grant.company_hint = Some(other_realm);
    assert!(matches!(world.provider.companies(&grant).await, Err(ProviderError::NeedsReconnect { .. })));
    let (mut callback, _) = world.consent(&[("auto", "approve"), ("company", SHOP)]).await;
    callback.realm_id = Some("1/../../2".into());
    assert!(matches!(world.provider.exchange(&callback, REDIRECT, &random_text()).await, Err(ProviderError::UnexpectedAnswer { .. })));
    callback.realm_id = None;
    assert!(matches!(world.provider.exchange(&callback, REDIRECT, &random_text()).await, Err(ProviderError::UnexpectedAnswer { .. })));
}

#[tokio::test]
async fn refused_consents_and_used_codes_give_no_tokens() {
    let world = World::start(vec![shop()]).await;
    let (denied, _) = world.consent(&[("auto", "deny")]).await;
    assert_eq!(denied.error.as_deref(), Some("access_denied"));
    assert!(matches!(world.provider.exchange(&denied, REDIRECT, &random_text()).await, Err(ProviderError::NeedsReconnect { .. })));
    let (callback, _) = world.consent(&[("auto", "approve"), ("company", SHOP)]).await;
    let stranger = world.provider_with_secret("wrong");
    assert!(matches!(stranger.exchange(&callback, REDIRECT, &random_text()).await, Err(ProviderError::WrongKeys { .. })));
    world.provider.exchange(&callback, REDIRECT, &random_text()).await.unwrap();
    assert!(matches!(world.provider.exchange(&callback, REDIRECT, &random_text()).await, Err(ProviderError::NeedsReconnect { .. })));
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_call_goes_on() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    world.advance(3_601).await;
    assert_eq!(gate.list(DataType::Account).await.len(), 6);
    gate.list(DataType::Customer).await;
    assert_eq!(gate.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_refused_by_mistake_is_renewed_too() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    world.fault(json!({"path_contains": "query", "fault": {"kind": "unauthorized"}})).await;
    assert_eq!(gate.list(DataType::Customer).await.len(), 1);
    assert_eq!(gate.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn revoked_access_needs_a_new_consent() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let refresh = gate.refresh_token().await;
    world.provider.revoke(&refresh).await.unwrap();
    let error = world.provider.fetch(&gate.books(), DataType::Account, None).await.unwrap_err();
    assert!(matches!(error, ProviderError::NeedsReconnect { .. }), "{error:?}");
    assert!(matches!(world.provider.refresh(&refresh).await, Err(ProviderError::NeedsReconnect { .. })));
    // what is dead stays dead, and saying so again is no error
    world.provider.revoke(&refresh).await.unwrap();
    assert!(matches!(world.provider_with_secret("wrong").revoke(&refresh).await, Err(ProviderError::WrongKeys { .. })));
}

#[tokio::test]
async fn a_person_who_removes_the_app_is_noticed_at_the_next_call() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    world.control("tokens/revoke", Some(json!({"company": SHOP}))).await;
    let error = world.provider.company_facts(&gate.books(), false).await.unwrap_err();
    assert!(matches!(error, ProviderError::NeedsReconnect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_403_about_the_application_needs_a_new_consent() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    world.fault(json!({"path_contains": "cdc", "fault": {"kind": "status", "status": 403}})).await;
    let error = world.provider.changes(&gate.books(), now(), true, None).await.unwrap_err();
    assert!(matches!(error, ProviderError::NeedsReconnect { .. }), "{error:?}");
    assert_eq!(error.call().unwrap().endpoint, "GET cdc");
    // the number support asks for
    assert!(error.call().unwrap().request_id.as_deref().is_some_and(|id| id.starts_with("1-")));
}

// proves C17 in part
#[tokio::test]
async fn the_provider_says_when_a_limit_ends_or_we_wait_a_minute() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    world.fault(json!({"fault": {"kind": "rate_limit", "problem": "minute", "retry_after_secs": 7}})).await;
    let retry_at = |error: ProviderError| match error {
        ProviderError::RateLimited { retry_at, .. } => retry_at.unwrap().as_second() - now().as_second(),
        other => panic!("{other:?}"),
    };
    assert_eq!(retry_at(world.provider.fetch(&gate.books(), DataType::Bill, None).await.unwrap_err()), 7);
    world.fault(json!({"fault": {"kind": "rate_limit", "problem": "minute"}})).await;
    assert_eq!(retry_at(world.provider.fetch(&gate.books(), DataType::Bill, None).await.unwrap_err()), 60);
}

#[tokio::test]
async fn the_sandbox_refuses_the_eleventh_call_of_a_second() {
    let world = World::start_with(vec![shop()], true).await;
    let gate = world.connect(SHOP).await;
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(world.provider.count(&gate.books(), DataType::Bill).await);
    }
    let last = answers.pop().unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(matches!(last, Err(ProviderError::RateLimited { .. })), "{last:?}");
}

#[tokio::test]
async fn brief_outages_are_survived_and_lasting_ones_are_named() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    world.fault(json!({"fault": {"kind": "status", "status": 503}})).await;
    assert_eq!(gate.list(DataType::Account).await.len(), 6);
    world.fault(json!({"fault": {"kind": "drop"}})).await;
    assert_eq!(gate.list(DataType::Account).await.len(), 6);
    world.fault(json!({"times": 3, "fault": {"kind": "status", "status": 500}})).await;
    let error = world.provider.fetch(&gate.books(), DataType::Account, None).await.unwrap_err();
    assert!(matches!(error, ProviderError::Down { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_that_are_no_json_are_neither_records_nor_an_empty_list() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    for kind in ["html_body", "malformed_json"] {
        world.fault(json!({"fault": {"kind": kind}})).await;
        let error = world.provider.fetch(&gate.books(), DataType::Invoice, None).await.unwrap_err();
        assert!(matches!(error, ProviderError::UnexpectedAnswer { .. }), "{kind}: {error:?}");
        assert!(!error.to_string().contains("12."), "{error}");
        world.fault(json!({"fault": {"kind": kind}})).await;
        assert!(matches!(world.provider.changes(&gate.books(), now(), true, None).await, Err(ProviderError::UnexpectedAnswer { .. })));
        world.fault(json!({"fault": {"kind": kind}})).await;
        assert!(matches!(
            world.provider.ledger_window(&gate.books(), Basis::Accrual, date(2025, 5, 1), date(2025, 5, 31)).await,
            Err(ProviderError::UnexpectedAnswer { .. })
        ));
    }
}

#[tokio::test]
async fn company_facts_cost_one_call_and_two_when_thorough() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let brief = world.provider.company_facts(&gate.books(), false).await.unwrap();
    assert_eq!((gate.calls(), brief.name.as_str(), brief.currency.as_str()), (1, "Corner Shop", ""));
    assert_eq!((brief.provider_now, brief.fiscal_year_start_month, brief.time_zone.as_str()), (now(), 1, "America/Los_Angeles"));
    let thorough = world.provider.company_facts(&gate.books(), true).await.unwrap();
    assert_eq!((gate.calls(), thorough.currency.as_str()), (3, "USD"));
    assert_eq!(thorough.records.iter().map(|record| record.data_type).collect::<Vec<_>>(), [DataType::CompanyInfo, DataType::Preferences]);
}
