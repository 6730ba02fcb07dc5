//! `alnage signature`: what a signature says, and who will take it.

use std::{fmt::Write, process::ExitCode};

use alnage_pipeline::{Bundle, Lint, Summary, Verifier, lint, read_signature};

use crate::{
    args::{ListFormat, SignatureArgs, SignatureCommand},
    exit, output,
};

/// Shows or lints.
pub(super) fn run(command: &SignatureCommand) -> anyhow::Result<ExitCode> {
    match command {
        SignatureCommand::Show(arguments) => show(arguments),
        SignatureCommand::Lint(arguments) => lint_bundle(arguments),
    }
}

fn show(arguments: &SignatureArgs) -> anyhow::Result<ExitCode> {
    let summary = Bundle::parse(&read_signature(&arguments.bundle)?)?.summary()?;
    match arguments.format {
        ListFormat::Json => output::print(&(serde_json::to_string_pretty(&summary)? + "\n"))?,
        ListFormat::Text | ListFormat::Markdown => output::print(&summary_text(&summary))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn summary_text(summary: &Summary) -> String {
    let mut text = format!("not verified: what the signature says of `{}`\n", summary.name.escape_debug());
    let _ = writeln!(text, "  method         {}", summary.method);
    let _ = writeln!(text, "  key            {}", summary.key.as_deref().unwrap_or("not named"));
    for certificate in &summary.certificates {
        let _ = writeln!(
            text,
            "  certificate    {}, from {}, valid {} to {}",
            certificate.subject.escape_debug(),
            certificate.issuer.escape_debug(),
            certificate.not_before,
            certificate.not_after
        );
        for name in &certificate.names {
            let _ = writeln!(text, "    for          {}", name.escape_debug());
        }
        if let Some(provider) = &certificate.identity_provider {
            let _ = writeln!(text, "    known to     {}", provider.escape_debug());
        }
    }
    let _ = writeln!(text, "  timestamps     {}", summary.timestamps);
    let _ = writeln!(text, "  log entries    {}", summary.log_entries);
    let _ = writeln!(text, "  root digest    {}", summary.root);
    let _ = writeln!(text, "  hashed         {} by {}", summary.serialization, summary.hash);
    let _ =
        writeln!(text, "  links          {}", if summary.allow_symlinks { "followed" } else { "refused" });
    let _ = writeln!(text, "  leaves out     {}", summary.ignored_paths.join(", ").escape_debug());
    let _ = writeln!(text, "  covers         {}", summary.resources.len());
    for resource in &summary.resources {
        let _ = writeln!(text, "    {} {}", resource.digest, resource.name.escape_debug());
    }
    text
}

/// The exit code says whether a verifier of model signatures refuses it; those of any Sigstore bundle do not count.
fn lint_bundle(arguments: &SignatureArgs) -> anyhow::Result<ExitCode> {
    let found = lint(&read_signature(&arguments.bundle)?);
    match arguments.format {
        ListFormat::Json => output::print(&(serde_json::to_string_pretty(&lint_json(&found))? + "\n"))?,
        ListFormat::Text | ListFormat::Markdown => output::print(&lint_text(&found))?,
    }
    let refused =
        |&verifier: &Verifier| verifier != Verifier::Sigstore && found.refusals(verifier).next().is_some();
    Ok(if Verifier::ALL.iter().any(refused) { ExitCode::from(exit::REFUSED) } else { ExitCode::SUCCESS })
}

fn lint_text(found: &Lint) -> String {
    let mut text = String::new();
    for verifier in Verifier::ALL {
        let mut refusals = found.refusals(verifier).peekable();
        let outcome = if refusals.peek().is_some() { "refused by" } else { "taken by" };
        let _ = writeln!(text, "{outcome:10}  {}", verifier.title());
        for refusal in refusals {
            let _ = writeln!(text, "            - {refusal}");
        }
    }
    for note in &found.notes {
        let _ = writeln!(text, "note        {note}");
    }
    text
}

fn lint_json(found: &Lint) -> serde_json::Value {
    let verifier = |verifier: Verifier| {
        let refusals: Vec<&str> = found.refusals(verifier).collect();
        serde_json::json!({ "verifier": verifier, "accepts": refusals.is_empty(), "refusals": refusals })
    };
    let verifiers: Vec<_> = Verifier::ALL.into_iter().map(verifier).collect();
    serde_json::json!({ "verifiers": verifiers, "notes": found.notes })
}
