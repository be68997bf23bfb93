//! What is bought and how it is paid: Bill, VendorCredit, BillPayment, Purchase.
use super::tree::{Json, Object, reference};
use super::{View, quantity, sales};
use crate::books::{Document, Kind, Line, Status};
use crate::money::Cents;

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/bill>; a VendorCredit is the same without a due date.
pub fn bill(view: &View, document: &Document) -> Object {
    let object = match document.kind {
        Kind::Bill => Object::new().put_some("SalesTermRef", view.term_reference(document.details.term)).put_some("DueDate", document.due_date),
        _ => Object::new(),
    };
    let object = view.balance(object, document);
    let mut object = Object(object.0.into_iter().chain(view.transaction(document).0).collect())
        .put("LinkedTxn", view.links(document))
        .put("Line", lines(view, document, 1))
        .put_some("VendorRef", document.contact.map(|id| view.contact_reference(id)))
        .put_some("APAccountRef", document.account.map(|account| view.account_reference(account)));
    object = view.total(object, document);
    taxed(view, object, document)
}

/// A purchase order, which is like a bill that is not owed yet.
pub fn order(view: &View, object: Object, document: &Document, links: Vec<Object>) -> Object {
    let object = object
        .put("CustomField", Json::List(Vec::new()))
        .put("LinkedTxn", links)
        .put("Line", lines(view, document, 1))
        .put_some("VendorRef", document.contact.map(|id| view.contact_reference(id)))
        .put_some("APAccountRef", view.books.control_account(false, &document.currency).map(|account| view.account_reference(account)))
        .put_some("SalesTermRef", view.term_reference(document.details.term))
        .put("EmailStatus", "NotSet");
    taxed(view, view.total(object, document), document)
}

/// "PayType Check with CheckPayment or CreditCard with CreditCardPayment; Line links TxnType Bill or VendorCredit" (contract 7.5).
pub fn bill_payment(view: &View, document: &Document) -> Object {
    let object = Object::new().put_some("VendorRef", document.contact.map(|id| view.contact_reference(id)));
    let object = match document.account {
        Some(account) if view.is_card(document.account) => {
            object.put("PayType", "CreditCard").put("CreditCardPayment", Object::new().put("CCAccountRef", view.account_reference(account)))
        }
        Some(account) => object
            .put("PayType", "Check")
            .put("CheckPayment", Object::new().put("BankAccountRef", view.account_reference(account)).put("PrintStatus", "NotSet")),
        None => object,
    };
    let object = view.total(object, document);
    Object(object.0.into_iter().chain(view.transaction(document).0).collect()).put("Line", sales::applications(view, document))
}

/// Expense, check and card expense. A refund (a negative total) has `Credit` true and positive amounts (contract 7.5).
pub fn purchase(view: &View, document: &Document) -> Object {
    let total = view.books.total(document);
    let credit = total.0 < 0;
    let sign = if credit { -1 } else { 1 };
    let prefers_customer = false;
    let entity = document.contact.map(|id| view.contact_reference(id).put("type", view.contact_type(id, prefers_customer)));
    let object = Object::new()
        .put_some("AccountRef", document.account.map(|account| view.account_reference(account)))
        .put("PaymentType", if view.is_card(document.account) { "CreditCard" } else { "Cash" })
        .put_some("EntityRef", entity)
        .put("Credit", credit)
        .put("TotalAmt", view.amount(document, Cents(total.0 * sign)))
        .put_some("PaymentMethodRef", view.payment_method_reference(document.details.payment_method))
        .put_text("PaymentRefNum", &document.details.payment_reference)
        .put("PrintStatus", "NotSet");
    let object = Object(object.0.into_iter().chain(view.transaction(document).0).collect())
        .put("LinkedTxn", Json::List(Vec::new()))
        .put("Line", lines(view, document, sign));
    taxed(view, object, document)
}

/// Purchase tax exists outside the US (contract 7.6).
fn taxed(view: &View, object: Object, document: &Document) -> Object {
    let object = if document.taxes.is_empty() { object } else { object.put("TxnTaxDetail", view.tax_detail(document)) };
    if view.books.country == "US" { object } else { object.put("GlobalTaxCalculation", "TaxExcluded") }
}

fn lines(view: &View, document: &Document, sign: i64) -> Vec<Object> {
    document.lines.iter().map(|line| expense_line(view, document, line, sign)).collect()
}

/// By item when the line stands on its item's expense account, else by account.
fn expense_line(view: &View, document: &Document, line: &Line, sign: i64) -> Object {
    let item = line.item.and_then(|id| view.books.items.get(&id)).filter(|item| item.expense_account == Some(line.account));
    let object = Object::new()
        .put("Id", line.id.to_string())
        .put("LineNum", Json::Number(line.id.to_string()))
        .put_text("Description", &line.description)
        .put("Amount", view.amount(document, Cents(line.amount.0 * sign)))
        .put("LinkedTxn", Json::List(Vec::new()));
    match item {
        Some(item) => object.put("DetailType", "ItemBasedExpenseLineDetail").put(
            "ItemBasedExpenseLineDetail",
            Object::new()
                .put("BillableStatus", "NotBillable")
                .put_some("ClassRef", view.class(document, line))
                .put("ItemRef", reference(item.id, &view.shown_name(&item.name, item.active)))
                .put("UnitPrice", view.amount(document, line.unit_price))
                .put("Qty", if document.status == Status::Voided { quantity(0) } else { quantity(line.quantity_hundredths) })
                .put("TaxCodeRef", view.tax_code(line)),
        ),
        None => object.put("DetailType", "AccountBasedExpenseLineDetail").put(
            "AccountBasedExpenseLineDetail",
            Object::new()
                .put("AccountRef", view.account_reference(line.account))
                .put_some("ClassRef", view.class(document, line))
                .put("BillableStatus", "NotBillable")
                .put("TaxCodeRef", view.tax_code(line)),
        ),
    }
}
