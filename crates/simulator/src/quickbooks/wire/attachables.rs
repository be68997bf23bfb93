//! Attachable.
use super::View;
use super::tree::Object;
use crate::books::lists::Attachment;
use crate::quickbooks::files;

/// "Ids are 19-digit numbers" (contract 7.5).
const FIRST_ID: u64 = 5_000_000_000_000_000_000;

pub fn shown_id(id: u64) -> u64 {
    FIRST_ID.saturating_add(id)
}

/// The attachment behind a shown id.
pub fn id_of(shown: u64) -> Option<u64> {
    shown.checked_sub(FIRST_ID)
}

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/attachable>. A note without a file has no file name,
/// address or size.
pub fn attachable(view: &View, attachment: &Attachment) -> Object {
    let owners = attachment.owners.iter().map(|owner| {
        Object::new()
            .put("EntityRef", Object::new().put("value", owner.id.to_string()).put("type", owner.kind.clone()))
            .put("IncludeOnSend", owner.include_on_send)
    });
    let owners: Vec<Object> = owners.collect();
    let id = shown_id(attachment.id);
    let object = if attachment.file_name.is_empty() {
        Object::new()
    } else {
        Object::new()
            .put("FileName", attachment.file_name.clone())
            .put("FileAccessUri", format!("/v3/company/{}/download/{id}", view.books.id))
            .put("TempDownloadUri", files::address(view, attachment))
            .put("Size", crate::quickbooks::wire::tree::Json::Number(attachment.size_bytes.to_string()))
            .put_text("ContentType", &attachment.content_type)
    };
    let object = object.put_text("Note", &attachment.note);
    let object = if owners.is_empty() { object } else { object.put("AttachableRef", owners) };
    view.stamped(object, id, &attachment.stamp)
}
