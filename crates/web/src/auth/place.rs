//! Where a request comes from, as far as it can be believed.
use crate::app::{App, WebOptions};
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The network address guessing is counted by; empty where there is no socket.
pub struct Place(pub String);

impl FromRequestParts<App> for Place {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Place, Infallible> {
        Ok(Place(asker(&app.options, &parts.extensions, &parts.headers).map_or_else(String::new, network)))
    }
}

/// The address a request comes from, for the audit log; empty where there is no socket.
pub fn address(options: &WebOptions, request: &Request) -> String {
    asker(options, request.extensions(), request.headers()).map_or_else(String::new, |address| address.to_canonical().to_string())
}

fn asker(options: &WebOptions, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())?;
    Some(of(options, peer, headers))
}

/// Whoever is at the other end of the connection; where that is a proxy of ours, the last address in `X-Forwarded-For` that is none of them. What stands
/// before it, and what a stranger sends, anybody can write.
fn of(options: &WebOptions, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_ours = |address: &IpAddr| options.trusted_proxies.contains(&address.to_canonical());
    if !is_ours(&peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let named: Vec<Option<IpAddr>> = lines.flat_map(|line| line.split(',')).map(|text| text.trim().parse().ok()).collect();
    for address in named.into_iter().rev() {
        match address {
            Some(address) if is_ours(&address) => {}
            Some(address) => return address,
            None => return peer,
        }
    }
    peer
}

/// A line of IPv6 has as many addresses as somebody cares to use: the first half of them counts (RFC 6177).
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // reliability.md 5.3, row 57
    #[test]
    fn only_a_proxy_of_ours_says_for_whom_it_asks() {
        let mut options = WebOptions::new("https://books.example".parse().unwrap());
        let place = |options: &WebOptions, peer: &str, lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            network(of(options, peer.parse().unwrap(), &headers))
        };
        assert_eq!(place(&options, "203.0.113.9", &["127.0.0.1"]), "203.0.113.9", "a stranger is who it is");
        assert_eq!(place(&options, "127.0.0.1", &["198.51.100.7"]), "127.0.0.1", "no proxy is configured");
        options.trusted_proxies = vec!["127.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        assert_eq!(place(&options, "203.0.113.9", &["127.0.0.1"]), "203.0.113.9");
        assert_eq!(place(&options, "127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(place(&options, "::ffff:127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            place(&options, "127.0.0.1", &["1.2.3.4, 198.51.100.7, 10.0.0.2"]),
            "198.51.100.7",
            "what the visitor wrote before is not believed"
        );
        assert_eq!(place(&options, "127.0.0.1", &["1.2.3.4", "198.51.100.7"]), "198.51.100.7");
        for nonsense in ["", "unknown", "198.51.100.7:80", "127.0.0.1, 10.0.0.2"] {
            assert_eq!(place(&options, "127.0.0.1", &[nonsense]), "127.0.0.1", "{nonsense}");
        }
        assert_eq!(place(&options, "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(place(&options, "2001:db8:1:2:3:4:5:6", &[]), place(&options, "2001:db8:1:2:ffff::1", &[]));
        assert_ne!(place(&options, "2001:db8:1:2::1", &[]), place(&options, "2001:db8:1:3::1", &[]));
    }
}
