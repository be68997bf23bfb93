//! Who may open what: every route of the map against every role.
use crate::site::Site;
use axum::body::Body;
use axum::http::StatusCode;
use domain::ids::OrganizationId;
use domain::organization::{Action, Role};
use testkit::each_database;
use web::routes::{Access, all};

/// A path of the map with something in its placeholders.
fn filled(path: &str) -> String {
    path.replace("{id}", "0123456789abcdef0123456789abcdef").replace("{provider}", "xero").replace("{token}", "none").replace("{name}", "none")
}

// proves H1
#[tokio::test]
async fn every_integrations_route_is_closed_to_members_and_to_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let (owner, admin, member, stranger) =
        (site.member(Role::Owner).await, site.member(Role::Admin).await, site.member(Role::Member).await, site.stranger());
    let mut closed = 0;
    for route in all() {
        let path = filled(route.path);
        if path == "/events" || path == "/sign-out" {
            continue; // a stream without an end, see `a_stream_needs_a_session`; and leaving would end the sessions of this test
        }
        for method in ["GET", "POST"] {
            let ask = async |browser: &crate::site::Browser<'_>| {
                let request = browser.request(method, &path).header("origin", crate::site::PUBLIC_URL);
                site.send(request.header("content-type", "application/x-www-form-urlencoded").body(Body::empty()).unwrap()).await
            };
            let answer = ask(&member).await;
            if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                continue;
            }
            let nobody = ask(&stranger).await;
            match route.access {
                Access::SignedIn(Action::UseIntegrations) => {
                    closed += 1;
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} as a Member");
                    answer.assert_shows(&["You don&#39;t have access"]);
                    assert_eq!(nobody.status, StatusCode::SEE_OTHER, "{method} {path} as a stranger");
                    assert!(nobody.location().starts_with("/sign-in"), "{method} {path}: {}", nobody.location());
                    for (who, browser) in [("Owner", &owner), ("Admin", &admin)] {
                        let answer = ask(browser).await;
                        assert!(
                            answer.status != StatusCode::FORBIDDEN && !answer.status.is_server_error(),
                            "{method} {path} as {who}: {}",
                            answer.status
                        );
                    }
                }
                Access::SignedIn(_) | Access::AnyRole => assert!(nobody.location().starts_with("/sign-in"), "{method} {path} as a stranger"),
                Access::Public => {}
            }
        }
    }
    assert!(closed >= 15, "only {closed} routes asked for the role");
    let page = member.get("/companies").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("href=\"/integrations"), "a Member sees no Integrations in the menu");
}

#[tokio::test]
async fn a_stream_needs_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    assert_eq!(site.stranger().get("/events").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_account_of_another_organization_is_as_unknown_as_none() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.connect("xero").await;
        let connections = store::connections::list(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap();
        let id = connections[0].id.to_string();
        let other = site.member_of(&OrganizationId(site.engine.make_id()), Role::Owner).await;
        for page in ["", "/setup", "/disconnect"] {
            assert_eq!(owner.get(&format!("/integrations/accounts/{id}{page}")).await.status, StatusCode::OK, "{page}");
            let (foreign, unknown) =
                (other.get(&format!("/integrations/accounts/{id}{page}")).await, other.get(&format!("/integrations/accounts/unknown{page}")).await);
            assert_eq!((foreign.status, unknown.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{page}");
            let without_time = |text: &str| text.split("<dt>Time").next().unwrap_or_default().to_owned();
            assert_eq!(without_time(&foreign.text), without_time(&unknown.text));
        }
        for step in ["reconnect", "disconnect", "import", "choose"] {
            assert_eq!(other.post(&format!("/integrations/accounts/{id}/{step}"), "").await.status, StatusCode::NOT_FOUND, "{step}");
        }
    })
    .await;
}
