//! Bytes on a connection that are nearly HTTP.
use super::Target;
use super::dice::Dice;
use super::json::Harvest;
use super::shot::Shot;
use super::text::{self, ODD};

pub struct Wire;

const WORDS: [&str; 34] = [
    "\r\n",
    "\r\n\r\n",
    "\n",
    " HTTP/1.1",
    " HTTP/1.0",
    " HTTP/9.9",
    "Content-Length: 5\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Expect: 100-continue\r\n",
    "Connection: keep-alive\r\n",
    "Upgrade: h2c\r\n",
    "Host: \r\n",
    "Host: a\r\nHost: b\r\n",
    "Accept-Encoding: gzip;q=0, br\r\n",
    "Accept: */*;q=x\r\n",
    "Authorization: Bearer \r\n",
    "xero-tenant-id: \u{e9}\r\n",
    "If-Modified-Since: x\r\n",
    "Range: bytes=0-1\r\n",
    "%",
    "%2",
    "%00",
    "%ff",
    "/..",
    "//",
    "?",
    "#",
    "http://evil.example/",
    "*",
    "5\r\nabcde\r\n0\r\n\r\n",
    "FFFFFFFFFFFFFFFFF\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

impl Target for Wire {
    fn shot(&mut self, _harvest: &Harvest, dice: &mut Dice) -> Shot {
        let method = dice.word(&["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "X"]);
        let path = dice.word(&[
            "/",
            "/_control/health",
            "/_control/companies",
            "/v3/company/1/query?query=select+*+from+Invoice",
            "/v3/company//",
            "/api.xro/2.0/Invoices?page=1",
            "/api.xro/2.0/",
            "/connections",
            "/connect/token",
            "/connect/oauth2?client_id=x",
            "/companies/x",
            "/_status/xero",
            "/quickbooks-files/1/1",
        ]);
        let body = dice.word(&["", "", "{}", "grant_type=x", "what=live", "{\"token\":\"x\"}"]);
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for _ in 0..dice.below(4) {
            let name = dice.word(&[
                "Accept",
                "Authorization",
                "Content-Type",
                "xero-tenant-id",
                "If-Modified-Since",
                "X",
                "Cookie",
                "Accept-Encoding",
                "Content-Encoding",
            ]);
            let value: String = dice.word(&ODD).chars().filter(|one| !one.is_control()).collect();
            let value = if dice.one_in(40) { "x".repeat(dice.below(200_000)) } else { value };
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let bytes = request.into_bytes();
        let body = if dice.one_in(2) { text::vary_bytes(&bytes, &WORDS, dice) } else { bytes };
        Shot { method: "RAW".into(), path: "connection".into(), body, ..Shot::default() }
    }

    fn words(&self) -> Vec<&str> {
        WORDS.to_vec()
    }

    fn patience(&self) -> u32 {
        2_000
    }

    fn sweeps(&self) -> bool {
        false
    }
}
