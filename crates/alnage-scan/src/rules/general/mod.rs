//! Rules about any file: names that lie, bytes nobody claims, files nobody knows.

use crate::Rule;

mod budget_reached;
mod empty_file;
mod name_content_mismatch;
mod unclaimed_bytes;
mod unrecognised_content;

#[cfg(test)]
mod tests;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &name_content_mismatch::RULE,
    &unrecognised_content::RULE,
    &unclaimed_bytes::RULE,
    &budget_reached::RULE,
    &empty_file::RULE,
];
