//! `alnage sign`: a signature without a verdict.

use alnage_pipeline::{SignRequest, sign, signing_key};

use crate::{
    args::SignArgs,
    output::{self, warn},
    progress::Bar,
};

/// Signs a model and says where the signature is.
pub(super) fn run(arguments: &SignArgs, jobs: usize) -> anyhow::Result<()> {
    let key = signing_key(&arguments.key)?;
    let bar = Bar::new(true);
    let request = SignRequest {
        signature: arguments.signature.as_deref(),
        jobs,
        ..SignRequest::new(&arguments.path, &key)
    };
    let signed = sign(&request, &bar)?;
    drop(bar);
    output::print(&format!("{}\n", signed.signature.display()))?;
    let files = if signed.files == 1 { "1 file".to_owned() } else { format!("{} files", signed.files) };
    warn(format_args!("signed {files} of `{}`, without a verdict", arguments.path.display()));
    Ok(())
}
