//! `alnage config show`: every value and where it came from.

use std::fmt::Write;

use crate::{
    args::SettingArgs,
    config::{Config, KEYS},
    output,
};

/// Prints the effective configuration as TOML, with the origin of each value behind it.
pub(super) fn show(flags: &SettingArgs) -> anyhow::Result<()> {
    let config = Config::load(flags)?;
    let mut rows: Vec<(String, String)> =
        KEYS.iter().map(|key| (key.name.to_owned(), (key.get)(&config.settings))).collect();
    let policy = &config.settings.policy;
    for (name, effect) in [
        ("critical", policy.critical),
        ("high", policy.high),
        ("medium", policy.medium),
        ("low", policy.low),
        ("info", policy.info),
    ] {
        rows.push((format!("policy.{name}"), word(effect)));
    }
    for (code, effect) in &policy.rules {
        rows.push((format!("policy.rules.{code}"), word(*effect)));
    }
    for (index, entry) in config.settings.suppressions.iter().enumerate() {
        let value =
            format!("{} in `{}` until {}: {}", entry.code, entry.artifact, entry.expires, entry.reason);
        rows.push((format!("suppress.{}", index + 1), value));
    }
    rows.extend(config.settings.serve.iter().map(|(name, value)| (format!("serve.{name}"), value.clone())));
    let names = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:names$} = {value:12}  # {}", config.origin(&name));
    }
    Ok(output::print(&text)?)
}

fn word(effect: alnage_scan::Effect) -> String {
    format!("{effect:?}").to_ascii_lowercase()
}
