//! What a conversion says of itself: to the user, and in the attestation.

use std::{collections::BTreeMap, path::PathBuf};

use alnage_convert::{Checked, Options as Reading, Plan, Planned, UnknownCalls};
use alnage_types::Digest;
use serde::Serialize;
use serde_json::{Value, json};

/// A file that was converted.
#[derive(Debug)]
pub struct ConvertedFile {
    /// As the source calls it.
    pub source: String,
    /// Digest of its bytes, unless nothing was hashed.
    pub source_digest: Option<Digest>,
    /// Its length.
    pub source_size: u64,
    /// What it was: `pytorch`.
    pub format: &'static str,
    /// What was written, the attestation aside.
    pub outputs: Vec<Output>,
    /// Every tensor that was written.
    pub tensors: Vec<TensorReport>,
    /// Further names of tensors, each with the one that is written.
    pub aliases: BTreeMap<String, String>,
    /// Tensors that share bytes in the source and do not any more.
    pub overlaps: Vec<(String, String)>,
    /// The key that was taken off all names.
    pub unwrapped: Option<String>,
    /// What of the source is nowhere in the result.
    pub left_out: Vec<String>,
    /// What was compared, when asked for.
    pub checked: Option<Checked>,
    /// How it was converted, as far as that decides what is written.
    pub options: Value,
    /// Where the attestation is, when there is one.
    pub attestation: Option<PathBuf>,
}

/// A file that was written.
#[derive(Debug, Clone)]
pub struct Output {
    /// Where it is.
    pub path: PathBuf,
    /// Its name alone.
    pub name: String,
    /// Its length.
    pub size: u64,
    /// Digest of its bytes, unless nothing was hashed.
    pub sha256: Option<Digest>,
}

/// A tensor in the result, and where it comes from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TensorReport {
    /// Its name.
    pub name: String,
    /// The file it is in.
    pub file: String,
    /// Its type there.
    pub dtype: &'static str,
    /// Its shape there.
    pub shape: Vec<u64>,
    /// Its type in the source.
    pub source_dtype: &'static str,
    /// The storage it was a view of, where storages have names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage: String,
    /// The byte of the storage where the view begins.
    pub source_offset: u64,
    /// How many elements lay from one index to the next.
    pub source_strides: Vec<u64>,
    /// Whether the imaginary parts were negated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub conjugated: bool,
    /// Whether the numbers were negated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
}

/// What a report is made of.
pub(super) struct Parts<'a> {
    pub(super) source: &'a str,
    pub(super) source_digest: Option<Digest>,
    pub(super) source_size: u64,
    pub(super) plan: &'a Plan,
    pub(super) outputs: Vec<Output>,
    pub(super) shards: &'a [String],
    pub(super) left_out: Vec<String>,
    pub(super) checked: Option<Checked>,
    pub(super) reading: &'a Reading,
}

impl ConvertedFile {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let plan = parts.plan;
        Self {
            source: parts.source.to_owned(),
            source_digest: parts.source_digest,
            source_size: parts.source_size,
            format: plan.format(),
            outputs: parts.outputs,
            tensors: tensors(plan, parts.shards),
            aliases: plan.aliases().iter().cloned().collect(),
            overlaps: plan.overlaps(),
            unwrapped: plan.unwrapped().map(str::to_owned),
            left_out: parts.left_out,
            checked: parts.checked,
            options: json!({
                "maxShardSize": parts.reading.max_shard_size,
                "dropUnknownCalls": parts.reading.unknown_calls == UnknownCalls::LeftOut,
                "allowExpansion": parts.reading.allow_expansion,
                "copyAliases": parts.reading.copy_aliases,
            }),
            attestation: None,
        }
    }

    /// The part of the attestation that tells what became of what.
    pub fn predicate(&self) -> Value {
        let checked =
            self.checked.map(|checked| json!({ "tensors": checked.tensors, "bytes": checked.bytes }));
        let mut predicate = json!({
            "tensors": self.tensors,
            "aliases": self.aliases,
            "overlaps": self.overlaps,
            "unwrapped": self.unwrapped,
            "leftOut": self.left_out,
        });
        predicate["options"] = self.options.clone();
        predicate["checked"] = json!(checked);
        predicate
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let outputs: Vec<_> = (self.outputs.iter())
            .map(|output| json!({ "path": output.path, "size": output.size, "sha256": output.sha256 }))
            .collect();
        let mut value = json!({
            "source": self.source,
            "sha256": self.source_digest,
            "size": self.source_size,
            "format": self.format,
            "outputs": outputs,
            "attestation": self.attestation,
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut value, self.predicate()) {
            all.extend(more);
        }
        value
    }
}

fn tensors(plan: &Plan, shards: &[String]) -> Vec<TensorReport> {
    let files = plan.files.iter().zip(shards);
    files.flat_map(|(file, name)| file.tensors.iter().map(move |tensor| report(plan, tensor, name))).collect()
}

/// What an attestation must say of a plan.
pub(super) fn claims(plan: &Plan, shards: &[String], left_out: &[String]) -> Value {
    let aliases: BTreeMap<String, String> = plan.aliases().iter().cloned().collect();
    json!({
        "tensors": tensors(plan, shards),
        "aliases": aliases,
        "overlaps": plan.overlaps(),
        "unwrapped": plan.unwrapped(),
        "leftOut": left_out,
    })
}

fn report(plan: &Plan, planned: &Planned, file: &str) -> TensorReport {
    let tensor = &planned.tensor;
    TensorReport {
        name: planned.name.clone(),
        file: file.to_owned(),
        dtype: tensor.element.safetensors,
        shape: tensor.written_shape(),
        source_dtype: tensor.element.name,
        storage: plan.storage_key(tensor).to_owned(),
        source_offset: tensor.start,
        source_strides: tensor.strides.clone(),
        conjugated: tensor.conjugate,
        negated: tensor.negative,
    }
}
