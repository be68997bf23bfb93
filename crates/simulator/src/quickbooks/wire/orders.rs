//! Estimate, PurchaseOrder and RecurringTransaction: nothing of them posts.
use super::tree::{Json, Object};
use super::{View, purchases, sales};
use crate::books::Document;
use crate::books::lists::{DimensionRole, Every, Order, OrderKind, OrderStatus, Template};
use crate::quickbooks::rows;

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/estimate> and
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/purchaseorder>.
pub fn order(view: &View, order: &Order) -> Object {
    let document = order.as_document();
    let links: Vec<Object> = order.links.iter().filter_map(|id| view.link(*id)).collect();
    let object = match order.kind {
        OrderKind::Estimate => {
            let status = match order.status {
                OrderStatus::Accepted => "Accepted",
                OrderStatus::Declined => "Rejected",
                OrderStatus::Closed => "Closed",
                _ => "Pending",
            };
            let object = view.transaction(&document).put("TxnStatus", status).put_some("ExpirationDate", order.expiry);
            sales::order(view, object, &document, links)
        }
        OrderKind::PurchaseOrder => {
            let status = if matches!(order.status, OrderStatus::Closed | OrderStatus::Declined) { "Closed" } else { "Open" };
            let object = view.transaction(&document).put("POStatus", status).put_some("DueDate", order.expiry);
            let class = view.books.tracked(&document, None, DimensionRole::Class).map(|option| view.tracking_reference(option));
            purchases::order(view, object.put_some("ClassRef", class), &document, links)
        }
    };
    view.stamped(object, order.id, &order.stamp)
}

/// "Wrapper with one typed entity inside, carrying RecurDataRef and RecurringInfo. The inner Id is the template's own id" (contract 7.5).
pub fn template(view: &View, template: &Template) -> Object {
    let document = Document { id: template.id, ..view.books.unentered(&template.document, template.stamp.created_at) };
    let interval = match template.every {
        Every::Week => "Weekly",
        Every::Month => "Monthly",
        Every::Year => "Yearly",
    };
    let schedule = Object::new()
        .put("IntervalType", interval)
        .put("NumInterval", template.count)
        .put("DayOfMonth", i64::from(template.starts.day()))
        .put("DaysBefore", 0_i64)
        .put("StartDate", template.starts)
        .put_some("NextDate", template.next)
        .put_some("PreviousDate", template.previous);
    let info = Object::new()
        .put("Name", template.name.clone())
        .put("RecurType", if template.is_automated { "Automated" } else { "Reminded" })
        .put("Active", template.stamp.active)
        .put("ScheduleInfo", schedule);
    let mut inner = view.content(&document);
    // A template has neither a number nor anything open.
    inner.0.retain(|(key, _)| !matches!(*key, "DocNumber" | "Balance" | "HomeBalance" | "DueDate"));
    let inner = inner.put("RecurDataRef", Object::new().put("value", template.id.to_string())).put("RecurringInfo", info);
    let inner = view.stamped(inner, template.id, &template.stamp);
    Object::new().put(rows::entity_of(&document).key(), Json::Object(inner))
}
