//! Event streams: how many a server holds, how soon an event reaches all of them, and what they cost while nothing happens.
use crate::Plan;
use crate::installation::Installation;
use crate::measured::{Measured, millis};
use crate::process;
use crate::table::{self, grouped, verdict};
use domain::clock::{Clock, SystemClock};
use std::time::{Duration, Instant};
use testkit::DatabaseKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const REACHES_ALL_WITHIN: Duration = Duration::from_millis(500);
const ROUNDS: usize = 10;
const IDLE: Duration = Duration::from_secs(10);

pub fn measure(plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime can start");
    let rows: Vec<_> = plan.databases.iter().map(|database| runtime.block_on(measure_on(plan, *database))).collect();
    let title = format!("An event to {} open streams, each with a session of its own: {ROUNDS} events", grouped(plan.clients as u64));
    let heads = ["Database", "Median", "95 %", "99 %", "Last", "Promise", "Processor while idle", "Memory for each stream"];
    table::print(&title, heads, &rows);
}

async fn measure_on(plan: &Plan, database: DatabaseKind) -> [String; 8] {
    let mut installation = Installation::start(plan, database, &["--provider", "quickbooks", "--documents", "100"]).await;
    let account = installation.connect("quickbooks");
    installation.import_all(&account);
    installation.wait_until_synced(Duration::from_secs(120)).await;
    let mut conn = installation.store.read().await.expect("the database answers");
    let company = store::companies::list_all_linked(&mut conn).await.expect("companies can be listed").remove(0);
    let owner = conn.query("SELECT id FROM users", vec![]).await.expect("users can be read")[0].text(0).expect("an id is a text");
    drop(conn);
    let owner = domain::ids::UserId::new(owner);
    let mut tx = installation.store.begin().await.expect("the database can be written to");
    let now_ms = SystemClock.now_ms();
    let tokens: Vec<String> = (0..plan.clients).map(|at| format!("{at:064x}")).collect();
    for token in &tokens {
        let inserted = store::sessions::insert(&mut tx, token, &owner, &company.organization_id, now_ms, now_ms + 86_400_000).await;
        inserted.expect("a session can be written");
    }
    tx.commit().await.expect("sessions can be written");

    let id = installation.server.id();
    let before_bytes = process::memory_bytes(id);
    let port = installation.address("/").port().expect("the server has a port");
    let (sender, mut events) = unbounded_channel();
    for (at, token) in tokens.iter().enumerate() {
        tokio::spawn(hold(port, token.clone(), at, sender.clone()));
    }
    drop(sender);
    let mut greeted = 0;
    while greeted < plan.clients {
        let (_, event, _) = events.recv().await.expect("no stream ends");
        greeted += usize::from(event == "hello");
    }
    let each_bytes = process::memory_bytes(id).saturating_sub(before_bytes) / plan.clients as u64;
    quiet(&mut events, Duration::from_secs(3)).await;
    let used = process::processor_time(id);
    tokio::time::sleep(IDLE).await;
    let idle = process::processor_time(id).saturating_sub(used).as_secs_f64() * 100.0 / IDLE.as_secs_f64();

    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let address = installation.address(&format!("/companies/{}/resync", company.id));
        let began = Instant::now();
        let answer = installation.visitor.post(&address, &[]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let mut reached = vec![false; plan.clients];
        let mut left = plan.clients;
        while left > 0 {
            let (at, event, moment) = events.recv().await.expect("no stream ends");
            assert_eq!(event, "change", "a stream was told `{event}`");
            if moment >= began && !std::mem::replace(&mut reached[at], true) {
                left -= 1;
                took.push(moment - began);
            }
        }
        installation.wait_until_synced(Duration::from_secs(60)).await;
        quiet(&mut events, Duration::from_secs(3)).await;
    }
    installation.end().await;
    let took = Measured::of(took);
    let [median, most, nearly_all] = [50, 95, 99].map(|share| millis(took.percentile(share)));
    [
        database.to_string(),
        median,
        most,
        nearly_all,
        millis(took.worst()),
        verdict(took.percentile(99) < REACHES_ALL_WITHIN),
        format!("{idle:.1} % of one"),
        format!("{} KB", each_bytes >> 10),
    ]
}

/// Reads until nothing has come for this long.
async fn quiet(events: &mut UnboundedReceiver<(usize, String, Instant)>, wait: Duration) {
    while tokio::time::timeout(wait, events.recv()).await.is_ok() {}
}

/// Holds one stream and tells every event with its moment.
async fn hold(port: u16, token: String, at: usize, events: UnboundedSender<(usize, String, Instant)>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server accepts one more");
    let request = format!("GET /events HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: text/event-stream\r\nCookie: tieout_session={token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request can be written");
    let mut bytes = [0_u8; 1_024];
    loop {
        let Ok(read) = stream.read(&mut bytes).await else { return };
        let moment = Instant::now();
        if read == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&bytes[..read]);
        for name in text.lines().filter_map(|line| line.strip_prefix("event: ")) {
            if events.send((at, name.to_owned(), moment)).is_err() {
                return;
            }
        }
    }
}
