//! The figures as a Markdown table, ready for docs/benchmarks.md.

/// Prints a table: heads, then rows of as many cells.
pub fn print<const N: usize>(title: &str, heads: [&str; N], rows: &[[String; N]]) {
    println!("### {title}\n");
    println!("| {} |", heads.join(" | "));
    println!("|{}", " --- |".repeat(N));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a figure keeps what is promised.
pub fn verdict(kept: bool) -> String {
    if kept { "kept" } else { "**missed**" }.to_owned()
}
