//! The table of settings: name, meaning, how a value is read and shown.

use std::path::{Path, PathBuf};

use alnage_types::{Level, Verdict};

use super::{Color, Settings, values};

/// A setting that file, environment and flags share.
pub(crate) struct Key {
    /// As in the file and, after `--`, on the command line.
    pub(crate) name: &'static str,
    /// What it does and which values it takes.
    pub(crate) help: &'static str,
    /// Whether it is a path, which in a file is relative to the file.
    pub(crate) is_path: bool,
    /// Reads a value.
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), String>,
    /// Shows the value.
    pub(crate) get: fn(&Settings) -> String,
}

impl Key {
    /// The environment variable: `ALNAGE_FAIL_ON`.
    pub(crate) fn variable(&self) -> String {
        format!("{}{}", super::PREFIX, self.name.replace('-', "_").to_ascii_uppercase())
    }
}

/// The key of this name.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

macro_rules! limit {
    ($name:literal, $field:ident, $help:literal) => {
        Key {
            name: $name,
            help: $help,
            is_path: false,
            set: |settings, text| {
                settings.budget.$field =
                    values::number(text)?.try_into().map_err(|_| "the number is too large".to_owned())?;
                Ok(())
            },
            get: |settings| settings.budget.$field.to_string(),
        }
    };
}

macro_rules! path {
    ($name:literal, $field:ident, $help:literal) => {
        Key {
            name: $name,
            help: $help,
            is_path: true,
            set: |settings, text| {
                settings.$field = Some(path(text)?);
                Ok(())
            },
            get: |settings| settings.$field.as_deref().map_or_else(|| "none".into(), shown),
        }
    };
}

/// Every setting but `policy` and `suppress`, which are tables of the file.
pub(crate) static KEYS: &[Key] = &[
    Key {
        name: "level",
        help: "which findings are shown: `default`, `pedantic` or `audit`",
        is_path: false,
        set: |settings, text| {
            let levels =
                [("default", Level::Default), ("pedantic", Level::Pedantic), ("audit", Level::Audit)];
            settings.level = values::one_of(text, &levels)?;
            Ok(())
        },
        get: |settings| format!("{:?}", settings.level).to_ascii_lowercase(),
    },
    Key {
        name: "fail-on",
        help: "the least verdict that makes the exit code 1: `review` or `block`",
        is_path: false,
        set: |settings, text| {
            settings.fail_on =
                values::one_of(text, &[("review", Verdict::Review), ("block", Verdict::Block)])?;
            Ok(())
        },
        get: |settings| settings.fail_on.as_str().to_owned(),
    },
    Key {
        name: "select",
        help: "the rules that run, by code or beginning of a code; all when empty",
        is_path: false,
        set: |settings, text| {
            settings.select = values::codes(text)?;
            Ok(())
        },
        get: |settings| settings.select.join(","),
    },
    Key {
        name: "ignore",
        help: "the rules that do not run, by code or beginning of a code",
        is_path: false,
        set: |settings, text| {
            settings.ignore = values::codes(text)?;
            Ok(())
        },
        get: |settings| settings.ignore.join(","),
    },
    Key {
        name: "jobs",
        help: "threads: a number from 1 to 256",
        is_path: false,
        set: |settings, text| {
            let range = 1..=256;
            let number = values::number(text)?;
            settings.jobs = usize::try_from(number)
                .ok()
                .filter(|jobs| range.contains(jobs))
                .ok_or("not between 1 and 256")?;
            Ok(())
        },
        get: |settings| settings.jobs.to_string(),
    },
    Key {
        name: "hash",
        help: "whether files are hashed: `true` or `false`",
        is_path: false,
        set: |settings, text| {
            settings.hash = values::boolean(text)?;
            Ok(())
        },
        get: |settings| settings.hash.to_string(),
    },
    Key {
        name: "quiet",
        help: "whether only verdicts are printed: `true` or `false`",
        is_path: false,
        set: |settings, text| {
            settings.quiet = values::boolean(text)?;
            Ok(())
        },
        get: |settings| settings.quiet.to_string(),
    },
    Key {
        name: "color",
        help: "when to colour the verdicts: `auto`, `always` or `never`",
        is_path: false,
        set: |settings, text| {
            let choices = [("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)];
            settings.color = values::one_of(text, &choices)?;
            Ok(())
        },
        get: |settings| format!("{:?}", settings.color).to_ascii_lowercase(),
    },
    path!("key", key, "the private key to seal with: a PEM file"),
    path!("keyring", keyring, "the directory that holds `signing.pem`, when no key is named"),
    Key {
        name: "log",
        help: "the directory of the log",
        is_path: true,
        set: |settings, text| {
            settings.log = path(text)?;
            Ok(())
        },
        get: |settings| shown(&settings.log),
    },
    limit!("max-depth", max_depth, "how deep containers may nest: a number"),
    limit!("max-entries", max_entries, "how many members may be opened: a number"),
    limit!("max-expanded", max_expanded, "bytes that decompression may produce: a size like `64MiB`"),
    limit!(
        "max-ratio",
        max_ratio,
        "beyond `max-expanded`, bytes produced for each compressed byte: a number"
    ),
    limit!("max-steps", max_steps, "parser steps: a number"),
    limit!("max-nodes", max_nodes, "values a parser may keep at a time: a number"),
    limit!("max-member-memory", max_member_memory, "bytes of a member kept in memory: a size like `16MiB`"),
];

/// The keys of the table `[serve]`, and whether each is a path, which is relative to the file.
pub(crate) static SERVE_KEYS: &[(&str, bool)] = &[
    ("admin-token-file", true),
    ("anonymous-read", false),
    ("data", true),
    ("database", false),
    ("listen", false),
    ("log-origin", false),
    ("offline", false),
    ("oidc-client-id", false),
    ("oidc-client-secret-file", true),
    ("oidc-everybody", false),
    ("oidc-groups", false),
    ("oidc-issuer", false),
    ("oidc-roles", false),
    ("policy", false),
    ("public-url", false),
    ("roots", true),
    ("signer-trust", true),
    ("store", false),
    ("tls-cert", true),
    ("tls-key", true),
    ("trust", true),
    ("trusted-keys", false),
    ("upstream", false),
    ("upstream-hosts", false),
    ("upstream-token-file", true),
    ("votes", false),
    ("webhook-hosts", false),
    ("workers", false),
];

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("an empty path".into()) } else { Ok(values::expand_home(Path::new(text))) }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
