//! The same document in every format: written, read, converted, compared.

use super::*;

const FORMATS: [Format; 3] = [Format::CycloneDx17, Format::CycloneDx16, Format::Spdx];

fn encoder_bom() -> Bom {
    let weights = encoder_weights();
    let mut files = Vec::new();
    encoder(&weights, &mut files);
    let (model, manifest) = model(&files);
    let findings = [finding("model.safetensors"), finding("gone.bin")];
    let options = Options { author: Some("Example Ltd"), ..OPTIONS };
    compose(&model, &manifest, Verdict::Block, &findings, &options, &Declared::default())
}

#[test]
fn what_is_written_is_read_again() {
    let bom = encoder_bom();
    for format in FORMATS {
        let text = write(&bom, format);
        let again = read(text.as_bytes()).unwrap();
        let changes = compare(&bom, &again);
        // SPDX shows the three vulnerability fields it knows, and no standards.
        assert_eq!(changes, [], "{format:?}");
        for profile in Profile::ALL {
            let statuses = |bom: &Bom| -> Vec<(&str, Status)> {
                score(bom, profile).elements.iter().map(|element| (element.id, element.status)).collect()
            };
            let differing: Vec<_> =
                statuses(&bom).into_iter().zip(statuses(&again)).filter(|(a, b)| a != b).collect();
            assert_eq!(differing, [], "{format:?} {profile:?}");
        }
        assert_eq!((again.authors, again.tools), (bom.authors.clone(), bom.tools.clone()), "{format:?}");
    }
}

#[test]
fn what_is_lost_is_told() {
    let own = write(&encoder_bom(), Format::CycloneDx17);
    let converted = convert(own.as_bytes(), Format::Spdx).unwrap();
    let lost: Vec<_> = converted.lost.iter().map(|lost| lost.pointer.as_str()).collect();
    // Of our own documents only the evidence of identity and what belongs to the form has no place.
    let expected = [
        "/evidence/",
        "/cwes/",
        "/ratings/",
        "/source/name",
        "/analysis/",
        "/lifecycles/",
        "/hashes/",
        "/declarations/",
        "/definitions/",
        "/version",
        "/recommendation",
    ];
    let strange: Vec<_> =
        lost.iter().filter(|pointer| !expected.iter().any(|known| pointer.contains(known))).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let foreign = br#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [{"type": "library", "name": "a", "swhid": ["swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2"]}],
        "services": [{"name": "inference", "endpoints": ["https://a.example/v1"]}]}"#;
    let converted = convert(foreign, Format::CycloneDx17).unwrap();
    let lost: Vec<_> = converted.lost.iter().map(|lost| lost.pointer.as_str()).collect();
    assert_eq!(lost, ["/components/0/swhid/0", "/services/0/endpoints/0", "/services/0/name"]);
}

#[test]
fn differences_are_about_meaning() {
    let before = encoder_bom();
    let mut after = before.clone();
    assert_eq!(compare(&before, &read(write(&after, Format::Spdx).as_bytes()).unwrap()), []);
    let model = &mut after.components[0];
    model.licences[0].value.name = "MIT".into();
    model.parts.retain(|part| part.name.value != "config.json");
    after.relations.retain(|relation| relation.kind != RelationKind::DescendantOf);
    let shown: Vec<String> = compare(&before, &after)
        .iter()
        .map(|change| format!("{} {} {:?}", change.kind.as_str(), change.what, change.field))
        .collect();
    assert_eq!(
        shown,
        [
            "removed file `config.json` None",
            "changed model Some(\"licence\")",
            "removed relation `tiny-encoder` DescendantOf `nreimers/MiniLM-L6-H384-uncased` None",
        ]
    );
}

#[test]
fn several_models_become_a_system() {
    let first = encoder_bom();
    let second = composed(&[("config.json", CONFIG), ("README.md", README)], &OPTIONS);
    let merged = merge("assistant", Some("3"), "0.1.0", "2026-11-22T04:00:00Z", &[first, second]);
    for format in FORMATS {
        let text = write(&merged, format);
        let validation = validate(text.as_bytes()).unwrap();
        assert!(validation.is_valid(), "{format:?} {:?}", validation.advice);
    }
    let root = merged.relations.iter().filter(|relation| relation.from == "root");
    let parts: Vec<_> = root.map(|relation| relation.to.as_str()).collect();
    assert_eq!(parts, ["1:model", "2:model"]);
    let names = merged.components.iter().map(|component| component.name.value.as_str());
    assert_eq!(names.clone().filter(|name| *name == "snli").count(), 1, "what both use is there once");
    assert_eq!(names.filter(|name| *name == "transformers").count(), 2, "two releases are two");
}

#[test]
fn findings_as_openvex() {
    let text = openvex(&encoder_bom());
    let vex: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(vex["@context"], "https://openvex.dev/ns/v0.2.0");
    let statements = vex["statements"].as_array().unwrap();
    let statuses: Vec<_> = statements.iter().map(|statement| statement["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["affected", "affected", "not_affected"]);
    assert_eq!(statements[0]["action_statement"], "use safetensors");
    assert_eq!(statements[0]["products"][0]["subcomponents"][0]["@id"], "file:model.safetensors");
    assert_eq!(statements[2]["vulnerability"]["name"], "CWE-502");
    assert_eq!(statements[2]["justification"], "vulnerable_code_not_present");
    assert!(vex["version"].is_u64() && vex["author"].is_string() && vex["timestamp"].is_string());
}

#[test]
fn what_was_not_understood_is_not_called_harmless() {
    let pickle = composed(&[("model.pkl", b"\x80\x04N.")], &OPTIONS);
    assert!(pickle.vulnerabilities.is_empty(), "a pickle is there");
    let broken = composed(&[("model.safetensors", b"\xff\xff\xff\xff\0\0\0\0{")], &OPTIONS);
    assert!(broken.vulnerabilities.is_empty(), "not everything was read");
}
