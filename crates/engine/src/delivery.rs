//! Sends what the outbox holds: mails by SMTP, tried again until they arrive or are refused for good.
use crate::Engine;
use crate::error::EngineError;
use domain::delivery::{DeliveryKind, wait_after};
use domain::ids::OrganizationId;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use providers::post::PostError;
use std::fmt;
use std::time::Duration;
use store::outbox::{self, Due, Outcome};
use tokio_util::sync::CancellationToken;

/// How long one conversation with a mail server may take; the lease is longer.
const LONGEST_TALK: Duration = Duration::from_secs(30);
const LEASE_MS: i64 = 120_000;
const AT_ONCE: i64 = 10;
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The mail server of this installation, and who mails come from.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

// the transport holds a password
impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({})", self.from)
    }
}

impl Mailer {
    /// `smtp_url`: `smtp://host:port` in clear (a relay on this machine), `smtp://user:password@host:587?tls=required`, or `smtps://user:password@host`.
    /// `from`: `Tieout <books@example.com>`. The error says which of the two is wrong.
    pub fn new(smtp_url: &str, from: &str) -> Result<Mailer, MailerError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp_url).map_err(|error| MailerError::Url(error.to_string()))?;
        let from = from.trim().parse::<Mailbox>().map_err(|error| MailerError::From(error.to_string()))?;
        Ok(Mailer { transport: builder.timeout(Some(LONGEST_TALK)).build(), from })
    }

    pub fn from(&self) -> String {
        self.from.to_string()
    }

    /// Whether the server answers and takes our greeting and sign-in; for `tieout doctor`.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(Duration::from_secs(10), self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the server closed the connection".to_owned()),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err("no answer within 10 seconds".to_owned()),
        }
    }

    async fn send(&self, due: &Due) -> Result<(), Undelivered> {
        let to: Mailbox = due.recipient.parse().map_err(|error| Undelivered::ForGood(format!("{} is no address: {error}", due.recipient)))?;
        let host = self.from.email.domain();
        let message = Message::builder()
            .message_id(Some(format!("<{}@{host}>", due.id)))
            .from(self.from.clone())
            .to(to)
            .subject(due.subject.as_str())
            .header(ContentType::TEXT_PLAIN)
            .body(due.body.clone())
            .map_err(|error| Undelivered::ForGood(error.to_string()))?;
        match tokio::time::timeout(LONGEST_TALK, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(Undelivered::ForGood(words(&error))),
            Ok(Err(error)) => Err(Undelivered::ForNow(words(&error))),
            Err(_) => Err(Undelivered::ForNow(format!("no answer within {} seconds", LONGEST_TALK.as_secs()))),
        }
    }
}

/// Names are people's own words, and a company's can hold anything: a subject is one line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(150).collect()
}

/// Which of the two settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailerError {
    #[error("{0}")]
    Url(String),
    #[error("{0}")]
    From(String),
}

enum Undelivered {
    ForNow(String),
    ForGood(String),
}

/// What the server said, with what lies under it.
fn words(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text.chars().take(500).collect()
}

/// Delivers until `shutdown`; the worker runs it.
pub(crate) async fn deliver(engine: Engine, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match deliver_due(&engine).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!(%error, "the outbox could not be worked on"),
        }
        tokio::select! {
            () = engine.posted.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// Sends what is due now; how many were tried.
pub async fn deliver_due(engine: &Engine) -> Result<usize, EngineError> {
    if !outbox::has_due(&mut engine.store.read().await?, engine.now_ms()).await? {
        return Ok(0);
    }
    let mut tx = engine.store.begin().await?;
    let claimed = outbox::claim(&engine.store, &mut tx, engine.now_ms(), LEASE_MS, AT_ONCE).await?;
    tx.commit().await?;
    let tried = futures::future::join_all(claimed.iter().map(|due| async move {
        let sent = match due.kind {
            DeliveryKind::Mail => match engine.mailer() {
                Some(mailer) => mailer.send(due).await,
                None => Err(Undelivered::ForNow("this server has no mail server".to_owned())),
            },
            DeliveryKind::Webhook => post(engine, due).await,
        };
        (due, sent)
    }))
    .await;
    for (due, sent) in tried {
        settle(engine, due, sent).await?;
    }
    Ok(claimed.len())
}

/// Posts to the chat of an organization, at the address it has now.
async fn post(engine: &Engine, due: &Due) -> Result<(), Undelivered> {
    let url = async {
        let mut conn = engine.store.read().await?;
        store::notices::webhook_url(&engine.store, &mut conn, &OrganizationId::new(&due.recipient)).await
    };
    let url = url.await.map_err(|error| Undelivered::ForNow(error.to_string()))?;
    let url = url.ok_or_else(|| Undelivered::ForGood("the webhook was removed".to_owned()))?;
    providers::post::post_json(&url, due.body.clone(), engine.reach()).await.map_err(|error| match error {
        PostError::Refused(text) => Undelivered::ForGood(text),
        PostError::Failed(text) => Undelivered::ForNow(text),
    })
}

async fn settle(engine: &Engine, due: &Due, sent: Result<(), Undelivered>) -> Result<(), EngineError> {
    let now_ms = engine.now_ms();
    let again = wait_after(due.attempt).map(|wait_secs| now_ms + wait_secs * 1_000);
    let outcome = match (&sent, again) {
        (Ok(()), _) => Outcome::Sent,
        (Err(Undelivered::ForNow(error)), Some(run_after)) => Outcome::Again { run_after, error },
        (Err(Undelivered::ForNow(error) | Undelivered::ForGood(error)), _) => Outcome::Failed { error },
    };
    if let Err(Undelivered::ForNow(error) | Undelivered::ForGood(error)) = &sent {
        // whom it was for stays out of the trace
        tracing::warn!(delivery.id = %due.id, attempt = due.attempt, %error, "a delivery did not succeed");
    }
    let mut tx = engine.store.begin().await?;
    outbox::settle(&mut tx, due, &outcome, now_ms).await?;
    tx.commit().await?;
    Ok(())
}
