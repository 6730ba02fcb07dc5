//! Small text files that make programs act: shell scripts, requirements, path files, pointers to absent content.

use std::sync::Arc;

use alnage_types::{IssueKind, Reader, Source};
use serde::Serialize;

use super::RepositoryFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

const MAX_BYTES: u64 = 4 << 20;
const MAX_LINES: usize = 20_000;

/// Facts of a file that is read line by line.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinesFacts {
    /// How many lines say something.
    pub count: u64,
    /// The lines that say something, with their place: rules judge them.
    #[serde(skip)]
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text, shortened, continued lines joined.
    pub text: String,
    /// First byte.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
}

/// Endings of scripts that shells and other interpreters run.
const SCRIPTS: &[&str] = &[
    "sh", "bash", "zsh", "fish", "csh", "ksh", "command", "bat", "cmd", "ps1", "psm1", "vbs", "wsf", "pl",
    "rb", "lua", "php", "r", "desktop",
];

pub(super) static SHELL: Format = Format {
    id: "shell-script",
    title: "Script",
    extensions: SCRIPTS,
    load_effect: LoadEffect::Executes,
    reads: "each line, looked at for commands that attacks are made of; make files, container files and the like too",
    cannot: "what its variables come to",
    identify: is_script,
    parse,
};

pub(super) static REQUIREMENTS: Format = Format {
    id: "requirements",
    title: "Python requirements",
    extensions: &[],
    load_effect: LoadEffect::MayExecute,
    reads: "each requirement and option, those in Conda environments too",
    cannot: "what the packages do that it names",
    identify: is_requirements,
    parse,
};

pub(super) static LOCK: Format = Format {
    id: "python-lock",
    title: "Python project or lock file",
    extensions: &[],
    load_effect: LoadEffect::Data,
    reads: "each line; names and versions of packages for the bill of materials",
    cannot: "what the packages do that it names",
    identify: is_lock,
    parse,
};

pub(super) static PATH_FILE: Format = Format {
    id: "python-path-file",
    title: "Python path file",
    extensions: &["pth"],
    load_effect: LoadEffect::Executes,
    reads: "each line, and which ones Python runs as code",
    cannot: "whether it ends up in a folder that Python reads at start",
    identify: is_path_file,
    parse,
};

pub(super) static POINTER: Format = Format {
    id: "git-lfs-pointer",
    title: "Git LFS pointer",
    extensions: &[],
    load_effect: LoadEffect::Data,
    reads: "the digest and size of the content it stands for",
    cannot: "the content, which is not there",
    identify: is_pointer,
    parse: parse_pointer,
};

fn is_script(probe: &Probe<'_>) -> bool {
    let shells: [&[u8]; 8] = [b"sh", b"bash", b"zsh", b"dash", b"ksh", b"pwsh", b"perl", b"ruby"];
    let shebang = probe.shebang().is_some_and(|line| {
        line.split(|&byte| matches!(byte, b'/' | b' ' | b'\r')).any(|word| shells.contains(&word))
    });
    let named = probe.extension().is_some_and(|extension| SCRIPTS.contains(&extension));
    (shebang || named || is_recipe(probe.path.name())) && probe.is_text()
}

/// Files whose lines a tool hands to a shell.
fn is_recipe(name: &str) -> bool {
    matches!(
        name,
        "Makefile"
            | "makefile"
            | "GNUmakefile"
            | "Dockerfile"
            | "Containerfile"
            | "Justfile"
            | "justfile"
            | ".envrc"
    ) || name.ends_with(".mk")
        || name.starts_with("Dockerfile.")
}

fn is_requirements(probe: &Probe<'_>) -> bool {
    let name = probe.path.name().to_ascii_lowercase();
    let plain = name.starts_with("requirements") && (name.ends_with(".txt") || name.ends_with(".in"));
    let conda = matches!(
        name.as_str(),
        "conda.yaml" | "conda.yml" | "environment.yaml" | "environment.yml" | "python_env.yaml"
    );
    (plain || conda) && probe.is_text()
}

fn is_lock(probe: &Probe<'_>) -> bool {
    let name = probe.path.name();
    let known = matches!(name, "pyproject.toml" | "uv.lock" | "poetry.lock" | "pylock.toml" | "pdm.lock");
    (known || name.starts_with("pylock.") && name.ends_with(".toml")) && probe.is_text()
}

fn is_path_file(probe: &Probe<'_>) -> bool {
    probe.extension() == Some("pth") && probe.is_text() && !is_pointer(probe)
}

fn is_pointer(probe: &Probe<'_>) -> bool {
    probe.len() < 1024
        && (probe.starts_with(b"version https://git-lfs.github.com/spec/")
            || probe.starts_with(b"version https://hawser.github.com/spec/"))
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    Facts::Repository(Box::new(RepositoryFacts::Lines(read(source.as_ref(), context))))
}

fn parse_pointer(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let facts = read(source.as_ref(), context);
    context.issue(IssueKind::Unsupported, None, "a Git LFS pointer: the content it stands for is not here");
    Facts::Repository(Box::new(RepositoryFacts::Lines(facts)))
}

fn read(source: &dyn Source, context: &mut Context<'_>) -> LinesFacts {
    context.claim(0..source.len());
    if source.len() > MAX_BYTES {
        context.issue(IssueKind::Budget, None, "a script of more than 4 MiB is not read");
        return LinesFacts::default();
    }
    let bytes = match Reader::new(source).take(source.len()) {
        Ok(bytes) => bytes,
        Err(end) => {
            context.read_end(end, 0, "the file");
            return LinesFacts::default();
        }
    };
    let mut facts = LinesFacts::default();
    let mut start = 0_u64;
    let mut joined: Option<Line> = None;
    for line in bytes.split(|&byte| byte == b'\n') {
        let end = start + line.len() as u64;
        let text = String::from_utf8_lossy(line);
        let trimmed = text.trim();
        let (text, continues) = match trimmed.strip_suffix('\\') {
            Some(rest) => (rest, true),
            None => (trimmed, false),
        };
        let mut current = joined.take().unwrap_or(Line { text: String::new(), start, end });
        if current.text.len() < 4096 {
            current.text.extend(text.chars().take(2048));
        }
        current.end = end;
        if continues {
            joined = Some(current);
        } else if !current.text.is_empty() && !current.text.starts_with('#') {
            facts.count += 1;
            if facts.lines.len() < MAX_LINES {
                facts.lines.push(current);
            }
        }
        start = end + 1;
    }
    if facts.count > facts.lines.len() as u64 {
        context.issue(IssueKind::Budget, None, format!("lines beyond the first {MAX_LINES} are not read"));
    }
    if let Some(last) = joined.filter(|last| !last.text.is_empty()) {
        facts.count += 1;
        facts.lines.push(last);
    }
    facts
}
