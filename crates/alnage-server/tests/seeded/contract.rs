//! The API by its own description: what the OpenAPI document says, requests made from it must find so.

use std::{env, path::Path, process::Command};

use super::serve;

/// Schemathesis makes requests that fit the document and requests that do not, with the records of a registry in them.
/// Who looks for more gives it other arguments: `ALNAGE_SCHEMATHESIS="--max-examples 200 --seed 7"`.
#[test]
fn the_api_is_as_it_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    let more = env::var("ALNAGE_SCHEMATHESIS").unwrap_or_default();
    let ran = Command::new(testkit::peers::contract_python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeded/contract.py"))
        .args([server.address.as_str(), server.admin.reveal()])
        .args(more.split_whitespace())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("every route"), "{said}");
}
