//! The registry that somebody is logged in at, and the token for it, in a file that only they may read.

use std::{fmt, fs, io, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::{config::login_file, output::hinted};

/// A longer file is none of ours.
const LONGEST: u64 = 256 << 10;

/// A login.
pub(crate) struct Login {
    /// Where the registry is, without a slash at the end.
    pub(crate) registry: String,
    /// What it is asked with.
    pub(crate) token: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({} ***)", self.registry)
    }
}

/// The login that is kept, if there is one.
pub(crate) fn stored() -> anyhow::Result<Option<Login>> {
    let path = login_file();
    match fs::metadata(&path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            return Err(hinted(
                format!("others may read the token in `{}`", path.display()),
                format!("`chmod 600 {}`, or make another token if somebody did", path.display()),
            ));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => anyhow::bail!("`{}`: {error}", path.display()),
    }
    let bytes = alnage_fs::read_small(&path, LONGEST)?;
    let kept: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match (kept["registry"].as_str(), kept["token"].as_str()) {
        (Some(registry), Some(token)) => {
            Ok(Some(Login { registry: registry.to_owned(), token: token.to_owned() }))
        }
        _ => Err(hinted(
            format!("`{}` holds no login", path.display()),
            "`alnage registry logout` removes it, `alnage registry login URL` makes another one",
        )),
    }
}

/// Keeps a login in place of the one before.
pub(crate) fn store(login: &Login) -> anyhow::Result<()> {
    let path = login_file();
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| anyhow::anyhow!("`{}`: {error}", folder.display()))?;
    let text = json!({ "registry": login.registry, "token": login.token });
    Ok(alnage_fs::replace_secret(&path, format!("{text:#}\n").as_bytes())?)
}

/// Forgets the login; gives whether there was one.
pub(crate) fn forget() -> anyhow::Result<bool> {
    let path = login_file();
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(anyhow::anyhow!("`{}`: {error}", path.display())),
    }
}
