//! The sandbox under the providers' host names: found and trusted by the test's own client only.
use reqwest::{Certificate, Client, Error};
use serde_json::Value;
use simulator::clock::SandboxClock;
use simulator::sandbox::Sandbox;
use simulator::tls::{Authority, PROVIDERS_HOSTS, serve};
use std::net::SocketAddr;
use std::time::Duration;

async fn served() -> (SocketAddr, Authority) {
    // certificates are judged by the machine's clock
    let authority = Authority::new(SandboxClock::default().now()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let given = authority.clone();
    tokio::spawn(async move { serve(Sandbox::new(Vec::new()), listener, &given, std::future::pending()).await });
    (address, authority)
}

/// Looks every name up as the sandbox's address and trusts what it is given.
fn client(address: SocketAddr, trusted: Option<&Authority>) -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    let names = PROVIDERS_HOSTS.iter().chain(&["example.com", "login.xero.com.example.com"]);
    let builder = names.fold(Client::builder().timeout(Duration::from_secs(20)), |builder, name| builder.resolve(name, address));
    let trusted = trusted.map(|authority| Certificate::from_pem(authority.certificate.as_bytes()).unwrap());
    builder.tls_certs_only(trusted).build().unwrap()
}

async fn discovery(client: &Client, host: &str, port: u16, path: &str) -> Result<Value, Error> {
    client.get(format!("https://{host}:{port}/.well-known/{path}")).send().await?.json().await
}

#[tokio::test]
async fn every_name_of_the_providers_answers_tls_to_who_trusts_the_authority() {
    let (address, authority) = served().await;
    let client = client(address, Some(&authority));
    for host in PROVIDERS_HOSTS {
        let answer = client.get(format!("https://{host}:{}/_control/health", address.port())).send().await;
        assert_eq!(answer.unwrap_or_else(|error| panic!("{host}: {error:?}")).status(), 200, "{host}");
    }
}

#[tokio::test]
async fn nobody_else_is_fooled() {
    let (address, authority) = served().await;
    let trusting = client(address, Some(&authority));
    for host in ["example.com", "login.xero.com.example.com"] {
        let refused = discovery(&trusting, host, address.port(), "openid-configuration").await.unwrap_err();
        assert!(refused.is_connect(), "{host}: {refused:?}");
    }
    let other = Authority::new(SandboxClock::default().now()).unwrap();
    for stranger in [client(address, None), client(address, Some(&other))] {
        let refused = discovery(&stranger, "api.xero.com", address.port(), "openid-configuration").await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
    }
}

// quickbooks fact 1
// xero fact 16
#[tokio::test]
async fn under_the_providers_names_the_discovery_documents_are_the_providers() {
    let (address, authority) = served().await;
    let client = client(address, Some(&authority));
    let xero = discovery(&client, "identity.xero.com", address.port(), "openid-configuration").await.unwrap();
    assert_eq!(xero["issuer"], "https://identity.xero.com");
    assert_eq!(xero["authorization_endpoint"], "https://login.xero.com/identity/connect/authorize");
    let own = format!("https://identity.xero.com:{}", address.port());
    assert_eq!(xero["token_endpoint"], format!("{own}/connect/token"));
    for (path, accounts) in [("openid_configuration", "accounts"), ("openid_sandbox_configuration", "sandbox-accounts")] {
        let intuit = discovery(&client, "developer.api.intuit.com", address.port(), path).await.unwrap();
        let expected = [
            ("authorization_endpoint", "https://appcenter.intuit.com/connect/oauth2".to_owned()),
            ("token_endpoint", "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer".to_owned()),
            ("userinfo_endpoint", format!("https://{accounts}.platform.intuit.com/v1/openid_connect/userinfo")),
            ("revocation_endpoint", "https://developer.api.intuit.com/v2/oauth2/tokens/revoke".to_owned()),
            ("jwks_uri", "https://oauth.platform.intuit.com/op/v1/jwks".to_owned()),
        ];
        for (field, address) in expected {
            assert_eq!(intuit[field], address, "{path}");
        }
    }
}

#[tokio::test]
async fn a_client_that_never_finishes_its_handshake_holds_nobody_up() {
    let (address, authority) = served().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let answer = discovery(&client(address, Some(&authority)), "api.xero.com", address.port(), "openid-configuration").await;
    assert!(answer.is_ok(), "{answer:?}");
}
