//! Accounts, customers, vendors, employees and items.
use super::fields::{References, amount, date, flag, inner, name, reference, text};
use super::{Write, properties};
use crate::books::lists::{AccountFacts, ContactFacts, ItemFacts};
use crate::books::{AccountId, AccountType, Books, Kind, NewDocument, NewLine, Variant};
use crate::money::Cents;
use crate::quickbooks::dates;
use crate::quickbooks::entity::Entity;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::tree::Object;
use jiff::Timestamp;
use std::collections::BTreeSet;

pub fn save(mut write: Write) -> Result<u64, Refusal> {
    match write.entity {
        Entity::Account => account(&mut write),
        Entity::Employee => employee(&mut write),
        Entity::Item => item(&mut write),
        _ => contact(&mut write),
    }
}

/// What the provider makes of a type and sub-type: one of either suffices at creation (contract 7.4).
fn account_type(account_type: Option<&str>, sub_type: Option<&str>) -> Result<Option<AccountType>, Refusal> {
    use AccountType::*;
    let by_sub_type = sub_type.map(|sub_type| match sub_type {
        "Inventory" => Inventory,
        "RetainedEarnings" => RetainedEarnings,
        "SalesTaxPayable" | "GlobalTaxPayable" | "GlobalTaxSuspense" => TaxPayable,
        "ExchangeGainOrLoss" => CurrencyGain,
        "Depreciation" | "Amortization" => Depreciation,
        "Checking" | "Savings" | "CashOnHand" | "MoneyMarket" | "RentsHeldInTrust" | "TrustAccounts" => Bank,
        "AccountsReceivable" => Receivable,
        "AccountsPayable" => Payable,
        "CreditCard" => CreditCard,
        "UndepositedFunds" | "OtherCurrentAssets" | "PrepaidExpenses" | "EmployeeCashAdvances" => CurrentAsset,
        "FurnitureAndFixtures" | "Vehicles" | "Buildings" | "Land" | "MachineryAndEquipment" | "AccumulatedDepreciation" => FixedAsset,
        "OtherLongTermAssets" | "SecurityDeposits" | "Goodwill" | "Licenses" => OtherAsset,
        "OtherCurrentLiabilities" | "LoanPayable" | "LineOfCredit" | "PayrollClearing" | "PayrollTaxPayable" => CurrentLiability,
        "NotesPayable" | "OtherLongTermLiabilities" | "ShareholderNotesPayable" => LongTermLiability,
        "OpeningBalanceEquity" | "OwnersEquity" | "PartnersEquity" | "CommonStock" => Equity,
        "SalesOfProductIncome" | "ServiceFeeIncome" | "OtherPrimaryIncome" | "DiscountsRefundsGiven" | "NonProfitIncome" => Income,
        "InterestEarned" | "OtherInvestmentIncome" | "OtherMiscellaneousIncome" | "DividendIncome" => OtherIncome,
        "SuppliesMaterialsCogs" | "CostOfLaborCos" | "OtherCostsOfServiceCos" | "ShippingFreightDeliveryCos" => CostOfSales,
        "OtherMiscellaneousExpense" | "PenaltiesSettlements" => OtherExpense,
        _ => Expense,
    });
    let special = by_sub_type.filter(|found| matches!(found, Inventory | RetainedEarnings | TaxPayable | CurrencyGain | Depreciation));
    let by_type = match account_type {
        None => return Ok(by_sub_type),
        Some("Bank") => Bank,
        Some("Accounts Receivable") => Receivable,
        Some("Other Current Asset") => CurrentAsset,
        Some("Fixed Asset") => FixedAsset,
        Some("Other Asset") => OtherAsset,
        Some("Accounts Payable") => Payable,
        Some("Credit Card") => CreditCard,
        Some("Other Current Liability") => CurrentLiability,
        Some("Long Term Liability") => LongTermLiability,
        Some("Equity") => Equity,
        Some("Income") => Income,
        Some("Other Income") => OtherIncome,
        Some("Cost of Goods Sold") => CostOfSales,
        Some("Expense") => Expense,
        Some("Other Expense") => OtherExpense,
        Some(other) => return Err(Refusal::business(format!("Invalid account type: {other}"))),
    };
    Ok(Some(special.unwrap_or(by_type)))
}

fn account(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let shown = name(fields, "Name").ok_or_else(|| Refusal::missing_parameter("Name"))?.to_owned();
    if shown.chars().count() > 100 || shown.contains([':', '"']) {
        return Err(Refusal::business("An account's name has at most 100 characters and neither a colon nor a double quote"));
    }
    let books = &mut *write.books;
    let references = References { books, used: write.id.and_then(|id| books.accounts.get(&id)?.parent).into_iter().collect() };
    let parent = references.account(fields, "ParentRef")?;
    let is_sub = flag(fields, "SubAccount").unwrap_or(parent.is_some());
    let parent = parent.filter(|_| is_sub);
    if books.accounts.values().any(|other| Some(other.id) != write.id && other.parent == parent && other.name.eq_ignore_ascii_case(&shown)) {
        return Err(Refusal::duplicate_name());
    }
    let code = text(fields, "AcctNum").unwrap_or_default().to_owned();
    if !code.is_empty() && books.accounts.values().any(|other| Some(other.id) != write.id && other.code == code) {
        return Err(Refusal::business(format!("Account number {code} is already in use")));
    }
    let wanted = account_type(text(fields, "AccountType"), text(fields, "AccountSubType"))?;
    let known = write.id.and_then(|id| books.accounts.get(&id)).map(|account| account.account_type);
    // The books know finer types than the two words can say; a type that shows the same words stays.
    let same_words = |a: AccountType, b: AccountType| a == b || (is_finer(a) && wanted.is_some() && coarse(a) == coarse(b));
    let account_type = match (known, wanted) {
        (Some(known), Some(wanted)) if same_words(known, wanted) => known,
        (_, Some(wanted)) => wanted,
        (Some(known), None) => known,
        (None, None) => return Err(Refusal::missing_parameter("AccountType")),
    };
    if let Some(above) = parent.and_then(|id| books.accounts.get(&id))
        && coarse(above.account_type) != coarse(account_type)
    {
        return Err(Refusal::business("A sub-account must be of the same type as its parent"));
    }
    let facts = AccountFacts { name: shown, code, account_type, parent, active: flag(fields, "Active").unwrap_or(true) };
    match write.id {
        Some(id) => {
            if !facts.active && books.accounts[&id].active && is_system(books, id) {
                return Err(Refusal::business(format!("{} is used by the system and cannot be made inactive", facts.name)));
            }
            books.change_account(id, facts, write.now)?;
            Ok(id)
        }
        None => {
            let opening = amount(fields, "OpeningBalance")?.filter(|opening| !opening.is_zero());
            let opened_on = date(fields, "OpeningBalanceDate")?.unwrap_or_else(|| dates::day_of(books, write.now));
            let currency = reference(fields, "CurrencyRef").filter(|code| *code != books.currency).map(str::to_owned);
            if currency.as_deref().is_some_and(|code| code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase())) {
                return Err(Refusal::invalid_reference("Currency", &currency.unwrap_or_default()));
            }
            if opening.is_some()
                && (account_type.is_profit_and_loss() || currency.is_some() || matches!(account_type, AccountType::Receivable | AccountType::Payable))
            {
                return Err(Refusal::business("Only balance sheet accounts in the home currency have an opening balance"));
            }
            let id = books.add_account(facts.name, facts.code, facts.account_type, facts.parent, currency.as_deref(), write.now);
            if let Some(opening) = opening {
                open(books, id, opening, opened_on, write.now)?;
            }
            Ok(id)
        }
    }
}

/// Types that share both words with another type of the books.
fn is_finer(account_type: AccountType) -> bool {
    coarse(account_type) != account_type
}

/// The type that has the same `AccountType` word.
fn coarse(account_type: AccountType) -> AccountType {
    use AccountType::*;
    match account_type {
        Inventory => CurrentAsset,
        TaxPayable => CurrentLiability,
        RetainedEarnings => Equity,
        Depreciation | CurrencyGain => OtherExpense,
        other => other,
    }
}

fn is_system(books: &Books, id: AccountId) -> bool {
    let account_type = books.accounts[&id].account_type;
    let is_needed = matches!(account_type, AccountType::Receivable | AccountType::Payable | AccountType::RetainedEarnings);
    is_needed || books.tax_rates.iter().any(|rate| rate.account == id)
}

/// "Account created with OpeningBalance: the account against Opening Balance Equity" (contract 7.6). The amount is positive in the account's
/// natural direction.
fn open(books: &mut Books, id: AccountId, opening: Cents, date: jiff::civil::Date, now: Timestamp) -> Result<(), Refusal> {
    let equity = opening_equity(books, now);
    let debit = if books.accounts[&id].account_type.is_debit_normal() { opening } else { -opening };
    let journal = NewDocument {
        lines: vec![NewLine::new(id, debit, "Opening Balance"), NewLine::new(equity, -debit, "Opening Balance")],
        ..NewDocument::new(Kind::Journal, date)
    };
    books.add_document(journal, now)?;
    Ok(())
}

fn opening_equity(books: &mut Books, now: Timestamp) -> AccountId {
    let known = books.accounts.values().find(|account| account.name.eq_ignore_ascii_case("Opening Balance Equity")).map(|account| account.id);
    known.unwrap_or_else(|| books.add_account("Opening Balance Equity", "", AccountType::Equity, None, None, now))
}

/// Unique among customers, vendors and employees (contract 7.5).
fn check_display_name(books: &Books, own: Option<u64>, shown: &str) -> Result<(), Refusal> {
    if shown.chars().count() > 500 || shown.contains([':', '\t', '\n']) {
        return Err(Refusal::business("A display name has at most 500 characters and no colon, tab or line break"));
    }
    let contact = books.contacts.values().any(|other| Some(other.id) != own && other.name.eq_ignore_ascii_case(shown));
    let employee = books.lists.employees.values().any(|other| Some(other.id) != own && other.display_name.eq_ignore_ascii_case(shown));
    if contact || employee { Err(Refusal::duplicate_name()) } else { Ok(()) }
}

/// "At least one of the parts of a name": the display name, or what it is made of.
fn display_name(fields: &Object) -> Result<String, Refusal> {
    if let Some(shown) = name(fields, "DisplayName") {
        return Ok(shown.to_owned());
    }
    let parts = ["Title", "GivenName", "MiddleName", "FamilyName", "Suffix"].into_iter().filter_map(|part| text(fields, part));
    let joined = parts.collect::<Vec<_>>().join(" ");
    let made = Some(joined).filter(|joined| !joined.is_empty()).or_else(|| text(fields, "CompanyName").map(str::to_owned));
    made.ok_or_else(|| Refusal::missing_parameter("DisplayName"))
}

fn email(fields: &Object) -> String {
    inner(fields, "PrimaryEmailAddr").and_then(|email| text(email, "Address")).unwrap_or_default().to_owned()
}

fn contact(write: &mut Write) -> Result<u64, Refusal> {
    let is_customer = write.entity == Entity::Customer;
    let fields = &write.fields;
    let shown = display_name(fields)?;
    check_display_name(write.books, write.id, &shown)?;
    let books = &mut *write.books;
    let references = References { books, used: BTreeSet::new() };
    references.term(fields, if is_customer { "SalesTermRef" } else { "TermRef" })?;
    if is_customer {
        let parent = references.customer(fields, "ParentRef")?;
        if parent.is_some() && parent == write.id {
            return Err(Refusal::business("A customer cannot stand below itself"));
        }
    }
    let active = flag(fields, "Active").unwrap_or(true);
    let email = email(fields);
    match write.id {
        Some(id) => {
            let known = books.contact_facts(id).expect("found before");
            let (receivable, payable) = books.contact_balance(id);
            // "Making inactive is refused while a balance is open" (contract 7.2).
            if known.active && !active && !(receivable.is_zero() && payable.is_zero()) {
                return Err(Refusal::has_balance(&known.name));
            }
            books.change_contact(id, ContactFacts { name: shown, email, active, ..known }, write.now)?;
            Ok(id)
        }
        None => {
            let currency = reference(fields, "CurrencyRef").filter(|code| *code != books.currency).map(str::to_owned);
            if currency.as_deref().is_some_and(|code| !books.foreign_currencies().contains_key(code)) {
                return Err(Refusal::invalid_reference("Currency", &currency.unwrap_or_default()));
            }
            let id = books.add_contact(shown, email, is_customer, !is_customer, currency.as_deref(), write.now);
            if !active {
                books.contacts.get_mut(&id).expect("added above").active = false;
            }
            // A person need not have a company: what the books would show as its name is left out.
            if text(fields, "CompanyName").is_none() {
                properties::hide(books, write.entity, id, "CompanyName");
            }
            Ok(id)
        }
    }
}

fn employee(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let shown = display_name(fields)?;
    check_display_name(write.books, write.id, &shown)?;
    let part = |key: &str| text(fields, key).unwrap_or_default().to_owned();
    let (given_name, family_name, email) = (part("GivenName"), part("FamilyName"), email(fields));
    let (hired, released) = (date(fields, "HiredDate")?, date(fields, "ReleasedDate")?);
    let active = flag(fields, "Active").unwrap_or(true);
    let id = match write.id {
        Some(id) => id,
        None => write.books.add_employee(given_name.clone(), family_name.clone(), email.clone(), write.now),
    };
    let employee = write.books.lists.employees.get_mut(&id).expect("added or found");
    let before = employee.clone();
    (employee.given_name, employee.family_name, employee.display_name, employee.email) = (given_name, family_name, shown, email);
    (employee.hired, employee.released, employee.stamp.active) = (hired, released, active);
    if write.id.is_some() && *employee != before {
        employee.stamp.touch(write.now);
    }
    Ok(id)
}

fn item(write: &mut Write) -> Result<u64, Refusal> {
    let fields = &write.fields;
    let shown = name(fields, "Name").ok_or_else(|| Refusal::missing_parameter("Name"))?.to_owned();
    if shown.chars().count() > 100 || shown.contains([':', '\t', '\n']) {
        return Err(Refusal::business("An item's name has at most 100 characters and no colon, tab or line break"));
    }
    let books = &mut *write.books;
    if books.items.values().any(|other| Some(other.id) != write.id && other.name.eq_ignore_ascii_case(&shown)) {
        return Err(Refusal::duplicate_name());
    }
    let known = write.id.and_then(|id| books.item_facts(id));
    let used = known.iter().flat_map(|known| [Some(known.income_account), known.expense_account]).flatten().collect();
    let references = References { books, used };
    let income = references.account(fields, "IncomeAccountRef")?;
    let expense = references.account(fields, "ExpenseAccountRef")?;
    let asset = references.account(fields, "AssetAccountRef")?;
    let item_type = text(fields, "Type").unwrap_or("Service");
    if !["Service", "NonInventory", "Inventory", "Category", "Group"].contains(&item_type) {
        return Err(Refusal::business(format!("Invalid item type: {item_type}")));
    }
    if item_type == "Inventory" {
        for (is_there, key) in [
            (income.is_some(), "IncomeAccountRef"),
            (expense.is_some(), "ExpenseAccountRef"),
            (asset.is_some(), "AssetAccountRef"),
            (fields.get("InvStartDate").is_some(), "InvStartDate"),
            (fields.get("QtyOnHand").is_some(), "QtyOnHand"),
        ] {
            if !is_there {
                return Err(Refusal::missing_parameter(key));
            }
        }
    }
    let is_asset = |id: AccountId| matches!(books.accounts[&id].account_type, AccountType::Inventory | AccountType::CurrentAsset);
    if item_type == "Inventory" && !asset.is_some_and(is_asset) {
        return Err(Refusal::business("The asset account of an inventory item must be of the type Other Current Asset"));
    }
    let purchase_cost = super::fields::millionths(fields, "PurchaseCost")?.map_or(Cents::ZERO, |cost| Cents(cost / 10_000));
    let counted = asset.filter(|_| item_type == "Inventory").map(|asset| (asset, purchase_cost));
    let quantity = super::fields::millionths(fields, "QtyOnHand")?.unwrap_or(0) / 10_000;
    let started_on = date(fields, "InvStartDate")?.unwrap_or_else(|| dates::day_of(books, write.now));
    if write.id.is_some_and(|id| books.counted(id).is_some()) && item_type != "Inventory" {
        return Err(Refusal::business("An inventory item stays one"));
    }
    let has_accounts = !matches!(item_type, "Category" | "Group");
    // Categories and bundles have no accounts of their own; the books want one to stand on.
    let any_income = || books.account_of(AccountType::Income).ok_or_else(|| Refusal::missing_parameter("IncomeAccountRef"));
    let income = match (income, &known) {
        (Some(income), _) => income,
        (None, Some(known)) => known.income_account,
        (None, None) if has_accounts && expense.is_none() => return Err(Refusal::missing_parameter("IncomeAccountRef")),
        (None, None) => any_income()?,
    };
    let facts = ItemFacts {
        name: shown,
        description: text(fields, "Description").unwrap_or_default().to_owned(),
        unit_price: unit_price(fields)?,
        income_account: income,
        expense_account: expense,
        active: flag(fields, "Active").unwrap_or(true),
    };
    match write.id {
        Some(id) => {
            books.change_item(id, facts, write.now)?;
            if let Some((asset, cost)) = counted {
                let is_new = books.counted(id).is_none();
                books.count_item(id, asset, cost);
                if is_new {
                    start_stock(books, id, (asset, cost), quantity, started_on, write.now)?;
                }
            }
            Ok(id)
        }
        None => {
            let id = books.add_item(facts.name, facts.description, facts.unit_price, facts.income_account, facts.expense_account, write.now);
            books.items.get_mut(&id).expect("added above").active = facts.active;
            if let Some((asset, cost)) = counted {
                books.count_item(id, asset, cost);
                start_stock(books, id, (asset, cost), quantity, started_on, write.now)?;
            }
            Ok(id)
        }
    }
}

/// "Item created with QtyOnHand: AssetAccountRef against Opening Balance Equity (Inventory Starting Value in the GL)" (contract 7.6).
fn start_stock(
    books: &mut Books,
    item: u64,
    (asset, cost): (AccountId, Cents),
    quantity_hundredths: i64,
    date: jiff::civil::Date,
    now: Timestamp,
) -> Result<(), Refusal> {
    if quantity_hundredths == 0 {
        return Ok(());
    }
    let value = Cents(i64::try_from(i128::from(cost.0) * i128::from(quantity_hundredths) / 100).unwrap_or(i64::MAX));
    if value.abs().0 > 1_000_000_000_000 {
        return Err(Refusal::business("The value on hand is larger than what is supported"));
    }
    let equity = opening_equity(books, now);
    let name = format!("{} - Opening inventory and value", books.items[&item].name);
    let goods = NewLine { item: Some(item), quantity_hundredths, unit_price: cost, ..NewLine::new(asset, value, name.clone()) };
    let mut document = NewDocument { lines: vec![goods, NewLine::new(equity, -value, name)], ..NewDocument::new(Kind::Journal, date) };
    document.number = Some("START".into());
    document.details.variant = Some(Variant::InventoryStart);
    books.add_document(document, now)?;
    Ok(())
}

/// Whole cents; a finer price is kept as it was sent and shown so.
fn unit_price(fields: &Object) -> Result<Cents, Refusal> {
    let millionths = super::fields::millionths(fields, "UnitPrice")?.unwrap_or(0);
    Ok(Cents(millionths / 10_000))
}
