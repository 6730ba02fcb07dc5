# Evidence for what Regulation (EU) 2024/1689 asks of a model in a high-risk system. No legal advice.
package alnage

import rego.v1

quarantine contains {"rule": "art-9-risk", "message": message} if {
	some fact, what in {"limitations": "what it cannot do", "ethics": "what it may do to people"}
	not said(fact)
	message := sprintf("article 9: %s is not documented", [what])
}

quarantine contains {"rule": "art-10-data", "message": "article 10: no data set that it was trained on is named"} if {
	not said("datasets")
}

quarantine contains {"rule": "art-10-data", "message": message} if {
	some edge in input.lineage
	edge.relation == "dataset"
	not edge.known
	message := sprintf("article 10: the data set %s is not known here", [edge.purl])
}

quarantine contains {"rule": "art-11-documentation", "message": message} if {
	some fact, what in {
		"name": "the name", "supplier": "the provider", "version": "the version", "description": "what it is",
		"released": "the date",
	}
	not said(fact)
	message := sprintf("annex IV 1: %s is not documented", [what])
}

quarantine contains {"rule": "annex-iv-design", "message": message} if {
	some fact, what in {
		"architecture": "the architecture", "parameter-count": "the number of parameters", "training": "the training",
		"frameworks": "the software it needs",
	}
	not said(fact)
	message := sprintf("annex IV 2: %s is not documented", [what])
}

quarantine contains {"rule": "annex-iv-design", "message": message} if {
	some edge in input.lineage
	edge.relation == "base-model"
	not edge.known
	message := sprintf("annex IV 2 a: the model %s that it was made from is not known here", [edge.purl])
}

quarantine contains {"rule": "art-12-traceability", "message": "article 12: the version is not fixed"} if {
	not regex.match(`^[0-9a-f]{40}([0-9a-f]{24})?$`, input.model.commit)
}

quarantine contains {"rule": "art-12-traceability", "message": message} if {
	not attested({"provenance", "conversion"})
	message := "article 12: no verified statement tells where it comes from"
}

quarantine contains {"rule": "art-13-information", "message": message} if {
	some fact, what in {
		"intended_uses": "the intended use", "users": "for whom it is", "inputs": "what goes in",
		"outputs": "what comes out",
	}
	not said(fact)
	message := sprintf("article 13: %s is not documented", [what])
}

quarantine contains {"rule": "art-14-oversight", "message": message} if {
	people := {vote.by | some vote in current_votes; vote.vote == "approve"; not vote.by in {"", input.requester.name}}
	count(people) < data.parameters.overseers
	message := sprintf("article 14: %d of %d people have approved it", [count(people), data.parameters.overseers])
}

quarantine contains {"rule": "art-15-accuracy", "message": "article 15: no measured quality is declared"} if {
	not said("metrics")
}

quarantine contains {"rule": "art-15-accuracy", "message": "article 15: no verified statement tells of a test"} if {
	not attested({"test-result", "evaluation", "model-card"})
}

deny contains {"rule": "art-15-cybersecurity", "message": "article 15: no verified signature covers every file"} if {
	count([signature | some signature in input.signatures; signature.verified; signature.covers_all]) == 0
}

deny contains {"rule": "art-15-cybersecurity", "message": "article 15: the model did not pass"} if {
	not object.get(input, "verdict", "none") == "pass"
}

said(fact) if {
	value := object.get(input.bom, fact, "")
	not value in {"", null, []}
}

attested(kinds) if {
	some statement in input.attestations
	statement.verified
	some kind in kinds
	contains(lower(statement.predicate), kind)
}
