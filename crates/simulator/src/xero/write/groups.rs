//! ContactGroups with their members, and LinkedTransactions.
use super::fields::{self, Problems};
use super::{Maker, Saved};
use crate::books::xero::{ContactGroup, LinkedTransaction};
use crate::books::{Books, DocumentId, Kind};
use crate::xero::refusal::Refusal;
use crate::xero::resource::Resource;
use crate::xero::tree::Node;
use crate::xero::wire::lines;
use crate::xero::wire::{Detail, contacts};
use std::collections::BTreeSet;

pub fn save(books: &mut Books, _: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let name = problems.take(fields::text(element, "Name")).filter(|name| !name.is_empty());
    let status = problems.take(fields::text(element, "Status"));
    let same =
        |group: &ContactGroup| !group.deleted && Some(group.id) != known && name.as_ref().is_some_and(|name| group.name.eq_ignore_ascii_case(name));
    if books.xero.contact_groups.values().any(same) {
        problems.0.push("The contact group name must be unique.".into());
    }
    if known.is_none() && name.is_none() {
        problems.0.push("The contact group needs a Name.".into());
    }
    problems.end()?;
    let id = match known {
        Some(id) => id,
        None => books.new_xero_id(),
    };
    let group =
        books.xero.contact_groups.entry(id).or_insert_with(|| ContactGroup { id, name: String::new(), contacts: BTreeSet::new(), deleted: false });
    group.name = name.unwrap_or_else(|| group.name.clone());
    group.deleted = status.as_deref() == Some("DELETED");
    Ok(id)
}

/// `PUT ContactGroups/{id}/Contacts`.
pub fn add_member(books: &mut Books, group: u64, element: &Node) -> Result<String, Problems> {
    let id =
        element.get("ContactID").and_then(Node::text).and_then(|id| books.id_of_guid("Contact", id)).filter(|id| books.contacts.contains_key(id));
    let id = id.ok_or_else(|| Problems::one("The Contact could not be found"))?;
    if let Some(group) = books.xero.contact_groups.get_mut(&group) {
        group.contacts.insert(id);
    }
    Ok(contacts::embedded(books, id, Detail::Listed).unwrap_or_else(|| "{}".into()))
}

/// One member, or all of them.
pub fn remove_members(books: &mut Books, group: u64, member: Option<&str>) -> Result<(), Refusal> {
    let id = member.map(|guid| books.id_of_guid("Contact", guid).ok_or(Refusal::NotFound)).transpose()?;
    let Some(group) = books.xero.contact_groups.get_mut(&group) else { return Err(Refusal::NotFound) };
    match id {
        None => group.contacts.clear(),
        Some(id) if group.contacts.remove(&id) => {}
        Some(_) => return Err(Refusal::NotFound),
    }
    Ok(())
}

pub fn save_linked(books: &mut Books, maker: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let document = |name: &str, kinds: &[Kind]| -> Result<Option<DocumentId>, Problems> {
        let Some(guid) = element.get(name).and_then(Node::text).filter(|id| !id.is_empty()) else { return Ok(None) };
        let found = [Resource::Invoices, Resource::BankTransactions].into_iter().find_map(|resource| books.id_of_guid(resource.word(), guid));
        let found = found.filter(|id| books.documents.get(id).is_some_and(|document| kinds.contains(&document.kind)));
        found.map(Some).ok_or_else(|| Problems::one(format!("{name} could not be found")))
    };
    let line = |name: &str, document: Option<DocumentId>| -> Result<Option<u64>, Problems> {
        let Some(guid) = element.get(name).and_then(Node::text).filter(|id| !id.is_empty()) else { return Ok(None) };
        let own = document.and_then(|id| books.documents.get(&id)).into_iter().flat_map(|d| d.lines.iter().map(|line| (d.id, line.id)));
        let found = own.into_iter().find(|(document, line)| lines::line_guid(books, *document, *line).eq_ignore_ascii_case(guid));
        found.map(|(_, line)| Some(line)).ok_or_else(|| Problems::one(format!("{name} could not be found")))
    };
    let mut problems = Problems::default();
    let source = problems.take(document("SourceTransactionID", &[Kind::Bill, Kind::Expense]));
    let old = known.and_then(|id| books.xero.linked_transactions.get(&id)).cloned();
    let source = source.or(old.as_ref().map(|old| old.source));
    let source_line = problems.take(line("SourceLineItemID", source)).or(old.as_ref().map(|old| old.source_line));
    let target = problems.take(document("TargetTransactionID", &[Kind::Invoice])).or(old.as_ref().and_then(|old| old.target));
    let target_line = problems.take(line("TargetLineItemID", target)).or(old.as_ref().and_then(|old| old.target_line));
    let contact = match element.get("ContactID").and_then(Node::text).filter(|id| !id.is_empty()) {
        None => old.as_ref().and_then(|old| old.contact),
        Some(guid) => {
            let found = books.id_of_guid("Contact", guid).filter(|id| books.contacts.contains_key(id));
            if found.is_none() {
                problems.0.push("ContactID could not be found".into());
            }
            found
        }
    };
    if source.is_none() || source_line.is_none() {
        problems.0.push("SourceTransactionID and SourceLineItemID must be specified".into());
    }
    problems.end()?;
    let id = known.unwrap_or_else(|| books.new_xero_id());
    let (source, source_line) = (source.unwrap_or_default(), source_line.unwrap_or_default());
    let linked = LinkedTransaction { id, source, source_line, contact, target, target_line, updated_at: maker.now };
    books.xero.linked_transactions.insert(id, linked);
    Ok(id)
}
