//! The grammar of policies.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ListFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the packs that come with Alnage
    List {
        /// Text, JSON or Markdown
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Show a pack: what it is for, its rules and its parameters
    Show(ShowArgs),
    /// Try the cases of packs: `tests.toml`, and rules called `test_…` of `…_test.rego`
    Test {
        /// Packs: names, or directories; every shipped one when none is named
        #[arg(value_name = "PACK")]
        packs: Vec<String>,
        /// Tell of every case, not only of those that do not hold
        #[arg(long)]
        verbose: bool,
    },
    /// Compile a pack and look at an input, without deciding anything
    Check {
        /// A name, or a directory
        #[arg(value_name = "PACK", default_value = "default")]
        pack: String,
        /// Also look at this input: JSON, or `-` for standard input
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
    },
    /// Decide: exit code 0 is allow, 1 deny, 3 quarantine
    Eval(Box<AskedArgs>),
    /// Decide, and tell which rule spoke, on which part of the input, and what would change the decision
    Explain(Box<EvalArgs>),
    /// Decide again what `eval --format json` decided, and say whether it comes to the same
    Replay(ReplayArgs),
    /// Print an input that every shipped pack allows, to begin with
    Example,
    /// Print the JSON Schema of the input
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A name, or a directory
    #[arg(value_name = "PACK")]
    pub(crate) pack: String,
    /// Print this file of it instead: `default.rego`
    #[arg(long, value_name = "NAME")]
    pub(crate) file: Option<String>,
    /// Write what Open Policy Agent needs to decide alike into DIR: `opa eval -d DIR -i INPUT data.alnage.deny`
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
    /// Text or JSON
    #[arg(long, value_enum, default_value_t = PolicyFormat::Text)]
    pub(crate) format: PolicyFormat,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The pack: a name, or a directory
    #[arg(long, value_name = "PACK", default_value = "default")]
    pub(crate) policy: String,
    /// What is known of the model, as JSON; `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "model", conflicts_with = "model")]
    pub(crate) input: Option<PathBuf>,
    /// Vet this model, and decide about what is found
    #[arg(long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
    /// JSON that is merged into the input (RFC 7396): who asks, what for, signatures, approvals
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    /// Set a parameter of the pack; the value is JSON, or a text
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Text or JSON
    #[arg(long, value_enum, default_value_t = PolicyFormat::Text)]
    pub(crate) format: PolicyFormat,
}

#[derive(Debug, Args)]
pub(crate) struct AskedArgs {
    #[command(flatten)]
    pub(crate) eval: EvalArgs,
    /// Have a registry decide, by what decides there; where one is logged in when URL is left out
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["policy", "set"])]
    pub(crate) registry: Option<String>,
    /// A file with the token for it; when left out, `ALNAGE_TOKEN`, or the token that one is logged in with there
    #[arg(long, value_name = "FILE", requires = "registry")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A decision as `eval --format json` wrote it
    #[arg(long, value_name = "FILE")]
    pub(crate) decision: PathBuf,
    /// The input, when the decision does not carry it
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// The pack: a name, or a directory; the one that the decision names when absent
    #[arg(long, value_name = "PACK")]
    pub(crate) policy: Option<String>,
}

/// The form of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyFormat {
    /// For a person at a terminal
    Text,
    /// For programs, with the input, so that it can be replayed
    Json,
}
