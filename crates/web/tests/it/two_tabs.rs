//! The same form in two tabs: what the second would undo unseen is shown to it first, and nothing that was typed is lost.
use crate::mapping::books;
use crate::sample::Sample;
use axum::http::StatusCode;
use testkit::each_database;

/// What a form says it was drawn from.
fn seen(page: &str, action: &str) -> String {
    let form = page.split(&format!("action=\"{action}")).skip(1).find(|rest| rest.contains("name=\"seen\"")).expect("a form that says what it saw");
    let value = form.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(value.len(), 32, "{value}");
    value.to_owned()
}

struct Case {
    page: String,
    action: String,
    first: String,
    second: String,
    /// What the second tab is told of the first, and what it still shows of its own.
    now: &'static str,
    typed: &'static str,
    /// What the page shows once the first, and then the second, is saved.
    saved: [&'static str; 2],
}

// reliability.md 5.4, row 43
#[tokio::test]
async fn a_form_that_was_saved_in_another_tab_meanwhile_says_what_is_there_now_and_keeps_what_was_typed() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let case = |page: &str, action: &str, first: &str, second: &str, now, typed, saved| Case {
            page: page.to_owned(),
            action: action.to_owned(),
            first: first.to_owned(),
            second: second.to_owned(),
            now,
            typed,
            saved,
        };
        let schedule = format!("/integrations/data-feed/schedule?company={id}");
        let edit = format!("/companies/{id}/mapping/edit");
        let cases = [
            case(
                &schedule,
                "/integrations/data-feed/schedule",
                &format!("company={id}&interval=30&target=own&freshness=2"),
                &format!("company={id}&interval=45&target=&freshness=77"),
                "30 minutes",
                "name=\"freshness\" inputmode=\"numeric\" value=\"77\"",
                ["name=\"interval\" inputmode=\"numeric\" value=\"30\"", "name=\"interval\" inputmode=\"numeric\" value=\"45\""],
            ),
            case(
                &schedule,
                "/integrations/data-feed/freshness",
                &format!("company={id}&organization_hours=48"),
                &format!("company={id}&organization_hours=72"),
                "48 hours",
                "inputmode=\"numeric\" value=\"72\"",
                ["As the organization says: 48 hours", "As the organization says: 72 hours"],
            ),
            case(
                "/organization/settings",
                "/organization/settings",
                "name=Birch+%3Cand%3E+Daughters",
                "name=Birch+and+Sons",
                "Birch &#60;and&#62; Daughters",
                "value=\"Birch and Sons\"",
                ["value=\"Birch &#60;and&#62; Daughters\"", "value=\"Birch and Sons\""],
            ),
            case(
                "/integrations/logs/settings",
                "/integrations/logs/settings",
                "days=300",
                "days=200",
                "300 days",
                "value=\"200\"",
                ["value=\"300\"", "value=\"200\""],
            ),
            case(
                "/notifications/settings",
                "/notifications/settings",
                "app_stale=1&quiet_from=22:00&quiet_until=07:00",
                "mail_stale=1&quiet_from=23:15&quiet_until=06:00",
                "22:00 until 07:00",
                "aria-label=\"Stale: e-mail\" checked",
                ["value=\"22:00\"", "value=\"23:15\""],
            ),
            case(
                "/notifications/settings",
                "/notifications/webhook",
                "action=save&url=https%3A%2F%2Fhooks.example.com%2Fa&chat_stale=1",
                "action=save&url=https%3A%2F%2Fhooks.example.org%2Fb&chat_not_verified=1",
                "hooks.example.com",
                "value=\"https://hooks.example.org/b\"",
                ["<b>hooks.example.com</b>", "<b>hooks.example.org</b>"],
            ),
            case(
                &format!("{edit}?account=odd&category=rent"),
                &edit,
                "account=odd&category=rent&note=the+first",
                "account=odd&category=donations&note=the+second",
                "<b>Rent and leases</b>",
                "value=\"the second\"",
                ["chose “Rent and leases”", "chose “Charitable contributions”"],
            ),
        ];
        for Case { page, action, first, second, now, typed, saved } in cases {
            let drawn = seen(&sample.page(&page).await, &action);
            let one = sample.post(&action, &format!("{first}&seen={drawn}")).await;
            assert_eq!(one.status, StatusCode::SEE_OTHER, "{action}: {}", one.body);
            // a button that is pressed twice is no other tab
            let twice = sample.post(&action, &format!("{first}&seen={drawn}")).await;
            assert_eq!(twice.status, StatusCode::SEE_OTHER, "{action}, pressed twice: {}", twice.body);
            assert!(sample.page(&page).await.contains(saved[0]), "{action} does not show `{}`", saved[0]);
            let two = sample.post(&action, &format!("{second}&seen={drawn}")).await;
            assert_eq!(two.status, StatusCode::CONFLICT, "{action}: {}", two.body);
            for words in ["Changed meanwhile.", "role=\"alert\"", now, typed] {
                assert!(two.body.contains(words), "{action}: `{words}` is not in {}", two.body);
            }
            assert!(sample.page(&page).await.contains(saved[0]), "{action}: the second was saved unseen");
            // whoever has read it saves again, by the form that was shown
            let again = sample.post(&action, &format!("{second}&seen={}", seen(&two.body, &action))).await;
            assert_eq!(again.status, StatusCode::SEE_OTHER, "{action}: {}", again.body);
            let page = sample.page(&page).await;
            assert!(page.contains(saved[1]), "{action} does not show `{}` in {page}", saved[1]);
        }
        // of a mapping both stand in its history
        let history = sample.page(&format!("/companies/{id}/mapping/history")).await;
        assert!(history.contains("the first") && history.contains("the second"), "{history}");
    })
    .await;
}

// reliability.md 5.4, row 43: other accounts of the same mapping are no reason to ask, and at the same moment one of two is first
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_decisions_at_the_same_moment_one_is_asked_again_and_other_accounts_are_no_reason_to_ask() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let edit = format!("/companies/{id}/mapping/edit");
        let of_odd = seen(&sample.page(&format!("{edit}?account=odd&category=rent")).await, &edit);
        let of_rent = seen(&sample.page(&format!("{edit}?account=rent&category=rent")).await, &edit);
        let forms = ["rent", "donations"].map(|category| format!("account=odd&category={category}&seen={of_odd}"));
        let (one, two) = tokio::join!(sample.post(&edit, &forms[0]), sample.post(&edit, &forms[1]));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{} {}", one.body, two.body);
        let other = sample.post(&edit, &format!("account=rent&category=donations&seen={of_rent}")).await;
        assert_eq!(other.status, StatusCode::SEE_OTHER, "{}", other.body);
    })
    .await;
}

// reliability.md 5.4, row 43: what is confirmed or taken back is what the table showed
#[tokio::test]
async fn a_category_that_was_chosen_meanwhile_is_neither_confirmed_nor_reverted_unseen() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        let drawn = async || {
            let page = sample.page(&format!("{path}?tab=all")).await;
            let value = page.split("value=\"odd~").nth(1).unwrap_or_else(|| panic!("no row of it in {page}")).split('"').next().unwrap();
            format!("account=odd%7E{value}")
        };
        let before = drawn().await;
        assert_eq!(sample.post(&format!("{path}/edit"), "account=odd&category=rent&note=").await.status, StatusCode::SEE_OTHER);
        let late = sample.post(&format!("{path}/confirm"), &before).await;
        assert!(late.flash.contains("Changed meanwhile: ") && late.flash.contains("now lies in \u{201c}Rent and leases\u{201d}"), "{}", late.flash);
        let shown = drawn().await;
        assert_eq!(shown, "account=odd%7Erent");
        assert_eq!(sample.post(&format!("{path}/edit"), "account=odd&category=donations&note=").await.status, StatusCode::SEE_OTHER);
        let late = sample.post(&format!("{path}/revert"), &shown).await;
        assert!(late.flash.contains("now lies in \u{201c}Charitable contributions\u{201d}. Nothing was changed"), "{}", late.flash);
        assert_eq!(drawn().await, "account=odd%7Edonations");
        // what the table shows is taken back, and a button that is pressed twice is no other tab
        let seen = drawn().await;
        assert!(sample.post(&format!("{path}/revert"), &seen).await.flash.contains("1 account reverted"));
        assert!(sample.post(&format!("{path}/revert"), &seen).await.flash.contains("nothing had to change"));
        // the tick of a row opens the form of its account
        assert!(sample.page(&format!("{path}/edit?{before}")).await.contains("name=\"account\" value=\"odd\""));
    })
    .await;
}

// reliability.md 5.4, row 43
#[tokio::test]
async fn a_role_that_was_given_meanwhile_is_not_taken_back_unseen() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let path = "/organization/members/member/role";
        assert!(sample.page("/organization/members").await.contains("name=\"was\" value=\"member\""));
        assert_eq!(sample.post(path, "role=owner&was=member").await.status, StatusCode::SEE_OTHER);
        let late = sample.post(path, "role=admin&was=member").await;
        assert!(late.flash.contains("Changed meanwhile: Max Member is now an Owner. You chose Admin; nothing was changed."), "{}", late.flash);
        assert!(sample.page("/organization/members").await.contains("name=\"was\" value=\"owner\""));
        assert!(sample.post(path, "role=admin&was=owner").await.flash.contains("is now an Admin"));
    })
    .await;
}
