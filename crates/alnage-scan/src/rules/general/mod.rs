//! Rules about any file: names that lie, bytes nobody claims, files nobody knows.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[];
