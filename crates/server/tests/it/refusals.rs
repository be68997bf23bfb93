//! Databases and keys that cannot be used: one sentence, exit code 2, and the folder as it was.
use crate::{SOON, contents};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::{Finished, Launch, free_port, postgres, sqlite_url};

fn tieout(arguments: &[&str], folder: &Path, settings: &[(&str, &str)]) -> Finished {
    let launch = Launch::tieout(arguments).env("TIEOUT_DATA_DIR", folder);
    settings.iter().fold(launch, |launch, (name, value)| launch.env(name, value)).run(SOON)
}

/// The start is refused with one sentence that has these parts, and `folder` is not touched.
fn refused(arguments: &[&str], folder: &Path, settings: &[(&str, &str)], parts: &[&str]) {
    let before = contents(folder);
    let existed = folder.exists();
    let ended = tieout(arguments, folder, settings);
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.starts_with("tieout: ") && ended.stderr.lines().count() == 1, "one sentence: {}", ended.stderr);
    for part in parts {
        assert!(ended.stderr.contains(part), "`{part}` is missing: {}", ended.stderr);
    }
    assert_eq!((contents(folder), folder.exists()), (before, existed), "something was written");
}

/// A folder with a database of its own and the key it was made with.
fn made(settings: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let ended = tieout(&["migrate"], folder.path(), settings);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(folder.path().join("tieout.key").is_file());
    folder
}

#[test]
fn a_key_that_does_not_fit_is_refused_on_both_databases() {
    let database = postgres().create_database();
    for settings in [vec![], vec![("DATABASE_URL", database.as_str())]] {
        let folder = made(&settings);
        let other = "ab".repeat(32);
        let with_other_key = [settings.as_slice(), &[("TIEOUT_KEY", other.as_str())]].concat();
        refused(
            &["serve"],
            folder.path(),
            &[with_other_key.as_slice(), &[("TIEOUT_LISTEN", "127.0.0.1:0")]].concat(),
            &["the key does not fit", "TIEOUT_KEY"],
        );
        refused(&["status"], folder.path(), &with_other_key, &["the key does not fit", "TIEOUT_KEY"]);
        assert_eq!(tieout(&["status"], folder.path(), &settings).status.code(), Some(0), "its own key still fits");
    }
}

#[test]
fn a_lost_key_file_is_told_and_no_new_one_is_made() {
    let database = postgres().create_database();
    let folder = made(&[]);
    let address = sqlite_url(folder.path());
    std::fs::remove_file(folder.path().join("tieout.key")).expect("the key file is there");
    refused(&["serve"], folder.path(), &[("TIEOUT_LISTEN", "127.0.0.1:0")], &["tieout.key is missing", "TIEOUT_KEY"]);
    refused(&["status"], folder.path(), &[("DATABASE_URL", &address)], &["tieout.key is missing", "TIEOUT_KEY"]);
    let elsewhere = made(&[("DATABASE_URL", &database)]);
    drop(elsewhere);
    let new = tempfile::tempdir().expect("a temporary folder can be made");
    refused(&["status"], &new.path().join("data"), &[("DATABASE_URL", &database)], &["tieout.key is missing", "TIEOUT_KEY"]);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = made(&[]);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.path().join("tieout.key"), open).expect("the key file is ours");
    refused(&["status"], folder.path(), &[], &["tieout.key can be read by others", "chmod 600"]);
}

#[test]
fn a_database_file_that_is_none_is_refused() {
    let folder = made(&[]);
    std::fs::write(folder.path().join("notes.db"), "Dear diary, this is not a database at all.\n".repeat(40)).expect("the folder can be written to");
    std::fs::create_dir(folder.path().join("folder.db")).expect("the folder can be written to");
    for name in ["notes.db", "folder.db"] {
        let file = folder.path().join(name).to_string_lossy().into_owned();
        refused(&["serve"], folder.path(), &[("DATABASE_URL", &file), ("TIEOUT_LISTEN", "127.0.0.1:0")], &[name, "DATABASE_URL"]);
    }
    let new = tempfile::tempdir().expect("a temporary folder can be made");
    let settings = [("DATABASE_URL", "/proc/none/tieout.db")];
    refused(&["status"], &new.path().join("data"), &settings, &["/proc/none", "DATABASE_URL"]);
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let database = postgres().create_database();
    let settings = [("DATABASE_URL", database.as_str())];
    let folder = made(&settings);
    let name = database.rsplit('/').next().expect("a split text has a last part");
    postgres().run(name, "insert into schema_versions (version) values (9999)");
    refused(&["migrate"], folder.path(), &settings, &["newer Tieout", "schema 9999"]);
    postgres().run(name, "delete from schema_versions where version = 9999");
    assert_eq!(tieout(&["migrate"], folder.path(), &settings).status.code(), Some(0));
}

#[test]
fn a_postgresql_that_does_not_answer_is_told_at_once_without_its_password() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("deep/data");
    let nobody = format!("postgres://tieout:s3cret@127.0.0.1:{}/books", free_port());
    // the first who starts the program may build it
    assert_eq!(tieout(&["--version"], folder.path(), &[]).status.code(), Some(0));
    let began = Instant::now();
    refused(
        &["serve"],
        &data,
        &[("DATABASE_URL", &nobody), ("TIEOUT_LISTEN", "127.0.0.1:0")],
        &["tieout:***@127.0.0.1", "Connection refused", "DATABASE_URL"],
    );
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
    let missing = postgres().url("no_such_database");
    refused(&["status"], &data, &[("DATABASE_URL", &missing)], &["\"no_such_database\" does not exist", "DATABASE_URL"]);
    assert!(contents(folder.path()).is_empty(), "folders were left behind");
}
