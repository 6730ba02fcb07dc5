//! Stock clients of a model hub do what their users do, against the program itself on both of its engines.

use std::{path::Path, process::Command};

use testkit::peers;

fn served(size: &str) {
    let folder = tempfile::tempdir().unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = peers::python();
    let output = Command::new(&python)
        .arg(tests.join("tests/it/clients/suite.py"))
        .arg(env!("CARGO_BIN_EXE_alnage"))
        .arg(tests.join("../alnage-server/tests/it/hub/upstream.py"))
        .arg(folder.path())
        .arg(size)
        .arg(python.parent().unwrap().parent().unwrap())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(folder.path().join("members.log")).unwrap_or_default();
    let log: Vec<&str> = log.lines().rev().take(20).collect();
    assert!(output.status.success(), "{said}{}\n{}", String::from_utf8_lossy(&output.stderr), log.join("\n"));
    let answers: usize = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!(answers > 300, "{said}");
}

#[test]
fn stock_clients_are_served_by_one_process_over_sqlite_and_a_directory() {
    served("small");
}

#[test]
fn stock_clients_are_served_by_two_over_postgresql_and_s3() {
    served("large");
}
