//! The providers' call limits, counted in windows per company and app.
use crate::books::Face;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};

/// Figures of both providers; every one can be changed while the sandbox runs.
///
/// QuickBooks: <https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features> (limits and throttles).
/// Xero: <https://developer.xero.com/documentation/guides/oauth2/limits/>.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Figures {
    pub quickbooks_per_second: u32,
    pub quickbooks_per_minute: u32,
    pub xero_per_minute: u32,
    pub xero_per_day: u32,
    pub xero_app_per_minute: u32,
    pub xero_concurrent: u32,
    /// Cells of one QuickBooks report before it answers that it is too large.
    pub quickbooks_report_cells: u64,
    /// Calls at one time per company and app, as QuickBooks limited them until 2025; 0: no such limit.
    pub quickbooks_concurrent: u32,
    /// Batch requests per company and app.
    pub quickbooks_batch_per_minute: u32,
    /// Batch requests per company, of all apps together.
    pub quickbooks_batch_per_minute_and_company: u32,
    /// Metered reads of an app in a calendar month ("CorePlus"); 0: no such limit, as in Intuit's own sandbox.
    pub quickbooks_per_month: u64,
    /// QuickBooks cuts requests off that run longer.
    pub quickbooks_longest_ms: u64,
    /// Xero refuses a list of more records than this at once; 0: never.
    pub xero_most_records: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            quickbooks_per_second: 10,
            quickbooks_per_minute: 500,
            xero_per_minute: 60,
            xero_per_day: 5_000,
            xero_app_per_minute: 10_000,
            xero_concurrent: 5,
            quickbooks_report_cells: 400_000,
            quickbooks_concurrent: 0,
            quickbooks_batch_per_minute: 40,
            quickbooks_batch_per_minute_and_company: 120,
            quickbooks_per_month: 0,
            quickbooks_longest_ms: 120_000,
            xero_most_records: 100_000,
        }
    }
}

/// Counts calls and refuses those above the figures.
#[derive(Debug)]
pub struct Limits {
    /// When false, calls are still counted but never refused.
    pub enforced: bool,
    pub figures: Figures,
    windows: HashMap<Key, Window>,
    /// Xero calls in flight per tenant and app.
    in_flight: HashMap<(String, String), u32>,
    /// QuickBooks calls in flight per company and app.
    inside: HashMap<(String, String), u32>,
    /// Metered QuickBooks reads per app: the month and their number.
    metered: HashMap<String, ((i16, i8), u64)>,
}

/// What an app's tier says of its calls at Xero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    pub most_calls_a_day: Option<u32>,
    /// The connection is new and its limits of a minute and a day are lifted.
    pub syncs_rapidly: bool,
}

/// A QuickBooks call's place among those at one time, to be given back.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    place: Option<(String, String)>,
}

impl Gate {
    pub fn is_counted(&self) -> bool {
        self.place.is_some()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    scope: Scope,
    /// Empty for limits of a whole app.
    company: String,
    client_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    QuickBooksSecond,
    QuickBooksMinute,
    QuickBooksBatch,
    /// Of all apps together.
    QuickBooksCompanyBatch,
    XeroMinute,
    XeroDay,
    XeroAppMinute,
}

impl Scope {
    fn length_ms(self) -> i64 {
        match self {
            Scope::QuickBooksSecond => 1_000,
            Scope::QuickBooksMinute | Scope::QuickBooksBatch | Scope::QuickBooksCompanyBatch | Scope::XeroMinute | Scope::XeroAppMinute => 60_000,
            Scope::XeroDay => 86_400_000,
        }
    }
    fn problem(self) -> Problem {
        match self {
            Scope::QuickBooksSecond => Problem::Second,
            Scope::QuickBooksMinute | Scope::QuickBooksBatch | Scope::QuickBooksCompanyBatch | Scope::XeroMinute => Problem::Minute,
            Scope::XeroDay => Problem::Day,
            Scope::XeroAppMinute => Problem::AppMinute,
        }
    }
}

/// Times of the calls still inside the window, oldest first.
type Window = VecDeque<i64>;

/// What is left of Xero's windows after an admitted call (headers `X-MinLimit-Remaining` and its siblings). QuickBooks tells nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    pub minute: u32,
    pub day: u32,
    pub app_minute: u32,
}

/// A refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub problem: Problem,
    /// Whole seconds until a call is admitted again, at least 1.
    pub retry_after_secs: u32,
    /// What is left of the other windows.
    pub remaining: Remaining,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Problem {
    /// QuickBooks only.
    Second,
    Minute,
    Day,
    AppMinute,
    Concurrent,
}

impl Problem {
    /// Xero's word in `X-Rate-Limit-Problem`.
    pub fn word(self) -> &'static str {
        match self {
            Problem::Second => "second",
            Problem::Minute => "minute",
            Problem::Day => "day",
            Problem::AppMinute => "appminute",
            Problem::Concurrent => "concurrent",
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            enforced: true,
            figures: Figures::default(),
            windows: HashMap::new(),
            in_flight: HashMap::new(),
            inside: HashMap::new(),
            metered: HashMap::new(),
        }
    }
}

impl Limits {
    /// Counts one call, `now` no earlier than any counted before: an earlier one says that the clock was set back. For Xero an admitted call is in flight until `release`; a refused call counts nowhere.
    /// `company` is empty for calls that name none (`/connections`): then only the app's window counts.
    pub fn admit(&mut self, face: Face, company: &str, client_id: &str, now: Timestamp) -> Result<Remaining, Limit> {
        self.admit_under(Contract::default(), face, company, client_id, now)
    }

    /// The same for an app whose contract differs from the usual one.
    pub fn admit_under(&mut self, contract: Contract, face: Face, company: &str, client_id: &str, now: Timestamp) -> Result<Remaining, Limit> {
        let now_ms = now.as_millisecond();
        let scopes: Vec<(Scope, u32)> = match (face, company.is_empty()) {
            (Face::QuickBooks, _) => {
                vec![(Scope::QuickBooksSecond, self.figures.quickbooks_per_second), (Scope::QuickBooksMinute, self.figures.quickbooks_per_minute)]
            }
            (Face::Xero, true) => vec![(Scope::XeroAppMinute, self.figures.xero_app_per_minute)],
            (Face::Xero, false) => vec![
                (Scope::XeroDay, contract.most_calls_a_day.unwrap_or(u32::MAX).min(self.figures.xero_per_day)),
                (Scope::XeroMinute, self.figures.xero_per_minute),
                (Scope::XeroAppMinute, self.figures.xero_app_per_minute),
            ],
        };
        let mut refused: Option<(Problem, u32)> = None;
        let mut remaining = Remaining::default();
        for (scope, figure) in &scopes {
            let window = self.window(*scope, company, client_id, now_ms);
            let used = u32::try_from(window.len()).unwrap_or(u32::MAX);
            let is_lifted = contract.syncs_rapidly && matches!(scope, Scope::XeroDay | Scope::XeroMinute);
            if used >= *figure && refused.is_none() && !is_lifted {
                let oldest = window.front().copied().unwrap_or(now_ms);
                let wait_ms = (oldest + scope.length_ms() - now_ms).max(1);
                refused = Some((scope.problem(), u32::try_from((wait_ms + 999) / 1000).unwrap_or(u32::MAX)));
            }
            remaining.set(*scope, figure.saturating_sub(used));
        }
        if refused.is_none() && face == Face::Xero && !company.is_empty() && self.in_flight(company, client_id) >= self.figures.xero_concurrent {
            refused = Some((Problem::Concurrent, 1));
        }
        if let Some((problem, retry_after_secs)) = refused
            && self.enforced
        {
            return Err(Limit { problem, retry_after_secs, remaining });
        }
        for (scope, figure) in scopes {
            let window = self.window(scope, company, client_id, now_ms);
            window.push_back(now_ms);
            let used = u32::try_from(window.len()).unwrap_or(u32::MAX);
            remaining.set(scope, figure.saturating_sub(used));
        }
        if face == Face::Xero && !company.is_empty() {
            *self.in_flight.entry((company.to_owned(), client_id.to_owned())).or_default() += 1;
        }
        Ok(remaining)
    }

    /// Ends a Xero call that `admit` let through. Harmless for QuickBooks.
    pub fn release(&mut self, face: Face, company: &str, client_id: &str) {
        if face == Face::Xero
            && let Some(count) = self.in_flight.get_mut(&(company.to_owned(), client_id.to_owned()))
        {
            *count = count.saturating_sub(1);
        }
    }

    /// QuickBooks' limits besides those of a second and a minute: calls at one time, batches, metered reads of a month. Refused: the
    /// seconds to wait, where that can be said.
    pub fn enter(&mut self, company: &str, client_id: &str, reads: bool, is_batch: bool, now: Timestamp) -> Result<Gate, Option<u32>> {
        let place = (company.to_owned(), client_id.to_owned());
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let month = (today.year(), today.month());
        let figures = self.figures.clone();
        let read_this_month = self.metered.get(client_id).filter(|(known, _)| *known == month).map_or(0, |(_, count)| *count);
        if self.enforced {
            if figures.quickbooks_concurrent > 0 && self.inside.get(&place).copied().unwrap_or(0) >= figures.quickbooks_concurrent {
                return Err(None);
            }
            if reads && figures.quickbooks_per_month > 0 && read_this_month >= figures.quickbooks_per_month {
                return Err(None);
            }
        }
        if is_batch {
            let now_ms = now.as_millisecond();
            let enforced = self.enforced;
            let windows = [
                (Scope::QuickBooksBatch, client_id, figures.quickbooks_batch_per_minute),
                (Scope::QuickBooksCompanyBatch, "", figures.quickbooks_batch_per_minute_and_company),
            ];
            for (scope, client_id, figure) in windows {
                let used = self.window(scope, company, client_id, now_ms).len();
                if enforced && u32::try_from(used).unwrap_or(u32::MAX) >= figure {
                    return Err(None);
                }
            }
            for (scope, client_id, _) in windows {
                self.window(scope, company, client_id, now_ms).push_back(now_ms);
            }
        }
        if reads {
            self.metered.insert(client_id.to_owned(), (month, read_this_month + 1));
        }
        if figures.quickbooks_concurrent == 0 {
            return Ok(Gate::default());
        }
        *self.inside.entry(place.clone()).or_default() += 1;
        Ok(Gate { place: Some(place) })
    }

    /// Ends a call that `enter` let through.
    pub fn leave(&mut self, gate: &Gate) {
        if let Some(count) = gate.place.as_ref().and_then(|place| self.inside.get_mut(place)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Forgets all counted calls, not the figures.
    pub fn reset_windows(&mut self) {
        self.windows.clear();
        self.metered.clear();
    }

    fn in_flight(&self, company: &str, client_id: &str) -> u32 {
        self.in_flight.get(&(company.to_owned(), client_id.to_owned())).copied().unwrap_or(0)
    }

    fn window(&mut self, scope: Scope, company: &str, client_id: &str, now_ms: i64) -> &mut Window {
        let company = if scope == Scope::XeroAppMinute { "" } else { company };
        let window = self.windows.entry(Key { scope, company: company.to_owned(), client_id: client_id.to_owned() }).or_default();
        // A clock that was set back must not leave calls from the future in the window.
        while window.front().is_some_and(|&at| at + scope.length_ms() <= now_ms) {
            window.pop_front();
        }
        while window.back().is_some_and(|&at| at > now_ms) {
            window.pop_back();
        }
        window
    }
}

impl Remaining {
    fn set(&mut self, scope: Scope, left: u32) {
        match scope {
            Scope::XeroMinute => self.minute = left,
            Scope::XeroDay => self.day = left,
            Scope::XeroAppMinute => self.app_minute = left,
            Scope::QuickBooksSecond | Scope::QuickBooksMinute | Scope::QuickBooksBatch | Scope::QuickBooksCompanyBatch => {}
        }
    }
}
