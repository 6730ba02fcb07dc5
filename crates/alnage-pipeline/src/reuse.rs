//! What of an earlier verification is used again: digests of files that nobody has touched since.

use std::{path::Path, time::SystemTime};

use alnage_fs::{Recall, Seen, Tree};
use alnage_sign::SignedManifest;
use alnage_types::Digest;

use crate::{Verification, Verifying};

/// Where digests are remembered, and whether they are used.
#[derive(Debug, Clone, Copy)]
pub struct Reuse<'a> {
    /// The directory.
    pub directory: &'a Path,
    /// Whether what is there is used.
    pub remembered: Remembered,
    /// A moment before the verification.
    pub now: SystemTime,
}

/// What is done with what was remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// It is used.
    Used,
    /// Everything is read, and remembered anew.
    Replaced,
}

impl Reuse<'_> {
    /// Opens what is remembered of `tree` under the signature `bundle`, made with the key called `key`.
    pub(crate) fn open(
        &self,
        tree: &Tree,
        bundle: &[u8],
        key: &str,
        signed: &SignedManifest,
        what: &Verifying<'_>,
        found: &mut Verification,
    ) -> Seen {
        let purpose = purpose(what, bundle, key, signed);
        let (mut seen, recall) = Seen::open(self.directory, purpose, tree, self.now);
        if self.remembered == Remembered::Replaced {
            seen.forget();
            found.notes.push("every file is read, as was asked for".to_owned());
            return seen;
        }
        found.notes.push(match recall {
            Recall::Files(count) => format!("the digests of {count} files are remembered"),
            Recall::Nothing => "nothing is remembered of this model under this signature".to_owned(),
            Recall::Refused(reason) => {
                format!("what is remembered in `{}` is not used: {reason}", self.directory.display())
            }
        });
        seen
    }
}

/// Under which name the digests of a model's files are remembered.
pub(crate) fn purpose(what: &Verifying<'_>, bundle: &[u8], key: &str, signed: &SignedManifest) -> Digest {
    // The digests alone would do, as all the rest is verified again. But what holds for one signature, key, set of
    // options and version shall not be found under another.
    let options = (what.ignore_paths, what.git, what.forms, what.unsigned, what.ignored, what.symlinks);
    let form = (signed.hash(), signed.serialization());
    let place = alnage_fs::canonical(what.path).unwrap_or_else(|_| what.path.to_owned());
    let version = env!("CARGO_PKG_VERSION");
    let purpose = format!("{version}\n{place:?}\n{}\n{key}\n{form:?}\n{options:?}", Digest::of(bundle));
    Digest::of(purpose.as_bytes())
}

/// Writes down what was learnt, and says what there is to say.
pub(crate) fn close(seen: &Seen, found: &mut Verification) {
    let young = seen.young();
    if young > 0 {
        found.notes.push(format!(
            "{young} files are not remembered: they were changed within the last minutes, or lie where times of \
             change prove nothing"
        ));
    }
    if let Err(error) = seen.save() {
        found.notes.push(format!("nothing can be remembered: {error}"));
    }
}
