//! The packs that come with Alnage, in the binary.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use crate::Pack;

/// Name and files of a pack.
type Shipped = (&'static str, &'static [(&'static str, &'static str)]);

macro_rules! packs {
    ($($name:literal: $($file:literal),+;)+) => {
        &[$(($name, &[$(($file, include_str!(concat!("packs/", $name, "/", $file)))),+])),+]
    };
}

static PACKS: &[Shipped] = packs! {
    "default": "policy.toml", "default.rego", "tests.toml";
    "strict": "policy.toml", "strict.rego", "tests.toml";
    "hub-recipes": "policy.toml", "recipes.rego", "tests.toml";
    "eu-ai-act-high-risk": "policy.toml", "high_risk.rego", "tests.toml";
    "nist-ai-100-2": "policy.toml", "adversarial.rego", "tests.toml";
};

/// The names of the shipped packs.
pub static SHIPPED: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| PACKS.iter().map(|(name, _)| *name).collect());

/// Compiled once: whoever serves asks for them often.
static COMPILED: LazyLock<BTreeMap<&'static str, Pack>> = LazyLock::new(|| {
    let compiled = PACKS.iter().filter_map(|(name, _)| Some((*name, Pack::from_files(files(name)?).ok()?)));
    compiled.collect()
});

pub(crate) fn pack(name: &str) -> Option<Pack> {
    COMPILED.get(name).cloned()
}

pub(crate) fn files(name: &str) -> Option<Vec<(String, String)>> {
    let (_, files) = PACKS.iter().find(|(shipped, _)| *shipped == name)?;
    Some(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// Evidence of a model that every shipped pack allows: what cases of tests begin with, and an example of an input.
pub fn example_input() -> Value {
    serde_json::from_str(include_str!("packs/example.json")).unwrap_or_default()
}
