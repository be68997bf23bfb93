//! The ledger: pieces that are replaced whole, movements, and a hash that does not depend on the order of reading.
use crate::house::{House, NOW};
use domain::clock::Month;
use domain::ids::CompanyId;
use domain::ledger::{Basis, EntryKey, LedgerEntry, Posting};
use domain::money::Amount;
use jiff::civil::{Date, date};
use sha2::{Digest, Sha256};
use store::{Store, ledger};
use testkit::each_database;

fn entry(source_id: &str, journal_number: i64, day: Date, amount: i64) -> LedgerEntry {
    let posting = |account: &str, amount: i64| Posting { account_id: account.into(), amount: Amount(amount), contact_id: Some("contact".into()) };
    let key = EntryKey { source_type: "Invoice".into(), source_id: source_id.into(), journal_number };
    LedgerEntry::new(key, day, vec![posting("bank", amount), posting("sales", -amount)]).unwrap()
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

async fn replace(store: &Store, company_id: &CompanyId, name: &str, entries: &[LedgerEntry], hash: u8, always: bool) -> bool {
    let mut tx = store.begin().await.unwrap();
    let changed = ledger::replace_month(&mut tx, company_id, Basis::Accrual, month(name), entries, &[hash; 32], always, NOW).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

async fn put(store: &Store, company_id: &CompanyId, entries: &[LedgerEntry]) {
    let mut tx = store.begin().await.unwrap();
    ledger::put_journals(&mut tx, company_id, Basis::Accrual, entries).await.unwrap();
    tx.commit().await.unwrap();
}

async fn hash(store: &Store, company_id: &CompanyId) -> Vec<u8> {
    let mut hasher = Sha256::new();
    ledger::hash_content(&mut store.read().await.unwrap(), company_id, &mut hasher).await.unwrap();
    hasher.finalize().to_vec()
}

async fn movement(store: &Store, company_id: &CompanyId, account: &str, name: &str, through: Date) -> Option<i64> {
    let movements = ledger::movements(&mut store.read().await.unwrap(), company_id, Basis::Accrual, through).await.unwrap();
    movements.get(&(account.to_owned(), month(name))).map(|amount| amount.0)
}

#[tokio::test]
async fn a_month_that_did_not_change_writes_nothing() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id) = (&house.store, house.company("c1").await);
        let through = date(2026, 12, 31);
        let before = [entry("1", 0, date(2026, 1, 5), 100), entry("2", 0, date(2026, 1, 31), 50)];
        assert!(replace(store, &company_id, "2026-01", &before, 1, false).await);
        assert_eq!(movement(store, &company_id, "bank", "2026-01", through).await, Some(150));
        // the same hash: what is passed is not even looked at
        assert!(!replace(store, &company_id, "2026-01", &[], 1, false).await);
        assert_eq!(movement(store, &company_id, "bank", "2026-01", through).await, Some(150));
        // a repair writes it all the same, and says that it is no change
        assert!(!replace(store, &company_id, "2026-01", &before[..1], 1, true).await);
        assert_eq!(movement(store, &company_id, "bank", "2026-01", through).await, Some(100));
        assert!(replace(store, &company_id, "2026-01", &[], 2, false).await, "a month can become empty");
        assert_eq!(ledger::count(&mut house.read().await, &company_id, Basis::Accrual).await.unwrap(), (0, 0));
        assert_eq!(ledger::span(&mut house.read().await, &company_id, Basis::Accrual).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn movements_reach_through_a_day_and_stay_within_their_company() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id, other) = (&house.store, house.company("c1").await, house.company("c2").await);
        replace(store, &company_id, "2025-12", &[entry("1", 0, date(2025, 12, 31), 7)], 1, false).await;
        replace(store, &company_id, "2026-01", &[entry("2", 0, date(2026, 1, 15), 100), entry("3", 0, date(2026, 1, 16), 1)], 1, false).await;
        replace(store, &other, "2026-01", &[entry("2", 0, date(2026, 1, 15), 999)], 1, false).await;
        assert_eq!(movement(store, &company_id, "bank", "2026-01", date(2026, 1, 14)).await, None);
        assert_eq!(movement(store, &company_id, "bank", "2026-01", date(2026, 1, 15)).await, Some(100));
        assert_eq!(movement(store, &company_id, "sales", "2026-01", date(2026, 1, 31)).await, Some(-101));
        assert_eq!(movement(store, &company_id, "bank", "2025-12", date(2026, 1, 31)).await, Some(7));
        let mut conn = house.read().await;
        assert_eq!(ledger::span(&mut conn, &company_id, Basis::Accrual).await.unwrap(), Some((date(2025, 12, 31), date(2026, 1, 16))));
        assert_eq!(ledger::count(&mut conn, &company_id, Basis::Accrual).await.unwrap(), (6, 2));
        let sources = ledger::list_sources(&mut conn, &company_id, Basis::Accrual, "bank", month("2026-01"), 10).await.unwrap();
        assert_eq!(sources, [("Invoice".to_owned(), "2".to_owned()), ("Invoice".to_owned(), "3".to_owned())]);
        assert_eq!(ledger::list_sources(&mut conn, &company_id, Basis::Accrual, "bank", month("2026-01"), 1).await.unwrap().len(), 1);
        assert!(ledger::list_sources(&mut conn, &company_id, Basis::Accrual, "cash", month("2026-01"), 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_journal_that_is_read_again_replaces_itself_and_no_other() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id) = (&house.store, house.company("c1").await);
        let journals: Vec<LedgerEntry> = (1..=1_203).map(|number| entry(&number.to_string(), number, date(2026, 2, 1), number)).collect();
        put(store, &company_id, &journals).await;
        let through = date(2026, 12, 31);
        let sum = |last: i64| last * (last + 1) / 2;
        assert_eq!(movement(store, &company_id, "bank", "2026-02", through).await, Some(sum(1_203)));
        put(store, &company_id, &journals[400..900]).await;
        assert_eq!(ledger::count(&mut house.read().await, &company_id, Basis::Accrual).await.unwrap(), (2_406, 1));
        put(store, &company_id, &[entry("10", 10, date(2026, 3, 1), 1_000_000)]).await;
        assert_eq!(movement(store, &company_id, "bank", "2026-02", through).await, Some(sum(1_203) - 10));
        assert_eq!(movement(store, &company_id, "bank", "2026-03", through).await, Some(1_000_000));
        let mut conn = house.read().await;
        assert_eq!(ledger::journal_numbers_in_month(&mut conn, &company_id, Basis::Accrual, month("2026-03")).await.unwrap(), [10]);
        let numbers = ledger::journal_numbers_in_month(&mut conn, &company_id, Basis::Accrual, month("2026-02")).await.unwrap();
        assert_eq!(numbers, (1..=1_203).filter(|number| *number != 10).collect::<Vec<i64>>(), "in order of number, not of text");
    })
    .await;
}

#[tokio::test]
async fn the_hash_of_a_ledger_does_not_depend_on_the_order_of_reading_but_on_every_cent() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let store = &house.store;
        let (one, two, three) = (house.company("c1").await, house.company("c2").await, house.company("c3").await);
        let journals: Vec<LedgerEntry> = (1..=40).map(|number| entry(&number.to_string(), number, date(2026, 2, 1), number)).collect();
        let mut changed = journals.clone();
        changed[7] = entry("8", 8, date(2026, 2, 1), 9);
        put(store, &one, &journals).await;
        put(store, &two, &journals[20..]).await;
        put(store, &two, &journals[..20]).await;
        put(store, &three, &changed).await;
        assert_eq!(hash(store, &one).await, hash(store, &two).await);
        assert_ne!(hash(store, &one).await, hash(store, &three).await);
        put(store, &three, &journals[7..8]).await;
        assert_eq!(hash(store, &one).await, hash(store, &three).await);
    })
    .await;
}

#[tokio::test]
async fn the_ledgers_of_the_two_bases_do_not_touch_each_other() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id) = (&house.store, house.company("c1").await);
        let before = hash(store, &company_id).await;
        let mut tx = house.begin().await;
        for (basis, amount) in [(Basis::Accrual, 100), (Basis::Cash, 30)] {
            let entries = [entry("1", 0, date(2026, 1, 5), amount)];
            assert!(ledger::replace_month(&mut tx, &company_id, basis, month("2026-01"), &entries, &[7; 32], false, NOW).await.unwrap());
            ledger::put_journals(&mut tx, &company_id, basis, &[entry("9", 9, date(2026, 2, 5), amount)]).await.unwrap();
        }
        ledger::replace_month(&mut tx, &company_id, Basis::Accrual, month("2026-01"), &[], &[8; 32], false, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let sum = |movements: &domain::statements::AccountMovements| movements.values().filter(|amount| amount.0 > 0).map(|a| a.0).sum::<i64>();
        let accrual = ledger::movements(&mut conn, &company_id, Basis::Accrual, date(2026, 12, 31)).await.unwrap();
        let cash = ledger::movements(&mut conn, &company_id, Basis::Cash, date(2026, 12, 31)).await.unwrap();
        assert_eq!((sum(&accrual), sum(&cash)), (100, 60));
        assert_eq!(ledger::span(&mut conn, &company_id, Basis::Cash).await.unwrap(), Some((date(2026, 1, 5), date(2026, 2, 5))));
        assert_eq!(ledger::list_sources(&mut conn, &company_id, Basis::Accrual, "bank", month("2026-01"), 10).await.unwrap(), []);
        drop(conn);
        let with_cash = hash(store, &company_id).await;
        assert_ne!(with_cash, before);
        let mut tx = house.begin().await;
        ledger::put_journals(&mut tx, &company_id, Basis::Cash, &[entry("9", 9, date(2026, 2, 5), 31)]).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(hash(store, &company_id).await, with_cash, "a cent of the cash ledger counts too");
    })
    .await;
}
