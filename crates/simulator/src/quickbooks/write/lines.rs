//! The lines of a body: what each posts, and what kind of line it is shown as.
use super::fields::{References, amount, flag, inner, millionths, objects, reference, text};
use crate::books::lists::DimensionRole;
use crate::books::{AccountId, AccountType, Books, Document, Kind, Line, NewLine};
use crate::money::{Cents, Rate};
use crate::quickbooks::body::{self, Value};
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::tree::Object;
use std::collections::BTreeMap;

/// "10,000 lines per transaction" (contract 8.1).
const MOST_LINES: usize = 10_000;
const MOST_TOTAL: i128 = 1_000_000_000_000;

/// Lines for the books, and by position those that are shown otherwise than the books' line alone would say.
#[derive(Default)]
pub struct Lines {
    pub lines: Vec<NewLine>,
    pub variants: Vec<(usize, Object)>,
}

/// What is needed to read lines.
pub struct Reader<'a> {
    pub references: &'a References<'a>,
    pub kind: Kind,
    /// The lines as they are, by which accounts and quantities that the wire does not tell are kept.
    pub old: Option<&'a Document>,
    pub fields: &'a Object,
}

impl Reader<'_> {
    pub fn read(&self) -> Result<Lines, Refusal> {
        let sent = objects(self.fields, "Line");
        if sent.len() > MOST_LINES {
            return Err(Refusal::business(format!("A transaction has at most {MOST_LINES} lines")));
        }
        let mut read = Lines::default();
        for line in sent {
            self.line(line, &mut read)?;
        }
        let total: i128 = read.lines.iter().map(|line| i128::from(line.amount.0.abs())).sum();
        if total > MOST_TOTAL {
            return Err(Refusal::business("The transaction is larger than what is supported"));
        }
        if read.lines.is_empty() {
            return Err(Refusal::missing_parameter("Line"));
        }
        Ok(read)
    }

    fn line(&self, line: &Object, read: &mut Lines) -> Result<(), Refusal> {
        let detail_type = text(line, "DetailType");
        let is_linked = detail_type.is_none() && !objects(line, "LinkedTxn").is_empty();
        let new = match (self.kind, detail_type) {
            (_, Some("SubTotalLineDetail")) => return Ok(()),
            (Kind::Invoice | Kind::CreditMemo | Kind::SalesReceipt | Kind::RefundReceipt, Some("SalesItemLineDetail")) => self.sale(line)?,
            (Kind::Invoice | Kind::CreditMemo | Kind::SalesReceipt | Kind::RefundReceipt, Some("DiscountLineDetail")) => {
                read.variants.push((read.lines.len(), Object::new().put("DetailType", "DiscountLineDetail")));
                self.discount(line, read)?
            }
            (Kind::Invoice | Kind::CreditMemo | Kind::SalesReceipt | Kind::RefundReceipt, Some("GroupLineDetail")) => return self.bundle(line, read),
            (Kind::Journal | Kind::Deposit | Kind::Payment | Kind::BillPayment | Kind::Transfer, Some("DescriptionOnly")) => return Ok(()),
            (_, Some("DescriptionOnly")) => {
                read.variants.push((read.lines.len(), Object::new().put("DetailType", "DescriptionOnly")));
                self.description(line)?
            }
            (Kind::Bill | Kind::VendorCredit | Kind::Expense, Some("AccountBasedExpenseLineDetail")) => self.expense_by_account(line)?,
            (Kind::Bill | Kind::VendorCredit | Kind::Expense, Some("ItemBasedExpenseLineDetail")) => self.expense_by_item(line)?,
            (Kind::Journal, Some("JournalEntryLineDetail")) => self.journal(line)?,
            (Kind::Deposit, Some("DepositLineDetail")) => self.deposit(line)?,
            (Kind::Deposit, None) if is_linked => {
                let links = objects(line, "LinkedTxn").into_iter().cloned().collect::<Vec<_>>();
                read.variants.push((read.lines.len(), Object::new().put("LinkedTxn", links)));
                self.deposited(line)?
            }
            (_, None) => return Err(Refusal::missing_parameter("DetailType")),
            (_, Some(other)) => return Err(Refusal::business(format!("{other} is not supported on a {}", self.kind.word()))),
        };
        read.lines.push(new);
        Ok(())
    }

    fn books(&self) -> &Books {
        self.references.books
    }

    /// The line of the record that this one continues. Journal lines count from zero.
    fn old(&self, line: &Object) -> Option<&Line> {
        let id: u64 = text(line, "Id")?.parse().ok()?;
        let id = if self.kind == Kind::Journal { id.checked_add(1)? } else { id };
        self.old?.lines.iter().find(|old| old.id == id)
    }

    fn started(&self, line: &Object, account: AccountId, amount: Cents) -> NewLine {
        let id = text(line, "Id").and_then(|id| id.parse::<u64>().ok()).filter(|id| *id < u64::from(u32::MAX));
        let id = if self.kind == Kind::Journal { id.map(|id| id + 1) } else { id };
        NewLine { id, ..NewLine::new(account, amount, text(line, "Description").unwrap_or_default()) }
    }

    fn detail<'b>(line: &'b Object, key: &'static str) -> Result<&'b Object, Refusal> {
        inner(line, key).ok_or_else(|| Refusal::missing_parameter(key))
    }

    fn class(&self, detail: &Object) -> Result<Vec<u64>, Refusal> {
        Ok(self.references.tracking(detail, "ClassRef", DimensionRole::Class)?.into_iter().collect())
    }

    /// The rate of a line. In the US a line says only whether it is taxed, the transaction by what (contract 7.5).
    fn tax_rate(&self, line: &Object, detail: &Object) -> Result<Option<u64>, Refusal> {
        let Some(code) = reference(detail, "TaxCodeRef") else { return Ok(None) };
        let find = |code: &str| code.parse().ok().filter(|id| self.books().tax_rate(*id).is_some());
        if self.books().country != "US" {
            return match code {
                "NON" => Ok(None),
                code => find(code).map(Some).ok_or_else(|| Refusal::invalid_reference("TaxCode", code)),
            };
        }
        if code != "TAX" {
            return Ok(None);
        }
        let of_transaction = inner(self.fields, "TxnTaxDetail").and_then(|detail| reference(detail, "TxnTaxCodeRef"));
        let known = self.old.and_then(|old| old.taxes.first()).map(|tax| tax.tax_rate.to_string());
        if let Some(kept) = self.old(line).and_then(|old| old.tax_rate)
            && (of_transaction.is_none() || of_transaction == known.as_deref())
        {
            return Ok(Some(kept));
        }
        match of_transaction.filter(|code| *code != "TAX" && *code != "NON") {
            Some(code) => find(code).map(Some).ok_or_else(|| Refusal::invalid_reference("TaxCode", code)),
            None => Ok(None),
        }
    }

    /// Amount, unit price and quantity in hundredths, of which the amount may follow from the other two.
    fn priced(&self, line: &Object, detail: &Object) -> Result<(Cents, Option<Cents>, Option<i64>), Refusal> {
        let (price, quantity) = (millionths(detail, "UnitPrice")?, millionths(detail, "Qty")?);
        let product = match (price, quantity) {
            (Some(price), Some(quantity)) => {
                let product = i128::from(price) * i128::from(quantity);
                let half = if product < 0 { -5_000_000_000 } else { 5_000_000_000 };
                Some(i64::try_from((product + half) / 10_000_000_000).unwrap_or(i64::MAX))
            }
            _ => None,
        };
        let amount = match (amount(line, "Amount")?, product) {
            (Some(amount), Some(product)) if (i128::from(amount.0) - i128::from(product)).abs() > 1 => return Err(Refusal::amount_mismatch(amount)),
            (Some(amount), _) => amount,
            (None, Some(product)) if i128::from(product).abs() <= MOST_TOTAL => Cents(product),
            (None, Some(_)) => return Err(Refusal::business("The line is larger than what is supported")),
            (None, None) => return Err(Refusal::missing_parameter("Amount")),
        };
        Ok((amount, price.map(|price| Cents(price / 10_000)), quantity.map(|quantity| quantity / 10_000)))
    }

    fn sale(&self, line: &Object) -> Result<NewLine, Refusal> {
        let detail = Self::detail(line, "SalesItemLineDetail")?;
        let (amount, price, quantity) = self.priced(line, detail)?;
        let item = self.references.item(detail, "ItemRef")?;
        let old = self.old(line).filter(|old| old.item == item);
        // "ItemAccountRef, else Item.IncomeAccountRef" (contract 7.6); the account of a known line with the same item stays.
        let account = match (old, item.and_then(|id| self.books().items.get(&id))) {
            (Some(old), _) => old.account,
            (None, Some(item)) => item.income_account,
            (None, None) => match self.references.account(detail, "ItemAccountRef")? {
                Some(account) => account,
                None => self.books().account_of(AccountType::Income).ok_or_else(|| Refusal::missing_parameter("ItemRef"))?,
            },
        };
        let started = self.started(line, account, amount);
        Ok(NewLine {
            item,
            unit_price: price.unwrap_or(amount),
            quantity_hundredths: quantity.unwrap_or(100),
            tax_rate: self.tax_rate(line, detail)?,
            tracking: self.class(detail)?,
            ..started
        })
    }

    /// "GroupLineDetail (bundles): GroupItemRef, Quantity, Line[] (nested SalesItem lines)" (contract 7.3). Without lines of its own it is what the
    /// bundle holds, so many times. The bundle stands on a line with nothing on it, its parts behind that.
    fn bundle(&self, line: &Object, read: &mut Lines) -> Result<(), Refusal> {
        let detail = Self::detail(line, "GroupLineDetail")?;
        let item = self.references.item(detail, "GroupItemRef")?.ok_or_else(|| Refusal::missing_parameter("GroupItemRef"))?;
        let kept = self.books().lists.properties.get(&("Item".to_owned(), item));
        if kept.and_then(|kept| kept.get("Type")).is_none_or(|kind| kind != "\"Group\"") {
            return Err(Refusal::business(format!("{} is not a bundle", self.books().items[&item].name)));
        }
        let times = millionths(detail, "Quantity")?.unwrap_or(1_000_000);
        if !(1..=1_000_000_000_000).contains(&times) {
            return Err(Refusal::invalid_parameter("Quantity", "The quantity of a bundle must be above zero"));
        }
        let account = self.books().items[&item].income_account;
        let sent = objects(detail, "Line");
        let nested = if sent.is_empty() { self.held_by(kept, times)? } else { Vec::new() };
        let shown =
            Object::new().put("GroupItemRef", Object::new().put("value", item.to_string()).put("name", self.books().items[&item].name.clone()));
        let shown = shown.put("Quantity", crate::quickbooks::wire::quantity(times / 10_000));
        read.variants.push((read.lines.len(), Object::new().put("DetailType", "GroupLineDetail").put("GroupLineDetail", shown)));
        let started = self.started(line, account, Cents::ZERO);
        read.lines.push(NewLine { item: Some(item), quantity_hundredths: times / 10_000, unit_price: Cents::ZERO, ..started });
        for part in sent.into_iter().cloned().chain(nested) {
            if text(&part, "DetailType") != Some("SalesItemLineDetail") {
                return Err(Refusal::business("A bundle holds lines of items only"));
            }
            let part = self.sale(&part)?;
            read.variants.push((read.lines.len(), Object::new().put("DetailType", "GroupLineDetail")));
            read.lines.push(part);
        }
        Ok(())
    }

    /// The lines of a bundle as its item describes them.
    fn held_by(&self, kept: Option<&BTreeMap<String, String>>, times: i64) -> Result<Vec<Object>, Refusal> {
        let described = kept.and_then(|kept| kept.get("ItemGroupDetail")).and_then(|text| body::read(text).ok());
        let Some(Value::List(parts)) = described.as_ref().and_then(|detail| detail.get("ItemGroupLine")) else {
            return Err(Refusal::missing_parameter("Line"));
        };
        let line = |part: &Value| {
            let reference = part.get("ItemRef")?.get("value")?.text()?.to_owned();
            let each = match part.get("Qty") {
                Some(Value::Number(text) | Value::Text(text)) => Cents::parse(text)?.0,
                _ => 100,
            };
            let hundredths = i64::try_from(i128::from(each) * i128::from(times) / 1_000_000).ok()?;
            let item = self.books().items.get(&reference.parse().ok()?)?;
            let detail = Object::new()
                .put("ItemRef", Object::new().put("value", reference))
                .put("UnitPrice", item.unit_price)
                .put("Qty", crate::quickbooks::wire::quantity(hundredths));
            let line = Object::new().put_text("Description", &item.description).put("DetailType", "SalesItemLineDetail");
            Some(line.put("SalesItemLineDetail", detail))
        };
        parts.iter().map(|part| line(part).ok_or_else(|| Refusal::invalid_reference("Items", "0"))).collect()
    }

    /// "Amount is POSITIVE on the wire but reduces the total" (contract 7.6).
    fn discount(&self, line: &Object, read: &Lines) -> Result<NewLine, Refusal> {
        let detail = Self::detail(line, "DiscountLineDetail")?;
        let sum: Cents = read.lines.iter().map(|line| line.amount).sum();
        let percent = millionths(detail, "DiscountPercent")?.filter(|percent| (0..=100_000_000).contains(percent));
        let amount = match (amount(line, "Amount")?, percent) {
            (Some(amount), _) => amount,
            (None, Some(percent)) if flag(detail, "PercentBased") == Some(true) => sum.at(Rate(percent / 100)),
            (None, _) => return Err(Refusal::missing_parameter("Amount")),
        };
        let account = match (self.references.account(detail, "DiscountAccountRef")?, self.old(line)) {
            (Some(account), _) => account,
            (None, Some(old)) => old.account,
            (None, None) => self.books().account_of(AccountType::Income).ok_or_else(|| Refusal::missing_parameter("DiscountAccountRef"))?,
        };
        Ok(NewLine { tracking: self.class(detail)?, ..self.started(line, account, -amount) })
    }

    /// A line of words: it stands on some account with nothing on it.
    fn description(&self, line: &Object) -> Result<NewLine, Refusal> {
        let account_type = if self.kind.is_sale() { AccountType::Income } else { AccountType::Expense };
        let account = self.old(line).map(|old| old.account).or_else(|| self.books().account_of(account_type));
        Ok(self.started(line, account.ok_or_else(|| Refusal::missing_parameter("DetailType"))?, Cents::ZERO))
    }

    fn expense_by_account(&self, line: &Object) -> Result<NewLine, Refusal> {
        let detail = Self::detail(line, "AccountBasedExpenseLineDetail")?;
        let account = self.references.account(detail, "AccountRef")?.ok_or_else(|| Refusal::missing_parameter("AccountRef"))?;
        self.references.customer(detail, "CustomerRef")?;
        let amount = amount(line, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
        let started = NewLine { tax_rate: self.tax_rate(line, detail)?, tracking: self.class(detail)?, ..self.started(line, account, amount) };
        Ok(match self.old(line).filter(|old| old.account == account && old.amount.abs() == amount.abs()) {
            Some(old) => {
                let sign = if old.amount == amount { 1 } else { -1 };
                let (item, quantity_hundredths) = (old.item, old.quantity_hundredths);
                NewLine { item, quantity_hundredths, unit_price: Cents(sign * old.unit_price.0), contact: old.contact, ..started }
            }
            None => started,
        })
    }

    fn expense_by_item(&self, line: &Object) -> Result<NewLine, Refusal> {
        let detail = Self::detail(line, "ItemBasedExpenseLineDetail")?;
        let item = self.references.item(detail, "ItemRef")?.ok_or_else(|| Refusal::missing_parameter("ItemRef"))?;
        self.references.customer(detail, "CustomerRef")?;
        let (amount, price, quantity) = self.priced(line, detail)?;
        // "inventory: AssetAccountRef; else ExpenseAccountRef" (contract 7.6)
        let asset = self.books().counted(item).map(|counted| counted.asset);
        let Some(account) = asset.or(self.books().items[&item].expense_account) else {
            return Err(Refusal::business(format!("{} has no expense account and cannot be bought", self.books().items[&item].name)));
        };
        let started = self.started(line, account, amount);
        Ok(NewLine {
            item: Some(item),
            unit_price: price.unwrap_or(amount),
            quantity_hundredths: quantity.unwrap_or(100),
            tax_rate: self.tax_rate(line, detail)?,
            tracking: self.class(detail)?,
            ..started
        })
    }

    fn journal(&self, line: &Object) -> Result<NewLine, Refusal> {
        let detail = Self::detail(line, "JournalEntryLineDetail")?;
        let account = self.references.account(detail, "AccountRef")?.ok_or_else(|| Refusal::missing_parameter("AccountRef"))?;
        let amount = amount(line, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
        if amount.0 < 0 {
            return Err(Refusal::business("The amount of a journal entry line must not be negative"));
        }
        let amount = match text(detail, "PostingType") {
            Some("Debit") => amount,
            Some("Credit") => -amount,
            _ => return Err(Refusal::missing_parameter("PostingType")),
        };
        let entity = inner(detail, "Entity");
        let mut contact = entity.map_or(Ok(None), |entity| self.references.contact(entity, "EntityRef"))?;
        let account_type = self.books().accounts[&account].account_type;
        // "A/R or A/P lines need Entity" (contract 7.5).
        if matches!(account_type, AccountType::Receivable | AccountType::Payable) && contact.is_none() {
            let side = if account_type == AccountType::Receivable { "customer" } else { "vendor" };
            return Err(Refusal::business(format!("When you use Accounts Receivable or Payable, you must choose a {side} in the Name field")));
        }
        let old = self.old(line);
        if old.is_some_and(|old| old.contact.is_none()) && self.old.is_some_and(|document| document.contact.is_some() && document.contact == contact)
        {
            contact = None;
        }
        let mut tracking = self.class(detail)?;
        tracking.extend(self.references.tracking(detail, "DepartmentRef", DimensionRole::Location)?);
        let started = self.started(line, account, amount);
        let (item, quantity_hundredths, unit_price) = match old.filter(|old| old.account == account && old.amount == amount) {
            Some(old) => (old.item, old.quantity_hundredths, old.unit_price),
            None => (None, 100, amount),
        };
        Ok(NewLine { contact, tracking, item, quantity_hundredths, unit_price, ..started })
    }

    fn deposit(&self, line: &Object) -> Result<NewLine, Refusal> {
        let detail = Self::detail(line, "DepositLineDetail")?;
        let account = self.references.account(detail, "AccountRef")?.ok_or_else(|| Refusal::missing_parameter("AccountRef"))?;
        let amount = amount(line, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
        self.references.payment_method(detail, "PaymentMethodRef")?;
        let mut contact = self.references.contact(detail, "Entity")?;
        let old = self.old(line);
        if old.is_some_and(|old| old.contact.is_none()) && self.old.is_some_and(|document| document.contact.is_some() && document.contact == contact)
        {
            contact = None;
        }
        let started = self.started(line, account, amount);
        let kept = old.filter(|old| old.account == account && old.amount == amount);
        Ok(NewLine {
            contact,
            tracking: self.class(detail)?,
            item: kept.and_then(|old| old.item),
            tax_rate: kept.and_then(|old| old.tax_rate),
            quantity_hundredths: kept.map_or(100, |old| old.quantity_hundredths),
            unit_price: kept.map_or(amount, |old| old.unit_price),
            ..started
        })
    }

    /// Money that was received before and waits in Undeposited Funds.
    fn deposited(&self, line: &Object) -> Result<NewLine, Refusal> {
        let link = objects(line, "LinkedTxn");
        let id = link.first().and_then(|link| text(link, "TxnId")).ok_or_else(|| Refusal::missing_parameter("TxnId"))?;
        let document = id.parse().ok().and_then(|id: u64| self.books().documents.get(&id));
        let kinds = [Kind::Payment, Kind::SalesReceipt, Kind::RefundReceipt];
        let document = document.filter(|document| kinds.contains(&document.kind) && document.status == crate::books::Status::Active);
        let document = document.ok_or_else(|| Refusal::not_linkable(format!("there is no deposit to make of {id}")))?;
        let account = document.account.ok_or_else(|| Refusal::not_linkable("it has no account"))?;
        if self.books().accounts[&account].account_type != AccountType::CurrentAsset {
            return Err(Refusal::not_linkable(format!("{id} is deposited already")));
        }
        let total = self.books().total(document);
        let total = if document.kind == Kind::RefundReceipt { -total } else { total };
        let amount = amount(line, "Amount")?.unwrap_or(total);
        if amount != total {
            return Err(Refusal::business(format!("{id} is over {total} and can only be deposited as a whole")));
        }
        Ok(NewLine { contact: document.contact, ..self.started(line, account, amount) })
    }
}

/// The transactions that a line or a whole transaction names: type and id.
pub fn links(object: &Object) -> Result<Vec<(String, u64)>, Refusal> {
    objects(object, "LinkedTxn")
        .into_iter()
        .map(|link| {
            let id = text(link, "TxnId").ok_or_else(|| Refusal::missing_parameter("TxnId"))?;
            let number = id.parse().map_err(|_| Refusal::not_linkable(format!("{id} is not a transaction")))?;
            let kind = text(link, "TxnType").ok_or_else(|| Refusal::missing_parameter("TxnType"))?;
            Ok((kind.to_owned(), number))
        })
        .collect()
}
