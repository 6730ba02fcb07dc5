//! Settings from four places, weakest first: defaults, `alnage.toml`, environment, flags; each value knows which.

mod file;
mod keys;
mod values;

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
};

use alnage_pipeline::materials::Declared;
use alnage_scan::{Policy, Suppression};
use alnage_types::{Budget, Level, Verdict};
use anyhow::Context as _;

pub(crate) use keys::{KEYS, Key, SERVE_KEYS};
pub(crate) use values::number as parse_size;

use crate::{
    args::{FileArgs, SettingArgs},
    output::{hinted, warn},
    signer,
};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) level: Level,
    pub(crate) fail_on: Verdict,
    pub(crate) select: Vec<String>,
    pub(crate) ignore: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) hash: bool,
    pub(crate) quiet: bool,
    pub(crate) color: Color,
    pub(crate) key: Option<PathBuf>,
    pub(crate) keyring: Option<PathBuf>,
    pub(crate) log: PathBuf,
    pub(crate) budget: Budget,
    pub(crate) policy: Policy,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) declared: Declared,
    /// What `[serve]` says, as flags would.
    pub(crate) serve: BTreeMap<String, String>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Environment(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Settings, and where each that is no default came from.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    /// By key, `policy.high` and `suppress.1` among them.
    pub(crate) origins: BTreeMap<String, Origin>,
}

/// The name of the configuration file.
pub(crate) const FILE_NAME: &str = "alnage.toml";
const PREFIX: &str = "ALNAGE_";

impl Config {
    /// Reads all layers, and tells of variables that look like settings and are none.
    pub(crate) fn load(flags: &SettingArgs) -> anyhow::Result<Self> {
        Self::load_and_tell(flags, &|doubt| warn(doubt))
    }

    /// Reads all layers and tells nobody anything: a library has no terminal of its own.
    pub(crate) fn load_quietly(flags: &SettingArgs) -> anyhow::Result<Self> {
        Self::load_and_tell(flags, &|_| {})
    }

    fn load_and_tell(flags: &SettingArgs, tell: &dyn Fn(fmt::Arguments<'_>)) -> anyhow::Result<Self> {
        let mut config = Self { settings: Settings::default(), origins: BTreeMap::new() };
        if let Some(path) = file_to_read(&flags.file)? {
            file::apply(&mut config, &path)?;
        }
        config.apply_environment(
            env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
            tell,
        )?;
        config.apply_flags(flags)?;
        Ok(config)
    }

    /// Sets `key` and remembers from where.
    fn set(&mut self, key: &Key, value: &str, origin: Origin) -> anyhow::Result<()> {
        (key.set)(&mut self.settings, value).map_err(|reason| {
            hinted(format!("`{value}` is no value for `{}` ({origin}): {reason}", key.name), key.help)
        })?;
        self.origins.insert(key.name.to_owned(), origin);
        Ok(())
    }

    fn apply_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
        tell: &dyn Fn(fmt::Arguments<'_>),
    ) -> anyhow::Result<()> {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if signer::VARIABLES.contains(&name.as_str())
                || name == "ALNAGE_REGISTRY"
                || name == "ALNAGE_TOKEN"
            {
                continue;
            }
            match KEYS.iter().find(|key| key.variable() == name) {
                Some(key) => self.set(key, &value, Origin::Environment(name))?,
                None => {
                    let names: Vec<String> = KEYS.iter().map(Key::variable).collect();
                    if SERVE_KEYS.iter().any(|(key, _)| {
                        name == format!("{PREFIX}SERVE_{}", key.replace('-', "_").to_ascii_uppercase())
                    }) {
                        continue;
                    }
                    if let Some(close) = values::closest(&name, names.iter().map(String::as_str)) {
                        tell(format_args!("warning: `{PREFIX}{rest}` sets nothing; did you mean `{close}`?"));
                    }
                }
            }
        }
        Ok(())
    }

    fn apply_flags(&mut self, flags: &SettingArgs) -> anyhow::Result<()> {
        let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let list = |codes: &Vec<String>| (!codes.is_empty()).then(|| codes.join(","));
        let given = [
            ("level", flags.level.clone()),
            ("fail-on", flags.fail_on.clone()),
            ("select", list(&flags.select)),
            ("ignore", list(&flags.ignore)),
            ("jobs", flags.jobs.clone()),
            ("hash", flags.no_hash.then(|| "false".to_owned())),
            ("quiet", flags.quiet.then(|| "true".to_owned())),
            ("color", flags.color.clone()),
            ("key", text(&flags.key)),
            ("keyring", text(&flags.keyring)),
            ("log", text(&flags.log)),
            ("max-depth", flags.max_depth.clone()),
            ("max-entries", flags.max_entries.clone()),
            ("max-expanded", flags.max_expanded.clone()),
            ("max-ratio", flags.max_ratio.clone()),
            ("max-steps", flags.max_steps.clone()),
            ("max-nodes", flags.max_nodes.clone()),
            ("max-member-memory", flags.max_member_memory.clone()),
        ];
        for (name, value) in given {
            let (Some(key), Some(value)) = (keys::key(name), value) else { continue };
            let flag = if name == "hash" { "--no-hash".to_owned() } else { format!("--{name}") };
            self.set(key, &value, Origin::Flag(flag))?;
        }
        Ok(())
    }

    /// Where `key` got its value from.
    pub(crate) fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

/// The file the flags or the environment name, or the nearest `alnage.toml` from here upward.
fn file_to_read(flags: &FileArgs) -> anyhow::Result<Option<PathBuf>> {
    if flags.no_config {
        return Ok(None);
    }
    if let Some(path) = &flags.config {
        return Ok(Some(path.clone()));
    }
    if let Some(path) = env::var_os("ALNAGE_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(Some(path.into()));
    }
    let here = env::current_dir().context("the current directory is gone")?;
    Ok(here.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file()))
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::Default,
            fail_on: Verdict::Review,
            select: Vec::new(),
            ignore: Vec::new(),
            jobs: std::thread::available_parallelism().map_or(1, |count| count.get().min(16)),
            hash: true,
            quiet: false,
            color: Color::Auto,
            key: None,
            keyring: None,
            log: data_directory().join("alnage/log"),
            budget: Budget::default(),
            policy: Policy::default(),
            suppressions: Vec::new(),
            declared: Declared::default(),
            serve: BTreeMap::new(),
        }
    }
}

/// Where `alnage verify` remembers the digests of files.
pub(crate) fn seen_directory() -> PathBuf {
    data_directory().join("alnage/seen")
}

/// Where `alnage serve` keeps everything unless told otherwise.
pub(crate) fn registry_directory() -> PathBuf {
    data_directory().join("alnage/registry")
}

/// Where is remembered what registries approved, for when they cannot be asked.
pub(crate) fn approvals_directory() -> PathBuf {
    data_directory().join("alnage/approvals")
}

/// Where a login at a registry is kept.
pub(crate) fn login_file() -> PathBuf {
    directory("XDG_CONFIG_HOME", "~/.config").join("alnage/registry.json")
}

fn data_directory() -> PathBuf {
    directory("XDG_DATA_HOME", "~/.local/share")
}

/// What the environment names, if that is a place, or else `usual`.
fn directory(variable: &str, usual: &str) -> PathBuf {
    let configured = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    configured.unwrap_or_else(|| values::expand_home(Path::new(usual)))
}

#[cfg(test)]
mod tests;
