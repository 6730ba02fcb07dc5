//! Identifies model files by content and parses them: bytes in, facts out, nothing executed.
//!
//! One folder a family of formats. A format is one row: how it is recognised and how it is parsed. [`analyse`]
//! drives them over a file and everything nested in it.

mod analyse;
mod carve;
mod context;
mod facts;
mod format;
mod inflate;
mod marshal;
mod model;
mod registry;
mod wire;

pub mod container;
pub mod framework;
pub mod pickle;
pub mod repository;
pub mod tensor;

pub use analyse::{Analysis, analyse, parse_as};
pub use context::{Context, Member};
pub use facts::{Artifact, Facts};
pub use format::{Format, LoadEffect, Probe};
pub use inflate::{Decoder, InflatedSource, Inflation};
pub use model::{EntryKind, Model, TreeEntry};
pub use registry::{format, formats, formats_by_extension};
pub use wire::{Field, Message, Value, WireCause, WireEnd};
