//! The command line's grammar.

mod bom;
mod convert;
mod detonate;
mod gate;
mod guard_host;
mod kube;
mod policy;
mod registry;
mod run;
mod serve;
mod signing;
mod trust;

use std::path::PathBuf;

pub(crate) use bom::{BomCommand, ConvertArgs, DiffArgs, GenerateArgs, MergeArgs, ScoreArgs, ValidateArgs};
pub(crate) use convert::{ConversionArgs, ConversionFormat};
pub(crate) use detonate::{DetonateArgs, DetonationFormat, JailArgs};
pub(crate) use gate::GateArgs;
pub(crate) use guard_host::GuardArgs;
pub(crate) use kube::{AdmissionArgs, CheckArgs, CheckFormat, KubeCommand, WebhookArgs};
pub(crate) use policy::{AskedArgs, EvalArgs, PolicyCommand, PolicyFormat, ReplayArgs, ShowArgs};
pub(crate) use registry::{AnswerFormat, Of, RegistryArgs, RegistryCommand};
pub(crate) use run::RunArgs;
pub(crate) use serve::{Given, ServeArgs, WorkerArgs};
pub(crate) use signing::{KeygenArgs, SignArgs, SignatureArgs, SignatureCommand, VerifyArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::LogCommand;

pub(crate) use trust::{CertificateArgs, RevokeArgs, TrustArgs};

/// Tests, seals and gates AI models.
///
/// Every model is treated as a hostile program: it is read, never loaded, and what would run, escape or mislead is
/// told with the reconstructed call and the byte where it stands.
#[derive(Debug, Parser)]
#[command(name = "alnage", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 pass or verified; 1 a verdict at or above --fail-on, or not verified; 2 could not run; 3 not \
everything could be understood. Of several the gravest wins, in the order 1, 3, 2.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Vet models: a verdict for each PATH, with findings
    Vet(Box<VetArgs>),
    /// Check what the code beside a model is built from: dependency files, and wheels
    Deps(Box<DepsArgs>),
    /// Load models in a jail and tell what they do there
    ///
    /// Each file that something runs in when it is loaded gets a jail of its own: name spaces, no network, nothing of the
    /// machine but Python. Programs, files, connections, secrets and planted files are reported, less what a harmless
    /// file of the same kind does. "No behaviour observed" is never "safe"
    Detonate(Box<DetonateArgs>),
    /// Convert checkpoints to safetensors without executing them, and attest what became of what
    Convert(Box<ConversionArgs>),
    /// Make a good and a weaponised model in `./alnage-tour/` and take both through everything
    Tour,
    /// Verify a model against its signature, and its seal where there is one
    Verify(Box<VerifyArgs>),
    /// Run a program that can open no model but those whose seal verifies
    ///
    /// Each file that the program opens is looked at first: one that holds a model, or lies in a sealed one, is verified,
    /// and the program gets the very file that was. The exit code is the program's, 128 and the number of the signal that
    /// ended it, or 2 when it could not be started
    Run(Box<RunArgs>),
    /// Let no process of this host open a model but those whose seal verifies; for root
    ///
    /// Whoever opens a file on a guarded file system waits until it was looked at. SIGHUP reads trust again and begins a
    /// new audit file where the old one was moved away; SIGTERM ends it
    #[command(name = "guard-host")]
    GuardHost(Box<GuardArgs>),
    /// Serve the registry: one door for models into the organisation
    ///
    /// Hub clients that are told `HF_ENDPOINT=http://127.0.0.1:8080` download and upload through it; what is unknown is
    /// pulled from the upstream hub, scanned and judged, and nothing is given out before it is allowed. The first start
    /// prints the token of the account `admin`. SIGTERM ends it in good order
    Serve(Box<ServeArgs>),
    /// Ask a registry: models, approvals, revocations, who runs what
    Registry(Box<RegistryArgs>),
    /// Pull, scan and notify for servers that share a database and a store
    Worker(Box<WorkerArgs>),
    /// Answer Kubernetes, synchronously, whether every model that an object names is approved and pinned
    Webhook(Box<WebhookArgs>),
    /// Look at Kubernetes manifests: which models they would load, and what is wrong with how
    Kube {
        #[command(subcommand)]
        command: KubeCommand,
    },
    /// Sign a model without vetting it
    Sign(Box<SignArgs>),
    /// Look at a signature without verifying it
    Signature {
        #[command(subcommand)]
        command: SignatureCommand,
    },
    /// Enter a key, a certificate or a model in a signed list of what counts no more
    Revoke(RevokeArgs),
    /// Print the public key of a private one: a file, a key in a token, a key behind a program
    PublicKey {
        /// The private key: a file, `pkcs11:…` or `exec:…`
        #[arg(long, value_name = "KEY")]
        key: PathBuf,
    },
    /// Make a key pair for signing
    Keygen(KeygenArgs),
    /// The transparency log: append, prove, verify, audit
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Bills of materials: make, check, compare, merge, score and convert them
    Bom {
        #[command(subcommand)]
        command: BomCommand,
    },
    /// Policies: packs shown and tested, decisions made, explained and replayed
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// List the rules
    Rules(ListArgs),
    /// Explain a rule
    Explain {
        /// The rule's code or name: `PKL004`
        code: String,
    },
    /// List the formats, and what is known of each afterwards
    Formats(ListArgs),
    /// The configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct VetArgs {
    /// Files, directories, patterns, or `-` for standard input; each is one model
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Format of a report; the first is for the first `-o`, and so on
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Vec<ReportFormat>,
    /// Write a report to FILE instead of standard output; its format is the `--format` in the same position, or
    /// follows from the extension (`.json`, `.sarif`, `.md`, anything else is text)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// On `pass`, write signature, bill of materials and signed verdict beside the model and log the verdict
    #[arg(long)]
    pub(crate) seal: bool,
    /// Load the model in a jail too, and add what it does there to the verdict
    #[arg(long)]
    pub(crate) detonate: bool,
    #[command(flatten)]
    pub(crate) jail: JailArgs,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DepsArgs {
    /// Dependency files, or directories that are searched for them: requirements.txt, pyproject.toml, uv.lock,
    /// poetry.lock, pylock.toml, Pipfile.lock, environment.yml,
    /// pip's installation report (pip-report.json)
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Advisories: OSV records as a directory of JSON or zip files, or one such file
    #[arg(long, value_name = "PATH")]
    pub(crate) osv_db: Option<PathBuf>,
    /// Vet the wheels in DIR too, and verify the attestations beside them (`WHEEL.provenance`,
    /// `WHEEL.publish.attestation`)
    #[arg(long, value_name = "DIR")]
    pub(crate) wheels: Option<PathBuf>,
    /// Whose word counts for attestations: a trusted root of Sigstore in JSON. That of the public instance is built in
    #[arg(long, value_name = "FILE", requires = "wheels")]
    pub(crate) trusted_root: Option<PathBuf>,
    /// A package name that belongs to nobody outside; `acme-*` stands for all that begin so
    #[arg(long, value_name = "NAME")]
    pub(crate) internal: Vec<String>,
    /// Format of a report; the first is for the first `-o`, and so on
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Vec<ReportFormat>,
    /// Write a report to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

/// Flags that set what the configuration can also set.
#[derive(Debug, Default, Args)]
pub(crate) struct SettingArgs {
    /// Which findings are shown
    #[arg(long, value_name = "LEVEL", value_parser = ["default", "pedantic", "audit"])]
    pub(crate) level: Option<String>,
    /// The least verdict that makes the exit code 1
    #[arg(long, value_name = "VERDICT", value_parser = ["review", "block"])]
    pub(crate) fail_on: Option<String>,
    /// Run only these rules: codes or beginnings of codes, separated by commas
    #[arg(long, value_name = "CODE")]
    pub(crate) select: Vec<String>,
    /// Do not run these rules: codes or beginnings of codes, separated by commas
    #[arg(long, value_name = "CODE")]
    pub(crate) ignore: Vec<String>,
    /// Threads
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<String>,
    /// Do not hash files; the record then has no digests, and nothing can be sealed
    #[arg(long)]
    pub(crate) no_hash: bool,
    /// The private key to seal with: a file, `pkcs11:…` or `exec:…`
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<PathBuf>,
    /// The directory that holds `signing.pem`, when no key is named
    #[arg(long, value_name = "DIR")]
    pub(crate) keyring: Option<PathBuf>,
    /// The directory of the log
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// How deep containers may nest
    #[arg(long, value_name = "N", help_heading = "Limits for each file")]
    pub(crate) max_depth: Option<String>,
    /// How many members may be opened
    #[arg(long, value_name = "N", help_heading = "Limits for each file")]
    pub(crate) max_entries: Option<String>,
    /// Bytes that decompression may produce without regard to the ratio: `64MiB`
    #[arg(long, value_name = "SIZE", help_heading = "Limits for each file")]
    pub(crate) max_expanded: Option<String>,
    /// Beyond `--max-expanded`: bytes produced for each compressed byte
    #[arg(long, value_name = "N", help_heading = "Limits for each file")]
    pub(crate) max_ratio: Option<String>,
    /// Parser steps: pickle opcodes, protobuf fields, table rows
    #[arg(long, value_name = "N", help_heading = "Limits for each file")]
    pub(crate) max_steps: Option<String>,
    /// Values a parser may keep at a time
    #[arg(long, value_name = "N", help_heading = "Limits for each file")]
    pub(crate) max_nodes: Option<String>,
    /// Bytes of a decompressed member kept in memory
    #[arg(long, value_name = "SIZE", help_heading = "Limits for each file")]
    pub(crate) max_member_memory: Option<String>,
    /// Only the verdicts, and no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// When to colour the verdicts
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "always", "never"])]
    pub(crate) color: Option<String>,
    #[command(flatten)]
    pub(crate) file: FileArgs,
}

/// Which configuration file is read.
#[derive(Debug, Default, Args)]
pub(crate) struct FileArgs {
    /// Read this configuration instead of the nearest `alnage.toml`
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long)]
    pub(crate) no_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Text, JSON or Markdown
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every value and where it came from
    Show(Box<SettingArgs>),
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a person at a terminal
    Text,
    /// The record itself
    Json,
    /// For code scanning services and viewers
    Sarif,
    /// For a comment on a pull request
    Markdown,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For a person at a terminal
    Text,
    /// For programs
    Json,
    /// For documents
    Markdown,
}
