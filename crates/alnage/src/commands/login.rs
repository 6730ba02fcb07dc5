//! `alnage registry login` and `logout`: a registry and a token for it, kept for later commands.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::Path,
};

use ureq::http::Method;

use crate::{
    login::{self, Login},
    output::{self, hinted, warn},
    remote::{Remote, token_in},
};

/// A token is no longer.
const LONGEST: u64 = 64 << 10;

/// Keeps `url` and a token that the registry there knows.
pub(super) fn log_in(url: &str, token_file: Option<&Path>) -> anyhow::Result<()> {
    let registry = checked(url)?;
    let token = match token_file {
        Some(path) => token_in(path)?,
        None => asked(&registry)?,
    };
    if token.is_empty() || token.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(hinted(
            "that is no token",
            "`alnage registry add-token NAME` makes one, as do the pages of the registry",
        ));
    }
    let remote = Remote::with(&registry, Some(token.clone()), None);
    let answer = remote.ask(&Method::GET, "/api/v1/whoami", None)?.unwrap_or_default();
    let Some(name) = answer["name"].as_str().filter(|_| answer["kind"] != "anonymous") else {
        return Err(hinted(
            format!("`{registry}` does not say who the token is for"),
            "name the address of `alnage serve` itself",
        ));
    };
    login::store(&Login { registry: registry.clone(), token })?;
    output::print(&format!("logged in to {registry} as {}\n", name.escape_debug()))?;
    for name in ["ALNAGE_REGISTRY", "ALNAGE_TOKEN"] {
        if env::var_os(name).is_some_and(|value| !value.is_empty()) {
            warn(format_args!("warning: `{name}` is set and counts more than what is kept"));
        }
    }
    Ok(())
}

/// Forgets what is kept. The token itself stays good until it is ended.
pub(super) fn log_out() -> anyhow::Result<()> {
    let text = if login::forget()? {
        "logged out; `alnage registry end-token` ends a token for good\n"
    } else {
        "nobody was logged in\n"
    };
    Ok(output::print(text)?)
}

/// The address as it is kept.
fn checked(url: &str) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains(['@', '?', '#']) || url.contains(char::is_whitespace) {
        return Err(hinted(format!("`{url}` is no address of a registry"), "`https://models.example.org`"));
    }
    let name = host.split(['/', ':']).next().unwrap_or_default();
    let is_here = name == "localhost" || name.starts_with("127.") || host.starts_with("[::1]");
    if url.starts_with("http://") && !is_here {
        warn(format_args!("warning: the token goes to `{url}` unencrypted"));
    }
    Ok(url.to_owned())
}

/// The token that somebody types, or that another program writes.
fn asked(registry: &str) -> anyhow::Result<String> {
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Token for {registry}: "))?
    } else {
        String::from_utf8_lossy(&alnage_fs::read_stdin(io::stdin().lock(), LONGEST)?).into_owned()
    };
    Ok(text.trim().to_owned())
}
