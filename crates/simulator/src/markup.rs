//! XML as clients send it: elements with attributes and text. Both providers take bodies in it where an SDK prefers it to JSON.
//!
//! Hostile input is refused, never a panic: depth and size are bounded, there are no document types and so no entities of one's own.
use std::collections::BTreeMap;

/// Deeper nesting than any body of the APIs needs.
const DEEPEST: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Without its prefix.
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Element>,
    /// All text directly inside.
    pub text: String,
}

/// Whether a body looks like XML rather than JSON.
pub fn is_likely(body: &str) -> bool {
    body.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// The root element, if this is a document.
pub fn read(text: &str) -> Option<Element> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}') };
    reader.between()?;
    let root = reader.element(0)?;
    reader.between()?;
    reader.rest.is_empty().then_some(root)
}

struct Reader<'a> {
    rest: &'a str,
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches(is_space);
    }

    fn take(&mut self, wanted: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(end)?;
        self.rest = after;
        Some(before)
    }

    /// Declarations, comments and blanks around the root.
    fn between(&mut self) -> Option<()> {
        loop {
            self.space();
            if self.take("<?").is_some() {
                self.until("?>")?;
            } else if self.take("<!--").is_some() {
                self.until("-->")?;
            } else {
                return Some(());
            }
        }
    }

    fn name(&mut self) -> Option<&'a str> {
        let length = self.rest.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':'))).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        if depth > DEEPEST {
            return None;
        }
        self.take("<")?;
        let written = self.name()?;
        let mut element = Element { name: local(written).to_owned(), ..Element::default() };
        loop {
            self.space();
            if self.take("/>").is_some() {
                return Some(element);
            }
            if self.take(">").is_some() {
                break;
            }
            let name = self.name()?;
            self.space();
            self.take("=")?;
            self.space();
            let quote = if self.take("\"").is_some() { "\"" } else { self.take("'").map(|()| "'")? };
            let value = unescaped(self.until(quote)?)?;
            element.attributes.insert(local(name).to_owned(), value);
        }
        loop {
            if self.take("</").is_some() {
                let closing = self.name()?;
                self.space();
                self.take(">")?;
                return (closing == written).then_some(element);
            }
            if self.take("<!--").is_some() {
                self.until("-->")?;
            } else if self.take("<![CDATA[").is_some() {
                element.text.push_str(self.until("]]>")?);
            } else if self.rest.starts_with('<') {
                element.children.push(self.element(depth + 1)?);
            } else {
                let length = self.rest.find('<')?;
                let (text, rest) = self.rest.split_at(length);
                self.rest = rest;
                element.text.push_str(&unescaped(text)?);
            }
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';')?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            coded => {
                let digits = coded.strip_prefix('#')?;
                let number = match digits.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(number)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn elements_attributes_and_text_are_read() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- sent -->\n<ns0:Invoice xmlns:ns0=\"http://x\" sparse='true'><Id>1</Id>\
                    <Note>a &amp; b &#x41;&#66;<![CDATA[<c>]]></Note><Line/></ns0:Invoice>\n";
        let root = read(text).unwrap();
        assert_eq!((root.name.as_str(), root.attributes["sparse"].as_str()), ("Invoice", "true"));
        assert_eq!(root.children[1].text, "a & b AB<c>");
        assert_eq!(root.children.len(), 3);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for text in ["", "<a>", "<a></b>", "<a b=c/>", "<a>&unknown;</a>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a", "<a>]]></a", "x<a/>"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000))), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/!?&;#x'\"=a-c \\[\\]-]{0,60}") {
            read(&text);
        }
    }
}
