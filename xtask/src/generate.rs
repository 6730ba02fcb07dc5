//! `cargo xtask gen`: the documents that the code writes, and the check that they are not stale.

use std::{fmt::Write as _, fs, path::PathBuf};

use alnage_formats::{LoadEffect, formats};
use alnage_scan::{Rule, rules::rules};
use anyhow::{Context as _, Result, bail};

use crate::root;

/// A generated file: its path from the root and its content.
struct Document {
    path: String,
    content: String,
}

/// Writes every generated document and removes those that nothing generates any more.
pub(crate) fn write() -> Result<()> {
    let documents = documents()?;
    for orphan in orphans(&documents)? {
        fs::remove_file(&orphan).with_context(|| format!("cannot remove `{}`", orphan.display()))?;
    }
    for document in documents {
        let path = root().join(&document.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        }
        fs::write(&path, document.content).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// An error that names every document that is stale.
pub(crate) fn check() -> Result<()> {
    let documents = documents()?;
    let mut stale: Vec<String> = orphans(&documents)?.iter().map(|path| path.display().to_string()).collect();
    for document in documents {
        if fs::read_to_string(root().join(&document.path)).ok().as_ref() != Some(&document.content) {
            stale.push(document.path);
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}\n\nhint: `cargo xtask gen` writes them anew", stale.join(", "));
    }
    Ok(())
}

fn documents() -> Result<Vec<Document>> {
    let mut documents = vec![
        Document { path: "docs/rules/README.md".to_owned(), content: rule_index() },
        Document { path: "docs/formats.md".to_owned(), content: format_matrix() },
        Document { path: "docs/cli.md".to_owned(), content: alnage::cli_markdown() },
        Document {
            path: "docs/record.schema.json".to_owned(),
            content: serde_json::to_string_pretty(&alnage_scan::record_schema())? + "\n",
        },
    ];
    documents.push(Document {
        path: "docs/policies/input.schema.json".to_owned(),
        content: serde_json::to_string_pretty(&alnage_policy::evidence_schema())? + "\n",
    });
    documents.push(Document {
        path: "docs/openapi.json".to_owned(),
        content: serde_json::to_string_pretty(&alnage_server::openapi())? + "\n",
    });
    for rule in rules() {
        documents.push(Document { path: format!("docs/rules/{}.md", rule.code), content: rule_page(rule) });
    }
    Ok(documents)
}

/// Rule pages whose rule is gone.
fn orphans(documents: &[Document]) -> Result<Vec<PathBuf>> {
    let Ok(pages) = fs::read_dir(root().join("docs/rules")) else { return Ok(Vec::new()) };
    let mut orphans = Vec::new();
    for page in pages {
        let path = page?.path();
        if !documents.iter().any(|document| root().join(&document.path) == path) {
            orphans.push(path);
        }
    }
    Ok(orphans)
}

fn rule_index() -> String {
    let mut text = String::from(
        "# Rules\n\n<!-- written by `cargo xtask gen` -->\n\n| code | name | finds | severity | confidence | level |\n\
         |---|---|---|---|---|---|\n",
    );
    for rule in rules() {
        let Rule { code, name, summary, .. } = rule;
        let (severity, confidence, level) = (word(&rule.severity), word(&rule.confidence), word(&rule.level));
        let _ = writeln!(
            text,
            "| [{code}]({code}.md) | `{name}` | {} | {severity} | {confidence} | {level} |",
            cell(summary)
        );
    }
    text
}

fn rule_page(rule: &Rule) -> String {
    let mut text = format!(
        "# {}: {}\n\n<!-- written by `cargo xtask gen` -->\n\nFinds: {}.\n\n| severity | confidence | level |\n|---|---|---|\n\
         | {} | {} | {} |\n\n## Why it matters\n\n{}\n\n## Example\n\n{}\n\n## What to do\n\n{}\n",
        rule.code,
        rule.name,
        rule.summary,
        word(&rule.severity),
        word(&rule.confidence),
        word(&rule.level),
        rule.why,
        rule.example,
        rule.remediation
    );
    if !rule.references.is_empty() {
        text.push_str("\n## References\n\n");
        for reference in rule.references {
            let _ = writeln!(text, "- {reference}");
        }
    }
    text
}

fn format_matrix() -> String {
    let mut text = String::from(
        "# Formats\n\n<!-- written by `cargo xtask gen` -->\n\nContent decides which format a file is; the extensions only \
         say what a name promises.\n\n| format | extensions | loading it | Alnage reads | Alnage cannot know |\n\
         |---|---|---|---|---|\n",
    );
    for format in formats() {
        let effect = match format.load_effect {
            LoadEffect::Executes => "runs code",
            LoadEffect::MayExecute => "may run code",
            LoadEffect::Data => "reads data",
            LoadEffect::Container => "opens its members",
        };
        let extensions: Vec<String> =
            format.extensions.iter().map(|extension| format!("`.{extension}`")).collect();
        let _ = writeln!(
            text,
            "| {} (`{}`) | {} | {effect} | {} | {} |",
            format.title,
            format.id,
            extensions.join(" "),
            cell(format.reads),
            cell(format.cannot)
        );
    }
    text
}

/// A unit variant's name in lower case, as the record spells it.
fn word(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
