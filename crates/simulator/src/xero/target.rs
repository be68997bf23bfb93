//! What a path of the Accounting API asks for, and who may ask.
//!
//! Contract: providers/xero.md 1.8 and 3.7.
use super::reports::Report;
use super::resource::Resource;
use axum::http::Method;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    List(Resource),
    One(Resource, String),
    /// Something below a record: `Invoices/{id}/History`; the last part is the id below it, where there is one.
    Below(Resource, String, Below, Option<String>),
    Report(Report),
    /// `Reports`: the returns that were published to a tax office.
    PublishedReports,
    /// `Organisation/Actions`: what the connected user may do.
    Actions,
    /// `InvoiceReminders/Settings`.
    Reminders,
    /// `Setup`: conversion balances.
    Setup,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    History,
    Attachments,
    Allocations,
    /// Of a tracking category.
    Options,
    /// Of a contact group.
    Contacts,
    OnlineInvoice,
    Email,
    CisSettings,
    /// The document as it is printed.
    Pdf,
    /// Of a branding theme.
    PaymentServices,
}

const BELOW: [(&str, Below); 10] = [
    ("History", Below::History),
    ("Attachments", Below::Attachments),
    ("Allocations", Below::Allocations),
    ("Options", Below::Options),
    ("Contacts", Below::Contacts),
    ("OnlineInvoice", Below::OnlineInvoice),
    ("Email", Below::Email),
    ("CISSettings", Below::CisSettings),
    ("pdf", Below::Pdf),
    ("PaymentServices", Below::PaymentServices),
];

const REPORTS: &[&str] = &["accounting.reports.read", "accounting.reports.taxreports.read"];
const ATTACHMENTS: &[&str] = &["accounting.attachments.read"];
const SETTINGS: &[&str] = &["accounting.settings.read"];
const PAYMENT_SERVICES: &[&str] = &["paymentservices"];

impl Target {
    /// Names are matched in any case.
    pub fn read(path: &str) -> Target {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let named = |word: &str| Resource::named(word);
        match parts.as_slice() {
            [reports] if reports.eq_ignore_ascii_case("Reports") => Target::PublishedReports,
            [reports, name] if reports.eq_ignore_ascii_case("Reports") => Report::named(name).map_or(Target::Unknown, Target::Report),
            [setup] if setup.eq_ignore_ascii_case("Setup") => Target::Setup,
            [one, two] if one.eq_ignore_ascii_case("Organisation") && two.eq_ignore_ascii_case("Actions") => Target::Actions,
            [one, two] if one.eq_ignore_ascii_case("InvoiceReminders") && two.eq_ignore_ascii_case("Settings") => Target::Reminders,
            [name] => named(name).map_or(Target::Unknown, Target::List),
            [name, id] => named(name).map_or(Target::Unknown, |resource| Target::One(resource, (*id).to_string())),
            [name, id, below, rest @ ..] if rest.len() < 2 => {
                let known = BELOW.iter().find(|(word, _)| word.eq_ignore_ascii_case(below)).map(|(_, below)| *below);
                match (named(name), known) {
                    (Some(resource), Some(below)) if fits(resource, below) => {
                        Target::Below(resource, (*id).to_string(), below, rest.first().map(|id| (*id).to_string()))
                    }
                    _ => Target::Unknown,
                }
            }
            _ => Target::Unknown,
        }
    }

    /// `Accept: application/pdf` asks for the printed document.
    pub fn printed_if(self, asked: bool) -> Target {
        match self {
            Target::One(resource, id) if asked && fits(resource, Below::Pdf) => Target::Below(resource, id, Below::Pdf, None),
            other => other,
        }
    }

    /// The path as it is counted: `Invoices`, `Invoices/{id}`, `Reports/TrialBalance`.
    pub fn counted(&self, path: &str) -> String {
        match self {
            Target::List(resource) => resource.path().into(),
            Target::One(resource, _) => format!("{}/{{id}}", resource.path()),
            Target::Below(resource, _, below, rest) => {
                let word = BELOW.iter().find(|(_, known)| known == below).map_or("", |(word, _)| word);
                format!("{}/{{id}}/{word}{}", resource.path(), if rest.is_some() { "/{id}" } else { "" })
            }
            Target::Report(report) => format!("Reports/{}", report.name()),
            _ => path.trim_matches('/').into(),
        }
    }

    /// Any one of these opens it for reading; the same without `.read` for reading and writing.
    pub fn scopes(&self) -> &'static [&'static str] {
        match self {
            Target::Below(_, _, Below::Attachments, _) => ATTACHMENTS,
            Target::Below(_, _, Below::PaymentServices, _) => PAYMENT_SERVICES,
            Target::List(resource) | Target::One(resource, _) | Target::Below(resource, ..) => resource.scopes(),
            Target::Report(report) => report.scopes(),
            Target::PublishedReports => REPORTS,
            Target::Actions | Target::Reminders | Target::Setup => SETTINGS,
            Target::Unknown => &[],
        }
    }

    /// What a user without reports does not see.
    pub fn is_report(&self) -> bool {
        let of_journals = |resource: &Resource| *resource == Resource::ManualJournals;
        match self {
            Target::Report(_) | Target::PublishedReports => true,
            Target::List(resource) | Target::One(resource, _) => of_journals(resource),
            _ => false,
        }
    }

    /// The methods that change something here.
    pub fn is_written_by(&self, method: &Method) -> bool {
        use Resource::*;
        let (put, post, delete) = (method == Method::PUT, method == Method::POST, method == Method::DELETE);
        match self {
            Target::List(Accounts | Currencies) => put,
            Target::List(Contacts | Items | TaxRates | Invoices | CreditNotes | Payments | BankTransactions | BankTransfers | ManualJournals) => {
                put || post
            }
            Target::List(Kept(kept)) => match kept.name {
                "BatchPayments" | "PurchaseOrders" | "Quotes" => put || post,
                "ContactGroups" | "LinkedTransactions" | "TrackingCategories" | "Receipts" | "ExpenseClaims" => put,
                _ => false,
            },
            Target::One(Accounts | Items, _) => post || delete,
            Target::One(Contacts | Invoices | CreditNotes | Payments | BankTransactions | ManualJournals, _) => post,
            Target::One(Kept(kept), _) => match kept.name {
                "LinkedTransactions" | "TrackingCategories" => post || delete,
                "BatchPayments" | "PurchaseOrders" | "Quotes" | "ContactGroups" | "Receipts" | "ExpenseClaims" => post,
                _ => false,
            },
            Target::Below(_, _, Below::History, None) => put,
            Target::Below(_, _, Below::Attachments, Some(_)) => put || post,
            Target::Below(_, _, Below::Allocations, None) => put,
            Target::Below(_, _, Below::Allocations, Some(_)) => delete,
            Target::Below(_, _, Below::Options, None) => put,
            Target::Below(_, _, Below::Options, Some(_)) => post || delete,
            Target::Below(_, _, Below::Contacts, None) => put || delete,
            Target::Below(_, _, Below::Contacts, Some(_)) => delete,
            Target::Below(_, _, Below::Email, None) => post,
            _ => false,
        }
    }
}

/// Which records have what below them.
fn fits(resource: Resource, below: Below) -> bool {
    let kept = match resource {
        Resource::Kept(kept) => kept.name,
        _ => "",
    };
    match below {
        Below::History | Below::Attachments => {
            let plain = matches!(resource, Resource::Organisation | Resource::TaxRates | Resource::Currencies | Resource::Journals);
            !plain
                && !matches!(
                    kept,
                    "Users" | "BrandingThemes" | "ContactGroups" | "TrackingCategories" | "PaymentServices" | "LinkedTransactions" | "Budgets"
                )
        }
        Below::Allocations => resource == Resource::CreditNotes || matches!(kept, "Overpayments" | "Prepayments"),
        Below::Options => kept == "TrackingCategories",
        Below::Contacts => kept == "ContactGroups",
        Below::OnlineInvoice | Below::Email => resource == Resource::Invoices,
        Below::CisSettings => matches!(resource, Resource::Contacts | Resource::Organisation),
        Below::Pdf => matches!(resource, Resource::Invoices | Resource::CreditNotes) || matches!(kept, "Quotes" | "PurchaseOrders"),
        Below::PaymentServices => kept == "BrandingThemes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_records_and_what_is_below_them() {
        assert_eq!(Target::read("invoices"), Target::List(Resource::Invoices));
        let below = Target::read("Invoices/abc/history");
        assert_eq!(below, Target::Below(Resource::Invoices, "abc".into(), Below::History, None));
        assert_eq!(below.counted("x"), "Invoices/{id}/History");
        assert_eq!(Target::read("Users/abc/History"), Target::Unknown);
        assert_eq!(Target::read("Invoices/abc/Attachments/a/b"), Target::Unknown);
        assert!(Target::read("Invoices").is_written_by(&Method::PUT) && !Target::read("Journals").is_written_by(&Method::POST));
    }
}
