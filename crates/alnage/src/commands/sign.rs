//! `alnage sign`: a signature without a verdict.

use alnage_pipeline::{Error, SignRequest, sign};

use crate::{
    args::SignArgs,
    output::{self, hinted, warn},
    progress::Bar,
    signer,
};

/// Signs a model and says where the signature is.
pub(super) fn run(arguments: &SignArgs, jobs: usize) -> anyhow::Result<()> {
    let key = signer::open(&arguments.key)?;
    let certificates = signer::certificate_chain(&arguments.certificate, &key)?;
    let bar = Bar::new(true);
    let request = SignRequest {
        signature: arguments.signature.as_deref(),
        hash: arguments.hash.into(),
        serialization: arguments.serialization(),
        dialect: arguments.dialect(),
        symlinks: arguments.symlinks(),
        ignore_paths: &arguments.leave_out.ignore_paths,
        git: arguments.leave_out.git(),
        form: arguments.form(),
        certificates: &certificates,
        timestamps: arguments.certificate.timestamps(),
        jobs,
        ..SignRequest::new(&arguments.path, &*key.signer)
    };
    let signed = sign(&request, &bar);
    drop(bar);
    let signed = signed.map_err(|error| explained(error, arguments))?;
    output::print(&format!("{}\n", signed.signature.display()))?;
    let files = if signed.files == 1 { "1 file".to_owned() } else { format!("{} files", signed.files) };
    warn(format_args!("signed {files} of `{}`, without a verdict", arguments.path.display()));
    if !signed.uncovered.is_empty() {
        let count = signed.uncovered.len();
        warn(format_args!(
            "not covered: {count} empty files, which shards leave out; sign whole files to cover them"
        ));
    }
    Ok(())
}

/// The error, with the way out where there is one.
fn explained(error: Error, arguments: &SignArgs) -> anyhow::Error {
    match &error {
        Error::Unsignable { reason, .. } if reason.contains("symbolic link") && !arguments.allow_symlinks => {
            hinted(error.to_string(), "`--allow-symlinks` signs what links inside the model lead to")
        }
        _ if arguments.certificate.timestamp_url.is_some() && error.to_string().contains("no timestamp") => {
            hinted(
                error.to_string(),
                "name another authority, or sign without `--timestamp-url`: the signature then does not tell when it was made",
            )
        }
        _ => error.into(),
    }
}
