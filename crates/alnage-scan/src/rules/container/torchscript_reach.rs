//! PYT001: TorchScript that reads or writes files, or calls other machines.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYT001",
    name: "torchscript-file-access",
    summary: "TorchScript code uses operators that reach files or other machines",
    why: "A TorchScript model is a program. These operators map files into tensors, write tensors to any path or call \
          remote workers, as soon as the model is run and without any Python code of yours.",
    remediation: "Do not run the model. Ask its author for weights without a program: safetensors.",
    references: &["CWE-73", "AML.T0011.000", "AML.T0025"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`torch.from_file(\"/etc/passwd\", False, 100)` in `code/__torch__.py`",
    check,
};

/// Operators of PyTorch and its companions that open files or connections.
const REACHING: &[(&str, &str)] = &[
    ("aten.from_file", "maps a file into a tensor"),
    ("aten.save", "writes a file"),
    ("aten.load", "reads a file"),
    ("image.read_file", "reads a file"),
    ("image.write_file", "writes a file"),
    ("image._jpeg_ffmpeg", "reads a file"),
    ("video_reader.read_video_from_file", "reads a file"),
    ("video_reader.probe_video_from_file", "reads a file"),
    ("torchaudio.sox_io_load_audio_file", "reads a file"),
    ("torchaudio.sox_io_get_info", "reads a file"),
    ("torchaudio.sox_io_save_audio_file", "writes a file"),
    ("torchaudio.sox_effects_apply_effects_file", "reads a file"),
    ("aten.rpc_sync", "calls another machine"),
    ("aten.rpc_async", "calls another machine"),
    ("aten.rpc_remote", "calls another machine"),
    ("prim.rpc_sync", "calls another machine"),
    ("prim.rpc_async", "calls another machine"),
    ("prim.rpc_remote", "calls another machine"),
    ("aoti.load", "loads a native library"),
];

/// The same operators as methods of a value; a class of the program may have a method of that name.
const AS_METHOD: &[(&str, &str)] = &[
    (".from_file", "maps a file into a tensor"),
    (".save", "writes a file"),
    (".write_file", "writes a file"),
];

/// Custom classes whose instances open files or connections.
const CLASSES: &[&str] =
    &["StreamReader", "StreamWriter", "FileReader", "FileStore", "TCPStore", "ProcessGroup", "Video"];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let ContainerFacts::Script(script) = facts.as_ref() else { continue };
        for operator in &script.operators {
            let end = operator.offset + operator.name.len() as u64;
            let known = |table: &[(&str, &'static str)]| {
                table.iter().find(|(name, _)| *name == operator.name).map(|(_, effect)| *effect)
            };
            if let Some(effect) = known(REACHING) {
                let message = format!("`{}` {effect} when the model runs", operator.name);
                sink.report_at(&artifact.path, (operator.offset, end), message, operator.line.as_str());
            } else if let Some(effect) = known(AS_METHOD) {
                let message = format!("`{}` {effect} if it is PyTorch's operator", operator.name);
                let finding =
                    sink.report_at(&artifact.path, (operator.offset, end), message, operator.line.as_str());
                finding.severity = Severity::Medium;
                finding.confidence = Confidence::Medium;
            }
        }
        for class in &script.custom_classes {
            if CLASSES.iter().any(|name| class.contains(name)) {
                sink.report(&artifact.path, format!("`{class}` opens files or connections"));
            }
        }
    }
}
