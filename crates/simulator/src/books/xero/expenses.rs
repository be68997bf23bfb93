//! Classic expense claims: receipts that people paid out of their own pocket, handed in together, approved and paid back.
//!
//! "EXPCLAIM: Dr expense or asset, Dr tax, Cr 801 Unpaid Expense Claims; EXPPAYMENT: Dr 801, Cr bank" (providers/xero.md 4.5):
//! <https://developer.xero.com/documentation/api/accounting/expenseclaims>.
use super::AmountTypes;
use crate::books::{AccountId, AccountType, Books, Document, DocumentId, Face, Kind, NewDocument, NewLine, Refused, Status, Variant};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptStatus {
    Draft,
    Submitted,
    Authorised,
    Declined,
    Voided,
}

#[derive(Clone, Debug)]
pub struct Receipt {
    pub id: u64,
    pub number: u64,
    /// Of `XeroLists::users`.
    pub user: u64,
    /// Contact, date, lines and reference; it posts with its claim.
    pub document: NewDocument,
    pub amount_types: AmountTypes,
    pub status: ReceiptStatus,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimStatus {
    Submitted,
    /// Posts; PAID is this with nothing left to pay.
    Authorised,
    Voided,
    Deleted,
}

#[derive(Clone, Debug)]
pub struct Claim {
    pub id: u64,
    pub user: u64,
    pub receipts: Vec<u64>,
    pub status: ClaimStatus,
    /// The journal it posts, once it is approved.
    pub document: Option<DocumentId>,
    /// Bank transactions that pay it back.
    pub payments: Vec<DocumentId>,
    pub reported_on: Option<Date>,
    pub due_on: Option<Date>,
    pub updated_at: Timestamp,
}

/// The number of the account that claims stand on until they are paid.
const UNPAID_CODE: &str = "801";

impl Document {
    /// Posts for an expense claim and is listed nowhere but there.
    pub fn is_of_a_claim(&self) -> bool {
        self.details.variant == Some(Variant::ExpenseClaim)
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(reason.into()))
}

impl Books {
    /// A receipt as the document it would be.
    pub fn receipt_document(&self, receipt: &Receipt) -> Document {
        Document { id: receipt.id, ..self.unentered(&receipt.document, receipt.updated_at) }
    }

    pub fn add_receipt(&mut self, user: u64, document: NewDocument, amount_types: AmountTypes, now: Timestamp) -> u64 {
        let id = self.take_id();
        let number = self.xero.receipts.values().map(|receipt| receipt.number).max().unwrap_or(0) + 1;
        self.xero.receipts.insert(id, Receipt { id, number, user, document, amount_types, status: ReceiptStatus::Draft, updated_at: now });
        id
    }

    /// Hands receipts in; each can be in one claim.
    pub fn add_claim(&mut self, user: u64, receipts: Vec<u64>, now: Timestamp) -> Result<u64, Refused> {
        if receipts.is_empty() {
            return refuse("an expense claim needs at least one receipt");
        }
        for (index, id) in receipts.iter().enumerate() {
            let Some(receipt) = self.xero.receipts.get(id) else { return refuse(format!("there is no receipt {id}")) };
            let stands = |claim: &Claim| !matches!(claim.status, ClaimStatus::Voided | ClaimStatus::Deleted);
            let is_claimed = self.xero.claims.values().any(|claim| stands(claim) && claim.receipts.contains(id));
            if is_claimed || receipts[..index].contains(id) || !matches!(receipt.status, ReceiptStatus::Draft | ReceiptStatus::Submitted) {
                return refuse(format!("receipt {} is part of another claim or can no longer be claimed", receipt.number));
            }
            if receipt.user != user {
                return refuse(format!("receipt {} belongs to another user", receipt.number));
            }
        }
        self.set_receipts(&receipts, ReceiptStatus::Submitted, now);
        let id = self.take_id();
        let claim = Claim {
            id,
            user,
            receipts,
            status: ClaimStatus::Submitted,
            document: None,
            payments: Vec::new(),
            reported_on: None,
            due_on: None,
            updated_at: now,
        };
        self.xero.claims.insert(id, claim);
        Ok(id)
    }

    fn set_receipts(&mut self, receipts: &[u64], status: ReceiptStatus, now: Timestamp) {
        for id in receipts {
            if let Some(receipt) = self.xero.receipts.get_mut(id) {
                (receipt.status, receipt.updated_at) = (status, now);
            }
        }
    }

    fn claim(&self, id: u64) -> Result<&Claim, Refused> {
        self.xero.claims.get(&id).ok_or_else(|| Refused(format!("there is no expense claim {id}")))
    }

    pub fn claim_total(&self, claim: &Claim) -> Cents {
        let receipts = claim.receipts.iter().filter_map(|id| self.xero.receipts.get(id));
        receipts.map(|receipt| self.total(&self.receipt_document(receipt))).sum()
    }

    pub fn claim_paid(&self, claim: &Claim) -> Cents {
        let payments = claim.payments.iter().filter_map(|id| self.documents.get(id)).filter(|payment| payment.status == Status::Active);
        payments.map(|payment| self.total(payment)).sum()
    }

    /// The account that claims stand on, made with the first that is approved.
    fn unpaid_claims(&mut self, now: Timestamp) -> AccountId {
        let known = self.accounts.values().find(|account| account.code == UNPAID_CODE).map(|account| account.id);
        known.unwrap_or_else(|| self.add_account("Unpaid Expense Claims", UNPAID_CODE, AccountType::CurrentLiability, None, None, now))
    }

    /// Whether an account is Xero's UNPAIDEXPCLM.
    pub fn is_unpaid_claims(&self, account: AccountId) -> bool {
        self.face == Face::Xero && self.accounts.get(&account).is_some_and(|account| account.code == UNPAID_CODE)
    }

    /// Approves a claim, which posts it on that day.
    pub fn approve_claim(&mut self, id: u64, date: Date, due_on: Option<Date>, now: Timestamp) -> Result<(), Refused> {
        let claim = self.claim(id)?.clone();
        if claim.status != ClaimStatus::Submitted {
            return refuse("only a submitted expense claim can be approved");
        }
        let unpaid = self.unpaid_claims(now);
        let mut lines = Vec::new();
        for receipt in claim.receipts.iter().filter_map(|id| self.xero.receipts.get(id)) {
            let document = self.receipt_document(receipt);
            let own = document.lines.iter().map(|line| NewLine { id: None, contact: document.contact, ..NewLine::again(line) });
            lines.extend(own);
            for tax in &document.taxes {
                let Some(rate) = self.tax_rate(tax.tax_rate) else { continue };
                lines.push(NewLine::new(rate.account, tax.tax, rate.name.clone()));
            }
        }
        let total: Cents = lines.iter().map(|line| line.amount).sum();
        lines.push(NewLine::new(unpaid, -total, "Expense claim"));
        lines.retain(|line| !line.amount.is_zero());
        let mut new = NewDocument::new(Kind::Journal, date);
        new.memo = "Expense claim".into();
        new.lines = lines;
        new.details.variant = Some(Variant::ExpenseClaim);
        let document = self.add_document(new, now)?;
        self.set_receipts(&claim.receipts, ReceiptStatus::Authorised, now);
        let known = self.xero.claims.get_mut(&id).expect("looked up above");
        (known.status, known.document, known.updated_at) = (ClaimStatus::Authorised, Some(document), now);
        (known.reported_on, known.due_on) = (Some(date), due_on);
        Ok(())
    }

    /// Pays a claim back, in whole or in part.
    pub fn pay_claim(&mut self, id: u64, bank: AccountId, date: Date, amount: Cents, now: Timestamp) -> Result<DocumentId, Refused> {
        let claim = self.claim(id)?;
        let due = self.claim_total(claim) - self.claim_paid(claim);
        if claim.status != ClaimStatus::Authorised || amount.0 <= 0 || amount > due {
            return refuse(format!("the expense claim has {due} open; {amount} cannot be paid"));
        }
        let unpaid = self.unpaid_claims(now);
        let mut new = NewDocument::new(Kind::Expense, date);
        (new.account, new.memo) = (Some(bank), "Expense claim".into());
        new.lines = vec![NewLine::new(unpaid, amount, "Expense claim")];
        new.details.variant = Some(Variant::ExpenseClaim);
        let payment = self.add_document(new, now)?;
        let known = self.xero.claims.get_mut(&id).expect("looked up above");
        known.payments.push(payment);
        known.updated_at = now;
        Ok(payment)
    }

    /// An approved claim without payments is voided, a submitted one deleted; its receipts can be claimed again.
    pub fn take_claim_back(&mut self, id: u64, now: Timestamp) -> Result<(), Refused> {
        let claim = self.claim(id)?.clone();
        let status = match claim.status {
            ClaimStatus::Submitted => ClaimStatus::Deleted,
            ClaimStatus::Authorised if self.claim_paid(&claim).is_zero() => ClaimStatus::Voided,
            ClaimStatus::Authorised => return refuse("an expense claim with payments cannot be voided"),
            ClaimStatus::Voided | ClaimStatus::Deleted => return refuse("the expense claim is gone already"),
        };
        if let Some(document) = claim.document {
            self.void(document, now)?;
        }
        self.set_receipts(&claim.receipts, ReceiptStatus::Draft, now);
        let known = self.xero.claims.get_mut(&id).expect("looked up above");
        (known.status, known.updated_at) = (status, now);
        Ok(())
    }

    /// The claim that a document posts for.
    pub fn claim_of(&self, document: DocumentId) -> Option<&Claim> {
        self.xero.claims.values().find(|claim| claim.document == Some(document) || claim.payments.contains(&document))
    }
}
