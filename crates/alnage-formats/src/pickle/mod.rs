//! Pickle: a program for a stack machine, run symbolically and never for real.

use alnage_types::Source;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[];

/// Facts of this family.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PickleFacts {}

/// Whether a pickle that does something (resolves a plausible global, or ends properly after more than a few
/// opcodes) starts at `offset`. Cheap on bytes that are no pickle: used to look for hidden ones.
pub fn is_pickle_at(_source: &dyn Source, _offset: u64) -> bool {
    false
}
