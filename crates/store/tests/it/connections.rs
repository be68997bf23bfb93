//! Connections: one for each identity, one refresh at a time, and no token in clear.
use crate::house::{House, MINUTE, NOW, tokens};
use domain::connection::ConnectionState;
use domain::ids::{ConnectionId, OrganizationId};
use store::connections::{self, Connection, Reach};
use store::{args, companies, inventory};
use testkit::each_database;

async fn find(house: &House) -> Connection {
    connections::find(&mut house.read().await, &house.organization_id, &house.connection_id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_callbacks_at_once_for_one_identity_one_makes_the_connection_and_the_others_learn_its_id() {
    each_database(|url| async move {
        let house = std::sync::Arc::new(House::build(&url).await);
        let tasks: Vec<_> = (0..10)
            .map(|at| {
                let house = house.clone();
                tokio::spawn(async move {
                    let mut tx = house.begin().await;
                    let made = house.connect(&mut tx, &format!("new{at}"), "another identity", &tokens("new")).await;
                    tx.commit().await.unwrap();
                    made.map(|()| ConnectionId::new(format!("new{at}")))
                })
            })
            .collect();
        let (mut made, mut refused) = (Vec::new(), Vec::new());
        for task in tasks {
            match task.await.unwrap() {
                Ok(id) => made.push(id),
                Err(existing) => refused.push(existing),
            }
        }
        assert_eq!(made.len(), 1);
        assert_eq!(refused.len(), 9);
        assert!(refused.iter().all(|existing| *existing == made[0]));
        let mut conn = house.read().await;
        assert_eq!(connections::list(&mut conn, &house.organization_id).await.unwrap().len(), 2);
        assert!(connections::has_identity(&house.store, &mut conn, &made[0], "another identity").await.unwrap());
        assert!(!connections::has_identity(&house.store, &mut conn, &made[0], "identity").await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_tasks_on_two_nodes_one_gets_the_right_to_refresh() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.another_node().await;
        let tasks: Vec<_> = (0..20)
            .map(|at| {
                let store = if at % 2 == 0 { house.store.clone() } else { other.clone() };
                let id = house.connection_id.clone();
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let right = connections::take_refresh(&store, &mut tx, &id, 1, &format!("task {at}"), NOW, NOW + MINUTE).await.unwrap();
                    tx.commit().await.unwrap();
                    right.map(|right| (right.refresh, right.previous, right.generation))
                })
            })
            .collect();
        let mut rights = Vec::new();
        for task in tasks {
            rights.extend(task.await.unwrap());
        }
        assert_eq!(rights, [("refresh-first".to_owned(), None, 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_renewed_pair_is_stored_once_and_an_older_generation_is_refused() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, id) = (&house.store, &house.connection_id);
        let mut tx = house.begin().await;
        assert!(connections::take_refresh(store, &mut tx, id, 1, "stopped", NOW, NOW + MINUTE).await.unwrap().is_some());
        // the right of a node that was stopped ends; another takes it
        assert!(connections::take_refresh(store, &mut tx, id, 1, "heir", NOW + MINUTE, NOW + 2 * MINUTE).await.unwrap().is_none());
        let right = connections::take_refresh(store, &mut tx, id, 1, "heir", NOW + MINUTE + 1, NOW + 2 * MINUTE).await.unwrap().unwrap();
        assert_eq!(right.generation, 1);
        assert!(!connections::store_refreshed(store, &mut tx, id, 1, "stopped", &tokens("stale"), None, NOW + 2).await.unwrap());
        assert!(connections::store_refreshed(store, &mut tx, id, 1, "heir", &tokens("second"), None, NOW + 3).await.unwrap());
        assert!(!connections::store_refreshed(store, &mut tx, id, 1, "heir", &tokens("twice"), None, NOW + 4).await.unwrap());
        // the pair of generation 1 is no longer what is stored
        assert!(connections::take_refresh(store, &mut tx, id, 1, "late", NOW + 9 * MINUTE, NOW + 10 * MINUTE).await.unwrap().is_none());
        let right = connections::take_refresh(store, &mut tx, id, 2, "next", NOW + 5, NOW + MINUTE).await.unwrap().unwrap();
        assert_eq!((right.refresh.as_str(), right.previous, right.generation), ("refresh-second", Some(("refresh-first".to_owned(), NOW + 3)), 2));
        // given back, it can be taken again; only by its owner
        connections::release_refresh(&mut tx, id, "somebody else").await.unwrap();
        assert!(connections::take_refresh(store, &mut tx, id, 2, "waiting", NOW + 6, NOW + MINUTE).await.unwrap().is_none());
        connections::release_refresh(&mut tx, id, "next").await.unwrap();
        assert!(connections::take_refresh(store, &mut tx, id, 2, "waiting", NOW + 6, NOW + MINUTE).await.unwrap().is_some());
        tx.commit().await.unwrap();
        let token = connections::access_token(store, &mut house.read().await, id).await.unwrap().unwrap();
        assert_eq!((token.token.as_str(), token.generation, token.state), ("access-second", 2, ConnectionState::Active));
        assert_eq!(token.expires_at, tokens("second").access_expires_at);
        assert_eq!(find(&house).await.rotated_at, NOW + 3);
        assert!(connections::access_token(store, &mut house.read().await, &ConnectionId::new("unknown")).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_refusal_of_an_older_pair_does_not_end_a_connection_that_has_a_newer_one() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (store, id) = (&house.store, &house.connection_id);
        let mut tx = house.begin().await;
        connections::store_tokens(store, &mut tx, id, &tokens("second"), Some("accounting openid"), NOW + 1).await.unwrap();
        assert!(!connections::mark_invalid(&mut tx, id, 1, NOW + 2).await.unwrap());
        assert!(connections::mark_invalid(&mut tx, id, 2, NOW + 3).await.unwrap());
        assert!(!connections::mark_invalid(&mut tx, id, 2, NOW + 4).await.unwrap(), "it is invalid already");
        assert!(connections::take_refresh(store, &mut tx, id, 2, "worker", NOW + 5, NOW + MINUTE).await.unwrap().is_none());
        tx.commit().await.unwrap();
        let connection = find(&house).await;
        assert_eq!((connection.state, connection.invalid_since), (ConnectionState::Invalid, Some(NOW + 3)));
        assert_eq!(connection.scope, "accounting openid");
        // the refused pair is still there, sealed
        assert_eq!(connections::refresh_token(store, &mut house.read().await, id).await.unwrap().as_deref(), Some("refresh-second"));
        let mut tx = house.begin().await;
        connections::store_tokens(store, &mut tx, id, &tokens("third"), None, NOW + 6).await.unwrap();
        tx.commit().await.unwrap();
        let connection = find(&house).await;
        assert_eq!((connection.state, connection.invalid_since, connection.token_generation), (ConnectionState::Active, None, 3));
        assert_eq!(connection.scope, "accounting openid", "a consent that names no scope leaves it");
    })
    .await;
}

#[tokio::test]
async fn no_column_of_a_connection_or_company_holds_a_token_or_an_id_of_the_provider_in_clear() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        house.company("c1").await;
        let mut tx = house.begin().await;
        connections::store_tokens(&house.store, &mut tx, &house.connection_id, &tokens("second"), None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let row =
            conn.query_one("SELECT access_token, refresh_token, previous_refresh_token, identity_hash FROM connections", args![]).await.unwrap();
        let company = conn.query_one("SELECT remote_id, remote_id_hash FROM companies", args![]).await.unwrap();
        let mut stored: Vec<Vec<u8>> = (0..3).map(|at| row.bytes(at).unwrap()).collect();
        stored.push(row.text(3).unwrap().into_bytes());
        stored.push(company.bytes(0).unwrap());
        stored.push(company.text(1).unwrap().into_bytes());
        for secret in ["access-", "refresh-", "identity", "realm-"] {
            for value in &stored {
                assert!(!value.windows(secret.len()).any(|part| part == secret.as_bytes()), "`{secret}` is readable");
            }
        }
        // nor does a whole SQLite database, with its write-ahead log
        if let Some(file) = url.strip_prefix("sqlite://") {
            let mut bytes = std::fs::read(file).unwrap();
            bytes.extend(std::fs::read(format!("{file}-wal")).unwrap());
            assert!(bytes.windows(18).any(|part| part == b"olga@acme.example".as_slice() || part.starts_with(b"olga@acme.example")));
            for secret in ["access-second", "refresh-second", "refresh-first", "access-first", "realm-c1"] {
                assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "`{secret}` is readable in the file");
            }
        }
        // S-025: a sealed value that is moved to another row does not open
        drop(conn);
        let mut tx = house.begin().await;
        assert_eq!(house.connect(&mut tx, "second", "another", &tokens("other")).await, Ok(()));
        tx.execute(
            "UPDATE connections SET refresh_token = (SELECT refresh_token FROM connections WHERE id = 'connection') WHERE id = 'second'",
            args![],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let moved = connections::refresh_token(&house.store, &mut house.read().await, &ConnectionId::new("second")).await.unwrap_err();
        assert_eq!(moved.to_string(), "a sealed value of connections.refresh_token does not open");
    })
    .await;
}

#[tokio::test]
async fn a_disconnected_account_leaves_the_list_and_can_be_connected_anew() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let id = &house.connection_id;
        let mut tx = house.begin().await;
        connections::finish_setup(&mut tx, id, NOW + 1).await.unwrap();
        connections::finish_setup(&mut tx, id, NOW + 2).await.unwrap();
        connections::disconnect(&mut tx, id, NOW + 3).await.unwrap();
        tx.commit().await.unwrap();
        let connection = find(&house).await;
        assert_eq!((connection.state, connection.disconnected_at), (ConnectionState::Disconnected, Some(NOW + 3)));
        assert_eq!(connection.setup_finished_at, Some(NOW + 1), "the first answer counts");
        assert!(connections::list(&mut house.read().await, &house.organization_id).await.unwrap().is_empty());
        let pending = "SELECT revocation_pending_at FROM connections WHERE id = 'connection'";
        assert_eq!(house.read().await.query_one(pending, args![]).await.unwrap().opt_int(0).unwrap(), Some(NOW + 3));
        let mut tx = house.begin().await;
        connections::revocation_confirmed(&house.store, &mut tx, id).await.unwrap();
        assert_eq!(house.connect(&mut tx, "again", "identity", &tokens("again")).await, Ok(()));
        tx.commit().await.unwrap();
        assert_eq!(house.read().await.query_one(pending, args![]).await.unwrap().opt_int(0).unwrap(), None);
        let elsewhere = OrganizationId::new("elsewhere");
        assert!(connections::find(&mut house.read().await, &elsewhere, id).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_connection_says_how_much_it_reaches_and_how_much_stops_with_it() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (first, _second) = (house.company("c1").await, house.company("c2").await);
        let mut tx = house.begin().await;
        assert_eq!(house.connect(&mut tx, "second", "another", &tokens("other")).await, Ok(()));
        let second = ConnectionId::new("second");
        let seen_again = companies::Found {
            id: domain::ids::CompanyId::new("never used"),
            organization_id: &house.organization_id,
            connection_id: &second,
            provider: "quickbooks",
            remote_id: "realm-c1",
            name: "c1",
            newly_granted: false,
            now_ms: NOW,
        };
        assert_eq!(companies::put_found(&house.store, &mut tx, &seen_again).await.unwrap(), first);
        assert!(companies::link(&mut tx, &first, NOW).await.unwrap());
        inventory::put(&mut tx, &first, domain::data_type::DataType::Invoice, 41, None, None, NOW).await.unwrap();
        inventory::put(&mut tx, &first, domain::data_type::DataType::Bill, 1, Some(1), None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let mut reach = connections::list_reach(&mut conn, &house.organization_id).await.unwrap();
        reach.sort_by(|a, b| a.connection_id.cmp(&b.connection_id));
        assert_eq!(
            reach,
            [
                Reach { connection_id: house.connection_id.clone(), companies: 2, linked: 1, used: 1 },
                Reach { connection_id: second.clone(), companies: 1, linked: 1, used: 0 },
            ]
        );
        assert_eq!(connections::count_companies(&mut conn, &house.organization_id).await.unwrap(), [("quickbooks".to_owned(), 2, 1)]);
        assert_eq!(connections::count_records(&mut conn, &house.connection_id).await.unwrap(), 42);
        assert_eq!(connections::count_records(&mut conn, &second).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_revocation_that_is_not_confirmed_is_taken_again_later_until_it_is() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let id = &house.connection_id;
        let mut tx = house.begin().await;
        assert_eq!(house.connect(&mut tx, "active", "another identity", &tokens("other")).await, Ok(()));
        connections::disconnect(&mut tx, id, NOW).await.unwrap();
        assert!(connections::take_pending_revocations(&mut tx, NOW - 1, NOW + 1).await.unwrap().is_empty(), "it was asked for just now");
        let taken = connections::take_pending_revocations(&mut tx, NOW, NOW + MINUTE).await.unwrap();
        assert_eq!(taken, [(id.clone(), house.organization_id.clone(), "quickbooks".to_owned())]);
        assert!(connections::take_pending_revocations(&mut tx, NOW, NOW + MINUTE).await.unwrap().is_empty(), "this try is noted");
        assert_eq!(connections::take_pending_revocations(&mut tx, NOW + MINUTE, NOW + 2 * MINUTE).await.unwrap().len(), 1);
        connections::revocation_confirmed(&house.store, &mut tx, id).await.unwrap();
        assert!(connections::take_pending_revocations(&mut tx, NOW + 99 * MINUTE, NOW + 99 * MINUTE).await.unwrap().is_empty());
        tx.commit().await.unwrap();
    })
    .await;
}
