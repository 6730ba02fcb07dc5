//! Loading the model reaches for the network.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET003",
    name: "detonation-network",
    summary: "loading the model reaches for the network",
    why: "A loader that reads a local file has nobody to talk to. A connection, a question for a name or an open port at this moment fetches a second stage, gives something away, or lets somebody in. The jail has no network: destinations are recorded and nothing is reached.",
    remediation: "Do not load the file. Look for the destinations in the logs of your network.",
    references: &["CWE-506", "AML.T0011.000", "AML.T0025", "AML.T0072"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that connects a shell to `198.51.100.7:4444`",
    check: elsewhere,
};
