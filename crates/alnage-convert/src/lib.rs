//! Takes tensors out of checkpoints without executing anything, and lays them out as safetensors.
//!
//! [`prepare`] reads a source into a [`Plan`]: a pickle is run on values that have no behaviour, and a call that is
//! more than data is a [`Refusal`]. The plan then writes itself through functions that the caller gives; bytes flow
//! through a few buffers, whatever the size. [`check`] compares a written file with the source by other code.

mod arrays;
mod check;
mod element;
mod flax;
mod gather;
mod graph;
mod harvest;
mod keras;
mod machine;
mod meaning;
mod npy;
mod plan;
mod reach;
mod read;
mod rebuild;
mod refusal;
mod state;
mod tensor;
#[cfg(test)]
mod tests;
mod torch;
mod torch_storage;
mod torch_tar;

use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, Source};

pub use check::{Checked, check};
pub use element::{Element, Reshape};
pub use machine::UnknownCalls;
pub use plan::{Plan, Planned, TensorFile};
pub use read::Checksum;
pub use refusal::Refusal;
pub use tensor::{Place, Storage, Tensor};

/// How to convert.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Bytes of tensors in a file; all in one when absent.
    pub max_shard_size: Option<u64>,
    /// What is done with calls of which nothing is known.
    pub unknown_calls: UnknownCalls,
    /// Whether views may make more than twice as many bytes as are stored.
    pub allow_expansion: bool,
    /// Whether tensors with several names are written under each of them.
    pub copy_aliases: bool,
    /// Limits for what is unpacked.
    pub budget: Budget,
}

/// Reads the source whose file is called `path`, and plans its conversion.
pub fn prepare(path: &ArtifactPath, source: &Arc<dyn Source>, options: &Options) -> Result<Plan, Refusal> {
    Plan::new(read::read(path, source, options.unknown_calls, &options.budget)?, options)
}
