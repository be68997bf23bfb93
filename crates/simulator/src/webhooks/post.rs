//! One HTTP request, written by hand: the sandbox needs no more of a client than this.
use std::fmt::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Where to post: `http` only, as a server under test listens on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    pub fn read(text: &str) -> Option<Address> {
        Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.has_host()).map(Address)
    }
    pub fn text(&self) -> &str {
        self.0.as_str()
    }
}

/// The status of the answer; `None`: none came in time.
pub async fn post(address: &Address, headers: &[(&str, &str)], body: &str, limit: Duration) -> Option<u16> {
    tokio::time::timeout(limit, exchange(&address.0, headers, body)).await.ok()?.ok()?
}

async fn exchange(url: &Url, headers: &[(&str, &str)], body: &str) -> std::io::Result<Option<u16>> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().unwrap_or(80);
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let mut head = String::new();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    write!(head, "POST {}{query} HTTP/1.1\r\nhost: {host}:{port}\r\n", url.path()).expect("writing to a string");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("writing to a string");
    }
    write!(head, "content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len()).expect("writing to a string");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    // The status line is all that matters.
    while answer.len() < 12 {
        let mut part = [0u8; 512];
        let count = stream.read(&mut part).await?;
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&part[..count]);
    }
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split(' ').nth(1).and_then(|word| word.get(..3)).and_then(|status| status.parse().ok()))
}
