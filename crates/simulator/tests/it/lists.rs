//! The small lists, and full updates of documents that refer to them.
use jiff::Timestamp;
use jiff::civil::date;
use simulator::books::generator::{CompanySpec, SecondCurrency, generate};
use simulator::books::lists::{DimensionRole, NewOrder, OrderKind, OrderStatus};
use simulator::books::{AccountType, Application, Books, Details, DocumentId, Face, Kind, NewDocument, NewLine};
use simulator::money::{Cents, Rate};

fn at() -> Timestamp {
    "2025-06-15T18:00:00Z".parse().unwrap()
}

fn made_up(face: Face, seed: u64) -> Books {
    let mut spec = CompanySpec::plain(face, seed, date(2024, 10, 1), date(2025, 6, 10));
    spec.second_currency = Some(SecondCurrency { code: "EUR".into(), rate: Rate(1_100_000) });
    generate(face, spec, at())
}

/// What must hold after every change.
fn assert_sound(books: &Books) {
    let sum: Cents = books.balances_at(date(2100, 1, 1)).into_values().sum();
    assert_eq!(sum, Cents::ZERO);
    assert!(books.journals.iter().all(|journal| journal.postings.iter().map(|posting| posting.amount).sum::<Cents>().is_zero()));
    let mut current = std::collections::BTreeMap::new();
    for document in books.documents.values() {
        for posting in books.postings(document) {
            *current.entry(posting.account).or_insert(Cents::ZERO) += posting.amount;
        }
    }
    for journal in books.journals.iter().filter(|journal| journal.document == simulator::books::NO_DOCUMENT) {
        for posting in &journal.postings {
            *current.entry(posting.account).or_insert(Cents::ZERO) += posting.amount;
        }
    }
    current.retain(|_, amount| !amount.is_zero());
    assert_eq!(books.balances_at(date(2100, 1, 1)), current);
}

/// The document as it is, ready to be sent back.
fn again(books: &Books, id: DocumentId) -> NewDocument {
    let document = &books.documents[&id];
    let is_foreign = document.currency != books.currency;
    NewDocument {
        status: document.status,
        number: Some(document.number.clone()),
        due_date: document.due_date,
        contact: document.contact,
        currency: Some(document.currency.clone()),
        rate: is_foreign.then_some(document.rate),
        account: document.account,
        to_account: document.to_account,
        lines: document
            .lines
            .iter()
            .map(|line| NewLine {
                id: Some(line.id),
                item: line.item,
                quantity_hundredths: line.quantity_hundredths,
                unit_price: line.unit_price,
                tax_rate: line.tax_rate,
                contact: line.contact,
                tracking: line.tracking.clone(),
                ..NewLine::new(line.account, line.amount, line.description.clone())
            })
            .collect(),
        applications: document.applications.clone(),
        unapplied: document.unapplied,
        memo: document.memo.clone(),
        details: document.details.clone(),
        ..NewDocument::new(document.kind, document.date)
    }
}

#[test]
fn a_full_update_with_the_same_content_changes_nothing() {
    for face in [Face::QuickBooks, Face::Xero] {
        let mut books = made_up(face, 3);
        let before = (books.journals.len(), books.balances_at(date(2100, 1, 1)));
        let ids: Vec<DocumentId> = books.documents.keys().copied().collect();
        let mut replaced = 0;
        for id in ids {
            let version = books.documents[&id].sync_token;
            let new = again(&books, id);
            // Accounts that were archived since, Xero payments and what is voided or deleted refuse.
            if books.replace_document(id, new, at()).is_ok() {
                replaced += 1;
                assert_eq!(books.documents[&id].sync_token, version);
            }
        }
        assert!(replaced > 150, "{replaced}");
        assert_eq!((books.journals.len(), books.balances_at(date(2100, 1, 1))), before);
    }
}

#[test]
fn a_paid_invoice_can_grow_but_not_shrink_below_what_is_paid_and_moves_the_gain_with_its_rate() {
    let mut books = made_up(Face::QuickBooks, 5);
    let invoice = books.documents.values().find(|d| d.kind == Kind::Invoice && d.currency == "EUR" && !books.payments_of(d.id).is_empty());
    let id = invoice.expect("a paid invoice in euros").id;
    let (due, payer) = (books.amount_due(id), books.payments_of(id)[0].0);
    let line_id = books.documents[&id].lines[0].id;

    let mut larger = again(&books, id);
    larger.lines.push(NewLine::new(larger.lines[0].account, Cents(5_000), "More"));
    books.replace_document(id, larger, at()).unwrap();
    assert_eq!(books.amount_due(id), due + Cents(5_000));
    assert_eq!(books.documents[&id].lines[0].id, line_id);
    assert_sound(&books);

    let mut smaller = again(&books, id);
    smaller.lines.truncate(1);
    smaller.lines[0].amount = Cents(1);
    let refused = books.replace_document(id, smaller, at()).unwrap_err();
    assert!(refused.0.contains("smaller than what is applied"), "{refused}");
    assert_sound(&books);

    let gains = |books: &Books| -> Cents {
        let payment = &books.documents[&payer];
        books.postings(payment).iter().filter(|p| books.accounts[&p.account].account_type == AccountType::CurrencyGain).map(|p| p.amount).sum()
    };
    let gain = gains(&books);
    let mut dearer = again(&books, id);
    dearer.rate = Some(Rate(2_000_000));
    books.replace_document(id, dearer, at()).unwrap();
    assert_ne!(gains(&books), gain);
    assert_sound(&books);
}

#[test]
fn a_payment_can_be_applied_anew_and_what_it_leaves_opens_again() {
    let mut books = made_up(Face::QuickBooks, 6);
    let payment = books.documents.values().find(|d| {
        d.kind == Kind::Payment
            && d.applications.len() == 1
            && books.total(d).0 > 0
            && books.documents[&d.applications[0].document].kind == Kind::Invoice
    });
    let id = payment.expect("a payment of one invoice").id;
    let Application { document: invoice, amount } = books.documents[&id].applications[0];
    let due = books.amount_due(invoice);
    let mut loose = again(&books, id);
    loose.applications.clear();
    loose.unapplied += amount;
    books.replace_document(id, loose, at()).unwrap();
    assert_eq!(books.amount_due(invoice), due + amount);
    assert_eq!(books.documents[&invoice].updated_at, at());
    let mut applied = again(&books, id);
    applied.applications = vec![Application { document: invoice, amount }];
    applied.unapplied -= amount;
    books.replace_document(id, applied.clone(), at()).unwrap();
    assert_eq!(books.amount_due(invoice), due);
    assert_sound(&books);
    applied.applications[0].amount = due + amount + Cents(1);
    assert!(books.replace_document(id, applied, at()).is_err());
    assert_eq!((books.amount_due(invoice), books.documents[&id].applications.len()), (due, 1));
    assert_sound(&books);
}

#[test]
fn made_up_companies_have_some_of_every_list_the_same_for_the_same_seed() {
    for face in [Face::QuickBooks, Face::Xero] {
        let (books, same) = (made_up(face, 8), made_up(face, 8));
        let lists = &books.lists;
        assert_eq!((lists.dimensions.len(), lists.options.len()), (2, 8));
        assert!(lists.options.values().any(|option| !option.stamp.active));
        assert!(lists.terms.len() > 4 && lists.payment_methods.len() > 2 && lists.employees.len() > 2 && lists.time_activities.len() > 5);
        assert!(lists.budgets.values().all(|budget| budget.lines.len() == 36) && lists.attachments.len() > 1);
        for kind in [OrderKind::Estimate, OrderKind::PurchaseOrder] {
            let orders: Vec<_> = lists.orders.values().filter(|order| order.kind == kind).collect();
            assert!(orders.iter().any(|order| order.status == OrderStatus::Deleted) && orders.iter().any(|order| order.total().0 > 0));
        }
        assert_eq!(lists.orders, same.lists.orders);
        assert_eq!(books.documents, same.documents);
        assert_eq!(books.foreign_currencies().into_keys().collect::<Vec<_>>(), ["EUR"]);
        assert!(books.exchange_rate("EUR", date(2025, 3, 1)).is_some_and(|rate| (1_000_000..1_200_000).contains(&rate.0)));
        assert!(!books.tax_agencies().is_empty());
        // Every list entry comes after every document, so the books are those of a company without lists.
        assert!(lists.terms.keys().chain(lists.orders.keys()).min() > books.documents.keys().max());
        assert_sound(&books);
    }
}

#[test]
fn lines_name_known_options_of_different_dimensions() {
    let mut books = made_up(Face::QuickBooks, 9);
    let class = books.dimension(DimensionRole::Class).unwrap();
    let options: Vec<u64> = books.lists.options.values().filter(|option| option.dimension == class).map(|option| option.id).collect();
    let invoice = books.documents.values().find(|d| d.kind == Kind::Invoice && d.status == simulator::books::Status::Active).unwrap().id;
    for tracking in [vec![options[0], options[1]], vec![999_999]] {
        let mut new = again(&books, invoice);
        new.lines[0].tracking = tracking.clone();
        assert!(books.replace_document(invoice, new, at()).is_err(), "{tracking:?}");
        let mut new = again(&books, invoice);
        new.details = Details { tracking, ..Details::default() };
        assert!(books.replace_document(invoice, new, at()).is_err());
    }
    assert!(books.add_tracking_option(class, "retail", None, at()).is_err());
    let below = books.add_tracking_option(class, "Retail", Some(options[0]), at()).unwrap();
    assert!(books.change_tracking_option(options[0], "Retail".into(), Some(below), true, at()).is_err());

    let contact = *books.contacts.keys().next().unwrap();
    let mut order = NewOrder::new(OrderKind::Estimate, date(2025, 6, 1), contact);
    order.lines = vec![NewLine::new(*books.accounts.keys().next().unwrap(), Cents(100), "One")];
    let id = books.add_order(order.clone(), at()).unwrap();
    books.replace_order(id, order.clone(), at()).unwrap();
    assert_eq!(books.lists.orders[&id].stamp.sync_token, 0);
    order.memo = "Changed".into();
    books.replace_order(id, order, at()).unwrap();
    assert_eq!(books.lists.orders[&id].stamp.sync_token, 1);
    books.set_order_status(id, OrderStatus::Deleted, at()).unwrap();
    assert!(books.order(id).is_err());
}
