//! Attachments as the API hands them out and takes them in.
use super::files;
use super::refusal::Refusal;
use super::wire::View;
use super::wire::attachables;

/// `GET …/download/{attachableId}`: "answers a temporary URL as text" (contract 2.1).
pub fn download(view: &View, id: &str) -> Result<String, Refusal> {
    let shown: u64 = id.parse().map_err(|_| Refusal::invalid_id(id))?;
    let attachment = attachables::id_of(shown).and_then(|id| view.books.lists.attachments.get(&id));
    let attachment = attachment.filter(|attachment| !attachment.stamp.deleted && !attachment.file_name.is_empty());
    attachment.map(|attachment| files::address(view, attachment)).ok_or_else(Refusal::not_found)
}
