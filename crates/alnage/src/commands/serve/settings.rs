//! What flags, environment and `[serve]` of the configuration say, strongest first.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use alnage_policy::{Pack, SHIPPED};
use alnage_registry::{
    Settings as RegistrySettings, StorePlace, blobs::S3Settings, database::Place, people::Grant, upstream,
};
use alnage_server::{Oidc, Trust};
use anyhow::Context as _;

use crate::{
    args::Given,
    config::{Settings, registry_directory},
    output::hinted,
};

/// Files of a pack, at most, and bytes of each.
const PACK_FILES: usize = 200;
const PACK_FILE: u64 = 1 << 20;
const HUB: &str = "https://huggingface.co";

/// What is said of serving.
pub(super) struct Serving(BTreeMap<&'static str, String>);

impl Serving {
    /// Of each setting what is said the strongest.
    pub(super) fn from(given: Given<'_>, configured: &Settings) -> Self {
        let mut said = BTreeMap::new();
        for (name, flag) in given {
            let variable = format!("ALNAGE_SERVE_{}", name.replace('-', "_").to_ascii_uppercase());
            let value = flag.map(str::to_owned);
            let value = value.or_else(|| env::var(variable).ok().filter(|value| !value.is_empty()));
            if let Some(value) = value.or_else(|| configured.serve.get(name).cloned()) {
                said.insert(name, value);
            }
        }
        Self(said)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// The value of `name`, or what it is when nobody says.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
        otherwise: &str,
    ) -> anyhow::Result<T> {
        let text = self.text(name).unwrap_or(otherwise);
        text.parse().map_err(|error| anyhow::anyhow!("`{text}` is no value for `--{name}`: {error}"))
    }

    pub(super) fn flag(&self, name: &str) -> anyhow::Result<bool> {
        match self.text(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(text) => Err(anyhow::anyhow!("`{text}` is no value for `--{name}`: `true` or `false`")),
        }
    }

    /// The text of the file that `name` names.
    pub(super) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        self.path(name)
            .map(|path| fs::read_to_string(&path).with_context(|| format!("`{}`", path.display())))
            .transpose()
    }

    fn list(&self, name: &str) -> Vec<&str> {
        let all = self.text(name).unwrap_or_default().split(',');
        all.map(str::trim).filter(|item| !item.is_empty()).collect()
    }

    /// What the registry is opened with.
    pub(super) fn registry(&self, public_url: &str) -> anyhow::Result<RegistrySettings> {
        let data = self.path("data").unwrap_or_else(registry_directory);
        let mut settings = RegistrySettings::below(&data, self.pack()?);
        settings.public_url = public_url.to_owned();
        if let Some(database) = self.text("database") {
            settings.database = Place::parse(database);
        }
        match self.text("store") {
            Some(bucket) if bucket.starts_with("s3://") => {
                settings.store = StorePlace::Bucket(S3Settings::parse(bucket, |name| env::var(name).ok())?);
            }
            Some(folder) => settings.store = StorePlace::Directory(folder.into()),
            None => {}
        }
        if let Some(origin) = self.text("log-origin") {
            settings.log_origin = origin.to_owned();
        }
        settings.votes = self.parsed("votes", "1")?;
        settings.upstream = self.upstream()?;
        settings.receivers.hosts = self.list("webhook-hosts").into_iter().map(str::to_owned).collect();
        for file in self.list("trusted-keys") {
            settings.trusted_keys.push(fs::read_to_string(file).with_context(|| format!("`{file}`"))?);
        }
        settings.signer_trust = self.path("signer-trust");
        Ok(settings)
    }

    fn upstream(&self) -> anyhow::Result<Option<upstream::Settings>> {
        if self.flag("offline")? {
            return Ok(None);
        }
        Ok(Some(upstream::Settings {
            url: self.text("upstream").unwrap_or(HUB).to_owned(),
            token: self.read("upstream-token-file")?.map(|token| token.trim().to_owned()),
            hosts: self.list("upstream-hosts").into_iter().map(str::to_owned).collect(),
            roots: self.read("roots")?.map(String::into_bytes),
        }))
    }

    /// The policy: shipped, or in a directory.
    fn pack(&self) -> anyhow::Result<Pack> {
        let name = self.text("policy").unwrap_or("default");
        if let Some(pack) = Pack::shipped(name) {
            return Ok(pack);
        }
        let folder = Path::new(name);
        if !folder.is_dir() {
            let known = SHIPPED.join("`, `");
            return Err(hinted(
                format!("there is no policy `{name}`"),
                format!("name a directory with a pack, or one that is shipped: `{known}`"),
            ));
        }
        let mut files = Vec::new();
        read_pack(folder, folder, &mut files).with_context(|| format!("`{name}`"))?;
        Pack::from_files(files).with_context(|| format!("`{name}`"))
    }

    /// The identity provider, where there is one.
    pub(super) fn oidc(&self) -> anyhow::Result<Option<Oidc>> {
        let Some(issuer) = self.text("oidc-issuer") else { return Ok(None) };
        let client_id = self.text("oidc-client-id").context("`oidc-issuer` needs `oidc-client-id`")?;
        let mut roles = Vec::new();
        for pair in self.list("oidc-roles") {
            let (group, grant) = pair
                .split_once('=')
                .with_context(|| format!("`{pair}` in `oidc-roles` is not `GROUP=ROLE`"))?;
            roles.push((group.to_owned(), grant.parse().map_err(anyhow::Error::msg)?));
        }
        let everybody = self.list("oidc-everybody").into_iter().map(str::parse::<Grant>);
        Ok(Some(Oidc {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: self.read("oidc-client-secret-file")?.map(|secret| secret.trim().to_owned()),
            groups: self.text("oidc-groups").unwrap_or("groups").to_owned(),
            roles,
            everybody: everybody.collect::<Result<_, _>>().map_err(anyhow::Error::msg)?,
        }))
    }

    /// Whose identities of programs count.
    pub(super) fn trust(&self) -> anyhow::Result<Vec<Trust>> {
        let Some(text) = self.read("trust")? else { return Ok(Vec::new()) };
        let place = || format!("`{}`", self.text("trust").unwrap_or_default());
        let trusts: Vec<Trust> = serde_json::from_str(&text).with_context(place)?;
        for trust in &trusts {
            trust.grants().map_err(anyhow::Error::msg).with_context(place)?;
        }
        Ok(trusts)
    }
}

/// The files of a pack below `folder`, one level of folders deep, with their names in it.
fn read_pack(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && folder == root {
            read_pack(root, &path, files)?;
            continue;
        }
        let wanted = path.extension().is_some_and(|kind| kind == "rego" || kind == "toml" || kind == "json");
        if !wanted || !path.is_file() {
            continue;
        }
        let too_large = fs::metadata(&path)?.len() > PACK_FILE;
        anyhow::ensure!(
            !too_large && files.len() < PACK_FILES,
            "a pack has up to {PACK_FILES} files of up to {PACK_FILE} bytes"
        );
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        files.push((name, fs::read_to_string(&path)?));
    }
    Ok(())
}
