//! Names on hubs and registries as package URLs and addresses.

use alnage_facts::{hub_name, purl_encoded};

/// The package URL of a model on the hub, at a commit when it is known in full; `None` for what cannot be one.
pub(crate) fn model_purl(name: &str, version: Option<&str>) -> Option<String> {
    let hub = hub_name(name)?;
    let version = version.filter(|version| is_commit(version)).map(str::to_ascii_lowercase);
    let version = version.map(|commit| format!("@{commit}")).unwrap_or_default();
    Some(format!("pkg:huggingface/{}/{}{version}", hub.owner, hub.name))
}

/// A package URL for what no registry knows: by its name and the digest of its content.
pub(crate) fn generic_purl(name: &str, sha256: Option<&str>) -> String {
    let checksum = sha256.map(|digest| format!("?checksum=sha256:{digest}")).unwrap_or_default();
    format!("pkg:generic/{}{checksum}", purl_encoded(name))
}

/// Where a dataset of the hub is; owners are not required there.
pub(crate) fn dataset_url(name: &str) -> Option<String> {
    let fits = |part: &str| {
        !part.is_empty()
            && part.len() <= 96
            && !part.starts_with(['.', '-'])
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let parts: Vec<&str> = name.split('/').collect();
    (parts.len() <= 2 && parts.iter().all(|part| fits(part)))
        .then(|| format!("https://huggingface.co/datasets/{name}"))
}

/// A whole commit id.
pub(crate) fn is_commit(version: &str) -> bool {
    version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}
