//! An organization with companies in every state, written through the store, and the site over it.
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use domain::clock::{Clock, ManualClock};
use domain::company::Mark;
use domain::data_type::DataType;
use domain::document::Document;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId, UserId};
use domain::job::Job;
use domain::ledger::Basis;
use domain::log::{AccountMonth, LogMessage};
use domain::money::Amount;
use domain::organization::Role;
use domain::problem::{Problem, ProblemKind};
use domain::record::RecordState;
use domain::sync::{Counts, Extent, RunState};
use engine::sync::Progress;
use engine::verify::ShownDifference;
use engine::{Engine, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::companies::{Ended, Found};
use store::connections::{NewConnection, Tokens};
use store::members::User;
use store::runs::NewRun;
use store::seal::Key;
use store::verifications::Verification;
use store::{Store, companies, connections, documents, inventory, members, quarantine, readers, runs, sessions, verifications};
use tower::ServiceExt;
use url::Url;
use web::WebOptions;

pub const NOW_MS: i64 = 1_795_381_200_000; // 22 November 2026, 21:00 UTC
pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 86_400_000;
pub const HOST: &str = "tieout.test";

pub struct Sample {
    pub engine: Engine,
    pub router: Router,
    pub organization_id: OrganizationId,
    pub owner: UserId,
    /// Tokens of signed-in people.
    pub owner_token: String,
    pub member_token: String,
    /// Tells ids apart and keeps them in order.
    made: std::sync::atomic::AtomicI64,
    pub now_ms: i64,
}

/// What an address answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    pub flash: String,
    pub cookies: Vec<String>,
    pub body: String,
}

impl Sample {
    /// An organization with an Owner and a Member, and nothing connected.
    pub async fn empty(database: &str) -> Sample {
        Sample::at(database, Url::parse(&format!("http://{HOST}")).unwrap(), NOW_MS).await
    }

    pub async fn at(database: &str, public_url: Url, now_ms: i64) -> Sample {
        let store = Store::open(database, &Key::random()).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now_ms));
        let settings = Settings { public_url: public_url.clone(), node: "test".to_owned(), workers: 1, lease_secs: 60 };
        let engine = Engine::new(store, Default::default(), clock, settings);
        let (organization_id, owner, member) = (OrganizationId::new("org"), UserId::new("owner"), UserId::new("member"));
        let (owner_token, member_token) = ("0a".repeat(32), "0b".repeat(32));
        let mut tx = engine.store.begin().await.unwrap();
        members::insert_organization(&mut tx, &organization_id, "Birchwood Advisory", now_ms).await.unwrap();
        for (id, name, role, token) in [(&owner, "Ada Lindqvist", Role::Owner, &owner_token), (&member, "Max Member", Role::Member, &member_token)] {
            let user = User { id: id.clone(), email: format!("{id}@birchwood.example"), name: name.to_owned(), password_hash: None };
            assert!(members::insert_user(&mut tx, &user, now_ms).await.unwrap());
            members::add(&mut tx, &organization_id, id, role, now_ms).await.unwrap();
            sessions::insert(&mut tx, token, id, &organization_id, now_ms, now_ms + 365 * DAY).await.unwrap();
        }
        tx.commit().await.unwrap();
        let router = web::router(engine.clone(), WebOptions::new(public_url));
        Sample { engine, router, organization_id, owner, owner_token, member_token, made: 0.into(), now_ms }
    }

    async fn send(&self, request: axum::http::request::Builder, token: &str, body: String) -> Answer {
        let request = request.header(header::HOST, HOST).header(header::COOKIE, format!("tieout_session={token}")).body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let text = |name: header::HeaderName| response.headers().get(&name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let flash = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.strip_prefix("tieout_flash=")?.split(';').next().map(str::to_owned))
            .map(|value| {
                use base64::Engine as _;
                String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value).unwrap()).unwrap()
            })
            .collect();
        let cookies = response.headers().get_all(header::SET_COOKIE).iter().filter_map(|cookie| Some(cookie.to_str().ok()?.to_owned())).collect();
        let (status, location) = (response.status(), text(header::LOCATION));
        let body = axum::body::to_bytes(response.into_body(), 10 << 20).await.unwrap();
        Answer { status, location, flash, cookies, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A page as the Owner sees it; anything but a page fails the test.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.send(Request::get(path), &self.owner_token, String::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "GET {path}: {}", answer.body);
        answer.body
    }
    /// The same in a browser that also sends this cookie.
    pub async fn page_with_cookie(&self, path: &str, cookie: &str) -> String {
        let answer = self.send(Request::get(path), &format!("{}; {cookie}", self.owner_token), String::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "GET {path}: {}", answer.body);
        answer.body
    }
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(Request::get(path), token, String::new()).await
    }
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        let request =
            Request::post(path).header(header::ORIGIN, format!("http://{HOST}")).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, &self.owner_token, form.to_owned()).await
    }

    /// An id that is larger than every one made before.
    fn make_id(&self, prefix: &str) -> String {
        format!("{prefix}{:06}", self.made.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
    }

    pub async fn connect(&self, provider: &str, name: &str) -> ConnectionId {
        let id = ConnectionId(self.make_id("account"));
        let later = self.now_ms + 60 * DAY;
        let tokens = Tokens { access: "a".to_owned(), refresh: "r".to_owned(), access_expires_at: later, refresh_expires_at: later };
        let new = NewConnection {
            id: id.clone(),
            organization_id: &self.organization_id,
            provider,
            environment: "simulator",
            identity_key: name,
            name,
            email: name,
            scope: "accounting",
            tokens: &tokens,
            connected_by: &self.owner,
            now_ms: self.now_ms - 40 * DAY,
        };
        let mut tx = self.engine.store.begin().await.unwrap();
        assert!(connections::insert(&self.engine.store, &mut tx, &new).await.unwrap().is_ok());
        tx.commit().await.unwrap();
        id
    }

    pub async fn invalidate(&self, connection_id: &ConnectionId) {
        let mut tx = self.engine.store.begin().await.unwrap();
        assert!(connections::mark_invalid(&mut tx, connection_id, 1, self.now_ms).await.unwrap());
        let connection = connections::find(&mut tx, &self.organization_id, connection_id).await.unwrap().unwrap();
        let problem = Problem::new(ProblemKind::NeedsReconnect, "QuickBooks no longer accepts this authorization.");
        engine::logbook::about_connection(&mut tx, &self.organization_id, &connection, &LogMessage::TokenRefused { problem }, self.now_ms)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// A company this connection can see, assigned to the Member.
    pub async fn company(&self, connection_id: &ConnectionId, provider: &str, name: &str, linked: bool) -> CompanyId {
        let id = CompanyId(self.make_id("company"));
        let found = Found {
            id: id.clone(),
            organization_id: &self.organization_id,
            connection_id,
            provider,
            remote_id: name,
            name,
            newly_granted: false,
            now_ms: self.now_ms - 30 * DAY,
        };
        let mut tx = self.engine.store.begin().await.unwrap();
        companies::put_found(&self.engine.store, &mut tx, &found).await.unwrap();
        companies::set_facts(&mut tx, &id, name, if provider == "xero" { "GBP" } else { "USD" }, "", "UTC", 1).await.unwrap();
        if linked {
            assert!(companies::link(&mut tx, &id, self.now_ms - 29 * DAY).await.unwrap());
        }
        assert!(readers::add(&mut tx, &self.organization_id, &UserId::new("member"), &id, self.now_ms - 28 * DAY).await.unwrap());
        tx.commit().await.unwrap();
        id
    }

    pub async fn log(&self, company_id: &CompanyId, run_id: Option<&RunId>, message: &LogMessage, at_ms: i64) -> i64 {
        let mut tx = self.engine.store.begin().await.unwrap();
        let company = companies::find_any(&mut tx, company_id).await.unwrap().unwrap();
        let id = engine::logbook::about_company(&mut tx, &company, run_id, message, 1, at_ms).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Queues a run and claims it.
    pub async fn start_run(&self, company_id: &CompanyId, extent: Extent, at_ms: i64) -> runs::Run {
        let mut tx = self.engine.store.begin().await.unwrap();
        let by = format!("person:{}", self.owner);
        let new = NewRun {
            id: RunId(self.make_id("run")),
            kind: Job::Sync,
            organization_id: &self.organization_id,
            company_id,
            extent,
            priority: 0,
            requested_by: if extent == Extent::Full { "connect" } else { &by },
            progress: None,
            now_ms: at_ms,
        };
        assert!(matches!(runs::request(&mut tx, &new).await.unwrap(), runs::Requested::Queued(_)));
        let lease_ms = (self.now_ms - at_ms).max(0) + 60_000;
        let run = runs::claim(&mut tx, "test", at_ms, lease_ms, 1).await.unwrap().remove(0);
        assert_eq!(run.company_id, *company_id);
        tx.commit().await.unwrap();
        run
    }

    pub async fn set_progress(&self, run: &runs::Run, progress: &Progress) {
        let mut tx = self.engine.store.begin().await.unwrap();
        runs::progress(&mut tx, &run.lease(), &progress.step, &progress.to_text(), 42, 1_840_000).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A whole run with its milestones; `problem` makes it fail.
    pub async fn finished_run(&self, company_id: &CompanyId, extent: Extent, at_ms: i64, counts: Counts, problem: Option<Problem>) -> RunId {
        let run = self.start_run(company_id, extent, at_ms).await;
        let mut progress = Progress::default();
        progress.counts.insert(DataType::Invoice, counts);
        self.set_progress(&run, &progress).await;
        let mut story = vec![LogMessage::SyncStarted { extent }, LogMessage::CompanyImported];
        match &problem {
            Some(problem) => story.push(LogMessage::SyncFailed { problem: problem.clone() }),
            None => story.extend([
                LogMessage::ChartImported { counts: Counts { added: counts.added.min(64), ..Counts::default() } },
                LogMessage::ContactsImported { counts: Counts::default() },
                LogMessage::TransactionsSynced { counts },
                LogMessage::LedgerImported { entries: 2_410, months: 35 },
                LogMessage::ReportsImported { reports: 3 },
                LogMessage::NormalizationComplete { records: counts.added + counts.changed, quarantined: 0 },
                LogMessage::Verified { accounts: 64, months: 35 },
                LogMessage::SyncFinished { counts, calls: 42, secs: 74 },
            ]),
        }
        for (at, message) in story.iter().enumerate() {
            self.log(company_id, Some(&run.id), message, at_ms + at as i64 * 8_000).await;
        }
        let ended_at = at_ms + 74_000;
        let state = if problem.is_some() { RunState::Failed } else { RunState::Succeeded };
        let problem = problem.map(|problem| serde_json::to_string(&problem).unwrap());
        let mut tx = self.engine.store.begin().await.unwrap();
        runs::finish(&mut tx, &run.lease(), state, problem.as_deref(), ended_at).await.unwrap();
        let ended = Ended {
            run_id: &run.id,
            state,
            problem: problem.as_deref(),
            cursor_at: Some(at_ms),
            was_full: extent == Extent::Full,
            next_due_at: Some(ended_at + 60 * MINUTE),
            now_ms: ended_at,
        };
        companies::set_ended(&mut tx, company_id, &ended).await.unwrap();
        companies::set_last_run(&mut tx, company_id, 74_000, extent, state, &counts).await.unwrap();
        tx.commit().await.unwrap();
        run.id
    }

    /// A proof of this day over every month since January 2024, with these differences.
    /// The cash basis ties out in any case.
    pub async fn verify(&self, company_id: &CompanyId, run_id: &RunId, differences: &[ShownDifference], made_at: i64) {
        let mut strip: BTreeMap<String, u64> = (0..35).map(|month| (format!("{}-{:02}", 2024 + month / 12, month % 12 + 1), 0)).collect();
        for difference in differences {
            if let Some(month) = &difference.month {
                *strip.entry(month.clone()).or_insert(0) += 1;
            }
        }
        let mark = if differences.is_empty() { Mark::Verified } else { Mark::NotVerified };
        let verification = Verification {
            id: self.make_id("proof"),
            run_id: run_id.clone(),
            basis: Basis::Accrual,
            pass: 1,
            as_of: "2026-11-22".to_owned(),
            mark,
            accounts: 64,
            months: 35,
            differences: serde_json::to_string(differences).unwrap(),
            month_strip: serde_json::to_string(&strip).unwrap(),
            made_at,
        };
        let mut tx = self.engine.store.begin().await.unwrap();
        verifications::insert(&mut tx, company_id, &verification).await.unwrap();
        let cash = Verification {
            id: self.make_id("proof"),
            basis: Basis::Cash,
            mark: Mark::Verified,
            accounts: 41,
            differences: "[]".to_owned(),
            ..verification
        };
        verifications::insert(&mut tx, company_id, &cash).await.unwrap();
        companies::set_mark(&mut tx, company_id, mark, "2026-11-22", made_at).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn fill_inventory(&self, company_id: &CompanyId) {
        let mut tx = self.engine.store.begin().await.unwrap();
        for (data_type, count) in
            [(DataType::Account, 64), (DataType::Customer, 118), (DataType::Invoice, 1_204), (DataType::Bill, 388), (DataType::Payment, 977)]
        {
            let documents: Vec<Document> = (0..count)
                .map(|at| Document {
                    data_type,
                    id: at.to_string(),
                    state: if at % 60 == 59 { RecordState::Deleted } else { RecordState::Active },
                    date: (data_type >= DataType::Invoice)
                        .then(|| jiff::civil::date(2024 + (at % 3) as i16, 1 + (at % 10) as i8, 1 + (at % 28) as i8)),
                    number: None,
                    name: None,
                    contact_id: None,
                    currency: None,
                    total: None,
                    updated_at: None,
                    account: None,
                })
                .collect();
            let rows: Vec<(&Document, [u8; 32])> = documents.iter().map(|document| (document, [7; 32])).collect();
            documents::supersede(&mut tx, company_id, &rows, None, self.now_ms).await.unwrap();
            let ours = count - count / 60;
            inventory::put(&mut tx, company_id, data_type, ours, Some(ours), Some(self.now_ms - 9 * MINUTE), self.now_ms).await.unwrap();
        }
        let item = ("Invoice", "1043", "line 3: `1.23456` has more than 4 decimals, which would have to be rounded", b"{}".to_vec());
        quarantine::insert(&mut tx, company_id, &[item], self.now_ms - DAY).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Companies in every state there is.
    pub async fn full(database: &str) -> Sample {
        let sample = Sample::empty(database).await;
        sample.fill().await;
        sample
    }

    pub async fn fill(&self) {
        let now = self.now_ms;
        let books = self.connect("quickbooks", "books@birchwood.example").await;
        let ada = self.connect("xero", "Ada Lindqvist").await;
        let old = self.connect("quickbooks", "former.partner@birchwood.example").await;
        let counts = Counts { fetched: 1_204, added: 1_204, changed: 88, deleted: 3, ..Counts::default() };
        let small = Counts { fetched: 5, added: 2, changed: 3, unchanged: 9, ..Counts::default() };

        let harbour = self.company(&books, "quickbooks", "Harbour & Finch Ltd", true).await;
        let run = self.finished_run(&harbour, Extent::Full, now - 3 * DAY, counts, None).await;
        self.verify(&harbour, &run, &[], now - 3 * DAY).await;
        for hours in [20, 9, 3] {
            self.finished_run(&harbour, Extent::Changes, now - hours * 60 * MINUTE, small, None).await;
        }
        let run = self.finished_run(&harbour, Extent::Changes, now - 12 * MINUTE, Counts::default(), None).await;
        self.verify(&harbour, &run, &[], now - 11 * MINUTE).await;
        self.fill_inventory(&harbour).await;

        let north = self.company(&ada, "xero", "Northlight Studio", true).await;
        let run = self.finished_run(&north, Extent::Full, now - 31 * MINUTE, counts, None).await;
        self.verify(&north, &run, &[], now - 30 * MINUTE).await;

        let tern = self.company(&books, "quickbooks", "Tern Logistics", true).await;
        let run = self.finished_run(&tern, Extent::Full, now - 25 * MINUTE, counts, None).await;
        let difference = |account: &str, month: &str, ours, theirs| ShownDifference {
            account_id: "33".to_owned(),
            account_name: account.to_owned(),
            account_code: "4000".to_owned(),
            month: Some(month.to_owned()),
            ours: Amount(ours),
            theirs: Amount(theirs),
            candidates: vec![("Invoice".to_owned(), "1043".to_owned()), ("Invoice".to_owned(), "1051".to_owned())],
        };
        let differences = [
            difference("Sales of Product Income", "2026-03", -84_210_000_000, -84_090_000_000),
            difference("Accounts Receivable", "2026-03", 124_500_000, 123_300_000),
        ];
        self.verify(&tern, &run, &differences, now - 24 * MINUTE).await;
        let places = vec![AccountMonth { account_id: "33".to_owned(), month: "2026-03".to_owned() }];
        self.log(&tern, Some(&run), &LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 2, places }, now - 24 * MINUTE).await;
        self.fill_inventory(&tern).await;

        let alder = self.company(&ada, "xero", "Alder Clinic", true).await;
        self.finished_run(&alder, Extent::Full, now - 2 * DAY, small, None).await;
        let mut down = Problem::new(ProblemKind::ProviderDown, "Xero did not answer.");
        (down.endpoint, down.http_status) = (Some("GET Invoices page 3".to_owned()), Some(503));
        down.provider_request_id = Some("7f0c2a4e-11c9-4a55-9f0e-d2f1f6b0b6a1".to_owned());
        self.finished_run(&alder, Extent::Changes, now - 50 * MINUTE, Counts::default(), Some(down)).await;

        let mill = self.company(&old, "quickbooks", "Old Mill Joinery", true).await;
        self.finished_run(&mill, Extent::Full, now - 6 * DAY, small, None).await;
        let refused = Problem::new(ProblemKind::NeedsReconnect, "QuickBooks no longer accepts this authorization.");
        self.finished_run(&mill, Extent::Changes, now - 4 * DAY, Counts::default(), Some(refused)).await;
        self.invalidate(&old).await;

        let cedar = self.company(&books, "quickbooks", "Cedar Dental Group", true).await;
        let run = self.start_run(&cedar, Extent::Full, now - 72_000).await;
        let mut progress = Progress::default();
        progress.counts.insert(DataType::Account, Counts { fetched: 88, added: 88, ..Counts::default() });
        progress.counts.insert(DataType::Customer, Counts { fetched: 1_420, added: 1_420, ..Counts::default() });
        progress.counts.insert(DataType::Invoice, Counts { fetched: 12_400, added: 12_400, ..Counts::default() });
        progress.enter("Transactions", 3, 6, Some(31_000));
        progress.done = 12_400;
        self.set_progress(&run, &progress).await;
        self.log(&cedar, Some(&run.id), &LogMessage::SyncStarted { extent: Extent::Full }, now - 72_000).await;
        self.log(&cedar, Some(&run.id), &LogMessage::CompanyImported, now - 70_000).await;

        let quay = self.company(&ada, "xero", "Quayside Foods", true).await;
        let run = self.start_run(&quay, Extent::Full, now - 4 * MINUTE).await;
        let mut tx = self.engine.store.begin().await.unwrap();
        runs::again(&mut tx, &run.lease(), now + 95 * MINUTE, false, Some("Xero daily limit"), now - MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        let limited = Problem::new(ProblemKind::RateLimited, "Xero's daily limit is reached.");
        self.log(
            &quay,
            Some(&run.id),
            &LogMessage::WaitingForProvider { problem: limited, until: jiff::Timestamp::from_millisecond(now + 95 * MINUTE).unwrap() },
            now - MINUTE,
        )
        .await;

        self.company(&ada, "xero", "Bramble & Co", false).await;
        self.company(&books, "quickbooks", "Saltmarsh Nursery", false).await;
        let past = self.company(&books, "quickbooks", "Wren Holdings", true).await;
        self.finished_run(&past, Extent::Full, now - 20 * DAY, small, None).await;
        let mut tx = self.engine.store.begin().await.unwrap();
        assert!(companies::unlink(&mut tx, &past).await.unwrap());
        tx.commit().await.unwrap();
    }
}
