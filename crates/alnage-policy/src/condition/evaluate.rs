//! What a condition says of an input, in a bounded number of steps and bytes.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde_json::Value as Json;

use super::{
    expression::{Expression, Operator, Walk, WalkKind},
    functions,
    value::{List, Map, Value},
};

/// How many steps one evaluation may take: a second or two.
const MAX_STEPS: usize = 20_000_000;
/// How many bytes of texts and lists one evaluation may make.
const MAX_MADE: usize = 64 << 20;

/// Types that conditions may name.
const TYPES: [&str; 9] = ["bool", "int", "uint", "double", "string", "list", "map", "null_type", "type"];

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// What the language calls an error, which `false && …` and `true || …` look past.
    Error(String),
    /// Nothing looks past this.
    TooMuch,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(what) => f.write_str(what),
            Self::TooMuch => {
                write!(f, "the condition takes more than {MAX_STEPS} steps, or {MAX_MADE} bytes")
            }
        }
    }
}

pub(super) type Valued<'a> = Result<Value<'a>, Failure>;

pub(super) fn error<T>(what: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Error(what.into()))
}

/// What an evaluation has cost.
#[derive(Debug, Default)]
pub(super) struct Cost {
    steps: usize,
    made: usize,
}

impl Cost {
    pub(super) fn steps(&mut self, steps: usize) -> Result<(), Failure> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS { Err(Failure::TooMuch) } else { Ok(()) }
    }

    /// Texts that are read take a step for each few bytes.
    pub(super) fn read(&mut self, text: &str) -> Result<(), Failure> {
        self.steps(text.len() / 32)
    }

    pub(super) fn made(&mut self, bytes: usize) -> Result<(), Failure> {
        self.made = self.made.saturating_add(bytes);
        if self.made > MAX_MADE { Err(Failure::TooMuch) } else { self.steps(bytes / 32) }
    }

    pub(super) fn made_items(&mut self, items: usize) -> Result<(), Failure> {
        self.made(items.saturating_mul(size_of::<Value<'_>>()))
    }
}

pub(super) struct Evaluation<'a> {
    input: &'a serde_json::Map<String, Json>,
    /// Variables of the walks that are under way, the innermost last.
    locals: Vec<(&'a str, Value<'a>)>,
    cost: Cost,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(input: &'a serde_json::Map<String, Json>) -> Self {
        Self { input, locals: Vec::new(), cost: Cost::default() }
    }

    /// Recurses no deeper than the tree nests, which the parser has bounded.
    pub(super) fn value(&mut self, expression: &'a Expression) -> Valued<'a> {
        self.cost.steps(1)?;
        match expression {
            Expression::Literal(value) => Ok(value.clone()),
            Expression::Variable(name) => self.variable(name),
            Expression::Select(of, field) => match self.value(of)? {
                Value::Map(map) => map.field(field).map_or_else(|| error(format!("no key `{field}`")), Ok),
                other => error(format!("no key `{field}` in {}", other.type_name())),
            },
            Expression::Has(of, field) => match self.value(of)? {
                Value::Map(map) => Ok(Value::Bool(map.field(field).is_some())),
                other => error(format!("no key `{field}` in {}", other.type_name())),
            },
            Expression::Index(pair) => {
                let [of, at] = &**pair;
                let (of, at) = (self.value(of)?, self.value(at)?);
                self.index(&of, &at)
            }
            Expression::Call(function, arguments) => {
                let arguments = self.values(arguments)?;
                functions::run(*function, &arguments, &mut self.cost)
            }
            Expression::Matches(text, pattern) => match self.value(text)? {
                Value::Text(text) => functions::matches(text.as_str(), pattern, &mut self.cost),
                other => error(format!("`matches` is not for {}", other.type_name())),
            },
            Expression::Not(of) => match self.value(of)? {
                Value::Bool(truth) => Ok(Value::Bool(!truth)),
                other => error(format!("`!` is not for {}", other.type_name())),
            },
            Expression::Negate(of) => match self.value(of)? {
                Value::Int(number) => {
                    number.checked_neg().map_or_else(overflow, |number| Ok(Value::Int(number)))
                }
                Value::Double(number) => Ok(Value::Double(-number)),
                other => error(format!("`-` is not for {}", other.type_name())),
            },
            Expression::Binary(Operator::And, pair) => self.decided(pair, false),
            Expression::Binary(Operator::Or, pair) => self.decided(pair, true),
            Expression::Binary(operator, pair) => {
                let [left, right] = &**pair;
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.binary(*operator, &left, &right)
            }
            Expression::Choose(three) => {
                let [condition, one, other] = &**three;
                match self.value(condition)? {
                    Value::Bool(true) => self.value(one),
                    Value::Bool(false) => self.value(other),
                    no => error(format!("`?` is not for {}", no.type_name())),
                }
            }
            Expression::List(items) => {
                self.cost.made_items(items.len())?;
                self.values(items).map(Value::made_list)
            }
            Expression::Map(entries) => self.map(entries),
            Expression::Walk(walk) => self.walk(walk),
        }
    }

    fn values(&mut self, expressions: &'a [Expression]) -> Result<Vec<Value<'a>>, Failure> {
        expressions.iter().map(|expression| self.value(expression)).collect()
    }

    fn variable(&self, name: &str) -> Valued<'a> {
        let local =
            self.locals.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let given = || self.input.get(name).map(Value::given);
        let of_type = || TYPES.iter().find(|known| **known == name).map(|name| Value::Type(name));
        local.or_else(given).or_else(of_type).map_or_else(|| error(format!("the input has no `{name}`")), Ok)
    }

    fn index(&mut self, of: &Value<'a>, at: &Value<'a>) -> Valued<'a> {
        match (of, at) {
            (Value::Map(map), key) => {
                self.cost.steps(map.lookup_steps())?;
                map.get(key).map_or_else(|| error(format!("no key {}", shown(key))), Ok)
            }
            (Value::List(list), at) => {
                let place = match at {
                    #[expect(clippy::cast_possible_truncation, reason = "a list is shorter than that")]
                    Value::Double(real) if real.fract() == 0.0 => Some(*real as i128),
                    other => other.whole(),
                };
                let item =
                    place.and_then(|place| usize::try_from(place).ok()).and_then(|place| list.get(place));
                item.map_or_else(|| error(format!("no item {} in a list of {}", shown(at), list.len())), Ok)
            }
            (other, _) => error(format!("`[]` is not for {}", other.type_name())),
        }
    }

    /// `&&` and `||`: one side may decide alone, whatever is wrong with the other.
    fn decided(&mut self, pair: &'a [Expression; 2], by: bool) -> Valued<'a> {
        let [left, right] = pair;
        let left = self.truth(left);
        if left == Ok(by) || left == Err(Failure::TooMuch) {
            return left.map(Value::Bool);
        }
        let right = self.truth(right);
        if right == Ok(by) {
            return Ok(Value::Bool(by));
        }
        left.and(right).map(Value::Bool)
    }

    fn truth(&mut self, expression: &'a Expression) -> Result<bool, Failure> {
        match self.value(expression)? {
            Value::Bool(truth) => Ok(truth),
            other => error(format!("{} is neither yes nor no", other.type_name())),
        }
    }

    fn binary(&mut self, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Valued<'a> {
        let order = |is: fn(Ordering) -> bool| match left.order(right) {
            Some(order) => Ok(Value::Bool(is(order))),
            // Not a number is neither less nor greater.
            None if is_number(left) && is_number(right) => Ok(Value::Bool(false)),
            None => error(format!("{} and {} have no order", left.type_name(), right.type_name())),
        };
        if let (Value::Text(left), Value::Text(_)) = (left, right) {
            self.cost.read(left.as_str())?;
        }
        match operator {
            Operator::Equal => self.equal(left, right).map(Value::Bool),
            Operator::Unequal => self.equal(left, right).map(|equal| Value::Bool(!equal)),
            Operator::Less => order(Ordering::is_lt),
            Operator::LessOrEqual => order(Ordering::is_le),
            Operator::Greater => order(Ordering::is_gt),
            Operator::GreaterOrEqual => order(Ordering::is_ge),
            Operator::In => self.is_in(left, right),
            _ => self.reckon(operator, left, right),
        }
    }

    /// Values of two types are not equal; numbers of two types may be.
    fn equal(&mut self, left: &Value<'a>, right: &Value<'a>) -> Result<bool, Failure> {
        self.cost.steps(1)?;
        Ok(match (left, right) {
            (Value::Null, Value::Null) => true,
            (Value::Type(left), Value::Type(right)) => left == right,
            (Value::List(left), Value::List(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for at in 0..left.len() {
                    if let (Some(left), Some(right)) = (left.get(at), right.get(at))
                        && !self.equal(&left, &right)?
                    {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Map(left), Value::Map(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for key in left.keys() {
                    self.cost.steps(right.lookup_steps())?;
                    let equal = match (left.get(&key), right.get(&key)) {
                        (Some(left), Some(right)) => self.equal(&left, &right)?,
                        _ => false,
                    };
                    if !equal {
                        return Ok(false);
                    }
                }
                true
            }
            (left, right) => left.order(right).is_some_and(Ordering::is_eq),
        })
    }

    fn is_in(&mut self, item: &Value<'a>, within: &Value<'a>) -> Valued<'a> {
        match within {
            Value::List(list) => {
                for at in 0..list.len() {
                    if let Some(known) = list.get(at)
                        && self.equal(&known, item)?
                    {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            Value::Map(_)
                if matches!(item, Value::Null | Value::List(_) | Value::Map(_) | Value::Type(_)) =>
            {
                error(format!("{} is no key", item.type_name()))
            }
            Value::Map(map) => {
                self.cost.steps(map.lookup_steps())?;
                Ok(Value::Bool(map.get(item).is_some()))
            }
            other => error(format!("nothing is in {}", other.type_name())),
        }
    }

    fn reckon(&mut self, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Valued<'a> {
        match (left, right) {
            (Value::Int(left), Value::Int(right)) => whole(operator, i128::from(*left), i128::from(*right))
                .and_then(|number| {
                    i64::try_from(number).map_or_else(|_| overflow(), |number| Ok(Value::Int(number)))
                }),
            (Value::Uint(left), Value::Uint(right)) => whole(operator, i128::from(*left), i128::from(*right))
                .and_then(|number| {
                    u64::try_from(number).map_or_else(|_| overflow(), |number| Ok(Value::Uint(number)))
                }),
            (Value::Double(left), Value::Double(right)) => match operator {
                Operator::Add => Ok(Value::Double(left + right)),
                Operator::Subtract => Ok(Value::Double(left - right)),
                Operator::Multiply => Ok(Value::Double(left * right)),
                Operator::Divide => Ok(Value::Double(left / right)),
                _ => error("real numbers leave no remainder"),
            },
            (Value::Text(left), Value::Text(right)) if operator == Operator::Add => {
                let (left, right) = (left.as_str(), right.as_str());
                self.cost.made(left.len().saturating_add(right.len()))?;
                Ok(Value::made_text(&[left, right].concat()))
            }
            (Value::List(left), Value::List(right)) if operator == Operator::Add => {
                self.cost.made_items(left.len().saturating_add(right.len()))?;
                let items =
                    |list: &List<'a>| (0..list.len()).filter_map(|at| list.get(at)).collect::<Vec<_>>();
                Ok(Value::made_list([items(left), items(right)].concat()))
            }
            _ => error(format!("no arithmetic of {} and {}", left.type_name(), right.type_name())),
        }
    }

    fn map(&mut self, entries: &'a [[Expression; 2]]) -> Valued<'a> {
        self.cost.made_items(entries.len().saturating_mul(2))?;
        let mut made = Vec::with_capacity(entries.len());
        for [key, value] in entries {
            let key = self.value(key)?;
            if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Text(_)) {
                return error(format!("{} is no key", key.type_name()));
            }
            self.cost.steps(made.len())?;
            if made.iter().any(|(known, _): &(Value<'_>, _)| known.order(&key).is_some_and(Ordering::is_eq)) {
                return error(format!("the key {} stands twice", shown(&key)));
            }
            let value = self.value(value)?;
            made.push((key, value));
        }
        Ok(Value::Map(Map::Made(Arc::new(made))))
    }

    fn walk(&mut self, walk: &'a Walk) -> Valued<'a> {
        let items = match self.value(&walk.over)? {
            Value::List(list) => list,
            Value::Map(map) => {
                self.cost.made_items(map.len())?;
                List::Made(Arc::new(map.keys()))
            }
            other => return error(format!("{} has no items", other.type_name())),
        };
        let depth = self.locals.len();
        let mut seen = Seen::default();
        for at in 0..items.len() {
            let Some(item) = items.get(at) else { break };
            self.locals.push((&walk.variable, item.clone()));
            let step = self.step(walk, item, &mut seen);
            self.locals.truncate(depth);
            if step? {
                break;
            }
        }
        match (walk.kind, seen.failure) {
            (WalkKind::All | WalkKind::Exists, _) if seen.decided => {
                Ok(Value::Bool(walk.kind == WalkKind::Exists))
            }
            (_, Some(failure)) => Err(failure),
            (WalkKind::All, None) => Ok(Value::Bool(true)),
            (WalkKind::Exists, None) => Ok(Value::Bool(false)),
            (WalkKind::ExistsOne, None) => Ok(Value::Bool(seen.count == 1)),
            (WalkKind::Filter | WalkKind::Map, None) => Ok(Value::made_list(seen.items)),
        }
    }

    /// Whether the walk is over.
    fn step(&mut self, walk: &'a Walk, item: Value<'a>, seen: &mut Seen<'a>) -> Result<bool, Failure> {
        match walk.kind {
            WalkKind::All | WalkKind::Exists => {
                let deciding = walk.kind == WalkKind::Exists;
                match self.truth(&walk.body) {
                    Ok(truth) => seen.decided = truth == deciding,
                    Err(Failure::TooMuch) => return Err(Failure::TooMuch),
                    // A later item may decide, whatever is wrong with this one.
                    Err(failure) => seen.failure = seen.failure.take().or(Some(failure)),
                }
                Ok(seen.decided)
            }
            WalkKind::ExistsOne => {
                seen.count += usize::from(self.truth(&walk.body)?);
                Ok(false)
            }
            WalkKind::Filter => {
                if self.truth(&walk.body)? {
                    self.cost.made_items(1)?;
                    seen.items.push(item);
                }
                Ok(false)
            }
            WalkKind::Map => {
                let taken = walk.taken.as_ref().map_or(Ok(true), |taken| self.truth(taken))?;
                if taken {
                    self.cost.made_items(1)?;
                    let value = self.value(&walk.body)?;
                    seen.items.push(value);
                }
                Ok(false)
            }
        }
    }
}

/// What a walk has come to.
#[derive(Default)]
struct Seen<'a> {
    decided: bool,
    failure: Option<Failure>,
    count: usize,
    items: Vec<Value<'a>>,
}

fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_))
}

fn whole(operator: Operator, left: i128, right: i128) -> Result<i128, Failure> {
    match operator {
        Operator::Add => Ok(left + right),
        Operator::Subtract => Ok(left - right),
        Operator::Multiply => Ok(left.saturating_mul(right)),
        _ if right == 0 => error("division by zero"),
        Operator::Divide => Ok(left / right),
        // The remainder of the smallest number by -1 is as large as its quotient, which no 64 bits hold.
        _ if left == i128::from(i64::MIN) && right == -1 => overflow(),
        _ => Ok(left % right),
    }
}

fn overflow<T>() -> Result<T, Failure> {
    error("the number is too large")
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("`{:.60}`", text.as_str()),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => other.type_name().to_owned(),
    }
}
