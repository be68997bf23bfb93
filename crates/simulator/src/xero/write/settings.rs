//! PUT, POST and DELETE of Accounts and Items, and of TaxRates and Currencies.
use super::fields::{self, Problems};
use super::{Maker, Saved, lines};
use crate::books::lists::{Currency, Stamp};
use crate::books::xero::TaxRateStatus;
use crate::books::{AccountId, AccountType, Books};
use crate::money::Cents;
use crate::xero::tree::Node;
use crate::xero::wire::json::quoted;
use crate::xero::wire::settings;

/// The books' type for one of Xero's; several of Xero's are one to the books.
fn account_type(word: &str, is_card: bool) -> Option<AccountType> {
    use AccountType::*;
    Some(match word {
        "BANK" if is_card => CreditCard,
        "BANK" => Bank,
        "CURRENT" | "PREPAYMENT" => CurrentAsset,
        "CURRLIAB" | "PAYG" => CurrentLiability,
        "DEPRECIATN" => Depreciation,
        "DIRECTCOSTS" => CostOfSales,
        "EQUITY" => Equity,
        "EXPENSE" => Expense,
        "FIXED" => FixedAsset,
        "INVENTORY" => Inventory,
        "LIABILITY" | "TERMLIAB" => LongTermLiability,
        "NONCURRENT" => OtherAsset,
        "OTHERINCOME" => OtherIncome,
        "OVERHEADS" => OtherExpense,
        "REVENUE" | "SALES" => Income,
        _ => return None,
    })
}

pub fn save_account(books: &mut Books, maker: &Maker, known: Option<AccountId>, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let name = problems.take(fields::text(element, "Name")).filter(|name| !name.is_empty());
    let code = problems.take(fields::text(element, "Code"));
    let word = problems.take(fields::text(element, "Type"));
    let bank_type = problems.take(fields::text(element, "BankAccountType"));
    let bank_number = problems.take(fields::text(element, "BankAccountNumber"));
    let currency = problems.take(fields::text(element, "CurrencyCode")).filter(|code| !code.is_empty());
    let description = problems.take(fields::text(element, "Description"));
    let tax_type = problems.take(fields::text(element, "TaxType")).filter(|code| !code.is_empty());
    let status = problems.take(fields::text(element, "Status"));
    let flags: Vec<(&str, bool)> = ["EnablePaymentsToAccount", "ShowInExpenseClaims", "AddToWatchlist"]
        .into_iter()
        .filter_map(|name| Some((name, problems.take(fields::flag(element, name))?)))
        .collect();
    if let Some(code) = &tax_type {
        problems.take(lines::tax_rate_of(books, code));
    }
    let kind = match &word {
        None => None,
        Some(word) => {
            let found = account_type(word, bank_type.as_deref() == Some("CREDITCARD"));
            if found.is_none() {
                problems.0.push(format!("Type '{word}' is not one of {}", settings::ACCOUNT_TYPES.join(", ")));
            }
            found
        }
    };
    let other = |found: Option<AccountId>| found.filter(|id| Some(*id) != known).is_some();
    if code.as_ref().is_some_and(|code| other(books.account_by_code(code))) {
        problems.0.push("Please enter a unique Code.".into());
    }
    if code.as_ref().is_some_and(|code| code.chars().count() > 10) {
        problems.0.push("Code cannot be longer than 10 characters.".into());
    }
    let same_name = name.as_ref().and_then(|name| books.accounts.values().find(|account| account.name.eq_ignore_ascii_case(name)).map(|a| a.id));
    if other(same_name) {
        problems.0.push("Please enter a unique Name.".into());
    }
    if known.is_none() {
        if name.is_none() {
            problems.0.push("Name is required.".into());
        }
        if kind.is_none() && word.is_none() {
            problems.0.push("Type is required.".into());
        }
        let is_bank = kind.is_some_and(|kind| matches!(kind, AccountType::Bank | AccountType::CreditCard));
        if !is_bank && code.as_ref().is_none_or(String::is_empty) {
            problems.0.push("Code is required.".into());
        }
        if is_bank && bank_number.as_ref().is_none_or(String::is_empty) {
            problems.0.push("BankAccountNumber is required.".into());
        }
    }
    let active = match status.as_deref() {
        None => None,
        Some("ACTIVE") => Some(true),
        Some("ARCHIVED") => Some(false),
        Some(other) => {
            problems.0.push(format!("Status '{other}' is not one of ACTIVE, ARCHIVED"));
            None
        }
    };
    if let (Some(id), Some(kind)) = (known, kind)
        && kind != books.accounts[&id].account_type
        && is_used(books, id)
    {
        problems.0.push("The type of an account with transactions cannot change.".into());
    }
    problems.end()?;
    let id = match known {
        Some(id) => id,
        None => {
            let kind = kind.expect("asked for above");
            books.add_account(name.clone().unwrap_or_default(), code.clone().unwrap_or_default(), kind, None, currency.as_deref(), maker.now)
        }
    };
    if let Some(active) = active {
        books.set_account_active(id, active, maker.now)?;
    }
    for (name, value) in [("Description", description), ("TaxType", tax_type), ("BankAccountNumber", bank_number)] {
        if let Some(value) = value {
            books.set_property("Account", id, name, quoted(&value));
        }
    }
    for (name, value) in flags {
        books.set_property("Account", id, name, value.to_string());
    }
    let account = books.accounts.get_mut(&id).expect("found or made above");
    account.name = name.unwrap_or_else(|| account.name.clone());
    account.code = code.unwrap_or_else(|| account.code.clone());
    account.account_type = kind.unwrap_or(account.account_type);
    account.updated_at = maker.now;
    account.sync_token += 1;
    Ok(id)
}

fn is_used(books: &Books, id: AccountId) -> bool {
    books.journals.iter().any(|journal| journal.postings.iter().any(|posting| posting.account == id))
        || books.documents.values().any(|d| d.account == Some(id) || d.to_account == Some(id) || d.lines.iter().any(|line| line.account == id))
        || books.items.values().any(|item| item.income_account == id || item.expense_account == Some(id))
        || books.tax_rates.iter().any(|rate| rate.account == id)
        || books.lists.orders.values().any(|order| order.lines.iter().any(|line| line.account == id))
        || books.lists.templates.values().any(|template| template.document.lines.iter().any(|line| line.account == id))
        || books.lists.budgets.values().any(|budget| budget.lines.iter().any(|line| line.account == id))
}

/// An account that was never used goes without a trace; others can only be archived.
pub fn delete_account(books: &mut Books, id: AccountId) -> Result<(), Problems> {
    let account = &books.accounts[&id];
    if !settings::system_account(books, account).is_empty() || is_used(books, id) {
        return Err(Problems::one("The account has been used and cannot be deleted. Archive it instead."));
    }
    books.accounts.remove(&id);
    Ok(())
}

pub fn save_item(books: &mut Books, maker: &Maker, known: Option<u64>, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let code = problems.take(fields::text(element, "Code")).filter(|code| !code.is_empty());
    let name = problems.take(fields::text(element, "Name"));
    let description = problems.take(fields::text(element, "Description"));
    let purchase_description = problems.take(fields::text(element, "PurchaseDescription"));
    let flags: Vec<(&str, bool)> =
        ["IsSold", "IsPurchased"].into_iter().filter_map(|name| Some((name, problems.take(fields::flag(element, name))?))).collect();
    let known = known.or_else(|| {
        let by_id = element.get("ItemID").and_then(Node::text).and_then(|id| books.id_of_guid("Item", id)).filter(|id| books.items.contains_key(id));
        let mut listed = books.items.values().filter(|item| settings::is_listed(books, item));
        by_id.or_else(|| listed.find(|item| code.as_ref().is_some_and(|code| settings::item_code(books, item) == *code)).map(|item| item.id))
    });
    if known.is_some() && maker.only_new {
        problems.0.push(format!("Price List Item with Code '{}' already exists", code.as_deref().unwrap_or_default()));
    }
    if known.is_none() && code.is_none() {
        problems.0.push("Price List Item Code must be supplied".into());
    }
    if code.as_ref().is_some_and(|code| code.chars().count() > 30) {
        problems.0.push("Code cannot be longer than 30 characters.".into());
    }
    let sales = problems.take(trade(books, element, "SalesDetails"));
    let purchases = problems.take(trade(books, element, "PurchaseDetails"));
    let default = |kind| books.account_of(kind);
    let income = sales.account.or_else(|| default(AccountType::Income));
    if known.is_none() && income.is_none() {
        problems.0.push("SalesDetails.AccountCode must be supplied".into());
    }
    let asset =
        problems.take(fields::account(books, None, element.get("InventoryAssetAccountCode"))).map(|account| (account.id, account.account_type));
    if asset.is_some_and(|(_, kind)| kind != AccountType::Inventory) {
        problems.0.push("InventoryAssetAccountCode must be an account of type INVENTORY".into());
    }
    if asset.is_some() && purchases.cost_of_sales.is_none() && known.is_none() {
        problems.0.push("PurchaseDetails.COGSAccountCode must be supplied for a tracked item".into());
    }
    problems.end()?;
    let id = match known {
        Some(id) => id,
        None => books.add_item("", "", Cents::ZERO, income.expect("asked for above"), None, maker.now),
    };
    let item = books.items.get_mut(&id).expect("found or made above");
    item.name = name.or_else(|| code.clone().filter(|_| item.name.is_empty())).unwrap_or_else(|| item.name.clone());
    item.description = description.unwrap_or_else(|| item.description.clone());
    item.unit_price = sales.price.unwrap_or(item.unit_price);
    item.income_account = sales.account.unwrap_or(item.income_account);
    item.expense_account = purchases.cost_of_sales.or(purchases.account).or(item.expense_account);
    item.updated_at = maker.now;
    item.sync_token += 1;
    let texts =
        [("Code", code), ("PurchaseDescription", purchase_description), ("SalesTaxType", sales.tax_type), ("PurchaseTaxType", purchases.tax_type)];
    for (name, value) in texts {
        if let Some(value) = value {
            books.set_property("Item", id, name, quoted(&value));
        }
    }
    if let Some((asset, _)) = asset {
        books.count_item(id, asset, purchases.price.unwrap_or_default());
    }
    if let Some(price) = purchases.price {
        books.set_property("Item", id, "PurchasePrice", price.to_string());
    }
    for (name, value) in flags {
        books.set_property("Item", id, name, value.to_string());
    }
    Ok(id)
}

/// How an item is sold or bought.
#[derive(Default)]
struct Trade {
    price: Option<Cents>,
    account: Option<AccountId>,
    /// Of an item that is tracked as inventory.
    cost_of_sales: Option<AccountId>,
    tax_type: Option<String>,
}

fn trade(books: &Books, element: &Node, name: &str) -> Result<Trade, Problems> {
    let Some(given) = element.get(name) else { return Ok(Trade::default()) };
    let account = fields::account(books, None, given.get("AccountCode"))?.map(|account| account.id);
    let tax_type = fields::text(given, "TaxType")?.filter(|code| !code.is_empty());
    if let Some(code) = &tax_type {
        lines::tax_rate_of(books, code)?;
    }
    let cost_of_sales = fields::account(books, None, given.get("COGSAccountCode"))?.map(|account| account.id);
    Ok(Trade { price: fields::money(given, "UnitPrice")?, account, cost_of_sales, tax_type })
}

/// Custom rates get the keys TAX001, TAX002, ... (developer.xero.com, "Types"). A rate is never changed in the books' past: only its name
/// and status are.
pub fn save_tax_rate(books: &mut Books, maker: &Maker, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let name = problems.take(fields::text(element, "Name")).filter(|name| !name.is_empty());
    let status = problems.take(fields::text(element, "Status"));
    let report = problems.take(fields::text(element, "ReportTaxType")).unwrap_or_default();
    let key = problems.take(fields::text(element, "TaxType")).filter(|key| !key.is_empty());
    let known = books.tax_rates.iter().find(|rate| match &key {
        Some(key) => rate.code.eq_ignore_ascii_case(key),
        None => name.as_ref().is_some_and(|name| rate.name.eq_ignore_ascii_case(name)),
    });
    let known = known.map(|rate| rate.id);
    let basis_points = problems.take(components(element));
    if known.is_some() && maker.only_new {
        problems.0.push("A tax rate with this name exists already.".into());
    }
    if known.is_none() && (name.is_none() || basis_points.is_none()) {
        problems.0.push("A tax rate needs a Name and TaxComponents.".into());
    }
    let retired = match status.as_deref() {
        None | Some("ACTIVE") => None,
        Some("DELETED") => Some(TaxRateStatus::Deleted),
        Some("ARCHIVED") => Some(TaxRateStatus::Archived),
        Some(other) => {
            problems.0.push(format!("Status '{other}' is not one of ACTIVE, ARCHIVED, DELETED"));
            None
        }
    };
    let account = books.account_of(AccountType::TaxPayable);
    if account.is_none() {
        problems.0.push("The organisation has no tax account.".into());
    }
    problems.end()?;
    let id = match (known, basis_points, account) {
        (Some(id), ..) => id,
        (None, Some(basis_points), Some(account)) => {
            let number = (1..).find(|number| books.tax_rates.iter().all(|rate| rate.code != format!("TAX{number:03}"))).unwrap_or(1);
            let (sales, purchases) = (!report.contains("INPUT"), !report.contains("OUTPUT"));
            books.add_tax_rate(name.clone().unwrap_or_default(), format!("TAX{number:03}"), basis_points, account, sales, purchases)
        }
        _ => return Err(Problems::one("A tax rate needs a Name and TaxComponents.")),
    };
    if let Some(rate) = books.tax_rates.iter_mut().find(|rate| rate.id == id) {
        rate.name = name.unwrap_or_else(|| rate.name.clone());
    }
    match retired {
        Some(status) => books.xero.retired_tax_rates.insert(id, status),
        None => books.xero.retired_tax_rates.remove(&id),
    };
    Ok(id)
}

/// The sum of the components, in hundredths of a per cent.
fn components(element: &Node) -> Result<Option<i64>, Problems> {
    let Some(given) = element.get("TaxComponents") else { return Ok(None) };
    let parts = given.list().ok_or_else(|| Problems::one("TaxComponents must be a list"))?;
    let rates: Option<Vec<i128>> = parts.iter().map(|part| part.get("Rate").and_then(|rate| rate.scaled(2))).collect();
    let sum = rates.map(|rates| rates.iter().fold(0_i128, |sum, rate| sum.saturating_add(*rate)));
    let sum = sum.and_then(|sum| i64::try_from(sum).ok()).filter(|sum| (0..=10_000).contains(sum));
    sum.map(Some).ok_or_else(|| Problems::one("The rates of TaxComponents must come to between 0 and 100"))
}

/// The id of an added currency is made from its letters.
pub fn add_currency(books: &mut Books, maker: &Maker, element: &Node) -> Saved {
    let code = fields::text(element, "Code")?.unwrap_or_default().to_uppercase();
    if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Err(Problems::one("Code must be a currency of three letters"));
    }
    if settings::currency_codes(books).contains(&code) {
        return Err(Problems::one(format!("The organisation is already subscribed to currency {code}")));
    }
    books.lists.currencies.insert(code.clone(), Currency { code: code.clone(), stamp: Stamp::new(maker.now) });
    Ok(Currency::id(&code))
}

/// The currency of this id, as the list shows it.
pub fn currency(books: &Books, id: u64) -> String {
    let codes = settings::currency_codes(books);
    let position = codes.iter().position(|code| Currency::id(code) == id);
    position.and_then(|position| settings::currencies(books).into_iter().nth(position)).unwrap_or_else(|| "{}".into())
}
