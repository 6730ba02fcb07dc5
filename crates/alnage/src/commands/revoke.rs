//! `alnage revoke`: what counts no more.

use std::path::Path;

use alnage_pipeline::{
    Bundle, certificates, read_signature, revoke, rfc3339,
    trusted::{RevocationEntry, RevokedKind},
    verifying_key,
    x509::UnixTime,
};
use alnage_types::Digest;

use super::vet::now;
use crate::{
    args::RevokeArgs,
    config::Settings,
    output::{self, warn},
    signer,
};

/// Adds an entry to a list, signs and logs it, and says where the list is.
pub(super) fn run(arguments: &RevokeArgs, settings: &Settings) -> anyhow::Result<()> {
    let kind = RevokedKind::from(arguments.kind);
    let since = arguments.since.as_deref().map(str::parse::<UnixTime>).transpose()?;
    let entry = RevocationEntry {
        kind,
        sha256: digest(kind, &arguments.what)?,
        reason: arguments.reason.clone(),
        revoked: rfc3339(now()),
        since: since.map(|since| since.to_string()),
    };
    let sha256 = entry.sha256;
    let key = signer::open(&arguments.key)?;
    let log = arguments.log.as_deref().unwrap_or(&settings.log);
    let revoked = revoke(&arguments.list, entry, &*key.signer, log)?;
    output::print(&format!("{}\n", revoked.list.display()))?;
    warn(format_args!(
        "revoked the {} {sha256}: list {}, {} in all",
        kind.as_str(),
        revoked.number,
        revoked.entries
    ));
    Ok(())
}

/// The digest that `what` is, or that the file it names leads to.
fn digest(kind: RevokedKind, what: &str) -> anyhow::Result<Digest> {
    if let Ok(digest) = what.parse() {
        return Ok(digest);
    }
    let path = Path::new(what);
    Ok(match kind {
        RevokedKind::Key => match certificates(path) {
            Ok(found) if !found.is_empty() => found[0].verifying_key()?.hint(),
            _ => verifying_key(path)?.hint(),
        },
        RevokedKind::Certificate => match certificates(path)?.first() {
            Some(certificate) => certificate.fingerprint(),
            None => anyhow::bail!("there is no certificate in `{what}`"),
        },
        // Whoever signed it: what is revoked need not be trusted.
        RevokedKind::Model => model(&read_signature(path)?)?,
    })
}

/// The root digest that a signature names.
fn model(bundle: &[u8]) -> anyhow::Result<Digest> {
    let payload: serde_json::Value = serde_json::from_slice(&Bundle::parse(bundle)?.unverified_payload()?)?;
    let digest = payload.pointer("/subject/0/digest/sha256").and_then(|digest| digest.as_str());
    let digest = digest.ok_or_else(|| anyhow::anyhow!("the signature names no model by SHA-256"))?;
    digest.parse().map_err(|_| anyhow::anyhow!("the signature names no model by SHA-256"))
}
