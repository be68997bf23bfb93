//! The JSON API from outside: keys, lists, refusals, idempotency, and every operation against every role and everybody's ids.
use crate::sample::{DAY, HOST, NOW_MS, Sample};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use domain::ids::{ApiKeyId, CompanyId, OrganizationId, RunId, UserId};
use domain::organization::{KeyAccess, Role};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::api_keys::{self, NewApiKey};
use store::members::{self, User};
use testkit::each_database;
use tower::ServiceExt;

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or("")
    }
}

/// One program that calls.
pub struct Program<'a> {
    pub sample: &'a Sample,
    pub secret: String,
}

impl Program<'_> {
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("host", HOST);
        request.header("authorization", format!("Bearer {}", self.secret))
    }
    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(self.sample, request).await
    }
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with(path, &body.to_string(), &[]).await
    }
    pub async fn post_with(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.request(Method::POST, path);
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
    /// All rows of a list, a page at a time.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        for _ in 0..200 {
            let joint = if path.contains('?') { '&' } else { '?' };
            let answer = self.get(&format!("{path}{joint}limit={limit}{cursor}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            let data = answer.body["data"].as_array().unwrap();
            assert!(data.len() <= limit);
            rows.extend(data.iter().cloned());
            match answer.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
        panic!("{path} does not end");
    }
}

pub async fn send(sample: &Sample, request: Request<Body>) -> Answer {
    let response = sample.router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 16 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: head.status, headers: head.headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}

/// A key in the name of somebody, made through the store.
pub async fn key<'a>(
    sample: &'a Sample,
    organization_id: &OrganizationId,
    user_id: &UserId,
    role: Role,
    access: KeyAccess,
    companies: &[CompanyId],
) -> Program<'a> {
    let secret = format!("tieout_{}", sample.engine.make_id());
    let id = ApiKeyId(sample.engine.make_id());
    let new = NewApiKey {
        id: &id,
        organization_id,
        name: "Nightly load",
        secret: &secret,
        prefix: &secret[..13],
        role,
        access,
        companies,
        created_by: user_id,
        expires_at: Some(sample.now_ms + DAY),
        now_ms: sample.now_ms,
    };
    let mut tx = sample.engine.store.begin().await.unwrap();
    api_keys::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    Program { sample, secret }
}

pub async fn company_ids(sample: &Sample) -> Vec<CompanyId> {
    let companies = store::companies::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap();
    companies.into_iter().map(|company| company.id).collect()
}

pub async fn admin(sample: &Sample) -> Program<'_> {
    key(sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Write, &[]).await
}

// proves G8
#[tokio::test]
async fn a_key_is_shown_once_obeys_its_maker_and_ends_when_told() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let made = sample.post("/organization/api-keys", "name=Warehouse&role=admin&access=write&days=30").await;
        assert_eq!(made.status, StatusCode::OK);
        let secret = made.body.split("id=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("the secret is shown").to_owned();
        assert!(secret.starts_with("tieout_") && secret.len() == 50, "{secret}");
        let listed = sample.get_as(&sample.owner_token, "/organization/api-keys").await;
        assert!(listed.body.contains("Warehouse") && listed.body.contains(&secret[..13]) && !listed.body.contains(&secret), "shown once only");
        let program = Program { sample: &sample, secret: secret.clone() };
        let organization = program.get("/organization").await;
        assert_eq!(organization.status, StatusCode::OK, "{}", organization.text);
        assert_eq!(organization.body["key"]["role"], "admin");
        assert_eq!(organization.body["name"], "Birchwood Advisory");
        let keys = program.get("/api-keys").await;
        assert_eq!(keys.body["data"][0]["name"], "Warehouse");
        assert!(keys.body["data"][0]["last_used_at"].is_string(), "{}", keys.text);

        // a key obeys the role its maker has now
        let set_role = async |role: Option<Role>| {
            let mut tx = sample.engine.store.begin().await.unwrap();
            match role {
                Some(role) => members::add(&mut tx, &sample.organization_id, &sample.owner, role, NOW_MS).await.unwrap(),
                None => drop(tx.execute("DELETE FROM members WHERE user_id = 'owner'", vec![]).await.unwrap()),
            }
            tx.commit().await.unwrap();
        };
        set_role(Some(Role::Member)).await;
        assert_eq!(program.get("/runs").await.status, StatusCode::FORBIDDEN);
        assert_eq!(program.get("/companies").await.body["data"], json!([]), "a demoted maker's key reaches no company");
        set_role(None).await;
        assert_eq!(program.get("/companies").await.status, StatusCode::UNAUTHORIZED);
        set_role(Some(Role::Owner)).await;
        assert_eq!(program.get("/runs").await.status, StatusCode::OK);

        // a key that may only read, and one that has ended
        let reader = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Read, &[]).await;
        let refused = reader.post("/companies/sync", json!({})).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"), "{}", refused.text);
        let id = keys.body["data"][0]["id"].as_str().unwrap();
        let revoked = program.send(program.request(Method::DELETE, &format!("/api-keys/{id}")).body(Body::empty()).unwrap()).await;
        assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
        assert_eq!(program.get("/organization").await.status, StatusCode::UNAUTHORIZED);
        let again = sample.post(&format!("/organization/api-keys/{id}/revoke"), "").await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
    })
    .await;
}

// proves G8 in part
#[tokio::test]
async fn a_key_is_made_with_what_its_maker_may_and_no_more() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        for (body, field) in [
            (json!({"name": "", "role": "admin", "access": "read"}), "name"),
            (json!({"name": "x\u{0}y", "role": "admin", "access": "read"}), "name"),
            (json!({"name": "x".repeat(201), "role": "admin", "access": "read"}), "name"),
            (json!({"name": "x", "role": "owner", "access": "read"}), "role"),
            (json!({"name": "x", "role": "member", "access": "read"}), "companies"),
            (json!({"name": "x", "role": "member", "access": "read", "companies": ["none"]}), "companies"),
            (json!({"name": "x", "role": "admin", "access": "all"}), "access"),
            (json!({"name": "x", "role": "admin", "access": "read", "expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
            (json!({"name": "x", "role": "admin", "access": "read", "expires_at": "2026-12-01"}), "expires_at"),
        ] {
            let answer = program.post("/api-keys", body.clone()).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
            assert_eq!(answer.body["error"]["fields"][0]["field"], field, "{body}: {}", answer.text);
        }
        let company = company_ids(&sample).await[0].clone();
        let made = program.post("/api-keys", json!({"name": "One book", "role": "member", "access": "read", "companies": [company.0]})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let confined = Program { sample: &sample, secret: made.body["secret"].as_str().unwrap().to_owned() };
        let seen = confined.all("/companies", 2).await;
        assert_eq!(seen.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), [company.as_str()]);
        assert!(seen[0]["connection_id"].is_null(), "a Member does not see accounts");
        for path in ["/connections", "/runs", "/log-entries", "/api-keys"] {
            assert_eq!(confined.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        // the form says the same beside its fields
        for (form, words) in [
            ("name=&role=admin&access=read&days=30", "Give the key a name"),
            ("name=x&role=member&access=read&days=30", "Choose at least one"),
            ("name=x&role=admin&access=read&days=0", "Choose 1 to 366 days"),
            ("name=x&role=owner&access=read&days=30", "Choose Member or Admin"),
            ("name=x&role=admin&access=&days=30", "Choose whether the key may act"),
        ] {
            let page = sample.post("/organization/api-keys", form).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
            assert!(page.body.contains(words), "{form}: `{words}`");
        }
    })
    .await;
}

// proves G1 in part
#[tokio::test]
async fn every_bad_request_is_refused_in_the_one_form_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let program = admin(&sample).await;
    let company = company_ids(&sample).await[0].clone();
    let runs_before = program.all("/runs", 200).await.len();

    let authorizations: [(&[&str], u16); 8] = [
        (&[], 401),
        (&["Bearer"], 401),
        (&["Bearer nonsense"], 401),
        (&["Basic dXNlcjpwYXNz"], 401),
        (&["Bearer tieout_0000"], 401),
        (&["Bearer  tieout_0000"], 401),
        (&["Bearer tieout_a", "Bearer tieout_b"], 400),
        (&["bearer"], 401),
    ];
    for (values, status) in authorizations {
        let mut request = Request::builder().uri("/api/v1/companies").header("host", HOST);
        for value in values {
            request = request.header("authorization", *value);
        }
        let answer = send(&sample, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{values:?}: {}", answer.text);
        assert!(!answer.code().is_empty() && !answer.message().is_empty(), "{values:?}");
        assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), status == 401, "{values:?}");
    }
    let long = format!("Bearer tieout_{}", "a".repeat(7_000));
    let answer =
        send(&sample, Request::builder().uri("/api/v1/companies").header("host", HOST).header("authorization", long).body(Body::empty()).unwrap());
    assert_eq!(answer.await.status, StatusCode::UNAUTHORIZED);

    let id = &company.0;
    for (path, status, words) in [
        ("/companies/none".to_owned(), 404, "cannot reach"),
        ("/companies/..%2e%2f".to_owned(), 404, ""),
        ("/companies/%00".to_owned(), 400, "control character"),
        ("/companies/%ff".to_owned(), 400, "UTF-8"),
        (format!("/companies/{id}/"), 404, ""),
        ("//companies".to_owned(), 404, ""),
        ("/companies?limit=-1".to_owned(), 400, "from 1 to 200"),
        ("/companies?limit=0".to_owned(), 400, "from 1 to 200"),
        ("/companies?limit=abc".to_owned(), 400, "limit"),
        ("/companies?limit=1.5".to_owned(), 400, "from 1 to 200"),
        ("/companies?limit=1000000000".to_owned(), 400, "from 1 to 200"),
        ("/companies?limit=5&limit=6".to_owned(), 400, "limit"),
        ("/companies?cursor=garbage".to_owned(), 400, "cursor"),
        ("/companies?colour=red".to_owned(), 400, "colour"),
        ("/companies?sort=name;drop%20table".to_owned(), 400, "sort"),
        ("/companies?provider=sage".to_owned(), 400, "sage"),
        ("/companies?name=%00".to_owned(), 400, "NUL"),
        ("/companies?linked=yes".to_owned(), 400, "true or false"),
        (format!("/companies/{id}/trial-balance?as_of=2024-02-30"), 400, "2026-01-31"),
        (format!("/companies/{id}/trial-balance?basis=both"), 400, "accrual or cash"),
        (format!("/companies/{id}/profit-and-loss"), 400, "from"),
        (format!("/companies/{id}/profit-and-loss?from=2026-02&to=2026-01"), 400, "after"),
        (format!("/companies/{id}/profit-and-loss?from=1726-01&to=2026-01"), 400, "120 months"),
        (format!("/companies/{id}/records/Unicorn"), 404, ""),
        (format!("/companies/{id}/records/Invoice/none"), 404, ""),
        ("/log-entries?from=2026-01-31".to_owned(), 400, "offset"),
        ("/log-entries?from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z".to_owned(), 400, "after"),
        ("/log-entries/abc".to_owned(), 404, ""),
        ("/nothing".to_owned(), 404, ""),
    ] {
        let answer = program.get(&path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert!(!answer.code().is_empty(), "{path} is not refused in the one form: {}", answer.text);
        assert!(answer.message().contains(words), "{path}: `{words}` is not in `{}`", answer.message());
    }
    // unknown, foreign and malformed ids are one answer
    let unknown = program.get("/companies/0123456789abcdef0123456789abcdef").await;
    assert_eq!(unknown.text, program.get("/companies/x").await.text);
    // years beyond the books are bounded work
    assert_eq!(program.get("/log-entries?from=1726-01-01T00:00:00Z&until=2026-01-01T00:00:00Z").await.status, StatusCode::OK);

    for (body, headers, status) in [
        ("not json", vec![], 400),
        ("", vec![], 400),
        ("null", vec![], 400),
        ("[]", vec![], 400),
        ("\"x\"", vec![], 400),
        ("{", vec![], 400),
        ("{\"extent\":\"full\",\"extent\":\"full\"}", vec![], 400),
        ("{\"extent\":\"everything\"}", vec![], 422),
        ("{\"extent\":[\"full\"]}", vec![], 422),
        ("{\"extent\":1e3}", vec![], 422),
        ("{\"role\":\"owner\"}", vec![], 422),
        ("{\"org_id\":\"other\"}", vec![], 422),
        ("{}", vec![("content-type", "text/plain")], 415),
        ("{}", vec![("content-type", "application/json; charset=utf-7")], 415),
        ("{}", vec![("content-encoding", "gzip")], 415),
        ("{}", vec![("accept", "application/xml")], 406),
        ("{}", vec![("idempotency-key", "with blanks")], 400),
        ("{}", vec![("idempotency-key", "")], 400),
    ] {
        let answer = program.post_with(&format!("/companies/{id}/sync"), body, &headers).await;
        assert_eq!(answer.status.as_u16(), status, "{body} {headers:?}: {}", answer.text);
        assert!(!answer.code().is_empty(), "{body} {headers:?}: {}", answer.text);
    }
    let bare = program.request(Method::POST, &format!("/companies/{id}/sync")).body(Body::from("{}")).unwrap();
    assert_eq!(program.send(bare).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = program.post_with("/companies/sync", &format!("{{\"companies\": [\"{}\"]}}", "x".repeat(1 << 20)), &[]).await;
    assert_eq!((large.status, large.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"), "{}", large.text);
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    assert_eq!(program.post("/companies/sync", json!({ "companies": many })).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let deep = format!("{{\"companies\": {}", "[".repeat(5_000));
    assert_eq!(program.post_with("/companies/sync", &deep, &[]).await.status, StatusCode::BAD_REQUEST);
    for method in [Method::PUT, Method::PATCH, Method::TRACE, Method::DELETE] {
        let answer = program.send(program.request(method.clone(), "/companies").body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"), "{method}: {}", answer.text);
    }
    // a method is what it is
    let overridden = program.request(Method::GET, "/companies").header("x-http-method-override", "DELETE").body(Body::empty()).unwrap();
    assert_eq!(program.send(overridden).await.status, StatusCode::OK);
    // a page of another site cannot use a person's session here, and is not told anything
    let foreign = Request::builder().method(Method::POST).uri("/api/v1/companies/sync").header("host", HOST);
    let foreign = foreign.header("cookie", format!("tieout_session={}", sample.owner_token)).header("origin", "https://evil.example");
    let answer = send(&sample, foreign.header("content-type", "application/json").body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    // a key in an address is refused and known as exposed
    let exposed =
        send(&sample, Request::builder().uri(format!("/api/v1/companies?key={}", program.secret)).header("host", HOST).body(Body::empty()).unwrap());
    let exposed = exposed.await;
    assert_eq!(exposed.status, StatusCode::BAD_REQUEST);
    assert!(exposed.message().contains("Authorization header"));
    assert!(program.get("/api-keys").await.body["data"][0]["exposed_at"].is_string());

    assert_eq!(program.all("/runs", 200).await.len(), runs_before, "a refused request started something");
}

// proves G10
#[tokio::test]
async fn lists_come_whole_and_once_and_an_unchanged_answer_is_not_sent_again() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        for (path, unique) in [("/companies", "id"), ("/runs", "id"), ("/log-entries", "id")] {
            let whole = program.all(path, 200).await;
            let by_two = program.all(path, 2).await;
            assert!(whole.len() > 2, "{path} has {} rows", whole.len());
            assert_eq!(whole, by_two, "{path} in pages of two is another list");
            let ids: BTreeSet<&str> = whole.iter().map(|row| row[unique].as_str().unwrap()).collect();
            assert_eq!(ids.len(), whole.len(), "{path} names a row twice");
        }
        let first = program.get("/companies?limit=2").await;
        let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
        let again = program.request(Method::GET, "/companies?limit=2").header("if-none-match", &tag).body(Body::empty()).unwrap();
        let again = program.send(again).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
        let other = program.request(Method::GET, "/companies?limit=2").header("if-none-match", "\"other\"").body(Body::empty()).unwrap();
        assert_eq!(program.send(other).await.status, StatusCode::OK);
        // a cursor belongs to its list, its filter and its reader, to the last byte
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let mut altered = cursor.to_owned();
        let last = altered.pop().unwrap();
        altered.insert(4, last);
        let stranger = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Read, &[]).await;
        assert_eq!(program.get(&format!("/companies?cursor={altered}")).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(program.get(&format!("/companies?provider=xero&cursor={cursor}")).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(program.get(&format!("/runs?cursor={cursor}")).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(stranger.get(&format!("/companies?cursor={cursor}")).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(program.get(&format!("/companies?limit=200&cursor={cursor}")).await.status, StatusCode::OK);
        // filters
        let xero = program.all("/companies?provider=xero", 3).await;
        assert!(!xero.is_empty() && xero.iter().all(|row| row["provider"] == "xero"));
        let errors = program.all("/log-entries?status=error", 5).await;
        assert!(!errors.is_empty() && errors.iter().all(|row| row["status"] == "error" && row["body"]["what_to_do"].is_string()));
        let named = program.all("/log-entries?reference=7F0C2A4E-11c9-4a55-9f0e-d2f1f6b0b6a1", 5).await;
        assert_eq!(named.iter().map(|row| &row["body"]["provider_request_id"]).collect::<Vec<_>>(), ["7f0c2a4e-11c9-4a55-9f0e-d2f1f6b0b6a1"]);
        let name = xero[0]["name"].as_str().unwrap();
        let part = &name[..4];
        let found = program.all(&format!("/companies?name={}", url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>()), 50).await;
        assert!(found.iter().any(|row| row["name"] == name));
    })
    .await;
}

// proves G9
#[tokio::test]
async fn a_request_that_is_sent_again_has_one_effect_and_gets_the_first_answer() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let idle = program.all("/companies?linked=true", 50).await.into_iter().find(|row| row["status"] == "synced").expect("a company at rest");
        let path = format!("/companies/{}/sync", idle["id"].as_str().unwrap());
        let key = [("idempotency-key", "5f2c-1")];
        let (first, second) = tokio::join!(program.post_with(&path, "{}", &key), program.post_with(&path, "{}", &key));
        let statuses = [first.status, second.status];
        assert!(statuses.contains(&StatusCode::ACCEPTED), "{} {}", first.text, second.text);
        assert!(statuses.iter().all(|status| matches!(*status, StatusCode::ACCEPTED | StatusCode::CONFLICT)), "{statuses:?}");
        let answered = if first.status == StatusCode::ACCEPTED { first } else { second };
        let again = program.post_with(&path, "{}", &key).await;
        assert_eq!((again.status, &again.text), (StatusCode::ACCEPTED, &answered.text));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let other = program.post_with(&path, "{\"extent\":\"full\"}", &key).await;
        assert_eq!((other.status, other.code()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid_body"));
        // without the key it is a new request, and a company has one sync
        let running = program.post(&path, json!({})).await;
        assert_eq!((running.status, running.body["error"]["run_id"].as_str()), (StatusCode::CONFLICT, answered.body["id"].as_str()));
        // another key of the API has idempotency keys of its own
        let others = self::key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Write, &[]).await;
        assert_eq!(others.post_with(&path, "{}", &key).await.status, StatusCode::CONFLICT);
        let cancelled = program.post(&format!("/runs/{}/cancel", answered.body["id"].as_str().unwrap()), json!({})).await;
        assert_eq!(cancelled.body["state"], "cancelled", "{}", cancelled.text);
        let twice = program.post(&format!("/runs/{}/cancel", answered.body["id"].as_str().unwrap()), json!({})).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
    })
    .await;
}

// proves G8, H8 in part
// proves H2
#[tokio::test]
async fn every_operation_keeps_to_the_organization_and_the_role_of_its_key() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let engine = &sample.engine;
        // somebody of another organization, with a key that may do everything there
        let (other, stranger) = (OrganizationId(engine.make_id()), UserId(engine.make_id()));
        let mut tx = engine.store.begin().await.unwrap();
        members::insert_organization(&mut tx, &other, "Zebra", NOW_MS).await.unwrap();
        let user = User { id: stranger.clone(), email: "zoe@zebra.example".into(), name: "Zoe".into(), password_hash: None };
        assert!(members::insert_user(&mut tx, &user, NOW_MS).await.unwrap());
        members::add(&mut tx, &other, &stranger, Role::Owner, NOW_MS).await.unwrap();
        tx.commit().await.unwrap();
        let foreign = key(&sample, &other, &stranger, Role::Admin, KeyAccess::Write, &[]).await;
        let own = admin(&sample).await;
        let company = crate::mapping::books(&sample).await;
        let confined = key(&sample, &sample.organization_id, &sample.owner, Role::Member, KeyAccess::Write, std::slice::from_ref(&company)).await;
        let companies = own.all("/companies", 200).await;
        let elsewhere = companies.iter().map(|row| row["id"].as_str().unwrap()).find(|id| *id != company.as_str()).unwrap().to_owned();
        let run = own.all("/runs", 200).await[0]["id"].as_str().unwrap().to_owned();
        let connection = own.get("/connections").await.body["data"][0]["id"].as_str().unwrap().to_owned();
        let entry = own.all("/log-entries", 200).await[0]["id"].as_str().unwrap().to_owned();
        let api_key = own.get("/api-keys").await.body["data"][0]["id"].as_str().unwrap().to_owned();
        let account = own.get(&format!("/companies/{company}/accounts")).await.body["data"][0]["id"].as_str().unwrap_or("1").to_owned();
        let member = "member".to_owned();
        let incident = own.all("/incidents", 200).await[0]["id"].as_str().unwrap().to_owned();
        let invited = own.post("/invitations", json!({ "emails": ["nina@new.example"], "role": "member" })).await;
        let invitation = invited.body["data"][0]["id"].as_str().unwrap().to_owned();
        own.post("/notification-settings/test", json!({})).await;
        let notification = own.all("/notifications", 200).await[0]["id"].as_str().unwrap().to_owned();
        // an Admin's key that is confined to one company reaches as far as a Member's, and nothing of the organization as a whole
        let narrow = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Write, std::slice::from_ref(&company)).await;
        let names_elsewhere: Vec<&str> = companies
            .iter()
            .filter(|row| row["id"] != company.as_str())
            .flat_map(|row| [row["id"].as_str().unwrap(), row["name"].as_str().unwrap()])
            .collect();
        let mut tried = 0;
        for operation in web::api::all() {
            let id = match operation.path.split('/').nth(1).unwrap() {
                "runs" => &run,
                "connections" => &connection,
                "log-entries" => &entry,
                "api-keys" => &api_key,
                "members" => &member,
                "incidents" => &incident,
                "invitations" => &invitation,
                "notifications" => &notification,
                _ => &company.0,
            };
            let fill = |id: &str| {
                let path = operation
                    .path
                    .replace("{id}", id)
                    .replace("{data_type}", "Invoice")
                    .replace("{record_id}", "1")
                    .replace("{account_id}", &account);
                let needs = if operation.path.ends_with("postings") { "?month=2026-01" } else { "" };
                let needs = if operation.path.ends_with("contact-balances") { "?side=receivable" } else { needs };
                let needs = if operation.path.ends_with("loss") || operation.path.ends_with("sheet") { "?from=2026-01&to=2026-02" } else { needs };
                format!("{path}{needs}")
            };
            let ask = async |program: &Program<'_>, path: &str| {
                let request = program.request(operation.method.clone(), path).header("content-type", "application/json");
                let body = operation.example.as_ref().map(Value::to_string).unwrap_or_default();
                program.send(request.body(Body::from(body)).unwrap()).await
            };
            tried += 1;
            let name = format!("{} {}", operation.method, operation.path);
            if operation.path.contains("{id}") {
                let unknown = ask(&foreign, &fill("0123456789abcdef0123456789abcdef")).await;
                let theirs = ask(&foreign, &fill(id)).await;
                assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{name} of an unknown id: {}", unknown.text);
                assert_eq!((theirs.status, &theirs.text), (unknown.status, &unknown.text), "{name} tells a foreign id from an unknown one");
                if operation.path.starts_with("/companies/") {
                    let hidden = ask(&confined, &fill(&elsewhere)).await;
                    let expected = if Role::Member.may(operation.needs.action) { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
                    assert_eq!(hidden.status, expected, "{name} by a key that does not reach the company: {}", hidden.text);
                    let hidden = ask(&narrow, &fill(&elsewhere)).await;
                    assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{name} by an Admin's key that does not reach the company: {}", hidden.text);
                }
            } else {
                let theirs = ask(&foreign, &fill("")).await;
                assert!(theirs.status.is_success() || theirs.status.is_client_error(), "{name}: {}", theirs.text);
                for row in &companies {
                    assert!(!theirs.text.contains(row["id"].as_str().unwrap()), "{name} shows a foreign company");
                }
            }
            if !Role::Member.may(operation.needs.action) {
                assert_eq!(ask(&confined, &fill(id)).await.status, StatusCode::FORBIDDEN, "{name} by a Member's key");
            }
            if operation.method == Method::GET {
                let whole = ask(&own, &fill(id)).await;
                // of the records only their list is written here
                let expected = if operation.id == "get_record" { StatusCode::NOT_FOUND } else { StatusCode::OK };
                assert_eq!(whole.status, expected, "{name}: {}", whole.text);
                for (program, who) in [(&confined, "a Member's key"), (&narrow, "a confined Admin's key")] {
                    let answer = ask(program, &fill(id)).await;
                    assert!(answer.status.is_success() || answer.status.is_client_error(), "{name} by {who}: {}", answer.text);
                    for other in &names_elsewhere {
                        assert!(!answer.text.contains(other), "{name} shows {who} `{other}`, which it does not reach");
                    }
                }
            }
            let nobody = Program { sample: &sample, secret: "tieout_none".into() };
            assert_eq!(ask(&nobody, &fill(id)).await.status, StatusCode::UNAUTHORIZED, "{name} without a key");
        }
        assert!(tried >= 80, "only {tried} operations were tried");
        let people = own.get("/members").await;
        assert!(people.body["data"].as_array().unwrap().iter().any(|row| row["id"] == member.as_str()), "a foreign key removed somebody");
        let untouched = store::runs::find(&mut engine.store.read().await.unwrap(), &RunId(run)).await.unwrap().unwrap();
        assert!(untouched.cancel_requested_at.is_none(), "a foreign key cancelled a run");
    })
    .await;
}

// proves G1 in part
#[tokio::test]
async fn the_document_is_the_kept_one_and_tells_of_every_operation() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let answer = send(&sample, Request::builder().uri("/api/v1/openapi.json").header("host", HOST).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let document = &answer.body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for operation in web::api::all() {
        let told = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
        assert_eq!(told["operationId"], operation.id);
        assert!(!operation.summary.is_empty() && !operation.tag.is_empty(), "{} says nothing", operation.path);
        assert!(ids.insert(operation.id), "two operations are called {}", operation.id);
        assert!(operation.answer.is_some(), "{} does not say what it answers", operation.id);
    }
    // every reference leads somewhere
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(document, &mut found);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("WRITE_FEATURES").is_some() {
        std::fs::write(&kept, &answer.text).unwrap();
    }
    let is_kept = std::fs::read_to_string(&kept).unwrap_or_default() == answer.text;
    assert!(is_kept, "docs/openapi.json is not what the server tells: `make features` writes it");
    let page = sample.get_as(&sample.owner_token, "/developers/api").await;
    assert_eq!(page.status, StatusCode::OK);
    for id in ids {
        assert!(page.body.contains(&format!("id=\"{id}\"")), "the reference does not show {id}");
    }
}
