//! What a condition is made of.

use regex::Regex;

use super::{functions::Function, value::Value};

#[derive(Debug)]
pub(super) enum Expression {
    Literal(Value<'static>),
    Variable(String),
    /// `of.field`
    Select(Box<Expression>, String),
    /// `has(of.field)`
    Has(Box<Expression>, String),
    /// `of[at]`
    Index(Box<[Expression; 2]>),
    Call(Function, Vec<Expression>),
    /// `text.matches("pattern")`, of which the pattern is known.
    Matches(Box<Expression>, Box<Regex>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Binary(Operator, Box<[Expression; 2]>),
    /// `first ? second : third`
    Choose(Box<[Expression; 3]>),
    List(Vec<Expression>),
    Map(Vec<[Expression; 2]>),
    Walk(Box<Walk>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `over.kind(variable, body)`: something said of each item of a list, or key of a map.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) kind: WalkKind,
    pub(super) over: Expression,
    pub(super) variable: String,
    /// Which items `map` with three arguments takes.
    pub(super) taken: Option<Expression>,
    pub(super) body: Expression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WalkKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Expression {
    /// How deep it nests, found without recursion.
    pub(super) fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut open = vec![(self, 1_usize)];
        while let Some((expression, depth)) = open.pop() {
            deepest = deepest.max(depth);
            open.extend(expression.children().into_iter().map(|child| (child, depth + 1)));
        }
        deepest
    }

    fn children(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_) | Self::Variable(_) => Vec::new(),
            Self::Select(of, _)
            | Self::Has(of, _)
            | Self::Matches(of, _)
            | Self::Not(of)
            | Self::Negate(of) => vec![of],
            Self::Index(pair) | Self::Binary(_, pair) => pair.iter().collect(),
            Self::Choose(three) => three.iter().collect(),
            Self::Call(_, items) | Self::List(items) => items.iter().collect(),
            Self::Map(entries) => entries.iter().flatten().collect(),
            Self::Walk(walk) => [&walk.over, &walk.body].into_iter().chain(&walk.taken).collect(),
        }
    }
}
