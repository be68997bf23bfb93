//! The transactions that post.
use super::fields::{References, amount, date, flag, inner, millionths, objects, rate, reference, text};
use super::lines::{Lines, Reader, links};
use super::{Write, properties};
use crate::books::lists::{DimensionRole, OrderKind, OrderStatus};
use crate::books::recent::Verb;
use crate::books::{
    AccountId, AccountType, Application, Books, ContactId, Details, Document, DocumentId, Kind, NewDocument, NewLine, Status, Variant,
};
use crate::money::Cents;
use crate::quickbooks::dates;
use crate::quickbooks::entity::Entity;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::company;
use crate::quickbooks::wire::tree::Object;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Everything a document refers to.
fn used_by(document: &Document) -> BTreeSet<u64> {
    let lines = document.lines.iter().flat_map(|line| {
        line.tracking.iter().copied().chain(line.item).chain(line.contact).chain(line.tax_rate).chain(std::iter::once(line.account))
    });
    let details = &document.details;
    let own = [document.contact, document.account, document.to_account, details.term, details.payment_method].into_iter().flatten();
    lines.chain(own).chain(details.tracking.iter().copied()).collect()
}

/// What a body says of a document, before the books check it.
struct Sent {
    document: NewDocument,
    variants: Vec<(usize, Object)>,
    orders: Vec<u64>,
}

pub fn save(mut write: Write) -> Result<u64, Refusal> {
    let kind = match write.entity {
        Entity::Transaction(kind) => kind,
        Entity::Variant(Variant::CardPayment) => Kind::Transfer,
        _ => Kind::Journal,
    };
    prepare(&mut write, kind);
    let old = write.id.map(|id| write.books.documents[&id].clone());
    let sent = read(&write, kind, old.as_ref())?;
    check_number(&write, kind, &sent.document, old.as_ref())?;
    for day in [Some(sent.document.date), old.as_ref().map(|old| old.date)].into_iter().flatten() {
        refuse_closed(write.books, day)?;
    }
    let (books, entity, now) = (write.books, write.entity, write.now);
    let id = match &old {
        Some(old) => {
            let new = books.unentered(&sent.document, now);
            if (books.total(&new), new.account) != (books.total(old), old.account) {
                refuse_deposited(books, old.id)?;
            }
            books.replace_document(old.id, sent.document, now)?;
            old.id
        }
        None => books.add_document(sent.document, now)?,
    };
    let shown = |books: &Books, position: usize| {
        let line = books.documents[&id].lines.get(position)?.id;
        Some(if kind == Kind::Journal { line.saturating_sub(1) } else { line }.to_string())
    };
    let variants = sent.variants.into_iter().filter_map(|(position, variant)| Some((shown(books, position)?, variant))).collect();
    properties::set_variants(books, entity, id, variants);
    for order in sent.orders {
        if let Some(order) = books.lists.orders.get_mut(&order).filter(|order| !order.links.contains(&id)) {
            order.links.push(id);
        }
        let kind = books.order(order)?.kind;
        books.set_order_status(order, OrderStatus::Closed, now)?;
        super::tell(books, Entity::Order(kind), order, Verb::Update, now);
    }
    Ok(id)
}

/// The document that a body describes, which is not entered.
pub fn described(write: &Write, kind: Kind) -> Result<NewDocument, Refusal> {
    read(write, kind, None).map(|sent| sent.document)
}

/// The accounts that the provider makes by itself with the first transaction that needs them: Undeposited Funds, and one receivable and
/// payable account per currency (contract 7.6).
fn prepare(write: &mut Write, kind: Kind) {
    let books = &mut *write.books;
    if matches!(kind, Kind::SalesReceipt | Kind::Payment) && reference(&write.fields, "DepositToAccountRef").is_none() && undeposited(books).is_none()
    {
        books.add_account("Undeposited Funds", "", AccountType::CurrentAsset, None, None, write.now);
    }
    let key = if kind.is_receivable() { "CustomerRef" } else { "VendorRef" };
    let contact = reference(&write.fields, key).and_then(|id| id.parse().ok()).and_then(|id: u64| books.contacts.get(&id));
    let Some(currency) = contact.map(|contact| contact.currency.clone()) else { return };
    let needs_control = kind.is_open_item() || kind.is_payment();
    if needs_control && currency != books.currency && books.control_account(kind.is_receivable(), &currency).is_none() {
        let (name, account_type) = if kind.is_receivable() {
            (format!("Accounts Receivable (A/R) - {currency}"), AccountType::Receivable)
        } else {
            (format!("Accounts Payable (A/P) - {currency}"), AccountType::Payable)
        };
        books.add_account(name, "", account_type, None, Some(&currency), write.now);
    }
}

fn read(write: &Write, kind: Kind, old: Option<&Document>) -> Result<Sent, Refusal> {
    let fields = &write.fields;
    let books: &Books = write.books;
    let references = References { books, used: old.map(used_by).unwrap_or_default() };
    let day = date(fields, "TxnDate")?.or(old.map(|old| old.date)).unwrap_or_else(|| dates::day_of(books, write.now));
    let mut document = NewDocument::new(kind, day);
    document.number = number(fields)?;
    document.memo = text(fields, "PrivateNote").unwrap_or_default().to_owned();
    document.contact = contact(&references, fields, kind, old)?;
    document.details = details(&references, fields, old)?;
    document.account = account(&references, fields, kind)?;
    (document.currency, document.rate) = currency(books, fields, &document, day)?;
    let mut sent = Sent { document, variants: Vec::new(), orders: Vec::new() };
    let reader = Reader { references: &references, kind, old, fields };
    match (write.entity, kind) {
        (Entity::Variant(Variant::CardPayment), _) => card_payment(&references, fields, &mut sent.document)?,
        (Entity::Variant(Variant::InventoryAdjustment), _) => inventory_adjustment(&references, fields, &mut sent.document)?,
        (_, Kind::Payment | Kind::BillPayment) => payment(books, fields, &mut sent.document, old)?,
        (_, Kind::Transfer) => {
            let from = references.account(fields, "FromAccountRef")?.ok_or_else(|| Refusal::missing_parameter("FromAccountRef"))?;
            let to = references.account(fields, "ToAccountRef")?.ok_or_else(|| Refusal::missing_parameter("ToAccountRef"))?;
            transfer(&mut sent.document, fields, from, to, old)?;
        }
        (_, Kind::Journal) => {
            let Lines { lines, .. } = reader.read()?;
            if !lines.iter().map(|line| line.amount).sum::<Cents>().is_zero() {
                return Err(Refusal::unequal_sides());
            }
            sent.document.contact = old.and_then(|old| old.contact);
            sent.document.lines = lines;
        }
        _ => {
            let Lines { mut lines, variants } = reader.read()?;
            if kind == Kind::Expense && flag(fields, "Credit") == Some(true) {
                for line in &mut lines {
                    (line.amount, line.unit_price) = (-line.amount, -line.unit_price);
                }
            }
            sent.variants = variants;
            if kind == Kind::Deposit {
                cash_back(&references, fields, &mut lines, &mut sent.variants)?;
                sent.document.contact = old.and_then(|old| old.contact);
            }
            sent.document.lines = lines;
        }
    }
    sent.document.due_date = due_date(books, fields, &sent.document, old)?;
    if matches!(kind, Kind::Invoice | Kind::Bill) {
        sent.orders = orders(books, fields, &sent.document)?;
    }
    Ok(sent)
}

/// "DocNumber at most 21 characters"; empty is as good as missing.
fn number(fields: &Object) -> Result<Option<String>, Refusal> {
    match text(fields, "DocNumber") {
        Some(number) if number.chars().count() > 21 => Err(Refusal::too_long("DocNumber", 21)),
        number => Ok(number.map(str::to_owned)),
    }
}

fn contact(references: &References, fields: &Object, kind: Kind, old: Option<&Document>) -> Result<Option<ContactId>, Refusal> {
    let needed = |found: Option<ContactId>, key: &'static str| found.ok_or_else(|| Refusal::missing_parameter(key)).map(Some);
    match kind {
        Kind::Invoice | Kind::CreditMemo | Kind::Payment => needed(references.customer(fields, "CustomerRef")?, "CustomerRef"),
        Kind::SalesReceipt | Kind::RefundReceipt => references.customer(fields, "CustomerRef"),
        Kind::Bill | Kind::VendorCredit | Kind::BillPayment => needed(references.vendor(fields, "VendorRef")?, "VendorRef"),
        Kind::Expense => references.contact(fields, "EntityRef"),
        Kind::Transfer => Ok(references.vendor(fields, "VendorRef")?.or(old.and_then(|old| old.contact))),
        Kind::Deposit | Kind::Journal => Ok(None),
    }
}

fn details(references: &References, fields: &Object, old: Option<&Document>) -> Result<Details, Refusal> {
    let location = references.tracking(fields, "DepartmentRef", DimensionRole::Location)?;
    let class = references.tracking(fields, "ClassRef", DimensionRole::Class)?;
    let mut tracking: Vec<u64> = location.into_iter().chain(class).collect();
    if let Some(old) = old.filter(|old| old.details.tracking.len() == tracking.len() && tracking.iter().all(|id| old.details.tracking.contains(id))) {
        tracking.clone_from(&old.details.tracking);
    }
    let number = text(fields, "PaymentRefNum").or_else(|| text(fields, "CheckNum"));
    Ok(Details {
        term: references.term(fields, "SalesTermRef")?,
        payment_method: references.payment_method(fields, "PaymentMethodRef")?,
        payment_reference: number.unwrap_or_default().to_owned(),
        tracking,
        ..old.map(|old| old.details.clone()).unwrap_or_default()
    })
}

/// Where money that is not yet in the bank waits.
fn undeposited(books: &Books) -> Option<AccountId> {
    let waits =
        |account: &&crate::books::Account| account.account_type == AccountType::CurrentAsset && account.name.to_lowercase().contains("undeposited");
    books.accounts.values().find(waits).map(|account| account.id)
}

fn account(references: &References, fields: &Object, kind: Kind) -> Result<Option<AccountId>, Refusal> {
    let needed = |key: &'static str| Refusal::missing_parameter(key);
    match kind {
        Kind::Invoice | Kind::CreditMemo => references.account(fields, "ARAccountRef"),
        Kind::Bill | Kind::VendorCredit => references.account(fields, "APAccountRef"),
        // "default Undeposited Funds" (contract 7.6).
        Kind::SalesReceipt | Kind::Payment => Ok(references.account(fields, "DepositToAccountRef")?.or_else(|| undeposited(references.books))),
        Kind::RefundReceipt | Kind::Deposit => {
            references.account(fields, "DepositToAccountRef")?.ok_or_else(|| needed("DepositToAccountRef")).map(Some)
        }
        Kind::Expense => {
            text(fields, "PaymentType").ok_or_else(|| needed("PaymentType"))?;
            references.account(fields, "AccountRef")?.ok_or_else(|| needed("AccountRef")).map(Some)
        }
        Kind::BillPayment => {
            let (detail, key) = match text(fields, "PayType") {
                Some("Check") => (inner(fields, "CheckPayment").ok_or_else(|| needed("CheckPayment"))?, "BankAccountRef"),
                Some("CreditCard") => (inner(fields, "CreditCardPayment").ok_or_else(|| needed("CreditCardPayment"))?, "CCAccountRef"),
                _ => return Err(needed("PayType")),
            };
            let account = references.account(detail, key)?.ok_or_else(|| needed(key))?;
            let expected = if key == "BankAccountRef" { AccountType::Bank } else { AccountType::CreditCard };
            if references.books.accounts[&account].account_type != expected {
                return Err(Refusal::business(format!("{key} is not an account of the type that the payment asks for")));
            }
            Ok(Some(account))
        }
        Kind::Transfer | Kind::Journal => Ok(None),
    }
}

/// The currency of a transaction is that of its contact; a missing rate is that of the day.
fn currency(books: &Books, fields: &Object, document: &NewDocument, day: Date) -> Result<(Option<String>, Option<crate::money::Rate>), Refusal> {
    let of_contact = document.contact.and_then(|id| books.contacts.get(&id)).map(|contact| contact.currency.clone());
    let follows_contact = document.kind.is_open_item() || document.kind.is_payment();
    let code = reference(fields, "CurrencyRef").map(str::to_owned).or_else(|| of_contact.clone().filter(|_| follows_contact));
    let code = code.unwrap_or_else(|| books.currency.clone());
    if follows_contact && of_contact.is_some_and(|of_contact| of_contact != code) {
        return Err(Refusal::business("The currency of the transaction is not that of its customer or vendor"));
    }
    if code == books.currency {
        return Ok((Some(code), None));
    }
    if !books.foreign_currencies().contains_key(&code) {
        return Err(Refusal::invalid_reference("Currency", &code));
    }
    let rate = rate(fields, "ExchangeRate")?.or_else(|| books.exchange_rate(&code, day));
    Ok((Some(code), Some(rate.ok_or_else(|| Refusal::missing_parameter("ExchangeRate"))?)))
}

/// "Server fills DocNumber, DueDate": by the term, else thirty days after an invoice and on the day of a bill (contract 7.5).
fn due_date(books: &Books, fields: &Object, document: &NewDocument, old: Option<&Document>) -> Result<Option<Date>, Refusal> {
    if !matches!(document.kind, Kind::Invoice | Kind::Bill) {
        return Ok(old.and_then(|old| old.due_date));
    }
    if let Some(due) = date(fields, "DueDate")? {
        return Ok(Some(due));
    }
    let term = document.details.term.and_then(|id| books.lists.terms.get(&id)).map(|term| term.due.on(document.date));
    let default = if document.kind == Kind::Invoice { document.date.saturating_add(jiff::Span::new().days(30)) } else { document.date };
    Ok(Some(term.unwrap_or(default)))
}

/// `Line[{Amount, LinkedTxn}]`: invoices or bills that are paid, and credits that are used up. What is left of the total is unapplied.
fn payment(books: &Books, fields: &Object, document: &mut NewDocument, old: Option<&Document>) -> Result<(), Refusal> {
    let total = amount(fields, "TotalAmt")?.ok_or_else(|| Refusal::missing_parameter("TotalAmt"))?;
    if total.0 < 0 {
        return Err(Refusal::business("A payment's amount must not be negative"));
    }
    let (item, credit) = if document.kind == Kind::Payment { (Kind::Invoice, Kind::CreditMemo) } else { (Kind::Bill, Kind::VendorCredit) };
    let mut applied = Cents::ZERO;
    for line in objects(fields, "Line") {
        let amount = amount(line, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
        let links = links(line)?;
        let [(word, target)] = links.as_slice() else { return Err(Refusal::missing_parameter("LinkedTxn")) };
        let known = books.documents.get(target).filter(|known| matches!(known.status, Status::Active) && [item, credit].contains(&known.kind));
        let known = known.filter(|known| Entity::Transaction(known.kind).name() == word && known.contact == document.contact);
        let known = known.ok_or_else(|| Refusal::not_linkable(format!("there is no {word} {target} of this name")))?;
        if amount.is_zero() {
            continue;
        }
        applied += if known.kind == credit { -amount } else { amount };
        match document.applications.iter_mut().find(|application| application.document == *target) {
            Some(application) => application.amount += amount,
            None => document.applications.push(Application { document: *target, amount }),
        }
    }
    document.unapplied = total - applied;
    if document.unapplied.0 < 0 {
        return Err(Refusal::business("The amounts applied are more than the payment"));
    }
    if document.kind == Kind::BillPayment && document.unapplied != old.map_or(Cents::ZERO, |old| old.unapplied) {
        return Err(Refusal::business("The amounts applied must be the total of the bill payment"));
    }
    Ok(())
}

fn transfer(document: &mut NewDocument, fields: &Object, from: AccountId, to: AccountId, old: Option<&Document>) -> Result<(), Refusal> {
    let amount = amount(fields, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
    (document.account, document.to_account) = (Some(from), Some(to));
    let line = NewLine::new(to, amount, "");
    document.lines = vec![match old.and_then(|old| old.lines.first()) {
        Some(old) => NewLine { id: Some(old.id), description: old.description.clone(), tracking: old.tracking.clone(), ..line },
        None => line,
    }];
    Ok(())
}

/// "Home currency only" (contract 7.5): a bank account pays down a card.
fn card_payment(references: &References, fields: &Object, document: &mut NewDocument) -> Result<(), Refusal> {
    let card = references.account(fields, "CreditCardAccountRef")?.ok_or_else(|| Refusal::missing_parameter("CreditCardAccountRef"))?;
    let bank = references.account(fields, "BankAccountRef")?.ok_or_else(|| Refusal::missing_parameter("BankAccountRef"))?;
    let types = (references.books.accounts[&bank].account_type, references.books.accounts[&card].account_type);
    if types != (AccountType::Bank, AccountType::CreditCard) {
        return Err(Refusal::business("A credit card payment goes from a bank account to a credit card account"));
    }
    transfer(document, fields, bank, card, None)?;
    document.details.variant = Some(Variant::CardPayment);
    Ok(())
}

/// Each line changes an item's quantity; its value, which only the books show, is what the goods have cost, or the item's purchase cost where
/// its goods are not counted (contract 7.5, 7.6).
fn inventory_adjustment(references: &References, fields: &Object, document: &mut NewDocument) -> Result<(), Refusal> {
    let books = references.books;
    let adjusted = references.account(fields, "AdjustAccountRef")?.ok_or_else(|| Refusal::missing_parameter("AdjustAccountRef"))?;
    let asset = books.account_of(AccountType::Inventory).ok_or_else(Refusal::feature_not_supported)?;
    let mut sum = Cents::ZERO;
    for line in objects(fields, "Line") {
        let detail = inner(line, "ItemAdjustmentLineDetail").ok_or_else(|| Refusal::missing_parameter("ItemAdjustmentLineDetail"))?;
        let item = references.item(detail, "ItemRef")?.ok_or_else(|| Refusal::missing_parameter("ItemRef"))?;
        let quantity = millionths(detail, "QtyDiff")?.ok_or_else(|| Refusal::missing_parameter("QtyDiff"))?;
        let line = NewLine { item: Some(item), quantity_hundredths: quantity / 10_000, ..NewLine::new(asset, Cents::ZERO, "") };
        // what a counted item's goods are worth follows from how they came
        if let Some(counted) = books.counted(item) {
            document.lines.push(NewLine { account: counted.asset, ..line });
            continue;
        }
        let cost = books.lists.properties.get(&("Item".to_owned(), item)).and_then(|kept| Cents::parse(kept.get("PurchaseCost")?));
        let amount = i128::from(cost.unwrap_or_default().0) * i128::from(quantity) / 1_000_000;
        let amount = i64::try_from(amount).ok().filter(|amount| amount.abs() <= 1_000_000_000_000).map(Cents);
        let amount = amount.ok_or_else(|| Refusal::business("The adjustment is larger than what is supported"))?;
        sum += amount;
        document.lines.push(NewLine { amount, unit_price: amount, ..line });
    }
    if document.lines.is_empty() || document.lines.len() > 1_000 {
        return Err(Refusal::missing_parameter("Line"));
    }
    document.lines.push(NewLine::new(adjusted, -sum, "Inventory adjustment"));
    document.details.variant = Some(Variant::InventoryAdjustment);
    Ok(())
}

/// "CashBack: its account against the deposit account, so the total is net of it" (contract 7.6).
fn cash_back(references: &References, fields: &Object, lines: &mut Vec<NewLine>, variants: &mut Vec<(usize, Object)>) -> Result<(), Refusal> {
    let Some(back) = inner(fields, "CashBack").filter(|back| !back.0.is_empty()) else { return Ok(()) };
    let account = references.account(back, "AccountRef")?.ok_or_else(|| Refusal::missing_parameter("AccountRef"))?;
    let amount = amount(back, "Amount")?.ok_or_else(|| Refusal::missing_parameter("Amount"))?;
    variants.push((lines.len(), Object::new().put("DetailType", "CashBack")));
    lines.push(NewLine::new(account, -amount, text(back, "Memo").unwrap_or_default()));
    Ok(())
}

/// The estimates or purchase orders that the transaction is made of.
fn orders(books: &Books, fields: &Object, document: &NewDocument) -> Result<Vec<u64>, Refusal> {
    let mut found = Vec::new();
    for (word, id) in links(fields)? {
        let kind = match word.as_str() {
            "Estimate" => OrderKind::Estimate,
            "PurchaseOrder" => OrderKind::PurchaseOrder,
            _ => continue,
        };
        let order = books.order(id).ok().filter(|order| order.kind == kind && Some(order.contact) == document.contact);
        found.push(order.ok_or_else(|| Refusal::not_linkable(format!("there is no {word} {id} of this name")))?.id);
    }
    Ok(found)
}

/// Numbers of sales forms are given once; of bills once per vendor (contract 9.3, code 6140).
fn check_number(write: &Write, kind: Kind, document: &NewDocument, old: Option<&Document>) -> Result<(), Refusal> {
    let Some(number) = document.number.as_ref().filter(|number| old.is_none_or(|old| old.number != **number)) else { return Ok(()) };
    if write.allows_twins || !(kind.is_sale() || kind == Kind::Bill) {
        return Ok(());
    }
    let mut others = write.books.documents.values().filter(|other| other.kind == kind && other.status != Status::Deleted && other.number == *number);
    match others.find(|other| Some(other.id) != write.id && (kind != Kind::Bill || other.contact == document.contact)) {
        Some(other) => Err(Refusal::duplicate_number(number, write.entity.name(), other.id)),
        None => Ok(()),
    }
}

/// Books that are closed through a day take no change of what is dated before (contract 9.3, code 6200).
pub fn refuse_closed(books: &Books, day: Date) -> Result<(), Refusal> {
    match company::closed_through(books).filter(|closed| day <= *closed) {
        Some(closed) => Err(Refusal::books_closed(closed)),
        None => Ok(()),
    }
}

/// "Changing or deleting deposited payments gives 6540" (contract, trap 37).
pub fn refuse_deposited(books: &Books, id: DocumentId) -> Result<(), Refusal> {
    let waits = books.documents.get(&id).is_some_and(|document| matches!(document.kind, Kind::Payment | Kind::SalesReceipt | Kind::RefundReceipt));
    if !waits {
        return Ok(());
    }
    let entity = Entity::Transaction(Kind::Deposit);
    let deposits = books.lists.properties.keys().filter(|(kind, _)| kind == "Deposit.Line").map(|(_, deposit)| *deposit);
    for deposit in deposits.filter(|deposit| books.documents.get(deposit).is_some_and(|deposit| deposit.status == Status::Active)) {
        for line in &books.documents[&deposit].lines {
            let kept = properties::of_line(books, entity, deposit, &line.id.to_string());
            if kept.is_some_and(|kept| links(&kept).is_ok_and(|links| links.iter().any(|(_, linked)| *linked == id))) {
                return Err(Refusal::deposited());
            }
        }
    }
    Ok(())
}
