//! PUT and POST of ManualJournals.
use super::fields::{self, Problems};
use super::lines;
use super::{Maker, Saved};
use crate::books::posting::tax_on;
use crate::books::xero::AmountTypes;
use crate::books::{Books, DocumentId, Kind, NewDocument, NewLine, Status};
use crate::money::Cents;
use crate::xero::tree::Node;

const MOST_LINES: usize = 900;

pub fn save(books: &mut Books, maker: &Maker, known: Option<DocumentId>, element: &Node) -> Saved {
    let named = element.get("ManualJournalID").and_then(Node::text).filter(|id| !id.is_empty());
    let known = match (known, named) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => {
            let found = books.id_of_guid("ManualJournal", id).filter(|id| books.documents.get(id).is_some_and(|d| d.kind == Kind::Journal));
            Some(found.ok_or_else(|| Problems::one("The manual journal could not be found"))?)
        }
        (None, None) => None,
    };
    let old = known.map(|id| books.documents[&id].clone());
    let mut problems = Problems::default();
    let status = problems.take(fields::text(element, "Status")).unwrap_or_default();
    let narration = problems.take(fields::text(element, "Narration")).filter(|text| !text.is_empty());
    let date = problems.take(fields::date(element, "Date"));
    let on_cash = problems.take(fields::flag(element, "ShowOnCashBasisReports"));
    let url = problems.take(fields::text(element, "Url"));
    let known_types = known.and_then(|id| books.xero.documents.get(&id)).and_then(|details| details.amount_types);
    let amount_types = problems.take(lines::amount_types(element)).or(known_types).unwrap_or(AmountTypes::NoTax);
    let given = problems.take(read(books, element, amount_types));
    if let Some(old) = &old {
        if matches!(old.status, Status::Voided | Status::Deleted) {
            return Err(Problems::one("A manual journal that is voided or deleted cannot be changed"));
        }
        if matches!(status.as_str(), "VOIDED" | "DELETED") {
            problems.end()?;
            if old.status == Status::Draft {
                books.delete(old.id, maker.now)?
            } else {
                books.void(old.id, maker.now)?
            };
            return Ok(old.id);
        }
    }
    let wanted = match (status.as_str(), &old) {
        ("", Some(old)) => old.status,
        ("" | "DRAFT", _) => Status::Draft,
        ("POSTED", _) => Status::Active,
        (other, _) => {
            problems.0.push(format!("Status '{other}' is not valid for a manual journal"));
            Status::Draft
        }
    };
    if old.is_none() && narration.is_none() {
        problems.0.push("Narration must be specified".into());
    }
    if old.is_none() && element.get("JournalLines").is_none() {
        problems.0.push("JournalLines must be specified".into());
    }
    problems.end()?;
    let (items, tax_lines) = match (given, &old) {
        (Some(given), _) => given,
        (None, Some(old)) => {
            let tax_lines = books.xero.documents.get(&old.id).map_or(0, |details| details.tax_lines);
            (old.lines.iter().map(NewLine::again).collect(), tax_lines)
        }
        (None, None) => return Err(Problems::one("JournalLines must be specified")),
    };
    let new = NewDocument {
        status: wanted,
        lines: items,
        memo: narration.or_else(|| old.as_ref().map(|old| old.memo.clone())).unwrap_or_default(),
        details: old.as_ref().map(|old| old.details.clone()).unwrap_or_default(),
        ..NewDocument::new(Kind::Journal, date.or(old.as_ref().map(|old| old.date)).unwrap_or(maker.today))
    };
    let id = match &old {
        Some(old) => {
            books.replace_document(old.id, new, maker.now)?;
            old.id
        }
        None => books.add_document(new, maker.now)?,
    };
    let details = books.xero.documents.entry(id).or_default();
    details.amount_types = Some(amount_types);
    details.tax_lines = tax_lines;
    details.hidden_on_cash_basis = on_cash.map_or(details.hidden_on_cash_basis, |shown| !shown);
    details.url = url.unwrap_or_else(|| details.url.clone());
    Ok(id)
}

/// The lines, then one line of tax for each that carries some: the net goes to the account, the tax to the tax account
/// (developer.xero.com, "Manual journals"). Also how many those are.
fn read(books: &Books, element: &Node, amount_types: AmountTypes) -> Result<Option<(Vec<NewLine>, usize)>, Problems> {
    let Some(given) = element.get("JournalLines") else { return Ok(None) };
    let entries = given.list().ok_or_else(|| Problems::one("JournalLines must be a list"))?;
    if !(2..=MOST_LINES).contains(&entries.len()) {
        return Err(Problems::one("A manual journal needs at least two lines"));
    }
    let (mut found, mut taxes, mut problems) = (Vec::new(), Vec::new(), Problems::default());
    for entry in entries {
        match line(books, entry, amount_types) {
            Ok((line, tax)) => {
                found.push(line);
                taxes.extend(tax);
            }
            Err(Problems(more)) => problems.0.extend(more),
        }
    }
    problems.end()?;
    let sum: Cents = found.iter().chain(&taxes).map(|line| line.amount).sum();
    if !sum.is_zero() {
        return Err(Problems::one(format!("The total debits must equal total credits: they differ by {sum}")));
    }
    let tax_lines = taxes.len();
    found.extend(taxes);
    Ok(Some((found, tax_lines)))
}

fn line(books: &Books, node: &Node, amount_types: AmountTypes) -> Result<(NewLine, Option<NewLine>), Problems> {
    let account = fields::account(books, node.get("AccountID"), node.get("AccountCode"))?;
    let account = account.ok_or_else(|| Problems::one("Account code or ID must be specified"))?;
    let amount = fields::money(node, "LineAmount")?.ok_or_else(|| Problems::one("LineAmount must be specified"))?;
    let description = fields::text(node, "Description")?.unwrap_or_default();
    let code = fields::text(node, "TaxType")?.filter(|code| !code.is_empty());
    let rate = match (amount_types, code) {
        (AmountTypes::NoTax, _) | (_, None) => None,
        (_, Some(code)) => lines::tax_rate_of(books, &code)?.and_then(|id| books.tax_rate(id)),
    };
    let Some(rate) = rate else {
        let tracking = lines::tracking(books, node)?;
        return Ok((NewLine { tracking, ..NewLine::new(account.id, amount, description) }, None));
    };
    let tax = match amount_types {
        AmountTypes::Inclusive => amount - lines::net_of(amount, rate.basis_points),
        _ => tax_on(amount, rate.basis_points),
    };
    let net = if amount_types == AmountTypes::Inclusive { amount - tax } else { amount };
    let own = NewLine {
        tax_rate: Some(rate.id),
        tax_amount: Some(tax),
        tracking: lines::tracking(books, node)?,
        ..NewLine::new(account.id, net, description)
    };
    Ok((own, Some(NewLine::new(rate.account, tax, rate.name.clone())).filter(|_| !tax.is_zero())))
}
