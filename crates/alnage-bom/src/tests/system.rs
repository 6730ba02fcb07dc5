//! What a user declares, and advice on documents of others.

use super::*;

#[test]
fn what_a_user_declares_is_cited_as_theirs() {
    let (model, manifest) = model(&[("config.json", CONFIG)]);
    let mut declared = Declared::default();
    for (key, value) in [
        ("supplier", "Example Ltd"),
        ("intended-use", "answers questions of staff"),
        ("security-policy", "https://example.com/security"),
        ("author", "BOM team"),
        ("system", "assistant"),
        ("compliance", "ISO/IEC 42001"),
        ("data-usage", "TBD"),
    ] {
        assert!(declared.set(key, value));
    }
    let bom = compose(&model, &manifest, Verdict::Pass, &[], &OPTIONS, &declared);
    let text = write(&bom, Format::CycloneDx17);
    assert!(validate(text.as_bytes()).unwrap().is_valid());
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["metadata"]["authors"][0]["name"], "BOM team");
    assert_eq!(document["metadata"]["component"]["name"], "assistant");
    assert_eq!(
        note(&document, "/components/0/supplier/name"),
        "other of `alnage.toml`, at /bom/supplier (supplier); confidence 0.9; from user"
    );
    let g7 = score(&bom, Profile::G7);
    let status = |id: &str| g7.elements.iter().find(|element| element.id == id).unwrap().status;
    for id in ["MD-01", "SLP-03", "SP-03"] {
        assert_eq!(status(id), Status::Declared, "{id}");
    }
    assert_eq!(status("SLP-07"), Status::Missing, "`TBD` says nothing");
}

#[test]
fn advice_beyond_the_schema() {
    let check = |document: &str, expected: &[(Gravity, &str)]| {
        let validation = validate(document.as_bytes()).unwrap();
        let seen: Vec<_> =
            validation.advice.iter().map(|advice| (advice.gravity, advice.pointer.as_str())).collect();
        assert_eq!(seen, expected, "{:?}", validation.advice);
    };
    let cyclonedx =
        |rest: &str| format!(r#"{{"bomFormat": "CycloneDX", "specVersion": "1.7", "version": 1, {rest}}}"#);
    check(
        &cyclonedx(
            r#""components": [{"type": "machine-learning-model", "name": "x", "bom-ref": "a", "purl": "pkg:huggingface/bert"}, {"type": "library", "name": "y", "bom-ref": "a"}], "dependencies": [{"ref": "b"}]"#,
        ),
        &[
            (Gravity::Error, "/components/1"),
            (Gravity::Error, "/dependencies/0"),
            (Gravity::Error, "/components/0/purl"),
        ],
    );
    check(
        &cyclonedx(
            r#""components": [{"type": "library", "name": "x", "description": "No description available", "purl": "pkg:huggingface/a/b@abcdef12"}]"#,
        ),
        &[(Gravity::Error, "/components/0/purl"), (Gravity::Warning, "/components/0/description")],
    );
    let spdx = write(&composed(&[("a", b"x")], &OPTIONS), Format::Spdx);
    let claiming = spdx.replace("\"profileConformance\": [", "\"profileConformance\": [\"ai\",");
    let errors = |text: &str| {
        let validation = validate(text.as_bytes()).unwrap();
        validation.advice.into_iter().filter(|advice| advice.gravity == Gravity::Error).count()
    };
    assert_eq!(errors(&spdx), 0, "a profile that is not claimed is advice only");
    assert!(errors(&claiming) > 0, "what a claimed profile requires is an error");
}
