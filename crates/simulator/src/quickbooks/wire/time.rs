//! TimeActivity.
use super::View;
use super::tree::{Object, reference};
use crate::books::lists::{DimensionRole, TimeActivity, Worker};

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/timeactivity>.
pub fn activity(view: &View, activity: &TimeActivity) -> Object {
    let lists = &view.books.lists;
    let object = Object::new().put("TxnDate", activity.date);
    let object = match activity.worker {
        Worker::Employee(id) => {
            let name = lists.employees.get(&id).map(|employee| view.shown_name(&employee.display_name, employee.stamp.active));
            object.put("NameOf", "Employee").put("EmployeeRef", reference(id, &name.unwrap_or_default()))
        }
        Worker::Vendor(id) => object.put("NameOf", "Vendor").put("VendorRef", view.contact_reference(id)),
    };
    let tracked = |role: DimensionRole| {
        let options = activity.tracking.iter().filter_map(|id| lists.options.get(id));
        let mut own = options.filter(|option| lists.dimensions.get(&option.dimension).is_some_and(|dimension| dimension.role == role));
        own.next().map(|option| view.tracking_reference(option))
    };
    let item = activity.item.and_then(|id| view.books.items.get(&id));
    let object = object
        .put_some("CustomerRef", activity.customer.map(|id| view.contact_reference(id)))
        .put_some("DepartmentRef", tracked(DimensionRole::Location))
        .put_some("ItemRef", item.map(|item| reference(item.id, &view.shown_name(&item.name, item.active))))
        .put_some("ClassRef", tracked(DimensionRole::Class))
        .put("BillableStatus", if activity.billable { "Billable" } else { "NotBillable" })
        .put("Taxable", false)
        .put("HourlyRate", activity.hourly_rate)
        .put("Hours", activity.minutes / 60)
        .put("Minutes", activity.minutes % 60)
        .put("Seconds", 0_i64)
        .put_text("Description", &activity.description);
    view.stamped(object, activity.id, &activity.stamp)
}
