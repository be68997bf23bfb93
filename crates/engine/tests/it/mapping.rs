//! The standard chart over real charts of both providers: assigned in syncs, decided by people, applied when read.
use crate::house::{House, books, today};
use domain::chart::category::{self, StandardChart};
use domain::chart::control::Control;
use domain::chart::mapping::{Flag, MappingSource, class_sums, differences};
use domain::company::Mark;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::{AccountMovements, trial_balance};
use engine::mappings::{self, Loaded, Wish};
use engine::{Secret, SuggestionSettings, Suggestions};
use serde_json::{Value, json};
use simulator::books::{AccountType, Face};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use testkit::each_database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

async fn load(house: &House, id: &CompanyId) -> Loaded {
    mappings::load(&mut house.engine.store.read().await.unwrap(), id).await.unwrap()
}

async fn movements(house: &House, id: &CompanyId, basis: Basis) -> AccountMovements {
    store::ledger::movements(&mut house.engine.store.read().await.unwrap(), id, basis, today()).await.unwrap()
}

/// Normalized sums equal the source for every month and class, on both bases.
async fn assert_equal_sums(house: &House, id: &CompanyId) -> Loaded {
    let loaded = load(house, id).await;
    for basis in Basis::ALL {
        let source = movements(house, id, basis).await;
        assert!(source.len() > 20, "{} sums", source.len());
        let normalized = loaded.mapping.normalize(&source, &loaded.chart);
        assert_eq!(differences(&source, &loaded.chart, &normalized), [], "{basis:?}");
        assert_eq!(class_sums(&source, &loaded.chart), class_sums(&normalized, &StandardChart));
        assert!(normalized.keys().all(|(key, _)| category::find_leaf(key).is_some()));
    }
    loaded
}

fn by_name<'a>(loaded: &'a Loaded, name: &str) -> (&'a str, &'a domain::chart::Assignment) {
    let (id, _) = loaded.chart.0.iter().find(|(_, account)| account.name == name || account.name.ends_with(&format!(":{name}"))).unwrap();
    (id, &loaded.mapping.0[id])
}

// proves E1, E10, E12, E16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_account_of_both_providers_lies_in_one_leaf_with_a_reason_and_sums_stay_equal() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 71, 6, 20), books(Face::Xero, 72, 6, 20)]).await;
        let _worker = house.work();
        for provider in ["quickbooks", "xero"] {
            let company = house.synced(provider).await;
            let loaded = assert_equal_sums(&house, &company.id).await;
            assert_eq!(loaded.assigned.len(), loaded.chart.0.len(), "a sync assigns every account");
            let mut unmapped = Vec::new();
            for (id, account) in &loaded.chart.0 {
                let assignment = &loaded.mapping.0[id];
                assert!(assignment.category.is_leaf && assignment.category.class == account.class, "{}", account.name);
                assert!(!assignment.reason.is_empty());
                match assignment.source {
                    MappingSource::Rule => assert!(assignment.reason.starts_with("Rule "), "{}", assignment.reason),
                    MappingSource::Ai => {
                        assert!(assignment.reason.contains("is like") && assignment.reason.contains("score"), "{}", assignment.reason)
                    }
                    MappingSource::User => panic!("nobody decided {}", account.name),
                    MappingSource::Unmapped => unmapped.push(account.name.clone()),
                }
            }
            println!("{provider}: {} accounts, unmapped {unmapped:?}", loaded.chart.0.len());
            assert!(unmapped.len() * 5 <= loaded.chart.0.len(), "{unmapped:?}");
            for (name, key) in [("Insurance", "insurance"), ("Advertising", "advertising")] {
                assert_eq!(by_name(&loaded, name).1.category.key, key, "{provider}");
            }
            // nothing is new in a chart that is read for the first time
            assert!(loaded.assigned.values().all(|assigned| assigned.flag.is_none()));
        }
    })
    .await;
}

// proves E3, E5, E11, E13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_charts_never_stop_a_sync_and_what_people_decided_survives_it() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 73, 4, 12)]).await;
        let _worker = house.work();
        let company = house.synced("quickbooks").await;
        let id = &company.id;
        let before = assert_equal_sums(&house, id).await;
        let set = |wishes: Vec<(String, Wish)>| {
            let house = &house;
            async move { mappings::decide(&house.engine, &house.organization_id, id, &wishes, &house.user_id, "as we report it").await.unwrap() }
        };
        let (office, _) = by_name(&before, "Office Supplies");
        let (travel, _) = by_name(&before, "Travel Meals");
        let software = category::find("software").unwrap();
        let decided = set(vec![(office.to_owned(), Wish::Set(software)), (travel.to_owned(), Wish::Confirm)]).await.unwrap();
        assert_eq!((decided.changed, decided.version), (2, Some(1)));
        // what cannot hold is refused with a sentence, and then nothing is changed
        let bank = category::find("bank-accounts").unwrap();
        let refused = set(vec![(office.to_owned(), Wish::Revert), (travel.to_owned(), Wish::Set(bank)), ("nobody".to_owned(), Wish::Confirm)])
            .await
            .unwrap_err();
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused[0].sentence.contains("choose a category of the same class"), "{}", refused[0].sentence);

        let id_of = |books: &simulator::books::Books, name: &str| {
            books.accounts.values().find(|account| account.name == name).map(|account| account.id).unwrap()
        };
        house
            .change(id, |books, now| {
                // a parent that does not exist, two accounts that are each other's parents, and one that is its own
                let (advertising, checking) = (id_of(books, "Advertising"), id_of(books, "Checking"));
                let (insurance, sales) = (id_of(books, "Insurance"), id_of(books, "Services"));
                books.accounts.get_mut(&advertising).unwrap().parent = Some(987_654);
                books.accounts.get_mut(&checking).unwrap().parent = Some(insurance);
                books.accounts.get_mut(&insurance).unwrap().parent = Some(checking);
                books.accounts.get_mut(&sales).unwrap().parent = None;
                for (account, name) in [(advertising, "Advertising again"), (checking, "Checking new"), (insurance, "Insurance new")] {
                    books.rename_account(account, name, now).unwrap();
                }
                // renamed, of another type, merged, new, archived, a second account of retained earnings
                books.rename_account(id_of(books, "Office Supplies"), "Bürobedarf", now).unwrap();
                let prepaid = id_of(books, "Prepaid Insurance");
                books.accounts.get_mut(&prepaid).unwrap().account_type = AccountType::OtherAsset;
                books.rename_account(prepaid, "Prepaid Insurance, long", now).unwrap();
                let spare = books.add_account("Spare advertising", "6001", AccountType::Expense, None, None, now);
                books.add_account("Zylophonics", "6999", AccountType::Expense, None, None, now);
                books.add_account("Retained Earnings of old", "3901", AccountType::RetainedEarnings, None, None, now);
                books.merge_accounts(spare, advertising, now).unwrap();
                books.set_account_active(id_of(books, "Security Deposits"), false, now).unwrap();
            })
            .await;
        let run = house.sync(id, None).await;
        house.assert_succeeded(&run).await;
        assert_eq!(house.company(id).await.mark, Mark::Verified, "{}", house.messages(&run).await.join("\n"));
        let after = assert_equal_sums(&house, id).await;
        let flag = |name: &str| after.assigned[by_name(&after, name).0].flag;
        assert_eq!(flag("Zylophonics"), Some(Flag::New));
        assert_eq!(flag("Prepaid Insurance, long"), Some(Flag::Retyped));
        assert_eq!(flag("Bürobedarf"), Some(Flag::Renamed));
        assert_eq!(flag("Travel Meals"), None);
        let (zylophonics, lies) = by_name(&after, "Zylophonics");
        assert_eq!((lies.category.key, lies.source), ("general-expenses", MappingSource::Rule), "{}", lies.reason);
        let told = house.messages(&run).await;
        assert!(
            told.iter()
                .any(|message| message.contains("Chart of Accounts Mapping:") && message.contains("new account") && message.contains("another type")),
            "{told:#?}"
        );
        // what Ada decided holds, whatever the account is called now
        let (_, decided) = by_name(&after, "Bürobedarf");
        assert_eq!((decided.category.key, decided.source, decided.confidence), ("software", MappingSource::User, 100));
        assert!(decided.reason.contains("as we report it"), "{}", decided.reason);
        assert_eq!(by_name(&after, "Travel Meals").1.source, MappingSource::User);
        let inactive = mappings::inactive(&mut house.engine.store.read().await.unwrap(), id).await.unwrap();
        assert!(inactive.contains_key(by_name(&after, "Security Deposits").0));

        // an idle sync keeps flags and decisions; looking at an account takes its flag away
        let run = house.sync(id, None).await;
        house.assert_succeeded(&run).await;
        assert_eq!(load(&house, id).await.assigned[zylophonics].flag, Some(Flag::New));
        assert!(!house.messages(&run).await.iter().any(|message| message.contains("Mapping")), "nobody is told twice");
        set(vec![(zylophonics.to_owned(), Wish::Confirm)]).await.unwrap();
        assert_eq!(load(&house, id).await.assigned[zylophonics].flag, None);
        // and a decision can be taken back
        set(vec![(office.to_owned(), Wish::Revert)]).await.unwrap();
        let reverted = load(&house, id).await;
        let (_, machine) = by_name(&reverted, "Bürobedarf");
        assert_eq!((machine.category.key, machine.source), ("office-supplies", MappingSource::Ai));
        let mut conn = house.engine.store.read().await.unwrap();
        let history = store::mappings::list_changes(&mut conn, id, Some(office), None, 10).await.unwrap();
        assert_eq!(
            history.iter().map(|change| (change.version, change.to_category.as_deref())).collect::<Vec<_>>(),
            [(3, None), (1, Some("software"))]
        );
        // the mapping of an earlier version is still there
        let earlier = mappings::load_at(&mut conn, id, 1).await.unwrap();
        assert_eq!(earlier.mapping.0[office].category.key, "software");
        drop(conn);
        mappings::see_all(&house.engine, &house.organization_id, id).await.unwrap();
        assert!(load(&house, id).await.assigned.values().all(|assigned| assigned.flag.is_none()));
    })
    .await;
}

/// Balances in the standard chart.
async fn normalized(house: &House, id: &CompanyId) -> BTreeMap<String, Amount> {
    let loaded = assert_equal_sums(house, id).await;
    let movements = movements(house, id, Basis::Accrual).await;
    trial_balance(&loaded.mapping.normalize(&movements, &loaded.chart), &StandardChart, today(), 1).0
}

// proves E14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_whose_accounts_have_german_french_or_spanish_names_has_the_same_statements() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::Xero, 74, 4, 20)]).await;
        let _worker = house.work();
        let company = house.synced("xero").await;
        let english = normalized(&house, &company.id).await;
        assert!(english.len() > 15, "{english:?}");
        for names in [
            [
                "Umsatzerlöse",
                "Dienstleistungserlöse",
                "Zinserträge",
                "Wareneinkauf",
                "Werbekosten",
                "Bankgebühren",
                "Reinigung",
                "Rechts- und Beratungskosten",
                "Versandkosten",
                "Sonstige betriebliche Aufwendungen",
                "Versicherungen",
                "Strom, Gas, Wasser",
                "Bürobedarf",
                "Mieten",
                "Reparaturen und Instandhaltung",
                "Löhne und Gehälter",
                "Telefon und Internet",
                "Reisekosten",
                "Darlehen",
                "Privateinlagen",
                "Privatentnahmen",
            ],
            [
                "Ventes de marchandises",
                "Prestations de services",
                "Revenus d'intérêts",
                "Achats de marchandises",
                "Publicité",
                "Frais bancaires",
                "Nettoyage",
                "Honoraires comptables",
                "Frais postaux",
                "Charges diverses de gestion courante",
                "Primes d'assurance",
                "Eau, gaz, électricité",
                "Fournitures de bureau",
                "Loyers",
                "Entretien et réparations",
                "Salaires et traitements",
                "Téléphone",
                "Voyages et déplacements",
                "Emprunts",
                "Apports de l'exploitant",
                "Prélèvements de l'exploitant",
            ],
            [
                "Ventas de mercaderías",
                "Prestación de servicios",
                "Ingresos por intereses",
                "Compras de mercaderías",
                "Publicidad",
                "Comisiones bancarias",
                "Limpieza",
                "Servicios de profesionales independientes",
                "Mensajería",
                "Gastos generales",
                "Primas de seguros",
                "Electricidad",
                "Material de oficina",
                "Alquileres",
                "Reparaciones y conservación",
                "Sueldos y salarios",
                "Teléfono e internet",
                "Gastos de viaje",
                "Préstamos a largo plazo",
                "Aportaciones de socios",
                "Retiros del propietario",
            ],
        ] {
            house
                .change(&company.id, |books, now| {
                    let codes = [
                        "200", "220", "270", "310", "400", "404", "408", "412", "425", "429", "433", "445", "453", "469", "473", "477", "489", "493",
                        "900", "970", "980",
                    ];
                    for (code, name) in codes.iter().zip(names) {
                        let account = books.account_by_code(code).unwrap();
                        books.rename_account(account, name, now).unwrap();
                    }
                })
                .await;
            let run = house.sync(&company.id, None).await;
            house.assert_succeeded(&run).await;
            assert_eq!(normalized(&house, &company.id).await, english, "{names:?}");
        }
    })
    .await;
}

// proves F12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivables_and_payables_by_contact_are_the_providers_and_equal_their_control_accounts_at_any_date() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 75, 6, 25), books(Face::Xero, 76, 6, 25)]).await;
        let _worker = house.work();
        for provider in ["quickbooks", "xero"] {
            let company = house.synced(provider).await;
            let mut conn = house.engine.store.read().await.unwrap();
            let chart = store::accounts::list(&mut conn, &company.id).await.unwrap();
            let names = store::contact_balances::names(&mut conn, &company.id).await.unwrap();
            let mut open = 0;
            for days_ago in [0, 9, 31, 75, 140] {
                let day = today().saturating_sub(jiff::Span::new().days(days_ago));
                let movements = store::ledger::movements(&mut conn, &company.id, Basis::Accrual, day).await.unwrap();
                let ledger = trial_balance(&movements, &chart, day, company.fiscal_year_start_month);
                for side in Control::ALL {
                    let controls: Vec<&str> = chart
                        .0
                        .values()
                        .filter(|account| Control::of(&account.account_type, &account.role) == Some(side))
                        .map(|account| account.remote_id.as_str())
                        .collect();
                    assert!(!controls.is_empty(), "{provider} has {side:?}");
                    let ours = store::contact_balances::list(&mut conn, &company.id, &controls, day).await.unwrap();
                    for control in &controls {
                        let sum: Amount = ours.iter().filter(|((account, _), _)| account == control).map(|(_, amount)| *amount).sum();
                        assert_eq!(sum, ledger.get(control), "{provider} {side:?} {control} at {day}");
                    }
                    // the sandbox's own books know whose each posting is
                    let wanted = if side == Control::Receivable { AccountType::Receivable } else { AccountType::Payable };
                    let truth: BTreeMap<String, i64> = house
                        .look(&company.id, |books| {
                            let mut truth: BTreeMap<String, i64> = BTreeMap::new();
                            for journal in books.journals.iter().filter(|journal| journal.date <= day) {
                                for posting in journal.postings.iter().filter(|posting| books.accounts[&posting.account].account_type == wanted) {
                                    let contact = posting.contact.map_or("nobody", |contact| books.contacts[&contact].name.as_str());
                                    *truth.entry(contact.to_owned()).or_default() += posting.amount.0 * 100;
                                }
                            }
                            truth.retain(|_, amount| *amount != 0);
                            truth
                        })
                        .await;
                    let mut shown: BTreeMap<String, i64> = BTreeMap::new();
                    for ((_, contact), amount) in &ours {
                        let name = contact.as_ref().map_or("nobody", |contact| names.get(contact).map_or(contact.as_str(), String::as_str));
                        *shown.entry(name.to_owned()).or_default() += amount.0;
                    }
                    shown.retain(|_, amount| *amount != 0);
                    assert_eq!(shown, truth, "{provider} {side:?} at {day}");
                    assert!(!shown.contains_key("nobody"), "{provider}: every posting of a control account has its contact");
                    open += shown.len();
                }
            }
            assert!(open > 20, "{provider}: {open} balances were compared");
        }
    })
    .await;
}

/// A real HTTP server that answers like a model would; what it was asked is kept.
struct Endpoint {
    url: Url,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    mode: Arc<Mutex<&'static str>>,
}

async fn endpoint() -> Endpoint {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    let (asked, mode) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new("answer")));
    let (keeps, speaks) = (asked.clone(), mode.clone());
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let (keeps, speaks) = (keeps.clone(), speaks.clone());
            tokio::spawn(async move {
                let mut text = String::new();
                let mut part = [0_u8; 65_536];
                loop {
                    let read = stream.read(&mut part).await.unwrap_or(0);
                    text.push_str(&String::from_utf8_lossy(&part[..read]));
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length =
                        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse::<usize>().unwrap()));
                    if read == 0 || body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let body: Value = serde_json::from_str(body).unwrap();
                keeps.lock().unwrap().push((head.to_owned(), body.clone()));
                let mode = *speaks.lock().unwrap();
                let content = match mode {
                    "nonsense" => "Well, that depends.".to_owned(),
                    _ => {
                        let question: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
                        let answer = |account: &Value| {
                            // one right place, one that does not exist, one of another class
                            let key = match account["name"].as_str().unwrap() {
                                "Zylophonics" => "commissions",
                                "Advertising" => "no-such-category",
                                _ if account["class"] == "expense" => "bank-accounts",
                                _ => return None,
                            };
                            Some(json!({"n": account["n"], "category": key, "confidence": 91, "reason": "instruments on commission"}))
                        };
                        let answers: Vec<Value> = question["accounts"].as_array().unwrap().iter().filter_map(answer).collect();
                        json!({ "answers": answers }).to_string()
                    }
                };
                let body = json!({"choices": [{"message": {"role": "assistant", "content": content}}]}).to_string();
                let status = if mode == "down" { "503 Service Unavailable" } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Endpoint { url, asked, mode }
}

// proves E2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_asked_only_about_what_rules_leave_open_and_told_names_and_types_only() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::Xero, 77, 3, 8)]).await;
        let endpoint = endpoint().await;
        let settings = SuggestionSettings { url: endpoint.url.clone(), key: Some(Secret::new("a-key")), model: "tiny".into() };
        house.engine.use_suggestions(Suggestions::new(settings).unwrap());
        let _worker = house.work();
        // an endpoint that is down stops nothing: names are compared here
        *endpoint.mode.lock().unwrap() = "down";
        let company = house.synced("xero").await;
        let loaded = assert_equal_sums(&house, &company.id).await;
        let (advertising, found) = by_name(&loaded, "Advertising");
        assert_eq!((found.category.key, found.source), ("advertising", MappingSource::Ai));
        assert!(found.reason.starts_with("built-in vocabulary: "), "{}", found.reason);
        let advertising = advertising.to_owned();

        *endpoint.mode.lock().unwrap() = "nonsense";
        house.change(&company.id, |books, now| books.add_account("Zylophonics", "4711", AccountType::Expense, None, None, now)).await;
        let run = house.sync(&company.id, None).await;
        house.assert_succeeded(&run).await;
        let loaded = load(&house, &company.id).await;
        let (zylophonics, open) = by_name(&loaded, "Zylophonics");
        assert_eq!((open.category.key, open.source), ("unmapped-expenses", MappingSource::Unmapped), "nobody knows");
        let zylophonics = zylophonics.to_owned();

        *endpoint.mode.lock().unwrap() = "answer";
        endpoint.asked.lock().unwrap().clear();
        let run = house.sync(&company.id, None).await;
        house.assert_succeeded(&run).await;
        let loaded = assert_equal_sums(&house, &company.id).await;
        let answered = &loaded.mapping.0[&zylophonics];
        assert_eq!((answered.category.key, answered.source, answered.confidence), ("commissions", MappingSource::Ai, 91));
        assert_eq!(answered.reason, "tiny: instruments on commission, score 91");
        assert_eq!(loaded.mapping.0[&advertising].category.key, "advertising", "what is no category is not taken");
        let asked = endpoint.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 1);
        let (head, body) = &asked[0];
        assert!(head.starts_with("POST /v1/chat/completions ") && head.to_lowercase().contains("authorization: bearer a-key"), "{head}");
        assert_eq!(body["model"], "tiny");
        let question: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
        for account in question["accounts"].as_array().unwrap() {
            let mut fields: Vec<&str> = account.as_object().unwrap().keys().map(String::as_str).collect();
            fields.sort();
            assert_eq!(fields, ["class", "detail", "n", "name", "type"], "nothing else leaves the house");
            assert_ne!(account["detail"], "DEBTORS", "what a rule decides is not asked");
        }

        // nothing changed: nothing is asked again
        endpoint.asked.lock().unwrap().clear();
        let run = house.sync(&company.id, None).await;
        house.assert_succeeded(&run).await;
        assert_eq!(endpoint.asked.lock().unwrap().len(), 0);
        // a person is before the model
        let wish = [(zylophonics.clone(), Wish::Set(category::find("donations").unwrap()))];
        mappings::decide(&house.engine, &house.organization_id, &company.id, &wish, &house.user_id, "").await.unwrap().unwrap();
        let decided = &load(&house, &company.id).await.mapping.0[&zylophonics];
        assert_eq!((decided.category.key, decided.source), ("donations", MappingSource::User));
    })
    .await;
}
