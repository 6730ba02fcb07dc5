//! `alnage keygen`: a key pair for signing.

use std::path::Path;

use alnage_pipeline::Curve;

use crate::output::{self, hinted};

/// Makes a key pair in `directory` and says where.
pub(super) fn run(directory: &Path, curve: Curve) -> anyhow::Result<()> {
    let pair = alnage_pipeline::keygen(directory, curve).map_err(|error| match error {
        alnage_pipeline::Error::Files(alnage_fs::Error::Io { path, source })
            if source.kind() == std::io::ErrorKind::AlreadyExists =>
        {
            let message = format!("there is a key at `{}` already", path.display());
            hinted(message, "choose another directory; a key that is gone cannot be made again")
        }
        error => error.into(),
    })?;
    let text = format!("private key: {}\npublic key:  {}\n", pair.private.display(), pair.public.display());
    Ok(output::print(&text)?)
}
