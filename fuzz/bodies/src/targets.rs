//! The table of all fuzz targets.

use alnage_log::{LogVerifier, Receipt};
use alnage_sign::{KeyHint, SigningKey, VerifyingKey, verify_attestation, verify_model};

/// One fuzz target; `fuzz_targets/NAME.rs` is its entrance.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub work: Work,
}

/// What a target does with its bytes.
pub enum Work {
    /// The first byte selects a format and the name of the file, the rest is parsed as that format and judged.
    Formats(&'static [(&'static str, &'static str)]),
    /// The bytes are analysed as a file: identified, parsed, carved, members and all.
    Whole,
    /// The bytes are handed to a function.
    Call(fn(&[u8])),
}

/// Every target.
pub static TARGETS: &[Target] = &[
    Target { name: "whole", work: Work::Whole },
    Target { name: "signature", work: Work::Call(signature) },
    Target { name: "log", work: Work::Call(log) },
];

fn signature(bytes: &[u8]) {
    let Ok(key) = SigningKey::from_seed(&[7; 32]).verifying_key() else { return };
    let _ = verify_model(bytes, &key, KeyHint::Ignored);
    let _ = verify_attestation(bytes, &key);
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = VerifyingKey::from_pem(text);
        let _ = SigningKey::from_pem(text);
    }
}

fn log(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = LogVerifier::from_text(text);
    let _ = Receipt::parse(text);
}
