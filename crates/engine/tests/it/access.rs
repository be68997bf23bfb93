//! Consents and tokens: who may come in, once; what happens when a token ends, and when the grant does.
use crate::house::{House, PROVIDERS, books};
use crate::milestones::assert_complete;
use crate::truth;
use domain::company::{Mark, SyncStatus};
use domain::connection::ConnectionState;
use domain::log::{LogBody, LogStatus};
use domain::problem::ProblemKind;
use domain::sync::{Extent, RunState};
use engine::connections::{self, CallbackQuery, Who};
use simulator::books::Face;
use simulator::faults::Fault;
use simulator::sandbox::User;
use store::connections::Connection;
use store::log_entries::{self, Filter, Place};
use testkit::each_database;

const RENEWAL: [&str; 2] = ["quickbooks POST oauth2/v1/tokens/bearer", "xero POST connect/token"];
const STRANGER: &str = "stranger@elsewhere.example";

async fn connections_of(house: &House) -> Vec<Connection> {
    store::connections::list(&mut house.engine.store.read().await.unwrap(), &house.organization_id).await.unwrap()
}

async fn house(address: &str, companies: Vec<simulator::books::Books>) -> House {
    let house = House::build(address, companies).await;
    let stranger = User::new("3c2f6a10-7b1d-4a52-9d0e-5a1c0b2e4f66", STRANGER, "Sam", "Stranger");
    house.sandbox.write(|state| state.users.push(stranger));
    house
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_in_the_middle_of_a_sync_is_renewed_once() {
    each_database(|address| async move {
        let house = house(&address, vec![books(Face::QuickBooks, 61, 3, 8), books(Face::Xero, 62, 3, 8)]).await;
        let _worker = house.work();
        for (provider, renewal) in PROVIDERS.into_iter().zip(RENEWAL) {
            let company = house.connect(provider).await.remove(0);
            let run_id = company.run.as_ref().unwrap().id.clone();
            house.forget_calls();
            let records = if provider == "quickbooks" { "/v3/company/" } else { "/api.xro/2.0/" };
            house.inject(Fault::ExpireToken { mid_body: false }, records, 6, 1);
            let run = house.wait_run(&run_id).await;
            assert_complete(&house, &run).await;
            assert_eq!((run.attempt, run.lease_epoch, house.calls_of(renewal)), (1, 1, 1), "{provider}");
            assert_eq!(house.company(&company.id).await.mark, Mark::Verified);
        }
    })
    .await;
}

// proves A16 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_with_one_ended_token_renew_it_once() {
    each_database(|address| async move {
        let house = house(&address, (0..8).map(|at| books(Face::Xero, 620 + at, 2, 3)).collect()).await;
        let companies = house.connect("xero").await;
        assert_eq!(companies.len(), 8);
        let now = house.sandbox.clock.now();
        house.sandbox.write(|state| state.grants.expire_access(now));
        house.forget_calls();
        let _worker = house.work();
        for company in &companies {
            let run = house.wait(&company.id).await;
            assert_complete(&house, &run).await;
        }
        assert_eq!(house.calls_of(RENEWAL[1]), 1);
    })
    .await;
}

// proves A5 in part
// proves A6 in part
// proves F14 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_grant_shows_at_once_and_a_reconnect_goes_on_by_itself() {
    each_database(|address| async move {
        let mut house = house(&address, vec![books(Face::QuickBooks, 63, 3, 8), books(Face::Xero, 64, 3, 8)]).await;
        let mut worker = house.work();
        for provider in PROVIDERS {
            let company = house.synced(provider).await;
            let (hash, records) = (house.content_hash(&company.id).await, house.live_records(&company.id).await);
            let client_id = format!("tieout-{provider}");
            assert_eq!(house.sandbox.write(|state| state.grants.revoke_where(Some(&client_id), None, None)), 1);
            let run = house.sync(&company.id, None).await;
            assert_eq!(run.state, RunState::Failed);
            assert_eq!(house.status(&company.id).await, SyncStatus::InvalidToken);
            let broken = connections_of(&house).await.into_iter().find(|connection| connection.provider == provider).unwrap();
            assert_eq!((broken.state, broken.invalid_since.is_some()), (ConnectionState::Invalid, true));
            let mut conn = house.engine.store.read().await.unwrap();
            let log = log_entries::list_page(&mut conn, &house.organization_id, &Filter::default(), Place::Newest, 100).await.unwrap().entries;
            drop(conn);
            let refused: Vec<_> =
                log.iter().filter(|entry| entry.company_id.is_none() && entry.status == LogStatus::Error && entry.provider == provider).collect();
            assert_eq!(refused.len(), 1, "{log:?}");
            assert!(refused[0].message.ends_with(" no longer accepts this authorization."), "{}", refused[0].message);
            let body: LogBody = serde_json::from_str(refused[0].body.as_ref().unwrap()).unwrap();
            assert_eq!(body.kind, ProblemKind::NeedsReconnect);
            assert!(body.what_to_do.contains("Reconnect"));
            let error =
                engine::sync::request(&house.engine, &house.organization_id, &company.id, domain::job::Trigger::CommandLine, None).await.unwrap_err();
            assert!(error.to_string().ends_with("Choose Reconnect first."), "{error}");

            // somebody else's consent repairs nothing
            let foreign = house.authorize(provider, Some(&broken.id), &[("user", STRANGER)], &[]).await;
            assert_eq!((foreign.outcome.as_str(), foreign.connection_id.as_ref()), ("different_account", Some(&broken.id)));
            let same = connections_of(&house).await.into_iter().find(|connection| connection.provider == provider).unwrap();
            assert_eq!((same.state, same.token_generation), (ConnectionState::Invalid, broken.token_generation));
            assert_eq!(house.status(&company.id).await, SyncStatus::InvalidToken);

            worker = house.work_anew(worker).await;
            let repaired = house.authorize(provider, Some(&broken.id), &[], &[]).await;
            assert_eq!((repaired.outcome.as_str(), repaired.connection_id.as_ref()), ("reconnected", Some(&broken.id)));
            // nobody asks for it
            let run = house.wait_scheduled(&company.id, Some(&run.id)).await;
            assert_eq!((run.extent, run.requested_by.as_str()), (Extent::Changes, "schedule"));
            assert_complete(&house, &run).await;
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced);
            assert_eq!((house.content_hash(&company.id).await, house.live_records(&company.id).await), (hash, records));
            truth::assert_equal(&house, &company.id).await;
            let mine: Vec<Connection> = connections_of(&house).await.into_iter().filter(|connection| connection.provider == provider).collect();
            assert_eq!(mine.iter().map(|connection| (&connection.id, connection.state)).collect::<Vec<_>>(), [(&broken.id, ConnectionState::Active)]);
        }
    })
    .await;
}

// proves A12 in part
// proves A10 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_an_authorization_can_end_has_its_outcome() {
    each_database(|address| async move {
        let house = house(&address, vec![books(Face::QuickBooks, 65, 2, 3), books(Face::Xero, 66, 2, 3)]).await;
        for provider in PROVIDERS {
            let outcome = async |additions: &[(&str, &str)]| house.authorize(provider, None, additions, &[]).await.outcome;
            let count = async || connections_of(&house).await.iter().filter(|connection| connection.provider == provider).count();
            assert_eq!(outcome(&[("auto", "deny")]).await, "denied");
            for (fault, expected) in
                [(Fault::Status { status: 503 }, "provider_unavailable"), (Fault::Drop, "provider_unavailable"), (Fault::MalformedJson, "failed")]
            {
                house.inject(fault, "token", 0, 1);
                assert_eq!(outcome(&[]).await, expected);
            }
            let set_secret = |secret: &str| {
                house.sandbox.write(|state| state.apps.iter_mut().for_each(|app| app.client_secret = secret.to_owned()));
            };
            set_secret("another secret");
            assert_eq!(outcome(&[]).await, "wrong_keys");
            set_secret("sandbox-secret");
            let session_hash = house.engine.make_id();
            let authorize = connections::start(&house.engine, &house.who(&session_hash), provider, None).await.unwrap();
            let state = authorize.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
            let query = CallbackQuery { state, error: Some("invalid_scope".into()), ..CallbackQuery::default() };
            assert_eq!(house.finish(provider, &session_hash, query).await.outcome, "scope_missing");
            assert_eq!(count().await, 0, "nothing of this is stored");
            if provider == "xero" {
                assert_eq!(outcome(&[("user", "newcomer@nobooks.example")]).await, "no_companies");
                assert_eq!(count().await, 1);
            }

            // two consents of the same person end at the same time: one connects, the other is told of it
            let before = count().await;
            let (one, two) = tokio::join!(house.authorize(provider, None, &[], &[]), house.authorize(provider, None, &[], &[]));
            let mut outcomes = [one.outcome.as_str(), two.outcome.as_str()];
            outcomes.sort_unstable();
            assert_eq!(outcomes, ["already_connected", "connected"]);
            assert_eq!(one.connection_id, two.connection_id);
            let again = house.authorize(provider, None, &[], &[]).await;
            assert_eq!((again.outcome.as_str(), &again.connection_id), ("already_connected", &one.connection_id));
            assert!(!again.detail.is_empty(), "it is named");
            assert_eq!(count().await, before + 1);
        }
    })
    .await;
}

// proves H12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_counts_once_for_the_browser_that_began_it() {
    each_database(|address| async move {
        let mut house = house(&address, vec![books(Face::QuickBooks, 67, 2, 3), books(Face::Xero, 68, 2, 3)]).await;
        for provider in PROVIDERS {
            let start = async |session_hash: &str| connections::start(&house.engine, &house.who(session_hash), provider, None).await.unwrap();
            let session_hash = house.engine.make_id();
            let authorize = start(&session_hash).await;
            let parameter = |name: &str| authorize.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            // the redirect address is the settings', and a state is as long as it must be
            assert_eq!(parameter("redirect_uri"), Some(format!("http://localhost:8484/oauth/{provider}/callback")));
            assert!(parameter("state").unwrap().len() >= 43);
            // PKCE where the provider has it (<https://developer.xero.com/documentation/guides/oauth2/pkce-flow>)
            assert_eq!(parameter("code_challenge").is_some(), provider == "xero");

            let query = house.visit(&authorize, &[], &[]).await;
            let outcome = async |session_hash: &str, query: &CallbackQuery| house.finish(provider, session_hash, query.clone()).await.outcome;
            let other = if provider == "xero" { "quickbooks" } else { "xero" };
            assert_eq!(outcome("another browser", &query).await, "invalid_state");
            assert_eq!(house.finish(other, &session_hash, query.clone()).await.outcome, "invalid_state");
            for state in [None, Some(String::new()), Some("made up".to_owned())] {
                assert_eq!(outcome(&session_hash, &CallbackQuery { state, ..query.clone() }).await, "invalid_state");
            }
            assert!(connections_of(&house).await.iter().all(|connection| connection.provider != provider));
            // none of these used it up
            assert_eq!(outcome(&session_hash, &query).await, "connected");
            // but this did
            assert_eq!(outcome(&session_hash, &query).await, "invalid_state");

            // a code that was used already, brought with a good state: the provider refuses it
            let second = start(&session_hash).await;
            let state = second.query_pairs().find(|(key, _)| key == "state").map(|(_, value)| value.into_owned());
            assert_eq!(outcome(&session_hash, &CallbackQuery { state, ..query.clone() }).await, "invalid_state");

            // a code of another authorization does not fit this one's verifier
            if provider == "xero" {
                let (mine, theirs) = (start("mine").await, start("theirs").await);
                let (mine, theirs) = (house.visit(&mine, &[], &[]).await, house.visit(&theirs, &[], &[]).await);
                assert_eq!(outcome("mine", &CallbackQuery { code: theirs.code, ..mine }).await, "invalid_state");
            }
        }
        // and a state of another organization or person is none
        let first = (house.organization_id.clone(), house.user_id.clone());
        let mut queries = Vec::new();
        for session_hash in ["one", "two"] {
            let authorize = connections::start(&house.engine, &house.who(session_hash), "xero", None).await.unwrap();
            queries.push((session_hash, house.visit(&authorize, &[], &[]).await));
        }
        house.move_to_a_new_organization().await;
        let people = [(&first.0, &house.user_id), (&house.organization_id, &first.1)];
        for ((session_hash, query), (organization_id, user_id)) in queries.into_iter().zip(people) {
            connections::finish(&house.engine, &Who { organization_id, user_id, session_hash }, "xero", query).await.unwrap();
            let result = store::oauth_states::latest_result(&mut house.engine.store.read().await.unwrap(), session_hash).await.unwrap().unwrap();
            assert_eq!(result.outcome, "invalid_state");
        }
        assert!(connections_of(&house).await.is_empty());
    })
    .await;
}
