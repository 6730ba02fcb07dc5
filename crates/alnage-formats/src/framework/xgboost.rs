//! XGBoost models in JSON and Universal Binary JSON.

mod ubjson;

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::Source;
use serde::Serialize;

use super::{
    FrameworkFacts,
    json::{self, Document, Value},
    text::short,
};
use crate::{Context, Facts, Format, LoadEffect};

pub(super) use ubjson::FORMAT as UBJSON;

pub(super) static FORMAT: Format = Format {
    id: "xgboost-json",
    title: "XGBoost model in JSON",
    extensions: &[],
    load_effect: LoadEffect::Data,
    reads: "objective, booster, attributes, every text in the model",
    cannot: "what the trees compute",
    identify: |probe| {
        // Both stand within the first levels of every model; a quick look spares other JSON the parse.
        json::mentions(probe, &["learner", "gradient_booster"])
            && json::quiet(probe.source).is_none_or(|document| document.get(0, "learner").is_some())
    },
    parse,
};

/// The file that XGBoost before 1.0 wrote, and later ones on request.
pub(super) static BINARY: Format = Format {
    id: "xgboost-binary",
    title: "XGBoost model, old binary form",
    extensions: &[],
    load_effect: LoadEffect::Data,
    reads: "that it is one",
    cannot: "its trees and parameters: the form is read by XGBoost before 3.1 only",
    identify: |probe| probe.starts_with(b"binf") && probe.len() > 136,
    parse: |_, _| Facts::None {},
};

/// What an XGBoost model says about itself.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct XgboostFacts {
    /// Version of XGBoost that wrote it.
    pub version: Option<String>,
    /// The objective: `binary:logistic`.
    pub objective: Option<String>,
    /// The booster: `gbtree`.
    pub booster: Option<String>,
    /// Attributes of the learner, shortened; at most 64.
    pub attributes: BTreeMap<String, String>,
    /// Texts that look like code, with the key they stand at; at most 64.
    pub code_like: Vec<(String, String)>,
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let document = Document::read(source, context);
    let mut facts = XgboostFacts::default();
    for (index, node) in document.nodes() {
        if let Value::Text(text) = &node.value {
            let parent = document.parent(index).and_then(|parent| document.key(parent));
            facts.text(parent, node.key.as_deref().unwrap_or_default(), text);
        }
    }
    Facts::Framework(Box::new(FrameworkFacts::Xgboost(facts)))
}

impl XgboostFacts {
    /// Takes a text at `key` of the object at `parent`.
    fn text(&mut self, parent: Option<&str>, key: &str, text: &str) {
        const MAX_LISTED: usize = 64;
        match (parent, key) {
            (Some("objective"), "name") => self.objective = Some(short(text, 256)),
            (Some("gradient_booster"), "name") => self.booster = Some(short(text, 64)),
            (Some("attributes"), key) if self.attributes.len() < MAX_LISTED => {
                self.attributes.insert(short(key, 64), short(text, 256));
            }
            _ => {}
        }
        // Names of features are the columns of a table, which people call what they like.
        let is_column = parent == Some("feature_names") || key == "feature_names";
        if !is_column && super::text::is_code_like(text) && self.code_like.len() < MAX_LISTED {
            self.code_like.push((short(key, 64), short(text, 256)));
        }
    }
}

#[cfg(test)]
mod tests;
