//! The Data Feed in the database: its words are those of the domain, its order is total, and what is ticked stays ticked.
use crate::house::{House, MINUTE, NOW, tokens};
use domain::chart::rules;
use domain::clock::Timestamp;
use domain::company::{DELETION_CHECK_SECS, Mark, Reason, SyncStatus, is_stale, sync_status};
use domain::ids::{CompanyId, ConnectionId, OrganizationId};
use domain::schedule::DEFAULT_FRESHNESS_SECS;
use domain::sync::{Counts, Extent, RunState};
use std::collections::{BTreeMap, BTreeSet};
use store::companies::{self, Company};
use store::feed::{self, Column, Filter, Sort, WORDS};
use store::{args, connections, selections, sessions};
use testkit::each_database;

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Numbers that only look thrown.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.throw(of.len() as u64) as usize]
    }
}

/// Companies with facts of every kind, in every mixture that comes up.
async fn generate(house: &House, count: usize) {
    let mut tx = house.begin().await;
    for (id, key) in [("refused", "second identity"), ("gone", "third identity")] {
        assert_eq!(house.connect(&mut tx, id, key, &tokens(id)).await, Ok(()));
    }
    assert!(connections::mark_invalid(&mut tx, &ConnectionId::new("refused"), 1, NOW).await.unwrap());
    tx.execute("UPDATE connections SET state = 'disconnected', disconnected_at = $1 WHERE id = 'gone'", args![NOW]).await.unwrap();
    tx.commit().await.unwrap();
    let mut dice = Dice(7);
    for at in 0..count {
        let id = format!("c{at:04}");
        house.company(&id).await;
        let connection = dice.pick(&["connection", "connection", "connection", "refused", "gone"]);
        let interval_secs = dice.pick(&[900i64, 3_600, 7 * 86_400]);
        let mut tx = house.begin().await;
        tx.execute(
            "UPDATE companies SET connection_id = $2, linked_at = $3, paused_at = $4, interval_secs = $5, next_due_at = $6, last_success_at = $7,
                    last_run_state = $8, facts_read_at = $9, mark = $10, scope_missing_at = $11, rules_version = $12, freshness_secs = $13,
                    last_run_ms = $14, last_run_added = $15, last_run_changed = 1, last_run_deleted = 0 WHERE id = $1",
            args![
                id.as_str(),
                connection,
                dice.pick(&[Some(NOW - 30 * DAY), Some(NOW - HOUR), None]),
                dice.pick(&[None, None, None, Some(NOW)]),
                interval_secs,
                dice.pick(&[None, Some(NOW + 5 * MINUTE), Some(NOW + 2 * HOUR)]),
                // on both sides of an interval and a tenth
                dice.pick(&[None, Some(NOW - MINUTE), Some(NOW - interval_secs * 1_100), Some(NOW - interval_secs * 1_100 - 1)]),
                dice.pick(&[None, Some("succeeded"), Some("succeeded"), Some("succeeded"), Some("failed"), Some("cancelled")]),
                dice.pick(&[None, Some(NOW), Some(NOW - DELETION_CHECK_SECS * 1_000 - interval_secs * 1_100 - dice.0 as i64 % 2)]),
                dice.pick(&["verified", "verified", "not_verified", "not_checked"]),
                dice.pick(&[None, None, None, Some(NOW)]),
                dice.pick(&[None, Some(rules::VERSION), Some(rules::VERSION), Some(rules::VERSION - 1)]),
                dice.pick(&[None, None, Some(3_600i64), Some(90 * 86_400)]),
                dice.pick(&[None, Some(900i64), Some(61_000)]),
                dice.pick(&[None, Some(0i64), Some(12)]),
            ],
        )
        .await
        .unwrap();
        let run = dice.pick(&["", "", "", "queued", "waiting", "waited", "running", "pausing", "paused", "dead"]);
        if !run.is_empty() {
            let is_queued = ["queued", "waiting", "waited"].contains(&run);
            tx.execute(
                "INSERT INTO runs (id, kind, organization_id, company_id, dedupe_key, extent, state, priority, fair_key, run_after, waiting_since,
                                   waiting_for, waiting_until, attempt, crash_count, lease_until, lease_epoch, requested_by, step, progress, calls,
                                   bytes, created_at)
                 VALUES ($1, 'sync', 'org', $2, 'sync:' || CAST($2 AS TEXT), 'full', $3, 0, 0, $4, $5, $6, $7, 1, 0, $8, 1, 'schedule', '', '{}', 0, 0, $9)",
                args![
                    format!("run-{id}"),
                    id.as_str(),
                    if is_queued { "queued" } else { "running" },
                    if run == "waiting" { NOW + HOUR } else { NOW },
                    (run.starts_with("wait") || run.starts_with("paus")).then_some(NOW - MINUTE),
                    Some("Xero daily limit").filter(|_| run.starts_with("wait") || run.starts_with("paus")),
                    match run {
                        "pausing" => Some(NOW + MINUTE),
                        "paused" => Some(NOW),
                        _ => None,
                    },
                    match run {
                        "dead" => Some(NOW),
                        "running" | "pausing" | "paused" => Some(NOW + 1),
                        _ => None,
                    },
                    NOW - HOUR,
                ],
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// The word and, for a company that needs a resync, the reason, as pages derive them.
fn words(company: &Company) -> (&'static str, Option<Reason>) {
    let status = sync_status(&company.status_facts(), Timestamp::from_millisecond(NOW).unwrap());
    let runs = matches!(status, SyncStatus::Syncing | SyncStatus::Waiting { .. });
    match status {
        _ if company.linked_at.is_none() && !runs => ("not_linked", None),
        SyncStatus::NeedsResync(reason) => ("needs_resync", Some(reason)),
        other => (other.key(), None),
    }
}

async fn listed(house: &House, filter: &Filter, sort: Sort) -> Vec<Company> {
    let mut conn = house.read().await;
    let ids = feed::list_ids(&mut conn, &house.organization_id, filter, sort, NOW, 10_000, 0).await.unwrap();
    feed::list_by_ids(&mut conn, &house.organization_id, &ids).await.unwrap()
}

fn ids(companies: &[Company]) -> BTreeSet<CompanyId> {
    companies.iter().map(|company| company.id.clone()).collect()
}

// proves B5 in part
#[tokio::test(flavor = "multi_thread")]
async fn the_database_says_the_same_word_of_every_company_as_the_domain() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        generate(&house, 900).await;
        let all = companies::list(&mut house.read().await, &house.organization_id).await.unwrap();
        let shown: Vec<&Company> = all.iter().filter(|company| company.connection_id.as_str() != "gone" || company.linked_at.is_some()).collect();
        assert_eq!(all.len(), 900);
        let mut expected: BTreeMap<&str, BTreeSet<CompanyId>> = BTreeMap::new();
        for company in &shown {
            let (word, reason) = words(company);
            expected.entry(word).or_default().insert(company.id.clone());
            if let Some(reason) = reason {
                expected.entry(reason.key()).or_default().insert(company.id.clone());
            }
            let stale = is_stale(
                company.last_success_at,
                company.linked_at,
                company.freshness_secs.unwrap_or(DEFAULT_FRESHNESS_SECS),
                Timestamp::from_millisecond(NOW).unwrap(),
            );
            if stale {
                expected.entry("stale").or_default().insert(company.id.clone());
            }
            if company.linked_at.is_some() && company.mark == Mark::NotVerified {
                expected.entry("not_verified").or_default().insert(company.id.clone());
            }
        }
        let counts = feed::count(&mut house.read().await, &house.organization_id, &Filter::default(), NOW).await.unwrap();
        assert_eq!(counts.total, shown.len() as i64);
        for word in WORDS {
            assert_eq!(counts.words.get(word).copied().unwrap_or(0), expected.get(word).map_or(0, BTreeSet::len) as i64, "{word}");
        }
        assert_eq!((counts.not_verified, counts.stale), (expected["not_verified"].len() as i64, expected["stale"].len() as i64));
        let reasons = Reason::ALL.iter().map(|reason| reason.key());
        for key in WORDS.into_iter().chain(reasons).chain(["stale", "not_verified"]) {
            let found = ids(&listed(&house, &Filter { status: key.to_owned(), ..Filter::default() }, Sort::default()).await);
            assert_eq!(found, expected.get(key).cloned().unwrap_or_default(), "{key}");
            assert!(!found.is_empty(), "no generated company is {key}: the test shows nothing of it");
        }
    })
    .await;
}

// proves B9 in part
#[tokio::test(flavor = "multi_thread")]
async fn every_column_sorts_both_ways_and_its_pages_hold_each_company_once() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        generate(&house, 130).await;
        let plain = Filter::default();
        let all = ids(&listed(&house, &plain, Sort::default()).await);
        for column in Column::ALL {
            for is_reversed in [false, true] {
                let sort = Sort { column, is_reversed };
                let mut seen = Vec::new();
                for number in 1..=6 {
                    let page = feed::page(&mut house.read().await, &house.organization_id, &plain, sort, NOW, 25, number).await.unwrap();
                    if page.page == number {
                        seen.extend(page.companies);
                    }
                }
                assert_eq!(seen.len(), all.len(), "{column:?}");
                assert_eq!(ids(&seen), all);
                let key = |company: &Company| match column {
                    Column::Name => company.name.to_lowercase(),
                    Column::Account => company.connection_name.to_lowercase(),
                    Column::Link => company.linked_at.is_none().to_string(),
                    Column::Status => WORDS.iter().position(|word| *word == words(company).0).unwrap().to_string(),
                    Column::TieOut => {
                        ["not_verified", "not_checked", "verified"].iter().position(|word| *word == company.mark.as_str()).unwrap().to_string()
                    }
                    Column::LastSynced => format!("{:020}", company.last_success_at.unwrap_or(0)),
                    Column::Took => format!("{:020}", company.last_run_ms.unwrap_or(-1) + 1),
                    Column::Changes => format!("{:020}", company.last_run_counts.map_or(0, |counts| counts.iter().sum::<i64>() + 1)),
                    // what they are sorted by is not shown of the company itself
                    Column::NextRun | Column::Freshness => String::new(),
                };
                let keys: Vec<String> = seen.iter().map(key).collect();
                let mut sorted = keys.clone();
                sorted.sort();
                if sort.is_descending() {
                    sorted.reverse();
                }
                assert_eq!(keys, sorted, "{sort:?}");
            }
        }
        // a page behind the last one is the last one
        let last = feed::page(&mut house.read().await, &house.organization_id, &plain, Sort::default(), NOW, 25, 99).await.unwrap();
        assert_eq!(last.page, (last.total + 24) / 25);
        let elsewhere = feed::page(&mut house.read().await, &OrganizationId::new("elsewhere"), &plain, Sort::default(), NOW, 25, 1).await.unwrap();
        assert_eq!((elsewhere.total, elsewhere.companies.len()), (0, 0));
    })
    .await;
}

// proves B9 in part
#[tokio::test(flavor = "multi_thread")]
async fn every_column_can_be_filtered_and_search_takes_signs_for_text() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        generate(&house, 200).await;
        let mut tx = house.begin().await;
        companies::set_facts(&mut tx, &CompanyId::new("c0001"), "Ärzte 50%_off\\", "EUR", "DE", "UTC", 1).await.unwrap();
        tx.execute("UPDATE companies SET linked_at = 1 WHERE id = 'c0001'", args![]).await.unwrap();
        tx.commit().await.unwrap();
        for text in ["ärzte", "ÄRZTE", "50%_OFF", "off\\"] {
            let found = listed(&house, &Filter { search: text.to_owned(), ..Filter::default() }, Sort::default()).await;
            assert_eq!(found.iter().map(|company| company.id.as_str()).collect::<Vec<_>>(), ["c0001"], "{text}");
        }
        assert!(listed(&house, &Filter { search: "c%1".to_owned(), ..Filter::default() }, Sort::default()).await.is_empty());
        assert!(!listed(&house, &Filter { search: "olga AT".to_owned(), ..Filter::default() }, Sort::default()).await.is_empty(), "an account");

        let all = listed(&house, &Filter::default(), Sort::default()).await;
        type Fits = fn(&Company) -> bool;
        let cases: Vec<(Filter, Fits)> = vec![
            (Filter { mark: "not_verified".into(), ..Filter::default() }, |company| company.mark == Mark::NotVerified),
            (Filter { link: "not_linked".into(), ..Filter::default() }, |company| company.linked_at.is_none()),
            (Filter { link: "linked".into(), ..Filter::default() }, |company| company.linked_at.is_some()),
            (Filter { synced: "never".into(), ..Filter::default() }, |company| company.last_success_at.is_none()),
            (Filter { synced: "hour".into(), ..Filter::default() }, |company| company.last_success_at.is_some_and(|at| at >= NOW - HOUR)),
            (Filter { synced: "older".into(), ..Filter::default() }, |company| company.last_success_at.is_some_and(|at| at < NOW - DAY)),
            (Filter { last_run: "minute".into(), ..Filter::default() }, |company| company.last_run_ms.is_some_and(|ms| ms > 60_000)),
            (Filter { last_run: "changed".into(), ..Filter::default() }, |company| company.last_run_counts.is_some_and(|counts| counts != [0, 0, 0])),
            (Filter { account: "refused".into(), ..Filter::default() }, |company| company.connection_id.as_str() == "refused"),
            (Filter { account_name: "OLGA@".into(), ..Filter::default() }, |company| company.connection_email.contains("olga@")),
            (Filter { provider: "xero".into(), ..Filter::default() }, |company| company.provider == "xero"),
            (Filter { next: "hour".into(), ..Filter::default() }, |company| {
                let may_run = company.run.is_none() && company.linked_at.is_some() && company.paused_at.is_none();
                company.connection_id.as_str() == "connection" && may_run && company.next_due_at.is_some_and(|at| at <= NOW + HOUR)
            }),
        ];
        for (filter, fits) in cases {
            let expected: BTreeSet<CompanyId> = all.iter().filter(|company| fits(company)).map(|company| company.id.clone()).collect();
            assert_eq!(ids(&listed(&house, &filter, Sort::default()).await), expected, "{filter:?}");
            let counts = feed::count(&mut house.read().await, &house.organization_id, &filter, NOW).await.unwrap();
            assert_eq!(counts.total, expected.len() as i64, "{filter:?}");
        }
        let both = Filter { freshness: "missed".into(), status: "paused".into(), ..Filter::default() };
        let found = listed(&house, &both, Sort::default()).await;
        assert_eq!(feed::count_fitting(&mut house.read().await, &house.organization_id, &both, NOW).await.unwrap(), found.len() as i64);
        assert!(!found.is_empty() && found.iter().all(|company| words(company).0 == "paused"));
    })
    .await;
}

#[tokio::test]
async fn what_is_ticked_belongs_to_a_session_and_to_companies_of_its_organization() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company = [house.company("c1").await, house.company("c2").await, house.company("c3").await];
        let other = house.organization("other").await;
        let foreign = house.company_of(&other, "foreign").await;
        let mut tx = house.begin().await;
        sessions::insert(&mut tx, &"0a".repeat(32), &house.user_id, &house.organization_id, NOW, NOW + DAY).await.unwrap();
        let hash = sessions::find(&mut tx, &"0a".repeat(32), NOW).await.unwrap().unwrap().token_hash;
        tx.commit().await.unwrap();
        let ticked = async |shown: &[CompanyId], now_ticked: &[CompanyId]| {
            let mut tx = house.begin().await;
            selections::put(&mut tx, &hash, &house.organization_id, shown, now_ticked).await.unwrap();
            tx.commit().await.unwrap();
            selections::list(&mut house.read().await, &hash, &house.organization_id).await.unwrap()
        };
        assert_eq!(ticked(&company[..2], &company[..1]).await, company[..1]);
        // another page: what it did not show stays; what is foreign is passed over
        assert_eq!(ticked(&company[2..], &[company[2].clone(), foreign.clone()]).await, [company[0].clone(), company[2].clone()]);
        assert_eq!(ticked(&company[..2], &[]).await, company[2..]);
        assert!(selections::list(&mut house.read().await, &hash, &other).await.unwrap().is_empty());
        let mut tx = house.begin().await;
        selections::put(&mut tx, "a session that is over", &house.organization_id, &[], &company).await.unwrap();
        selections::clear(&mut tx, &hash).await.unwrap();
        selections::add(&mut tx, &hash, &house.organization_id, &company[..1]).await.unwrap();
        tx.commit().await.unwrap();
        let left = house.read().await.query_one("SELECT COUNT(*) FROM selections", args![]).await.unwrap().int(0).unwrap();
        assert_eq!(left, 1, "what ended sessions left is gone");
    })
    .await;
}

// proves B10 in part
// proves B11 in part
#[tokio::test]
async fn a_company_past_its_target_is_noticed_once_until_it_is_fresh_again_and_a_paused_one_is_not_due() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (own, common) = (house.company("c1").await, house.company("c2").await);
        let mut tx = house.begin().await;
        for id in [&own, &common] {
            assert!(companies::link(&mut tx, id, NOW).await.unwrap());
        }
        companies::set_schedule(&mut tx, &own, 900, Some(3_600), Some(NOW + HOUR)).await.unwrap();
        assert!(companies::take_stale(&mut tx, NOW + HOUR, 10).await.unwrap().is_empty());
        let stale = companies::take_stale(&mut tx, NOW + HOUR + 1, 10).await.unwrap();
        assert_eq!(stale, [(own.clone(), house.organization_id.clone(), 3_600)]);
        assert!(companies::take_stale(&mut tx, NOW + 2 * HOUR, 10).await.unwrap().is_empty(), "noticed already");
        let stale = companies::take_stale(&mut tx, NOW + DAY + 1, 10).await.unwrap();
        assert_eq!(stale, [(common.clone(), house.organization_id.clone(), DEFAULT_FRESHNESS_SECS)], "the organization's target");
        // a success ends it, a failure does not
        companies::set_last_run(&mut tx, &own, 10, Extent::Full, RunState::Failed, &Counts::default()).await.unwrap();
        assert!(companies::take_stale(&mut tx, NOW + 2 * DAY, 10).await.unwrap().is_empty());
        companies::set_last_run(&mut tx, &own, 10, Extent::Full, RunState::Succeeded, &Counts::default()).await.unwrap();
        assert_eq!(companies::take_stale(&mut tx, NOW + 2 * DAY, 10).await.unwrap().len(), 1);

        assert!(companies::pause(&mut tx, &common, NOW).await.unwrap());
        assert!(!companies::pause(&mut tx, &common, NOW + 1).await.unwrap());
        let due = companies::list_due(&mut tx, NOW + HOUR, 10).await.unwrap();
        assert_eq!(due.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), std::slice::from_ref(&own));
        companies::move_due(&mut tx, &own, NOW + HOUR).await.unwrap();
        assert!(companies::resume(&mut tx, &common).await.unwrap());
        assert!(!companies::resume(&mut tx, &common).await.unwrap());
        assert_eq!(companies::list_due(&mut tx, NOW + HOUR, 10).await.unwrap().len(), 1, "it is due, its time has come meanwhile");
        tx.commit().await.unwrap();
        let company = companies::find_any(&mut house.read().await, &own).await.unwrap().unwrap();
        assert_eq!((company.interval_secs, company.freshness_secs, company.freshness_target_secs), (900, Some(3_600), 3_600));
        assert_eq!(
            (company.last_run_ms, company.last_run_counts, company.full_run_ms, company.changes_run_ms),
            (Some(10), Some([0, 0, 0]), Some(10), None)
        );
    })
    .await;
}
