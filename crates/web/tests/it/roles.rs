//! What a role sees and what it does not.
use crate::site::Site;
use axum::http::StatusCode;
use domain::ids::OrganizationId;
use domain::organization::Role;
use testkit::each_database;

// proves H1 in part
#[tokio::test]
async fn a_member_sees_no_integrations_in_the_menu() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let (owner, member) = (site.member(Role::Owner).await, site.member(Role::Member).await);
    let page = member.get("/companies").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("href=\"/integrations"), "a Member sees no Integrations in the menu");
    assert!(owner.get("/companies").await.text.contains("href=\"/integrations"));
    member.get("/integrations").await.assert_shows(&["You don&#39;t have access", "Owners and Admins"]);
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
        for page in ["", "?tab=access", "?tab=usage", "?tab=history", "/setup", "/disconnect", "/link"] {
            assert_eq!(owner.get(&format!("/integrations/accounts/{id}{page}")).await.status, StatusCode::OK, "{page}");
            let (foreign, unknown) =
                (other.get(&format!("/integrations/accounts/{id}{page}")).await, other.get(&format!("/integrations/accounts/unknown{page}")).await);
            assert_eq!((foreign.status, unknown.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{page}");
            let without_time = |text: &str| text.split("<dt>Time").next().unwrap_or_default().to_owned();
            assert_eq!(without_time(&foreign.text), without_time(&unknown.text));
        }
        for step in ["reconnect", "disconnect", "import", "choose", "link"] {
            assert_eq!(other.post(&format!("/integrations/accounts/{id}/{step}"), "").await.status, StatusCode::NOT_FOUND, "{step}");
        }
    })
    .await;
}
