//! Line items of a body as lines of the books: accounts, items, quantities, discounts, taxes and tracking.
use super::fields::{self, Problems};
use crate::books::posting::tax_on;
use crate::books::xero::AmountTypes;
use crate::books::{AccountType, Books, DocumentId, NewLine};
use crate::money::Cents;
use crate::xero::tree::Node;
use crate::xero::wire::{lines, settings};

/// More lines than a document of the sandbox has; ids of lines are made for fewer than a thousand.
const MOST_LINES: usize = 900;

/// What the lines of an element are for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    pub is_sale: bool,
    pub amount_types: AmountTypes,
    /// Lines that continue those of this document keep their ids.
    pub continues: Option<DocumentId>,
}

/// `LineAmountTypes`, in any case; `None` when it is not given.
pub fn amount_types(node: &Node) -> Result<Option<AmountTypes>, Problems> {
    match fields::text(node, "LineAmountTypes")?.map(|text| text.to_ascii_uppercase()).as_deref() {
        None => Ok(None),
        Some("EXCLUSIVE") => Ok(Some(AmountTypes::Exclusive)),
        Some("INCLUSIVE") => Ok(Some(AmountTypes::Inclusive)),
        Some("NOTAX") => Ok(Some(AmountTypes::NoTax)),
        Some(other) => Err(Problems::one(format!("LineAmountTypes '{other}' is not one of Exclusive, Inclusive, NoTax"))),
    }
}

/// The lines of `LineItems`; `None` when the element has none.
pub fn read(books: &Books, element: &Node, purpose: Purpose) -> Result<Option<Vec<NewLine>>, Problems> {
    let Some(given) = element.get("LineItems") else { return Ok(None) };
    let items = given.list().ok_or_else(|| Problems::one("LineItems must be a list"))?;
    if items.len() > MOST_LINES {
        return Err(Problems::one(format!("A document can have at most {MOST_LINES} line items")));
    }
    let (mut found, mut problems) = (Vec::new(), Problems::default());
    for item in items {
        match line(books, item, purpose) {
            Ok(line) => found.push(line),
            Err(Problems(more)) => problems.0.extend(more),
        }
    }
    problems.end()?;
    Ok(Some(found))
}

fn line(books: &Books, node: &Node, purpose: Purpose) -> Result<NewLine, Problems> {
    let code = fields::text(node, "ItemCode")?.filter(|code| !code.is_empty());
    let item = match &code {
        None => None,
        Some(code) => {
            let mut listed = books.items.values().filter(|item| settings::is_listed(books, item));
            let known = listed.find(|item| settings::item_code(books, item).eq_ignore_ascii_case(code));
            Some(known.ok_or_else(|| Problems::one(format!("Item code '{code}' is not valid")))?)
        }
    };
    let bought = |id: u64| books.counted(id).map(|counted| counted.asset).or(books.items[&id].expense_account);
    let from_item = item.and_then(|item| if purpose.is_sale { Some(item.income_account) } else { bought(item.id) });
    let account = fields::account(books, node.get("AccountID"), node.get("AccountCode"))?.map(|account| account.id).or(from_item);
    let description = fields::text(node, "Description")?.or_else(|| item.map(|item| item.description.clone())).unwrap_or_default();
    let (quantity_hundredths, unit_price, amount) = amounts(books, node, item, purpose)?;
    let account = match account {
        Some(account) => account,
        // a line of words only stands beside the others and posts nothing
        None if amount.is_zero() => default_account(books, purpose.is_sale)?,
        None => return Err(Problems::one("Account code or ID must be specified")),
    };
    let tax_rate = tax_rate(books, node, account, purpose)?;
    let basis_points = tax_rate.and_then(|id| books.tax_rate(id)).map_or(0, |rate| rate.basis_points);
    let given_tax = fields::money(node, "TaxAmount")?.filter(|_| tax_rate.is_some() && basis_points != 0);
    let (net, tax_amount) = match purpose.amount_types {
        AmountTypes::Inclusive => {
            let tax = given_tax.unwrap_or_else(|| amount - net_of(amount, basis_points));
            (amount - tax, tax_rate.map(|_| tax))
        }
        // a tax that is the rate's own share need not be kept
        _ => (amount, given_tax.filter(|tax| *tax != tax_on(amount, basis_points))),
    };
    if tax_amount.is_some_and(|tax| tax.abs() > net.abs() + Cents(1)) {
        return Err(Problems::one("The tax amount is larger than the line"));
    }
    let id = node.get("LineItemID").and_then(Node::text).zip(purpose.continues).and_then(|(guid, document)| {
        let known = books.documents.get(&document)?.lines.iter().map(|line| line.id);
        known.into_iter().find(|line| lines::line_guid(books, document, *line).eq_ignore_ascii_case(guid))
    });
    Ok(NewLine {
        id,
        item: item.map(|item| item.id),
        quantity_hundredths,
        unit_price,
        tax_rate,
        tax_amount,
        tracking: tracking(books, node)?,
        ..NewLine::new(account, net, description)
    })
}

/// Quantity in hundredths, unit price, and what they come to less the discount.
fn amounts(books: &Books, node: &Node, item: Option<&crate::books::Item>, purpose: Purpose) -> Result<(i64, Cents, Cents), Problems> {
    let number = |name: &str, decimals: u32| -> Result<Option<i128>, Problems> {
        let Some(value) = node.get(name) else { return Ok(None) };
        let read = value.scaled(decimals).filter(|value| value.abs() < 10_i128.pow(decimals + 10));
        read.map(Some).ok_or_else(|| Problems::one(format!("{name} must be a number")))
    };
    let purchase_price = |item: &crate::books::Item| books.property("Item", item.id, "PurchasePrice").and_then(Cents::parse);
    let item_price = item.and_then(|item| if purpose.is_sale { Some(item.unit_price) } else { purchase_price(item) });
    let quantity = number("Quantity", 4)?;
    let price = number("UnitAmount", 4)?.or_else(|| item_price.map(|price| i128::from(price.0) * 100));
    let given = fields::money(node, "LineAmount")?;
    let discount = number("DiscountRate", 4)?.unwrap_or(0);
    if !(0..=1_000_000).contains(&discount) {
        return Err(Problems::one("DiscountRate must be between 0 and 100"));
    }
    let reduction = fields::money(node, "DiscountAmount")?.filter(|_| discount == 0).unwrap_or_default();
    let whole = |product: i128, unit: i128| if product < 0 { (product - unit / 2) / unit } else { (product + unit / 2) / unit };
    let computed = match (price, quantity) {
        (None, _) => None,
        // price and quantity have four decimals each, the discount six below the whole: cents remain
        (Some(price), quantity) => {
            let gross = price * quantity.unwrap_or(10_000);
            let cents = whole(gross * (1_000_000 - discount), 1_000_000 * 1_000_000);
            i64::try_from(cents).ok().map(|cents| Cents(cents) - reduction)
        }
    };
    let amount = match (computed, given) {
        (Some(computed), Some(given)) if computed != given => {
            return Err(Problems::one(format!("The line total {given} does not match the expected line total {computed}")));
        }
        (computed, given) => computed.or(given).unwrap_or_default(),
    };
    if amount.abs() > Cents(1_000_000_000_000) {
        return Err(Problems::one("The line amount is too large"));
    }
    let hundredths = i64::try_from(whole(quantity.unwrap_or(10_000), 100)).unwrap_or(100);
    let unit_price = price.and_then(|price| i64::try_from(whole(price, 100)).ok()).map_or(amount, Cents);
    Ok((hundredths, unit_price, amount))
}

/// The part of an amount that is not tax.
pub fn net_of(gross: Cents, basis_points: i64) -> Cents {
    let (product, whole) = (i128::from(gross.0) * 10_000, i128::from(10_000 + basis_points));
    let half = whole / 2;
    let net = if product < 0 { (product - half) / whole } else { (product + half) / whole };
    Cents(i64::try_from(net).unwrap_or(gross.0))
}

fn default_account(books: &Books, is_sale: bool) -> Result<u64, Problems> {
    let wanted = if is_sale { AccountType::Income } else { AccountType::Expense };
    books.account_of(wanted).ok_or_else(|| Problems::one("Account code or ID must be specified"))
}

/// The rate of `TaxType`; without one the account's own, and none where amounts carry no tax.
fn tax_rate(books: &Books, node: &Node, account: u64, purpose: Purpose) -> Result<Option<u64>, Problems> {
    let given = fields::text(node, "TaxType")?.filter(|code| !code.is_empty());
    if purpose.amount_types == AmountTypes::NoTax {
        return Ok(None);
    }
    let code = given.unwrap_or_else(|| books.accounts.get(&account).map_or("NONE".into(), |account| settings::account_tax_type(books, account)));
    tax_rate_of(books, &code)
}

pub fn tax_rate_of(books: &Books, code: &str) -> Result<Option<u64>, Problems> {
    match books.tax_rates.iter().find(|rate| rate.code.eq_ignore_ascii_case(code)) {
        Some(rate) => Ok(Some(rate.id)),
        None if code.eq_ignore_ascii_case("NONE") => Ok(None),
        None => Err(Problems::one(format!("The TaxType code '{code}' does not exist or cannot be used for this type of transaction."))),
    }
}

/// Up to two options, by the ids or the names of category and option.
pub fn tracking(books: &Books, node: &Node) -> Result<Vec<u64>, Problems> {
    let Some(given) = node.get("Tracking") else { return Ok(Vec::new()) };
    let entries = given.list().ok_or_else(|| Problems::one("Tracking must be a list"))?;
    if entries.len() > 2 {
        return Err(Problems::one("A line can have at most two tracking categories"));
    }
    let mut found = Vec::new();
    for entry in entries {
        let of_option = entry.get("TrackingOptionID").and_then(Node::text).and_then(|id| books.id_of_guid("TrackingOption", id));
        let category = entry.get("TrackingCategoryID").and_then(Node::text).and_then(|id| books.id_of_guid("TrackingCategory", id));
        let (name, option) = (fields::text(entry, "Name")?, fields::text(entry, "Option")?);
        let fits = |known: &&crate::books::lists::TrackingOption| {
            let dimension = books.lists.dimensions.get(&known.dimension);
            let of_category = match (category, &name) {
                (Some(category), _) => known.dimension == category,
                (None, Some(name)) => dimension.is_some_and(|dimension| dimension.name.eq_ignore_ascii_case(name)),
                (None, None) => of_option.is_some(),
            };
            let of_it = match (of_option, &option) {
                (Some(id), _) => known.id == id,
                (None, Some(option)) => known.name.eq_ignore_ascii_case(option),
                (None, None) => false,
            };
            of_category && of_it && !known.stamp.deleted
        };
        match books.lists.options.values().find(fits) {
            Some(option) => found.push(option.id),
            None => return Err(Problems::one("The TrackingCategory or its option could not be found")),
        }
    }
    Ok(found)
}
