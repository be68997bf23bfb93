//! Xero.

mod frame;
mod journals;
mod lists;
mod reports;
mod signing_in;
mod writing;

use std::ops::Deref;

use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{self, Answer, Kind, Needs, Provider, cents, new_name};

/// The organisation under test.
struct Organisation(Provider);

impl Deref for Organisation {
    type Target = Provider;
    fn deref(&self) -> &Provider {
        &self.0
    }
}

async fn organisation(needs: Needs) -> Option<Organisation> {
    provider::under_test(Kind::Xero, needs).await.map(Organisation)
}

impl Organisation {
    fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.request(method, &format!("{}/api.xro/2.0/{path}", self.base)).bearer_auth(&self.token);
        request.header("xero-tenant-id", &self.company).header("accept", "application/json")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.call(Method::GET, path)).await
    }

    async fn found(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// The list under its own name.
    async fn list(&self, path: &str) -> Vec<Value> {
        let key = path.split(['?', '/']).next().unwrap_or(path);
        let body = self.found(path).await;
        body[key].as_array().unwrap_or_else(|| panic!("{path} gives no {key}: {body}")).clone()
    }

    /// Every page of it.
    async fn all(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let mark = if path.contains('?') { '&' } else { '?' };
            let records = self.list(&format!("{path}{mark}page={page}&pageSize=1000")).await;
            let is_last = records.len() < 1_000;
            all.extend(records);
            if is_last {
                break;
            }
        }
        all
    }

    async fn one(&self, resource: &str, id: &Value) -> Value {
        self.list(&format!("{resource}/{}", id.as_str().expect("an id"))).await.remove(0)
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(self.call(method, path).json(body)).await
    }

    /// A record that must be made.
    async fn put(&self, path: &str, body: Value) -> Value {
        self.written(Method::PUT, path, body).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.written(Method::POST, path, body).await
    }

    async fn written(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.write(method, path, &body).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
        let below = path.rsplit('/').next().filter(|last| ["Allocations", "Options", "Contacts"].contains(last));
        let key = below.unwrap_or_else(|| path.split('/').next().unwrap_or(path));
        answer.json()[key][0].clone()
    }

    /// The code of the first active account of this type.
    async fn account(&self, account_type: &str) -> Value {
        let accounts = self.list("Accounts").await;
        let plain = |account: &&Value| account["SystemAccount"].as_str().unwrap_or_default().is_empty();
        let found = accounts.iter().filter(plain).find(|account| account["Type"] == account_type && account["Status"] == "ACTIVE");
        found.unwrap_or_else(|| panic!("the organisation has no account of type {account_type}")).clone()
    }

    /// An approved invoice (`ACCREC`) or bill (`ACCPAY`) of a contact of its own.
    async fn invoice(&self, kind: &str, cents: i64) -> Value {
        self.put("Invoices", self.document(kind, cents).await).await
    }

    async fn document(&self, kind: &str, cents: i64) -> Value {
        let account = self.account(if kind.starts_with("ACCREC") { "REVENUE" } else { "EXPENSE" }).await;
        let amount = cents / 100;
        json!({
            "Type": kind, "Contact": {"Name": new_name("Conformance Contact")}, "Date": self.day(0), "DueDate": self.day(14), "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax", "LineItems": [{"Description": "Rope", "Quantity": 1, "UnitAmount": amount, "AccountCode": account["Code"]}],
        })
    }

    /// So many days from now.
    fn day(&self, days: i64) -> String {
        use domain::clock::Clock;
        let today = domain::clock::SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        today.saturating_add(jiff::Span::new().days(days)).to_string()
    }

    async fn pay(&self, invoice: &Value, cents: i64) -> Value {
        let bank = self.account("BANK").await;
        let body = json!({
            "Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"AccountID": bank["AccountID"]}, "Amount": cents / 100, "Date": self.day(0),
        });
        self.put("Payments", body).await
    }

    async fn report(&self, name: &str, parameters: &str) -> Value {
        self.found(&format!("Reports/{name}?{parameters}")).await["Reports"][0].clone()
    }
}

/// Milliseconds of `/Date(1781488800000+0000)/`.
fn milliseconds(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no time"));
    text.trim_start_matches("/Date(").split(['+', ')']).next().and_then(|ms| ms.parse().ok()).unwrap_or_else(|| panic!("{text} is no time"))
}

fn encoded(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}
