//! States of authorizations under way: used once, by the browser that began.
use crate::house::{House, MINUTE, NOW};
use domain::ids::{ConnectionId, OrganizationId};
use store::oauth_states::{self, NewState, OauthResult};
use store::{Store, args};
use testkit::each_database;

async fn insert(house: &House, state: &str, connection_id: Option<&ConnectionId>) {
    let mut tx = house.begin().await;
    let new = NewState {
        state,
        organization_id: &house.organization_id,
        user_id: &house.user_id,
        session_hash: "session",
        link_hash: None,
        provider: "xero",
        connection_id,
        verifier: "plain-verifier",
        redirect_uri: "https://books.example/callback",
        now_ms: NOW,
        expires_at: NOW + 10 * MINUTE,
    };
    oauth_states::insert(&house.store, &mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn is_taken(store: &Store, state: &str, provider: &str, session_hash: &str, now_ms: i64) -> bool {
    let mut tx = store.begin().await.unwrap();
    let taken = oauth_states::take(store, &mut tx, state, provider, session_hash, now_ms).await.unwrap();
    tx.commit().await.unwrap();
    taken.is_some()
}

// proves H12 in part
#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_callbacks_at_once_one_uses_the_state() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        insert(&house, "state", None).await;
        let other = house.another_node().await;
        let tasks: Vec<_> = (0..20)
            .map(|at| {
                let store = if at % 2 == 0 { house.store.clone() } else { other.clone() };
                tokio::spawn(async move { is_taken(&store, "state", "xero", "session", NOW + 1).await })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            taken += u32::from(task.await.unwrap());
        }
        assert_eq!(taken, 1);
    })
    .await;
}

// proves H12 in part
#[tokio::test]
async fn a_state_of_another_session_or_provider_or_time_is_refused_and_stays_unused() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        insert(&house, "state", Some(&house.connection_id)).await;
        for (state, provider, session, now_ms) in [
            ("unknown", "xero", "session", NOW),
            ("state", "quickbooks", "session", NOW),
            ("state", "xero", "another session", NOW),
            ("state", "xero", "session", NOW + 10 * MINUTE),
        ] {
            assert!(!is_taken(&house.store, state, provider, session, now_ms).await, "{state} {provider} {session} {now_ms}");
        }
        let mut tx = house.begin().await;
        let used = oauth_states::take(&house.store, &mut tx, "state", "xero", "session", NOW + 10 * MINUTE - 1).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((used.organization_id, used.user_id), (house.organization_id.clone(), house.user_id.clone()));
        assert_eq!((used.provider.as_str(), used.connection_id), ("xero", Some(house.connection_id.clone())));
        assert_eq!((used.verifier.as_str(), used.redirect_uri.as_str()), ("plain-verifier", "https://books.example/callback"));
        assert!(!is_taken(&house.store, "state", "xero", "session", NOW + 1).await, "it is used up");
    })
    .await;
}

#[tokio::test]
async fn neither_state_nor_verifier_can_be_read_from_the_table_and_old_states_are_swept() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        insert(&house, "plain-state", None).await;
        let row = house.read().await.query_one("SELECT state_hash, verifier FROM oauth_states", args![]).await.unwrap();
        assert!(!row.text(0).unwrap().contains("plain"));
        assert!(!row.bytes(1).unwrap().windows(5).any(|part| part == b"plain"));
        let mut tx = house.begin().await;
        tx.execute("UPDATE oauth_states SET expires_at = $1", args![NOW - 86_400_001]).await.unwrap();
        tx.commit().await.unwrap();
        insert(&house, "next", None).await;
        assert_eq!(house.read().await.query_one("SELECT COUNT(*) FROM oauth_states", args![]).await.unwrap().int(0).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_reads_its_own_latest_result() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let result = |id: &str, at: i64| OauthResult {
            id: id.into(),
            provider: "xero".into(),
            outcome: "connected".into(),
            connection_id: Some(house.connection_id.clone()),
            detail: format!("detail of {id}"),
            facts: "{}".into(),
            created_at: at,
        };
        let mut tx = house.begin().await;
        for (session, id, at) in [("mine", "1", NOW), ("mine", "2", NOW + 1), ("yours", "3", NOW + 2)] {
            oauth_states::insert_result(&mut tx, session, &result(id, at)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let latest = oauth_states::latest_result(&mut conn, "mine").await.unwrap().unwrap();
        assert_eq!((latest.id.as_str(), latest.detail.as_str(), latest.outcome.as_str()), ("2", "detail of 2", "connected"));
        assert_eq!((latest.provider.as_str(), latest.connection_id, latest.created_at), ("xero", Some(house.connection_id.clone()), NOW + 1));
        assert!(oauth_states::latest_result(&mut conn, OrganizationId::new("nobody").as_str()).await.unwrap().is_none());
    })
    .await;
}
