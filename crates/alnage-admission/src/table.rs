//! The table of extractors: which fields of which kinds hold models, and which programs name them how. Data, not code.

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use crate::origin::Role;

const SHIPPED: &str = include_str!("../data/extractors.json");

/// Which fields of which kinds hold models, and which programs name them how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Kinds that load nothing themselves.
    idle: Vec<String>,
    /// Fields of kinds.
    fields: Vec<Field>,
    /// Programs that load models.
    programs: Vec<Program>,
    /// Parts of the names of images that only have the names of servers.
    not_servers: Vec<String>,
    /// What a program that is not in the table is read as.
    pub(crate) unknown_program: Program,
    /// Fields that name a model wherever they stand, when a kind is not in the table.
    pub(crate) telling_fields: Vec<String>,
}

/// A field of some kinds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) kinds: Vec<String>,
    pub(crate) path: String,
    pub(crate) read: Read,
    /// The objects are templates, filled in from others.
    #[serde(default)]
    pub(crate) template: bool,
    /// Its controller puts the model under `/mnt/models`.
    #[serde(default)]
    pub(crate) provisions: bool,
    /// Whose catalogue a name is from.
    #[serde(default)]
    pub(crate) of: Option<String>,
    #[serde(default)]
    pub(crate) role: Option<Role>,
    /// The program that the container runs, where the field says so.
    #[serde(default)]
    pub(crate) program: Option<String>,
}

/// How a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Read {
    /// The specification of a pod.
    Pod,
    /// One container.
    Container,
    /// An address; without a scheme it is a path or a repository.
    Uri,
    /// A repository of the Hub.
    Hub,
    /// An image that holds a model.
    Image,
    /// A name for Ollama.
    Ollama,
    /// A persistent volume claim.
    Claim,
    /// A name in a catalogue.
    Catalogue,
    /// What KServe calls a storage: a key of a Secret, and a path.
    Storage,
    /// A script for a shell.
    Shell,
    /// The configuration of Ray Serve, YAML in a string.
    RayServe,
}

/// How a program names models.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Program {
    pub(crate) name: String,
    /// Parts of names of images whose entry point it is.
    pub(crate) images: Vec<String>,
    pub(crate) commands: Vec<String>,
    /// Modules of Python, and what begins with them.
    pub(crate) modules: Vec<String>,
    /// The only subcommands that load models, if it has subcommands.
    pub(crate) subcommands: Vec<String>,
    /// What its first word that is no flag means.
    pub(crate) positional: Option<Meaning>,
    pub(crate) flags: HashMap<String, Meaning>,
    /// Flags without a value.
    pub(crate) switches: Vec<String>,
    pub(crate) variables: HashMap<String, Meaning>,
    /// The flag that pins.
    pub(crate) revision: Option<String>,
    /// The variable that pins.
    pub(crate) revision_variable: Option<String>,
    pub(crate) remote_code: Vec<String>,
    pub(crate) remote_code_variables: Vec<String>,
    /// Flags, and which of their values are formats that execute code.
    pub(crate) formats: HashMap<String, Vec<String>>,
    pub(crate) bare: Bare,
    /// It serves something even if nothing is named.
    pub(crate) serves: bool,
    /// It does not look at `HF_ENDPOINT`.
    pub(crate) fixed: bool,
    /// Flags of a kind of repository; other than models are not read.
    pub(crate) kind_flags: Vec<String>,
}

/// What a word or variable means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Meaning {
    Model,
    Adapter,
    /// Several `name=path`, or objects in JSON.
    Adapters,
    Part,
    Draft,
    /// An object in JSON whose `model` is a draft.
    DraftJson,
    /// A model only where it has the shape of an address or of `org/name`.
    Likely,
    /// What may be loaded, or only be talked to.
    Possible,
    /// `key=value,…` with a model in `pretrained`.
    Pairs,
    /// An address that may be a model: by its ending, or by what is asked of Ollama.
    Download,
    /// Sources and targets in turn.
    Sources,
    /// A name for Ollama, whatever the program.
    Ollama,
}

impl Meaning {
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Adapter | Self::Adapters => Role::Adapter,
            Self::Part => Role::Part,
            Self::Draft | Self::DraftJson => Role::Draft,
            _ => Role::Model,
        }
    }
}

/// What a name without scheme and slash in front is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bare {
    /// A repository of the Hub.
    #[default]
    Hub,
    /// The same, with a quantisation behind a colon.
    HubPart,
    /// A name for Ollama.
    Ollama,
    /// An image.
    Image,
    /// A path.
    Path,
    /// A name in the program's own catalogue.
    Catalogue,
}

/// Why a table cannot be used.
#[derive(Debug, Error)]
#[error("not a table of extractors: {0}")]
pub struct TableError(#[from] serde_json::Error);

impl Table {
    /// The table that comes with Alnage.
    pub fn shipped() -> Result<Self, TableError> {
        Self::parse(SHIPPED)
    }

    /// A table of one's own.
    pub fn parse(json: &str) -> Result<Self, TableError> {
        Ok(serde_json::from_str(json)?)
    }

    /// Adds the rows of another table behind those of this one; programs of the same name are replaced.
    #[must_use]
    pub fn extended(mut self, other: Self) -> Self {
        self.programs.retain(|known| other.programs.iter().all(|added| added.name != known.name));
        self.programs.splice(0..0, other.programs);
        self.fields.extend(other.fields);
        self.idle.extend(other.idle);
        self.telling_fields.extend(other.telling_fields);
        self.not_servers.extend(other.not_servers);
        self
    }

    pub(crate) fn is_idle(&self, kind: &str) -> bool {
        self.idle.iter().any(|idle| idle == kind)
    }

    pub(crate) fn fields(&self, kind: &str) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.kinds.iter().any(|known| known == kind))
    }

    pub(crate) fn program(&self, name: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.name == name)
    }

    /// The program that `command`, without its directory, is.
    pub(crate) fn command(&self, command: &str) -> Option<&Program> {
        let command = command.rsplit('/').next().unwrap_or(command);
        self.programs.iter().find(|program| program.commands.iter().any(|known| known == command))
    }

    /// The program that a module of Python is.
    pub(crate) fn module(&self, module: &str) -> Option<&Program> {
        let fits = |known: &String| {
            module.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.programs.iter().find(|program| program.modules.iter().any(fits))
    }

    /// The program that is the entry point of `image`, by the last two segments of its name.
    pub(crate) fn image(&self, image: &str) -> Option<&Program> {
        let name = image.split('@').next().unwrap_or(image).to_ascii_lowercase();
        let mut segments = name.rsplit('/');
        let last = segments.next().unwrap_or_default();
        let last = last.split(':').next().unwrap_or(last);
        let name = segments.next().map_or_else(|| last.to_owned(), |owner| format!("{owner}/{last}"));
        if self.not_servers.iter().any(|part| last.contains(part.as_str())) {
            return None;
        }
        let length = |program: &&Program| {
            let fits = program.images.iter().filter(|part| name.contains(part.as_str()));
            fits.map(String::len).max().unwrap_or(0)
        };
        self.programs.iter().filter(|program| length(program) > 0).max_by_key(length)
    }
}
