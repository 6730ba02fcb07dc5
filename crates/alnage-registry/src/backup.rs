//! Copies of a registry that another one is made of again.
//!
//! The records are copied first. Content is only ever added by what records name later, so what is copied after them has
//! everything that they name.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use alnage_types::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Registry, Result, Settings, StorePlace,
    blobs::{Blobs, Local},
    database::{Database, Place},
};

/// The records in a backup.
const RECORDS: &str = "registry.db";
/// What the backup is.
const LABEL: &str = "backup.json";

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The shape of the backup.
    pub schema: String,
    /// When, in seconds since 1970.
    pub created: u64,
    /// How much content the records name.
    pub blobs: u64,
    /// How many bytes that is.
    pub bytes: u64,
    /// How many entries the log had.
    pub entries: u64,
}

const SCHEMA: &str = "alnage.registry-backup/1";

impl Registry {
    /// Copies the records of a SQLite registry and all content they name to `to`, while it runs. With PostgreSQL and a
    /// bucket, `pg_dump` and the bucket's own versions do that.
    pub fn backup(&self, to: &Path) -> Result<Backup> {
        let Place::File(_) = self.database().place() else {
            return Err(Error::Invalid(
                "the records are in PostgreSQL: copy them with `pg_dump --format=custom`, before the content"
                    .into(),
            ));
        };
        if to.exists() && fs::read_dir(to)?.next().is_some() {
            return Err(Error::Conflict(format!("`{}` is not empty", to.display())));
        }
        fs::create_dir_all(to)?;
        self.database().copy_to(&to.join(RECORDS))?;
        let copy = Database::open_file(&to.join(RECORDS))?;
        let target = Local::at(to)?;
        let mut backup = Backup {
            schema: SCHEMA.into(),
            created: self.now(),
            blobs: 0,
            bytes: 0,
            entries: self.log_checkpoint()?.map_or(0, |checkpoint| checkpoint.size),
        };
        for digest in named(&copy)? {
            let place = target.path(digest);
            if let Some(above) = place.parent() {
                fs::create_dir_all(above)?;
            }
            self.blobs().materialise(digest, &place)?;
            backup.blobs += 1;
            backup.bytes = backup.bytes.saturating_add(fs::metadata(&place)?.len());
        }
        // Last: a backup without it is not whole.
        fs::write(to.join(LABEL), serde_json::to_string_pretty(&backup)?)?;
        Ok(backup)
    }
}

/// Makes a registry of a backup where there is none yet. All content is checked against its name.
pub fn restore(from: &Path, settings: &Settings) -> Result<Backup> {
    let label = fs::read_to_string(from.join(LABEL))
        .map_err(|error| Error::Invalid(format!("`{}` is no whole backup: {error}", from.display())))?;
    let backup: Backup = serde_json::from_str(&label)?;
    if backup.schema != SCHEMA {
        return Err(Error::Invalid(format!("`{:.60}` is no backup that this version knows", backup.schema)));
    }
    let (Place::File(records), StorePlace::Directory(store)) = (&settings.database, &settings.store) else {
        return Err(Error::Invalid("a backup is restored to a directory".into()));
    };
    if records.exists() {
        return Err(Error::Conflict(format!("there is a registry at `{}` already", records.display())));
    }
    fs::create_dir_all(&settings.data)?;
    let source = Blobs::Local(Local::at(from)?);
    let target = Blobs::Local(Local::at(store)?);
    let copied = beside(records);
    fs::copy(from.join(RECORDS), &copied)?;
    let opened = Database::open_file(&copied)?;
    for digest in named(&opened)? {
        let reader = source.open(digest)?.ok_or_else(|| {
            Error::Invalid(format!("the backup lacks the content {digest}, which its records name"))
        })?;
        target.put(reader.stream(), Some(digest))?;
    }
    drop(opened);
    // The name comes last: what was interrupted is no registry.
    fs::rename(&copied, records)?;
    Ok(backup)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".restored");
    name.into()
}

/// All content that the records name.
fn named(database: &Database) -> Result<BTreeSet<Digest>> {
    const NAMES: [&str; 5] = [
        "SELECT DISTINCT sha256 FROM files",
        "SELECT DISTINCT digest FROM oci_blobs",
        "SELECT DISTINCT digest FROM oci_attached",
        "SELECT DISTINCT blob FROM xet_xorbs",
        "SELECT DISTINCT sha256 FROM xet_files",
    ];
    let mut all = BTreeSet::new();
    database.read(|connection| {
        for statement in NAMES {
            for row in connection.query(statement, &[])? {
                all.insert(crate::columns::digest_column(&row, 0)?);
            }
        }
        Ok(())
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use alnage_policy::Pack;

    use super::*;
    use crate::{Actor, Kind, NewFile, NewVersion, testing::now};

    #[test]
    fn what_is_restored_is_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let pack = Pack::shipped("default").unwrap();
        let settings = Settings::below(&folder.path().join("one"), pack.clone());
        let registry = Registry::open(settings, now).unwrap();
        let stored = registry.blobs().put(&b"content"[..], None).unwrap();
        let file = NewFile {
            path: "a".into(),
            size: stored.size,
            sha256: stored.digest,
            git_oid: stored.git_oid.clone(),
        };
        let new = NewVersion { files: vec![file], ..NewVersion::default() };
        let version = registry.add_version(Kind::Model, "acme/tiny", new, &Actor::system("test")).unwrap();
        let to = folder.path().join("backup");
        let made = registry.backup(&to).unwrap();
        assert_eq!((made.blobs, made.bytes, made.entries), (1, 7, 1));
        assert!(matches!(registry.backup(&to), Err(Error::Conflict(_))));

        let settings = Settings::below(&folder.path().join("two"), pack);
        assert_eq!(restore(&to, &settings).unwrap(), made);
        assert!(matches!(restore(&to, &settings), Err(Error::Conflict(_))));
        let again = Registry::open(settings.clone(), now).unwrap();
        assert_eq!(again.version_by_id(version.id).unwrap(), Some(version));
        assert_eq!(again.blobs().read(stored.digest, 100).unwrap().unwrap(), b"content");
        assert_eq!(again.log_verifier().to_string(), registry.log_verifier().to_string());

        // A backup that was damaged is not restored.
        fs::remove_file(Local::at(&to).unwrap().path(stored.digest)).unwrap();
        let three = Settings::below(&folder.path().join("three"), settings.policy);
        assert!(matches!(restore(&to, &three), Err(Error::Invalid(_))));
    }
}
