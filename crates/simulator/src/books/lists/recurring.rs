//! Templates from which documents are made again and again. A template is no document and posts nothing.
use super::Stamp;
use crate::books::{Books, NewDocument};
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Debug)]
pub struct Template {
    pub id: u64,
    pub name: String,
    pub document: NewDocument,
    /// True: documents are made by themselves; false: a person is reminded.
    pub is_automated: bool,
    pub every: Every,
    pub count: i64,
    pub starts: Date,
    pub next: Option<Date>,
    pub previous: Option<Date>,
    pub stamp: Stamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Week,
    Month,
    Year,
}

impl Books {
    /// `document.date` is the day of the first document.
    pub fn add_template(&mut self, name: impl Into<String>, document: NewDocument, every: Every, is_automated: bool, now: Timestamp) -> u64 {
        let id = self.take_id();
        let starts = document.date;
        let template = Template {
            id,
            name: name.into(),
            document,
            is_automated,
            every,
            count: 1,
            starts,
            next: Some(starts),
            previous: None,
            stamp: Stamp::new(now),
        };
        self.lists.templates.insert(id, template);
        id
    }
}
