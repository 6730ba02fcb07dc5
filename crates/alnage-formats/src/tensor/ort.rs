//! ONNX Runtime's own format: a FlatBuffer of a model. Recognised, not read.

use std::sync::Arc;

use alnage_types::{IssueKind, Source};

use crate::{Context, Facts, Format, LoadEffect};

/// The row.
pub(crate) static FORMAT: Format = Format {
    id: "ort",
    title: "ONNX Runtime",
    extensions: &["ort"],
    load_effect: LoadEffect::MayExecute,
    reads: "That it is one.",
    cannot: "Its graph is not read; vet the ONNX model it was made from.",
    identify: |probe| probe.has_at(4, b"ORTM"),
    parse,
};

fn parse(_: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    context.claim(0..8);
    context.issue(IssueKind::Unsupported, 8, "the graph of this format is not read");
    Facts::None {}
}
