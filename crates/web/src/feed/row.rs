//! One company of the Data Feed, as it is shown.
use crate::parts::address::Address;
use crate::parts::figures;
use crate::parts::moment::{Moment, span};
use crate::parts::status::{self, Shield, Status};
use crate::parts::tracking::Tracked;
use domain::company::is_stale;
use domain::connection::ConnectionState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::companies::Company;

pub struct Row {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub account: String,
    pub account_id: String,
    pub linked: bool,
    pub invalid: bool,
    pub paused: bool,
    pub ticked: bool,
    pub status: Status,
    pub shield: Shield,
    pub last_synced: Option<Moment>,
    pub next_run: Option<Moment>,
    pub last_run: Option<LastRun>,
    pub tracked: Option<Tracked>,
    pub freshness: Option<Freshness>,
    /// Why Resync cannot be chosen.
    pub not_now: Option<&'static str>,
}

/// What the last finished run took and did.
pub struct LastRun {
    pub took: String,
    /// Added, changed, deleted.
    pub changes: Option<[String; 3]>,
    pub href: String,
}

/// Whether a company was brought up to date within its target.
pub struct Freshness {
    pub is_met: bool,
    /// `24 h`
    pub target: String,
    pub is_own: bool,
}

impl Row {
    pub fn of(company: &Company, ticked: bool, now: Timestamp, zone: &TimeZone) -> Row {
        let status = status::of(company, now, zone);
        let linked = company.linked_at.is_some();
        let invalid = company.connection_state != ConnectionState::Active;
        let tracked = Tracked::of(company, now, zone);
        let is_scheduled = company.run.is_none() && company.paused_at.is_none() && linked && !invalid;
        Row {
            id: company.id.0.clone(),
            name: company.name.clone(),
            provider: company.provider.clone(),
            account: account_name(&company.connection_name, &company.connection_email),
            account_id: company.connection_id.0.clone(),
            linked,
            invalid,
            paused: company.paused_at.is_some(),
            ticked,
            shield: Shield::of(company),
            last_synced: company.last_success_at.map(|ms| Moment::relative(ms, now, zone)),
            next_run: company.next_due_at.filter(|_| is_scheduled).map(|ms| Moment::relative(ms.max(now.as_millisecond()), now, zone)),
            last_run: last_run(company),
            freshness: freshness(company, now),
            not_now: match (invalid, tracked.is_some()) {
                (true, _) => Some("The sign-in is no longer accepted"),
                (false, true) => Some("A sync is under way"),
                (false, false) => None,
            },
            tracked,
            status,
        }
    }

    pub fn cancellable(&self) -> Option<&str> {
        self.tracked.as_ref().filter(|tracked| !tracked.cancelling).map(|tracked| tracked.run_id.as_str())
    }
}

/// An account as the table names it: its name, or its address where it has none.
pub fn account_name(name: &str, email: &str) -> String {
    if name.is_empty() { email.to_owned() } else { name.to_owned() }
}

fn last_run(company: &Company) -> Option<LastRun> {
    let run_id = company.last_run_id.as_ref()?;
    Some(LastRun {
        took: span(company.last_run_ms?),
        changes: company.last_run_counts.map(|counts| counts.map(figures::count)),
        href: Address::new(format!("/integrations/logs/companies/{}", company.id)).with("run", run_id).to_string(),
    })
}

fn freshness(company: &Company, now: Timestamp) -> Option<Freshness> {
    company.linked_at?;
    let target_secs = company.freshness_target_secs;
    let is_met = !is_stale(company.last_success_at, company.linked_at, target_secs, now);
    // nothing is fresh before there is something
    if is_met && company.last_success_at.is_none() {
        return None;
    }
    Some(Freshness { is_met, target: target(target_secs), is_own: company.freshness_secs.is_some() })
}

/// `24 h`, `7 days`.
pub fn target(secs: i64) -> String {
    match secs / 3_600 {
        hours if hours > 24 && hours % 24 == 0 => format!("{} days", hours / 24),
        hours => format!("{hours} h"),
    }
}
