//! Attachments as the API hands them out and takes them in.
use super::body;
use super::frame::Call;
use super::moments;
use super::refusal::Refusal;
use super::schema::conform;
use super::wire::View;
use super::wire::attachables;
use super::wire::tree::{Json, Object};
use super::{files, rows, write};
use crate::books::Books;
use crate::quickbooks::entity::Entity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use std::borrow::Cow;

/// `GET …/download/{attachableId}`: "answers a temporary URL as text" (contract 2.1).
pub fn download(view: &View, id: &str) -> Result<String, Refusal> {
    let shown: u64 = id.parse().map_err(|_| Refusal::invalid_id(id))?;
    let attachment = attachables::id_of(shown).and_then(|id| view.books.lists.attachments.get(&id));
    let attachment = attachment.filter(|attachment| !attachment.stamp.deleted && !attachment.file_name.is_empty());
    attachment.map(|attachment| files::address(view, attachment)).ok_or_else(Refusal::not_found)
}

/// `POST …/upload`: pairs of parts `file_metadata_0N` (JSON) and `file_content_0N`. "A failure is a Fault inside it with HTTP 200"
/// (contract 7.5).
pub fn upload(books: &mut Books, call: &Call, now: Timestamp) -> Result<Object, Refusal> {
    let boundary = call.content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary=")).map(|boundary| boundary.trim_matches('"'));
    let boundary = boundary.ok_or_else(|| Refusal::missing_parameter("boundary"))?;
    let parts = parts(&call.body, boundary);
    let mut answers = Vec::new();
    for file in parts.iter().filter(|part| part.name.starts_with("file_content")) {
        let number = file.name.trim_start_matches("file_content");
        let facts = parts.iter().find(|part| part.name.strip_prefix("file_metadata") == Some(number));
        let answered = one(books, file, facts, &call.base, now);
        answers.push(answered.unwrap_or_else(|refusal| refusal.fault()));
    }
    if answers.is_empty() {
        return Err(Refusal::missing_parameter("file_content_0"));
    }
    Ok(Object::new().put("AttachableResponse", answers).put("time", Json::Text(moments::milliseconds(now))))
}

fn one(books: &mut Books, file: &Part, facts: Option<&Part>, base: &str, now: Timestamp) -> Result<Object, Refusal> {
    let sent = match facts {
        None => Object::new(),
        Some(facts) => {
            let text = String::from_utf8_lossy(&facts.content);
            let value = body::read(&text).map_err(|error| Refusal::unsupported_property(&error.to_string()))?;
            // Some clients wrap the record in its name.
            let value = value.get("Attachable").cloned().unwrap_or(value);
            conform::object("Attachable", &value)?
        }
    };
    let owners = write::owners(&sent)?;
    for owner in &owners {
        let known = Entity::named(&owner.kind).and_then(|entity| rows::find(books, entity, owner.id)).filter(|row| !row.is_deleted());
        known.ok_or_else(Refusal::not_found)?;
    }
    let named = |key: &str| match sent.get(key) {
        Some(Json::Text(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let name = named("FileName").unwrap_or_else(|| file.file_name.clone());
    if name.is_empty() {
        return Err(Refusal::missing_parameter("FileName"));
    }
    let content_type = named("ContentType").unwrap_or_else(|| file.content_type.clone());
    let id = books.add_attachment(name, content_type, Some(file.content.to_vec()), 0, owners, now);
    books.lists.attachments.get_mut(&id).expect("added above").note = named("Note").unwrap_or_default();
    let view = View::new(books, now).asked_at(base);
    Ok(Object::new().put("Attachable", attachables::attachable(&view, &books.lists.attachments[&id])))
}

/// One part of a multipart body.
struct Part<'a> {
    name: String,
    file_name: String,
    content_type: String,
    content: Cow<'a, [u8]>,
}

/// The parts between `--boundary` lines: <https://www.rfc-editor.org/rfc/rfc7578>. Lines may end in a bare line feed, and content may be packed as
/// Base64: python-quickbooks writes both, and the provider reads them (its client.py, `make_request`).
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<Part<'a>> {
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body;
    let mut start = find(rest, mark.as_bytes());
    while let Some(at) = start {
        rest = &rest[at + mark.len()..];
        let end = find(rest, mark.as_bytes());
        let inside = &rest[..end.unwrap_or(rest.len())];
        let blank = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().filter_map(|blank| Some((find(inside, blank)?, blank.len()))).min();
        if let Some((split, length)) = blank {
            let head = String::from_utf8_lossy(&inside[..split]);
            let content = &inside[split + length..];
            let content = content.strip_suffix(b"\r\n").or_else(|| content.strip_suffix(b"\n")).unwrap_or(content);
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(':'));
                lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
            };
            let disposition = header("content-disposition");
            let parameter = |name: &str| {
                let mut found = disposition.split(';').filter_map(|part| part.trim().split_once('='));
                found.find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"').to_owned()).unwrap_or_default()
            };
            let packed = header("content-transfer-encoding").eq_ignore_ascii_case("base64");
            let unpacked = packed.then(|| STANDARD.decode(content.trim_ascii()).ok()).flatten();
            let content = unpacked.map_or(Cow::Borrowed(content), Cow::Owned);
            parts.push(Part { name: parameter("name"), file_name: parameter("filename"), content_type: header("content-type"), content });
        }
        start = end;
    }
    parts
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
