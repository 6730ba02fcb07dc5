//! The table of all formats: a family's rows, family after family.

use std::{collections::HashMap, sync::LazyLock};

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

/// The formats that this lower-case extension promises.
pub fn formats_by_extension(extension: &str) -> &'static [&'static Format] {
    static PROMISES: LazyLock<HashMap<&str, Vec<&Format>>> = LazyLock::new(|| {
        let mut promises: HashMap<_, Vec<_>> = HashMap::new();
        for format in formats() {
            for extension in format.extensions {
                promises.entry(*extension).or_default().push(format);
            }
        }
        promises
    });
    PROMISES.get(extension).map_or(&[], Vec::as_slice)
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
