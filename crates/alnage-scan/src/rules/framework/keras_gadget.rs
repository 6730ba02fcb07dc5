//! KER005: Keras' own functions that reach files, the network or code.

use alnage_formats::{
    Model,
    framework::{KerasFacts, KerasKind, KerasReference},
};
use alnage_types::{Confidence, Level, Severity};

use super::{keras, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER005",
    name: "keras-gadget",
    summary: "a Keras configuration names a Keras or TensorFlow function that no layer needs",
    why: "Names inside Keras pass its own checks, and some of them are all an attacker needs: \
          `keras.utils.get_file` downloads and unpacks an archive, `enable_unsafe_deserialization` switches \
          `safe_mode` off for what follows, `load_model` loads another file.",
    remediation: "Do not load the file. Keras 3.12 and later refuse the known ones.",
    references: &["CWE-470", "CVE-2025-8747", "CVE-2025-9906", "CVE-2025-12060", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"module\": \"keras.utils\", \"class_name\": \"function\", \"config\": \"get_file\"}`",
    check,
};

/// Names that reach files, network, processes or code, whichever Keras or TensorFlow module they are taken from.
const GADGETS: &[&str] = &[
    "get_file",
    "enable_unsafe_deserialization",
    "load_model",
    "load_weights",
    "save_model",
    "save_weights",
    "load_img",
    "save_img",
    "plot_model",
    "model_from_json",
    "model_from_yaml",
    "model_from_config",
    "deserialize_keras_object",
    "deserialize",
    "func_load",
    "custom_object_scope",
    "CustomObjectScope",
    "register_keras_serializable",
    "get_custom_objects",
    "get_registered_object",
    "image_dataset_from_directory",
    "text_dataset_from_directory",
    "audio_dataset_from_directory",
    "extract_archive",
    "urlretrieve",
    "urlopen",
    "system",
    "popen",
    "Popen",
    "call",
    "check_call",
    "check_output",
    "run",
    "getoutput",
    "eval",
    "exec",
    "import_module",
    "__import__",
    "open",
    "open_file",
    "read_file",
    "write_file",
    "py_function",
    "numpy_function",
    "py_func",
    "load_op_library",
    "load_library",
    "load_file_system_library",
    "rmtree",
    "remove",
    "unlink",
    "rename",
    "copyfile",
    "move",
    "loads",
    "load",
    "load_saved_model",
    "export_saved_model",
    "GFile",
    "rmtree_v2",
    "copy_v2",
    "delete_recursively",
    "loader_impl",
    "from_saved_model",
    "load_data",
    "set_backend",
    "raise_if_no_lib",
];

/// Where Keras keeps the functions that configurations name: activations, losses and the like.
const PLAIN_NAMESPACES: &[&str] = &[
    "activations",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "ops",
    "random",
    "layers",
    "optimizers",
    "quantizers",
    "applications",
    "tree",
    "backend",
    "dtype_policies",
    "legacy",
    "preprocessing",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for reference in
            facts.references.iter().filter(|reference| reference.kind != KerasKind::TensorFlowFunction)
        {
            let Some((message, severity)) = judge(reference) else { continue };
            let evidence = format!("{} names {}", quote(&reference.pointer, 200), full_name(reference));
            let span = (reference.offset, reference.offset);
            sink.report_at(&artifact.path, span, message, evidence).severity = severity;
        }
    }
}

fn judge(reference: &KerasReference) -> Option<(String, Severity)> {
    let last = reference.name.rsplit('.').next().unwrap_or_default();
    if reference.kind == KerasKind::Function
        && reference.module.is_none()
        && KerasFacts::CALLED_BY_NAME.contains(&last)
    {
        let message = format!("the configuration names `{}`, which no layer needs", full_name(reference));
        return Some((message, Severity::Critical));
    }
    let module = reference.module.as_deref()?;
    let mut parts = module.split('.');
    let root = parts.next()?;
    let in_keras =
        matches!(root, "keras" | "tf_keras" | "keras_core" | "keras_hub" | "keras_nlp" | "keras_cv");
    if !in_keras && root != "tensorflow" {
        return None;
    }
    let names = [Some(reference.name.as_str()), reference.registered_name.as_deref()];
    let last =
        |name: &'static str| names.iter().flatten().any(|given| given.rsplit('.').next() == Some(name));
    if GADGETS.iter().any(|&gadget| last(gadget)) {
        let message = format!("the configuration names `{}`, which no layer needs", full_name(reference));
        return Some((message, Severity::Critical));
    }
    let is_plain = parts.find(|part| *part != "src").is_none_or(|first| PLAIN_NAMESPACES.contains(&first));
    (in_keras && reference.kind == KerasKind::Function && !is_plain).then(|| {
        (
            format!("the configuration names the function `{}` of Keras", full_name(reference)),
            Severity::Medium,
        )
    })
}

fn full_name(reference: &KerasReference) -> String {
    quote(&format!("{}.{}", reference.module.as_deref().unwrap_or("?"), reference.name), 160)
}
