//! `keras_metadata.pb`: the Keras configuration of a SavedModel's objects, handed on as one JSON array.

use std::sync::Arc;

use alnage_types::{MemorySource, Reader, Source};

use crate::{
    Context, Facts, Format, LoadEffect,
    framework::{
        proto::{Allowed::*, Shape, each_field},
        text::short,
    },
    wire::Message,
};

pub(in crate::framework) static FORMAT: Format = Format {
    id: "keras-metadata",
    title: "Keras metadata of a SavedModel",
    extensions: &["pb"],
    load_effect: LoadEffect::MayExecute,
    reads: "the configuration of every object, as Keras configuration",
    cannot: "nothing beyond the configuration",
    identify: |probe| {
        let Some(top) = Shape::whole(probe.source, 4096, &[Bytes(1..=1)]) else { return false };
        let node = top.inner(probe.source, 1, 64, &[Number(2..=2), Bytes(3..=6)]);
        let class = node.and_then(|node| node.name(probe.source, 4));
        class.is_some_and(|class| class.starts_with("_tf_"))
    },
    parse,
};

/// The fingerprint that lies beside newer SavedModels: hashes and nothing else.
pub(in crate::framework) static FINGERPRINT: Format = Format {
    id: "tensorflow-fingerprint",
    title: "TensorFlow fingerprint",
    extensions: &["pb"],
    load_effect: LoadEffect::Data,
    reads: "that it holds hashes only",
    cannot: "whether the hashes are right",
    identify: |probe| {
        let fields = [Number(1..=5), Bytes(6..=6), Any(7..=7), Bytes(8..=8)];
        probe.len() <= 256
            && probe.path.name() == "fingerprint.pb"
            && Shape::whole(probe.source, 64, &fields).is_some()
    },
    parse: |source, context| {
        context.claim(0..source.len());
        Facts::None {}
    },
};

/// The longest configuration of one object that is kept.
pub(super) const MAX_METADATA: u64 = 16 << 20;
/// The longest configuration of all objects that is kept.
const MAX_TOTAL: usize = 64 << 20;

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut reader = Reader::new(source.as_ref());
    let mut nodes = Vec::new();
    each_field(&mut reader, context, Message::new(0..source.len()), "Keras metadata", |field, _, _| {
        nodes.extend(field.message());
    });
    let mut metadata = Vec::new();
    for node in nodes {
        each_field(&mut reader, context, node, "Keras metadata", |field, reader, _| {
            if field.number == 5 {
                metadata.extend(field.text(reader, MAX_METADATA));
            }
        });
    }
    hand_on(metadata, context);
    context.claim(0..source.len());
    Facts::None {}
}

/// Hands on the configurations that are JSON objects as one array.
pub(super) fn hand_on(metadata: Vec<String>, context: &mut Context<'_>) {
    let mut all = String::from("[");
    for text in metadata {
        let text = text.trim();
        if !text.starts_with('{') {
            continue;
        }
        if all.len() + text.len() > MAX_TOTAL {
            let what = format!("more Keras metadata than is kept: {}", short(text, 40));
            context.issue(alnage_types::IssueKind::Budget, None, what);
            break;
        }
        if all.len() > 1 {
            all.push_str(",\n");
        }
        all.push_str(text);
    }
    if all.len() > 1 {
        all.push(']');
        context.member("@keras_metadata", Arc::new(MemorySource::new(all.into_bytes())));
    }
}
