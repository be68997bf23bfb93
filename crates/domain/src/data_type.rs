//! What can be synced, in the words of the providers, in order of dependence.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! data_types {
    ($($variant:ident = $word:literal, $label:literal, $group:ident;)*) => {
        /// One kind of record of a provider. The word is the provider's own name of the entity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DataType { $($variant),* }
        impl DataType {
            pub const ALL: &'static [DataType] = &[$(DataType::$variant),*];
            /// The provider's name of it; also what the database keeps.
            pub fn as_str(self) -> &'static str { match self { $(DataType::$variant => $word),* } }
            /// What a person reads, in the plural.
            pub fn label(self) -> &'static str { match self { $(DataType::$variant => $label),* } }
            /// What a person reads of one record: `Credit note`.
            pub fn singular(self) -> String {
                let label = self.label();
                match label.strip_suffix("ies") {
                    Some(stem) => format!("{stem}y"),
                    None => label.strip_suffix('s').unwrap_or(label).to_owned(),
                }
            }
            pub fn group(self) -> Group { match self { $(DataType::$variant => Group::$group),* } }
        }
        impl FromStr for DataType {
            type Err = UnknownDataType;
            fn from_str(word: &str) -> Result<Self, UnknownDataType> {
                match word { $($word => Ok(DataType::$variant),)* _ => Err(UnknownDataType(word.to_owned())) }
            }
        }
    };
}

data_types! {
    CompanyInfo = "CompanyInfo", "Company information", Company;
    Preferences = "Preferences", "Preferences", Company;
    Organisation = "Organisation", "Organisation", Company;
    Account = "Account", "Accounts", Chart;
    TaxRate = "TaxRate", "Tax rates", Chart;
    Customer = "Customer", "Customers", Contacts;
    Vendor = "Vendor", "Vendors", Contacts;
    Contact = "Contact", "Contacts", Contacts;
    Item = "Item", "Items", Contacts;
    Invoice = "Invoice", "Invoices", Transactions;
    CreditMemo = "CreditMemo", "Credit memos", Transactions;
    CreditNote = "CreditNote", "Credit notes", Transactions;
    SalesReceipt = "SalesReceipt", "Sales receipts", Transactions;
    RefundReceipt = "RefundReceipt", "Refund receipts", Transactions;
    Payment = "Payment", "Payments", Transactions;
    Bill = "Bill", "Bills", Transactions;
    VendorCredit = "VendorCredit", "Vendor credits", Transactions;
    BillPayment = "BillPayment", "Bill payments", Transactions;
    Purchase = "Purchase", "Expenses", Transactions;
    Deposit = "Deposit", "Deposits", Transactions;
    Transfer = "Transfer", "Transfers", Transactions;
    BankTransaction = "BankTransaction", "Bank transactions", Transactions;
    BankTransfer = "BankTransfer", "Bank transfers", Transactions;
    JournalEntry = "JournalEntry", "Journal entries", Transactions;
    ManualJournal = "ManualJournal", "Manual journals", Transactions;
    Ledger = "Ledger", "Ledger", Ledger;
}

/// The milestone a data type belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Company,
    Chart,
    Contacts,
    Transactions,
    Ledger,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a data type")]
pub struct UnknownDataType(pub String);

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for data_type in DataType::ALL {
            assert_eq!(data_type.as_str().parse::<DataType>().as_ref(), Ok(data_type));
        }
    }
}
