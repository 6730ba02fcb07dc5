//! What was seen, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    Detonation, Detonator, Outcome,
    findings::{evidence, plain},
};

/// For a person at a terminal.
pub fn text(detonator: &Detonator, detonations: &[Detonation]) -> String {
    let mut out = String::new();
    for detonation in detonations {
        _ = writeln!(out, "{}", plain(&detonation.path));
        for file in &detonation.files {
            let outcome = file.outcome.told();
            let shown = plain(file.artifact.as_str());
            if file.events.is_empty() {
                let and = if file.outcome == Outcome::Loaded {
                    String::new()
                } else {
                    format!("; {}", plain(&outcome))
                };
                _ = writeln!(out, "  {shown}: no behaviour observed{and}");
                continue;
            }
            _ = writeln!(out, "  {shown}: {}", plain(&outcome));
            for event in &file.events {
                _ = writeln!(out, "    {} {}", event.kind.told(), evidence(event));
            }
        }
        match detonation.data.len() {
            0 => {}
            1 => _ = writeln!(out, "  1 file was not loaded: it is data, or a script that nothing imports"),
            count => {
                _ = writeln!(
                    out,
                    "  {count} files were not loaded: they are data, or scripts that nothing imports"
                )
            }
        }
    }
    let profile = detonator.profile().as_str();
    _ = writeln!(
        out,
        "Python {}, profile {profile}. What was not observed here can still happen elsewhere.",
        detonator.version()
    );
    out
}

/// For programs.
pub fn json(detonator: &Detonator, detonations: &[Detonation]) -> Value {
    let models = detonations.iter().map(|detonation| {
        let files = detonation.files.iter().map(|file| {
            json!({
                "artifact": file.artifact,
                "sha256": file.sha256,
                "loader": file.loader,
                "loaded": file.outcome == Outcome::Loaded,
                "outcome": file.outcome.told(),
                "behaviour": if file.events.is_empty() { "no behaviour observed" } else { "observed" },
                "events": file.events,
            })
        });
        let data = detonation
            .data
            .iter()
            .map(|(artifact, sha256)| json!({ "artifact": artifact, "sha256": sha256 }));
        json!({
            "path": detonation.path,
            "files": files.collect::<Vec<_>>(),
            "data": data.collect::<Vec<_>>(),
        })
    });
    let limits = detonator.limits();
    json!({
        "schema": "alnage.detonation/1",
        "profile": detonator.profile().as_str(),
        "python": detonator.version(),
        "timeLimitSeconds": limits.time.as_secs_f64(),
        "memoryLimitBytes": limits.memory,
        "models": models.collect::<Vec<_>>(),
    })
}
