//! Archives, compressed streams, and the PyTorch and NumPy files built on them.

mod archive;
mod codec;
mod cursor;
mod stream;
mod tar;
mod zip;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::{
    archive::{Anomaly, AnomalyKind, ArchiveFacts},
    stream::StreamFacts,
};
use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[
    &zip::ZIP,
    &tar::TAR,
    &stream::GZIP,
    &stream::BZIP2,
    &stream::XZ,
    &stream::LZMA,
    &stream::ZLIB,
    &stream::ZSTD,
    &stream::LZ4,
    &stream::JOBLIB_ZF,
];

/// Facts of this family.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ContainerFacts {
    /// Zip, tar, 7z, rar.
    Archive(ArchiveFacts),
    /// A compressed stream that holds one file.
    Stream(StreamFacts),
}
