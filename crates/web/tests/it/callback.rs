//! The bad inputs of an OAuth callback (reliability.md 5.1): what is answered, what the page says, and that nothing half done is left.
use crate::site::{Browser, PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::StatusCode;
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use simulator::faults::{Fault, Injected};
use store::args;
use testkit::each_database;
use url::Url;

const RESULT: &str = "/integrations/result";
const INVALID: &str = "This sign-in link is no longer valid";
const DENIED: &str = "Authorization Denied";
const FAILED: &str = "The connection could not be made";
const SILENT: &str = "is not answering";
const SCRIPT: &str = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";

/// A consent under way: its state, and the callback as the provider would send it.
struct Consent {
    state: String,
    code: String,
    realm: String,
}

async fn consent(owner: &Browser<'_>, provider: &str) -> Consent {
    let sent = owner.post(&format!("/integrations/connect/{provider}"), "").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let callback = simulator::consent::approve(&owner.site.sandbox, &Url::parse(sent.location()).unwrap(), &[]).await.unwrap();
    let value = |name: &str| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default();
    Consent { state: value("state"), code: value("code"), realm: value("realmId") }
}

async fn connections(site: &Site) -> usize {
    store::connections::list(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap().len()
}

/// One row of the catalogue. `{s}`, `{c}` and `{r}` stand for the state, the code and the realm of a consent under way.
struct Case {
    row: &'static str,
    provider: &'static str,
    query: String,
    /// What the page says.
    title: &'static str,
    /// The state is used up by it.
    burns: bool,
}

fn cases() -> Vec<Case> {
    let case = |row, provider, query: &str, title, burns| Case { row, provider, query: query.to_owned(), title, burns };
    vec![
        case("1", "xero", "", INVALID, false),
        case("2", "xero", "code={c}", INVALID, false),
        case("3", "xero", "state=&code={c}", INVALID, false),
        case("4", "xero", "state={s}", INVALID, true),
        case("5", "xero", "state={s}&code=", INVALID, true),
        case("6", "xero", "state={s}&code={c}&error=access_denied", INVALID, true),
        case("7", "xero", "state={s}&error=access_denied", DENIED, true),
        case("8", "xero", "error=access_denied", INVALID, false),
        case("9", "xero", &format!("state={{s}}&error={SCRIPT}"), DENIED, true),
        case("9 without a state", "xero", &format!("error={SCRIPT}&error_description={SCRIPT}"), INVALID, false),
        case("11", "quickbooks", "state={s}&error=made_up_code", DENIED, true),
        case("12", "xero", "state={s}&error=access_denied&error_uri=javascript%3Aalert(1)", DENIED, true),
        case("13", "xero", "state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code={c}", INVALID, false),
        case("25", "quickbooks", "state={xero}&code={c}&realmId=1", INVALID, false),
        case("26", "xero", "state={quickbooks}&code={c}", INVALID, false),
        case("27", "xero", "state={s}&code={c}&iss=https%3A%2F%2Fevil.example", INVALID, false),
        case("28", "xero", "state={s}&code={c}&iss=https%3A%2F%2Fidentity.xero.com&iss=https%3A%2F%2Fidentity.xero.com", INVALID, false),
        case("29", "xero", "state={s}&state={s}&code={c}", INVALID, false),
        case("30", "xero", "state={s}&state=other&code={c}", INVALID, false),
        case("31", "xero", "state={s}&code={c}&code={c}", INVALID, true),
        case("32", "xero", "state[]={s}&code={c}", INVALID, false),
        case("33", "xero", "state={s}%20&code={c}", INVALID, false),
        case("33 with a line feed", "xero", "state={s}%0a&code={c}", INVALID, false),
        case("34", "xero", "state={swapped}&code={c}", INVALID, false),
        case("35", "xero", "state=%D0%B0{s}&code={c}", INVALID, false),
        case("37", "xero", "state={s}%00&code={c}", INVALID, false),
        case("38", "xero", "state=%2541{s}&code={c}", INVALID, false),
        case("41", "xero", "state={s}&code=abc%0d%0aSet-Cookie:%20a=b", INVALID, true),
        case("42", "xero", &format!("state={{s}}&code={}", "a".repeat(5_000)), INVALID, true),
        case("44", "xero", "state={s}&code={other code}", INVALID, true),
        case("45", "xero", "state={s}&code=of-another-client", INVALID, true),
        case("46", "quickbooks", "state={s}&code={c}", FAILED, true),
        case("47", "quickbooks", "state={s}&code={c}&realmId=12%3Bdrop%20table", FAILED, true),
        case("48", "quickbooks", "state={s}&code={c}&realmId=..%2F..%2Fv3%2Fcompany%2F1", FAILED, true),
        case("49", "quickbooks", &format!("state={{s}}&code={{c}}&realmId={}", "9".repeat(200)), FAILED, true),
        case("52", "quickbooks", "state={s}&code={c}&realmId=9341453999999999", INVALID, true),
        case("53", "quickbooks", "state={s}&code={c}&realmId={r}&realmId={r}", INVALID, true),
        case("60", "xero", "state={s}&error=access_denied&next=https%3A%2F%2Fevil.example&return_to=%2F%2Fevil.example", DENIED, true),
    ]
}

// proves A12
#[tokio::test]
async fn every_bad_callback_has_its_answer_its_page_and_leaves_nothing_behind() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        for case in cases() {
            let started = consent(&owner, case.provider).await;
            let other = consent(&owner, if case.provider == "xero" { "quickbooks" } else { "xero" }).await;
            let (xero, quickbooks) = if case.provider == "xero" { (&started, &other) } else { (&other, &started) };
            let second = if case.query.contains("{other code}") { consent(&owner, case.provider).await.code } else { String::new() };
            let swapped: String = started
                .state
                .chars()
                .map(|letter| if letter.is_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() })
                .collect();
            let query = case
                .query
                .replace("{s}", &started.state)
                .replace("{c}", &started.code)
                .replace("{r}", &started.realm)
                .replace("{xero}", &xero.state)
                .replace("{quickbooks}", &quickbooks.state)
                .replace("{swapped}", &swapped)
                .replace("{other code}", &second);
            let answer = owner.get(&format!("/oauth/{}/callback?{query}", case.provider)).await;
            let row = case.row;
            assert_eq!((answer.status, answer.location(), answer.text.as_str()), (StatusCode::FOUND, RESULT, ""), "row {row}");
            assert!(answer.headers.get("set-cookie").is_none(), "row {row}");
            let page = owner.get(RESULT).await;
            assert!(page.text.contains(case.title), "row {row} does not say `{}`:\n{}", case.title, page.text);
            page.assert_shows(&["Back to Integrations"]);
            for secret in [&started.state, &started.code, "evil.example", "javascript:", "<script>alert"] {
                assert!(secret.is_empty() || !page.text.contains(secret), "row {row}: the page repeats {secret}");
            }
            assert_eq!(connections(&site).await, 0, "row {row} stored something");
            // a state that was not used up still counts, one that was does not
            owner.get(&format!("/oauth/{}/callback?state={}&error=access_denied", case.provider, started.state)).await;
            let expected = if case.burns { INVALID } else { DENIED };
            let page = owner.get(RESULT).await;
            assert!(page.text.contains(expected), "row {row}: afterwards the state should give `{expected}`:\n{}", page.text);
        }
        // after all of it the next good request works
        assert_eq!(owner.connect("xero").await.location(), RESULT);
        assert!(owner.get(RESULT).await.location().ends_with("/setup"));
        assert_eq!(connections(&site).await, 1);
    })
    .await;
}

// proves A12 in part
#[tokio::test]
async fn requests_that_are_no_callback_are_turned_away_and_use_nothing_up() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        let started = consent(&owner, "xero").await;
        let path = format!("/oauth/xero/callback?state={}&code={}", started.state, started.code);
        let send = async |request: axum::http::request::Builder| site.send(request.body(Body::empty()).unwrap()).await;
        // rows 39, 40: broken escapes
        for broken in ["state=%zz", "state=%ff%fe&code=a", "code=%4"] {
            let answer = owner.get(&format!("/oauth/xero/callback?{broken}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{broken}");
        }
        // rows 10, 36: too long; what is longer than 64 KB does not even become a request
        for long in [format!("state={}", "a".repeat(60_000)), format!("state=x&error=y&error_description={}", "a".repeat(60_000))] {
            assert_eq!(owner.get(&format!("/oauth/xero/callback?{long}")).await.status, StatusCode::URI_TOO_LONG);
        }
        // rows 54 to 56: other methods, and a browser that looks ahead
        let post = owner.request("POST", &path).header("origin", PUBLIC_URL);
        assert_eq!(send(post).await.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(send(owner.request("HEAD", &path)).await.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(send(owner.request("GET", &path).header("sec-purpose", "prefetch")).await.status, StatusCode::NO_CONTENT);
        // row 58: another name of the site
        let foreign = axum::http::Request::builder().uri(&path).header("host", "evil.example").header("cookie", owner.cookie.as_str());
        assert_eq!(send(foreign).await.status, StatusCode::MISDIRECTED_REQUEST);
        // row 61: what stands behind # never reaches us
        assert_eq!(owner.get("/oauth/xero/callback").await.location(), RESULT);
        owner.get(RESULT).await.assert_shows(&[INVALID]);
        // rows 19, 21: nobody is signed in
        assert_eq!(site.stranger().get(&path).await.location(), RESULT);
        assert_eq!(site.stranger().get(RESULT).await.location(), "/sign-in?next=%2Fintegrations%2Fresult");
        // row 17: a colleague of the same organization
        let colleague = site.member(Role::Admin).await;
        colleague.get(&path).await;
        colleague.get(RESULT).await.assert_shows(&[INVALID]);
        // row 18: another organization
        let other = site.member_of(&OrganizationId(site.engine.make_id()), Role::Owner).await;
        other.get(&path).await;
        other.get(RESULT).await.assert_shows(&[INVALID]);
        // row 59: whoever is in between has no say
        let spoofed = owner.request("GET", &path).header("x-forwarded-host", "evil.example").header("forwarded", "host=evil.example");
        assert_eq!(send(spoofed).await.location(), RESULT);
        assert!(owner.get(RESULT).await.location().ends_with("/setup"), "nothing of all that used it up");
    })
    .await;
}

/// The person behind a browser.
async fn user_of(site: &Site, browser: &Browser<'_>) -> UserId {
    let token = browser.cookie.strip_prefix("tieout_session=").unwrap();
    let now_ms = site.engine.clock.now_ms();
    store::sessions::find(&mut site.engine.store.read().await.unwrap(), token, now_ms).await.unwrap().unwrap().user_id
}

// proves A12 in part
#[tokio::test]
async fn whoever_may_no_longer_connect_does_not_finish_a_consent() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        // rows 22, 23: demoted, and removed, between start and callback
        for (row, sql) in [("22", "UPDATE members SET role = 'member' WHERE user_id = $1"), ("23", "DELETE FROM members WHERE user_id = $1")] {
            let owner = site.member(Role::Admin).await;
            let started = consent(&owner, "xero").await;
            let mut tx = site.engine.store.begin().await.unwrap();
            tx.execute(sql, args![&user_of(&site, &owner).await]).await.unwrap();
            tx.commit().await.unwrap();
            let answer = owner.get(&format!("/oauth/xero/callback?state={}&code={}", started.state, started.code)).await;
            assert_eq!((answer.status, answer.location()), (StatusCode::FOUND, RESULT), "row {row}");
            assert_eq!(connections(&site).await, 0, "row {row}");
        }
        // row 14: ten minutes and a second later
        let owner = site.member(Role::Owner).await;
        let started = consent(&owner, "xero").await;
        let mut tx = site.engine.store.begin().await.unwrap();
        tx.execute("UPDATE oauth_states SET expires_at = expires_at - 601000", args![]).await.unwrap();
        tx.commit().await.unwrap();
        owner.get(&format!("/oauth/xero/callback?state={}&code={}", started.state, started.code)).await;
        owner.get(RESULT).await.assert_shows(&[INVALID]);
        assert_eq!(connections(&site).await, 0);
        // row 16: one callback fifty times at once is exchanged once
        let started = consent(&owner, "xero").await;
        let path = format!("/oauth/xero/callback?state={}&code={}", started.state, started.code);
        site.sandbox.write(|state| state.calls.clear());
        let answers = futures::future::join_all((0..50).map(|_| owner.get(&path))).await;
        assert!(answers.iter().all(|answer| answer.location() == RESULT));
        assert_eq!(site.sandbox.read(|state| state.calls["xero POST connect/token"]), 1);
        assert_eq!(connections(&site).await, 1);
    })
    .await;
}

// proves A12 in part
#[tokio::test]
async fn what_the_token_endpoint_answers_wrongly_connects_nothing() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        let token = |changes: &str| format!(r#"{{"token_type":"Bearer","access_token":"a","refresh_token":"r","expires_in":1800{changes}}}"#);
        let answer = |body: String| Fault::Answer { status: 200, content_type: Some("application/json".into()), body };
        let cases = [
            ("62", Fault::HtmlBody, FAILED),
            ("63", answer(r#"{"token_type":"Bearer","access_token":"a","expires_in":1800}"#.into()), FAILED),
            ("64", answer(token(r#","x":1"#).replace("Bearer", "mac")), FAILED),
            ("66", answer(token("").replace("1800", "-5")), FAILED),
            ("69", Fault::LoseAnswer, SILENT),
            ("provider down", Fault::Status { status: 503 }, SILENT),
        ];
        for provider in ["quickbooks", "xero"] {
            for (row, fault, title) in &cases {
                let started = consent(&owner, provider).await;
                let injected = Injected { face: None, company: None, path_contains: Some("token".into()), skip: 0, times: 1, fault: fault.clone() };
                site.sandbox.write(|state| state.faults.inject(injected));
                let query = format!("state={}&code={}&realmId={}", started.state, started.code, started.realm);
                owner.get(&format!("/oauth/{provider}/callback?{query}")).await;
                let page = owner.get(RESULT).await;
                assert!(page.text.contains(title), "{provider} row {row} does not say `{title}`:\n{}", page.text);
                assert_eq!(connections(&site).await, 0, "{provider} row {row}");
            }
        }
        // row 72: nobody's organisations
        let sent = owner.post("/integrations/connect/xero", "").await;
        let mut authorize = Url::parse(sent.location()).unwrap();
        authorize.query_pairs_mut().append_pair("user", "newcomer@nobooks.example");
        let callback = simulator::consent::approve(&site.sandbox, &authorize, &[]).await.unwrap();
        owner.get(&callback[url::Position::BeforePath..]).await;
        owner.get(RESULT).await.assert_shows(&["No companies found", "Xero shows this sign-in no company at this moment.", "Choose again at Xero"]);
    })
    .await;
}
