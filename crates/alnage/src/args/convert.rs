//! The grammar of converting.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::parse_size;

#[derive(Debug, Args)]
pub(crate) struct ConversionArgs {
    /// A checkpoint, or a directory of which every checkpoint is converted and every other plain file is copied
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// The file or directory to write; beside SRC when not given
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Write several files with an index, none with more than SIZE of tensors (`5GB`, `500MB`, `64MiB`)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_shard_size: Option<u64>,
    /// Read what was written again and compare each element with the source, by other code
    #[arg(long)]
    pub(crate) check: bool,
    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,
    /// Sign the attestation with this private key: a file, `pkcs11:…` or `exec:…`. With `--verify-attestation`, the
    /// public key that it must be signed by
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<PathBuf>,
    /// Write nothing: check that this attestation is about SRC, and that the files beside it hold what SRC says, tensor by
    /// tensor
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "max_shard_size", "check", "force",
        "no_attestation", "copy_aliases", "allow_expansion", "drop_unknown_calls"])]
    pub(crate) verify_attestation: Option<PathBuf>,
    /// Write no attestation and hash no tensors, which takes less time
    #[arg(long, conflicts_with = "key")]
    pub(crate) no_attestation: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t = ConversionFormat::Text)]
    pub(crate) format: ConversionFormat,
    /// Of a tensor with several names, write the bytes under each and not under one alone
    #[arg(long)]
    pub(crate) copy_aliases: bool,
    /// Write views that repeat elements even when they make more than twice the bytes that are stored
    #[arg(long)]
    pub(crate) allow_expansion: bool,
    /// Leave out what calls of unknown functions would give, and list it; without this such a call is refused. What
    /// is known to be dangerous is refused either way
    #[arg(long)]
    pub(crate) drop_unknown_calls: bool,
    /// Bytes that decompression may produce without regard to the ratio
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "64GiB")]
    pub(crate) max_expanded: u64,
    /// No progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConversionFormat {
    /// For a person at a terminal
    Text,
    /// For programs
    Json,
}
