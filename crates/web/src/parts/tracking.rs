//! Runs as people follow them: on the Data Feed, on the company's page and in the job indicator, all from one source.
use super::moment::{Elapsed, Moment, span};
use super::{figures, status};
use domain::sync::{Counts, Extent, RunState};
use engine::sync::Progress;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::companies::{ActiveRun, Company};
use store::frame::FinishedRun;

/// A run that is going on, waits, or is queued.
#[derive(Clone, Debug)]
pub struct Tracked {
    pub run_id: String,
    pub company: String,
    pub href: String,
    pub state: TrackedState,
    /// `Transactions (3 of 6)`
    pub step: String,
    /// `12,400 of about 31,000`
    pub counts: Option<String>,
    /// Of 100, over all steps; `None` while the end is not known.
    pub percent: Option<u32>,
    pub elapsed: Option<Elapsed>,
    /// `about 2 min left`
    pub left: Option<String>,
    pub types: Vec<TypeProgress>,
    pub cancelling: bool,
    /// Which limit it waits for, and when it resumes.
    pub waits_for: Option<String>,
    pub resumes: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackedState {
    Running,
    Waiting,
    Queued,
}

/// How far one data type is.
#[derive(Clone, Debug)]
pub struct TypeProgress {
    pub label: &'static str,
    pub fetched: String,
    /// What the provider says there is.
    pub expected: Option<String>,
    pub changes: String,
}

impl Tracked {
    /// The active run of a company; `None` when there is none, or when its worker is gone.
    pub fn of(company: &Company, now: Timestamp, zone: &TimeZone) -> Option<Tracked> {
        let run = company.run.as_ref()?;
        let status = status::of(company, now, zone);
        let state = match status.key {
            "waiting" => TrackedState::Waiting,
            "syncing" if run.state == RunState::Queued => TrackedState::Queued,
            "syncing" => TrackedState::Running,
            _ => return None,
        };
        let progress = Progress::parse(&run.progress);
        let percent = percent(&progress);
        let elapsed_ms = run.started_at.map(|started| now.as_millisecond() - started);
        let known_ms = match run.extent {
            Extent::Full => company.full_run_ms,
            Extent::Changes => company.changes_run_ms,
        };
        Some(Tracked {
            run_id: run.id.0.clone(),
            company: company.name.clone(),
            href: format!("/companies/{}", company.id),
            step: step(run, &progress),
            counts: match (progress.done, progress.expected) {
                (0, None) => None,
                (done, None) => Some(format!("{} so far", figures::count(done))),
                (done, Some(expected)) => Some(format!("{} of about {}", figures::count(done), figures::count(expected.max(done)))),
            },
            percent,
            elapsed: run.started_at.map(|started| Elapsed::since(started, now, zone)),
            left: elapsed_ms.filter(|_| state == TrackedState::Running).and_then(|elapsed_ms| left(elapsed_ms, known_ms, percent)),
            types: types(&progress),
            cancelling: run.cancel_requested_at.is_some(),
            waits_for: status.reason.filter(|_| state == TrackedState::Waiting),
            resumes: status.resumes,
            state,
        })
    }

    pub fn is_running(&self) -> bool {
        self.state == TrackedState::Running
    }
    pub fn is_waiting(&self) -> bool {
        self.state == TrackedState::Waiting
    }
    pub fn is_queued(&self) -> bool {
        self.state == TrackedState::Queued
    }
}

fn step(run: &ActiveRun, progress: &Progress) -> String {
    match (run.started_at.is_none(), progress.steps) {
        (true, _) => "Queued".to_owned(),
        (false, 0) if run.step.is_empty() => "Starting".to_owned(),
        (false, 0) => run.step.clone(),
        (false, steps) => format!("{} ({} of {steps})", progress.step, progress.step_number),
    }
}

fn percent(progress: &Progress) -> Option<u32> {
    (progress.steps > 0).then(|| {
        let within = match progress.expected {
            Some(expected) if expected > 0 => (progress.done.min(expected) * 100 / expected) as u32,
            _ => 0,
        };
        ((progress.step_number.saturating_sub(1) * 100 + within) / progress.steps).min(100)
    })
}

/// What is left: by how long the last run of this kind took, or by how far this one came in its time. Nothing is said while nothing can be known.
fn left(elapsed_ms: i64, known_ms: Option<i64>, percent: Option<u32>) -> Option<String> {
    let left_ms = match (known_ms, percent) {
        (Some(known_ms), _) if known_ms > elapsed_ms => known_ms - elapsed_ms,
        (_, Some(percent)) if percent >= 5 && elapsed_ms >= 3_000 => elapsed_ms * i64::from(100 - percent) / i64::from(percent),
        _ => return None,
    };
    // whole seconds, then whole minutes: it is an estimate
    let rounded = match left_ms {
        ..=59_999 => (left_ms + 999) / 1_000 * 1_000,
        _ => (left_ms + 59_999) / 60_000 * 60_000,
    };
    Some(format!("about {} left", span(rounded).trim_end_matches(" 0 s").replace(".0 s", " s")))
}

fn types(progress: &Progress) -> Vec<TypeProgress> {
    let mut labels: Vec<_> = progress.counts.keys().chain(progress.expected_of.keys()).copied().collect();
    labels.sort();
    labels.dedup();
    labels
        .into_iter()
        .map(|data_type| {
            let counts = progress.counts.get(&data_type).copied().unwrap_or_default();
            TypeProgress {
                label: data_type.label(),
                fetched: figures::count(counts.fetched),
                expected: progress.expected_of.get(&data_type).map(|expected| figures::count(*expected)),
                changes: counts_text(&counts),
            }
        })
        .collect()
}

/// A run that ended, among the recently completed ones.
#[derive(Clone, Debug)]
pub struct Done {
    pub company: String,
    pub href: String,
    pub result: &'static str,
    /// `good`, `bad`, `muted`.
    pub look: &'static str,
    pub changes: String,
    pub when: Moment,
}

impl Done {
    pub fn of(finished: &FinishedRun, now: Timestamp, zone: &TimeZone) -> Done {
        Done {
            company: finished.company_name.clone(),
            href: format!("/companies/{}", finished.company_id),
            result: result_word(finished.state),
            look: result_look(finished.state),
            changes: counts_text(&Progress::parse(&finished.progress).total()),
            when: Moment::relative(finished.finished_at, now, zone),
        }
    }
}

pub fn result_word(state: RunState) -> &'static str {
    match state {
        RunState::Succeeded => "Succeeded",
        RunState::Failed => "Failed",
        RunState::Cancelled => "Cancelled",
        RunState::Queued => "Queued",
        RunState::Running => "Running",
    }
}

pub fn result_look(state: RunState) -> &'static str {
    match state {
        RunState::Succeeded => "good",
        RunState::Failed => "bad",
        _ => "muted",
    }
}

/// "12 added, 3 updated", or that nothing changed.
pub fn counts_text(counts: &Counts) -> String {
    let parts: Vec<String> = [(counts.added, "added"), (counts.changed, "updated"), (counts.deleted, "deleted")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", figures::count(count)))
        .collect();
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_made_of_what_is_known_and_of_nothing_else() {
        assert_eq!(left(1_000, Some(61_000), None).as_deref(), Some("about 1 min left"));
        assert_eq!(left(30_000, None, Some(25)).as_deref(), Some("about 2 min left"), "90 seconds, in whole minutes");
        assert_eq!(left(30_000, None, Some(75)).as_deref(), Some("about 10 s left"));
        assert_eq!(left(30_000, Some(20_000), Some(50)).as_deref(), Some("about 30 s left"), "it takes longer than the last one");
        assert_eq!(left(27_000, Some(30_000), None).as_deref(), Some("about 3 s left"));
        assert_eq!(left(500, None, Some(50)), None, "too early to tell");
        assert_eq!(left(60_000, None, None), None);
    }
}
