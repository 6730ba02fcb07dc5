//! The words every part of Alnage shares. Pure values: no file system, network, clock or threads.

mod artifact_path;
mod budget;
mod buffer;
mod content_digest;
mod digest;
mod finding;
mod issue;
mod manifest;
pub mod merkle;
mod reader;
mod source;
mod verdict;

pub use artifact_path::ArtifactPath;
pub use budget::{Budget, Exhausted, Meter};
pub use buffer::Buffer;
pub use content_digest::{ContentDigest, HashAlgorithm, UnknownAlgorithm};
pub use digest::{Digest, InvalidDigest};
pub use finding::{Confidence, Finding, Level, Severity, Span};
pub use issue::{Issue, IssueKind};
pub use manifest::{Manifest, ManifestFile};
pub use reader::{ReadEnd, Reader};
pub use source::{MemorySource, Source, WindowSource};
pub use verdict::Verdict;
