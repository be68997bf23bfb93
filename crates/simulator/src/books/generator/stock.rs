//! What made-up companies have on the shelf: bought and sold by item, valued at average cost, and taken into the cost of sales when a month
//! ends.
use super::Maker;
use crate::books::guid::mix;
use crate::books::{AccountId, AccountType, ItemId, Kind, NewDocument, NewLine, Status};
use crate::money::Cents;
use std::collections::BTreeMap;

/// What is there of one item.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shelf {
    quantity_hundredths: i64,
    value: Cents,
}

impl Shelf {
    fn put(&mut self, quantity_hundredths: i64, value: Cents) {
        self.quantity_hundredths += quantity_hundredths;
        self.value += value;
    }
    /// Takes so much away, or what there is, and gives its average cost.
    fn take(&mut self, quantity_hundredths: i64) -> Cents {
        let taken = quantity_hundredths.min(self.quantity_hundredths);
        if taken <= 0 {
            return Cents::ZERO;
        }
        let cost = i128::from(self.value.0) * i128::from(taken) / i128::from(self.quantity_hundredths);
        let cost = Cents(i64::try_from(cost).expect("a part of an amount is an amount"));
        self.quantity_hundredths -= taken;
        self.value -= cost;
        cost
    }
}

impl Maker {
    /// Counts the goods of a company that tracks its inventory, so that each sale says what it cost.
    pub(super) fn count_goods(&mut self) {
        let now = self.tick();
        let asset = self.chart.inventory.unwrap_or_else(|| self.books.add_account("Inventory", "630", AccountType::Inventory, None, None, now));
        self.chart.inventory = Some(asset);
        for id in self.chart.items.clone() {
            let item = &self.books.items[&id];
            if item.expense_account.is_some() {
                let cost = Cents(item.unit_price.0 * 6 / 10);
                self.books.count_item(id, asset, cost);
            }
        }
    }

    /// A bill for what the next weeks will sell: twice what the last month sold, and some.
    pub(super) fn restock(&mut self) {
        let Some(asset) = self.chart.inventory.filter(|_| self.spec.tracks_inventory) else { return };
        let since = self.today.saturating_sub(jiff::Span::new().days(31));
        let mut lines = Vec::new();
        for item in self.books.counted_items().collect::<Vec<ItemId>>() {
            let sold: i64 = self.books.moves_of(item, since, self.today).map(|(_, _, quantity, _)| -quantity.min(0)).sum();
            let missing = 2 * sold + 1_000 - self.books.on_hand(item);
            if missing <= 0 {
                continue;
            }
            let units = (missing + 99) / 100;
            let (name, price) = (self.books.items[&item].description.clone(), self.books.items[&item].unit_price);
            let draw = i64::try_from(mix(self.books.seed ^ self.books.next_id ^ item.rotate_left(7)) % 11).unwrap_or(0);
            let unit_price = Cents((price.0 * (55 + draw) / 100).max(1));
            let tax_rate = self.chart.purchase_tax.or(self.chart.no_tax);
            let line = NewLine::new(asset, Cents(unit_price.0 * units), name);
            lines.push(NewLine { item: Some(item), quantity_hundredths: units * 100, unit_price, tax_rate, ..line });
        }
        if lines.is_empty() {
            return;
        }
        let mut document = NewDocument::new(Kind::Bill, self.today);
        document.contact = self.suppliers.first().copied();
        document.due_date = Some(self.today.saturating_add(jiff::Span::new().days(20)));
        document.memo = "Goods for the shop".into();
        document.lines = lines;
        self.enter(document);
    }

    /// Goods for this much money: which, how many hundredths, and in words. A unit costs about six tenths of its price.
    pub(super) fn goods_for(&mut self, amount: Cents) -> Option<(ItemId, i64, String)> {
        let goods: Vec<ItemId> = self.chart.items.iter().copied().filter(|id| self.books.items[id].expense_account.is_some()).collect();
        let draw = mix(self.books.seed ^ self.books.next_id.rotate_left(9));
        let item = *goods.get(usize::try_from(draw % u64::try_from(goods.len().max(1)).ok()?).ok()?)?;
        let (name, price) = (self.books.items[&item].description.clone(), self.books.items[&item].unit_price);
        let percent = 55 + i64::try_from((draw >> 32) % 11).ok()?;
        let unit_cost = (price.0 * percent / 100).max(1);
        let quantity_hundredths = (amount.0 * 100 / unit_cost).max(1);
        if !self.spec.tracks_inventory {
            self.bought.push((self.today, item, quantity_hundredths, amount));
        }
        Some((item, quantity_hundredths, format!("{name}, {}.{:02} units", quantity_hundredths / 100, quantity_hundredths % 100)))
    }

    /// The month's cost of sales, one pair of lines for each item that was sold and was there.
    pub(super) fn cost_of_goods_sold(&mut self, inventory: AccountId) -> Vec<NewLine> {
        for (_, item, quantity, value) in std::mem::take(&mut self.bought) {
            self.shelves.entry(item).or_default().put(quantity, value);
        }
        let mut sold: BTreeMap<ItemId, i64> = BTreeMap::new();
        let month = self.books.documents_between(self.today.first_of_month(), self.today);
        for document in month.filter(|document| document.kind.is_sale() && document.status == Status::Active) {
            let sign = if matches!(document.kind, Kind::CreditMemo | Kind::RefundReceipt) { -1 } else { 1 };
            for line in &document.lines {
                let Some(item) = line.item.filter(|id| self.books.items[id].expense_account.is_some()) else { continue };
                *sold.entry(item).or_default() += sign * line.quantity_hundredths;
            }
        }
        let mut lines = Vec::new();
        for (item, quantity) in sold {
            let Some(shelf) = self.shelves.get_mut(&item) else { continue };
            let cost = shelf.take(quantity);
            if cost.0 > 0 {
                let memo = format!("{}, at average cost", self.books.items[&item].description);
                let expense = self.books.items[&item].expense_account.unwrap_or(self.chart.cost_of_sales);
                lines.push(NewLine::new(expense, cost, memo.clone()));
                lines.push(NewLine::new(inventory, -cost, memo));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_leave_the_shelf_at_their_average_cost_and_never_more_than_there_are() {
        let mut shelf = Shelf::default();
        shelf.put(1_000, Cents(10_000));
        shelf.put(1_000, Cents(20_000));
        assert_eq!(shelf.take(500), Cents(7_500));
        assert_eq!(shelf.take(9_999), Cents(22_500));
        assert_eq!((shelf.take(100), shelf.take(-100), shelf.value), (Cents::ZERO, Cents::ZERO, Cents::ZERO));
    }
}
