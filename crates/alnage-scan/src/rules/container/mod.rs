//! Rules about archives and the PyTorch and NumPy files built on them.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[];
