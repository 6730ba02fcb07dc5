//! Signatures of a version, verified while its page is made: each against the trusted keys, and what it covers against
//! the digests that the records hold. Content was compared with those digests when it came in.

use std::time::Instant;

use alnage_pipeline::{Bundle, SignerPolicy as _};
use alnage_registry::{FileRecord, ScanRecord, Version};
use serde_json::Value as Json;

use super::version::text;
use crate::{
    console::{
        pages::SealRow,
        parts::{Mark, Moment, Tone},
    },
    core::{Answered, State},
};

/// Signatures that one page verifies, and the size of the longest.
const MOST: usize = 8;
const LONGEST: u64 = 8 << 20;
/// Files of a version that are compared with a signature.
const FILES: u32 = 5000;

/// The seals, and when they were verified.
pub(super) fn load(
    state: &State,
    version: &Version,
    scan: Option<&ScanRecord>,
) -> Answered<(Vec<SealRow>, String)> {
    let begun = Instant::now();
    let mut seals = Vec::new();
    for (name, bytes) in signatures(state, version)? {
        seals.push(verify(state, version, &name, &bytes)?);
    }
    // What the scan verified and is not read here, certificates of a signing service for example.
    for seal in scan.and_then(|scan| scan.seals.as_array()).into_iter().flatten().take(MOST) {
        if !seals.iter().any(|row: &SealRow| row.kind == text(seal, "name")) {
            seals.push(recorded(seal));
        }
    }
    if seals.is_empty() {
        return Ok((seals, String::new()));
    }
    let took = begun.elapsed().as_millis();
    let when = Moment(state.registry.now()).plain();
    Ok((seals, format!("Verified {when} UTC, while this page was made, in {took} ms")))
}

/// Signatures among the files, and those that were added to the version.
fn signatures(state: &State, version: &Version) -> Answered<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let names = ["model.sig", "claims.jsonl", "model.sigstore.json", "model.sigstore"];
    for name in names {
        let Some(file) = state.registry.file(version.id, name)? else { continue };
        if let Some(bytes) = state.registry.blobs().read(file.sha256, LONGEST)? {
            found.push((name.to_owned(), bytes));
        }
    }
    for document in state.registry.documents(version.id, Some("signature"))?.into_iter().take(MOST) {
        found.push((document.name, document.body));
    }
    Ok(found)
}

fn verify(state: &State, version: &Version, name: &str, bytes: &[u8]) -> Answered<SealRow> {
    let row = |method: &str, identity: String, covers: String, mark: Mark, problem: String| SealRow {
        kind: name.to_owned(),
        method: method.to_owned(),
        identity,
        issuer: String::new(),
        covers,
        mark,
        problem,
    };
    let bundle = match Bundle::parse(bytes) {
        Ok(bundle) => bundle,
        Err(error) => {
            let mark = Mark::new("Unreadable", Tone::Bad);
            return Ok(row("", "nobody".to_owned(), "nothing".to_owned(), mark, error.to_string()));
        }
    };
    let signers = state.registry.signers()?;
    let held = signers.of(&bundle).and_then(|signer| {
        let signed = bundle.verify(&signer.key).map_err(|error| error.to_string())?;
        signers.accept_content(&signed).map_err(|error| error.to_string())?;
        Ok((signed, signer))
    });
    let (signed, signer) = match held {
        Ok(held) => held,
        Err(why) => {
            let mark = Mark::new("Not trusted", Tone::Unclear);
            let problem = format!("{why}. Whose signatures count is said when the server is started.");
            return Ok(row(
                bundle.credential().method(),
                "not known".to_owned(),
                "not known".to_owned(),
                mark,
                problem,
            ));
        }
    };
    let files = state.registry.files(version.id, "", "", FILES)?;
    let (mut same, mut different) = (0_usize, Vec::new());
    for resource in signed.resources() {
        match files.iter().find(|file| file.path == resource.path) {
            Some(file) if resource.shard.is_none() && resource.digest.to_string().ends_with(&hex(file)) => {
                same += 1
            }
            _ => different.push(resource.path.as_str()),
        }
    }
    let identity =
        if signer.issuer.is_empty() { format!("key {}", signer.identity) } else { signer.identity };
    let uncovered = files
        .iter()
        .filter(|file| file.path != name && !signed.resources().iter().any(|r| r.path == file.path));
    let uncovered = uncovered.count();
    let covers = match uncovered {
        0 => format!("all {same} files"),
        _ => format!("{same} files, {uncovered} not"),
    };
    let (mark, problem) = match different.first() {
        None => (Mark::new("Holds", Tone::Good), String::new()),
        Some(first) => (
            Mark::new("Differs", Tone::Bad),
            format!("{} of the signed files are not those of this version: {first}", different.len()),
        ),
    };
    let row = row(bundle.credential().method(), identity, covers, mark, problem);
    Ok(SealRow { issuer: signer.issuer, ..row })
}

fn hex(file: &FileRecord) -> String {
    file.sha256.to_string().trim_start_matches("sha256:").to_owned()
}

/// What the scan says of a seal that is not verified here.
fn recorded(seal: &Json) -> SealRow {
    let holds = seal.get("verified").and_then(Json::as_bool).unwrap_or(false);
    let all = seal.get("covers_all").and_then(Json::as_bool).unwrap_or(false);
    let checks = seal.get("checks").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let failed =
        checks.iter().find(|check| text(check, "outcome") != "holds").map(|check| text(check, "message"));
    SealRow {
        kind: text(seal, "name"),
        method: text(seal, "method"),
        identity: Some(text(seal, "identity"))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "not known".to_owned()),
        issuer: text(seal, "issuer"),
        covers: if all { "all files".to_owned() } else { "not all files".to_owned() },
        mark: if holds {
            Mark::new("Held at the scan", Tone::Good)
        } else {
            Mark::new("Not trusted", Tone::Unclear)
        },
        problem: failed.unwrap_or_default(),
    }
}
