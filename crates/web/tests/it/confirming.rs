//! Steps that open or close what others rely on, long after the sign-in: the password once more, with the form carried along.
use crate::site::{Answer, Browser, Site};
use axum::http::StatusCode;
use domain::clock::ManualClock;
use domain::ids::UserId;
use domain::organization::Role;
use std::sync::Arc;
use testkit::each_database;

const EMAIL: &str = "ada@birchwood.example";
const PASSWORD: &str = "long enough, surely";
const START: i64 = 1_780_000_000_000;
const HOUR: i64 = 3_600_000;

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn role_of(site: &Site, browser: &Browser<'_>, id: &UserId) -> Role {
    let session = browser.cookie.strip_prefix("tieout_session=").unwrap();
    let mut conn = site.engine.store.read().await.unwrap();
    let session = store::sessions::find(&mut conn, session, site.engine.now_ms()).await.unwrap().unwrap();
    store::members::role_of(&mut conn, &session.organization_id, id).await.unwrap().unwrap()
}

/// The fields that the page sends again, and its address.
fn carried(answer: &Answer) -> (String, Vec<(String, String)>) {
    let part =
        |text: &str, before: &str| text.split(before).nth(1).unwrap_or_else(|| panic!("no {before} in {text}")).split('"').next().unwrap().to_owned();
    let (_, sent) = answer.text.split_once("<h1>Confirm it is you</h1>").unwrap_or_else(|| panic!("{}: {}", answer.status, answer.text));
    let address = part(sent, "method=\"post\" action=\"");
    let hidden = sent.split("<input type=\"hidden\" ").skip(1).map(|field| (part(field, "name=\""), part(field, "value=\"")));
    (address, hidden.collect())
}

// reliability.md 3.4, S-054
// proves H9 in part
#[tokio::test]
async fn an_hour_after_the_sign_in_what_opens_or_closes_accounts_asks_for_the_password_once_and_keeps_what_was_entered() {
    each_database(|url| async move {
        let clock = Arc::new(ManualClock::at(START));
        let site = Site::at(&url, clock.clone()).await;
        let (organization_id, _) =
            web::auth::create_owner(&site.engine, "Birchwood Advisory", "Ada Lindqvist", EMAIL, Some(PASSWORD)).await.unwrap().unwrap();
        let max = site.user_of(&organization_id, Role::Admin).await;
        let entered = site.stranger().post("/sign-in", &form(&[("email", EMAIL), ("password", PASSWORD)])).await;
        let ada = Browser { site: &site, cookie: entered.cookie("tieout_session").expect("signed in") };
        let key = [("name", "Nightly load & <b>more</b>"), ("role", "admin"), ("access", "read"), ("days", "30")];
        let with = |password: &str| form(&key.into_iter().chain([("present", password)]).collect::<Vec<_>>());
        let keys = async || store::api_keys::list(&mut site.engine.store.read().await.unwrap(), &organization_id).await.unwrap().len();

        // within the hour nothing is asked
        clock.advance_ms(HOUR - 1_000);
        assert_eq!(ada.post("/organization/api-keys", &form(&key)).await.status, StatusCode::OK);
        assert_eq!(keys().await, 1);
        clock.advance_ms(2_000);
        let asked = ada.post("/organization/api-keys", &form(&key)).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        asked.assert_shows(&["Making an API key asks for your password once more", "Nothing was changed yet", "autocomplete=\"current-password\""]);
        let (address, fields) = carried(&asked);
        assert_eq!(address, "/organization/api-keys");
        let expected = key.map(|(name, value)| (name.to_owned(), value.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;")));
        assert_eq!(fields, expected);
        for (password, status, says) in
            [("", StatusCode::FORBIDDEN, "Enter your current password."), ("a guess of mine", StatusCode::UNPROCESSABLE_ENTITY, "is not right")]
        {
            let refused = ada.post("/organization/api-keys", &with(password)).await;
            assert_eq!(refused.status, status, "{}", refused.text);
            refused.assert_shows(&["id=\"present-error\"", says]);
            assert_eq!(carried(&refused).1, expected, "the password is not carried");
            assert!(!refused.text.contains("a guess of mine"));
        }
        // so do the other steps, and none of them is taken
        let members = format!("/organization/members/{max}");
        for (path, fields, step) in [
            (format!("{members}/role"), vec![("role", "owner"), ("was", "admin")], "Changing who is Owner"),
            (format!("{members}/password-link"), vec![], "Making a link for somebody"),
            (format!("{members}/second-factor"), vec![], "Taking away a second factor"),
        ] {
            let asked = ada.post(&path, &form(&fields)).await;
            assert_eq!(asked.status, StatusCode::FORBIDDEN, "{path}: {}", asked.text);
            asked.assert_shows(&[step]);
            assert_eq!(carried(&asked).0, path);
        }
        assert_eq!((keys().await, role_of(&site, &ada, &max).await), (1, Role::Admin));
        // what opens nothing is done at once
        assert_eq!(ada.post(&format!("{members}/role"), &form(&[("role", "member"), ("was", "admin")])).await.status, StatusCode::SEE_OTHER);
        assert_eq!(role_of(&site, &ada, &max).await, Role::Member);

        // the password proves it for another hour, and the step is taken with what was entered
        let made = ada.post("/organization/api-keys", &with(PASSWORD)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text);
        made.assert_shows(&["Your new key", "Nightly load &#38; &#60;b&#62;more&#60;/b&#62;"]);
        assert_eq!(keys().await, 2);
        assert_eq!(ada.post(&format!("{members}/role"), &form(&[("role", "owner"), ("was", "member")])).await.status, StatusCode::SEE_OTHER);
        assert_eq!(role_of(&site, &ada, &max).await, Role::Owner);
        clock.advance_ms(HOUR + 1);
        assert_eq!(ada.post("/organization/api-keys", &form(&key)).await.status, StatusCode::FORBIDDEN, "and no longer");

        // guesses are counted with those of the other forms
        let mut last = StatusCode::OK;
        for _ in 0..6 {
            last = ada.post("/organization/api-keys", &with("a guess of mine")).await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}

// reliability.md 3.4, S-054
#[tokio::test]
async fn disconnecting_and_deleting_ask_too_and_whoever_has_no_password_signs_in_once_more() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        let connected = owner.connect("quickbooks").await;
        assert!(connected.status.is_redirection(), "{}", connected.text);
        let mut conn = site.engine.store.read().await.unwrap();
        let connection = store::connections::list(&mut conn, &site.organization_id).await.unwrap().remove(0);
        let company = store::companies::list(&mut conn, &site.organization_id).await.unwrap().remove(0);
        drop(conn);
        let token = owner.cookie.strip_prefix("tieout_session=").unwrap();
        let now_ms = site.engine.now_ms();
        let mut tx = site.engine.store.begin().await.unwrap();
        store::sessions::describe(&mut tx, token, None, now_ms - HOUR - 1_000).await.unwrap();
        tx.commit().await.unwrap();
        for (path, fields) in [
            (format!("/integrations/accounts/{}/disconnect", connection.id), vec![("data", "erase"), ("name", connection.name.as_str())]),
            (format!("/companies/{}/delete", company.id), vec![("name", company.name.as_str())]),
        ] {
            let asked = owner.post(&path, &form(&fields)).await;
            assert_eq!(asked.status, StatusCode::FORBIDDEN, "{path}: {}", asked.text);
            asked.assert_shows(&["Confirm it is you", "Sign in once more with a one-time link"]);
            assert!(!asked.text.contains("type=\"password\""), "there is none to enter");
        }
        let mut conn = site.engine.store.read().await.unwrap();
        assert!(store::companies::find(&mut conn, &site.organization_id, &company.id).await.unwrap().is_some());
        let kept = store::connections::find(&mut conn, &site.organization_id, &connection.id).await.unwrap().unwrap();
        assert!(kept.disconnected_at.is_none());
        drop(conn);
        let mut tx = site.engine.store.begin().await.unwrap();
        store::sessions::describe(&mut tx, token, None, now_ms - HOUR + 60_000).await.unwrap();
        tx.commit().await.unwrap();
        let gone = owner.post(&format!("/companies/{}/delete", company.id), &form(&[("name", company.name.as_str())])).await;
        assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.text);
    })
    .await;
}
