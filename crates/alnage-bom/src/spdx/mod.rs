//! SPDX 3.0.1 as JSON-LD, with the profiles for AI and data sets.

mod read;
mod sources;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

/// Where the terms are defined.
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

/// Kinds of links: ours, which are those of CycloneDX, and those of SPDX.
static LINKS: &[(&str, &str)] = &[
    ("vcs", "vcs"),
    ("documentation", "documentation"),
    ("website", "altWebPage"),
    ("distribution", "binaryArtifact"),
    ("attestation", "secureSoftwareAttestation"),
    ("static-analysis-report", "staticAnalysisReport"),
    ("dynamic-analysis-report", "dynamicAnalysisReport"),
    ("risk-assessment", "riskAssessment"),
    ("quality-metrics", "metrics"),
    ("exploitability-statement", "vulnerabilityExploitabilityAssessment"),
    ("security-contact", "securityPolicy"),
    ("license", "license"),
    ("release-notes", "releaseNotes"),
    ("issue-tracker", "issueTracker"),
    ("chat", "chat"),
    ("support", "support"),
];

/// Digest algorithms: ours, which are those of CycloneDX, and those of SPDX.
static ALGORITHMS: &[(&str, &str)] = &[
    ("SHA-256", "sha256"),
    ("SHA-384", "sha384"),
    ("SHA-512", "sha512"),
    ("SHA-1", "sha1"),
    ("MD5", "md5"),
    ("BLAKE3", "blake3"),
    ("BLAKE2b-256", "blake2b256"),
    ("BLAKE2b-384", "blake2b384"),
    ("BLAKE2b-512", "blake2b512"),
    ("SHA3-256", "sha3_256"),
    ("SHA3-384", "sha3_384"),
    ("SHA3-512", "sha3_512"),
];

/// Phases of CycloneDX and types of SPDX.
static PHASES: &[(&str, &str)] = &[
    ("post-build", "analyzed"),
    ("build", "build"),
    ("pre-build", "source"),
    ("design", "design"),
    ("operations", "deployed"),
    ("discovery", "runtime"),
];

/// The other word of a pair.
fn right(pairs: &'static [(&'static str, &'static str)], left: &str) -> Option<&'static str> {
    pairs.iter().find(|(known, _)| *known == left).map(|(_, other)| *other)
}

/// The other word of a pair.
fn left(pairs: &'static [(&'static str, &'static str)], right: &str) -> Option<&'static str> {
    pairs.iter().find(|(_, known)| *known == right).map(|(other, _)| *other)
}
