//! What stands in documents, and where it comes from.

use super::*;

#[test]
fn configuration_describes_the_model() {
    let part: (&str, &[u8]) = ("vae/config.json", br#"{"model_type": "other", "vocab_size": 7}"#);
    let bom = document(&[("config.json", CONFIG), part], &OPTIONS);
    let parameters = &bom["components"][0]["modelCard"]["modelParameters"];
    assert_eq!(parameters["architectureFamily"], "llama");
    assert_eq!(parameters["modelArchitecture"], "LlamaForCausalLM");
    assert_eq!(parameters["task"], "text-generation");
    assert_eq!(parameters["inputs"][0]["format"], "text");
    for (name, value) in [
        ("alnage:model:elementType", "BF16"),
        ("cdx:ai-ml:model:hyperparameter:quantization", "gptq, 4 bits"),
        ("cdx:ai-ml:model:hyperparameter:context_length", "2048"),
        ("cdx:ai-ml:model:hyperparameter:vocab_size", "1000"),
    ] {
        assert_eq!(property(&bom, CARD, name), [value], "{name}");
    }
    let family = "/components/0/modelCard/modelParameters/architectureFamily";
    assert_eq!(
        note(&bom, family),
        "manifest-analysis of `config.json`, at /model_type (model_type); confidence 0.8; from configuration"
    );
    assert_eq!(bom["components"][1]["purl"], "pkg:pypi/transformers@4.44.2");
    assert!(!bom.to_string().contains("secret"), "where somebody kept a model is nobody's business");
    assert!(property(&bom, MODEL, "alnage:contradiction").is_empty());
}

#[test]
fn the_card_says_what_files_do_not() {
    let part: (&str, &[u8]) = ("vae/README.md", b"---\nlicense: mit\n---\n");
    let bom = document(&[("README.md", README), part], &OPTIONS);
    let model = &bom["components"][0];
    assert_eq!(model["licenses"][0]["license"]["id"], "Apache-2.0");
    assert_eq!(model["pedigree"]["ancestors"][0]["purl"], "pkg:huggingface/owner/Base-1B");
    let datasets = model["modelCard"]["modelParameters"]["datasets"].as_array().unwrap();
    let datasets: Vec<_> = datasets.iter().map(|dataset| dataset["ref"].as_str().unwrap()).collect();
    assert_eq!(datasets, ["dataset:snli", "dataset:owner/corpus"]);
    assert_eq!(property(&bom, CARD, "cdx:ai-ml:model:language"), ["en", "fr"]);
    assert_eq!(
        note(&bom, "/components/0/licenses/0"),
        "manifest-analysis of `README.md`, at /license (license); confidence 0.5; from card"
    );
    let names: Vec<_> = bom["components"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
    assert_eq!(names, ["A model", "snli", "owner/corpus", "transformers"]);
}

#[test]
fn gguf_metadata_describes_the_model_with_its_bytes() {
    let gguf = gguf();
    let bom = document(&[("model.gguf", &gguf)], &OPTIONS);
    let model = &bom["components"][0];
    assert_eq!(model["modelCard"]["modelParameters"]["architectureFamily"], "llama");
    assert_eq!(model["description"], "a small model");
    assert_eq!(model["licenses"][0]["license"]["name"], "llama3.1");
    assert_eq!(model["licenses"][0]["license"]["url"], "https://example.com/LICENSE%20v1");
    assert_eq!(model["pedigree"]["ancestors"][0]["purl"], "pkg:huggingface/owner/Base-1B");
    assert_eq!(property(&bom, CARD, "alnage:model:parameterCount"), ["48"]);
    assert_eq!(property(&bom, CARD, "alnage:model:elementType"), ["F32", "Q4_0"]);
    // What is cited is really there.
    let note = note(&bom, "/components/0/description");
    let (start, end) =
        note.split_once("bytes ").unwrap().1.split_once(" (").unwrap().0.split_once(" to ").unwrap();
    let cited = &gguf[start.parse().unwrap()..end.parse().unwrap()];
    assert!(cited.windows(13).any(|window| window == b"a small model"), "{note}");
}

#[test]
fn what_weights_say_counts_more() {
    let bom = document(&[("config.json", CONFIG), ("model.gguf", &gguf())], &OPTIONS);
    assert_eq!(property(&bom, CARD, "cdx:ai-ml:model:hyperparameter:context_length"), ["4096"]);
    let stated = property(&bom, MODEL, "alnage:contradiction");
    assert!(
        stated
            .iter()
            .any(|said| said
                .starts_with("context length: `4096` in `context_length` of `model.gguf`, but `2048`")),
        "{stated:?}"
    );
    assert_eq!(property(&bom, CARD, "alnage:model:elementType"), ["F32", "Q4_0"]);
}

#[test]
fn a_base_that_the_card_does_not_name_is_stated() {
    let adapter: &[u8] = br#"{"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8,
        "base_model_name_or_path": "/home/bob/secret-llama-3-8b"}"#;
    let card: &[u8] = b"---\nbase_model: mistralai/Mistral-7B-v0.1\n---\n";
    let bom = document(&[("adapter_config.json", adapter), ("README.md", card)], &OPTIONS);
    let bases = bom["components"][0]["pedigree"]["ancestors"].as_array().unwrap();
    let names: Vec<_> = bases.iter().map(|base| base["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["/home/bob/secret-llama-3-8b", "mistralai/Mistral-7B-v0.1"], "both are kept");
    assert!(bases[0].get("purl").is_none(), "a path is no package");
    assert_eq!(bom["components"][0]["pedigree"]["notes"], "relation=adapter");
    assert_eq!(property(&bom, MODEL, "alnage:contradiction").len(), 1);
    let bom = composed(&[("adapter_config.json", adapter), ("README.md", card)], &OPTIONS);
    let annex = score(&bom, Profile::AnnexIv);
    let lineage = annex.elements.iter().find(|element| element.id == "2-a").unwrap();
    assert_eq!(lineage.status, Status::Contradicted);
}

#[test]
fn every_file_is_listed_with_its_digest() {
    let weights = weights();
    let bom = document(&[("model.safetensors", &weights), ("sub/notes.txt", b"x")], &OPTIONS);
    let files = bom.pointer("/components/0/components").unwrap().as_array().unwrap();
    let seen: Vec<_> = files.iter().map(|file| (&file["name"], &file["hashes"][0]["content"])).collect();
    let expected = [
        (Value::from("model.safetensors"), Value::from(Digest::of(&weights).to_string())),
        (Value::from("sub/notes.txt"), Value::from(Digest::of(b"x").to_string())),
    ];
    assert_eq!(seen, expected.iter().map(|(name, digest)| (name, digest)).collect::<Vec<_>>());
    assert_eq!(
        property(&bom, "/components/0/components/0/properties", "alnage:file:format"),
        ["safetensors"]
    );
    assert_eq!(property(&bom, CARD, "alnage:model:parameterCount"), ["300"], "integer buffers are none");
}

#[test]
fn what_cannot_be_counted_is_unknown() {
    let packed = safetensors(
        r#"{"a.qweight":{"dtype":"I32","shape":[8,8],"data_offsets":[0,256]},"a.scales":{"dtype":"F16","shape":[8],"data_offsets":[256,272]}}"#,
        272,
    );
    let weights = weights();
    let cases: &[(Files<'_>, &str)] = &[
        (&[("notes.txt", b"x")], "no weight file"),
        (&[("model.safetensors", &packed)], "packed into integers"),
        (&[("a.safetensors", &packed), ("b.safetensors", &weights)], "packed into integers"),
    ];
    for (files, wanted) in cases {
        let bom = document(files, &OPTIONS);
        assert!(property(&bom, CARD, "alnage:model:parameterCount").is_empty(), "{wanted}");
        let unknown = property(&bom, MODEL, "alnage:unknown");
        assert!(unknown.iter().any(|unknown| unknown.contains(wanted)), "{unknown:?}");
    }
}

#[test]
fn what_nobody_versions_has_the_version_of_its_content() {
    let bom = document(&[("notes.txt", b"x")], &OPTIONS);
    let version = bom["components"][0]["version"].as_str().unwrap();
    assert!(version.starts_with("sha256:"), "{version}");
    let commit = Options { version: Some("c9745ed1d9f207416be6d2e6f8de32d1f16199bf"), ..OPTIONS };
    let (model, manifest) = model(&[("notes.txt", b"x")]);
    let mut declared = Declared::default();
    assert!(declared.set("hub-name", "acme/tiny") && !declared.set("nonsense", "x"));
    let bom = compose(&model, &manifest, Verdict::Pass, &[], &commit, &declared);
    let purl = bom.model().unwrap().purl.as_ref().unwrap();
    assert_eq!(purl.value, "pkg:huggingface/acme/tiny@c9745ed1d9f207416be6d2e6f8de32d1f16199bf");
    assert_eq!(bom.model().unwrap().supplier.as_ref().map(|text| text.value.as_str()), None);
}

#[test]
fn the_serial_number_depends_on_content_and_time() {
    let serial = |bytes: &[u8], options: &Options<'_>| composed(&[("a", bytes)], options).serial;
    assert_eq!(serial(b"1", &OPTIONS), serial(b"1", &OPTIONS));
    assert_ne!(serial(b"1", &OPTIONS), serial(b"2", &OPTIONS));
    assert_ne!(
        serial(b"1", &OPTIONS),
        serial(b"1", &Options { timestamp: "2026-11-23T03:00:00Z", ..OPTIONS })
    );
}

#[test]
fn links_are_references_or_nothing() {
    for (text, expected) in [
        ("https://example.com/LICENSE?a=b#c", Some("https://example.com/LICENSE?a=b#c")),
        ("LICENSE.md", Some("LICENSE.md")),
        ("my licence – v2%20.md", Some("my%20licence%20%E2%80%93%20v2%20.md")),
        ("https://example.com/100%#a#b", Some("https://example.com/100%25#a%23b")),
        ("https://", None),
        ("https://exa mple.com", None),
        ("javascript:alert(1)", None),
        ("see: LICENSE", None),
        ("", None),
    ] {
        assert_eq!(link::reference(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn grams_as_tonnes() {
    for (grams, expected) in [
        ("12.5", Some("0.0000125")),
        ("1000000", Some("1")),
        ("2500000.50", Some("2.5000005")),
        ("0", Some("0")),
        ("a", None),
        ("1e3", None),
    ] {
        assert_eq!(decimal::tonnes(grams).as_deref(), expected, "{grams}");
    }
}

#[test]
fn an_ordinary_repository_says_most_of_what_is_asked_for() {
    let weights = encoder_weights();
    let mut files = Vec::new();
    encoder(&weights, &mut files);
    let bom = composed(&files, &OPTIONS);
    let g7 = score(&bom, Profile::G7);
    assert_eq!(g7.elements.len(), 50);
    let missing: Vec<_> =
        g7.elements.iter().filter(|element| !element.status.is_there()).map(|element| element.id).collect();
    assert_eq!(
        missing,
        ["MD-01", "MD-05", "SLP-05", "MDL-04", "DP-05", "DP-08", "DP-10", "SP-03"],
        "{} of 50",
        g7.there()
    );
}

#[test]
fn text_that_says_nothing_does_not_count() {
    let card: &[u8] = b"---\nlicense: mit\n---\n# Model Card for Model ID\n\n[More Information Needed]\n\n## Uses\n[More Information Needed]\n";
    let bom = composed(&[("README.md", card)], &OPTIONS);
    let status = |id: &str| {
        score(&bom, Profile::G7).elements.into_iter().find(|element| element.id == id).unwrap().status
    };
    assert_eq!(status("MDL-06"), Status::Missing);
    assert_eq!(status("SLP-09"), Status::Missing);
    assert_eq!(status("MDL-12"), Status::Declared);
    assert_eq!(status("MDL-07"), Status::Derived);
    let placeholder = br#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "machine-learning-model",
        "name": "x", "description": "No description available", "modelCard": {"modelParameters": {"task": "unknown"}}}]}"#;
    let foreign = score(&read(placeholder).unwrap(), Profile::G7);
    let there: Vec<_> = foreign
        .elements
        .iter()
        .filter(|element| element.status.is_there())
        .map(|element| element.id)
        .collect();
    assert_eq!(there, ["MD-03", "MD-04", "SLP-01", "SLP-02", "MDL-01"]);
}

#[test]
fn what_is_disputed_does_not_count() {
    let mit = b"Permission is hereby granted, free of charge, to any person obtaining a copy. THE SOFTWARE IS PROVIDED";
    let bom = composed(&[("README.md", b"---\nlicense: apache-2.0\n---\n"), ("LICENSE", mit)], &OPTIONS);
    let g7 = score(&bom, Profile::G7);
    let licence = g7.elements.iter().find(|element| element.id == "MDL-12").unwrap();
    assert_eq!(licence.status, Status::Contradicted);
}
