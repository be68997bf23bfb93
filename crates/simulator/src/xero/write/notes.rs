//! Notes on the history of a record, and files attached to it.
use super::fields::{self, Problems};
use crate::books::Books;
use crate::books::lists::Owner;
use crate::books::xero::Note;
use crate::xero::resource::Resource;
use crate::xero::tree::Node;
use crate::xero::wire::dates;
use crate::xero::wire::history;
use crate::xero::wire::json::Object;
use axum::body::Bytes;
use jiff::Timestamp;

/// Xero's limit of a note.
const LONGEST_NOTE: usize = 450;

pub fn note(books: &mut Books, resource: Resource, owner: u64, element: &Node, user: &str, now: Timestamp) -> Result<String, Problems> {
    let details = fields::text(element, "Details")?.filter(|text| !text.is_empty());
    let details = details.ok_or_else(|| Problems::one("Details must be specified"))?;
    if details.chars().count() > LONGEST_NOTE {
        return Err(Problems::one(format!("Details cannot be longer than {LONGEST_NOTE} characters")));
    }
    let note = Note { at: now, changes: "Note", user: user.to_string(), details };
    let shown = Object::new()
        .text("Changes", note.changes)
        .text("DateUTCString", &dates::time_string(now)[..19])
        .raw("DateUTC", &dates::ms_time(now))
        .text("User", &note.user)
        .text("Details", &note.details);
    books.xero.notes.entry((resource.word(), owner)).or_default().push(note);
    Ok(shown.end())
}

/// A file under its name; the same name again replaces it.
#[allow(clippy::too_many_arguments)] // what a file is and where it hangs
pub fn attach(
    books: &mut Books,
    resource: Resource,
    owner: u64,
    file: &str,
    content_type: &str,
    body: &Bytes,
    online: bool,
    now: Timestamp,
) -> String {
    let word = resource.word();
    for known in books.lists.attachments.values_mut() {
        if known.file_name == file && known.owners.iter().any(|known| known.kind == word && known.id == owner) {
            known.stamp.deleted = true;
        }
    }
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
    let hangs_on = Owner { kind: word.into(), id: owner, include_on_send: online };
    let id = books.add_attachment(file, kind, Some(body.to_vec()), 0, vec![hangs_on], now);
    let attachment = books.lists.attachments.get_mut(&id).expect("added above");
    attachment.include_online = online;
    let attachment = attachment.clone();
    history::attachment_of(books, resource, owner, &attachment)
}
