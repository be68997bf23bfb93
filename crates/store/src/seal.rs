//! Sealing of secrets: XChaCha20-Poly1305 with a random nonce; the associated data names table, column and row, so that a value moved
//! elsewhere does not open. Lookups on sealed ids use a keyed hash.
use crate::error::StoreError;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The key of one installation: 32 random bytes, from TIEOUT_KEY or the key file. Has no Debug.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Key, StoreError> {
        let bytes = hex::decode(text.trim()).map_err(|_| StoreError::BadKey("expected 64 hexadecimal digits".into()))?;
        let bytes: [u8; 32] =
            bytes.try_into().map_err(|bytes: Vec<u8>| StoreError::BadKey(format!("expected 64 hexadecimal digits, got {}", bytes.len() * 2)))?;
        Ok(Key(bytes))
    }
    pub fn random() -> Key {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Key(bytes)
    }
    /// The text to keep in the key file: nowhere else.
    pub fn to_text(&self) -> String {
        hex::encode(self.0)
    }
}

pub struct Sealer {
    cipher: XChaCha20Poly1305,
    hash_key: [u8; 32],
}

impl Sealer {
    pub fn new(key: &Key) -> Sealer {
        let derive = |purpose: &str| -> [u8; 32] {
            let mut hasher = Sha256::new();
            hasher.update(key.0);
            hasher.update(purpose.as_bytes());
            hasher.finalize().into()
        };
        Sealer { cipher: XChaCha20Poly1305::new(&derive("seal v1").into()), hash_key: derive("lookup v1") }
    }

    /// `place` is `table.column`, `row` the row's id.
    pub fn seal(&self, place: &str, row: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0u8; 24];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        self.seal_with(nonce, place, row, plain)
    }

    /// The same text for the same value: a nonce that follows from it. For values that are no secrets and whose sealed form is compared.
    pub fn seal_same(&self, place: &str, row: &str, plain: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.hash_key).expect("HMAC takes keys of any length");
        for part in [b"nonce".as_slice(), place.as_bytes(), row.as_bytes(), plain] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let mut nonce = [0u8; 24];
        nonce.copy_from_slice(&mac.finalize().into_bytes()[..24]);
        self.seal_with(nonce, place, row, plain)
    }

    fn seal_with(&self, nonce: [u8; 24], place: &str, row: &str, plain: &[u8]) -> Vec<u8> {
        let aad = format!("v1|{place}|{row}");
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: aad.as_bytes() })
            .expect("sealing fails only for messages of 256 GB");
        let mut out = Vec::with_capacity(1 + nonce.len() + sealed.len());
        out.push(1);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    pub fn open(&self, place: &'static str, row: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        if sealed.len() < 25 || sealed[0] != 1 {
            return Err(StoreError::Unsealable(place));
        }
        let aad = format!("v1|{place}|{row}");
        self.cipher
            .decrypt(XNonce::from_slice(&sealed[1..25]), Payload { msg: &sealed[25..], aad: aad.as_bytes() })
            .map_err(|_| StoreError::Unsealable(place))
    }

    pub fn open_text(&self, place: &'static str, row: &str, sealed: &[u8]) -> Result<String, StoreError> {
        String::from_utf8(self.open(place, row, sealed)?).map_err(|_| StoreError::Unsealable(place))
    }

    /// A keyed hash for looking a sealed value up: HMAC-SHA256 over purpose and value.
    pub fn lookup_hash(&self, purpose: &str, value: &str) -> String {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.hash_key).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

/// SHA-256 in hexadecimal: how session and state tokens, which are random already, are kept.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let sealer = Sealer::new(&Key::random());
        let sealed = sealer.seal("connections.refresh_token", "c1", b"secret");
        assert_eq!(sealer.open("connections.refresh_token", "c1", &sealed).unwrap(), b"secret");
        assert!(sealer.open("connections.refresh_token", "c2", &sealed).is_err());
        assert!(sealer.open("connections.access_token", "c1", &sealed).is_err());
        assert!(Sealer::new(&Key::random()).open("connections.refresh_token", "c1", &sealed).is_err());
        assert_ne!(sealed, sealer.seal("connections.refresh_token", "c1", b"secret"));
        let same = sealer.seal_same("cursor", "c1", b"17");
        assert_eq!(same, sealer.seal_same("cursor", "c1", b"17"));
        assert_eq!(sealer.open("cursor", "c1", &same).unwrap(), b"17");
        assert_ne!(same[1..25], sealer.seal_same("cursor", "c1", b"18")[1..25]);
    }

    #[test]
    fn keys_are_read_strictly() {
        assert!(Key::parse(&"ab".repeat(32)).is_ok());
        for bad in ["", "abc", &"ab".repeat(31), &"zz".repeat(32)] {
            assert!(Key::parse(bad).is_err());
        }
    }
}
