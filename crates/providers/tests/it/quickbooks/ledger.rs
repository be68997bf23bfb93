//! The ledger against the provider's own reports and against the books themselves.
use super::*;
use domain::clock::Month;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::trial_balance::{AccountMovements, trial_balance};
use domain::verification::{compare, compare_months};
use serde_json::json;
use std::collections::BTreeSet;

/// Movements of every account and month up to a day, from ledger windows of a month each.
async fn movements(gate: &Gate<'_>, basis: Basis, first: Month, as_of: jiff::civil::Date) -> AccountMovements {
    let mut movements = AccountMovements::new();
    for month in first.through(Month::of(as_of)) {
        let piece = gate.provider.ledger_window(&gate.books(), basis, month.first_day(), month.last_day().min(as_of)).await.unwrap();
        assert!(piece.unbalanced.is_empty() && piece.unreadable.is_empty());
        for entry in piece.entries {
            assert_eq!(Month::of(entry.date()), month);
            for posting in entry.postings() {
                *movements.entry((posting.account_id.clone(), month)).or_default() += posting.amount;
            }
        }
    }
    movements
}

/// The trial balance the books themselves know.
async fn truth(world: &World, realm: &str, basis: Basis, as_of: jiff::civil::Date) -> BTreeMap<String, Amount> {
    let answer = world.control(&format!("companies/{realm}/trial_balance?as_of={as_of}&basis={}", basis.as_str()), None).await;
    let rows = answer["accounts"].as_array().unwrap().iter();
    let balances = rows.map(|row| (row["id"].as_str().unwrap().to_owned(), Amount::parse(row["balance"].as_str().unwrap()).unwrap()));
    balances.filter(|(_, amount)| !amount.is_zero()).collect()
}

// proves F1 in part
// proves F8 in part
#[tokio::test]
async fn ledger_reports_and_books_agree_to_the_cent() {
    for (seed, second_currency) in [(21, false), (22, true)] {
        let books = made_up(seed, second_currency);
        let realm = books.id.clone();
        let world = World::start(vec![books]).await;
        let gate = world.connect(&realm).await;
        let chart = gate.chart().await;
        let facts = chart.fiscal_year();
        let first = Month { year: 2023, month: 1 };
        let days = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 8, 17), date(2025, 6, 15)];
        for (as_of, basis) in days.into_iter().flat_map(|day| Basis::ALL.map(|basis| (day, basis))) {
            let movements = movements(&gate, basis, first, as_of).await;
            let ours = trial_balance(&movements, &chart, as_of, 1);
            assert!(ours.0.len() > 10 && ours.total().is_zero());
            let reported = world.provider.reported_balances(&gate.books(), basis, as_of, &facts).await.unwrap();
            assert_eq!(compare(&ours, &reported.figures), [], "{as_of}");
            assert_eq!(ours.0, truth(&world, &realm, basis, as_of).await, "{as_of}, {basis:?}");
            assert_eq!((reported.bodies.len(), reported.bodies[0].report), (1, "TrialBalance"));

            let months = world.provider.reported_months(&gate.books(), basis, first, &reported.figures, &facts).await.unwrap();
            assert_eq!(months.figures.len(), first.through(Month::of(as_of)).len());
            let is_profit_and_loss = |id: &str| {
                use domain::statements::trial_balance::Chart as _;
                chart.class(id).is_some_and(AccountClass::is_profit_and_loss)
            };
            let skip: BTreeSet<String> = {
                use domain::statements::trial_balance::Chart as _;
                chart.retained_earnings().map(str::to_owned).into_iter().collect()
            };
            assert_eq!(compare_months(&movements, &months.figures, &is_profit_and_loss, &skip), [], "{as_of}");
            let figures: usize = months.figures.values().map(|month| month.profit_and_loss.len() + month.balance_sheet.len()).sum();
            assert!(figures > months.figures.len() * 8, "{figures}");
        }
    }
}

#[tokio::test]
async fn entries_carry_the_id_of_their_transaction_and_their_contact() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let made = world
        .add(
            SHOP,
            json!({"kind": "invoice", "date": "2025-05-20", "contact": "Amy's Bird Sanctuary", "lines": [{"account": "Sales", "amount": "12.34"}]}),
        )
        .await;
    let piece = world.provider.ledger_window(&gate.books(), Basis::Accrual, date(2025, 5, 1), date(2025, 5, 31)).await.unwrap();
    assert_eq!(piece.entries.len(), 1);
    let entry = &piece.entries[0];
    assert_eq!((entry.key().source_type.as_str(), entry.key().source_id.as_str()), ("Invoice", made["shown_id"].as_str().unwrap()));
    assert_eq!(entry.date(), date(2025, 5, 20));
    assert!(entry.postings().iter().any(|posting| posting.amount == Amount(123_400) && posting.contact_id.as_deref() == made["contact_id"].as_str()));
    assert!(piece.opening.is_empty());
    assert!(piece.body.starts_with('{'));
    let next = world.provider.ledger_window(&gate.books(), Basis::Accrual, date(2025, 6, 1), date(2025, 6, 30)).await.unwrap();
    assert!(next.entries.is_empty());
    let opening: Vec<Amount> = next.opening.values().copied().collect();
    assert_eq!(opening, [Amount(123_400), Amount(123_400)]); // receivable and sales, each in its natural sign
}

// proves C29 in part
#[tokio::test]
async fn a_ledger_that_was_cut_off_is_too_large_and_half_of_it_is_not() {
    let books = made_up(23, false);
    let realm = books.id.clone();
    let world = World::start(vec![books]).await;
    let gate = world.connect(&realm).await;
    world.control("limits", Some(json!({"quickbooks_report_cells": 2_000}))).await;
    let error = world.provider.ledger_window(&gate.books(), Basis::Accrual, date(2024, 1, 1), date(2024, 12, 31)).await.unwrap_err();
    assert!(matches!(error, ProviderError::TooLarge { .. }), "{error:?}");
    assert!(world.provider.ledger_window(&gate.books(), Basis::Accrual, date(2024, 3, 4), date(2024, 3, 8)).await.is_ok());
}

#[tokio::test]
async fn voided_and_deleted_transactions_are_not_in_the_ledger() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let invoice = json!({"kind": "invoice", "date": "2025-05-20", "contact": "Amy's Bird Sanctuary", "repeat": 3,
        "lines": [{"account": "Sales", "amount": "900.00"}]});
    let ids: Vec<String> = world.add(SHOP, invoice).await["ids"].as_array().unwrap().iter().map(Value::to_string).collect();
    world.control(&format!("companies/{SHOP}/documents/{}/void", ids[0]), Some(json!({}))).await;
    world.control(&format!("companies/{SHOP}/documents/{}/delete", ids[1]), Some(json!({}))).await;
    let piece = world.provider.ledger_window(&gate.books(), Basis::Accrual, date(2025, 5, 1), date(2025, 5, 31)).await.unwrap();
    assert_eq!(piece.entries.iter().map(|entry| entry.key().source_id.clone()).collect::<Vec<_>>(), [ids[2].clone()]);
}
