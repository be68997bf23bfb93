//! The pages of the companies: the list, and everything one company shows.
use crate::feed::row;
use crate::sample::Sample;
use testkit::each_database;

async fn path(sample: &Sample, name: &str) -> String {
    let mut conn = sample.engine.store.read().await.unwrap();
    let companies = store::companies::list(&mut conn, &sample.organization_id).await.unwrap();
    format!("/companies/{}", companies.into_iter().find(|company| company.name == name).unwrap().id)
}

fn assert_shows(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "`{word}` is not in the page:\n{page}");
    }
}

#[tokio::test]
async fn a_proven_company_shows_its_proof_its_runs_and_its_inventory() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let never_synced = sample.page(&path(&sample, "Bramble & Co").await).await;
        assert!(never_synced.contains("nothing yet") && !never_synced.contains("reported by the provider"), "{never_synced}");
        let page = sample.page(&path(&sample, "Harbour & Finch Ltd").await).await;
        assert_shows(
            &page,
            &[
                "QuickBooks Online",
                "USD",
                "Fiscal year from January",
                "Synced",
                "Verified",
                "as of 22 Nov 2026",
                "reported by the provider",
                "January 2024: 0.00 on every account",
                "November 2026: 0.00 on every account",
                "0.00",
                "64",
                "35",
                "Recently completed",
                "First import",
                "Ada Lindqvist",
                "1,204 added, 88 updated, 3 deleted",
                "Data inventory",
                "2,707 records, 44 deleted ones kept",
                "Invoices",
                "1,184",
                "28 Oct 2026",
                "Set aside",
                "1043",
                "more than 4 decimals",
            ],
        );
        assert_eq!(page.matches("month is-good").count(), 36, "35 months and the legend");
        let runs = page.split("id=\"runs-title\"").nth(1).unwrap().split("</tbody>").next().unwrap();
        assert_eq!(runs.matches("<tr>").count(), 6, "a head and the last five runs");
    })
    .await;
}

#[tokio::test]
async fn a_difference_is_named_by_account_and_month_to_the_cent() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let path = path(&sample, "Tern Logistics").await;
        let page = sample.page(&path).await;
        assert_shows(
            &page,
            &[
                "Not verified",
                "does not tie out",
                "Sales of Product Income",
                "4000",
                "March 2026",
                "-8,421,000.00",
                "-8,409,000.00",
                "-12,000.00",
                "Accounts Receivable",
                "12,450.00",
                "12,330.00",
                "120.00",
                "Invoice 1043",
                "March 2026: 2 accounts differ",
            ],
        );
        // a month is looked at on its own
        let march = sample.page(&format!("{path}?month=2026-03")).await;
        assert!(march.contains("Sales of Product Income") && march.contains("is-chosen"));
        let april = sample.page(&format!("{path}?month=2026-04")).await;
        assert!(april.contains("Nothing differs in this month.") && !april.contains("Sales of Product Income"));
        assert!(sample.page(&format!("{path}?month=nonsense")).await.contains("Sales of Product Income"));
    })
    .await;
}

// proves D20
#[tokio::test]
async fn what_a_company_is_doing_is_shown_while_it_does_it() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let page = sample.page(&path(&sample, "Cedar Dental Group").await).await;
        assert_shows(
            &page,
            &[
                "Syncing: Transactions (3 of 6)",
                "12,400 of about 31,000",
                "1 min 12 s",
                "Per data type",
                "1,420",
                "Not checked yet",
                "Nothing has been read yet",
            ],
        );
        let page = sample.page(&path(&sample, "Quayside Foods").await).await;
        assert_shows(&page, &["Waiting: <a href=\"/integrations/health#xero\">Xero daily limit</a>, resumes", "22:35"]);
        let page = sample.page(&path(&sample, "Alder Clinic").await).await;
        assert_shows(&page, &["Xero did not answer.", "Failed", "Resync"]);
        // the last runs of a company, and the banner over its mapping while it is read
        let page = sample.page(&path(&sample, "Harbour & Finch Ltd").await).await;
        assert_shows(&page, &["Recently completed", "Succeeded"]);
        let mapping = sample.page(&format!("{}/mapping", path(&sample, "Cedar Dental Group").await)).await;
        assert_shows(&mapping, &["Sync in progress; your changes apply at once and nothing restarts."]);
        let mapping = sample.page(&format!("{}/mapping", path(&sample, "Harbour & Finch Ltd").await)).await;
        assert!(!mapping.contains("Sync in progress"));
        // a company that is syncing shows no error of before
        let north = sample.page(&path(&sample, "Northlight Studio").await).await;
        assert!(!north.contains("Syncing:") && !north.contains("Set aside"));
    })
    .await;
}

#[tokio::test]
async fn a_member_reads_the_books_and_sees_no_step_of_the_integrations() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let path = path(&sample, "Harbour & Finch Ltd").await;
        let answer = sample.get_as(&sample.member_token, &path).await;
        assert_shows(&answer.body, &["Harbour &#38; Finch Ltd", "Verified", "Recently completed"]);
        let main = answer.body.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        assert!(!main.contains("/integrations") && !main.contains("<form"), "{main}");
        let list = sample.get_as(&sample.member_token, "/companies").await;
        assert!(
            list.body.contains("Harbour &#38; Finch Ltd")
                && !list.body.split("<main").nth(1).unwrap().split("</main>").next().unwrap().contains("/integrations")
        );
    })
    .await;
}

#[tokio::test]
async fn the_list_counts_what_it_shows() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let page = sample.page("/companies").await;
        assert_shows(
            &page,
            &[
                "<b>7</b><span>companies</span>",
                "<b>2</b><span>Synced</span>",
                "<b>2</b><span>Verified to the cent</span>",
                "<b>1</b><span>Not verified</span>",
            ],
        );
        assert!(row(&page, "Tern Logistics").contains("Not verified") && !page.contains("Bramble"));
        assert!(sample.page("/companies?q=none").await.contains("No company has this name"));
    })
    .await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::empty(&testkit::sqlite_url(folder.path())).await;
    let account = sample.connect("xero", "Ada").await;
    for at in 0..130 {
        sample.company(&account, "xero", &format!("Company {at:03}"), true).await;
    }
    let (first, last) = (sample.page("/companies").await, sample.page("/companies?page=3").await);
    assert_eq!([first.matches("data-key=\"row-").count(), last.matches("data-key=\"row-").count()], [50, 30]);
    assert!(first.contains("href=\"/companies?page=2\"") && first.contains("Company 049") && !first.contains("Company 050"));
    assert!(!last.contains("rel=\"next\"") && last.contains("Company 100") && last.contains("101 to 130 of 130"));
    assert!(sample.page("/companies?page=99").await.contains("101 to 130 of 130"), "after the last page there is the last page");
    let found = sample.page("/companies?q=ANY+12").await;
    assert_eq!(found.matches("data-key=\"row-").count(), 10);
    assert!(found.contains("<b>130</b><span>companies</span>"), "the summary counts all");
    assert!(sample.page("/companies?page=99999999999999999999").await.contains("Company 000"));
}

#[tokio::test]
async fn no_companies_is_a_page_too() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        assert_shows(&sample.page("/companies").await, &["No companies yet", "Open Integrations"]);
        let member = sample.get_as(&sample.member_token, "/companies").await;
        assert_shows(&member.body, &["An Owner or Admin of <bdi>Birchwood Advisory</bdi> links companies"]);
    })
    .await;
}
