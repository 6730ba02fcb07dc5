//! `alnage webhook`: the gate of a cluster.

use std::{net::TcpListener, path::Path};

use alnage_admission::{Rules, Table};
use alnage_policy::Pack;
use alnage_registry::{Registry, Settings};
use alnage_server::{AskedRegistry, Webhook, serve_webhook};
use anyhow::Context;

use crate::{
    args::{AdmissionArgs, WebhookArgs},
    output::{self, hinted},
    remote::Remote,
};

/// Tables and rules are short.
const MAX: u64 = 4 << 20;

/// Answers reviews until the process is told to end.
pub(super) fn run(arguments: WebhookArgs) -> anyhow::Result<()> {
    let table = table(&arguments.admission)?;
    let rules = rules(&arguments.admission)?;
    let registry = match &arguments.registry_data {
        Some(data) => here(data, rules.endpoint.as_deref())?,
        None => {
            let (url, token) = (arguments.registry_url.as_deref(), arguments.registry_token_file.as_deref());
            let remote = Remote::named(url, token)?.ok_or_else(|| hinted(
                "no registry to ask",
                "name one with `--registry-url http://…` or `--registry-data DIR`; `alnage serve` answers reviews by itself, too",
            ))?;
            AskedRegistry::At(remote.address().to_owned(), remote.token().map(str::to_owned))
        }
    };
    let tls = arguments.tls_cert.zip(arguments.tls_key);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listener = TcpListener::bind(arguments.listen)
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    output::print(&format!("listening on {scheme}://{}\n", listener.local_addr()?))?;
    Ok(serve_webhook(listener, Webhook { table, rules, registry, tls })?)
}

/// The registry whose data is in the directory `data`.
fn here(data: &Path, public_url: Option<&str>) -> anyhow::Result<AskedRegistry> {
    if !data.is_dir() {
        return Err(hinted(
            format!("there is no registry in `{}`", data.display()),
            "`alnage serve --data DIR` makes one",
        ));
    }
    let pack = Pack::shipped("default").context("the default policy is missing")?;
    let mut settings = Settings::below(data, pack);
    if let Some(public_url) = public_url {
        settings.public_url = public_url.to_owned();
    }
    Ok(AskedRegistry::Here(Box::new(Registry::open(settings, super::vet::now)?), super::vet::now))
}

/// The table of extractors, with the rows that were added.
pub(super) fn table(arguments: &AdmissionArgs) -> anyhow::Result<Table> {
    let shipped = Table::shipped()?;
    let Some(path) = &arguments.extractors else { return Ok(shipped) };
    let text = alnage_fs::read_small(path, MAX)?;
    let added = Table::parse(&String::from_utf8_lossy(&text));
    Ok(shipped.extended(added.with_context(|| format!("`{}`", path.display()))?))
}

/// The rules, as the file and the flags have them.
pub(super) fn rules(arguments: &AdmissionArgs) -> anyhow::Result<Rules> {
    let mut rules = match &arguments.rules {
        Some(path) => {
            let text = alnage_fs::read_small(path, MAX)?;
            serde_json::from_slice(&text).with_context(|| format!("`{}`", path.display()))?
        }
        None if arguments.warn => Rules::warning(),
        None => Rules::enforcing(),
    };
    if let Some(endpoint) = &arguments.endpoint {
        rules.endpoint = Some(endpoint.clone());
    }
    Ok(rules)
}
