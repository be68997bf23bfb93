//! Properties that only this face knows: kept as they were sent, and laid over what the books give.
use super::fields::{inner, objects, text};
use crate::books::Books;
use crate::money::Cents;
use crate::quickbooks::body;
use crate::quickbooks::entity::Entity;
use crate::quickbooks::rows;
use crate::quickbooks::schema::conform;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What the books say or the provider works out; whatever a client sends for it is not kept.
const OF_THE_BOOKS: [&str; 63] = [
    "Id",
    "SyncToken",
    "MetaData",
    "domain",
    "sparse",
    "status",
    "Line",
    "LinkedTxn",
    "TxnTaxDetail",
    "TotalAmt",
    "HomeTotalAmt",
    "Balance",
    "HomeBalance",
    "BalanceWithJobs",
    "RemainingCredit",
    "UnappliedAmt",
    "DocNumber",
    "TxnDate",
    "DueDate",
    "ExpirationDate",
    "PrivateNote",
    "CurrencyRef",
    "ExchangeRate",
    "CustomerRef",
    "VendorRef",
    "EntityRef",
    "DepartmentRef",
    "ClassRef",
    "SalesTermRef",
    "PaymentMethodRef",
    "PaymentRefNum",
    "DepositToAccountRef",
    "ARAccountRef",
    "APAccountRef",
    "AccountRef",
    "AdjustAccountRef",
    "CreditCardAccountRef",
    "BankAccountRef",
    "Credit",
    "CashBack",
    "PayType",
    "FromAccountRef",
    "ToAccountRef",
    "Name",
    "DisplayName",
    "FullyQualifiedName",
    "Active",
    "SubAccount",
    "SubClass",
    "SubDepartment",
    "AccountType",
    "Classification",
    "AcctNum",
    "CurrentBalance",
    "CurrentBalanceWithSubAccounts",
    "OpeningBalance",
    "OpeningBalanceDate",
    "POStatus",
    "V4IDPseudonym",
    "InvoiceLink",
    "AttachableRef",
    "FileAccessUri",
    "TempDownloadUri",
];

/// Of a line and its detail.
const OF_A_LINE: [&str; 13] = [
    "Id",
    "LineNum",
    "Amount",
    "Description",
    "DetailType",
    "GroupLineDetail",
    "LinkedTxn",
    "ItemRef",
    "AccountRef",
    "ItemAccountRef",
    "ClassRef",
    "Entity",
    "PostingType",
];

fn is_of_the_books(entity: Entity, key: &str) -> bool {
    match (entity, key) {
        (Entity::Customer | Entity::Vendor, "ParentRef" | "AcctNum" | "SalesTermRef" | "PaymentMethodRef") => false,
        (Entity::TimeActivity, "Hours" | "Minutes" | "Seconds" | "HourlyRate" | "BillableStatus" | "Description" | "NameOf") => true,
        (Entity::TimeActivity, "EmployeeRef" | "ItemRef") => true,
        (Entity::Item, "Description" | "IncomeAccountRef" | "ExpenseAccountRef" | "TrackQtyOnHand" | "QtyOnHand" | "AssetAccountRef") => true,
        (Entity::Transaction(crate::books::Kind::Transfer) | Entity::Variant(_), "Amount" | "CheckNum") => true,
        (Entity::Transaction(crate::books::Kind::BillPayment), "CheckPayment" | "CreditCardPayment") => true,
        (Entity::Order(_), "TxnStatus") => true,
        (Entity::Term, "Type" | "DueDays" | "DiscountPercent" | "DiscountDays" | "DayOfMonthDue" | "DueNextMonthDays" | "DiscountDayOfMonth") => true,
        (Entity::PaymentMethod, "Type") => true,
        (Entity::Employee, "GivenName" | "FamilyName" | "HiredDate" | "ReleasedDate") => true,
        (Entity::CompanyCurrency, "Code") => true,
        (Entity::Attachable, "Note" | "FileName" | "ContentType" | "Size") => true,
        (Entity::Account | Entity::Tracking(_), "ParentRef") => true,
        (_, key) => OF_THE_BOOKS.contains(&key),
    }
}

/// The whole record of a sparse update: what is shown, under what was sent.
pub fn laid_over(shown: &Object, sent: Object) -> Object {
    let mut whole = shown.clone();
    for (key, value) in sent.0 {
        whole.set(key, value);
    }
    whole
}

/// What is kept of a record and of its lines.
pub type Kept = (BTreeMap<String, String>, BTreeMap<String, String>);

pub fn kept(books: &Books, entity: Entity, id: u64) -> Kept {
    let of = |word: String| books.lists.properties.get(&(word, id)).cloned().unwrap_or_default();
    (of(entity.name().to_owned()), of(format!("{}.Line", entity.name())))
}

/// Keeps what the books have no place for. True: something is kept otherwise than before.
pub fn keep(books: &mut Books, entity: Entity, id: u64, sent: &Object, before: Kept, now: Timestamp) -> bool {
    let own_key = (entity.name().to_owned(), id);
    let line_key = (format!("{}.Line", entity.name()), id);
    let own_before = books.lists.properties.remove(&own_key).unwrap_or_default();
    let variants = variants(books.lists.properties.get(&line_key));
    // The lines' own entries hold what kind of line the books' line stands for; only that stays for the comparison.
    books.lists.properties.insert(line_key.clone(), variants.clone());
    let plain = rows::find(books, entity, id).expect("the record was just written").render(&View::new(books, now));
    // What was hidden and is not sent now stays hidden.
    let hidden = own_before.iter().filter(|(_, value)| *value == "\"\"");
    let mut own: BTreeMap<String, String> = hidden.map(|(key, value)| (key.clone(), value.clone())).collect();
    own.retain(|key, _| sent.get(key).is_none_or(is_nothing));
    for (key, value) in &sent.0 {
        if !is_of_the_books(entity, key) && plain.get(key).is_none_or(|shown| !same(shown, value)) && !(is_nothing(value) && plain.get(key).is_none())
        {
            own.insert((*key).to_owned(), written(value));
        }
    }
    let shown_lines = objects(&plain, "Line");
    let mut lines = variants;
    // The books keep the lines of a bundle behind the bundle's own.
    let sent_lines: Vec<&Object> = objects(sent, "Line")
        .into_iter()
        .flat_map(|line| std::iter::once(line).chain(inner(line, "GroupLineDetail").into_iter().flat_map(|detail| objects(detail, "Line"))))
        .collect();
    let kind = |line: &Object| text(line, "DetailType").map(|kind| if kind == "GroupLineDetail" { "SalesItemLineDetail" } else { kind }.to_owned());
    for (position, line) in sent_lines.iter().enumerate() {
        // A line without an id is the one at its place among the lines of its kind.
        let of_kind = |other: &&&Object| kind(other) == kind(line);
        let place = sent_lines[..position].iter().filter(of_kind).count();
        let by_id = text(line, "Id").and_then(|id| shown_lines.iter().find(|shown| text(shown, "Id") == Some(id)));
        let shown = by_id.or_else(|| shown_lines.iter().filter(of_kind).nth(place)).filter(of_kind);
        let Some((shown, line_id)) = shown.and_then(|shown| Some((shown, text(shown, "Id")?))) else { continue };
        let more = beyond(line, shown);
        if !more.0.is_empty() {
            let mut kept = lines.get(line_id).and_then(|text| parsed("Line", text)).unwrap_or_default();
            kept.lay_over(more);
            lines.insert(line_id.to_owned(), serde_json::to_string(&kept).expect("a tree is JSON"));
        }
    }
    let changed = (&own, &lines) != (&before.0, &before.1);
    put(books, own_key, own);
    put(books, line_key, lines);
    changed
}

/// Leaves out a property that the books would show.
pub fn hide(books: &mut Books, entity: Entity, id: u64, property: &str) {
    let kept = books.lists.properties.entry((entity.name().to_owned(), id)).or_default();
    kept.insert(property.to_owned(), "\"\"".to_owned());
}

fn put(books: &mut Books, key: (String, u64), properties: BTreeMap<String, String>) {
    if properties.is_empty() {
        books.lists.properties.remove(&key);
    } else {
        books.lists.properties.insert(key, properties);
    }
}

/// The kind of line and its links, of lines that have one.
fn variants(kept: Option<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let lines = kept.into_iter().flatten().filter_map(|(line, text)| {
        let kept = parsed("Line", text)?;
        let own = Object(kept.0.into_iter().filter(|(key, _)| matches!(*key, "DetailType" | "LinkedTxn" | "GroupLineDetail")).collect());
        (!own.0.is_empty()).then(|| (line.clone(), serde_json::to_string(&own).expect("a tree is JSON")))
    });
    lines.collect()
}

/// Sets what kinds of lines the books' lines of a document stand for, by the ids the lines are shown with.
pub fn set_variants(books: &mut Books, entity: Entity, id: u64, variants: Vec<(String, Object)>) {
    let written = variants.into_iter().map(|(line, variant)| (line, serde_json::to_string(&variant).expect("a tree is JSON")));
    put(books, (format!("{}.Line", entity.name()), id), written.collect());
}

/// A voided document shows no prices of its lines.
pub fn zero_lines(books: &mut Books, entity: Entity, id: u64) {
    let key = (format!("{}.Line", entity.name()), id);
    let variants = variants(books.lists.properties.get(&key));
    put(books, key, variants);
}

/// What `sent` says that `shown` does not, inner objects likewise.
fn beyond(sent: &Object, shown: &Object) -> Object {
    let mut more = Object::new();
    for (key, value) in &sent.0 {
        if OF_A_LINE.contains(key) || is_nothing(value) {
            continue;
        }
        match (value, shown.get(key)) {
            (Json::Object(sent), Some(Json::Object(shown))) if sent.get("value").is_none() => {
                let inner = beyond(sent, shown);
                if !inner.0.is_empty() {
                    more.0.push((key, inner.into()));
                }
            }
            (value, Some(shown)) if same(shown, value) => {}
            (value, _) => more.0.push((key, value.clone())),
        }
    }
    more
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Text(text) => text.is_empty(),
        Json::List(items) => items.is_empty(),
        Json::Object(object) => object.0.is_empty(),
        _ => false,
    }
}

/// Whether two values say the same: references by their value, numbers by their worth.
fn same(shown: &Json, sent: &Json) -> bool {
    match (shown, sent) {
        (Json::Object(shown), Json::Object(sent)) => match (text(shown, "value"), text(sent, "value")) {
            (Some(shown), Some(sent)) => shown == sent,
            _ => {
                shown.0.len() == sent.0.len()
                    && shown.0.iter().all(|(key, value)| sent.0.iter().any(|(other, sent)| key == other && same(value, sent)))
            }
        },
        (Json::List(shown), Json::List(sent)) => shown.len() == sent.len() && shown.iter().zip(sent).all(|(shown, sent)| same(shown, sent)),
        (Json::Bool(shown), Json::Bool(sent)) => shown == sent,
        (shown, sent) => trimmed(shown) == trimmed(sent),
    }
}

fn trimmed(value: &Json) -> String {
    let text = match value {
        Json::Text(text) => return text.clone(),
        other => written(other),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn written(value: &Json) -> String {
    serde_json::to_string(value).expect("a tree is JSON")
}

fn parsed(of: &str, text: &str) -> Option<Object> {
    conform::object(of, &body::read(text).ok()?).ok()
}

/// What is kept of a line under the id it is shown with.
pub fn of_line(books: &Books, entity: Entity, id: u64, line: &str) -> Option<Object> {
    let kept = books.lists.properties.get(&(format!("{}.Line", entity.name()), id))?;
    parsed("Line", kept.get(line)?)
}

/// Whether anything is kept of a record's lines.
pub fn has_lines(books: &Books, entity: Entity, id: u64) -> bool {
    !books.lists.properties.is_empty() && books.lists.properties.contains_key(&(format!("{}.Line", entity.name()), id))
}

/// Lays what is kept of a record over what the books give.
pub fn lay_over(books: &Books, entity: Entity, id: u64, object: &mut Object) {
    if books.lists.properties.is_empty() {
        return;
    }
    if let Some(kept) = books.lists.properties.get(&(entity.name().to_owned(), id)) {
        let entries: Vec<String> =
            kept.iter().map(|(key, value)| format!("{}:{value}", serde_json::to_string(key).expect("a text is JSON"))).collect();
        for (key, value) in parsed(entity.name(), &format!("{{{}}}", entries.join(","))).unwrap_or_default().0 {
            if is_nothing(&value) {
                object.0.retain(|(name, _)| *name != key);
            } else {
                object.set(key, value);
            }
        }
    }
    if has_lines(books, entity, id) {
        lay_over_lines(books, entity, id, object);
    }
    match entity {
        // Categories and bundles have neither accounts nor prices (contract 7.5).
        Entity::Item if matches!(text(object, "Type"), Some("Category" | "Group")) => {
            object.0.retain(|(key, _)| !matches!(*key, "IncomeAccountRef" | "ExpenseAccountRef" | "UnitPrice" | "PurchaseCost" | "Taxable"));
        }
        Entity::Customer => {
            let parent = object.get("ParentRef").and_then(|parent| if let Json::Object(parent) = parent { text(parent, "value") } else { None });
            let parent = parent.and_then(|id| id.parse().ok()).and_then(|id: u64| books.contacts.get(&id));
            if let (Some(parent), Some(own)) = (parent, text(object, "DisplayName").map(str::to_owned)) {
                object.set("FullyQualifiedName", Json::Text(format!("{}:{own}", parent.name)));
            }
        }
        _ => {}
    }
}

/// Each line in the form it was sent in: discounts stand behind the subtotal with positive amounts, cash back beside the lines.
fn lay_over_lines(books: &Books, entity: Entity, id: u64, object: &mut Object) {
    let Some(position) = object.0.iter().position(|(key, _)| *key == "Line") else { return };
    let Json::List(lines) = std::mem::replace(&mut object.0[position].1, Json::List(Vec::new())) else { return };
    let mut discounts: Vec<Json> = Vec::new();
    let mut discounted = Cents::ZERO;
    let mut others: Vec<Json> = Vec::new();
    let mut cash_back = None;
    for line in lines {
        let Json::Object(mut line) = line else { continue };
        let kept = text(&line, "Id").map(str::to_owned).and_then(|line| of_line(books, entity, id, &line));
        let Some(mut kept) = kept else {
            others.push(line.into());
            continue;
        };
        let variant = text(&kept, "DetailType").map(str::to_owned);
        let linked = objects(&kept, "LinkedTxn").into_iter().cloned().collect::<Vec<_>>();
        kept.0.retain(|(key, _)| !matches!(*key, "DetailType" | "LinkedTxn"));
        let bundle = take_detail(&mut kept, "GroupLineDetail");
        let amount = match line.get("Amount") {
            Some(Json::Amount(amount)) => *amount,
            _ => Cents::ZERO,
        };
        match (variant.as_deref(), bundle) {
            (Some("GroupLineDetail"), Some(bundle)) => {
                take_detail(&mut line, "SalesItemLineDetail");
                line.0.retain(|(key, _)| *key != "CustomExtensions");
                line.set("DetailType", "GroupLineDetail".into());
                line.set("GroupLineDetail", bundle.put("Line", Json::List(Vec::new())).into());
                line.lay_over(kept);
                others.push(line.into());
            }
            (Some("GroupLineDetail"), None) => {
                line.lay_over(kept);
                into_bundle(&mut others, line, amount);
            }
            (Some("DiscountLineDetail"), _) => {
                discounted += amount;
                let account = take_detail(&mut line, "SalesItemLineDetail").and_then(|detail| detail.get("ItemAccountRef").cloned());
                line.0.retain(|(key, _)| !matches!(*key, "LinkedTxn" | "CustomExtensions"));
                line.set("Amount", Json::Amount(-amount));
                line.set("DetailType", "DiscountLineDetail".into());
                line.set("DiscountLineDetail", Object::new().put("PercentBased", false).put_some("DiscountAccountRef", account).into());
                line.lay_over(kept);
                discounts.push(line.into());
            }
            (Some("DescriptionOnly"), _) => {
                for detail in ["SalesItemLineDetail", "AccountBasedExpenseLineDetail"] {
                    take_detail(&mut line, detail);
                }
                line.0.retain(|(key, _)| !matches!(*key, "Amount" | "CustomExtensions"));
                line.set("DetailType", "DescriptionOnly".into());
                line.set("DescriptionLineDetail", Object::new().into());
                line.lay_over(kept);
                others.push(line.into());
            }
            (Some("CashBack"), _) => {
                let account = take_detail(&mut line, "DepositLineDetail").and_then(|detail| detail.get("AccountRef").cloned());
                let back = Object::new().put_some("AccountRef", account).put("Amount", -amount);
                cash_back = Some(back.put_text("Memo", text(&line, "Description").unwrap_or_default()));
            }
            _ if !linked.is_empty() => {
                take_detail(&mut line, "DepositLineDetail");
                line.0.retain(|(key, _)| !matches!(*key, "DetailType" | "LineNum"));
                line.set("LinkedTxn", linked.into());
                line.lay_over(kept);
                others.push(line.into());
            }
            _ => {
                line.lay_over(kept);
                others.push(line.into());
            }
        }
    }
    for line in &mut others {
        if let Json::Object(line) = line
            && text(line, "DetailType") == Some("SubTotalLineDetail")
            && let Some(Json::Amount(amount)) = line.get("Amount").cloned()
        {
            line.set("Amount", Json::Amount(amount - discounted));
        }
    }
    others.append(&mut discounts);
    object.0[position].1 = Json::List(others);
    if let Some(back) = cash_back {
        object.set("CashBack", back.into());
    }
}

/// Puts a line under the bundle before it, whose amount is that of its lines.
fn into_bundle(lines: &mut Vec<Json>, line: Object, amount: Cents) {
    if let Some(Json::Object(bundle)) = lines.last_mut() {
        let sum = if let Some(Json::Amount(sum)) = bundle.get("Amount") { *sum } else { Cents::ZERO };
        bundle.set("Amount", Json::Amount(sum + amount));
        let detail = bundle.0.iter_mut().find(|(key, _)| *key == "GroupLineDetail");
        if let Some((_, Json::Object(detail))) = detail
            && let Some((_, Json::List(inside))) = detail.0.iter_mut().find(|(key, _)| *key == "Line")
        {
            inside.push(line.into());
            return;
        }
    }
    lines.push(line.into());
}

fn take_detail(line: &mut Object, key: &str) -> Option<Object> {
    let position = line.0.iter().position(|(name, _)| *name == key)?;
    match line.0.remove(position).1 {
        Json::Object(detail) => Some(detail),
        _ => None,
    }
}
