//! Forms that come at the wrong moment: after their session has ended, without saying where from, or from a browser that keeps no cookies.
use crate::mapping::books;
use crate::sample::{DAY, HOST, Sample};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use domain::ids::UserId;
use testkit::each_database;
use tower::ServiceExt;

async fn end_session(sample: &Sample) {
    let mut tx = sample.engine.store.begin().await.unwrap();
    store::sessions::delete(&mut tx, &sample.owner_token).await.unwrap();
    tx.commit().await.unwrap();
}

/// As a sign-in would, with a token the sample knows.
async fn sign_in_again(sample: &Sample) {
    let mut tx = sample.engine.store.begin().await.unwrap();
    store::sessions::insert(&mut tx, &sample.owner_token, &sample.owner, &sample.organization_id, sample.now_ms, sample.now_ms + DAY).await.unwrap();
    tx.commit().await.unwrap();
}

/// Where the sign-in leads on to.
fn next(location: &str) -> String {
    let query = location.strip_prefix("/sign-in?").unwrap_or_else(|| panic!("{location} is not the sign-in"));
    let (_, next) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next").expect("it leads on");
    next.into_owned()
}

/// Address and fields of the form that sends again.
fn form(page: &str) -> (String, String) {
    let form =
        page.split("<form class=\"card-foot\" method=\"post\" action=\"").nth(1).expect("a form to send again").split("</form>").next().unwrap();
    let plain = |text: &str| text.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#39;", "'").replace("&#38;", "&");
    let (action, rest) = form.split_once('"').unwrap();
    let mut fields = url::form_urlencoded::Serializer::new(String::new());
    for input in rest.split("<input type=\"hidden\" name=\"").skip(1) {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        fields.append_pair(&plain(name), &plain(rest.split('"').next().unwrap()));
    }
    (plain(action), fields.finish())
}

// reliability.md 5.4, row 64
#[tokio::test]
async fn a_form_that_was_sent_after_its_session_had_ended_is_there_again_after_the_sign_in() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let edit = format!("/companies/{id}/mapping/edit");
        end_session(&sample).await;
        let sent = sample.post(&edit, "account=odd&account=rent&category=donations&note=%3Cb%3E%22ours%22+%26+theirs").await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER);
        let again = next(&sent.location);
        assert!(again.starts_with("/again/"), "{again}");
        assert_eq!(next(&sample.get_as(&sample.owner_token, &again).await.location), again, "it needs a sign-in");
        sign_in_again(&sample).await;
        let page = sample.page(&again).await;
        for words in ["Send it again?", "Your session had ended", &edit, "&#60;b&#62;&#34;ours&#34; &#38; theirs"] {
            assert!(page.contains(words), "`{words}` is not in {page}");
        }
        assert!(sample.page(&format!("/companies/{id}/mapping?tab=unmapped")).await.contains("Qwertz"), "nothing is done by looking");
        // whoever opened it first is the only one
        let member = sample.get_as(&sample.member_token, &again).await;
        assert_eq!(member.status, StatusCode::GONE);
        assert!(member.body.contains("no longer kept") && !member.body.contains("theirs"), "{}", member.body);
        let (action, fields) = form(&page);
        assert_eq!(action, edit);
        let done = sample.post(&action, &fields).await;
        assert!(done.flash.contains("2 accounts moved to"), "{} {}", done.flash, done.body);
        assert!(sample.page(&format!("/companies/{id}/mapping/history")).await.contains("&#60;b&#62;&#34;ours&#34; &#38; theirs"));

        // secrets are not kept: the page leads back to where it was typed
        end_session(&sample).await;
        let sent = sample.post("/notifications/webhook", "url=https%3A%2F%2Fhooks.example.com%2Fs3cr3t&chat_stale=1&action=save").await;
        sign_in_again(&sample).await;
        let page = sample.page(&next(&sent.location)).await;
        assert!(page.contains("held a secret") && page.contains("chat_stale") && !page.contains("s3cr3t"), "{page}");
        assert!(!page.contains("Send it again</button>"), "without it, it is not the form that was sent");
        // an action without a field is one as well; what is too large, or no form, is only asked to sign in
        end_session(&sample).await;
        let pause = format!("/integrations/companies/{id}/pause");
        let sent = sample.post(&pause, "").await;
        let large = sample.post(&edit, &format!("note={}", "x".repeat(70 << 10))).await;
        assert_eq!((large.status, large.location.as_str()), (StatusCode::SEE_OTHER, "/sign-in"));
        sign_in_again(&sample).await;
        let (action, fields) = form(&sample.page(&next(&sent.location)).await);
        assert_eq!((action.as_str(), fields.as_str()), (pause.as_str(), ""));
        assert!(sample.post(&action, &fields).await.flash.contains("Schedule paused"));
        for none in ["none", &"0".repeat(64)] {
            assert_eq!(sample.get_as(&sample.owner_token, &format!("/again/{none}")).await.status, StatusCode::GONE);
        }
    })
    .await;
}

async fn post(sample: &Sample, path: &str, headers: &[(&str, &str)], form: &str) -> (StatusCode, String) {
    let mut request = Request::post(path).header(header::HOST, HOST).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sample.router.clone().oneshot(request.body(Body::from(form.to_owned())).unwrap()).await.unwrap();
    let status = response.status();
    (status, String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap())
}

// reliability.md 5.4, rows 9 and 70
#[tokio::test]
async fn a_form_that_does_not_say_where_it_comes_from_changes_nothing_and_what_was_typed_is_not_lost() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let cookie = format!("tieout_session={}", sample.owner_token);
        let typed = "name=Birch+%3Cb%3E+Daughters&password=s3cr3t&organization=";
        let own = format!("http://{HOST}:8080");
        let rows: [(&[(&str, &str)], bool); 8] = [
            (&[], true),
            (&[("origin", "null")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", own.as_str())], true),
            // of another site nothing is repeated on a page of ours
            (&[("origin", "https://evil.example")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "null")], false),
            (&[("origin", "http://tieout.test.evil.example")], false),
        ];
        for (headers, is_shown) in rows {
            let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("cookie", cookie.as_str())]).collect();
            let (status, page) = post(&sample, "/organization/settings", &headers, typed).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?}");
            assert!(page.contains("This form was not sent from here") && page.contains("Nothing was changed"), "{page}");
            assert_eq!(page.contains("Birch &#60;b&#62; Daughters"), is_shown, "{headers:?}: {page}");
            assert!(!page.contains("s3cr3t"), "{headers:?}");
        }
        assert!(sample.page("/organization/settings").await.contains("value=\"Birchwood Advisory\""), "nothing was changed");
    })
    .await;
}

// reliability.md 5.4, row 67
#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_so_at_the_sign_in() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let mut tx = sample.engine.store.begin().await.unwrap();
        let hash = web::auth::passwords::hash_blocking("long enough, surely");
        store::members::set_password(&mut tx, &UserId::new("owner"), &hash).await.unwrap();
        tx.commit().await.unwrap();
        let page = format!("http://{HOST}/sign-in?next=%2Fcompanies");
        let from = [("origin", format!("http://{HOST}")), ("referer", page.clone())];
        let headers: Vec<(&str, &str)> = from.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, _) =
            post(&sample, "/sign-in", &headers, "email=owner%40birchwood.example&password=long+enough%2C+surely&next=%2Fcompanies").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "the password is right");
        // the browser follows, and brings no cookie along
        let follow = async |referer: &str, cookie: &str| {
            let request = Request::get("/companies").header(header::HOST, HOST).header(header::REFERER, referer).header(header::COOKIE, cookie);
            let response = sample.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            response.headers()[header::LOCATION].to_str().unwrap().to_owned()
        };
        let location = follow(&page, "").await;
        assert_eq!(location, "/sign-in?next=%2Fcompanies&cookies=off");
        let told = sample.get_as("", &location).await;
        assert!(told.body.contains("Allow cookies for this site, then sign in again.") && told.body.contains("role=\"alert\""), "{}", told.body);
        // whoever only comes from elsewhere, or had a session that ended, is not told so
        for (referer, cookie) in [
            ("https://evil.example/sign-in", String::new()),
            (&format!("http://{HOST}/companies") as &str, String::new()),
            (page.as_str(), format!("tieout_session={}", "0".repeat(64))),
        ] {
            assert_eq!(follow(referer, &cookie).await, "/sign-in?next=%2Fcompanies", "{referer} {cookie}");
        }
        assert!(!sample.get_as("", "/sign-in").await.body.contains("Allow cookies"));
    })
    .await;
}
