//! What a page shows or does is an operation of the API, or says why it is not: `docs/pages-and-api.md` against the routes and the operations there are.
use crate::site::{PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use tower::ServiceExt;
use web::WebOptions;
use web::routes::{Access, Scope, all, router_of};

const REASONS: [&str; 3] = ["browser", "view", "site"];

/// Method and path of every route: asked of each alone, without the guard that stands before it.
async fn routes(site: &Site) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for mut route in all() {
        (route.access, route.scope) = (Access::Public, Scope::Nothing);
        let path = route.path;
        let router = router_of(site.engine.clone(), WebOptions::new(url::Url::parse(PUBLIC_URL).unwrap()), vec![route]);
        let address = path.replace(['{', '}'], "");
        let request = Request::builder().method("DELETE").uri(address).header("host", "tieout.example:8484").header("origin", PUBLIC_URL);
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allowed = answer.headers()["allow"].to_str().unwrap().to_owned();
        found.extend(allowed.split(',').filter(|method| *method != "HEAD").map(|method| format!("{method} {path}")));
    }
    found
}

/// The rows of the table: a route, and its operations or the reason.
fn told(text: &str) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [route, what] = cells.as_slice() else { panic!("not two cells: {line}") };
        assert!(rows.insert(route.trim_matches('`').to_owned(), (*what).to_owned()).is_none(), "{route} is told twice");
    }
    rows
}

fn faults(routes: &BTreeSet<String>, told: &BTreeMap<String, String>, operations: &BTreeSet<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    for route in routes {
        let Some(what) = told.get(route) else {
            faults.push(format!("{route}: no operation does this, and no reason is given"));
            continue;
        };
        let (reason, _) = what.split_once(':').unwrap_or((what, ""));
        if REASONS.contains(&reason) {
            continue;
        }
        let named: Vec<&str> = what.split(", ").collect();
        for name in named {
            match name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
                Some(id) if operations.contains(id) => {}
                _ => faults.push(format!("{route}: {name} is neither an operation nor one of the reasons")),
            }
        }
    }
    faults.extend(told.keys().filter(|route| !routes.contains(*route)).map(|route| format!("{route}: there is no such route")));
    faults
}

// proves G1
#[tokio::test]
async fn what_a_page_shows_or_does_is_an_operation_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&testkit::sqlite_url(folder.path())).await;
    let routes = routes(&site).await;
    assert!(routes.len() > 100 && routes.contains("POST /organization/members/{id}/role"), "{routes:?}");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pages-and-api.md");
    let mut told = told(&std::fs::read_to_string(file).unwrap());
    let operations: BTreeSet<&str> = web::api::all().iter().map(|operation| operation.id).collect();
    let found = faults(&routes, &told, &operations);
    assert!(found.is_empty(), "docs/pages-and-api.md:\n{}", found.join("\n"));
    // every operation is there for a page, but those that show one thing of a list
    let named: BTreeSet<&str> = told.values().flat_map(|what| what.split('`')).collect();
    let alone: Vec<&&str> = operations.iter().filter(|id| !named.contains(**id)).collect();
    assert!(alone.is_empty(), "no page shows or does this: {alone:?}");
    // and the list is not taken at its word
    told.remove("POST /organization/members/{id}/role");
    told.insert("GET /companies".into(), "`list_everything`".into());
    told.insert("GET /nothing".into(), "site".into());
    let found = faults(&routes, &told, &operations);
    assert_eq!(found.len(), 3, "{found:?}");
}
