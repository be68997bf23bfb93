//! What a person does in the provider's own screens between two syncs, and what one incremental sync makes of it.
use crate::house::{House, books};
use crate::truth;
use domain::company::Mark;
use domain::ledger::Basis;
use domain::sync::Extent;
use jiff::{Timestamp, ToSpan};
use simulator::books::{AccountType, Application, Books, DocumentId, Edit, Face, Kind, NewDocument, NewLine, Refused, Status};
use simulator::money::Cents;
use std::collections::{BTreeMap, BTreeSet};
use store::args;
use testkit::each_database;

type Done = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// Does everything a provider allows to documents of every kind, to accounts and to contacts; answers which kinds each was done to.
fn edit_everything(books: &mut Books, now: Timestamp) -> Done {
    let mut done = Done::new();
    let mut used: BTreeSet<DocumentId> = BTreeSet::new();
    for kind in Kind::ALL {
        let mut to_one = |books: &mut Books, word: &'static str, change: &dyn Fn(&mut Books, DocumentId) -> Result<(), Refused>| {
            let candidates: Vec<DocumentId> =
                books.documents.values().filter(|d| d.kind == kind && d.status == Status::Active && !used.contains(&d.id)).map(|d| d.id).collect();
            if let Some(id) = candidates.into_iter().find(|id| change(books, *id).is_ok()) {
                used.insert(id);
                done.entry(word).or_default().insert(kind.word());
            }
        };
        to_one(books, "create", &|books, id| books.add_document(another(books, id)?, now).map(|_| ()));
        to_one(books, "amount", &|books, id| {
            let total = books.documents[&id].lines.first().map_or(Cents(12_345), |line| Cents(line.amount.0.abs() + 1_234));
            books.edit(id, Edit::Amount(total), now)
        });
        to_one(books, "month", &|books, id| {
            let date = books.documents[&id].date.saturating_sub(1.month());
            books.edit(id, Edit::Date(date), now)
        });
        to_one(books, "memo", &|books, id| books.edit(id, Edit::Memo("Looked at again".into()), now));
        to_one(books, "void", &|books, id| books.void(id, now));
        to_one(books, "delete", &|books, id| books.delete(id, now));
    }
    let mut to_account = |word, result: Result<(), Refused>| {
        result.unwrap();
        done.entry(word).or_default().insert("account");
    };
    let posted: BTreeSet<u64> = books.documents.values().flat_map(|d| d.lines.iter().map(|line| line.account)).collect();
    let archived = books.accounts.values().find(|a| a.active && a.account_type == AccountType::Expense && posted.contains(&a.id)).unwrap().id;
    to_account("archive", books.set_account_active(archived, false, now));
    let restored = books.accounts.values().find(|a| !a.active && a.id != archived).unwrap().id;
    to_account("restore", books.set_account_active(restored, true, now));
    books.add_account("Bicycle repairs", "4999", AccountType::Expense, None, None, now);
    to_account("create", Ok(()));
    let contacts: Vec<(u64, bool)> = books.contacts.values().map(|contact| (contact.id, contact.active)).collect();
    let first = |active: bool| contacts.iter().find(|contact| contact.1 == active).unwrap().0;
    books.set_contact_active(first(true), false, now).unwrap();
    books.set_contact_active(first(false), true, now).unwrap();
    books.add_contact("New Leaf Gardens", "leaf@example.test", true, true, None, now);
    for word in ["archive", "restore", "create"] {
        done.entry(word).or_default().insert("contact");
    }
    done
}

/// Another document like this one; a payment pays something that is open.
fn another(books: &Books, id: DocumentId) -> Result<NewDocument, Refused> {
    let like = &books.documents[&id];
    let mut new = NewDocument::new(like.kind, like.date);
    new.contact = like.contact;
    new.currency = Some(like.currency.clone()).filter(|currency| *currency != books.currency);
    new.rate = new.currency.as_ref().map(|_| like.rate);
    new.account = like.account;
    new.to_account = like.to_account;
    new.lines = like
        .lines
        .iter()
        .map(|line| NewLine { contact: line.contact, tax_rate: line.tax_rate, ..NewLine::new(line.account, line.amount, "again") })
        .collect();
    if matches!(like.kind, Kind::Payment | Kind::BillPayment) {
        let item = if like.kind == Kind::Payment { Kind::Invoice } else { Kind::Bill };
        let open = books.documents.values().find(|d| d.kind == item && d.currency == like.currency && books.amount_due(d.id).0 > 200);
        let open = open.ok_or_else(|| Refused("nothing is open".into()))?;
        new.contact = open.contact;
        new.applications = vec![Application { document: open.id, amount: Cents(books.amount_due(open.id).0 / 2) }];
    }
    Ok(new)
}

// proves C12
// proves C2
// proves F8
// proves C1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_edit_one_incremental_sync_makes_every_record_equal_to_the_providers() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 21, 14, 25), books(Face::Xero, 22, 14, 25)]).await;
        let mut worker = house.work();
        for (provider, idle_calls) in [("quickbooks", 3), ("xero", 10)] {
            let company = house.synced(provider).await;
            let first = truth::assert_equal(&house, &company.id).await;
            assert!(first.live > 200 && first.archived > 0 && first.voided > 0, "{first:?}");
            let first_day = house.look(&company.id, |books| books.first_date()).await.unwrap();
            assert_eq!(company.first_day, Some(first_day.to_string()), "the ledger begins with the books");

            let done = house.change(&company.id, edit_everything).await;
            println!("{provider}: {done:?}");
            let kinds = |word: &str| done.get(word).map_or(0, BTreeSet::len);
            assert!(kinds("create") >= 12 && kinds("amount") >= 8 && kinds("month") >= 8 && kinds("void") >= 4 && kinds("delete") >= 4, "{done:?}");
            worker = house.work_anew(worker).await;
            house.forget_calls();
            let run = house.sync(&company.id, None).await;
            house.assert_succeeded(&run).await;
            assert_eq!(run.extent, Extent::Changes);
            assert_eq!(house.company(&company.id).await.mark, Mark::Verified, "{}", house.messages(&run).await.join("\n"));
            for basis in Basis::ALL {
                let passes = house.verifications(&run, basis).await.len();
                assert_eq!(passes, 1, "nothing had to be repaired: {}", house.messages(&run).await.join("\n"));
            }
            let second = truth::assert_equal(&house, &company.id).await;
            println!("{provider}: {} calls after the edits, {second:?}", run.calls);
            assert_eq!(run.calls as u64, house.calls(&company.id).await);
            assert!(run.calls < 40, "{} calls", run.calls);
            assert!(second.deleted > first.deleted);

            worker = house.work_anew(worker).await;
            house.forget_calls();
            let run = house.sync(&company.id, None).await;
            house.assert_succeeded(&run).await;
            println!("{provider}: {} calls when nothing changed", run.calls);
            assert_eq!(run.calls as u64, house.calls(&company.id).await);
            assert!(run.calls <= idle_calls, "{} calls", run.calls);
            assert_eq!(house.company(&company.id).await.mark, Mark::Verified);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_a_day_and_after_a_run_that_failed_a_sync_reads_what_no_list_of_changes_shows() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 23, 3, 5), books(Face::Xero, 24, 3, 5)]).await;
        let mut worker = house.work();
        // QuickBooks: company information; Xero: organisation, tax rates, bank transfers
        for (provider, idle, thorough) in [("quickbooks", 3, 4), ("xero", 10, 13)] {
            let company = house.synced(provider).await;
            for (what, expected) in [
                ("", idle),
                ("UPDATE companies SET facts_read_at = facts_read_at - 86400001 WHERE id = $1", thorough),
                ("", idle),
                ("UPDATE companies SET last_run_state = 'failed' WHERE id = $1", thorough),
                ("", idle),
            ] {
                if !what.is_empty() {
                    let mut tx = house.engine.store.begin().await.unwrap();
                    assert_eq!(tx.execute(what, args![&company.id]).await.unwrap(), 1);
                    tx.commit().await.unwrap();
                }
                worker = house.work_anew(worker).await;
                let run = house.sync(&company.id, None).await;
                house.assert_succeeded(&run).await;
                assert_eq!(run.calls, expected, "{provider} {what}: {}", house.messages(&run).await.join("\n"));
            }
        }
    })
    .await;
}
