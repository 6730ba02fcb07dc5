//! TFL001: a TensorFlow Lite model has operators beyond the built-in ones.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, tensorflow_effect, tflite};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "TFL001",
    name: "tflite-custom-operation",
    summary: "a TensorFlow Lite model needs operators that are not built in",
    why: "Flex operators hand over to the whole of TensorFlow, which can read and write files and call Python; other \
          custom operators are native code that the application registers under the name.",
    remediation: "Convert the model with built-in operators only, or check what each named operator does.",
    references: &["CWE-829", "CWE-73", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "an operator `FlexReadFile`",
    check,
};

/// Custom operators that TensorFlow Lite, its support library and MediaPipe bring along: they only compute.
const KNOWN: &[&str] = &[
    "TFLite_Detection_PostProcess",
    "Convolution2DTransposeBias",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Landmarks2TransformMatrix",
    "TransformLandmarks",
    "TransformTensor",
    "TransformTensorBilinear",
    "Resampler",
    "edgetpu-custom-op",
    "AudioSpectrogram",
    "Mfcc",
    "NumericVerify",
    "Irfft2D",
    "Roll",
    "Atan2",
    "Sign",
    "RandomUniform",
    "RandomStandardNormal",
    "Multinomial",
    "SignalFramer",
    "SignalRfft",
    "NGrams",
    "SENTENCEPIECE_TOKENIZER",
    "TFSentencepieceTokenizeOp",
    "TFText>WhitespaceTokenizeWithOffsetsV2",
    "TFText>FastWordpieceTokenizeWithOffsets",
    "RaggedTensorToTensor",
    "odml.rms_norm",
    "odml.update_external_kv_cache",
    "odml.scaled_dot_product_attention",
    "aggregated_detection",
    "ethos-u",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in tflite(model) {
        let mentioned = facts.mentioned.iter().map(|name| (name, 0));
        for (name, count) in facts.custom.iter().map(|(name, &count)| (name, count)).chain(mentioned) {
            let severity = match name.strip_prefix("Flex") {
                Some(operation) if tensorflow_effect::runs_or_touches_files(operation) => Severity::High,
                None if KNOWN.contains(&name.as_str()) => Severity::Low,
                _ => Severity::Medium,
            };
            let name = quote(name, 120);
            let finding = sink.report(&artifact.path, format!("the model needs the operator `{name}`"));
            finding.evidence = Some(format!("{name} x{count}"));
            finding.severity = severity;
        }
    }
}
