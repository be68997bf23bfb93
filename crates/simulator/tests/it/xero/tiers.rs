//! What an app's tier and a person's role leave it: organisations, scopes, Journals, calls a day, reports.
use super::*;
use simulator::apps::{App, Tier};

const BACK: &str = "http://localhost:8742/callback";
const GRANULAR: &str = "offline_access accounting.settings.read accounting.invoices.read";

async fn served(count: u64) -> Served {
    let from = date(2026, 5, 1);
    let companies = (1..=count).map(|seed| generate(Face::Xero, CompanySpec::plain(Face::Xero, seed, from, date(2026, 6, 10)), now()));
    let served = Served::with(companies.collect()).await;
    served.sandbox.write(|state| state.grants.xero_connections.clear());
    served
}

impl Served {
    fn register(&self, client_id: &str, tier: Tier) {
        let app = App { client_id: client_id.into(), tier, is_certified: tier.is_certified(), ..App::standard(Face::Xero) };
        self.sandbox.write(|state| state.apps.push(app));
    }

    /// Whether the consent goes back to the app; otherwise what Xero's own page says.
    async fn consents(&self, client_id: &str, scope: &str, companies: &[&str]) -> Result<String, String> {
        let companies = companies.join(",");
        let mut query = vec![("response_type", "code"), ("client_id", client_id), ("redirect_uri", BACK), ("scope", scope), ("state", "s")];
        query.extend([("auto", "approve"), ("company", &companies)]);
        let answer = self.client.get(format!("{}/identity/connect/authorize", self.base)).query(&query).send().await.unwrap();
        if answer.status() == StatusCode::FOUND {
            let address = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
            return Ok(address.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned());
        }
        assert!(answer.headers().get("location").is_none());
        Err(answer.text().await.unwrap())
    }

    fn companies(&self) -> Vec<String> {
        self.sandbox.read(|state| state.companies.keys().cloned().collect())
    }

    fn connections_of(&self, client_id: &str) -> usize {
        self.sandbox.read(|state| state.grants.xero_connections.iter().filter(|c| c.client_id == client_id).count())
    }
}

#[tokio::test]
async fn a_starter_app_connects_five_organisations_one_at_a_time_and_a_known_one_again() {
    let served = served(6).await;
    served.register("small", Tier::Starter);
    let companies = served.companies();
    let all: Vec<&str> = companies.iter().map(String::as_str).collect();
    for company in &all[..5] {
        // several at once are a premium feature: the first one counts
        served.consents("small", GRANULAR, &[company, all[5]]).await.expect("there is room");
    }
    assert_eq!(served.connections_of("small"), 5);
    let page = served.consents("small", GRANULAR, &[all[5]]).await.expect_err("five is the most");
    assert!(page.contains("limit of 5 connected organisations"), "{page}");
    served.consents("small", GRANULAR, &[all[0]]).await.expect("a known organisation needs no room");
    assert_eq!(served.connections_of("small"), 5);
    served.sandbox.write(|state| state.apps.last_mut().unwrap().tier = Tier::Core);
    served.consents("small", GRANULAR, &[all[5]]).await.expect("a higher tier has room");
    served.register("large", Tier::Advanced);
    served.consents("large", GRANULAR, &all).await.expect("bulk connect");
    assert_eq!(served.connections_of("large"), 6);
}

#[tokio::test]
async fn an_organisation_takes_two_uncertified_apps_and_any_number_of_certified_ones() {
    let served = served(1).await;
    for (name, tier) in [("one", Tier::Starter), ("two", Tier::Core), ("three", Tier::Starter), ("certified", Tier::Plus)] {
        served.register(name, tier);
    }
    let companies = served.companies();
    let company = [companies[0].as_str()];
    served.consents("one", GRANULAR, &company).await.unwrap();
    served.consents("two", GRANULAR, &company).await.unwrap();
    let page = served.consents("three", GRANULAR, &company).await.expect_err("two is the most");
    assert!(page.contains("connected to 2 uncertified apps"), "{page}");
    served.consents("certified", GRANULAR, &company).await.unwrap();
    served.consents("two", GRANULAR, &company).await.expect("it is one of the two");
    served.sandbox.write(|state| state.grants.xero_connections.retain(|connection| connection.client_id != "one"));
    served.consents("three", GRANULAR, &company).await.expect("there is room again");
}

// xero fact 79
#[tokio::test]
async fn journals_and_their_scope_are_refused_below_the_advanced_tier() {
    let served = served(1).await;
    served.register("plus", Tier::Plus);
    let companies = served.companies();
    let company = [companies[0].as_str()];
    let with_journals = format!("{GRANULAR} accounting.journals.read");
    let page = served.consents("plus", &with_journals, &company).await.expect_err("the scope is premium");
    assert!(page.contains("invalid_scope") && page.contains("accounting.journals.read"), "{page}");
    served.consents("plus", GRANULAR, &company).await.unwrap();
    // a token from better days keeps the scope and is refused all the same
    served.admit(TOKEN, &with_journals);
    served.sandbox.write(|state| {
        state.grants.access.get_mut(TOKEN).unwrap().client_id = "plus".into();
    });
    let (status, body) = served.refused("Journals").await;
    assert!(status == 401 && body.contains("AuthorizationUnsuccessful"), "{body}");
    served.sandbox.write(|state| state.apps.last_mut().unwrap().tier = Tier::Advanced);
    assert_eq!(served.call("Journals").await.status(), StatusCode::OK);
    served.consents("plus", &with_journals, &company).await.expect("the tier has it");
}

// xero fact 50
#[tokio::test]
async fn an_app_of_march_2026_knows_granular_scopes_only() {
    let served = served(1).await;
    served.register("new", Tier::Starter);
    served.sandbox.write(|state| state.apps.last_mut().unwrap().granular_only = true);
    let companies = served.companies();
    let company = [companies[0].as_str()];
    for broad in ["accounting.transactions.read", "accounting.transactions", "accounting.reports.read", "accounting.classicexpenses.read"] {
        let page = served.consents("new", &format!("{GRANULAR} {broad}"), &company).await.expect_err("closed to new apps");
        assert!(page.contains("invalid_scope"), "{broad}: {page}");
    }
    let granular = format!("{GRANULAR} accounting.payments.read accounting.banktransactions.read accounting.reports.trialbalance.read");
    served.consents("new", &granular, &company).await.expect("granular scopes are known");
}

// xero fact 47
#[tokio::test]
async fn the_1_001st_call_of_a_starter_app_s_day_is_refused_and_rapid_sync_lifts_it_for_half_an_hour() {
    let served = served(1).await;
    served.register("small", Tier::Starter);
    let companies = served.companies();
    served.consents("small", GRANULAR, &[companies[0].as_str()]).await.unwrap();
    served.admit(TOKEN, GRANULAR);
    served.sandbox.write(|state| {
        state.grants.access.get_mut(TOKEN).unwrap().client_id = "small".into();
        state.limits.enforced = true;
        state.limits.figures.xero_per_minute = 100_000;
    });
    let day = |response: &Response| response.headers()["x-daylimit-remaining"].to_str().unwrap().parse::<u32>().unwrap();
    let first = served.call("Organisation").await;
    assert_eq!((first.status(), day(&first)), (StatusCode::OK, 999));
    for _ in 1..1_000 {
        served.sandbox.write(|state| {
            let contract = simulator::limits::Contract { most_calls_a_day: Some(1_000), syncs_rapidly: false };
            state.limits.admit_under(contract, Face::Xero, &companies[0], "small", now()).unwrap();
            state.limits.release(Face::Xero, &companies[0], "small");
        });
    }
    let refused = served.call("Organisation").await;
    assert_eq!((refused.status(), day(&refused)), (StatusCode::TOO_MANY_REQUESTS, 0));
    assert_eq!(refused.headers()["x-rate-limit-problem"], "day");
    assert_eq!(refused.headers()["retry-after"], "86400");
    served.sandbox.write(|state| {
        let app = state.apps.last_mut().unwrap();
        (app.tier, app.rapid_sync) = (Tier::Plus, true);
        state.limits.figures.xero_per_day = 1_000;
    });
    assert_eq!(served.call("Organisation").await.status(), StatusCode::OK, "a connection of this minute");
    served.sandbox.write(|state| state.grants.access.get_mut(TOKEN).unwrap().expires_at = now() + jiff::SignedDuration::from_hours(2));
    served.sandbox.clock.advance_ms(31 * 60 * 1_000);
    assert_eq!(served.call("Organisation").await.status(), StatusCode::TOO_MANY_REQUESTS, "half an hour is over");
}

// xero fact 79
#[tokio::test]
async fn a_user_without_reports_gets_403_on_reports_and_journals_only() {
    let served = Served::plain().await;
    served.sandbox.write(|state| state.users[0].sees_reports = false);
    for closed in ["Reports/TrialBalance", "Reports/ProfitAndLoss", "Journals", "ManualJournals"] {
        let (status, body) = served.refused(closed).await;
        assert!(status == 403 && body.contains("\"Title\":\"Forbidden\""), "{closed}: {status} {body}");
    }
    assert_eq!(served.call("Invoices?page=1").await.status(), StatusCode::OK);
    served.sandbox.write(|state| state.users[0].sees_reports = true);
    assert_eq!(served.call("Reports/TrialBalance").await.status(), StatusCode::OK);
}
