# What the recipes of other registries ask of models from a hub.
package alnage

import rego.v1

deny contains {"rule": "blocked-model", "message": message} if {
	named_in(input.model.name, data.parameters.blocked)
	message := sprintf("%s is never taken", [input.model.name])
}

quarantine contains {"rule": "untrusted-publisher", "message": message} if {
	asked
	not named_in(input.model.publisher, data.parameters.publishers)
	message := sprintf("the publisher %s is not trusted", [input.model.publisher])
}

# Uploads are vetted like everything else.
quarantine contains {"rule": "scan-incomplete", "message": message} if {
	not exempt
	not object.get(input, "verdict", "none") == "pass"
	message := sprintf("the verdict is %s", [object.get(input, "verdict", "not there yet")])
}

quarantine contains {"rule": "card-missing", "message": "there is no model card"} if {
	asked
	count([file | some file in input.files; lower(file.path) == "readme.md"; file.size > 0]) == 0
}

quarantine contains {"rule": "licence-unknown", "message": "no licence is declared"} if {
	asked
	count(licences) == 0
}

quarantine contains {"rule": "licence-refused", "message": message} if {
	asked
	some licence in licences
	named_in(licence, data.parameters["refused-licences"])
	message := sprintf("the licence %s is not wanted", [licence])
}

quarantine contains {"rule": "risky-file", "file": file.path, "message": message} if {
	asked
	some file in input.files
	risky(file)
	message := sprintf("%s is of a type that can carry code", [file.path])
}

quarantine contains {"rule": "dataset-refused", "message": message} if {
	asked
	some dataset in input.bom.datasets
	named_in(dataset, data.parameters["refused-datasets"])
	message := sprintf("it was trained on %s", [dataset])
}

quarantine contains {"rule": "cooling-down", "message": message} if {
	asked
	age := input.now - input.model.published
	age < data.parameters["cooldown-days"] * 86400
	message := sprintf("it is %d days old, not %d", [floor(age / 86400), data.parameters["cooldown-days"]])
}

quarantine contains {"rule": "cooling-down", "message": "how old it is is not known"} if {
	asked
	data.parameters["cooldown-days"] > 0
	not age_known
}

deny contains {"rule": "look-alike", "message": message} if {
	asked
	not named_in(input.model.publisher, data.parameters.publishers)
	some trusted in data.parameters.publishers
	looks_like(lower(input.model.publisher), lower(trusted))
	message := sprintf("the publisher %s looks like %s", [input.model.publisher, trusted])
}

quarantine contains {"rule": "few-downloads", "message": message} if {
	asked
	input.model.downloads < data.parameters.downloads
	message := sprintf("it was downloaded %d times", [input.model.downloads])
}

# Only models of a hub: those that were uploaded here have an owner here.
asked if {
	not input.model.origin in {"", "upload", "local"}
	not exempt
}

exempt if named_in(input.model.name, data.parameters.exempt)

age_known if {
	is_number(input.now)
	is_number(input.model.published)
}

licences contains lower(input.model.license) if input.model.license != ""

licences contains lower(part) if {
	is_string(input.bom.license)
	some part in split(input.bom.license, " AND ")
	part != ""
}

risky(file) if file.format in data.parameters["risky-formats"]

risky(file) if {
	some extension in data.parameters["risky-extensions"]
	endswith(lower(file.path), lower(extension))
}

named_in(text, list) if {
	some pattern in list
	lower(pattern) == lower(text)
}

named_in(text, list) if {
	some pattern in list
	endswith(pattern, "*")
	startswith(lower(text), lower(trim_suffix(pattern, "*")))
}

# One character more, less, another, or two exchanged; or the same once what looks alike is taken for the same.
looks_like(one, other) if {
	count(one) > 3
	one != other
	count(without_one(one) & without_one(other)) > 0
}

looks_like(one, other) if {
	count(one) > 3
	one in without_one(other)
}

looks_like(one, other) if {
	count(other) > 3
	other in without_one(one)
}

looks_like(one, other) if {
	count(one) > 3
	one != other
	folded(one) == folded(other)
}

without_one(text) := {shorter |
	characters := split(text, "")
	some at, _ in characters
	shorter := concat("", array.concat(
		array.slice(characters, 0, at),
		array.slice(characters, at + 1, count(characters)),
	))
}

folded(text) := strings.replace_n({"0": "o", "1": "l", "5": "s", "rn": "m", "vv": "w", "-": "", "_": "", ".": ""}, text)
