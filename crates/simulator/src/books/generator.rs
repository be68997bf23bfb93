//! Books of imagined companies, made up deterministically from a seed: the same spec gives the same books, to the id.
mod chart;
mod dice;
mod lists;
mod routine;
mod stock;
mod trade;

use super::guid::{guid, mix};
use super::{Books, ContactId, DocumentId, Face, ItemId};
use crate::money::{Cents, Rate};
use chart::Chart;
pub use dice::Dice;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// What to make up.
#[derive(Clone, Debug)]
pub struct CompanySpec {
    pub name: String,
    /// ISO 3166 alpha-2; `US`, `NZ` and `GB` have their own taxes, all others a 10 % one.
    pub country: String,
    pub currency: String,
    pub time_zone: String,
    pub fiscal_year_start_month: i8,
    pub seed: u64,
    /// First day of the books: that of the opening balances.
    pub from: Date,
    /// Last day with documents.
    pub to: Date,
    /// About this many, payments included.
    pub documents_per_month: u32,
    /// Exactly this many in all (from 100), spread evenly over the days.
    pub documents: Option<u32>,
    pub second_currency: Option<SecondCurrency>,
    /// Goods are items with a quantity on hand; what is sold costs what it cost, line by line.
    pub tracks_inventory: bool,
    /// Xero: an expense claim is approved and half paid.
    pub classic_expenses: bool,
}

/// A foreign currency that some customers and suppliers use.
#[derive(Clone, Debug)]
pub struct SecondCurrency {
    pub code: String,
    /// Home units per foreign unit, around which each day's rate wanders.
    pub rate: Rate,
}

impl CompanySpec {
    /// A plain company of this face: QuickBooks in the US, Xero in New Zealand, 40 documents a month in one currency.
    pub fn plain(face: Face, seed: u64, from: Date, to: Date) -> CompanySpec {
        let (country, currency, time_zone, fiscal_year_start_month) = match face {
            Face::QuickBooks => ("US", "USD", "America/Los_Angeles", 1),
            Face::Xero => ("NZ", "NZD", "Pacific/Auckland", 4),
        };
        CompanySpec {
            name: format!("Imagined Company {seed}"),
            country: country.into(),
            currency: currency.into(),
            time_zone: time_zone.into(),
            fiscal_year_start_month,
            seed,
            from,
            to,
            documents_per_month: 40,
            documents: None,
            second_currency: None,
            tracks_inventory: false,
            classic_expenses: false,
        }
    }

    /// A plain company of exactly so many documents (from 100): three years of them, or fewer months where they are few.
    pub fn of_size(face: Face, seed: u64, documents: u32, to: Date) -> CompanySpec {
        let months = (documents / 25).clamp(1, 36);
        let from = to.saturating_sub(jiff::Span::new().months(i64::from(months))).first_of_month();
        CompanySpec { documents_per_month: (documents / months).max(1), documents: Some(documents), ..CompanySpec::plain(face, seed, from, to) }
    }

    /// `Books::id` of the company this spec gives.
    pub fn company_id(&self, face: Face) -> String {
        company_id(face, self.seed)
    }
}

/// A realm id or a tenant's guid.
pub(super) fn company_id(face: Face, seed: u64) -> String {
    match face {
        Face::QuickBooks => format!("9130{:012}", mix(seed) % 1_000_000_000_000),
        Face::Xero => guid(seed, "Organisation", 1),
    }
}

/// Makes the books up. Nothing is created after `now`, whatever `spec.to` says about dates.
pub fn generate(face: Face, spec: CompanySpec, now: Timestamp) -> Books {
    Maker::new(face, spec, now).run()
}

/// Something that will happen on a later day.
enum Event {
    /// Pays this share (in hundredths) of what is open.
    Pay {
        document: DocumentId,
        percent: i64,
    },
    UseCredit {
        credit: DocumentId,
    },
    Void(DocumentId),
    Delete(DocumentId),
    /// Raises or lowers the first line.
    Correct(DocumentId),
    /// Moves the document to another day of an earlier month.
    Backdate(DocumentId),
    EnterAgain(DocumentId),
}

struct Maker {
    books: Books,
    spec: CompanySpec,
    dice: Dice,
    chart: Chart,
    customers: Vec<ContactId>,
    suppliers: Vec<ContactId>,
    /// A customer and a supplier of the first months, inactive at the end. They pay and are paid at once, so nothing stays open.
    former: [ContactId; 2],
    foreign_customers: Vec<ContactId>,
    foreign_suppliers: Vec<ContactId>,
    queue: BTreeMap<Date, Vec<Event>>,
    /// Invoices and bills that are not fully paid, by contact.
    open: HashMap<ContactId, Vec<DocumentId>>,
    today: Date,
    /// Things done today so far; each gets its own moment.
    done_today: i64,
    now: Timestamp,
    duplicates_left: u32,
    /// Goods that came since the last end of a month: day, item, hundredths of a unit, cost.
    bought: Vec<(Date, ItemId, i64, Cents)>,
    shelves: BTreeMap<ItemId, stock::Shelf>,
    /// QuickBooks: payments put in the drawer since the last Friday.
    drawer: Vec<DocumentId>,
    /// What ended with the last day is not used again.
    is_closed: bool,
}

impl Maker {
    fn new(face: Face, spec: CompanySpec, now: Timestamp) -> Maker {
        let start = moment(spec.from, 0, now);
        let mut books = Books::new(
            face,
            spec.company_id(face),
            spec.name.clone(),
            spec.country.clone(),
            spec.currency.clone(),
            spec.time_zone.clone(),
            spec.fiscal_year_start_month,
            spec.seed,
            start,
        );
        let chart = chart::build(&mut books, spec.second_currency.as_ref(), start);
        let mut dice = Dice::new(spec.seed);
        let size = usize::try_from(spec.documents_per_month).expect("32 bits fit");
        let mut people = dice::Names::new();
        let mut contacts = |count: usize, customer: bool, currency: Option<&str>| -> Vec<ContactId> {
            (0..count)
                .map(|_| {
                    let name = people.next(&mut dice, customer);
                    let email = format!("accounts@{}.example", name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), ""));
                    books.add_contact(name, email, customer, !customer, currency, start)
                })
                .collect()
        };
        let customers = contacts((12 + size / 8).min(400), true, None);
        let suppliers = contacts((10 + size / 16).min(200), false, None);
        let former = [contacts(1, true, None)[0], contacts(1, false, None)[0]];
        let second = spec.second_currency.as_ref().map(|s| s.code.clone());
        let foreign_customers = second.as_deref().map(|code| contacts(6, true, Some(code))).unwrap_or_default();
        let foreign_suppliers = second.as_deref().map(|code| contacts(4, false, Some(code))).unwrap_or_default();
        Maker {
            today: spec.from,
            books,
            spec,
            dice,
            chart,
            customers,
            suppliers,
            former,
            foreign_customers,
            foreign_suppliers,
            queue: BTreeMap::new(),
            open: HashMap::new(),
            done_today: 0,
            now,
            duplicates_left: 1,
            bought: Vec::new(),
            shelves: BTreeMap::new(),
            drawer: Vec::new(),
            is_closed: false,
        }
    }

    fn run(mut self) -> Books {
        if self.spec.tracks_inventory {
            self.count_goods();
        }
        self.opening_balances();
        self.restock();
        let mut owed_hundredths: i64 = 0;
        while self.today <= self.spec.to && self.has_room() {
            self.done_today = 0;
            for event in self.queue.remove(&self.today).unwrap_or_default() {
                self.happen(event);
            }
            self.routine();
            if self.spec.documents.is_some() {
                self.trade_towards_the_whole();
                let Ok(tomorrow) = self.today.tomorrow() else { break };
                self.today = tomorrow;
                continue;
            }
            // Payments and other consequences make up the remaining three tenths; weekends are quiet.
            let share = if matches!(self.today.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday) { 40 } else { 126 };
            owed_hundredths += i64::from(self.spec.documents_per_month) * share * 7 / (10 * 30);
            while owed_hundredths >= 100 {
                owed_hundredths -= 100;
                self.trade();
            }
            let Ok(tomorrow) = self.today.tomorrow() else { break };
            self.today = tomorrow;
        }
        self.today = self.spec.to;
        self.closing_defects();
        self.is_closed = true;
        let now = self.tick();
        self.books.furnish_xero(now);
        self.small_lists();
        while self.spec.documents.is_some_and(|most| self.count() < i64::from(most)) {
            self.trade();
        }
        let now = self.tick();
        self.books.furnish_tracking(now);
        self.books.furnish_expenses(self.spec.classic_expenses, now);
        self.books
    }

    fn count(&self) -> i64 {
        i64::try_from(self.books.documents.len()).expect("documents are fewer than that")
    }

    /// Another day fits into a company of a fixed size.
    fn has_room(&self) -> bool {
        // What a day brings besides trade, and what closes the books.
        const MOST_ROUTINE: i64 = 45;
        let due = self.queue.get(&self.today).map_or(0, Vec::len);
        self.spec.documents.is_none_or(|most| self.count() + i64::try_from(due).expect("small") + MOST_ROUTINE < i64::from(most))
    }

    /// As many documents as have their share of days behind them.
    fn trade_towards_the_whole(&mut self) {
        let Some(most) = self.spec.documents.map(i64::from) else { return };
        let days = |from: Date, to: Date| i64::from(from.until(to).map_or(0, |span| span.get_days())) + 1;
        let target = (most - 40) * days(self.spec.from, self.today) / days(self.spec.from, self.spec.to).max(1);
        while self.count() < target.min(most - 40) {
            self.trade();
        }
    }

    /// The first eight months have customers, suppliers and a line of business that end later.
    fn is_early(&self) -> bool {
        !self.is_closed && self.today < self.spec.from.saturating_add(jiff::Span::new().months(8))
    }

    /// The moment of the next thing done today.
    fn tick(&mut self) -> Timestamp {
        self.done_today += 1;
        moment(self.today, self.done_today, self.now)
    }

    fn later(&mut self, days: i64, event: Event) {
        let date = self.today.saturating_add(jiff::Span::new().days(days));
        self.queue.entry(date).or_default().push(event);
    }

    /// Today's rate of the second currency: wanders some per cent around the spec's.
    fn rate_today(&self) -> Option<Rate> {
        let base = self.spec.second_currency.as_ref()?.rate.0;
        let day = i64::from(self.today.to_zoned(TimeZone::UTC).map(|z| z.timestamp().as_second() / 86_400).map_or(0, |d| d as i32));
        // Two slow triangle waves of different length, and a little noise per day.
        let wave = |period: i64, height: i64| ((day % period) * 4 * height / period - 2 * height).abs() - height;
        let noise = i64::try_from(mix(self.spec.seed ^ day.unsigned_abs()) % 600).expect("below 600") - 300;
        let parts_per_100k = wave(397, 3_500) + wave(83, 1_200) + noise;
        // Rates are quoted with four decimals.
        Some(Rate((base + base / 100_000 * parts_per_100k) / 100 * 100))
    }
}

/// The `count`th moment of a working day, never after `now`.
fn moment(date: Date, count: i64, now: Timestamp) -> Timestamp {
    let seconds = 8 * 3600 + (count * 11) % (12 * 3600);
    let morning = date.to_zoned(TimeZone::UTC).map_or(now, |z| z.timestamp());
    (morning + SignedDuration::from_secs(seconds)).min(now)
}
