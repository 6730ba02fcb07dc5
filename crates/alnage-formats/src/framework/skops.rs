//! Skops schemas: the tree of nodes from which `skops.io` rebuilds Python objects.

use std::{collections::HashMap, sync::Arc};

use alnage_types::Source;
use serde::Serialize;

use super::{
    FrameworkFacts,
    json::{self, Document, Value},
    text::short,
};
use crate::{Context, Facts, Format, LoadEffect};

pub(super) static FORMAT: Format = Format {
    id: "skops-schema",
    title: "Skops schema",
    extensions: &[],
    load_effect: LoadEffect::MayExecute,
    reads: "every node: its loader, the type it builds, and the function or attribute it takes",
    cannot: "what types of other packages do when they are rebuilt",
    identify: |probe| {
        json::mentions(probe, &["__loader__", "__module__", "__class__"]) && has_node(probe.source)
    },
    parse,
};

/// What a skops file rebuilds.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkopsFacts {
    /// Version of skops that wrote it.
    pub skops_version: Option<String>,
    /// How many nodes there are.
    pub nodes: u64,
    /// What they build, each combination once; at most [`SkopsFacts::MAX_LISTED`].
    pub types: Vec<SkopsNode>,
}

impl SkopsFacts {
    /// How many entries are kept.
    pub const MAX_LISTED: usize = 4096;
}

/// A node of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkopsNode {
    /// JSON pointer of the first such node.
    pub pointer: String,
    /// Byte offset of that node.
    pub offset: u64,
    /// The loader: `ObjectNode`.
    pub loader: String,
    /// The module it says it is of.
    pub module: String,
    /// The type it says it is.
    pub class: String,
    /// For methods and functions, where the loader really takes them from: module and class of the object, or the
    /// module path.
    pub target: Option<String>,
    /// For methods and functions, the name that is taken.
    pub attribute: Option<String>,
}

fn has_node(source: &dyn Source) -> bool {
    json::quiet(source).is_none_or(|document| {
        let loaders = document.nodes().filter(|(_, node)| node.key.as_deref() == Some("__loader__"));
        loaders.take(1).count() == 1
    })
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let document = Document::read(source, context);
    let mut facts = SkopsFacts {
        skops_version: document.text_at(0, "_skops_version").map(|version| short(version, 32)),
        ..SkopsFacts::default()
    };
    let mut seen = HashMap::new();
    for (index, node) in document.nodes() {
        if !matches!(node.value, Value::Object) {
            continue;
        }
        // An object that names a type is what a node takes its callable from, whether or not it says by which loader.
        let named = document.text_at(index, "__module__").is_some();
        let loader = document.text_at(index, "__loader__");
        let Some(loader) = loader.or_else(|| named.then_some("")) else { continue };
        facts.nodes += 1;
        let text = |key| short(document.text_at(index, key).unwrap_or_default(), 256);
        let content = document.get(index, "content");
        let (target, attribute) = content.map_or((None, None), |content| taken(&document, content));
        let key = (short(loader, 64), text("__module__"), text("__class__"), target, attribute);
        if facts.types.len() < SkopsFacts::MAX_LISTED && seen.insert(key.clone(), ()).is_none() {
            let (loader, module, class, target, attribute) = key;
            let pointer = document.pointer(index);
            facts.types.push(SkopsNode {
                pointer,
                offset: node.offset,
                loader,
                module,
                class,
                target,
                attribute,
            });
        }
    }
    Facts::Framework(Box::new(FrameworkFacts::Skops(facts)))
}

/// From where and by which name a method or function node takes its callable.
fn taken(document: &Document, content: usize) -> (Option<String>, Option<String>) {
    let text = |key| document.text_at(content, key);
    if let Some(function) = text("func") {
        let object = document.get(content, "obj");
        let part = |key| object.and_then(|object| document.text_at(object, key)).unwrap_or("?");
        let target = format!("{}.{}", part("__module__"), part("__class__"));
        return (Some(short(&target, 256)), Some(short(function, 128)));
    }
    match (text("module_path"), text("function")) {
        (Some(module), Some(function)) => (Some(short(module, 256)), Some(short(function, 128))),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use alnage_types::{ArtifactPath, Budget, MemorySource};

    use super::*;
    use crate::analyse;

    #[test]
    fn methods_name_their_object() {
        let json = testkit::framework::SKOPS_METHOD;
        let source = Arc::new(MemorySource::new(json.as_bytes()));
        let analysis = analyse(ArtifactPath::file("schema.json"), source, &Budget::default());
        let Facts::Framework(facts) = &analysis.artifacts[0].facts else { panic!("not skops") };
        let FrameworkFacts::Skops(facts) = facts.as_ref() else { panic!("not skops") };
        assert_eq!((facts.nodes, facts.skops_version.as_deref()), (2, Some("0.11.0")));
        assert_eq!(facts.types[0].target.as_deref(), Some("os.module"));
        assert_eq!(facts.types[0].attribute.as_deref(), Some("system"));
    }

    #[test]
    fn damage_does_not_panic() {
        super::super::mutation::survive("schema.json", testkit::framework::SKOPS_METHOD.as_bytes(), 2000);
    }
}
