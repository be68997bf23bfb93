//! Posts a short JSON text to an address a person named, such as a chat's webhook. Such an address must not become a way into the network this
//! server stands in: https only, public addresses only, checked after the name is resolved and kept for the connection, and no redirect is followed
//! (OWASP, Server-Side Request Forgery Prevention Cheat Sheet).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use url::{Host, Url};

const LONGEST_TALK: Duration = Duration::from_secs(15);

/// Whether addresses within private networks may be named as well: for an installation whose chat is one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    #[default]
    Public,
    PrivateToo,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The address itself cannot be used; trying again does not help.
    #[error("{0}")]
    Refused(String),
    /// It may work later.
    #[error("{0}")]
    Failed(String),
}

fn refused(text: &str) -> PostError {
    PostError::Refused(text.to_owned())
}

/// An address as typed: whether it can be used, as far as its text shows.
pub fn check_address(text: &str, reach: Reach) -> Result<Url, PostError> {
    if text.len() > 2_000 {
        return Err(refused("This address is too long; use at most 2,000 characters."));
    }
    let url = Url::parse(text).map_err(|_| refused("This is not an address. Write it as https://hooks.example.com/..."))?;
    let is_secure = url.scheme() == "https" || (url.scheme() == "http" && reach == Reach::PrivateToo);
    if !is_secure {
        return Err(refused("The address must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("The address must not hold a user name or a password."));
    }
    let literal = match url.host() {
        None => return Err(refused("The address has no host.")),
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_lowercase();
            if reach == Reach::Public
                && (name == "localhost" || name.ends_with(".localhost") || name.ends_with(".local") || name.ends_with(".internal"))
            {
                return Err(refused("The address is within a private network; this server posts to public addresses only."));
            }
            None
        }
    };
    match literal {
        Some(address) if reach == Reach::Public && !is_public(address) => {
            Err(refused("The address is within a private network; this server posts to public addresses only."))
        }
        _ => Ok(url),
    }
}

/// Posts `body` as JSON. Any answer of the 200s is success.
pub async fn post_json(address: &str, body: String, reach: Reach) -> Result<(), PostError> {
    let url = check_address(address, reach)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let resolved = resolve(&url, &host, port).await?;
    if reach == Reach::Public && !resolved.iter().all(|address| is_public(address.ip())) {
        return Err(refused("The name of the address leads into a private network; this server posts to public addresses only."));
    }
    // the process may have chosen a provider already; ours is the same
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .user_agent(concat!("tieout/", env!("CARGO_PKG_VERSION")))
        .timeout(LONGEST_TALK)
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // what was checked is what is spoken to: a name that is resolved again may lead elsewhere
        .resolve_to_addrs(&host, &resolved)
        .build()
        .map_err(|error| PostError::Failed(error.without_url().to_string()))?;
    let answer = client.post(url).header("content-type", "application/json").body(body).send().await.map_err(|error| {
        // the cause without the address, which is a secret
        PostError::Failed(match (error.is_timeout(), error.is_connect()) {
            (true, _) => "no answer in time".to_owned(),
            (_, true) => "no connection".to_owned(),
            _ => "the connection broke".to_owned(),
        })
    })?;
    let status = answer.status();
    if status.is_success() {
        Ok(())
    } else if status.is_redirection() {
        Err(refused("It answered with a redirect, which is not followed."))
    } else if status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429) {
        Err(PostError::Refused(format!("It answered {}: the address is not valid any more.", status.as_u16())))
    } else {
        Err(PostError::Failed(format!("It answered {}.", status.as_u16())))
    }
}

async fn resolve(url: &Url, host: &str, port: u16) -> Result<Vec<SocketAddr>, PostError> {
    match url.host() {
        Some(Host::Ipv4(address)) => return Ok(vec![SocketAddr::new(address.into(), port)]),
        Some(Host::Ipv6(address)) => return Ok(vec![SocketAddr::new(address.into(), port)]),
        _ => {}
    }
    let found: Vec<SocketAddr> = match tokio::time::timeout(Duration::from_secs(10), tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    if found.is_empty() { Err(PostError::Failed("the name of the address cannot be resolved".to_owned())) } else { Ok(found) }
}

/// Reachable for everybody: none of the ranges that IANA's special-purpose registries set apart.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let set_apart = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !set_apart
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let parts = address.segments();
    let embedded = |high: u16, low: u16| is_public_v4(Ipv4Addr::new((high >> 8) as u8, high as u8, (low >> 8) as u8, low as u8));
    match parts {
        // NAT64 and 6to4 carry an address of the other kind
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // of what is left only global unicast is public, without Teredo, ORCHID and documentation
        [first, second, ..] => {
            (first & 0xe000) == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8)) && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves H14 in part
    #[test]
    fn only_public_addresses_can_be_named() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "::ffff:169.254.169.254",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2001:4860:4860::8888"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for wrong in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/x",
            "ftp://hooks.example.com",
            "https://",
            "https://user:pw@hooks.example.com/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://localhost:8080/",
            "https://LOCALHOST./",
            "https://db.internal/",
            "file:///etc/passwd",
        ] {
            assert!(matches!(check_address(wrong, Reach::Public), Err(PostError::Refused(_))), "{wrong}");
        }
        assert!(check_address("https://hooks.example.com/services/T0/B0/x", Reach::Public).is_ok());
        assert!(check_address("http://127.0.0.1:9000/x", Reach::PrivateToo).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_into_a_private_network_is_refused_after_it_is_resolved() {
        // the name passes as text: only what it resolves to shows where it leads
        let url = Url::parse("https://localhost.localdomain.example.invalid/").unwrap();
        assert!(check_address(url.as_str(), Reach::Public).is_ok());
        let error = post_json("https://127.0.0.1:1/x", "{}".to_owned(), Reach::Public).await.unwrap_err();
        assert!(matches!(error, PostError::Refused(_)), "{error}");
    }
}
