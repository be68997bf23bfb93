//! Exact money of the sandbox's books: whole cents of a currency with two decimals.
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Hundredths of a currency unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cents(pub i64);

impl Cents {
    pub const ZERO: Cents = Cents(0);
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
    pub fn abs(self) -> Cents {
        Cents(self.0.abs())
    }
    /// Reads `12`, `12.5`, `-12.50`, `1,234.50`; more than two decimals are refused unless they are zeros.
    pub fn parse(text: &str) -> Option<Cents> {
        let text = text.trim().replace(',', "");
        let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (cents, rest) = fraction.split_at(fraction.len().min(2));
        if rest.bytes().any(|b| b != b'0') {
            return None;
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let fraction: i64 = format!("{cents:0<2}").parse().ok()?;
        let value = whole.checked_mul(100)?.checked_add(fraction)?;
        Some(Cents(if negative { -value } else { value }))
    }
    /// `self * rate`, rounded half away from zero.
    pub fn at(self, rate: Rate) -> Cents {
        let product = i128::from(self.0) * i128::from(rate.0);
        let half = i128::from(Rate::SCALE) / 2;
        let rounded = if product >= 0 { (product + half) / i128::from(Rate::SCALE) } else { (product - half) / i128::from(Rate::SCALE) };
        Cents(i64::try_from(rounded).expect("books of the sandbox stay far below 2^63 cents"))
    }
}

/// Always two decimals: `-12.00`.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

/// Home-currency units per one unit of the document's currency, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

impl Rate {
    pub const SCALE: i64 = 1_000_000;
    pub const ONE: Rate = Rate(Self::SCALE);
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / Self::SCALE, self.0 % Self::SCALE)
    }
}

impl Add for Cents {
    type Output = Cents;
    fn add(self, other: Cents) -> Cents {
        Cents(self.0 + other.0)
    }
}
impl Sub for Cents {
    type Output = Cents;
    fn sub(self, other: Cents) -> Cents {
        Cents(self.0 - other.0)
    }
}
impl Neg for Cents {
    type Output = Cents;
    fn neg(self) -> Cents {
        Cents(-self.0)
    }
}
impl AddAssign for Cents {
    fn add_assign(&mut self, other: Cents) {
        self.0 += other.0;
    }
}
impl SubAssign for Cents {
    fn sub_assign(&mut self, other: Cents) {
        self.0 -= other.0;
    }
}
impl Sum for Cents {
    fn sum<I: Iterator<Item = Cents>>(all: I) -> Cents {
        all.fold(Cents::ZERO, Add::add)
    }
}

/// A JSON number with two decimals, as both providers print amounts, without passing through a binary float.
pub fn json(cents: Cents) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(cents.to_string()).expect("two decimals are a JSON number")
}
