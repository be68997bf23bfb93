//! What is on hand of items that are counted, and what goods that leave have cost.
//!
//! QuickBooks takes what came first (FIFO), Xero the average: "Invoice, inventory line (extra): Dr Item.ExpenseAccountRef (COGS) at FIFO cost,
//! Cr Item.AssetAccountRef" (providers/quickbooks.md 7.6, <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/item>),
//! "Tracked items add Dr COGS / Cr INVENTORY at average cost" (providers/xero.md 6.9,
//! <https://developer.xero.com/documentation/api/accounting/items>).
//!
//! A cost is no part of a document: it follows from everything that moved the item before. So a document dated into the past changes what later
//! ones cost, and they are posted anew. What leaves before it came costs what the goods that fill the gap cost, and until they come what the
//! item costs to buy.
use super::posting::plain;
use super::{AccountId, AccountType, Books, Document, DocumentId, Face, ItemId, Kind, Line, Posting, Status, Variant};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Kept for all counted items of a company.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    items: BTreeMap<ItemId, Counted>,
    /// The moves that a document stands for now.
    moved: HashMap<DocumentId, Vec<(ItemId, Key, Move)>>,
}

/// A counted item.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Where its value stands.
    pub asset: AccountId,
    /// What one costs to buy, for goods that leave before any came.
    pub purchase_cost: Cents,
    moves: BTreeMap<Key, Move>,
    /// How it stands after the last move.
    shelf: Shelf,
}

/// The order of moves: by day, what comes before what leaves, then by document and line.
type Key = (Date, bool, DocumentId, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    /// In hundredths of a unit; negative when goods leave.
    quantity: i64,
    /// What goods that come have cost; `None`: what they last cost (a return, a recount).
    value: Option<Cents>,
    /// What the move is worth: of goods that come their value, of goods that leave their cost.
    worth: Cents,
}

#[derive(Clone, Debug, Default)]
struct Shelf {
    /// What came and is still there, oldest first: hundredths of a unit and value.
    layers: VecDeque<(i64, Cents)>,
    /// What left before it came: the move, how much of it, and what it was taken to cost.
    gaps: VecDeque<(Key, i64, Cents)>,
    /// What a unit cost when goods last left or came.
    last_cost: Option<Cents>,
}

fn part(value: Cents, taken: i64, of: i64) -> Cents {
    if of == 0 {
        return Cents::ZERO;
    }
    let (product, of) = (i128::from(value.0) * i128::from(taken), i128::from(of));
    let half = if product < 0 { -of / 2 } else { of / 2 };
    Cents(i64::try_from((product + half) / of).unwrap_or(i64::MAX))
}

impl Shelf {
    fn quantity(&self) -> i64 {
        self.layers.iter().map(|(quantity, _)| quantity).sum::<i64>() - self.gaps.iter().map(|(_, quantity, _)| quantity).sum::<i64>()
    }

    /// Goods come. What was missing is filled first; gives how much more the moves that missed it are worth.
    fn put(&mut self, quantity: i64, value: Cents, is_average: bool) -> Vec<(Key, Cents)> {
        let mut filled = Vec::new();
        let (mut left, mut value_left) = (quantity, value);
        while let Some((key, missing, estimate)) = self.gaps.front_mut().filter(|_| left > 0) {
            let taken = left.min(*missing);
            let cost = if taken == left { value_left } else { part(value_left, taken, left) };
            let estimated = if taken == *missing { *estimate } else { part(*estimate, taken, *missing) };
            filled.push((*key, cost - estimated));
            (left, value_left) = (left - taken, value_left - cost);
            (*missing, *estimate) = (*missing - taken, *estimate - estimated);
            if *missing == 0 {
                self.gaps.pop_front();
            }
        }
        if quantity > 0 {
            self.last_cost = Some(part(value, UNIT, quantity));
        }
        match self.layers.back_mut() {
            // at average cost there is one layer; a value without goods makes those that are there dearer
            Some(last) if is_average || left == 0 => (last.0, last.1) = (last.0 + left, last.1 + value_left),
            _ if left > 0 => self.layers.push_back((left, value_left)),
            _ => {}
        }
        filled
    }

    /// Goods leave: what they cost.
    fn take(&mut self, key: Key, quantity: i64, purchase_cost: Cents) -> Cents {
        let (mut left, mut cost) = (quantity, Cents::ZERO);
        while let Some((there, value)) = self.layers.front_mut().filter(|_| left > 0) {
            let taken = left.min(*there);
            let worth = if taken == *there { *value } else { part(*value, taken, *there) };
            (*there, *value) = (*there - taken, *value - worth);
            if *there == 0 {
                self.layers.pop_front();
            }
            (left, cost) = (left - taken, cost + worth);
        }
        if quantity > left {
            self.last_cost = Some(part(cost, UNIT, quantity - left));
        }
        if left > 0 {
            let estimate = part(purchase_cost, left, UNIT);
            self.gaps.push_back((key, left, estimate));
            cost += estimate;
        }
        cost
    }
}

/// A unit in hundredths.
const UNIT: i64 = 100;

impl Counted {
    /// The shelf after these moves, and what they and those whose gaps they fill are worth.
    fn reckoned(&self, mut shelf: Shelf, keys: impl Iterator<Item = Key>, is_average: bool) -> (Shelf, BTreeMap<Key, Cents>) {
        let mut worths: BTreeMap<Key, Cents> = BTreeMap::new();
        for key in keys {
            let moved = self.moves[&key];
            let worth = if moved.quantity < 0 {
                shelf.take(key, -moved.quantity, self.purchase_cost)
            } else {
                let unit_cost = shelf.last_cost.unwrap_or(self.purchase_cost);
                let value = moved.value.unwrap_or_else(|| part(unit_cost, moved.quantity, UNIT));
                for (gap, more) in shelf.put(moved.quantity, value, is_average) {
                    *worths.entry(gap).or_insert_with(|| self.moves[&gap].worth) += more;
                }
                value
            };
            worths.insert(key, worth);
        }
        (shelf, worths)
    }
}

impl Books {
    /// Counts an item from now on.
    pub fn count_item(&mut self, item: ItemId, asset: AccountId, purchase_cost: Cents) {
        let fresh = Counted { asset, purchase_cost, moves: BTreeMap::new(), shelf: Shelf::default() };
        let counted = self.stock.items.entry(item).or_insert(fresh);
        (counted.asset, counted.purchase_cost) = (asset, purchase_cost);
    }

    pub fn counted(&self, item: ItemId) -> Option<&Counted> {
        self.stock.items.get(&item)
    }

    pub fn counted_items(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.stock.items.keys().copied()
    }

    /// Hundredths of a unit on hand; below zero when more left than came.
    pub fn on_hand(&self, item: ItemId) -> i64 {
        self.stock.items.get(&item).map_or(0, |counted| counted.shelf.quantity())
    }

    /// Quantity and value at the end of a day.
    pub fn on_hand_at(&self, item: ItemId, day: Date) -> (i64, Cents) {
        let Some(counted) = self.stock.items.get(&item) else { return (0, Cents::ZERO) };
        let until = counted.moves.range(..=(day, true, DocumentId::MAX, u64::MAX));
        until.fold((0, Cents::ZERO), |(quantity, value), (_, moved)| {
            (quantity + moved.quantity, if moved.quantity < 0 { value - moved.worth } else { value + moved.worth })
        })
    }

    /// What moved an item from one day to another: document, line, quantity and worth.
    pub fn moves_of(&self, item: ItemId, from: Date, to: Date) -> impl Iterator<Item = (DocumentId, u64, i64, Cents)> + '_ {
        let within = (from <= to).then(|| self.stock.items.get(&item)).flatten();
        let moves = within.into_iter().flat_map(move |counted| counted.moves.range((from, false, 0, 0)..=(to, true, DocumentId::MAX, u64::MAX)));
        moves.map(|((_, _, document, line), moved)| (*document, *line, moved.quantity, moved.worth))
    }

    /// How a line moves a counted item: hundredths of a unit, and the value of goods that come with one.
    fn moved_by(&self, document: &Document, line: &Line) -> Option<(ItemId, i64, Option<Cents>)> {
        let item = line.item.filter(|item| self.stock.items.contains_key(item))?;
        let quantity = line.quantity_hundredths;
        let value = || Some(line.amount.at(document.rate));
        Some(match document.kind {
            Kind::Invoice | Kind::SalesReceipt => (item, -quantity, None),
            Kind::CreditMemo | Kind::RefundReceipt => (item, quantity, None),
            _ if line.account != self.stock.items[&item].asset => return None,
            // a purchase that is taken back is a negative line of one
            Kind::Bill | Kind::Expense if line.amount.0 < 0 => (item, -quantity.abs(), None),
            Kind::Bill | Kind::Expense => (item, quantity, value()),
            Kind::VendorCredit => (item, -quantity, None),
            Kind::Journal if document.details.variant == Some(Variant::InventoryStart) => (item, quantity, value()),
            Kind::Journal if document.details.variant == Some(Variant::InventoryAdjustment) => (item, quantity, None),
            _ => return None,
        })
        .filter(|(_, quantity, value)| *quantity != 0 || value.is_some_and(|value| !value.is_zero()))
    }

    fn key_of(document: &Document, line: u64, quantity: i64) -> Key {
        (document.date, quantity < 0, document.id, line)
    }

    /// What a document posts besides because of goods that leave or come back: cost of sales against the asset, for a recount the account it is
    /// set against.
    pub(super) fn stock_postings(&self, document: &Document) -> Vec<Posting> {
        let mut postings = Vec::new();
        if self.stock.items.is_empty() || document.status != Status::Active {
            return postings;
        }
        for line in &document.lines {
            let Some((item, quantity, _)) = self.moved_by(document, line) else { continue };
            let counted = &self.stock.items[&item];
            let Some(moved) = counted.moves.get(&Self::key_of(document, line.id, quantity)) else { continue };
            // how much more the goods are worth than what the line itself puts on the asset
            let worth = if quantity < 0 { -moved.worth } else { moved.worth };
            let own = if line.account == counted.asset { Cents(document.kind.line_sign() * line.amount.at(document.rate).0) } else { Cents::ZERO };
            let more = worth - own;
            if more.is_zero() {
                continue;
            }
            let against = match document.details.variant {
                Some(Variant::InventoryAdjustment) => document.lines.last().map(|last| last.account),
                _ => self.items.get(&item).and_then(|item| item.expense_account).or_else(|| self.account_of(AccountType::CostOfSales)),
            };
            let Some(against) = against.filter(|against| *against != counted.asset) else { continue };
            let description = line.description.as_str();
            postings.push(Posting { tracking: line.tracking.clone(), ..plain(against, -more, document.contact, description) });
            postings.push(Posting { tracking: line.tracking.clone(), ..plain(counted.asset, more, document.contact, description) });
        }
        if self.face == Face::QuickBooks {
            for posting in &mut postings {
                posting.tracking.clear();
            }
        }
        postings
    }

    /// Brings the shelves up to date with a document as it stands now, before it is posted. Gives the other documents whose goods cost
    /// something else since, with what they posted before.
    pub(super) fn stock_moved(&mut self, id: DocumentId, now: Timestamp) -> Vec<(DocumentId, Vec<Posting>)> {
        if self.stock.items.is_empty() {
            return Vec::new();
        }
        let document = &self.documents[&id];
        let lines = document.lines.iter().filter(|_| document.status == Status::Active);
        let moves = lines.filter_map(|line| {
            let (item, quantity, value) = self.moved_by(document, line)?;
            Some((item, Self::key_of(document, line.id, quantity), Move { quantity, value, worth: Cents::ZERO }))
        });
        let moves: Vec<(ItemId, Key, Move)> = moves.collect();
        let known = self.stock.moved.remove(&id).unwrap_or_default();
        if !moves.is_empty() {
            self.stock.moved.insert(id, moves.clone());
        }
        if known == moves {
            return Vec::new();
        }
        let is_average = self.face == Face::Xero;
        let items: BTreeSet<ItemId> = known.iter().chain(&moves).map(|(item, ..)| *item).collect();
        let mut affected: BTreeMap<DocumentId, Vec<Posting>> = BTreeMap::new();
        for item in items {
            let counted = self.stock.items.get_mut(&item).expect("only counted items have moves");
            let removed: Vec<Key> = known.iter().filter(|(moved, ..)| *moved == item).map(|(_, key, _)| *key).collect();
            for key in &removed {
                counted.moves.remove(key);
            }
            let last = counted.moves.keys().next_back().copied();
            let mut new: Vec<Key> = Vec::new();
            for (_, key, moved) in moves.iter().filter(|(moved, ..)| *moved == item) {
                counted.moves.insert(*key, *moved);
                new.push(*key);
            }
            new.sort_unstable();
            // what happens last changes nothing that happened before, but for the gaps it fills
            let comes_last = removed.is_empty() && new.first() > last.as_ref();
            let shelf = std::mem::take(&mut counted.shelf);
            let counted = &self.stock.items[&item];
            let (shelf, worths) = if comes_last {
                counted.reckoned(shelf, new.into_iter(), is_average)
            } else {
                counted.reckoned(Shelf::default(), counted.moves.keys().copied(), is_average)
            };
            let others = worths.iter().filter(|(key, worth)| key.2 != id && counted.moves[key].worth != **worth);
            for other in others.map(|(key, _)| key.2).collect::<BTreeSet<DocumentId>>() {
                if let Some(document) = self.documents.get(&other) {
                    affected.entry(other).or_insert_with(|| self.postings(document));
                }
            }
            let counted = self.stock.items.get_mut(&item).expect("only counted items have moves");
            counted.shelf = shelf;
            for (key, worth) in worths {
                counted.moves.get_mut(&key).expect("reckoned from the moves").worth = worth;
            }
            // QuickBooks counts a new quantity as a change of the item; its version stays
            if let Some(item) = self.items.get_mut(&item).filter(|_| self.face == Face::QuickBooks) {
                item.updated_at = item.updated_at.max(now);
            }
        }
        affected.into_iter().collect()
    }

    /// Accounts that were merged are one for the shelves, too.
    pub(super) fn merge_assets(&mut self, from: AccountId, into: AccountId) {
        for counted in self.stock.items.values_mut().filter(|counted| counted.asset == from) {
            counted.asset = into;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn key(day: i8) -> Key {
        (date(2025, 1, day), true, u64::from(day.unsigned_abs()), 1)
    }

    #[test]
    fn what_came_first_leaves_first_or_at_the_average() {
        let goods = |is_average| {
            let mut shelf = Shelf::default();
            shelf.put(1_000, Cents(10_000), is_average);
            shelf.put(1_000, Cents(20_000), is_average);
            (shelf.take(key(1), 500, Cents(700)), shelf.take(key(2), 1_000, Cents(700)), shelf.quantity())
        };
        assert_eq!(goods(false), (Cents(5_000), Cents(15_000), 500));
        assert_eq!(goods(true), (Cents(7_500), Cents(15_000), 500));
    }

    #[test]
    fn what_leaves_before_it_comes_costs_what_fills_the_gap() {
        let mut shelf = Shelf::default();
        assert_eq!(shelf.take(key(1), 300, Cents(1_000)), Cents(3_000));
        assert_eq!(shelf.quantity(), -300);
        assert_eq!(shelf.put(100, Cents(1_201), false), [(key(1), Cents(201))]);
        assert_eq!(shelf.put(400, Cents(4_400), false), [(key(1), Cents(200))]);
        assert_eq!((shelf.quantity(), shelf.take(key(2), 200, Cents(1_000))), (200, Cents(2_200)));
        assert_eq!((shelf.layers.len(), shelf.gaps.len()), (0, 0));
    }
}
