//! PyTorch's own files: what a zip or tar holds when PyTorch or its companions wrote it.

mod bundle;
mod checkpoint;
mod script;

pub use self::{
    bundle::{BundleFacts, ExecutorchFacts},
    checkpoint::{CheckpointFacts, Flavour},
    script::{Operator, ScriptFacts},
};
pub(super) use self::{
    bundle::{EXECUTORCH, EXPORT, LEGACY_TAR, NEMO, PACKAGE, TORCHSERVE},
    checkpoint::CHECKPOINT,
    script::SCRIPT,
};
