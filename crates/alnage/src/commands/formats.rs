//! `alnage formats`: the capability matrix.

use std::fmt::Write;

use alnage_formats::{Format, LoadEffect};

use crate::{args::ListFormat, output};

/// Lists the formats: what loading does, what is known afterwards, what cannot be known.
pub(super) fn list(format: ListFormat) -> anyhow::Result<()> {
    let formats: Vec<&Format> = alnage_formats::formats().collect();
    let mut text = String::new();
    match format {
        ListFormat::Text => {
            for format in formats {
                let _ = writeln!(text, "{} ({})", format.title, format.id);
                let _ = writeln!(text, "    loading {}", load_effect(format.load_effect));
                let _ = writeln!(text, "    known afterwards: {}", format.reads);
                let _ = writeln!(text, "    cannot be known: {}\n", format.cannot);
            }
        }
        ListFormat::Markdown => {
            text.push_str("| format | extensions | loading | known afterwards | cannot be known |\n|---|---|---|---|---|\n");
            for format in formats {
                let extensions: Vec<String> =
                    format.extensions.iter().map(|ext| format!("`.{ext}`")).collect();
                let _ = writeln!(
                    text,
                    "| {} (`{}`) | {} | {} | {} | {} |",
                    format.title,
                    format.id,
                    extensions.join(" "),
                    load_effect(format.load_effect),
                    format.reads,
                    format.cannot
                );
            }
        }
        ListFormat::Json => {
            let rows: Vec<_> = formats.into_iter().map(row).collect();
            text = serde_json::to_string_pretty(&rows)? + "\n";
        }
    }
    Ok(output::print(&text)?)
}

fn row(format: &Format) -> serde_json::Value {
    serde_json::json!({
        "id": format.id,
        "title": format.title,
        "extensions": format.extensions,
        "loading": load_effect(format.load_effect),
        "reads": format.reads,
        "cannot": format.cannot,
    })
}

fn load_effect(effect: LoadEffect) -> &'static str {
    match effect {
        LoadEffect::Executes => "runs it as a program",
        LoadEffect::MayExecute => "runs code with an option or for some contents",
        LoadEffect::Data => "reads data only",
        LoadEffect::Container => "opens what it holds",
    }
}
