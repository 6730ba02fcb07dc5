# Only sealed safetensors of known publishers under allowed licences, and no code.
package alnage

import rego.v1

deny contains {"rule": "weights-format", "file": file.path, "message": message} if {
	some file in input.files
	file.format in weight_formats
	not file.format in data.parameters.weights
	message := sprintf("%s holds weights as %s", [file.path, file.format])
}

deny contains {"rule": "not-sealed", "message": "no verified signature covers every file"} if not sealed

deny contains {"rule": "licence-missing", "message": "no licence is declared"} if count(licences) == 0

deny contains {"rule": "licence-not-allowed", "message": message} if {
	some licence in licences
	not matches(licence, data.parameters.licences)
	message := sprintf("the licence %s is not allowed", [licence])
}

deny contains {"rule": "publisher-unknown", "message": message} if {
	from_elsewhere
	not matches(input.model.publisher, data.parameters.publishers)
	message := sprintf("the publisher %s is not known", [input.model.publisher])
}

deny contains {"rule": "remote-code", "file": file.path, "message": message} if {
	some file in input.files
	file.format in {"python", "python-bytecode", "shell-script", "torchscript-code", "notebook"}
	message := sprintf("%s is code", [file.path])
}

deny contains {"rule": "remote-code", "code": finding.code, "file": finding.artifact, "message": message} if {
	some finding in input.findings
	not finding.suppressed
	finding.name in {
		"config-auto-map", "config-remote-repository-code", "config-trusts-remote-code", "config-kernel-repository",
		"config-custom-code", "repository-card-asks-for-trust",
	}
	message := sprintf("%s asks for code: %s", [finding.artifact, finding.message])
}

sealed if {
	some signature in input.signatures
	signature.verified
	signature.covers_all
	trusted_signer(signature)
}

trusted_signer(_) if count(data.parameters.signers) == 0

trusted_signer(signature) if matches(signature.identity, data.parameters.signers)

from_elsewhere if not input.model.origin in {"", "upload", "local"}

# What the registry knows, and what the files say; both must be allowed.
licences contains lower(input.model.license) if input.model.license != ""

licences contains lower(part) if {
	is_string(input.bom.license)
	some part in split(input.bom.license, " AND ")
	part != ""
}

# A list of names, or of beginnings that end in `*`; case counts for nothing.
matches(text, list) if {
	some pattern in list
	lower(pattern) == lower(text)
}

matches(text, list) if {
	some pattern in list
	endswith(pattern, "*")
	startswith(lower(text), lower(trim_suffix(pattern, "*")))
}

weight_formats := {
	"core-ml", "executorch", "fasttext", "flax-msgpack", "ggml", "gguf", "hdf5", "joblib-zfile", "keras-config",
	"numpy-archive", "numpy-array", "onnx", "openvino", "ort", "paddle-parameters", "paddle-program", "pickle", "pmml",
	"pytorch-zip", "r-serialized", "safetensors", "tensorflow-checkpoint-index", "tensorflow-graph",
	"tensorflow-graph-text", "tflite", "torch7", "xgboost-binary", "xgboost-json", "xgboost-ubjson",
}
