//! Addresses of pages with their filters: what is chosen stands in the address, so a link reproduces the view.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::fmt;
use url::form_urlencoded;

/// What a query or a form says. A name that is not there is empty; what a person types is trimmed.
#[derive(Clone, Debug, Default)]
pub struct Asked(Vec<(String, String)>);

impl Asked {
    pub fn parse(text: &[u8]) -> Asked {
        Asked(
            form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), without_nul(&value).trim().chars().take(2_000).collect())).collect(),
        )
    }
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }
    /// Every value of a name: the rows that are ticked.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
    /// The value, if it is one of these words; anything else counts as not said.
    pub fn one_of<'a>(&'a self, name: &str, words: &[&str]) -> &'a str {
        let value = self.get(name);
        if words.contains(&value) { value } else { "" }
    }
    /// All of it that says something, as a person reads it: `status=error, software=xero`.
    pub fn shown(&self) -> String {
        let said = self.0.iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    }
    /// 25, 50 or 100 rows; 50 unless said.
    pub fn size(&self) -> usize {
        match self.get("size") {
            "25" => 25,
            "100" => 100,
            _ => 50,
        }
    }
    /// Where a form returns to: a path of ours, or `otherwise`.
    pub fn back<'a>(&'a self, otherwise: &'a str) -> &'a str {
        Some(self.get("back")).filter(|path| crate::protection::is_own_path(path)).unwrap_or(otherwise)
    }
}

/// A field exactly as it was sent: `Asked` would trim a password, and cut it off.
pub fn exactly(form: &[u8], name: &str) -> String {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// PostgreSQL keeps no NUL in a text (its documentation, 8.3): what somebody typed with one is looked for and kept with the mark of a character that could
/// not be read.
pub fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked, Infallible> {
        Ok(Asked::parse(parts.uri.query().unwrap_or("").as_bytes()))
    }
}

/// A path and its query, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    pub fn new(path: impl Into<String>) -> Address {
        Address { path: path.into(), pairs: Vec::new() }
    }

    /// With `name` set to `value`; an empty value takes it out.
    pub fn with(&self, name: &str, value: impl fmt::Display) -> Address {
        let mut address = self.clone();
        address.pairs.retain(|(key, _)| key != name);
        let value = value.to_string();
        if !value.is_empty() {
            address.pairs.push((name.to_owned(), value));
        }
        address
    }

    pub fn without(&self, names: &[&str]) -> Address {
        let mut address = self.clone();
        address.pairs.retain(|(key, _)| !names.contains(&key.as_str()));
        address
    }

    /// Its query as pairs: hidden fields of a form that keeps them.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if !self.pairs.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish();
            write!(f, "?{query}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_replace_themselves_and_are_escaped() {
        let all = Address::new("/integrations/logs/all");
        assert_eq!(all.to_string(), "/integrations/logs/all");
        let some = all.with("company", "A&B \"Ltd\"").with("size", 25).with("size", 50).with("type", "");
        assert_eq!(some.to_string(), "/integrations/logs/all?company=A%26B+%22Ltd%22&size=50");
        assert_eq!(some.without(&["company"]).to_string(), "/integrations/logs/all?size=50");
    }
}
