//! A person with a browser, as far as the benchmark needs one: cookies, forms, redirects, over a connection of its own for every request.
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use url::Url;

#[derive(Clone, Default)]
pub struct Visitor {
    cookies: BTreeMap<String, String>,
}

/// An answer, and how long it took from the first byte sent to the last byte received.
pub struct Answer {
    pub status: u16,
    pub location: Option<Url>,
    pub body: String,
    pub took: Duration,
}

impl Visitor {
    pub fn get(&mut self, address: &Url) -> Answer {
        self.request("GET", address, "")
    }

    pub fn post(&mut self, address: &Url, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.request("POST", address, &body)
    }

    /// Follows redirects by GET and returns where they lead.
    pub fn follow(&mut self, mut answer: Answer) -> (Url, Answer) {
        let mut last = None;
        for _ in 0..10 {
            let Some(location) = answer.location.take() else { break };
            answer = self.get(&location);
            last = Some(location);
        }
        (last.unwrap_or_else(|| panic!("no redirect but {}: {}", answer.status, answer.body)), answer)
    }

    fn request(&mut self, method: &str, address: &Url, body: &str) -> Answer {
        let host = format!("{}:{}", address.host_str().expect("addresses have a host"), address.port_or_known_default().expect("http has a port"));
        let path = &address[url::Position::BeforePath..url::Position::AfterQuery];
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n");
        if !cookies.is_empty() {
            text.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        if method == "POST" {
            let origin = address.origin().ascii_serialization();
            text.push_str(&format!("Origin: {origin}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len()));
        }
        text.push_str(&format!("\r\n{body}"));
        let answer = (|| -> std::io::Result<(Vec<u8>, Duration)> {
            let mut stream = TcpStream::connect(("127.0.0.1", address.port_or_known_default().unwrap_or(80)))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            let began = Instant::now();
            stream.write_all(text.as_bytes())?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            Ok((bytes, began.elapsed()))
        })();
        let (bytes, took) = answer.unwrap_or_else(|error| panic!("{method} {address}: {error}"));
        self.read(address, &String::from_utf8_lossy(&bytes), took)
    }

    fn read(&mut self, address: &Url, text: &str, took: Duration) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut location = None;
        for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(':')) {
            match name.to_ascii_lowercase().as_str() {
                "location" => location = address.join(value.trim()).ok(),
                "set-cookie" => {
                    let pair = value.split(';').next().unwrap_or_default();
                    if let Some((name, value)) = pair.split_once('=') {
                        self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
                    }
                }
                _ => {}
            }
        }
        // the pieces of a chunked body stay as they are: texts are only searched for
        Answer { status, location, body: body.to_owned(), took }
    }
}
