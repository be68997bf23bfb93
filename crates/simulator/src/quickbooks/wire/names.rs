//! Accounts, customers, vendors and items as QuickBooks writes them.
use super::View;
use super::tree::{Json, Object, reference};
use crate::books::lists::Employee;
use crate::books::{Account, AccountType, Contact, Item};
use crate::money::Cents;

/// AccountType, default AccountSubType and Classification, as the account page lists them:
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/most-commonly-used/account>.
pub struct Classes {
    pub account_type: &'static str,
    pub sub_type: &'static str,
    pub classification: &'static str,
}

pub fn classes(account: &Account, country: &str) -> Classes {
    use AccountType::*;
    let name = account.name.to_lowercase();
    let (account_type, sub_type, classification) = match account.account_type {
        Bank if name.contains("saving") => ("Bank", "Savings", "Asset"),
        Bank if name.contains("cash") => ("Bank", "CashOnHand", "Asset"),
        Bank => ("Bank", "Checking", "Asset"),
        Receivable => ("Accounts Receivable", "AccountsReceivable", "Asset"),
        CurrentAsset if name.contains("undeposited") => ("Other Current Asset", "UndepositedFunds", "Asset"),
        CurrentAsset if name.contains("prepaid") || name.contains("prepayment") => ("Other Current Asset", "PrepaidExpenses", "Asset"),
        CurrentAsset => ("Other Current Asset", "OtherCurrentAssets", "Asset"),
        Inventory => ("Other Current Asset", "Inventory", "Asset"),
        FixedAsset if name.contains("accumulated") => ("Fixed Asset", "AccumulatedDepreciation", "Asset"),
        FixedAsset => ("Fixed Asset", "FurnitureAndFixtures", "Asset"),
        OtherAsset => ("Other Asset", "OtherLongTermAssets", "Asset"),
        Payable => ("Accounts Payable", "AccountsPayable", "Liability"),
        CreditCard => ("Credit Card", "CreditCard", "Liability"),
        CurrentLiability if name.contains("payroll") => ("Other Current Liability", "PayrollTaxPayable", "Liability"),
        CurrentLiability => ("Other Current Liability", "OtherCurrentLiabilities", "Liability"),
        TaxPayable if country == "US" => ("Other Current Liability", "SalesTaxPayable", "Liability"),
        TaxPayable => ("Other Current Liability", "GlobalTaxPayable", "Liability"),
        LongTermLiability => ("Long Term Liability", "NotesPayable", "Liability"),
        Equity if name.contains("opening balance") => ("Equity", "OpeningBalanceEquity", "Equity"),
        Equity => ("Equity", "OwnersEquity", "Equity"),
        RetainedEarnings => ("Equity", "RetainedEarnings", "Equity"),
        Income => ("Income", "SalesOfProductIncome", "Revenue"),
        OtherIncome => ("Other Income", "OtherMiscellaneousIncome", "Revenue"),
        CostOfSales => ("Cost of Goods Sold", "SuppliesMaterialsCogs", "Expense"),
        Expense if name.contains("payroll") || name.contains("wages") || name.contains("salar") => ("Expense", "PayrollExpenses", "Expense"),
        Expense if name.contains("rent") => ("Expense", "RentOrLeaseOfBuildings", "Expense"),
        Expense if name.contains("insurance") => ("Expense", "Insurance", "Expense"),
        Expense if name.contains("utilit") => ("Expense", "Utilities", "Expense"),
        Expense if name.contains("interest") => ("Expense", "InterestPaid", "Expense"),
        Expense => ("Expense", "OfficeGeneralAdministrativeExpenses", "Expense"),
        Depreciation => ("Other Expense", "Depreciation", "Expense"),
        OtherExpense => ("Other Expense", "OtherMiscellaneousExpense", "Expense"),
        CurrencyGain => ("Other Expense", "ExchangeGainOrLoss", "Expense"),
    };
    Classes { account_type, sub_type, classification }
}

/// "CurrentBalance is debit-positive for every balance-sheet account and 0 for all P&L accounts and for Retained Earnings"
/// (contract 7.4). Of a foreign account the sandbox shows the home-currency balance.
pub fn account(view: &View, account: &Account) -> Object {
    let Classes { account_type, sub_type, classification } = classes(account, &view.books.country);
    let object = Object::new()
        .put("Name", view.shown_name(&account.name, account.active))
        .put("SubAccount", account.parent.is_some())
        .put_some("ParentRef", account.parent.map(|parent| Object::new().put("value", parent.to_string())))
        .put("FullyQualifiedName", view.account_name(account.id))
        .put("Active", account.active)
        .put("Classification", classification)
        .put("AccountType", account_type)
        .put("AccountSubType", view.books.unapplied_subtype(account.id).unwrap_or(sub_type))
        .put_text("AcctNum", &account.code)
        .put("CurrentBalance", view.current_balance(account.id))
        .put("CurrentBalanceWithSubAccounts", view.balance_with_children(account.id))
        .put("CurrencyRef", view.currency(&account.currency));
    view.identified(object, account.id, account.sync_token, account.created_at, account.updated_at)
}

/// The parts of a person's name that customers and vendors share.
fn called(view: &View, contact: &Contact) -> Object {
    let shown = view.shown_name(&contact.name, contact.active);
    let object = Object::new()
        .put("CompanyName", contact.name.clone())
        .put("DisplayName", shown.clone())
        .put("PrintOnCheckName", contact.name.clone())
        .put("Active", contact.active);
    if contact.email.is_empty() { object } else { object.put("PrimaryEmailAddr", Object::new().put("Address", contact.email.clone())) }
}

pub fn customer(view: &View, contact: &Contact) -> Object {
    let (receivable, _) = view.books.contact_balance(contact.id);
    let object = Object::new()
        .put("Taxable", true)
        .put("Job", false)
        .put("BillWithParent", false)
        .put("Balance", receivable)
        .put("BalanceWithJobs", receivable)
        .put("CurrencyRef", view.currency(&contact.currency))
        .put("PreferredDeliveryMethod", "Print")
        .put("IsProject", false)
        .put("ClientEntityId", "0")
        .put("FullyQualifiedName", view.shown_name(&contact.name, contact.active));
    let object = Object(object.0.into_iter().chain(called(view, contact).0).collect());
    view.identified(object, contact.id, contact.sync_token, contact.created_at, contact.updated_at)
}

/// "Vendor balance is positive when you owe" (contract 7.5).
pub fn vendor(view: &View, contact: &Contact) -> Object {
    let (_, payable) = view.books.contact_balance(contact.id);
    let object = Object::new().put("Balance", payable).put("Vendor1099", false).put("CurrencyRef", view.currency(&contact.currency));
    let object = Object(object.0.into_iter().chain(called(view, contact).0).collect());
    view.identified(object, contact.id, contact.sync_token, contact.created_at, contact.updated_at)
}

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/employee>.
pub fn employee(view: &View, employee: &Employee) -> Object {
    let object = Object::new()
        .put("BillableTime", false)
        .put_some("HiredDate", employee.hired)
        .put_some("ReleasedDate", employee.released)
        .put_text("GivenName", &employee.given_name)
        .put_text("FamilyName", &employee.family_name)
        .put("DisplayName", view.shown_name(&employee.display_name, employee.stamp.active))
        .put("PrintOnCheckName", employee.display_name.clone())
        .put("Active", employee.stamp.active);
    let object =
        if employee.email.is_empty() { object } else { object.put("PrimaryEmailAddr", Object::new().put("Address", employee.email.clone())) };
    view.stamped(object, employee.id, &employee.stamp)
}

/// Of a counted item the books know how much there is.
pub fn item(view: &View, item: &Item) -> Object {
    let name = view.shown_name(&item.name, item.active);
    let counted = view.books.counted(item.id);
    let plain = if item.expense_account.is_some() { "NonInventory" } else { "Service" };
    let object = Object::new()
        .put("Name", name.clone())
        .put_text("Description", &item.description)
        .put("Active", item.active)
        .put("FullyQualifiedName", name)
        .put("Taxable", true)
        .put("UnitPrice", item.unit_price)
        .put("Type", if counted.is_some() { "Inventory" } else { plain })
        .put("IncomeAccountRef", view.account_reference(item.income_account))
        .put("PurchaseCost", Json::Amount(Cents::ZERO))
        .put_some("ExpenseAccountRef", item.expense_account.map(|account| view.account_reference(account)))
        .put_some("AssetAccountRef", counted.map(|counted| view.account_reference(counted.asset)))
        .put("TrackQtyOnHand", counted.is_some())
        .put_some("QtyOnHand", counted.map(|_| super::quantity(view.books.on_hand(item.id))))
        .put("DeferredRevenue", false);
    view.identified(object, item.id, item.sync_token, item.created_at, item.updated_at)
}

/// A currency's name as the currency list writes it.
pub fn currency(code: &str) -> Object {
    let name = match code {
        "USD" => "United States Dollar",
        "CAD" => "Canadian Dollar",
        "GBP" => "British Pound Sterling",
        "EUR" => "Euro",
        "AUD" => "Australian Dollar",
        "NZD" => "New Zealand Dollar",
        "JPY" => "Japanese Yen",
        "CHF" => "Swiss Franc",
        "MXN" => "Mexican Peso",
        "INR" => "Indian Rupee",
        other => other,
    };
    reference(code, name)
}
