//! Tax codes, rates and agencies: three views of the books' tax rates.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/taxcode> and its two neighbours. A code here stands for
//! one rate and has its id; US companies also have codes that only say whether a line is taxed.
use super::View;
use super::tree::{Json, Object};
use crate::books::lists::TaxAgency;
use crate::books::{Books, TaxRate};
use crate::money::Cents;
use crate::quickbooks::moments;

#[derive(Clone, Copy, Debug)]
pub enum TaxCode<'a> {
    /// "US companies also return the pseudo codes TAX, NON, CustomSalesTax, without SyncToken and domain" (contract 7.5).
    Pseudo(&'static str, &'static str, bool),
    Rate(&'a TaxRate),
}

const PSEUDO: [(&str, &str, bool); 3] =
    [("TAX", "Taxable", true), ("NON", "Nontaxable", false), ("CustomSalesTax", "Sales tax entered by hand", true)];

pub fn codes(books: &Books) -> impl Iterator<Item = TaxCode<'_>> {
    let pseudo = if books.country == "US" { PSEUDO.len() } else { 0 };
    let pseudo = PSEUDO.into_iter().take(pseudo).map(|(id, description, taxable)| TaxCode::Pseudo(id, description, taxable));
    pseudo.chain(books.tax_rates.iter().map(TaxCode::Rate))
}

impl TaxCode<'_> {
    pub fn id(&self) -> String {
        match self {
            TaxCode::Pseudo(id, ..) => (*id).to_owned(),
            TaxCode::Rate(rate) => rate.id.to_string(),
        }
    }
    /// Pseudo codes come before all others.
    pub fn number(&self) -> u64 {
        match self {
            TaxCode::Pseudo(..) => 0,
            TaxCode::Rate(rate) => rate.id,
        }
    }
    pub fn name(&self) -> &str {
        match self {
            TaxCode::Pseudo(id, ..) => id,
            TaxCode::Rate(rate) => &rate.name,
        }
    }
}

pub fn code(view: &View, code: &TaxCode) -> Object {
    let at = view.books.created_at;
    match code {
        TaxCode::Pseudo(id, description, taxable) => Object::new()
            .put("Name", *id)
            .put("Description", *description)
            .put("Active", true)
            .put("Taxable", *taxable)
            .put("TaxGroup", false)
            .put("Id", *id)
            .put("MetaData", Object::new().put("CreateTime", moments::seconds(at)).put("LastUpdatedTime", moments::seconds(at))),
        TaxCode::Rate(rate) => {
            let list = |used: bool| {
                let detail = Object::new()
                    .put("TaxRateRef", Object::new().put("value", rate.id.to_string()).put("name", rate.name.clone()))
                    .put("TaxTypeApplicable", "TaxOnAmount")
                    .put("TaxOrder", 0_i64);
                Object::new().put("TaxRateDetail", if used { vec![detail] } else { Vec::new() })
            };
            let object = Object::new()
                .put("Name", rate.name.clone())
                .put("Description", rate.name.clone())
                .put("Active", true)
                .put("Hidden", false)
                .put("Taxable", true)
                .put("TaxGroup", true)
                .put("SalesTaxRateList", list(rate.for_sales))
                .put("PurchaseTaxRateList", list(rate.for_purchases))
                .put("TaxCodeConfigType", "USER_DEFINED");
            view.identified(object, rate.id, 0, at, at)
        }
    }
}

pub fn rate(view: &View, rate: &TaxRate) -> Object {
    let at = view.books.created_at;
    let percent = Json::Amount(Cents(rate.basis_points));
    let effective = Object::new().put("RateValue", percent.clone()).put("EffectiveDate", moments::seconds(at));
    let object = Object::new()
        .put("Name", rate.name.clone())
        .put("Description", rate.name.clone())
        .put("Active", true)
        .put("RateValue", percent)
        .put("AgencyRef", Object::new().put("value", rate.account.to_string()))
        .put("EffectiveTaxRate", vec![effective])
        .put("SpecialTaxType", if rate.basis_points == 0 { "ZERO_RATE" } else { "NONE" })
        .put("DisplayType", "ReadOnly");
    view.identified(object, rate.id, 0, at, at)
}

pub fn agency(view: &View, agency: &TaxAgency) -> Object {
    let at = view.books.created_at;
    let object = Object::new()
        .put("DisplayName", agency.name.clone())
        .put("TaxTrackedOnPurchases", agency.on_purchases)
        .put("TaxTrackedOnSales", agency.on_sales)
        .put("TaxAgencyConfig", "USER_DEFINED");
    view.identified(object, agency.id, 0, at, at)
}
