//! People are told: in the inbox, by a real conversation with a mail server, and by a real post to a chat; once for a cause, whichever node notices.
use domain::clock::ManualClock;
use domain::delivery::DeliveryState;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId, UserId};
use domain::ledger::Basis;
use domain::log::LogMessage;
use domain::notice::{NoticeKind, QuietHours};
use domain::organization::Role;
use domain::problem::{Problem, ProblemKind};
use domain::sync::Counts;
use engine::delivery::{Mailer, deliver_due};
use engine::{Engine, Settings, alerts, logbook};
use std::sync::Arc;
use store::companies::Found;
use store::connections::{NewConnection, Tokens};
use store::notices::{self, Choice, Recipient};
use store::seal::Key;
use store::{Store, companies, connections, members, outbox};
use testkit::each_database;
use testkit::mail::MailServer;
use testkit::receiver::Receiver;
use url::Url;

const NOW: i64 = 1_780_000_000_000; // 28 May 2026, 20:26 UTC
const HOUR: i64 = 3_600_000;

/// Two nodes on one database, with a mail server and a chat, an Owner, an Admin and a Member, and companies of one account.
struct Office {
    nodes: [Engine; 2],
    clock: ManualClock,
    mail: MailServer,
    chat: Receiver,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    companies: Vec<CompanyId>,
}

impl Office {
    async fn open(url: &str, count: usize) -> Office {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = Key::random();
        let clock = ManualClock::at(NOW);
        let mail = MailServer::start();
        let mut nodes = Vec::new();
        for node in ["one", "two"] {
            let store = Store::open(url, &key).await.unwrap();
            let settings = Settings { public_url: Url::parse("https://books.example/").unwrap(), node: node.into(), workers: 1, lease_secs: 10 };
            let engine = Engine::new(store, Default::default(), Arc::new(clock.clone()), settings);
            engine.set_mailer(Mailer::new(&mail.url(), "Tieout <books@tieout.example>").unwrap());
            engine.allow_private_webhooks();
            nodes.push(engine);
        }
        let nodes: [Engine; 2] = nodes.try_into().unwrap_or_else(|_| unreachable!("two were made"));
        let store = nodes[0].store.clone();
        let (organization_id, connection_id) = (OrganizationId::new("org"), ConnectionId::new("account"));
        let mut tx = store.begin().await.unwrap();
        members::insert_organization(&mut tx, &organization_id, "Acme", NOW).await.unwrap();
        for (id, role) in [("olga", Role::Owner), ("adam", Role::Admin), ("max", Role::Member)] {
            let user = members::User { id: UserId::new(id), email: format!("{id}@acme.example"), name: id.into(), password_hash: None };
            assert!(members::insert_user(&mut tx, &user, NOW).await.unwrap());
            members::add(&mut tx, &organization_id, &user.id, role, NOW).await.unwrap();
        }
        let tokens = Tokens { access: "a".into(), refresh: "r".into(), access_expires_at: NOW + HOUR, refresh_expires_at: NOW + 999 * HOUR };
        let owner = UserId::new("olga");
        let new = NewConnection {
            id: connection_id.clone(),
            organization_id: &organization_id,
            provider: "xero",
            environment: "simulator",
            identity_key: "identity",
            name: "Books",
            email: "books@acme.example",
            scope: "",
            tokens: &tokens,
            connected_by: &owner,
            now_ms: NOW,
        };
        assert!(connections::insert(&store, &mut tx, &new).await.unwrap().is_ok());
        let mut ids = Vec::new();
        for at in 0..count {
            let id = CompanyId(format!("company-{at:02}"));
            let name = format!("Company {at:02} <b>\r\nBcc: x@evil.example");
            let found = Found {
                id: id.clone(),
                organization_id: &organization_id,
                connection_id: &connection_id,
                provider: "xero",
                remote_id: id.as_str(),
                name: &name,
                newly_granted: false,
                now_ms: NOW,
            };
            companies::put_found(&store, &mut tx, &found).await.unwrap();
            assert!(companies::link(&mut tx, &id, NOW).await.unwrap());
            ids.push(id);
        }
        tx.commit().await.unwrap();
        Office { nodes, clock, mail, chat: Receiver::start(), organization_id, connection_id, companies: ids }
    }

    async fn log(&self, company: &CompanyId, run: &str, message: &LogMessage) {
        let engine = &self.nodes[0];
        let mut tx = engine.store.begin().await.unwrap();
        let company = companies::find_any(&mut tx, company).await.unwrap().unwrap();
        logbook::about_company(&mut tx, &company, Some(&RunId::new(run)), message, 1, engine.now_ms()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn refuse(&self) {
        let engine = &self.nodes[0];
        let mut tx = engine.store.begin().await.unwrap();
        let connection = connections::find(&mut tx, &self.organization_id, &self.connection_id).await.unwrap().unwrap();
        let problem = Problem::new(ProblemKind::NeedsReconnect, "Xero no longer accepts this authorization.");
        let refused = LogMessage::TokenRefused { problem };
        logbook::about_connection(&mut tx, &self.organization_id, &connection, &refused, engine.now_ms()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn set_chat(&self, kinds: &[NoticeKind]) {
        let (engine, url) = (&self.nodes[0], self.chat.url("/services/T0/secret"));
        let mut tx = engine.store.begin().await.unwrap();
        let address = Some((url.as_str(), "127.0.0.1"));
        assert!(notices::set_webhook(&engine.store, &mut tx, &self.organization_id, address, kinds, &UserId::new("olga"), NOW).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// Both nodes look at the same moment, and both deliver.
    async fn tell(&self) -> usize {
        let [one, two] = &self.nodes;
        let (first, second) = tokio::join!(alerts::tell_incidents(one), alerts::tell_incidents(two));
        let (third, fourth) = tokio::join!(deliver_due(one), deliver_due(two));
        third.unwrap();
        fourth.unwrap();
        first.unwrap() + second.unwrap()
    }

    async fn inbox(&self, user: &str) -> Vec<notices::Notice> {
        notices::list(&mut self.nodes[0].store.read().await.unwrap(), &self.organization_id, &UserId::new(user), 100).await.unwrap()
    }

    fn mails_to(&self, user: &str) -> usize {
        self.mail.mails().iter().filter(|mail| mail.to == [format!("{user}@acme.example")]).count()
    }
}

// proves D15
// proves D17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_cause_on_twenty_companies_is_one_mail_one_message_and_one_notice_whichever_of_two_nodes_notices() {
    each_database(|url| async move {
        let office = Office::open(&url, 20).await;
        office.set_chat(&NoticeKind::CHOSEN).await;
        office.refuse().await;
        let refused = LogMessage::SyncFailed { problem: Problem::new(ProblemKind::NeedsReconnect, "Xero no longer accepts this authorization.") };
        for company in &office.companies {
            office.log(company, "run", &refused).await;
        }
        let mut told = 0;
        for _ in 0..5 {
            told += office.tell().await;
        }
        assert_eq!(told, 1);
        for user in ["olga", "adam"] {
            assert_eq!((office.mails_to(user), office.inbox(user).await.len()), (1, 1), "{user}");
        }
        assert_eq!((office.mails_to("max"), office.inbox("max").await.len()), (0, 0), "a Member does not repair integrations");
        let mail = office.mail.mails().into_iter().find(|mail| mail.to == ["olga@acme.example"]).unwrap();
        for words in [
            "Subject: Sign-in expired for books@acme.example: 20 companies",
            "Xero no longer accepts this authorization.",
            "and 10 more",
            "Open Integrations, then Manage",
            "https://books.example/integrations/incidents/",
        ] {
            assert!(mail.text.contains(words), "{words}:\n{}", mail.text);
        }
        let head = mail.text.split("\n\n").next().unwrap();
        assert!(!head.contains("evil"), "a name became a header:\n{head}");
        let posted = office.chat.posted();
        assert_eq!(posted.len(), 1);
        assert_eq!((posted[0].request_line.as_str(), posted[0].content_type.as_str()), ("POST /services/T0/secret HTTP/1.1", "application/json"));
        let body: serde_json::Value = serde_json::from_str(&posted[0].body).unwrap();
        let text = body["text"].as_str().unwrap();
        assert!(
            text.starts_with("*Sign-in expired for books@acme.example: 20 companies stopped*\n") && text.contains("/integrations/incidents/"),
            "{text}"
        );
        // more of the same is no news; when it is over, the inbox says so
        office.log(&office.companies[0], "another", &refused).await;
        assert_eq!(office.tell().await, 0);
        let mut tx = office.nodes[0].store.begin().await.unwrap();
        store::incidents::settle_account(&mut tx, &office.connection_id, domain::log::Settled::Reconnected, NOW + HOUR).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(office.inbox("olga").await[0].resolved_at, Some(NOW + HOUR));
        // the address of the chat is sealed, and is in no delivery
        let rows = office.nodes[0].store.read().await.unwrap().query("SELECT url FROM alert_webhooks", vec![]).await.unwrap();
        assert!(!String::from_utf8_lossy(&rows[0].bytes(0).unwrap()).contains("secret"));
        let deliveries = outbox::list(&mut office.nodes[0].store.read().await.unwrap(), &office.organization_id, 100).await.unwrap();
        assert!(
            deliveries.len() == 3
                && deliveries.iter().all(|delivery| delivery.state == DeliveryState::Sent && !delivery.recipient.contains("secret"))
        );
    })
    .await;
}

// proves D15
#[tokio::test]
async fn each_kind_is_told_at_its_time_and_to_whom_it_may_concern() {
    each_database(|url| async move {
        let office = Office::open(&url, 3).await;
        let engine = &office.nodes[0];
        let last = async || office.inbox("olga").await.first().map(|notice| notice.kind);
        // a failure is told when it comes again, not for two errors of one run
        let down = LogMessage::SyncFailed { problem: Problem::new(ProblemKind::ProviderDown, "Xero did not answer.") };
        office.log(&office.companies[0], "r1", &down).await;
        office.log(&office.companies[0], "r1", &down).await;
        assert_eq!((office.tell().await, last().await), (0, None));
        office.log(&office.companies[0], "r2", &down).await;
        assert_eq!((office.tell().await, last().await), (1, Some(NoticeKind::RepeatedFailure)));
        // a difference that is repaired in its run is not told; one that stays is
        let differs = LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 1, places: vec![] };
        office.log(&office.companies[1], "r3", &differs).await;
        office.log(&office.companies[1], "r3", &LogMessage::Verified { accounts: 1, months: 0 }).await;
        assert_eq!(office.tell().await, 0);
        office.clock.advance_ms(1_000);
        office.log(&office.companies[1], "r4", &differs).await;
        office.log(&office.companies[1], "r4", &LogMessage::SyncFinished { counts: Counts::default(), calls: 1, secs: 1 }).await;
        assert_eq!((office.tell().await, last().await), (1, Some(NoticeKind::NotVerified)));
        // a company that nobody synced for a day, and no incident says why: one notice for all that are so, once
        assert_eq!(alerts::tell_stale(engine).await.unwrap(), 0);
        office.clock.advance_ms(25 * HOUR);
        let (one, two) = tokio::join!(alerts::tell_stale(engine), alerts::tell_stale(&office.nodes[1]));
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        let stale = office.inbox("olga").await.remove(0);
        assert_eq!(stale.kind, NoticeKind::Stale);
        assert!(
            stale.title.starts_with("Company 02") && stale.title.ends_with("has not been synced for a day"),
            "the others have an incident: {}",
            stale.title
        );
        assert_eq!(alerts::tell_stale(engine).await.unwrap(), 0);
    })
    .await;
}

// proves D15
#[tokio::test]
async fn people_choose_what_they_are_told_and_are_not_disturbed_at_night() {
    each_database(|url| async move {
        let office = Office::open(&url, 2).await;
        let engine = &office.nodes[0];
        let (olga, adam) = (UserId::new("olga"), UserId::new("adam"));
        let mut tx = engine.store.begin().await.unwrap();
        let only_mail = Choice { in_app: false, mail: true };
        notices::set_choice(&mut tx, &office.organization_id, &olga, NoticeKind::SignInExpired, only_mail).await.unwrap();
        let nothing = Choice { in_app: false, mail: false };
        notices::set_choice(&mut tx, &office.organization_id, &adam, NoticeKind::SignInExpired, nothing).await.unwrap();
        // it is 20:26 UTC
        let night = QuietHours { from_minute: 20 * 60, until_minute: 6 * 60, zone: jiff::tz::TimeZone::UTC };
        notices::set_quiet_hours(&mut tx, &office.organization_id, &olga, Some(&night)).await.unwrap();
        tx.commit().await.unwrap();
        office.set_chat(&[NoticeKind::Stale]).await;
        office.refuse().await;
        assert_eq!(office.tell().await, 1);
        assert_eq!((office.inbox("olga").await.len(), office.inbox("adam").await.len()), (0, 0));
        assert!(office.mail.mails().is_empty() && office.chat.posted().is_empty());
        office.clock.advance_ms(9 * HOUR);
        deliver_due(engine).await.unwrap();
        assert!(office.mail.mails().is_empty(), "it is 05:26");
        office.clock.advance_ms(HOUR);
        deliver_due(engine).await.unwrap();
        assert_eq!((office.mails_to("olga"), office.mails_to("adam")), (1, 0));

        // a test comes at any time, everywhere
        let recipient = Recipient { user_id: adam.clone(), email: "adam@acme.example".into() };
        alerts::test(engine, &office.organization_id, &recipient).await.unwrap();
        deliver_due(engine).await.unwrap();
        assert_eq!((office.mails_to("adam"), office.inbox("adam").await.len(), office.chat.posted().len()), (1, 1, 1));
        // what is read is read
        let unread = async || notices::count_unread(&mut engine.store.read().await.unwrap(), &office.organization_id, &adam).await.unwrap();
        assert_eq!(unread().await, 1);
        let notice = office.inbox("adam").await.remove(0);
        let mut tx = engine.store.begin().await.unwrap();
        assert_eq!(notices::mark_read(&mut tx, &office.organization_id, &olga, &notice.id, NOW).await.unwrap(), None, "somebody else's");
        let href = notices::mark_read(&mut tx, &office.organization_id, &adam, &notice.id, NOW).await.unwrap();
        assert_eq!(href.as_deref(), Some("/notifications/settings"));
        tx.commit().await.unwrap();
        assert_eq!(unread().await, 0);
    })
    .await;
}

// proves D15 in part
// proves H14
#[tokio::test]
async fn a_chat_that_is_busy_is_asked_again_and_one_that_leads_elsewhere_is_not_followed() {
    each_database(|url| async move {
        let office = Office::open(&url, 1).await;
        office.set_chat(&NoticeKind::CHOSEN).await;
        let engine = &office.nodes[0];
        let recipient = Recipient { user_id: UserId::new("olga"), email: "olga@acme.example".into() };
        let last = async || {
            let deliveries = outbox::list(&mut engine.store.read().await.unwrap(), &office.organization_id, 100).await.unwrap();
            deliveries.into_iter().find(|delivery| delivery.recipient == "org").unwrap()
        };
        office.chat.answer_next("503 Service Unavailable");
        alerts::test(engine, &office.organization_id, &recipient).await.unwrap();
        deliver_due(engine).await.unwrap();
        assert_eq!((last().await.state, last().await.last_error.as_deref()), (DeliveryState::Queued, Some("It answered 503.")));
        office.clock.advance_ms(10_000);
        deliver_due(engine).await.unwrap();
        assert_eq!((last().await.state, office.chat.posted().len()), (DeliveryState::Sent, 2));

        office.clock.advance_ms(1_000);
        office.chat.answer_next("302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/");
        alerts::test(engine, &office.organization_id, &recipient).await.unwrap();
        deliver_due(engine).await.unwrap();
        assert_eq!(
            (last().await.state, last().await.last_error.as_deref()),
            (DeliveryState::Failed, Some("It answered with a redirect, which is not followed."))
        );
        assert_eq!(office.chat.posted().len(), 3);

        // an installation that does not allow it posts to no private address, whatever is stored
        let store = engine.store.clone();
        let settings = Settings { public_url: Url::parse("https://books.example/").unwrap(), node: "strict".into(), workers: 1, lease_secs: 10 };
        let strict = Engine::new(store, Default::default(), Arc::new(office.clock.clone()), settings);
        office.clock.advance_ms(1_000);
        alerts::test(&strict, &office.organization_id, &recipient).await.unwrap();
        deliver_due(&strict).await.unwrap();
        assert_eq!((last().await.state, office.chat.posted().len()), (DeliveryState::Failed, 3));
        assert!(last().await.last_error.is_some_and(|error| error.contains("https://")));
        assert!(strict.check_webhook("https://10.0.0.1/x").is_err() && strict.check_webhook("http://hooks.example.com/").is_err());
        assert!(strict.check_webhook("https://hooks.example.com/x").is_ok());
    })
    .await;
}
