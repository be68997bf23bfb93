//! What the code flow of every provider shares: secrets, token pairs, PKCE.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;

/// A token, a client secret, a verifier: has no way to be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }
    /// The text itself: for the wire and for sealing, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a token endpoint answered.
#[derive(Clone, Debug)]
pub struct TokenPair {
    pub access: Secret,
    pub refresh: Secret,
    pub access_expires_at: Timestamp,
    /// When the refresh token dies if unused (100 days at QuickBooks, 60 at Xero).
    pub refresh_expires_at: Timestamp,
    /// Granted scopes, separated by spaces; empty when the provider does not say.
    pub scope: String,
}

/// One consent and what it lets us do, right after the callback.
#[derive(Clone, Debug)]
pub struct Grant {
    pub tokens: TokenPair,
    /// QuickBooks: the realmId of the callback.
    pub company_hint: Option<String>,
}

/// Who gave the consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What makes a connection unique within an organization. QuickBooks tokens are bound to one company, so it is `sub|realmId`; Xero's
    /// belong to a user, so it is `xero_userid`.
    pub key: String,
    pub email: String,
    pub name: String,
}

/// The parameters the provider sent to our callback, as far as they are ours to read.
#[derive(Clone, Debug, Default)]
pub struct Callback {
    pub code: Option<String>,
    pub realm_id: Option<String>,
    pub error: Option<String>,
}

/// PKCE (RFC 7636), method S256: the challenge of a verifier of 43 to 128 characters.
pub fn pkce_challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

/// A text of 256 random bits, fit for `state`, verifiers and session ids.
pub fn random_text() -> Secret {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    Secret(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        // RFC 7636, appendix B
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(pkce_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("abc")), "[redacted]");
    }
}
