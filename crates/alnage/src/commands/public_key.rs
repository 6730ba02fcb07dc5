//! `alnage public-key`: what verifiers need of a private key, wherever that is.

use std::path::Path;

use crate::{output, signer};

/// Prints the public key in PEM.
pub(super) fn run(key: &Path) -> anyhow::Result<()> {
    Ok(output::print(signer::open(key)?.signer.verifying_key().to_pem())?)
}
