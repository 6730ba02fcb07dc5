//! SKO001: skops nodes that take dangerous or unknown callables.

use alnage_formats::{Model, framework::SkopsNode};
use alnage_types::{Confidence, Level, Severity};

use super::{python_modules::reach, quote, skops};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SKO001",
    name: "skops-node",
    summary: "a skops file rebuilds an object of a type that no model needs, or that it does not declare",
    why: "Skops asks its user to trust types by name, but nodes for methods and operator functions could name one \
          type and take the callable from another: what was trusted is not what is called.",
    remediation: "Load it with skops 0.13 or later and an explicit list of trusted types, after reading this finding.",
    references: &[
        "CWE-502",
        "CWE-351",
        "CVE-2025-54412",
        "CVE-2025-54413",
        "CVE-2025-54886",
        "AML.T0011.000",
    ],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a `MethodNode` whose object is the module `os` and whose function is `system`",
    check,
};

/// Packages whose types skops models are made of.
const KNOWN: &[&str] = &[
    "sklearn",
    "numpy",
    "scipy",
    "builtins",
    "collections",
    "functools",
    "operator",
    "_operator",
    "datetime",
    "decimal",
    "skops",
    "joblib",
    "pandas",
    "lightgbm",
    "xgboost",
    "catboost",
    "quantile_forest",
    "imblearn",
    "fractions",
    "pathlib",
    "enum",
    "typing",
    "uuid",
    "random",
    "copyreg",
    "types",
];

/// Loaders of skops and what they rebuild.
const LOADERS: &[&str] = &[
    "DictNode",
    "DefaultDictNode",
    "ListNode",
    "SetNode",
    "TupleNode",
    "BytesNode",
    "BytearrayNode",
    "SliceNode",
    "FunctionNode",
    "MethodNode",
    "PartialNode",
    "TypeNode",
    "ConstructorFromReduceNode",
    "ObjectNode",
    "JsonNode",
    "OperatorFuncNode",
    "NdArrayNode",
    "MaskedArrayNode",
    "DTypeNode",
    "RandomStateNode",
    "RandomGeneratorNode",
    "SparseMatrixNode",
    "LossNode",
    "TreeNode",
    "CachedNode",
    "QuantileForestNode",
    "ReduceNode",
    "SGDNode",
    "_DictWithDeprecatedKeysNode",
    "OrderedDictNode",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in skops(model) {
        for node in &facts.types {
            let Some((why, severity)) = judge(node) else { continue };
            let name = quote(&format!("{}.{}", node.module, node.class), 160);
            let taken = match (&node.target, &node.attribute) {
                (Some(target), Some(attribute)) => {
                    format!(" takes {}.{}", quote(target, 120), quote(attribute, 80))
                }
                _ => String::new(),
            };
            let loader = quote(&node.loader, 64);
            let evidence = format!("{}: {loader} {name}{taken}", quote(&node.pointer, 200));
            let message = format!("a `{loader}` of `{name}` {why}");
            sink.report_at(&artifact.path, (node.offset, node.offset), message, evidence).severity = severity;
        }
    }
}

fn judge(node: &SkopsNode) -> Option<(&'static str, Severity)> {
    let root = node.module.split('.').next().unwrap_or_default();
    let is_known = KNOWN.contains(&root);
    let is_dangerous = |module: &str, name: &str| {
        reach(module, name).is_some() && !KNOWN.contains(&module.split('.').next().unwrap_or_default())
            || matches!(module, "builtins") && reach(module, name).is_some()
    };
    if is_dangerous(&node.module, &node.class) {
        return Some(("names what no model needs", Severity::High));
    }
    if let (Some(target), Some(attribute)) = (&node.target, &node.attribute) {
        let (module, _) = target.rsplit_once('.').unwrap_or((target, ""));
        let target_root = target.split('.').next().unwrap_or_default();
        if is_dangerous(module, attribute) || is_dangerous(target, attribute) || attribute.starts_with("__") {
            return Some(("takes a callable that no model needs", Severity::High));
        }
        if !KNOWN.contains(&target_root) {
            return Some(("takes a callable of another package", Severity::Medium));
        }
    }
    if node.loader == "OperatorFuncNode" && !matches!(node.module.as_str(), "operator" | "_operator") {
        return Some(("says it is of another module than it takes its function from", Severity::High));
    }
    if node.class == "methodcaller" {
        return Some(("calls a method by name", Severity::Medium));
    }
    if !node.loader.is_empty() && !LOADERS.contains(&node.loader.as_str()) {
        return Some(("has a loader that skops does not have", Severity::Medium));
    }
    (!is_known).then_some(("is of another package", Severity::Medium))
}
