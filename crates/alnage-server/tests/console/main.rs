//! The console in a browser: a real server over records made by real scans, and every page of it looked at.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod seed;

use std::{
    env,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use alnage_registry::people::Secret;

/// The browser signs in, visits every page at two widths, decides, revokes and computes a proof. What it saw goes to the
/// directory that `ALNAGE_SCREENSHOTS` names: `docs/console` for the documentation.
#[test]
fn every_page_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let registry = seed::registry(folder.path());
    let token = seed::tokens(&registry);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings = alnage_server::Settings { public_url: address.clone(), ..Default::default() };
    thread::spawn(move || alnage_server::serve(listener, registry, settings, seed::now));
    let screenshots =
        env::var_os("ALNAGE_SCREENSHOTS").map_or_else(|| folder.path().join("seen"), PathBuf::from);
    let ran = Command::new(testkit::peers::python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/browser.py"))
        .args([address.as_str(), Secret::reveal(&token.0), Secret::reveal(&token.1)])
        .arg(&screenshots)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("every page"), "{said}");
}
