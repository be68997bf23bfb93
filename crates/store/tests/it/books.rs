//! The copy of the books: documents, every version of every record, accounts, what could not be read, counts, reports and proofs.
use crate::house::{House, NOW};
use domain::company::Mark;
use domain::data_type::DataType;
use domain::document::{AccountClass, AccountFacts, Document};
use domain::ids::{CompanyId, RunId};
use domain::ledger::Basis;
use domain::money::Amount;
use domain::record::RecordState;
use domain::statements::trial_balance::Chart;
use domain::sync::RunState;
use jiff::civil::date;
use sha2::{Digest, Sha256};
use store::raw_records::{self, Archiver, Version};
use store::readers::Reader;
use store::verifications::{self, Verification};
use store::{Store, accounts, call_budgets, documents, frame, inventory, quarantine, reports, runs, settings};
use testkit::each_database;

fn document(id: &str, total: i64) -> Document {
    Document {
        data_type: DataType::Invoice,
        id: id.into(),
        state: RecordState::Active,
        date: Some(date(2026, 1, 15)),
        number: Some(format!("INV-{id}")),
        name: None,
        contact_id: None,
        currency: Some("EUR".into()),
        total: Some(Amount(total)),
        updated_at: None,
        account: None,
    }
}

async fn put(store: &Store, company_id: &CompanyId, written: &[(&Document, [u8; 32])], listed_by: Option<&RunId>, now_ms: i64) {
    let mut tx = store.begin().await.unwrap();
    documents::supersede(&mut tx, company_id, written, listed_by, now_ms).await.unwrap();
    tx.commit().await.unwrap();
}

async fn hash(store: &Store, company_id: &CompanyId) -> Vec<u8> {
    let mut hasher = Sha256::new();
    documents::hash_content(&mut store.read().await.unwrap(), company_id, &mut hasher).await.unwrap();
    hasher.finalize().to_vec()
}

#[tokio::test]
async fn a_deleted_document_keeps_its_last_content_and_leaves_the_counts() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id) = (&house.store, house.company("c1").await);
        let (one, two) = (document("1", 100), Document { date: Some(date(2026, 3, 1)), ..document("2", 200) });
        put(store, &company_id, &[(&one, [1; 32]), (&two, [2; 32])], None, NOW).await;
        put(store, &company_id, &[(&document("1", 150), [3; 32])], None, NOW + 1).await;
        let mut conn = house.read().await;
        let listed = documents::list(&mut conn, &company_id, DataType::Invoice, "", 10).await.unwrap();
        assert_eq!(
            listed.iter().map(|row| (row.remote_id.as_str(), row.total)).collect::<Vec<_>>(),
            [("1", Some(Amount(150))), ("2", Some(Amount(200)))]
        );
        assert_eq!((listed[0].raw_hash.as_slice(), listed[0].noticed_at), ([3; 32].as_slice(), NOW), "its state is the one noticed first");
        assert_eq!(documents::last_day(&mut conn, &company_id).await.unwrap(), Some(date(2026, 3, 1)));
        drop(conn);
        let mut tx = house.begin().await;
        let marked = documents::mark_deleted(&mut tx, &company_id, DataType::Invoice, &["2", "unknown"], NOW + 2).await.unwrap();
        assert_eq!(marked, [("2".to_owned(), Some(date(2026, 3, 1)))]);
        assert!(documents::mark_deleted(&mut tx, &company_id, DataType::Invoice, &["2"], NOW + 3).await.unwrap().is_empty());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let gone = documents::list(&mut conn, &company_id, DataType::Invoice, "1", 10).await.unwrap().pop().unwrap();
        assert_eq!(
            (gone.state, gone.total, gone.number.as_deref(), gone.noticed_at),
            (RecordState::Deleted, Some(Amount(200)), Some("INV-2"), NOW + 2)
        );
        let counts = documents::count_by_type(&mut conn, &company_id).await.unwrap();
        assert_eq!((counts.len(), counts[0].data_type, counts[0].live, counts[0].deleted), (1, DataType::Invoice, 1, 1));
        assert_eq!((counts[0].oldest.as_deref(), counts[0].newest.as_deref()), (Some("2026-01-15"), Some("2026-03-01")));
        assert_eq!(documents::first_day(&mut conn, &company_id).await.unwrap(), Some(date(2026, 1, 15)));
        assert_eq!(documents::last_day(&mut conn, &company_id).await.unwrap(), Some(date(2026, 1, 15)));
        let known = documents::find_known(&mut conn, &company_id, DataType::Invoice, &["1", "2", "3"]).await.unwrap();
        assert_eq!((known.len(), known["1"].hash.as_slice(), known["2"].state), (2, [3; 32].as_slice(), RecordState::Deleted));
        assert!(documents::find_known(&mut conn, &company_id, DataType::Bill, &["1"]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_a_complete_listing_did_not_see_is_found_a_page_at_a_time() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id, run_id) = (&house.store, house.company("c1").await, RunId::new("r2"));
        let all: Vec<Document> = (0..1_200).map(|at| document(&format!("{at:04}"), at)).collect();
        put(store, &company_id, &all.iter().map(|row| (row, [0; 32])).collect::<Vec<_>>(), Some(&RunId::new("r1")), NOW).await;
        let ids: Vec<&str> = all.iter().map(|row| row.id.as_str()).collect();
        let mut tx = house.begin().await;
        // seen unchanged: all but every hundredth; then one of those changed, one is deleted already
        let seen: Vec<&str> = ids.iter().copied().filter(|id| !id.ends_with("00")).collect();
        documents::mark_listed(&mut tx, &company_id, DataType::Invoice, &seen, &run_id).await.unwrap();
        documents::supersede(&mut tx, &company_id, &[(&document("0300", 1), [9; 32])], Some(&run_id), NOW + 1).await.unwrap();
        documents::mark_deleted(&mut tx, &company_id, DataType::Invoice, &["0500"], NOW + 1).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().cloned().unwrap_or_default();
            let page = documents::list_unlisted(&mut conn, &company_id, DataType::Invoice, &run_id, &after, 3).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= 3);
            found.extend(page);
        }
        assert_eq!(found, ["0000", "0100", "0200", "0400", "0600", "0700", "0800", "0900", "1000", "1100"]);
        assert_eq!(documents::find_known(&mut conn, &company_id, DataType::Invoice, &ids).await.unwrap().len(), 1_200);
    })
    .await;
}

#[tokio::test]
async fn the_hash_of_documents_does_not_depend_on_the_order_of_writing_but_on_content_and_state() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, one, two) = (&house.store, house.company("c1").await, house.company("c2").await);
        let (a, b) = (document("a", 1), document("b", 2));
        put(store, &one, &[(&a, [1; 32]), (&b, [2; 32])], None, NOW).await;
        put(store, &two, &[(&b, [2; 32])], None, NOW + 9).await;
        assert_ne!(hash(store, &one).await, hash(store, &two).await);
        put(store, &two, &[(&a, [1; 32])], None, NOW + 9).await;
        assert_eq!(hash(store, &one).await, hash(store, &two).await);
        let mut tx = house.begin().await;
        documents::mark_deleted(&mut tx, &two, DataType::Invoice, &["a"], NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(hash(store, &one).await, hash(store, &two).await);
    })
    .await;
}

#[tokio::test]
async fn every_version_of_a_record_is_kept_once_by_its_content() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, company_id) = (&house.store, house.company("c1").await);
        let mut archiver = Archiver::default();
        let bodies = [r#"{"Id":"1","TotalAmt":100.10}"#, r#"{"Id":"1","TotalAmt":200.20,"Memo":"Grüße 💶"}"#];
        let hashes: Vec<[u8; 32]> = bodies.iter().map(|body| Sha256::digest(body.as_bytes()).into()).collect();
        // the first comes back after the second: it is the same version again
        for at in [0, 1, 0, 1] {
            let mut tx = house.begin().await;
            let version = Version { data_type: DataType::Invoice, remote_id: "1", hash: &hashes[at], body: bodies[at] };
            raw_records::archive(&mut tx, &mut archiver, &company_id, &[version], NOW).await.unwrap();
            documents::supersede(&mut tx, &company_id, &[(&document("1", 1), hashes[at])], None, NOW).await.unwrap();
            tx.commit().await.unwrap();
            let current = raw_records::find_current(&mut house.read().await, &company_id, DataType::Invoice, "1").await.unwrap();
            assert_eq!(current.as_deref(), Some(bodies[at]), "byte for byte");
        }
        let mut conn = house.read().await;
        assert_eq!(raw_records::count_versions(&mut conn, &company_id, DataType::Invoice, "1").await.unwrap(), 2);
        assert_eq!(raw_records::count_versions(&mut conn, &company_id, DataType::Bill, "1").await.unwrap(), 0);
        assert_eq!(raw_records::find_current(&mut conn, &company_id, DataType::Invoice, "2").await.unwrap(), None);
        drop(conn);
        let mut tx = house.begin().await;
        tx.execute("UPDATE raw_records SET body = $1", store::args![vec![1_u8, 2, 3]]).await.unwrap();
        tx.commit().await.unwrap();
        let damaged = raw_records::find_current(&mut store.read().await.unwrap(), &company_id, DataType::Invoice, "1").await.unwrap_err();
        assert_eq!(damaged.to_string(), "a stored value cannot be read: the archived body of Invoice 1");
    })
    .await;
}

#[tokio::test]
async fn accounts_are_replaced_by_their_latest_and_know_where_profit_goes() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        let account = |id: &str, name: &str, class: AccountClass, is_retained_earnings: bool| Document {
            data_type: DataType::Account,
            name: Some(name.into()),
            account: Some(AccountFacts {
                class,
                account_type: "Type".into(),
                role: String::new(),
                parent_id: Some("p".into()),
                is_retained_earnings,
            }),
            ..document(id, 0)
        };
        let (bank, profit) = (account("1", "Bank", AccountClass::Asset, false), account("2", "Retained", AccountClass::Equity, true));
        let mut tx = house.begin().await;
        accounts::supersede(&mut tx, &company_id, &[&bank, &profit, &document("3", 0)]).await.unwrap();
        accounts::supersede(&mut tx, &company_id, &[&account("1", "Giro", AccountClass::Liability, false)]).await.unwrap();
        tx.commit().await.unwrap();
        let chart = accounts::list(&mut house.read().await, &company_id).await.unwrap();
        assert_eq!(chart.0.keys().collect::<Vec<_>>(), ["1", "2"], "an invoice is no account");
        let giro = &chart.0["1"];
        assert_eq!(
            (giro.name.as_str(), giro.code.as_str(), giro.account_type.as_str(), giro.parent_id.as_deref()),
            ("Giro", "INV-1", "Type", Some("p"))
        );
        assert_eq!((chart.class("1"), chart.class("9"), chart.retained_earnings()), (Some(AccountClass::Liability), None, Some("2")));
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_read_is_kept_until_it_reads_well() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (company_id, other) = (house.company("c1").await, house.company("c2").await);
        let mut tx = house.begin().await;
        let item = |data_type, id, reason| (data_type, id, reason, b"whole".to_vec());
        let items =
            [item("Invoice", "1", "no date"), item("Invoice", "2", "no date"), item("Ledger", "2026-01:1", "x"), item("Ledger", "2026-02:1", "x")];
        quarantine::insert(&mut tx, &company_id, &items, NOW).await.unwrap();
        quarantine::insert(&mut tx, &company_id, &[item("Invoice", "1", "no total")], NOW + 9).await.unwrap();
        quarantine::insert(&mut tx, &other, &items[..1], NOW).await.unwrap();
        quarantine::release(&mut tx, &company_id, "Invoice", &["2", "unknown"]).await.unwrap();
        quarantine::release_ledger_piece(&mut tx, &company_id, "2026-01").await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let listed = quarantine::list(&mut conn, &company_id, 10).await.unwrap();
        let seen: Vec<_> = listed.iter().map(|row| (row.data_type.as_str(), row.remote_id.as_str(), row.reason.as_str(), row.noticed_at)).collect();
        assert_eq!(seen, [("Invoice", "1", "no total", NOW), ("Ledger", "2026-02:1", "x", NOW)]);
        assert_eq!(quarantine::list(&mut conn, &company_id, 1).await.unwrap().len(), 1);
        assert_eq!(quarantine::count(&mut conn, &company_id).await.unwrap(), 2);
        assert_eq!(quarantine::count(&mut conn, &other).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn counts_reports_budgets_and_settings_hold_their_latest_value() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (company_id, run_id, mut archiver) = (house.company("c1").await, RunId::new("r1"), Archiver::default());
        let mut tx = house.begin().await;
        inventory::put(&mut tx, &company_id, DataType::Bill, 5, Some(6), Some(NOW), NOW).await.unwrap();
        inventory::put(&mut tx, &company_id, DataType::Bill, 7, None, None, NOW + 1).await.unwrap();
        for (parameters, body, at) in [("2026-01-31", "old", NOW), ("2026-02-28", "first", NOW + 1), ("2026-02-28", "again", NOW + 2)] {
            reports::put(&mut tx, &mut archiver, &company_id, &run_id, "TrialBalance", parameters, body, at).await.unwrap();
        }
        call_budgets::add(&mut tx, &company_id, "2026-01-31", 10, 100).await.unwrap();
        call_budgets::add(&mut tx, &company_id, "2026-01-31", 5, 1).await.unwrap();
        settings::set(&mut tx, "name", "one").await.unwrap();
        settings::set(&mut tx, "name", "two").await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let counted = inventory::list(&mut conn, &company_id).await.unwrap().pop().unwrap();
        assert_eq!(
            (counted.data_type, counted.ours, counted.theirs),
            (DataType::Bill, 5, Some(6)),
            "a run that did not ask leaves what was counted together"
        );
        assert_eq!((counted.counted_at, counted.complete_at), (Some(NOW), Some(NOW)));
        let report = reports::find_latest(&mut conn, &company_id, "TrialBalance").await.unwrap().unwrap();
        assert_eq!(
            (report.report.as_str(), report.parameters.as_str(), report.body.as_str(), report.read_at),
            ("TrialBalance", "2026-02-28", "again", NOW + 2)
        );
        assert!(reports::find_latest(&mut conn, &company_id, "BalanceSheet").await.unwrap().is_none());
        assert_eq!(call_budgets::calls_on(&mut conn, &company_id, "2026-01-31").await.unwrap(), 15);
        assert_eq!(call_budgets::calls_on(&mut conn, &company_id, "2026-02-01").await.unwrap(), 0);
        assert_eq!(settings::find(&mut conn, "name").await.unwrap().as_deref(), Some("two"));
        assert_eq!(settings::find(&mut conn, "unknown").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn proofs_are_listed_newest_first_and_the_last_monthly_one_stands() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        let mut tx = house.begin().await;
        for (id, months, mark) in [("v1", 12, Mark::NotVerified), ("v2", 24, Mark::Verified), ("v3", 0, Mark::Verified)] {
            let verification = Verification {
                basis: Basis::Accrual,
                id: id.into(),
                run_id: RunId::new("r1"),
                pass: 2,
                as_of: "2026-05-31".into(),
                mark,
                accounts: 40,
                months,
                differences: "[]".into(),
                month_strip: r#"{"2026-01":1}"#.into(),
                made_at: NOW,
            };
            verifications::insert(&mut tx, &company_id, &verification).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let ids: Vec<String> = verifications::list(&mut conn, &company_id, Basis::Accrual, 2).await.unwrap().into_iter().map(|row| row.id).collect();
        assert_eq!(ids, ["v3", "v2"]);
        let monthly = verifications::find_latest_monthly(&mut conn, &company_id, Basis::Accrual).await.unwrap().unwrap();
        assert_eq!((monthly.id.as_str(), monthly.mark, monthly.months, monthly.pass, monthly.accounts), ("v2", Mark::Verified, 24, 2, 40));
        assert_eq!((monthly.as_of.as_str(), monthly.differences.as_str(), monthly.month_strip.as_str()), ("2026-05-31", "[]", r#"{"2026-01":1}"#));
        assert!(verifications::find_latest_monthly(&mut conn, &CompanyId::new("none"), Basis::Accrual).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn the_frame_counts_active_runs_and_its_pulse_moves_with_them() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let pulse = async || frame::pulse(&mut house.read().await, &house.organization_id, &Reader::Everything).await.unwrap();
        let (first, second, still) = (house.company("c1").await, house.company("c2").await, pulse().await);
        assert_eq!(still, pulse().await);
        house.request("r1", &first).await;
        house.request("r2", &second).await;
        let queued = pulse().await;
        assert_ne!(still, queued);
        let mut tx = house.begin().await;
        runs::claim(&mut tx, "worker", NOW, 1_000, 1).await.unwrap();
        assert!(store::connections::mark_invalid(&mut tx, &house.connection_id, 1, NOW).await.unwrap());
        tx.commit().await.unwrap();
        assert_ne!(queued, pulse().await);
        let shown = frame::read(&mut house.read().await, &house.organization_id, &Reader::Everything, NOW).await.unwrap();
        assert_eq!((shown.job_count, shown.open_incidents), (2, 0));
        let jobs: Vec<_> =
            shown.jobs.iter().map(|job| (job.name.as_str(), job.run.as_ref().is_some_and(|run| run.state == RunState::Running))).collect();
        assert_eq!(jobs, [("Books of c1", true), ("Books of c2", false)]);
    })
    .await;
}
