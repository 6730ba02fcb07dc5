//! `alnage bom`: documents made, signed, attested, and checked by other programs.

use std::process::Command;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// An adapter whose card names another base than its configuration.
fn adapter(sandbox: &Sandbox) {
    sandbox.write(
        "m/adapter_config.json",
        br#"{"peft_type": "LORA", "base_model_name_or_path": "/home/bob/secret-llama-3-8b"}"#,
    );
    sandbox.write("m/README.md", b"---\nlicense: mit\nbase_model: mistralai/Mistral-7B-v0.1\n---\n# tiny\n");
}

fn parsed(sandbox: &Sandbox, file: &str) -> Value {
    serde_json::from_str(&sandbox.read(file)).unwrap()
}

/// Runs a command that must exit with `code`; gives what it prints.
fn check(sandbox: &Sandbox, arguments: &str, code: i32) -> String {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

#[test]
fn a_document_of_every_format_is_valid_and_converts() {
    let sandbox = Sandbox::new();
    adapter(&sandbox);
    sandbox
        .write("alnage.toml", b"[bom]\nsupplier = \"Example Ltd\"\ndataset = [\"snli\", \"owner/corpus\"]\n");
    for (format, file) in [("cyclonedx", "a.json"), ("cyclonedx-1.6", "b.json"), ("spdx", "c.json")] {
        let time = "2026-11-22T00:00:00Z";
        check(&sandbox, &format!("bom generate m --format {format} -o {file} --time {time}"), 0);
        check(&sandbox, &format!("bom validate {file}"), 0);
        check(&sandbox, &format!("bom diff a.json {file}"), 0);
        check(&sandbox, &format!("bom convert {file} --format cyclonedx -o d.json"), 0);
        check(&sandbox, "bom diff a.json d.json", 0);
    }
    check(&sandbox, "bom merge a.json c.json --name system -o e.json", 0);
    check(&sandbox, "bom validate e.json", 0);
    check(&sandbox, "bom diff a.json e.json", 1);
    let document = parsed(&sandbox, "a.json");
    assert_eq!(document["components"][0]["supplier"]["name"], "Example Ltd");
    assert_eq!(document["components"][1]["name"], "snli", "as the list has it");
    let scored = check(&sandbox, "bom score a.json --profile g7 --format json", 0);
    let scored: Value = serde_json::from_str(&scored).unwrap();
    let training = scored[0]["elements"].as_array().unwrap().iter().find(|element| element["id"] == "MDL-11");
    assert_eq!(training.unwrap()["status"], "contradicted", "two bases");
    sandbox.write("broken.json", sandbox.read("a.json").replace("\"post-build\"", "\"after\""));
    assert!(check(&sandbox, "bom validate broken.json", 1).contains("/metadata/lifecycles/0"));
    sandbox.write("alnage.toml", "[bom]\nsuplier = \"x\"\n");
    let refused = sandbox.run("bom generate m");
    assert!(refused.stderr.contains("did you mean `supplier`"), "{}", refused.stderr);
}

#[test]
fn the_contradicting_adapter_is_a_finding() {
    let sandbox = Sandbox::new();
    adapter(&sandbox);
    let record = sandbox.record("m", 1);
    let findings = record["models"][0]["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == "BOM001").unwrap();
    let message = found["message"].as_str().unwrap();
    assert!(
        message.contains("secret-llama-3-8b") && message.contains("mistralai/Mistral-7B-v0.1"),
        "{message}"
    );
}

/// Python checks what we sign: the document by its canonical form, the bundles by DSSE.
#[test]
fn other_programs_verify_what_is_signed() {
    let sandbox = Sandbox::new();
    adapter(&sandbox);
    for curve in ["p256", "p384", "p521"] {
        check(&sandbox, &format!("keygen --out {curve} --curve {curve}"), 0);
        let public = format!("{curve}/signing.pub.pem");
        let attest = "--sign --attest bom.sigstore.json --vex vex.json --attest-vex vex.sigstore.json";
        check(&sandbox, &format!("bom generate m -o s.json {attest} --key {curve}/signing.pem"), 0);
        let told = check(&sandbox, &format!("bom validate s.json --key {public}"), 0);
        assert!(told.contains("signature: holds"), "{told}");
        let script = r#"
import base64, hashlib, json, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
public = serialization.load_pem_public_key(open(sys.argv[1], "rb").read())
hash = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}[public.curve.key_size]()
decode = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
# ECMAScript prints 1.0 as 1; otherwise short fractions look alike.
number = lambda text: int(float(text)) if float(text).is_integer() else float(text)
document = json.load(open("s.json"), parse_float=number)
value = decode(document["signature"].pop("value"))
half = len(value) // 2
der = utils.encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
# For short fractions and ASCII keys this is the canonical form.
message = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
public.verify(der, message, ec.ECDSA(hash))
numbers = public.public_numbers()
assert int.from_bytes(decode(document["signature"]["publicKey"]["x"]), "big") == numbers.x
for name, predicate in (("bom", "https://cyclonedx.org/bom"), ("vex", "https://openvex.dev/ns")):
    bundle = json.load(open(f"{name}.sigstore.json"))
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    envelope = bundle["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), message, ec.ECDSA(hash))
    statement = json.loads(payload)
    assert statement["predicateType"] == predicate, statement["predicateType"]
    readme = hashlib.sha256(open("m/README.md", "rb").read()).hexdigest()
    assert readme in [subject["digest"]["sha256"] for subject in statement["subject"]]
    from sigstore_models.bundle.v1 import Bundle
    Bundle.from_json(json.dumps(bundle))
"#;
        let checked = Command::new(testkit::peers::python())
            .args(["-c", script, &public])
            .current_dir(sandbox.root())
            .output()
            .unwrap();
        assert!(checked.status.success(), "{curve}: {}", String::from_utf8_lossy(&checked.stderr));
        sandbox.write("changed.json", sandbox.read("s.json").replace("MIT", "BSD-3-Clause"));
        check(&sandbox, &format!("bom validate changed.json --key {public}"), 1);
    }
}
