//! Rules about pickles.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[];
