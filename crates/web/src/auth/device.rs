//! Browsers somebody has signed in with before. While an account is under attack from everywhere, its owner still enters from one of these.
use crate::app::App;
use crate::visit::cookie;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use store::seal::token_hash;

const COOKIE: &str = "tieout_device";
const LIFE_SECS: i64 = 365 * 86_400;
/// Digits of the random part; the seal of it and of the address follows.
const NONCE: usize = 32;

/// The random part of this browser's mark, when it was set for this address: nobody else can make one.
pub fn known(app: &App, headers: &HeaderMap, email: &str) -> Option<String> {
    let mark = cookie(headers, &app.options.cookie_name(COOKIE))?;
    let (nonce, seal) = mark.is_ascii().then(|| mark.split_at_checked(NONCE)).flatten()?;
    let right = app.engine.store.device_seal(email, nonce);
    // hashes are compared, so that the time tells nothing of the seal
    (token_hash(&right) == token_hash(seal)).then(|| nonce.to_owned())
}

/// Marks the browser somebody has just signed in with.
pub fn mark(app: &App, headers: &HeaderMap, email: &str, response: &mut Response) {
    if known(app, headers, email).is_some() {
        return;
    }
    let mut random = [0u8; NONCE / 2];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let nonce = hex::encode(random);
    let mark = format!("{nonce}{}", app.engine.store.device_seal(email, &nonce));
    response.headers_mut().append(header::SET_COOKIE, app.options.cookie(COOKIE, &mark, LIFE_SECS));
}
