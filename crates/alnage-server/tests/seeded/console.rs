//! The console in a browser: every page of it looked at.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::serve;

/// The browser signs in, visits every page at two widths, decides, revokes and computes a proof. What it saw goes to the
/// directory that `ALNAGE_SCREENSHOTS` names: `docs/console` for the documentation.
#[test]
fn every_page_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    let screenshots =
        env::var_os("ALNAGE_SCREENSHOTS").map_or_else(|| folder.path().join("seen"), PathBuf::from);
    let ran = Command::new(testkit::peers::python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeded/browser.py"))
        .args([server.address.as_str(), server.admin.reveal(), server.viewer.reveal()])
        .arg(&screenshots)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("every page"), "{said}");
}
