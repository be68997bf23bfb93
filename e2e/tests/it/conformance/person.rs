//! Who answers a consent page: a stand-in, where the page knows one, or a person who is asked to open it.

use std::time::Duration;

use reqwest::Client;
use reqwest::header::LOCATION;
use testkit::say;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

/// For a person who has to find the window first.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy)]
pub enum Person {
    /// A sandbox decides by itself when its consent page is given `auto`.
    StandIn,
    /// Opens the address that is shown, and decides.
    Asked,
}

impl Person {
    /// Where the browser is sent back to, or nothing where the provider keeps it.
    pub async fn decide(self, client: &Client, mut address: Url, approve: bool, company: &str, redirect_uri: &str) -> Option<Url> {
        match self {
            Person::StandIn => {
                address.query_pairs_mut().append_pair("auto", if approve { "approve" } else { "deny" });
                if !company.is_empty() {
                    address.query_pairs_mut().append_pair("company", company);
                }
                let answer = client.get(address).send().await.expect("the consent page answers");
                let location = answer.headers().get(LOCATION)?.to_str().expect("an address is text");
                location.starts_with(redirect_uri).then(|| Url::parse(location).expect("an address"))
            }
            Person::Asked => {
                let listener = listen(redirect_uri).await;
                say(&format!("Open this address and {}: {address}", if approve { "approve" } else { "refuse" }));
                tokio::time::timeout(PATIENCE, hear(&listener, redirect_uri)).await.ok()
            }
        }
    }
}

async fn listen(redirect_uri: &str) -> TcpListener {
    let address = Url::parse(redirect_uri).expect("the redirect address is one");
    let port = address.port().unwrap_or_else(|| panic!("{redirect_uri} names no port to listen on"));
    TcpListener::bind(("127.0.0.1", port)).await.unwrap_or_else(|error| panic!("{redirect_uri} cannot be listened on: {error}"))
}

/// The first request to the redirect address; others, for an icon, are let go.
async fn hear(listener: &TcpListener, redirect_uri: &str) -> Url {
    let base = Url::parse(redirect_uri).expect("the redirect address is one");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let mut request = vec![0; 16 << 10];
        let length = stream.read(&mut request).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        let body = "Thank you. This window can be closed.";
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).as_bytes()).await;
        let target = text.split(' ').nth(1).and_then(|target| base.join(target).ok());
        if let Some(target) = target.filter(|target| target.path() == base.path() && target.query().is_some()) {
            return target;
        }
    }
}

#[tokio::test]
async fn what_a_person_decides_is_heard_at_the_redirect_address() {
    let redirect_uri = format!("http://127.0.0.1:{}/callback", testkit::free_port());
    let listener = listen(&redirect_uri).await;
    let browser = async {
        let client = crate::visitor::client();
        client.get(redirect_uri.replace("/callback", "/favicon.ico")).send().await.expect("an answer");
        client.get(format!("{redirect_uri}?code=a%20b&state=1")).send().await.expect("an answer").text().await.expect("a page")
    };
    let (heard, page) = tokio::join!(hear(&listener, &redirect_uri), browser);
    assert_eq!(heard.query_pairs().next().map(|(_, code)| code.into_owned()).as_deref(), Some("a b"));
    assert!(page.contains("Thank you"));
}
