//! What a model was converted from: the attestation of a conversion that stands beside the files it speaks of.

use alnage_formats::repository::{Entry, config::ConfigFacts};
use base64ct::{Base64, Encoding as _};

use crate::{Facts, Field, Origin, Place, Source, configuration::at};

/// The predicate's type, as `alnage convert` writes it.
const PREDICATE: &str = "https://github.com/alnage/alnage/blob/main/docs/convert.md#attestation-v1";

/// Adds the source that the statement in `file` names. The digests of what came of it are given as the detail
/// `outputs`, for who knows the model's files: the claim is about these and no others.
pub(crate) fn gather(file: &str, config: &ConfigFacts, facts: &mut Facts) {
    let entries = &config.entries;
    let text = |pointer: &str| at(entries, pointer).map(|entry| entry.value.clone());
    let claim = match text("/payload") {
        Some(payload) => Claim::in_envelope(&payload),
        None if text("/predicateType").as_deref() == Some(PREDICATE) => Claim::plain(entries),
        None => None,
    };
    let Some(claim) = claim else { return };
    let place = Place::Pointer("/predicate/source".to_owned());
    let source = Source::new(Origin::Configuration, file, "source", place);
    let details =
        vec![("sha256", claim.digest), ("format", claim.format), ("outputs", claim.outputs.join(" "))];
    facts.add_with(Field::ConvertedFrom, claim.name, details, source);
}

struct Claim {
    name: String,
    digest: String,
    format: String,
    outputs: Vec<String>,
}

impl Claim {
    fn plain(entries: &[Entry]) -> Option<Self> {
        let text = |pointer: &str| at(entries, pointer).map(|entry| entry.value.clone());
        let is_output = |entry: &&Entry| {
            entry.pointer.starts_with("/subject/") && entry.pointer.ends_with("/digest/sha256")
        };
        Some(Self {
            name: text("/predicate/source/name")?,
            digest: text("/predicate/source/digest/sha256")?,
            format: text("/predicate/source/format")?,
            outputs: entries.iter().filter(is_output).map(|entry| entry.value.clone()).collect(),
        })
    }

    /// Of an envelope only the beginning is at hand, and as `alnage convert` writes it, the source stands there.
    fn in_envelope(payload: &str) -> Option<Self> {
        let whole = payload.get(..payload.len() / 4 * 4)?;
        let bytes = Base64::decode_vec(whole).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let (subjects, rest) = text.split_once("\"predicateType\":\"")?;
        let rest = rest.strip_prefix(PREDICATE)?;
        let (_, source) = rest.split_once("\"source\":{")?;
        let (source, _) = source.split_once("},\"conversion\"").unwrap_or((source, ""));
        let digests = subjects.split("\"sha256\":\"").skip(1).filter_map(|part| part.split('"').next());
        Some(Self {
            name: quoted(source, "name")?,
            digest: quoted(source, "sha256")?,
            format: quoted(source, "format")?,
            outputs: digests.map(str::to_owned).collect(),
        })
    }
}

/// The text of `key`, when it has no escapes.
fn quoted(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("\"{key}\":\""))?;
    let (value, _) = rest.split_once('"')?;
    (!value.contains('\\')).then(|| value.to_owned())
}
