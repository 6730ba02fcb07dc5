//! Policies over evidence: Rego packs, CEL conditions, decisions with reasons.
