//! The words of a command: which program they start, and which of them name models.

use serde_json::Value;

use crate::{
    environment::{Environment, Expanded, is_name},
    origin::Origin,
    shell::Word,
    table::{Meaning, Program, Table},
};

/// Programs that only start others.
const WRAPPERS: &[&str] = &[
    "exec",
    "nohup",
    "sudo",
    "tini",
    "dumb-init",
    "catatonit",
    "stdbuf",
    "nice",
    "ionice",
    "setsid",
    "numactl",
    "with-contenv",
    "env",
    "time",
    "timeout",
    "uv",
    "uvx",
    "poetry",
    "pipenv",
    "conda",
    "micromamba",
    "command",
    "ddtrace-run",
    "opentelemetry-instrument",
    "nsys",
    "mpirun",
    "chroot",
    "gosu",
    "su-exec",
    "runuser",
];
/// Their flags that take a word of their own.
const WRAPPER_VALUES: &[&str] =
    &["-n", "-s", "-k", "-u", "-np", "--name", "--extra", "--with", "--project", "-g"];
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh"];
/// Endings of files that hold models.
const ENDINGS: &[&str] = &[
    ".gguf",
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".onnx",
    ".ckpt",
    ".llamafile",
    ".engine",
    ".h5",
    ".keras",
    ".pb",
    ".tflite",
    ".joblib",
    ".pkl",
    ".mar",
    ".nemo",
    ".ggml",
    ".pte",
];

/// What a program is told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) models: Vec<(Meaning, Word)>,
    pub(crate) revision: Option<Word>,
    pub(crate) remote_code: Vec<(String, Word)>,
    pub(crate) formats: Vec<(String, Word)>,
    /// It does something else.
    pub(crate) loads_nothing: bool,
}

pub(crate) fn base_name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

pub(crate) fn is_python(text: &str) -> bool {
    let name = base_name(text);
    name.strip_prefix("python")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Takes away what only starts the program, and says whether `alnage run` is among it.
pub(crate) fn strip_wrappers(words: &mut Vec<Word>, environment: &mut Environment) -> bool {
    let mut gated = false;
    for _ in 0..8 {
        let Some(first) = words.first() else { break };
        let name = base_name(&first.text);
        if name == "alnage" && words.get(1).is_some_and(|word| word.text == "run") {
            gated = true;
            let end = words.iter().position(|word| word.text == "--");
            words.drain(..end.map_or(words.len(), |end| end + 1));
        } else if WRAPPERS.contains(&name) || name == "ray" && words.iter().any(|word| word.text == "--") {
            let mut taken = 1;
            if name == "ray" {
                taken = words.iter().position(|word| word.text == "--").map_or(1, |end| end + 1);
            }
            while let Some(word) = words.get(taken) {
                let text = word.text.as_str();
                let assigned = text.split_once('=').filter(|(name, _)| is_name(name));
                if let Some((name, value)) = assigned {
                    let value = Expanded { text: value.to_owned(), unresolved: word.unresolved.clone() };
                    environment.set(name, value);
                    taken += 1;
                } else if WRAPPER_VALUES.contains(&text) {
                    taken += 2;
                } else if text.starts_with('-')
                    || ["run", "exec", "profile"].contains(&text)
                    || text.starts_with(|first: char| first.is_ascii_digit())
                {
                    taken += 1;
                } else {
                    break;
                }
            }
            words.drain(..taken.min(words.len()));
        } else {
            break;
        }
    }
    gated
}

/// The script that `words` hand to a shell, and its arguments from `$0`.
pub(crate) fn script_of(words: &[Word]) -> Option<(Word, Vec<Word>)> {
    let mut at = 0;
    if base_name(&words.first()?.text) == "busybox" {
        at = 1;
    }
    if !SHELLS.contains(&base_name(&words.get(at)?.text)) {
        return None;
    }
    at += 1;
    loop {
        let flag = words.get(at)?.text.as_str();
        if !flag.starts_with(['-', '+']) {
            return None;
        }
        at += 1;
        if flag.starts_with("--") {
            continue;
        }
        if flag.ends_with('o') {
            at += 1;
        }
        if flag.starts_with('-') && flag.contains('c') {
            let arguments = words.get(at + 1..).unwrap_or_default().to_vec();
            return Some((words.get(at)?.clone(), arguments));
        }
    }
}

/// The program of the table that `words` start.
pub(crate) fn recognise<'t>(table: &'t Table, words: &[Word]) -> Option<&'t Program> {
    let first = words.first()?;
    match module(words) {
        Some(at) => table.module(&words.get(at)?.text),
        None => table.command(&first.text),
    }
}

/// Where the module stands that Python runs.
fn module(words: &[Word]) -> Option<usize> {
    if !is_python(&words.first()?.text) {
        return None;
    }
    let flags = words.iter().skip(1).take_while(|word| word.text.starts_with('-') && word.text != "-c");
    let at = flags.take_while(|word| word.text != "-m").count() + 1;
    (words.get(at)?.text == "-m").then_some(at + 1)
}

/// What a program is told, without its name.
pub(crate) fn arguments(words: &[Word]) -> Vec<Word> {
    let skipped = module(words).map_or(1, |at| at + 1);
    words.get(skipped..).unwrap_or_default().to_vec()
}

/// What `words` tell `program`.
pub(crate) fn told(program: &Program, words: &[Word]) -> Told {
    let mut told = Told::default();
    let Some(mut rest) = behind_subcommand(program, words) else {
        told.loads_nothing = true;
        return told;
    };
    if let Some(asked) = asked_of_ollama(program, words) {
        told.models.push((Meaning::Ollama, asked));
        return told;
    }
    let mut positionals: Vec<(Word, bool)> = Vec::new();
    let mut first = true;
    while let Some((word, behind)) = rest.split_first() {
        rest = behind;
        let is_flag = word.text.starts_with('-') && word.text.len() > 1;
        if !is_flag {
            positionals.push((word.clone(), first));
            first = false;
            continue;
        }
        first = false;
        let (flag, inline) = match word.text.split_once('=') {
            Some((flag, value)) => (flag, Some(Word { text: value.to_owned(), ..word.clone() })),
            None => (word.text.as_str(), None),
        };
        let flag = if flag.starts_with("--") { flag.replace('_', "-") } else { flag.to_owned() };
        if program.remote_code.contains(&flag) {
            let value = inline.or_else(|| rest.first().cloned()).map(|value| value.text.to_ascii_lowercase());
            if !value.is_some_and(|value| value == "false" || value == "0") {
                told.remote_code.push((flag, word.clone()));
            }
            continue;
        }
        let is_switch = program.switches.contains(&flag)
            || ["--enable-", "--disable-", "--no-", "--use-"].iter().any(|prefix| flag.starts_with(prefix));
        let value = match inline {
            Some(value) => Some(value),
            None if is_switch => None,
            None => {
                rest.first().filter(|next| !next.text.starts_with('-') || next.text.len() == 1).map(|next| {
                    rest = rest.get(1..).unwrap_or_default();
                    next.clone()
                })
            }
        };
        let Some(value) = value else { continue };
        if program.revision.as_deref() == Some(flag.as_str()) {
            told.revision = Some(value);
        } else if program.kind_flags.contains(&flag) {
            told.loads_nothing |= value.text != "model";
        } else if let Some(risky) = program.formats.get(&flag) {
            if risky.contains(&value.text) {
                told.formats.push((flag, value));
            }
        } else if let Some(&meaning) = program.flags.get(&flag) {
            told.models.push((meaning, value));
            while meaning == Meaning::Adapters && rest.first().is_some_and(|next| !next.text.starts_with('-'))
            {
                told.models.extend(rest.first().map(|next| (meaning, next.clone())));
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    positional(program, &mut told, positionals);
    told
}

/// What stands behind the subcommand; none if it is one that loads nothing.
fn behind_subcommand<'w>(program: &Program, words: &'w [Word]) -> Option<&'w [Word]> {
    let first = words.first();
    if program.subcommands.is_empty() || first.is_none_or(|first| first.text.starts_with('-')) {
        return Some(words);
    }
    for subcommand in &program.subcommands {
        let names: Vec<&str> = subcommand.split(' ').collect();
        if names.iter().zip(words).all(|(name, word)| *name == word.text) {
            return words.get(names.len()..);
        }
    }
    // The entry points of images have the subcommand in them.
    first.filter(|first| first.text.contains('/') || first.unresolved.is_some()).map(|_| words)
}

/// What the words that are no flags mean.
fn positional(program: &Program, told: &mut Told, positionals: Vec<(Word, bool)>) {
    match program.positional {
        None => {}
        Some(Meaning::Download) => {
            let mut local = false;
            for (word, _) in positionals {
                // What comes behind a path is where it goes.
                if word.text.starts_with(['/', '.', '~']) {
                    local = true;
                } else if word.text.contains("://") && !local {
                    told.models.push((Meaning::Download, word));
                }
            }
        }
        Some(Meaning::Sources) => {
            told.models.extend(positionals.into_iter().step_by(2).map(|(word, _)| (Meaning::Model, word)));
        }
        Some(meaning) => {
            let has_model = told.models.iter().any(|(known, _)| known.role() == meaning.role());
            let mut candidates = positionals.into_iter();
            let found = match candidates.next() {
                Some((word, true)) => Some(word),
                other => other.into_iter().chain(candidates).map(|(word, _)| word).next(),
            };
            told.models.extend(found.filter(|_| !has_model).map(|word| (meaning, word)));
        }
    }
}

/// The name that a request to Ollama asks it to pull.
fn asked_of_ollama(program: &Program, words: &[Word]) -> Option<Word> {
    if program.name != "fetch" || !words.iter().any(|word| word.text.contains("/api/pull")) {
        return None;
    }
    words.iter().find_map(|word| {
        let body: Value = serde_json::from_str(word.text.trim()).ok()?;
        let name = body.get("model").or_else(|| body.get("name"))?.as_str()?.to_owned();
        Some(Word { text: name, ..word.clone() })
    })
}

/// The models in a value: one, but for lists of pairs and objects.
pub(crate) fn values(meaning: Meaning, text: &str) -> Vec<String> {
    let field = |text: &str, key: &str| {
        let object: Value = serde_json::from_str(text).ok()?;
        Some(object.get(key)?.as_str()?.to_owned())
    };
    match meaning {
        Meaning::Adapters if text.trim_start().starts_with('{') => {
            field(text, "path").or_else(|| field(text, "lora_path")).into_iter().collect()
        }
        Meaning::Adapters => {
            let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
            parts.map(|part| part.split_once('=').map_or(part, |(_, path)| path).to_owned()).collect()
        }
        Meaning::DraftJson => field(text, "model").into_iter().collect(),
        Meaning::Pairs => {
            let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.filter(|(key, _)| *key == "pretrained").map(|(_, value)| value.to_owned()).collect()
        }
        _ => vec![text.to_owned()],
    }
}

/// What an address that is fetched holds, if it may be a model, and whether it must be one.
pub(crate) fn downloaded(text: &str) -> Option<(Origin, bool)> {
    let origin = Origin::address(text)?;
    match &origin {
        Origin::Hub { .. } | Origin::Image { .. } => Some((origin, true)),
        Origin::Address { uri } => {
            let path = uri.split(['?', '#']).next().unwrap_or(uri).to_ascii_lowercase();
            if is_file(&path) {
                return Some((origin, true));
            }
            (!path.starts_with("http") && path.contains("model")).then_some((origin, false))
        }
        _ => None,
    }
}

/// Whether `text` ends as files of models do.
pub(crate) fn is_file(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| text.ends_with(ending))
}

/// Names of models behind interfaces of others, which nobody here loads: `openai/gpt-4o`.
pub(crate) fn of_an_interface(text: &str) -> bool {
    let providers = [
        "azure/",
        "anthropic/",
        "bedrock/",
        "gemini/",
        "vertex_ai/",
        "openrouter/",
        "groq/",
        "hosted_vllm/",
        "ollama/",
    ];
    let of_openai = text.strip_prefix("openai/").is_some_and(|name| {
        let known = ["gpt-3", "gpt-4", "gpt-5", "o1", "o3", "o4", "text-embedding"];
        known.iter().any(|known| name.starts_with(known))
    });
    of_openai || providers.iter().any(|provider| text.starts_with(provider))
}
