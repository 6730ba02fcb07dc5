//! Names on the Hugging Face hub.

/// The package URL of a model on the hub; `None` for what cannot be one: a local path, a name without its owner.
pub(crate) fn model_purl(name: &str) -> Option<String> {
    let (owner, model) = name.split_once('/')?;
    (is_name(owner) && is_name(model)).then(|| format!("pkg:huggingface/{owner}/{model}"))
}

/// Where a dataset of the hub is; owners are not required there.
pub(crate) fn dataset_url(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').collect();
    (parts.len() <= 2 && parts.iter().all(|part| is_name(part)))
        .then(|| format!("https://huggingface.co/datasets/{name}"))
}

/// The package URL of a framework that PyPI has under its own name.
pub(crate) fn framework_purl(name: &str, version: Option<&str>) -> Option<String> {
    const ON_PYPI: [&str; 6] =
        ["transformers", "diffusers", "peft", "sentence-transformers", "timm", "spacy"];
    let plain = |version: &&str| version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let version = version.filter(plain).map(|version| format!("@{version}")).unwrap_or_default();
    ON_PYPI.contains(&name).then(|| format!("pkg:pypi/{name}{version}"))
}

/// The hub's rule for names.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 96 && !name.starts_with(['.', '-']) && name.bytes().all(fits)
}
