//! QuickBooks Online.

mod access;
mod changes;
mod query;
mod reports;
mod signing_in;
mod writing;

use std::ops::Deref;

use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{self, Answer, Kind, Needs, Provider, cents, new_name};

/// The company under test.
struct Company(Provider);

impl Deref for Company {
    type Target = Provider;
    fn deref(&self) -> &Provider {
        &self.0
    }
}

async fn company(needs: Needs) -> Option<Company> {
    provider::under_test(Kind::QuickBooks, needs).await.map(Company)
}

/// Code and detail of a fault in either form.
fn fault(answer: &Answer) -> (String, String) {
    let body = answer.json();
    let text = |upper: &str, lower: &str| {
        let found = body.pointer(&format!("/Fault/Error/0/{upper}")).or_else(|| body.pointer(&format!("/fault/error/0/{lower}")));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    (text("code", "code"), text("Detail", "detail"))
}

impl Company {
    fn url(&self, path: &str) -> String {
        format!("{}/v3/company/{}/{path}", self.base, self.company)
    }

    fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request(method, &self.url(path)).bearer_auth(&self.token).header("accept", "application/json")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.call(Method::GET, path)).await
    }

    async fn found(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    async fn query(&self, statement: &str) -> Answer {
        self.send(self.call(Method::GET, "query").query(&[("query", statement), ("minorversion", "75")])).await
    }

    /// The whole `QueryResponse` of a statement that must succeed.
    async fn response(&self, statement: &str) -> Value {
        let answer = self.query(statement).await;
        assert_eq!(answer.status, 200, "{statement}: {}", answer.text);
        answer.json()["QueryResponse"].clone()
    }

    async fn rows(&self, entity: &str, rest: &str) -> Vec<Value> {
        let response = self.response(&format!("SELECT * FROM {entity} {rest}")).await;
        response.get(entity).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.call(Method::POST, path).json(body)).await
    }

    /// Saves a record that must be accepted.
    async fn save(&self, entity: &str, body: Value) -> Value {
        let answer = self.post(&entity.to_lowercase(), &body).await;
        assert_eq!(answer.status, 200, "{entity} {body}: {}", answer.text);
        answer.json()[entity].clone()
    }

    async fn refused(&self, path: &str, body: &Value) -> (String, String) {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
        fault(&answer)
    }

    async fn read(&self, entity: &str, id: &Value) -> Value {
        self.found(&format!("{}/{}", entity.to_lowercase(), id.as_str().expect("an id"))).await[entity].clone()
    }

    /// The report, whose every row is as wide as its columns.
    async fn report(&self, name: &str, parameters: &str) -> Value {
        let report = self.found(&format!("reports/{name}?{parameters}")).await;
        let width = report["Columns"]["Column"].as_array().expect("columns").len();
        every_row(&report["Rows"], &mut |row| {
            for cells in [&row["ColData"], &row["Header"]["ColData"], &row["Summary"]["ColData"]].into_iter().filter_map(Value::as_array) {
                assert_eq!(cells.len(), width, "{cells:?}");
                assert!(cells.iter().all(|cell| cell["value"].is_string()), "{cells:?}");
            }
        });
        report
    }

    /// A customer of the test's own.
    async fn customer(&self) -> Value {
        self.save("Customer", json!({"DisplayName": new_name("Conformance Customer")})).await
    }

    async fn vendor(&self) -> Value {
        self.save("Vendor", json!({"DisplayName": new_name("Conformance Vendor")})).await
    }

    /// An account of this type that the company has.
    async fn account(&self, account_type: &str) -> Value {
        let mut accounts = self.rows("Account", &format!("WHERE AccountType = '{account_type}' MAXRESULTS 1")).await;
        assert!(!accounts.is_empty(), "the company has no account of type {account_type}");
        accounts.remove(0)
    }

    /// What an invoice line sells.
    async fn item(&self) -> Value {
        let mut items = self.rows("Item", "WHERE Type = 'Service' MAXRESULTS 1").await;
        if items.is_empty() {
            let income = self.account("Income").await;
            let item = json!({"Name": new_name("Conformance Item"), "Type": "Service", "IncomeAccountRef": {"value": income["Id"]}});
            return self.save("Item", item).await;
        }
        items.remove(0)
    }

    async fn invoice(&self, customer: &Value, cents: i64) -> Value {
        let item = self.item().await;
        self.save("Invoice", sale(customer, &item, cents)).await
    }
}

/// The least body of a document that sells something for whole units.
fn sale(customer: &Value, item: &Value, cents: i64) -> Value {
    let detail = json!({"ItemRef": {"value": item["Id"]}});
    json!({
        "CustomerRef": {"value": customer["Id"]},
        "Line": [{"Amount": cents / 100, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}],
    })
}

fn purchase(vendor: &Value, account: &Value, cents: i64) -> Value {
    let detail = json!({"AccountRef": {"value": account["Id"]}});
    json!({
        "VendorRef": {"value": vendor["Id"]},
        "Line": [{"Amount": cents / 100, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": detail}],
    })
}

fn every_row(rows: &Value, look: &mut impl FnMut(&Value)) {
    for row in rows["Row"].as_array().map_or(&[][..], Vec::as_slice) {
        look(row);
        every_row(&row["Rows"], look);
    }
}

/// The row of this group, wherever it stands.
fn group(report: &Value, group: &str) -> Option<Value> {
    let mut found = None;
    every_row(&report["Rows"], &mut |row| {
        if row["group"] == group {
            found = Some(row.clone());
        }
    });
    found
}

/// The amount of a group's summary, or of its only row.
fn amount_of(report: &Value, name: &str) -> Option<i64> {
    let row = group(report, name)?;
    let cells = if row["Summary"].is_null() { &row["ColData"] } else { &row["Summary"]["ColData"] };
    Some(cents(&cells.as_array()?.last()?["value"]))
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["Id"].as_str().expect("an id").to_owned()).collect()
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
