//! Organisation, Accounts, TaxRates, Currencies and Items.
//!
//! Contract: providers/xero.md 6.1, 6.2, 6.5, 6.6 and 6.8.
use super::dates;
use super::json::{Object, array};
use crate::books::xero::TaxRateStatus;
use crate::books::xero::allocations::TRACKING_TRANSFERS;
use crate::books::{Account, AccountType, Books, Item, TaxRate};
use jiff::civil::Date;

/// One record; the list key is `Organisations`. A sandbox company is a demo company and says so.
pub fn organisation(books: &Books) -> String {
    let version = version(books);
    let (basis, period) = match version {
        "NZ" => ("PAYMENTS", "TWOMONTHS"),
        "UK" => ("ACCRUAL", "QUARTERLY"),
        "AU" => ("ACCRUALS", "QUARTERLY1"),
        _ => ("ACCRUALS", "1MONTHLY"),
    };
    let (end_day, end_month) = year_end(books.fiscal_year_start_month);
    let code = books.guid("ShortCode", 1).replace('-', "");
    let digits = format!("{:09}", crate::books::guid::mix(books.seed) % 1_000_000_000);
    Object::new()
        .text("Name", &books.name)
        .text("LegalName", &books.legal_name)
        .flag("PaysTax", books.tax_rates.iter().any(|rate| rate.basis_points > 0))
        .text("Version", version)
        .text("OrganisationType", "COMPANY")
        .text("BaseCurrency", &books.currency)
        .text("CountryCode", &books.country)
        .flag("IsDemoCompany", true)
        .text("OrganisationStatus", "ACTIVE")
        .text("TaxNumber", &format!("{}-{}-{}", &digits[..3], &digits[3..6], &digits[6..9]))
        .number("FinancialYearEndDay", end_day)
        .number("FinancialYearEndMonth", end_month)
        .text("SalesTaxBasis", basis)
        .text("SalesTaxPeriod", period)
        .text("DefaultSalesTax", "Tax Exclusive")
        .text("DefaultPurchasesTax", "Tax Exclusive")
        .raw("PeriodLockDate", &dates::ms_date(books.created_at.to_zoned(jiff::tz::TimeZone::UTC).date()))
        .raw("CreatedDateUTC", &dates::ms_time_bare(books.created_at))
        .text("OrganisationEntityType", "COMPANY")
        .text("Timezone", time_zone(&books.time_zone))
        .text("ShortCode", &format!("!{}", &code[..5]))
        .text("OrganisationID", &books.id)
        .text("Edition", "BUSINESS")
        .text("Class", "DEMO")
        .raw("Addresses", "[]")
        .raw("Phones", "[]")
        .raw("ExternalLinks", "[]")
        .raw("PaymentTerms", "{}")
        .end()
}

/// The country edition, which names taxes and reports.
fn version(books: &Books) -> &'static str {
    match books.country.as_str() {
        "NZ" => "NZ",
        "GB" => "UK",
        "AU" => "AU",
        "US" => "US",
        _ => "GLOBAL",
    }
}

/// Last day and month of a fiscal year that begins on the first of a month.
fn year_end(start_month: i8) -> (i8, i8) {
    let end_month = if start_month == 1 { 12 } else { start_month - 1 };
    // a year that ends in February ends on the 28th: the field holds one day for all years
    let last = Date::new(2023, end_month, 1).expect("every month has a first day").last_of_month();
    (last.day(), end_month)
}

/// Xero's name of an IANA zone, for the zones companies of the sandbox use.
fn time_zone(iana: &str) -> &'static str {
    match iana {
        "Pacific/Auckland" => "NEWZEALANDSTANDARDTIME",
        "Europe/London" => "GMTSTANDARDTIME",
        "Australia/Sydney" | "Australia/Melbourne" => "AUSEASTERNSTANDARDTIME",
        "Australia/Brisbane" => "EAUSTRALIASTANDARDTIME",
        "Australia/Perth" => "WAUSTRALIASTANDARDTIME",
        "America/Los_Angeles" => "PACIFICSTANDARDTIME",
        "America/Denver" => "MOUNTAINSTANDARDTIME",
        "America/Chicago" => "CENTRALSTANDARDTIME",
        "America/New_York" => "EASTERNSTANDARDTIME",
        "Asia/Singapore" => "SINGAPORESTANDARDTIME",
        "Africa/Johannesburg" => "SOUTHAFRICASTANDARDTIME",
        "Europe/Paris" | "Europe/Madrid" => "ROMANCESTANDARDTIME",
        "Europe/Berlin" | "Europe/Amsterdam" | "Europe/Rome" => "WEUROPESTANDARDTIME",
        _ => "UTC",
    }
}

/// The types of section 6.2.
pub const ACCOUNT_TYPES: [&str; 18] = [
    "BANK",
    "CURRENT",
    "CURRLIAB",
    "DEPRECIATN",
    "DIRECTCOSTS",
    "EQUITY",
    "EXPENSE",
    "FIXED",
    "INVENTORY",
    "LIABILITY",
    "NONCURRENT",
    "OTHERINCOME",
    "OVERHEADS",
    "PREPAYMENT",
    "REVENUE",
    "SALES",
    "TERMLIAB",
    "PAYG",
];

/// The account's Xero type.
pub fn account_type(account: &Account) -> &'static str {
    use AccountType::*;
    match account.account_type {
        Bank | CreditCard => "BANK",
        Receivable | CurrentAsset => "CURRENT",
        Inventory => "INVENTORY",
        FixedAsset => "FIXED",
        OtherAsset => "NONCURRENT",
        Payable | CurrentLiability | TaxPayable => "CURRLIAB",
        LongTermLiability => "TERMLIAB",
        Equity | RetainedEarnings => "EQUITY",
        Income => "REVENUE",
        OtherIncome => "OTHERINCOME",
        CostOfSales => "DIRECTCOSTS",
        Expense | CurrencyGain => "EXPENSE",
        Depreciation => "DEPRECIATN",
        OtherExpense => "OVERHEADS",
    }
}

/// ASSET, LIABILITY, EQUITY, REVENUE or EXPENSE. Card accounts are bank accounts to Xero, so assets.
pub fn class(account: &Account) -> &'static str {
    match account_type(account) {
        "BANK" | "CURRENT" | "INVENTORY" | "FIXED" | "NONCURRENT" => "ASSET",
        "CURRLIAB" | "TERMLIAB" => "LIABILITY",
        "EQUITY" => "EQUITY",
        "REVENUE" | "OTHERINCOME" => "REVENUE",
        _ => "EXPENSE",
    }
}

/// The mark of the one account Xero itself posts to.
pub fn system_account(books: &Books, account: &Account) -> &'static str {
    let mark = match account.account_type {
        AccountType::Receivable => "DEBTORS",
        AccountType::Payable => "CREDITORS",
        AccountType::TaxPayable => "GST",
        AccountType::RetainedEarnings => "RETAINEDEARNINGS",
        AccountType::CurrencyGain => "REALISEDCURRENCYGAIN",
        // the counterpart of conversion balances has no type of its own in the books
        _ if account.name == "Historical Adjustment" => return "HISTORICAL",
        _ if account.name == TRACKING_TRANSFERS => return "TRACKINGTRANSFERS",
        _ if books.is_unpaid_claims(account.id) => return "UNPAIDEXPCLM",
        _ => return "",
    };
    if books.account_of(account.account_type) == Some(account.id) { mark } else { "" }
}

pub fn bank_account_type(account: &Account) -> &'static str {
    match account.account_type {
        AccountType::Bank => "BANK",
        AccountType::CreditCard => "CREDITCARD",
        _ => "",
    }
}

pub fn account_status(account: &Account) -> &'static str {
    if account.active { "ACTIVE" } else { "ARCHIVED" }
}

/// The tax code an account suggests.
pub fn account_tax_type(books: &Books, account: &Account) -> String {
    if let Some(given) = books.text_property("Account", account.id, "TaxType") {
        return given;
    }
    let wanted = |sales: bool| books.tax_rates.iter().find(|rate| rate.basis_points > 0 && if sales { rate.for_sales } else { rate.for_purchases });
    match account.account_type {
        AccountType::Income => wanted(true),
        AccountType::CostOfSales | AccountType::Expense | AccountType::FixedAsset => wanted(false),
        _ => None,
    }
    .map_or("NONE".into(), |rate| rate.code.clone())
}

/// A word about what an account is for, as the standard charts have one.
fn description(account: &Account) -> &'static str {
    use AccountType::*;
    match account.account_type {
        Income => "Income from the ordinary business activity",
        OtherIncome => "Any other income",
        CostOfSales => "Cost of what was sold",
        Expense | OtherExpense => "Expenses of the business",
        Depreciation => "The fixed assets' cost of the year",
        Receivable => "Outstanding invoices the company has issued out to the client but has not yet received in cash",
        Payable => "Outstanding invoices the company has received from suppliers but has not yet paid",
        _ => "",
    }
}

/// Code and name of the place in the statements, from those recorded in section 6.2.
fn reporting_code(account: &Account) -> (&'static str, &'static str) {
    use AccountType::*;
    match account.account_type {
        Bank | CreditCard | CurrentAsset | OtherAsset => ("ASS", "Asset"),
        Receivable => ("ASS.CUR.REC.TRA", "Trade receivables"),
        Inventory => ("ASS.CUR.INY", "Inventories"),
        FixedAsset => ("ASS.NCA.FIX.OWN.PLA", "Plant and Machinery owned"),
        Payable => ("LIA.CUR.PAY.TRA", "Trade payables"),
        CurrentLiability => ("LIA.CUR", "Current liabilities"),
        TaxPayable => ("LIA.CUR.TAX.VAT", "Value added tax"),
        LongTermLiability => ("LIA.NCL.LOA", "Loans (non current)"),
        Equity => ("EQU.ADV", "Owners/partners funds introduced"),
        RetainedEarnings => ("EQU.RET", "Retained earnings"),
        Income => ("REV.TRA.GOO", "Sale of goods"),
        OtherIncome => ("REV.OTH", "Other Revenue"),
        CostOfSales => ("EXP.COS", "Cost of goods sold"),
        Expense | OtherExpense => ("EXP", "Expense"),
        Depreciation => ("EXP.DEP", "Depreciation"),
        CurrencyGain => ("EXP.FOR.RGL", "Realised foreign currency gains and losses"),
    }
}

pub fn account(books: &Books, account: &Account) -> String {
    let bank = !bank_account_type(account).is_empty();
    let (reporting_code, reporting_name) = reporting_code(account);
    let text = |name: &str| books.text_property("Account", account.id, name);
    let flag = |name: &str| books.property("Account", account.id, name) == Some("true");
    let description = text("Description").unwrap_or_else(|| description(account).to_string());
    Object::new()
        .text("AccountID", &books.guid("Account", account.id))
        .maybe("Code", Some(account.code.as_str()).filter(|code| !code.is_empty()))
        .text("Name", &account.name)
        .text("Status", account_status(account))
        .text("Type", account_type(account))
        .text("TaxType", &account_tax_type(books, account))
        .text("Class", class(account))
        .when(!bank && !description.is_empty(), |object| object.text("Description", &description))
        .flag("EnablePaymentsToAccount", payments_enabled(books, account))
        .flag("ShowInExpenseClaims", flag("ShowInExpenseClaims"))
        .when(bank, |object| {
            object
                .text("BankAccountNumber", &text("BankAccountNumber").unwrap_or_else(|| format!("06{:011}", account.id)))
                .text("BankAccountType", bank_account_type(account))
                .text("CurrencyCode", &account.currency)
        })
        .when(!bank, |object| object.text("BankAccountType", "").text("SystemAccount", system_account(books, account)))
        .text("ReportingCode", reporting_code)
        .text("ReportingCodeName", reporting_name)
        .flag("HasAttachments", false)
        .raw("UpdatedDateUTC", &dates::ms_time(account.updated_at))
        .flag("AddToWatchlist", flag("AddToWatchlist"))
        .end()
}

/// Payments may go straight to this account.
pub fn payments_enabled(books: &Books, account: &Account) -> bool {
    books.property("Account", account.id, "EnablePaymentsToAccount") == Some("true")
}

/// The name of tax code `NONE`.
pub fn no_tax_name(books: &Books) -> &'static str {
    if version(books) == "UK" { "No VAT" } else { "No GST" }
}

/// ACTIVE until a client archives or deletes it.
pub fn tax_rate_status(books: &Books, id: u64) -> &'static str {
    match books.xero.retired_tax_rates.get(&id) {
        None => "ACTIVE",
        Some(TaxRateStatus::Deleted) => "DELETED",
        Some(TaxRateStatus::Archived) => "ARCHIVED",
    }
}

pub fn tax_rate(books: &Books, rate: &TaxRate) -> String {
    let report = match (rate.basis_points, rate.for_sales, rate.for_purchases) {
        (0, _, _) => "NONE",
        (_, true, false) => "OUTPUT",
        (_, false, true) => "INPUT",
        _ => "ACCRUALS",
    };
    one_tax_rate(&rate.name, &rate.code, report, rate.basis_points, rate.for_sales, rate.for_purchases, tax_rate_status(books, rate.id))
}

/// Every Xero organisation has the code NONE, whether or not the books name it.
pub fn built_in_tax_rate(books: &Books) -> Option<String> {
    let missing = books.tax_rates.iter().all(|rate| rate.code != "NONE");
    missing.then(|| one_tax_rate(no_tax_name(books), "NONE", "NONE", 0, true, true, "ACTIVE"))
}

fn one_tax_rate(name: &str, code: &str, report: &str, basis_points: i64, sales: bool, purchases: bool, status: &str) -> String {
    let percent = format!("{}.{:02}00", basis_points / 100, basis_points % 100);
    let component = Object::new().text("Name", name).number("Rate", &percent).flag("IsCompound", false).flag("IsNonRecoverable", false).end();
    Object::new()
        .text("Name", name)
        .text("TaxType", code)
        .text("ReportTaxType", report)
        .flag("CanApplyToAssets", true)
        .flag("CanApplyToEquity", true)
        .flag("CanApplyToExpenses", purchases)
        .flag("CanApplyToLiabilities", true)
        .flag("CanApplyToRevenue", sales)
        .number("DisplayTaxRate", &percent)
        .number("EffectiveRate", &percent)
        .text("Status", status)
        .raw("TaxComponents", &array(&[component]))
        .end()
}

/// The codes of `currencies`, in its order.
pub fn currency_codes(books: &Books) -> Vec<String> {
    let mut codes = vec![books.currency.as_str()];
    let used = books.accounts.values().map(|a| &a.currency).chain(books.contacts.values().map(|c| &c.currency));
    for code in used.chain(books.documents.values().map(|d| &d.currency)).chain(books.lists.currencies.keys()) {
        if !codes.contains(&code.as_str()) {
            codes.push(code);
        }
    }
    codes.into_iter().map(String::from).collect()
}

/// Every currency the books hold an account, contact or document in or that was added; the base currency first.
pub fn currencies(books: &Books) -> Vec<String> {
    currency_codes(books).iter().map(|code| Object::new().text("Code", code).text("Description", currency_name(code)).end()).collect()
}

fn currency_name(code: &str) -> &str {
    match code {
        "NZD" => "New Zealand Dollar",
        "USD" => "United States Dollar",
        "GBP" => "British Pound",
        "EUR" => "Euro",
        "AUD" => "Australian Dollar",
        "CAD" => "Canadian Dollar",
        other => other,
    }
}

/// Items need a code; the books have only names, unless a client gave one.
pub fn item_code(books: &Books, item: &Item) -> String {
    books.text_property("Item", item.id, "Code").unwrap_or_else(|| format!("ITEM-{:04}", item.id))
}

/// A deleted item is in no list and under no id.
pub fn is_listed(books: &Books, item: &Item) -> bool {
    !books.xero.deleted_items.contains(&item.id)
}

/// What the connected user may do.
pub fn actions(books: &Books) -> Vec<String> {
    let foreign = currencies(books).len() > 1;
    let allowed = [
        ("CreateApprovedInvoice", true),
        ("CreateDraftPurchaseOrder", true),
        ("CreateApprovedBill", true),
        ("AttachFilesIntoInvoice", true),
        ("UseMulticurrency", foreign),
        ("CreateDraftInvoice", true),
        ("CreateRepeatingInvoice", true),
        ("CreateRepeatingBill", true),
        ("CreateSentQuote", true),
        ("CreateInvoicePayment", true),
        ("CreateApprovedPurchaseOrder", true),
        ("CreateDraftQuote", true),
        ("CreateDraftBill", true),
    ];
    let action =
        |(name, allowed): (&str, bool)| Object::new().text("Name", name).text("Status", if allowed { "ALLOWED" } else { "NOT-ALLOWED" }).end();
    allowed.into_iter().map(action).collect()
}

pub fn item(books: &Books, item: &Item) -> String {
    let code_of = |account| books.accounts.get(&account).map(|a| a.code.as_str()).filter(|code| !code.is_empty());
    let text = |name: &str| books.text_property("Item", item.id, name);
    let flag = |name: &str| books.property("Item", item.id, name).map(|json| json == "true");
    let counted = books.counted(item.id);
    let is_sold = flag("IsSold").unwrap_or(true);
    let is_purchased = flag("IsPurchased").unwrap_or(item.expense_account.is_some());
    let sales = match is_sold {
        true => Object::new()
            .money("UnitPrice", item.unit_price)
            .maybe("AccountCode", code_of(item.income_account))
            .maybe("TaxType", text("SalesTaxType").as_deref())
            .end(),
        false => Object::new().end(),
    };
    let price = books.property("Item", item.id, "PurchasePrice").unwrap_or("");
    let purchases = Object::new()
        .when(is_purchased && !price.is_empty(), |object| object.number("UnitPrice", price))
        .maybe(if counted.is_some() { "COGSAccountCode" } else { "AccountCode" }, item.expense_account.filter(|_| is_purchased).and_then(code_of))
        .maybe("TaxType", text("PurchaseTaxType").filter(|_| is_purchased).as_deref())
        .end();
    Object::new()
        .text("ItemID", &books.guid("Item", item.id))
        .text("Code", &item_code(books, item))
        .text("Name", &item.name)
        .maybe("Description", Some(item.description.as_str()).filter(|text| !text.is_empty()))
        .maybe("PurchaseDescription", text("PurchaseDescription").as_deref())
        .raw("UpdatedDateUTC", &dates::ms_time(item.updated_at))
        .raw("PurchaseDetails", &purchases)
        .raw("SalesDetails", &sales)
        .flag("IsTrackedAsInventory", counted.is_some())
        .when(counted.is_some(), |object| {
            let (quantity, value) = books.on_hand_at(item.id, Date::MAX);
            let asset = counted.and_then(|counted| code_of(counted.asset));
            object.maybe("InventoryAssetAccountCode", asset).money("TotalCostPool", value).money("QuantityOnHand", crate::money::Cents(quantity))
        })
        .flag("IsSold", is_sold)
        .flag("IsPurchased", is_purchased)
        .end()
}
