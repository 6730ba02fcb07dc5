//! Rules about tensor files and graphs.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[];
