//! Rules about what a person has decided, not about what a model holds.

use crate::Rule;

mod suppression_expired;

pub(crate) use suppression_expired::report as suppression_expired;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[&suppression_expired::RULE];
