//! The companies behind a consent: `GET /connections` and `GET Organisation`.
use super::fetch::{resource_of, split};
use super::refusals::unexpected;
use super::time_zones;
use super::wire::{Defect, Envelope, Fields};
use crate::error::ProviderError;
use crate::http::Answer;
use crate::provider::CompanyFacts;
use domain::data_type::DataType;
use jiff::Timestamp;

/// One element of `GET /connections`.
pub struct Connection {
    pub tenant_id: String,
    pub name: Option<String>,
    /// Practices and practice managers are tenants too, without books.
    pub is_organisation: bool,
}

/// A bare list, not an envelope.
pub fn connections(body: &str) -> Result<Vec<Connection>, Defect> {
    let elements: Vec<Fields> = serde_json::from_str(body).map_err(|_| Defect("it is not a list of connections".into()))?;
    elements
        .iter()
        .map(|fields| {
            Ok(Connection {
                tenant_id: fields.required_text("tenantId")?.into_owned(),
                name: fields.text("tenantName")?.map(|name| name.into_owned()),
                is_organisation: fields.required_text("tenantType")? == "ORGANISATION",
            })
        })
        .collect()
}

/// What the answer of `GET Organisation` says of a company.
pub fn facts(answer: &Answer, now: Timestamp) -> Result<CompanyFacts, ProviderError> {
    read(answer, now).map_err(|defect| unexpected(answer, defect))
}

fn read(answer: &Answer, now: Timestamp) -> Result<CompanyFacts, Defect> {
    let resource = resource_of(DataType::Organisation).expect("the organisation is a resource");
    let envelope = Envelope::parse(&answer.body, resource.list)?;
    let (records, unreadable) = split(resource, &envelope, 1);
    let Some(record) = records.first() else {
        return Err(unreadable.into_iter().next().map_or(Defect("the list Organisations is empty".into()), |set_aside| Defect(set_aside.reason)));
    };
    let fields = Fields::parse(&record.body)?;
    let end_month = fields.integer("FinancialYearEndMonth")?.unwrap_or(12);
    let end_day = fields.integer("FinancialYearEndDay")?.unwrap_or(31);
    Ok(CompanyFacts {
        name: fields.required_text("Name")?.into_owned(),
        currency: fields.required_text("BaseCurrency")?.into_owned(),
        country: fields.text("CountryCode")?.map(|code| code.into_owned()),
        fiscal_year_start_month: fiscal_year_start_month(end_month, end_day)?,
        time_zone: fields.text("Timezone")?.map_or("UTC", |zone| time_zones::iana_name(&zone)).to_owned(),
        provider_now: envelope.answered_at.or(answer.date).unwrap_or(now),
        records,
    })
}

/// The month a fiscal year begins in, from the day it ends on. A year that ends on 5 April begins in April, one that ends on 31 March too.
fn fiscal_year_start_month(end_month: i64, end_day: i64) -> Result<i8, Defect> {
    let month =
        i8::try_from(end_month).ok().filter(|month| (1..=12).contains(month)).ok_or_else(|| Defect("FinancialYearEndMonth is not a month".into()))?;
    Ok(if end_day < 15 { month } else { month % 12 + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Call;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, body: body.into(), call: Call::default(), date: None, retry_after_secs: None, limit_problem: None }
    }

    #[test]
    fn an_organisation_tells_currency_year_zone_and_clock() {
        let body = include_str!("fixtures/organisation.json");
        let facts = facts(&answer(body), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((facts.name.as_str(), facts.currency.as_str(), facts.country.as_deref()), ("Kauri Outdoor Ltd", "NZD", Some("NZ")));
        assert_eq!((facts.fiscal_year_start_month, facts.time_zone.as_str()), (4, "Pacific/Auckland"));
        assert_eq!(facts.provider_now.as_millisecond(), 1_777_034_754_042);
        assert_eq!(facts.records.len(), 1);
        assert_eq!(facts.records[0].id, "f8b1c0de-0000-4000-8000-000000000001");
        assert!(body.contains(&*facts.records[0].body));
    }

    #[test]
    fn an_organisation_that_cannot_be_read_is_no_company() {
        for bad in [
            "",
            "{\"Organisations\":[]}",
            "{\"Organisations\":[{\"Name\":\"A\",\"BaseCurrency\":\"NZD\"}]}",
            "{\"Organisations\":[{\"OrganisationID\":\"x\",\"BaseCurrency\":\"NZD\"}]}",
            "{\"Organisations\":[{\"OrganisationID\":\"x\",\"Name\":\"A\"}]}",
            "{\"Organisations\":[{\"OrganisationID\":\"x\",\"Name\":\"A\",\"BaseCurrency\":\"NZD\",\"FinancialYearEndMonth\":13}]}",
        ] {
            assert!(facts(&answer(bad), Timestamp::UNIX_EPOCH).is_err(), "{bad}");
        }
    }

    #[test]
    fn fiscal_years_begin_after_they_end() {
        assert_eq!(fiscal_year_start_month(3, 31), Ok(4));
        assert_eq!(fiscal_year_start_month(12, 31), Ok(1));
        assert_eq!(fiscal_year_start_month(4, 5), Ok(4));
        assert!(fiscal_year_start_month(13, 31).is_err());
        assert!(fiscal_year_start_month(0, 31).is_err());
    }

    #[test]
    fn connections_are_a_bare_list() {
        let body = r#"[{"id":"c1","authEventId":"e","tenantId":"t1","tenantType":"ORGANISATION","tenantName":"Maple","createdDateUtc":"2026-04-20T11:47:10.3365440"},
                       {"id":"c2","tenantId":"t2","tenantType":"PRACTICE","tenantName":null}]"#;
        let list = connections(body).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].tenant_id.as_str(), list[0].name.as_deref(), list[0].is_organisation), ("t1", Some("Maple"), true));
        assert!(!list[1].is_organisation && list[1].name.is_none());
        assert!(connections("[]").unwrap().is_empty());
        for bad in ["{}", "", "<html>", r#"[{"tenantType":"ORGANISATION"}]"#] {
            assert!(connections(bad).is_err(), "{bad}");
        }
    }
}
