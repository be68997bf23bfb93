//! A record exactly as the provider sent it.
use crate::clock::Timestamp;
use crate::data_type::DataType;
use sha2::{Digest, Sha256};

/// One record as received: the provider's JSON, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    pub data_type: DataType,
    /// The provider's id, unique within company and data type.
    pub id: String,
    /// The JSON of this one record, unchanged. For a deletion the stub the provider sent.
    pub body: Box<str>,
    /// When the provider says it last changed it.
    pub updated_at: Option<Timestamp>,
    /// The provider reported that the record no longer exists; the last content is kept.
    pub deleted: bool,
}

impl RawRecord {
    /// SHA-256 of the body: the address of this version.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.body.as_bytes()).into()
    }
}

/// Three ways of no longer counting, and the ordinary state. They are different things at both providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordState {
    Active,
    /// Made inactive or archived: still referred to, hidden from pickers.
    Archived,
    /// Kept by the provider with no effect on the books.
    Voided,
    /// Gone at the provider; we keep its last content.
    Deleted,
}

impl RecordState {
    pub fn as_str(self) -> &'static str {
        match self {
            RecordState::Active => "active",
            RecordState::Archived => "archived",
            RecordState::Voided => "voided",
            RecordState::Deleted => "deleted",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [RecordState::Active, RecordState::Archived, RecordState::Voided, RecordState::Deleted].into_iter().find(|s| s.as_str() == word)
    }
}
