//! The statement of the query endpoint: its words and its grammar.
//!
//! Grammar of <https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries>: one entity,
//! `AND` only, no `OR`, `NOT`, `!=`, parentheses or joins.

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub select: Select,
    pub entity: String,
    pub conditions: Vec<Condition>,
    pub order: Vec<Order>,
    pub start_position: Option<i64>,
    pub max_results: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    Count,
    /// `*`, perhaps with properties that `*` leaves out (`*, Sku`).
    All {
        extra: Vec<String>,
    },
    Properties(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub property: String,
    pub operator: Operator,
    /// One value; several after `IN`.
    pub values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub property: String,
    pub descending: bool,
}

/// Where the statement stopped making sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("QueryParserError: Encountered \" {kind} \"{found} \"\" at line {line}, column {column}.\nWas expecting:\n    {expected} ...\n    ")]
pub struct ParseError {
    kind: &'static str,
    found: String,
    line: usize,
    column: usize,
    expected: &'static str,
}

pub fn parse(text: &str) -> Result<Statement, ParseError> {
    let mut parser = Parser { tokens: lex(text)?, next: 0 };
    parser.word("SELECT")?;
    let select = parser.select()?;
    parser.word("FROM")?;
    let entity = parser.identifier()?;
    let mut statement = Statement { select, entity, conditions: Vec::new(), order: Vec::new(), start_position: None, max_results: None };
    if parser.takes("WHERE") {
        statement.conditions.push(parser.condition()?);
        while parser.takes("AND") {
            statement.conditions.push(parser.condition()?);
        }
    }
    // "ORDERBY and ORDER BY both; MAXRESULTS n STARTPOSITION m accepted in that order too" (contract fact 47).
    loop {
        if statement.order.is_empty() && (parser.takes("ORDERBY") || parser.takes_pair("ORDER", "BY")) {
            statement.order = parser.order()?;
        } else if statement.start_position.is_none() && parser.takes("STARTPOSITION") {
            statement.start_position = Some(parser.number()?);
        } else if statement.max_results.is_none() && parser.takes("MAXRESULTS") {
            statement.max_results = Some(parser.number()?);
        } else {
            parser.end()?;
            return Ok(statement);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Identifier,
    Text,
    Number,
    Symbol,
    End,
}

impl Kind {
    fn word(&self) -> &'static str {
        match self {
            Kind::Identifier => "<IDENTIFIER>",
            Kind::Text => "<STRING>",
            Kind::Number => "<NUMBER>",
            Kind::Symbol => "<SYMBOL>",
            Kind::End => "<EOF>",
        }
    }
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    text: String,
    line: usize,
    column: usize,
}

fn lex(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::new();
    let (mut line, mut column) = (1, 1);
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let (start_line, start_column) = (line, column);
        column += 1;
        if first == '\n' {
            line += 1;
            column = 1;
        }
        if first.is_whitespace() {
            continue;
        }
        let mut word = String::new();
        let kind = if first == '\'' {
            let mut closed = false;
            while let Some(c) = rest.next() {
                column += 1;
                match c {
                    // "escape ' as \' (a backslash as \\)" (contract 3.2)
                    '\\' => match rest.next() {
                        Some(escaped) => {
                            column += 1;
                            word.push(escaped);
                        }
                        None => break,
                    },
                    '\'' => {
                        closed = true;
                        break;
                    }
                    other => word.push(other),
                }
            }
            if !closed {
                return Err(ParseError { kind: "<EOF>", found: String::new(), line, column, expected: "<STRING>" });
            }
            Kind::Text
        } else if first.is_ascii_alphabetic() || first == '_' {
            word.push(first);
            while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
                column += 1;
                word.push(c);
            }
            Kind::Identifier
        } else if first.is_ascii_digit() || (first == '-' && rest.peek().is_some_and(char::is_ascii_digit)) {
            word.push(first);
            while let Some(c) = rest.next_if(|c| c.is_ascii_digit() || *c == '.') {
                column += 1;
                word.push(c);
            }
            Kind::Number
        } else if matches!(first, '<' | '>') {
            word.push(first);
            if let Some(c) = rest.next_if_eq(&'=') {
                column += 1;
                word.push(c);
            }
            Kind::Symbol
        } else if matches!(first, '*' | ',' | '(' | ')' | '=') {
            word.push(first);
            Kind::Symbol
        } else {
            return Err(ParseError { kind: "<UNKNOWN>", found: first.to_string(), line: start_line, column: start_column, expected: "<IDENTIFIER>" });
        };
        tokens.push(Token { kind, text: word, line: start_line, column: start_column });
    }
    tokens.push(Token { kind: Kind::End, text: String::new(), line, column });
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }
    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }
    fn unexpected<T>(&self, expected: &'static str) -> Result<T, ParseError> {
        let token = self.peek();
        Err(ParseError { kind: token.kind.word(), found: token.text.clone(), line: token.line, column: token.column, expected })
    }
    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.tokens.get(self.next + ahead).is_some_and(|token| token.kind == Kind::Identifier && token.text.eq_ignore_ascii_case(word))
    }
    fn takes(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.next += usize::from(found);
        found
    }
    fn takes_pair(&mut self, first: &str, second: &str) -> bool {
        let found = self.is_word(0, first) && self.is_word(1, second);
        self.next += 2 * usize::from(found);
        found
    }
    fn takes_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().kind == Kind::Symbol && self.peek().text == symbol;
        self.next += usize::from(found);
        found
    }
    fn word(&mut self, word: &'static str) -> Result<(), ParseError> {
        if self.takes(word) { Ok(()) } else { self.unexpected(word) }
    }
    fn symbol(&mut self, symbol: &'static str) -> Result<(), ParseError> {
        if self.takes_symbol(symbol) { Ok(()) } else { self.unexpected(symbol) }
    }
    fn identifier(&mut self) -> Result<String, ParseError> {
        const KEYWORDS: [&str; 9] = ["SELECT", "FROM", "WHERE", "AND", "ORDERBY", "ORDER", "STARTPOSITION", "MAXRESULTS", "IN"];
        let token = self.peek();
        if token.kind == Kind::Identifier && !KEYWORDS.iter().any(|keyword| token.text.eq_ignore_ascii_case(keyword)) {
            return Ok(self.advance().text);
        }
        self.unexpected("<IDENTIFIER>")
    }
    fn number(&mut self) -> Result<i64, ParseError> {
        if matches!(self.peek().kind, Kind::Number | Kind::Text)
            && let Ok(number) = self.peek().text.parse()
        {
            self.next += 1;
            return Ok(number);
        }
        self.unexpected("<NUMBER>")
    }
    fn end(&self) -> Result<(), ParseError> {
        if self.peek().kind == Kind::End { Ok(()) } else { self.unexpected("<EOF>") }
    }
    fn select(&mut self) -> Result<Select, ParseError> {
        if self.is_word(0, "COUNT") && self.tokens.get(self.next + 1).is_some_and(|token| token.text == "(" && token.kind == Kind::Symbol) {
            self.next += 2;
            self.symbol("*")?;
            self.symbol(")")?;
            return Ok(Select::Count);
        }
        let all = self.takes_symbol("*");
        let mut properties = Vec::new();
        if !all {
            properties.push(self.identifier()?);
        }
        while self.takes_symbol(",") {
            properties.push(self.identifier()?);
        }
        Ok(if all { Select::All { extra: properties } } else { Select::Properties(properties) })
    }
    fn condition(&mut self) -> Result<Condition, ParseError> {
        let property = self.identifier()?;
        if self.takes("IN") {
            self.symbol("(")?;
            let mut values = vec![self.value()?];
            while self.takes_symbol(",") {
                values.push(self.value()?);
            }
            self.symbol(")")?;
            return Ok(Condition { property, operator: Operator::In, values });
        }
        let operator = if self.takes("LIKE") {
            Operator::Like
        } else {
            let operator = match self.peek().text.as_str() {
                "=" => Operator::Equal,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                _ => return self.unexpected("<OPERATOR>"),
            };
            if self.peek().kind != Kind::Symbol {
                return self.unexpected("<OPERATOR>");
            }
            self.next += 1;
            operator
        };
        Ok(Condition { property, operator, values: vec![self.value()?] })
    }
    fn value(&mut self) -> Result<String, ParseError> {
        let token = self.peek();
        let bare_boolean = token.kind == Kind::Identifier && (token.text.eq_ignore_ascii_case("true") || token.text.eq_ignore_ascii_case("false"));
        if bare_boolean || matches!(token.kind, Kind::Text | Kind::Number) {
            return Ok(self.advance().text);
        }
        self.unexpected("<STRING>")
    }
    fn order(&mut self) -> Result<Vec<Order>, ParseError> {
        let mut order = Vec::new();
        loop {
            let property = self.identifier()?;
            let descending = self.takes("DESC");
            if !descending {
                self.takes("ASC");
            }
            order.push(Order { property, descending });
            if !self.takes_symbol(",") {
                return Ok(order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // quickbooks facts 44, 47, 52
    #[test]
    fn keywords_come_in_any_case_and_paging_clauses_in_either_order() {
        let one = parse("select * from account where Active = True orderby Id startposition 1 maxresults 5").expect("a statement");
        let other = parse("SELECT * FROM account WHERE Active = True ORDER BY Id MAXRESULTS 5 STARTPOSITION 1 ").expect("a statement");
        assert_eq!(one, other);
        assert_eq!(one.start_position, Some(1));
        assert_eq!(one.max_results, Some(5));
        assert_eq!(one.conditions[0].values, ["True"]);
    }

    // quickbooks fact 53
    #[test]
    fn an_escaped_apostrophe_is_part_of_the_text() {
        let statement = parse(r"SELECT * FROM Customer WHERE DisplayName = 'Amy\'s Bird \\ Sanctuary'").expect("a statement");
        assert_eq!(statement.conditions[0].values, [r"Amy's Bird \ Sanctuary"]);
    }

    // quickbooks fact 57
    #[test]
    fn an_error_names_the_word_and_its_column() {
        let error = parse("SELECT * FROM Account WHERE Id = '1' OR Id = '2'").expect_err("OR is not in the grammar").to_string();
        assert!(error.starts_with("QueryParserError: Encountered \" <IDENTIFIER> \"OR \"\" at line 1, column 38."), "{error}");
        for wrong in [
            "",
            "SELECT",
            "SELECT * FROM",
            "SELECT COUNT(*",
            "SELECT * FROM A WHERE",
            "SELECT * FROM A WHERE Id != '1'",
            "DELETE FROM A",
            "SELECT * FROM A WHERE n = 'x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    fn statement() -> impl Strategy<Value = Statement> {
        let property = "[A-Z][a-z]{2,8}_(\\.[A-Z][a-z]{2,8}_)?";
        let operator = prop::sample::select(vec![
            Operator::Equal,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
            Operator::In,
            Operator::Like,
        ]);
        let condition = (property, operator, prop::collection::vec(".*", 1..4)).prop_map(|(property, operator, mut values)| {
            if operator != Operator::In {
                values.truncate(1);
            }
            Condition { property, operator, values }
        });
        let order = (property, any::<bool>()).prop_map(|(property, descending)| Order { property, descending });
        (
            prop_oneof![
                Just(Select::Count),
                prop::collection::vec(property, 0..3).prop_map(|extra| Select::All { extra }),
                prop::collection::vec(property, 1..3).prop_map(Select::Properties)
            ],
            "[A-Z][a-z]{2,8}_",
            prop::collection::vec(condition, 0..4),
            prop::collection::vec(order, 0..3),
            prop::option::of(any::<i32>()),
            prop::option::of(any::<i32>()),
        )
            .prop_map(|(select, entity, conditions, order, start, max)| Statement {
                select,
                entity,
                conditions,
                order,
                start_position: start.map(i64::from),
                max_results: max.map(i64::from),
            })
    }

    fn written(statement: &Statement) -> String {
        let quoted = |value: &String| format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"));
        let mut text = String::from("SELECT ");
        text += &match &statement.select {
            Select::Count => "COUNT(*)".to_owned(),
            Select::All { extra } => [vec!["*".to_owned()], extra.clone()].concat().join(", "),
            Select::Properties(properties) => properties.join(", "),
        };
        text += &format!(" FROM {}", statement.entity);
        for (index, condition) in statement.conditions.iter().enumerate() {
            let operator = match condition.operator {
                Operator::Equal => "=",
                Operator::Less => "<",
                Operator::LessOrEqual => "<=",
                Operator::Greater => ">",
                Operator::GreaterOrEqual => ">=",
                Operator::In => "IN",
                Operator::Like => "LIKE",
            };
            let values = condition.values.iter().map(quoted).collect::<Vec<_>>().join(", ");
            let values = if condition.operator == Operator::In { format!("({values})") } else { values };
            text += &format!(" {} {} {operator} {values}", if index == 0 { "WHERE" } else { "AND" }, condition.property);
        }
        if !statement.order.is_empty() {
            let order: Vec<String> =
                statement.order.iter().map(|o| format!("{} {}", o.property, if o.descending { "DESC" } else { "ASC" })).collect();
            text += &format!(" ORDER BY {}", order.join(", "));
        }
        if let Some(start) = statement.start_position {
            text += &format!(" STARTPOSITION {start}");
        }
        if let Some(max) = statement.max_results {
            text += &format!(" MAXRESULTS {max}");
        }
        text
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn near_misses_of_statements_never_panic(text in "(SELECT|FROM|WHERE|AND|IN|ORDER|BY|COUNT|LIKE|MAXRESULTS|[(),*=<>'\\\\ \n]|é|[a-z0-9.-]{1,3}| ){0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_written_statement_reads_back_as_itself(statement in statement()) {
            prop_assert_eq!(parse(&written(&statement)).expect("what was written is a statement"), statement);
        }
    }
}
