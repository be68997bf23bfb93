//! Every list and every report of both companies, read once more: what a change left behind must still be readable.
use super::finding::{self, Watch};
use super::shot::Shot;
use super::subject::Subject;

/// Names of the QuickBooks entities, as paths and statements know them.
pub const ENTITIES: [&str; 37] = [
    "Account",
    "Customer",
    "Vendor",
    "Item",
    "Invoice",
    "CreditMemo",
    "SalesReceipt",
    "RefundReceipt",
    "Payment",
    "Bill",
    "VendorCredit",
    "BillPayment",
    "Purchase",
    "Deposit",
    "Transfer",
    "JournalEntry",
    "Employee",
    "CustomerType",
    "Class",
    "Department",
    "Term",
    "PaymentMethod",
    "TaxCode",
    "TaxRate",
    "TaxAgency",
    "CompanyCurrency",
    "ExchangeRate",
    "Budget",
    "Attachable",
    "RecurringTransaction",
    "Estimate",
    "PurchaseOrder",
    "CreditCardPayment",
    "InventoryAdjustment",
    "TimeActivity",
    "CompanyInfo",
    "Preferences",
];

pub const QUICKBOOKS_REPORTS: [&str; 25] = [
    "TrialBalance",
    "ProfitAndLoss",
    "BalanceSheet",
    "GeneralLedger",
    "ProfitAndLossDetail",
    "CashFlow",
    "JournalReport",
    "AccountList",
    "TransactionList",
    "TransactionListByCustomer",
    "TransactionListByVendor",
    "AgedReceivables",
    "AgedReceivableDetail",
    "AgedPayables",
    "AgedPayableDetail",
    "CustomerBalance",
    "CustomerBalanceDetail",
    "VendorBalance",
    "VendorBalanceDetail",
    "CustomerIncome",
    "CustomerSales",
    "VendorExpenses",
    "ItemSales",
    "ClassSales",
    "DepartmentSales",
];

pub const RESOURCES: [&str; 29] = [
    "Accounts",
    "Contacts",
    "Items",
    "TaxRates",
    "Currencies",
    "Invoices",
    "CreditNotes",
    "Payments",
    "BankTransactions",
    "BankTransfers",
    "ManualJournals",
    "Journals",
    "Organisation",
    "BatchPayments",
    "BrandingThemes",
    "ContactGroups",
    "LinkedTransactions",
    "Overpayments",
    "Prepayments",
    "RepeatingInvoices",
    "Users",
    "Receipts",
    "ExpenseClaims",
    "PaymentServices",
    "TrackingCategories",
    "Quotes",
    "PurchaseOrders",
    "Budgets",
    "InvoiceReminders/Settings",
];

pub const XERO_REPORTS: [&str; 8] = [
    "TrialBalance",
    "ProfitAndLoss",
    "BalanceSheet",
    "BankSummary",
    "ExecutiveSummary",
    "BudgetSummary",
    "AgedReceivablesByContact",
    "AgedPayablesByContact",
];

pub async fn look_at_everything(subject: &Subject, watch: &Watch) -> Option<String> {
    let realm = format!("/v3/company/{}", subject.realm);
    let query = |entity: &str| format!("{realm}/query?query=select+*+from+{entity}+maxresults+1000");
    let mut paths: Vec<String> = ENTITIES.iter().map(|entity| query(entity)).collect();
    paths.extend(QUICKBOOKS_REPORTS.iter().map(|report| format!("{realm}/reports/{report}?start_date=2000-01-01&end_date=2100-12-31")));
    paths.push(format!("{realm}/reports/ProfitAndLoss?start_date=2024-01-01&end_date=2025-12-31&accounting_method=Cash&summarize_column_by=Month"));
    paths.push(format!("{realm}/cdc?entities=Invoice,Bill,Payment,Customer,Account,Item&changedSince=2025-06-01T00:00:00Z"));
    paths.extend(RESOURCES.iter().map(|resource| format!("/api.xro/2.0/{resource}")));
    paths.extend(RESOURCES.iter().map(|resource| format!("/api.xro/2.0/{resource}?page=1&includeArchived=true&paymentsOnly=true")));
    paths.extend(XERO_REPORTS.iter().map(|report| format!("/api.xro/2.0/Reports/{report}?date=2025-12-31")));
    paths.push("/api.xro/2.0/Reports/ProfitAndLoss?fromDate=2025-01-01&toDate=2025-12-31&paymentsOnly=true".into());
    for path in paths {
        let shot = Shot::get(path);
        watch.sees(&shot);
        let answer = subject.fire(&shot).await;
        if let Some(wrong) = finding::judge(&shot, answer.as_ref(), false) {
            return Some(wrong);
        }
    }
    None
}
