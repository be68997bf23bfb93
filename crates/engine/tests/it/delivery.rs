//! The outbox and a real conversation with a mail server over loopback.
use domain::clock::ManualClock;
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::ids::OrganizationId;
use engine::delivery::{Mailer, deliver_due};
use engine::{Engine, Settings};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::outbox::{self, Delivery, NewDelivery};
use store::seal::Key;
use testkit::each_database;
use testkit::mail::MailServer;
use tokio_util::sync::CancellationToken;
use url::Url;

const NOW: i64 = 1_780_000_000_000;

struct Post {
    engine: Engine,
    clock: ManualClock,
    server: MailServer,
    organization_id: OrganizationId,
}

impl Post {
    async fn new(url: &str) -> Post {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = Store::open(url, &Key::random()).await.unwrap();
        let clock = ManualClock::at(NOW);
        let settings = Settings { public_url: Url::parse("http://books.example/").unwrap(), node: "test".into(), workers: 1, lease_secs: 10 };
        let engine = Engine::new(store, Default::default(), Arc::new(clock.clone()), settings);
        let server = MailServer::start();
        engine.set_mailer(Mailer::new(&server.url(), "Tieout Büro <books@tieout.example>").unwrap());
        Post { engine, clock, server, organization_id: OrganizationId::new("org") }
    }

    async fn put(&self, id: &str, key: Option<&str>) -> bool {
        let mut tx = self.engine.store.begin().await.unwrap();
        let new = NewDelivery {
            id: id.to_owned(),
            organization_id: Some(&self.organization_id),
            kind: DeliveryKind::Mail,
            recipient: "anna@acme.example",
            subject: "Einladung für Anna",
            body: "Grüße.\n\n.A line that begins with a dot\nhttp://books.example/invitations/0123?a=1\n",
            dedupe_key: key,
            now_ms: self.clock_ms(),
        };
        let written = outbox::put(&self.engine.store, &mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        written
    }

    fn clock_ms(&self) -> i64 {
        self.engine.now_ms()
    }

    async fn list(&self) -> Vec<Delivery> {
        outbox::list(&mut self.engine.store.read().await.unwrap(), &self.organization_id, 50).await.unwrap()
    }
}

#[tokio::test]
async fn a_mail_of_the_outbox_arrives_once_as_it_was_written() {
    each_database(|url| async move {
        let post = Post::new(&url).await;
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 0, "nothing is due");
        // what is rolled back is not sent
        let mut tx = post.engine.store.begin().await.unwrap();
        let gone = NewDelivery {
            id: "gone".into(),
            organization_id: None,
            kind: DeliveryKind::Mail,
            recipient: "x@y.example",
            subject: "",
            body: "",
            dedupe_key: None,
            now_ms: NOW,
        };
        assert!(outbox::put(&post.engine.store, &mut tx, &gone).await.unwrap());
        drop(tx);
        assert!(post.put("d1", Some("invitation:1")).await);
        assert!(!post.put("d2", Some("invitation:1")).await, "told already");
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 1);
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 0);
        let mails = post.server.mails();
        let [mail] = mails.as_slice() else { panic!("{mails:?}") };
        assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("books@tieout.example", ["anna@acme.example".to_owned()].as_slice()));
        assert!(mail.text.contains("Message-ID: <d1@tieout.example>"), "{}", mail.text);
        assert!(mail.text.contains("Grüße.\n\n.A line that begins with a dot\n"), "{}", mail.text);
        assert_eq!(mail.link(), Some("http://books.example/invitations/0123?a=1"));
        let sent = &post.list().await[0];
        assert_eq!((sent.state, sent.attempt, sent.last_error.as_deref(), sent.finished_at), (DeliveryState::Sent, 1, None, Some(NOW)));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_later_and_one_that_refuses_for_good_is_not() {
    each_database(|url| async move {
        let post = Post::new(&url).await;
        post.put("d1", None).await;
        post.server.refuse_next("451 4.3.2 come back later");
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 1);
        let waiting = &post.list().await[0];
        assert_eq!((waiting.state, waiting.run_after), (DeliveryState::Queued, NOW + 10_000));
        assert!(waiting.last_error.as_deref().is_some_and(|error| error.contains("come back later")), "{waiting:?}");
        post.clock.advance_ms(9_999);
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 0, "not before its time");
        post.clock.advance_ms(1);
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 1);
        assert_eq!((post.list().await[0].state, post.server.mails().len()), (DeliveryState::Sent, 1));

        post.put("d2", None).await;
        post.server.refuse_next("550 5.1.1 nobody of this name");
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 1);
        let refused = &post.list().await[0];
        assert_eq!((refused.id.as_str(), refused.state, refused.attempt), ("d2", DeliveryState::Failed, 1));
        assert!(refused.last_error.as_deref().is_some_and(|error| error.contains("nobody of this name")), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn eight_tries_are_enough_and_a_worker_that_died_is_followed_by_another() {
    each_database(|url| async move {
        let post = Post::new(&url).await;
        post.put("d1", None).await;
        for _ in 0..8 {
            post.server.refuse_next("421 4.3.0 closing");
            assert_eq!(deliver_due(&post.engine).await.unwrap(), 1);
            post.clock.advance_ms(57_600_000);
        }
        assert_eq!((post.list().await[0].state, post.list().await[0].attempt), (DeliveryState::Failed, 8));
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 0);

        // a worker claims and is never heard of again
        post.put("d2", None).await;
        let mut tx = post.engine.store.begin().await.unwrap();
        let claimed = outbox::claim(&post.engine.store, &mut tx, post.clock_ms(), 120_000, 10).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 0, "it is on its way");
        post.clock.advance_ms(120_001);
        assert_eq!(deliver_due(&post.engine).await.unwrap(), 1);
        let mut tx = post.engine.store.begin().await.unwrap();
        assert!(!outbox::settle(&mut tx, &claimed[0], &outbox::Outcome::Failed { error: "late" }, NOW).await.unwrap(), "it is no longer its own");
        tx.commit().await.unwrap();
        assert_eq!(post.list().await[0].state, DeliveryState::Sent);
    })
    .await;
}

#[tokio::test]
async fn the_worker_sends_what_is_posted_at_once() {
    each_database(|url| async move {
        let post = Post::new(&url).await;
        let stop = CancellationToken::new();
        let work = tokio::spawn(engine::worker::work(post.engine.clone(), stop.clone()));
        tokio::time::sleep(Duration::from_millis(300)).await;
        post.put("d1", None).await;
        post.engine.wake_delivery();
        let arrived = async {
            while post.server.mails().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(4), arrived).await.expect("sooner than the worker looks by itself");
        stop.cancel();
        work.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_check_of_a_mail_server_tells_what_is_wrong() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = MailServer::start();
    assert_eq!(Mailer::new(&server.url(), "a@b.example").unwrap().check().await, Ok(()));
    assert!(server.commands().iter().any(|command| command.starts_with("EHLO")));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = Mailer::new(&format!("smtp://{free}"), "a@b.example").unwrap().check().await.unwrap_err();
    assert!(refused.contains("refused"), "{refused}");
}
