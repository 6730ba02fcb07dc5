//! The table of all formats: a family's rows, family after family.

use crate::{Format, container, framework, pickle, repository, tensor};

static FAMILIES: &[&[&Format]] = &[
    container::FORMATS,
    tensor::FORMATS,
    framework::FORMATS,
    framework::RECOGNISED,
    pickle::FORMATS,
    repository::FORMATS,
];

/// Every format.
pub fn formats() -> impl Iterator<Item = &'static Format> {
    FAMILIES.iter().flat_map(|family| family.iter().copied())
}

/// Every format but the documents of a repository.
pub(crate) fn model_formats() -> impl Iterator<Item = &'static Format> {
    let families =
        [container::FORMATS, tensor::FORMATS, framework::FORMATS, framework::RECOGNISED, pickle::FORMATS];
    families.into_iter().flat_map(|family| family.iter().copied())
}

/// The format with this id.
pub fn format(id: &str) -> Option<&'static Format> {
    formats().find(|format| format.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_given_once() {
        let mut ids = BTreeSet::new();
        let twice: Vec<_> = formats().map(|format| format.id).filter(|id| !ids.insert(*id)).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
