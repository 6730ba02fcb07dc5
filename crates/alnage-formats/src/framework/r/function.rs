//! The functions of R that do what their arguments say.

/// A function by its name.
#[derive(Debug, Clone, Copy)]
pub struct RFunction<'a>(pub &'a str);

impl RFunction<'_> {
    /// Whether it evaluates an expression.
    pub fn evaluates(self) -> bool {
        EVALUATORS.contains(&self.0)
    }

    /// Whether it makes an expression of text.
    pub fn parses(self) -> bool {
        PARSERS.contains(&self.0)
    }

    /// Whether it calls, or gives, the function that an argument names.
    pub fn calls_by_name(self) -> bool {
        BY_NAME.contains(&self.0)
    }

    /// Whether what it does is in its arguments.
    pub(super) fn acts_on_arguments(self) -> bool {
        self.evaluates() || self.parses() || self.calls_by_name()
    }
}

const EVALUATORS: &[&str] = &["eval", "evalq", "eval.parent", "eval_tidy", "eval_bare", "do.call"];

const PARSERS: &[&str] = &["parse", "str2lang", "str2expression", "parse_expr", "parse_exprs"];

const BY_NAME: &[&str] = &[
    "do.call",
    "match.fun",
    "get",
    "get0",
    "mget",
    "getFromNamespace",
    "getExportedValue",
    "lapply",
    "sapply",
    "vapply",
    "Map",
    "mapply",
    "Reduce",
    "Filter",
    "call",
    "as.call",
    "as.name",
    "as.symbol",
    "exec",
    "invoke",
];
