//! What support needs to know of one run, as one file of JSON without names, addresses, amounts or secrets: made to be read before it is sent.
use crate::error::EngineError;
use crate::sync::Progress;
use crate::{Engine, verify};
use domain::clock::instant;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::job::Trigger;
use domain::ledger::Basis;
use domain::log::LogBody;
use domain::problem::Problem;
use domain::sync::Counts;
use serde::Serialize;
use std::collections::BTreeMap;
use store::companies::{self, Company};
use store::connections::{self, Connection};
use store::incidents::{self, Incident};
use store::log_entries::{self, LogEntry};
use store::runs::{self, Run};
use store::{Conn, members};

/// What a bundle is about.
#[derive(Clone, Debug)]
pub enum Subject {
    Run(RunId),
    /// An entry about an account, which belongs to no run.
    Entry(i64),
}

/// A bundle, ready to be read and sent.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Indented JSON.
    pub text: String,
    /// What stands in the place of what was taken out, and how often.
    pub hidden: Vec<(&'static str, usize)>,
}

/// Entries of a run that fit into a bundle: a run has about a dozen.
const MOST_ENTRIES: usize = 1_000;

#[derive(Serialize)]
struct Contents {
    about: &'static str,
    made_at: String,
    tieout: Installation,
    account: Option<Account>,
    company: Option<Books>,
    run: Option<Told>,
    log: Vec<Line>,
    log_entries_left_out: usize,
    incident: Option<Cause>,
    proofs: Vec<Proof>,
}

#[derive(Serialize)]
struct Installation {
    version: &'static str,
    database: &'static str,
    schema: usize,
    workers: usize,
    lease_secs: i64,
}

#[derive(Serialize)]
struct Account {
    id: String,
    provider: String,
    environment: String,
    state: &'static str,
    scopes: Vec<String>,
    connected_at: String,
    access_token_expires_at: String,
    refresh_token_expires_at: String,
    refreshed: i64,
    invalid_since: Option<String>,
}

#[derive(Serialize)]
struct Books {
    id: String,
    currency: String,
    country: String,
    time_zone: String,
    fiscal_year_start_month: i8,
    linked: bool,
    paused: bool,
    every_secs: i64,
    next_due_at: Option<String>,
    synced_through: Option<String>,
    last_success_at: Option<String>,
    last_full_sync_at: Option<String>,
    journals_through: i64,
    mark: &'static str,
    records: Vec<Kept>,
    set_aside: Vec<SetAside>,
}

#[derive(Serialize)]
struct Kept {
    data_type: &'static str,
    ours: i64,
    theirs: Option<i64>,
    deletions_complete_at: Option<String>,
}

#[derive(Serialize)]
struct SetAside {
    data_type: String,
    id: String,
    reason: String,
}

#[derive(Serialize)]
struct Told {
    id: String,
    extent: &'static str,
    trigger: &'static str,
    state: &'static str,
    step: String,
    attempt: i64,
    crashes: i64,
    claims: i64,
    calls: i64,
    bytes: i64,
    asked_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    waits_for: Option<String>,
    data_types: BTreeMap<&'static str, Counts>,
    problem: Option<Problem>,
}

#[derive(Serialize)]
struct Line {
    at: String,
    log_type: &'static str,
    status: &'static str,
    message: String,
    body: Option<LogBody>,
}

#[derive(Serialize)]
struct Cause {
    id: String,
    kind: &'static str,
    errors: i64,
    companies: i64,
    opened_at: String,
    last_seen_at: String,
    closed_at: Option<String>,
}

/// A comparison with the provider's trial balance: which accounts differ, not by how much.
#[derive(Serialize)]
struct Proof {
    basis: &'static str,
    pass: i64,
    as_of: String,
    mark: &'static str,
    accounts: i64,
    months: i64,
    differing: Vec<Differing>,
}

#[derive(Serialize)]
struct Differing {
    account_id: String,
    month: Option<String>,
    candidates: Vec<(String, String)>,
}

const ABOUT: &str =
    "Support bundle of Tieout. Names of companies, accounts, organizations and people, e-mail addresses, amounts and secrets are left out.";

/// The bundle of a run or of an entry of this organization; `NotFound` for anything else.
pub async fn make(engine: &Engine, organization_id: &OrganizationId, subject: &Subject) -> Result<Bundle, EngineError> {
    let mut conn = engine.store.read().await?;
    let conn = &mut conn;
    let (run, entries) = match subject {
        Subject::Run(id) => {
            let run = runs::find(conn, id).await?.filter(|run| run.organization_id == *organization_id).ok_or(EngineError::NotFound)?;
            (Some(run), log_entries::list_by_run(conn, id, i64::MAX).await?)
        }
        Subject::Entry(id) => (None, vec![log_entries::find(conn, organization_id, *id).await?.ok_or(EngineError::NotFound)?]),
    };
    let company_id = run.as_ref().map(|run| run.company_id.clone()).or_else(|| entries.first().and_then(|entry| entry.company_id.clone()));
    let company = match &company_id {
        Some(id) => companies::find(conn, organization_id, id).await?,
        None => None,
    };
    let incident = incident(conn, organization_id, &entries).await?;
    let connection_id = company.as_ref().map(|company| company.connection_id.clone());
    let connection_id = connection_id.or_else(|| incident.as_ref().and_then(|incident| incident.connection_id.clone()));
    let connection = match &connection_id {
        Some(id) => connections::find(conn, organization_id, id).await?,
        None => None,
    };
    let books = match &company {
        Some(company) => Some(books(conn, company).await?),
        None => None,
    };
    let proofs = match (&run, &company_id) {
        (Some(run), Some(company_id)) => proofs(conn, company_id, &run.id).await?,
        _ => Vec::new(),
    };
    let names = names(conn, organization_id, company.as_ref(), connection.as_ref(), &entries).await?;
    let left_out = entries.len().saturating_sub(MOST_ENTRIES);
    let contents = Contents {
        about: ABOUT,
        made_at: instant(engine.now_ms()),
        tieout: Installation {
            version: env!("CARGO_PKG_VERSION"),
            database: if engine.store.is_postgres() { "PostgreSQL" } else { "SQLite" },
            schema: store::SCHEMA_VERSION,
            workers: engine.settings.workers,
            lease_secs: engine.settings.lease_secs,
        },
        account: connection.as_ref().map(account),
        company: books,
        run: run.as_ref().map(told),
        // how it began and how it ended
        log: entries
            .iter()
            .enumerate()
            .filter(|(at, _)| *at < MOST_ENTRIES / 2 || *at >= MOST_ENTRIES / 2 + left_out)
            .map(|(_, e)| line(e))
            .collect(),
        log_entries_left_out: left_out,
        incident: incident.as_ref().map(cause),
        proofs,
    };
    let text = serde_json::to_string_pretty(&contents).expect("a bundle is plain data");
    Ok(redact(&text, &names))
}

async fn incident(conn: &mut Conn, organization_id: &OrganizationId, entries: &[LogEntry]) -> Result<Option<Incident>, EngineError> {
    match entries.iter().rev().find(|entry| entry.status == domain::log::LogStatus::Error) {
        Some(entry) => Ok(incidents::find_by_entry(conn, organization_id, entry.id).await?),
        None => Ok(None),
    }
}

/// Every name that could stand in a sentence, with what takes its place.
async fn names(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    company: Option<&Company>,
    connection: Option<&Connection>,
    entries: &[LogEntry],
) -> Result<Vec<(String, &'static str)>, EngineError> {
    let mut names = Vec::new();
    names.extend(company.map(|company| (company.name.clone(), "[company]")));
    names.extend(entries.iter().map(|entry| (entry.company_name.clone(), "[company]")));
    names.extend(connection.map(|connection| (connection.name.clone(), "[account]")));
    names.extend(connection.map(|connection| (connection.email.clone(), "[account]")));
    names.extend(entries.iter().map(|entry| (entry.account_name.clone(), "[account]")));
    names.extend(members::organization_name(conn, organization_id).await?.map(|name| (name, "[organization]")));
    names.extend(members::list_names(conn, organization_id).await?.into_iter().map(|(_, name)| (name, "[person]")));
    Ok(names)
}

async fn books(conn: &mut Conn, company: &Company) -> Result<Books, EngineError> {
    let records = store::inventory::list(conn, &company.id).await?;
    let set_aside = store::quarantine::list(conn, &company.id, 100).await?;
    Ok(Books {
        id: company.id.0.clone(),
        currency: company.currency.clone(),
        country: company.country.clone(),
        time_zone: company.time_zone.clone(),
        fiscal_year_start_month: company.fiscal_year_start_month,
        linked: company.linked_at.is_some(),
        paused: company.paused_at.is_some(),
        every_secs: company.interval_secs,
        next_due_at: company.next_due_at.map(instant),
        synced_through: company.cursor_at.map(instant),
        last_success_at: company.last_success_at.map(instant),
        last_full_sync_at: company.last_full_at.map(instant),
        journals_through: company.journals_through,
        mark: company.mark.as_str(),
        records: records
            .iter()
            .map(|counted| Kept {
                data_type: counted.data_type.as_str(),
                ours: counted.ours,
                theirs: counted.theirs,
                deletions_complete_at: counted.complete_at.map(instant),
            })
            .collect(),
        set_aside: set_aside.into_iter().map(|item| SetAside { data_type: item.data_type, id: item.remote_id, reason: item.reason }).collect(),
    })
}

async fn proofs(conn: &mut Conn, company_id: &CompanyId, run_id: &RunId) -> Result<Vec<Proof>, EngineError> {
    let mut proofs = Vec::new();
    for basis in [Basis::Accrual, Basis::Cash] {
        for made in store::verifications::list(conn, company_id, basis, 50).await?.into_iter().rev().filter(|made| made.run_id == *run_id) {
            let differences: Vec<verify::ShownDifference> = serde_json::from_str(&made.differences).unwrap_or_default();
            proofs.push(Proof {
                basis: basis.as_str(),
                pass: made.pass,
                as_of: made.as_of,
                mark: made.mark.as_str(),
                accounts: made.accounts,
                months: made.months,
                differing: differences
                    .into_iter()
                    .map(|found| Differing { account_id: found.account_id, month: found.month, candidates: found.candidates })
                    .collect(),
            });
        }
    }
    Ok(proofs)
}

fn account(connection: &Connection) -> Account {
    Account {
        id: connection.id.0.clone(),
        provider: connection.provider.clone(),
        environment: connection.environment.clone(),
        state: connection.state.as_str(),
        scopes: connection.scope.split_whitespace().map(str::to_owned).collect(),
        connected_at: instant(connection.connected_at),
        access_token_expires_at: instant(connection.access_expires_at),
        refresh_token_expires_at: instant(connection.refresh_expires_at),
        refreshed: connection.token_generation,
        invalid_since: connection.invalid_since.map(instant),
    }
}

fn told(run: &Run) -> Told {
    let progress = Progress::parse(&run.progress);
    Told {
        id: run.id.0.clone(),
        extent: run.extent.as_str(),
        trigger: Trigger::label(&run.requested_by),
        state: run.state.as_str(),
        step: run.step.clone(),
        attempt: run.attempt,
        crashes: run.crash_count,
        claims: run.lease_epoch,
        calls: run.calls,
        bytes: run.bytes,
        asked_at: instant(run.created_at),
        started_at: run.started_at.map(instant),
        finished_at: run.finished_at.map(instant),
        waits_for: run.waiting_for.clone(),
        data_types: progress.counts.iter().map(|(data_type, counts)| (data_type.as_str(), *counts)).collect(),
        problem: run.problem.as_deref().and_then(|text| serde_json::from_str(text).ok()),
    }
}

fn line(entry: &LogEntry) -> Line {
    Line {
        at: instant(entry.logged_at),
        log_type: entry.log_type.as_str(),
        status: entry.status.as_str(),
        message: entry.message.clone(),
        body: entry.body.as_deref().and_then(|text| serde_json::from_str(text).ok()),
    }
}

fn cause(incident: &Incident) -> Cause {
    Cause {
        id: incident.id.clone(),
        kind: incident.kind.as_str(),
        errors: incident.errors,
        companies: incident.companies,
        opened_at: instant(incident.opened_at),
        last_seen_at: instant(incident.last_seen_at),
        closed_at: incident.closed_at.map(instant),
    }
}

/// Names shorter than this would be found inside of ordinary words.
const SHORTEST_NAME: usize = 3;
/// Ids have 36 characters; whatever is longer without a break may be a token.
const LONGEST_WORD: usize = 44;

const ADDRESS: &str = "[e-mail]";
const SECRET: &str = "[long text]";

/// Takes names, addresses and whatever looks like a token out of the values of indented JSON; its own words stay.
fn redact(text: &str, names: &[(String, &'static str)]) -> Bundle {
    let mut names: Vec<(String, &'static str)> = names.iter().map(|(name, mark)| (in_json(name.trim()), *mark)).collect();
    names.retain(|(name, _)| name.chars().count() >= SHORTEST_NAME);
    // a name that holds another one goes first
    names.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    names.dedup_by(|a, b| a.0 == b.0);
    let mut hidden: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (key, value) = line.split_at(value_start(line));
        clean.push_str(key);
        let mut value = value.to_owned();
        for (name, mark) in &names {
            let found = value.matches(name.as_str()).count();
            if found > 0 {
                *hidden.entry(mark).or_default() += found;
                value = value.replace(name.as_str(), mark);
            }
        }
        redact_words(&value, &mut clean, &mut hidden);
    }
    Bundle { text: clean, hidden: hidden.into_iter().collect() }
}

fn redact_words(text: &str, clean: &mut String, hidden: &mut BTreeMap<&'static str, usize>) {
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len()));
        let mark = if is_address(word) {
            Some(ADDRESS)
        } else if word.split(['.', '@']).any(|part| part.chars().count() > LONGEST_WORD) {
            Some(SECRET)
        } else {
            None
        };
        if let Some(mark) = mark {
            *hidden.entry(mark).or_default() += 1;
        }
        clean.push_str(mark.unwrap_or(word));
        let (between, next) = after.split_at(after.find(is_of_word).unwrap_or(after.len()));
        clean.push_str(between);
        rest = next;
    }
}

/// Where the value of a line of indented JSON begins, after its key where it has one. A quotation mark inside of a text stands behind a backslash.
fn value_start(line: &str) -> usize {
    match line.find("\": ") {
        Some(at) if !line[..at].ends_with('\\') => at + 3,
        _ => 0,
    }
}

/// A name as it stands inside of a text of JSON.
fn in_json(name: &str) -> String {
    let quoted = serde_json::to_string(name).expect("a text is JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '@' | '=' | '~')
}

fn is_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.trim_matches('.').contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_tokens_are_taken_out_and_the_json_stays_json() {
        let names = [
            ("Birch".to_owned(), "[organization]"),
            ("Birch & \"Sons\"".to_owned(), "[company]"),
            ("Al".to_owned(), "[person]"),
            ("endpoint".to_owned(), "[person]"),
            (String::new(), "[account]"),
        ];
        let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjFDQUY4RTY2NzcyRDZEQzAyOEQ2NzI2RkQwMjYxNTgxNTcwRUZDMTkiLCJ0eXAiOiJKV1QifQ.e30.c2ln";
        let request_id = "1-68b0c2de-0f3a51c27a3b4dd26f4e11aa";
        let told = serde_json::json!({
            "message": format!("Birch & \"Sons\": of Birch: Also asked ada.owner+x@birch.example with {token}, at 2026-01-31T10:00:00.000Z."),
            "call": {"endpoint": "GET /v3/company/query", "provider_request_id": request_id},
            "records": ["Birch\": Invoice 17"],
        });
        let bundle = redact(&serde_json::to_string_pretty(&told).expect("JSON"), &names);
        let read: serde_json::Value = serde_json::from_str(&bundle.text).expect("JSON");
        assert_eq!(read["message"], "[company]: of [organization]: Also asked [e-mail] with [long text], at 2026-01-31T10:00:00.000Z.");
        assert_eq!(read["records"][0], "[organization]\": Invoice 17");
        assert_eq!(read["call"], told["call"], "a key is a word of ours");
        assert_eq!(bundle.hidden, [("[company]", 1), ("[e-mail]", 1), ("[long text]", 1), ("[organization]", 2)]);
    }
}
