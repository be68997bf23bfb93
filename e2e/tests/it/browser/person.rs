//! A person at a browser: opens pages, reads them, clicks, types, and takes note of what the browser complains about.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Chromium, chromium};
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::prelude::*;

use super::site::{EMAIL, PASSWORD};

pub const SOON: Duration = Duration::from_secs(20);
/// A first sync on a busy machine.
pub const SYNCED_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A page that is left is gone by then, or stays.
const LEFT_WITHIN: Duration = Duration::from_secs(5);
/// Notes, as the last of all that listen, that a link or a form leads away from this document.
const NOTES_LEAVING: &str = "if (window.leaving !== undefined) return;
    window.leaving = false;
    const page = (address) => address.split('#')[0];
    addEventListener('submit', (event) => {
        const [form, by] = [event.target, event.submitter];
        if (!event.defaultPrevented && form.method !== 'dialog' && !(by?.formTarget || form.target)) window.leaving = true;
    });
    addEventListener('click', (event) => {
        const link = event.target.closest?.('a[href]');
        if (link && !event.defaultPrevented && !link.target && !link.hasAttribute('download') && page(link.href) !== page(location.href)) window.leaving = true;
    });";

/// The one chromedriver of this test process; each person has a browser of their own.
fn driver() -> &'static Chromium {
    static DRIVER: OnceLock<Chromium> = OnceLock::new();
    DRIVER.get_or_init(chromium)
}

pub struct Person {
    pub browser: WebDriver,
    url: String,
    /// For the commands of the DevTools Protocol; making one takes as long as many commands.
    client: reqwest::Client,
}

/// How a browser differs from the usual one.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    pub without_scripts: bool,
    /// CSS pixels of the window; `None` is a desktop.
    pub size: Option<(u32, u32)>,
    /// Keeps a log of every request, which costs the browser as much as some pages do.
    pub notes_requests: bool,
}

/// One row of the Data Feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub company: String,
    pub provider: String,
    pub account: String,
    pub status: String,
    pub tie_out: String,
    pub last_synced: String,
}

impl Person {
    pub async fn arrive(url: &str) -> Person {
        Person::arrive_with(url, Habits::default()).await
    }

    pub async fn arrive_with(url: &str, habits: Habits) -> Person {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut arguments = driver().arguments();
        let (width, height) = habits.size.unwrap_or((1440, 900));
        arguments.push(format!("--window-size={width},{height}"));
        arguments.push("--lang=en-US".to_owned());
        // only the whole browser has the preference that keeps scripts from running
        let browser = if habits.without_scripts { driver().browser() } else { driver().small_browser() };
        let mut options = json!({"binary": browser, "args": arguments});
        if habits.without_scripts {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let mut wanted = ChromeCapabilities::new();
        wanted.as_mut().set("goog:chromeOptions", options).expect("options are JSON");
        let mut logs = json!({"browser": "ALL"});
        if habits.notes_requests {
            logs["performance"] = json!("ALL");
        }
        wanted.as_mut().set("goog:loggingPrefs", logs).expect("preferences are JSON");
        let browser = WebDriver::new(driver().driver_url(), wanted).await.expect("chromedriver opens a browser");
        let person = Person { browser, url: url.to_owned(), client: reqwest::Client::new() };
        if let Some((width, height)) = habits.size {
            person.resize(width, height).await;
        }
        person
    }

    /// Makes the page as wide as a window of this size, phones included: a window of Chromium itself is never narrower than 500 pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Sends one command of the Chrome DevTools Protocol through chromedriver (`POST /session/{id}/goog/cdp/execute`).
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let address = format!("{}/session/{}/goog/cdp/execute", driver().driver_url(), self.browser.session_id());
        let body = json!({"cmd": command, "params": parameters}).to_string();
        let answer = self.client.post(address).body(body).send().await.expect("chromedriver answers");
        let text = answer.text().await.expect("chromedriver answers with text");
        let answer: Value = serde_json::from_str(&text).expect("chromedriver answers with JSON");
        assert!(answer["value"].get("error").is_none(), "{command} failed: {text}");
        answer["value"].clone()
    }

    /// Closes the browser; it must have had nothing to complain about: no failed script, no blocked style, no missing file.
    pub async fn leave(self) {
        let complaints = self.complaints().await;
        self.browser.quit().await.expect("the browser closes");
        assert!(complaints.is_empty(), "the browser's console holds:\n{}", complaints.join("\n"));
    }

    /// Warnings and errors of the console since the last call. The sandbox's consent pages have no icon; that is not ours.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.browser.browser_log().await.expect("chromedriver keeps the console's log");
        let entries = entries.into_iter().map(|entry| format!("{entry:?}"));
        let ours = |entry: &String| !entry.contains("/favicon.ico") || entry.contains(&self.url);
        entries.filter(|entry| ours(entry) && ["\"SEVERE\"", "\"WARNING\""].iter().any(|level| entry.contains(level))).collect()
    }

    pub async fn goto(&self, address: &str) {
        self.browser.goto(address).await.unwrap_or_else(|error| panic!("{address} does not open: {error}"));
    }

    /// Opens a page of the site.
    pub async fn open(&self, path: &str) {
        self.goto(&format!("{}{path}", self.url)).await;
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        let address = self.browser.current_url().await.expect("a browser has an address");
        address.as_str().strip_prefix(&self.url).unwrap_or(address.as_str()).to_owned()
    }

    /// What can be read on the page. The browser's own answer: WebDriver's walks over every element with a script, and this is asked ten times a second.
    pub async fn text(&self) -> String {
        self.read("body").await
    }

    async fn read(&self, selector: &str) -> String {
        let script = format!("return document.querySelector('{selector}')?.innerText ?? ''");
        let answer = self.browser.execute(script, Vec::new()).await;
        answer.ok().and_then(|answer| answer.json().as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the page says this.
    pub async fn see(&self, words: &str) {
        self.see_within(words, SOON).await;
    }

    pub async fn see_within(&self, words: &str, within: Duration) {
        let wanted = squeezed(words);
        let deadline = Instant::now() + within;
        loop {
            let text = self.text().await;
            if squeezed(&text).contains(&wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "`{words}` is not on {} after {} s; it says:\n{text}", self.path().await, within.as_secs());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub async fn does_not_see(&self, words: &str) {
        let text = self.text().await;
        assert!(!squeezed(&text).contains(&squeezed(words)), "`{words}` is on {}:\n{text}", self.path().await);
    }

    /// Waits until the page says this no more.
    pub async fn no_longer_sees(&self, words: &str) {
        let wanted = squeezed(words);
        let deadline = Instant::now() + SOON;
        while squeezed(&self.text().await).contains(&wanted) {
            assert!(Instant::now() < deadline, "`{words}` is still on {}", self.path().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the field of this name has the focus by itself.
    pub async fn focuses(&self, name: &str) {
        let deadline = Instant::now() + SOON;
        while self.ask("return document.activeElement?.name ?? null").await != json!(name) {
            assert!(Instant::now() < deadline, "`{name}` has not the focus on {}", self.path().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for an address with this in it.
    pub async fn see_path(&self, part: &str) {
        let deadline = Instant::now() + SOON;
        while !self.path().await.contains(part) {
            assert!(Instant::now() < deadline, "`{part}` is not in {}", self.path().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for a page with this heading.
    pub async fn see_title(&self, title: &str) {
        let deadline = Instant::now() + SOON;
        loop {
            let heading = self.read("h1").await;
            if squeezed(&heading) == title {
                return;
            }
            assert!(Instant::now() < deadline, "{} has the heading `{heading}`, not `{title}`:\n{}", self.path().await, self.text().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Clicks the link or button that is called so.
    pub async fn click(&self, name: &str) {
        let quoted = format!("\"{name}\"");
        let path = format!("//*[self::a or self::button or self::summary][normalize-space(.)={quoted} or @aria-label={quoted}]");
        self.click_by(By::XPath(path), name).await;
    }

    /// Clicks the first visible element of a selector.
    pub async fn click_on(&self, selector: &str) {
        self.click_by(By::Css(selector.to_owned()), selector).await;
    }

    /// What is found can be replaced by a live update before it is clicked; then it is looked for again. A click that leads to another page has led there
    /// when this returns: chromedriver by itself answers before a form is on its way, and what is done next would be done to the page that was.
    async fn click_by(&self, by: By, name: &str) {
        let deadline = Instant::now() + SOON;
        let mut trouble = "there is none".to_owned();
        loop {
            for element in self.browser.find_all(by.clone()).await.unwrap_or_default() {
                if !element.is_displayed().await.unwrap_or(false) {
                    continue;
                }
                let _ = self.browser.execute(NOTES_LEAVING, Vec::new()).await;
                match element.click().await {
                    Ok(()) => return self.arrive_elsewhere().await,
                    Err(error) => trouble = error.to_string(),
                }
            }
            assert!(Instant::now() < deadline, "`{name}` cannot be clicked on {}: {trouble}\n{}", self.path().await, self.text().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for the next page, if the last click leads to one; a file that is saved, or a new tab, leaves the page where it is.
    async fn arrive_elsewhere(&self) {
        let deadline = Instant::now() + LEFT_WITHIN;
        loop {
            let leaving = self.browser.execute("return window.leaving === true", Vec::new()).await;
            if leaving.is_ok_and(|answer| answer.json() != &Value::Bool(true)) || Instant::now() > deadline {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types into the field of this name, in place of what it holds.
    pub async fn fill(&self, name: &str, text: &str) {
        let deadline = Instant::now() + SOON;
        let field = loop {
            match self.browser.find(By::Css(format!("[name=\"{name}\"]"))).await {
                Ok(field) => break field,
                Err(_) => assert!(Instant::now() < deadline, "there is no field `{name}` on {}:\n{}", self.path().await, self.text().await),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        field.clear().await.expect("a field can be emptied");
        field.send_keys(text).await.expect("a field can be typed into");
    }

    /// Evaluates a script's `return …`.
    pub async fn ask(&self, script: &str) -> Value {
        let answer = self.browser.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("`{script}` failed: {error}"));
        answer.json().clone()
    }

    /// Marks this document: a reload or a visit to another page loses the mark.
    pub async fn mark_document(&self) {
        self.ask("window.sameDocument = true; return true").await;
    }

    pub async fn assert_same_document(&self) {
        assert_eq!(self.ask("return window.sameDocument === true").await, Value::Bool(true), "the page was loaded again");
    }

    /// The head and the rows of the first table, as they can be read.
    pub async fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let read = self
            .ask(
                "const cells = (row) => [...row.children].map((cell) => cell.innerText.trim());
                 const table = document.querySelector('main table');
                 if (!table) return [[], []];
                 return [[...table.tHead.rows[0].children].map((cell) => cell.textContent.trim()), [...table.tBodies[0].rows].map(cells)];",
            )
            .await;
        serde_json::from_value(read).expect("a table is lists of texts")
    }

    /// The numbers in the bars below a selector, by what stands below each.
    pub async fn stats(&self, selector: &str) -> BTreeMap<String, u64> {
        let script = format!(
            "return [...document.querySelectorAll(\"{selector} .stats-bar .stat\")].map((stat) => [stat.querySelector('span').textContent, \
             Number(stat.querySelector('b').textContent)])"
        );
        let read: Vec<(String, u64)> = serde_json::from_value(self.ask(&script).await).expect("a number and its name");
        read.into_iter().collect()
    }

    /// The rows of the Data Feed. Their menus are closed, so they are not read.
    pub async fn feed(&self) -> Vec<Row> {
        let read = self
            .ask(
                "return [...document.querySelectorAll('table.feed tbody tr')].map((row) => {
                     const cell = (name) => row.querySelector(`[data-label='${name}']`)?.innerText.trim() ?? '';
                     const company = row.querySelector('td.name');
                     return [company.querySelector('a').innerText, company.querySelector('small').innerText, cell('External account'), cell('Status'),
                         cell('Tie-out'), cell('Last Synced')];
                 });",
            )
            .await;
        let rows: Vec<[String; 6]> = serde_json::from_value(read).expect("a row is texts");
        let row = |[company, provider, account, status, tie_out, last_synced]: [String; 6]| Row {
            company,
            provider,
            account,
            status,
            tie_out,
            last_synced,
        };
        rows.into_iter().map(row).collect()
    }

    /// Watches the Data Feed until it has rows and is `done`, and returns every row it showed on the way, in order, without repetitions.
    pub async fn watch_feed(&self, within: Duration, what: &str, done: impl Fn(&[Row]) -> bool) -> Vec<Row> {
        let deadline = Instant::now() + within;
        let mut seen: Vec<Row> = Vec::new();
        loop {
            let rows = self.feed().await;
            for row in &rows {
                if !seen.contains(row) {
                    seen.push(row.clone());
                }
            }
            if !rows.is_empty() && done(&rows) {
                return seen;
            }
            assert!(Instant::now() < deadline, "the Data Feed does not show {what} after {} s: {rows:#?}", within.as_secs());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits on the Data Feed until so many companies are **Synced** and *Verified*.
    pub async fn watch_until_verified(&self, companies: usize) -> Vec<Row> {
        let verified = |row: &Row| row.is("Synced") && row.tie_out == "Verified";
        self.watch_feed(SYNCED_WITHIN, "every company Synced and Verified", |rows| rows.len() == companies && rows.iter().all(verified)).await
    }

    /// Opens a page that asks to sign in, and signs in as the Owner.
    pub async fn sign_in_at(&self, path: &str) {
        self.open(path).await;
        self.sign_in().await;
    }

    /// Signs in as the Owner on the page that asks for it.
    pub async fn sign_in(&self) {
        self.fill("email", EMAIL).await;
        self.fill("password", PASSWORD).await;
        self.click("Sign in").await;
    }

    /// Connects QuickBooks from **Integrations** and imports the company; ends on the Data Feed.
    pub async fn import_quickbooks(&self) {
        self.open("/integrations").await;
        self.click("Connect QuickBooks Online").await;
        self.see("Connect an app to QuickBooks").await;
        self.click("Connect").await;
        self.see_title("Account Connected").await;
        self.click("Import All Companies").await;
        self.see_title("Data Feed").await;
    }

    /// The address of the first company's page, from the Data Feed.
    pub async fn company_path(&self) -> String {
        self.open("/integrations/data-feed").await;
        let path = self.ask("return document.querySelector('table.feed td.name a').getAttribute('href')").await;
        path.as_str().expect("an address is a text").to_owned()
    }

    /// The address of the page of a company, from the Data Feed.
    pub async fn company_path_of(&self, name: &str) -> String {
        self.open("/integrations/data-feed").await;
        let script = "return [...document.querySelectorAll('table.feed td.name a')].find((a) => a.innerText.trim() === NAME).getAttribute('href')";
        let path = self.ask(&script.replace("NAME", &json!(name).to_string())).await;
        path.as_str().expect("an address is a text").to_owned()
    }

    /// Clicks the first visible element of a selector that reads so.
    pub async fn click_by_text(&self, selector: &str, text: &str) {
        let script = "const found = [...document.querySelectorAll(SELECTOR)].findIndex((node) => node.innerText.trim() === TEXT); return found;";
        let at = self.ask(&script.replace("SELECTOR", &json!(selector).to_string()).replace("TEXT", &json!(text).to_string())).await;
        let at = usize::try_from(at.as_i64().unwrap_or(-1)).unwrap_or_else(|_| panic!("no `{selector}` reads `{text}`"));
        let elements = self.browser.find_all(By::Css(selector.to_owned())).await.expect("it was there");
        elements[at].click().await.unwrap_or_else(|error| panic!("`{text}` cannot be clicked: {error}"));
    }

    /// Chooses another role for somebody on the page of members.
    pub async fn choose_role(&self, name: &str, role: &str) {
        let path = format!("//tr[.//bdi[normalize-space(.)=\"{name}\"]]//option[@value=\"{role}\"]");
        self.click_by(By::XPath(path), role).await;
    }

    /// **Resync** in the row menu of the first company of the Data Feed.
    pub async fn resync_first_row(&self) {
        self.click_on("table.feed tbody tr:first-child .actions-cell button[popovertarget]").await;
        self.click("Resync").await;
    }

    /// Opens the log of a company by its card.
    pub async fn click_on_card(&self, company: &str) {
        let path = format!("//a[contains(@class, 'log-card')][.//b[normalize-space(.)=\"{company}\"]]");
        self.click_by(By::XPath(path), company).await;
    }

    /// Clicks a button of the consent page and returns the address the provider sent the browser to, as the browser's log of requests has it
    /// (`Habits::notes_requests`).
    pub async fn callback_after(&self, button: &str) -> String {
        let expected = format!("{}/oauth/", self.url);
        self.devtools("Network.enable", json!({})).await;
        self.click(button).await;
        self.see_title("Account Connected").await;
        let entries = self.browser.get_log("performance").await.expect("chromedriver keeps a log of requests");
        let entries = entries.into_iter().map(|entry| format!("{entry:?}")).filter(|entry| entry.contains(&expected));
        let callback = entries.filter_map(|entry| {
            let rest = &entry[entry.find(&expected)?..];
            Some(rest[..rest.find(['"', '\\']).unwrap_or(rest.len())].to_owned())
        });
        callback.into_iter().find(|address| address.contains("code=")).expect("the browser was sent to the callback")
    }

    /// Opens a page again and again until it says this: for a browser without scripts.
    pub async fn reopen_until(&self, path: &str, words: &str, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            self.open(path).await;
            let text = self.text().await;
            if squeezed(&text).contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "`{words}` is not on {path} after {} s; it says:\n{text}", within.as_secs());
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// When the newest entry of the log that fits this query was written, in milliseconds since 1970: the file of the log has it so exactly.
    pub async fn written_at(&self, query: &str) -> i64 {
        let export = format!("return fetch('/integrations/logs/all/export?format=jsonl&{query}').then((answer) => answer.text())");
        let lines = self.ask(&export).await;
        let newest = lines.as_str().and_then(|lines| lines.lines().next()).unwrap_or_else(|| panic!("no entry fits {query}"));
        let newest: Value = serde_json::from_str(newest).expect("JSON lines");
        let written: jiff::Timestamp = newest["date"].as_str().expect("a date is a text").parse().expect("a date is an instant");
        written.as_millisecond()
    }

    /// Lets this page note when it first says this, in milliseconds since 1970: the driver that reads it takes its time.
    pub async fn note_when(&self, words: &str) {
        let look = "const look = () => { if (document.body.innerText.includes(WORDS)) window.saidAt = Date.now(); else setTimeout(look, 20); }; look(); return true";
        self.ask(&look.replace("WORDS", &json!(words).to_string())).await;
    }

    /// When it did, as `note_when` noted it.
    pub async fn said_at(&self) -> i64 {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(at) = self.ask("return window.saidAt ?? null").await.as_i64() {
                return at;
            }
            assert!(Instant::now() < deadline, "{} does not say what is waited for:\n{}", self.path().await, self.text().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Lets every page from now on note when something is clicked and when it first says what is waited for: as the person sees it, without the time of
    /// the driver that clicks and reads.
    pub async fn take_time(&self) {
        let watch = "addEventListener('click', (event) => { if (event.isTrusted) sessionStorage.setItem('clicked', Date.now()); }, true);
            const look = () => {
                const words = sessionStorage.getItem('words'), clicked = sessionStorage.getItem('clicked');
                if (words && clicked && document.body?.innerText.replace(/\\s+/g, ' ').includes(words)) {
                    sessionStorage.setItem('took', Date.now() - clicked);
                    sessionStorage.removeItem('words');
                }
                setTimeout(look, 10);
            };
            look();";
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": watch})).await;
        self.browser.refresh().await.expect("a page can be loaded again");
    }

    /// Forgets the last click; what is watched for are these words, which the page does not say yet.
    pub async fn watch_for(&self, words: &str) {
        self.does_not_see(words).await;
        let words = json!(words);
        self.ask(&format!("sessionStorage.clear(); sessionStorage.setItem('words', {words}); return true")).await;
    }

    /// How long it took from the click until the page said what is waited for.
    pub async fn took(&self) -> Duration {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(ms) = self.ask("return sessionStorage.getItem('took')").await.as_str() {
                return Duration::from_millis(ms.parse().expect("a time is a number"));
            }
            assert!(Instant::now() < deadline, "{} does not say what is waited for:\n{}", self.path().await, self.text().await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Types keys to whatever has the focus.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        self.browser.action_chain().send_keys(keys).perform().await.expect("keys can be pressed");
    }

    /// What has the focus, by its name.
    pub async fn focused(&self) -> String {
        let name = self.ask("const it = document.activeElement; return it.getAttribute('aria-label') ?? it.innerText ?? it.name ?? ''").await;
        squeezed(name.as_str().unwrap_or_default())
    }

    pub async fn screenshot(&self, path: &std::path::Path) {
        let picture = self.browser.screenshot_as_png().await.expect("a page can be drawn");
        std::fs::write(path, picture).unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    }
}

impl Row {
    /// Whether the status begins with this word; a reason, a step or a button may follow.
    pub fn is(&self, word: &str) -> bool {
        self.status.lines().next().is_some_and(|line| line.trim() == word || line.trim().starts_with(&format!("{word} ")))
    }
}

pub fn numbers(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
}

pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
