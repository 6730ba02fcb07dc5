# The attacks of NIST AI 100-2 (E2025), each asked of the evidence.
package alnage

import rego.v1

quarantine contains {"rule": "supply-chain-provenance", "message": "no verified signature covers every file"} if {
	count([signature | some signature in input.signatures; signature.verified; signature.covers_all]) == 0
}

deny contains {"rule": "supply-chain-base-model", "message": message} if {
	some edge in input.lineage
	edge.stage in {"revoked", "rejected"}
	message := sprintf("it was made from %s, which is %s", [edge.purl, edge.stage])
}

quarantine contains {"rule": "supply-chain-base-model", "message": message} if {
	some edge in input.lineage
	edge.relation in {"base-model", "converted-from", "adapter-of"}
	not edge.known
	message := sprintf("it was made from %s, which is not known here", [edge.purl])
}

deny contains {"rule": "supply-chain-dependency", "code": finding.code, "file": finding.artifact, "message": message} if {
	some finding in counted
	finding.name in {"dependency-malicious", "dependency-vulnerable", "dependency-lookalike", "dependency-attestation-mismatch"}
	message := sprintf("%s: %s", [finding.artifact, finding.message])
}

quarantine contains {"rule": "poisoning-data", "message": "nobody says what it was trained on"} if {
	object.get(input.bom, "datasets", []) in [[], null, ""]
}

quarantine contains {"rule": "poisoning-model", "code": finding.code, "file": finding.artifact, "message": message} if {
	some finding in counted
	hides(finding.name)
	message := sprintf("%s: %s", [finding.artifact, finding.message])
}

quarantine contains {"rule": "evasion-untested", "message": "no verified statement tells of a test against evasion"} if {
	not tested(data.parameters["evasion-tests"])
}

quarantine contains {"rule": "privacy-untested", "message": "no verified statement tells of a test for privacy"} if {
	not tested(data.parameters["privacy-tests"])
}

deny contains {"rule": "prompt-injection", "code": finding.code, "file": finding.artifact, "message": message} if {
	some finding in counted
	finding.name in {"template-injection", "template-engine-object", "template-loads", "template-triggered-text"}
	message := sprintf("%s: %s", [finding.artifact, finding.message])
}

deny contains {"rule": "availability", "code": finding.code, "file": finding.artifact, "message": message} if {
	some finding in counted
	finding.name in {"template-huge-repetition", "detonation-exhaustion", "gguf-count-overflow", "archive-bomb"}
	message := sprintf("%s: %s", [finding.artifact, finding.message])
}

quarantine contains {"rule": "misuse", "message": message} if {
	some fact, what in {"intended_uses": "what it is meant for", "limitations": "what it must not be used for"}
	object.get(input.bom, fact, []) in [[], null, ""]
	message := sprintf("nobody says %s", [what])
}

counted contains finding if {
	some finding in input.findings
	not finding.suppressed
}

hides(name) if startswith(name, "provenance-")

hides(name) if endswith(name, "-payload")

hides(name) if endswith(name, "-unclaimed-bytes")

tested(words) if {
	some statement in input.attestations
	statement.verified
	some word in words
	contains(lower(statement.predicate), word)
}
