//! `POST …/taxservice/taxcode`: the only way to make tax codes, rates and agencies (contract 2.1, 7.5).
use super::Refusal;
use crate::books::{AccountType, Books};
use crate::quickbooks::body::{self, Value};
use crate::quickbooks::wire::tree::{Json, Object};
use jiff::Timestamp;

/// Makes one rate; its agency is the account it posts to.
pub fn answer(books: &mut Books, sent: &str, now: Timestamp) -> Result<Object, Refusal> {
    let value = body::read(sent).map_err(|error| Refusal::unsupported_property(&error.to_string()))?;
    let name = value.get("TaxCode").and_then(Value::text).map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::missing_parameter("TaxCode"))?;
    let Some(Value::List(details)) = value.get("TaxRateDetails") else { return Err(Refusal::missing_parameter("TaxRateDetails")) };
    let [detail] = details.as_slice() else { return Err(Refusal::business("The sandbox makes tax codes of exactly one rate")) };
    if books.tax_rates.iter().any(|rate| rate.name.eq_ignore_ascii_case(name)) {
        return Err(Refusal::duplicate_name());
    }
    let percent = match detail.get("RateValue") {
        Some(Value::Number(text) | Value::Text(text)) => crate::money::Cents::parse(text).filter(|percent| (0..=10_000).contains(&percent.0)),
        _ => None,
    };
    let percent = percent.ok_or_else(|| Refusal::missing_parameter("RateValue"))?;
    let agency = match detail.get("TaxAgencyId") {
        Some(Value::Number(text) | Value::Text(text)) => text.clone(),
        _ => return Err(Refusal::missing_parameter("TaxAgencyId")),
    };
    let account = agency.parse().ok().filter(|id| books.tax_agencies().iter().any(|known| known.id == *id));
    let account = match (account, books.tax_rates.is_empty()) {
        (Some(account), _) => account,
        // The first code of a company brings its agency along.
        (None, true) => books
            .account_of(AccountType::TaxPayable)
            .unwrap_or_else(|| books.add_account("Sales Tax Payable", "", AccountType::TaxPayable, None, None, now)),
        (None, false) => return Err(Refusal::invalid_reference("TaxAgency", &agency)),
    };
    let for_sales = detail.get("TaxApplicableOn").and_then(Value::text).is_none_or(|word| word != "Purchase");
    let rate = books.add_tax_rate(name, name, percent.0, account, for_sales, !for_sales);
    let shown = Object::new()
        .put("TaxRateName", name.to_owned())
        .put("TaxRateId", rate.to_string())
        .put("RateValue", Json::Amount(percent))
        .put("TaxAgencyId", account.to_string())
        .put("TaxApplicableOn", if for_sales { "Sales" } else { "Purchase" });
    Ok(Object::new().put("TaxCode", name.to_owned()).put("TaxCodeId", rate.to_string()).put("TaxRateDetails", vec![shown]))
}
