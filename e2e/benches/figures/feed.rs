//! The Data Feed of an organization with very many companies, as the server answers it.
use crate::installation::Installation;
use crate::measured::{Measured, millis};
use crate::table::{self, grouped, verdict};
use crate::{Plan, paint};
use std::time::Duration;
use store::args;
use testkit::{COPY_COMPANY, DatabaseKind};

const PAGE_WITHIN: Duration = Duration::from_millis(150);

pub fn measure(plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can start");
    for database in &plan.databases {
        runtime.block_on(measure_on(plan, *database));
    }
}

async fn measure_on(plan: &Plan, database: DatabaseKind) {
    let mut installation = Installation::start(plan, database, &["--provider", "quickbooks", "--documents", "100"]).await;
    let account = installation.connect("quickbooks");
    installation.import_all(&account);
    installation.wait_until_synced(Duration::from_secs(120)).await;
    let mut tx = installation.store.begin().await.expect("the database can be written to");
    let company = store::companies::list_all_linked(&mut tx).await.expect("companies can be listed").remove(0);
    // the copies must not be synced while they are looked at
    tx.execute("UPDATE companies SET next_due_at = next_due_at + 86400000", vec![]).await.expect("companies can be written");
    tx.execute(COPY_COMPANY, args![&company.id, plan.companies - 1]).await.expect("companies can be copied");
    if tx.is_postgres() {
        tx.execute("ANALYZE companies", vec![]).await.expect("PostgreSQL can count");
    }
    tx.commit().await.expect("companies can be copied");
    let path = "/integrations/data-feed";
    let cases = [
        ("first page", String::from(path)),
        ("page 100", format!("{path}?page=100")),
        ("search for a name", format!("{path}?q=77")),
        ("a name that no company has", format!("{path}?q=no%20such%20company")),
        ("by last sync", format!("{path}?sort=last_synced")),
        ("by status", format!("{path}?sort=status")),
        ("only those that need a resync", format!("{path}?status=needs_resync")),
        ("one provider, by status, page 20", format!("{path}?provider=quickbooks&sort=status&page=20")),
        ("Companies", "/companies".to_owned()),
        ("Companies, search for a name", "/companies?q=77".to_owned()),
        ("Chart of Accounts Mapping", "/mapping".to_owned()),
        ("Internal Access", "/organization/access".to_owned()),
        ("commands of the Command Palette", "/palette/index.json".to_owned()),
        ("the same for what is typed", "/palette/index.json?q=resync%2077".to_owned()),
        ("overview of Integrations", "/integrations".to_owned()),
        ("cards of the logs", "/integrations/logs".to_owned()),
    ];
    let mut rows = Vec::new();
    for (name, path) in cases {
        let answer = installation.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let measured = Measured::repeat(plan.repeat, || installation.get(&path).took);
        let most = measured.percentile(95);
        rows.push([name.to_owned(), millis(measured.median()), millis(most), format!("{} KB", answer.body.len() >> 10), verdict(most < PAGE_WITHIN)]);
    }
    let of = format!("of an organization with {} companies, on {database}", grouped(plan.companies as u64));
    table::print(&format!("Pages {of}"), ["Page", "Median", "95 %", "Size", "Promise"], &rows);
    paint::measure(&installation, plan.repeat, &of).await;
    installation.end().await;
}
