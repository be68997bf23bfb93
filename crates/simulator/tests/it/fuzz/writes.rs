//! Bodies of everything that can be written at either provider, made from its own records.
use super::dice::Dice;
use super::json::{self, Harvest};
use super::shot::{Shot, encoded};
use super::subject::Subject;
use super::{Target, filters, query, text};
use serde_json::{Map, Value, json};
use simulator::books::Face;
use std::collections::BTreeMap;

pub struct Writes {
    face: Face,
    root: String,
    records: BTreeMap<String, Vec<Value>>,
}

pub fn quickbooks() -> Writes {
    Writes { face: Face::QuickBooks, root: String::new(), records: BTreeMap::new() }
}

pub fn xero() -> Writes {
    Writes { face: Face::Xero, root: String::new(), records: BTreeMap::new() }
}

const WORDS: [&str; 30] = [
    "Invoice",
    "Bill",
    "Check",
    "CreditCard",
    "Debit",
    "Credit",
    "Vendor",
    "Employee",
    "Customer",
    "Service",
    "Inventory",
    "SalesItemLineDetail",
    "AccountBasedExpenseLineDetail",
    "AUTHORISED",
    "DRAFT",
    "SUBMITTED",
    "VOIDED",
    "DELETED",
    "PAID",
    "ACCREC",
    "ACCPAY",
    "SPEND",
    "RECEIVE",
    "RECEIVE-OVERPAYMENT",
    "Inclusive",
    "Exclusive",
    "NoTax",
    "OUTPUT2",
    "NONE",
    "EUR",
];

/// What Xero takes records of.
const WRITABLE: [&str; 17] = [
    "Accounts",
    "Contacts",
    "Items",
    "TaxRates",
    "Currencies",
    "Invoices",
    "CreditNotes",
    "Payments",
    "BankTransactions",
    "BankTransfers",
    "ManualJournals",
    "BatchPayments",
    "PurchaseOrders",
    "Quotes",
    "ContactGroups",
    "LinkedTransactions",
    "TrackingCategories",
];

/// What a record has only after it was saved.
const OF_SAVED: [&str; 12] = [
    "Id",
    "SyncToken",
    "MetaData",
    "LinkedTxn",
    "Balance",
    "InvoiceID",
    "CreditNoteID",
    "PaymentID",
    "BankTransactionID",
    "BankTransferID",
    "ManualJournalID",
    "UpdatedDateUTC",
];

impl Writes {
    fn record(&self, entity: &str, harvest: &Harvest, dice: &mut Dice) -> Value {
        let known = self.records.get(entity).map(Vec::as_slice).unwrap_or_default();
        let mut record = if known.is_empty() { Value::Object(Map::new()) } else { dice.pick(known).clone() };
        if let Value::Object(fields) = &mut record {
            if dice.one_in(2) {
                fields.retain(|name, _| !(OF_SAVED.contains(&name.as_str()) || name.ends_with("Number") || name == "DocNumber"));
                // names are unique
                for name in ["Name", "DisplayName", "FullyQualifiedName", "Code"] {
                    if let Some(Value::String(text)) = fields.get_mut(name)
                        && !dice.one_in(4)
                    {
                        *text = format!("{text} {}", dice.below(100_000));
                    }
                }
            }
            if dice.one_in(6) && self.face == Face::QuickBooks {
                fields.insert("sparse".into(), true.into());
                let some: Vec<String> = fields.keys().filter(|name| !["Id", "SyncToken", "sparse"].contains(&name.as_str())).cloned().collect();
                some.iter().filter(|_| dice.one_in(2)).for_each(|name| drop(fields.remove(name)));
            }
        }
        let changes = dice.below(4);
        json::vary(&record, harvest, changes, dice)
    }

    fn entity(&self, dice: &mut Dice) -> String {
        if self.face == Face::Xero && !dice.one_in(12) {
            return dice.word(&WRITABLE).to_owned();
        }
        let names: Vec<&String> = self.records.keys().collect();
        (*dice.pick(&names)).clone()
    }

    fn at_quickbooks(&self, harvest: &Harvest, dice: &mut Dice) -> Shot {
        let entity = self.entity(dice);
        let record = self.record(&entity, harvest, dice);
        let (path, body) = match dice.below(16) {
            0 => {
                let items: Vec<Value> = (0..dice.mostly_below(5, 20, 40))
                    .map(|at| {
                        let entity = self.entity(dice);
                        let operation = dice.word(&["create", "update", "delete", "query", "void", "x"]);
                        let mut item = json!({"bId": format!("b{}", at % 3), "operation": operation, &entity: self.record(&entity, harvest, dice)});
                        if operation == "query" {
                            item = json!({"bId": at.to_string(), "Query": format!("select * from {entity} maxresults 3")});
                        }
                        item
                    })
                    .collect();
                ("batch".to_owned(), json!({"BatchItemRequest": items}))
            }
            1 => {
                let detail = json!({"TaxRateName": format!("T{}", dice.below(1_000)), "RateValue": dice.below(120).to_string(), "TaxAgencyId": "1", "TaxApplicableOn": "Sales"});
                (
                    "taxservice/taxcode".to_owned(),
                    json::vary(&json!({"TaxCode": format!("T{}", dice.below(1_000)), "TaxRateDetails": [detail]}), harvest, dice.below(3), dice),
                )
            }
            2 => return self.upload(&record, dice),
            _ => (entity.to_lowercase(), record),
        };
        let mut pairs = Vec::new();
        match dice.below(8) {
            0 => pairs.push(("operation", "delete")),
            1 => pairs.push(("operation", "void")),
            2 => pairs.extend([("operation", "update"), ("include", "void")]),
            3 => pairs.extend([("operation", "update")]),
            4 => pairs.push(("include", "allowduplicatedocnum")),
            _ => {}
        }
        if dice.one_in(12) {
            pairs.push(("requestid", dice.word(&["a", "b", "c"])));
        }
        let pairs: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Shot::json("POST", format!("{}/{path}?{}", self.root, encoded(&pairs)), self.written(&entity, &body, dice))
    }

    fn upload(&self, record: &Value, dice: &mut Dice) -> Shot {
        let part = |name: &str, kind: &str, content: &str| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.pdf\"\r\nContent-Type: {kind}\r\n\r\n{content}\r\n")
        };
        let mut body =
            part("file_metadata_01", "application/json", &json::written(record)) + &part("file_content_01", "application/pdf", "%PDF") + "--edge--";
        if dice.one_in(2) {
            body = text::vary(&body, &["--edge", "\r\n\r\n", "name=\"", "file_content_02", "filename=", "Content-Transfer-Encoding: base64"], dice);
        }
        let shot = Shot { method: "POST".into(), path: format!("{}/upload", self.root), body: body.into_bytes(), ..Shot::default() };
        shot.with(
            "content-type",
            dice.word(&["multipart/form-data; boundary=edge", "multipart/form-data; boundary=\"edge\"", "multipart/form-data", "x"]),
        )
    }

    fn at_xero(&self, harvest: &Harvest, dice: &mut Dice) -> Shot {
        let resource = self.entity(dice);
        let guid =
            |name: &str, dice: &mut Dice| harvest.of(name, dice).as_str().map(|id| encoded(&[(id.to_owned(), String::new())])).unwrap_or_default();
        let id = |resource: &str, dice: &mut Dice| {
            let word = resource.trim_end_matches('s').replace("TrackingCategorie", "TrackingCategory");
            guid(&format!("{word}ID"), dice).trim_end_matches('=').to_owned()
        };
        let only_new = ["Accounts", "Currencies", "ContactGroups", "LinkedTransactions", "TrackingCategories"].contains(&resource.as_str());
        let method =
            if only_new { dice.word(&["PUT", "PUT", "PUT", "POST", "DELETE"]) } else { dice.word(&["PUT", "PUT", "POST", "POST", "POST", "DELETE"]) };
        let owner = id(&resource, dice);
        let amount = dice.word(&["1.00", "10", "0", "-5", "99999999", "0.01"]);
        let (path, body) = match dice.below(14) {
            0 => (format!("{resource}/{owner}/History"), json!({"HistoryRecords": [{"Details": dice.word(&text::ODD)}]})),
            1 => {
                let target = dice.word(&["CreditNotes", "Overpayments", "Prepayments"]);
                let allocation =
                    json!({"Amount": format!("#number {amount}"), "Date": "2025-05-05", "Invoice": {"InvoiceID": harvest.of("InvoiceID", dice)}});
                let of = id(target, dice);
                let below = if method == "DELETE" { format!("/{}", guid("AllocationID", dice)) } else { String::new() };
                (format!("{target}/{of}/Allocations{below}"), json!({"Allocations": [allocation]}))
            }
            2 => {
                let below = if dice.one_in(2) { format!("/{}", guid("TrackingOptionID", dice).trim_end_matches('=')) } else { String::new() };
                let category = id("TrackingCategories", dice);
                (
                    format!("TrackingCategories/{category}/Options{below}"),
                    json!({"Name": format!("O{}", dice.below(50)), "Status": dice.word(&["ACTIVE", "ARCHIVED"])}),
                )
            }
            3 => {
                let group = id("ContactGroups", dice);
                (format!("ContactGroups/{group}/Contacts"), json!({"Contacts": [{"ContactID": harvest.of("ContactID", dice)}]}))
            }
            4 => (format!("Invoices/{}/Email", id("Invoices", dice)), json!({})),
            5 => (format!("{resource}/{owner}/Attachments/{}", dice.word(&["a.pdf", "%00", "b%2Fc", "..%2f", "%e2%82%ac.txt"])), json!("file")),
            6 | 7 => (format!("{resource}/{owner}"), self.record(&resource, harvest, dice)),
            8 => (resource.clone(), Value::Array((0..dice.below(6)).map(|_| self.record(&resource, harvest, dice)).collect())),
            _ => {
                let many = if dice.one_in(4) { 1 + dice.below(4) } else { 1 };
                let records: Vec<Value> = (0..many).map(|_| self.record(&resource, harvest, dice)).collect();
                (resource.clone(), json!({&resource: records}))
            }
        };
        let body = if dice.one_in(5) { json::vary(&body, harvest, 1, dice) } else { body };
        let query = dice.word(&["", "", "?summarizeErrors=false", "?unitdp=4", "?summarizeErrors=x", "?includeOnline=true"]);
        let shot = Shot::json(method, format!("{}/{path}{query}", self.root), self.written(&resource, &body, dice));
        if dice.one_in(15) { shot.with("idempotency-key", dice.word(&["k1", "k2", "", "é"])) } else { shot }
    }

    fn written(&self, name: &str, body: &Value, dice: &mut Dice) -> Vec<u8> {
        match dice.below(40) {
            0 => json::as_xml(name, body).into_bytes(),
            1 => text::vary_bytes(json::written(body).as_bytes(), &WORDS, dice),
            _ => json::written(body).into_bytes(),
        }
    }
}

impl Target for Writes {
    async fn begin(&mut self, subject: &Subject, harvest: &mut Harvest) {
        let records = match self.face {
            Face::QuickBooks => query::records(subject, 40).await,
            Face::Xero => filters::records(subject, 40).await,
        };
        records.values().flatten().for_each(|record| harvest.take_in(record));
        self.root = if self.face == Face::Xero { "/api.xro/2.0".into() } else { format!("/v3/company/{}", subject.realm) };
        self.records = records;
    }

    fn shot(&mut self, harvest: &Harvest, dice: &mut Dice) -> Shot {
        if self.face == Face::Xero { self.at_xero(harvest, dice) } else { self.at_quickbooks(harvest, dice) }
    }

    fn words(&self) -> Vec<&str> {
        WORDS.to_vec()
    }
}
