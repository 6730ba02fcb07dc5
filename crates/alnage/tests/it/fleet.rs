//! Nothing is lost and nothing is given out that nobody allowed, whichever process of a registry dies when.

use std::{path::Path, process::Command};

use testkit::peers;

fn fleet(size: &str, operations: u32) {
    let folder = tempfile::tempdir().unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(peers::python())
        .arg(tests.join("tests/it/fleet/fleet.py"))
        .arg(env!("CARGO_BIN_EXE_alnage"))
        .arg(tests.join("../alnage-server/tests/it/hub/upstream.py"))
        .arg(folder.path())
        .args([size, &operations.to_string(), "1"])
        .env("XDG_CONFIG_HOME", folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(folder.path().join("members.log")).unwrap_or_default();
    let log: Vec<&str> = log.lines().rev().take(20).collect();
    assert!(output.status.success(), "{said}{}\n{}", String::from_utf8_lossy(&output.stderr), log.join("\n"));
    assert!(said.contains("kills"), "{said}");
}

#[test]
fn one_server_that_is_killed_loses_nothing() {
    fleet("small", 60);
}

#[test]
fn two_servers_and_two_workers_that_are_killed_lose_nothing() {
    fleet("large", 200);
}
