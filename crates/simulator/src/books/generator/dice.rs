//! The generator's source of chance and of names: splitmix64 over a seed.
use crate::books::guid::mix;
use crate::money::Cents;
use std::collections::HashSet;

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice { state: mix(seed) }
    }
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }
    /// From 0 to `end - 1`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }
    /// Both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below((high - low + 1).unsigned_abs())).expect("a span of small numbers")
    }
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
    pub fn permille(&mut self, chance: u64) -> bool {
        self.below(1_000) < chance
    }
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("an index of a slice")]
    }
    /// An amount between these whole units, with cents.
    pub fn amount(&mut self, low: i64, high: i64) -> Cents {
        Cents(self.between(low * 100, high * 100))
    }
}

const FIRST: [&str; 30] = [
    "Alder",
    "Bayside",
    "Cobalt",
    "Driftwood",
    "Eastgate",
    "Fernhill",
    "Granite",
    "Highfield",
    "Ironbark",
    "Juniper",
    "Kestrel",
    "Lakeside",
    "Marigold",
    "Northwind",
    "Oakridge",
    "Pinecrest",
    "Quarry",
    "Redwood",
    "Silverton",
    "Thornbury",
    "Umber",
    "Valley",
    "Westport",
    "Yarrow",
    "Zephyr",
    "Ashford",
    "Bramble",
    "Copper",
    "Dunmore",
    "Elmwood",
];
const CUSTOMER: [&str; 16] = [
    "Cafe",
    "Hotels",
    "Outfitters",
    "Gallery",
    "Clinic",
    "School",
    "Architects",
    "Events",
    "Marine",
    "Bakery",
    "Fitness",
    "Books",
    "Gardens",
    "Studios",
    "Lodge",
    "Market",
];
const SUPPLIER: [&str; 14] = [
    "Supply",
    "Freight",
    "Wholesale",
    "Printing",
    "Power",
    "Telecom",
    "Timber",
    "Packaging",
    "Software",
    "Insurance",
    "Motors",
    "Cleaning",
    "Legal",
    "Equipment",
];
const ENDING: [&str; 6] = ["", " Ltd", " & Co", " Group", " Partners", " Inc"];

/// Names of contacts, none given twice.
pub struct Names {
    given: HashSet<String>,
}

impl Names {
    pub fn new() -> Names {
        Names { given: HashSet::new() }
    }
    pub fn next(&mut self, dice: &mut Dice, customer: bool) -> String {
        loop {
            let second = if customer { dice.pick(&CUSTOMER) } else { dice.pick(&SUPPLIER) };
            let name = format!("{} {second}{}", dice.pick(&FIRST), dice.pick(&ENDING));
            if self.given.insert(name.clone()) {
                return name;
            }
        }
    }
}
