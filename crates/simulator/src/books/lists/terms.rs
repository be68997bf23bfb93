//! When and how documents are paid: payment terms and payment methods.
use super::Stamp;
use crate::books::Books;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub id: u64,
    pub name: String,
    pub due: Due,
    /// Discount for early payment, in hundredths of a per cent.
    pub discount_basis_points: i64,
    /// Days (or, for a day of the month, the day) until which the discount is given.
    pub discount_days: Option<i64>,
    pub stamp: Stamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// So many days after the document.
    Days(i64),
    /// On this day of the month; of the month after if the document is closer to it than `next_month_within` days.
    DayOfMonth { day: i8, next_month_within: i64 },
}

impl Due {
    pub fn on(self, date: Date) -> Date {
        match self {
            Due::Days(days) => date.saturating_add(jiff::Span::new().days(days.clamp(0, 3_650))),
            Due::DayOfMonth { day, next_month_within } => {
                let in_month = |first: Date| first.with().day(day.clamp(1, first.days_in_month())).build().unwrap_or(first);
                let due = in_month(date.first_of_month());
                let too_close = date.saturating_add(jiff::Span::new().days(next_month_within.clamp(0, 366))) > due;
                if too_close { in_month(date.first_of_month().saturating_add(jiff::Span::new().months(1))) } else { due }
            }
        }
    }
}

/// How money was paid: cash, a cheque, a card brand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMethod {
    pub id: u64,
    pub name: String,
    pub is_credit_card: bool,
    pub stamp: Stamp,
}

impl Books {
    pub fn add_term(&mut self, name: impl Into<String>, due: Due, now: Timestamp) -> u64 {
        let id = self.take_id();
        let term = Term { id, name: name.into(), due, discount_basis_points: 0, discount_days: None, stamp: Stamp::new(now) };
        self.lists.terms.insert(id, term);
        id
    }

    pub fn add_payment_method(&mut self, name: impl Into<String>, is_credit_card: bool, now: Timestamp) -> u64 {
        let id = self.take_id();
        self.lists.payment_methods.insert(id, PaymentMethod { id, name: name.into(), is_credit_card, stamp: Stamp::new(now) });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn terms_give_the_day_a_document_is_due() {
        assert_eq!(Due::Days(30).on(date(2025, 1, 31)), date(2025, 3, 2));
        let twentieth = Due::DayOfMonth { day: 20, next_month_within: 5 };
        assert_eq!(twentieth.on(date(2025, 1, 10)), date(2025, 1, 20));
        assert_eq!(twentieth.on(date(2025, 1, 16)), date(2025, 2, 20));
        assert_eq!(Due::DayOfMonth { day: 31, next_month_within: 0 }.on(date(2025, 2, 3)), date(2025, 2, 28));
    }
}
