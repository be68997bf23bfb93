//! Webhooks, received by a listener of the test.
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{Books, Face};
use simulator::oauth::XeroConnection;
use simulator::sandbox::Sandbox;
use simulator::server::{Options, serve};
use simulator::webhooks::signature;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const KEY: &str = "a-key-of-the-test";

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

/// One request that came in.
#[derive(Clone, Debug)]
struct Received {
    signature: String,
    text: String,
}

impl Received {
    fn is_signed(&self) -> bool {
        self.signature == signature(KEY, self.text.as_bytes())
    }
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }
}

/// How the listener answers.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// 200 for a right signature, 401 for a wrong one.
    Honest,
    /// 200 for everything.
    Careless,
    Failing,
}

type Inbox = Arc<Mutex<(Vec<Received>, Manner)>>;

struct Running {
    sandbox: Sandbox,
    base: String,
    client: reqwest::Client,
    inbox: Inbox,
    address: String,
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let named = headers.get("intuit-signature").or_else(|| headers.get("x-xero-signature"));
    let signature = named.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let received = Received { signature, text: String::from_utf8(body.to_vec()).expect("text") };
    let mut inbox = inbox.lock().expect("the inbox");
    let status = match inbox.1 {
        Manner::Failing => StatusCode::SERVICE_UNAVAILABLE,
        Manner::Honest if !received.is_signed() => StatusCode::UNAUTHORIZED,
        Manner::Honest | Manner::Careless => StatusCode::OK,
    };
    inbox.0.push(received);
    status
}

async fn start() -> Running {
    rustls::crypto::ring::default_provider().install_default().ok();
    let company = |face, seed| generate(face, CompanySpec::plain(face, seed, date(2025, 1, 1), date(2025, 6, 14)), now());
    let companies: Vec<Books> = vec![company(Face::QuickBooks, 41), company(Face::QuickBooks, 42), company(Face::Xero, 41)];
    let ids: Vec<String> = companies.iter().map(|books| books.id.clone()).collect();
    let sandbox = Options::default().sandbox(companies);
    sandbox.clock.freeze_at(now());
    // Consent itself is tested elsewhere.
    sandbox.write(|state| {
        let user_id = state.users[0].id.clone();
        for realm in &ids[..2] {
            let family = simulator::oauth::Family {
                id: format!("family of {realm}"),
                face: Face::QuickBooks,
                client_id: "tieout-quickbooks".into(),
                user_id: user_id.clone(),
                companies: vec![realm.clone()],
                scope: String::new(),
                auth_event_id: String::new(),
                current_refresh: realm.clone(),
                previous_refresh: None,
                rotated_at: now(),
                issued_at: now(),
                last_used_at: now(),
                revoked: false,
            };
            state.grants.families.insert(family.id.clone(), family);
        }
        state.grants.xero_connections.push(XeroConnection {
            id: "c0ffee00-0000-4000-8000-000000000001".into(),
            auth_event_id: String::new(),
            user_id,
            client_id: "tieout-xero".into(),
            tenant_id: ids[2].clone(),
            created_at: now(),
            updated_at: now(),
        });
    });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(serve(sandbox.clone(), listener, std::future::pending()));
    let inbox: Inbox = Arc::new(Mutex::new((Vec::new(), Manner::Honest)));
    let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/hook", receiver.local_addr().expect("an address"));
    let router = Router::new().route("/hook", post(receive)).with_state(inbox.clone());
    tokio::spawn(async move { axum::serve(receiver, router).await });
    Running { sandbox, base, client: reqwest::Client::new(), inbox, address }
}

impl Running {
    async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.client.post(format!("{}/_control{path}", self.base)).body(body.to_string()).send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn look(&self, path: &str) -> Value {
        self.client.get(format!("{}/_control{path}", self.base)).send().await.expect("an answer").json().await.expect("JSON")
    }

    fn company(&self, face: Face) -> String {
        self.sandbox.read(|state| state.companies.values().find(|books| books.face == face).expect("a company").id.clone())
    }

    /// Waits until so many deliveries came, and gives them.
    async fn received(&self, count: usize) -> Vec<Received> {
        for _ in 0..3_000 {
            let received = self.inbox.lock().expect("the inbox").0.clone();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} deliveries were expected, {} came", self.inbox.lock().expect("the inbox").0.len());
    }

    /// The sandbox asks Xero's four questions of an intent, and is content: so many deliveries that makes.
    async fn intended(&self) -> usize {
        let intents = self.received(4).await.len();
        for _ in 0..3_000 {
            if self.look("/webhooks").await["endpoints"][0]["status"] == "delivering" {
                return intents;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the answers to the intents were not accepted");
    }

    /// Long enough that the sandbox would have sent what there is to send.
    async fn quiet(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.inbox.lock().expect("the inbox").0.len()
    }

    async fn invoice(&self, company: &str, number: &str) -> u64 {
        let customer = self
            .sandbox
            .read(|state| state.companies[company].contacts.values().find(|contact| contact.is_customer && contact.active).expect("a customer").id);
        let account = if company.len() == 36 { "200" } else { "4000" };
        let body = json!({"kind": "invoice", "number": number, "contact": customer.to_string(), "lines": [{"account": account, "amount": "5"}]});
        self.control(&format!("/companies/{company}/documents"), body).await["id"].as_u64().expect("an id")
    }
}

// quickbooks facts 104, 107, 108
#[tokio::test]
async fn quickbooks_tells_changes_of_several_companies_in_one_signed_body_without_business_data() {
    let running = start().await;
    let hook = json!({"face": "quickbooks", "url": running.address, "key": KEY});
    assert_eq!(running.control("/webhooks", hook).await["endpoints"][0]["status"], "delivering");
    assert_eq!(running.quiet().await, 0, "what was there before is not told");
    let realms: Vec<String> =
        running.sandbox.read(|state| state.companies.values().filter(|books| books.face == Face::QuickBooks).map(|books| books.id.clone()).collect());
    // Both changes happen between two looks of the sender.
    running.sandbox.write(|state| {
        for books in state.companies.values_mut().filter(|books| books.face == Face::QuickBooks) {
            books.add_contact("New Customer", "", true, false, None, now());
        }
    });
    let received = running.received(1).await;
    assert!(received[0].is_signed());
    let events = received[0].json();
    let events = events.as_array().expect("CloudEvents are a list");
    let told: Vec<&str> = events.iter().filter_map(|event| event["intuitaccountid"].as_str()).collect();
    assert_eq!(told, realms.iter().map(String::as_str).collect::<Vec<_>>());
    let id = running.invoice(&realms[0], "HOOK-1").await;
    let event = running.received(2).await[1].json()[0].clone();
    assert_eq!((event["type"].as_str(), event["intuitentityid"].as_str()), (Some("qbo.invoice.created.v1"), Some(id.to_string().as_str())));
    assert_eq!((event["specversion"].as_str(), event["time"].as_str(), &event["data"]), (Some("1.0"), Some("2025-06-15T12:00:00Z"), &json!({})));
    let text = &running.received(2).await[1].text;
    assert!(!text.contains("HOOK-1") && !text.contains("5.00"), "{text}");
}

// quickbooks facts 104, 106
#[tokio::test]
async fn the_classic_form_knows_void_delete_and_merge_with_the_id_that_is_gone() {
    let running = start().await;
    let realm = running.company(Face::QuickBooks);
    running.control("/webhooks", json!({"face": "quickbooks", "url": running.address, "key": KEY, "form": "classic"})).await;
    let id = running.invoice(&realm, "HOOK-2").await;
    let path = format!("/companies/{realm}/documents/{id}");
    running.received(1).await;
    running.control(&format!("{path}/void"), json!({})).await;
    running.received(2).await;
    running.control(&format!("{path}/delete"), json!({})).await;
    running.received(3).await;
    running.control(&format!("/companies/{realm}/contacts"), json!({"name": "Twin One", "customer": true})).await;
    running.received(4).await;
    let gone = running.control(&format!("/companies/{realm}/contacts"), json!({"name": "Twin Two", "customer": true})).await["id"].clone();
    running.received(5).await;
    running.control(&format!("/companies/{realm}/contacts/Twin%20Two/merge"), json!({"into": "Twin One"})).await;
    let received = running.received(6).await;
    assert!(received.iter().all(Received::is_signed));
    let entity = |index: usize| received[index].json()["eventNotifications"][0]["dataChangeEvent"]["entities"][0].clone();
    let operations: Vec<Value> = (0..6).map(|index| entity(index)["operation"].clone()).collect();
    assert_eq!(operations, ["Create", "Void", "Delete", "Create", "Create", "Merge"]);
    assert_eq!(received[0].json()["eventNotifications"][0]["realmId"], realm.as_str());
    assert_eq!(entity(5)["deletedId"], gone.to_string());
}

// quickbooks fact 106
#[tokio::test]
async fn both_spellings_of_void_can_be_had() {
    for word in ["void", "voided"] {
        let running = start().await;
        let realm = running.company(Face::QuickBooks);
        running.control("/webhooks", json!({"face": "quickbooks", "url": running.address, "key": KEY, "void_word": word})).await;
        let id = running.invoice(&realm, "HOOK-3").await;
        running.received(1).await;
        running.control(&format!("/companies/{realm}/documents/{id}/void"), json!({})).await;
        assert_eq!(running.received(2).await[1].json()[0]["type"], format!("qbo.invoice.{word}.v1"));
    }
}

// quickbooks fact 105
#[tokio::test]
async fn what_is_not_answered_with_200_comes_again_and_what_follows_waits_behind_it() {
    let running = start().await;
    let realm = running.company(Face::QuickBooks);
    running.control("/webhooks", json!({"face": "quickbooks", "url": running.address, "key": KEY})).await;
    running.inbox.lock().expect("the inbox").1 = Manner::Failing;
    let first = running.invoice(&realm, "HOOK-4").await;
    running.received(1).await;
    let second = running.invoice(&realm, "HOOK-5").await;
    assert_eq!(running.quiet().await, 1, "the second waits behind the first");
    running.sandbox.clock.advance_ms(10_500);
    running.received(2).await;
    assert_eq!(running.quiet().await, 2, "the next attempt comes after 20 seconds more");
    running.inbox.lock().expect("the inbox").1 = Manner::Honest;
    running.sandbox.clock.advance_ms(20_500);
    let received = running.received(4).await;
    let ids: Vec<Value> = received.iter().map(|one| one.json()[0]["intuitentityid"].clone()).collect();
    assert_eq!(ids, [first, first, first, second].map(|id| Value::from(id.to_string())));
    let attempts = running.look("/webhooks/deliveries").await;
    let attempts: Vec<Option<u64>> = attempts["deliveries"].as_array().expect("a list").iter().map(|one| one["attempt"].as_u64()).collect();
    assert_eq!(attempts, [Some(1), Some(2), Some(3), Some(1)]);
}

// quickbooks fact 105
#[tokio::test]
async fn deliveries_are_lost_doubled_reordered_and_late_on_demand() {
    let running = start().await;
    let realm = running.company(Face::QuickBooks);
    running.control("/webhooks", json!({"face": "quickbooks", "url": running.address, "key": KEY})).await;
    running.control("/webhooks/mischief", json!({"lose": 1})).await;
    running.invoice(&realm, "LOST").await;
    assert_eq!(running.quiet().await, 0);
    assert_eq!(running.look("/webhooks/deliveries").await["deliveries"][0]["lost"], true);
    running.control("/webhooks/mischief", json!({"double": 1})).await;
    running.invoice(&realm, "TWICE").await;
    let received = running.received(2).await;
    assert_eq!(received[0].text, received[1].text);
    running.control("/webhooks/mischief", json!({"reorder": 1})).await;
    let earlier = running.invoice(&realm, "EARLIER").await;
    assert_eq!(running.quiet().await, 2);
    let later = running.invoice(&realm, "LATER").await;
    let received = running.received(4).await;
    let ids: Vec<Value> = received[2..].iter().map(|one| one.json()[0]["intuitentityid"].clone()).collect();
    assert_eq!(ids, [later, earlier].map(|id| Value::from(id.to_string())));
    running.control("/webhooks/mischief", json!({"delay_secs": 90})).await;
    running.invoice(&realm, "LATE").await;
    assert_eq!(running.quiet().await, 4);
    running.sandbox.clock.advance_ms(89_000);
    assert_eq!(running.quiet().await, 4);
    running.sandbox.clock.advance_ms(2_000);
    running.received(5).await;
}

// xero fact 91
#[tokio::test]
async fn xero_first_asks_whether_signatures_are_checked_and_tells_nothing_to_the_careless() {
    let running = start().await;
    running.inbox.lock().expect("the inbox").1 = Manner::Careless;
    let tenant = running.company(Face::Xero);
    running.control("/webhooks", json!({"face": "xero", "url": running.address, "key": KEY})).await;
    let received = running.received(4).await;
    assert_eq!(received.iter().map(Received::is_signed).collect::<Vec<_>>(), [true, false, true, false]);
    for one in &received {
        let body = one.json();
        assert_eq!((&body["events"], &body["firstEventSequence"], &body["lastEventSequence"]), (&json!([]), &json!(0), &json!(0)));
    }
    running.quiet().await;
    assert_eq!(running.look("/webhooks").await["endpoints"][0]["status"], "intent_refused");
    running.invoice(&tenant, "HOOK-6").await;
    assert_eq!(running.quiet().await, 4);
}

// xero facts 91, 92
#[tokio::test]
async fn xero_tells_contacts_invoices_and_credit_notes_by_pointers_only_and_tries_for_a_day() {
    let running = start().await;
    let tenant = running.company(Face::Xero);
    running.control("/webhooks", json!({"face": "xero", "url": running.address, "key": KEY})).await;
    assert_eq!(running.intended().await, 4);
    let id = running.invoice(&tenant, "HOOK-7").await;
    let received = running.received(5).await[4].clone();
    assert!(received.is_signed());
    let body = received.json();
    let guid = running.sandbox.read(|state| state.companies[&tenant].guid("Invoice", id));
    let event = &body["events"][0];
    assert_eq!((event["eventCategory"].as_str(), event["eventType"].as_str()), (Some("INVOICE"), Some("CREATE")));
    assert_eq!(event["resourceUrl"], format!("https://api.xero.com/api.xro/2.0/Invoices/{guid}"));
    assert_eq!((event["resourceId"].as_str(), event["tenantId"].as_str()), (Some(guid.as_str()), Some(tenant.as_str())));
    assert_eq!((event["eventDateUtc"].as_str(), body["firstEventSequence"].as_u64()), (Some("2025-06-15T12:00:00.000"), Some(1)));
    assert!(!received.text.contains("HOOK-7"));
    let journal = json!({"kind": "journal", "lines": [{"account": "429", "amount": "5"}, {"account": "200", "amount": "-5"}]});
    running.control(&format!("/companies/{tenant}/documents"), journal).await;
    assert_eq!(running.quiet().await, 5, "journals are not told");
    running.inbox.lock().expect("the inbox").1 = Manner::Failing;
    running.invoice(&tenant, "HOOK-8").await;
    running.received(7).await;
    let status = async || running.look("/webhooks").await["endpoints"][0]["status"].as_str().unwrap_or_default().to_owned();
    for _ in 0..1_000 {
        if status().await == "disabled" {
            break;
        }
        running.sandbox.clock.advance_ms(900_500);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert_eq!(status().await, "disabled");
}

#[tokio::test]
async fn a_company_that_nobody_connected_is_not_told_about() {
    let running = start().await;
    let realm = running.company(Face::QuickBooks);
    running.control("/webhooks", json!({"face": "quickbooks", "url": running.address, "key": KEY})).await;
    running.sandbox.write(|state| state.grants.revoke_where(None, None, Some(&realm)));
    running.invoice(&realm, "HOOK-9").await;
    assert_eq!(running.quiet().await, 0);
    let wrong = running.client.post(format!("{}/_control/webhooks", running.base)).body(r#"{"face":"xero","url":"https://a.example/","key":"k"}"#);
    assert_eq!(wrong.send().await.expect("an answer").status().as_u16(), 400, "the sandbox posts over plain http");
}

// quickbooks fact 104
#[tokio::test]
async fn quickbooks_tells_of_classes_terms_orders_and_the_other_small_lists_in_both_forms() {
    let running = start().await;
    let realm = running.company(Face::QuickBooks);
    let token = "eyJ-token-of-the-test..";
    running.sandbox.write(|state| {
        let access = simulator::oauth::Access {
            face: Face::QuickBooks,
            client_id: "tieout-quickbooks".into(),
            user_id: state.users[0].id.clone(),
            companies: vec![realm.clone()],
            scope: "com.intuit.quickbooks.accounting".into(),
            auth_event_id: String::new(),
            family: format!("family of {realm}"),
            expires_at: now() + jiff::SignedDuration::from_hours(1),
            revoked: false,
        };
        state.grants.access.insert(token.into(), access);
        state.limits.enforced = false;
    });
    let post = async |path: &str, body: Value| -> Value {
        let request = running.client.post(format!("{}/v3/company/{realm}/{path}", running.base)).bearer_auth(token);
        let answer = request.header("accept", "application/json").body(body.to_string()).send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("text"));
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    };
    let (customer, vendor, employee, item) = running.sandbox.read(|state| {
        let books = &state.companies[&realm];
        let contact = |customer: bool| books.contacts.values().find(|c| c.active && c.is_customer == customer).expect("a contact").id.to_string();
        let employee = books.lists.employees.values().find(|employee| employee.stamp.active).expect("an employee").id.to_string();
        (contact(true), contact(false), employee, books.items.keys().next().expect("an item").to_string())
    });
    let line = json!({"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": item}}});
    let account = running.sandbox.read(|state| {
        let accounts = state.companies[&realm].accounts.values();
        accounts.clone().find(|account| account.account_type == simulator::books::AccountType::Expense).expect("an expense account").id.to_string()
    });
    let cost =
        json!({"Amount": 10, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}}});
    let records = [
        ("Class", json!({"Name": "North wing"})),
        ("Department", json!({"Name": "South wing"})),
        ("Term", json!({"Name": "Net 7", "DueDays": 7})),
        ("PaymentMethod", json!({"Name": "Barter"})),
        ("CompanyCurrency", json!({"Code": "SEK"})),
        ("Employee", json!({"GivenName": "Ada", "FamilyName": "Byron"})),
        ("Estimate", json!({"CustomerRef": {"value": customer}, "Line": [line]})),
        ("PurchaseOrder", json!({"VendorRef": {"value": vendor}, "Line": [cost]})),
        ("TimeActivity", json!({"NameOf": "Employee", "EmployeeRef": {"value": employee}, "Hours": 1})),
    ];
    for form in ["cloud_events", "classic"] {
        running.client.delete(format!("{}/_control/webhooks", running.base)).send().await.expect("an answer");
        running.inbox.lock().expect("the inbox").0.clear();
        running.control("/webhooks", json!({"face": "quickbooks", "url": running.address, "key": KEY, "form": form})).await;
        for (count, (entity, body)) in records.iter().enumerate() {
            let mut body = body.clone();
            if form == "classic" {
                for name in ["Name", "GivenName"] {
                    if let Some(text) = body[name].as_str().map(str::to_owned) {
                        body[name] = format!("{text} 2").into();
                    }
                }
                if *entity == "CompanyCurrency" {
                    body["Code"] = "NOK".into();
                }
            }
            let made = post(&entity.to_lowercase(), body).await;
            let id = made[entity]["Id"].as_str().expect("an id");
            let told = running.received(count + 1).await[count].json();
            let (what, of) = match form {
                "classic" => {
                    let told = &told["eventNotifications"][0]["dataChangeEvent"]["entities"][0];
                    assert_eq!(told["operation"], "Create");
                    (told["name"].as_str().expect("text").to_owned(), told["id"].clone())
                }
                _ => (told[0]["type"].as_str().expect("text").to_owned(), told[0]["intuitentityid"].clone()),
            };
            let expected = if form == "classic" { (*entity).to_owned() } else { format!("qbo.{}.created.v1", entity.to_lowercase()) };
            assert_eq!((what, of.as_str()), (expected, Some(id)));
        }
    }
}

// xero fact 92
#[tokio::test]
async fn xero_tells_of_prepayments_and_overpayments_too() {
    let running = start().await;
    let tenant = running.company(Face::Xero);
    running.control("/webhooks", json!({"face": "xero", "url": running.address, "key": KEY})).await;
    let intents = running.intended().await;
    running.sandbox.write(|state| {
        let books = state.companies.get_mut(&tenant).expect("the company");
        let bank = books.account_of(simulator::books::AccountType::Bank);
        let contact = books.contacts.values().find(|contact| contact.is_customer && contact.active).map(|contact| contact.id);
        let mut new = simulator::books::NewDocument::new(simulator::books::Kind::Deposit, date(2025, 6, 15));
        (new.contact, new.account) = (contact, bank);
        new.lines = vec![simulator::books::NewLine::new(bank.expect("a bank"), simulator::money::Cents(5_000), "Too much")];
        books.add_advance(new, false, now()).expect("an overpayment");
    });
    let event = running.received(intents + 1).await[intents].json()["events"][0].clone();
    assert_eq!((event["eventCategory"].as_str(), event["eventType"].as_str()), (Some("OVERPAYMENT"), Some("CREATE")), "{event}");
    assert!(event["resourceUrl"].as_str().is_some_and(|url| url.contains("/Overpayments/")));
}
