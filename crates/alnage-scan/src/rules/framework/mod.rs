//! Rules about Keras, HDF5, TensorFlow and the other frameworks' files.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[];
