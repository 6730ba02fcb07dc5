//! Each format read, each rule set off and kept quiet.

use std::collections::HashSet;

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};

use super::*;

mod formats;

/// The codes that the files of a project set off, each once and sorted.
#[track_caller]
fn check_with(files: &[(&str, &str)], advisories: &Advisories, internal: &[&str], expected: &str) {
    let read: Vec<DependencyFile> =
        files.iter().map(|(path, text)| super::read(path, text.as_bytes()).expect(path)).collect();
    for file in &read {
        assert_eq!(file.problems, [], "{files:?}");
    }
    let asked = Asked { internal: internal.iter().map(|name| (*name).to_owned()).collect() };
    let findings = super::check(&read, advisories, &asked);
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_ref()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.join(" "), expected, "{files:?}: {findings:#?}");
}

#[track_caller]
fn check(requirements: &str, expected: &str) {
    check_with(&[("requirements.txt", requirements)], &Advisories::built_in(), &[], expected);
}

const HASH: &str = "--hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn the_torchtriton_incident() {
    // What PyTorch told its users to run in December 2022, as a requirements file: both indexes are asked, and the name
    // was free in the public one.
    let nightly =
        "--pre\n--extra-index-url https://download.pytorch.org/whl/nightly/cu117\ntorch\ntorchtriton\n";
    check(nightly, "DEP001 DEP003 DEP005");
    let file = super::read("requirements.txt", nightly.as_bytes()).unwrap();
    let findings = super::check(&[file], &Advisories::built_in(), &Asked::default());
    let attack = findings.iter().find(|finding| finding.code == "DEP001").unwrap();
    assert!(attack.evidence.as_ref().unwrap().contains("December 2022"), "{attack:?}");
    assert_eq!(attack.span.map(|span| &nightly[span.start as usize..span.end as usize]), Some("torchtriton"));
    let mixing = findings.iter().find(|finding| finding.code == "DEP003").unwrap();
    assert!(
        mixing.message.contains("`torchtriton`") && !mixing.message.contains("`torch`"),
        "{}",
        mixing.message
    );
    // What the attacker had published, pinned by a lock.
    check_with(
        &[("uv.lock", &format!("version = 1\n{}", uv("torchtriton", "3.0.0", "https://pypi.org/simple")))],
        &Advisories::built_in(),
        &[],
        "DEP001",
    );
    // What was meant: one index, which has the name; or the very file.
    check("--index-url https://download.pytorch.org/whl/nightly/cu117\ntorch\ntorchtriton\n", "DEP005");
    check(
        &format!(
            "--extra-index-url https://download.pytorch.org/whl/nightly\ntorchtriton==2.0.0+0d7e753227 {HASH}\n"
        ),
        "",
    );
}

fn uv(name: &str, version: &str, registry: &str) -> String {
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \"{registry}\" }}\n\
         wheels = [{{ url = \"https://x/y.whl\", hash = \"sha256:00\", size = 1 }}]\n"
    )
}

#[test]
fn pins_and_hashes() {
    check(&format!("numpy==2.1.0 {HASH}\n"), "");
    check(&format!("numpy==2.1.0 \\\n    {HASH} \\\n    {HASH}\n# numpy\n"), "");
    check("numpy==2.1.0\n", "DEP006");
    check("numpy>=2\n", "DEP005");
    check("numpy\n", "DEP005");
    check("numpy==2.*\n", "DEP005");
    check("numpy==2.1.0 ; python_version < '3.14'\n", "DEP006");
    check_with(
        &[("pyproject.toml", "[project]\ndependencies = [\"numpy>=2\"]\n")],
        &Advisories::built_in(),
        &[],
        "",
    );
    let sdist = "[[package]]\nname = \"numpy\"\nversion = \"2.1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n\
        sdist = { url = \"https://x/y.tar.gz\", hash = \"sha256:00\" }\n";
    check_with(&[("uv.lock", sdist)], &Advisories::built_in(), &[], "DEP008");
    let report = r#"{"version": "1", "install": [{"download_info": {"url": "https://x/numpy-2.1.0-py3-none-any.whl",
        "archive_info": {"hashes": {"sha256": "00"}}}, "is_yanked": true, "metadata": {"name": "numpy", "version": "2.1.0"}}]}"#;
    check_with(&[("pip-report.json", report)], &Advisories::built_in(), &[], "DEP009");
}

#[test]
fn indexes() {
    let pinned = format!("numpy==2.1.0 {HASH}\n");
    check(&format!("--extra-index-url https://pypi.acme.example/simple\n{pinned}"), "");
    check("--extra-index-url https://pypi.acme.example/simple\nacme-core==1\n", "DEP003 DEP006");
    check("--index-url https://pypi.acme.example/simple\nacme-core==1\n", "DEP006");
    check(
        "--index-url https://pypi.org/simple\n--extra-index-url https://pypi.org/simple\nacme-core==1\n",
        "DEP006",
    );
    check(&format!("--index-url http://pypi.acme.example/simple\n{pinned}"), "DEP010");
    check(&format!("--index-url http://localhost:3141/simple\n{pinned}"), "");
    check(&format!("--trusted-host pypi.acme.example\n{pinned}"), "DEP010");
    let project = |rest: &str| {
        format!(
            "[project]\ndependencies = [\"acme-core\"]\n[[tool.uv.index]]\nname = \"acme\"\nurl = \"https://pypi.acme.example/simple\"\n{rest}"
        )
    };
    let none = Advisories::built_in();
    check_with(&[("pyproject.toml", &project(""))], &none, &[], "");
    check_with(&[("pyproject.toml", &project("[tool.uv]\nindex-strategy = \"unsafe-best-match\"\n").replace("[[tool.uv.index]]\nname = \"acme\"\nurl = \"https://pypi.acme.example/simple\"\n", "").replace("match\"\n", "match\"\n[[tool.uv.index]]\nname = \"acme\"\nurl = \"https://pypi.acme.example/simple\"\n"))], &none, &[], "DEP003");
    let poetry = "[tool.poetry.dependencies]\nacme-core = \"*\"\n[[tool.poetry.source]]\nname = \"acme\"\nurl = \"https://pypi.acme.example/simple\"\n";
    check_with(
        &[("pyproject.toml", &format!("{poetry}priority = \"supplemental\"\n"))],
        &none,
        &[],
        "DEP003",
    );
    check_with(&[("pyproject.toml", &format!("{poetry}priority = \"explicit\"\n"))], &none, &[], "");
}

#[test]
fn private_names() {
    let none = Advisories::built_in();
    let pinned = format!("acme-core==1 {HASH}\n");
    check_with(&[("requirements.txt", &pinned)], &none, &["acme-core"], "DEP004");
    check_with(&[("requirements.txt", &pinned)], &none, &["acme-*"], "DEP004");
    check_with(&[("requirements.txt", &pinned)], &none, &["other"], "");
    let private = uv("acme-core", "1", "https://pypi.acme.example/simple");
    check_with(&[("uv.lock", &private)], &none, &["acme-*"], "");
    check_with(&[("uv.lock", &private), ("tools/requirements.txt", &pinned)], &none, &[], "DEP004");
    // A copy of a public package in a private index makes it no private package.
    let mirrored = uv("numpy", "2.1.0", "https://pypi.acme.example/simple");
    check_with(
        &[("uv.lock", &mirrored), ("requirements.txt", &format!("numpy==2.1.0 {HASH}\n"))],
        &none,
        &[],
        "",
    );
}

#[test]
fn lookalikes() {
    for (name, expected) in [
        ("transfomers", "DEP007"),
        ("trasnformers", "DEP007"),
        ("requestss", "DEP007"),
        ("nunpy", "DEP007"),
        ("transformers", ""),
        ("requests", ""),
        ("acme-core", ""),
        ("torch2", ""),
        ("xgboost", ""),
    ] {
        check(&format!("{name}==1 {HASH}\n"), expected);
    }
}

#[test]
fn addresses() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    check(&format!("x @ git+https://git.example/x@{commit}\n"), "");
    check(&format!("git+https://user@git.example/x@{commit}#egg=x\n"), "");
    check("x @ git+https://git.example/x@main\n", "DEP011");
    check("git+https://user@git.example/x\n", "DEP011");
    check("x @ https://files.example/x-1-py3-none-any.whl\n", "DEP011");
    check("x @ https://files.example/x-1-py3-none-any.whl#sha256=00\n", "");
    check("./local/x\n-e .\n", "");
}

fn osv(id: &str, affected: &str) -> Advisories {
    let mut advisories = Advisories::built_in();
    let wanted: HashSet<String> = ["pillow".to_owned()].into();
    let record = format!(
        r#"{{"id": "{id}", "summary": "s", "aliases": ["CVE-1"], "affected": [{{"package": {{"ecosystem": "PyPI", "name": "Pillow"}}, {affected}}}]}}"#
    );
    advisories.add(record.as_bytes(), &wanted).unwrap();
    advisories
}

#[test]
fn advisories() {
    let range = |events: &str| format!(r#""ranges": [{{"type": "ECOSYSTEM", "events": [{events}]}}]"#);
    let fixed = range(r#"{"introduced": "0"}, {"fixed": "8.1.0"}, {"introduced": "9"}, {"fixed": "9.0.2"}"#);
    let last = range(r#"{"introduced": "8.0"}, {"last_affected": "8.2"}"#);
    for (id, affected, version, code) in [
        ("PYSEC-1", fixed.as_str(), "8.0.0", "DEP002"),
        ("PYSEC-1", &fixed, "8.1.0rc1", "DEP002"),
        ("PYSEC-1", &fixed, "8.1", ""),
        ("PYSEC-1", &fixed, "9.0.1.post1", "DEP002"),
        ("PYSEC-1", &fixed, "10.0", ""),
        ("PYSEC-1", &last, "8.2.0", "DEP002"),
        ("PYSEC-1", &last, "8.2.1", ""),
        ("PYSEC-1", &last, "7", ""),
        ("PYSEC-1", r#""versions": ["8.0"]"#, "8.0.0", "DEP002"),
        ("MAL-2026-1", r#""versions": ["8.0.1"]"#, "8.0.1", "DEP001"),
        ("MAL-2026-1", r#""versions": ["8.0.1"]"#, "8.0.2", ""),
        ("GHSA-1", r#""versions": ["not a version"]"#, "not-a-version", ""),
    ] {
        let advisories = osv(id, affected);
        let file = format!("pillow=={version} {HASH}\n");
        check_with(&[("requirements.txt", &file)], &advisories, &[], code);
    }
    // Without a version, only an attack that may be taken is worth saying.
    check_with(
        &[("requirements.txt", "pillow>=8\n")],
        &osv("MAL-1", r#""versions": ["8.0.1"]"#),
        &[],
        "DEP001 DEP005",
    );
    check_with(
        &[("requirements.txt", "pillow>=9\n")],
        &osv("MAL-1", r#""versions": ["8.0.1"]"#),
        &[],
        "DEP005",
    );
    check_with(&[("requirements.txt", "pillow>=8\n")], &osv("PYSEC-1", &fixed), &[], "DEP005");
    let mut advisories = Advisories::built_in();
    assert!(advisories.add(br#"{"id": 1, "affected": "PyPI"}"#, &HashSet::new()).is_err());
    assert!(advisories.add(b"of npm and not even JSON", &HashSet::new()).is_ok());
}

#[test]
fn attestations() {
    let wheel = Digest::of(b"wheel");
    let name = "x-1-py3-none-any.whl";
    let attestation = |name: &str, digest: Digest| {
        let statement = format!(
            r#"{{"_type": "https://in-toto.io/Statement/v1", "subject": [{{"name": "{name}", "digest": {{"sha256": "{digest}"}}}}], "predicateType": "https://docs.pypi.org/attestations/publish/v1", "predicate": null}}"#
        );
        format!(
            r#"{{"version": 1, "verification_material": {{"certificate": "AAAA", "transparency_entries": [{{}}]}}, "envelope": {{"statement": "{}", "signature": "AAAA"}}}}"#,
            Base64::encode_string(statement.as_bytes())
        )
    };
    let good = attestation(name, wheel);
    let provenance = format!(
        r#"{{"version": 1, "attestation_bundles": [{{"publisher": {{"kind": "GitHub", "repository": "a/b"}}, "attestations": [{good}]}}]}}"#
    );
    let lock =
        |hash: &str| super::read("requirements.txt", format!("x==1 --hash={hash}\n").as_bytes()).unwrap();
    let by = |repository: &str, workflow: &str| {
        Signature::By(Attester {
            names: vec!["w".into()],
            provider: "https://token.actions.githubusercontent.com".into(),
            repository: Some(format!("https://github.com/{repository}")),
            workflow: Some(format!(
                "https://github.com/{repository}/.github/workflows/{workflow}@refs/tags/1"
            )),
        })
    };
    let signed = |text: &str, locks: &[DependencyFile], signature: Signature| -> Vec<String> {
        let findings = check_attestations("p", text.as_bytes(), name, wheel, locks, &|_| signature.clone());
        findings.iter().map(|finding| finding.code.to_string()).collect()
    };
    let codes = |text: &str, locks: &[DependencyFile]| signed(text, locks, Signature::Unknown("?".into()));
    assert_eq!(codes(&good, &[]), ["DEP013"]);
    assert_eq!(codes(&provenance, &[lock(&format!("sha256:{wheel}"))]), ["DEP013"]);
    assert_eq!(codes(&good, &[lock("sha256:00")]), ["DEP012", "DEP013"]);
    assert_eq!(codes(&attestation("y-1-py3-none-any.whl", wheel), &[]), ["DEP012"]);
    assert_eq!(codes(&attestation(name, Digest::of(b"another")), &[]), ["DEP012"]);
    for broken in [
        "",
        "{}",
        r#"{"version": 2}"#,
        &good.replace("AAAA", "?"),
        &good.replace("[{}]", "[]"),
        &provenance.replace(&good, ""),
    ] {
        assert_eq!(codes(broken, &[]), ["DEP012"], "{broken}");
    }
    assert_eq!(signed(&good, &[], Signature::Broken("?".into())), ["DEP012"]);
    assert_eq!(signed(&good, &[], by("a/b", "w.yml")), ["DEP013"]);
    assert_eq!(signed(&provenance, &[], by("a/b", "w.yml")), [""; 0]);
    assert_eq!(signed(&provenance, &[], by("A/b", "other.yml")), [""; 0]);
    assert_eq!(signed(&provenance, &[], by("a/bc", "w.yml")), ["DEP012"]);
    let named = provenance.replace(r#""a/b""#, r#""a/b", "workflow": "w.yml""#);
    assert_eq!(signed(&named, &[], by("A/b", "w.yml")), [""; 0]);
    assert_eq!(signed(&named, &[], by("a/b", "other.yml")), ["DEP012"]);
    let unknown = provenance.replace("GitHub", "Elsewhere");
    assert_eq!(signed(&unknown, &[], by("a/b", "w.yml")), ["DEP013"]);
    let publisher = parse_attestations(provenance.as_bytes()).unwrap()[0].publisher.clone().unwrap();
    assert_eq!(publisher.to_string(), "GitHub a/b");
    let mut elsewhere = by("a/b", "w.yml");
    if let Signature::By(attester) = &mut elsewhere {
        attester.provider = "https://gitlab.com".into();
    }
    assert_eq!(signed(&provenance, &[], elsewhere), ["DEP012"]);
}
