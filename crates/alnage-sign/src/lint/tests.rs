//! Each thing that verifiers differ about, and which of them refuse it.

use serde_json::{Value, json};

use super::{
    Verifier::{self, Alnage, Go, Python, Sigstore, Specification},
    lint,
};
use crate::{tests::*, *};

fn refusing(text: &str) -> Vec<Verifier> {
    let found = lint(text.as_bytes());
    Verifier::ALL.into_iter().filter(|&verifier| found.refusals(verifier).next().is_some()).collect()
}

#[test]
fn what_we_sign_by_default_is_taken_by_all() {
    let files = files_of(&[("a", b"1"), ("b/c", b"2"), ("b-c", b"3")]);
    let text = sign_model(&signing("m", &files, &IgnoredPaths::default()), &key()).unwrap();
    assert_eq!(refusing(&text), []);
}

#[test]
fn verifiers_differ_about_statements() {
    type Change = fn(&mut Value);
    let cases: &[(&str, &[Verifier], Change)] = &[
        ("nothing", &[], |_| {}),
        ("unknown field", &[Specification, Alnage], |s| s["predicate"]["extra"] = json!(1)),
        ("predicate type", &[Specification, Python, Go, Alnage], |s| s["predicateType"] = json!("x")),
        ("no files", &[Specification, Python, Go, Alnage], |s| s["predicate"]["resources"] = json!([])),
        ("outside", &[Specification, Alnage], |s| s["predicate"]["resources"][0]["name"] = json!("../a")),
        ("order", &[Specification, Go], |s| s["predicate"]["resources"][0]["name"] = json!("c")),
        ("twice", &[Specification, Alnage], |s| s["predicate"]["resources"][1]["name"] = json!("a")),
        ("links", &[], |s| s["predicate"]["serialization"]["allow_symlinks"] = json!(true)),
        ("root", &[Specification, Python, Go, Alnage], |s| {
            s["subject"][0]["digest"]["sha256"] = json!("00".repeat(32));
        }),
        ("label", &[Specification, Python, Go, Alnage], |s| {
            s["predicate"]["resources"][0]["algorithm"] = json!("md5");
        }),
        ("BLAKE3", &[Go], |s| {
            s["predicate"]["serialization"]["hash_type"] = json!("blake3");
            s["predicate"]["resources"][0]["algorithm"] = json!("blake3");
            s["predicate"]["resources"][1]["algorithm"] = json!("blake3");
        }),
        ("shards without size", &[Specification, Python, Go, Alnage], |s| {
            s["predicate"]["serialization"]["method"] = json!("shards");
        }),
    ];
    for (name, wanted, change) in cases {
        assert_eq!(refusing(&bundle(&statement(change))), *wanted, "{name}");
    }
}

#[test]
fn verifiers_differ_about_bundles() {
    type Change = fn(&mut Value);
    let cases: &[(&str, &[Verifier], Change)] = &[
        ("media type", &[Specification, Python, Alnage], |b| {
            b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1")
        }),
        ("a chain", &Verifier::ALL, |b| {
            b["verificationMaterial"] =
                json!({"x509CertificateChain": {"certificates": [{"rawBytes": "AA=="}]}})
        }),
        ("keyless without log", &Verifier::ALL, |b| {
            b["verificationMaterial"] = json!({"certificate": {"rawBytes": "AA=="}})
        }),
        ("no signature", &Verifier::ALL, |b| b["dsseEnvelope"]["signatures"] = json!([])),
        ("two signatures", &[Specification, Go, Sigstore, Alnage], |b| {
            let signature = b["dsseEnvelope"]["signatures"][0].clone();
            b["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
        }),
        ("unknown field", &[Specification, Go, Sigstore, Alnage], |b| b["dsseEnvelope"]["extra"] = json!(1)),
        ("hint", &[Specification, Python, Alnage], |b| {
            b["verificationMaterial"]["publicKey"]["hint"] = json!("mine")
        }),
    ];
    for (name, wanted, change) in cases {
        let mut value: Value = serde_json::from_str(&bundle(&statement(|_| {}))).unwrap();
        change(&mut value);
        assert_eq!(refusing(&value.to_string()), *wanted, "{name}");
    }
    assert_eq!(refusing("{"), Verifier::ALL);
    assert_eq!(refusing("{}"), Verifier::ALL);
}

#[test]
fn a_summary_says_what_a_signature_says() {
    let files = files_of(&[("a", b"1"), ("b", b"2")]);
    let text = sign_model(&signing("m", &files, &IgnoredPaths::default()), &key()).unwrap();
    let summary = Bundle::parse(text.as_bytes()).unwrap().summary().unwrap();
    assert_eq!((summary.method, summary.name.as_str(), summary.hash), ("key", "m", "sha256"));
    assert_eq!(summary.key, Some(public().hint().to_string()));
    let names: Vec<&str> = summary.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}
