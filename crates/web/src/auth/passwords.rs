//! Passwords: argon2id, off the async threads, two at a time.
use crate::app::App;
use argon2::password_hash::SaltString;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};

/// OWASP's "Password Storage" cheat sheet: argon2id with 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let parameters = Params::new(19_456, 2, 1, None).expect("constant parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

pub fn hash_blocking(password: &str) -> String {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let salt = SaltString::encode_b64(&random).expect("16 bytes are a salt");
    argon2().hash_password(password.as_bytes(), &salt).expect("argon2 hashes any password").to_string()
}

pub async fn hash(app: &App, password: String) -> String {
    let _slot = app.hashing.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(move || hash_blocking(&password)).await.expect("hashing does not panic")
}

/// Compares a password. Without a stored hash (unknown address, or no password set) the same work is done, so that the time tells nothing.
pub async fn verify(app: &App, password: String, stored: Option<String>) -> bool {
    let _slot = app.hashing.acquire().await.expect("the semaphore is never closed");
    let check = move || match stored.as_deref().map(PasswordHash::new) {
        Some(Ok(hash)) => argon2().verify_password(password.as_bytes(), &hash).is_ok(),
        _ => {
            hash_blocking(&password);
            false
        }
    };
    tokio::task::spawn_blocking(check).await.expect("hashing does not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_kept_as_argon2id_with_their_parameters() {
        let hash = hash_blocking("correct horse battery");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hash_blocking("correct horse battery"));
        let parsed = PasswordHash::new(&hash).unwrap();
        assert!(argon2().verify_password(b"correct horse battery", &parsed).is_ok());
        assert!(argon2().verify_password(b"correct horse batterz", &parsed).is_err());
    }
}
