//! Listing, counting, following changes.
use super::*;
use domain::record::RecordState;
use serde_json::json;
use std::collections::BTreeSet;

/// Everything that has ids of its own.
fn listed(world: &World) -> Vec<DataType> {
    let singles = [DataType::CompanyInfo, DataType::Preferences];
    world.provider.profile().data_types.iter().copied().filter(|data_type| !singles.contains(data_type)).collect()
}

// proves C1 in part
#[tokio::test]
async fn a_full_listing_has_every_record_in_the_state_the_books_say() {
    let books = made_up(11, true);
    let realm = books.id.clone();
    let world = World::start(vec![books]).await;
    let gate = world.connect(&realm).await;
    let truth = world.control(&format!("companies/{realm}/truth"), None).await;
    let mut states = BTreeSet::new();
    for data_type in listed(&world) {
        let mut expected = truth_of(&truth, data_type);
        expected.retain(|_, state| state != "deleted");
        let documents = gate.documents(data_type).await;
        let found: BTreeMap<String, String> = documents.iter().map(|document| (document.id.clone(), document.state.as_str().to_owned())).collect();
        assert_eq!(found.len(), documents.len(), "{data_type}: doubled");
        assert_eq!(found, expected, "{data_type}");
        assert_eq!(world.provider.count(&gate.books(), data_type).await.unwrap(), Some(found.len() as u64), "{data_type}");
        assert!(documents.iter().all(|document| document.updated_at.is_some()));
        states.extend(found.into_values());
    }
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["active", "archived", "voided"]);
}

#[tokio::test]
async fn totals_are_those_of_the_books() {
    let books = made_up(12, true);
    let realm = books.id.clone();
    let world = World::start(vec![books]).await;
    let gate = world.connect(&realm).await;
    let answer = world.control(&format!("companies/{realm}/documents?kind=invoice"), None).await;
    let expected: BTreeMap<String, &Value> =
        answer["documents"].as_array().unwrap().iter().map(|d| (d["shown_id"].as_str().unwrap().to_owned(), d)).collect();
    let invoices = gate.documents(DataType::Invoice).await;
    assert!(invoices.len() > 100);
    for invoice in invoices {
        let book = expected[&invoice.id];
        assert_eq!(invoice.total.unwrap().to_string(), book["total"].as_str().unwrap(), "{}", invoice.id);
        assert_eq!(invoice.date.unwrap().to_string(), book["date"].as_str().unwrap());
        assert_eq!(invoice.contact_id.as_deref(), book["contact_id"].as_str());
        assert_eq!(invoice.currency.as_deref(), book["currency"].as_str());
    }
}

// proves C12 in part
#[tokio::test]
async fn one_call_brings_what_is_new_voided_deleted_and_inactive() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let invoice = |amount: &str| json!({"kind": "invoice", "contact": "Amy's Bird Sanctuary", "lines": [{"account": "Sales", "amount": amount}]});
    let mut ids = Vec::new();
    for amount in ["10.00", "20.00", "30.00"] {
        ids.push(world.add(SHOP, invoice(amount)).await["shown_id"].as_str().unwrap().to_owned());
    }
    let bill = json!({"kind": "bill", "contact": "Landlord", "lines": [{"account": "Rent", "amount": "900.00"}]});
    let untouched = world.add(SHOP, bill).await["shown_id"].as_str().unwrap().to_owned();
    world.advance(600).await;
    let since = world.provider.company_facts(&gate.books(), false).await.unwrap().provider_now;
    world.advance(60).await;
    assert!(world.provider.changes(&gate.books(), since, true, None).await.unwrap().records.is_empty());
    world.control(&format!("companies/{SHOP}/documents/{}/void", ids[0]), Some(json!({}))).await;
    world.control(&format!("companies/{SHOP}/documents/{}/delete", ids[1]), Some(json!({}))).await;
    world.control(&format!("companies/{SHOP}/accounts/Rent/archive"), Some(json!({}))).await;
    let new = world.add(SHOP, invoice("0.01")).await["shown_id"].as_str().unwrap().to_owned();
    let before = gate.calls();
    let chunk = world.provider.changes(&gate.books(), since, true, None).await.unwrap();
    assert_eq!((gate.calls() - before, &chunk.next), (1, &Next::UpToDate));
    let states: BTreeMap<(DataType, String), RecordState> =
        chunk.records.iter().map(|record| ((record.data_type, record.id.clone()), world.provider.normalize(record).unwrap().state)).collect();
    let state = |data_type, id: &str| states.get(&(data_type, id.to_owned())).copied();
    assert_eq!(state(DataType::Invoice, &ids[0]), Some(RecordState::Voided));
    assert_eq!(state(DataType::Invoice, &ids[1]), Some(RecordState::Deleted));
    assert_eq!(state(DataType::Invoice, &ids[2]), None);
    assert_eq!(state(DataType::Invoice, &new), Some(RecordState::Active));
    assert_eq!(state(DataType::Bill, &untouched), None);
    let chart = gate.chart().await;
    let rent = chart.0.iter().find(|account| account.name.as_deref() == Some("Rent")).unwrap();
    assert_eq!(state(DataType::Account, &rent.id), Some(RecordState::Archived));
    // a deletion can be told from a false alarm
    let existing = world.provider.existing(&gate.books(), DataType::Invoice, &[ids[0].clone(), ids[1].clone(), ids[2].clone()]).await.unwrap();
    assert_eq!(existing, Some(vec![ids[0].clone(), ids[2].clone()]));
    assert_eq!(world.provider.existing(&gate.books(), DataType::Account, std::slice::from_ref(&rent.id)).await.unwrap(), Some(vec![rent.id.clone()]));
}

// proves C5 in part
#[tokio::test]
async fn a_thousand_changes_are_asked_for_type_by_type() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let since = now();
    let bill = json!({"kind": "bill", "contact": "Landlord", "repeat": 700, "lines": [{"account": "Rent", "amount": "1.00"}]});
    let journal =
        json!({"kind": "journal", "repeat": 1_200, "lines": [{"account": "Rent", "amount": "1.00"}, {"account": "Checking", "amount": "-1.00"}]});
    world.add(SHOP, bill).await;
    world.add(SHOP, journal).await;
    let (mut seen, mut overflowed, mut from, mut calls) = (BTreeMap::<DataType, BTreeSet<String>>::new(), Vec::new(), None, 0);
    loop {
        let chunk = world.provider.changes(&gate.books(), since, true, from.as_ref()).await.unwrap();
        calls += 1;
        for record in chunk.records {
            seen.entry(record.data_type).or_default().insert(record.id);
        }
        overflowed.extend(chunk.overflowed);
        match chunk.next {
            Next::More(checkpoint) => from = Some(checkpoint),
            Next::UpToDate => break,
        }
    }
    assert_eq!(calls, 17);
    assert_eq!(seen[&DataType::Bill].len(), 700);
    assert_eq!(overflowed, [DataType::JournalEntry]);
    assert_eq!(gate.list(DataType::JournalEntry).await.len(), 1_200);
}

// proves C4 in part
#[tokio::test]
async fn changes_from_before_the_window_are_named_expired() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let since = Timestamp::from_second(now().as_second() - 45 * 86_400).unwrap();
    let error = world.provider.changes(&gate.books(), since, true, None).await.unwrap_err();
    assert!(matches!(error, ProviderError::ChangesExpired { .. }), "{error:?}");
}

// proves C7 in part
#[tokio::test]
async fn rows_that_move_while_we_page_are_neither_lost_nor_doubled() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let bill = json!({"kind": "bill", "contact": "Landlord", "repeat": 2_300, "lines": [{"account": "Rent", "amount": "1.00"}]});
    let ids: Vec<String> = world.add(SHOP, bill.clone()).await["ids"].as_array().unwrap().iter().map(Value::to_string).collect();
    let delete = async |index: usize| {
        world.control(&format!("companies/{SHOP}/documents/{}/delete", ids[index]), Some(json!({}))).await;
    };
    let mut seen = Vec::new();
    let mut from = None;
    let mut pages = 0;
    loop {
        let chunk = world.provider.fetch(&gate.books(), DataType::Bill, from.as_ref()).await.unwrap();
        pages += 1;
        seen.extend(chunk.records.into_iter().map(|record| record.id));
        // after the first page: rows of it vanish, the last one among them; after the second: one more, and new ones come in
        match pages {
            1 => {
                for index in [0, 1, 500, 999] {
                    delete(index).await;
                }
            }
            2 => {
                delete(3).await;
                let mut more = bill.clone();
                more["repeat"] = json!(5);
                world.add(SHOP, more).await;
            }
            _ => {}
        }
        match chunk.next {
            Next::More(checkpoint) => from = Some(checkpoint),
            Next::UpToDate => break,
        }
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "doubled");
    let living: BTreeSet<String> = gate.list(DataType::Bill).await.into_iter().map(|record| record.id).collect();
    assert_eq!(living.len(), 2_300);
    assert!(living.iter().all(|id| distinct.contains(id)), "lost");
}

#[tokio::test]
async fn a_page_that_times_out_is_halved_and_stays_halved() {
    let world = World::start(vec![shop()]).await;
    let gate = world.connect(SHOP).await;
    let bill = json!({"kind": "bill", "contact": "Landlord", "repeat": 1_100, "lines": [{"account": "Rent", "amount": "1.00"}]});
    world.add(SHOP, bill).await;
    world.fault(json!({"path_contains": "MAXRESULTS+1000", "times": 3, "fault": {"kind": "status", "status": 504}})).await;
    let chunk = world.provider.fetch(&gate.books(), DataType::Bill, None).await.unwrap();
    assert_eq!(chunk.records.len(), 500);
    let Next::More(checkpoint) = chunk.next else { panic!("there is more") };
    let second = world.provider.fetch(&gate.books(), DataType::Bill, Some(&checkpoint)).await.unwrap();
    assert_eq!(second.records.len(), 499); // one row is repeated to prove the place
    assert_ne!(second.next, Next::UpToDate);
}
