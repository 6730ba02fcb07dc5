//! The table of all rules: a family's rows, family after family.

use crate::Rule;

mod container;
mod dependency;
mod detonation;
mod framework;
mod general;
mod pickle;
mod policy;
mod provenance;
mod repository;
mod tensor;

pub(crate) use pickle::WeighedCalls;
pub(crate) use policy::suppression_expired;

static FAMILIES: &[&[&Rule]] = &[
    pickle::RULES,
    container::RULES,
    tensor::RULES,
    framework::RULES,
    repository::RULES,
    repository::PYTHON_RULES,
    provenance::RULES,
    dependency::RULES,
    detonation::RULES,
    general::RULES,
    policy::RULES,
];

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter().copied())
}

/// The rule with this code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code))
}
