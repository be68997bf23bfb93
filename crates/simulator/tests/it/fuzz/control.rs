//! Bodies of the control API and of the console's forms.
use super::Target;
use super::dice::Dice;
use super::json::{self, Harvest};
use super::shot::{Shot, encoded};
use super::subject::Subject;
use super::text::{self, ODD};
use serde_json::{Value, json};

#[derive(Default)]
pub struct Control {
    companies: Vec<String>,
}

const WORDS: [&str; 34] = [
    "quickbooks",
    "xero",
    "invoice",
    "bill",
    "payment",
    "credit_memo",
    "journal",
    "transfer",
    "expense",
    "deposit",
    "bank",
    "income",
    "status",
    "drip",
    "truncate",
    "page",
    "doubled",
    "drift",
    "meanwhile",
    "answer",
    "second",
    "minute",
    "day",
    "concurrent",
    "USD",
    "EUR",
    "UTC",
    "Pacific/Auckland",
    "cloud_events",
    "classic",
    "void",
    "freeze",
    "4000",
    "1000",
];

/// Path, query and body of every knob, as the documentation has them.
fn knobs() -> Vec<(&'static str, &'static str, Value)> {
    let faults = |fault: Value| json!({"face": "xero", "path_contains": "page=2", "skip": 0, "times": 3, "fault": fault});
    let line = json!({"account": "4000", "amount": "12.50", "description": "x"});
    vec![
        ("POST", "clock", json!({"advance_secs": 3_600})),
        ("POST", "clock", json!({"freeze": "2025-06-15T12:00:00Z"})),
        ("POST", "clock", json!({"run_from": "2025-06-15T12:00:00Z"})),
        ("POST", "calls/reset", json!({})),
        ("DELETE", "requests", json!({})),
        ("POST", "connections/remove", json!({"company": "?"})),
        ("POST", "outages", json!({"secs": 60, "face": "xero", "company": "?", "fault": {"kind": "html", "status": 503}})),
        ("DELETE", "outages", json!({})),
        ("POST", "live", json!({"speed": 60, "changes_per_day": 48, "seed": 1})),
        ("DELETE", "live", json!({})),
        ("POST", "schedule", json!({"seed": 7, "per_thousand": 50, "at_most": 3, "faults": [{"kind": "drop"}]})),
        ("DELETE", "schedule", json!({})),
        ("POST", "webhooks", json!({"face": "quickbooks", "url": "http://127.0.0.1:1/", "key": "k", "form": "classic", "void_word": "void"})),
        ("POST", "webhooks/mischief", json!({"lose": 1, "double": 1, "reorder": 1, "delay_secs": 5})),
        ("DELETE", "webhooks", json!({})),
        ("POST", "tokens/expire", json!({})),
        ("POST", "tokens/revoke", json!({"client_id": "tieout-xero", "user": "casey@harborpine.example", "company": "?"})),
        ("POST", "tokens/remove_scope", json!({"scope": "openid", "face": "xero"})),
        ("POST", "faults", faults(json!({"kind": "status", "status": 503}))),
        ("POST", "faults", faults(json!({"kind": "rate_limit", "problem": "minute", "retry_after_secs": 7}))),
        ("POST", "faults", faults(json!({"kind": "answer", "status": 200, "content_type": "text/plain", "body": "x"}))),
        ("POST", "faults", faults(json!({"kind": "truncate", "bytes": 64}))),
        ("POST", "faults", faults(json!({"kind": "large_records", "bytes": 100, "every": true}))),
        ("POST", "faults", faults(json!({"kind": "many_records", "records": 10}))),
        ("POST", "faults", faults(json!({"kind": "drift", "drift": {"renamed": {"field": "Total", "to": "Sum"}}}))),
        ("POST", "faults", faults(json!({"kind": "wrong_offset", "minutes": 60}))),
        ("POST", "faults", faults(json!({"kind": "meanwhile", "requests": [{"path": "/_control/calls/reset", "body": {}}]}))),
        ("DELETE", "faults", json!({})),
        ("POST", "limits", json!({"enforced": false, "reset": true, "xero_per_minute": 60})),
        (
            "POST",
            "switches",
            json!({"xero_journals": true, "quickbooks_cdc_omits": ["Bill"], "visible_after_secs": 0, "retired_scopes": ["x"], "status_page": "x"}),
        ),
        (
            "POST",
            "companies",
            json!({"face": "xero", "name": "New", "seed": 77, "country": "NZ", "currency": "NZD", "time_zone": "Pacific/Auckland", "fiscal_year_start_month": 4, "from": "2025-05-01", "to": "2025-06-01", "documents_per_month": 6, "second_currency": "USD", "second_rate": "1.5"}),
        ),
        (
            "POST",
            "companies",
            json!({"face": "quickbooks", "name": "File", "seed": 78, "general_journal": "entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo\n1,2025-01-01,,1000,Bank,bank,5.00,,USD,,\n1,2025-01-01,,4000,Sales,income,,5.00,USD,,\n"}),
        ),
        ("DELETE", "companies/New", json!({})),
        ("POST", "companies/?/documents", json!({"kind": "invoice", "date": "2025-05-05", "contact": "?contact", "lines": [line.clone()]})),
        ("POST", "companies/?/documents", json!({"kind": "journal", "date": "2025-05-05", "lines": [line, {"account": "1000", "amount": "-12.50"}]})),
        (
            "POST",
            "companies/?/documents",
            json!({"kind": "payment", "contact": "?contact", "amount": "1.00", "applies_to": [{"document": "?document", "amount": "1.00"}]}),
        ),
        ("POST", "companies/?/documents", json!({"kind": "transfer", "account": "1000", "to_account": "1010", "amount": "5.00"})),
        (
            "POST",
            "companies/?/documents/?document/edit",
            json!({"amount": "12.00", "date": "2025-04-04", "memo": "m", "contact": "?contact", "quiet": true}),
        ),
        ("POST", "companies/?/documents/?document/void", json!({})),
        ("POST", "companies/?/documents/?document/delete", json!({})),
        ("POST", "companies/?/documents/?document/approve", json!({})),
        ("POST", "companies/?/documents/?document/allocate", json!({"document": "?document", "amount": "1.00"})),
        ("POST", "companies/?/accounts", json!({"name": "New account", "code": "4999", "type": "income", "parent": "4000", "currency": "USD"})),
        ("POST", "companies/?/accounts/4000/archive", json!({})),
        ("POST", "companies/?/accounts/4000/restore", json!({})),
        ("POST", "companies/?/accounts/4000/rename", json!({"name": "Renamed"})),
        ("POST", "companies/?/accounts/6000/merge", json!({"into": "6100"})),
        (
            "POST",
            "companies/?/contacts",
            json!({"name": "New contact", "email": "a@b.example", "customer": true, "supplier": true, "currency": "USD"}),
        ),
        ("POST", "companies/?/contacts/?contact/archive", json!({})),
        ("POST", "companies/?/contacts/?contact/merge", json!({"into": "?contact"})),
        ("GET", "companies/?/trial_balance?as_of=2025-05-31&basis=cash", json!({})),
        ("GET", "companies/?/truth", json!({})),
        ("GET", "companies/?/documents?kind=invoice&from=2025-01-01&to=2025-12-31", json!({})),
        ("GET", "companies/?/contacts", json!({})),
        ("GET", "requests?face=xero&limit=3&after=1&status=200&fault=any", json!({})),
        ("GET", "requests/1/body", json!({})),
        ("GET", "tokens", json!({})),
        ("GET", "webhooks/deliveries", json!({})),
        ("GET", "schedule", json!({})),
    ]
}

/// The buttons of the console.
const MISCHIEF: [&str; 17] = [
    "quickbooks_down",
    "xero_down",
    "end_outages",
    "throttle",
    "lose_refresh",
    "expire",
    "html",
    "live",
    "add_invoice",
    "delete_bill",
    "edit_january",
    "backdate",
    "void_invoice",
    "silent_edit",
    "revoke",
    "disconnect",
    "lapse",
];

impl Control {
    fn filled(&self, text: &str, harvest: &Harvest, dice: &mut Dice) -> String {
        let one = |name: &str, dice: &mut Dice| match harvest.of(name, dice) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let company = dice.pick(&self.companies).clone();
        let contact = one("name", dice);
        let document = one("id", dice);
        text.replace("?contact", &contact).replace("?document", &document).replace("/?/", &format!("/{company}/"))
    }
}

impl Target for Control {
    async fn begin(&mut self, subject: &Subject, harvest: &mut Harvest) {
        self.companies = vec![subject.realm.clone(), subject.tenant.clone()];
        for company in &self.companies {
            for list in ["documents?limit=40", "contacts", "accounts"] {
                let answer = subject.fire(&Shot::get(format!("/_control/companies/{company}/{list}"))).await.and_then(|answer| answer.json());
                if let Some(mut answer) = answer {
                    for list in answer.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()).filter_map(Value::as_array_mut) {
                        list.truncate(40);
                    }
                    harvest.take_in(&answer);
                }
            }
        }
        for (_, _, body) in knobs() {
            harvest.take_in(&body);
        }
    }

    fn shot(&mut self, harvest: &Harvest, dice: &mut Dice) -> Shot {
        if dice.one_in(12) {
            let what = if dice.one_in(5) { dice.word(&ODD) } else { dice.word(&MISCHIEF) };
            let company = dice.pick(&self.companies).clone();
            let path = if dice.one_in(2) { "/mischief".to_owned() } else { format!("/companies/{company}/mischief") };
            return Shot::form(path, &[("what".into(), what.into())]);
        }
        let knobs = knobs();
        let (method, path, body) = dice.pick(&knobs).clone();
        let path = self.filled(path, harvest, dice);
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let steps: Vec<String> =
            path.split('/').map(|step| encoded(&[(step.to_owned(), String::new())]).trim_end_matches('=').replace('+', "%20")).collect();
        let mut body = body;
        let text = json::written(&body);
        if text.contains('?') {
            let company = dice.pick(&self.companies).clone();
            let text = self.filled(&text, harvest, dice).replace("\"?\"", &format!("\"{company}\""));
            body = serde_json::from_str(&text).unwrap_or(body);
        }
        let changes = dice.below(3);
        let body = json::written(&json::vary(&body, harvest, changes, dice));
        let body = if dice.one_in(20) { text::vary_bytes(body.as_bytes(), &WORDS, dice) } else { body.into_bytes() };
        let query = if dice.one_in(3) && !query.is_empty() { text::vary(query, &WORDS, dice) } else { query.to_owned() };
        let query: String = query.chars().filter(|one| one.is_ascii_graphic() && *one != '#').collect();
        let mark = if query.is_empty() { "" } else { "?" };
        Shot::json(method, format!("/_control/{}{mark}{query}", steps.join("/")), body)
    }

    fn words(&self) -> Vec<&str> {
        WORDS.to_vec()
    }

    fn patience(&self) -> u32 {
        150
    }

    fn breaks(&self) -> bool {
        true
    }

    fn sweeps(&self) -> bool {
        false
    }
}
