//! Model cards that ask for trust in remote code.

use alnage_formats::{Model, repository::RepositoryFacts};
use alnage_types::{Confidence, Level, Severity};

use super::repository_facts;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP008",
    name: "repository-card-asks-for-trust",
    summary: "the model card tells readers to load with `trust_remote_code=True`",
    why: "Following the card runs the Python code of the repository.",
    remediation: "Read the Python files of the repository before loading it like this.",
    references: &["CWE-829"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "README.md: AutoModel.from_pretrained(..., trust_remote_code=True)",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in repository_facts(model) {
        if let RepositoryFacts::Card(card) = facts
            && card.asks_for_remote_code
        {
            sink.report(&artifact.path, "the card asks readers to run the code of the repository");
        }
    }
}
