//! A registry elsewhere, asked over its API.

use std::{env, fmt::Write as _, io::Read as _, path::Path, time::Duration};

use serde_json::Value;
use ureq::http::{Method, Request};

use crate::{
    login::{self, Login},
    output::hinted,
};

/// Where a registry is when nobody says.
const USUAL: &str = "http://127.0.0.1:8080";
/// An answer is no larger.
const LARGEST: u64 = 256 << 20;
/// Nor is a token.
const LONGEST_TOKEN: u64 = 64 << 10;
/// How long a registry may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A registry, and what it is asked with.
pub(crate) struct Remote {
    address: String,
    token: Option<String>,
    agent: ureq::Agent,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody could be asked.
    Away(String),
    /// The registry says no.
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        message: String,
    },
}

impl Remote {
    /// The registry that the flags name, or the environment, or the login, or the one on this machine; and the token that
    /// the flags name, or the environment, or the login at this very registry.
    pub(crate) fn chosen(registry: Option<&str>, token_file: Option<&Path>) -> anyhow::Result<Self> {
        let login = login::stored()?;
        let address = registry.map(str::to_owned).or_else(|| variable("ALNAGE_REGISTRY"));
        let address = address.or_else(|| login.as_ref().map(|login| login.registry.clone()));
        Self::at(&address.unwrap_or_else(|| USUAL.to_owned()), token_file, login)
    }

    /// The same, where there is no registry unless somebody named one.
    pub(crate) fn named(registry: Option<&str>, token_file: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let is_named = registry.is_some() || variable("ALNAGE_REGISTRY").is_some();
        if is_named || login::stored()?.is_some() {
            Self::chosen(registry, token_file).map(Some)
        } else {
            Ok(None)
        }
    }

    fn at(address: &str, token_file: Option<&Path>, login: Option<Login>) -> anyhow::Result<Self> {
        let address = address.trim_end_matches('/');
        let token = match token_file {
            Some(path) => Some(token_in(path)?),
            // A token is for the registry that it was given for.
            None => variable("ALNAGE_TOKEN")
                .or_else(|| login.filter(|login| login.registry == address).map(|login| login.token)),
        };
        Ok(Self::with(address, token, None))
    }

    /// The registry at `address`, asked with `token`, which has so long to answer.
    pub(crate) fn with(address: &str, token: Option<String>, patience: Option<Duration>) -> Self {
        // A redirect would hand the token to whoever it leads to.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(patience)
            .build();
        Self {
            address: address.trim_end_matches('/').to_owned(),
            token: token.map(|token| token.trim().to_owned()),
            agent: config.into(),
        }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it is asked with.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The answer's JSON; `None` when it has no body. An error says the way out.
    pub(crate) fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Option<Value>> {
        self.send(method, path, body).map_err(|failure| match failure {
            Failure::Away(reason) => hinted(
                format!("`{}` does not answer: {reason}", self.address),
                "name the registry: `--registry URL`, or `ALNAGE_REGISTRY`, or `alnage registry login URL`",
            ),
            Failure::Refused { status: 401, message } => hinted(
                message,
                "`alnage registry login URL` keeps a token; or put one into `ALNAGE_TOKEN`, or into a file: `--token-file FILE`",
            ),
            Failure::Refused { message, .. } => anyhow::anyhow!(message),
        })
    }

    /// The same, for who acts by what went wrong.
    pub(crate) fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Option<Value>, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let away = |error: &dyn std::fmt::Display| Failure::Away(error.to_string());
        let request =
            request.body(body.map(Value::to_string).unwrap_or_default()).map_err(|error| away(&error))?;
        let mut response = self.agent.run(request).map_err(|error| away(&error))?;
        let mut text = String::new();
        let answer = response.body_mut().as_reader().take(LARGEST).read_to_string(&mut text);
        answer.map_err(|error| away(&error))?;
        let status = response.status();
        let answer: Value =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or_default() };
        if status.is_success() {
            return Ok(Some(answer).filter(|answer| !answer.is_null()));
        }
        let message = answer["error"].as_str().map_or_else(|| format!("status {status}"), str::to_owned);
        Err(Failure::Refused { status: status.as_u16(), message })
    }
}

/// The token in a file.
pub(crate) fn token_in(path: &Path) -> anyhow::Result<String> {
    let bytes = alnage_fs::read_small(path, LONGEST_TOKEN)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// As a part of a path or a query.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
