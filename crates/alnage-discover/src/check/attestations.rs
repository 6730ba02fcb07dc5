//! Attestations of files at hand: whether they are about these files, and by whom.

use alnage_facts::python_name;
use alnage_types::{Digest, Finding};

use super::Report;
use crate::{
    DependencyFile,
    attestation::{Attestation, Attester, Signature, parse_attestations},
};

/// Checks the attestations in `bytes` (the file `path`) against the file `name` with `digest`, and against what the
/// locks say of that digest. `verify` says what becomes of a signature.
pub fn check_attestations(
    path: &str,
    bytes: &[u8],
    name: &str,
    digest: Digest,
    locks: &[DependencyFile],
    verify: &dyn Fn(&Attestation) -> Signature,
) -> Vec<Finding> {
    let mut report = Report { findings: Vec::new() };
    let attestations = match parse_attestations(bytes) {
        Ok(attestations) if !attestations.is_empty() => attestations,
        Ok(_) => {
            report.add("DEP012", path, None, "it holds no attestation".into());
            return report.findings;
        }
        Err(error) => {
            report.add("DEP012", path, None, format!("it is no attestation: {:.200}", error.escape_debug()));
            return report.findings;
        }
    };
    let hash = format!("sha256:{digest}");
    let package = name.split('-').next().map(python_name).unwrap_or_default();
    let mut locked = locks.iter().flat_map(|lock| &lock.dependencies).filter(|known| known.name == package);
    if locked.clone().any(|known| !known.hashes.is_empty())
        && !locked.any(|known| known.hashes.contains(&hash))
    {
        let message = format!("`{}` has a digest that no lock names", name.escape_debug());
        report.add("DEP012", path, None, message);
    }
    for attestation in attestations {
        let file = attestation.file.escape_debug();
        if attestation.file != name || attestation.sha256 != digest {
            let message = format!(
                "it is about `{file:.120}` with the digest {}, not about `{name}`",
                attestation.sha256
            );
            report.add("DEP012", path, None, message);
            continue;
        }
        match verify(&attestation) {
            Signature::By(attester) => by(&mut report, path, &attestation, &attester),
            Signature::Broken(reason) => {
                let reason = reason.escape_debug();
                let message = format!("the signature over `{file:.120}` does not hold: {reason:.200}");
                report.add("DEP012", path, None, message);
            }
            Signature::Unknown(reason) => {
                let reason = reason.escape_debug();
                let message = format!(
                    "`{file:.120}` fits what was attested, whose signature could not be verified: {reason:.200}"
                );
                report.add("DEP013", path, None, message);
            }
        }
    }
    report.findings
}

/// Nothing is to be said of an attestation by the publisher that the index names.
fn by(report: &mut Report, path: &str, attestation: &Attestation, attester: &Attester) {
    let (file, names) = (attestation.file.escape_debug(), attester.names.join(", "));
    let (names, provider) = (names.escape_debug(), attester.provider.escape_debug());
    let publisher = attestation.publisher.as_ref();
    match publisher.map(|publisher| (publisher, publisher.is(attester))) {
        Some((_, Some(true))) => {}
        Some((publisher, Some(false))) => {
            let publisher = publisher.to_string();
            let message = format!(
                "`{file:.120}` was attested by `{names:.200}` of `{provider:.120}`, and the index names `{:.120}`",
                publisher.escape_debug()
            );
            report.add("DEP012", path, None, message);
        }
        Some((_, None)) | None => {
            let message = format!(
                "`{file:.120}` was attested by `{names:.200}` of `{provider:.120}`; whether that is its publisher is not known"
            );
            report.add("DEP013", path, None, message);
        }
    }
}
