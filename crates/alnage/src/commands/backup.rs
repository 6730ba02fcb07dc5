//! `alnage registry backup` and `restore`: a registry in a directory, copied while it runs and made again of the copy.

use std::{path::Path, process::ExitCode};

use alnage_policy::Pack;
use alnage_registry::{Backup, Registry, Settings, restore};

use crate::{
    args::RegistryCommand,
    config::registry_directory,
    output::{self, hinted},
};

/// Copies, or brings back.
pub(super) fn run(command: &RegistryCommand) -> anyhow::Result<ExitCode> {
    match command {
        RegistryCommand::Backup { to, data } => {
            let settings = settings(data.as_deref())?;
            // Opening it would make an empty one.
            if !settings.data.join("registry.db").exists() {
                anyhow::bail!(hinted(
                    format!("there is no registry at `{}`", settings.data.display()),
                    "name its directory: `--data DIR`; one in PostgreSQL is copied by `pg_dump`",
                ));
            }
            let registry = Registry::open(settings, super::vet::now)?;
            report("copied to", to, &registry.backup(to)?)?;
        }
        RegistryCommand::Restore { from, data } => {
            let settings = settings(data.as_deref())?;
            report("restored to", &settings.data, &restore(from, &settings)?)?;
        }
        _ => anyhow::bail!("this is asked of a registry"),
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(data: Option<&Path>) -> anyhow::Result<Settings> {
    let data = data.map_or_else(registry_directory, Path::to_owned);
    let pack = Pack::shipped("default").ok_or_else(|| anyhow::anyhow!("there is no policy `default`"))?;
    Ok(Settings::below(&data, pack))
}

fn report(what: &str, place: &Path, backup: &Backup) -> anyhow::Result<()> {
    let Backup { blobs, bytes, entries, .. } = backup;
    output::print(&format!(
        "{what} `{}`: {blobs} contents of {bytes} bytes, {entries} entries of the log\n",
        place.display()
    ))?;
    Ok(())
}
