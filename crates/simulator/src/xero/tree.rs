//! JSON as a tree that keeps the order of fields and the text of numbers: request bodies, and answers that are to be written as XML.
//!
//! Hostile input is refused, never a panic: depth is bounded and every byte is looked at once.
use crate::money::Cents;

/// Deeper nesting than any request of the API needs.
const DEEPEST: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Null,
    Flag(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    pub fn read(bytes: &[u8]) -> Option<Node> {
        let mut reader = Reader { text: std::str::from_utf8(bytes).ok()?, at: 0 };
        let node = reader.value(0)?;
        reader.space();
        (reader.at == reader.text.len()).then_some(node)
    }

    /// The field of this name, in any case; null counts as not given.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let Node::Object(fields) = self else { return None };
        let found = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        found.filter(|value| !matches!(value, Node::Null))
    }
    /// `Contact.ContactID`.
    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self, |node, name| node.get(name))
    }
    /// Text, or a number as it is written.
    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) | Node::Number(text) => Some(text),
            _ => None,
        }
    }
    pub fn flag(&self) -> Option<bool> {
        match self {
            Node::Flag(flag) => Some(*flag),
            Node::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Node::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
    pub fn list(&self) -> Option<&[Node]> {
        match self {
            Node::List(items) => Some(items),
            _ => None,
        }
    }
    /// A number with this many decimals as an integer: `12.345` is 123450 at four. More decimals are rounded half away from zero.
    pub fn scaled(&self, decimals: u32) -> Option<i128> {
        scaled(self.text()?, decimals)
    }
    pub fn cents(&self) -> Option<Cents> {
        self.scaled(2).and_then(|cents| i64::try_from(cents).ok()).filter(|cents| cents.unsigned_abs() < MOST_CENTS).map(Cents)
    }
    /// The node as JSON again.
    pub fn json(&self) -> String {
        match self {
            Node::Null => "null".into(),
            Node::Flag(flag) => flag.to_string(),
            Node::Number(number) => number.clone(),
            Node::Text(text) => super::wire::json::quoted(text),
            Node::List(items) => super::wire::json::array(&items.iter().map(Node::json).collect::<Vec<_>>()),
            Node::Object(fields) => {
                let object = fields.iter().fold(super::wire::json::Object::new(), |object, (name, value)| object.field(name, &value.json()));
                object.end()
            }
        }
    }
}

/// Books of the sandbox stay below this: ten thousand million units.
const MOST_CENTS: u64 = 1_000_000_000_000;

/// A plain decimal number at a fixed scale. Exponents within reason are understood, since clients print floats with them.
pub fn scaled(text: &str, decimals: u32) -> Option<i128> {
    let (digits, exponent) = match text.trim().split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok().filter(|exponent| exponent.abs() <= 30)?),
        None => (text.trim(), 0),
    };
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits.strip_prefix('+').unwrap_or(digits)), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [whole, fraction].concat();
    if all.is_empty() || all.len() > 60 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // where the point stands after the exponent, counted in digits of `all`
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let wanted = point + i64::from(decimals);
    let significant = all.trim_start_matches('0');
    let skipped = i64::try_from(all.len() - significant.len()).ok()?;
    let kept = wanted - skipped;
    if kept < 0 {
        return Some(0);
    }
    if kept > 30 {
        return if significant.is_empty() { Some(0) } else { None };
    }
    let kept = usize::try_from(kept).ok()?;
    let taken: String = significant.chars().chain(std::iter::repeat('0')).take(kept).collect();
    let mut value: i128 = if taken.is_empty() { 0 } else { taken.parse().ok()? };
    if significant.as_bytes().get(kept).is_some_and(|digit| *digit >= b'5') {
        value += 1;
    }
    Some(if negative { -value } else { value })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        let rest = self.text[self.at..].bytes();
        self.at += rest.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, node: Node) -> Option<Node> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())?;
        Some(node)
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.string().map(Node::Text),
            b't' => self.word("true", Node::Flag(true)),
            b'f' => self.word("false", Node::Flag(false)),
            b'n' => self.word("null", Node::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Node> {
        self.take(b'{')?;
        let mut fields = Vec::new();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Node::Object(fields));
        }
        loop {
            (self.peek()? == b'"').then_some(())?;
            let name = self.string()?;
            self.take(b':')?;
            fields.push((name, self.value(depth + 1)?));
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(Node::Object(fields));
                }
                _ => return None,
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Node> {
        self.take(b'[')?;
        let mut items = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Node::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(Node::List(items));
                }
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        while *bytes.get(at)? != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        self.at = at + 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn number(&mut self) -> Option<Node> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')).count();
        let text = &rest[..length];
        // the grammar of JSON numbers is serde's to know, and how large one may be: answers repeat what was sent, and clients have to read it
        serde_json::from_str::<serde_json::Value>(text).ok()?;
        self.at += length;
        Some(Node::Number(text.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_text_and_scale_exactly() {
        let node = Node::read(br#" {"Amount": 12.10, "Note": "say \"hi\" \u00e9", "Empty": null, "List": [1, true]} "#).unwrap();
        assert_eq!(node.get("amount"), Some(&Node::Number("12.10".into())));
        assert_eq!(node.get("Amount").unwrap().cents(), Some(Cents(1210)));
        assert_eq!(node.get("Note").unwrap().text(), Some("say \"hi\" é"));
        assert_eq!(node.get("Empty"), None);
        for (text, decimals, value) in [
            ("12.345", 2, Some(1235)),
            ("12.344", 2, Some(1234)),
            ("-0.005", 2, Some(-1)),
            ("1.5e2", 2, Some(15000)),
            ("25e-1", 0, Some(3)),
            ("0.0004", 2, Some(0)),
            ("00012", 0, Some(12)),
            ("1e31", 0, None),
            ("", 2, None),
            ("1.2.3", 2, None),
            ("twelve", 2, None),
        ] {
            assert_eq!(scaled(text, decimals), value, "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\":}", "\"\\", "tru", "{\"a\":1}x", "01", "\"\u{1}\"", "[1 2]", "-", "1e400"] {
            assert_eq!(Node::read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Node::read("[".repeat(100_000).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            Node::read(&bytes);
        }
        #[test]
        fn any_text_of_json_signs_is_read_as_serde_reads_it(text in "[\\[\\]{}\",:0-9eE.+\\-ntrufalsé\\\\ ]{0,40}") {
            let ours = Node::read(text.as_bytes()).is_some();
            prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
