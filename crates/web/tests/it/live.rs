//! The event stream: it says when to look again, and ends with the session.
use crate::site::{Browser, Site};
use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use domain::organization::Role;
use futures::StreamExt;
use std::time::Duration;
use testkit::each_database;
use tower::ServiceExt;

/// An event that comes, however busy the machine is.
const SOON: Duration = Duration::from_secs(30);
/// So long nothing comes.
const QUIET: Duration = Duration::from_millis(1_500);

async fn open(browser: &Browser<'_>) -> BodyDataStream {
    let request = browser.request("GET", "/events").body(Body::empty()).unwrap();
    let response = browser.site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

/// The next event's name; `None` when nothing comes in this time. Browsers drop events without data.
async fn next(stream: &mut BodyDataStream, wait: Duration) -> Option<String> {
    let frame = tokio::time::timeout(wait, stream.next()).await.ok()??.unwrap();
    let text = String::from_utf8(frame.to_vec()).unwrap();
    assert!(text.lines().any(|line| line.strip_prefix("data:").is_some_and(|data| !data.trim().is_empty())), "no data in {text:?}");
    text.lines().find_map(|line| line.strip_prefix("event: ")).map(str::to_owned)
}

#[tokio::test]
async fn a_change_reaches_the_pages_of_its_organization_and_no_others() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let other_id = domain::ids::OrganizationId(site.engine.make_id());
        let other = site.member_of(&other_id, Role::Owner).await;
        let (mut ours, mut theirs) = (open(&owner).await, open(&other).await);
        assert_eq!(next(&mut ours, SOON).await.as_deref(), Some("hello"));
        assert_eq!(next(&mut theirs, SOON).await.as_deref(), Some("hello"));
        site.engine.changed(&site.organization_id, None);
        assert_eq!(next(&mut ours, SOON).await.as_deref(), Some("change"));
        assert_eq!(next(&mut theirs, QUIET).await, None, "another organization's change is none of theirs");
    })
    .await;
}

#[tokio::test]
async fn what_another_process_writes_is_noticed_and_a_sign_out_ends_the_stream() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.connect("xero").await;
        let mut stream = open(&owner).await;
        assert_eq!(next(&mut stream, SOON).await.as_deref(), Some("hello"));
        // written past the engine of this process, as another node would
        let mut tx = site.engine.store.begin().await.unwrap();
        let companies = store::companies::list(&mut tx, &site.organization_id).await.unwrap();
        assert!(store::companies::link(&mut tx, &companies[0].id, site.engine.clock.now_ms()).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(next(&mut stream, SOON).await.as_deref(), Some("change"));
        owner.post("/sign-out", "").await;
        assert_eq!(next(&mut stream, SOON).await.as_deref(), Some("end"));
        assert!(tokio::time::timeout(SOON, stream.next()).await.unwrap().is_none(), "the stream is closed");
    })
    .await;
}

// proves H2, H5 in part
#[tokio::test]
async fn a_member_hears_of_assigned_companies_only_and_a_changed_role_ends_the_stream() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.connect("xero").await;
        owner.connect("quickbooks").await;
        let organization_id = &site.organization_id;
        let companies = store::companies::list(&mut site.engine.store.read().await.unwrap(), organization_id).await.unwrap();
        let [mine, other, ..] = companies.as_slice() else { panic!("two companies") };
        let user_id = site.user_of(organization_id, Role::Member).await;
        let mut tx = site.engine.store.begin().await.unwrap();
        assert!(store::readers::add(&mut tx, organization_id, &user_id, &mine.id, 1).await.unwrap());
        tx.commit().await.unwrap();
        let member = site.sign_in(organization_id, &user_id).await;
        let mut stream = open(&member).await;
        assert_eq!(next(&mut stream, SOON).await.as_deref(), Some("hello"));
        site.engine.changed(organization_id, Some(&other.id));
        assert_eq!(next(&mut stream, QUIET).await, None, "a company of others");
        site.engine.changed(organization_id, Some(&mine.id));
        assert_eq!(next(&mut stream, SOON).await.as_deref(), Some("change"));

        let mut tx = site.engine.store.begin().await.unwrap();
        store::members::add(&mut tx, organization_id, &user_id, Role::Admin, 1).await.unwrap();
        tx.commit().await.unwrap();
        site.engine.changed(organization_id, None);
        assert_eq!(next(&mut stream, SOON).await.as_deref(), Some("end"), "what it was opened with holds no more");
        assert!(stream.next().await.is_none());
        assert_eq!(member.get("/integrations").await.status, StatusCode::OK, "the very next request has the new role");
    })
    .await;
}
