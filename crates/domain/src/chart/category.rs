//! The standard chart: a tree of at most four levels. Every account lies in exactly one leaf; each class has an *Unmapped* leaf.
use crate::document::AccountClass;
use crate::statements::trial_balance::Chart;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Where a category is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    BalanceSheet,
    ProfitAndLoss,
}

/// A place in the standard chart.
#[derive(Debug, PartialEq, Eq)]
pub struct Category {
    /// Stable: what is stored, exported and sent.
    pub key: &'static str,
    pub name: &'static str,
    /// 1 is a class, 4 the deepest there is.
    pub level: u8,
    pub class: AccountClass,
    pub is_leaf: bool,
    /// Its place in the order of the chart.
    pub rank: usize,
    parent: Option<usize>,
}

/// Level, key, name; in the order of the statements. The class is that of the first level.
const TREE: &[(u8, &str, &str)] = &[
    (1, "assets", "Assets"),
    (2, "current-assets", "Current assets"),
    (3, "cash", "Cash and bank"),
    (4, "bank-accounts", "Bank accounts"),
    (4, "savings-accounts", "Savings and money market"),
    (4, "cash-on-hand", "Cash on hand"),
    (4, "cash-in-transit", "Undeposited funds and clearing"),
    (4, "cash-in-trust", "Cash held in trust"),
    (3, "receivables", "Receivables"),
    (4, "trade-receivables", "Accounts receivable"),
    (4, "bad-debt-allowance", "Allowance for bad debts"),
    (4, "tax-receivable", "Tax receivable"),
    (4, "employee-advances", "Employee advances"),
    (4, "short-term-loans-given", "Short-term loans given"),
    (4, "other-receivables", "Other receivables"),
    (3, "inventory", "Inventory"),
    (3, "prepayments", "Prepayments and accrued income"),
    (3, "short-term-investments", "Short-term investments"),
    (3, "other-current-assets", "Other current assets"),
    (2, "fixed-assets", "Fixed assets"),
    (3, "tangible-assets", "Property, plant and equipment"),
    (4, "land-and-buildings", "Land and buildings"),
    (4, "leasehold-improvements", "Leasehold improvements"),
    (4, "machinery-and-equipment", "Machinery and equipment"),
    (4, "vehicles", "Vehicles"),
    (4, "furniture-and-fixtures", "Furniture and fixtures"),
    (4, "computers", "Computers and phones"),
    (4, "assets-under-construction", "Assets under construction"),
    (4, "other-fixed-assets", "Other fixed assets"),
    (3, "intangible-assets", "Intangible assets"),
    (4, "goodwill", "Goodwill"),
    (4, "software-and-licences", "Software, licences and other rights"),
    (3, "accumulated-depreciation", "Accumulated depreciation and amortization"),
    (2, "other-assets", "Other non-current assets"),
    (3, "long-term-investments", "Long-term investments"),
    (3, "long-term-loans-given", "Long-term loans given"),
    (3, "security-deposits", "Security deposits"),
    (3, "deferred-tax-assets", "Deferred tax assets"),
    (3, "other-long-term-assets", "Other long-term assets"),
    (2, "unmapped-assets", "Unmapped assets"),
    (1, "liabilities", "Liabilities"),
    (2, "current-liabilities", "Current liabilities"),
    (3, "payables", "Payables"),
    (4, "trade-payables", "Accounts payable"),
    (4, "credit-cards", "Credit cards"),
    (4, "accrued-expenses", "Accrued expenses"),
    (4, "wages-payable", "Wages and benefits payable"),
    (4, "deferred-revenue", "Customer deposits and deferred revenue"),
    (3, "taxes-payable", "Taxes payable"),
    (4, "sales-tax-payable", "Sales tax, VAT and GST"),
    (4, "payroll-taxes-payable", "Payroll taxes and social security"),
    (4, "income-tax-payable", "Income tax payable"),
    (3, "short-term-debt", "Short-term loans and credit lines"),
    (3, "dividends-payable", "Dividends payable"),
    (3, "money-held-for-others", "Money held for others"),
    (3, "other-current-liabilities", "Other current liabilities"),
    (2, "long-term-liabilities", "Long-term liabilities"),
    (3, "long-term-debt", "Loans and notes payable"),
    (3, "shareholder-loans", "Loans from owners and related parties"),
    (3, "lease-liabilities", "Lease liabilities"),
    (3, "deferred-tax-liabilities", "Deferred tax liabilities"),
    (3, "provisions", "Provisions"),
    (3, "other-long-term-liabilities", "Other long-term liabilities"),
    (2, "unmapped-liabilities", "Unmapped liabilities"),
    (1, "equity", "Equity"),
    (2, "paid-in-capital", "Paid-in capital"),
    (3, "share-capital", "Share capital"),
    (3, "owner-contributions", "Owner's capital and contributions"),
    (3, "capital-reserves", "Capital reserves"),
    (2, "distributions", "Drawings and distributions"),
    (3, "owner-drawings", "Owner drawings"),
    (3, "dividends-paid", "Dividends paid"),
    (2, "accumulated-results", "Accumulated results"),
    (3, "retained-earnings", "Retained earnings"),
    (3, "opening-balances", "Opening balances and conversion"),
    (3, "other-equity", "Other equity"),
    (2, "unmapped-equity", "Unmapped equity"),
    (1, "income", "Income"),
    (2, "revenue", "Revenue"),
    (3, "product-sales", "Sales of products"),
    (3, "service-revenue", "Sales of services"),
    (3, "other-revenue", "Other operating revenue"),
    (3, "discounts-and-refunds", "Discounts and refunds given"),
    (2, "other-income", "Other income"),
    (3, "interest-income", "Interest income"),
    (3, "investment-income", "Dividends and investment income"),
    (3, "grants", "Grants and donations received"),
    (3, "rental-income", "Rental income"),
    (3, "gains-on-disposals", "Gains on disposals"),
    (3, "currency-gains", "Currency gains"),
    (3, "sundry-income", "Sundry income"),
    (2, "unmapped-income", "Unmapped income"),
    (1, "expenses", "Expenses"),
    (2, "cost-of-sales", "Cost of sales"),
    (3, "goods-and-materials", "Goods and materials"),
    (3, "direct-labour", "Direct labour and subcontractors"),
    (3, "freight-in", "Freight and duty on purchases"),
    (3, "other-cost-of-sales", "Other cost of sales"),
    (2, "operating-expenses", "Operating expenses"),
    (3, "people", "People"),
    (4, "wages", "Wages and salaries"),
    (4, "payroll-taxes", "Payroll taxes, pensions and benefits"),
    (4, "training-and-recruiting", "Training and recruiting"),
    (3, "premises", "Premises"),
    (4, "rent", "Rent and leases"),
    (4, "utilities", "Utilities"),
    (4, "repairs-and-maintenance", "Repairs and maintenance"),
    (4, "cleaning", "Cleaning"),
    (3, "office", "Office and technology"),
    (4, "office-supplies", "Office supplies and expenses"),
    (4, "software", "Software and subscriptions"),
    (4, "telephone-and-internet", "Telephone and internet"),
    (4, "shipping-and-postage", "Shipping and postage"),
    (4, "equipment-rental", "Equipment rental"),
    (3, "selling", "Sales and marketing"),
    (4, "advertising", "Advertising and promotion"),
    (4, "commissions", "Commissions and selling fees"),
    (4, "entertainment", "Meals and entertainment"),
    (3, "mobility", "Travel and vehicles"),
    (4, "travel", "Travel"),
    (4, "vehicle-expenses", "Vehicle expenses"),
    (3, "services", "Professional services"),
    (4, "professional-fees", "Legal, accounting and consulting"),
    (4, "outside-services", "Other outside services"),
    (3, "general", "General and administrative"),
    (4, "bank-charges", "Bank charges"),
    (4, "insurance", "Insurance"),
    (4, "bad-debts", "Bad debts"),
    (4, "dues-and-licences", "Dues, licences and local taxes"),
    (4, "donations", "Charitable contributions"),
    (4, "general-expenses", "General expenses"),
    (3, "depreciation", "Depreciation and amortization"),
    (2, "other-expenses", "Other expenses"),
    (3, "interest-expense", "Interest and finance costs"),
    (3, "currency-losses", "Currency gains and losses"),
    (3, "losses-on-disposals", "Losses on disposals and write-offs"),
    (3, "penalties", "Penalties and settlements"),
    (3, "income-tax", "Income tax"),
    (3, "sundry-expenses", "Sundry expenses"),
    (2, "unmapped-expenses", "Unmapped expenses"),
];

static CATEGORIES: LazyLock<Vec<Category>> = LazyLock::new(|| {
    let mut all: Vec<Category> = Vec::with_capacity(TREE.len());
    let mut above: Vec<usize> = Vec::new();
    for (rank, &(level, key, name)) in TREE.iter().enumerate() {
        above.truncate(usize::from(level) - 1);
        let class = match key {
            "assets" => AccountClass::Asset,
            "liabilities" => AccountClass::Liability,
            "equity" => AccountClass::Equity,
            "income" => AccountClass::Revenue,
            "expenses" => AccountClass::Expense,
            _ => all[above[0]].class,
        };
        let is_leaf = TREE.get(rank + 1).is_none_or(|&(next, _, _)| next <= level);
        all.push(Category { key, name, level, class, is_leaf, rank, parent: above.last().copied() });
        above.push(rank);
    }
    all
});

static BY_KEY: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| CATEGORIES.iter().map(|category| (category.key, category.rank)).collect());

/// Every category, parents before their children.
pub fn all() -> &'static [Category] {
    &CATEGORIES
}

pub fn find(key: &str) -> Option<&'static Category> {
    BY_KEY.get(key).map(|rank| &CATEGORIES[*rank])
}

/// A category an account can lie in.
pub fn find_leaf(key: &str) -> Option<&'static Category> {
    find(key).filter(|category| category.is_leaf)
}

/// By key, by path or by a name that only one leaf has: what a person types.
pub fn find_by_words(words: &str) -> Option<&'static Category> {
    let words = words.trim();
    if let Some(leaf) = find_leaf(&words.to_ascii_lowercase()) {
        return Some(leaf);
    }
    let plain = |text: &str| text.to_lowercase().replace('>', "›").split('›').map(str::trim).collect::<Vec<_>>().join(" › ");
    let wanted = plain(words);
    let mut named =
        CATEGORIES.iter().filter(|category| category.is_leaf && (plain(&category.path()) == wanted || category.name.to_lowercase() == wanted));
    named.next().filter(|_| named.next().is_none())
}

/// Where accounts of a class lie until somebody or something knows better.
pub fn unmapped(class: AccountClass) -> &'static Category {
    let key = match class {
        AccountClass::Asset => "unmapped-assets",
        AccountClass::Liability => "unmapped-liabilities",
        AccountClass::Equity => "unmapped-equity",
        AccountClass::Revenue => "unmapped-income",
        AccountClass::Expense => "unmapped-expenses",
    };
    find(key).expect("each class has an unmapped leaf")
}

impl Category {
    pub fn parent(&self) -> Option<&'static Category> {
        self.parent.map(|rank| &CATEGORIES[rank])
    }
    pub fn statement(&self) -> Statement {
        if self.class.is_profit_and_loss() { Statement::ProfitAndLoss } else { Statement::BalanceSheet }
    }
    pub fn is_unmapped(&self) -> bool {
        self.key.starts_with("unmapped-")
    }
    /// Itself and what it lies in, the class first.
    pub fn line(&self) -> Vec<&'static Category> {
        let mut line = vec![&CATEGORIES[self.rank]];
        while let Some(parent) = line.last().and_then(|category| category.parent()) {
            line.push(parent);
        }
        line.reverse();
        line
    }
    /// `Expenses › Operating expenses › Premises › Rent and leases`.
    pub fn path(&self) -> String {
        self.line().iter().map(|category| category.name).collect::<Vec<_>>().join(" › ")
    }
    pub fn lies_in(&self, other: &Category) -> bool {
        self.line().iter().any(|category| category.rank == other.rank)
    }
}

/// The standard chart as statements read it: accounts are its leaves.
pub struct StandardChart;

impl Chart for StandardChart {
    fn class(&self, key: &str) -> Option<AccountClass> {
        find(key).map(|category| category.class)
    }
    fn retained_earnings(&self) -> Option<&str> {
        Some("retained-earnings")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    // proves E1
    #[test]
    fn the_standard_chart_is_a_tree_of_at_most_four_levels_with_an_unmapped_leaf_in_each_class() {
        let keys: BTreeSet<&str> = all().iter().map(|category| category.key).collect();
        assert_eq!(keys.len(), all().len(), "keys are distinct");
        assert_eq!(all().iter().map(|category| category.level).max(), Some(4));
        for category in all() {
            assert!((1..=4).contains(&category.level));
            assert_eq!(category.parent().map_or(0, |parent| parent.level) + 1, category.level, "{}", category.key);
            assert!(category.parent().is_none_or(|parent| !parent.is_leaf && parent.class == category.class), "{}", category.key);
            assert!(category.key.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", category.key);
        }
        for class in [AccountClass::Asset, AccountClass::Liability, AccountClass::Equity, AccountClass::Revenue, AccountClass::Expense] {
            let leaf = unmapped(class);
            assert!(leaf.is_leaf && leaf.class == class && leaf.is_unmapped());
        }
        assert_eq!(find("rent").unwrap().path(), "Expenses › Operating expenses › Premises › Rent and leases");
        assert!(find("rent").unwrap().lies_in(find("operating-expenses").unwrap()));
        assert_eq!(find("rent").unwrap().statement(), Statement::ProfitAndLoss);
    }

    #[test]
    fn a_category_is_found_by_its_key_its_path_and_its_name() {
        for words in ["rent", "RENT", " Rent and leases ", "expenses > operating expenses > premises > rent and leases"] {
            assert_eq!(find_by_words(words).map(|category| category.key), Some("rent"), "{words}");
        }
        // a group is no place for an account, and neither is what does not exist
        for words in ["premises", "Operating expenses", "", "Rents"] {
            assert_eq!(find_by_words(words), None, "{words}");
        }
        let names: BTreeSet<String> = all().iter().filter(|category| category.is_leaf).map(|category| category.name.to_lowercase()).collect();
        assert_eq!(names.len(), all().iter().filter(|category| category.is_leaf).count(), "every leaf can be named");
    }
}
