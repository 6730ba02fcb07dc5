//! The grammar of signing and verifying.

use std::{num::NonZeroU64, path::PathBuf};

use alnage_pipeline::{
    Curve, Dialect, Forms, GitPaths, HashAlgorithm, KeyHint, ModelForm, Serialization, Symlinks, Unsigned,
};
use clap::{Args, Subcommand, ValueEnum};

use super::{CertificateArgs, ListFormat, TrustArgs};
use crate::config::parse_size;

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The model: a file or a directory
    pub(crate) path: PathBuf,
    /// The private key: a file, `pkcs11:token=…;object=…?module-path=…` or `exec:/path/to/program`
    #[arg(long, value_name = "KEY", alias = "private-key")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    /// Where the signature goes, when not beside the model
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
    /// By which algorithm files are hashed; not every verifier knows those after the first
    #[arg(long, value_enum, default_value_t = Hash::Sha256)]
    pub(crate) hash: Hash,
    /// Hash files in shards of SIZE (`1GB`, `64MiB`) and not whole. Empty files are then not covered
    #[arg(long, value_name = "SIZE", value_parser = shard_size)]
    pub(crate) shard_size: Option<NonZeroU64>,
    /// Label shards as this verifier wants them; others then refuse the signature
    #[arg(long, value_enum, value_name = "VERIFIER", requires = "shard_size")]
    pub(crate) compat: Option<Compatible>,
    /// Sign what links inside the model lead to, instead of refusing links
    #[arg(long)]
    pub(crate) allow_symlinks: bool,
    /// The model is an OCI image, a layout or a manifest: sign its layers by the digests that it names, unread
    #[arg(long, conflicts_with_all = ["hash", "shard_size"])]
    pub(crate) oci: bool,
    #[command(flatten)]
    pub(crate) leave_out: LeaveOutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The model: a file or a directory
    pub(crate) path: PathBuf,
    /// The signature, when it is not beside the model. May be given again, with `--threshold`
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Vec<PathBuf>,
    /// Accept a signature that names another key, as long as this key made it
    #[arg(long)]
    pub(crate) ignore_hint: bool,
    /// Also accept signatures made before the specification: `model_signing` 0.2
    #[arg(long)]
    pub(crate) legacy: bool,
    /// Report files that were not signed instead of refusing the model
    #[arg(long)]
    pub(crate) ignore_unsigned_files: bool,
    /// Refuse a model with content that the signature leaves out: `.git`, `.github`, ignored paths, empty files
    #[arg(long)]
    pub(crate) forbid_ignored: bool,
    /// Accept links inside the model though the signature does not allow for them
    #[arg(long, conflicts_with = "forbid_symlinks")]
    pub(crate) allow_symlinks: bool,
    /// Refuse links even if the signature allows for them
    #[arg(long)]
    pub(crate) forbid_symlinks: bool,
    /// The model is an OCI image: a layout, or a manifest, whose layers are then not read
    #[arg(long)]
    pub(crate) oci: bool,
    #[command(flatten)]
    pub(crate) leave_out: LeaveOutArgs,
    /// The directory of the log
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Refuse a model whose verdict, bill of materials and log entry cannot all be checked
    #[arg(long)]
    pub(crate) require_seal: bool,
    /// Read every file, though it was verified before and nobody touched it since
    #[arg(long)]
    pub(crate) full: bool,
    /// Read every file, and remember nothing
    #[arg(long, conflicts_with = "full")]
    pub(crate) no_cache: bool,
    /// Say what was remembered of earlier verifications, and why not
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// What a signature does not cover.
#[derive(Debug, Args)]
pub(crate) struct LeaveOutArgs {
    /// Leave out PATH and what is below it; seen from here or from the model. May be given again
    #[arg(long, value_name = "PATH")]
    pub(crate) ignore_paths: Vec<PathBuf>,
    /// Cover `.git`, `.github`, `.gitignore` and `.gitattributes` at the top of the model too
    #[arg(long)]
    pub(crate) no_ignore_git_paths: bool,
    /// Leave out git's files at the top of the model, which is the default
    #[arg(long, hide = true, conflicts_with = "no_ignore_git_paths")]
    pub(crate) ignore_git_paths: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// The directory for `signing.pem` and `signing.pub.pem`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The curve
    #[arg(long, value_enum, default_value_t = CurveName::P256)]
    pub(crate) curve: CurveName,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SignatureCommand {
    /// Show what a signature says, without verifying it
    Show(SignatureArgs),
    /// Tell which verifiers will take a signature, and why others will not
    Lint(SignatureArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SignatureArgs {
    /// The signature: `model.sig`
    pub(crate) bundle: PathBuf,
    /// Text or JSON
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

/// An algorithm to hash files by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hash {
    /// SHA-256, which every verifier knows
    Sha256,
    /// BLAKE2b with 64 bytes
    Blake2b,
    /// BLAKE3, the fastest for one large file
    Blake3,
}

/// A verifier that wants a form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compatible {
    /// `model_signing` from PyPI
    Python,
}

/// A curve, and the hash that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CurveName {
    /// NIST P-256 with SHA-256
    P256,
    /// NIST P-384 with SHA-384
    P384,
    /// NIST P-521 with SHA-512
    P521,
}

fn shard_size(text: &str) -> Result<NonZeroU64, String> {
    NonZeroU64::new(parse_size(text)?).ok_or_else(|| "a shard holds at least one byte".to_owned())
}

impl SignArgs {
    pub(crate) fn serialization(&self) -> Serialization {
        self.shard_size.map_or(Serialization::Files, |size| Serialization::Shards { size })
    }

    pub(crate) fn form(&self) -> ModelForm {
        form(self.oci)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.compat.map_or(Dialect::Specification, |Compatible::Python| Dialect::Python)
    }

    pub(crate) fn symlinks(&self) -> Symlinks {
        if self.allow_symlinks { Symlinks::Followed } else { Symlinks::Refused }
    }
}

impl VerifyArgs {
    pub(crate) fn hint(&self) -> KeyHint {
        if self.ignore_hint { KeyHint::Ignored } else { KeyHint::MustMatch }
    }

    pub(crate) fn forms(&self) -> Forms {
        if self.legacy { Forms::Historic } else { Forms::Specified }
    }

    pub(crate) fn form(&self) -> ModelForm {
        form(self.oci)
    }

    pub(crate) fn unsigned(&self) -> Unsigned {
        if self.ignore_unsigned_files { Unsigned::Reported } else { Unsigned::Refused }
    }

    pub(crate) fn ignored(&self) -> Unsigned {
        if self.forbid_ignored { Unsigned::Refused } else { Unsigned::Reported }
    }

    pub(crate) fn symlinks(&self) -> Option<Symlinks> {
        match (self.allow_symlinks, self.forbid_symlinks) {
            (true, _) => Some(Symlinks::Followed),
            (false, true) => Some(Symlinks::Refused),
            (false, false) => None,
        }
    }
}

/// The form that `--oci` stands for.
fn form(oci: bool) -> ModelForm {
    if oci { ModelForm::OciImage } else { ModelForm::Files }
}

impl LeaveOutArgs {
    pub(crate) fn git(&self) -> GitPaths {
        if self.no_ignore_git_paths { GitPaths::Covered } else { GitPaths::Ignored }
    }
}

impl From<Hash> for HashAlgorithm {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Sha256 => Self::Sha256,
            Hash::Blake2b => Self::Blake2b512,
            Hash::Blake3 => Self::Blake3,
        }
    }
}

impl From<CurveName> for Curve {
    fn from(name: CurveName) -> Self {
        match name {
            CurveName::P256 => Self::P256,
            CurveName::P384 => Self::P384,
            CurveName::P521 => Self::P521,
        }
    }
}
