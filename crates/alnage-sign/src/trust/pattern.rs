//! What a name must look like: a text with stars, or a regular expression.

use std::fmt;

use crate::Error;

/// A text in which `*` stands for any text inside one part and `**` for any text, or a regular expression for the
/// whole of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Text with stars.
    Plain(String),
    /// A regular expression that was tried.
    Regular(String),
}

impl Pattern {
    /// Text with stars.
    pub(crate) fn plain(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Err(Error::Policy("an identity is empty".into()));
        }
        Ok(Self::Plain(text.to_owned()))
    }

    /// A regular expression. It is for all of a name, so that nothing can stand before or behind it.
    pub(crate) fn regular(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Policy("an identity is empty".into()));
        }
        compile(text).map_err(|error| Error::Policy(format!("not a regular expression: {error}")))?;
        Ok(Self::Regular(text.to_owned()))
    }

    /// Whether all of `text` fits; `stops` end the parts that one star stands for.
    pub(crate) fn matches(&self, text: &str, stops: &[char]) -> bool {
        match self {
            Self::Plain(pattern) => matches(pattern, text, stops),
            Self::Regular(pattern) => {
                text.len() <= MAX_LENGTH && compile(pattern).is_ok_and(|compiled| compiled.is_match(text))
            }
        }
    }

    /// The pattern for names that were evened out by `fold`. A regular expression says itself what it takes.
    pub(crate) fn folded(&self, fold: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Plain(pattern) => Self::Plain(fold(pattern)),
            Self::Regular(pattern) => Self::Regular(pattern.clone()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Regular(text) => write!(f, "regexp:{text}"),
        }
    }
}

fn compile(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

/// Longer names and patterns are compared letter by letter only.
const MAX_LENGTH: usize = 2048;

/// Whether `text` fits `pattern`, in which `*` stands for any text without one of `stops` and `**` for any text.
pub(super) fn matches(pattern: &str, text: &str, stops: &[char]) -> bool {
    if !pattern.contains('*') || pattern.len() > MAX_LENGTH || text.len() > MAX_LENGTH {
        return pattern == text;
    }
    let steps = steps(pattern);
    // Which steps could come next, after each character: no pattern makes this slow.
    let mut reached = vec![false; steps.len() + 1];
    mark(&mut reached, &steps, 0);
    for character in text.chars() {
        let mut next = vec![false; steps.len() + 1];
        for (at, step) in steps.iter().enumerate().filter(|&(at, _)| reached[at]) {
            match step {
                Step::Character(wanted) if *wanted == character => mark(&mut next, &steps, at + 1),
                Step::Part if !stops.contains(&character) => mark(&mut next, &steps, at),
                Step::All => mark(&mut next, &steps, at),
                Step::Character(_) | Step::Part => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

enum Step {
    Character(char),
    Part,
    All,
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for character in pattern.chars() {
        match (character, steps.last()) {
            ('*', Some(Step::Part)) => {
                steps.pop();
                steps.push(Step::All);
            }
            ('*', Some(Step::All)) => {}
            ('*', _) => steps.push(Step::Part),
            (other, _) => steps.push(Step::Character(other)),
        }
    }
    steps
}

/// Marks step `at` and what follows it without a character: a star may stand for nothing.
fn mark(reached: &mut [bool], steps: &[Step], at: usize) {
    for (at, reached) in reached.iter_mut().enumerate().skip(at) {
        *reached = true;
        if !matches!(steps.get(at), Some(Step::Part | Step::All)) {
            break;
        }
    }
}
