//! `alnage convert`: out of pickle without executing it.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use alnage_pipeline::{
    Attesting, Conversion, ConvertedFile, Converting, Existing, VerifyingConversion, already_there,
    conversion::{Options, Refusal, UnknownCalls},
    convert, default_output, rfc3339, verify_conversion, verifying_key,
};
use alnage_types::Budget;
use serde_json::json;

use super::vet::now;
use crate::{
    args::{ConversionArgs, ConversionFormat},
    exit,
    output::{self, hinted, warn},
    progress::Bar,
    signer,
};

/// Converts what the arguments name, says what became of it, and gives the exit code.
pub(super) fn run(arguments: &ConversionArgs) -> anyhow::Result<ExitCode> {
    if let Some(attestation) = &arguments.verify_attestation {
        return verify(arguments, attestation);
    }
    let is_directory = arguments.source.is_dir();
    let target = arguments.output.clone().unwrap_or_else(|| default_output(&arguments.source, is_directory));
    if !arguments.force
        && let Some(there) = already_there(&arguments.source, &target)
    {
        return Err(hinted(format!("`{}` is there already", there.display()), "`--force` replaces it"));
    }
    let key = arguments.key.as_deref().map(signer::open).transpose()?;
    let time = rfc3339(now());
    let unknown_calls =
        if arguments.drop_unknown_calls { UnknownCalls::LeftOut } else { UnknownCalls::Refused };
    let request = Converting {
        source: &arguments.source,
        output: &target,
        reading: Options {
            max_shard_size: arguments.max_shard_size,
            unknown_calls,
            allow_expansion: arguments.allow_expansion,
            copy_aliases: arguments.copy_aliases,
            budget: Budget { max_expanded: arguments.max_expanded, ..Budget::default() },
        },
        check: arguments.check,
        existing: if arguments.force { Existing::Replaced } else { Existing::Kept },
        attesting: if arguments.no_attestation { Attesting::No } else { Attesting::Yes },
        signer: key.as_ref().map(|key| &*key.signer),
        time: &time,
    };
    let bar = Bar::new(!arguments.quiet);
    let conversion = convert(&request, &bar);
    drop(bar);
    let conversion = conversion?;
    for (name, refusal) in &conversion.refused {
        warn(format_args!("error: `{name}` was not converted: {}", told(refusal)));
    }
    if let Some(hint) = conversion.refused.iter().find_map(|(_, refusal)| hint(refusal)) {
        warn(format_args!("\nhint: {hint}"));
    }
    match arguments.format {
        ConversionFormat::Text => output::print(&text(&conversion))?,
        ConversionFormat::Json => output::print(&format!("{:#}\n", json(&conversion)))?,
    }
    Ok(ExitCode::from(code(&conversion)))
}

/// Checks an attestation against the source and the files beside it.
fn verify(arguments: &ConversionArgs, attestation: &Path) -> anyhow::Result<ExitCode> {
    let key = arguments.key.as_deref().map(verifying_key).transpose()?;
    let request = VerifyingConversion {
        source: &arguments.source,
        attestation,
        key: key.as_ref(),
        budget: Budget { max_expanded: arguments.max_expanded, ..Budget::default() },
    };
    let bar = Bar::new(!arguments.quiet);
    let found = verify_conversion(&request, &bar);
    drop(bar);
    let found = found?;
    for flaw in &found.flaws {
        warn(format_args!("error: `{}` does not hold: {flaw}", attestation.display()));
    }
    let holds = found.flaws.is_empty();
    let signed = key.is_some();
    let told = match arguments.format {
        ConversionFormat::Json => {
            let outputs =
                found.outputs.iter().map(|(name, digest)| json!({ "name": name, "sha256": digest }));
            let report = json!({
                "holds": holds,
                "signed": signed,
                "sha256": found.source,
                "outputs": outputs.collect::<Vec<_>>(),
                "compared": { "tensors": found.checked.tensors, "bytes": found.checked.bytes },
                "flaws": found.flaws,
            });
            format!("{report:#}\n")
        }
        ConversionFormat::Text if holds => {
            let files = found.outputs.iter().map(|(name, digest)| format!("  {name}  sha256:{digest}\n"));
            format!(
                "{} holds: {} tensors, {} bytes are those of `{}`\n{}{}",
                attestation.display(),
                found.checked.tensors,
                found.checked.bytes,
                arguments.source.display(),
                files.collect::<String>(),
                if signed { "" } else { "  it is not signed: who converted is not proven\n" },
            )
        }
        ConversionFormat::Text => String::new(),
    };
    output::print(&told)?;
    Ok(ExitCode::from(if holds { 0 } else { exit::REFUSED }))
}

/// A refusal in words, with the call as Python where there is one.
fn told(refusal: &Refusal) -> String {
    let Refusal::Call { member, offset, line, .. } = refusal else { return refusal.to_string() };
    let mut told = format!("{refusal}\n  at byte {offset}");
    if !member.is_empty() {
        let member: String = member.chars().flat_map(char::escape_debug).collect();
        _ = write!(told, " of `{member}`");
    }
    if !line.is_empty() {
        _ = write!(told, ": {line}");
    }
    told
}

fn hint(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Call { effect: None, .. } => {
            Some("`alnage vet` says more; `--drop-unknown-calls` leaves out what it would give")
        }
        Refusal::Call { .. } => Some("do not load this file; `alnage vet` says more"),
        _ => None,
    }
}

fn code(conversion: &Conversion) -> u8 {
    let of = |(_, refusal): &(String, Refusal)| match refusal {
        refusal if refusal.is_hostile() => exit::REFUSED,
        Refusal::Unreadable(_) => exit::COULD_NOT_RUN,
        _ => exit::UNKNOWN,
    };
    conversion.refused.iter().map(of).fold(0, exit::gravest)
}

fn text(conversion: &Conversion) -> String {
    let mut out = String::new();
    for file in &conversion.files {
        file_text(file, &mut out);
    }
    for name in &conversion.copied {
        _ = writeln!(out, "copied {name}");
    }
    for (name, reason) in &conversion.left_behind {
        _ = writeln!(out, "left behind {name}: {reason}");
    }
    out
}

fn file_text(file: &ConvertedFile, out: &mut String) {
    let count = file.tensors.len();
    let tensors = if count == 1 { "1 tensor".to_owned() } else { format!("{count} tensors") };
    _ = writeln!(out, "{} ({}): {tensors}", file.source, file.format);
    for output in &file.outputs {
        let digest = output.sha256.map(|digest| format!("  sha256:{digest}")).unwrap_or_default();
        _ = writeln!(out, "  {}  {} bytes{digest}", output.path.display(), output.size);
    }
    if let Some(attestation) = &file.attestation {
        _ = writeln!(out, "  {}", attestation.display());
    }
    if let Some(wrapper) = &file.unwrapped {
        _ = writeln!(out, "  names without `{wrapper}.`, under which all of them stood");
    }
    let mut some = |what: &str, count: usize, first: Option<String>| {
        if let Some(first) = first {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            _ = writeln!(out, "  {what}: {first}{more}");
        }
    };
    let alias = file.aliases.iter().next().map(|(name, target)| format!("`{name}` is `{target}`"));
    some("further names", file.aliases.len(), alias);
    let overlap = file.overlaps.first().map(|(a, b)| format!("`{a}` and `{b}`"));
    some("shared bytes and do not any more", file.overlaps.len(), overlap);
    for left_out in &file.left_out {
        _ = writeln!(out, "  left out: {left_out}");
    }
    if let Some(checked) = file.checked {
        _ = writeln!(out, "  compared with the source: {} tensors, {} bytes", checked.tensors, checked.bytes);
    }
}

fn json(conversion: &Conversion) -> serde_json::Value {
    let refused = conversion.refused.iter().map(|(name, refusal)| match refusal {
        Refusal::Call { callee, effect, member, offset, line } => json!({
            "source": name, "reason": refusal.to_string(), "callee": callee, "effect": effect,
            "member": member, "offset": offset, "call": line,
        }),
        _ => json!({ "source": name, "reason": refusal.to_string() }),
    });
    let left_behind = conversion.left_behind.iter();
    json!({
        "files": conversion.files.iter().map(ConvertedFile::json).collect::<Vec<_>>(),
        "copied": conversion.copied,
        "leftBehind": left_behind.map(|(name, reason)| json!({ "file": name, "reason": reason })).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
    })
}
