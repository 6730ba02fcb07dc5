//! The grammar of whom to trust, and of revoking.

use std::{num::NonZeroUsize, path::PathBuf};

use alnage_pipeline::{timestamp::TimestampSource, trusted::RevokedKind};
use clap::{Args, ValueEnum};

use crate::timestamp::Authority;

/// What a signature carries.
#[derive(Debug, Default, Args)]
pub(crate) struct CertificateArgs {
    /// Sign by certificate: the signer's own, in PEM or DER, or `pkcs11:` for the one beside the key in its token
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// The certificates that lead from the signer's to an authority, in this order. May be given again
    #[arg(long, value_name = "FILE", requires = "certificate", alias = "certificate-chain")]
    pub(crate) cert_chain: Vec<PathBuf>,
    /// Have the timestamp authority (RFC 3161) at URL say when it was signed. Nothing is signed when it does not
    #[arg(long, value_name = "URL", alias = "timestamp-server-url", value_parser = Authority::at)]
    pub(crate) timestamp_url: Option<Authority>,
}

impl CertificateArgs {
    /// Who says when it was signed.
    pub(crate) fn timestamps(&self) -> Option<&dyn TimestampSource> {
        self.timestamp_url.as_ref().map(|authority| authority as &dyn TimestampSource)
    }
}

/// Whom a verifier trusts.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Whom to trust")]
pub(crate) struct TrustArgs {
    /// The signer's public key; with several, each counts
    #[arg(long, value_name = "FILE", alias = "public-key")]
    pub(crate) key: Vec<PathBuf>,
    /// A certificate authority, or a signer's own certificate, in PEM or DER. May be given again; no authority is
    /// built in
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    pub(crate) ca: Vec<PathBuf>,
    /// Certificates that may stand between the signer's and an authority, besides those in the signature
    #[arg(long, value_name = "FILE", requires = "ca", alias = "certificate-chain")]
    pub(crate) cert_chain: Vec<PathBuf>,
    /// Who must have signed: `email:`, `dns:`, `uri:` or `subject:` and a name, in which `*` stands for a part and
    /// `**` for anything, `regexp:` and an expression for the whole name, or `spki:` and the SHA-256 of the public key.
    /// One of several is enough
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Vec<String>,
    /// Keyless signatures: who must have vouched for the identity, `https://accounts.google.com`. `*`, `**` and
    /// `regexp:` as above
    #[arg(long, value_name = "URL", conflicts_with_all = ["ca", "issuer"])]
    pub(crate) identity_provider: Vec<String>,
    /// Whose word counts for keyless signatures: a trusted root of Sigstore, or a trust configuration, in JSON. That of
    /// the public instance is built in
    #[arg(long, value_name = "FILE", requires = "identity_provider", alias = "trust-config")]
    pub(crate) trusted_root: Option<PathBuf>,
    /// Who must have issued the signer's certificate
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: Vec<String>,
    /// A timestamp authority: what it says of when a signature was made counts instead of now
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    pub(crate) tsa: Vec<PathBuf>,
    /// Judge signatures without a timestamp as of TIME (`2026-11-22`, `2026-11-22T08:00:00Z`) instead of now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Revocation lists of the authorities; one must cover the signer's certificate
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    pub(crate) crl: Vec<PathBuf>,
    /// Accept revocation lists whose successor is overdue
    #[arg(long, requires = "crl")]
    pub(crate) allow_stale_crl: bool,
    /// Everything about whom to trust from one file (`trust.toml`)
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) trust: Option<PathBuf>,
    /// Lists that `alnage revoke` made: what is on them counts no more
    #[arg(long, value_name = "FILE")]
    pub(crate) revocations: Vec<PathBuf>,
    /// The key that signed the lists of `--revocations`, when it is not the signer's
    #[arg(long, value_name = "FILE", requires = "revocations")]
    pub(crate) revocation_key: Vec<PathBuf>,
    /// How many different signers must have signed
    #[arg(long, value_name = "N", conflicts_with = "trust")]
    pub(crate) threshold: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The list; it is made when there is none
    pub(crate) list: PathBuf,
    /// What is revoked
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// Which: a public key, a certificate or a signature (for the model it is over), or a SHA-256 digest
    #[arg(long, value_name = "FILE|DIGEST")]
    pub(crate) what: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// What was signed before TIME, and can prove it by a timestamp, still counts. Without this, nothing does
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// The private key that signs the list: a file, `pkcs11:…` or `exec:…`
    #[arg(long, value_name = "KEY")]
    pub(crate) key: PathBuf,
    /// The directory of the log
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
}

/// What kind of thing is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A public key, and every certificate with it
    Key,
    /// A certificate, and those below it
    Certificate,
    /// A model, or a file that no model may hold
    Model,
}

impl From<Kind> for RevokedKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Key => Self::Key,
            Kind::Certificate => Self::Certificate,
            Kind::Model => Self::Model,
        }
    }
}
