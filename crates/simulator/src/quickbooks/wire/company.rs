//! CompanyInfo and Preferences: one of each, with the id 1.
use super::View;
use super::tree::{Json, Object};
use crate::books::Books;
use crate::books::lists::DimensionRole;
use crate::quickbooks::dates;
use jiff::Timestamp;
use jiff::civil::Date;

const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

fn fiscal_month(view: &View) -> &'static str {
    MONTHS[usize::try_from(view.books.fiscal_year_start_month - 1).unwrap_or(0).min(11)]
}

fn named_value(name: &str, value: &str) -> Json {
    Object::new().put("Name", name).put("Value", value).into()
}

/// "The entity does not hold the home currency: use Preferences" (contract 7.5).
pub fn company_info(view: &View) -> Object {
    let books = view.books;
    let started = books.first_date().unwrap_or_else(|| dates::day_of(books, books.created_at));
    let object = Object::new()
        .put("CompanyName", books.name.clone())
        .put("LegalName", books.legal_name.clone())
        .put("CompanyAddr", Object::new().put("Id", "1").put("Country", books.country.clone()))
        .put("CustomerCommunicationAddr", Object::new().put("Id", "1").put("Country", books.country.clone()))
        .put("LegalAddr", Object::new().put("Id", "1").put("Country", books.country.clone()))
        .put("CompanyStartDate", started)
        .put("FiscalYearStartMonth", fiscal_month(view))
        .put("Country", books.country.clone())
        .put("SupportedLanguages", "en")
        .put("DefaultTimeZone", books.time_zone.clone())
        .put(
            "NameValue",
            Json::List(vec![
                named_value("NeoEnabled", "true"),
                named_value("SubscriptionStatus", "PAID"),
                named_value("OfferingSku", "QuickBooks Online Plus"),
                named_value("PayrollFeature", "false"),
                named_value("AccountantFeature", "false"),
            ]),
        );
    let (token, updated_at) = version(books, "CompanyInfo");
    view.identified(object, 1, token, books.created_at, updated_at)
}

/// SyncToken and time of the last change.
pub fn version(books: &Books, entity: &str) -> (u32, Timestamp) {
    let first = if entity == "Preferences" { 2 } else { 4 };
    books.lists.edits.get(entity).map_or((first, books.updated_at), |(count, at)| (first + count, *at))
}

/// A preference that a client changed.
fn preferred(books: &Books, group: &str, name: &str) -> Option<String> {
    let kept = books.lists.properties.get(&("Preferences".to_owned(), 1)).and_then(|own| own.get(group))?;
    serde_json::from_str::<serde_json::Value>(kept).ok()?[name].as_str().map(str::to_owned)
}

/// ReportPrefs.ReportBasis.
pub fn report_basis(books: &Books) -> String {
    preferred(books, "ReportPrefs", "ReportBasis").unwrap_or_else(|| "Accrual".into())
}

/// "BookCloseDate = books closed through" (contract 7.5).
pub fn closed_through(books: &Books) -> Option<Date> {
    preferred(books, "AccountingInfoPrefs", "BookCloseDate")?.parse().ok()
}

pub fn preferences(view: &View) -> Object {
    let books = view.books;
    let numbered = books.accounts.values().any(|account| !account.code.is_empty());
    let taxed = !books.tax_rates.is_empty();
    let has = |role: DimensionRole| books.dimension(role).is_some();
    let object = Object::new()
        .put(
            "AccountingInfoPrefs",
            Object::new()
                .put("UseAccountNumbers", numbered)
                .put("TrackDepartments", has(DimensionRole::Location))
                .put("ClassTrackingPerTxn", false)
                .put("ClassTrackingPerTxnLine", has(DimensionRole::Class))
                .put("FirstMonthOfFiscalYear", fiscal_month(view))
                .put("TaxYearMonth", "January")
                .put("CustomerTerminology", "Customers"),
        )
        .put(
            "ProductAndServicesPrefs",
            Object::new().put("ForSales", true).put("ForPurchase", true).put("QuantityWithPriceAndRate", true).put("QuantityOnHand", false),
        )
        .put(
            "SalesFormsPrefs",
            Object::new()
                .put("AllowDeposit", false)
                .put("AllowDiscount", false)
                .put("AllowShipping", false)
                .put("AutoApplyCredit", false)
                .put("AutoApplyPayments", false),
        )
        .put("VendorAndPurchasesPrefs", Object::new().put("TrackingByCustomer", false).put("BillableExpenseTracking", false).put("EnableBills", true))
        .put("TaxPrefs", Object::new().put("UsingSalesTax", taxed).put("PartnerTaxEnabled", false))
        .put(
            "CurrencyPrefs",
            Object::new()
                .put("MultiCurrencyEnabled", view.is_multicurrency())
                .put("HomeCurrency", Object::new().put("value", books.currency.clone())),
        )
        .put("ReportPrefs", Object::new().put("ReportBasis", "Accrual").put("CalcAgingReportFromTxnDate", false))
        .put("OtherPrefs", Object::new().put("NameValue", Json::List(Vec::new())));
    let (token, updated_at) = version(books, "Preferences");
    view.identified(object, 1, token, books.created_at, updated_at)
}
