//! The input of every rule: what is known about a model when somebody asks for it.

use alnage_types::{Digest, Verdict};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::Error;

type Fields = serde_json::Map<String, Value>;

/// The input of a decision. Everything may be left out, and what is left out is unknown, never good. Packs of one's own
/// may read keys beyond these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Evidence {
    /// Which model.
    pub model: ModelIdentity,
    /// Its files.
    pub files: Vec<FileEvidence>,
    /// The verdict of `alnage vet`; absent when it was not vetted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The codes of the findings that made the verdict.
    pub decided_by: Vec<String>,
    /// What was found.
    pub findings: Vec<FindingEvidence>,
    /// What was not understood.
    pub issues: Vec<IssueEvidence>,
    /// What the bill of materials says: one key a fact, a text, a number or a list.
    pub bom: serde_json::Map<String, Value>,
    /// Signatures over the files.
    pub signatures: Vec<SignatureEvidence>,
    /// Other signed statements about it: provenance, conversion, evaluation.
    pub attestations: Vec<Attestation>,
    /// What it was made from.
    pub lineage: Vec<LineageEdge>,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// What was excepted, by whom, until when.
    pub exceptions: Vec<Exception>,
    /// Who asks for it.
    pub requester: Requester,
    /// What for.
    pub target: Target,
    /// Seconds since the beginning of 1970, the only clock a rule has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<u64>,
}

/// Which model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModelIdentity {
    /// `model` or `dataset`.
    pub kind: String,
    /// `owner/name`, or one segment.
    pub name: String,
    /// The name space it lies in.
    pub project: String,
    /// 40 hexadecimal digits.
    pub commit: String,
    /// The digest of its manifest.
    pub manifest: String,
    /// Where it came from: an address of a hub, `upload`, `local`.
    pub origin: String,
    /// Who published it there: the owner part of the name upstream.
    pub publisher: String,
    /// The licence, an SPDX expression where it is one; empty when none is declared.
    pub license: String,
    /// Tags of its card.
    pub tags: Vec<String>,
    /// How often it was downloaded upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downloads: Option<u64>,
    /// When its first version appeared, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// When this version appeared upstream, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileEvidence {
    /// Relative to the model's root, `/`-separated.
    pub path: String,
    /// In bytes.
    #[serde(default)]
    pub size: u64,
    /// Of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// The format's id, as `alnage formats` lists them: what the bytes are, whatever the name says.
    #[serde(default)]
    pub format: String,
    /// The verdict about this file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What a rule of `alnage vet` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FindingEvidence {
    /// `PKL004`.
    pub code: String,
    /// `pickle-dangerous-call`.
    pub name: String,
    /// `info`, `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// `low`, `medium`, `high`.
    pub confidence: String,
    /// Where: the path of a file, `!/` and the path inside for members.
    pub artifact: String,
    /// One sentence.
    pub message: String,
    /// Whether the configuration lets it pass; then it decided nothing.
    pub suppressed: bool,
}

/// What was not understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct IssueEvidence {
    /// Where.
    pub artifact: String,
    /// Its kind.
    pub kind: String,
    /// One sentence.
    pub message: String,
}

/// A signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SignatureEvidence {
    /// `key`, `certificate`, `keyless`.
    pub method: String,
    /// Who signed: an e-mail address, a workflow, a key's id.
    pub identity: String,
    /// Who vouches for the identity.
    pub issuer: String,
    /// Whether it holds.
    pub verified: bool,
    /// Whether every file is signed.
    pub covers_all: bool,
}

/// A signed statement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Attestation {
    /// The predicate's type, an address.
    pub predicate: String,
    /// Who says so.
    pub identity: String,
    /// Whether its signature holds.
    pub verified: bool,
}

/// Something it was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LineageEdge {
    /// `base-model`, `dataset`, `converted-from`, `adapter-of`.
    pub relation: String,
    /// Its package URL.
    pub purl: String,
    /// Whether the registry knows it.
    pub known: bool,
    /// Its stage when it does.
    pub stage: String,
}

/// A vote for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// `approve` or `deny`.
    pub vote: String,
    /// Why.
    pub reason: String,
    /// Until when it counts, seconds since 1970; absent for always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// A reason that does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Exception {
    /// The rule of a pack (`verdict-review`) or the code of a finding (`PKL004`).
    pub rule: String,
    /// Only for this file; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub by: String,
    /// Until when it counts, seconds since 1970; absent for always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Requester {
    /// The account.
    pub name: String,
    /// `viewer`, `consumer`, …
    pub roles: Vec<String>,
    /// The project it asks for.
    pub project: String,
}

/// What for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Target {
    /// `development`, `production`, a name space of a cluster.
    pub environment: String,
    /// The stage it is to enter.
    pub stage: String,
}

impl Evidence {
    /// As the input of [`Pack::decide`](crate::Pack::decide).
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The JSON Schema of [`Evidence`], as text.
pub const INPUT_SCHEMA: &str = include_str!("../../../docs/policies/input.schema.json");

/// The JSON Schema of [`Evidence`], from its types.
#[cfg(feature = "schema")]
pub fn evidence_schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.into_generator().into_root_schema_for::<Evidence>().to_value()
}

/// The keys of `input` that no shipped rule reads: typing mistakes, or for packs of one's own.
pub fn unknown_keys(input: &Value) -> Vec<String> {
    let known = Evidence { verdict: Some(Verdict::Pass), now: Some(0), ..Evidence::default() }.to_value();
    let Some(fields) = input.as_object() else { return Vec::new() };
    fields.keys().filter(|key| known.get(key.as_str()).is_none()).cloned().collect()
}

/// What rules get: `input` with every key of [`Evidence`], empty where nothing is said, so that a rule that looks into
/// it is never undefined. What has the wrong type is an error: a rule would look past it.
pub(crate) fn complete(input: &Value) -> Result<Value, Error> {
    let Value::Object(fields) = input else {
        return Err(Error::input("", "is not an object"));
    };
    let mut fields = fields.clone();
    fill_list::<FileEvidence>(&mut fields, "files")?;
    fill_list::<FindingEvidence>(&mut fields, "findings")?;
    fill_list::<IssueEvidence>(&mut fields, "issues")?;
    fill_list::<SignatureEvidence>(&mut fields, "signatures")?;
    fill_list::<Attestation>(&mut fields, "attestations")?;
    fill_list::<LineageEdge>(&mut fields, "lineage")?;
    fill_list::<Approval>(&mut fields, "approvals")?;
    fill_list::<Exception>(&mut fields, "exceptions")?;
    fill_list::<String>(&mut fields, "decided_by")?;
    fill_object::<ModelIdentity>(&mut fields, "model")?;
    fill_object::<Requester>(&mut fields, "requester")?;
    fill_object::<Target>(&mut fields, "target")?;
    fill_object::<serde_json::Map<String, Value>>(&mut fields, "bom")?;
    type Check = fn(&mut Value) -> Result<(), String>;
    let verdict: Check = fill::<Verdict>;
    for (key, check) in [("verdict", verdict), ("now", fill::<u64>)] {
        match fields.get_mut(key) {
            Some(Value::Null) => drop(fields.shift_remove(key)),
            Some(value) => check(value).map_err(|message| Error::input(key, message))?,
            None => {}
        }
    }
    Ok(Value::Object(fields))
}

fn fill_list<T: DeserializeOwned + Serialize>(fields: &mut Fields, key: &str) -> Result<(), Error> {
    match fields.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill::<T>(item).map_err(|message| Error::input(format!("{key}[{index}]"), message))?;
            }
            Ok(())
        }
        _ => Err(Error::input(key, "is not a list")),
    }
}

fn fill_object<T: DeserializeOwned + Serialize>(fields: &mut Fields, key: &str) -> Result<(), Error> {
    match fields.entry(key).or_insert_with(|| Value::Object(Fields::new())) {
        object @ Value::Object(_) => fill::<T>(object).map_err(|message| Error::input(key, message)),
        _ => Err(Error::input(key, "is not an object")),
    }
}

/// Checks a value, and gives an object the keys it lacks.
fn fill<T: DeserializeOwned + Serialize>(value: &mut Value) -> Result<(), String> {
    let read = T::deserialize(&*value).map_err(|error| error.to_string())?;
    let full = serde_json::to_value(&read).map_err(|error| error.to_string())?;
    match (value, full) {
        (Value::Object(given), Value::Object(full)) => {
            for (key, value) in full {
                given.entry(key).or_insert(value);
            }
            Ok(())
        }
        // Serde takes a list of the right length for a structure, which no rule would look into.
        (Value::Array(_), Value::Object(_)) => Err("is not an object".to_owned()),
        _ => Ok(()),
    }
}
