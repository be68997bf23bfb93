//! A document on paper: one page of plain text as a PDF, which is what both providers print on request.
use crate::books::{Books, Document};

/// Letters to a line.
const WIDTH: usize = 84;
const MOST_LINES: usize = 48;

/// What a printed sales or purchase form says.
pub fn of_document(books: &Books, title: &str, document: &Document) -> Vec<u8> {
    let contact = document.contact.and_then(|id| books.contacts.get(&id)).map_or("", |contact| contact.name.as_str());
    let mut lines = vec![
        books.name.clone(),
        format!("{title} {}", document.number),
        String::new(),
        format!("To:    {contact}"),
        format!("Date:  {}", document.date),
    ];
    lines.extend(document.due_date.map(|due| format!("Due:   {due}")));
    lines.push(String::new());
    lines.extend(document.lines.iter().map(|line| amount_line(&line.description, &line.amount.to_string())));
    for tax in &document.taxes {
        let name = books.tax_rate(tax.tax_rate).map_or("Tax", |rate| rate.name.as_str());
        lines.push(amount_line(name, &tax.tax.to_string()));
    }
    lines.push(amount_line("Total", &format!("{} {}", books.total(document), document.currency)));
    lines.push(String::new());
    lines.push("Printed by a sandbox. This is no real document.".into());
    pdf(&lines)
}

fn amount_line(text: &str, amount: &str) -> String {
    let text: String = text.chars().take(WIDTH - 22).collect();
    format!("{text:<width$}{amount:>20}", width = WIDTH - 20)
}

/// One page in a typewriter's letters. Characters outside of Latin-1 become question marks.
pub fn pdf(lines: &[String]) -> Vec<u8> {
    let mut page = b"BT /F1 10 Tf 14 TL 48 794 Td\n".to_vec();
    for line in lines.iter().take(MOST_LINES) {
        page.push(b'(');
        for letter in line.chars().take(WIDTH) {
            match letter {
                '(' | ')' | '\\' => page.extend([b'\\', u8::try_from(u32::from(letter)).unwrap_or(b'?')]),
                letter if letter < ' ' => page.push(b' '),
                letter => page.push(u8::try_from(u32::from(letter)).unwrap_or(b'?')),
            }
        }
        page.extend(b") Tj T*\n");
    }
    page.extend(b"ET");
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>";
    let parts: [Vec<u8>; 5] = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>".to_vec(),
        [format!("<< /Length {} >>\nstream\n", page.len()).into_bytes(), page, b"\nendstream".to_vec()].concat(),
        font.as_bytes().to_vec(),
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, part) in (1..).zip(&parts) {
        let number: usize = number;
        places.push(file.len());
        file.extend(format!("{number} 0 obj\n").bytes());
        file.extend(part);
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", parts.len() + 1).bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", parts.len() + 1).bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_page_stands_where_its_table_says() {
        let text = String::from_utf8(pdf(&["A (b) \\ c".into()])).unwrap();
        let table = text.rfind("\nxref\n").unwrap() + 1;
        assert!(text.ends_with(&format!("startxref\n{table}\n%%EOF\n")));
        for (number, line) in text[table..].lines().skip(3).take(5).enumerate() {
            let place: usize = line[..10].parse().unwrap();
            assert!(text[place..].starts_with(&format!("{} 0 obj", number + 1)), "{line}");
        }
        assert!(text.contains("(A \\(b\\) \\\\ c) Tj"));
        let file = pdf(&["Zo\u{eb} \u{20ac}".into()]);
        assert!(file.windows(9).any(|part| part == b"(Zo\xeb ?) T"));
    }
}
