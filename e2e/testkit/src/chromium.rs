//! Chromium without a window, driven over the WebDriver protocol.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::free_port;
use crate::guarded::{Guarded, Order};
use crate::packages::{find_or_install, try_find_or_install};

/// No window, no calls to the maker's services, and nothing that a container refuses.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    // without a graphics card a turning spinner costs half a core
    "--force-prefers-reduced-motion",
];

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running chromedriver. It and its browsers end when the value is dropped, and when the test process ends in whatever way.
pub struct Chromium {
    port: u16,
    browser: PathBuf,
    shell: Option<PathBuf>,
    folder: PathBuf,
    profiles: AtomicU32,
    _driver: Guarded,
}

/// Starts a chromedriver of its own, on a free port.
pub fn chromium() -> Chromium {
    let browser = find_or_install("chromium", &[], "chromium chromium-driver");
    let driver = find_or_install("chromedriver", &["/usr/lib/chromium".into()], "chromium chromium-driver");
    let folder = tempfile::Builder::new().prefix("tieout-chromium-").tempdir().expect("a temporary folder can be made").keep();
    let shell = shell(&driver, &folder);
    let port = free_port();
    let log = folder.join("log");
    let output = File::create(&log).expect("the folder of the browser can be written to");
    let arguments = vec![OsString::from(format!("--port={port}"))];
    let order = Order { program: &driver, arguments, user: None, end_signal: "TERM", folder: Some(folder.clone()) };
    let mut driver = Guarded::start(order, |command| {
        let errors = output.try_clone().expect("a file can be opened twice");
        // Chromium looks for its settings in the home folder; tests must not meet the developer's.
        command.env("HOME", &folder).env("XDG_CONFIG_HOME", folder.join("config")).current_dir(&folder).stdout(output).stderr(errors);
    });
    let began = Instant::now();
    while !ready(port) {
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        assert!(driver.ended().is_none(), "chromedriver ended at once; it said:\n{}", said());
        assert!(began.elapsed() < READY_WITHIN, "chromedriver did not answer within {} s; it said:\n{}", READY_WITHIN.as_secs(), said());
        std::thread::sleep(Duration::from_millis(20));
    }
    Chromium { port, browser, shell, folder, profiles: AtomicU32::new(0), _driver: driver }
}

/// The same browser without its window's own pages and extensions, which takes a third less time; `None` where it cannot be had, or is of another
/// version than its driver.
fn shell(driver: &Path, folder: &Path) -> Option<PathBuf> {
    let name = "chromium-headless-shell";
    let found = try_find_or_install(name, &[], name).ok()?;
    // what Debian puts into `PATH` is a script that stays between the browser and the driver that ends it
    let program = Some(Path::new("/usr/lib/chromium").join(name)).filter(|program| program.is_file()).unwrap_or(found);
    let version = |program: &Path| {
        let said = Command::new(program).arg("--version").output().ok()?;
        let said = String::from_utf8(said.stdout).ok()?;
        said.split_whitespace().nth(1)?.split('.').next().map(str::to_owned)
    };
    if version(&program)? != version(driver)? {
        return None;
    }
    // chromedriver looks for a page, and the shell opens none of its own accord
    let opener = folder.join("chromium");
    std::fs::write(&opener, format!("#!/bin/sh\nexec '{}' \"$@\" data:,\n", program.display())).ok()?;
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).ok()?;
    Some(opener)
}

impl Chromium {
    /// Where the WebDriver protocol is spoken.
    pub fn driver_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The browser's file, for the capability `goog:chromeOptions.binary`.
    pub fn browser(&self) -> &Path {
        &self.browser
    }

    /// The same for a browser that only has to show pages.
    pub fn small_browser(&self) -> &Path {
        self.shell.as_deref().unwrap_or(&self.browser)
    }

    /// The browser's arguments, for the capability `goog:chromeOptions.args`; each call is for one browser and names a new profile.
    pub fn arguments(&self) -> Vec<String> {
        let profile = self.folder.join(format!("profile-{}", self.profiles.fetch_add(1, Ordering::Relaxed)));
        ARGUMENTS.iter().map(|argument| (*argument).to_owned()).chain([format!("--user-data-dir={}", profile.display())]).collect()
    }
}

/// Asks `GET /status` (W3C WebDriver, section "Status").
fn ready(port: u16) -> bool {
    request(port, "GET", "/status", "").is_ok_and(|answer| answer.contains("\"ready\":true"))
}

fn request(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(READY_WITHIN))?;
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")?;
    // Chromedriver keeps the connection open, so the end of the answer is where its length says.
    let mut answer = String::new();
    let mut reader = BufReader::new(stream);
    let mut size_bytes = 0;
    while reader.read_line(&mut answer)? > 2 {
        let header = answer.lines().next_back().unwrap_or_default().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            size_bytes = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    reader.take(size_bytes).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A browser is a crowd of processes that chromedriver starts; the folder in their arguments tells whose they are.
    fn processes_of(folder: &Path) -> usize {
        let processes = std::fs::read_dir("/proc").expect("Linux lists its processes").flatten();
        let command_lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        command_lines.filter(|line| String::from_utf8_lossy(line).contains(&*folder.to_string_lossy())).count()
    }

    #[test]
    fn a_page_opens_and_no_browser_stays_behind() {
        let chromium = chromium();
        for browser in [chromium.browser(), chromium.small_browser()] {
            open(&chromium, browser);
        }
        let folder = chromium.folder.clone();
        assert_ne!(processes_of(&folder), 0);
        drop(chromium);
        let began = Instant::now();
        while processes_of(&folder) > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "{} processes are still there", processes_of(&folder));
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(!folder.exists());
    }

    fn open(chromium: &Chromium, browser: &Path) {
        let arguments = chromium.arguments().iter().map(|argument| format!("{argument:?}")).collect::<Vec<_>>().join(",");
        let wanted = format!(
            r#"{{"capabilities":{{"alwaysMatch":{{"browserName":"chrome","goog:chromeOptions":{{"binary":{:?},"args":[{arguments}]}}}}}}}}"#,
            browser
        );
        let session = request(chromium.port, "POST", "/session", &wanted).expect("chromedriver answers");
        let id = session.split("\"sessionId\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let id = id.unwrap_or_else(|| panic!("no session: {session}")).to_owned();
        let go = r#"{"url":"data:text/html,<title>Books</title>"}"#;
        request(chromium.port, "POST", &format!("/session/{id}/url"), go).expect("chromedriver answers");
        let title = request(chromium.port, "GET", &format!("/session/{id}/title"), "").expect("chromedriver answers");
        assert!(title.contains(r#"{"value":"Books"}"#), "{title}");
    }
}
