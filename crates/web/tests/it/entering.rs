//! What people and programs type into the sign-in, and forms that are no forms.
use crate::sample::{HOST, Sample};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use domain::ids::UserId;
use testkit::each_database;
use tower::ServiceExt;

/// Blanks at both ends, a NUL, and more bytes than characters.
const PASSWORD: &str = "  långt 😀 \u{0} nog  ";

struct Answer {
    status: StatusCode,
    cookie: Option<String>,
    text: String,
}

async fn post(sample: &Sample, path: &str, kind: &str, cookie: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header(header::HOST, HOST).header(header::ORIGIN, format!("http://{HOST}"));
    let request = request.header(header::CONTENT_TYPE, kind).header(header::COOKIE, cookie).body(body.into()).unwrap();
    let response = sample.router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let set = response.headers().get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned());
    let cookie = set.filter_map(|line| line.split(';').next().map(str::to_owned)).find(|pair| pair.starts_with("tieout_session="));
    let text = String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    Answer { status, cookie, text }
}

async fn sign_in(sample: &Sample, cookie: &str, email: &str, password: &str) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs([("email", email), ("password", password)]).finish();
    post(sample, "/sign-in", "application/x-www-form-urlencoded", cookie, form).await
}

async fn with_password(url: &str) -> Sample {
    let sample = Sample::empty(url).await;
    let mut tx = sample.engine.store.begin().await.unwrap();
    store::members::set_password(&mut tx, &UserId::new("owner"), &web::auth::passwords::hash_blocking(PASSWORD)).await.unwrap();
    tx.commit().await.unwrap();
    sample
}

// reliability.md 5.4, rows 1 to 8 and 11
#[tokio::test]
async fn what_is_typed_into_the_sign_in_is_taken_as_it_is_and_tells_nothing() {
    each_database(|url| async move {
        let sample = with_password(&url).await;
        let missing = "Enter your e-mail address and your password.";
        let wrong = "The e-mail address or the password is not right.";
        let own = "owner@birchwood.example";
        let long_address = format!("{}@birchwood.example", "a".repeat(400));
        let rows: Vec<(&str, String, u16, &str)> = vec![
            (own, PASSWORD.into(), 303, ""),
            (" OWNER@Birchwood.Example ", PASSWORD.into(), 303, ""),
            (own, String::new(), 422, missing),
            ("", PASSWORD.into(), 422, missing),
            ("   ", PASSWORD.into(), 422, missing),
            // exactly as sent: nothing is cut off, and case counts
            (own, PASSWORD.trim().into(), 422, wrong),
            (own, PASSWORD.replace('\0', ""), 422, wrong),
            (own, PASSWORD.to_uppercase(), 422, wrong),
            (own, PASSWORD.into(), 303, ""),
            (own, format!("{PASSWORD}{}", "x".repeat(129 - PASSWORD.chars().count())), 422, wrong),
            ("nobody@birchwood.example", PASSWORD.into(), 422, wrong),
            ("' OR 1=1--", "' OR 1=1--".into(), 422, wrong),
            ("Ada <owner@birchwood.example>", PASSWORD.into(), 422, wrong),
            ("owner@birchwood.example\r\nbcc: x@y.example", PASSWORD.into(), 422, wrong),
            (&long_address, PASSWORD.into(), 422, wrong),
            ("owner@birchwood.example\u{0}", PASSWORD.into(), 422, wrong),
            (own, "x".repeat(1 << 20), 413, "too much at once"),
        ];
        for (email, password, status, says) in rows {
            let answer = sign_in(&sample, "", email, &password).await;
            let shown: String = password.chars().take(40).collect();
            assert_eq!(answer.status.as_u16(), status, "{email:?} {shown:?}: {}", answer.text);
            assert!(answer.text.contains(says), "{email:?} {shown:?}: {}", answer.text);
            assert_eq!(answer.cookie.is_some(), status == 303, "{email:?} {shown:?}");
            assert!(!answer.text.contains("nog"), "a password is not sent back");
        }
        // whoever signs in once more gets another session, and the one before ends
        let first = sign_in(&sample, "", own, PASSWORD).await.cookie.unwrap();
        let second = sign_in(&sample, &first, own, PASSWORD).await.cookie.unwrap();
        assert_ne!(first, second);
        let open = async |cookie: &str| sample.get_as(cookie.trim_start_matches("tieout_session="), "/companies").await.status;
        assert_eq!((open(&first).await, open(&second).await), (StatusCode::SEE_OTHER, StatusCode::OK));
    })
    .await;
}

// reliability.md 5.4, rows 32, 56 and 57
#[tokio::test]
async fn what_is_no_form_of_this_site_is_refused_with_a_page_and_changes_nothing() {
    each_database(|url| async move {
        let sample = with_password(&url).await;
        let cookie = format!("tieout_session={}", sample.owner_token);
        let part = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nOther\r\n";
        let kind = "application/x-www-form-urlencoded";
        let rows: Vec<(&str, &str, Vec<u8>, u16)> = vec![
            ("/organization/settings", "multipart/form-data; boundary=b", format!("{part}--b--").into_bytes(), 415),
            ("/organization/settings", "multipart/form-data; boundary=other", part.into(), 415),
            ("/organization/settings", "multipart/form-data", part.repeat(10_000).into_bytes(), 415),
            ("/organization/settings", "application/json", b"{\"name\":\"Other\"}".to_vec(), 415),
            ("/organization/settings", "text/plain", b"name=Other".to_vec(), 415),
            ("/organization/settings", kind, b"name=\xff\xfe%ff".repeat(1 << 17), 413),
            ("/organization/settings", kind, b"=&&&;%%%".to_vec(), 422),
            ("/organization/settings", kind, "a=1&".repeat(100_000).into_bytes(), 422),
            ("/sign-in", kind, b"email=a&email=b&password=c".to_vec(), 422),
            ("/sign-in", "multipart/form-data; boundary=b", part.into(), 415),
        ];
        for (path, kind, body, status) in rows {
            let shown: String = String::from_utf8_lossy(&body).chars().take(60).collect();
            let answer = post(&sample, path, kind, &cookie, body).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {kind} {shown}: {}", answer.text);
            assert!(answer.text.starts_with("<!doctype html>") && !answer.text.contains("deserialize"), "{path} {kind} {shown}: {}", answer.text);
        }
        assert!(sample.page("/organization/settings").await.contains("value=\"Birchwood Advisory\""), "nothing was changed");
        let by_get = sample.get_as(&sample.owner_token, "/integrations/connect/xero").await;
        assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(by_get.body.contains("only takes a form of this site"), "{}", by_get.body);
    })
    .await;
}
