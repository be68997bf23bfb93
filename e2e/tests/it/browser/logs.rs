//! Integration Logs: cards and table agree, columns, filters, pages, and the body of an error.

use serde_json::json;

use super::person::{Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

const COLUMNS: [&str; 7] = ["Date", "Accounting Software", "Company", "External Account", "Log Type", "Message", "Status"];

/// How many entries the table finds with this query.
async fn found(person: &Person, query: &str) -> u64 {
    person.open(&format!("/integrations/logs/all?{query}")).await;
    let line = person.ask("return document.querySelector('.log-found .strong').textContent").await;
    let count = line.as_str().and_then(|line| line.split(' ').next()).map(|count| count.replace(',', ""));
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{line} is no count of entries"))
}

// proves D1
// proves D2
// proves D3
// proves D4
// proves D5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logs_have_a_card_for_each_company_a_table_of_seven_columns_seven_filters_and_pages_that_stand() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    site.control("companies", Some(json!({"face": "xero", "name": "Aspen Bakery", "seed": 901, "documents_per_month": 3}))).await;
    let ada = site.owner().await;
    ada.open("/integrations/logs").await;
    ada.see("No activity yet").await;
    ada.import_quickbooks().await;
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.click("Allow access").await;
    ada.see_title("Account Connected").await;
    ada.click("Import All Companies").await;
    ada.see_title("Data Feed").await;
    ada.open("/integrations/data-feed").await;
    ada.watch_until_verified(2).await;
    let quickbooks = ada.feed().await.into_iter().find(|row| row.provider == "QuickBooks").expect("a company of QuickBooks").company;

    // a sync that fails: the entry says at which call, and what to do
    let broken = json!({"face": "quickbooks", "path_contains": "cdc", "times": 40, "fault": {"kind": "malformed_json"}});
    site.control("faults", Some(broken)).await;
    ada.open("/integrations/data-feed?provider=quickbooks").await;
    ada.resync_first_row().await;
    ada.watch_feed(SYNCED_WITHIN, "a failed sync", |rows| rows.iter().any(|row| row.status.contains("last sync failed"))).await;

    // cards and table tell the same
    ada.open("/integrations/logs").await;
    ada.see_title("Integration Logs").await;
    for company in [quickbooks.as_str(), "Aspen Bakery"] {
        ada.open("/integrations/logs").await;
        let [total, errors, milestones] = card(&ada, company).await;
        assert!(total > 10 && milestones >= 10, "{company}: {total} entries, {milestones} milestones");
        assert_eq!(errors > 0, company == quickbooks, "{company}: {errors} errors");
        ada.click_on_card(company).await;
        ada.see("All Companies").await;
        let path = ada.path().await;
        for (query, expected) in [("", total), ("?status=error", errors), ("?type=milestone", milestones)] {
            ada.open(&format!("{path}{query}")).await;
            let line = ada.ask("return document.querySelector('.log-found .strong').textContent").await;
            let word = if expected == 1 { "entry" } else { "entries" };
            assert_eq!(line.as_str(), Some(format!("{expected} {word}").as_str()), "{company}{query}");
        }
        ada.click("All Companies").await;
        ada.see_title("Integration Logs").await;
    }

    // seven columns in their order
    ada.open("/integrations/logs/all").await;
    let (head, rows) = ada.table().await;
    assert_eq!(head, COLUMNS);
    for row in &rows {
        // an entry about an account is about no company
        let of_an_account = row[5].starts_with("Account ");
        assert!(row.len() == 7 && row.iter().enumerate().all(|(at, cell)| cell.is_empty() == (at == 2 && of_an_account)), "{row:?}");
    }
    for row in &rows {
        assert!(["QuickBooks", "Xero"].contains(&row[1].as_str()), "{row:?}");
        assert!(["Milestone", "Event"].contains(&row[4].as_str()), "{row:?}");
        assert!(["Success", "Error"].contains(&row[6].as_str()), "{row:?}");
    }

    // seven filters, and all of them together; each pair of opposites adds up
    let all = found(&ada, "").await;
    for [one, other] in [["software=quickbooks", "software=xero"], ["type=milestone", "type=event"], ["status=success", "status=error"]] {
        let (one_count, other_count) = (found(&ada, one).await, found(&ada, other).await);
        assert!(one_count > 0 && other_count > 0, "{one}: {one_count}, {other}: {other_count}");
        assert_eq!(one_count + other_count, all, "{one} and {other}");
    }
    let today = domain::clock::Clock::now(&domain::clock::SystemClock).to_zoned(jiff::tz::TimeZone::UTC).date();
    let day_count = found(&ada, &format!("date={today}")).await;
    let yesterday = today.yesterday().expect("there was a yesterday");
    assert_eq!(day_count + found(&ada, &format!("date={yesterday}")).await, all);
    assert_eq!(found(&ada, "date=2001-01-01").await, 0);
    let of_accounts = found(&ada, "software=xero&message=account+connected").await;
    assert_eq!((of_accounts, found(&ada, "company=aspen").await), (1, found(&ada, "software=xero").await - 1));
    assert_eq!(found(&ada, "account=casey").await, all);
    assert_eq!(found(&ada, "account=nobody").await, 0);
    assert_eq!(found(&ada, "message=normalization+complete").await, 2);
    let together = "software=xero&company=Aspen&account=&type=milestone&message=sync+started&status=success";
    assert_eq!(found(&ada, &format!("{together}&date={today}")).await + found(&ada, &format!("{together}&date={yesterday}")).await, 1);
    // by the form, and undone
    ada.open("/integrations/logs/all").await;
    ada.fill("message", "sync started").await;
    ada.click("Filter").await;
    ada.see("3 entries").await;
    ada.click("Clear").await;
    ada.see(&format!("{all} entries")).await;

    // pages of 25, 50 and 100
    for size in [50, 100] {
        ada.open(&format!("/integrations/logs/all?size={size}")).await;
        assert_eq!(ada.table().await.1.len() as u64, all.min(size), "pages of {size}");
    }
    // the heads stay in sight below the bar, on a screen where the table fits
    ada.resize(1600, 700).await;
    ada.ask("window.scrollTo(0, document.documentElement.scrollHeight / 2)").await;
    let place = "const [head, bar] = ['table thead th', '.top'].map((one) => document.querySelector(one).getBoundingClientRect()); return [scrollY > 200, Math.round(head.top - bar.bottom)]";
    assert_eq!(ada.ask(place).await, serde_json::json!([true, 0]), "the heads of the table scrolled away");
    ada.open("/integrations/logs/all").await;
    ada.click("25").await;
    ada.see("Older").await;
    let mut read = 0;
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let links = ada.ask("return [...document.querySelectorAll('.log-message a')].map((link) => link.getAttribute('href'))").await;
        let links: Vec<String> = serde_json::from_value(links).expect("links are texts");
        assert!(links.len() <= 25 && !links.is_empty());
        read += links.len() as u64;
        seen.extend(links);
        if ada.ask("return document.querySelector('.pager a[rel=next]') === null").await == true {
            break;
        }
        let before = ada.path().await;
        ada.click("Older").await;
        while ada.path().await == before {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    assert_eq!((read, seen.len() as u64), (all, all), "every entry once");
    ada.click("Newer").await;
    ada.see("Older").await;

    // the body of an error
    ada.open("/integrations/logs/all?status=error&message=failed").await;
    ada.click_on(".log-message a").await;
    for words in ["What happened", "Why", "What to do", "Log body", "Endpoint", "cdc", "intuit_tid"] {
        ada.see(words).await;
    }
    ada.click("Raw").await;
    let raw = ada.ask("return document.querySelector('.fold pre').innerText").await;
    assert!(raw.as_str().is_some_and(|raw| raw.contains('{') && !raw.to_lowercase().contains("bearer ")), "{raw}");
    ada.leave().await;
}

/// Total logs, Errors, Milestones of a company's card; it also tells its last activity.
async fn card(person: &Person, company: &str) -> [u64; 3] {
    let cards = person
        .ask(
            "return [...document.querySelectorAll('.log-card')].map((card) => [card.querySelector('.log-card-name').textContent,
                 [...card.querySelectorAll('.stat')].map((stat) => [stat.querySelector('span').textContent, Number(stat.querySelector('b').textContent)]),
                 card.querySelector('.log-card-foot').textContent]);",
        )
        .await;
    type Card = (String, Vec<(String, u64)>, String);
    let cards: Vec<Card> = serde_json::from_value(cards).expect("cards have a name and numbers");
    let (_, stats, foot) = cards.iter().find(|(name, ..)| name == company).unwrap_or_else(|| panic!("no card of {company}: {cards:?}"));
    let names: Vec<&str> = stats.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Total logs", "Errors", "Milestones"]);
    assert!(foot.starts_with("Last activity") && (foot.contains("ago") || foot.contains("just now")), "{foot}");
    [stats[0].1, stats[1].1, stats[2].1]
}
