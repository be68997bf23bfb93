//! Reads `where` and `order` texts into trees; it never panics, whatever the text.
use super::NotUnderstood;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A condition, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
    Test {
        subject: Operand,
        test: TextTest,
        argument: Operand,
    },
    /// A boolean field or literal standing alone.
    Holds(Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A property path as written, e.g. `Contact.ContactID`.
    Field(String),
    /// `.ToLower()` or `.ToUpper()` of something.
    Lower(Box<Operand>),
    Upper(Box<Operand>),
    Text(String),
    /// In ten-thousandths.
    Number(i128),
    Guid(String),
    /// Milliseconds since 1970.
    Time(i64),
    Flag(bool),
    Null,
}

/// One key of an `order` parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub path: String,
    pub descending: bool,
}

/// How deep parentheses and negations may nest.
const DEPTH: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(i128),
    Symbol(&'static str),
}

pub fn condition(text: &str) -> Result<Condition, NotUnderstood> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    let read = reader.any(0)?;
    match reader.peek() {
        None => Ok(read),
        Some(_) => Err(NotUnderstood("Syntax error".into())),
    }
}

/// `Date DESC, InvoiceNumber`.
pub fn order(text: &str) -> Result<Vec<OrderKey>, NotUnderstood> {
    text.split(',')
        .map(|part| {
            let mut words = part.split_whitespace();
            let path = words.next().ok_or_else(|| NotUnderstood("Expression expected".into()))?.to_string();
            let descending = match words.next().map(str::to_ascii_lowercase).as_deref() {
                None | Some("asc" | "ascending") => false,
                Some("desc" | "descending") => true,
                Some(other) => return Err(NotUnderstood(format!("Syntax error: '{other}' is neither ASC nor DESC"))),
            };
            match words.next() {
                None => Ok(OrderKey { path, descending }),
                Some(_) => Err(NotUnderstood("Syntax error".into())),
            }
        })
        .collect()
}

fn tokens(text: &str) -> Result<Vec<Token>, NotUnderstood> {
    const SYMBOLS: [&str; 15] = ["==", "!=", "<>", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")", ",", "."];
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let (literal, after) = text_literal(&rest[1..])?;
            found.push(Token::Text(literal));
            rest = after;
        } else if first.is_ascii_digit() || (first == '-' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            let length = rest[1..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |at| at + 1);
            found.push(Token::Number(number(&rest[..length])?));
            // a literal's type letter: 10M, 10.5D
            rest = rest[length..].strip_prefix(['m', 'M', 'd', 'D']).unwrap_or(&rest[length..]);
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(Token::Word(rest[..length].to_string()));
            rest = &rest[length..];
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            found.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        } else {
            return Err(NotUnderstood(format!("Syntax error '{first}'")));
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

/// The text up to the closing quote; a backslash or a doubled quote keeps a quote in the text.
fn text_literal(rest: &str) -> Result<(String, &str), NotUnderstood> {
    let mut literal = String::new();
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => literal.push(characters.next().ok_or_else(|| NotUnderstood("Unterminated string literal".into()))?.1),
            '"' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                characters.next();
                literal.push('"');
            }
            '"' => return Ok((literal, &rest[at + 1..])),
            other => literal.push(other),
        }
    }
    Err(NotUnderstood("Unterminated string literal".into()))
}

/// A decimal in ten-thousandths; more decimals than that, or more digits than an amount has, are refused.
pub fn number(text: &str) -> Result<i128, NotUnderstood> {
    let wrong = || NotUnderstood(format!("Invalid real literal '{text}'"));
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || whole.len() > 20 || fraction.len() > 4 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole: i128 = whole.parse().map_err(|_| wrong())?;
    let fraction: i128 = format!("{fraction:0<4}").parse().map_err(|_| wrong())?;
    let value = whole * 10_000 + fraction;
    Ok(if negative { -value } else { value })
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }
    fn next(&mut self) -> Result<Token, NotUnderstood> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| NotUnderstood("Expression expected".into()))?;
        self.at += 1;
        Ok(token)
    }
    fn takes(&mut self, symbol: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(there);
        there
    }
    fn takes_word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(there);
        there
    }
    fn expect(&mut self, symbol: &str) -> Result<(), NotUnderstood> {
        if self.takes(symbol) { Ok(()) } else { Err(NotUnderstood(format!("'{symbol}' expected"))) }
    }

    fn any(&mut self, depth: usize) -> Result<Condition, NotUnderstood> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("||") || self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, NotUnderstood> {
        let mut parts = vec![self.single(depth)?];
        while self.takes("&&") || self.takes_word("and") {
            parts.push(self.single(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn single(&mut self, depth: usize) -> Result<Condition, NotUnderstood> {
        if depth > DEPTH {
            return Err(NotUnderstood("Expression is nested too deeply".into()));
        }
        if self.takes("!") || self.takes_word("not") {
            return Ok(Condition::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.takes("(") {
            let inner = self.any(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let left = self.operand()?;
        if let Some(test) = self.text_test()? {
            let argument = self.operand()?;
            self.expect(")")?;
            // `Name.Contains("x") == true` says the same as the call alone
            let tested = Condition::Test { subject: left, test, argument };
            return match self.operator() {
                None => Ok(tested),
                Some(operator) => {
                    let Operand::Flag(flag) = self.operand()? else {
                        return Err(NotUnderstood("A boolean is expected after a text test".into()));
                    };
                    let wanted = match operator {
                        Operator::Equal => flag,
                        Operator::NotEqual => !flag,
                        _ => return Err(NotUnderstood(format!("Operator '{}' incompatible with operand type 'Boolean'", operator.symbol()))),
                    };
                    Ok(if wanted { tested } else { Condition::Not(Box::new(tested)) })
                }
            };
        }
        match self.operator() {
            None => Ok(Condition::Holds(left)),
            Some(operator) => Ok(Condition::Compare { left, operator, right: self.operand()? }),
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        let operator = match self.peek()? {
            Token::Symbol("=" | "==") => Operator::Equal,
            Token::Symbol("!=" | "<>") => Operator::NotEqual,
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessOrEqual,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    /// `.Contains(` and its like after an operand, the parenthesis included.
    fn text_test(&mut self) -> Result<Option<TextTest>, NotUnderstood> {
        if !matches!(self.peek(), Some(Token::Symbol("."))) {
            return Ok(None);
        }
        let Some(Token::Word(method)) = self.tokens.get(self.at + 1) else {
            return Err(NotUnderstood("Identifier expected".into()));
        };
        let test = match method.to_ascii_lowercase().as_str() {
            "contains" => TextTest::Contains,
            "startswith" => TextTest::StartsWith,
            "endswith" => TextTest::EndsWith,
            _ => return Err(NotUnderstood(format!("No applicable method '{method}' exists in type 'String'"))),
        };
        self.at += 2;
        self.expect("(")?;
        Ok(Some(test))
    }

    fn operand(&mut self) -> Result<Operand, NotUnderstood> {
        let mut operand = match self.next()? {
            Token::Text(text) => Operand::Text(text),
            Token::Number(number) => Operand::Number(number),
            Token::Word(word) => self.named(word)?,
            Token::Symbol(_) => return Err(NotUnderstood("Expression expected".into())),
        };
        while let (Some(Token::Symbol(".")), Some(Token::Word(method))) = (self.peek(), self.tokens.get(self.at + 1)) {
            let lower = method.eq_ignore_ascii_case("tolower");
            if !lower && !method.eq_ignore_ascii_case("toupper") {
                break;
            }
            self.at += 2;
            self.expect("(")?;
            self.expect(")")?;
            operand = if lower { Operand::Lower(Box::new(operand)) } else { Operand::Upper(Box::new(operand)) };
        }
        Ok(operand)
    }

    /// A literal spelt as a word, a call of Guid or DateTime, or a property path.
    fn named(&mut self, word: String) -> Result<Operand, NotUnderstood> {
        match word.to_ascii_lowercase().as_str() {
            "true" => return Ok(Operand::Flag(true)),
            "false" => return Ok(Operand::Flag(false)),
            "null" => return Ok(Operand::Null),
            "guid" => return self.guid(),
            "datetime" => return self.date_time(),
            _ => {}
        }
        let mut path = word;
        while let (Some(Token::Symbol(".")), Some(Token::Word(next))) = (self.peek(), self.tokens.get(self.at + 1)) {
            // a word before a parenthesis is a method, not a property
            if matches!(self.tokens.get(self.at + 2), Some(Token::Symbol("("))) {
                break;
            }
            path.push('.');
            path.push_str(next);
            self.at += 2;
        }
        Ok(Operand::Field(path))
    }

    fn guid(&mut self) -> Result<Operand, NotUnderstood> {
        if self.takes(".") && !self.takes_word("parse") {
            return Err(NotUnderstood("Guid.Parse expected".into()));
        }
        self.expect("(")?;
        let Token::Text(text) = self.next()? else {
            return Err(NotUnderstood("Guid expects a text in quotes".into()));
        };
        self.expect(")")?;
        read_guid(&text).map(Operand::Guid).ok_or_else(|| NotUnderstood(format!("'{text}' is not a guid")))
    }

    /// `DateTime(2020, 01, 31)`, with hours, minutes and seconds if given, or `DateTime.Parse("2020-01-31")`.
    fn date_time(&mut self) -> Result<Operand, NotUnderstood> {
        if self.takes(".") {
            if !self.takes_word("parse") {
                return Err(NotUnderstood("DateTime.Parse expected".into()));
            }
            self.expect("(")?;
            let Token::Text(text) = self.next()? else {
                return Err(NotUnderstood("DateTime.Parse expects a text in quotes".into()));
            };
            self.expect(")")?;
            return crate::xero::wire::dates::modified_since(&text)
                .map(|at| Operand::Time(at.as_millisecond()))
                .ok_or_else(|| NotUnderstood(format!("'{text}' is not a date")));
        }
        self.expect("(")?;
        let mut parts = Vec::new();
        loop {
            let Token::Number(part) = self.next()? else {
                return Err(NotUnderstood("DateTime expects numbers: year, month, day".into()));
            };
            if part % 10_000 != 0 || parts.len() == 6 {
                return Err(NotUnderstood("DateTime expects whole numbers: year, month, day, hour, minute, second".into()));
            }
            parts.push(i16::try_from(part / 10_000).map_err(|_| NotUnderstood("DateTime: a number is out of range".into()))?);
            if self.takes(")") {
                break;
            }
            self.expect(",")?;
        }
        if parts.len() < 3 {
            return Err(NotUnderstood("DateTime expects at least year, month and day".into()));
        }
        let small = |index: usize| i8::try_from(parts.get(index).copied().unwrap_or(0)).ok();
        let at = (|| {
            let day = Date::new(parts[0], small(1)?, small(2)?).ok()?;
            let time = jiff::civil::Time::new(small(3)?, small(4)?, small(5)?, 0).ok()?;
            day.to_datetime(time).to_zoned(TimeZone::UTC).ok()
        })();
        at.map(|at| Operand::Time(at.timestamp().as_millisecond())).ok_or_else(|| NotUnderstood("DateTime: no such date".into()))
    }
}

/// A guid in lower case with dashes, if the text is one (braces and missing dashes are allowed).
pub fn read_guid(text: &str) -> Option<String> {
    let digits: String = text.trim().trim_start_matches('{').trim_end_matches('}').chars().filter(|c| *c != '-').collect();
    let length = text.trim().trim_start_matches('{').trim_end_matches('}').len();
    if digits.len() != 32 || (length != 32 && length != 36) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.to_ascii_lowercase();
    Some(format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_forms_are_read() {
        for text in [
            r#"Status=="AUTHORISED""#,
            r#"Status = "AUTHORISED" AND Type="ACCREC""#,
            r#"Date >= DateTime(2020, 01, 31) && Date < DateTime(2020,02,29,12,0,0)"#,
            r#"Contact.ContactID == guid("430fa14a-f945-44d3-9f97-5df5e28441b8")"#,
            r#"Name.ToLower().Contains("peter") OR EmailAddress != null"#,
            r#"Name.StartsWith("P") == true"#,
            r#"(AmountDue > 0.5 || AmountPaid<>-3) and !IsSupplier"#,
            r#"Date >= DateTime.Parse("2015-01-01")"#,
        ] {
            condition(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_is_not_an_expression_says_what_is_missing() {
        for (text, message) in [
            ("", "Expression expected"),
            ("Status==", "Expression expected"),
            (r#"Status=="OPEN"#, "Unterminated string literal"),
            (r#"(Status=="OPEN""#, "')' expected"),
            ("Date >= DateTime(2020, 13, 1)", "DateTime: no such date"),
            (r#"ContactID==guid("12")"#, "'12' is not a guid"),
            ("Status ~ 1", "Syntax error '~'"),
        ] {
            assert_eq!(condition(text), Err(NotUnderstood(message.into())), "{text}");
        }
        assert!(condition(&"(".repeat(5_000)).is_err());
        assert!(condition(&"!".repeat(5_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
            let _ = condition(&text);
            let _ = order(&text);
        }
        #[test]
        fn no_soup_of_tokens_makes_the_reader_panic(words in proptest::collection::vec(proptest::sample::select(vec![
            "Status", ".", "==", "\"a\"", "(", ")", "&&", "OR", "!", "DateTime", "guid", "1", ",", "-2.5", "Contains", "null", "true", "\"", "\\", "é", ">=",
        ]), 0..40)) {
            let _ = condition(&words.join(" "));
            let _ = condition(&words.concat());
        }
    }
}
