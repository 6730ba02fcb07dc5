//! What single spellings, scripts and reviews give; whole objects are in the corpus.

use serde_json::{Value, json};

use alnage_admission::{
    Answer, Decision, Origin, Review, Rules, Subject, Table, changes, decide, documents, read, read_changed,
};

use crate::shelf::{COMMIT, Shelf};

const ENDPOINT: &str = "http://alnage.models.svc:8080";

fn rules() -> Rules {
    Rules { endpoint: Some(ENDPOINT.to_owned()), ..Rules::enforcing() }
}

fn decided(object: &Value) -> Decision {
    decide(&read(&Table::shipped().unwrap(), object), &Shelf, &rules())
}

/// A pod with one container of vLLM's image.
fn vllm(arguments: &[&str]) -> Value {
    let env = json!([{ "name": "HF_ENDPOINT", "value": ENDPOINT }]);
    let container =
        json!({ "name": "server", "image": "vllm/vllm-openai:v0.11.0", "args": arguments, "env": env });
    json!({ "apiVersion": "v1", "kind": "Pod", "spec": { "containers": [container] } })
}

/// The models that a script names when `sh` gets it, as they are shown.
fn scripted(script: &str) -> Vec<String> {
    let container = json!({ "name": "server", "image": "python:3.13", "command": ["sh", "-c", script] });
    let pod = json!({ "kind": "Pod", "spec": { "containers": [container] } });
    let loads = read(&Table::shipped().unwrap(), &pod);
    loads.references.iter().map(|reference| reference.origin.to_string()).collect()
}

#[test]
fn addresses_have_one_spelling() {
    let commit = format!("hf://org/name@{COMMIT}");
    let cases: &[(&str, &str)] = &[
        ("hf://org/name", "hf://org/name"),
        ("hf://org/name:main", "hf://org/name@main"),
        (&commit, &commit),
        ("huggingface://org/name", "hf://org/name"),
        ("https://huggingface.co/org/name", "hf://org/name"),
        ("https://huggingface.co/org/name/resolve/main/a/b.gguf", "hf://org/name@main (a/b.gguf)"),
        ("https://mirror.example/org/name/resolve/v1/m.gguf?download=true", "hf://org/name@v1 (m.gguf)"),
        ("https://huggingface.co/datasets/org/name", "https://huggingface.co/datasets/org/name"),
        ("oci://ghcr.io/org/model:v1", "oci://ghcr.io/org/model:v1"),
        ("oci://localhost:5000/m@sha256:00", "oci://localhost:5000/m@sha256:00"),
        ("pvc://claim/models/llama", "pvc://claim/models/llama"),
        ("s3://bucket/models/llama", "s3://bucket/models/llama"),
    ];
    for (written, shown) in cases {
        assert_eq!(Origin::address(written).unwrap().to_string(), *shown, "{written}");
    }
    assert_eq!(Origin::address("org/name"), None);
    assert!(Origin::hub(&format!("org/name@{COMMIT}")).unwrap().pinned());
    assert!(!Origin::hub("org/name@main").unwrap().pinned());
    assert_eq!(Origin::ollama("hf.co/org/name-GGUF:Q4_K_M").to_string(), "hf://org/name-GGUF (Q4_K_M)");
    assert_eq!(Origin::ollama("llama3.2:1b").to_string(), "ollama://llama3.2:1b");
}

#[test]
fn scripts_are_read_as_shells_read_them() {
    let cases: &[(&str, &[&str])] = &[
        ("vllm serve good/one --port 80", &["hf://good/one"]),
        ("set -e; exec vllm serve 'good/one'", &["hf://good/one"]),
        ("MODEL=good/one\nvllm serve \"$MODEL\"", &["hf://good/one"]),
        ("export M=good/one && vllm serve ${M}", &["hf://good/one"]),
        ("vllm serve ${NOT_SET:-good/one}", &["hf://good/one"]),
        ("# vllm serve evil/one\nvllm serve good/one", &["hf://good/one"]),
        ("for m in good/a good/b; do hf download $m; done", &["hf://good/a", "hf://good/b"]),
        ("ollama serve & sleep 5; ollama pull llama3.2", &["ollama://llama3.2"]),
        ("curl -s http://localhost:11434/api/pull -d '{\"model\": \"llama3.2\"}'", &["ollama://llama3.2"]),
        ("python3 -m vllm.entrypoints.openai.api_server --model=good/one", &["hf://good/one"]),
        (
            "if [ -n \"$X\" ]; then vllm serve good/a; else vllm serve good/b; fi",
            &["hf://good/a", "hf://good/b"],
        ),
        ("echo $(vllm serve good/one)", &["hf://good/one"]),
        ("bash -lc 'vllm serve good/one'", &["hf://good/one"]),
        ("env HF_HOME=/c timeout 30s vllm serve good/one", &["hf://good/one"]),
        ("python -c 'from vllm import LLM; LLM(model=\"good/one\")'", &["hf://good/one"]),
        ("python - <<'END'\nm = 'good/one'\nAutoModel.from_pretrained(m)\nEND\necho x", &["hf://good/one"]),
        ("vllm bench serve --model good/one", &[]),
        ("echo 'vllm serve good/one'", &[]),
        ("curl -f http://localhost:8000/health", &[]),
        ("hf download org/data --repo-type dataset", &[]),
    ];
    for (script, models) in cases {
        assert_eq!(scripted(script), *models, "{script}");
    }
    assert!(scripted("vllm serve $(cat /etc/model)")[0].contains("a program prints it"));
}

#[test]
fn only_approved_and_pinned_models_are_let_through() {
    let pinned = ["--model=good/one", &format!("--revision={COMMIT}")[..]];
    let cases: &[(&[&str], Option<&str>)] = &[
        (&pinned, None),
        (&["--model=good/one"], Some("not pinned")),
        (&["--model", "good/one", "--revision", "main"], Some("not pinned")),
        (&["--model=evil/one"], Some("a pickle starts a program")),
        (&["--model=recalled/one"], Some("was recalled")),
        (&["--model=nobody/knows"], Some("not known")),
        (&[pinned[0], pinned[1], "--trust-remote-code"], Some("executes code")),
        (&[pinned[0], pinned[1], "--lora-modules", "a=evil/lora"], Some("evil/lora")),
        (&[pinned[0], pinned[1], "--load-format", "pt"], Some("executes code")),
        (&[], Some("names no model")),
        (&["--model=$(MODEL)"], Some("not known")),
    ];
    for (arguments, denial) in cases {
        let decision = decided(&vllm(arguments));
        match denial {
            None => assert!(decision.allowed, "{arguments:?}: {decision:#?}"),
            Some(reason) => {
                assert!(!decision.allowed, "{arguments:?}");
                assert!(
                    decision.denials.iter().any(|said| said.contains(reason)),
                    "{arguments:?}: {decision:#?}"
                );
            }
        }
    }
}

#[test]
fn a_patch_leads_to_the_registry_and_pins() {
    let container = json!({ "name": "server", "image": "vllm/vllm-openai", "args": ["--model", "good/one"] });
    let pod = json!({ "kind": "Pod", "spec": { "containers": [container] } });
    let loads = read(&Table::shipped().unwrap(), &pod);
    let decision = decide(&loads, &Shelf, &rules());
    let patch = json!(changes(&loads, &decision, &rules()));
    let expected = json!([
        { "op": "add", "path": "/spec/containers/0/args/-", "value": format!("--revision={COMMIT}") },
        { "op": "add", "path": "/spec/containers/0/env", "value": [{ "name": "HF_ENDPOINT", "value": ENDPOINT }] },
    ]);
    assert_eq!(patch, expected);
}

#[test]
fn reviews_are_answered_as_they_were_asked() {
    let ask = |operation: &str, rest: Value| {
        let mut request = json!({
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": operation,
            "kind": { "group": "", "version": "v1", "kind": "Pod" }, "object": vllm(&["--model=evil/one"]),
        });
        for (key, value) in rest.as_object().unwrap() {
            request[key] = value.clone();
        }
        let review =
            json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
        Review::parse(review.to_string().as_bytes()).unwrap()
    };
    assert!(matches!(ask("CREATE", json!({})).subject(), Subject::New(_)));
    assert!(ask("CREATE", json!({ "dryRun": true })).dry_run);
    for review in [
        ask("DELETE", json!({ "object": null })),
        ask("CONNECT", json!({ "subResource": "exec" })),
        ask("UPDATE", json!({ "subResource": "status" })),
        ask("UPDATE", json!({ "object": { "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } } })),
    ] {
        assert!(matches!(review.subject(), Subject::Nothing(_)), "{review:?}");
    }
    let review = ask("UPDATE", json!({ "oldObject": vllm(&["--model=evil/one", "--port=1"]) }));
    let Subject::Changed { new, old } = review.subject() else { panic!("{review:?}") };
    assert_eq!(read_changed(&Table::shipped().unwrap(), new, old), None);
    for bad in ["", "{}", "[1]", r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#] {
        assert!(Review::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(Review::parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn answers_keep_to_the_limits_of_the_api_server() {
    let mut answer = Answer::denied("a", "line\nbreak".to_owned());
    answer.warnings = vec!["é".repeat(400); 40];
    let answer = answer.to_json();
    let response = &answer["response"];
    assert_eq!((&response["uid"], &response["allowed"]), (&json!("a"), &json!(false)));
    assert_eq!(response["status"]["code"], 403);
    assert_eq!(response["status"]["message"], "line break");
    let warnings: Vec<&str> =
        response["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(warnings.iter().all(|warning| warning.len() <= 256) && warnings.concat().len() <= 4096);
    assert!(warnings[0].ends_with('…'));
}

#[test]
fn yaml_is_bounded() {
    let laughs = format!(
        "a: &a [{}]\nb: &b [{}]\nc: &c [{}]\nd: [{}]",
        "x,".repeat(99),
        "*a,".repeat(99),
        "*b,".repeat(99),
        "*c,".repeat(99)
    );
    assert!(documents(&laughs).is_err());
    assert!(documents(&"[".repeat(5000)).is_err());
    assert!(documents("a: 1\na: 2").is_err());
    let read = documents("base: &b {x: 1}\nmore:\n  <<: *b\n  y: '2'\n---\n---\nz: 0x\n").unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].value["more"], json!({ "y": "2", "x": 1 }));
    assert_eq!((read[1].line, &read[1].value["z"]), (6, &json!("0x")));
}
