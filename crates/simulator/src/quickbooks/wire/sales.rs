//! What is sold and what customers pay: Invoice, CreditMemo, SalesReceipt, RefundReceipt, Payment.
use super::tree::{Json, Object, reference};
use super::{View, quantity};
use crate::books::{Document, Kind, Line, Status};
use crate::money::Cents;

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/most-commonly-used/invoice> and its three siblings, which share
/// one base.
pub fn sale(view: &View, document: &Document) -> Object {
    let books = view.books;
    let mut object = match document.kind {
        Kind::Invoice => Object::new()
            .put("AllowIPNPayment", false)
            .put("AllowOnlinePayment", false)
            .put("AllowOnlineCreditCardPayment", false)
            .put("AllowOnlineACHPayment", false),
        _ => Object::new(),
    };
    object.0.extend(view.transaction(document).0);
    object = object
        .put("CustomField", Json::List(Vec::new()))
        .put("LinkedTxn", view.links(document))
        .put("Line", lines(view, document))
        .put("TxnTaxDetail", view.tax_detail(document))
        .put_some("CustomerRef", document.contact.map(|id| view.contact_reference(id)));
    if document.kind == Kind::Invoice {
        object = object.put_some("SalesTermRef", view.term_reference(document.details.term)).put_some("DueDate", document.due_date);
    }
    object = view.total(object, document).put("ApplyTaxAfterDiscount", false).put("PrintStatus", "NeedToPrint").put("EmailStatus", "NotSet");
    if view.books.country != "US" {
        object = object.put("GlobalTaxCalculation", "TaxExcluded");
    }
    let email = document.contact.and_then(|id| books.contacts.get(&id)).map_or("", |contact| contact.email.as_str());
    if !email.is_empty() {
        object = object.put("BillEmail", Object::new().put("Address", email));
    }
    match document.kind {
        Kind::Invoice => view.balance(object, document),
        Kind::CreditMemo => view.balance(object, document).put("RemainingCredit", books.amount_due(document.id)),
        // DepositToAccountRef of a RefundReceipt is the account refunded from (contract 7.5).
        _ => object
            .put_some("PaymentMethodRef", view.payment_method_reference(document.details.payment_method))
            .put_text("PaymentRefNum", &document.details.payment_reference)
            .put_some("DepositToAccountRef", document.account.map(|account| view.account_reference(account)))
            .put("Balance", Cents::ZERO),
    }
}

fn lines(view: &View, document: &Document) -> Vec<Object> {
    let mut lines: Vec<Object> = document.lines.iter().map(|line| sale_line(view, document, line)).collect();
    lines.push(
        Object::new()
            .put("Amount", view.amount(document, view.books.net_total(document)))
            .put("DetailType", "SubTotalLineDetail")
            .put("SubTotalLineDetail", Object::new()),
    );
    lines
}

/// An estimate, which is like an invoice that nothing is owed on.
pub fn order(view: &View, object: Object, document: &Document, links: Vec<Object>) -> Object {
    let object = object
        .put("CustomField", Json::List(Vec::new()))
        .put("LinkedTxn", links)
        .put("Line", lines(view, document))
        .put("TxnTaxDetail", view.tax_detail(document))
        .put_some("CustomerRef", document.contact.map(|id| view.contact_reference(id)))
        .put_some("SalesTermRef", view.term_reference(document.details.term));
    let object = view.total(object, document).put("ApplyTaxAfterDiscount", false).put("PrintStatus", "NeedToPrint").put("EmailStatus", "NotSet");
    let email = document.contact.and_then(|id| view.books.contacts.get(&id)).map_or("", |contact| contact.email.as_str());
    if email.is_empty() { object } else { object.put("BillEmail", Object::new().put("Address", email)) }
}

fn sale_line(view: &View, document: &Document, line: &Line) -> Object {
    let item = line.item.and_then(|id| view.books.items.get(&id));
    let detail = Object::new()
        .put_some("ItemRef", item.map(|item| reference(item.id, &view.shown_name(&item.name, item.active))))
        .put_some("ClassRef", view.class(document, line))
        .put("UnitPrice", view.amount(document, line.unit_price))
        .put("Qty", if document.status == Status::Voided { quantity(0) } else { quantity(line.quantity_hundredths) })
        .put("ItemAccountRef", view.account_reference(line.account))
        .put("TaxCodeRef", view.tax_code(line));
    Object::new()
        .put("Id", line.id.to_string())
        .put("LineNum", Json::Number(line.id.to_string()))
        .put_text("Description", &line.description)
        .put("Amount", view.amount(document, line.amount))
        .put("LinkedTxn", Json::List(Vec::new()))
        .put("DetailType", "SalesItemLineDetail")
        .put("SalesItemLineDetail", detail)
        .put("CustomExtensions", Json::List(Vec::new()))
}

/// "Line[{Amount, LinkedTxn[{TxnId,TxnType}], LineEx}]; [] when unapplied" (contract 7.5). A payment that uses up a credit memo has a
/// line for it, with a positive amount.
pub fn payment(view: &View, document: &Document) -> Object {
    let object = Object::new()
        .put_some("CustomerRef", document.contact.map(|id| view.contact_reference(id)))
        .put_some("DepositToAccountRef", document.account.map(|account| Object::new().put("value", account.to_string())));
    let object = object
        .put_some("PaymentMethodRef", view.payment_method_reference(document.details.payment_method))
        .put_text("PaymentRefNum", &document.details.payment_reference);
    let object = view.total(object, document).put("UnappliedAmt", view.amount(document, document.unapplied)).put("ProcessPayment", false);
    let object = Object(object.0.into_iter().chain(view.transaction(document).0).collect());
    object.put("LinkedTxn", Json::List(Vec::new())).put("Line", applications(view, document))
}

/// The lines of a Payment or BillPayment.
pub fn applications(view: &View, document: &Document) -> Vec<Object> {
    if document.status != Status::Active {
        return Vec::new();
    }
    let line = |application: &crate::books::Application| {
        let link = view.link(application.document)?;
        let number = view.books.documents.get(&application.document).map_or("", |paid| paid.number.as_str());
        let mut values = vec![name_value("txnId", &application.document.to_string())];
        if !number.is_empty() {
            values.push(name_value("txnReferenceNumber", number));
        }
        Some(
            Object::new()
                .put("Amount", application.amount.abs())
                .put("LinkedTxn", vec![link])
                .put("LineEx", Object::new().put("any", Json::List(values))),
        )
    };
    document.applications.iter().filter_map(line).collect()
}

/// "Literally Java serialisation" (contract 7.3).
fn name_value(name: &str, value: &str) -> Json {
    Object::new()
        .put("name", "{http://schema.intuit.com/finance/v3}NameValue")
        .put("declaredType", "com.intuit.schema.finance.v3.NameValue")
        .put("scope", "javax.xml.bind.JAXBElement$GlobalScope")
        .put("value", Object::new().put("Name", name).put("Value", value))
        .put("nil", false)
        .put("globalScope", true)
        .put("typeSubstituted", false)
        .into()
}
