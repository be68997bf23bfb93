//! What changed: one list after the other, each asked for what is newer than the cursor, or in full where Xero has no cursor for it.
//!
//! An idle sync costs seven of these calls, and nine once a day. What `If-Modified-Since` cannot show: <https://developer.xero.com/documentation/api/accounting/requests-and-responses>
use super::fetch::{Position, Resource, resource_of};
use domain::data_type::DataType;
use domain::sync::Checkpoint;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// What is newer than the cursor.
    Newer,
    /// In full, every time.
    Full,
    /// In full, in a thorough run only.
    Seldom,
}

/// The lists in their order.
const LISTS: &[(DataType, How)] = &[
    // an account that was never used can be deleted and then simply is not there any more
    (DataType::Account, How::Full),
    // no If-Modified-Since
    (DataType::TaxRate, How::Seldom),
    (DataType::Contact, How::Newer),
    (DataType::Invoice, How::Newer),
    (DataType::CreditNote, How::Newer),
    (DataType::Payment, How::Newer),
    (DataType::BankTransaction, How::Newer),
    // its If-Modified-Since looks at the creation only: a later deletion would stay unseen. New and deleted transfers show in the journals
    (DataType::BankTransfer, How::Seldom),
    (DataType::ManualJournal, How::Newer),
];

/// Where a run through the lists stands.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    at: usize,
    pub position: Position,
}

impl Step {
    /// `None` for a text that is no checkpoint of ours.
    pub fn parse(from: Option<&Checkpoint>) -> Option<Step> {
        let Some(Checkpoint(text)) = from else { return Some(Step { at: 0, position: Position::First }) };
        let (word, position) = match text.split_once('/') {
            Some((word, position)) => (word, Position::parse(position)?),
            None => (text.as_str(), Position::First),
        };
        let at = LISTS.iter().position(|(data_type, _)| data_type.as_str() == word)?;
        Some(Step { at, position })
    }

    pub fn resource(self) -> &'static Resource {
        resource_of(LISTS[self.at].0).expect("every list of changes is a resource")
    }

    /// The list comes whole, whatever changed.
    pub fn is_full(self) -> bool {
        LISTS[self.at].1 != How::Newer
    }

    /// The checkpoint of the same list's next page.
    pub fn page(self, position: Position) -> Checkpoint {
        Checkpoint(format!("{}/{}", LISTS[self.at].0.as_str(), position.checkpoint().0))
    }

    /// The checkpoint of the next list; `None` after the last one.
    pub fn next_list(self, thorough: bool) -> Option<Checkpoint> {
        let mut later = LISTS.iter().skip(self.at + 1).filter(|(_, how)| thorough || *how != How::Seldom);
        later.next().map(|(data_type, _)| Checkpoint(data_type.as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(thorough: bool) -> Vec<&'static str> {
        let mut paths = Vec::new();
        let mut from = None;
        loop {
            let step = Step::parse(from.as_ref()).unwrap();
            paths.push(step.resource().path);
            match step.next_list(thorough) {
                Some(next) => from = Some(next),
                None => return paths,
            }
        }
    }

    #[test]
    fn a_run_without_changes_makes_seven_calls_and_a_thorough_one_nine() {
        assert_eq!(paths(false), ["Accounts", "Contacts", "Invoices", "CreditNotes", "Payments", "BankTransactions", "ManualJournals"]);
        assert_eq!(
            paths(true),
            ["Accounts", "TaxRates", "Contacts", "Invoices", "CreditNotes", "Payments", "BankTransactions", "BankTransfers", "ManualJournals"]
        );
    }

    #[test]
    fn a_checkpoint_inside_a_list_is_read_back() {
        let step = Step::parse(Some(&Checkpoint("Payment".into()))).unwrap();
        let inside = step.page(Position::Down { page: 4, started: 9 });
        assert_eq!(inside.0, "Payment/down/4/9");
        let back = Step::parse(Some(&inside)).unwrap();
        assert_eq!((back.resource().path, back.position), ("Payments", Position::Down { page: 4, started: 9 }));
        for foreign in ["", "Bill", "Payment/", "Payment/x/1", "7"] {
            assert!(Step::parse(Some(&Checkpoint(foreign.into()))).is_none(), "{foreign}");
        }
    }
}
