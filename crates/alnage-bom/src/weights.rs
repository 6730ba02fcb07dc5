//! What weight files say: how many parameters of which type, and what their own metadata claims.

use std::collections::{BTreeMap, BTreeSet};

use alnage_formats::{
    Artifact, Facts, Model,
    tensor::{ElementTotals, TensorFacts},
};

use crate::claim::{Claims, Field, Origin};

/// Adds what the weight files of `model` say. Gives why the number of parameters is not known, when it is not.
pub(crate) fn gather(model: &Model, claims: &mut Claims) -> Option<&'static str> {
    let mut sets: BTreeMap<WeightSet, Counted> = BTreeMap::new();
    for artifact in model.artifacts.iter().filter(|artifact| artifact.path.container().is_none()) {
        let Facts::Tensor(facts) = &artifact.facts else { continue };
        let TensorFacts::Safetensors(facts) = facts.as_ref() else { continue };
        let counted = sets.entry(WeightSet::of(artifact)).or_default();
        counted.add(artifact.path.as_str(), &facts.dtypes);
    }
    let top: Vec<&Counted> =
        sets.iter().filter(|(set, _)| !set.name.contains('/')).map(|(_, counted)| counted).collect();
    let counted = match (top.as_slice(), sets.len()) {
        ([one], _) => one,
        ([], 1) => sets.values().next()?,
        ([], 0) => return Some("no weight file whose parameters Alnage counts"),
        _ => return Some("several sets of weights"),
    };
    counted.claim(claims)
}

/// One model's weights: a file, or all shards of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WeightSet {
    format: &'static str,
    name: String,
}

impl WeightSet {
    /// `model-00001-of-00003.safetensors` belongs to `model`.
    fn of(artifact: &Artifact) -> Self {
        let path = artifact.path.as_str();
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let mut parts = stem.rsplitn(4, '-');
        let number =
            |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let (count, of, index) = (parts.next(), parts.next(), parts.next());
        let name = match parts.next() {
            Some(name) if number(count) && of == Some("of") && number(index) => name,
            _ => stem,
        };
        Self { format: artifact.format, name: name.to_owned() }
    }
}

#[derive(Debug, Default)]
struct Counted {
    files: BTreeSet<String>,
    floating: u64,
    integer: u64,
    types: BTreeMap<String, u64>,
}

impl Counted {
    fn add(&mut self, file: &str, totals: &BTreeMap<String, ElementTotals>) {
        self.files.insert(file.to_owned());
        for (element, totals) in totals {
            let sum = if is_floating(element) { &mut self.floating } else { &mut self.integer };
            *sum = sum.saturating_add(totals.parameters);
            let of_type = self.types.entry(element.clone()).or_default();
            *of_type = of_type.saturating_add(totals.parameters);
        }
    }

    fn claim(&self, claims: &mut Claims) -> Option<&'static str> {
        let file = match (self.files.first(), self.files.len()) {
            (Some(file), 1) => file.clone(),
            (Some(file), count) => format!("{file} and {} more", count - 1),
            (None, _) => return Some("no weight file whose parameters Alnage counts"),
        };
        for element in self.types.keys() {
            claims.add(Field::ElementType, Origin::Bytes, &file, "header", element);
        }
        // A few integers are buffers such as position ids; many are weights packed several to an integer.
        if self.integer > self.floating / 100 {
            return Some("the weights are packed into integers");
        }
        claims.add(Field::Parameters, Origin::Bytes, &file, "header", self.floating.to_string());
        None
    }
}

fn is_floating(element: &str) -> bool {
    element.starts_with(['F', 'f']) || element.starts_with("BF") || element.starts_with('C')
}
