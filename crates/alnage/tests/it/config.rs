use crate::sandbox::{Sandbox, hostile};

#[test]
fn show_tells_where_each_value_came_from() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "alnage.toml",
        "jobs = 2\nlevel = \"audit\"\nkey = \"keys/k.pem\"\n\n[policy]\nlow = \"review\"\n",
    );
    sandbox.write("sub/x", "");
    let mut shown = String::new();
    let variables = [("ALNAGE_LEVEL", "pedantic"), ("ALNAGE_MAX_STEPS", "5k"), ("ALNAGE_JBOS", "3")];
    let ran = sandbox.run_with("config show --fail-on block", &variables, b"");
    shown.push_str(&ran.stdout);
    shown.push_str(&ran.stderr);
    insta::assert_snapshot!(shown.replace(sandbox.root().to_str().unwrap(), "[root]"));
}

#[test]
fn the_file_is_found_upward_and_can_be_left_out() {
    let sandbox = Sandbox::new();
    sandbox.write("alnage.toml", "quiet = maybe\n");
    assert_eq!(sandbox.run("config show").code, 2);
    assert_eq!(sandbox.run("config show --no-config").code, 0);
    sandbox.write("other.toml", "jobs = 1\n");
    let ran = sandbox.run("config show --config other.toml");
    assert!(ran.stdout.contains("# other.toml:1"), "{}", ran.stdout);
}

/// Vets a hostile pickle under a suppression that ends on `expires`; gives the record.
fn suppressed(expires: &str, code: i32) -> serde_json::Value {
    let sandbox = Sandbox::new();
    sandbox.write("bad/model.pkl", hostile());
    let first = sandbox.record("bad", 1);
    let mut configuration = String::new();
    for finding in first["models"][0]["findings"].as_array().unwrap() {
        let rule = finding["code"].as_str().unwrap();
        configuration.push_str(&format!(
            "[[suppress]]\ncode = \"{rule}\"\nartifact = \"model.pkl*\"\nreason = \"a test\"\nexpires = {expires}\n"
        ));
    }
    sandbox.write("alnage.toml", configuration);
    sandbox.record("bad", code)
}

#[test]
fn a_suppressed_finding_is_reported_apart() {
    let record = suppressed("9999-12-31", 0);
    let model = &record["models"][0];
    assert_eq!(model["findings"].as_array().unwrap().len(), 0);
    assert_eq!(model["suppressed"][0]["reason"], "a test");
    assert_eq!(model["suppressed"][0]["expires"], "9999-12-31");
}

#[test]
fn an_expired_suppression_is_a_finding_of_its_own() {
    let record = suppressed("2020-01-01", 1);
    let findings = record["models"][0]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["code"] == "SUP001"), "{findings:?}");
}
