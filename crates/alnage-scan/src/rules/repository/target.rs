//! What a dotted name in a configuration leads to when a loader calls it.

use crate::capability::{Class, SinkKind, classify};

/// What calling a dotted name does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetClass {
    /// Something dangerous, in words that follow "which".
    Dangerous(&'static str),
    /// A part of a known machine-learning library.
    Known,
    /// Not known.
    Unknown,
}

/// Libraries whose classes model configurations name in the ordinary way.
const LIBRARIES: &[&str] = &[
    "accelerate",
    "apex",
    "audiocraft",
    "datasets",
    "detectron2",
    "diffusers",
    "einops",
    "flash_attn",
    "huggingface_hub",
    "jax",
    "keras",
    "keras_hub",
    "keras_nlp",
    "lightning",
    "lightning_fabric",
    "megatron",
    "monai",
    "nemo",
    "omegaconf",
    "onnxruntime",
    "optimum",
    "peft",
    "pytorch_lightning",
    "pytorch_metric_learning",
    "sentence_transformers",
    "sklearn",
    "speechbrain",
    "tensorflow",
    "timm",
    "tokenizers",
    "torch",
    "torch_geometric",
    "torchaudio",
    "torchmetrics",
    "torchvision",
    "transformer_engine",
    "transformers",
    "trl",
    "vector_quantize_pytorch",
    "x_transformers",
    "xformers",
];

/// Callables of Python and NumPy that only make a value.
const PLAIN: &[&str] = &[
    "builtins.dict",
    "builtins.list",
    "builtins.tuple",
    "builtins.set",
    "builtins.str",
    "builtins.int",
    "builtins.float",
    "builtins.bool",
    "builtins.range",
    "datetime.timedelta",
    "numpy.array",
    "numpy.random.default_rng",
    "numpy.random.RandomState",
    "omegaconf.OmegaConf.create",
    "omegaconf.omegaconf.OmegaConf.create",
    "pathlib.Path",
];

/// What Hydra itself writes into the configurations it saves.
const PLUGINS: &[&str] = &["hydra._internal.core_plugins", "hydra_plugins"];

/// Functions of the libraries that fetch models and data sets by name.
const FETCHERS: &[&str] = &[
    "from_pretrained",
    "from_config",
    "load_dataset",
    "load_from_disk",
    "hf_hub_download",
    "snapshot_download",
    "create_model",
];

/// Modules of Python whose callables act on the machine.
const ACTING: &[(&str, &str)] = &[
    ("os", "starts processes or changes files"),
    ("posix", "starts processes or changes files"),
    ("nt", "starts processes or changes files"),
    ("subprocess", "starts processes"),
    ("pty", "starts processes"),
    ("asyncio.subprocess", "starts processes"),
    ("commands", "starts processes"),
    ("shutil", "changes files"),
    ("socket", "connects to the network"),
    ("urllib", "connects to the network"),
    ("requests", "connects to the network"),
    ("http", "connects to the network"),
    ("ctypes", "loads native code"),
    ("importlib", "imports a module of the file's choice"),
    ("runpy", "runs code"),
    ("code", "runs code"),
    ("pickle", "unpickles, which runs code"),
    ("marshal", "loads code"),
    ("hydra.utils.get_method", "hands out any function by name"),
    ("hydra.utils.get_class", "hands out any class by name"),
    ("hydra.utils.get_object", "hands out any object by name"),
    ("hydra.utils.call", "calls any function by name"),
    ("hydra.utils.instantiate", "calls any function by name"),
    ("hydra._internal.utils", "hands out any object by name"),
    ("omegaconf.OmegaConf.register_new_resolver", "has interpolations call a function"),
    ("omegaconf.OmegaConf.register_resolver", "has interpolations call a function"),
    ("omegaconf.OmegaConf.legacy_register_resolver", "has interpolations call a function"),
    ("omegaconf.omegaconf.OmegaConf.register_new_resolver", "has interpolations call a function"),
    ("omegaconf.omegaconf.OmegaConf.register_resolver", "has interpolations call a function"),
    ("omegaconf.omegaconf.OmegaConf.legacy_register_resolver", "has interpolations call a function"),
    ("posixpath", "asks the machine for files"),
    ("ntpath", "asks the machine for files"),
    ("genericpath", "asks the machine for files"),
    ("builtins.eval", "runs code"),
    ("builtins.exec", "runs code"),
    ("builtins.compile", "compiles code"),
    ("builtins.__import__", "imports a module of the file's choice"),
    ("builtins.open", "opens files"),
    ("builtins.getattr", "hands out any attribute by name"),
    ("builtins.breakpoint", "runs code"),
    ("eval", "runs code"),
    ("exec", "runs code"),
    ("torch.load", "unpickles, which runs code"),
    ("torch.jit.load", "loads code"),
    ("torch.save", "writes files"),
    ("torch.jit.save", "writes files"),
    ("numpy.save", "writes files"),
    ("numpy.savez", "writes files"),
    ("numpy.savetxt", "writes files"),
    ("joblib.dump", "writes files"),
    ("torch.hub.load", "fetches code and runs it"),
    ("torch.utils.cpp_extension", "compiles and loads native code"),
];

/// Classes a dotted name.
pub(super) fn target_class(target: &str) -> TargetClass {
    let target = target.trim();
    if let Some((_, reaches)) = ACTING.iter().find(|(name, _)| is_under(target, name)) {
        return TargetClass::Dangerous(reaches);
    }
    if PLAIN.contains(&target) {
        return TargetClass::Known;
    }
    if PLUGINS.iter().any(|plugins| is_under(target, plugins)) {
        return TargetClass::Known;
    }
    let library = LIBRARIES.iter().any(|library| is_under(target, library));
    // Fetching a model or data set by its name is what configurations are for; what is fetched is data, unless
    // `trust_remote_code` stands beside it, which is reported by itself.
    let last = target.rsplit('.').next().unwrap_or(target);
    if library && FETCHERS.contains(&last) {
        return TargetClass::Known;
    }
    let mut safe = false;
    for (at, _) in target.match_indices('.').collect::<Vec<_>>().into_iter().rev().take(8) {
        match classify(&target[..at], &target[at + 1..]) {
            // Classes of a library that happen to open their own files are what configurations are for.
            Class::Dangerous(danger) if !(library && danger.sink == SinkKind::File) => {
                return TargetClass::Dangerous(reaches(danger.sink));
            }
            Class::Dangerous(_) | Class::Unknown => {}
            Class::Safe(_) => safe = true,
        }
    }
    if library || safe { TargetClass::Known } else { TargetClass::Unknown }
}

fn is_under(target: &str, name: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn reaches(sink: SinkKind) -> &'static str {
    match sink {
        SinkKind::Process => "starts processes",
        SinkKind::Code => "runs code",
        SinkKind::Native => "loads native code",
        SinkKind::Import => "imports a module of the file's choice",
        SinkKind::File => "opens files",
        SinkKind::Network => "connects to the network",
        SinkKind::Gadget => "leads to another callable or a second stage",
    }
}
