//! PYT002: TorchScript that calls operators of native libraries outside PyTorch.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYT002",
    name: "torchscript-native-extension",
    summary: "TorchScript code calls operators that PyTorch does not have",
    why: "The model only loads after a native library was loaded that registers these operators. What they do is not in \
          the file.",
    remediation: "Find out which library the model needs and vet it like any other native code.",
    references: &["AML.T0011.001"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`ops.my_library.decode(x)` in `code/__torch__.py`",
    check,
};

/// Namespaces of operators and classes that come with PyTorch and its own libraries.
const OWN: &[&str] = &[
    "aten",
    "prim",
    "prims",
    "quantized",
    "quantized_decomposed",
    "prepacked",
    "onednn",
    "mkldnn",
    "mkldnn_prepacked",
    "mkl",
    "xnnpack",
    "metal",
    "metal_prepack",
    "vulkan",
    "vulkan_prepack",
    "sparse",
    "rnn",
    "inductor",
    "higher_order",
    "torchvision",
    "torchaudio",
    "torchtext",
    "torch_scatter",
    "torch_sparse",
    "torch_cluster",
    "image",
    "video_reader",
    "nnapi",
    "profiling",
    "profiler",
    "export",
    "symm_mem",
    "_quantized",
    "c10d",
    "c10d_functional",
    "fb",
    "static_runtime",
    "cuda",
    "mps",
    "ao",
    "dist_autograd",
    "cadence",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let ContainerFacts::Script(script) = facts.as_ref() else { continue };
        let operators = script.operators.iter().filter_map(|operator| operator.name.split_once('.'));
        let classes = script
            .custom_classes
            .iter()
            .filter_map(|class| class.strip_prefix("torch.classes.")?.split_once('.'));
        let mut foreign: Vec<&str> = operators
            .chain(classes)
            .map(|(namespace, _)| namespace)
            .filter(|namespace| !OWN.contains(namespace) && !namespace.is_empty())
            .collect();
        foreign.sort_unstable();
        foreign.dedup();
        if !foreign.is_empty() {
            sink.report(&artifact.path, format!("needs operators of `{}`", foreign.join("`, `")));
        }
    }
}
