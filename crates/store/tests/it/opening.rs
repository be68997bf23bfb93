//! Opening a database: what is refused, with one clear sentence, and what a stop in the middle leaves behind.
use crate::house::{House, NOW};
use domain::data_type::DataType;
use domain::ids::CompanyId;
use store::seal::Key;
use store::{Store, StoreError, args, inventory, settings};
use testkit::each_database;

async fn refusal(address: &str, key: &Key) -> StoreError {
    Store::open(address, key).await.err().expect("the database is not opened")
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx = house.begin().await;
        tx.execute("INSERT INTO schema_versions (version) VALUES (99)", args![]).await.unwrap();
        tx.commit().await.unwrap();
        let refused = refusal(&url, &house.key).await;
        assert!(matches!(refused, StoreError::NewerSchema { found: 99, .. }));
        let text = refused.to_string();
        assert!(text.contains("schema 99") && text.ends_with("start the newer program"), "{text}");
    })
    .await;
}

// S-029: a wrong key changes nothing
#[tokio::test]
async fn a_wrong_key_is_refused_and_the_database_stays_as_it_was() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut conn = house.read().await;
        let before = settings::find(&mut conn, "key_check").await.unwrap();
        drop(conn);
        house.store.close().await;
        let file = url.strip_prefix("sqlite://").map(str::to_owned);
        let bytes = file.as_ref().map(|file| std::fs::read(file).unwrap());
        let refused = refusal(&url, &Key::random()).await;
        assert!(matches!(refused, StoreError::WrongKey));
        assert!(refused.to_string().contains("set TIEOUT_KEY to the key it was made with"), "{refused}");
        assert_eq!(file.map(|file| std::fs::read(file).unwrap()), bytes);
        let store = house.another_node().await;
        assert_eq!(settings::find(&mut store.read().await.unwrap(), "key_check").await.unwrap(), before);
        assert!(before.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_not_a_database_or_cannot_be_made_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no such folder").join("tieout.db");
    let refused = refusal(&format!("sqlite://{}", missing.display()), &Key::random()).await;
    assert!(matches!(refused, StoreError::Unreachable { .. }), "{refused}");
    assert!(refused.to_string().contains("no such folder"), "{refused}");
    assert!(!refused.to_string().contains('\n'), "one sentence");
    let text = folder.path().join("letter.txt");
    std::fs::write(&text, "Dear reader, this is not a database at all. ".repeat(200)).unwrap();
    let refused = refusal(text.to_str().unwrap(), &Key::random()).await;
    assert!(refused.to_string().contains("letter.txt"), "{refused}");
    assert!(refused.to_string().contains("not a database"), "{refused}");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("Dear reader"), "the file is left alone");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named_without_its_password() {
    let port = testkit::free_port();
    let refused = refusal(&format!("postgres://tieout:s3cret@127.0.0.1:{port}/books"), &Key::random()).await;
    assert!(matches!(refused, StoreError::Unreachable { .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.contains(&format!("postgres://tieout:***@127.0.0.1:{port}/books")), "{text}");
    assert!(!text.contains("s3cret") && !text.contains('\n'), "{text}");
    // a database that does not exist on a server that does
    let url = testkit::postgres().url("no_such_database");
    let refused = refusal(&url, &Key::random()).await.to_string();
    assert!(refused.contains("no_such_database"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_open_an_empty_database_at_once_make_one_schema() {
    each_database(|url| async move {
        let key = Key::random();
        let opens: Vec<_> = (0..2)
            .map(|_| {
                let (url, key) = (url.clone(), key.clone());
                tokio::spawn(async move { Store::open(&url, &key).await.unwrap() })
            })
            .collect();
        for open in opens {
            let store = open.await.unwrap();
            let row = store.read().await.unwrap().query_one("SELECT COUNT(*), MAX(version) FROM schema_versions", args![]).await.unwrap();
            assert_eq!(row.int(0).unwrap(), row.int(1).unwrap(), "each version is applied once");
        }
        // and once more on what is there
        Store::open(&url, &key).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_transaction_dropped_in_the_middle_leaves_nothing_and_loses_nothing() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx = house.begin().await;
        settings::set(&mut tx, "kept", "1").await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = house.begin().await;
        settings::set(&mut tx, "kept", "2").await.unwrap();
        settings::set(&mut tx, "lost", "2").await.unwrap();
        inventory::put(&mut tx, &CompanyId::new("c1"), DataType::Bill, 1, None, None, NOW).await.unwrap();
        assert_eq!(settings::find(&mut tx, "kept").await.unwrap().as_deref(), Some("2"), "it reads its own writes");
        assert_eq!(settings::find(&mut house.read().await, "kept").await.unwrap().as_deref(), Some("1"), "others do not");
        drop(tx);
        // the next transaction is not in the way of the one before
        let mut tx = house.begin().await;
        settings::set(&mut tx, "next", "3").await.unwrap();
        tx.commit().await.unwrap();
        house.store.close().await;
        let store = house.another_node().await;
        let mut conn = store.read().await.unwrap();
        assert_eq!(settings::find(&mut conn, "kept").await.unwrap().as_deref(), Some("1"));
        assert_eq!(settings::find(&mut conn, "lost").await.unwrap(), None);
        assert_eq!(settings::find(&mut conn, "next").await.unwrap().as_deref(), Some("3"));
        assert!(inventory::list(&mut conn, &CompanyId::new("c1")).await.unwrap().is_empty());
    })
    .await;
}
