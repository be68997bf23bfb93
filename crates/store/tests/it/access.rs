//! People: members and their roles, sessions, one-time links.
use crate::house::{House, MINUTE, NOW};
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use store::invitations::{self, Ending, NewInvitation};
use store::members::{self, User};
use store::outbox::{self, NewDelivery, Outcome};
use store::readers::{self, Reader};
use store::tenancy::{self, Thing};
use store::{args, sessions};
use testkit::each_database;

fn user(id: &str, email: &str) -> User {
    User { id: UserId::new(id), email: email.into(), name: format!("Name of {id}"), password_hash: Some("$argon2id$made-up".into()) }
}

#[tokio::test]
async fn an_address_belongs_to_one_person_whatever_its_case() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx = house.begin().await;
        assert!(members::insert_user(&mut tx, &user("u2", "Anna@Acme.example"), NOW).await.unwrap());
        assert!(!members::insert_user(&mut tx, &user("u3", "anna@acme.EXAMPLE"), NOW).await.unwrap());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let found = members::find_user_by_email(&mut conn, "  ANNA@acme.example ").await.unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.email.as_str()), ("u2", "anna@acme.example"));
        assert_eq!(found.password_hash.as_deref(), Some("$argon2id$made-up"));
        assert_eq!(members::find_user(&mut conn, &UserId::new("u2")).await.unwrap().unwrap().name, "Name of u2");
        assert!(members::find_user(&mut conn, &UserId::new("u3")).await.unwrap().is_none());
        assert!(members::find_user(&mut conn, &house.user_id).await.unwrap().unwrap().password_hash.is_none());
        assert_eq!(members::count_users(&mut conn).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_member_has_one_role_in_each_organization() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.organization("Zebra").await;
        let mut tx = house.begin().await;
        members::insert_user(&mut tx, &user("u2", "anna@acme.example"), NOW).await.unwrap();
        let anna = UserId::new("u2");
        members::add(&mut tx, &house.organization_id, &anna, Role::Member, NOW).await.unwrap();
        members::add(&mut tx, &house.organization_id, &anna, Role::Admin, NOW).await.unwrap();
        members::add(&mut tx, &other, &anna, Role::Member, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        assert_eq!(members::role_of(&mut conn, &house.organization_id, &anna).await.unwrap(), Some(Role::Admin));
        assert_eq!(members::role_of(&mut conn, &other, &house.user_id).await.unwrap(), None);
        let organizations = members::list_organizations(&mut conn, &anna).await.unwrap();
        assert_eq!(organizations, [(house.organization_id.clone(), "Acme".into(), Role::Admin), (other.clone(), "Zebra".into(), Role::Member)]);
        let names = members::list_names(&mut conn, &house.organization_id).await.unwrap();
        assert_eq!(names, [(anna, "Name of u2".to_owned()), (house.user_id.clone(), "Olga Owner".to_owned())]);
        assert_eq!(members::organization_name(&mut conn, &other).await.unwrap().as_deref(), Some("Zebra"));
        assert_eq!(members::organization_name(&mut conn, &OrganizationId::new("none")).await.unwrap(), None);
        assert_eq!(members::first_organization(&mut conn).await.unwrap(), Some(house.organization_id.clone()));
    })
    .await;
}

#[tokio::test]
async fn a_role_is_read_with_every_request_and_whoever_is_no_member_has_no_session() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx = house.begin().await;
        sessions::insert(&mut tx, "plain-token", &house.user_id, &house.organization_id, NOW, NOW + MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        let session = sessions::find(&mut house.read().await, "plain-token", NOW).await.unwrap().unwrap();
        assert_eq!((session.role, session.user_name.as_str(), session.organization_name.as_str()), (Role::Owner, "Olga Owner", "Acme"));
        assert_eq!((session.email.as_str(), session.seen_at, session.expires_at), ("owner@acme.example", NOW, NOW + MINUTE));
        assert!(!session.token_hash.contains("plain"), "only a hash is kept");
        let roles = async |now_ms| sessions::list_roles(&mut house.read().await, &house.organization_id, now_ms).await.unwrap();
        assert_eq!(roles(NOW).await.into_iter().collect::<Vec<_>>(), [(session.token_hash.clone(), Role::Owner)]);
        assert!(roles(NOW + MINUTE).await.is_empty(), "it has expired by then");
        let mut tx = house.begin().await;
        members::add(&mut tx, &house.organization_id, &house.user_id, Role::Member, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(sessions::find(&mut house.read().await, "plain-token", NOW).await.unwrap().unwrap().role, Role::Member);
        assert_eq!(roles(NOW).await[&session.token_hash], Role::Member);
        let mut tx = house.begin().await;
        tx.execute("DELETE FROM members", args![]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(sessions::find(&mut house.read().await, "plain-token", NOW).await.unwrap().is_none());
        assert!(roles(NOW).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_at_its_time_unless_it_was_touched_and_at_once_when_deleted() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx = house.begin().await;
        for token in ["one", "two"] {
            sessions::insert(&mut tx, token, &house.user_id, &house.organization_id, NOW, NOW + MINUTE).await.unwrap();
        }
        let session = sessions::find(&mut tx, "one", NOW).await.unwrap().unwrap();
        sessions::touch(&mut tx, &session, NOW + 30_000, NOW + 2 * MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        assert!(sessions::find(&mut conn, "two", NOW + MINUTE - 1).await.unwrap().is_some());
        assert!(sessions::find(&mut conn, "two", NOW + MINUTE).await.unwrap().is_none());
        let touched = sessions::find(&mut conn, "one", NOW + MINUTE).await.unwrap().unwrap();
        assert_eq!((touched.seen_at, touched.expires_at), (NOW + 30_000, NOW + 2 * MINUTE));
        drop(conn);
        let mut tx = house.begin().await;
        sessions::delete(&mut tx, "one").await.unwrap();
        // a new session sweeps those that ended
        sessions::insert(&mut tx, "three", &house.user_id, &house.organization_id, NOW + MINUTE + 1, NOW + 9 * MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        assert!(sessions::find(&mut conn, "one", NOW + MINUTE).await.unwrap().is_none());
        assert_eq!(conn.query_one("SELECT COUNT(*) FROM sessions", args![]).await.unwrap().int(0).unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_for_its_purpose_until_its_time() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx = house.begin().await;
        sessions::insert_link(&mut tx, "setup", "setup", None, NOW, NOW + MINUTE).await.unwrap();
        sessions::insert_link(&mut tx, "sign in", "sign_in", Some(&house.user_id), NOW, NOW + MINUTE).await.unwrap();
        assert!(sessions::take_link(&mut tx, "sign in", "setup", NOW).await.unwrap().is_none(), "another purpose");
        assert!(sessions::take_link(&mut tx, "sign in", "sign_in", NOW + MINUTE).await.unwrap().is_none(), "too late");
        assert!(sessions::take_link(&mut tx, "unknown", "sign_in", NOW).await.unwrap().is_none());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        for _ in 0..2 {
            let found = sessions::find_link(&mut conn, "sign in", "sign_in", NOW).await.unwrap();
            assert_eq!(found, Some(Some(house.user_id.clone())), "looking does not use it up");
        }
        assert_eq!(sessions::find_link(&mut conn, "setup", "setup", NOW).await.unwrap(), Some(None));
        assert_eq!(sessions::find_link(&mut conn, "setup", "setup", NOW + MINUTE).await.unwrap(), None);
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let store = house.store.clone();
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let taken = sessions::take_link(&mut tx, "sign in", "sign_in", NOW + 1).await.unwrap();
                    tx.commit().await.unwrap();
                    taken
                })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap());
        }
        assert_eq!(taken, [Some(house.user_id.clone())]);
        assert_eq!(sessions::find_link(&mut conn, "sign in", "sign_in", NOW).await.unwrap(), None);
    })
    .await;
}

// proves H2 in part
#[tokio::test]
async fn a_member_reads_assigned_companies_only_and_an_assignment_stays_in_its_organization() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.organization("Zebra").await;
        let (first, second) = (house.company("c1").await, house.company("c2").await);
        let foreign = house.company_of(&other, "c3").await;
        let anna = UserId::new("u2");
        let mut tx = house.begin().await;
        members::insert_user(&mut tx, &user("u2", "anna@acme.example"), NOW).await.unwrap();
        assert!(!readers::add(&mut tx, &house.organization_id, &anna, &first, NOW).await.unwrap(), "she is no member yet");
        members::add(&mut tx, &house.organization_id, &anna, Role::Member, NOW).await.unwrap();
        assert!(readers::add(&mut tx, &house.organization_id, &anna, &first, NOW).await.unwrap());
        assert!(!readers::add(&mut tx, &house.organization_id, &anna, &first, NOW).await.unwrap(), "once");
        for organization_id in [&house.organization_id, &other] {
            assert!(!readers::add(&mut tx, organization_id, &anna, &foreign, NOW).await.unwrap(), "a company of another organization");
        }
        tx.commit().await.unwrap();

        let reader = Reader::of(Role::Member, &anna);
        assert_eq!(Reader::of(Role::Admin, &anna), Reader::Everything);
        let mut conn = house.read().await;
        for (reader, seen) in [(&reader, vec![first.clone()]), (&Reader::Everything, vec![first.clone(), second.clone()])] {
            let named = store::companies::list_names(&mut conn, &house.organization_id, reader).await.unwrap();
            assert_eq!(named.into_iter().map(|company| company.id).collect::<Vec<_>>(), seen);
            let found = store::companies::search(&mut conn, &house.organization_id, reader, &[], 10).await.unwrap();
            assert_eq!(found.into_iter().map(|company| company.id).collect::<Vec<_>>(), seen);
            let counts = store::feed::count(&mut conn, &house.organization_id, &store::feed::Filter::read_by(reader), NOW).await.unwrap();
            assert_eq!(counts.total, seen.len() as i64);
        }
        assert_eq!(readers::list_all(&mut conn, &house.organization_id).await.unwrap(), [(anna.clone(), first.clone())].into());
        drop(conn);

        house.request("r1", &first).await;
        house.request("r2", &second).await;
        let mut conn = house.read().await;
        for (thing, id, mine, all) in [
            (Thing::Company, "c1", true, true),
            (Thing::Company, "c2", false, true),
            (Thing::Company, "c3", false, false),
            (Thing::Run, "r1", true, true),
            (Thing::Run, "r2", false, true),
            (Thing::Connection, "connection", false, true),
            (Thing::Member, "u2", false, true),
            (Thing::Member, "nobody", false, false),
            (Thing::Invitation, "none", false, false),
            (Thing::LogEntry, "1", false, false),
            (Thing::Incident, "1", false, false),
            (Thing::LogEntry, "' OR 1=1--", false, false),
        ] {
            let reached =
                async |conn: &mut store::Conn, reader: &Reader| tenancy::is_reachable(conn, &house.organization_id, reader, thing, id).await.unwrap();
            assert_eq!((reached(&mut conn, &reader).await, reached(&mut conn, &Reader::Everything).await), (mine, all), "{thing:?} {id}");
        }
        let frame = store::frame::read(&mut conn, &house.organization_id, &reader, NOW).await.unwrap();
        assert_eq!((frame.job_count, frame.jobs.len()), (1, 1));
        assert_eq!(frame.jobs[0].id, first);
        let pulse = store::frame::pulse(&mut conn, &house.organization_id, &reader).await.unwrap();
        drop(conn);

        let mut tx = house.begin().await;
        assert!(readers::remove(&mut tx, &house.organization_id, &anna, &first).await.unwrap());
        assert!(!readers::remove(&mut tx, &house.organization_id, &anna, &first).await.unwrap());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        assert!(readers::list(&mut conn, &house.organization_id, &anna).await.unwrap().is_empty());
        assert_ne!(pulse, store::frame::pulse(&mut conn, &house.organization_id, &reader).await.unwrap(), "open pages look again");
    })
    .await;
}

#[tokio::test]
async fn members_are_listed_changed_and_removed_with_all_that_is_theirs() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.organization("Zebra").await;
        let company = house.company("c1").await;
        let anna = UserId::new("u2");
        let mut tx = house.begin().await;
        members::insert_user(&mut tx, &user("u2", "anna@acme.example"), NOW).await.unwrap();
        for organization_id in [&house.organization_id, &other] {
            members::add(&mut tx, organization_id, &anna, Role::Member, NOW).await.unwrap();
        }
        readers::add(&mut tx, &house.organization_id, &anna, &company, NOW).await.unwrap();
        sessions::insert(&mut tx, "here", &anna, &house.organization_id, NOW + 1, NOW + MINUTE).await.unwrap();
        sessions::insert(&mut tx, "there", &anna, &other, NOW + 2, NOW + MINUTE).await.unwrap();
        assert!(members::lock(&mut tx, &house.organization_id).await.unwrap());
        assert!(!members::lock(&mut tx, &OrganizationId::new("none")).await.unwrap());
        assert_eq!(members::count_owners(&mut tx, &house.organization_id).await.unwrap(), 1);
        assert!(members::set_role(&mut tx, &house.organization_id, &anna, Role::Admin).await.unwrap());
        assert!(!members::set_role(&mut tx, &house.organization_id, &UserId::new("nobody"), Role::Admin).await.unwrap());
        members::rename_organization(&mut tx, &other, "Yak").await.unwrap();
        members::set_password(&mut tx, &anna, "hash").await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let listed = members::list(&mut conn, &house.organization_id).await.unwrap();
        let found: Vec<_> = listed.iter().map(|member| (member.user_id.as_str(), member.role, member.seen_at, member.organizations)).collect();
        assert_eq!(found, [("u2", Role::Admin, Some(NOW + 1), 2), ("owner", Role::Owner, None, 1)]);
        assert_eq!(members::find_latest_organization(&mut conn, &anna).await.unwrap(), Some(other.clone()), "where she was last");
        assert_eq!(members::organization_name(&mut conn, &other).await.unwrap().as_deref(), Some("Yak"));
        assert_eq!(members::find_user(&mut conn, &anna).await.unwrap().unwrap().password_hash.as_deref(), Some("hash"));
        assert_eq!(store::companies::list_powered_by(&mut conn, &house.organization_id, &house.user_id).await.unwrap().len(), 0, "not linked yet");
        drop(conn);

        let mut tx = house.begin().await;
        store::companies::link(&mut tx, &company, NOW).await.unwrap();
        assert!(members::remove(&mut tx, &house.organization_id, &anna).await.unwrap());
        assert!(!members::remove(&mut tx, &house.organization_id, &anna).await.unwrap());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        assert!(sessions::find(&mut conn, "here", NOW + 3).await.unwrap().is_none());
        assert!(sessions::find(&mut conn, "there", NOW + 3).await.unwrap().is_some(), "elsewhere she stays");
        assert!(readers::list(&mut conn, &house.organization_id, &anna).await.unwrap().is_empty());
        let powered = store::companies::list_powered_by(&mut conn, &house.organization_id, &house.user_id).await.unwrap();
        assert_eq!(powered.iter().map(|company| company.id.as_str()).collect::<Vec<_>>(), ["c1"]);
        drop(conn);
        let mut tx = house.begin().await;
        sessions::insert_link(&mut tx, "link", "password", Some(&anna), NOW, NOW + MINUTE).await.unwrap();
        sessions::void_links(&mut tx, "password", &anna, NOW).await.unwrap();
        assert!(sessions::take_link(&mut tx, "link", "password", NOW).await.unwrap().is_none());
        sessions::delete_all_of(&mut tx, &anna).await.unwrap();
        assert!(sessions::find(&mut tx, "there", NOW + 3).await.unwrap().is_none());
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_address_has_one_open_invitation_and_each_ends_once() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let companies = [house.company("c1").await];
        let new = |id: &'static str, token: &'static str| NewInvitation {
            id,
            organization_id: &house.organization_id,
            email: "anna@acme.example",
            role: Role::Member,
            company_ids: &companies,
            token,
            invited_by: &house.user_id,
            now_ms: NOW,
            expires_at: NOW + MINUTE,
        };
        let mut tx = house.begin().await;
        assert!(invitations::insert(&house.store, &mut tx, &new("i1", "first")).await.unwrap());
        assert!(!invitations::insert(&house.store, &mut tx, &new("i2", "second")).await.unwrap(), "one open one");
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let found = invitations::find_by_token(&mut conn, "first").await.unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.organization_name.as_str(), found.invited_by.as_str()), ("i1", "Acme", "Olga Owner"));
        assert_eq!((found.company_ids.as_slice(), found.token(&house.store).unwrap().as_str()), (companies.as_slice(), "first"));
        assert!(found.is_valid(NOW + MINUTE - 1) && !found.is_valid(NOW + MINUTE) && found.is_open());
        assert!(invitations::find(&mut conn, &OrganizationId::new("other"), "i1").await.unwrap().is_none());
        assert!(tenancy::is_reachable(&mut conn, &house.organization_id, &Reader::Everything, Thing::Invitation, "i1").await.unwrap());
        drop(conn);
        let mut tx = house.begin().await;
        assert!(!invitations::end(&mut tx, "i1", Ending::Accepted, NOW + MINUTE).await.unwrap(), "its time is over");
        assert!(invitations::renew(&mut tx, "i1", NOW + MINUTE, NOW + 2 * MINUTE).await.unwrap());
        assert!(invitations::end(&mut tx, "i1", Ending::Accepted, NOW + MINUTE).await.unwrap());
        for ending in [Ending::Accepted, Ending::Declined, Ending::Cancelled] {
            assert!(!invitations::end(&mut tx, "i1", ending, NOW + MINUTE).await.unwrap(), "{ending:?} after it ended");
        }
        assert!(!invitations::renew(&mut tx, "i1", NOW, NOW + MINUTE).await.unwrap());
        assert!(invitations::insert(&house.store, &mut tx, &new("i2", "second")).await.unwrap(), "another one after it");
        assert!(invitations::end(&mut tx, "i2", Ending::Cancelled, NOW + 9 * MINUTE).await.unwrap(), "an expired one too");
        tx.commit().await.unwrap();
        assert!(invitations::list_open(&mut house.read().await, &house.organization_id).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_outbox_keeps_bodies_sealed_and_lets_one_worker_have_each() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let new = |id: &str, key: Option<&'static str>| NewDelivery {
            id: id.to_owned(),
            organization_id: Some(&house.organization_id),
            kind: DeliveryKind::Mail,
            recipient: "anna@acme.example",
            subject: "Hello",
            body: "a secret link",
            dedupe_key: key,
            now_ms: NOW,
        };
        let mut tx = house.begin().await;
        assert!(outbox::put(&house.store, &mut tx, &new("d1", Some("incident:1"))).await.unwrap());
        assert!(!outbox::put(&house.store, &mut tx, &new("d2", Some("incident:1"))).await.unwrap());
        assert!(outbox::put(&house.store, &mut tx, &new("d3", None)).await.unwrap());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let raw = conn.query("SELECT body FROM deliveries ORDER BY id", vec![]).await.unwrap();
        assert!(raw.iter().all(|row| !String::from_utf8_lossy(&row.bytes(0).unwrap()).contains("secret")));
        assert!(outbox::has_due(&mut conn, NOW).await.unwrap() && !outbox::has_due(&mut conn, NOW - 1).await.unwrap());
        drop(conn);
        let mut tx = house.begin().await;
        let first = outbox::claim(&house.store, &mut tx, NOW, MINUTE, 1).await.unwrap();
        let second = outbox::claim(&house.store, &mut tx, NOW, MINUTE, 10).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((first.len(), second.len(), first[0].body.as_str()), (1, 1, "a secret link"));
        assert!(!outbox::has_due(&mut house.read().await, NOW).await.unwrap());
        let mut tx = house.begin().await;
        assert!(outbox::settle(&mut tx, &first[0], &Outcome::Sent, NOW + 1).await.unwrap());
        let again = Outcome::Again { run_after: NOW + MINUTE, error: "busy" };
        assert!(outbox::settle(&mut tx, &second[0], &again, NOW + 1).await.unwrap());
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let told = outbox::find_by_key(&mut conn, "incident:1", "anna@acme.example").await.unwrap().unwrap();
        assert_eq!((told.state, told.finished_at), (DeliveryState::Sent, Some(NOW + 1)));
        assert!(outbox::find_by_key(&mut conn, "incident:2", "anna@acme.example").await.unwrap().is_none());
        let listed = outbox::list(&mut conn, &house.organization_id, 10).await.unwrap();
        assert_eq!(listed.iter().map(|delivery| delivery.last_error.as_deref()).collect::<Vec<_>>(), [Some("busy"), None]);
        assert!(outbox::has_due(&mut conn, NOW + MINUTE).await.unwrap());
    })
    .await;
}
