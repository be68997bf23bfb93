//! The site on real sockets: event streams and their bounds, readers that do not read, clients that go away, and what a stranger says of itself.
use crate::mapping::books;
use crate::sample::{DAY, HOST, Sample};
use domain::ids::{OrganizationId, UserId};
use domain::log::LogMessage;
use domain::organization::Role;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use store::members::{self, User};
use testkit::each_database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use web::WebOptions;

const SOON: Duration = Duration::from_secs(30);

/// The site over a sample, with small buffers: what is not read is soon noticed.
fn serve(sample: &Sample, change: impl FnOnce(&mut WebOptions)) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4_096).unwrap();
    serve_on(socket, sample, change)
}

fn serve_on(socket: TcpSocket, sample: &Sample, change: impl FnOnce(&mut WebOptions)) -> SocketAddr {
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1_024).unwrap().into_std().unwrap();
    let address = listener.local_addr().unwrap();
    let mut options = WebOptions::new(url::Url::parse(&format!("http://{HOST}")).unwrap());
    change(&mut options);
    tokio::spawn(web::serve(sample.engine.clone(), options, listener, std::future::pending()));
    address
}

/// A connection on which this was sent.
async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// The whole answer to a request that closes its connection.
async fn ask(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // who is refused early may be cut off while still sending
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON * 4, stream.read_to_end(&mut answer)).await.expect("an answer that ends");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn get(token: &str, path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: tieout_session={token}\r\n{headers}\r\n")
}

/// A form of which so many bytes are announced.
fn form(token: &str, path: &str, length: usize, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\nCookie: tieout_session={token}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// One open stream of events.
struct Stream {
    stream: TcpStream,
    heard: String,
}

impl Stream {
    async fn open(address: SocketAddr, token: &str, headers: &str) -> Stream {
        // one that is refused says so by its end
        let headers = format!("Connection: close\r\n{headers}");
        Stream { stream: send(address, &get(token, "/events", &headers)).await, heard: String::new() }
    }
    /// Reads until this has come; what came before it is kept in `heard`.
    async fn hears(&mut self, words: &str, within: Duration) -> bool {
        let from = self.heard.len();
        let read = async {
            while !self.heard[from..].contains(words) {
                let mut bytes = [0; 512];
                match self.stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => return false,
                    Ok(count) => self.heard.push_str(&String::from_utf8_lossy(&bytes[..count])),
                }
            }
            true
        };
        timeout(within, read).await.unwrap_or(false)
    }
}

/// Somebody of another organization, signed in.
async fn stranger(sample: &Sample) -> String {
    let (other, user_id, token) = (OrganizationId::new("zebra"), UserId::new("zoe"), "0d".repeat(32));
    let mut tx = sample.engine.store.begin().await.unwrap();
    members::insert_organization(&mut tx, &other, "Zebra", 1).await.unwrap();
    let user = User { id: user_id.clone(), email: "zoe@zebra.example".into(), name: "Zoe".into(), password_hash: None };
    assert!(members::insert_user(&mut tx, &user, 1).await.unwrap());
    members::add(&mut tx, &other, &user_id, Role::Owner, 1).await.unwrap();
    store::sessions::insert(&mut tx, &token, &user_id, &other, sample.now_ms, sample.now_ms + DAY).await.unwrap();
    tx.commit().await.unwrap();
    token
}

// reliability.md 5.3, rows 72 and 74
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_stream_too_many_is_told_to_wait_and_one_that_went_on_elsewhere_begins_with_a_gap() {
    assert_eq!(WebOptions::new(url::Url::parse("http://x.example").unwrap()).most_streams, 10_000);
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let address = serve(&sample, |options| options.most_streams = 3);
        let other = stranger(&sample).await;
        let mut open = Vec::new();
        // an Owner and a Member of one organization count together
        for token in [&sample.owner_token, &sample.owner_token, &sample.member_token] {
            let mut stream = Stream::open(address, token, "").await;
            assert!(stream.hears("event: hello", SOON).await, "{}", stream.heard);
            open.push(stream);
        }
        let refused = ask(address, &get(&sample.member_token, "/events", "Connection: close\r\n")).await;
        assert_eq!(status(&refused), 429, "{refused}");
        let lower = refused.to_lowercase();
        assert!(lower.contains("\r\nretry-after: 60\r\n") && lower.contains("close some, or try again"), "{refused}");
        let mut theirs = Stream::open(address, &other, "").await;
        assert!(theirs.hears("event: hello", SOON).await, "another organization is unhurt");
        assert_eq!(status(&ask(address, &get(&sample.owner_token, "/companies", "Connection: close\r\n")).await), 200, "and so are pages");
        drop(open.pop());
        let deadline = Instant::now() + SOON;
        let mut again = loop {
            let mut again = Stream::open(address, &sample.owner_token, "").await;
            if again.hears("event: hello", SOON).await {
                break again;
            }
            assert!(again.heard.starts_with("HTTP/1.1 429") && Instant::now() < deadline, "{}", again.heard);
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        sample.engine.changed(&sample.organization_id, None);
        assert!(again.hears("event: change", SOON).await);
        drop((again, open));

        for said in ["garbage", "", "-1", "18446744073709551616", "\u{1f600}", &"9".repeat(4_000)] {
            let deadline = Instant::now() + SOON;
            loop {
                let mut stream = Stream::open(address, &sample.owner_token, &format!("Last-Event-ID: {said}\r\n")).await;
                if stream.hears("event: hello", SOON).await {
                    let events: Vec<&str> = stream.heard.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
                    assert_eq!(events, ["gap", "hello"], "{said}: {}", stream.heard);
                    sample.engine.changed(&sample.organization_id, None);
                    assert!(stream.hears("event: change", SOON).await, "{said}");
                    break;
                }
                assert!(Instant::now() < deadline, "{said}: {}", stream.heard);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    })
    .await;
}

// reliability.md 5.3, row 73
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_let_go_when_its_buffer_is_full_and_others_are_unhurt() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let address = serve(&sample, |options| {
        options.most_streams = 2;
        options.patience = Duration::from_secs(1);
    });
    let never = Stream::open(address, &sample.owner_token, "").await;
    let mut reader = Stream::open(address, &sample.owner_token, "").await;
    assert!(reader.hears("event: hello", SOON).await, "{}", reader.heard);
    let begun = Instant::now();
    let (mut changes, mut slowest) = (0, Duration::ZERO);
    loop {
        sample.engine.changed(&sample.organization_id, None);
        let asked = Instant::now();
        assert!(reader.hears("event: change", SOON).await, "whoever reads goes on to be told, after {changes} changes");
        slowest = slowest.max(asked.elapsed());
        changes += 1;
        if changes % 20 == 0 {
            let mut third = Stream::open(address, &sample.owner_token, "").await;
            if third.hears("event: hello", SOON).await {
                break;
            }
            assert!(third.heard.starts_with("HTTP/1.1 429"), "{}", third.heard);
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "its place is not free after {changes} changes");
    }
    assert!(slowest < Duration::from_secs(5), "another one was told only after {slowest:?}");
    drop(never);
    // the same with a file: nobody waits for somebody who takes none of it
    fill_log(&sample).await;
    let stuck = send(address, &get(&sample.owner_token, "/integrations/logs/all/export?format=jsonl", "")).await;
    let deadline = Instant::now() + SOON;
    while connections(address) > 1 {
        assert!(Instant::now() < deadline, "{} connections are open", connections(address));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop((stuck, reader));
}

/// Enough that no file of it fits into the buffers of a connection.
async fn fill_log(sample: &Sample) {
    let company = store::companies::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap().remove(0);
    let mut tx = sample.engine.store.begin().await.unwrap();
    for at in 0..2_000 {
        engine::logbook::about_company(&mut tx, &company, None, &LogMessage::TokenRefreshed, 1, sample.now_ms - at).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Connections to this address that the server still holds.
fn connections(address: SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let held = |line: &&str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        // established, and closed by the other side only
        cells.get(1).is_some_and(|local| local.ends_with(&port)) && cells.get(3).is_some_and(|state| matches!(*state, "01" | "08"))
    };
    table.lines().filter(held).count()
}

/// Transactions that wait for somebody to end them.
async fn open_transactions(sample: &Sample, url: &str) -> i64 {
    if !url.starts_with("postgres") {
        // one writer: whoever holds it keeps everybody else out
        let free = timeout(Duration::from_secs(5), sample.engine.store.begin()).await;
        return i64::from(free.is_err());
    }
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    sample.engine.store.read().await.unwrap().query_one(sql, vec![]).await.unwrap().int(0).unwrap()
}

// reliability.md 5.3, row 75
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_clients_that_go_away_in_mid_answer_leave_no_task_no_connection_and_no_transaction() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        fill_log(&sample).await;
        let address = serve(&sample, |_| {});
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        // once around, so that what is made once is there
        assert_eq!(status(&ask(address, &get(&sample.owner_token, "/companies", "Connection: close\r\n")).await), 200);
        let quiet = async |most: usize| {
            let deadline = Instant::now() + SOON * 2;
            while tasks() > most || connections(address) > 0 {
                assert!(Instant::now() < deadline, "{} tasks instead of {most}, {} connections", tasks(), connections(address));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        quiet(usize::MAX).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = tasks();
        let token = &sample.owner_token;
        for at in 0..50 {
            let mut clients = vec![
                send(address, &get(token, "/integrations/logs/all/export?format=csv", "")).await,
                send(address, &get(token, &format!("/companies/{id}"), "")).await,
                send(address, &get(token, "/events", "")).await,
                send(address, &form(token, &format!("/companies/{id}/mapping/edit"), 500, "account=odd&cat")).await,
                send(address, &form(token, &format!("/integrations/companies/{id}/{}", if at % 2 == 0 { "pause" } else { "resume" }), 0, "")).await,
            ];
            for client in &mut clients {
                // some have read a little, some nothing: these are cut off by a reset
                if at % 2 == 0 {
                    let mut bytes = [0; 100];
                    let _ = timeout(Duration::from_millis(20), client.read(&mut bytes)).await;
                }
            }
        }
        quiet(before).await;
        assert_eq!(open_transactions(&sample, &url).await, 0);
        // and everything still works
        let whole = ask(address, &get(token, "/integrations/logs/all/export?format=csv", "Connection: close\r\n")).await;
        assert!(whole.matches("Access renewed").count() >= 2_000);
        assert!(sample.post(&format!("/companies/{id}/mapping/edit"), "account=odd&category=rent").await.flash.contains("1 account moved"));
    })
    .await;
}

// reliability.md 5.3, row 75: nothing half done, and nothing lost
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_begun_is_done_though_whoever_asked_for_it_does_not_wait_to_hear() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let address = serve(&sample, |_| {});
        for at in 0..5 {
            let people: Vec<String> = (0..4).map(|person| format!("guest{at}.{person}%40away.example")).collect();
            let body = format!("role=member&emails={}", people.join("%0A"));
            let head =
                form(&sample.owner_token, "/organization/invitations", body.len(), "").replacen("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1);
            let mut client = send(address, &head).await;
            // it is asked for the form, so its request has begun; and it is gone as soon as the form is sent
            let mut heard = [0; 25];
            timeout(SOON, client.read_exact(&mut heard)).await.unwrap().unwrap();
            assert_eq!(&heard, b"HTTP/1.1 100 Continue\r\n\r\n");
            client.write_all(body.as_bytes()).await.unwrap();
            drop(client);
        }
        let deadline = Instant::now() + SOON;
        loop {
            let open = store::invitations::list_open(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap();
            let invited = open.iter().filter(|invitation| invitation.email.ends_with("@away.example")).count();
            if invited == 20 {
                break;
            }
            assert!(Instant::now() < deadline, "{invited} of 20 were invited");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

// reliability.md 5.3, row 69
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_file_is_never_taken_for_the_whole_whatever_range_is_asked_for() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let address = serve(&sample, |_| {});
        let files = [
            "/integrations/logs/all/export?format=csv".to_owned(),
            "/integrations/logs/all/export?format=jsonl".to_owned(),
            format!("/integrations/logs/companies/{id}/export"),
            "/integrations/data-feed/export.csv".to_owned(),
            format!("/companies/{id}/mapping/export"),
        ];
        let ranges = [
            "bytes=0-0",
            "bytes=-5",
            "bytes=5-",
            "bytes=9-1",
            "bytes=99999999999999999999-",
            "bytes=0-,5-,0-0",
            "bytes=abc",
            "bytes=",
            "items=0-5",
            "",
            &format!("bytes={}0-0", "0-0,".repeat(1_000)),
        ];
        for file in &files {
            // without a persistent connection a body has no frame of its own: it is what comes until the end
            let once =
                |headers: &str| format!("GET {file} HTTP/1.0\r\nHost: {HOST}\r\nCookie: tieout_session={}\r\n{headers}\r\n", sample.owner_token);
            let parts = |answer: String| {
                let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
                (head.to_lowercase(), body.to_owned())
            };
            let (head, whole) = parts(ask(address, &once("")).await);
            assert!(head.contains(" 200 ") && !whole.is_empty() && !head.contains("accept-ranges: bytes"), "{file}: {head}");
            for range in ranges {
                for more in ["", "If-Range: \"none\"\r\n", "Range: bytes=1-2\r\n"] {
                    let (head, body) = parts(ask(address, &once(&format!("Range: {range}\r\n{more}"))).await);
                    let is_whole = head.contains(" 200 ") && body == whole && !head.contains("content-range");
                    assert!(is_whole || head.contains(" 416 "), "{file}, {range} {more}: {head}");
                }
            }
        }
    })
    .await;
}

// reliability.md 5.3, row 57
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stranger_says_of_where_it_comes_from_is_ignored_and_a_proxy_of_ours_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let (bare, behind) = (serve(&sample, |_| {}), serve(&sample, |options| options.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]));
    let attempt = async |address: SocketAddr, at: usize, says: &str| {
        // longer than any password: it costs no hash
        let form = format!("email=somebody{at}%40zebra.example&password={}", "x".repeat(129));
        let text = format!(
            "POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\nConnection: close\r\n{says}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        status(&ask(address, &text).await)
    };
    let mut let_through = 0;
    for at in 0..70 {
        let says = match at % 4 {
            0 => "X-Forwarded-For: 127.0.0.1\r\n".to_owned(),
            1 => format!("X-Forwarded-For: 10.0.0.{at}\r\n"),
            2 => format!("Forwarded: for=10.1.0.{at}\r\nX-Real-IP: 10.1.0.{at}\r\n"),
            _ => format!("X-Forwarded-For: 10.2.0.{at}, 127.0.0.1\r\n"),
        };
        let_through += usize::from(attempt(bare, at, &says).await == 422);
    }
    assert_eq!(let_through, 50, "each counts as what it is: one stranger");
    for at in 0..70 {
        // the visitor writes something into the line, and the proxy appends whom it sees
        let says = format!("X-Forwarded-For: 127.0.0.1, 10.3.0.{at}\r\n");
        assert_eq!(attempt(behind, 1_000 + at, &says).await, 422, "another visitor of the proxy each time");
    }
    let mut let_through = 0;
    for at in 0..70 {
        let says = format!("X-Forwarded-For: 10.4.0.{at}, 198.51.100.7\r\n");
        let_through += usize::from(attempt(behind, 2_000 + at, &says).await == 422);
    }
    assert_eq!(let_through, 50, "one visitor, whatever it wrote before");
    // it opens nothing either
    for says in ["X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Host: evil.example\r\n", "X-Forwarded-Proto: https\r\n"] {
        let answer = ask(bare, &format!("GET /companies HTTP/1.1\r\nHost: {HOST}\r\n{says}Connection: close\r\n\r\n")).await;
        assert!(status(&answer) == 303 && answer.to_lowercase().contains("location: /sign-in?next=%2fcompanies"), "{answer}");
    }
}

// reliability.md 5.4, row 71
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tabs_that_search_for_five_thousand_characters_are_answered_and_hold_nobody_up() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        fill_log(&sample).await;
        let address = serve_on(TcpSocket::new_v4().unwrap(), &sample, |_| {});
        let others = async || {
            let asked = Instant::now();
            for path in ["/healthz", "/companies", "/integrations/logs/all?message=renewed"] {
                assert_eq!(status(&ask(address, &get(&sample.owner_token, path, "Connection: close\r\n")).await), 200, "{path}");
            }
            asked.elapsed()
        };
        // the longest that others wait while fifty tabs load
        let beside = async |pages: Vec<String>| {
            let mut tabs = tokio::task::JoinSet::new();
            for page in pages {
                tabs.spawn(async move { ask(address, &page).await });
            }
            let (mut answered, mut slowest) = (0, Duration::ZERO);
            while answered < 50 {
                slowest = slowest.max(others().await);
                while let Some(answer) = tabs.try_join_next() {
                    let answer = answer.unwrap();
                    assert_eq!(status(&answer), 200, "{}", answer.chars().take(300).collect::<String>());
                    assert!(answer.len() < 2 << 20, "{} bytes", answer.len());
                    answered += 1;
                }
            }
            slowest
        };
        let page = |query: &str| get(&sample.owner_token, &format!("/integrations/logs/all{query}"), "Connection: close\r\n");
        let usual = beside((0..50).map(|_| page("")).collect()).await;
        let searches = (0..50).map(|at| {
            let words = ["a", "%25", "access+", "_", "%F0%9F%98%80"][at % 5];
            let field = ["message", "q", "company", "account"][at % 4];
            page(&format!("?{field}={}", words.repeat(5_000 / words.len())))
        });
        let slowest = beside(searches.collect()).await;
        assert!(slowest < usual * 10, "three pages of others took {slowest:?}, and {usual:?} while fifty tabs load without a search");
    })
    .await;
}
