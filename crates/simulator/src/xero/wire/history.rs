//! What hangs on a record: its history of notes and its attached files.
//!
//! Contract: providers/xero.md 3.7; Xero-OpenAPI HistoryRecord and Attachment.
use super::dates;
use super::json::Object;
use crate::books::Books;
use crate::books::lists::Attachment;
use crate::xero::resource::Resource;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

/// Newest first: the notes, then the moment the record was made.
pub fn records(books: &Books, resource: Resource, id: u64) -> Vec<String> {
    let notes = books.xero.notes.get(&(resource.word(), id)).into_iter().flatten().rev();
    let mut records: Vec<String> = notes.map(|note| record(note.at, note.changes, &note.user, &note.details)).collect();
    if let Some(document) = books.documents.get(&id).filter(|document| resource.kinds().contains(&document.kind)) {
        records.push(record(document.created_at, "Created", "System Generated", &format!("{} {}", resource.word(), document.number)));
    }
    records
}

fn record(at: Timestamp, changes: &str, user: &str, details: &str) -> String {
    Object::new()
        .text("Changes", changes)
        .text("DateUTCString", &dates::time_string(at)[..19])
        .raw("DateUTC", &dates::ms_time(at))
        .text("User", user)
        .text("Details", details)
        .end()
}

fn attached<'a>(books: &'a Books, word: &'a str, id: u64) -> impl Iterator<Item = &'a Attachment> {
    let files = books.lists.attachments.values().filter(|attachment| !attachment.stamp.deleted && !attachment.file_name.is_empty());
    files.filter(move |attachment| attachment.owners.iter().any(|owner| owner.id == id && owner.kind == word))
}

pub fn has_attachments(books: &Books, word: &str, id: u64) -> bool {
    attached(books, word, id).next().is_some()
}

pub fn attachments(books: &Books, resource: Resource, id: u64) -> Vec<String> {
    attached(books, resource.word(), id).map(|attachment| attachment_of(books, resource, id, attachment)).collect()
}

pub fn attachment_of(books: &Books, resource: Resource, id: u64, attachment: &Attachment) -> String {
    let record = books.guid(resource.word(), id);
    let url = format!("https://api.xero.com/api.xro/2.0/{}/{record}/Attachments/{}", resource.path(), attachment.file_name);
    Object::new()
        .text("AttachmentID", &books.guid("Attachment", attachment.id))
        .text("FileName", &attachment.file_name)
        .text("Url", &url)
        .text("MimeType", &attachment.content_type)
        .number("ContentLength", attachment.size_bytes)
        .flag("IncludeOnline", attachment.include_online)
        .end()
}

/// The file itself, by its id or name.
pub fn download(books: &Books, resource: Resource, id: u64, file: &str) -> Option<Response> {
    let wanted = |attachment: &&Attachment| {
        attachment.file_name.eq_ignore_ascii_case(file) || books.guid("Attachment", attachment.id).eq_ignore_ascii_case(file)
    };
    let attachment = attached(books, resource.word(), id).find(wanted)?;
    let content_type = HeaderValue::from_str(&attachment.content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Some(([(header::CONTENT_TYPE, content_type)], attachment.content()).into_response())
}
