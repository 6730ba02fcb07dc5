//! Rules about what stands beside weights in a model repository.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[];
