//! Archives, compressed streams, and the PyTorch and NumPy files built on them.

mod archive;
mod codec;
mod cursor;
mod numpy;
mod rar;
mod sevenz;
mod stream;
mod tar;
#[cfg(test)]
mod tests;
mod torch;
mod zip;

use serde::Serialize;

pub use self::{
    archive::{Anomaly, AnomalyKind, ArchiveFacts},
    numpy::{ArrayArchiveFacts, ArrayFacts, ArrayHeader, array_header},
    stream::{StreamFacts, unpacked},
    tar::agreed_tar,
    torch::{BundleFacts, CheckpointFacts, ExecutorchFacts, Flavour, Operator, ScriptFacts},
    zip::{ZipMember, agreed_zip},
};
pub(crate) use self::{
    sevenz::is_sevenz_at,
    stream::{is_zlib_header, trial_decoder, zlib_decoder},
    zip::zip_at,
};
use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[
    &zip::ZIP,
    &tar::TAR,
    &sevenz::SEVENZ,
    &rar::RAR,
    &stream::GZIP,
    &stream::BZIP2,
    &stream::XZ,
    &stream::LZMA,
    &stream::ZLIB,
    &stream::ZSTD,
    &stream::LZ4,
    &stream::JOBLIB_ZF,
    &torch::CHECKPOINT,
    &torch::SCRIPT,
    &torch::PACKAGE,
    &torch::TORCHSERVE,
    &torch::EXPORT,
    &torch::LEGACY_TAR,
    &torch::NEMO,
    &torch::EXECUTORCH,
    &numpy::ARRAY,
    &numpy::ARCHIVE,
];

/// Facts of this family.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ContainerFacts {
    /// Zip, tar, 7z, rar.
    Archive(ArchiveFacts),
    /// A compressed stream that holds one file.
    Stream(StreamFacts),
    /// A PyTorch checkpoint.
    Checkpoint(CheckpointFacts),
    /// TorchScript source.
    Script(ScriptFacts),
    /// A bundle of code, configuration and weights.
    Bundle(BundleFacts),
    /// An ExecuTorch program.
    Executorch(ExecutorchFacts),
    /// A NumPy array.
    Array(ArrayFacts),
    /// A NumPy archive.
    ArrayArchive(ArrayArchiveFacts),
}
