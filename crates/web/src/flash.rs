//! A message that outlives one redirect: what a form did, told on the page that follows.
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const COOKIE: &str = "tieout_flash";
/// Cookies hold 4 KB: the list is cut, the sentence says how many there are.
const MOST_ITEMS: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlashKind {
    Good,
    Warn,
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlashItem {
    pub text: String,
    /// An own path; anything else is not shown as a link.
    pub href: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    pub kind: FlashKind,
    pub text: String,
    #[serde(default)]
    pub items: Vec<FlashItem>,
    /// Items that had no place.
    #[serde(default)]
    pub more: usize,
}

impl Flash {
    pub fn good(text: impl Into<String>) -> Flash {
        Flash { kind: FlashKind::Good, text: text.into(), items: Vec::new(), more: 0 }
    }
    pub fn warn(text: impl Into<String>) -> Flash {
        Flash { kind: FlashKind::Warn, text: text.into(), items: Vec::new(), more: 0 }
    }
    pub fn bad(text: impl Into<String>) -> Flash {
        Flash { kind: FlashKind::Bad, text: text.into(), items: Vec::new(), more: 0 }
    }
    pub fn item(mut self, text: impl Into<String>, href: Option<String>) -> Flash {
        if self.items.len() < MOST_ITEMS {
            let text: String = text.into();
            self.items.push(FlashItem { text: text.chars().take(80).collect(), href });
        } else {
            self.more += 1;
        }
        self
    }
    pub fn look(&self) -> &'static str {
        match self.kind {
            FlashKind::Good => "good",
            FlashKind::Warn => "warn",
            FlashKind::Bad => "bad",
        }
    }
    pub fn icon(&self) -> &'static str {
        match self.kind {
            FlashKind::Good => "check-circle",
            FlashKind::Warn => "alert",
            FlashKind::Bad => "x-circle",
        }
    }
    /// The answer to a form: 303 to `path`, where the message is shown once.
    pub fn redirect(&self, path: &str) -> Response {
        let json = serde_json::to_string(self).expect("a flash is plain text");
        let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", URL_SAFE_NO_PAD.encode(json));
        let mut response = Redirect::to(path).into_response();
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("base64 fits a header"));
        response
    }
}

/// The message a request carries, if any.
pub fn read(headers: &HeaderMap) -> Option<Flash> {
    let bytes = URL_SAFE_NO_PAD.decode(crate::visit::cookie(headers, COOKIE)?).ok()?;
    let mut flash: Flash = serde_json::from_slice(&bytes).ok()?;
    for item in &mut flash.items {
        item.href = item.href.take().filter(|href| crate::protection::is_own_path(href));
    }
    Some(flash)
}

/// Ends the message: it has been shown.
pub fn clear(response: &mut Response) {
    let cookie = HeaderValue::from_static("tieout_flash=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_many_says_how_many_it_has_no_place_for() {
        let flash = (0..31).fold(Flash::good("31 queued."), |flash, at| flash.item(format!("Company {at}"), Some(format!("/companies/{at}"))));
        assert_eq!((flash.items.len(), flash.more), (MOST_ITEMS, 31 - MOST_ITEMS));
        let set = flash.redirect("/").headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(set.split(';').next().unwrap()).unwrap())]);
        assert_eq!(read(&headers), Some(flash));
    }
}
