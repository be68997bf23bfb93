//! Two customers, suppliers or accounts made one: references move to the one that stays. Documents keep their time of the last change, as
//! at the providers: <https://developer.xero.com/documentation/api/accounting/contacts> (MergedToContactID).
use super::lists::Worker;
use super::new_document::refuse;
use super::recent::{Verb, What};
use super::{AccountId, Books, ContactId, Face, Refused};
use jiff::Timestamp;

impl Books {
    /// QuickBooks: the merged contact is gone. Xero: it stays archived and names the other.
    pub fn merge_contacts(&mut self, from: ContactId, into: ContactId, now: Timestamp) -> Result<(), Refused> {
        let (Some(gone), Some(stays)) = (self.contacts.get(&from), self.contacts.get(&into)) else {
            return refuse(format!("there is no contact {}", if self.contacts.contains_key(&from) { into } else { from }));
        };
        if from == into {
            return refuse("a contact cannot be merged into itself");
        }
        if gone.currency != stays.currency {
            return refuse(format!("{} and {} use different currencies and cannot be merged", gone.name, stays.name));
        }
        let (was_customer, was_supplier) = (gone.is_customer, gone.is_supplier);
        if self.face == Face::QuickBooks && (was_customer, was_supplier) != (stays.is_customer, stays.is_supplier) {
            return refuse("QuickBooks merges customers with customers and vendors with vendors");
        }
        for document in self.documents.values_mut() {
            if document.contact == Some(from) {
                document.contact = Some(into);
            }
            for line in document.lines.iter_mut().filter(|line| line.contact == Some(from)) {
                line.contact = Some(into);
            }
        }
        for order in self.lists.orders.values_mut().filter(|order| order.contact == from) {
            order.contact = into;
        }
        for activity in self.lists.time_activities.values_mut() {
            if activity.customer == Some(from) {
                activity.customer = Some(into);
            }
            if activity.worker == Worker::Vendor(from) {
                activity.worker = Worker::Vendor(into);
            }
        }
        for template in self.lists.templates.values_mut().filter(|template| template.document.contact == Some(from)) {
            template.document.contact = Some(into);
        }
        let (receivable, payable) = self.contact_balances.remove(&from).unwrap_or_default();
        let balances = self.contact_balances.entry(into).or_default();
        balances.0 += receivable;
        balances.1 += payable;
        let stays = self.contacts.get_mut(&into).expect("looked up above");
        stays.is_customer |= was_customer;
        stays.is_supplier |= was_supplier;
        stays.updated_at = now;
        stays.sync_token += 1;
        self.recent.note(What::Contact(into), Verb::Merge(from), now);
        match self.face {
            Face::QuickBooks => {
                self.contacts.remove(&from);
            }
            Face::Xero => {
                let gone = self.contacts.get_mut(&from).expect("looked up above");
                gone.active = false;
                gone.merged_into = Some(into);
                gone.updated_at = now;
                gone.sync_token += 1;
                self.recent.note(What::Contact(from), Verb::Update, now);
            }
        }
        Ok(())
    }

    /// QuickBooks only; both accounts are of one type and currency.
    pub fn merge_accounts(&mut self, from: AccountId, into: AccountId, now: Timestamp) -> Result<(), Refused> {
        if self.face == Face::Xero {
            return refuse("Xero does not merge accounts");
        }
        let (Some(gone), Some(stays)) = (self.accounts.get(&from), self.accounts.get(&into)) else {
            return refuse(format!("there is no account {}", if self.accounts.contains_key(&from) { into } else { from }));
        };
        if from == into || gone.account_type != stays.account_type || gone.currency != stays.currency {
            return refuse(format!("{} and {} are not two accounts of one type and currency", gone.name, stays.name));
        }
        if stays.parent == Some(from) {
            return refuse(format!("{} is a sub-account of {}", stays.name, gone.name));
        }
        for document in self.documents.values_mut() {
            let sides = [document.account.as_mut(), document.to_account.as_mut()];
            for account in sides.into_iter().flatten().chain(document.lines.iter_mut().map(|line| &mut line.account)) {
                if *account == from {
                    *account = into;
                }
            }
        }
        for item in self.items.values_mut() {
            for account in std::iter::once(&mut item.income_account).chain(item.expense_account.as_mut()) {
                if *account == from {
                    *account = into;
                }
            }
        }
        for rate in self.tax_rates.iter_mut().filter(|rate| rate.account == from) {
            rate.account = into;
        }
        for account in self.accounts.values_mut().filter(|account| account.parent == Some(from)) {
            account.parent = Some(into);
        }
        for posting in self.journals.iter_mut().flat_map(|journal| &mut journal.postings).filter(|posting| posting.account == from) {
            posting.account = into;
        }
        self.merge_assets(from, into);
        self.sums.merge(from, into);
        self.cash.merge_accounts(from, into);
        let of_orders = self.lists.orders.values_mut().flat_map(|order| &mut order.lines).map(|line| &mut line.account);
        let of_budgets = self.lists.budgets.values_mut().flat_map(|budget| &mut budget.lines).map(|line| &mut line.account);
        for account in of_orders.chain(of_budgets).filter(|account| **account == from) {
            *account = into;
        }
        for template in self.lists.templates.values_mut() {
            let document = &mut template.document;
            let sides = [document.account.as_mut(), document.to_account.as_mut()];
            for account in sides.into_iter().flatten().chain(document.lines.iter_mut().map(|line| &mut line.account)) {
                if *account == from {
                    *account = into;
                }
            }
        }
        self.accounts.remove(&from);
        let stays = self.accounts.get_mut(&into).expect("looked up above");
        stays.updated_at = now;
        stays.sync_token += 1;
        self.recent.note(What::Account(into), Verb::Merge(from), now);
        Ok(())
    }
}
