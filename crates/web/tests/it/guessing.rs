//! Guessing: of passwords, by network address and by account, and of the link of the first start.
use crate::sample::{HOST, Sample};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use std::net::SocketAddr;
use testkit::each_database;
use tower::ServiceExt;

const RIGHT: &str = "long enough, surely";

struct Entered {
    status: StatusCode,
    cookies: Vec<String>,
    retry_after: Option<String>,
}

/// Asks from a network address, as the socket tells it.
async fn ask(sample: &Sample, place: [u8; 4], request: axum::http::request::Builder, body: String) -> Entered {
    let request = request.header(header::HOST, HOST).header(header::ORIGIN, format!("http://{HOST}"));
    let request = request.extension(ConnectInfo(SocketAddr::from((place, 4_000)))).body(Body::from(body)).unwrap();
    let response = sample.router.clone().oneshot(request).await.unwrap();
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect();
    let retry_after = response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
    Entered { status: response.status(), cookies, retry_after }
}

async fn sign_in(sample: &Sample, place: [u8; 4], email: &str, password: &str, cookie: &str) -> Entered {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs([("email", email), ("password", password)]).finish();
    let request = Request::post("/sign-in").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").header(header::COOKIE, cookie);
    ask(sample, place, request, form).await
}

/// The mark that a sign-in leaves in the browser.
fn device(entered: &Entered) -> String {
    let line = entered.cookies.iter().find(|line| line.starts_with("tieout_device=")).expect("the browser is marked");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax") && line.contains("Max-Age=31536000"), "{line}");
    line.split(';').next().unwrap().to_owned()
}

async fn house(url: &str) -> Sample {
    let sample = Sample::empty(url).await;
    for (name, email) in [("Zoe", "zoe@zebra.example"), ("Yan", "yan@zebra.example")] {
        assert!(web::auth::create_owner(&sample.engine, "Zebra", name, email, Some(RIGHT)).await.unwrap().is_some());
    }
    sample
}

// reliability.md 5.4, row 13
#[tokio::test]
async fn one_attempt_each_on_ten_thousand_accounts_is_slowed_down_by_network_address() {
    each_database(|url| async move {
        let sample = house(&url).await;
        let (bad, good) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let known = device(&sign_in(&sample, bad, "zoe@zebra.example", RIGHT, "").await);
        // longer than any password, so that the attempts cost no hash and the test no minutes
        let wrong = "x".repeat(129);
        let mut let_through = 0;
        for at in 0..10_000 {
            let answer = sign_in(&sample, bad, &format!("somebody{at}@zebra.example"), &wrong, "").await;
            match answer.status {
                StatusCode::UNPROCESSABLE_ENTITY => let_through += 1,
                StatusCode::TOO_MANY_REQUESTS => {}
                other => panic!("{other}"),
            }
        }
        assert_eq!(let_through, 50, "the clock stands still: nobody gets a try for having waited");
        // also with the right password, and also for an account nobody has tried
        assert_eq!(sign_in(&sample, bad, "yan@zebra.example", RIGHT, "").await.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(sign_in(&sample, good, "yan@zebra.example", RIGHT, "").await.status, StatusCode::SEE_OTHER, "other networks are unhurt");
        // whoever has been here before enters, from there too
        assert_eq!(sign_in(&sample, bad, "zoe@zebra.example", RIGHT, &known).await.status, StatusCode::SEE_OTHER);
        assert_eq!(sign_in(&sample, bad, "yan@zebra.example", RIGHT, &known).await.status, StatusCode::TOO_MANY_REQUESTS, "it is Zoe's browser");
    })
    .await;
}

// reliability.md 5.4, row 12
#[tokio::test]
async fn an_account_that_is_tried_from_everywhere_is_slowed_down_and_its_owner_enters_from_a_known_device() {
    each_database(|url| async move {
        let sample = house(&url).await;
        let entered = sign_in(&sample, [198, 51, 100, 1], "Zoe@zebra.example ", RIGHT, "").await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER);
        let known = device(&entered);
        let wrong = "x".repeat(129);
        let mut let_through = 0;
        for at in 0..1_000_u16 {
            let [high, low] = at.to_be_bytes();
            let answer = sign_in(&sample, [203, 0, high, low], "zoe@zebra.example", &wrong, "").await;
            let_through += usize::from(answer.status == StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(let_through, 50);
        assert_eq!(sign_in(&sample, [198, 51, 100, 9], "zoe@zebra.example", RIGHT, "").await.status, StatusCode::TOO_MANY_REQUESTS);
        let again = sign_in(&sample, [198, 51, 100, 9], "zoe@zebra.example", RIGHT, &known).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "the owner enters");
        assert!(!again.cookies.iter().any(|line| line.starts_with("tieout_device=")), "the mark stays");
        assert_eq!(sign_in(&sample, [198, 51, 100, 9], "yan@zebra.example", RIGHT, "").await.status, StatusCode::SEE_OTHER, "others are unhurt");
        // a mark that was made up or altered is none, and one that was stolen opens nothing and guesses no faster
        let (name, value) = known.split_once('=').unwrap();
        let altered = format!("{name}={}{}", &value[..95], if value.ends_with('0') { '1' } else { '0' });
        for forged in [altered, format!("{name}={}", "0".repeat(96)), format!("{name}=0"), format!("{name}=")] {
            assert_eq!(
                sign_in(&sample, [198, 51, 100, 9], "zoe@zebra.example", RIGHT, &forged).await.status,
                StatusCode::TOO_MANY_REQUESTS,
                "{forged}"
            );
        }
        let mut stolen = 0;
        for at in 0..100_u8 {
            let answer = sign_in(&sample, [203, 0, 113, at], "zoe@zebra.example", &wrong, &known).await;
            stolen += usize::from(answer.status == StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(stolen, 5);
    })
    .await;
}

// reliability.md 5.4, rows 18 and 19
#[tokio::test]
async fn the_link_of_the_first_start_is_not_guessed_and_is_gone_once_there_is_an_owner() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        // as it was before anybody came
        let mut tx = sample.engine.store.begin().await.unwrap();
        for sql in ["DELETE FROM sessions", "DELETE FROM members", "DELETE FROM users"] {
            tx.execute(sql, vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let link = web::auth::make_setup_link(&sample.engine).await.unwrap().expect("nobody is here yet");
        let token = link.path().rsplit('/').next().unwrap().to_owned();
        assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "256 bits: {token}");
        let (bad, good) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let mut statuses = Vec::new();
        for at in 0..200 {
            // one digit off, and nothing like it
            let guess = if at == 0 { format!("{}x", &token[..63]) } else { format!("{at:064x}") };
            let request = if at % 2 == 0 { Request::get(format!("/setup/{guess}")) } else { Request::post(format!("/setup/{guess}")) };
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = ask(&sample, bad, request, String::new()).await;
            assert!(answer.status != StatusCode::TOO_MANY_REQUESTS || answer.retry_after.is_some(), "it says when to come again");
            statuses.push(answer.status);
        }
        assert_eq!(statuses[..5], [StatusCode::NOT_FOUND; 5]);
        assert!(statuses[5..].iter().all(|status| *status == StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
        let open = async |place| ask(&sample, place, Request::get(link.path()), String::new()).await.status;
        assert_eq!(open(bad).await, StatusCode::TOO_MANY_REQUESTS, "whoever guesses waits, with the right one too");
        assert_eq!(open(good).await, StatusCode::OK, "and the link still works for whoever was given it");
        // made on a terminal meanwhile: the link that was printed and never used opens nothing
        assert!(web::auth::create_owner(&sample.engine, "Zebra", "Zoe", "zoe@zebra.example", Some(RIGHT)).await.unwrap().is_some());
        for place in [good, bad] {
            assert_eq!(open(place).await, StatusCode::GONE);
            let form = "organization=Mine&name=Eve&email=eve%40evil.example&password=long+enough%2C+surely".to_owned();
            let request = Request::post(link.path()).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            assert_eq!(ask(&sample, place, request, form).await.status, StatusCode::GONE);
        }
        assert_eq!(store::members::count_users(&mut sample.engine.store.read().await.unwrap()).await.unwrap(), 1);
    })
    .await;
}
