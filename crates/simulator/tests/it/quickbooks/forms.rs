//! XML bodies, printing and sending, and what a batch can ask besides records.
use super::*;
use serde_json::json;

impl Running {
    async fn post_xml(&self, tokens: &Tokens, path: &str, body: &str) -> Answer {
        let request = self.http.post(format!("{}/v3/company/{}/{path}", self.base, tokens.realm));
        let request = request.bearer_auth(&tokens.access).header("accept", "application/xml").header("content-type", "application/xml");
        self.send(request.body(body.to_owned())).await
    }
}

// quickbooks fact 28
#[tokio::test]
async fn records_are_created_changed_and_deleted_in_xml() {
    let shop = shop();
    let customer = shop.customer;
    let running = start(vec![shop.books]).await;
    let tokens = running.connect(SHOP).await;
    let line =
        "<Line><Amount>120.50</Amount><DetailType>SalesItemLineDetail</DetailType><SalesItemLineDetail><Qty>1</Qty></SalesItemLineDetail></Line>";
    let sent = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Invoice xmlns=\"http://schema.intuit.com/finance/v3\">{line}<CustomerRef name=\"Amy\">{customer}\
         </CustomerRef><CustomerMemo>Thank you &amp; come again</CustomerMemo></Invoice>"
    );
    let made = running.post_xml(&tokens, "invoice", &sent).await;
    assert_eq!((made.status, made.header("content-type")), (200, "application/xml;charset=UTF-8"), "{}", made.text);
    assert!(made.text.contains("<TotalAmt>120.50</TotalAmt>") && made.text.contains("Thank you &amp; come again"), "{}", made.text);
    let rows = running.rows(&tokens, "Invoice", "").await;
    assert_eq!(rows[0]["CustomerMemo"]["value"], "Thank you & come again");
    let id = rows[0]["Id"].as_str().unwrap();
    let sparse = format!(
        "<Invoice xmlns=\"http://schema.intuit.com/finance/v3\" sparse=\"true\"><Id>{id}</Id><SyncToken>0</SyncToken><PrivateNote>Paid in cash</PrivateNote></Invoice>"
    );
    let changed = running.post_xml(&tokens, "invoice", &sparse).await;
    assert!(changed.status == 200 && changed.text.contains("<SyncToken>1</SyncToken>"), "{}", changed.text);
    let stale = running.post_xml(&tokens, "invoice", &sparse).await;
    assert!(stale.status == 400 && stale.text.contains("code=\"5010\"") && stale.text.contains("<Fault type=\"ValidationFault\">"), "{}", stale.text);
    for (bad, code) in [
        ("<Invoice><Horn>1</Horn></Invoice>", "2010"),
        ("<Bill><Id>1</Id></Bill>", "2010"),
        ("<Invoice>", "2010"),
        ("<Invoice><TotalAmt>many</TotalAmt></Invoice>", "2010"),
    ] {
        let refused = running.post_xml(&tokens, "invoice", bad).await;
        assert!(refused.status == 400 && refused.text.contains(&format!("code=\"{code}\"")), "{bad}: {}", refused.text);
    }
    let delete = format!("<Invoice><Id>{id}</Id><SyncToken>1</SyncToken></Invoice>");
    let gone = running.post_xml(&tokens, "invoice?operation=delete", &delete).await;
    assert!(gone.status == 200 && gone.text.contains("status=\"Deleted\""), "{}", gone.text);
    let batch = "<IntuitBatchRequest xmlns=\"http://schema.intuit.com/finance/v3\"><BatchItemRequest bId=\"b1\" operation=\"create\"><Class><Name>North</Name>\
                 </Class></BatchItemRequest><BatchItemRequest bId=\"b2\"><Query>select * from Class</Query></BatchItemRequest></IntuitBatchRequest>";
    let answered = running.post_xml(&tokens, "batch", batch).await;
    assert!(
        answered.status == 200 && answered.text.matches("<Name>North</Name>").count() == 2 && answered.text.contains("bId=\"b2\""),
        "{}",
        answered.text
    );
}

#[tokio::test]
async fn a_batch_asks_for_changes_and_reports_too() {
    let company = made_up(5);
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let items = json!({"BatchItemRequest": [
        {"bId": "1", "CDCQuery": {"Entities": "Invoice,Customer", "ChangedSince": "2025-06-01T00:00:00Z"}},
        {"bId": "2", "ReportQuery": "TrialBalance?start_date=2025-01-01&end_date=2025-05-31"},
        {"bId": "3", "ReportQuery": "Horoscope"},
    ]});
    let answer = running.post(&tokens, "batch", &items).await.json();
    let alone = running.get(&tokens, "cdc?entities=Invoice,Customer&changedSince=2025-06-01T00:00:00Z").await.json();
    assert_eq!(answer["BatchItemResponse"][0]["CDCResponse"], alone["CDCResponse"]);
    let alone = running.get(&tokens, "reports/TrialBalance?start_date=2025-01-01&end_date=2025-05-31").await.json();
    assert_eq!(answer["BatchItemResponse"][1]["Report"], alone);
    assert_eq!(answer["BatchItemResponse"][2]["Fault"]["Error"][0]["code"], "500");
}

#[tokio::test]
async fn forms_are_printed_and_sent_and_forty_mails_a_day_are_the_most() {
    let mut shop = shop();
    let invoice = shop.invoice(date(2025, 6, 1), 5_000);
    let id = shop.books.add_document(invoice, now()).unwrap();
    let bill = shop.bill(date(2025, 6, 1), 5_000);
    let bill = shop.books.add_document(bill, now()).unwrap();
    let running = start(vec![shop.books]).await;
    let tokens = running.connect(SHOP).await;
    let url = format!("{}/v3/company/{SHOP}/invoice/{id}/pdf", running.base);
    let printed = running.http.get(url).bearer_auth(&tokens.access).header("accept", "application/pdf").send().await.unwrap();
    assert_eq!((printed.status().as_u16(), printed.headers()["content-type"].to_str().unwrap()), (200, "application/pdf"));
    let file = printed.bytes().await.unwrap();
    assert!(file.starts_with(b"%PDF-") && String::from_utf8_lossy(&file).contains("Amy's Bird Sanctuary"));
    assert_eq!(running.get(&tokens, &format!("bill/{bill}/pdf")).await.code(), "500", "bills are not printed");
    assert_eq!(running.get(&tokens, "invoice/999999/pdf").await.code(), "610");

    let sent = running.post(&tokens, &format!("invoice/{id}/send?sendTo=amy@home.example"), &json!({})).await.json();
    let invoice = &sent["Invoice"];
    assert_eq!((invoice["EmailStatus"].as_str(), invoice["BillEmail"]["Address"].as_str()), (Some("EmailSent"), Some("amy@home.example")));
    assert!(invoice["DeliveryInfo"]["DeliveryTime"].is_string() && invoice["SyncToken"] == "1");
    for _ in 1..40 {
        assert_eq!(running.post(&tokens, &format!("invoice/{id}/send"), &json!({})).await.status, 200);
    }
    let refused = running.post(&tokens, &format!("invoice/{id}/send"), &json!({})).await;
    assert!(refused.status == 400 && refused.detail().contains("at most 40 e-mails a day"), "{}", refused.text);
    running.advance(86_400);
    let tokens = running.connect(SHOP).await;
    assert_eq!(running.post(&tokens, &format!("invoice/{id}/send"), &json!({})).await.status, 200, "the next day");
}

// quickbooks fact 27
#[tokio::test]
async fn answers_carry_the_headers_that_were_recorded() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let answer = running.get(&tokens, "companyinfo/1").await;
    assert_eq!(answer.header("content-type"), "application/json;charset=UTF-8");
    assert_eq!(answer.header("cache-control"), "max-age=0, no-cache, no-store, must-revalidate, private");
    assert_eq!((answer.header("expires"), answer.header("server")), ("0", "nginx"));
    for name in ["qbo-version", "service-time", "strict-transport-security", "x-spanid", "x-amzn-trace-id"] {
        assert!(!answer.header(name).is_empty(), "{name}");
    }
    let other = running.get(&tokens, "companyinfo/1").await;
    assert!(answer.header("intuit_tid") != other.header("intuit_tid") && answer.header("x-spanid") != other.header("x-spanid"));
}
