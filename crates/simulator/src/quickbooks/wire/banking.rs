//! Money that comes in or moves between own accounts: Deposit, Transfer.
use super::View;
use super::tree::{Json, Object};
use crate::books::{Document, Line};

/// Direct lines only: <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/deposit>.
pub fn deposit(view: &View, document: &Document) -> Object {
    let lines: Vec<Object> = document.lines.iter().map(|line| deposit_line(view, document, line)).collect();
    let object = Object::new().put_some("DepositToAccountRef", document.account.map(|account| view.account_reference(account)));
    let object = view.total(object, document);
    let object = Object(object.0.into_iter().chain(view.transaction(document).0).collect()).put("Line", lines);
    if document.taxes.is_empty() { object.put("TxnTaxDetail", Object::new()) } else { object.put("TxnTaxDetail", view.tax_detail(document)) }
}

fn deposit_line(view: &View, document: &Document, line: &Line) -> Object {
    let contact = line.contact.or(document.contact);
    let prefers_customer = true;
    let entity = contact.map(|id| view.contact_reference(id).put("type", view.contact_type(id, prefers_customer)));
    Object::new()
        .put("Id", line.id.to_string())
        .put("LineNum", Json::Number(line.id.to_string()))
        .put_text("Description", &line.description)
        .put("Amount", view.amount(document, line.amount))
        .put("LinkedTxn", Json::List(Vec::new()))
        .put("DetailType", "DepositLineDetail")
        .put(
            "DepositLineDetail",
            Object::new()
                .put_some("Entity", entity)
                .put_some("ClassRef", view.class(document, line))
                .put("AccountRef", view.account_reference(line.account)),
        )
}

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/transfer>.
pub fn transfer(view: &View, document: &Document) -> Object {
    let object = Object::new()
        .put_some("FromAccountRef", document.account.map(|account| view.account_reference(account)))
        .put_some("ToAccountRef", document.to_account.map(|account| view.account_reference(account)))
        .put("Amount", view.amount(document, view.books.total(document)));
    Object(object.0.into_iter().chain(view.transaction(document).0).collect())
}

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditcardpayment>: home currency only.
pub fn card_payment(view: &View, document: &Document) -> Object {
    let object = Object::new()
        .put_some("CreditCardAccountRef", document.to_account.map(|account| view.account_reference(account)))
        .put_some("BankAccountRef", document.account.map(|account| view.account_reference(account)))
        .put("Amount", view.amount(document, view.books.total(document)))
        .put_some("VendorRef", document.contact.map(|id| view.contact_reference(id)))
        .put_text("CheckNum", &document.details.payment_reference)
        .put("PrintStatus", "NotSet");
    Object(object.0.into_iter().chain(view.transaction(document).0).collect())
}
