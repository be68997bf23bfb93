//! Batch payments: payments of one day from or into one account, shown together. A batch posts nothing; its payments do.
use crate::books::{AccountId, Books, DocumentId, Kind, Refused};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Debug)]
pub struct BatchPayment {
    pub id: u64,
    pub account: AccountId,
    pub date: Date,
    pub reference: String,
    pub details: String,
    pub narrative: String,
    pub payments: Vec<DocumentId>,
    /// True: received from customers (RECBATCH); false: paid to suppliers (PAYBATCH).
    pub received: bool,
    pub deleted: bool,
    pub updated_at: Timestamp,
}

impl Books {
    /// Puts payments of one kind, day and account into a batch.
    pub fn batch_payments(&mut self, payments: Vec<DocumentId>, reference: impl Into<String>, now: Timestamp) -> Result<u64, Refused> {
        let first = payments.first().and_then(|id| self.documents.get(id)).ok_or_else(|| Refused("a batch needs a payment".into()))?;
        let (kind, date, account) = (first.kind, first.date, first.account);
        let account = account.filter(|_| kind.is_payment()).ok_or_else(|| Refused("a batch holds payments only".into()))?;
        for id in &payments {
            let fits = self.documents.get(id).is_some_and(|d| d.kind == kind && d.date == date && d.account == Some(account));
            if !fits || self.batch_of(*id).is_some() {
                return Err(Refused(format!("payment {id} is of another kind, day, account or batch")));
            }
        }
        let id = self.take_id();
        let batch = BatchPayment {
            id,
            account,
            date,
            reference: reference.into(),
            details: String::new(),
            narrative: String::new(),
            payments,
            received: kind == Kind::Payment,
            deleted: false,
            updated_at: now,
        };
        self.xero.batches.insert(id, batch);
        Ok(id)
    }

    /// The batch a payment is part of.
    pub fn batch_of(&self, payment: DocumentId) -> Option<&BatchPayment> {
        self.xero.batches.values().find(|batch| batch.payments.contains(&payment))
    }

    /// Deletes a batch with all its payments; the invoices are open again.
    pub fn delete_batch(&mut self, id: u64, now: Timestamp) -> Result<(), Refused> {
        let batch = self.xero.batches.get(&id).filter(|batch| !batch.deleted).ok_or_else(|| Refused(format!("there is no batch payment {id}")))?;
        for payment in batch.payments.clone() {
            if self.documents.get(&payment).is_some_and(|payment| payment.status == crate::books::Status::Active) {
                self.delete(payment, now)?;
            }
        }
        let batch = self.xero.batches.get_mut(&id).expect("looked up above");
        batch.deleted = true;
        batch.updated_at = now;
        Ok(())
    }

    /// What the payments of a batch come to, in their documents' currency.
    pub fn batch_total(&self, batch: &BatchPayment) -> Cents {
        batch.payments.iter().filter_map(|id| self.documents.get(id)).map(|payment| self.total(payment).abs()).sum()
    }
}
