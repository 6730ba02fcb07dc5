//! Dependency files as the command line takes them: searched for, included, matched, and told.

use std::{fs, time::Instant};

use alnage_types::Digest;
use testkit::sigstore::{SIGNED, Sigstore, provider};

use crate::sandbox::{Sandbox, hostile};

#[track_caller]
fn codes(sandbox: &Sandbox, arguments: &str, code: i32) -> Vec<String> {
    let ran = sandbox.run(&format!("deps {arguments} --format json"));
    assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
    let record: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let models = record["models"].as_array().unwrap().iter();
    let findings = models.flat_map(|model| model["findings"].as_array().unwrap());
    let mut codes: Vec<String> = findings
        .map(|finding| {
            format!("{} {}", finding["code"].as_str().unwrap(), finding["artifact"].as_str().unwrap())
        })
        .collect();
    codes.sort();
    codes
}

#[test]
fn a_project_is_searched_and_includes_stay_inside() {
    let sandbox = Sandbox::new();
    sandbox.write("p/requirements.txt", "-r deps/base.in\nnumpy==2.1.0\n");
    sandbox.write("p/deps/base.in", "torchtriton==3.0.0\n-r ../../secret.txt\n");
    sandbox.write("p/.venv/lib/requirements.txt", "torchtriton==3.0.0\n");
    sandbox.write("p/README.md", "torchtriton==3.0.0\n");
    sandbox.write("secret.txt", "torchtriton==3.0.0\n");
    let found = codes(&sandbox, "p", 1);
    assert_eq!(found, ["DEP001 deps/base.in", "DEP006 deps/base.in", "DEP006 requirements.txt"]);
    let ran = sandbox.run("deps p --format text");
    assert!(
        ran.stdout.contains("`torchtriton==3.0.0` is an attack") && ran.stdout.contains("lies outside"),
        "{ran:?}"
    );
    std::os::unix::fs::symlink(sandbox.path("secret.txt"), sandbox.path("p/deps/link.txt")).unwrap();
    sandbox.write("p/deps/base.in", "-r link.txt\n");
    assert_eq!(codes(&sandbox, "p", 3), ["DEP006 requirements.txt"]);
    assert_eq!(codes(&sandbox, "p/requirements.txt", 3), ["DEP006 requirements.txt"]);
    assert_eq!(sandbox.run("deps nothing").code, 2);
    let sarif = sandbox.run("deps p/requirements.txt --format sarif");
    assert!(sarif.stdout.contains(r#""id": "DEP001""#), "{}", sarif.stdout);
}

#[test]
fn advisories_come_from_a_directory_or_a_zip() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "pillow==8.0.0\n");
    let record = br#"{"id": "PYSEC-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "Pillow"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.1"}]}]}]}"#;
    sandbox.write("records/PyPI/PYSEC-1.json", record);
    let zip =
        testkit::archive::Zip::of([testkit::archive::ZipEntry::deflated("PYSEC-1.json", record)]).build();
    sandbox.write("zipped/PyPI/all.zip", &zip);
    sandbox.write("broken/all.zip", &zip[..zip.len() / 2]);
    let expected = ["DEP002 requirements.txt", "DEP006 requirements.txt"];
    for database in ["records", "zipped", "zipped/PyPI/all.zip", "records/PyPI/PYSEC-1.json"] {
        assert_eq!(
            codes(&sandbox, &format!("requirements.txt --osv-db {database}"), 1),
            expected,
            "{database}"
        );
    }
    // What could not be read may have said anything.
    assert_eq!(codes(&sandbox, "requirements.txt --osv-db broken", 3), ["DEP006 requirements.txt"]);
    assert_eq!(codes(&sandbox, "requirements.txt --osv-db records --ignore DEP", 0), [""; 0]);
}

#[test]
fn models_in_wheels_are_vetted() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "x==1 --hash=sha256:00\n");
    let wheel = testkit::archive::Zip::of([
        testkit::archive::ZipEntry::deflated("x/__init__.py", b"name = 'x'\n"),
        testkit::archive::ZipEntry::deflated("x/model.pkl", &hostile()),
    ]);
    sandbox.write("wheels/x-1-py3-none-any.whl", wheel.build());
    sandbox.write("wheels/x-1-py3-none-any.whl.publish.attestation", "{}");
    let found = codes(&sandbox, "requirements.txt --wheels wheels", 1);
    assert!(found.iter().any(|line| line.contains("x/model.pkl")), "{found:?}");
    assert!(found.contains(&"DEP012 x-1-py3-none-any.whl.publish.attestation".to_owned()), "{found:?}");
}

#[test]
fn attestations_of_wheels_are_verified() {
    let sandbox = Sandbox::new();
    let wheel =
        testkit::archive::Zip::of([testkit::archive::ZipEntry::deflated("x/__init__.py", b"")]).build();
    sandbox.write("requirements.txt", format!("x==1 --hash=sha256:{}\n", Digest::of(&wheel)));
    let name = "x-1-py3-none-any.whl";
    let statement = format!(
        r#"{{"_type": "https://in-toto.io/Statement/v1", "subject": [{{"name": "{name}", "digest": {{"sha256": "{}"}}}}], "predicateType": "https://docs.pypi.org/attestations/publish/v1", "predicate": null}}"#,
        Digest::of(&wheel)
    );
    sandbox.write(&format!("wheels/{name}"), wheel);
    let sigstore = Sigstore::default();
    sandbox.write("root.json", sigstore.trusted_root(&[]).to_string());
    let google = "https://accounts.google.com";
    let signer = sigstore.certificate(|params| params.custom_extensions = vec![provider(google)]);
    let mut envelope = sigstore.envelope(signer, statement.as_bytes());
    let entry = sigstore.entry(&envelope.dsse(), SIGNED);
    let provenance = |attestation: &str, email: &str| {
        sandbox.write(
            &format!("wheels/{name}.provenance"),
            format!(
                r#"{{"version": 1, "attestation_bundles": [{{"publisher": {{"kind": "Google", "email": "{email}"}}, "attestations": [{attestation}]}}]}}"#
            ),
        );
    };
    let found = |flags: &str, code: i32| {
        codes(&sandbox, &format!("requirements.txt --wheels wheels --level audit {flags}"), code)
    };
    let held = envelope.attestation(std::slice::from_ref(&entry)).to_string();
    provenance(&held, "release@example.com");
    assert_eq!(found("--trusted-root root.json", 0), [""; 0]);
    assert_eq!(found("", 0), [format!("DEP013 {name}.provenance")]);
    provenance(&held, "other@example.com");
    assert_eq!(found("--trusted-root root.json", 1), [format!("DEP012 {name}.provenance")]);
    envelope.signature = envelope.signer.key.signature(b"something else");
    provenance(&envelope.attestation(&[entry]).to_string(), "release@example.com");
    assert_eq!(found("--trusted-root root.json", 1), [format!("DEP012 {name}.provenance")]);
}

#[test]
fn two_hundred_packages_take_no_time() {
    let sandbox = Sandbox::new();
    let mut lock = "version = 1\n".to_owned();
    for package in 0..200 {
        lock.push_str(&format!("[[package]]\nname = \"p{package}\"\nversion = \"1.{package}\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\nwheels = [\n"));
        for wheel in 0..20 {
            lock.push_str(&format!("    {{ url = \"https://files.pythonhosted.org/p{package}-{wheel}.whl\", hash = \"sha256:{wheel:064x}\", size = 1 }},\n"));
        }
        lock.push_str("]\n");
    }
    fs::write(sandbox.path("uv.lock"), lock).unwrap();
    let start = Instant::now();
    assert_eq!(codes(&sandbox, "uv.lock", 0), [""; 0]);
    // The bound for a release build is a tenth of a second; this one is not optimised, and others use the machine.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
