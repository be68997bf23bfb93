//! Notifications through the site: the bell, the inbox, what somebody chose, and the organization's chat.
use crate::sample::{MINUTE, Sample};
use axum::http::StatusCode;
use domain::log::LogMessage;
use domain::notice::NoticeKind;
use testkit::each_database;

const SETTINGS: &str = "/notifications/settings";

// proves D15 in part
#[tokio::test]
async fn the_bell_counts_what_is_unread_and_the_inbox_leads_to_the_incident() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        assert!(sample.page("/notifications").await.contains("Nothing to tell"));
        let account = sample.connect("xero", "Ada").await;
        for name in ["Northlight Studio", "Alder <b>Clinic</b>"] {
            sample.company(&account, "xero", name, true).await;
        }
        sample.invalidate(&account).await;
        assert_eq!(engine::alerts::tell_incidents(&sample.engine).await.unwrap(), 1);
        let page = sample.page("/companies").await;
        assert!(page.contains("aria-label=\"Notifications, 1 unread\""), "{page}");
        let inbox = sample.page("/notifications").await;
        for words in [
            "Sign-in expired for Ada: 2 companies stopped",
            "no longer accepts this authorization",
            "Sign-in expired,",
            ">New</span>",
            "Mark all as read",
        ] {
            assert!(inbox.contains(words), "{words}: {inbox}");
        }
        let path = inbox.split("href=\"/notifications/open").nth(1).unwrap().split('"').next().unwrap();
        let opened = sample.get_as(&sample.owner_token, &format!("/notifications/open{path}")).await;
        assert!(opened.status == StatusCode::SEE_OTHER && opened.location.starts_with("/integrations/incidents/"), "{opened:?}");
        assert!(sample.page(&opened.location).await.contains("Sign-in expired for Ada"));
        assert!(sample.page("/companies").await.contains("aria-label=\"Notifications\""), "it is read");
        // somebody else's, and none
        assert_eq!(sample.get_as(&sample.owner_token, "/notifications/open?notice=none").await.status, StatusCode::NOT_FOUND);
        assert_eq!(sample.get_as(&sample.member_token, &format!("/notifications/open{path}")).await.status, StatusCode::FORBIDDEN);
        // when the incident is over, the inbox says so
        let mut tx = sample.engine.store.begin().await.unwrap();
        store::incidents::settle_account(&mut tx, &account, domain::log::Settled::Reconnected, sample.now_ms - MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        assert!(sample.page("/notifications").await.contains("Resolved <time"));

        let company = sample.company(&account, "xero", "Quayside", true).await;
        let differs = LogMessage::DoesNotTieOut { basis: domain::ledger::Basis::Accrual, accounts: 1, places: vec![] };
        sample.log(&company, None, &differs, sample.now_ms).await;
        assert_eq!(engine::alerts::tell_incidents(&sample.engine).await.unwrap(), 1);
        assert!(sample.page("/companies").await.contains("Notifications, 1 unread"));
        assert_eq!(sample.post("/notifications/read", "").await.location, "/notifications");
        assert!(!sample.page("/companies").await.contains("unread"));
    })
    .await;
}

// proves D15 in part
// proves H14 in part
#[tokio::test]
async fn what_is_told_is_chosen_in_a_form_that_says_what_is_wrong_beside_its_field() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let page = sample.page(SETTINGS).await;
        for kind in NoticeKind::CHOSEN {
            for way in ["app", "mail"] {
                assert!(page.contains(&format!("name=\"{way}_{}\"", kind.as_str())), "{kind:?} {way}");
            }
        }
        assert_eq!(page.matches(" checked>").count(), 12, "everything is told until somebody chooses");
        assert!(page.contains("This server has no mail server yet") && page.contains("None yet."));
        let saved = sample.post(SETTINGS, "app_stale=1&mail_not_verified=1&quiet_from=22:00&quiet_until=07:30").await;
        assert_eq!((saved.status, saved.location.as_str()), (StatusCode::SEE_OTHER, SETTINGS));
        let page = sample.page(SETTINGS).await;
        assert!(page.contains("name=\"app_stale\" value=\"1\" aria-label=\"Stale: in app\" checked"), "{page}");
        assert!(!page.contains("aria-label=\"Stale: e-mail\" checked") && page.contains("value=\"22:00\"") && page.contains("value=\"07:30\""));
        for (wrong, said) in [
            ("quiet_from=22:00", "Write both times as 22:00"),
            ("quiet_from=25:00&quiet_until=07:00", "Write both times as 22:00"),
            ("quiet_from=07:00&quiet_until=07:00", "are none"),
        ] {
            let answer = sample.post(SETTINGS, wrong).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(answer.body.contains(said) && answer.body.contains("id=\"quiet-error\""), "{wrong}: {}", answer.body);
        }
        assert!(sample.page(SETTINGS).await.contains("value=\"22:00\""), "what was set stays");
        sample.post(SETTINGS, "app_stale=1").await;
        assert!(!sample.page(SETTINGS).await.contains("value=\"22:00\""), "emptied is none");

        // the chat: only addresses that everybody can reach
        let kinds = "&chat_stale=1&chat_sign_in_expired=1";
        for (wrong, said) in [
            ("hooks.example.com", "This is not an address"),
            ("http://hooks.example.com/x", "must begin with https://"),
            ("https://169.254.169.254/latest", "within a private network"),
            ("https://localhost/x", "within a private network"),
            ("https://a:b@hooks.example.com/x", "user name or a password"),
            ("", "Paste the address your chat gave you."),
        ] {
            let answer = sample.post("/notifications/webhook", &format!("url={wrong}{kinds}")).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(answer.body.contains(said) && answer.body.contains("id=\"url-error\""), "{wrong}: {}", answer.body);
        }
        let none = sample.post("/notifications/webhook", "url=https://hooks.example.com/x").await;
        assert!(none.body.contains("Tick at least one kind"));
        let set = sample.post("/notifications/webhook", &format!("url=https://hooks.example.com/services/T0/s3cr3t{kinds}")).await;
        assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", set.body);
        let page = sample.page(SETTINGS).await;
        assert!(page.contains("<b>hooks.example.com</b>") && !page.contains("s3cr3t"), "the address is a secret");
        assert!(page.contains("name=\"chat_stale\" value=\"1\" checked") && !page.contains("name=\"chat_not_verified\" value=\"1\" checked"));

        let tested = sample.post("/notifications/test", "").await;
        assert!(tested.flash.contains("A test is on its way"));
        assert!(sample.page("/notifications").await.contains("This is a test of the notices of Tieout"));
        let page = sample.page(SETTINGS).await;
        assert!(page.contains("Notices arrive") && page.contains("Chat, ") && page.contains("On its way"), "{page}");
        sample.post("/notifications/webhook", "action=remove").await;
        assert!(!sample.page(SETTINGS).await.contains("hooks.example.com"));
        for path in ["/notifications", SETTINGS] {
            assert_eq!(sample.get_as(&sample.member_token, path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    })
    .await;
}
