//! `alnage serve` and `alnage worker`: the registry, and more hands for its work.

mod settings;

use std::{
    net::{SocketAddr, TcpListener},
    thread,
};

use alnage_registry::{
    Registry,
    people::{People, Secret},
};

use self::settings::Serving;
use crate::{
    args::{ServeArgs, WorkerArgs},
    config::Settings,
    output::{self, hinted},
};

/// Serves until somebody ends it.
pub(super) fn run(arguments: &ServeArgs, configured: &Settings) -> anyhow::Result<()> {
    let serving = Serving::from(arguments.given(), configured);
    let listen: SocketAddr = serving.parsed("listen", "127.0.0.1:8080")?;
    let listener = TcpListener::bind(listen).map_err(|error| {
        hinted(
            format!("cannot listen on `{listen}`: {error}"),
            "name another address: `--listen 127.0.0.1:8081`",
        )
    })?;
    let address = listener.local_addr()?;
    let tls = serving.path("tls-cert").zip(serving.path("tls-key"));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let own = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    let public_url = serving.text("public-url").map_or_else(|| format!("{scheme}://{own}"), str::to_owned);
    let public_url = public_url.trim_end_matches('/').to_owned();
    let mut opened = serving.registry(&public_url)?;
    opened.receivers.this_machine = address.ip().is_loopback() && is_here(&public_url);
    let registry = Registry::open(opened, super::vet::now)?;
    let people = People::new(registry.database().clone(), super::vet::now);
    let chosen =
        serving.read("admin-token-file")?.map(|text| Secret::parse_token(text.trim())).transpose()?;
    let is_chosen = chosen.is_some();
    let first = people.first_run(chosen)?;
    let anonymous_read = match serving.text("anonymous-read") {
        None => address.ip().is_loopback(),
        Some(_) => serving.flag("anonymous-read")?,
    };
    let settings = alnage_server::Settings {
        public_url,
        anonymous_read,
        tls,
        oidc: serving.oidc()?,
        trust: serving.trust()?,
        roots: serving.read("roots")?.map(String::into_bytes),
        workers: serving.parsed("workers", "2")?,
    };
    let mut text = format!("listening on {scheme}://{address}\n");
    if let Some(secret) = first.filter(|_| !is_chosen) {
        text.push_str(&format!("admin token, shown this once: {}\n", secret.reveal()));
    }
    if !address.ip().is_loopback() && settings.tls.is_none() {
        output::warn(
            "warning: other machines reach this server without encryption; `--tls-cert` and `--tls-key` give it some",
        );
    }
    output::print(&text)?;
    Ok(alnage_server::serve(listener, registry, settings, super::vet::now)?)
}

/// Works until somebody ends it.
pub(super) fn work(arguments: &WorkerArgs, configured: &Settings) -> anyhow::Result<()> {
    let serving = Serving::from(arguments.given(), configured);
    let public_url = serving.text("public-url").unwrap_or("http://127.0.0.1:8080").trim_end_matches('/');
    let mut opened = serving.registry(public_url)?;
    // Who shares a database with other machines says how they are reached.
    opened.receivers.this_machine =
        is_here(public_url) && (serving.text("public-url").is_some() || serving.text("database").is_none());
    let registry = Registry::open(opened, super::vet::now)?;
    let processors = thread::available_parallelism().map_or(1, usize::from).to_string();
    let count: usize = serving.parsed("workers", &processors)?;
    output::print(&format!("working with {count} threads\n"))?;
    Ok(alnage_server::work(&registry, count)?)
}

/// Whether a server with this address is one that only this machine reaches.
fn is_here(public_url: &str) -> bool {
    let host = public_url.split_once("://").map_or(public_url, |(_, host)| host);
    let host = host.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost"
        || name == "[::1]"
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}
