//! The entities this face knows: their names, paths, and what a statement may say about them.
use crate::books::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entity {
    CompanyInfo,
    Preferences,
    Account,
    Customer,
    Vendor,
    Item,
    /// One of the transactions.
    Transaction(Kind),
    /// Known to QuickBooks, not imitated: every answer about it is empty.
    Unused(&'static str),
}

const NAMED: [(&str, Entity); 18] = [
    ("CompanyInfo", Entity::CompanyInfo),
    ("Preferences", Entity::Preferences),
    ("Account", Entity::Account),
    ("Customer", Entity::Customer),
    ("Vendor", Entity::Vendor),
    ("Item", Entity::Item),
    ("Invoice", Entity::Transaction(Kind::Invoice)),
    ("CreditMemo", Entity::Transaction(Kind::CreditMemo)),
    ("SalesReceipt", Entity::Transaction(Kind::SalesReceipt)),
    ("RefundReceipt", Entity::Transaction(Kind::RefundReceipt)),
    ("Payment", Entity::Transaction(Kind::Payment)),
    ("Bill", Entity::Transaction(Kind::Bill)),
    ("VendorCredit", Entity::Transaction(Kind::VendorCredit)),
    ("BillPayment", Entity::Transaction(Kind::BillPayment)),
    ("Purchase", Entity::Transaction(Kind::Expense)),
    ("Deposit", Entity::Transaction(Kind::Deposit)),
    ("Transfer", Entity::Transaction(Kind::Transfer)),
    ("JournalEntry", Entity::Transaction(Kind::Journal)),
];

const UNUSED: [&str; 19] = [
    "Employee",
    "Class",
    "Department",
    "Term",
    "PaymentMethod",
    "TaxCode",
    "TaxRate",
    "TaxAgency",
    "CompanyCurrency",
    "ExchangeRate",
    "JournalCode",
    "Budget",
    "Attachable",
    "RecurringTransaction",
    "Estimate",
    "PurchaseOrder",
    "CreditCardPayment",
    "InventoryAdjustment",
    "TimeActivity",
];

/// "Not supported: JournalCode, TimeActivity, TaxAgency, TaxCode, TaxRate" (contract 4); the rest is not on the list of entities a
/// production connector asks for, so the sandbox refuses it too.
const WITHOUT_CDC: [&str; 13] = [
    "JournalCode",
    "TimeActivity",
    "TaxAgency",
    "TaxCode",
    "TaxRate",
    "CompanyInfo",
    "Preferences",
    "CompanyCurrency",
    "ExchangeRate",
    "Attachable",
    "RecurringTransaction",
    "CreditCardPayment",
    "InventoryAdjustment",
];

impl Entity {
    /// Every entity the sandbox holds records of.
    pub fn all() -> impl Iterator<Item = Entity> {
        NAMED.into_iter().map(|(_, entity)| entity)
    }
    /// "Keywords, entity and property names case-insensitive" (contract fact 44). Serves paths too, which are the names in lower case.
    pub fn named(name: &str) -> Option<Entity> {
        let named = NAMED.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, entity)| entity);
        named.or_else(|| UNUSED.into_iter().find(|known| known.eq_ignore_ascii_case(name)).map(Entity::Unused))
    }
    /// The canonical spelling, which is the key of every answer.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Unused(name) => name,
            known => NAMED.into_iter().find(|(_, entity)| *entity == known).map(|(name, _)| name).expect("every entity but the unused has its name"),
        }
    }
    /// Name lists have `Active` and are filtered by it unless the statement says otherwise (contract 3.3).
    pub fn is_name_list(self) -> bool {
        matches!(self, Entity::Account | Entity::Customer | Entity::Vendor | Entity::Item)
            || matches!(
                self,
                Entity::Unused(
                    "Employee"
                        | "Class"
                        | "Department"
                        | "Term"
                        | "PaymentMethod"
                        | "TaxCode"
                        | "TaxRate"
                        | "TaxAgency"
                        | "CompanyCurrency"
                        | "JournalCode"
                        | "Budget"
                )
            )
    }
    /// Whether CDC serves it.
    pub fn has_cdc(self) -> bool {
        !WITHOUT_CDC.contains(&self.name())
    }
    /// "totalCount present for Bill, BillPayment, Deposit, Invoice, JournalEntry …; absent for Account, Customer …" (contract 3.4).
    pub fn shows_total_count(self) -> bool {
        matches!(self.name(), "Bill" | "BillPayment" | "Deposit" | "Invoice" | "JournalEntry")
    }
    /// CompanyInfo and Preferences answer a query with `maxResults` only (contract 3.4).
    pub fn hides_start_position(self) -> bool {
        matches!(self, Entity::CompanyInfo | Entity::Preferences)
    }
    /// The property as the schema spells it, or nothing if the entity has no such property.
    pub fn property(self, asked: &str) -> Option<String> {
        let (head, tail) = asked.split_once('.').map_or((asked, None), |(head, tail)| (head, Some(tail)));
        let common = ["Id", "SyncToken", "MetaData", "domain", "sparse"];
        let head = common.iter().chain(self.own_properties()).chain(self.base_properties()).find(|known| known.eq_ignore_ascii_case(head))?;
        match tail {
            None => Some((*head).to_owned()),
            Some(tail) => {
                let known = ["CreateTime", "LastUpdatedTime", "value", "name", "Address", "FreeFormNumber"];
                known.iter().find(|known| known.eq_ignore_ascii_case(tail)).map(|tail| format!("{head}.{tail}"))
            }
        }
    }
    fn base_properties(self) -> &'static [&'static str] {
        match self {
            Entity::Transaction(kind) if kind.is_sale() => &[
                "DocNumber",
                "TxnDate",
                "DepartmentRef",
                "CurrencyRef",
                "ExchangeRate",
                "PrivateNote",
                "TxnStatus",
                "CustomerRef",
                "ClassRef",
                "SalesTermRef",
                "DueDate",
                "ShipDate",
                "TrackingNum",
                "TotalAmt",
                "HomeTotalAmt",
                "PrintStatus",
                "EmailStatus",
                "BillEmail",
                "ARAccountRef",
                "Balance",
                "HomeBalance",
                "PaymentMethodRef",
                "PaymentRefNum",
                "DepositToAccountRef",
                "ApplyTaxAfterDiscount",
                "GlobalTaxCalculation",
                "RemainingCredit",
                "CustomerMemo",
            ],
            Entity::Transaction(_) => &["DocNumber", "TxnDate", "DepartmentRef", "CurrencyRef", "ExchangeRate", "PrivateNote", "TxnStatus"],
            Entity::Customer | Entity::Vendor | Entity::Unused("Employee") => &[
                "Title",
                "GivenName",
                "MiddleName",
                "FamilyName",
                "Suffix",
                "FullyQualifiedName",
                "CompanyName",
                "DisplayName",
                "PrintOnCheckName",
                "Active",
                "PrimaryPhone",
                "PrimaryEmailAddr",
                "CurrencyRef",
                "Balance",
            ],
            Entity::Unused(_) => &[
                "Name",
                "FullyQualifiedName",
                "Active",
                "DocNumber",
                "TxnDate",
                "TotalAmt",
                "CustomerRef",
                "VendorRef",
                "AsOfDate",
                "SourceCurrencyCode",
            ],
            _ => &[],
        }
    }
    fn own_properties(self) -> &'static [&'static str] {
        match self {
            Entity::CompanyInfo => &["CompanyName", "LegalName", "Country", "FiscalYearStartMonth", "CompanyStartDate", "DefaultTimeZone"],
            Entity::Account => &[
                "Name",
                "SubAccount",
                "ParentRef",
                "Description",
                "FullyQualifiedName",
                "Active",
                "Classification",
                "AccountType",
                "AccountSubType",
                "AcctNum",
                "CurrentBalance",
                "CurrentBalanceWithSubAccounts",
                "CurrencyRef",
            ],
            Entity::Customer => {
                &["Taxable", "Job", "BillWithParent", "ParentRef", "Level", "BalanceWithJobs", "PreferredDeliveryMethod", "IsProject", "Notes"]
            }
            Entity::Vendor => &["TermRef", "BillRate", "AcctNum", "Vendor1099"],
            Entity::Item => &[
                "Name",
                "Sku",
                "Description",
                "Active",
                "SubItem",
                "ParentRef",
                "Level",
                "FullyQualifiedName",
                "Taxable",
                "UnitPrice",
                "Type",
                "IncomeAccountRef",
                "PurchaseDesc",
                "PurchaseCost",
                "ExpenseAccountRef",
                "AssetAccountRef",
                "TrackQtyOnHand",
                "QtyOnHand",
            ],
            Entity::Transaction(kind) => match kind {
                Kind::Payment => &[
                    "CustomerRef",
                    "ARAccountRef",
                    "DepositToAccountRef",
                    "PaymentMethodRef",
                    "PaymentRefNum",
                    "TotalAmt",
                    "UnappliedAmt",
                    "ProcessPayment",
                ],
                Kind::Bill | Kind::VendorCredit => {
                    &["VendorRef", "APAccountRef", "SalesTermRef", "DueDate", "TotalAmt", "Balance", "HomeBalance", "GlobalTaxCalculation"]
                }
                Kind::BillPayment => &["VendorRef", "APAccountRef", "PayType", "TotalAmt"],
                Kind::Expense => &[
                    "AccountRef",
                    "PaymentType",
                    "EntityRef",
                    "Credit",
                    "TotalAmt",
                    "PaymentMethodRef",
                    "PaymentRefNum",
                    "PrintStatus",
                    "GlobalTaxCalculation",
                ],
                Kind::Deposit => &["DepositToAccountRef", "TotalAmt", "HomeTotalAmt"],
                Kind::Transfer => &["FromAccountRef", "ToAccountRef", "Amount"],
                Kind::Journal => &["Adjustment", "HomeCurrencyAdjustment", "EnteredInHomeCurrency", "TotalAmt", "GlobalTaxCalculation"],
                _ => &[],
            },
            _ => &[],
        }
    }
}
