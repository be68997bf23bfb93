//! What a form was drawn from. A tag of it travels in the form, so that of two tabs the second does not undo unseen what the first has saved.
use crate::parts::address::Asked;
use sha2::{Digest, Sha256};

/// Says whether two texts are the same without holding either.
pub fn tag(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..16])
}

/// A form was drawn from something that is so no longer. One that does not say what it was drawn from is taken as it is.
pub fn is_stale(form: &Asked, tag: &str) -> bool {
    let seen = form.get("seen");
    !seen.is_empty() && seen != tag
}

/// The form is shown again with what was typed; this says what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Each thing that can be saved, and how it is now.
    pub now: Vec<(String, String)>,
    /// Where the form is drawn anew, with what is there now.
    pub href: String,
}

impl Changed {
    pub fn new(href: impl Into<String>) -> Changed {
        Changed { now: Vec::new(), href: href.into() }
    }
    pub fn is(mut self, what: impl Into<String>, value: impl Into<String>) -> Changed {
        self.now.push((what.into(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_was_drawn_from_something_else_is_stale() {
        let of = |text: &str| Asked::parse(text.as_bytes());
        let (old, new) = (tag(b"15 minutes"), tag(b"30 minutes"));
        assert!(is_stale(&of(&format!("seen={old}")), &new));
        assert!(!is_stale(&of(&format!("seen={new}")), &new));
        assert!(!is_stale(&of("interval=15"), &new));
    }
}
