//! Every route of the map against every role and against ids of its own, of others and of nobody; driven by the map itself. Pages, exports, the log, the
//! palette and its index, incidents and notices are routes like others; `live.rs` does the same for the stream, `api.rs` for the API. Webhooks (D16) are
//! not there yet: they join the ways of H2 when they come.
use crate::site::{Answer, Browser, PUBLIC_URL, Site};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use domain::ids::{ApiKeyId, CompanyId, ConnectionId, OrganizationId, RunId, UserId};
use domain::job::Job;
use domain::ledger::Basis;
use domain::log::LogMessage;
use domain::organization::{KeyAccess, Role};
use domain::sync::Extent;
use std::collections::BTreeMap;
use store::api_keys::NewApiKey;
use store::companies::Found;
use store::connections::{NewConnection, Tokens};
use store::runs::NewRun;
use store::tenancy::Thing;
use store::{api_keys, companies, connections, members, readers, runs};
use testkit::each_database;
use web::WebOptions;
use web::app::App;
use web::routes::{Access, Route, Scope, all, route, router_of};

/// Things of one company, or of the organization where they belong to no company.
type Ids = BTreeMap<Thing, String>;

/// An organization with two companies, of which a Member reads one, and everything an address can name.
struct House {
    id: OrganizationId,
    /// Of the company the Member reads, and what belongs to the organization.
    shown: Ids,
    /// Of the company no Member reads.
    hidden: Ids,
}

/// Two organizations and the people who look; made anew wherever a form may change something.
struct World<'a> {
    own: House,
    foreign: House,
    people: Vec<Person<'a>>,
}

struct Person<'a> {
    name: &'static str,
    /// `None`: signed out.
    role: Option<Role>,
    reads_shown: bool,
    browser: Browser<'a>,
}

impl Person<'_> {
    fn reads_everything(&self) -> bool {
        self.role.is_some_and(|role| role >= Role::Admin)
    }
    fn may(&self, access: Access) -> bool {
        match access {
            Access::Public => true,
            Access::AnyRole => self.role.is_some(),
            Access::SignedIn(action) => self.role.is_some_and(|role| role.may(action)),
        }
    }
}

async fn house(site: &Site, name: &str) -> House {
    let engine = &site.engine;
    let now_ms = engine.clock.now_ms();
    let id = OrganizationId(engine.make_id());
    let owner = site.user_of(&id, Role::Owner).await;
    let mut tx = engine.store.begin().await.unwrap();
    let connection_id = ConnectionId(engine.make_id());
    let tokens = Tokens { access: "a".into(), refresh: "r".into(), access_expires_at: now_ms + 60_000, refresh_expires_at: now_ms + 60_000 };
    let account = format!("{name} account");
    let new = NewConnection {
        id: connection_id.clone(),
        organization_id: &id,
        provider: "xero",
        environment: "simulator",
        identity_key: id.as_str(),
        name: &account,
        email: &account,
        scope: "accounting",
        tokens: &tokens,
        connected_by: &owner,
        now_ms,
    };
    assert!(connections::insert(&engine.store, &mut tx, &new).await.unwrap().is_ok());
    let mut halves = Vec::new();
    for half in ["shown", "hidden"] {
        let company_id = CompanyId(engine.make_id());
        let company_name = format!("{name} {half} books");
        let found = Found {
            id: company_id.clone(),
            organization_id: &id,
            connection_id: &connection_id,
            provider: "xero",
            remote_id: company_id.as_str(),
            name: &company_name,
            newly_granted: false,
            now_ms,
        };
        companies::put_found(&engine.store, &mut tx, &found).await.unwrap();
        assert!(companies::link(&mut tx, &company_id, now_ms).await.unwrap());
        let chart = crate::statements::account("bank", "Bank", domain::document::AccountClass::Asset, "Bank");
        store::accounts::supersede(&mut tx, &company_id, &[&chart]).await.unwrap();
        let run_id = RunId(engine.make_id());
        let new = NewRun {
            id: run_id.clone(),
            kind: Job::Sync,
            organization_id: &id,
            company_id: &company_id,
            extent: Extent::Changes,
            priority: 0,
            requested_by: "schedule",
            progress: None,
            now_ms,
        };
        runs::request(&mut tx, &new).await.unwrap();
        let company = companies::find(&mut tx, &id, &company_id).await.unwrap().unwrap();
        // a difference is a cause of its own for each company: the entry opens an incident that bears its id
        let differs = LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 1, places: Vec::new() };
        let entry = engine::logbook::about_company(&mut tx, &company, Some(&run_id), &differs, 1, now_ms).await.unwrap();
        halves.push(Ids::from([
            (Thing::Company, company_id.0),
            (Thing::Connection, connection_id.0.clone()),
            (Thing::Run, run_id.0),
            (Thing::LogEntry, entry.to_string()),
            (Thing::Incident, entry.to_string()),
        ]));
    }
    let invitation = engine.make_id();
    let token = web::auth::session::make_token();
    let new = store::invitations::NewInvitation {
        id: &invitation,
        organization_id: &id,
        email: &format!("{invitation}@{}.example", name.to_lowercase()),
        role: Role::Member,
        company_ids: &[],
        token: &token,
        invited_by: &owner,
        now_ms,
        expires_at: now_ms + 60_000,
    };
    assert!(store::invitations::insert(&engine.store, &mut tx, &new).await.unwrap());
    tx.commit().await.unwrap();
    // somebody to manage, who is neither the Owner nor one of those who look
    let managed = site.user_of(&id, Role::Member).await;
    let (hidden, mut shown) = (halves.pop().unwrap(), halves.pop().unwrap());
    shown.insert(Thing::Member, managed.0);
    let api_key = ApiKeyId(engine.make_id());
    let new = NewApiKey {
        id: &api_key,
        organization_id: &id,
        name: "Load",
        secret: api_key.as_str(),
        prefix: "tieout_",
        role: Role::Admin,
        access: KeyAccess::Read,
        companies: &[],
        created_by: &owner,
        expires_at: None,
        now_ms,
    };
    let mut tx = engine.store.begin().await.unwrap();
    api_keys::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    shown.insert(Thing::ApiKey, api_key.0);
    shown.insert(Thing::Invitation, invitation);
    House { id, shown, hidden }
}

async fn world(site: &Site) -> World<'_> {
    let (own, foreign) = (house(site, "Own").await, house(site, "Foreign").await);
    let mut people = Vec::new();
    for (name, role, reads_shown) in
        [("Owner", Role::Owner, true), ("Admin", Role::Admin, true), ("assigned Member", Role::Member, true), ("other Member", Role::Member, false)]
    {
        let user_id = site.user_of(&own.id, role).await;
        if role == Role::Member && reads_shown {
            let mut tx = site.engine.store.begin().await.unwrap();
            let company_id = CompanyId(own.shown[&Thing::Company].clone());
            assert!(readers::add(&mut tx, &own.id, &user_id, &company_id, site.engine.clock.now_ms()).await.unwrap());
            tx.commit().await.unwrap();
        }
        people.push(Person { name, role: Some(role), reads_shown, browser: site.sign_in(&own.id, &user_id).await });
    }
    people.push(Person { name: "stranger", role: None, reads_shown: false, browser: site.stranger() });
    World { own, foreign, people }
}

impl House {
    /// Whatever a form could change: it must be the same after somebody else's attempt.
    async fn fingerprint(&self, site: &Site) -> String {
        let mut conn = site.engine.store.read().await.unwrap();
        let companies = companies::list(&mut conn, &self.id).await.unwrap();
        let connections = connections::list(&mut conn, &self.id).await.unwrap();
        let active = runs::list_active(&mut conn, &self.id).await.unwrap();
        let member = UserId(self.shown[&Thing::Member].clone());
        let role = members::role_of(&mut conn, &self.id, &member).await.unwrap();
        let invitations = store::invitations::list_open(&mut conn, &self.id).await.unwrap();
        let name = members::organization_name(&mut conn, &self.id).await.unwrap();
        format!("{companies:?}{connections:?}{active:?}{role:?}{invitations:?}{name:?}{:?}", readers::list_all(&mut conn, &self.id).await.unwrap())
    }
    /// Fields and queries that name things of this house, whatever a handler may call them.
    fn named(&self) -> String {
        let of = |thing| self.shown.get(&thing).cloned().unwrap_or_default();
        format!(
            "q=books&company={0}&company_id={0}&companies={0}&id={0}&account={1}&connection={1}&connection_id={1}&run={2}&run_id={2}&entry={3}&member={4}&user={4}&user_id={4}&organization={5}",
            of(Thing::Company),
            of(Thing::Connection),
            of(Thing::Run),
            of(Thing::LogEntry),
            of(Thing::Member),
            self.id,
        )
    }
}

const UNKNOWN: &str = "0123456789abcdef0123456789abcdef";

async fn ask(person: &Person<'_>, method: &str, path: &str, id: &str, form: &str) -> Answer {
    let path = path.replace("{id}", id).replace("{provider}", "xero").replace("{token}", "none").replace("{name}", "none");
    let path = if path.contains('{') { path.split('{').next().unwrap_or_default().to_owned() + "none" } else { path };
    let (path, body) = if method == "GET" && !form.is_empty() { (format!("{path}?{form}"), "") } else { (path, form) };
    let request = person.browser.request(method, &path).header("origin", PUBLIC_URL);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body.to_owned())).unwrap();
    person.browser.site.send(request).await
}

/// What a declaration must say for its path, whatever the handler does.
fn declared(route: &Route) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |text: &str| faults.push(format!("{}: {text}", route.path));
    if route.path.contains("{id}") != matches!(route.scope, Scope::Thing(_)) {
        fault("names a thing by {id} and does not say which, or the reverse");
    }
    if route.path.contains("{token}") != (route.scope == Scope::Token) {
        fault("the address is a secret and does not say so, or the reverse");
    }
    if route.access == Access::Public && matches!(route.scope, Scope::Thing(_) | Scope::Organization) {
        fault("shows what an organization has to everybody");
    }
    let under = |root: &str| route.path == root || route.path.starts_with(&format!("{root}/"));
    if (under("/integrations") || under("/api/v1/integrations")) && route.access != integrations_access() {
        fault("is under Integrations and open to Members");
    }
    faults
}

/// Asks as everybody, with every kind of id, and tells what was answered that should not have been.
async fn faults_of(site: &Site, shared: &World<'_>, prober: &UserId, route: &Route) -> Vec<String> {
    let mut faults = declared(route);
    if route.path == "/events" {
        return faults; // a stream without an end: see `live.rs`
    }
    for method in ["GET", "POST"] {
        // pages change nothing and share a world; forms have one of their own, where there are any
        let fresh_world;
        // somebody whose session may end by the question
        let browser = site.sign_in(&shared.own.id, prober).await;
        let probe = Person { name: "probe", role: Some(Role::Owner), reads_shown: true, browser };
        let world = match method {
            "GET" => shared,
            _ if ask(&probe, method, route.path, UNKNOWN, "").await.status == StatusCode::METHOD_NOT_ALLOWED => continue,
            _ => {
                fresh_world = self::world(site).await;
                &fresh_world
            }
        };
        let own_id = |ids: &Ids, thing| ids.get(&thing).cloned();
        let thing = match route.scope {
            Scope::Thing(thing) => Some(thing),
            _ if route.path.contains("{id}") => Some(Thing::Company),
            _ => None,
        };
        let before = world.foreign.fingerprint(site).await;
        for person in &world.people {
            let mut kinds: Vec<(&str, String, bool)> = Vec::new();
            match thing {
                None => kinds.push(("no id", String::new(), true)),
                Some(thing) => {
                    kinds.push(("unknown", UNKNOWN.to_owned(), false));
                    kinds.extend(own_id(&world.foreign.shown, thing).map(|id| ("foreign", id, false)));
                    kinds.extend(own_id(&world.own.hidden, thing).map(|id| ("hidden", id, person.reads_everything())));
                    // forms that may change something are asked once, by the first who may
                    kinds.extend(own_id(&world.own.shown, thing).map(|id| ("own", id, person.reads_shown)));
                }
            }
            let mut of_unknown: Option<String> = None;
            for (kind, id, reachable) in kinds {
                // where a form works it changes its world: the next person gets another
                let fresh;
                let (asking, id) = match thing {
                    Some(thing) if method == "POST" && reachable && person.may(route.access) => {
                        fresh = self::world(site).await;
                        let house = if kind == "hidden" { &fresh.own.hidden } else { &fresh.own.shown };
                        (fresh.people.iter().find(|other| other.name == person.name).unwrap(), house[&thing].clone())
                    }
                    _ => (person, id),
                };
                // what a page of a company needs besides its id; the last of a name counts
                let needs = if reachable && thing.is_some() { "&account=bank&month=2026-01" } else { "" };
                let answer = ask(asking, method, route.path, &id, &format!("{}{needs}", world.foreign.named())).await;
                let mut fault = |text: String| faults.push(format!("{method} {} as {}, {kind}: {text}", route.path, person.name));
                if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                    continue;
                }
                if answer.status.is_server_error() {
                    fault(format!("failed with {}", answer.status));
                }
                for (word, forbidden) in [
                    ("Foreign shown books", true),
                    ("Foreign hidden books", true),
                    ("Foreign account", true),
                    ("Own hidden books", !person.reads_everything()),
                    ("Own account", !person.reads_everything()),
                    ("Own shown books", !person.reads_shown),
                ] {
                    if forbidden && answer.text.contains(word) {
                        fault(format!("shows `{word}`"));
                    }
                }
                if person.role.is_none() && route.access != Access::Public {
                    if answer.status != StatusCode::SEE_OTHER || !answer.location().starts_with("/sign-in") {
                        fault(format!("{} instead of the sign-in", answer.status));
                    }
                } else if !person.may(route.access) {
                    if answer.status != StatusCode::FORBIDDEN || !answer.text.contains("You don&#39;t have access") {
                        fault(format!("{} instead of 403", answer.status));
                    }
                } else if !reachable {
                    let page = answer.text.split("<dt>Time").next().unwrap_or_default().to_owned();
                    if answer.status != StatusCode::NOT_FOUND {
                        fault(format!("{} instead of 404", answer.status));
                    } else if *of_unknown.get_or_insert_with(|| page.clone()) != page {
                        fault("another 404 than for an unknown id".to_owned());
                    }
                } else if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED)
                    || (thing.is_some() && answer.status == StatusCode::NOT_FOUND)
                {
                    fault(format!("{} where it should work", answer.status));
                }
            }
        }
        if before != world.foreign.fingerprint(site).await {
            faults.push(format!("{method} {} changed something of another organization", route.path));
        }
    }
    faults
}

async fn faults(site: &Site, routes: &[Route]) -> Vec<String> {
    let mut found = Vec::new();
    let shared = world(site).await;
    let prober = site.user_of(&shared.own.id, Role::Owner).await;
    for route in routes {
        found.extend(faults_of(site, &shared, &prober, route).await);
    }
    found
}

// proves H1, H2, H8
#[tokio::test]
async fn every_route_keeps_to_the_role_and_the_organization_it_declares() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let routes = all();
        assert!(routes.iter().filter(|route| matches!(route.scope, Scope::Thing(_))).count() >= 15);
        let faults = faults(&site, &routes).await;
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    })
    .await;
}

async fn any_company(State(app): State<App>, Path(id): Path<String>) -> Html<String> {
    let found = companies::find_any(&mut app.engine.store.read().await.unwrap(), &CompanyId(id)).await.unwrap();
    Html(found.map(|company| company.name).unwrap_or_default())
}

async fn all_companies(State(app): State<App>) -> Html<String> {
    let found = companies::list_all_linked(&mut app.engine.store.read().await.unwrap()).await.unwrap();
    Html(found.into_iter().map(|company| company.name).collect())
}

async fn companies_of_a_form(State(app): State<App>, body: String) -> Html<String> {
    let id = body.split("company=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default().to_owned();
    let mut tx = app.engine.store.begin().await.unwrap();
    companies::unlink(&mut tx, &CompanyId(id)).await.unwrap();
    tx.commit().await.unwrap();
    Html(String::new())
}

// proves H8 in part
#[tokio::test]
async fn a_route_that_forgets_its_declaration_or_leaks_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let planted = |route: Route| {
        let router = router_of(site.engine.clone(), WebOptions::new(url::Url::parse(PUBLIC_URL).unwrap()), vec![route]);
        Site { engine: site.engine.clone(), router, sandbox: site.sandbox.clone(), organization_id: site.organization_id.clone() }
    };
    type Plant = (fn() -> Route, &'static [&'static str]);
    let plants: [Plant; 5] = [
        // names a company and says it names none: the guard does not look, and neither does the handler
        (
            || route("/planted/{id}", Access::AnyRole, Scope::Organization, get(any_company)),
            &["does not say which", "foreign: shows `Foreign shown books`", "hidden: 200 OK instead of 404", "unknown: 200 OK instead of 404"],
        ),
        // lists what others have
        (
            || route("/planted", Access::AnyRole, Scope::Organization, get(all_companies)),
            &["shows `Foreign hidden books`", "shows `Own hidden books`"],
        ),
        // under Integrations, for everybody
        (
            || route("/integrations/planted/{id}", Access::AnyRole, Scope::Thing(Thing::Company), get(any_company)),
            &["is under Integrations and open to Members"],
        ),
        // without a sign-in
        (
            || route("/planted/{id}", Access::Public, Scope::Thing(Thing::Company), get(any_company)),
            &["shows what an organization has to everybody", "as stranger, own: shows `Own shown books`"],
        ),
        // obeys an id of a form
        (
            || route("/planted", Access::AnyRole, Scope::Organization, axum::routing::post(companies_of_a_form)),
            &["POST /planted changed something of another organization"],
        ),
    ];
    for (make, expected) in plants {
        let wrong = planted(make());
        let found = faults(&wrong, &[make()]).await;
        for words in expected {
            assert!(found.iter().any(|fault| fault.contains(words)), "`{words}` is not among what was found:\n{}", found.join("\n"));
        }
    }
    // and what is declared rightly needs no care in the handler
    let right = || route("/planted/{id}", Access::AnyRole, Scope::Thing(Thing::Company), get(any_company));
    assert_eq!(faults(&planted(right()), &[right()]).await, Vec::<String>::new());
    let closed = || route("/integrations/planted", integrations_access(), Scope::Organization, get(|| async { "" }));
    assert_eq!(faults(&planted(closed()), &[closed()]).await, Vec::<String>::new());
}

fn integrations_access() -> Access {
    Access::SignedIn(domain::organization::Action::UseIntegrations)
}
