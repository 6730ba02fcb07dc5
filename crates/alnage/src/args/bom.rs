//! The grammar of bills of materials.

use std::path::PathBuf;

use alnage_pipeline::materials::{Format, Profile};
use clap::{Args, Subcommand, ValueEnum};

use super::{ListFormat, SettingArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum BomCommand {
    /// Describe a model: what it is, what it is made of and from, and which source says so
    Generate(Box<GenerateArgs>),
    /// Check documents against their official schemas, and what schemas cannot say
    Validate(ValidateArgs),
    /// Say what differs between two documents, whatever their formats
    Diff(DiffArgs),
    /// Make one document of several: the system that all their models are parts of
    Merge(MergeArgs),
    /// Say how much of what regulators ask for a document says
    Score(ScoreArgs),
    /// Write a document in another format, and say what is lost
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The model: a file or a directory
    pub(crate) path: PathBuf,
    /// The format of the document
    #[arg(long, value_enum, default_value_t = BomFormat::Cyclonedx)]
    pub(crate) format: BomFormat,
    /// Write the document to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Also write what is and is not exploitable, as OpenVEX
    #[arg(long, value_name = "FILE")]
    pub(crate) vex: Option<PathBuf>,
    /// The model's name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The model's version: a commit or a release
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Who is responsible for the document
    #[arg(long)]
    pub(crate) author: Option<String>,
    /// Who supplies the model
    #[arg(long)]
    pub(crate) supplier: Option<String>,
    /// The time of the document, RFC 3339, to make it again alike; now when absent
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// Sign the document inside, with `--key`: JSON Signature Format, which only CycloneDX has
    #[arg(long)]
    pub(crate) sign: bool,
    /// Also write a signed attestation of the document about the model, as a Sigstore bundle, made with `--key`
    #[arg(long, value_name = "FILE")]
    pub(crate) attest: Option<PathBuf>,
    /// Also write a signed attestation of the OpenVEX document, as a Sigstore bundle, made with `--key`
    #[arg(long, value_name = "FILE")]
    pub(crate) attest_vex: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The documents
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Also check the signature inside each document with this public key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The form of what is told
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The document before
    pub(crate) before: PathBuf,
    /// The document after
    pub(crate) after: PathBuf,
    /// The form of what is told
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The documents
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The name of the system
    #[arg(long)]
    pub(crate) name: String,
    /// The version of the system
    #[arg(long, value_name = "VERSION")]
    pub(crate) system_version: Option<String>,
    /// The time of the document, RFC 3339; now when absent
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// The format of the document
    #[arg(long, value_enum, default_value_t = BomFormat::Cyclonedx)]
    pub(crate) format: BomFormat,
    /// Write the document to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// The document
    pub(crate) file: PathBuf,
    /// The list of elements; all lists when absent
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ScoreProfile>,
    /// The form of what is told
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The document
    pub(crate) file: PathBuf,
    /// The new format
    #[arg(long, value_enum)]
    pub(crate) format: BomFormat,
    /// Write the document to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The format of a bill of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BomFormat {
    /// CycloneDX 1.7
    Cyclonedx,
    /// CycloneDX 1.6
    #[value(name = "cyclonedx-1.6")]
    Cyclonedx16,
    /// SPDX 3.0.1
    Spdx,
}

impl From<BomFormat> for Format {
    fn from(format: BomFormat) -> Self {
        match format {
            BomFormat::Cyclonedx => Self::CycloneDx17,
            BomFormat::Cyclonedx16 => Self::CycloneDx16,
            BomFormat::Spdx => Self::Spdx,
        }
    }
}

/// A list of elements that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScoreProfile {
    /// "SBOM for AI: minimum elements" of the G7, 2026
    G7,
    /// "2026 minimum elements" of CISA
    #[value(name = "cisa-2026")]
    Cisa,
    /// EU AI Act, Annex IV
    AnnexIv,
    /// EU AI Act, Annex XI
    AnnexXi,
    /// EU AI Act, Annex XII
    AnnexXii,
}

impl From<ScoreProfile> for Profile {
    fn from(profile: ScoreProfile) -> Self {
        match profile {
            ScoreProfile::G7 => Self::G7,
            ScoreProfile::Cisa => Self::Cisa,
            ScoreProfile::AnnexIv => Self::AnnexIv,
            ScoreProfile::AnnexXi => Self::AnnexXi,
            ScoreProfile::AnnexXii => Self::AnnexXii,
        }
    }
}
