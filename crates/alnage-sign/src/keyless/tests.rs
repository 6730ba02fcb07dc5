mod hostile;
mod real;
mod times;

use serde_json::Value;

use super::TrustedRoot;
use crate::{Bundle, x509::UnixTime};

/// After everything that is signed here.
const NOW: UnixTime = UnixTime(1_795_000_000);

fn root(written: &Value) -> TrustedRoot {
    TrustedRoot::parse(written.to_string().as_bytes()).unwrap()
}

/// Verifies a bundle; an empty `refusal` wants it to hold, anything else is what the error must say.
#[track_caller]
fn check(title: &str, bundle: &[u8], root: &TrustedRoot, refusal: &str) {
    match Bundle::parse(bundle).and_then(|bundle| bundle.verify_keyless(root, NOW)) {
        Ok(signer) => assert_eq!(refusal, "", "{title}: accepted as of {}", signer.names()),
        Err(error) => {
            let said = error.to_string();
            assert!(!refusal.is_empty() && said.contains(refusal), "{title}: {refusal:?} is not in {said:?}");
        }
    }
}
