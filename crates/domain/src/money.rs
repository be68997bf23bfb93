//! Exact amounts: a whole number of ten-thousandths. Nothing here, and nothing that holds money elsewhere, is a binary float.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An amount of money in units of 0.0001 of its currency. The currency stands beside it (a company's ledger has one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAmount {
    #[error("`{0}` is not a decimal number")]
    Syntax(String),
    #[error("`{0}` has more than 4 decimals, which would have to be rounded")]
    TooFine(String),
    #[error("`{0}` is too large")]
    TooLarge(String),
}

impl Amount {
    pub const ZERO: Amount = Amount(0);
    pub const SCALE: i64 = 10_000;

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
    pub fn abs(self) -> Self {
        Amount(self.0.abs())
    }
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// Reads a decimal text exactly: `-1234.5`, `.00`, `1e3` as JSON may print it. More than 4 decimals that are not zero are refused.
    pub fn parse(text: &str) -> Result<Amount, NotAnAmount> {
        let trimmed = text.trim();
        let syntax = || NotAnAmount::Syntax(trimmed.to_owned());
        let (mantissa, exponent) = match trimmed.find(['e', 'E']) {
            Some(at) => (&trimmed[..at], trimmed[at + 1..].parse::<i32>().map_err(|_| syntax())?),
            None => (trimmed, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(syntax());
        }
        if exponent.abs() > 18 {
            return Err(NotAnAmount::TooLarge(trimmed.to_owned()));
        }
        let too_large = || NotAnAmount::TooLarge(trimmed.to_owned());
        let mut value: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            value = value.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit - b'0'))).ok_or_else(too_large)?;
        }
        // value * 10^(exponent - decimals) in units; the database keeps 10^-4
        let shift = exponent - fraction.len() as i32 + 4;
        if shift >= 0 {
            for _ in 0..shift {
                value = value.checked_mul(10).ok_or_else(too_large)?;
            }
        } else {
            for _ in 0..-shift {
                if value % 10 != 0 {
                    return Err(NotAnAmount::TooFine(trimmed.to_owned()));
                }
                value /= 10;
            }
        }
        if negative {
            value = -value;
        }
        i64::try_from(value).map(Amount).map_err(|_| too_large())
    }

    /// With thousands separators and at least two decimals: `1,234.50`.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (sign, rest) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, fraction) = rest.split_once('.').expect("Display prints decimals");
        format!("{sign}{}.{fraction}", group_digits(whole))
    }
}

/// A number with thousands separators: `-1,234,567`.
pub fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", group_digits(&number.unsigned_abs().to_string()))
}

fn group_digits(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At least two decimals, four when they matter: `12.00`, `0.1234`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        let (whole, fraction) = (units / 10_000, units % 10_000);
        if fraction % 100 == 0 { write!(f, "{sign}{whole}.{:02}", fraction / 100) } else { write!(f, "{sign}{whole}.{fraction:04}") }
    }
}

impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0 + other.0)
    }
}
impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0 - other.0)
    }
}
impl Neg for Amount {
    type Output = Amount;
    fn neg(self) -> Amount {
        Amount(-self.0)
    }
}
impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 += other.0;
    }
}
impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        self.0 -= other.0;
    }
}
impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves F10
    #[test]
    fn amounts_are_read_exactly_or_refused() {
        assert_eq!(Amount::parse("1234.56"), Ok(Amount(12_345_600)));
        assert_eq!(Amount::parse("-.05"), Ok(Amount(-500)));
        assert_eq!(Amount::parse("639.00"), Ok(Amount(6_390_000)));
        assert_eq!(Amount::parse("1.10000"), Ok(Amount(11_000)));
        assert_eq!(Amount::parse("1.5e2"), Ok(Amount(1_500_000)));
        assert_eq!(Amount::parse("0.1").unwrap() + Amount::parse("0.2").unwrap(), Amount::parse("0.3").unwrap());
        assert!(matches!(Amount::parse("0.12345"), Err(NotAnAmount::TooFine(_))));
        assert!(matches!(Amount::parse("99999999999999999999"), Err(NotAnAmount::TooLarge(_))));
        for bad in ["", "-", ".", "12,5", "1.2.3", "NaN", "0x10", "1e"] {
            assert!(matches!(Amount::parse(bad), Err(NotAnAmount::Syntax(_))), "{bad}");
        }
    }

    #[test]
    fn amounts_are_shown_with_the_decimals_that_matter() {
        assert_eq!(Amount(12_345_600).to_string(), "1234.56");
        assert_eq!(Amount(-500).to_string(), "-0.05");
        assert_eq!(Amount(1_234).to_string(), "0.1234");
        assert_eq!(Amount(-12_345_678_900).grouped(), "-1,234,567.89");
    }
}
