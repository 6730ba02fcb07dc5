//! The grammar of what has to do with Kubernetes.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum KubeCommand {
    /// Tell which models manifests would load, and what of it is not pinned, not clear or executes code
    ///
    /// Nothing is asked over the network. Exit codes: 0 all is pinned and clear, 1 something is not, 2 a file could not be
    /// read
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Manifests in YAML or JSON, with any number of documents; `-` is standard input. Of a directory, every file in it that
    /// ends in `.yaml`, `.yml` or `.json`
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// How to tell
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: CheckFormat,
    #[command(flatten)]
    pub(crate) admission: AdmissionArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people
    Text,
    /// For programs: an array with an element for each object
    Json,
}

/// How strict a review is, and what it reads by.
#[derive(Debug, Args)]
pub(crate) struct AdmissionArgs {
    /// The address that containers are to fetch models from, as `HF_ENDPOINT` has to say it
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Only warn of what is unknown, not pinned or not clear; what was recalled or rejected is refused all the same
    #[arg(long)]
    pub(crate) warn: bool,
    /// Settings in JSON: `{"unpinned": "warn", "volumes": "allow", "unresolved": "deny", …}`
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// More rows for the table of extractors, in JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) extractors: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,
    /// The certificate and what vouches for it, PEM; read again when it changes. Without it the webhook speaks plain HTTP,
    /// which Kubernetes does not
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The registry to ask, where it is served; when left out, `ALNAGE_REGISTRY`, or where one is logged in
    #[arg(long, value_name = "URL", conflicts_with = "registry_data")]
    pub(crate) registry_url: Option<String>,
    /// The data directory of a registry on this machine, instead
    #[arg(long, value_name = "DIR")]
    pub(crate) registry_data: Option<PathBuf>,
    /// A file with the token to ask it with; when left out, `ALNAGE_TOKEN`, or the token that one is logged in with there
    #[arg(long, value_name = "FILE", conflicts_with = "registry_data")]
    pub(crate) registry_token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) admission: AdmissionArgs,
}
