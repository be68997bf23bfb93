//! One request, as it can be kept in a file and sent again.
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shot {
    /// Of HTTP; `RAW` for bytes on a connection, `FILE` for a general journal.
    pub method: String,
    /// With its query, encoded.
    pub path: String,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default, with = "bytes")]
    pub body: Vec<u8>,
}

impl Shot {
    pub fn get(path: impl Into<String>) -> Shot {
        Shot { method: "GET".into(), path: path.into(), ..Shot::default() }
    }

    pub fn json(method: &str, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Shot {
        let shot = Shot { method: method.into(), path: path.into(), body: body.into(), ..Shot::default() };
        shot.with("content-type", "application/json")
    }

    pub fn form(path: impl Into<String>, pairs: &[(String, String)]) -> Shot {
        let shot = Shot { method: "POST".into(), path: path.into(), body: encoded(pairs).into_bytes(), ..Shot::default() };
        shot.with("content-type", "application/x-www-form-urlencoded")
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Shot {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Names and values as a query or a form carries them.
pub fn encoded(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Any bytes as text: each is the character of its number.
mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.chars().map(|one| u8::try_from(u32::from(one)).map_err(serde::de::Error::custom)).collect()
    }
}
