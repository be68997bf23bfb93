//! The first Owner, sign-in and sign-out, sessions, one-time links.
use crate::sample::NOW_MS;
use crate::site::{PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::clock::ManualClock;
use domain::organization::Role;
use std::sync::Arc;
use testkit::each_database;
use url::Url;

const GOOD: &str = "organization=Birchwood+Advisory&name=Ada+Lindqvist&email=Ada%40Birchwood.example&password=long+enough%2C+surely";

fn path(url: &Url) -> String {
    url.path().to_owned()
}

#[tokio::test]
async fn the_setup_link_makes_one_owner_and_works_once() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let link = web::auth::make_setup_link(&site.engine).await.unwrap().expect("nobody is here yet");
        assert!(link.as_str().starts_with(PUBLIC_URL));
        let (stranger, path) = (site.stranger(), path(&link));
        stranger.get("/sign-in").await.assert_shows(&["one-time link"]);
        stranger.get(&path).await.assert_shows(&["Set up Tieout", "At least 12 characters"]);

        let wrong = stranger.post(&path, "organization=&name=Ada&email=nobody&password=short").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        wrong.assert_shows(&["Give the organization a name.", "Enter an e-mail address", "Use at least 12 characters", "value=\"Ada\""]);
        assert!(!wrong.text.contains("value=\"short\""), "a password is not sent back");

        let made = stranger.post(&path, GOOD).await;
        assert_eq!((made.status, made.location()), (StatusCode::SEE_OTHER, "/welcome"), "{}", made.text);
        let cookie = made.cookie("tieout_session").unwrap();
        let owner = crate::site::Browser { site: &site, cookie };
        owner.get("/integrations").await.assert_shows(&["Birchwood Advisory", "Owner"]);
        owner.get("/welcome").await.assert_shows(&[
            "Connect QuickBooks Online",
            "Connect Xero",
            "tieout demo",
            "tieout doctor",
            "neither https nor this machine",
        ]);

        let again = stranger.get(&path).await;
        assert_eq!(again.status, StatusCode::GONE);
        again.assert_shows(&["This link was used already", "Go to sign in"]);
        assert_eq!(stranger.post(&path, GOOD).await.status, StatusCode::GONE);
        assert!(web::auth::make_setup_link(&site.engine).await.unwrap().is_none(), "there is an Owner now");
    })
    .await;
}

#[tokio::test]
async fn a_password_signs_in_and_a_wrong_one_says_the_same_as_an_unknown_address() {
    each_database(|url| async move {
        // the pause after wrong ones does not end by itself, however long their hashes take
        let site = Site::at(&url, Arc::new(ManualClock::at(NOW_MS))).await;
        let owner = web::auth::create_owner(&site.engine, "Birchwood", "Ada", "ada@birchwood.example", Some("long enough, surely")).await.unwrap();
        assert!(owner.is_some());
        let stranger = site.stranger();
        let wrong = stranger.post("/sign-in", "email=ada%40birchwood.example&password=not+this+one").await;
        let unknown = stranger.post("/sign-in", "email=bob%40birchwood.example&password=not+this+one").await;
        assert_eq!((wrong.status, unknown.status), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
        assert_eq!(wrong.text.replace("ada@", "x@"), unknown.text.replace("bob@", "x@"));
        let right = stranger.post("/sign-in", "email=+ADA%40birchwood.example&password=long+enough%2C+surely&next=%2Fintegrations%2Flogs").await;
        assert_eq!((right.status, right.location()), (StatusCode::SEE_OTHER, "/integrations/logs"));
        for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
            let form = format!("email=ada%40birchwood.example&password=long+enough%2C+surely&next={elsewhere}");
            assert_eq!(stranger.post("/sign-in", &form).await.location(), "/", "{elsewhere}");
        }
        for _ in 0..6 {
            stranger.post("/sign-in", "email=ada%40birchwood.example&password=not+this+one").await;
        }
        let slowed = stranger.post("/sign-in", "email=ada%40birchwood.example&password=long+enough%2C+surely").await;
        assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
        slowed.assert_shows(&["Too many attempts"]);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_kept_as_a_hash_and_ends_with_the_sign_out() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        web::auth::create_owner(&site.engine, "Birchwood", "Ada", "ada@birchwood.example", Some("long enough, surely")).await.unwrap();
        let entered = site.stranger().post("/sign-in", "email=ada%40birchwood.example&password=long+enough%2C+surely").await;
        let set = entered.header("set-cookie");
        assert!(set.contains("; HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/") && set.contains("Max-Age=1209600"), "{set}");
        assert!(!set.contains("Secure"), "this site is reached by http");
        let cookie = entered.cookie("tieout_session").unwrap();
        let token = cookie.strip_prefix("tieout_session=").unwrap().to_owned();
        assert_eq!(token.len(), 64);
        let session = store::sessions::find(&mut site.engine.store.read().await.unwrap(), &token, site.engine.clock.now_ms()).await.unwrap().unwrap();
        assert!(!session.token_hash.contains(&token) && session.token_hash != token);

        let browser = crate::site::Browser { site: &site, cookie };
        assert_eq!(browser.get("/integrations").await.status, StatusCode::OK);
        let left = browser.post("/sign-out", "").await;
        assert_eq!(left.location(), "/sign-in");
        assert!(left.header("set-cookie").contains("Max-Age=0"));
        let after = browser.get("/integrations").await;
        assert_eq!((after.status, after.location()), (StatusCode::SEE_OTHER, "/sign-in?next=%2Fintegrations"));
    })
    .await;
}

#[tokio::test]
async fn behind_https_the_cookie_of_a_session_is_bound_to_this_host_and_no_other_name_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    web::auth::create_owner(&site.engine, "Birchwood", "Ada", "ada@birchwood.example", Some("long enough, surely")).await.unwrap();
    let options = web::WebOptions::new(url::Url::parse("https://tieout.example").unwrap());
    let site = Site { router: web::router(site.engine.clone(), options), ..site };
    let request = |method: &str, path: &str| axum::http::Request::builder().method(method).uri(path).header("host", "tieout.example");
    let form = request("POST", "/sign-in").header("origin", "https://tieout.example").header("content-type", "application/x-www-form-urlencoded");
    let entered = site.send(form.body("email=ada%40birchwood.example&password=long+enough%2C+surely".to_owned().into()).unwrap()).await;
    let set = entered.header("set-cookie");
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600; Secure");
    let token = pair.strip_prefix("__Host-tieout_session=").expect("the name says what browsers must hold to");
    let look =
        async |cookie: String| site.send(request("GET", "/integrations").header("cookie", cookie).body(String::new().into()).unwrap()).await.status;
    assert_eq!(look(format!("__Host-tieout_session={token}")).await, StatusCode::OK);
    // what another host of the same domain could have set
    assert_eq!(look(format!("tieout_session={token}")).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_sign_in_link_needs_a_click_and_works_once() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let (_, user_id) = web::auth::create_owner(&site.engine, "Birchwood", "Ada", "ada@birchwood.example", None).await.unwrap().unwrap();
        let link = path(&web::auth::make_sign_in_link(&site.engine, &user_id).await.unwrap());
        let stranger = site.stranger();
        for _ in 0..2 {
            stranger.get(&link).await.assert_shows(&["Ada", "This link signs you in, once"]);
        }
        let entered = stranger.post(&link, "").await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER);
        assert!(entered.cookie("tieout_session").is_some());
        assert_eq!(stranger.post(&link, "").await.status, StatusCode::GONE);
        assert_eq!(stranger.get(&link).await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let owner = site.member(Role::Owner).await;
    let hostile: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site")],
        &[],
    ];
    for headers in hostile {
        let mut request = owner.request("POST", "/sign-out").header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        answer.assert_shows(&["This form was not sent from here"]);
    }
    assert_eq!(owner.get("/integrations").await.status, StatusCode::OK, "still signed in");
    assert_eq!(owner.post("/sign-out", "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_a_careful_site() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let owner = site.member(Role::Owner).await;
    for path in ["/integrations", "/no/such/page", "/healthz", "/assets/none.css", "/sign-in", "/integrations/accounts/unknown"] {
        let answer = owner.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("cache-control").contains("no-store"), "{path}");
        assert!(
            !answer.text.contains("style=\"") && !answer.text.contains("<script>") && !answer.text.contains(" onclick="),
            "{path}: the policy forbids inline"
        );
    }
    let style = owner.get(&web::assets::STYLE.path).await;
    assert_eq!((style.status, style.header("cache-control")), (StatusCode::OK, "public, max-age=31536000, immutable"));
}

#[tokio::test]
async fn the_site_answers_to_its_own_name_only() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let ask = |host: &str| Request::builder().uri("/sign-in").header("host", host).body(Body::empty()).unwrap();
    assert_eq!(site.send(ask("tieout.example:8484")).await.status, StatusCode::OK);
    let misdirected = site.send(ask("evil.example")).await;
    assert_eq!(misdirected.status, StatusCode::MISDIRECTED_REQUEST);
    misdirected.assert_shows(&["public URL"]);
}
