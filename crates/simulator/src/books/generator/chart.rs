//! The charts of accounts, items and taxes of made-up companies.
use super::SecondCurrency;
use crate::books::{AccountId, AccountType, Books, Face, ItemId};
use crate::money::Cents;
use jiff::Timestamp;

/// The accounts the generator posts to by name.
pub struct Chart {
    pub bank: AccountId,
    pub savings: AccountId,
    pub card: AccountId,
    /// QuickBooks' Undeposited Funds.
    pub undeposited: Option<AccountId>,
    pub foreign_bank: Option<AccountId>,
    pub equipment: AccountId,
    pub accumulated_depreciation: AccountId,
    pub payroll_liabilities: AccountId,
    pub wages_payable: Option<AccountId>,
    pub tax: AccountId,
    pub loan: AccountId,
    pub equity: AccountId,
    pub drawings: AccountId,
    pub sales: AccountId,
    pub interest_income: AccountId,
    pub cost_of_sales: AccountId,
    pub inventory: Option<AccountId>,
    pub rent: AccountId,
    pub bank_charges: AccountId,
    pub wages: AccountId,
    pub payroll_taxes: AccountId,
    pub depreciation: AccountId,
    pub interest: AccountId,
    /// Used in the first months, archived at the end.
    pub old_income: AccountId,
    pub historical_adjustment: Option<AccountId>,
    pub expenses: Vec<AccountId>,
    pub items: Vec<ItemId>,
    /// Tax of ordinary sales, and of ordinary purchases where the country has one.
    pub sales_tax: u64,
    pub purchase_tax: Option<u64>,
    /// For untaxed lines: Xero has a code for them, QuickBooks none.
    pub no_tax: Option<u64>,
    pub export_tax: Option<u64>,
}

pub fn build(books: &mut Books, second: Option<&SecondCurrency>, now: Timestamp) -> Chart {
    match books.face {
        Face::QuickBooks => quickbooks(books, second, now),
        Face::Xero => xero(books, second, now),
    }
}

fn quickbooks(books: &mut Books, second: Option<&SecondCurrency>, now: Timestamp) -> Chart {
    use AccountType::*;
    let mut add = |code: &str, name: &str, account_type, parent| books.add_account(name, code, account_type, parent, None, now);
    let bank = add("1000", "Checking", Bank, None);
    let savings = add("1010", "Savings", Bank, None);
    let undeposited = add("1050", "Undeposited Funds", CurrentAsset, None);
    add("1200", "Accounts Receivable (A/R)", Receivable, None);
    let inventory = add("1300", "Inventory Asset", Inventory, None);
    add("1400", "Prepaid Insurance", CurrentAsset, None);
    let equipment = add("1500", "Furniture and Equipment", FixedAsset, None);
    let accumulated_depreciation = add("1510", "Accumulated Depreciation", FixedAsset, Some(equipment));
    add("1800", "Security Deposits", OtherAsset, None);
    add("2000", "Accounts Payable (A/P)", Payable, None);
    let card = add("2100", "Visa Business Card", CreditCard, None);
    let tax = add("2200", "Sales Tax Payable", TaxPayable, None);
    let payroll_liabilities = add("2300", "Payroll Liabilities", CurrentLiability, None);
    let loan = add("2700", "Equipment Loan", LongTermLiability, None);
    let equity = add("3000", "Owner's Equity", Equity, None);
    let drawings = add("3100", "Owner's Draw", Equity, None);
    add("3900", "Retained Earnings", RetainedEarnings, None);
    let sales = add("4000", "Sales of Product Income", Income, None);
    let services = add("4100", "Services", Income, None);
    let installation = add("4110", "Installation", Income, Some(services));
    let repairs = add("4120", "Repairs", Income, Some(services));
    let discounts = add("4200", "Discounts Given", Income, None);
    let old_income = add("4300", "Consulting (closed line)", Income, None);
    let interest_income = add("4900", "Interest Earned", OtherIncome, None);
    let cost_of_sales = add("5000", "Cost of Goods Sold", CostOfSales, None);
    let freight = add("5100", "Freight In", CostOfSales, None);
    let advertising = add("6000", "Advertising", Expense, None);
    let rent = add("6100", "Rent or Lease", Expense, None);
    let utilities = add("6200", "Utilities", Expense, None);
    let electricity = add("6210", "Gas and Electric", Expense, Some(utilities));
    let internet = add("6220", "Telephone and Internet", Expense, Some(utilities));
    let office = add("6300", "Office Supplies", Expense, None);
    let travel = add("6400", "Travel", Expense, None);
    let meals = add("6410", "Travel Meals", Expense, Some(travel));
    let insurance = add("6500", "Insurance", Expense, None);
    let wages = add("6600", "Payroll Wages", Expense, None);
    let payroll_taxes = add("6610", "Payroll Taxes", Expense, Some(wages));
    let fees = add("6700", "Legal and Professional Fees", Expense, None);
    let bank_charges = add("6800", "Bank Charges", Expense, None);
    let depreciation = add("7000", "Depreciation", Depreciation, None);
    let interest = add("8000", "Interest Paid", OtherExpense, None);
    let foreign_bank = second.map(|second| {
        let code = second.code.as_str();
        books.add_account(format!("Accounts Receivable (A/R) - {code}"), "1201", Receivable, None, Some(code), now);
        books.add_account(format!("Accounts Payable (A/P) - {code}"), "2001", Payable, None, Some(code), now);
        books.add_account(format!("{code} Account"), "1020", Bank, None, Some(code), now)
    });
    let (name, basis_points) = if books.country == "US" { ("California State Sales Tax", 825) } else { ("Sales Tax", 1000) };
    let sales_tax = books.add_tax_rate(name, "TAX", basis_points, tax, true, false);
    let items = items(books, &[sales, services, installation, repairs, discounts], cost_of_sales, now);
    Chart {
        bank,
        savings,
        card,
        undeposited: Some(undeposited),
        foreign_bank,
        equipment,
        accumulated_depreciation,
        payroll_liabilities,
        wages_payable: None,
        tax,
        loan,
        equity,
        drawings,
        sales,
        interest_income,
        cost_of_sales,
        inventory: Some(inventory),
        rent,
        bank_charges,
        wages,
        payroll_taxes,
        depreciation,
        interest,
        old_income,
        historical_adjustment: None,
        expenses: vec![freight, advertising, electricity, internet, office, travel, meals, insurance, fees],
        items,
        sales_tax,
        purchase_tax: None,
        no_tax: None,
        export_tax: None,
    }
}

fn xero(books: &mut Books, second: Option<&SecondCurrency>, now: Timestamp) -> Chart {
    use AccountType::*;
    let tax_name = if books.country == "GB" { "VAT" } else { "GST" };
    let mut add = |code: &str, name: &str, account_type| books.add_account(name, code, account_type, None, None, now);
    let bank = add("090", "Business Bank Account", Bank);
    let savings = add("091", "Business Savings Account", Bank);
    let card = add("092", "Company Credit Card", CreditCard);
    let sales = add("200", "Sales", Income);
    let services = add("220", "Services", Income);
    let old_income = add("230", "Consulting (closed line)", Income);
    let other_revenue = add("260", "Other Revenue", Income);
    let interest_income = add("270", "Interest Income", OtherIncome);
    let cost_of_sales = add("310", "Cost of Goods Sold", CostOfSales);
    let advertising = add("400", "Advertising", Expense);
    let bank_charges = add("404", "Bank Fees", Expense);
    let cleaning = add("408", "Cleaning", Expense);
    let accounting = add("412", "Consulting & Accounting", Expense);
    let depreciation = add("416", "Depreciation", Depreciation);
    let freight = add("425", "Freight & Courier", Expense);
    let general = add("429", "General Expenses", Expense);
    let insurance = add("433", "Insurance", Expense);
    let interest = add("437", "Interest Expense", OtherExpense);
    let power = add("445", "Light, Power, Heating", Expense);
    let office = add("453", "Office Expenses", Expense);
    let rent = add("469", "Rent", Expense);
    let repairs = add("473", "Repairs and Maintenance", Expense);
    let wages = add("477", "Wages and Salaries", Expense);
    let payroll_taxes = add("478", "Employer Pension Contributions", Expense);
    let subscriptions = add("485", "Subscriptions", Expense);
    let telephone = add("489", "Telephone & Internet", Expense);
    let travel = add("493", "Travel", Expense);
    add("610", "Accounts Receivable", Receivable);
    add("620", "Prepayments", CurrentAsset);
    let equipment = add("710", "Office Equipment", FixedAsset);
    let accumulated_depreciation = add("711", "Less Accumulated Depreciation on Office Equipment", FixedAsset);
    add("800", "Accounts Payable", Payable);
    let wages_payable = add("814", "Wages Payable", CurrentLiability);
    let tax = add("820", tax_name, TaxPayable);
    let payroll_liabilities = add("825", "Employee Tax Payable", CurrentLiability);
    let historical_adjustment = add("840", "Historical Adjustment", CurrentLiability);
    add("860", "Rounding", CurrentLiability);
    let loan = add("900", "Loan", LongTermLiability);
    add("960", "Retained Earnings", RetainedEarnings);
    let equity = add("970", "Owner Funds Introduced", Equity);
    let drawings = add("980", "Owner Drawings", Equity);
    let foreign_bank = second.map(|second| {
        let code = second.code.as_str();
        books.add_account("Realised Currency Gains", "499", CurrencyGain, None, None, now);
        books.add_account(format!("{code} Account"), "093", Bank, None, Some(code), now)
    });
    // Names and codes of the countries' standard rates: <https://developer.xero.com/documentation/api/accounting/types#tax-rates>.
    let (basis_points, sales_name, purchase_name, export_code) = match books.country.as_str() {
        "NZ" => (1500, "15% GST on Income", "15% GST on Expenses", "ZERORATED"),
        "GB" => (2000, "20% (VAT on Income)", "20% (VAT on Expenses)", "ZERORATEDOUTPUT"),
        _ => (1000, "10% Tax on Income", "10% Tax on Expenses", "EXEMPTOUTPUT"),
    };
    let sales_tax = books.add_tax_rate(sales_name, "OUTPUT2", basis_points, tax, true, false);
    let purchase_tax = books.add_tax_rate(purchase_name, "INPUT2", basis_points, tax, false, true);
    let export_tax = books.add_tax_rate("Zero Rated", export_code, 0, tax, true, false);
    let no_tax = books.add_tax_rate("No Tax", "NONE", 0, tax, true, true);
    let items = items(books, &[sales, services, services, other_revenue, other_revenue], cost_of_sales, now);
    Chart {
        bank,
        savings,
        card,
        undeposited: None,
        foreign_bank,
        equipment,
        accumulated_depreciation,
        payroll_liabilities,
        wages_payable: Some(wages_payable),
        tax,
        loan,
        equity,
        drawings,
        sales,
        interest_income,
        cost_of_sales,
        inventory: None,
        rent,
        bank_charges,
        wages,
        payroll_taxes,
        depreciation,
        interest,
        old_income,
        historical_adjustment: Some(historical_adjustment),
        expenses: vec![advertising, cleaning, accounting, freight, general, insurance, power, office, repairs, subscriptions, telephone, travel],
        items,
        sales_tax,
        purchase_tax: Some(purchase_tax),
        no_tax: Some(no_tax),
        export_tax: Some(export_tax),
    }
}

/// Five income accounts in the order: products, services, installation, repairs, sundries. Even seeds sell outdoor goods, odd ones are a studio.
fn items(books: &mut Books, income: &[AccountId; 5], cost_of_sales: AccountId, now: Timestamp) -> Vec<ItemId> {
    let [products, services, installation, repairs, sundries] = *income;
    let goods = [
        ("TENT2", "Two-person tent", 38_900, products),
        ("TENT4", "Four-person tent", 64_950, products),
        ("PACK45", "Trail pack 45 l", 18_900, products),
        ("STOVE", "Compact stove", 7_995, products),
        ("LAMP", "Camp lantern", 4_450, products),
        ("ROPE60", "Rope 60 m", 15_925, products),
        ("CONSULT", "Planning, per hour", 12_500, services),
        ("TRAIN", "Staff training, per day", 89_000, services),
        ("INSTALL", "Installation on site", 24_000, installation),
        ("REPAIR", "Repair, per hour", 6_850, repairs),
        ("RENTAL", "Equipment hire, per day", 5_499, services),
        ("SUNDRY", "Sundries", 1_275, sundries),
    ];
    let studio = [
        ("DESIGN", "Design, per hour", 9_500, services),
        ("CONCEPT", "Concept workshop", 78_000, services),
        ("LOGO", "Logo package", 145_000, services),
        ("WEB", "Web page design", 62_500, services),
        ("PRINT-A4", "Printed brochures, 100", 18_450, products),
        ("PRINT-CARD", "Business cards, 250", 6_995, products),
        ("POSTER", "Posters, 50", 12_125, products),
        ("PHOTO", "Photography, half day", 42_000, services),
        ("RETOUCH", "Retouching, per hour", 6_850, repairs),
        ("SETUP", "Exhibition set-up", 55_000, installation),
        ("SUPPORT", "Support, per hour", 7_250, services),
        ("SUNDRY", "Sundries", 1_275, sundries),
    ];
    let list = if books.seed.is_multiple_of(2) { goods } else { studio };
    list.into_iter()
        .map(|(name, description, price, account)| {
            let expense = (account == products).then_some(cost_of_sales);
            books.add_item(name, description, Cents(price), account, expense, now)
        })
        .collect()
}
