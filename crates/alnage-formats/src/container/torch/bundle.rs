//! Bundles around PyTorch models that carry code or configuration beside weights, and programs of its runtimes.

use std::sync::Arc;

use alnage_types::{Reader, Source};
use serde::Serialize;

use crate::{
    Context, Facts, Format, LoadEffect, Probe,
    container::{ContainerFacts, archive::shorten, tar, zip},
};

/// Facts about a bundle.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BundleFacts {
    /// Python files in it, at most 64 names.
    pub python_files: Vec<String>,
    /// Weight files in it, at most 64 names.
    pub weight_files: Vec<String>,
    /// The manifest, configuration or module list that makes it a bundle of its kind.
    pub manifest: String,
}

/// Facts about an ExecuTorch program.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExecutorchFacts {
    /// The four letters that name the schema's version.
    pub identifier: String,
}

macro_rules! bundles {
    ($($(#[$doc:meta])* $name:ident, $id:literal, $title:literal, $extensions:expr, $effect:ident, $names:ident, $mark:expr;)*) => {$(
        $(#[$doc])*
        pub(in crate::container) static $name: Format = Format {
            id: $id,
            title: $title,
            extensions: $extensions,
            load_effect: LoadEffect::$effect,
            reads: "which code and weights it carries; each is analysed as an artifact of its own",
            cannot: "what the code does with the weights",
            identify: |probe| $names(probe).iter().any(|name| $mark(name.as_str())),
            parse: |source, context| {
                // The head is enough: names are read from the source itself.
                let head = Reader::new(source.as_ref()).take(source.len().min(Probe::HEAD as u64)).unwrap_or_default();
                let probe = Probe::new(source.as_ref(), context.path(), &head, &[]);
                let names = $names(&probe);
                bundle(&names, $mark)
            },
        };
    )*};
}

bundles! {
    /// `torch.package`: Python source that is imported when the package is loaded.
    PACKAGE, "torch-package", "torch.package archive", &["pt", "pth"], Executes, zip_names,
        |name: &str| name.ends_with("/.data/extern_modules") || name == ".data/extern_modules";
    /// TorchServe's model archive: a handler that the server runs.
    TORCHSERVE, "torchserve-mar", "TorchServe model archive", &["mar"], Executes, zip_names,
        |name: &str| name.eq_ignore_ascii_case("MAR-INF/MANIFEST.json");
    /// `torch.export`: a graph in JSON and its weights.
    EXPORT, "pytorch-export", "PyTorch exported program", &["pt2"], Data, zip_names,
        |name: &str| name.ends_with("serialized_exported_program.json") || {
            let below = name.split_once('/').map_or(name, |(_, below)| below);
            name == "archive_format" || below == "archive_format" || below.starts_with("models/") && below.ends_with(".json")
        };
    /// What PyTorch wrote in 2016: three pickles in a tar.
    LEGACY_TAR, "pytorch-tar", "PyTorch legacy tar", &["pt", "pth", "tar"], MayExecute, torch_tar_names,
        |name: &str| name == "pickle" || name == "./pickle";
    /// NVIDIA NeMo: a configuration that names classes, and checkpoints.
    NEMO, "nemo", "NeMo model", &["nemo"], MayExecute, tar_names,
        |name: &str| matches!(name, "model_config.yaml" | "./model_config.yaml");
}

fn zip_names(probe: &Probe<'_>) -> Vec<String> {
    if zip::ZIP_MAGIC.iter().any(|magic| probe.starts_with(magic)) {
        zip::names(probe.source)
    } else {
        Vec::new()
    }
}

fn tar_names(probe: &Probe<'_>) -> Vec<String> {
    tar::names(probe, 1000)
}

/// The names, when all three members of a legacy checkpoint are there.
fn torch_tar_names(probe: &Probe<'_>) -> Vec<String> {
    let names = tar::names(probe, 16);
    let has = |wanted: &str| names.iter().any(|name| name.strip_prefix("./").unwrap_or(name) == wanted);
    if has("pickle") && has("tensors") && has("storages") { names } else { Vec::new() }
}

fn bundle(names: &[String], mark: impl Fn(&str) -> bool) -> Facts {
    const MAX_NAMES: usize = 64;
    const WEIGHTS: [&str; 8] = [".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".pkl", ".onnx", ".storage"];
    let some = |wanted: &dyn Fn(&&String) -> bool| {
        names.iter().filter(wanted).take(MAX_NAMES).map(|name| shorten(name, 200)).collect()
    };
    let facts = BundleFacts {
        python_files: some(&|name| name.ends_with(".py")),
        weight_files: some(&|name| WEIGHTS.iter().any(|suffix| name.ends_with(suffix))),
        manifest: names.iter().find(|name| mark(name)).map(|name| shorten(name, 200)).unwrap_or_default(),
    };
    Facts::Container(Box::new(ContainerFacts::Bundle(facts)))
}

/// ExecuTorch: a flatbuffer program for devices.
pub(in crate::container) static EXECUTORCH: Format = Format {
    id: "executorch",
    title: "ExecuTorch program",
    extensions: &["pte", "ptd"],
    load_effect: LoadEffect::Data,
    reads: "that it is one, and the version of its schema",
    cannot: "its instructions, delegates and constants",
    identify: |probe| matches!(probe.head.get(4..8), Some([b'E', b'T', a, b]) if a.is_ascii_digit() && b.is_ascii_digit()),
    parse: executorch,
};

fn executorch(source: &Arc<dyn Source>, _context: &mut Context<'_>) -> Facts {
    let head = Reader::new(source.as_ref()).array::<8>().unwrap_or_default();
    let identifier = String::from_utf8_lossy(&head[4..]).into_owned();
    Facts::Container(Box::new(ContainerFacts::Executorch(ExecutorchFacts { identifier })))
}
