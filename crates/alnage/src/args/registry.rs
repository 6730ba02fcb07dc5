//! The grammar of asking a registry.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct RegistryArgs {
    /// Where the registry is; when left out, `ALNAGE_REGISTRY`, where one is logged in, or `http://127.0.0.1:8080`
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) registry: Option<String>,
    /// A file with the token; when left out, `ALNAGE_TOKEN`, or the token that one is logged in with there
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// Text, or the registry's answer in JSON
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, global = true)]
    pub(crate) format: AnswerFormat,
    #[command(subcommand)]
    pub(crate) command: RegistryCommand,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// For a person at a terminal
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Keep the address of a registry and a token for it, for later commands
    ///
    /// The token is that of `--token-file`, or is asked for without being shown, or read from standard input when that is no
    /// terminal. Both are kept in `~/.config/alnage/registry.json`, for their owner alone, and are used when neither a flag
    /// nor the environment says otherwise; the token goes to that registry and to no other
    Login {
        /// Where the registry is
        url: String,
    },
    /// Forget the registry and the token that one is logged in with
    Logout,
    /// Who asks, and what they may do
    Whoami,
    /// List models
    Models {
        /// Whose name holds this
        search: Option<String>,
        /// Whose newest version is in this stage
        #[arg(long)]
        stage: Option<String>,
    },
    /// Show a version of a model, and what was found in it
    Show(Of),
    /// List the versions of a model
    Versions(Of),
    /// List the files of a version
    Files(Of),
    /// Print the bill of materials of a version
    Bom(Of),
    /// Ask that a version be approved
    Request {
        #[command(flatten)]
        of: Of,
        /// What it is needed for
        #[arg(long)]
        reason: String,
    },
    /// List approvals that wait
    Approvals,
    /// Approve what was asked for
    Approve(VoteArgs),
    /// Deny what was asked for
    Deny(VoteArgs),
    /// Move a version to another stage: `production`, `deprecated`, `revoked`, `rejected`
    Move {
        #[command(flatten)]
        of: Of,
        /// The stage
        stage: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Revoke a model, a version, a dataset or a file, and tell what that reaches
    Revoke {
        /// `model/acme/tiny`, `model/acme/tiny@COMMIT`, `dataset/acme/data`, `sha256:…`
        subject: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Tell what is made from something, however far, and where it runs
    BlastRadius {
        /// `model/acme/tiny`, `dataset/acme/data`, `sha256:…`
        subject: String,
    },
    /// List where models run
    Deployments,
    /// Scan a version again
    Scan(Of),
    /// List one's tokens
    Tokens,
    /// Make a token, and print it: it is shown this once
    AddToken {
        /// What to call it
        name: String,
        /// The most that may be done with it: `consumer`
        #[arg(long)]
        role: Option<String>,
        /// A project it is for; may be given again. All when left out
        #[arg(long, value_name = "NAME")]
        project: Vec<String>,
        /// How long it lives
        #[arg(long)]
        days: Option<u32>,
        /// Whose it is
        #[arg(long)]
        account: Option<String>,
    },
    /// End a token
    EndToken {
        /// Its number
        id: i64,
    },
    /// List accounts
    Users,
    /// Make an account
    AddUser {
        /// What to call it
        name: String,
        /// What it may do: `reviewer`, or `acme:publisher` in one project; may be given again
        #[arg(long)]
        role: Vec<String>,
        /// For a program, not for a person
        #[arg(long)]
        service: bool,
    },
    /// Tell who did and who read what
    Audit,
    /// Copy the registry in a directory, records and content, while it runs
    Backup {
        /// A directory that is empty or not there yet
        to: PathBuf,
        /// Where the registry is; where `alnage serve` keeps it when left out
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Make a registry of such a copy, where there is none yet
    Restore {
        /// The copy
        from: PathBuf,
        /// Where the registry is to be; where `alnage serve` keeps it when left out
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
}

/// Which version of which model.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// `acme/tiny`, or `acme/tiny@REVISION`; `main` when no revision is named
    #[arg(value_name = "MODEL")]
    pub(crate) model: String,
    /// A dataset, not a model
    #[arg(long)]
    pub(crate) dataset: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VoteArgs {
    /// The number of the approval: `alnage registry approvals` lists them
    pub(crate) approval: i64,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Under which conditions
    #[arg(long, default_value = "")]
    pub(crate) conditions: String,
}
