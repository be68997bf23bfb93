//! How values look on a terminal: plain columns, grouped numbers, times a person can read.
use std::fmt;

/// A table with columns as wide as their widest cell; the last columns of numbers are right-aligned when every cell is a number.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Table {
        Table { head: head.iter().map(|cell| (*cell).to_owned()).collect(), rows: Vec::new() }
    }
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).chain([self.head[column].chars().count()]).max().unwrap_or(0);
        let numeric = |column: usize| {
            !self.rows.is_empty()
                && self.rows.iter().all(|row| {
                    row[column].chars().any(|c| c.is_ascii_digit()) && row[column].chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-'))
                })
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let right: Vec<bool> = (0..self.head.len()).map(numeric).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            let mut text = String::new();
            for (column, cell) in cells.iter().enumerate() {
                let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
                if right[column] {
                    text.push_str(&pad);
                    text.push_str(cell);
                } else {
                    text.push_str(cell);
                    text.push_str(&pad);
                }
                text.push_str("  ");
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(f, &self.head)?;
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(f, &rule)?;
        for row in &self.rows {
            line(f, row)?;
        }
        Ok(())
    }
}

pub use domain::money::grouped;

/// `2026-01-31T10:20:30Z`.
pub fn instant(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

pub fn ago(ms: i64, now_ms: i64) -> String {
    let secs = ((now_ms - ms) / 1_000).max(0);
    match secs {
        0..60 => "just now".into(),
        60..3_600 => format!("{} min ago", secs / 60),
        3_600..86_400 => format!("{} h ago", secs / 3_600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

pub fn provider(id: &str) -> &str {
    match id {
        "quickbooks" => "QuickBooks",
        "xero" => "Xero",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_numbers_to_the_right() {
        let mut table = Table::new(&["Company", "Records"]);
        table.row(vec!["A".into(), grouped(1_234_567)]);
        table.row(vec!["Longer name".into(), "7".into()]);
        assert_eq!(table.to_string(), "Company        Records\n-----------  ---------\nA            1,234,567\nLonger name          7\n");
    }

    #[test]
    fn times_are_told_as_people_do() {
        assert_eq!(ago(0, 59_000), "just now");
        assert_eq!(ago(0, 7_200_000), "2 h ago");
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
    }
}
