//! Files and notes that hang on documents and list entries.
use super::Stamp;
use crate::books::Books;
use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub id: u64,
    /// Empty for a note without a file.
    pub file_name: String,
    pub content_type: String,
    pub size_bytes: u64,
    /// The file; without it a download gives as many bytes of filler as `size_bytes` says.
    pub bytes: Option<Vec<u8>>,
    pub note: String,
    pub owners: Vec<Owner>,
    /// Xero: customers see it with the online invoice.
    pub include_online: bool,
    pub stamp: Stamp,
}

/// What an attachment hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The face's name of the kind of record: `Invoice`, `Customer`, `Contact`.
    pub kind: String,
    pub id: u64,
    /// QuickBooks: whether it goes out with the document.
    pub include_on_send: bool,
}

impl Attachment {
    /// The file's bytes.
    pub fn content(&self) -> Vec<u8> {
        let size = usize::try_from(self.size_bytes).unwrap_or(0).min(10 << 20);
        self.bytes.clone().unwrap_or_else(|| b"Imagined file of the sandbox. ".iter().copied().cycle().take(size).collect())
    }
}

impl Books {
    pub fn add_attachment(
        &mut self,
        file_name: impl Into<String>,
        content_type: impl Into<String>,
        bytes: Option<Vec<u8>>,
        size_bytes: u64,
        owners: Vec<Owner>,
        now: Timestamp,
    ) -> u64 {
        let id = self.take_id();
        let size_bytes = bytes.as_ref().map_or(size_bytes, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let attachment = Attachment {
            id,
            file_name: file_name.into(),
            content_type: content_type.into(),
            size_bytes,
            bytes,
            note: String::new(),
            owners,
            include_online: false,
            stamp: Stamp::new(now),
        };
        self.lists.attachments.insert(id, attachment);
        id
    }
}
