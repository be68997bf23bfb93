//! Status words and tie-out marks: icon, colour and word together, never colour alone.
use super::icon::{Icon, icon};
use super::moment::Moment;
use askama::Template;
use askama::filters::HtmlSafe;
use domain::company::{Mark, SyncStatus, sync_status};
use domain::connection::ConnectionState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::companies::Company;

/// What a page shows of a company's status.
#[derive(Template, Clone, Debug)]
#[template(path = "parts/status.html")]
pub struct Status {
    /// The word of addresses: `synced`, `needs_resync`, ... or `not_linked`.
    pub key: &'static str,
    pub label: &'static str,
    /// What stands beside the word: why, or what is waited for.
    pub reason: Option<String>,
    /// When a wait ends.
    pub resumes: Option<Moment>,
    /// Where a wait is explained, for those who may go there.
    pub health: Option<String>,
}

impl Status {
    /// Its colour: `badge-good`, `badge-warn`, ...
    pub fn tone(&self) -> &'static str {
        match self.key {
            "synced" => "good",
            "needs_resync" => "warn",
            "invalid_token" => "bad",
            "syncing" => "busy",
            "waiting" => "wait",
            _ => "muted",
        }
    }
    /// Leads from a wait to how the provider answers.
    pub fn with_health(self, provider: &str) -> Status {
        let health = (self.key == "waiting").then(|| format!("/integrations/health#{provider}"));
        Status { health, ..self }
    }
    pub fn icon(&self) -> Icon {
        match self.key {
            "synced" => icon("check-circle"),
            "syncing" => icon("spinner"),
            "waiting" => icon("clock"),
            "invalid_token" => icon("key"),
            "paused" => icon("pause"),
            "not_linked" => icon("unlink"),
            _ => icon("resync"),
        }
    }
}

/// The template escapes what it shows.
impl HtmlSafe for Status {}

/// Every word the Data Feed can filter by, with its label.
pub const WORDS: [(&str, &str); 7] = [
    ("synced", "Synced"),
    ("needs_resync", "Needs Resync"),
    ("syncing", "Syncing"),
    ("waiting", "Waiting"),
    ("invalid_token", "Invalid token"),
    ("paused", "Paused"),
    ("not_linked", "Not linked"),
];

/// The status of a company now, derived from its facts.
pub fn of(company: &Company, now: Timestamp, zone: &TimeZone) -> Status {
    let word = sync_status(&company.status_facts(), now);
    let runs = matches!(word, SyncStatus::Syncing | SyncStatus::Waiting { .. });
    if company.linked_at.is_none() && !runs {
        return Status { key: "not_linked", label: "Not linked", reason: None, resumes: None, health: None };
    }
    let (reason, resumes) = match &word {
        SyncStatus::NeedsResync(reason) => (Some(reason.label().to_owned()), None),
        SyncStatus::Waiting { until_ms } => (company.run.as_ref().and_then(|run| run.waiting_for.clone()), Some(Moment::clock(*until_ms, now, zone))),
        SyncStatus::InvalidToken if company.connection_state == ConnectionState::Disconnected => (Some("account disconnected".to_owned()), None),
        SyncStatus::InvalidToken => (Some("sign-in expired".to_owned()), None),
        _ => (None, None),
    };
    Status { key: word.key(), label: word.label(), reason, resumes, health: None }
}

/// The second mark: a shield that is full, broken or empty.
#[derive(Template, Clone, Debug)]
#[template(path = "parts/shield.html")]
pub struct Shield {
    pub label: &'static str,
    pub look: &'static str,
    pub icon: &'static str,
    /// What was proven and when, on hover.
    pub title: String,
}

impl Shield {
    pub fn of(company: &Company) -> Shield {
        Shield::new(company.mark, company.marked_as_of.as_deref())
    }
    pub fn new(mark: Mark, as_of: Option<&str>) -> Shield {
        let day = as_of.map(super::figures::day);
        let (look, icon, title) = match (mark, day) {
            (Mark::Verified, Some(day)) => ("verified", "shield-full", format!("Equal to the provider's own trial balance as of {day}")),
            (Mark::Verified, None) => ("verified", "shield-full", "Equal to the provider's own trial balance".to_owned()),
            (Mark::NotVerified, Some(day)) => ("not-verified", "shield-broken", format!("Differs from the provider's own trial balance as of {day}")),
            (Mark::NotVerified, None) => ("not-verified", "shield-broken", "Differs from the provider's own trial balance".to_owned()),
            (Mark::NotChecked, _) => ("not-checked", "shield-empty", "Not compared with the provider's trial balance yet".to_owned()),
        };
        Shield { label: mark.label(), look, icon, title }
    }
    pub fn icon(&self) -> Icon {
        icon(self.icon)
    }
}

/// The template escapes what it shows.
impl HtmlSafe for Shield {}
