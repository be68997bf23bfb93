//! A person's own account: second factors, sign-ins that wait for one, where somebody is signed in, and new addresses.
use crate::house::{House, MINUTE, NOW};
use domain::ids::UserId;
use domain::organization::Role;
use store::email_changes::{self, EmailChange};
use store::members::{self, User};
use store::sessions::{self, HalfSignIn};
use store::{args, second_factors};
use testkit::each_database;

const SEED: &[u8; 20] = b"canary canary canary";

/// Somebody besides the Owner.
async fn anna(house: &House) -> UserId {
    let id = UserId::new("anna");
    let mut tx = house.begin().await;
    let user = User { id: id.clone(), email: "anna@acme.example".into(), name: "Anna".into(), password_hash: None };
    assert!(members::insert_user(&mut tx, &user, NOW).await.unwrap());
    members::add(&mut tx, &house.organization_id, &id, Role::Member, NOW).await.unwrap();
    tx.commit().await.unwrap();
    id
}

// reliability.md 3.2, S-024 and S-025
#[tokio::test]
async fn a_seed_is_sealed_opens_for_its_person_only_and_each_of_its_steps_is_used_once() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (anna, olga) = (anna(&house).await, &house.user_id);
        let mut tx = house.begin().await;
        assert!(second_factors::begin(&house.store, &mut tx, olga, b"another one, 20 long", NOW).await.unwrap());
        assert!(second_factors::begin(&house.store, &mut tx, olga, SEED, NOW + 1).await.unwrap(), "what was never confirmed is replaced");
        assert!(!second_factors::use_step(&mut tx, olga, 7).await.unwrap(), "it counts once confirmed");
        let kept = second_factors::find(&house.store, &mut tx, olga).await.unwrap().unwrap();
        assert_eq!((kept.seed.as_slice(), kept.begun_at, kept.confirmed_at, kept.last_step), (SEED.as_slice(), NOW + 1, None, 0));
        assert_eq!(second_factors::confirmed_at(&mut tx, olga).await.unwrap(), None);
        assert!(second_factors::confirm(&mut tx, olga, 100, NOW + 2).await.unwrap());
        assert!(!second_factors::confirm(&mut tx, olga, 101, NOW + 3).await.unwrap(), "once");
        assert!(!second_factors::begin(&house.store, &mut tx, olga, b"a third one, 20 long", NOW).await.unwrap(), "a confirmed one stays");
        for (step, is_right) in [(99, false), (100, false), (101, true), (101, false), (100, false), (103, true), (102, false)] {
            assert_eq!(second_factors::use_step(&mut tx, olga, step).await.unwrap(), is_right, "{step}");
        }
        let kept = second_factors::find(&house.store, &mut tx, olga).await.unwrap().unwrap();
        assert_eq!((kept.seed.as_slice(), kept.confirmed_at, kept.last_step), (SEED.as_slice(), Some(NOW + 2), 103));
        assert!(second_factors::find(&house.store, &mut tx, &anna).await.unwrap().is_none());
        // as it lies there, and moved to somebody else
        let sealed = tx.query_one("SELECT seed FROM second_factors WHERE user_id = $1", args![olga]).await.unwrap().bytes(0).unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"canary"), "the seed lies there in clear");
        tx.execute("INSERT INTO second_factors (user_id, seed, begun_at, last_step) VALUES ($1, $2, 0, 0)", args![&anna, sealed]).await.unwrap();
        let moved = second_factors::find(&house.store, &mut tx, &anna).await.err().expect("it opens where it belongs only");
        assert!(moved.to_string().contains("second_factors.seed"), "{moved}");
        assert!(second_factors::delete(&mut tx, olga).await.unwrap());
        assert!(!second_factors::delete(&mut tx, olga).await.unwrap());
        assert_eq!(second_factors::confirmed_at(&mut tx, olga).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_works_once_for_its_person_and_is_kept_as_a_hash() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (anna, olga) = (anna(&house).await, &house.user_id);
        let codes: Vec<String> = (0..10).map(|at| format!("canary{at}canary{at}xx")).collect();
        let mut tx = house.begin().await;
        second_factors::replace_codes(&house.store, &mut tx, olga, &codes).await.unwrap();
        second_factors::replace_codes(&house.store, &mut tx, &anna, &codes[..1]).await.unwrap();
        assert_eq!(second_factors::count_codes(&mut tx, olga).await.unwrap(), 10);
        let mut hashes = std::collections::BTreeSet::new();
        for row in tx.query("SELECT code_hash FROM recovery_codes", Vec::new()).await.unwrap() {
            let hash = row.text(0).unwrap();
            assert!(!hash.contains("canary") && hash.len() == 64, "{hash}");
            assert!(hashes.insert(hash), "the same code of two people is two hashes");
        }
        assert_eq!(hashes.len(), 11);
        let mut use_code = async |user_id: &UserId, code: &str| second_factors::use_code(&house.store, &mut tx, user_id, code, NOW).await.unwrap();
        assert!(use_code(olga, &codes[0]).await);
        assert!(!use_code(olga, &codes[0]).await, "once");
        assert!(!use_code(&anna, &codes[1]).await, "of somebody else");
        assert!(!use_code(olga, "none").await);
        assert!(use_code(&anna, &codes[0]).await, "hers was not used by him");
        assert_eq!(second_factors::count_codes(&mut tx, olga).await.unwrap(), 9);
        second_factors::replace_codes(&house.store, &mut tx, olga, &["fresh".to_owned()]).await.unwrap();
        assert!(!second_factors::use_code(&house.store, &mut tx, olga, &codes[2], NOW).await.unwrap(), "new ones end the old ones");
        assert_eq!(second_factors::count_codes(&mut tx, olga).await.unwrap(), 1);
        second_factors::delete(&mut tx, olga).await.unwrap();
        assert_eq!(second_factors::count_codes(&mut tx, olga).await.unwrap(), 0);
        assert_eq!(second_factors::count_codes(&mut tx, &anna).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_that_waits_for_its_code_ends_once_in_time_or_with_the_password() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let half = HalfSignIn { user_id: house.user_id.clone(), organization_id: house.organization_id.clone(), leads_to: "/companies".into() };
        let mut tx = house.begin().await;
        for token in ["one", "two", "three"] {
            sessions::insert_half(&mut tx, token, &half, NOW, NOW + MINUTE).await.unwrap();
        }
        assert_eq!(sessions::find_half(&mut tx, "one", NOW + MINUTE - 1).await.unwrap().as_ref(), Some(&half));
        assert_eq!(sessions::find_half(&mut tx, "one", NOW + MINUTE).await.unwrap(), None, "its time is over");
        assert_eq!(sessions::find_half(&mut tx, "none", NOW).await.unwrap(), None);
        assert!(sessions::delete_half(&mut tx, "one").await.unwrap());
        assert!(!sessions::delete_half(&mut tx, "one").await.unwrap(), "once");
        let kept: Vec<String> =
            tx.query("SELECT token_hash FROM half_sign_ins", Vec::new()).await.unwrap().iter().map(|row| row.text(0).unwrap()).collect();
        assert!(kept.len() == 2 && kept.iter().all(|hash| hash.len() == 64), "only hashes are kept: {kept:?}");
        sessions::delete_others(&mut tx, &house.user_id, "none").await.unwrap();
        assert_eq!(sessions::find_half(&mut tx, "two", NOW).await.unwrap(), None, "the password is a new one");
        sessions::insert_half(&mut tx, "four", &half, NOW, NOW + MINUTE).await.unwrap();
        sessions::delete_all_of(&mut tx, &house.user_id).await.unwrap();
        assert_eq!(sessions::find_half(&mut tx, "four", NOW).await.unwrap(), None);
        // what nobody finished is cleared away with the next one
        sessions::insert_half(&mut tx, "old", &half, NOW, NOW + MINUTE).await.unwrap();
        sessions::insert_half(&mut tx, "new", &half, NOW + 2 * MINUTE, NOW + 3 * MINUTE).await.unwrap();
        assert_eq!(tx.query_one("SELECT COUNT(*) FROM half_sign_ins", Vec::new()).await.unwrap().int(0).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_person_sees_and_ends_their_own_sessions_in_every_organization_and_nobody_elses() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (anna, other) = (anna(&house).await, house.organization("Zebra").await);
        let olga = &house.user_id;
        let mut tx = house.begin().await;
        members::add(&mut tx, &other, olga, Role::Member, NOW).await.unwrap();
        for (token, user_id, organization_id, at) in
            [("desk", olga, &house.organization_id, NOW), ("phone", olga, &other, NOW + 1), ("hers", &anna, &house.organization_id, NOW)]
        {
            sessions::insert(&mut tx, token, user_id, organization_id, at, at + MINUTE).await.unwrap();
        }
        sessions::describe(&mut tx, "phone", Some("Phone/1"), NOW - 5).await.unwrap();
        let open = sessions::list_of(&mut tx, olga, NOW + 2).await.unwrap();
        let seen: Vec<_> =
            open.iter().map(|open| (open.organization_name.as_str(), open.user_agent.as_deref(), open.proven_at, open.seen_at)).collect();
        assert_eq!(seen, [("Zebra", Some("Phone/1"), NOW - 5, NOW + 1), ("Acme", None, NOW, NOW)], "the one used last comes first");
        assert_eq!(sessions::list_of(&mut tx, olga, NOW + MINUTE).await.unwrap().len(), 1, "the other one has expired");
        assert_eq!(sessions::find(&mut tx, "phone", NOW).await.unwrap().unwrap().proven_at, NOW - 5);
        assert_eq!(sessions::delete_one(&mut tx, &anna, &open[0].token_hash).await.unwrap(), None, "his is none of hers");
        assert_eq!(sessions::delete_one(&mut tx, olga, &open[0].token_hash).await.unwrap(), Some(other.clone()));
        assert_eq!(sessions::delete_one(&mut tx, olga, &open[0].token_hash).await.unwrap(), None, "it has ended");
        sessions::insert(&mut tx, "phone", olga, &other, NOW, NOW + MINUTE).await.unwrap();
        assert_eq!(sessions::delete_others(&mut tx, olga, &open[1].token_hash).await.unwrap(), [other]);
        let left: Vec<_> = sessions::list_of(&mut tx, olga, NOW).await.unwrap().into_iter().map(|open| open.token_hash).collect();
        assert_eq!(left, [open[1].token_hash.clone()]);
        assert_eq!(sessions::list_of(&mut tx, &anna, NOW).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_knows_whether_its_organization_asks_for_a_second_factor_that_is_not_there() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.organization("Zebra").await;
        let olga = &house.user_id;
        let mut tx = house.begin().await;
        members::add(&mut tx, &other, olga, Role::Member, NOW).await.unwrap();
        sessions::insert(&mut tx, "here", olga, &house.organization_id, NOW, NOW + MINUTE).await.unwrap();
        sessions::insert(&mut tx, "there", olga, &other, NOW, NOW + MINUTE).await.unwrap();
        let mut steps = Vec::new();
        for step in ["nothing", "required", "begun", "confirmed", "taken away", "no longer"] {
            match step {
                "required" => second_factors::set_required(&mut tx, &house.organization_id, true).await.unwrap(),
                "begun" => assert!(second_factors::begin(&house.store, &mut tx, olga, SEED, NOW).await.unwrap()),
                "confirmed" => assert!(second_factors::confirm(&mut tx, olga, 1, NOW).await.unwrap()),
                "taken away" => assert!(second_factors::delete(&mut tx, olga).await.unwrap()),
                "no longer" => second_factors::set_required(&mut tx, &house.organization_id, false).await.unwrap(),
                _ => {}
            }
            let here = sessions::find(&mut tx, "here", NOW).await.unwrap().unwrap().needs_second_factor;
            let there = sessions::find(&mut tx, "there", NOW).await.unwrap().unwrap().needs_second_factor;
            let listed = members::list(&mut tx, &house.organization_id).await.unwrap().iter().any(|member| member.has_second_factor);
            let required = second_factors::is_required(&mut tx, &house.organization_id).await.unwrap();
            steps.push((step, here, there, listed, required));
        }
        assert_eq!(
            steps,
            [
                ("nothing", false, false, false, false),
                ("required", true, false, false, true),
                ("begun", true, false, false, true),
                ("confirmed", false, false, true, true),
                ("taken away", true, false, false, true),
                ("no longer", false, false, false, false),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn of_the_addresses_a_person_asked_for_the_latest_counts_for_a_while_and_one_that_is_taken_is_refused() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (anna, olga) = (anna(&house).await, &house.user_id);
        let change = |email: &str| EmailChange { user_id: olga.clone(), email: email.into() };
        let mut tx = house.begin().await;
        email_changes::put(&mut tx, "first", &change("one@acme.example"), NOW + MINUTE).await.unwrap();
        email_changes::put(&mut tx, "second", &change("two@acme.example"), NOW + 2 * MINUTE).await.unwrap();
        assert_eq!(email_changes::find(&mut tx, "first", NOW).await.unwrap(), None);
        assert_eq!(email_changes::find(&mut tx, "second", NOW).await.unwrap(), Some(change("two@acme.example")));
        assert_eq!(email_changes::find(&mut tx, "second", NOW + 2 * MINUTE).await.unwrap(), None, "its time is over");
        assert_eq!(email_changes::find_of(&mut tx, olga, NOW).await.unwrap().as_deref(), Some("two@acme.example"));
        assert_eq!(email_changes::find_of(&mut tx, olga, NOW + 2 * MINUTE).await.unwrap(), None);
        assert_eq!(email_changes::find_of(&mut tx, &anna, NOW).await.unwrap(), None);
        assert!(email_changes::delete_of(&mut tx, olga).await.unwrap());
        assert!(!email_changes::delete_of(&mut tx, olga).await.unwrap());
        assert!(members::set_email(&mut tx, olga, "Olga@New.example").await.unwrap());
        assert!(members::set_email(&mut tx, olga, "olga@new.example").await.unwrap(), "one's own is no obstacle");
        assert!(!members::set_email(&mut tx, &anna, "OLGA@new.example").await.unwrap());
        assert_eq!(members::find_user(&mut tx, olga).await.unwrap().unwrap().email, "olga@new.example");
        assert_eq!(members::find_user(&mut tx, &anna).await.unwrap().unwrap().email, "anna@acme.example");
        members::set_name(&mut tx, olga, "Olga New").await.unwrap();
        assert_eq!(members::find_user(&mut tx, olga).await.unwrap().unwrap().name, "Olga New");
    })
    .await;
}
