//! Change data capture: what changed since an instant, deletions included.
use crate::error::ProviderError;
use crate::http::Answer;
use crate::provider::{Books, Chunk, Next};
use crate::quickbooks::fault::{Fault, Refused, unexpected};
use crate::quickbooks::wire::{self, ChangesAnswer};
use crate::quickbooks::{QuickBooks, frame};
use domain::data_type::DataType;
use domain::sync::Checkpoint;
use jiff::Timestamp;

/// REF/changedatacapture: an answer holds at most 1,000 objects and does not say that there are more.
const CAP: usize = 1_000;

impl QuickBooks {
    /// One call for all types. Only when its answer reaches the cap is each type asked for alone; a type that reaches the cap alone is
    /// reported as overflowed. A checkpoint is the index of the type to ask next.
    pub(super) async fn fetch_changes(&self, books: &Books<'_>, since: Timestamp, from: Option<&Checkpoint>) -> Result<Chunk, ProviderError> {
        let index = from.and_then(|Checkpoint(text)| text.parse::<usize>().ok());
        let types: &[DataType] = match index {
            None => super::CHANGE_TYPES,
            Some(at) => super::CHANGE_TYPES.get(at..=at).unwrap_or_default(),
        };
        if types.is_empty() {
            return Ok(Chunk::default());
        }
        let entities = types.iter().map(|data_type| data_type.as_str()).collect::<Vec<_>>().join(",");
        // whole seconds, always with an offset: without one the server takes its own zone
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since).to_string();
        let endpoint = if let [only] = types { format!("GET cdc {only}") } else { "GET cdc".to_owned() };
        let answer = self.read(books, &endpoint, &["cdc"], &[("entities", &entities), ("changedSince", &since)]).await;
        let mut chunk = match answer.and_then(|answer| self.changed_records(&answer)) {
            Ok(chunk) => chunk,
            // one type that this user or edition does not have refuses the whole call: find out which
            Err(refused) if index.is_none() && concerns_one_type(&refused) => return Ok(Chunk { next: type_by_type(), ..Chunk::default() }),
            Err(refused) if index.is_some() && concerns_one_type(&refused) => {
                let mut chunk = Chunk::default();
                if let ProviderError::Forbidden { permission, .. } = *refused.error
                    && refused.code != 5030
                {
                    chunk.refused = types.iter().map(|data_type| (*data_type, permission.clone())).collect();
                }
                chunk
            }
            Err(refused) => return Err(refused.into()),
        };
        let capped = chunk.records.len() + chunk.unreadable.len() >= CAP;
        match index {
            None if capped => {
                // nobody knows which types were cut off, so the answer counts for nothing
                chunk = Chunk { next: type_by_type(), answered_at: chunk.answered_at, ..Chunk::default() };
            }
            None => {}
            Some(at) => {
                if capped {
                    chunk.overflowed = types.to_vec();
                }
                if at + 1 < super::CHANGE_TYPES.len() {
                    chunk.next = Next::More(Checkpoint((at + 1).to_string()));
                }
            }
        }
        Ok(chunk)
    }

    fn changed_records(&self, answer: &Answer) -> Result<Chunk, Refused> {
        let envelope: ChangesAnswer<'_> = frame(answer)?;
        let refusal = |fault: &Fault| fault.refusal(answer, self.now());
        if let Some(fault) = &envelope.fault {
            return Err(refusal(fault));
        }
        let responses = envelope.responses.ok_or_else(|| unexpected("it holds no CDCResponse", answer.call.clone()))?;
        let mut chunk =
            Chunk { answered_at: envelope.time.and_then(wire::text).and_then(|text| wire::moment(&text)).or(answer.date), ..Chunk::default() };
        for response in responses {
            if let Some(fault) = &response.fault {
                return Err(refusal(fault));
            }
            for group in response.groups.unwrap_or_default() {
                if let Some(fault) = &group.fault {
                    return Err(refusal(fault));
                }
                for (data_type, rows) in group.rows {
                    for raw in rows {
                        match wire::record(data_type, raw) {
                            Ok(record) => chunk.records.push(record),
                            Err(unreadable) => chunk.unreadable.push(unreadable),
                        }
                    }
                }
            }
        }
        Ok(chunk)
    }
}

fn type_by_type() -> Next {
    Next::More(Checkpoint("0".into()))
}

/// 5020 permission denied, 5030 feature not supported: about a type, not about the company.
fn concerns_one_type(refused: &Refused) -> bool {
    matches!(refused.code, 5020 | 5030)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Call;
    use crate::oauth::Secret;
    use crate::registry::Settings;
    use domain::clock::ManualClock;
    use domain::connection::Environment;
    use std::sync::Arc;

    fn quickbooks() -> QuickBooks {
        let settings = Settings {
            client_id: "id".into(),
            client_secret: Secret::new("secret"),
            environment: Environment::Sandbox,
            simulator_url: None,
            journals: false,
        };
        QuickBooks::new(settings, Arc::new(ManualClock::at(0))).unwrap()
    }
    fn answer(body: &str) -> Answer {
        let call = Call { endpoint: "GET cdc".into(), http_status: Some(200), request_id: None };
        Answer { status: 200, body: body.into(), call, date: None, retry_after_secs: None, limit_problem: None }
    }

    // proves C12 in part
    #[test]
    fn deleted_stubs_are_told_from_live_records() {
        let chunk = quickbooks().changed_records(&answer(include_str!("fixtures/cdc.json"))).unwrap();
        let seen: Vec<(DataType, &str, bool)> = chunk.records.iter().map(|r| (r.data_type, r.id.as_str(), r.deleted)).collect();
        assert_eq!(
            seen,
            [
                (DataType::Customer, "1", false),
                (DataType::Customer, "58", false),
                (DataType::Invoice, "130", false),
                (DataType::Invoice, "979", true),
                (DataType::Payment, "981", true)
            ]
        );
        assert!(chunk.records.iter().all(|record| record.updated_at.is_some()));
        assert_eq!(chunk.next, Next::UpToDate);
    }

    #[test]
    fn an_answer_without_its_frame_is_not_taken_for_no_changes() {
        for body in ["{}", "[]", "", r#"{"QueryResponse":{}}"#, r#"{"CDCResponse":null}"#] {
            assert!(matches!(*quickbooks().changed_records(&answer(body)).unwrap_err().error, ProviderError::UnexpectedAnswer { .. }), "{body}");
        }
        let fault = r#"{"CDCResponse":[{"Fault":{"Error":[{"Message":"m","code":"3001"}],"type":"SERVICE"}}]}"#;
        assert!(matches!(*quickbooks().changed_records(&answer(fault)).unwrap_err().error, ProviderError::RateLimited { .. }));
        assert!(quickbooks().changed_records(&answer(r#"{"CDCResponse":[{"QueryResponse":[{},{}]}],"time":"x"}"#)).unwrap().records.is_empty());
    }
}
