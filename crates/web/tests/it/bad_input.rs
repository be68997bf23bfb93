//! What nobody should send: the rows of bad input that no other test of the API, of a form or of a page goes through.
use crate::api::{Program, admin, company_ids, key, send};
use crate::mapping::books;
use crate::sample::{HOST, Sample};
use crate::site::{PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use domain::ids::{OrganizationId, UserId};
use domain::organization::{KeyAccess, Role};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use store::members::{self, User};
use testkit::each_database;
use tower::ServiceExt;

/// Whatever a refused request could have changed.
async fn state(sample: &Sample) -> String {
    let mut conn = sample.engine.store.read().await.unwrap();
    let organization_id = &sample.organization_id;
    let companies = store::companies::list(&mut conn, organization_id).await.unwrap();
    let members = store::members::list(&mut conn, organization_id).await.unwrap();
    let invitations = store::invitations::list_open(&mut conn, organization_id).await.unwrap();
    let connections = store::connections::list(&mut conn, organization_id).await.unwrap();
    let keys = store::api_keys::list(&mut conn, organization_id).await.unwrap().len();
    let name = store::members::organization_name(&mut conn, organization_id).await.unwrap();
    let days = store::log_retention::days(&mut conn, organization_id).await.unwrap();
    let roles: Vec<_> = members.iter().map(|member| (member.user_id.clone(), member.role)).collect();
    format!("{companies:?}{roles:?}{invitations:?}{connections:?}{keys}{name:?}{days}")
}

/// Path, body, status, and the field that is named.
type Row = (&'static str, String, u16, &'static str);

// reliability.md 5.3, rows 28 to 42, 58 and 66 to 77, for every operation that takes a body
#[tokio::test]
async fn a_body_that_cannot_be_taken_names_its_field_and_changes_nothing() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let id = books(&sample).await;
        let before = state(&sample).await;
        let mapping: &'static str = format!("/companies/{id}/mapping/decisions").leak();
        let name = |text: &str| json!({ "name": text }).to_string();
        let schedule = |minutes: &str| format!("{{\"companies\":[\"{id}\"],\"interval_minutes\":{minutes}}}");
        let set = |account: &str| format!("{{\"account_id\":\"{account}\",\"step\":\"set\",\"category\":\"rent\"}}");
        let rows: Vec<Row> = vec![
            ("/organization", "{\"name\":\"a\",\"role\":\"owner\"}".into(), 422, "role"),
            ("/organization", "{\"name\":\"a\",\"org_id\":\"other\"}".into(), 422, "org_id"),
            ("/organization", "{\"name\":\"a\",\"id\":\"other\"}".into(), 422, "id"),
            ("/organization", "{\"name\":[\"x\"]}".into(), 422, "name"),
            ("/organization", "{\"name\":null}".into(), 422, "name"),
            ("/organization", "{}".into(), 422, ""),
            ("/organization", name(""), 422, "name"),
            ("/organization", name("   "), 422, "name"),
            ("/organization", name("a\u{0}b"), 422, "name"),
            ("/organization", name("a\u{7}b"), 422, "name"),
            ("/organization", name("a\r\nb"), 422, "name"),
            ("/organization", name(&"x".repeat(101)), 422, "name"),
            ("/organization", name(&"x".repeat(900_000)), 422, "name"),
            ("/organization", name(&"x".repeat(1 << 20)), 413, ""),
            ("/organization", "{\"name\":\"a\",\"name\":\"b\"}".into(), 400, ""),
            ("/organization", format!("{{\"name\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)), 400, ""),
            ("/companies/sync", "{\"companies\":[\"a\",\"b\\u0000\"]}".into(), 422, "companies[1]"),
            ("/data-feed/move", "{\"companies\":[\"a\"],\"connection_id\":\"\\u0000\"}".into(), 422, "connection_id"),
            ("/members/member/role", "{\"role\":\"emperor\"}".into(), 422, "role"),
            ("/members/member/role", "{\"role\":\"admin\",\"active\":\"true\"}".into(), 422, "active"),
            ("/members/access", format!("{{\"changes\":[{}]}}", vec!["1"; 100_000].join(",")), 422, "changes[0]"),
            ("/data-feed/schedule", schedule("1e3"), 422, "interval_minutes"),
            ("/data-feed/schedule", schedule("-0"), 422, "interval_minutes"),
            ("/data-feed/schedule", schedule("15.5"), 422, "interval_minutes"),
            ("/data-feed/schedule", schedule("99999999999999999999999"), 422, "interval_minutes"),
            ("/data-feed/schedule", schedule("9223372036854775807"), 422, "interval_minutes"),
            ("/data-feed/schedule", schedule("\"60\""), 422, "interval_minutes"),
            ("/data-feed/schedule", schedule("true"), 422, "interval_minutes"),
            ("/log-settings", "{\"days\":30,\"remove_older\":\"true\"}".into(), 422, "remove_older"),
            ("/companies/sync", format!("{{\"companies\":[{}]}}", vec!["\"x\""; 100_000].join(",")), 422, "companies"),
            (mapping, format!("{{\"decisions\":[{}]}}", set("nobody")), 422, "decisions[0]"),
            (mapping, format!("{{\"decisions\":[{},{}]}}", set("odd"), set("odd")), 422, "decisions[1].account_id"),
            (mapping, format!("{{\"decisions\":[{}],\"note\":7}}", set("odd")), 422, "note"),
            ("/members/owner/role", "{\"role\":\"member\"}".into(), 409, ""),
        ];
        for (path, body, status, field) in rows {
            let answer = program.post_with(path, &body, &[]).await;
            let shown: String = body.chars().take(100).collect();
            assert_eq!(answer.status.as_u16(), status, "{path} {shown}: {}", answer.text);
            assert!(!answer.code().is_empty() && !answer.message().is_empty(), "{path} {shown}: {}", answer.text);
            if status == 422 {
                assert_eq!(answer.body["error"]["fields"][0]["field"], field, "{path} {shown}: {}", answer.text);
                let message = answer.body["error"]["fields"][0]["message"].as_str().unwrap();
                assert!(!message.is_empty() && message.len() < 400 && !message.contains(" at line "), "{path} {shown}: {message}");
            }
        }
        // a tag that is stale, and one whose change nobody tags
        let stale = program.post_with("/organization", &name("Other"), &[("if-match", "\"0123\"")]).await;
        assert_eq!((stale.status, stale.code()), (StatusCode::PRECONDITION_FAILED, "precondition_failed"), "{}", stale.text);
        let unreachable =
            Request::builder().method("OPTIONS").uri("/api/v1/organization").header("host", HOST).header("origin", "https://evil.example");
        let preflight = send(&sample, unreachable.header("access-control-request-method", "POST").body(Body::empty()).unwrap()).await;
        assert!(!preflight.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", preflight.headers);
        assert_eq!(state(&sample).await, before, "a refused request changed something");
        // and the next good one works
        assert_eq!(program.post("/organization", json!({ "name": "Birchwood" })).await.status, StatusCode::OK);
    })
    .await;
}

// reliability.md 5.3, rows 3, 4, 8, 18, 61 to 64, 80
#[tokio::test]
async fn keys_that_have_ended_cursors_of_others_and_floods_are_refused_and_others_are_unhurt() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        // expired, and cut or padded
        let short = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Read, &[]).await;
        let mut tx = sample.engine.store.begin().await.unwrap();
        tx.execute(
            "UPDATE api_keys SET expires_at = 1 WHERE name <> 'x' AND secret_hash = $1",
            vec![store::seal::token_hash(&short.secret).as_str().into()],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let expired = short.get("/companies").await;
        assert_eq!((expired.status, expired.message().contains("expired")), (StatusCode::UNAUTHORIZED, true), "{}", expired.text);
        for secret in [format!("{} ", program.secret), program.secret[..20].to_owned(), format!("{}{}", program.secret, "a".repeat(7_000))] {
            let other = Program { sample: &sample, secret };
            assert_eq!(other.get("/companies").await.status, StatusCode::UNAUTHORIZED);
        }
        // a cursor of another organization
        let (other, stranger) = (OrganizationId::new("zebra"), UserId::new("zoe"));
        let mut tx = sample.engine.store.begin().await.unwrap();
        members::insert_organization(&mut tx, &other, "Zebra", 1).await.unwrap();
        let user = User { id: stranger.clone(), email: "zoe@zebra.example".into(), name: "Zoe".into(), password_hash: None };
        assert!(members::insert_user(&mut tx, &user, 1).await.unwrap());
        members::add(&mut tx, &other, &stranger, Role::Owner, 1).await.unwrap();
        tx.commit().await.unwrap();
        let foreign = key(&sample, &other, &stranger, Role::Admin, KeyAccess::Write, &[]).await;
        let cursor = program.get("/companies?limit=1").await.body["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(foreign.get(&format!("/companies?cursor={cursor}")).await.status, StatusCode::BAD_REQUEST);
        // a company that is not linked, and one whose account the provider refuses
        let companies = program.all("/companies", 200).await;
        for company in companies.iter().filter(|row| row["linked"] == false || row["status"] == "invalid_token") {
            let answer = program.post(&format!("/companies/{}/sync", company["id"].as_str().unwrap()), json!({})).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{company}: {}", answer.text);
        }
        // a thousand at once are one run
        let idle = companies.iter().find(|row| row["status"] == "synced").unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("/companies/{idle}/sync");
        let mut accepted = 0;
        for _ in 0..100 {
            let (a, b) = tokio::join!(program.post(&path, json!({})), program.post(&path, json!({})));
            for answer in [a, b] {
                assert!(matches!(answer.status, StatusCode::ACCEPTED | StatusCode::CONFLICT), "{}", answer.text);
                accepted += usize::from(answer.status == StatusCode::ACCEPTED);
            }
        }
        assert_eq!(accepted, 1);
    })
    .await;
    // the allowance of a key is measured in time: one database is enough
    let folder = tempfile::tempdir().unwrap();
    let mut sample = Sample::empty(&testkit::sqlite_url(folder.path())).await;
    // a small one, so that a slow machine floods it too
    let options = web::WebOptions { key_burst: 200, ..web::WebOptions::new(url::Url::parse("http://tieout.test").unwrap()) };
    sample.router = web::router(sample.engine.clone(), options);
    let (flooding, other) = (admin(&sample).await, admin(&sample).await);
    let mut refused = None;
    for _ in 0..2_000 {
        let answer = flooding.get("/problem-kinds").await;
        if answer.status != StatusCode::OK {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is an end to what one key may ask");
    assert_eq!((refused.status, refused.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(other.get("/problem-kinds").await.status, StatusCode::OK, "others are unhurt");
}

/// Form, status, and what stands on the page.
type Form = (&'static str, String, u16, &'static str);

fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

// reliability.md 5.4, rows 23, 24, 34, 39, 42, 44 to 54, 57 to 61 and 69; see `two_tabs.rs` for row 43, `deleting.rs` for row 37
#[tokio::test]
async fn a_form_that_cannot_be_taken_says_why_beside_its_field_and_changes_nothing() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let before = state(&sample).await;
        let connections = store::connections::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap();
        let connection = connections.iter().find(|connection| connection.name == "Ada Lindqvist").unwrap().id.clone();
        let path = |text: String| -> &'static str { text.leak() };
        let (edit, import) = (path(format!("/companies/{id}/mapping/edit")), path(format!("/companies/{id}/mapping/import")));
        let disconnect = path(format!("/integrations/accounts/{connection}/disconnect"));
        let schedule = |interval: &str, freshness: &str| {
            encoded(&[("company", id.as_str()), ("interval", interval), ("target", "own"), ("freshness", freshness)])
        };
        let table = |text: &str| encoded(&[("table", text)]);
        let mut rows: Vec<Form> = vec![
            ("/organization/settings", encoded(&[("name", &"x".repeat(900_000))]), 422, "Use at most 100 characters"),
            (disconnect, encoded(&[("data", "erase"), ("name", "ada lindqvist")]), 422, "type the name of the account exactly"),
            (disconnect, encoded(&[("data", "shred")]), 422, "Choose whether the data are kept or erased"),
            ("/integrations/accounts/none/disconnect", encoded(&[("data", "keep")]), 404, "Nothing here"),
            ("/integrations/connect/sage", String::new(), 404, "Nothing here"),
            ("/integrations/logs/settings", encoded(&[("days", "29")]), 422, "from 30 to 3,650"),
            ("/notifications/settings", encoded(&[("quiet_from", "25:00"), ("quiet_until", "07:00")]), 422, "22:00"),
            ("/notifications/webhook", encoded(&[("url", "https://127.0.0.1/x"), ("chat_stale", "1")]), 422, "address"),
            (edit, encoded(&[("account", "odd"), ("category", "nowhere")]), 422, "is no category of the standard chart"),
            (edit, encoded(&[("account", "odd"), ("category", "rent"), ("note", &"n".repeat(5_000))]), 422, "Shorten it"),
            (import, table(""), 422, "The table is empty"),
            (import, table("\u{feff}"), 422, "The table is empty"),
            (import, table("account_id\nodd"), 422, "no column “category”"),
            (import, table("PK\u{3}\u{4}\u{14}\u{0}\u{8}\u{0}mapping.csv"), 422, "Line 1"),
            (import, table("account_id,category\nodd,\"rent"), 422, "Line 2: a quotation mark is opened and never closed"),
            (import, table("account_id,category\n\"odd\u{0}\",rent"), 422, "Line 2: there is no account with the id"),
            (import, table(&format!("account_id,category{}\nodd,nonsense", ",x".repeat(100_000))), 422, "Line 2: “nonsense” is no category"),
            (import, table(&format!("account_id,category\n{}", "bank,bank-accounts\n".repeat(5_001))), 422, "at most 5000 are taken at once"),
            (import, "table=".to_owned() + &"a".repeat(1 << 20), 413, "too much at once"),
            ("/organization/access", encoded(&[("organization", "another")]), 409, "another organization now"),
            ("/organization/members/nobody/role", encoded(&[("role", "admin")]), 404, "Nothing here"),
            ("/organization/members/owner/remove", String::new(), 303, ""),
            ("/organization/members/owner/role", encoded(&[("role", "admin")]), 303, ""),
        ];
        for interval in ["", "0", "-1", "1", "1e9", "abc", "15.5", "99999999999999999999", "43201", "٦٠"] {
            rows.push(("/integrations/data-feed/schedule", schedule(interval, "24"), 422, "between 15 and 43,200"));
        }
        for freshness in ["", "0", "2161", "1.5"] {
            rows.push(("/integrations/data-feed/schedule", schedule("60", freshness), 422, "between 1 and 2,160"));
        }
        let mut faults = Vec::new();
        for (path, form, status, says) in rows {
            let shown: String = form.chars().take(100).collect();
            let answer = sample.post(path, &form).await;
            if answer.status.as_u16() != status || !answer.body.contains(says) {
                let main = answer.body.split("<main").nth(1).unwrap_or(&answer.body);
                let main: String = main.chars().take(1_200).collect();
                faults.push(format!(
                    "{path} {shown}: {}, and `{says}` is {} in {main} {}",
                    answer.status,
                    if answer.body.contains(says) { "" } else { "not" },
                    answer.flash
                ));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
        assert_eq!(state(&sample).await, before, "a refused form changed something");
        // a table whose last row is wrong applies none of it
        let long: String = (0..4_000).map(|_| "bank,\n".to_owned()).collect();
        let wrong = sample.post(import, &table(&format!("account_id,category\n{long}rent,donations\nodd,nonsense"))).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("Line 4003: “nonsense” is no category"), "{}", wrong.body.chars().take(3_000).collect::<String>());
        let page = sample.page(&format!("/companies/{id}/mapping?tab=all&q=miet")).await;
        assert!(page.contains("Rent and leases"), "nothing of the table was applied");
        // text that begins like a formula is kept as text, and neutral on the way out
        let note = sample.post(edit, &encoded(&[("account", "rent"), ("category", "rent"), ("note", "=HYPERLINK(\"https://evil.example\")")])).await;
        assert_eq!(note.status, StatusCode::SEE_OTHER, "{}", note.body);
        let exported = sample.page(&format!("/companies/{id}/mapping/export")).await;
        assert!(!exported.lines().any(|line| line.split(',').any(|cell| cell.trim_matches('"').starts_with('='))), "{exported}");
        // filters are plain text, and what makes no sense is answered without failing
        for query in [
            "q=%25_%5C",
            "q=%5B",
            "q=(%3F",
            "q=%00",
            "q=%ff",
            "message=%25_%5C",
            "from=2026-12-31&until=2026-01-01",
            "cursor=altered",
            "page=-1",
            "page=99999999999999999999",
            "page=abc",
            "older=altered",
            "size=1e9",
            "sort=name%3Bdrop%20table",
            "status=nonsense",
            "provider=sage",
            "tab=nonsense",
            "month=2024-13",
            "as_of=2024-02-30",
            "to=9999-99",
        ] {
            for page in [
                "/companies",
                "/mapping",
                "/palette",
                "/integrations/data-feed",
                "/integrations/logs",
                "/integrations/logs/all",
                "/integrations/logs/all/runs",
                "/organization/members",
                "/organization/access",
            ] {
                let answer = sample.get_as(&sample.owner_token, &format!("{page}?{query}")).await;
                assert!(answer.status.is_success() || answer.status.is_client_error(), "{page}?{query}: {}", answer.status);
            }
            for page in ["", "/statements", "/contacts", "/mapping", "/mapping/history", "/lines"] {
                let answer = sample.get_as(&sample.owner_token, &format!("/companies/{id}{page}?{query}")).await;
                assert!(answer.status.is_success() || answer.status.is_client_error(), "{page}?{query}: {}", answer.status);
            }
        }
        // an address with a NUL, which PostgreSQL cannot look for, and the same in forms
        for page in
            ["/companies/%00", "/companies/%00/mapping", "/integrations/logs/entries/%00", "/invitations/%00", "/reconnect/%00", "/password/%00"]
        {
            let answer = sample.get_as(&sample.owner_token, page).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{page}: {}", answer.body);
        }
        for (path, form) in [
            ("/integrations/data-feed/pause", "company=%00"),
            ("/integrations/data-feed/token-user", "company=%00&account=%00"),
            ("/integrations/data-feed/select", "take=all&back=/integrations/data-feed?q=%2500"),
            ("/organization/access", "reads=%00:%00"),
            ("/sign-in", "email=a%00%40b.example&password=x%00y"),
            ("/password", "email=%00"),
            ("/switch", "organization=%00"),
        ] {
            let answer = sample.post(path, form).await;
            assert!(!answer.status.is_server_error(), "{path} {form}: {}", answer.body);
        }
        let long = sample.get_as(&sample.owner_token, &format!("/integrations/logs/all?q={}", "a".repeat(5_000))).await;
        assert_eq!(long.status, StatusCode::OK, "bounded work, and an answer");
        assert_eq!(sample.get_as(&sample.owner_token, &format!("/companies?q={}", "a".repeat(16_000))).await.status, StatusCode::URI_TOO_LONG);
        // a zone nobody knows is the default
        assert!(sample.page_with_cookie("/companies", "tieout_zone=Mars%2FBase").await.contains("Companies"));
    })
    .await;
}

// reliability.md 5.3, rows 5 to 7 and 44 to 57: what a socket sends
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_is_refused_on_the_wire_and_the_next_one_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let program = admin(&sample).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let options = web::WebOptions::new(url::Url::parse(&format!("http://{HOST}")).unwrap());
    tokio::spawn(web::serve(sample.engine.clone(), options, listener, std::future::pending()));
    let head = format!("Host: {HOST}\r\nAuthorization: Bearer {}\r\n", program.secret);
    let ask = |text: String| -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // who is refused early may be cut off while still sending
        let _ = stream.write_all(text.as_bytes());
        if text.contains("Content-Length: 500") {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let post = format!("POST /api/v1/organization HTTP/1.1\r\n{head}Content-Type: application/json\r\nConnection: close\r\n");
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
    let body = "{\"name\":\"Smuggled\"}";
    let rows: Vec<(&str, String, &[u16])> = vec![
        ("a body that is shorter than stated", format!("{post}Content-Length: 500\r\n\r\n{body}"), &[400, 408, 0]),
        ("both lengths", format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), &[400]),
        ("two lengths", format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{body}"), &[400]),
        ("a bad chunk", format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n"), &[400]),
        (
            "a chunk with an endless extension",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(1 << 20)),
            &[400],
        ),
        ("a header block of 512 KB", format!("GET /api/v1/companies HTTP/1.1\r\n{head}X-Long: {}\r\n\r\n", "x".repeat(512 << 10)), &[431]),
        ("300 headers", format!("GET /api/v1/companies HTTP/1.1\r\n{head}{}\r\n", "X-Many: 1\r\n".repeat(300)), &[431]),
        ("an address of 16 KB", get(&format!("/api/v1/companies?name={}", "x".repeat(16 << 10))), &[414]),
        ("an unknown method", format!("PROPFIND /api/v1/companies HTTP/1.1\r\n{head}Connection: close\r\n\r\n"), &[405, 501]),
        ("a method in small letters", format!("get /api/v1/companies HTTP/1.1\r\n{head}Connection: close\r\n\r\n"), &[405, 501]),
        ("garbage", "\u{1}\u{2}hello\r\n\r\n".to_owned(), &[400, 0]),
        ("a version there is not", format!("GET /api/v1/companies HTTP/3.7\r\n{head}\r\n"), &[400, 505, 0]),
        ("another host", "GET /api/v1/companies HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(), &[421]),
        ("a dot in the path", get("/api/v1/./api-keys"), &[404]),
        ("two dots in the path", get("/api/v1/companies/../api-keys"), &[404]),
        ("an escaped slash", get("/api/v1%2fapi-keys"), &[404]),
        ("a semicolon in the path", get("/api/v1/api-keys;x"), &[404]),
        ("a dot at the end", get("/api/v1/api-keys."), &[404]),
        ("a key in the address", get("/api/v1/companies?key=tieout_abc"), &[400]),
    ];
    let mut faults = Vec::new();
    for (what, request, statuses) in rows {
        let answer = ask(request);
        let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        if !statuses.contains(&status) || answer.contains("panicked") || answer.contains("SELECT ") {
            faults.push(format!("{what}: {status}, not {statuses:?}: {}", answer.chars().take(300).collect::<String>()));
        }
        // the next good request works
        let good = ask(get("/api/v1/organization"));
        assert!(good.contains("Birchwood Advisory"), "after {what}: {good}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(program.get("/organization").await.body["name"], "Birchwood Advisory", "nothing was smuggled in");
}

// reliability.md 5.3, row 44
#[tokio::test]
async fn a_body_without_an_end_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    // from here on time passes as soon as everybody waits
    tokio::time::pause();
    for (path, kind) in [("/sign-in", "application/x-www-form-urlencoded"), ("/api/v1/organization", "application/json")] {
        let endless = Body::from_stream(futures::stream::pending::<Result<&'static str, std::io::Error>>());
        let request = Request::builder().method(Method::POST).uri(path).header("host", "tieout.example:8484").header("origin", PUBLIC_URL);
        let response = site.router.clone().oneshot(request.header("content-type", kind).body(endless).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT, "{path}");
    }
}

/// Names and texts as a provider may send them.
const TEXTS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "\u{202e}gnp.exe\u{2066}",
    "{{ 7*7 }} ${7*7} <%= 7 %>",
    "👩‍👩‍👧‍👦 Æther \u{0}\u{7}\u{1b}[31m",
    "=HYPERLINK(\"https://evil.example\")",
];

// reliability.md 3.6, S-072 and S-074: what a provider sends is text on every page
#[tokio::test]
async fn texts_of_providers_neither_break_nor_script_a_page() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        for text in TEXTS.into_iter().map(str::to_owned).chain(["x".repeat(10_000), "<b>".repeat(3_400)]) {
            // PostgreSQL keeps no NUL in text, and neither do we
            let stored = text.replace('\u{0}', "");
            let mut tx = sample.engine.store.begin().await.unwrap();
            for (sql, _) in [
                ("UPDATE companies SET name = $1, country = $1 WHERE organization_id = 'org'", 0),
                ("UPDATE connections SET name = $1, email = $1 WHERE organization_id = 'org'", 0),
                ("UPDATE log_entries SET message = $1, company_name = $1, account_name = $1 WHERE organization_id = 'org'", 0),
                ("UPDATE incidents SET sentence = $1, subject = $1 WHERE organization_id = 'org'", 0),
                ("UPDATE quarantine SET reason = $1", 0),
                ("UPDATE accounts SET name = $1, code = $1, account_type = $1", 0),
                ("UPDATE documents SET name = $1, number = $1", 0),
            ] {
                tx.execute(sql, vec![stored.as_str().into()]).await.unwrap();
            }
            tx.commit().await.unwrap();
            let connection =
                store::connections::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap()[0].id.clone();
            let company = company_ids(&sample).await[0].clone();
            let pages = [
                "/integrations".to_owned(),
                format!("/integrations/accounts/{connection}"),
                format!("/integrations/accounts/{connection}/disconnect"),
                format!("/integrations/accounts/{connection}/setup"),
                format!("/integrations/accounts/{connection}/link"),
                "/integrations/data-feed".into(),
                "/integrations/data-feed/resync-all".into(),
                format!("/integrations/data-feed/schedule?company={company}"),
                format!("/integrations/data-feed/token-user?company={company}"),
                "/integrations/logs".into(),
                "/integrations/logs/all".into(),
                format!("/integrations/logs/companies/{company}"),
                "/integrations/logs/all/runs".into(),
                "/integrations/incidents".into(),
                "/organization/access".into(),
                "/organization/invitations/new".into(),
                "/organization/members/owner/remove".into(),
                "/companies".into(),
                "/palette?q=".into(),
                "/mapping".into(),
                format!("/companies/{id}"),
                format!("/companies/{id}/statements"),
                format!("/companies/{id}/statements?report=trial-balance"),
                format!("/companies/{id}/lines?account=odd&month=2026-11"),
                format!("/companies/{id}/contacts"),
                format!("/companies/{id}/mapping?tab=all"),
                format!("/companies/{id}/mapping/history"),
                format!("/companies/{id}/mapping/edit?account=odd&category=rent"),
                "/notifications".into(),
            ];
            for path in pages {
                let page = sample.page(&path).await;
                let shown: String = stored.chars().take(30).collect();
                let lower = page.to_lowercase();
                for markup in ["<script>alert", "<img src=x", "<b><b>", "<%="] {
                    assert!(!lower.contains(markup), "{path} with `{shown}` holds `{markup}`");
                }
                assert!(page.trim_end().ends_with("</html>"), "{path} with `{shown}` has no end");
                assert!(page.len() < 8 << 20, "{path} with `{shown}` is {} bytes", page.len());
            }
            // and is not run by spreadsheets
            let csv = sample.page("/integrations/data-feed/export.csv").await;
            assert!(!csv.lines().any(|line| line.starts_with('=') || line.contains(",=") || line.contains("\"=")), "{csv}");
        }
    })
    .await;
}
