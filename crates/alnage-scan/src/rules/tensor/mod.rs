//! Rules about tensor files and graphs.

use alnage_formats::{
    Artifact, Facts, Model,
    tensor::{
        Carried, CarriedKind, LayoutFault, LayoutFaultKind, TensorFacts, gguf::GgufFacts, onnx::OnnxFacts,
        safetensors::SafetensorsFacts,
    },
};

use alnage_types::Severity;

use crate::{Rule, Sink};

pub(super) mod external;
mod gguf_carried;
mod gguf_count_overflow;
mod gguf_layout;
mod gguf_malformed_header;
mod gguf_repeated_key;
mod gguf_tensor_out_of_bounds;
mod onnx_carried;
mod onnx_custom_operator;
mod onnx_executing_operator;
mod onnx_external_key;
mod onnx_external_link;
mod onnx_external_path;
mod onnx_external_range;
mod onnx_tensor_size;
mod operators;
mod safetensors_carried;
mod safetensors_header;
mod safetensors_out_of_bounds;
mod safetensors_overlap;
mod safetensors_repeated_key;
mod safetensors_tensor_size;
mod safetensors_unclaimed_bytes;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &safetensors_header::RULE,
    &safetensors_repeated_key::RULE,
    &safetensors_overlap::RULE,
    &safetensors_unclaimed_bytes::RULE,
    &safetensors_tensor_size::RULE,
    &safetensors_out_of_bounds::RULE,
    &safetensors_carried::RULE,
    &gguf_count_overflow::RULE,
    &gguf_malformed_header::RULE,
    &gguf_repeated_key::RULE,
    &gguf_tensor_out_of_bounds::RULE,
    &gguf_layout::RULE,
    &gguf_carried::RULE,
    &onnx_executing_operator::RULE,
    &onnx_custom_operator::RULE,
    &onnx_carried::RULE,
    &onnx_external_path::RULE,
    &onnx_external_link::RULE,
    &onnx_external_range::RULE,
    &onnx_external_key::RULE,
    &onnx_tensor_size::RULE,
];

fn tensors(model: &Model) -> impl Iterator<Item = (&Artifact, &TensorFacts)> {
    model.artifacts.iter().filter_map(|artifact| match &artifact.facts {
        Facts::Tensor(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

fn safetensors(model: &Model) -> impl Iterator<Item = (&Artifact, &SafetensorsFacts)> {
    tensors(model).filter_map(|(artifact, facts)| match facts {
        TensorFacts::Safetensors(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

fn gguf(model: &Model) -> impl Iterator<Item = (&Artifact, &GgufFacts)> {
    tensors(model).filter_map(|(artifact, facts)| match facts {
        TensorFacts::Gguf(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

fn onnx(model: &Model) -> impl Iterator<Item = (&Artifact, &OnnxFacts)> {
    tensors(model).filter_map(|(artifact, facts)| match facts {
        TensorFacts::Onnx(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

/// Reports the faults that `wording` has words for.
fn report_layout(
    artifact: &Artifact,
    faults: &[LayoutFault],
    sink: &mut Sink<'_>,
    wording: impl Fn(LayoutFaultKind) -> Option<&'static str>,
) {
    for fault in faults {
        let Some(words) = wording(fault.kind) else { continue };
        let message =
            if fault.tensor.is_empty() { words.to_owned() } else { format!("`{}`: {words}", fault.tensor) };
        sink.report_at(&artifact.path, (fault.start, fault.end), message, fault.detail.clone());
    }
}

/// Reports what strings of a file carry.
pub(in crate::rules) fn report_carried<'a>(
    artifact: &Artifact,
    carried: impl IntoIterator<Item = &'a Carried>,
    severity: Severity,
    sink: &mut Sink<'_>,
) {
    for carried in carried {
        let place = escaped(&carried.place);
        let message = match carried.kind {
            CarriedKind::Base64 => format!("`{place}` is base64 of `{}`", carried.evidence),
            CarriedKind::Hexadecimal => format!("`{place}` is hexadecimal of `{}`", carried.evidence),
            CarriedKind::Raw => format!("`{place}` holds a whole `{}`", carried.evidence),
            CarriedKind::Script => format!("`{place}` holds a script"),
        };
        let at = (carried.offset, carried.offset.saturating_add(1));
        sink.report_at(&artifact.path, at, message, carried.evidence.clone()).severity = severity;
    }
}

/// Text from the file, fit for a message.
fn escaped(text: &str) -> String {
    text.chars()
        .take(120)
        .flat_map(
            |c| if c.is_control() || c == '`' { c.escape_default().collect::<Vec<_>>() } else { vec![c] },
        )
        .collect()
}

#[cfg(test)]
mod tests;
