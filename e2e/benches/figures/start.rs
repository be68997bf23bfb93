//! From the start of the program to its first answer, and from the start of the demo to three proven companies.
use crate::Plan;
use crate::measured::{Measured, millis, secs};
use crate::table::{self, verdict};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testkit::{DatabaseKind, Launch, free_port, postgres, sqlite_url};

const READY_WITHIN: Duration = Duration::from_secs(1);
const DEMO_WITHIN: Duration = Duration::from_secs(60);

/// `tieout serve` on an empty database until `GET /readyz` answers 200, the schema being made on the way.
pub fn measure(plan: &Plan) {
    let mut rows = Vec::new();
    for database in &plan.databases {
        let measured = Measured::repeat(7, || start_once(plan, *database));
        rows.push([database.to_string(), millis(measured.median()), millis(measured.worst()), verdict(measured.worst() < READY_WITHIN)]);
    }
    table::print("Start to ready, with an empty database (under 1 s)", ["Database", "Median of 7", "Slowest", "Promise"], &rows);
}

fn start_once(plan: &Plan, database: DatabaseKind) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = match database {
        DatabaseKind::Sqlite => sqlite_url(folder.path()),
        DatabaseKind::Postgres => postgres().create_database(),
    };
    let port = free_port();
    let launch = Launch::program(plan.program.clone(), ["serve"])
        .env("TIEOUT_LISTEN", format!("127.0.0.1:{port}"))
        .env("TIEOUT_DATA_DIR", folder.path())
        .env("DATABASE_URL", &url)
        .current_dir(folder.path());
    let began = Instant::now();
    let mut program = launch.start();
    while !is_ready(port) {
        assert!(program.running(), "the server ended; it said:\n{}", program.lines().join("\n"));
        assert!(began.elapsed() < Duration::from_secs(30), "the server is not ready after 30 s");
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = began.elapsed();
    program.terminate(Duration::from_secs(10));
    if database == DatabaseKind::Postgres {
        postgres().drop_database(&url);
    }
    took
}

fn is_ready(port: u16) -> bool {
    let asked = (|| -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    })();
    asked.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// `tieout demo --once`: sandbox, two connections, three companies, their proofs. Its exit code is 0 only when every company is Verified.
pub fn measure_demo(plan: &Plan) {
    let measured = Measured::repeat(3, || {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let arguments = ["demo".into(), "--once".into(), "--data-dir".into(), folder.path().join("demo").into_os_string()];
        let began = Instant::now();
        let finished = Launch::program(plan.program.clone(), arguments).current_dir(folder.path()).run(Duration::from_secs(300));
        let took = began.elapsed();
        assert!(finished.status.success(), "the demo failed:\n{}{}", finished.stdout, finished.stderr);
        took
    });
    let row = [secs(measured.median()), secs(measured.worst()), verdict(measured.worst() < DEMO_WITHIN)];
    table::print("Demo, from its start to three Verified companies (under 60 s)", ["Median of 3", "Slowest", "Promise"], &[row]);
}
