//! From text to tree: the grammar of the language definition, by the strength of its operators.

use super::{
    expression::{Expression, Operator, Walk, WalkKind},
    functions,
    tokens::{Mistake, Token, tokens},
    value::Value,
};

/// How deep brackets may nest.
const MAX_BRACKETS: usize = 32;
/// How deep the tree may nest: `a + b + c` is one deeper than `a + b`.
const MAX_DEPTH: usize = 100;

/// Weaker ones first; those of one row are read from left to right.
const OPERATORS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
        ("in", Operator::In),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

/// Names that the language keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The tree of a condition.
pub(super) fn expression(text: &str) -> Result<Expression, Mistake> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, open: 0 };
    let root = parser.choice()?;
    if *parser.peek() != Token::End {
        return Err(parser.unexpected("the end"));
    }
    if root.depth() > MAX_DEPTH {
        return Err((1, format!("nests deeper than {MAX_DEPTH}")));
    }
    Ok(root)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    open: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(_, token)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).map_or(1, |(column, _)| *column)
    }

    fn mistake(&self, what: impl Into<String>) -> Mistake {
        (self.column(), what.into())
    }

    fn unexpected(&self, wanted: &str) -> Mistake {
        let found = match self.peek() {
            Token::Name(name) => format!("`{name}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
            Token::End => "the end".to_owned(),
        };
        self.mistake(format!("{found} where {wanted} belongs"))
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), Mistake> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn name(&mut self) -> Result<String, Mistake> {
        let Token::Name(name) = self.peek() else { return Err(self.unexpected("a name")) };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    /// `condition ? one : other`, or what is stronger.
    fn choice(&mut self) -> Result<Expression, Mistake> {
        self.open += 1;
        if self.open > MAX_BRACKETS {
            return Err(self.mistake(format!("brackets nest deeper than {MAX_BRACKETS}")));
        }
        let condition = self.binary(0)?;
        let whole = if self.takes("?") {
            let one = self.binary(0)?;
            self.expect(":")?;
            Expression::Choose(Box::new([condition, one, self.choice()?]))
        } else {
            condition
        };
        self.open -= 1;
        Ok(whole)
    }

    fn binary(&mut self, strength: usize) -> Result<Expression, Mistake> {
        let Some(row) = OPERATORS.get(strength) else { return self.unary() };
        let mut left = self.binary(strength + 1)?;
        while let Some((_, operator)) = row.iter().find(|(sign, _)| self.takes(sign)) {
            left = Expression::Binary(*operator, Box::new([left, self.binary(strength + 1)?]));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, Mistake> {
        let (mut nots, mut minuses) = (0_usize, 0_usize);
        while self.takes("!") {
            nots += 1;
        }
        while nots == 0 && self.takes("-") {
            minuses += 1;
        }
        let negative = minuses > 0;
        let mut whole = match self.peek() {
            Token::Int(number) if negative && *number == 1 << 63 => {
                self.at += 1;
                minuses -= 1;
                Expression::Literal(Value::Int(i64::MIN))
            }
            _ => self.member()?,
        };
        for _ in 0..nots {
            whole = Expression::Not(Box::new(whole));
        }
        for _ in 0..minuses {
            whole = Expression::Negate(Box::new(whole));
        }
        Ok(whole)
    }

    fn member(&mut self) -> Result<Expression, Mistake> {
        let mut whole = self.primary()?;
        loop {
            if self.takes(".") {
                let column = self.column();
                let name = self.name()?;
                whole = if self.takes("(") {
                    self.method(whole, &name, column)?
                } else {
                    Expression::Select(Box::new(whole), name)
                };
            } else if self.takes("[") {
                let at = self.choice()?;
                self.expect("]")?;
                whole = Expression::Index(Box::new([whole, at]));
            } else {
                return Ok(whole);
            }
        }
    }

    fn primary(&mut self) -> Result<Expression, Mistake> {
        if self.takes("(") {
            let inner = self.choice()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes("[") {
            return self.items("]").map(Expression::List);
        }
        if self.takes("{") {
            return self.entries().map(Expression::Map);
        }
        let literal = match self.peek() {
            Token::Int(number) => match i64::try_from(*number) {
                Ok(number) => Value::Int(number),
                Err(_) => return Err(self.mistake("the number is larger than 2^63 - 1")),
            },
            Token::Uint(number) => Value::Uint(*number),
            Token::Double(number) => Value::Double(*number),
            Token::Text(text) => Value::made_text(text),
            Token::Name(name) if name == "true" => Value::Bool(true),
            Token::Name(name) if name == "false" => Value::Bool(false),
            Token::Name(name) if name == "null" => Value::Null,
            Token::Name(_) | Token::Sign(".") => return self.named(),
            _ => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(Expression::Literal(literal))
    }

    /// A variable, or a function that is called.
    fn named(&mut self) -> Result<Expression, Mistake> {
        self.takes(".");
        let column = self.column();
        let name = self.name()?;
        if RESERVED.contains(&name.as_str()) {
            return Err((column, format!("`{name}` is a word that the language keeps for itself")));
        }
        if !self.takes("(") {
            return Ok(Expression::Variable(name));
        }
        let mut arguments = self.items(")")?;
        if name == "has" {
            return match (arguments.pop(), arguments.is_empty()) {
                (Some(Expression::Select(of, field)), true) => Ok(Expression::Has(of, field)),
                _ => Err((column, "`has` asks for a field: `has(model.license)`".to_owned())),
            };
        }
        functions::call(&name, None, arguments).map_err(|what| (column, what))
    }

    fn method(&mut self, of: Expression, name: &str, column: usize) -> Result<Expression, Mistake> {
        let kind = match name {
            "all" => WalkKind::All,
            "exists" => WalkKind::Exists,
            "exists_one" | "existsOne" => WalkKind::ExistsOne,
            "filter" => WalkKind::Filter,
            "map" => WalkKind::Map,
            _ => {
                let arguments = self.items(")")?;
                return functions::call(name, Some(of), arguments).map_err(|what| (column, what));
            }
        };
        let arguments = self.items(")")?;
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        let (Some(Expression::Variable(variable)), Some(second)) = (arguments.next(), arguments.next())
        else {
            return Err((
                column,
                format!("`{name}` takes a variable and what is said of it: `{name}(f, f.size > 0)`"),
            ));
        };
        let (taken, body) = match (kind, count, arguments.next()) {
            (_, 2, _) => (None, second),
            (WalkKind::Map, 3, Some(body)) => (Some(second), body),
            _ => return Err((column, format!("`{name}` takes fewer arguments"))),
        };
        Ok(Expression::Walk(Box::new(Walk { kind, over: of, variable, taken, body })))
    }

    /// Values between commas, up to a bracket; one comma may stand before it in a list.
    fn items(&mut self, end: &str) -> Result<Vec<Expression>, Mistake> {
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.choice()?);
            if !self.takes(",") {
                self.expect(end)?;
                break;
            }
            if end == ")" && matches!(self.peek(), Token::Sign(")")) {
                return Err(self.unexpected("a value"));
            }
        }
        Ok(items)
    }

    fn entries(&mut self) -> Result<Vec<[Expression; 2]>, Mistake> {
        let mut entries = Vec::new();
        while !self.takes("}") {
            let key = self.choice()?;
            self.expect(":")?;
            entries.push([key, self.choice()?]);
            if !self.takes(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(entries)
    }
}
