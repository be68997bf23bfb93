//! CompanyInfo and Preferences: what a sync must know of a company before it fetches anything.
use crate::error::ProviderError;
use crate::oauth::Grant;
use crate::provider::{Books, Chunk, CompanyFacts, RemoteCompany};
use crate::quickbooks::fault::{accepted, unexpected};
use crate::quickbooks::wire::{self, SingleAnswer};
use crate::quickbooks::{QuickBooks, frame, oauth};
use crate::{error::Call, http::Answer};
use domain::data_type::DataType;
use domain::record::RawRecord;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct CompanyInfo {
    #[serde(rename = "CompanyName")]
    company_name: Option<String>,
    #[serde(rename = "LegalName")]
    legal_name: Option<String>,
    #[serde(rename = "Country")]
    country: Option<String>,
    #[serde(rename = "FiscalYearStartMonth")]
    fiscal_year_start_month: Option<String>,
    #[serde(rename = "DefaultTimeZone")]
    default_time_zone: Option<String>,
}

#[derive(Deserialize)]
struct Preferences {
    #[serde(rename = "CurrencyPrefs")]
    currency: Option<CurrencyPrefs>,
    #[serde(rename = "AccountingInfoPrefs")]
    accounting: Option<AccountingInfoPrefs>,
}
#[derive(Deserialize)]
struct CurrencyPrefs {
    #[serde(rename = "HomeCurrency")]
    home: Option<Reference>,
}
#[derive(Deserialize)]
struct Reference {
    value: Option<String>,
}
#[derive(Deserialize)]
struct AccountingInfoPrefs {
    #[serde(rename = "FirstMonthOfFiscalYear")]
    first_month: Option<String>,
}

/// One object out of its envelope, with the provider's time of the answer.
struct Single {
    record: RawRecord,
    time: Option<Timestamp>,
    call: Call,
}

impl QuickBooks {
    /// The company of the callback, believed only after it was read with the new token.
    pub(super) async fn granted_company(&self, grant: &Grant) -> Result<RemoteCompany, ProviderError> {
        let realm = oauth::realm_of(grant)?;
        let url = self.addresses.company(realm, &["companyinfo", realm], &[]);
        let answer = self.http.get_with(&grant.tokens.access, "GET companyinfo", &url, &[]).await?;
        let answer = accepted(answer, self.now())?;
        let info = self.single(&answer, DataType::CompanyInfo)?;
        let name = company_name(&parse(&info)?);
        Ok(RemoteCompany { id: realm.to_owned(), name: name.unwrap_or_else(|| format!("Company {realm}")), newly_granted: true })
    }

    /// CompanyInfo alone, or Preferences too when `thorough`. Without Preferences the currency is empty: unknown, keep what is stored.
    pub(super) async fn read_company(&self, books: &Books<'_>, thorough: bool) -> Result<CompanyFacts, ProviderError> {
        let info = self.read_single(books, DataType::CompanyInfo).await?;
        let provider_now = info.time.ok_or_else(|| unexpected("it does not say what time it is", info.call.clone()))?;
        let company: CompanyInfo = parse(&info)?;
        let mut month =
            company.fiscal_year_start_month.as_deref().map(|name| month_number(name).ok_or_else(|| odd_month("FiscalYearStartMonth", &info)));
        let mut currency = String::new();
        let mut records = vec![info.record.clone()];
        if thorough {
            let preferences = self.read_single(books, DataType::Preferences).await?;
            let facts: Preferences = parse(&preferences)?;
            currency = facts.currency.and_then(|prefs| prefs.home).and_then(|home| home.value).unwrap_or_default();
            if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
                return Err(unexpected("Preferences do not name the home currency", preferences.call));
            }
            if month.is_none() {
                month = facts
                    .accounting
                    .and_then(|prefs| prefs.first_month)
                    .map(|name| month_number(&name).ok_or_else(|| odd_month("FirstMonthOfFiscalYear", &preferences)));
            }
            records.push(preferences.record);
        }
        Ok(CompanyFacts {
            name: company_name(&company).unwrap_or_else(|| format!("Company {}", books.company)),
            currency,
            country: company.country.filter(|country| !country.is_empty()),
            // QuickBooks starts the year in January unless told otherwise
            fiscal_year_start_month: month.transpose()?.unwrap_or(1),
            time_zone: company.default_time_zone.filter(|zone| is_zone_name(zone)).unwrap_or_else(|| "UTC".into()),
            provider_now,
            records,
        })
    }

    /// The one record of CompanyInfo or Preferences.
    pub(super) async fn fetch_single(&self, books: &Books<'_>, data_type: DataType) -> Result<Chunk, ProviderError> {
        let single = self.read_single(books, data_type).await?;
        Ok(Chunk { records: vec![single.record], ..Chunk::default() })
    }

    async fn read_single(&self, books: &Books<'_>, data_type: DataType) -> Result<Single, ProviderError> {
        let answer = match data_type {
            DataType::Preferences => self.read(books, "GET preferences", &["preferences"], &[]).await?,
            _ => self.read(books, "GET companyinfo", &["companyinfo", books.company], &[]).await?,
        };
        self.single(&answer, data_type)
    }

    fn single(&self, answer: &Answer, data_type: DataType) -> Result<Single, ProviderError> {
        let envelope: SingleAnswer<'_> = frame(answer)?;
        if let Some(fault) = &envelope.fault {
            return Err(fault.refusal(answer, self.now()).into());
        }
        let raw: Option<&RawValue> = if data_type == DataType::Preferences { envelope.preferences } else { envelope.company_info };
        let raw = raw.ok_or_else(|| unexpected(&format!("it holds no {data_type}"), answer.call.clone()))?;
        let record = wire::record(data_type, raw).map_err(|unreadable| unexpected(&unreadable.reason, answer.call.clone()))?;
        let time = envelope.time.and_then(wire::text).and_then(|text| wire::moment(&text)).or(answer.date);
        Ok(Single { record, time, call: answer.call.clone() })
    }
}

fn parse<'a, T: Deserialize<'a>>(single: &'a Single) -> Result<T, ProviderError> {
    serde_json::from_str(&single.record.body)
        .map_err(|_| unexpected(&format!("{} has an unknown shape", single.record.data_type), single.call.clone()))
}

fn company_name(info: &CompanyInfo) -> Option<String> {
    [&info.company_name, &info.legal_name].into_iter().flatten().find(|name| !name.trim().is_empty()).cloned()
}

fn odd_month(field: &str, single: &Single) -> ProviderError {
    unexpected(&format!("{field} of {} is not the name of a month", single.record.data_type), single.call.clone())
}

fn month_number(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name.trim()))?;
    i8::try_from(at + 1).ok()
}

/// `America/Los_Angeles`: the form of an IANA name.
fn is_zone_name(name: &str) -> bool {
    name.contains('/') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_by_name() {
        assert_eq!(month_number("January"), Some(1));
        assert_eq!(month_number("december"), Some(12));
        assert_eq!(month_number("Brumaire"), None);
    }

    #[test]
    fn only_iana_names_count_as_zones() {
        assert!(is_zone_name("America/Los_Angeles"));
        assert!(!is_zone_name("Pacific Standard Time"));
        assert!(!is_zone_name("PST"));
    }

    #[test]
    fn company_info_and_preferences_come_out_of_their_envelopes() {
        let info: SingleAnswer<'_> = serde_json::from_str(include_str!("fixtures/companyinfo.json")).unwrap();
        let company: CompanyInfo = serde_json::from_str(info.company_info.unwrap().get()).unwrap();
        assert_eq!(company_name(&company).as_deref(), Some("Harbor Lane Bakery"));
        assert_eq!(wire::text(info.time.unwrap()).and_then(|text| wire::moment(&text)), Some("2026-05-05T09:14:00.260Z".parse().unwrap()));
        let answer: SingleAnswer<'_> = serde_json::from_str(include_str!("fixtures/preferences.json")).unwrap();
        let preferences: Preferences = serde_json::from_str(answer.preferences.unwrap().get()).unwrap();
        assert_eq!(preferences.currency.unwrap().home.unwrap().value.as_deref(), Some("USD"));
        assert_eq!(preferences.accounting.unwrap().first_month.as_deref(), Some("April"));
    }
}
