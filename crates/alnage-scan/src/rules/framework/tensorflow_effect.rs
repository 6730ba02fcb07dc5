//! TFG001: graph operations that read, write or run Python.

use alnage_formats::{Model, framework::TensorFlowNode};
use alnage_types::{Confidence, Level, Severity};

use super::{paths::leaves_the_model, quote, tensorflow};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "TFG001",
    name: "tensorflow-effect",
    summary: "a TensorFlow graph has an operation that touches files, Python or the network",
    why: "A graph is a program. `ReadFile` and `WriteFile` open any path of the machine when the model is called, \
          `PyFunc` calls into Python, and readers of datasets open the files or servers they name. No model needs \
          them to compute a prediction.",
    remediation: "Do not run the model; ask for an export of the inference function alone.",
    references: &["CWE-73", "CWE-94", "AML.T0011.000", "AML.T0018"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`tf.io.write_file(\"/home/user/.bashrc\", …)` inside the serving function",
    check,
};

/// What runs Python or reads and writes whole files.
const HIGH: &[&str] = &[
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "PyFunc",
    "PyFuncStateless",
    "EagerPyFunc",
    "CustomPyFunc",
    "LoadLibrary",
    "DynamicLibrary",
    "RpcClient",
    "RpcServer",
    "FileSystemSetConfiguration",
    "SaveDataset",
    "SaveDatasetV2",
    "DatasetToTFRecord",
    "ExperimentalDatasetToTFRecord",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in tensorflow(model) {
        for node in &facts.effects {
            let Some(severity) = severity(node, &facts.assets) else { continue };
            let operation = quote(&node.operation, 80);
            let arguments: Vec<String> = node.arguments.iter().take(6).map(|text| quote(text, 120)).collect();
            let message = match arguments.first() {
                Some(first) => format!("the graph runs `{operation}` on `{first}`"),
                None => format!("the graph runs `{operation}`"),
            };
            let evidence = format!("{} = {operation}({})", quote(&node.name, 120), arguments.join(", "));
            sink.report_at(&artifact.path, (node.offset, node.offset), message, evidence).severity = severity;
        }
    }
}

/// Whether an operation runs Python or reads and writes files, whatever its arguments are.
pub(super) fn runs_or_touches_files(operation: &str) -> bool {
    HIGH.contains(&operation) || operation.starts_with("IO>")
}

fn severity(node: &TensorFlowNode, assets: &[String]) -> Option<Severity> {
    let operation = node.operation.as_str();
    let leaves = node.arguments.iter().any(|text| leaves_the_model(text));
    if runs_or_touches_files(operation) {
        return Some(Severity::High);
    }
    match operation {
        // Printing goes to standard error unless a file is named.
        "PrintV2" => node.arguments.iter().any(|text| text.starts_with("file://")).then_some(Severity::High),
        // The ordinary way to load a vocabulary, from the model's own assets.
        "InitializeTableFromTextFile" | "InitializeTableFromTextFileV2" => {
            let is_asset = |text: &&String| assets.iter().any(|asset| text.ends_with(asset.as_str()));
            let foreign = node.arguments.iter().any(|text| leaves_the_model(text) && !is_asset(&text));
            foreign.then_some(Severity::Medium)
        }
        // Watching a tensor matters only where it is sent or written to.
        "DebugIdentity" | "DebugIdentityV2" | "DebugIdentityV3" | "ImmutableConst" => {
            leaves.then_some(Severity::Medium)
        }
        "ConfigureDistributedTPU" => None,
        _ => Some(Severity::Medium),
    }
}
