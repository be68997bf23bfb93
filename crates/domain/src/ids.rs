//! Typed ids. All are text made by us, ordered by the time of their making, except `ProviderId`, which is a word.
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl $name {
            pub fn new(text: impl Into<String>) -> Self { Self(text.into()) }
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    };
}

id!(/// An organization of ours: the tenant everything else belongs to.
    OrganizationId);
id!(/// A person who signs in.
    UserId);
id!(/// One authorization of one user at one provider.
    ConnectionId);
id!(/// One set of books, as we know it.
    CompanyId);
id!(/// One piece of background work, and the row that owns it.
    RunId);
id!(/// A key of the JSON API.
    ApiKeyId);
id!(/// The word of a provider: `quickbooks`, `xero`. Not an enum: the database and settings hold the word.
    ProviderId);

/// Makes a time-ordered id: 48 bits of milliseconds, then 80 random bits, as 32 hexadecimal digits.
pub fn make_id(now: jiff::Timestamp, random: [u8; 10]) -> String {
    let mut text = format!("{:012x}", now.as_millisecond() & 0xffff_ffff_ffff);
    for byte in random {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_of_their_making() {
        let early = make_id(jiff::Timestamp::from_millisecond(1_000).unwrap(), [0xff; 10]);
        let late = make_id(jiff::Timestamp::from_millisecond(1_001).unwrap(), [0; 10]);
        assert!(early < late);
        assert_eq!(early.len(), 32);
    }
}
