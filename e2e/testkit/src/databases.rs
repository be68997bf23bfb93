//! One test body, run on each database the product supports.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures::FutureExt;

use crate::postgres;

/// The databases the product supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            DatabaseKind::Sqlite => "SQLite",
            DatabaseKind::Postgres => "PostgreSQL",
        })
    }
}

/// The URL of a SQLite database in a folder; the file does not exist yet.
pub fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("tieout.db").display())
}

/// Runs `body` with the URL of an empty database, first on SQLite, then on PostgreSQL. It fails if either failed, and says which.
/// A test calls it like this: `each_database(|url| async move { … }).await`, in a function marked `#[tokio::test]`.
pub async fn each_database<F, Fut>(body: F)
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = ()>,
{
    let mut failures = Vec::new();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    if let Err(panic) = AssertUnwindSafe(body(sqlite_url(folder.path()))).catch_unwind().await {
        failures.push(failure(DatabaseKind::Sqlite, panic.as_ref()));
    }
    let url = postgres().create_database();
    if let Err(panic) = AssertUnwindSafe(body(url.clone())).catch_unwind().await {
        failures.push(failure(DatabaseKind::Postgres, panic.as_ref()));
    }
    postgres().drop_database(&url);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn failure(kind: DatabaseKind, panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("on {kind}: {}", text.unwrap_or("the test body failed"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_body_runs_once_on_each_database() {
        let urls = Mutex::new(Vec::new());
        each_database(|url| {
            urls.lock().expect("no test body has failed").push(url);
            async {}
        })
        .await;
        let urls = urls.into_inner().expect("no test body has failed");
        assert!(matches!(urls.as_slice(), [first, second] if first.starts_with("sqlite://") && second.starts_with("postgres://")), "{urls:?}");
    }

    #[tokio::test]
    async fn a_failure_names_its_database() {
        let run = each_database(|url| async move { assert!(url.starts_with("sqlite://"), "not here") });
        let panic = AssertUnwindSafe(run).catch_unwind().await.expect_err("the body fails on PostgreSQL");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("on PostgreSQL: not here"));
    }
}
