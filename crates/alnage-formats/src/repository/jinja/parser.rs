//! Jinja's expression grammar, into an arena: nodes name their parts by index, so depth costs no stack to drop.

use super::lexer::{Token, TokenKind};

/// How deep expressions may nest; Jinja itself gives up at Python's recursion limit.
const MAX_DEPTH: usize = 100;

pub(super) type NodeId = usize;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Name(String),
    String(String),
    Integer(i64),
    /// A number, truth value or `none` whose value does not matter.
    Other,
    List(Vec<NodeId>),
    /// Keys and values in turn.
    Dict(Vec<NodeId>),
    Attribute(NodeId, String),
    Subscript(NodeId, NodeId),
    Slice(Vec<NodeId>),
    Call(NodeId, Vec<Argument>),
    Filter(NodeId, String, Vec<Argument>),
    Test(NodeId, String, Vec<Argument>),
    Binary(&'static str, NodeId, NodeId),
    Unary(&'static str, NodeId),
    /// The value, the condition, the other value.
    Conditional(NodeId, NodeId, Option<NodeId>),
    /// A filter block's or a block `set`'s body, which is text.
    Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub(super) name: Option<String>,
    pub(super) value: NodeId,
}

/// An expression that is no Jinja.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParseError {
    pub(super) offset: usize,
}

/// Expressions of a template.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub(super) nodes: Vec<Node>,
    /// Where each node's text begins and ends.
    pub(super) spans: Vec<(usize, usize)>,
}

impl Arena {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::Other)
    }

    pub(super) fn push(&mut self, node: Node, span: (usize, usize)) -> NodeId {
        self.nodes.push(node);
        self.spans.push(span);
        self.nodes.len() - 1
    }
}

/// Reads expressions off the tokens of one block.
pub(super) struct Parser<'a> {
    arena: &'a mut Arena,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

type Parsed<T = NodeId> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    pub(super) fn new(arena: &'a mut Arena, tokens: &'a [Token]) -> Self {
        Self { arena, tokens, at: 0, depth: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn arena(&mut self) -> &mut Arena {
        self.arena
    }

    /// The operator that comes next.
    pub(super) fn operator(&self) -> Option<&'static str> {
        match self.tokens.get(self.at)?.kind {
            TokenKind::Operator(operator) => Some(operator),
            _ => None,
        }
    }

    /// The name that comes next.
    pub(super) fn name(&self) -> Option<&'a str> {
        match &self.tokens.get(self.at)?.kind {
            TokenKind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn eat_operator(&mut self, operator: &str) -> bool {
        let found = self.operator() == Some(operator);
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_name(&mut self, name: &str) -> bool {
        let found = self.name() == Some(name);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_name(&mut self) -> Parsed<&'a str> {
        let name = self.name().ok_or_else(|| self.error())?;
        self.at += 1;
        Ok(name)
    }

    pub(super) fn error(&self) -> ParseError {
        let offset = match self.tokens.get(self.at) {
            Some(token) => token.start,
            None => self.tokens.last().map_or(0, |token| token.end),
        };
        ParseError { offset }
    }

    fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.start)
    }

    fn push(&mut self, node: Node, start: usize) -> NodeId {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |token| token.end);
        self.arena.push(node, (start, end.max(start)))
    }

    fn expect(&mut self, operator: &str) -> Parsed<()> {
        if self.eat_operator(operator) { Ok(()) } else { Err(self.error()) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error());
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    /// Expressions with commas between: a tuple when there are several.
    pub(super) fn tuple(&mut self) -> Parsed {
        let start = self.start();
        let first = self.expression()?;
        if self.operator() != Some(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat_operator(",") {
            if self.is_at_end() || matches!(self.operator(), Some(")" | "]" | "}" | "=")) {
                break;
            }
            items.push(self.expression()?);
        }
        Ok(self.push(Node::List(items), start))
    }

    /// One expression.
    pub(super) fn expression(&mut self) -> Parsed {
        self.deeper(Self::conditional)
    }

    /// One expression that leaves an `if` after it alone, as in `for x in y if z`.
    pub(super) fn expression_without_condition(&mut self) -> Parsed {
        self.deeper(Self::or)
    }

    fn conditional(&mut self) -> Parsed {
        let start = self.start();
        let mut value = self.or()?;
        while self.eat_name("if") {
            let condition = self.or()?;
            let other = if self.eat_name("else") { Some(self.expression()?) } else { None };
            value = self.push(Node::Conditional(value, condition, other), start);
        }
        Ok(value)
    }

    fn or(&mut self) -> Parsed {
        let start = self.start();
        let mut left = self.and()?;
        while self.eat_name("or") {
            let right = self.and()?;
            left = self.push(Node::Binary("or", left, right), start);
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed {
        let start = self.start();
        let mut left = self.not()?;
        while self.eat_name("and") {
            let right = self.not()?;
            left = self.push(Node::Binary("and", left, right), start);
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed {
        let start = self.start();
        if self.eat_name("not") {
            let operand = self.deeper(Self::not)?;
            return Ok(self.push(Node::Unary("not", operand), start));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let start = self.start();
        let mut left = self.sum()?;
        loop {
            let operator = match self.operator() {
                Some(operator @ ("==" | "!=" | "<" | ">" | "<=" | ">=")) => operator,
                _ if self.name() == Some("in") => "in",
                _ if self.name() == Some("not") && self.next_name() == Some("in") => {
                    self.at += 1;
                    "in"
                }
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.sum()?;
            left = self.push(Node::Binary(operator, left, right), start);
        }
    }

    fn next_name(&self) -> Option<&str> {
        match &self.tokens.get(self.at + 1)?.kind {
            TokenKind::Name(name) => Some(name),
            _ => None,
        }
    }

    fn sum(&mut self) -> Parsed {
        self.left_to_right(&["+", "-"], Self::concatenation)
    }

    fn concatenation(&mut self) -> Parsed {
        self.left_to_right(&["~"], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.left_to_right(&["*", "/", "//", "%"], Self::unary)
    }

    fn left_to_right(&mut self, operators: &[&str], operand: fn(&mut Self) -> Parsed) -> Parsed {
        let start = self.start();
        let mut left = operand(self)?;
        while let Some(operator) = self.operator().filter(|operator| operators.contains(operator)) {
            self.at += 1;
            let right = operand(self)?;
            left = self.push(Node::Binary(operator, left, right), start);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.start();
        if let Some(sign @ ("-" | "+")) = self.operator() {
            self.at += 1;
            let operand = self.deeper(Self::unary)?;
            let operand = self.push(Node::Unary(sign, operand), start);
            return self.filters(operand, start);
        }
        let base = self.primary()?;
        let mut value = self.postfix(base, start)?;
        while self.eat_operator("**") {
            let exponent = self.deeper(Self::unary)?;
            value = self.push(Node::Binary("**", value, exponent), start);
        }
        self.filters(value, start)
    }

    fn primary(&mut self) -> Parsed {
        let start = self.start();
        let token = self.tokens.get(self.at).ok_or_else(|| self.error())?;
        self.at += 1;
        match &token.kind {
            TokenKind::Name(name) => {
                let node = match name.as_str() {
                    "true" | "True" | "false" | "False" | "none" | "None" => Node::Other,
                    _ => Node::Name(name.clone()),
                };
                Ok(self.push(node, start))
            }
            TokenKind::Float => Ok(self.push(Node::Other, start)),
            TokenKind::Integer(value) => Ok(self.push(Node::Integer(*value), start)),
            TokenKind::String(text) => {
                let mut text = text.clone();
                while let Some(Token { kind: TokenKind::String(more), .. }) = self.tokens.get(self.at) {
                    text.push_str(more);
                    self.at += 1;
                }
                Ok(self.push(Node::String(text), start))
            }
            TokenKind::Operator("(") => {
                if self.eat_operator(")") {
                    return Ok(self.push(Node::List(Vec::new()), start));
                }
                let inner = self.tuple()?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Operator("[") => {
                let mut items = Vec::new();
                while !self.eat_operator("]") {
                    items.push(self.expression()?);
                    if !self.eat_operator(",") && self.operator() != Some("]") {
                        return Err(self.error());
                    }
                }
                Ok(self.push(Node::List(items), start))
            }
            TokenKind::Operator("{") => {
                let mut items = Vec::new();
                while !self.eat_operator("}") {
                    items.push(self.expression()?);
                    self.expect(":")?;
                    items.push(self.expression()?);
                    if !self.eat_operator(",") && self.operator() != Some("}") {
                        return Err(self.error());
                    }
                }
                Ok(self.push(Node::Dict(items), start))
            }
            TokenKind::Operator(_) => {
                self.at -= 1;
                Err(self.error())
            }
        }
    }

    fn postfix(&mut self, mut value: NodeId, start: usize) -> Parsed {
        loop {
            match self.operator() {
                Some(".") => {
                    self.at += 1;
                    let node = match self.tokens.get(self.at).map(|token| &token.kind) {
                        Some(TokenKind::Name(name)) => {
                            self.at += 1;
                            Node::Attribute(value, name.clone())
                        }
                        Some(TokenKind::Integer(_)) => {
                            self.at += 1;
                            let index = self.push(Node::Other, start);
                            Node::Subscript(value, index)
                        }
                        _ => return Err(self.error()),
                    };
                    value = self.push(node, start);
                }
                Some("[") => {
                    self.at += 1;
                    let index = self.deeper(Self::subscript)?;
                    value = self.push(Node::Subscript(value, index), start);
                }
                Some("(") => {
                    let arguments = self.deeper(Self::arguments)?;
                    value = self.push(Node::Call(value, arguments), start);
                }
                _ => return Ok(value),
            }
        }
    }

    fn subscript(&mut self) -> Parsed {
        let start = self.start();
        let mut items = Vec::new();
        let mut slice = false;
        loop {
            match self.operator() {
                Some("]") => break,
                Some(":") => {
                    slice = true;
                    self.at += 1;
                }
                Some(",") => self.at += 1,
                _ => items.push(self.expression()?),
            }
        }
        self.expect("]")?;
        match items.as_slice() {
            [single] if !slice => Ok(*single),
            [] if !slice => Err(self.error()),
            _ if slice => Ok(self.push(Node::Slice(items), start)),
            _ => Ok(self.push(Node::List(items), start)),
        }
    }

    /// `( … )` after a callable, a filter or a test.
    pub(super) fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.eat_operator(")") {
            let _starred = self.eat_operator("**") || self.eat_operator("*");
            let named = self.name().filter(|_| {
                matches!(self.tokens.get(self.at + 1), Some(Token { kind: TokenKind::Operator("="), .. }))
            });
            if named.is_some() {
                self.at += 2;
            }
            let value = self.expression()?;
            arguments.push(Argument { name: named.map(str::to_owned), value });
            if !self.eat_operator(",") && self.operator() != Some(")") {
                return Err(self.error());
            }
        }
        Ok(arguments)
    }

    /// `| filter(…)` and `is test …` after a value.
    pub(super) fn filters(&mut self, mut value: NodeId, start: usize) -> Parsed {
        loop {
            if self.eat_operator("|") {
                let (name, arguments) = self.filter()?;
                value = self.push(Node::Filter(value, name, arguments), start);
            } else if self.name() == Some("is") {
                self.at += 1;
                self.eat_name("not");
                let name = self.dotted_name()?;
                let arguments = self.test_arguments()?;
                value = self.push(Node::Test(value, name, arguments), start);
            } else if self.operator() == Some("(") {
                let arguments = self.deeper(Self::arguments)?;
                value = self.push(Node::Call(value, arguments), start);
            } else {
                return Ok(value);
            }
        }
    }

    /// A filter's name and arguments.
    pub(super) fn filter(&mut self) -> Parsed<(String, Vec<Argument>)> {
        let name = self.dotted_name()?;
        let arguments = if self.operator() == Some("(") { self.deeper(Self::arguments)? } else { Vec::new() };
        Ok((name, arguments))
    }

    fn dotted_name(&mut self) -> Parsed<String> {
        let mut name = self.take_name()?.to_owned();
        while self.eat_operator(".") {
            name.push('.');
            name.push_str(self.take_name()?);
        }
        Ok(name)
    }

    fn test_arguments(&mut self) -> Parsed<Vec<Argument>> {
        if self.operator() == Some("(") {
            return self.deeper(Self::arguments);
        }
        let begins = match self.tokens.get(self.at).map(|token| &token.kind) {
            Some(TokenKind::Name(name)) => {
                !matches!(name.as_str(), "else" | "or" | "and" | "is" | "in" | "not" | "if" | "recursive")
            }
            Some(TokenKind::String(_) | TokenKind::Integer(_) | TokenKind::Float) => true,
            Some(TokenKind::Operator("[" | "{")) => true,
            _ => false,
        };
        if !begins {
            return Ok(Vec::new());
        }
        let start = self.start();
        let value = self.deeper(Self::primary)?;
        let value = self.postfix(value, start)?;
        Ok(vec![Argument { name: None, value }])
    }
}
