//! A PostgreSQL cluster in a temporary folder, one for each test process, gone when that process is gone.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::guarded::{Guarded, Order};
use crate::packages::{account, find_or_install, postgresql_folders, running_as_root};
use crate::{free_port, wire};

/// Durability costs time and proves nothing here: nobody reads the cluster after the tests.
const SETTINGS: [&str; 10] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=400",
    "shared_buffers=64MB",
    "jit=off",
    "lc_messages=C",
    "timezone=UTC",
];

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running cluster. Its superuser is `postgres`, without a password, on the loopback address and on a socket in its folder.
pub struct Postgres {
    port: u16,
    folder: PathBuf,
    databases: AtomicU32,
    /// Held for its pipe: when this process ends, however it ends, the guard stops the server and removes the folder.
    _server: Guarded,
}

/// The cluster of this test process, started by whoever asks first.
pub fn postgres() -> &'static Postgres {
    static CLUSTER: OnceLock<Postgres> = OnceLock::new();
    CLUSTER.get_or_init(Postgres::start)
}

impl Postgres {
    fn start() -> Postgres {
        let initdb = find_or_install("initdb", &postgresql_folders(), "postgresql");
        let server = find_or_install("postgres", &postgresql_folders(), "postgresql");
        // PostgreSQL refuses to run as root.
        let user = running_as_root().then(|| {
            account("postgres").or_else(|| account("nobody")).expect("a machine has the account `postgres` or `nobody` to run PostgreSQL under")
        });
        let folder = cluster_folder(user);
        initialize(&initdb, &folder, user);
        // Another process can take a free port before the server does.
        (0..3)
            .find_map(|_| Postgres::listen(&server, &folder, user))
            .unwrap_or_else(|| panic!("PostgreSQL did not start; it said:\n{}", log_of(&folder)))
    }

    fn listen(server: &Path, folder: &Path, user: Option<(u32, u32)>) -> Option<Postgres> {
        let port = free_port();
        let mut arguments: Vec<OsString> = vec!["-D".into(), folder.join("data").into(), "-k".into(), folder.into()];
        arguments.extend(["-h", "127.0.0.1", "-p", &port.to_string()].map(OsString::from));
        arguments.extend(SETTINGS.iter().flat_map(|setting| ["-c", setting]).map(OsString::from));
        // QUIT is PostgreSQL's immediate shutdown: it asks for no checkpoint, and nobody will start this cluster again.
        let order = Order { program: server, arguments, user, end_signal: "QUIT", folder: Some(folder.to_owned()) };
        let log = File::create(folder.join("log")).expect("the folder of the cluster can be written to");
        let mut server = Guarded::start(order, |command| {
            let errors = log.try_clone().expect("a file can be opened twice");
            command.current_dir(folder).stdout(log).stderr(errors);
        });
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if server.ended().is_some() {
                // The guard is left to itself: it would take the folder away from the next attempt.
                std::mem::forget(server);
                return None;
            }
            if wire::query(port, "postgres", "SELECT 1").is_ok() {
                return Some(Postgres { port, folder: folder.to_owned(), databases: AtomicU32::new(0), _server: server });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("PostgreSQL did not answer within {} s; it said:\n{}", READY_WITHIN.as_secs(), log_of(folder));
    }

    /// The URL of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The folder of the cluster; its Unix socket is in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates an empty database of a name of its own and returns its URL.
    pub fn create_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Removes a database made by `create_database`, and closes the connections that are still open to it.
    pub fn drop_database(&self, url: &str) {
        let name = url.rsplit('/').next().expect("a split text has a last part");
        // PostgreSQL waits five seconds for those it sends away, which a busy machine may not keep
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(error) = wire::query(self.port, "postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")) {
            assert!(Instant::now() < deadline, "PostgreSQL does not drop {name}: {error}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Runs one statement in a database and returns its rows as text.
    pub fn run(&self, database: &str, statement: &str) -> Vec<Vec<Option<String>>> {
        wire::query(self.port, database, statement).unwrap_or_else(|error| panic!("PostgreSQL refused `{statement}`: {error}"))
    }
}

/// Below /tmp for root, because the other account cannot enter every folder root can.
fn cluster_folder(user: Option<(u32, u32)>) -> PathBuf {
    let place = if user.is_some() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let made = tempfile::Builder::new().prefix("tieout-pg-").permissions(Permissions::from_mode(0o700)).tempdir_in(&place);
    let folder = made.unwrap_or_else(|error| panic!("no temporary folder can be made in {}: {error}", place.display())).keep();
    if let Some((user, group)) = user {
        chown(&folder, Some(user), Some(group)).expect("root can give a folder away");
    }
    folder
}

fn initialize(initdb: &Path, folder: &Path, user: Option<(u32, u32)>) {
    let mut command = Command::new(initdb);
    command.arg("-D").arg(folder.join("data"));
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
    command.current_dir(folder).stdin(Stdio::null());
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {}: {error}", initdb.display()));
    assert!(output.status.success(), "initdb failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
}

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_is_new_and_answers() {
        let cluster = postgres();
        let (first, second) = (cluster.create_database(), cluster.create_database());
        assert_ne!(first, second);
        let name = |url: &str| url.rsplit('/').next().expect("a split text has a last part").to_owned();
        cluster.run(&name(&first), "CREATE TABLE notes (body TEXT)");
        cluster.run(&name(&first), "INSERT INTO notes VALUES ('kept'), (NULL)");
        let kept = cluster.run(&name(&first), "SELECT body FROM notes ORDER BY body NULLS LAST");
        assert_eq!(kept, [[Some("kept".to_owned())], [None]]);
        let tables = cluster.run(&name(&second), "SELECT count(*) FROM pg_tables WHERE tablename = 'notes'");
        assert_eq!(tables, [[Some("0".to_owned())]]);
        cluster.drop_database(&second);
        assert!(wire::query(cluster.port, &name(&second), "SELECT 1").is_err());
    }

    #[test]
    fn a_refused_statement_is_told_in_the_servers_words() {
        let error = wire::query(postgres().port, "postgres", "SELECT * FROM nowhere").expect_err("there is no such table");
        assert!(error.to_string().contains("relation \"nowhere\" does not exist"), "{error}");
    }

    /// Not a test of its own: the process that the next test kills.
    #[test]
    #[ignore = "sleeps until it is killed; started by the test below"]
    fn a_process_that_holds_a_cluster() {
        println!("cluster in {}", postgres().folder().display());
        std::thread::sleep(Duration::from_secs(120));
    }

    #[test]
    fn the_cluster_ends_with_its_process_even_by_signal_9() {
        let test = std::env::current_exe().expect("a running test knows its own file");
        let arguments = ["--ignored", "--exact", "--nocapture", "postgres::tests::a_process_that_holds_a_cluster"];
        let mut holder = crate::Launch::program(test, arguments).start();
        let line = holder.wait_for_line("cluster in ", READY_WITHIN);
        let folder = PathBuf::from(line.rsplit(' ').next().expect("a split text has a last part"));
        let written = std::fs::read_to_string(folder.join("data/postmaster.pid")).expect("a running server writes its number down");
        // The fourth line of that file is the port (PostgreSQL documentation, chapter "Database File Layout").
        let port = written.lines().nth(3).and_then(|line| line.trim().parse().ok()).expect("the file names the port");
        assert!(wire::query(port, "postgres", "SELECT 1").is_ok());
        holder.kill_9();
        let began = Instant::now();
        while folder.exists() || wire::query(port, "postgres", "SELECT 1").is_ok() {
            assert!(began.elapsed() < Duration::from_secs(15), "port {port} or folder {} is still there", folder.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
