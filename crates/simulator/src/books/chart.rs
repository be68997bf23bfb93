//! Making and changing what is not a document: accounts, contacts, items, tax rates.
use super::recent::{Verb, What};
use super::{Account, AccountId, AccountType, Books, Contact, ContactId, Face, Item, ItemId, Refused, TaxRate};
use crate::money::Cents;
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Books {
    /// Empty books. `id` is a realm id (QuickBooks) or a tenant's guid (Xero); `fiscal_year_start_month` is 1-12.
    #[allow(clippy::too_many_arguments)] // nine facts that every company has
    pub fn new(
        face: Face,
        id: impl Into<String>,
        name: impl Into<String>,
        country: impl Into<String>,
        currency: impl Into<String>,
        time_zone: impl Into<String>,
        fiscal_year_start_month: i8,
        seed: u64,
        now: Timestamp,
    ) -> Books {
        assert!((1..=12).contains(&fiscal_year_start_month), "a fiscal year begins in a month 1-12");
        let name = name.into();
        Books {
            id: id.into(),
            face,
            legal_name: name.clone(),
            name,
            country: country.into(),
            currency: currency.into(),
            time_zone: time_zone.into(),
            fiscal_year_start_month,
            created_at: now,
            updated_at: now,
            seed,
            accounts: BTreeMap::new(),
            contacts: BTreeMap::new(),
            items: BTreeMap::new(),
            tax_rates: Vec::new(),
            lists: Default::default(),
            documents: BTreeMap::new(),
            by_date: BTreeMap::new(),
            journals: Vec::new(),
            xero: if face == Face::Xero { super::xero::XeroLists::standard(now) } else { Default::default() },
            next_id: 1,
            next_journal_number: 1,
            sums: Default::default(),
            recent: Default::default(),
            cash: Default::default(),
            stock: Default::default(),
            payers: Default::default(),
            last_number: BTreeMap::new(),
            contact_balances: Default::default(),
        }
    }

    pub(super) fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// `currency`: of a foreign bank, receivable or payable account; `None` is the home currency.
    pub fn add_account(
        &mut self,
        name: impl Into<String>,
        code: impl Into<String>,
        account_type: AccountType,
        parent: Option<AccountId>,
        currency: Option<&str>,
        now: Timestamp,
    ) -> AccountId {
        let id = self.take_id();
        let currency = currency.unwrap_or(&self.currency).to_owned();
        let account = Account {
            id,
            name: name.into(),
            code: code.into(),
            account_type,
            parent,
            currency,
            active: true,
            created_at: now,
            updated_at: now,
            sync_token: 0,
        };
        self.accounts.insert(id, account);
        self.recent.note(What::Account(id), Verb::Create, now);
        id
    }

    pub fn add_contact(
        &mut self,
        name: impl Into<String>,
        email: impl Into<String>,
        is_customer: bool,
        is_supplier: bool,
        currency: Option<&str>,
        now: Timestamp,
    ) -> ContactId {
        let id = self.take_id();
        let currency = currency.unwrap_or(&self.currency).to_owned();
        let contact = Contact {
            id,
            name: name.into(),
            email: email.into(),
            is_customer,
            is_supplier,
            currency,
            active: true,
            merged_into: None,
            created_at: now,
            updated_at: now,
            sync_token: 0,
        };
        self.contacts.insert(id, contact);
        self.recent.note(What::Contact(id), Verb::Create, now);
        id
    }

    pub fn add_item(
        &mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        unit_price: Cents,
        income_account: AccountId,
        expense_account: Option<AccountId>,
        now: Timestamp,
    ) -> ItemId {
        let id = self.take_id();
        let item = Item {
            id,
            name: name.into(),
            description: description.into(),
            unit_price,
            income_account,
            expense_account,
            active: true,
            created_at: now,
            updated_at: now,
            sync_token: 0,
        };
        self.items.insert(id, item);
        self.recent.note(What::Item(id), Verb::Create, now);
        id
    }

    /// `basis_points`: 825 is 8.25 %. `account` takes the tax.
    pub fn add_tax_rate(
        &mut self,
        name: impl Into<String>,
        code: impl Into<String>,
        basis_points: i64,
        account: AccountId,
        for_sales: bool,
        for_purchases: bool,
    ) -> u64 {
        let id = self.take_id();
        self.tax_rates.push(TaxRate { id, name: name.into(), code: code.into(), basis_points, account, for_sales, for_purchases });
        id
    }

    pub fn tax_rate(&self, id: u64) -> Option<&TaxRate> {
        self.tax_rates.iter().find(|rate| rate.id == id)
    }

    /// The first account of this type in the home currency, active ones first.
    pub fn account_of(&self, account_type: AccountType) -> Option<AccountId> {
        let mut matching = self.accounts.values().filter(|a| a.account_type == account_type && a.currency == self.currency);
        let first = matching.next()?;
        if first.active {
            return Some(first.id);
        }
        Some(matching.find(|a| a.active).unwrap_or(first).id)
    }

    /// The receivable (or payable) account that documents in `currency` stand against. QuickBooks has one per currency, Xero a single one.
    pub fn control_account(&self, receivable: bool, currency: &str) -> Option<AccountId> {
        let account_type = if receivable { AccountType::Receivable } else { AccountType::Payable };
        match self.face {
            Face::Xero => self.account_of(account_type),
            Face::QuickBooks => self.accounts.values().find(|a| a.account_type == account_type && a.currency == currency).map(|a| a.id),
        }
    }

    pub fn account_by_code(&self, code: &str) -> Option<AccountId> {
        self.accounts.values().find(|a| a.code == code && !code.is_empty()).map(|a| a.id)
    }

    /// Archives an account (makes it inactive) or restores it; its history stays.
    pub fn set_account_active(&mut self, id: AccountId, active: bool, now: Timestamp) -> Result<(), Refused> {
        let face = self.face;
        let account = self.accounts.get_mut(&id).ok_or_else(|| Refused(format!("there is no account {id}")))?;
        if account.active == active {
            return Ok(());
        }
        let is_system = matches!(account.account_type, AccountType::Receivable | AccountType::Payable | AccountType::RetainedEarnings);
        if !active && is_system {
            let word = if face == Face::Xero { "archived" } else { "made inactive" };
            return Err(Refused(format!("{} is a system account and cannot be {word}", account.name)));
        }
        account.active = active;
        account.updated_at = now;
        account.sync_token += 1;
        self.recent.note(What::Account(id), Verb::Update, now);
        Ok(())
    }

    pub fn rename_account(&mut self, id: AccountId, name: impl Into<String>, now: Timestamp) -> Result<(), Refused> {
        let name = name.into();
        if name.trim().is_empty() {
            return Err(Refused("an account needs a name".into()));
        }
        if let Some(other) = self.accounts.values().find(|a| a.id != id && a.name.eq_ignore_ascii_case(&name)) {
            return Err(Refused(format!("account {} is already called {name}", other.id)));
        }
        let account = self.accounts.get_mut(&id).ok_or_else(|| Refused(format!("there is no account {id}")))?;
        account.name = name;
        account.updated_at = now;
        account.sync_token += 1;
        self.recent.note(What::Account(id), Verb::Update, now);
        Ok(())
    }

    pub fn set_contact_active(&mut self, id: ContactId, active: bool, now: Timestamp) -> Result<(), Refused> {
        let contact = self.contacts.get_mut(&id).ok_or_else(|| Refused(format!("there is no contact {id}")))?;
        if contact.active != active {
            contact.active = active;
            contact.updated_at = now;
            contact.sync_token += 1;
            self.recent.note(What::Contact(id), Verb::Update, now);
        }
        Ok(())
    }
}
