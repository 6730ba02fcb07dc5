# What was vetted and passed is handed out, what was refused is not, and a person decides about the rest.
package alnage

import rego.v1

# What loading would execute: a reason for each finding that decided, so that each can be excepted for itself.
deny contains {"rule": "verdict-block", "code": finding.code, "file": finding.artifact, "message": message} if {
	input.verdict == "block"
	some finding in deciding
	message := sprintf("%s in %s: %s", [finding.code, finding.artifact, finding.message])
}

deny contains {"rule": "verdict-block", "message": "the model is blocked"} if {
	input.verdict == "block"
	count(deciding) == 0
}

deny contains {"rule": "denied-by-person", "message": message} if {
	some vote in current_votes
	vote.vote == "deny"
	message := sprintf("%s denied it: %s", [vote.by, vote.reason])
}

quarantine contains {"rule": "verdict-review", "code": finding.code, "file": finding.artifact, "message": message} if {
	input.verdict == "review"
	not approved
	some finding in deciding
	message := sprintf("%s in %s: %s", [finding.code, finding.artifact, finding.message])
}

quarantine contains {"rule": "verdict-review", "message": "the model asks for a review"} if {
	input.verdict == "review"
	not approved
	count(deciding) == 0
}

quarantine contains {"rule": "verdict-unknown", "message": message} if {
	input.verdict == "unknown"
	not approved
	message := sprintf("not everything was understood: %s", [first_issue])
}

quarantine contains {"rule": "not-vetted", "message": "the model was not vetted yet"} if not input.verdict

withhold contains {"rule": "pickle-beside-safetensors", "file": file.path, "message": message} if {
	data.parameters["withhold-pickles"]
	has_safetensors
	some file in input.files
	is_pickle_weights(file)
	message := sprintf("%s holds weights that the model has as safetensors too", [file.path])
}

# The findings that made the verdict. Where nobody says which, every one that was not let pass.
deciding contains finding if {
	some finding in input.findings
	not finding.suppressed
	finding.code in input.decided_by
}

deciding contains finding if {
	count(input.decided_by) == 0
	some finding in input.findings
	not finding.suppressed
}

current_votes contains vote if {
	some vote in input.approvals
	not expired(vote)
}

expired(vote) if vote.expires <= object.get(input, "now", vote.expires)

# People, not votes: who approves twice is still one.
approved if {
	people := {vote.by | some vote in current_votes; vote.vote == "approve"; vote.by != ""}
	count(people) >= data.parameters.approvals
}

first_issue := sprintf("%s: %s", [input.issues[0].artifact, input.issues[0].message]) if count(input.issues) > 0

first_issue := "no reason is known" if count(input.issues) == 0

has_safetensors if {
	some file in input.files
	file.format == "safetensors"
}

is_pickle_weights(file) if file.format in {"pickle", "pytorch-zip", "joblib-zfile"}

is_pickle_weights(file) if {
	some extension in {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"}
	endswith(lower(file.path), extension)
	file.format in {"", "zip", "tar"}
}
