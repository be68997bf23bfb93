//! Accounting dates have no zone: a company in Auckland and a server in UTC mean the same day.
use crate::house::{House, PROVIDERS, now};
use crate::truth;
use domain::company::Mark;
use domain::data_type::DataType;
use domain::ledger::Basis;
use domain::money::Amount;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{AccountType, Face, Kind, NewDocument, NewLine, Status};
use simulator::money::Cents;
use std::collections::BTreeMap;
use testkit::each_database;

// proves F11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_in_auckland_and_a_server_in_utc_agree_on_every_day() {
    each_database(|address| async move {
        // the next moment at which it is tomorrow in Auckland already, and still today in UTC
        let zone = TimeZone::get("Pacific/Auckland").unwrap();
        let evening = now().to_zoned(TimeZone::UTC).date().at(13, 30, 0, 0).to_zoned(TimeZone::UTC).unwrap();
        let evening = if evening.timestamp() < now() { evening.tomorrow().unwrap().with().hour(13).minute(30).build().unwrap() } else { evening };
        let there = evening.timestamp().to_zoned(zone.clone()).date();
        assert_eq!(evening.date().tomorrow().unwrap(), there);

        let from = there.saturating_sub(5.months()).first_of_month();
        let auckland = |face, seed| {
            let plain = CompanySpec::plain(face, seed, from, there);
            generate(face, CompanySpec { time_zone: "Pacific/Auckland".into(), documents_per_month: 8, ..plain }, evening.timestamp())
        };
        let house = House::build(&address, vec![auckland(Face::QuickBooks, 91), auckland(Face::Xero, 92)]).await;
        house.sandbox.clock.run_from(evening.timestamp());
        let _worker = house.work();
        for provider in PROVIDERS {
            let company = house.connect(provider).await.remove(0);
            // on the first and the last day of each month, and today as it is called there
            let edges: Vec<Date> =
                (1..=4).map(|ago| there.saturating_sub(ago.months())).flat_map(|day| [day.first_of_month(), day.last_of_month()]).collect();
            let days: Vec<Date> = edges.into_iter().chain([there]).collect();
            house
                .change(&company.id, |books, now| {
                    let (bank, costs) = (books.account_of(AccountType::Bank), books.account_of(AccountType::Expense).unwrap());
                    for day in days {
                        let mut new = NewDocument::new(Kind::Expense, day);
                        new.contact = books.contacts.values().find(|contact| contact.is_supplier && contact.active).map(|contact| contact.id);
                        new.account = bank;
                        new.lines = vec![NewLine::new(costs, Cents(10_000 + i64::from(day.day())), "on the edge of a month")];
                        books.add_document(new, now).unwrap();
                    }
                })
                .await;
            let run = house.wait(&company.id).await;
            house.assert_succeeded(&run).await;
            let company = house.company(&company.id).await;
            assert_eq!(company.mark, Mark::Verified, "{}", house.messages(&run).await.join("\n"));
            assert_eq!((company.time_zone.as_str(), company.marked_as_of.clone()), ("Pacific/Auckland", Some(there.to_string())));
            truth::assert_equal(&house, &company.id).await;

            // every document on its day
            let theirs: BTreeMap<String, Date> = house
                .look(&company.id, |books| {
                    let counts = books.documents.values().filter(|document| document.status == Status::Active);
                    let id = |document| if provider == "xero" { simulator::xero::document_id(books, document) } else { document.id.to_string() };
                    counts.map(|document| (id(document), document.date)).collect()
                })
                .await;
            let mut conn = house.engine.store.read().await.unwrap();
            let mut ours = BTreeMap::new();
            for data_type in DataType::ALL {
                for record in store::documents::list(&mut conn, &company.id, *data_type, "", 10_000).await.unwrap() {
                    if let (Some(day), true) = (record.day, theirs.contains_key(&record.remote_id)) {
                        ours.insert(record.remote_id, day);
                    }
                }
            }
            assert_eq!(ours, theirs);
            // and every posting in its month
            let movements = store::ledger::movements(&mut conn, &company.id, Basis::Accrual, there).await.unwrap();
            drop(conn);
            house
                .look(&company.id, |books| {
                    let months = domain::clock::Month::of(from).through(domain::clock::Month::of(there));
                    let mut expected = BTreeMap::new();
                    for month in months {
                        for (account, cents) in books.movement(month.first_day(), month.last_day().min(there)) {
                            let id = if provider == "xero" { simulator::xero::account_id(books, account) } else { account.to_string() };
                            expected.insert((id, month), Amount(cents.0 * 100));
                        }
                    }
                    let ours: BTreeMap<_, _> = movements.into_iter().filter(|(_, amount)| !amount.is_zero()).collect();
                    assert_eq!(ours, expected);
                })
                .await;
        }
    })
    .await;
}
