//! Stores of the two OAuth servers: codes, tokens, token families, Xero connections, and the RS256 key that signs their JWTs.
//!
//! Nothing here knows a provider's rules; `quickbooks/oauth.rs` and `xero/oauth.rs` apply theirs to these plain stores.
use crate::books::Face;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey as Pkcs1v15;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use std::collections::{BTreeMap, HashMap};

/// Everything both OAuth servers have handed out.
#[derive(Debug, Default)]
pub struct Grants {
    /// Authorization codes by their text; kept after use, so that a replay can be told from an unknown code.
    pub codes: HashMap<String, Code>,
    /// Access tokens by their text (for Xero the whole JWT).
    pub access: HashMap<String, Access>,
    /// Refresh-token families by `Family::id`: one per consent.
    pub families: BTreeMap<String, Family>,
    /// Tenants a Xero user has connected to an app, in order of creation.
    pub xero_connections: Vec<XeroConnection>,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub struct Code {
    pub face: Face,
    pub client_id: String,
    pub user_id: String,
    pub redirect_uri: String,
    /// Space-separated, as asked for.
    pub scope: String,
    /// Companies (`Books::id`) chosen on the consent page: exactly one at QuickBooks.
    pub companies: Vec<String>,
    pub auth_event_id: String,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    /// `S256` or `plain`.
    pub code_challenge_method: Option<String>,
    pub issued_at: Timestamp,
    pub used: bool,
}

/// An access token.
#[derive(Clone, Debug)]
pub struct Access {
    pub face: Face,
    pub client_id: String,
    pub user_id: String,
    pub companies: Vec<String>,
    pub scope: String,
    pub auth_event_id: String,
    /// The family it came from; empty for client credentials.
    pub family: String,
    pub expires_at: Timestamp,
    pub revoked: bool,
}

impl Access {
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires_at
    }
}

/// The refresh tokens of one consent: the current one and the one before it, for the providers' grace rules.
#[derive(Clone, Debug)]
pub struct Family {
    pub id: String,
    pub face: Face,
    pub client_id: String,
    pub user_id: String,
    pub companies: Vec<String>,
    pub scope: String,
    pub auth_event_id: String,
    pub current_refresh: String,
    pub previous_refresh: Option<String>,
    /// When `current_refresh` replaced `previous_refresh` (the consent itself, before the first rotation).
    pub rotated_at: Timestamp,
    /// When the consent was given.
    pub issued_at: Timestamp,
    /// The last successful refresh, or the consent.
    pub last_used_at: Timestamp,
    pub revoked: bool,
}

/// A tenant connected to an app at Xero (`GET /connections`).
#[derive(Clone, Debug)]
pub struct XeroConnection {
    /// A guid of its own, not the tenant's.
    pub id: String,
    /// The consent that created or last renewed the connection.
    pub auth_event_id: String,
    pub user_id: String,
    pub client_id: String,
    pub tenant_id: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Grants {
    /// The family that knows this refresh token, current or previous.
    pub fn family_of_refresh(&mut self, refresh_token: &str) -> Option<&mut Family> {
        self.families.values_mut().find(|f| f.current_refresh == refresh_token || f.previous_refresh.as_deref() == Some(refresh_token))
    }

    /// Ends a consent: its refresh tokens and every access token made from it.
    pub fn revoke_family(&mut self, id: &str) {
        if let Some(family) = self.families.get_mut(id) {
            family.revoked = true;
        }
        for access in self.access.values_mut().filter(|a| a.family == id) {
            access.revoked = true;
        }
    }

    /// Ends every consent that matches; `None` matches all. Returns how many ended.
    pub fn revoke_where(&mut self, client_id: Option<&str>, user_id: Option<&str>, company: Option<&str>) -> usize {
        let ended: Vec<String> = self
            .families
            .values()
            .filter(|f| !f.revoked)
            .filter(|f| client_id.is_none_or(|c| f.client_id == c))
            .filter(|f| user_id.is_none_or(|u| f.user_id == u))
            .filter(|f| company.is_none_or(|c| f.companies.iter().any(|known| known == c)))
            .map(|f| f.id.clone())
            .collect();
        for id in &ended {
            self.revoke_family(id);
        }
        ended.len()
    }

    /// Lets every access token run out at `now`; refresh tokens stay good. Returns how many ended.
    pub fn expire_access(&mut self, now: Timestamp) -> usize {
        let mut ended = 0;
        for access in self.access.values_mut().filter(|a| a.is_good(now)) {
            access.expires_at = now;
            ended += 1;
        }
        ended
    }

    /// Forgets access tokens and codes that ended more than a day ago, so that a long-running sandbox does not grow.
    pub fn forget_old(&mut self, now: Timestamp) {
        let day_ago = now.as_second() - 86_400;
        self.access.retain(|_, access| access.expires_at.as_second() > day_ago);
        self.codes.retain(|_, code| code.issued_at.as_second() > day_ago);
    }
}

/// `bytes` random bytes as unpadded base64url text.
pub fn random_token(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(random_bytes(bytes))
}

/// `bytes` random bytes as lower-case hexadecimal text.
pub fn random_hex(bytes: usize) -> String {
    hex::encode(random_bytes(bytes))
}

/// A random guid of version 4, lower case.
pub fn random_guid() -> String {
    let mut bytes = random_bytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// The PKCE check of RFC 7636 4.6.
pub fn verifies(code_challenge: &str, method: Option<&str>, code_verifier: &str) -> bool {
    match method {
        Some("S256") => URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier.as_bytes())) == code_challenge,
        None | Some("plain") => code_verifier == code_challenge,
        Some(_) => false,
    }
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0u8; count];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The operating system's random source in the shape the `rsa` crate asks for.
struct SystemRandom;

impl rsa::rand_core::CryptoRng for SystemRandom {}
impl rsa::rand_core::RngCore for SystemRandom {
    fn next_u32(&mut self) -> u32 {
        getrandom::u32().expect("the operating system gives random bytes")
    }
    fn next_u64(&mut self) -> u64 {
        getrandom::u64().expect("the operating system gives random bytes")
    }
    fn fill_bytes(&mut self, destination: &mut [u8]) {
        getrandom::fill(destination).expect("the operating system gives random bytes");
    }
    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(destination);
        Ok(())
    }
}

/// An RSA 2048 key and its JWK id.
pub struct SigningKey {
    key: Pkcs1v15<Sha256>,
    /// `kid` of the JWK and of every JWT header.
    pub kid: String,
    /// Modulus, base64url.
    pub n: String,
    /// Public exponent, base64url.
    pub e: String,
}

impl SigningKey {
    pub fn generate() -> SigningKey {
        let private = RsaPrivateKey::new(&mut SystemRandom, 2048).expect("2048 bits are a valid size of an RSA key");
        let n = URL_SAFE_NO_PAD.encode(private.n().to_bytes_be());
        let e = URL_SAFE_NO_PAD.encode(private.e().to_bytes_be());
        let kid = hex::encode_upper(&Sha256::digest(n.as_bytes())[..20]);
        SigningKey { key: Pkcs1v15::new(private), kid, n, e }
    }
    /// The public half for a JWKS answer: `{"keys":[<this>]}`.
    pub fn jwk(&self) -> serde_json::Value {
        serde_json::json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.n, "e": self.e})
    }
    /// The RS256 signature of `message`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).to_vec()
    }
}

/// A compact JWS (RS256) over `claims`.
pub fn jwt(key: &SigningKey, claims: &serde_json::Value) -> String {
    let header = serde_json::json!({"alg": "RS256", "kid": key.kid, "typ": "JWT"});
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs1v15::{Signature, VerifyingKey};
    use rsa::signature::Verifier;
    use rsa::{BigUint, RsaPublicKey};

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }

    #[test]
    fn a_jwt_verifies_with_the_published_key_and_not_after_a_change() {
        let key = SigningKey::generate();
        let jwk = key.jwk();
        let number = |name: &str| BigUint::from_bytes_be(&decoded(jwk[name].as_str().expect("text")));
        let public = VerifyingKey::<Sha256>::new(RsaPublicKey::new(number("n"), number("e")).expect("a public key"));
        let token = jwt(&key, &serde_json::json!({"sub": "someone", "exp": 1_700_000_000}));
        let parts: Vec<&str> = token.split('.').collect();
        let signature = Signature::try_from(decoded(parts[2]).as_slice()).expect("a signature");
        let signed = format!("{}.{}", parts[0], parts[1]);
        public.verify(signed.as_bytes(), &signature).expect("the signature holds");
        public.verify(format!("{signed}A").as_bytes(), &signature).expect_err("another text has another signature");
        let header: serde_json::Value = serde_json::from_slice(&decoded(parts[0])).expect("JSON");
        assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("RS256"), Some(key.kid.as_str())));
        assert_eq!(decoded(jwk["n"].as_str().expect("text")).len(), 256, "2048 bits");
    }

    #[test]
    fn the_pkce_example_of_the_standard_verifies() {
        // RFC 7636, appendix B.
        let (verifier, challenge) = ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(verifies(challenge, Some("S256"), verifier));
        assert!(!verifies(challenge, Some("S256"), "another") && !verifies(challenge, Some("MD5"), verifier));
        assert!(verifies("plain-text", None, "plain-text"));
    }

    #[test]
    fn ending_a_family_ends_its_access_tokens_and_no_others() {
        let now: Timestamp = "2025-01-01T00:00:00Z".parse().expect("a timestamp");
        let mut grants = Grants::default();
        for (id, company) in [("a", "1"), ("b", "2")] {
            let family = Family {
                id: id.into(),
                face: Face::Xero,
                client_id: "app".into(),
                user_id: "user".into(),
                companies: vec![company.into()],
                scope: String::new(),
                auth_event_id: String::new(),
                current_refresh: format!("refresh-{id}"),
                previous_refresh: None,
                rotated_at: now,
                issued_at: now,
                last_used_at: now,
                revoked: false,
            };
            let access = Access {
                face: Face::Xero,
                client_id: "app".into(),
                user_id: "user".into(),
                companies: vec![company.into()],
                scope: String::new(),
                auth_event_id: String::new(),
                family: id.into(),
                expires_at: "2025-01-01T01:00:00Z".parse().expect("a timestamp"),
                revoked: false,
            };
            grants.families.insert(id.into(), family);
            grants.access.insert(format!("access-{id}"), access);
        }
        assert_eq!(grants.revoke_where(Some("app"), None, Some("1")), 1);
        assert!(!grants.access["access-a"].is_good(now) && grants.access["access-b"].is_good(now));
        assert!(grants.family_of_refresh("refresh-a").is_some_and(|f| f.revoked));
        assert_eq!(grants.expire_access(now), 1);
        assert!(!grants.access["access-b"].is_good(now) && !grants.families["b"].revoked);
    }
}
