//! Changing accounts, contacts and items as a whole. Which names may repeat differs between the providers, so the faces check names.
use crate::books::recent::{Verb, What};
use crate::books::{AccountId, AccountType, Books, ContactId, ItemId, Refused};
use crate::money::Cents;
use jiff::Timestamp;

/// What an account can become. Its currency stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    pub name: String,
    pub code: String,
    pub account_type: AccountType,
    pub parent: Option<AccountId>,
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactFacts {
    pub name: String,
    pub email: String,
    pub is_customer: bool,
    pub is_supplier: bool,
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFacts {
    pub name: String,
    pub description: String,
    pub unit_price: Cents,
    pub income_account: AccountId,
    pub expense_account: Option<AccountId>,
    pub active: bool,
}

impl Books {
    pub fn account_facts(&self, id: AccountId) -> Option<AccountFacts> {
        self.accounts.get(&id).map(|account| AccountFacts {
            name: account.name.clone(),
            code: account.code.clone(),
            account_type: account.account_type,
            parent: account.parent,
            active: account.active,
        })
    }

    /// Nothing changes, the version neither, when the facts are the same. True: something changed.
    pub fn change_account(&mut self, id: AccountId, facts: AccountFacts, now: Timestamp) -> Result<bool, Refused> {
        let known = self.account_facts(id).ok_or_else(|| Refused(format!("there is no account {id}")))?;
        if known == facts {
            return Ok(false);
        }
        // Postings already made keep their meaning only if the type's side of the books stays.
        let has_history = self.balances_ever(id);
        if has_history && known.account_type != facts.account_type && is_control(known.account_type) != is_control(facts.account_type) {
            return Err(Refused(format!("{} has postings; it cannot change between a control account and another", known.name)));
        }
        if known.active != facts.active {
            self.set_account_active(id, facts.active, now)?;
        }
        let mut above = facts.parent;
        for _ in 0..5 {
            let Some(parent) = above else { break };
            if parent == id {
                return Err(Refused("an account cannot stand below itself".into()));
            }
            above = self.accounts.get(&parent).ok_or_else(|| Refused(format!("there is no account {parent}")))?.parent;
        }
        if above.is_some() {
            return Err(Refused("accounts stand at most five deep".into()));
        }
        let account = self.accounts.get_mut(&id).expect("looked up above");
        if known.active == facts.active {
            account.sync_token += 1;
        }
        account.name = facts.name;
        account.code = facts.code;
        account.account_type = facts.account_type;
        account.parent = facts.parent;
        account.updated_at = now;
        self.recent.note(What::Account(id), Verb::Update, now);
        Ok(true)
    }

    fn balances_ever(&self, id: AccountId) -> bool {
        self.journals.iter().any(|journal| journal.postings.iter().any(|posting| posting.account == id))
    }

    pub fn contact_facts(&self, id: ContactId) -> Option<ContactFacts> {
        self.contacts.get(&id).map(|contact| ContactFacts {
            name: contact.name.clone(),
            email: contact.email.clone(),
            is_customer: contact.is_customer,
            is_supplier: contact.is_supplier,
            active: contact.active,
        })
    }

    /// See `change_account`.
    pub fn change_contact(&mut self, id: ContactId, facts: ContactFacts, now: Timestamp) -> Result<bool, Refused> {
        let known = self.contact_facts(id).ok_or_else(|| Refused(format!("there is no contact {id}")))?;
        if known == facts {
            return Ok(false);
        }
        let contact = self.contacts.get_mut(&id).expect("looked up above");
        contact.name = facts.name;
        contact.email = facts.email;
        contact.is_customer = facts.is_customer;
        contact.is_supplier = facts.is_supplier;
        contact.active = facts.active;
        contact.updated_at = now;
        contact.sync_token += 1;
        self.recent.note(What::Contact(id), Verb::Update, now);
        Ok(true)
    }

    pub fn item_facts(&self, id: ItemId) -> Option<ItemFacts> {
        self.items.get(&id).map(|item| ItemFacts {
            name: item.name.clone(),
            description: item.description.clone(),
            unit_price: item.unit_price,
            income_account: item.income_account,
            expense_account: item.expense_account,
            active: item.active,
        })
    }

    /// See `change_account`.
    pub fn change_item(&mut self, id: ItemId, facts: ItemFacts, now: Timestamp) -> Result<bool, Refused> {
        let known = self.item_facts(id).ok_or_else(|| Refused(format!("there is no item {id}")))?;
        if known == facts {
            return Ok(false);
        }
        for account in [Some(facts.income_account), facts.expense_account].into_iter().flatten() {
            if !self.accounts.contains_key(&account) {
                return Err(Refused(format!("there is no account {account}")));
            }
        }
        let item = self.items.get_mut(&id).expect("looked up above");
        item.name = facts.name;
        item.description = facts.description;
        item.unit_price = facts.unit_price;
        item.income_account = facts.income_account;
        item.expense_account = facts.expense_account;
        item.active = facts.active;
        item.updated_at = now;
        item.sync_token += 1;
        self.recent.note(What::Item(id), Verb::Update, now);
        Ok(true)
    }
}

fn is_control(account_type: AccountType) -> bool {
    matches!(account_type, AccountType::Receivable | AccountType::Payable)
}
