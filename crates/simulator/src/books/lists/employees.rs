//! People on the payroll and the time they record. Wages themselves are journals.
use super::Stamp;
use crate::books::{Books, ContactId, ItemId};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employee {
    pub id: u64,
    pub given_name: String,
    pub family_name: String,
    pub display_name: String,
    pub email: String,
    pub hired: Option<Date>,
    pub released: Option<Date>,
    pub stamp: Stamp,
}

/// Who worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    Employee(u64),
    Vendor(ContactId),
}

/// Hours worked on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeActivity {
    pub id: u64,
    pub date: Date,
    pub worker: Worker,
    pub customer: Option<ContactId>,
    pub item: Option<ItemId>,
    pub minutes: i64,
    pub hourly_rate: Cents,
    pub billable: bool,
    pub tracking: Vec<u64>,
    pub description: String,
    pub stamp: Stamp,
}

impl Books {
    pub fn add_employee(&mut self, given_name: impl Into<String>, family_name: impl Into<String>, email: impl Into<String>, now: Timestamp) -> u64 {
        let id = self.take_id();
        let (given_name, family_name) = (given_name.into(), family_name.into());
        let display_name = format!("{given_name} {family_name}").trim().to_owned();
        let employee =
            Employee { id, given_name, family_name, display_name, email: email.into(), hired: None, released: None, stamp: Stamp::new(now) };
        self.lists.employees.insert(id, employee);
        id
    }

    pub fn add_time_activity(&mut self, date: Date, worker: Worker, minutes: i64, now: Timestamp) -> u64 {
        let id = self.take_id();
        let activity = TimeActivity {
            id,
            date,
            worker,
            customer: None,
            item: None,
            minutes,
            hourly_rate: Cents::ZERO,
            billable: false,
            tracking: Vec::new(),
            description: String::new(),
            stamp: Stamp::new(now),
        };
        self.lists.time_activities.insert(id, activity);
        id
    }
}
