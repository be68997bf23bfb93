//! What the reports of all providers share: cells are texts, an empty cell is zero.
use domain::money::{Amount, NotAnAmount};

/// Reads a report cell: empty is zero, `-12.00`, `.44` and `1,234.50` are amounts.
pub fn cell(text: &str) -> Result<Amount, NotAnAmount> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Amount::ZERO);
    }
    if text.contains(',') { Amount::parse(&text.replace(',', "")) } else { Amount::parse(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_cells_are_zero_and_garbage_is_refused() {
        assert_eq!(cell(""), Ok(Amount::ZERO));
        assert_eq!(cell("-1,234.50"), Ok(Amount(-12_345_000)));
        assert!(cell("n/a").is_err());
    }
}
