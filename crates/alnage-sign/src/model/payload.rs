//! The statement of a model signature as it is written.

use alnage_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// What `model_signing` 0.2.0 wrote.
pub(crate) const PREDICATE_TYPE_V0_2: &str = "https://model_signing/Digests/v0.1";

/// The statement; fields in the order of their names, which is the order they are written in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Payload {
    #[serde(rename = "_type")]
    pub(crate) statement_type: String,
    pub(crate) predicate: Predicate,
    pub(crate) predicate_type: String,
    pub(crate) subject: Vec<ModelSubject>,
}

// Unknown keys are allowed here and in resources: the specification tells verifiers to pass over them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ModelSubject {
    pub(crate) digest: SubjectDigest,
    pub(crate) name: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubjectDigest {
    pub(crate) sha256: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Predicate {
    pub(crate) resources: Vec<Descriptor>,
    pub(crate) serialization: WrittenSerialization,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) algorithm: String,
    pub(crate) digest: String,
    pub(crate) name: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenSerialization {
    #[serde(default)]
    pub(crate) allow_symlinks: bool,
    pub(crate) hash_type: String,
    /// Absent before `model_signing` 1.1, which had verifiers name what was left out.
    #[serde(default)]
    pub(crate) ignore_paths: Vec<String>,
    pub(crate) method: String,
    /// A whole number; the reference implementation writes `10.0` for ten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shard_size: Option<Value>,
}

/// The statement of `model_signing` 0.2.0: a subject for each file. The predicate says nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PayloadV0_2 {
    #[serde(rename = "_type")]
    pub(crate) statement_type: String,
    pub(crate) predicate_type: String,
    pub(crate) subject: Vec<SubjectV0_2>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SubjectV0_2 {
    pub(crate) name: String,
    pub(crate) digest: SubjectDigest,
    #[serde(default)]
    pub(crate) annotations: AnnotationsV0_2,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct AnnotationsV0_2 {
    #[serde(default)]
    pub(crate) actual_hash_algorithm: Option<String>,
}

/// What a statement calls itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PredicateTypeOnly {
    pub(crate) predicate_type: String,
}
