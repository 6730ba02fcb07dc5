//! The layout of the Hugging Face cache: `models--x--y/snapshots/<revision>/file -> ../../blobs/<hash>`.

use std::path::{Path, PathBuf};

/// The repository's folder in the cache, when `snapshot` (canonical) lies in a snapshot of it.
pub(crate) fn repository_of(snapshot: &Path) -> Option<PathBuf> {
    let mut ancestors = snapshot.ancestors();
    ancestors.find(|folder| folder.file_name().is_some_and(|name| name == "snapshots"))?;
    let repository = ancestors.next()?;
    let name = repository.file_name()?.to_str()?;
    let cached = ["models--", "datasets--", "spaces--"].iter().any(|prefix| name.starts_with(prefix));
    (cached && repository.join("blobs").is_dir()).then(|| repository.to_owned())
}
