//! Attestations of files at hand: whether they are about these files.

use alnage_facts::python_name;
use alnage_types::{Digest, Finding};

use super::Report;
use crate::{DependencyFile, attestation::parse_attestations};

/// Checks the attestations in `bytes` (the file `path`) against the file `name` with `digest`, and against what the
/// locks say of that digest.
pub fn check_attestations(
    path: &str,
    bytes: &[u8],
    name: &str,
    digest: Digest,
    locks: &[DependencyFile],
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
        let publisher = attestation.publisher.as_deref().unwrap_or("its publisher");
        if attestation.file != name || attestation.sha256 != digest {
            let message = format!(
                "it is about `{file:.120}` with the digest {}, not about `{name}`",
                attestation.sha256
            );
            report.add("DEP012", path, None, message);
        } else {
            let message = format!(
                "`{file:.120}` fits what {:.120} attested, whose signature was not verified",
                publisher.escape_debug()
            );
            report.add("DEP013", path, None, message);
        }
    }
    report.findings
}
