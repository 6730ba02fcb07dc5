//! `alnage policy`: packs shown and tested, decisions made, explained and replayed.

mod text;

use std::{collections::BTreeMap, io, path::Path, process::ExitCode};

use alnage_pipeline::{Input, describe, evidence, rfc3339, vet};
use alnage_policy::{
    Decision, Effect, Error, INPUT_SCHEMA, Pack, SHIPPED, example_input, explain, unknown_keys,
};
use anyhow::Context as _;
use serde_json::{Value, json};
use ureq::http::Method;

use super::{
    unflagged,
    vet::{now, options},
};
use crate::{
    args::{AskedArgs, EvalArgs, ListFormat, PolicyCommand, PolicyFormat, ReplayArgs, ShowArgs},
    exit,
    output::{self, hinted, warn},
    progress::Bar,
    remote::Remote,
};

/// Longer inputs are none.
const MAX_INPUT: u64 = 256 << 20;
/// Longer files are none of a pack.
const MAX_PACK_FILE: u64 = 1 << 20;
/// More files has no pack.
const MAX_PACK_FILES: usize = 1000;

/// Runs a command of this family.
pub(super) fn run(command: &PolicyCommand) -> anyhow::Result<ExitCode> {
    match command {
        PolicyCommand::List { format } => list(*format)?,
        PolicyCommand::Show(arguments) => show(arguments)?,
        PolicyCommand::Test { packs, verbose } => return test(packs, *verbose),
        PolicyCommand::Check { pack, input } => check(pack, input.as_deref())?,
        PolicyCommand::Eval(arguments) => return eval(arguments),
        PolicyCommand::Explain(arguments) => return tell_why(arguments),
        PolicyCommand::Replay(arguments) => return replay(arguments),
        PolicyCommand::Example => output::print(&format!("{:#}\n", example_input()))?,
        PolicyCommand::Schema => output::print(INPUT_SCHEMA)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A shipped pack by its name, or one in a directory.
pub(super) fn pack(named: &str) -> anyhow::Result<Pack> {
    if let Some(pack) = Pack::shipped(named) {
        return Ok(pack);
    }
    let directory = Path::new(named);
    if !directory.is_dir() {
        let names = SHIPPED.join("`, `");
        return Err(hinted(
            format!("there is no pack `{named}`"),
            format!("`{names}` are shipped; a pack of one's own is a directory with `policy.toml`"),
        ));
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(|| format!("`{named}`"))? {
        let entry = entry.with_context(|| format!("`{named}`"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_of_pack = [".rego", ".toml", ".json", ".md"].iter().any(|ending| name.ends_with(ending));
        if name.starts_with('.') || !is_of_pack {
            continue;
        }
        if files.len() >= MAX_PACK_FILES {
            anyhow::bail!("`{named}` has more than {MAX_PACK_FILES} files");
        }
        let bytes = alnage_fs::read_small(&entry.path(), MAX_PACK_FILE)?;
        let text =
            String::from_utf8(bytes).with_context(|| format!("`{}` is no text", entry.path().display()))?;
        files.push((name, text));
    }
    Pack::from_files(files).map_err(|error| in_directory(directory, error))
}

/// Says the place with the directory before it, so that an editor finds it.
fn in_directory(directory: &Path, error: Error) -> anyhow::Error {
    let place = error.place().filter(|place| directory.join(&place.file).is_file());
    match place {
        Some(_) => anyhow::anyhow!("{}/{error}", directory.display()),
        None => anyhow::anyhow!("`{}`: {error}", directory.display()),
    }
}

fn list(format: ListFormat) -> anyhow::Result<()> {
    let packs: Vec<Pack> = SHIPPED.iter().filter_map(|name| Pack::shipped(name)).collect();
    let text = match format {
        ListFormat::Text => text::list(&packs),
        ListFormat::Markdown => text::list_markdown(&packs),
        ListFormat::Json => {
            let rows: Vec<Value> = packs.iter().map(pack_json).collect();
            serde_json::to_string_pretty(&rows)? + "\n"
        }
    };
    Ok(output::print(&text)?)
}

fn pack_json(pack: &Pack) -> Value {
    let parameters: serde_json::Map<String, Value> = pack
        .parameters()
        .map(|(name, parameter, value)| {
            (
                name.to_owned(),
                json!({"description": parameter.description, "default": parameter.default, "value": value}),
            )
        })
        .collect();
    json!({
        "name": pack.name(),
        "version": pack.manifest().version,
        "description": pack.manifest().description,
        "digest": pack.digest(),
        "extends": pack.manifest().extends,
        "references": pack.manifest().references,
        "rules": pack.rules(),
        "parameters": parameters,
        "files": pack.files().iter().map(|(name, _)| name).collect::<Vec<_>>(),
    })
}

fn show(arguments: &ShowArgs) -> anyhow::Result<()> {
    let pack = pack(&arguments.pack)?;
    if let Some(directory) = &arguments.export {
        for (name, text) in pack.export() {
            let path = directory.join(&name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).with_context(|| format!("`{}`", parent.display()))?;
            }
            alnage_fs::write_atomic(&path, text.as_bytes())?;
        }
        return Ok(());
    }
    if let Some(name) = &arguments.file {
        let Some((_, text)) = pack.files().iter().find(|(file, _)| file == name) else {
            let names: Vec<&str> = pack.files().iter().map(|(name, _)| name.as_str()).collect();
            return Err(hinted(
                format!("the pack has no file `{name}`"),
                format!("it has `{}`", names.join("`, `")),
            ));
        };
        return Ok(output::print(text)?);
    }
    let text = match arguments.format {
        PolicyFormat::Text => text::pack(&pack),
        PolicyFormat::Json => format!("{:#}\n", pack_json(&pack)),
    };
    Ok(output::print(&text)?)
}

fn test(named: &[String], verbose: bool) -> anyhow::Result<ExitCode> {
    let shipped: Vec<String> = SHIPPED.iter().map(|name| (*name).to_owned()).collect();
    let mut passes = true;
    for name in if named.is_empty() { &shipped } else { named } {
        let pack = pack(name)?;
        let report = pack.test()?;
        passes &= report.passes();
        output::print(&text::report(&pack, &report, verbose))?;
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::from(exit::REFUSED) })
}

fn check(named: &str, input: Option<&Path>) -> anyhow::Result<()> {
    let pack = pack(named)?;
    for rule in pack.test()?.undocumented {
        warn(format_args!("warning: `{rule}` stands either in `[rules]` or among the rules, not in both"));
    }
    if let Some(file) = input {
        let input = read_input(file)?;
        Pack::complete(&input)?;
        for key in unknown_keys(&input) {
            warn(format_args!("warning: no shipped rule reads `{key}`"));
        }
    }
    let (name, version, digest) = (pack.name(), &pack.manifest().version, pack.digest());
    Ok(output::print(&format!("{name} {version} sha256:{digest}\n"))?)
}

/// The pack and the input that the arguments name.
fn asked(arguments: &EvalArgs) -> anyhow::Result<(Pack, BTreeMap<String, Value>, Value)> {
    let mut values = BTreeMap::new();
    for setting in &arguments.set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(hinted(format!("`{setting}` sets nothing"), "`--set approvals=2`"));
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        values.insert(name.to_owned(), value);
    }
    let mut pack = pack(&arguments.policy)?;
    if !values.is_empty() {
        pack = pack.with_parameters(&values)?;
    }
    Ok((pack, values, input_of(arguments)?))
}

/// What is decided about.
fn input_of(arguments: &EvalArgs) -> anyhow::Result<Value> {
    let mut input = match (&arguments.input, &arguments.model) {
        (Some(file), _) => read_input(file)?,
        (None, Some(model)) => vetted_input(model)?,
        (None, None) => anyhow::bail!("there is neither an input nor a model"),
    };
    for file in &arguments.with {
        merge(&mut input, read_input(file)?);
    }
    Ok(input)
}

fn eval(asked_for: &AskedArgs) -> anyhow::Result<ExitCode> {
    let arguments = &asked_for.eval;
    let (values, input, decision) = match &asked_for.registry {
        Some(registry) => {
            let registry = Some(registry.as_str()).filter(|registry| !registry.is_empty());
            let remote = Remote::chosen(registry, asked_for.token_file.as_deref())?;
            let input = input_of(arguments)?;
            let body = json!({ "input": input });
            let answer = remote.ask(&Method::POST, "/api/v1/policies/decisions", Some(&body))?;
            let decision = serde_json::from_value(answer.unwrap_or_default())
                .with_context(|| format!("`{}` gives no decision", remote.address()))?;
            (BTreeMap::new(), input, decision)
        }
        None => {
            let (pack, values, input) = asked(arguments)?;
            let decision = pack.decide(&input)?;
            (values, input, decision)
        }
    };
    let text = match arguments.format {
        PolicyFormat::Text => text::decision(&decision),
        PolicyFormat::Json => format!("{:#}\n", replayable(&decision, &values, input)?),
    };
    output::print(&text)?;
    Ok(code(decision.effect))
}

/// The decision with all that it follows from.
fn replayable(decision: &Decision, values: &BTreeMap<String, Value>, input: Value) -> anyhow::Result<Value> {
    let mut document = serde_json::to_value(decision)?;
    if let Value::Object(fields) = &mut document {
        fields.insert("parameters".to_owned(), serde_json::to_value(values)?);
        fields.insert("evidence".to_owned(), input);
    }
    Ok(document)
}

fn tell_why(arguments: &EvalArgs) -> anyhow::Result<ExitCode> {
    let (pack, _, input) = asked(arguments)?;
    let explanation = explain(&pack, &input)?;
    let text = match arguments.format {
        PolicyFormat::Text => text::explanation(&explanation),
        PolicyFormat::Json => serde_json::to_string_pretty(&explanation)? + "\n",
    };
    output::print(&text)?;
    Ok(code(explanation.decision.effect))
}

fn replay(arguments: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let mut document = read_input(&arguments.decision)?;
    let evidence = document.get_mut("evidence").map(Value::take);
    let values = document.get_mut("parameters").map(Value::take).unwrap_or_else(|| json!({}));
    let old: Decision = serde_json::from_value(document).context("is no decision")?;
    let input = match (&arguments.input, evidence) {
        (Some(file), _) => read_input(file)?,
        (None, Some(evidence)) => evidence,
        (None, None) => return Err(hinted("the decision carries no evidence", "`--input FILE` names it")),
    };
    let values: BTreeMap<String, Value> = serde_json::from_value(values).context("parameters")?;
    let mut pack = pack(arguments.policy.as_deref().unwrap_or(&old.pack))?;
    if !values.is_empty() {
        pack = pack.with_parameters(&values)?;
    }
    let new = pack.decide(&input)?;
    output::print(&text::replay(&old, &new))?;
    Ok(if old == new { ExitCode::SUCCESS } else { ExitCode::from(exit::REFUSED) })
}

fn code(effect: Effect) -> ExitCode {
    match effect {
        Effect::Allow => ExitCode::SUCCESS,
        Effect::Quarantine => ExitCode::from(exit::UNKNOWN),
        Effect::Deny => ExitCode::from(exit::REFUSED),
    }
}

fn read_input(file: &Path) -> anyhow::Result<Value> {
    let bytes = if file.as_os_str() == "-" {
        alnage_fs::read_stdin(io::stdin().lock(), MAX_INPUT)?
    } else {
        alnage_fs::read_small(file, MAX_INPUT)?
    };
    serde_json::from_slice(&bytes).with_context(|| format!("`{}` is no JSON", file.display()))
}

/// What is known of a model on this machine.
fn vetted_input(path: &Path) -> anyhow::Result<Value> {
    let settings = unflagged()?;
    let bar = Bar::new(!settings.quiet);
    let vetted = vet(vec![Input::Path(path.to_owned())], &options(&settings), &bar);
    drop(bar);
    if let Some(failure) = vetted.failures.into_iter().next() {
        return Err(failure.error.into());
    }
    let vetted = alnage_pipeline::Vetted { failures: Vec::new(), ..vetted };
    let now = now();
    let bom = describe(&vetted, 0, &rfc3339(now), None, &settings.declared)?;
    let record = vetted.record.models.first().context("nothing was vetted")?;
    let mut input = evidence(record, &bom);
    let text = |key: &str| {
        input.pointer(&format!("/bom/{key}")).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let manifest = record.manifest.digest.map(|digest| format!("sha256:{digest}")).unwrap_or_default();
    let model = json!({
        "kind": "model", "name": text("name"), "origin": "local", "license": text("license"), "manifest": manifest,
    });
    merge(&mut input, json!({"model": model, "now": now}));
    Ok(input)
}

/// RFC 7396. Both sides were read by a parser that bounds how deep they nest.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.shift_remove(&key);
                } else {
                    merge(target.entry(key).or_insert_with(|| json!({})), value);
                }
            }
        }
        (target, patch) => *target = patch,
    }
}
