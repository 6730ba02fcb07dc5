//! `alnage bom`: bills of materials made, checked, compared, merged, scored and converted.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use alnage_pipeline::{
    Attested, Input, SigningKey, attest_model, describe,
    materials::{self, Bom, Element, Format, Gravity, Profile, Validation},
    rfc3339, sign_document, verify_document, verifying_key, vet,
};
use anyhow::Context as _;
use serde_json::json;

use super::vet::{now, options};
use crate::{
    args::{BomCommand, ConvertArgs, DiffArgs, GenerateArgs, ListFormat, MergeArgs, ScoreArgs, ValidateArgs},
    config::{Config, Settings},
    exit,
    output::{self, hinted, warn},
    progress::Bar,
    signer,
};

/// Longer documents are none.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Runs a command of this family.
pub(super) fn run(command: &BomCommand) -> anyhow::Result<ExitCode> {
    match command {
        BomCommand::Generate(arguments) => generate(arguments),
        BomCommand::Validate(arguments) => validate(arguments),
        BomCommand::Diff(arguments) => diff(arguments),
        BomCommand::Merge(arguments) => merge(arguments),
        BomCommand::Score(arguments) => score(arguments),
        BomCommand::Convert(arguments) => convert(arguments),
    }
}

fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(alnage_fs::read_small(path, MAX_DOCUMENT)?)
}

fn read(path: &Path) -> anyhow::Result<Bom> {
    materials::read(&read_bytes(path)?).with_context(|| format!("`{}`", path.display()))
}

/// To the file, or to standard output.
fn put(text: &str, file: Option<&PathBuf>) -> anyhow::Result<()> {
    match file {
        Some(file) => Ok(alnage_fs::write_atomic(file, text.as_bytes())?),
        None => Ok(output::print(text)?),
    }
}

fn generate(arguments: &GenerateArgs) -> anyhow::Result<ExitCode> {
    let settings = Config::load(&arguments.settings)?.settings;
    let format = Format::from(arguments.format);
    let needs_key = arguments.sign || arguments.attest.is_some() || arguments.attest_vex.is_some();
    let key = if needs_key { Some(key(&settings)?) } else { None };
    if arguments.sign && format == Format::Spdx {
        return Err(hinted(
            "SPDX has no place for a signature inside",
            "`--attest FILE` writes one beside it; `--format cyclonedx` has one inside",
        ));
    }
    let mut declared = settings.declared.clone();
    for (key, value) in
        [("name", &arguments.name), ("author", &arguments.author), ("supplier", &arguments.supplier)]
    {
        if let Some(value) = value {
            declared.set_from(key, value.as_str(), "the command line");
        }
    }
    let time = arguments.time.clone().unwrap_or_else(|| rfc3339(now()));
    let bar = Bar::new(!settings.quiet);
    let vetted = vet(vec![Input::Path(arguments.path.clone())], &options(&settings), &bar);
    drop(bar);
    if let Some(failure) = vetted.failures.into_iter().next() {
        return Err(failure.error.into());
    }
    let vetted = alnage_pipeline::Vetted { failures: Vec::new(), ..vetted };
    let bom = describe(&vetted, 0, &time, arguments.model_version.as_deref(), &declared)?;
    let mut text = materials::write(&bom, format);
    if let (true, Some(key)) = (arguments.sign, &key) {
        text = sign_document(&text, key)?;
    }
    put(&text, arguments.output.as_ref())?;
    let vex = materials::openvex(&bom);
    if let Some(file) = &arguments.vex {
        alnage_fs::write_atomic(file, vex.as_bytes())?;
    }
    let attestations =
        [(&arguments.attest, Attested::Bom(format, &text)), (&arguments.attest_vex, Attested::Vex(&vex))];
    for (file, attested) in attestations {
        if let (Some(file), Some(key)) = (file, &key) {
            let bundle = attest_model(&vetted, 0, attested, key)?;
            alnage_fs::write_atomic(file, bundle.as_bytes())?;
        }
    }
    if !settings.quiet {
        let g7 = materials::score(&bom, Profile::G7);
        warn(format_args!(
            "{} of {} elements of the G7 list are in the document",
            g7.there(),
            g7.elements.len()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The key to sign with: the one named, or the keyring's.
fn key(settings: &Settings) -> anyhow::Result<SigningKey> {
    let in_ring = || settings.keyring.as_ref().map(|directory| directory.join("signing.pem"));
    let Some(path) = settings.key.clone().or_else(in_ring) else {
        return Err(hinted(
            "there is no key to sign with",
            "`alnage keygen --out DIR`, then `--key DIR/signing.pem`",
        ));
    };
    signer::key_file(&path)
}

fn validate(arguments: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let key = arguments.key.as_ref().map(|path| verifying_key(path)).transpose()?;
    let mut all_valid = true;
    let mut text = String::new();
    let mut list = Vec::new();
    for file in &arguments.files {
        let bytes = read_bytes(file)?;
        let validation = materials::validate(&bytes).with_context(|| format!("`{}`", file.display()))?;
        let signature = key.as_ref().map(|key| verify_document(&bytes, key));
        let valid = validation.is_valid() && signature.as_ref().is_none_or(Result::is_ok);
        all_valid &= valid;
        let word = if valid { "valid" } else { "not valid" };
        let _ = writeln!(text, "{word}: {} ({})", file.display(), validation.format);
        let signature =
            signature.map(|outcome| outcome.map_or_else(|error| error.to_string(), |()| "holds".into()));
        if let Some(signature) = &signature {
            let _ = writeln!(text, "  signature: {signature}");
        }
        tell(&validation, &mut text);
        let advice: Vec<_> = (validation.advice.iter())
            .map(|advice| json!({"gravity": word_of(advice.gravity), "pointer": advice.pointer, "message": advice.message}))
            .collect();
        list.push(json!({
            "file": file, "format": validation.format, "valid": valid, "signature": signature, "advice": advice,
        }));
    }
    match arguments.format {
        ListFormat::Json => output::print(&(serde_json::to_string_pretty(&list)? + "\n"))?,
        ListFormat::Text | ListFormat::Markdown => output::print(&text)?,
    }
    Ok(if all_valid { ExitCode::SUCCESS } else { ExitCode::from(exit::REFUSED) })
}

fn tell(validation: &Validation, text: &mut String) {
    for advice in &validation.advice {
        let place = if advice.pointer.is_empty() { "/" } else { &advice.pointer };
        let message = advice.message.escape_debug();
        let _ = writeln!(text, "  {:8} {}: {message}", word_of(advice.gravity), place.escape_debug());
    }
}

fn word_of(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Error => "error",
        Gravity::Warning => "warning",
    }
}

/// The exit code says whether there is a difference, as that of `diff` does.
fn diff(arguments: &DiffArgs) -> anyhow::Result<ExitCode> {
    let changes = materials::compare(&read(&arguments.before)?, &read(&arguments.after)?);
    match arguments.format {
        ListFormat::Json => {
            let list: Vec<_> = (changes.iter())
                .map(|change| {
                    json!({
                        "change": change.kind.as_str(), "what": change.what, "field": change.field,
                        "before": change.before, "after": change.after,
                    })
                })
                .collect();
            output::print(&(serde_json::to_string_pretty(&list)? + "\n"))?;
        }
        ListFormat::Text | ListFormat::Markdown => {
            let mut text = String::new();
            for change in &changes {
                let field = change.field.as_ref().map(|field| format!(", {field}")).unwrap_or_default();
                let _ = write!(
                    text,
                    "{:8} {}{}",
                    change.kind.as_str(),
                    change.what.escape_debug(),
                    field.escape_debug()
                );
                let _ = match (&change.before, &change.after) {
                    (Some(before), Some(after)) => {
                        writeln!(text, ": {} → {}", before.escape_debug(), after.escape_debug())
                    }
                    (Some(value), None) | (None, Some(value)) => writeln!(text, ": {}", value.escape_debug()),
                    (None, None) => writeln!(text),
                };
            }
            output::print(&text)?;
        }
    }
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::REFUSED) })
}

fn merge(arguments: &MergeArgs) -> anyhow::Result<ExitCode> {
    let parts = arguments.files.iter().map(|file| read(file)).collect::<anyhow::Result<Vec<Bom>>>()?;
    let time = arguments.time.clone().unwrap_or_else(|| rfc3339(now()));
    let version = arguments.system_version.as_deref();
    let merged = materials::merge(&arguments.name, version, env!("CARGO_PKG_VERSION"), &time, &parts);
    put(&materials::write(&merged, arguments.format.into()), arguments.output.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

fn score(arguments: &ScoreArgs) -> anyhow::Result<ExitCode> {
    let bom = read(&arguments.file)?;
    let profiles = arguments.profile.map_or(Profile::ALL.to_vec(), |profile| vec![profile.into()]);
    let scores: Vec<_> = profiles.into_iter().map(|profile| materials::score(&bom, profile)).collect();
    match arguments.format {
        ListFormat::Json => {
            let element = |element: &Element| json!({"id": element.id, "title": element.title, "status": element.status.as_str()});
            let list: Vec<_> = (scores.iter())
                .map(|score| {
                    let (title, edition) = score.profile.title();
                    json!({
                        "profile": score.profile.as_str(), "title": title, "edition": edition,
                        "there": score.there(), "of": score.elements.len(),
                        "elements": score.elements.iter().map(element).collect::<Vec<_>>(),
                    })
                })
                .collect();
            output::print(&(serde_json::to_string_pretty(&list)? + "\n"))?;
        }
        ListFormat::Text | ListFormat::Markdown => {
            let mut text = String::new();
            for score in &scores {
                let (title, edition) = score.profile.title();
                let _ = writeln!(text, "{title} ({edition}): {} of {}", score.there(), score.elements.len());
                for element in &score.elements {
                    let _ = writeln!(
                        text,
                        "  {:12}  {:20}  {}",
                        element.status.as_str(),
                        element.id,
                        element.title
                    );
                }
            }
            output::print(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn convert(arguments: &ConvertArgs) -> anyhow::Result<ExitCode> {
    const SHOWN: usize = 50;
    let bytes = read_bytes(&arguments.file)?;
    let converted = materials::convert(&bytes, arguments.format.into())
        .with_context(|| format!("`{}`", arguments.file.display()))?;
    put(&converted.text, arguments.output.as_ref())?;
    if !converted.lost.is_empty() {
        warn(format_args!("{} values have no place in the new format:", converted.lost.len()));
    }
    for lost in converted.lost.iter().take(SHOWN) {
        let value: String = lost.value.chars().take(80).collect();
        warn(format_args!("  {}: {}", lost.pointer.escape_debug(), value.escape_debug()));
    }
    Ok(ExitCode::SUCCESS)
}
