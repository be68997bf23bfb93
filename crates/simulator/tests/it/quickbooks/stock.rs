//! Goods that are counted: what is on hand, what those that leave cost, and bundles of them.
use super::*;
use serde_json::json;

struct Store {
    running: Running,
    tokens: Tokens,
    customer: u64,
    vendor: u64,
    cost: u64,
    asset: u64,
    bank: u64,
    sales: u64,
}

async fn store() -> Store {
    let mut shop = shop();
    let at = now();
    let cost = shop.books.add_account("Cost of Goods Sold", "5000", AccountType::CostOfSales, None, None, at);
    let asset = shop.books.add_account("Inventory Asset", "1300", AccountType::Inventory, None, None, at);
    let (customer, vendor, bank, sales) = (shop.customer, shop.vendor, shop.bank, shop.sales);
    let running = start(vec![shop.books]).await;
    let tokens = running.connect(SHOP).await;
    Store { running, tokens, customer, vendor, cost, asset, bank, sales }
}

impl Store {
    async fn item(&self, name: &str, quantity: &str, cost: &str) -> String {
        let body = json!({"Name": name, "Type": "Inventory", "TrackQtyOnHand": true, "QtyOnHand": quantity, "InvStartDate": "2025-01-01", "UnitPrice": 50,
            "PurchaseCost": cost, "IncomeAccountRef": {"value": self.sales.to_string()}, "ExpenseAccountRef": {"value": self.cost.to_string()},
            "AssetAccountRef": {"value": self.asset.to_string()}});
        self.running.save(&self.tokens, "Item", body).await["Id"].as_str().unwrap().to_owned()
    }
    async fn buy(&self, item: &str, day: &str, quantity: i64, each: i64) -> Value {
        let detail = json!({"ItemRef": {"value": item}, "Qty": quantity, "UnitPrice": each});
        let line = json!({"Amount": quantity * each, "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail});
        self.running.save(&self.tokens, "Bill", json!({"VendorRef": {"value": self.vendor.to_string()}, "TxnDate": day, "Line": [line]})).await
    }
    async fn sell(&self, item: &str, day: &str, quantity: i64) -> Value {
        let detail = json!({"ItemRef": {"value": item}, "Qty": quantity, "UnitPrice": 50});
        let line = json!({"Amount": quantity * 50, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail});
        self.running.save(&self.tokens, "Invoice", json!({"CustomerRef": {"value": self.customer.to_string()}, "TxnDate": day, "Line": [line]})).await
    }
    fn balance(&self, account: u64) -> Cents {
        self.running.sandbox.read(|state| state.companies[SHOP].balances_at(date(2199, 1, 1)).get(&account).copied().unwrap_or_default())
    }
    async fn on_hand(&self, item: &str) -> String {
        self.running.get(&self.tokens, &format!("item/{item}")).await.json()["Item"]["QtyOnHand"].to_string()
    }
    fn assert_sound(&self) {
        self.running.sandbox.read(|state| {
            let books = &state.companies[SHOP];
            assert!(books.balances_at(date(2199, 1, 1)).into_values().sum::<Cents>().is_zero());
            assert!(books.on(simulator::books::Basis::Cash).balances_at(date(2199, 1, 1)).into_values().sum::<Cents>().is_zero());
            let mut current = std::collections::BTreeMap::new();
            for posting in books.documents.values().flat_map(|document| books.postings(document)) {
                *current.entry(posting.account).or_insert(Cents::ZERO) += posting.amount;
            }
            current.retain(|_, amount: &mut Cents| !amount.is_zero());
            assert_eq!(books.balances_at(date(2199, 1, 1)), current);
            let value: Cents = books.counted_items().map(|item| books.on_hand_at(item, date(2199, 1, 1)).1).sum();
            assert_eq!(books.balances_at(date(2199, 1, 1)).get(&self.asset).copied().unwrap_or_default(), value);
        });
    }
}

// quickbooks fact 88
#[tokio::test]
async fn what_came_first_is_sold_first_at_what_it_cost() {
    let store = store().await;
    let item = store.item("Kayak", "10", "20").await;
    assert_eq!((store.on_hand(&item).await, store.balance(store.asset)), ("10".into(), Cents(20_000)));
    store.buy(&item, "2025-02-01", 10, 25).await;
    let invoice = store.sell(&item, "2025-03-01", 12).await;
    assert_eq!((store.balance(store.cost), store.balance(store.asset)), (Cents(25_000), Cents(20_000)), "ten at 20 and two at 25");
    assert_eq!(store.on_hand(&item).await, "8");
    assert!(!invoice.to_string().contains("250"), "the cost is in no answer: {invoice}");
    store.assert_sound();

    // a purchase dated before the sale makes what was sold cheaper, and the invoice is as it was
    let token = store.running.rows(&store.tokens, "Invoice", "").await[0]["SyncToken"].clone();
    store.buy(&item, "2025-01-15", 4, 10).await;
    assert_eq!(store.balance(store.cost), Cents(10 * 2_000 + 2 * 1_000));
    assert_eq!(store.running.rows(&store.tokens, "Invoice", "").await[0]["SyncToken"], token);
    store.assert_sound();

    // the sale is taken back
    let void = json!({"Id": invoice["Id"], "SyncToken": token});
    assert_eq!(store.running.post(&store.tokens, "invoice?operation=void", &void).await.status, 200);
    assert_eq!((store.balance(store.cost), store.on_hand(&item).await.as_str()), (Cents::ZERO, "24"));
    store.assert_sound();
}

#[tokio::test]
async fn returns_recounts_and_credits_move_goods_and_their_value() {
    let store = store().await;
    let item = store.item("Paddle", "5", "8").await;
    store.sell(&item, "2025-03-01", 7).await;
    assert_eq!(
        (store.balance(store.cost), store.on_hand(&item).await.as_str()),
        (Cents(5_600), "-2"),
        "what is not there costs what it costs to buy"
    );
    store.buy(&item, "2025-03-05", 10, 11).await;
    assert_eq!(store.balance(store.cost), Cents(5 * 800 + 2 * 1_100), "the goods that came fill the gap");
    store.assert_sound();
    let adjust = json!({"AdjustAccountRef": {"value": store.cost.to_string()}, "TxnDate": "2025-04-01", "Line": [{"DetailType": "ItemAdjustmentLineDetail",
        "ItemAdjustmentLineDetail": {"ItemRef": {"value": item}, "QtyDiff": -3}}]});
    let adjusted = store.running.save(&store.tokens, "InventoryAdjustment", adjust).await;
    assert!(adjusted["Line"][0].get("Amount").is_none());
    assert_eq!((store.balance(store.cost), store.on_hand(&item).await.as_str()), (Cents(9_500), "5"));
    let line =
        json!({"Amount": 100, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": item}, "Qty": 2, "UnitPrice": 50}});
    let back = json!({"CustomerRef": {"value": store.customer.to_string()}, "TxnDate": "2025-04-02", "Line": [line]});
    store.running.save(&store.tokens, "CreditMemo", back).await;
    assert_eq!((store.balance(store.cost), store.on_hand(&item).await.as_str()), (Cents(7_300), "7"));
    let detail = json!({"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": 12});
    let line = json!({"Amount": 12, "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail});
    store
        .running
        .save(&store.tokens, "VendorCredit", json!({"VendorRef": {"value": store.vendor.to_string()}, "TxnDate": "2025-04-03", "Line": [line]}))
        .await;
    assert_eq!((store.balance(store.cost), store.on_hand(&item).await.as_str()), (Cents(7_200), "6"), "a dollar more than it had cost");
    store.assert_sound();
    let answer =
        store.running.get(&store.tokens, "reports/GeneralLedger?start_date=2025-01-01&end_date=2025-12-31&columns=txn_type,subt_nat_amount").await;
    assert!(answer.text.contains("Inventory Starting Value") && answer.text.contains("Inventory Qty Adjust"), "{}", answer.text);
    assert!(store.running.rows(&store.tokens, "JournalEntry", "").await.is_empty(), "reports only");
}

#[tokio::test]
async fn a_bundle_is_written_with_what_it_holds_and_sent_back_as_it_was() {
    let store = store().await;
    let (kayak, paddle) = (store.item("Kayak", "10", "20").await, store.item("Paddle", "10", "5").await);
    let held = json!({"ItemGroupLine": [{"ItemRef": {"value": kayak}, "Qty": 1}, {"ItemRef": {"value": paddle}, "Qty": 2}]});
    let bundle = store.running.save(&store.tokens, "Item", json!({"Name": "Kayak set", "Type": "Group", "ItemGroupDetail": held})).await;
    let group = json!({"GroupItemRef": {"value": bundle["Id"]}, "Quantity": 2});
    let line = json!({"DetailType": "GroupLineDetail", "Description": "For the lake", "GroupLineDetail": group});
    let customer = json!({"value": store.customer.to_string()});
    let invoice = store.running.save(&store.tokens, "Invoice", json!({"CustomerRef": customer, "TxnDate": "2025-03-01", "Line": [line]})).await;
    let lines = invoice["Line"].as_array().unwrap();
    assert_eq!((lines[0]["DetailType"].as_str(), cents(&lines[0]["Amount"])), (Some("GroupLineDetail"), Cents(30_000)));
    let inside = lines[0]["GroupLineDetail"]["Line"].as_array().unwrap();
    assert_eq!(inside.len(), 2);
    assert_eq!((inside[1]["SalesItemLineDetail"]["Qty"].to_string(), cents(&inside[1]["Amount"])), ("4".into(), Cents(20_000)));
    assert_eq!((cents(&invoice["TotalAmt"]), lines.last().unwrap()["DetailType"].as_str()), (Cents(30_000), Some("SubTotalLineDetail")));
    assert_eq!((store.balance(store.cost), store.on_hand(&paddle).await.as_str()), (Cents(2 * 2_000 + 4 * 500), "6"));
    let again = store.running.save(&store.tokens, "Invoice", invoice.clone()).await;
    assert_eq!((&again["Line"], &again["SyncToken"]), (&invoice["Line"], &invoice["SyncToken"]), "as it was");
    let mut cheaper = invoice.clone();
    cheaper["Line"][0]["GroupLineDetail"]["Line"][0]["Amount"] = json!(80);
    cheaper["Line"][0]["GroupLineDetail"]["Line"][0]["SalesItemLineDetail"]["UnitPrice"] = json!(40);
    let cheaper = store.running.save(&store.tokens, "Invoice", cheaper).await;
    assert_eq!((cents(&cheaper["TotalAmt"]), cents(&cheaper["Line"][0]["Amount"])), (Cents(28_000), Cents(28_000)));
    store.assert_sound();
    let plain = json!({"CustomerRef": {"value": store.customer.to_string()}, "Line": [{"DetailType": "GroupLineDetail",
        "GroupLineDetail": {"GroupItemRef": {"value": kayak}}}]});
    let refused = store.running.post(&store.tokens, "invoice", &plain).await;
    assert!(refused.status == 400 && refused.detail().contains("is not a bundle"), "{}", refused.text);
    let _ = store.bank;
}
