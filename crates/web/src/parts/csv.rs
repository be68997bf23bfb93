//! Tables as text: commas, quotes, one row for each line (RFC 4180). Spreadsheets run cells that begin like formulas, so such a cell gets a quote mark.
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A table with a line for the heads, to be saved as a file.
pub struct Csv(String);

impl Csv {
    pub fn with_heads(heads: &[&str]) -> Csv {
        Csv(row(heads.iter().copied()))
    }

    pub fn add<T: AsRef<str>>(&mut self, cells: &[T]) {
        self.0.push_str(&row(cells.iter().map(AsRef::as_ref)));
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// The answer that browsers save under this name.
    pub fn download(self, name: &str) -> Response {
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("the names are ours");
        ([(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")), (header::CONTENT_DISPOSITION, disposition)], self.0)
            .into_response()
    }
}

/// One row of a table.
pub fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let guarded = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(cell) { format!("'{cell}") } else { cell.to_owned() };
        if guarded.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&guarded.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&guarded);
        }
    }
    text.push_str("\r\n");
    text
}

fn is_number(cell: &str) -> bool {
    let digits = cell.trim_start_matches('-');
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// A row and the line of the text it begins on, counted from 1.
pub type Numbered = (usize, Vec<String>);

/// Reads a table. Commas, semicolons or tabs, whatever its first line has; an error names its line.
pub fn parse(text: &str) -> Result<Vec<Numbered>, (usize, &'static str)> {
    let text = text.trim_start_matches('\u{feff}');
    let head = text.lines().next().unwrap_or_default();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|separator| head.matches(*separator).count()).unwrap_or(',');
    let (mut rows, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begins, mut quoted, mut was_quoted) = (1, 1, false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() && !was_quoted => {
                cell.clear();
                (quoted, was_quoted) = (true, true);
            }
            '"' => return Err((line, "a quotation mark stands inside a cell; double it, or put the whole cell in quotation marks")),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                rows.push((begins, std::mem::take(&mut cells)));
                line += 1;
                (begins, was_quoted) = (line, false);
            }
            other if other == separator && !quoted => {
                cells.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            other => {
                line += usize::from(other == '\n');
                cell.push(other);
            }
        }
    }
    if quoted {
        return Err((begins, "a quotation mark is opened and never closed"));
    }
    if !cell.is_empty() || !cells.is_empty() {
        cells.push(cell);
        rows.push((begins, cells));
    }
    rows.retain(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let cells = ["plain", "with, comma", "with \"quotes\"", "two\nlines", "", "-12.50"];
        let text = row(cells);
        assert_eq!(parse(&text).unwrap(), [(1, cells.map(str::to_owned).to_vec())]);
        assert_eq!(row(["=HYPERLINK(\"x\")", "@a", "+b"]), "\"'=HYPERLINK(\"\"x\"\")\",'@a,'+b\r\n");
    }

    #[test]
    fn lines_are_numbered_and_errors_name_theirs() {
        assert_eq!(parse("\u{feff}a;b\r\n\r\n1;\"x\ny\"\n2;z").unwrap().iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(parse("a,b\n1,x\"y").unwrap_err().0, 2);
        assert_eq!(parse("a,b\n1,\"x").unwrap_err().0, 2);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn texts_of_a_file_are_quoted_and_never_formulas() {
        let mut csv = Csv::with_heads(&["Company", "Added"]);
        csv.add(&["=HYPERLINK(\"x\")", "-3"]);
        csv.add(&["Smith, \"Bob\"\nLtd", "+1"]);
        assert_eq!(csv.text(), "Company,Added\r\n\"'=HYPERLINK(\"\"x\"\")\",-3\r\n\"Smith, \"\"Bob\"\"\nLtd\",'+1\r\n");
    }
}
