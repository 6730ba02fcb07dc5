//! `policy.toml`: what a pack is called, what can be set, what its rules are for, and conditions of one line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Effect, Error, Place};

/// The file's name.
pub(crate) const FILE: &str = "policy.toml";

/// What `policy.toml` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The pack's name.
    pub name: String,
    /// The pack's version.
    pub version: String,
    /// What it is for, in a sentence or two.
    pub description: String,
    /// Shipped packs whose rules hold too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extends: Vec<String>,
    /// Whether what no `allow` rule speaks for is quarantined.
    #[serde(default)]
    pub closed: bool,
    /// What the rules were made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// What can be set.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// What this pack sets of the packs that it extends.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Value>,
    /// What the rules are for.
    #[serde(default)]
    pub rules: BTreeMap<String, RuleText>,
    /// Rules of one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
}

/// Something that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it does.
    pub description: String,
    /// Its value unless set; what is set must be of the same kind.
    pub default: Value,
}

/// What a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// What it does.
    pub summary: String,
    /// What makes it stop.
    pub remedy: String,
}

/// A rule of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Its name.
    pub rule: String,
    /// What it asks for when the condition holds.
    pub effect: Effect,
    /// The condition, in CEL.
    pub condition: String,
    /// One sentence for the person who is refused.
    pub message: String,
    /// What makes it stop.
    #[serde(default)]
    pub remedy: String,
}

impl Manifest {
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let manifest: Self = toml::from_str(text).map_err(|error| toml_error(file, text, &error))?;
        for name in manifest.rules.keys().chain(manifest.when.iter().map(|when| &when.rule)) {
            if !is_name(name) {
                let place = place_of(file, text, name);
                return Err(Error::pack_at(
                    place,
                    format!("`{name}` is no name of a rule: small letters, digits and `-`"),
                ));
            }
        }
        if !is_name(&manifest.name) {
            let place = place_of(file, text, &manifest.name);
            return Err(Error::pack_at(place, "the name of a pack is small letters, digits and `-`"));
        }
        Ok(manifest)
    }
}

/// Names go into addresses, tables and messages.
fn is_name(name: &str) -> bool {
    let ordinary = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(ordinary)
}

pub(crate) fn toml_error(file: &str, text: &str, error: &toml::de::Error) -> Error {
    let offset = error.span().map_or(0, |span| span.start);
    Error::pack_at(place_at(file, text, offset), error.message())
}

/// Where `needle` first stands; the beginning when it does not.
pub(crate) fn place_of(file: &str, text: &str, needle: &str) -> Place {
    place_at(file, text, text.find(needle).unwrap_or(0))
}

fn place_at(file: &str, text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}
