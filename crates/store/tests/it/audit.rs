//! The audit log: entries that follow one another, and what happens when somebody changes one.
use crate::house::{House, MINUTE, NOW};
use domain::audit::{Act, Actor, Difference, Ending, NOTHING_BEFORE, Object};
use domain::ids::{OrganizationId, UserId};
use store::audit::{self, Checked, Filter, NewEntry};
use store::db::Arg;
use store::log_entries::Place;
use store::{Store, Tx, args};
use testkit::each_database;

const DAY: i64 = 86_400_000;

/// Notes that Grace was given a role, at an instant.
async fn note(store: &Store, tx: &mut Tx, organization_id: &OrganizationId, after: &str, at_ms: i64) -> i64 {
    let (actor, object) = (Actor::person(&UserId::new("ada"), "Ada Ünal", "192.0.2.7"), Object::person(&UserId::new("grace"), "Grace 100%_!"));
    let new =
        NewEntry { organization_id, at_ms, actor: &actor, act: Act::RoleChanged, object: &object, before: "Member", after, outcome: Ending::Done };
    audit::append(store, tx, &new).await.unwrap()
}

/// Writes entries a minute apart, each in a transaction of its own.
async fn fill(house: &House, organization_id: &OrganizationId, count: i64) {
    for at in 0..count {
        let mut tx = house.begin().await;
        note(&house.store, &mut tx, organization_id, "Admin", NOW + at * MINUTE).await;
        tx.commit().await.unwrap();
    }
}

async fn check(house: &House, organization_id: &OrganizationId) -> Checked {
    audit::check(&house.store, &mut house.read().await, organization_id, None).await.unwrap()
}

fn breaks(checked: &Checked) -> Vec<(i64, Difference)> {
    checked.breaks.iter().map(|found| (found.number, found.difference)).collect()
}

/// Takes away what keeps entries as they are, as somebody with the database's password can.
async fn unguard(house: &House) {
    let mut tx = house.begin().await;
    let drops = match tx.is_postgres() {
        true => ["DROP TRIGGER audit_entries_unchanged ON audit_entries", "DROP TRIGGER audit_entries_kept ON audit_entries"],
        false => ["DROP TRIGGER audit_entries_unchanged", "DROP TRIGGER audit_entries_kept"],
    };
    for sql in drops {
        tx.execute(sql, vec![]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn entries_are_found_by_who_what_object_and_day_and_pages_stand_still() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.organization("other").await;
        fill(&house, &house.organization_id, 7).await;
        fill(&house, &other, 1).await;
        let mut tx = house.begin().await;
        let (actor, object) = (Actor::command_line(), Object::log("Integration log"));
        let (organization_id, at_ms) = (&house.organization_id, NOW + DAY);
        let new = NewEntry {
            organization_id,
            at_ms,
            actor: &actor,
            act: Act::Exported,
            object: &object,
            before: "",
            after: "csv",
            outcome: Ending::Refused,
        };
        assert_eq!(audit::append(&house.store, &mut tx, &new).await.unwrap(), 8);
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let newest = audit::list_page(&mut conn, organization_id, &Filter::default(), Place::Newest, 3).await.unwrap();
        let numbers = |page: &audit::Page| page.entries.iter().map(|entry| entry.number).collect::<Vec<_>>();
        assert_eq!((numbers(&newest), newest.has_newer, newest.has_older), (vec![8, 7, 6], false, true));
        let last = &newest.entries[0];
        assert_eq!(
            [&last.actor_kind, &last.actor_name, &last.act, &last.object_name, &last.before, &last.after, &last.place, &last.outcome],
            ["command_line", "Command line", "exported", "Integration log", "", "csv", "command line", "refused"]
        );
        assert_eq!((last.at_ms, &last.previous_hash, last.compute_hash()), (NOW + DAY, &newest.entries[1].hash, last.hash.clone()));
        let older = audit::list_page(&mut conn, organization_id, &Filter::default(), Place::OlderThan(6), 10).await.unwrap();
        assert_eq!((numbers(&older), older.has_newer, older.has_older), (vec![5, 4, 3, 2, 1], true, false));
        assert_eq!(older.entries[4].previous_hash, NOTHING_BEFORE);
        let newer = audit::list_page(&mut conn, organization_id, &Filter::default(), Place::NewerThan(2), 2).await.unwrap();
        assert_eq!((numbers(&newer), newer.has_newer, newer.has_older), (vec![4, 3], true, true));
        let of = |actor: &str, act: &str, object: &str| Filter { actor: actor.into(), act: act.into(), object: object.into(), ..Filter::default() };
        for (filter, expected) in [
            (of("ada", "", ""), 7),
            (of("Ünal", "", ""), 7),
            (of("nobody", "", ""), 0),
            (of("", "exported", ""), 1),
            (of("COMMAND", "exported", "LOG"), 1),
            (of("ada", "exported", ""), 0),
            (of("", "", "100%_!"), 7),
            (of("", "", "1_0"), 0),
            (of("", "", "grace"), 7),
            (Filter { from_ms: Some(NOW + 3 * MINUTE), until_ms: Some(NOW + 5 * MINUTE), ..Filter::default() }, 2),
        ] {
            assert_eq!(audit::count(&mut conn, organization_id, &filter, 100).await.unwrap(), expected, "{filter:?}");
            let page = audit::list_page(&mut conn, organization_id, &filter, Place::Newest, 100).await.unwrap();
            assert_eq!(page.entries.len() as i64, expected, "{filter:?}");
        }
        assert_eq!(audit::count(&mut conn, organization_id, &Filter::default(), 5).await.unwrap(), 5, "counted up to the cap");
    })
    .await;
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_an_entry() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        fill(&house, &house.organization_id, 3).await;
        let mut refused = vec![
            "UPDATE audit_entries SET after_act = 'Owner' WHERE number = 2",
            "UPDATE audit_entries SET hash = hash",
            "DELETE FROM audit_entries WHERE number = 1",
            "DELETE FROM audit_entries WHERE number = 3",
            "DELETE FROM audit_entries",
        ];
        if house.store.is_postgres() {
            refused.push("TRUNCATE audit_entries");
        }
        for sql in refused {
            let mut tx = house.begin().await;
            let error = tx.execute(sql, vec![]).await.unwrap_err();
            assert!(error.to_string().contains("entries of the audit log are never"), "{sql}: {error}");
        }
        let checked = check(&house, &house.organization_id).await;
        assert!(checked.is_intact() && checked.entries == 3, "{checked:?}");
    })
    .await;
}

async fn change(tx: &mut Tx, sql: &'static str, args: Vec<Arg>) {
    tx.execute(sql, args).await.unwrap();
}

/// An entry with another text and the hash that fits it.
async fn rewrite(tx: &mut Tx, organization_id: &OrganizationId, number: i64) -> String {
    let page = audit::list_page(tx, organization_id, &Filter::default(), Place::OlderThan(number + 1), 1).await.unwrap();
    let mut entry = page.entries[0].clone();
    entry.after = "Owner".into();
    let hash = entry.compute_hash();
    let sql = "UPDATE audit_entries SET after_act = 'Owner', hash = $3 WHERE organization_id = $1 AND number = $2";
    assert_eq!(tx.execute(sql, args![organization_id, number, hash.as_str()]).await.unwrap(), 1);
    hash
}

const COPY: &str =
    "INSERT INTO audit_entries SELECT organization_id, $2, at_ms, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name,
    before_act, after_act, place, outcome, previous_hash, hash FROM audit_entries WHERE organization_id = $1 AND number = $3";
const MOVE: &str = "UPDATE audit_entries SET number = $3 WHERE organization_id = $1 AND number = $2";
const REMOVE: &str = "DELETE FROM audit_entries WHERE organization_id = $1 AND number BETWEEN $2 AND $3";

// proves H11 in part
#[tokio::test]
async fn an_entry_that_was_changed_removed_added_or_moved_is_found_where_it_is() {
    use Difference::{Added, Content, Last, Link, Missing, NoHead, Seal};
    each_database(|url| async move {
        let house = House::build(&url).await;
        unguard(&house).await;
        let cases = [
            "whole",
            "edited",
            "edited with its hash",
            "last edited with its hash",
            "head edited too",
            "one removed",
            "oldest removed",
            "newest removed",
            "all removed",
            "added behind",
            "added between",
            "two change places",
            "head removed",
            "anchor moved",
        ];
        for case in cases {
            let id = house.organization(case).await;
            fill(&house, &id, 5).await;
            assert!(check(&house, &id).await.is_intact());
            let mut tx = house.begin().await;
            match case {
                "whole" => {}
                "edited" => {
                    let sql = "UPDATE audit_entries SET after_act = 'Owner' WHERE organization_id = $1 AND number = 3";
                    tx.execute(sql, args![&id]).await.unwrap();
                }
                "edited with its hash" => drop(rewrite(&mut tx, &id, 3).await),
                "last edited with its hash" => drop(rewrite(&mut tx, &id, 5).await),
                "head edited too" => {
                    let hash = rewrite(&mut tx, &id, 5).await;
                    tx.execute("UPDATE audit_chains SET last_hash = $2 WHERE organization_id = $1", args![&id, hash]).await.unwrap();
                }
                "one removed" => change(&mut tx, REMOVE, args![&id, 3, 3]).await,
                "oldest removed" => change(&mut tx, REMOVE, args![&id, 1, 2]).await,
                "newest removed" => change(&mut tx, REMOVE, args![&id, 5, 5]).await,
                "all removed" => change(&mut tx, REMOVE, args![&id, 1, 5]).await,
                "added behind" => change(&mut tx, COPY, args![&id, 6, 5]).await,
                "added between" => {
                    for number in [5, 4, 3] {
                        tx.execute(MOVE, args![&id, number, number + 1]).await.unwrap();
                    }
                    tx.execute(COPY, args![&id, 3, 2]).await.unwrap();
                }
                "two change places" => {
                    for (from, to) in [(2, 99), (3, 2), (99, 3)] {
                        tx.execute(MOVE, args![&id, from, to]).await.unwrap();
                    }
                }
                "head removed" => change(&mut tx, "DELETE FROM audit_chains WHERE organization_id = $1", args![&id]).await,
                "anchor moved" => {
                    let sql = "UPDATE audit_chains SET anchor_number = 2, anchor_hash = (SELECT hash FROM audit_entries
                               WHERE organization_id = $1 AND number = 2) WHERE organization_id = $1";
                    tx.execute(sql, args![&id]).await.unwrap();
                    tx.execute(REMOVE, args![&id, 1, 2]).await.unwrap();
                }
                _ => unreachable!("every case is above"),
            }
            tx.commit().await.unwrap();
            let checked = check(&house, &id).await;
            let expected = match case {
                "whole" => vec![],
                "edited" => vec![(3, Content)],
                "edited with its hash" => vec![(4, Link)],
                "last edited with its hash" => vec![(5, Last)],
                "head edited too" | "anchor moved" => vec![(5, Seal)],
                "one removed" => vec![(3, Missing { until: 3 })],
                "oldest removed" => vec![(1, Missing { until: 2 })],
                "newest removed" => vec![(5, Missing { until: 5 })],
                "all removed" => vec![(1, Missing { until: 5 })],
                "added behind" => vec![(6, Added)],
                "added between" => vec![(3, Link), (3, Content), (4, Content), (5, Content), (5, Last), (6, Added)],
                "two change places" => vec![(2, Link), (2, Content), (3, Link), (3, Content), (4, Link)],
                _ => vec![(5, NoHead)],
            };
            assert_eq!(breaks(&checked), expected, "{case}");
            assert_eq!(checked.broken as usize, expected.len(), "{case}");
            if case.starts_with("added") {
                // the number of the next entry is taken: nothing is done until somebody has looked
                continue;
            }
            // what is written afterwards hides nothing
            let mut tx = house.begin().await;
            note(&house.store, &mut tx, &id, "Admin", NOW + DAY).await;
            tx.commit().await.unwrap();
            assert_eq!(check(&house, &id).await.is_intact(), case == "whole", "{case}, an entry later");
        }
        // a look at the newest entries finds what is among them, and costs no more however long the chain is
        let id = house.organization("long").await;
        fill(&house, &id, 12).await;
        let newest = async |count: i64| audit::check(&house.store, &mut house.read().await, &id, Some(count)).await.unwrap();
        let looked = newest(4).await;
        assert_eq!((looked.entries, looked.is_whole, looked.is_intact(), looked.last_number), (4, false, true, 12));
        assert!(newest(12).await.is_whole);
        let mut tx = house.begin().await;
        tx.execute("UPDATE audit_entries SET actor_name = 'Eve' WHERE organization_id = $1 AND number IN (3, 10)", args![&id]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(breaks(&newest(4).await), [(10, Content)]);
        assert!(newest(2).await.is_intact());
        assert_eq!(breaks(&check(&house, &id).await), [(3, Content), (10, Content)]);
        let mut tx = house.begin().await;
        tx.execute(REMOVE, args![&id, 10, 10]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(breaks(&newest(2).await), [(10, Missing { until: 10 })], "where the look begins, too");
    })
    .await;
}

#[tokio::test]
async fn writers_at_the_same_time_keep_one_chain() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let nodes = [house.store.clone(), house.another_node().await];
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8_usize {
            let (store, id) = (nodes[writer % 2].clone(), house.organization_id.clone());
            writers.spawn(async move {
                for at in 0..12 {
                    let mut tx = store.begin().await.unwrap();
                    note(&store, &mut tx, &id, &format!("{writer} {at}"), NOW).await;
                    // some change their mind: their number is free again
                    if at % 4 != 3 {
                        tx.commit().await.unwrap();
                    }
                }
            });
        }
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        let checked = check(&house, &house.organization_id).await;
        assert_eq!((checked.entries, checked.last_number, breaks(&checked)), (72, 72, vec![]));
    })
    .await;
}

#[tokio::test]
async fn what_is_old_goes_from_the_beginning_and_what_is_left_can_be_checked() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let id = &house.organization_id;
        for day in 0..10 {
            let mut tx = house.begin().await;
            // one whose clock was behind does not let what follows go before its time
            let at_ms = if day == 7 { NOW } else { NOW + day * DAY };
            note(&house.store, &mut tx, id, "Admin", at_ms).await;
            tx.commit().await.unwrap();
        }
        let prune = async |before_ms: i64, limit: i64| {
            let mut tx = house.begin().await;
            let pruned = audit::prune(&house.store, &mut tx, id, before_ms, limit).await.unwrap();
            tx.commit().await.unwrap();
            pruned
        };
        assert_eq!(prune(NOW, 100).await, None);
        assert_eq!(prune(NOW + 5 * DAY, 3).await, Some((3, 3)));
        assert_eq!(prune(NOW + 5 * DAY, 3).await, Some((2, 5)));
        assert_eq!(prune(NOW + 5 * DAY, 3).await, None);
        let checked = check(&house, id).await;
        assert_eq!((breaks(&checked), checked.entries, checked.first_number, checked.last_number), (vec![], 5, 6, 10));
        assert!(audit::has_older(&mut house.read().await, id, NOW + DAY).await.unwrap(), "the one whose clock was behind");
        // what is left is guarded as before, and goes on
        let mut tx = house.begin().await;
        assert!(tx.execute("DELETE FROM audit_entries WHERE number = 6", vec![]).await.is_err());
        drop(tx);
        fill(&house, id, 1).await;
        assert_eq!(check(&house, id).await.last_number, 11);
        // a part that somebody changed is evidence: it stays
        unguard(&house).await;
        let mut tx = house.begin().await;
        tx.execute("UPDATE audit_entries SET after_act = 'Owner' WHERE number = 7", vec![]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(prune(NOW + 100 * DAY, 100).await, None);
        let checked = check(&house, id).await;
        assert_eq!((breaks(&checked), checked.entries), (vec![(7, Difference::Content)], 6));
    })
    .await;
}
