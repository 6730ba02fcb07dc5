//! The grammar of `alnage log`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Show the log's public keys, or make them
    Key(KeyArgs),
    /// Append signed statements, or entries made elsewhere
    Append(AppendArgs),
    /// Write a receipt for an entry, or the proof that the log continues an older checkpoint
    Prove(ProveArgs),
    /// Verify a receipt, a continuation, an exported log, or the whole log at hand
    Verify(VerifyLogArgs),
    /// Check every object of the log and name the place of whatever is wrong
    Fsck(ReadArgs),
    /// Write the whole log as one file that a stranger verifies with the public key alone
    Export(ExportArgs),
    /// List the entries
    List(ReadArgs),
    /// Ask the witnesses that the log's `policy` names to cosign the newest checkpoint
    Cosign(LogDirArgs),
    /// Serve as a witness for other logs: `add-checkpoint` of c2sp.org/tlog-witness
    Witness(WitnessArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    /// The directory for its keys and what it has seen; the public keys of the logs it watches are lines of `logs` there
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7080")]
    pub(crate) listen: std::net::SocketAddr,
    /// The name of a new witness, like a URL without its scheme; made up when absent
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LogDirArgs {
    /// The directory of the log
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) log: LogDirArgs,
    /// Make the keys of a new log
    #[arg(long)]
    pub(crate) new: bool,
    /// The log's name, like a URL without its scheme; made up when absent
    #[arg(long, value_name = "NAME", requires = "new")]
    pub(crate) origin: Option<String>,
    /// How the log signs its checkpoints
    #[arg(long, value_enum, default_value_t = Algorithm::Both, requires = "new")]
    pub(crate) algorithm: Algorithm,
}

/// How a log signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Algorithm {
    /// Ed25519, which every tool reads
    Ed25519,
    /// ML-DSA-44, which quantum computers do not forge
    MlDsa44,
    /// Both; a verifier wants both
    Both,
}

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    #[command(flatten)]
    pub(crate) log: LogDirArgs,
    /// DSSE envelopes, such as `verdict.intoto.json`; a receipt is written beside each
    #[arg(value_name = "ENVELOPE", required_unless_present = "entries", requires = "key")]
    pub(crate) envelopes: Vec<PathBuf>,
    /// The public key of whoever signed the envelopes
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Append entries from FILE or `-`: on each line `{"statement", "subject", "predicateType"}` and perhaps `"time"`
    #[arg(long, value_name = "FILE", conflicts_with = "envelopes")]
    pub(crate) entries: Option<PathBuf>,
    /// A checkpoint for each entry; its index is printed once it is there to stay
    #[arg(long, requires = "entries")]
    pub(crate) each: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    pub(crate) log: LogDirArgs,
    #[command(flatten)]
    pub(crate) what: ProveWhat,
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ProveWhat {
    /// A receipt for the entry with this index
    #[arg(long, value_name = "N")]
    pub(crate) index: Option<u64>,
    /// A receipt for the entry of the statement in this DSSE envelope
    #[arg(long, value_name = "ENVELOPE")]
    pub(crate) statement: Option<PathBuf>,
    /// The proof that the log continues this checkpoint
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) since: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyLogArgs {
    #[command(flatten)]
    pub(crate) log: LogDirArgs,
    /// A receipt (`.tlog-proof`), a continuation or an exported log; without it the log at hand is verified
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The log's public keys, when not those beside the log
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    /// Which witnesses must have cosigned, in the form of c2sp.org/tlog-policy; the logs that it names are accepted
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The DSSE envelope that the receipt must be for
    #[arg(long, value_name = "ENVELOPE")]
    pub(crate) statement: Option<PathBuf>,
    /// The older checkpoint that the continuation, or the log at hand, must continue
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) since: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) log: LogDirArgs,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) log: LogDirArgs,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
