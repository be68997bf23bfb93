//! `tieout audit verify`, and the alarm of a start: what they say of a log that somebody changed.
use crate::SOON;
use domain::audit::{Act, Actor, Ending, Object};
use domain::ids::OrganizationId;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use store::audit::NewEntry;
use store::seal::Key;
use store::{Store, members};
use testkit::{Finished, Launch, free_port, postgres, sqlite_url};

fn tieout(arguments: &[&str], folder: &Path, database: &str) -> Finished {
    Launch::tieout(arguments).env("TIEOUT_DATA_DIR", folder).env("DATABASE_URL", database).run(SOON)
}

/// Two organizations with three entries each.
async fn fill(store: &Store) {
    for name in ["Acme", "Birchwood"] {
        let organization_id = OrganizationId::new(name.to_lowercase());
        let mut tx = store.begin().await.unwrap();
        members::insert_organization(&mut tx, &organization_id, name, 1).await.unwrap();
        for at_ms in 1..=3 {
            let (actor, object, act, outcome) = (Actor::command_line(), Object::log("Integration log"), Act::Exported, Ending::Done);
            let new = NewEntry { organization_id: &organization_id, at_ms, actor: &actor, act, object: &object, before: "", after: "csv", outcome };
            store::audit::append(store, &mut tx, &new).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

async fn tamper(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    let drop = if tx.is_postgres() { "DROP TRIGGER audit_entries_unchanged ON audit_entries" } else { "DROP TRIGGER audit_entries_unchanged" };
    tx.execute(drop, vec![]).await.unwrap();
    tx.execute("UPDATE audit_entries SET actor_name = 'Eve' WHERE organization_id = 'birchwood' AND number = 2", vec![]).await.unwrap();
    tx.commit().await.unwrap();
}

// proves H11 in part
#[test]
fn verify_ends_well_while_chains_are_intact_and_names_the_entry_that_was_changed() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can start");
    let of_postgres = postgres().create_database();
    for of_postgres in [None, Some(of_postgres.as_str())] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let in_folder = sqlite_url(folder.path());
        let database = of_postgres.unwrap_or(&in_folder);
        let made = tieout(&["migrate"], folder.path(), database);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let nothing = tieout(&["audit", "verify"], folder.path(), database);
        assert_eq!((nothing.status.code(), nothing.stdout.trim()), (Some(0), "There is no organization yet."), "{nothing:?}");
        let key = std::fs::read_to_string(folder.path().join("tieout.key")).expect("the key file was made");
        let key = Key::parse(&key).expect("the key file holds a key");
        let with_store = |change: for<'a> fn(&'a Store) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>| {
            runtime.block_on(async {
                let store = Store::open(database, &key).await.unwrap();
                change(&store).await;
                store.close().await;
            });
        };
        with_store(|store| Box::pin(fill(store)));
        let intact = tieout(&["audit", "verify"], folder.path(), database);
        assert_eq!(intact.status.code(), Some(0), "{intact:?}");
        assert!(intact.stdout.lines().count() == 2 && intact.stdout.starts_with("Acme: 3 entries, chain intact up to number 3, hash "), "{intact:?}");
        let doctor = tieout(&["doctor"], folder.path(), database);
        assert!(doctor.stdout.contains("ok  audit log: the newest entries of every organization are intact"), "{doctor:?}");
        with_store(|store| Box::pin(tamper(store)));
        let broken = tieout(&["audit", "verify"], folder.path(), database);
        assert_eq!(broken.status.code(), Some(1), "{broken:?}");
        for said in [
            "Acme: 3 entries, chain intact",
            "Birchwood: 3 entries, BROKEN\n  Entry 2 was changed after it was written: its content does not give its hash.",
            "Keep a copy of the database as it is",
        ] {
            assert!(broken.stdout.contains(said), "`{said}` is missing: {}", broken.stdout);
        }
        let json = tieout(&["audit", "verify", "--json"], folder.path(), database);
        assert_eq!(json.status.code(), Some(1), "{json:?}");
        let json: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
        let [acme, birchwood] = json["organizations"].as_array().expect("a list").as_slice() else { panic!("two organizations: {json}") };
        assert_eq!((json["intact"].as_bool(), acme["intact"].as_bool(), birchwood["intact"].as_bool()), (Some(false), Some(true), Some(false)));
        assert_eq!((birchwood["organization_id"].as_str(), birchwood["breaks"][0]["number"].as_i64()), (Some("birchwood"), Some(2)));
        assert_eq!(birchwood["breaks"][0]["differs"].as_str(), Some("content"));
        let doctor = tieout(&["doctor"], folder.path(), database);
        assert_eq!(doctor.status.code(), Some(1), "{doctor:?}");
        assert!(doctor.stdout.contains("BAD audit log: Birchwood: Entry 2 was changed"), "{doctor:?}");
        // a start says it, and the service goes on
        let address = format!("127.0.0.1:{}", free_port());
        let start = Launch::tieout(["serve"]).env("TIEOUT_DATA_DIR", folder.path()).env("DATABASE_URL", database).env("TIEOUT_LISTEN", &address);
        let mut serving = start.start();
        serving.wait_for_line("ALARM: the audit log is broken", SOON);
        serving.wait_for_line("Tieout is ready", SOON);
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.write_all(format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).expect("it takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
