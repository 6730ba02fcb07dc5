//! People sign in over TLS at an identity provider; what a provider, a thief or a changed certificate tries is refused.

use std::{path::Path, process::Command};

use testkit::peers;

#[test]
fn people_sign_in_over_tls_and_every_lie_of_a_provider_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(peers::python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/signing_in/suite.py"))
        .arg(env!("CARGO_BIN_EXE_alnage"))
        .arg(folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let answers: usize = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!(answers > 60, "{said}");
}
