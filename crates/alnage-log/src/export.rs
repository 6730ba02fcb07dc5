//! A whole log as one text that a stranger verifies without the log: a line about the log, then its entries.

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Entry, Error, LogVerifier, Store,
    frontier::Frontier,
    leaf_hash, log,
    tiles::{self, WIDTH},
};

const SCHEMA: &str = "alnage.log-export/1";

/// The first line of an exported log. Nothing in it is to be believed before [`verify_export`] says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportHead {
    schema: String,
    /// The log's public keys.
    pub keys: Vec<String>,
    /// Its newest checkpoint with all signatures.
    pub checkpoint: String,
}

impl ExportHead {
    /// Reads the first line.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let malformed = |message: String| Error::Malformed(format!("not an exported log: {message}"));
        let head: Self = serde_json::from_str(line).map_err(|error| malformed(error.to_string()))?;
        if head.schema == SCHEMA { Ok(head) } else { Err(malformed("its schema is not known".into())) }
    }

    /// The keys that the export itself names: to be compared with what is known from elsewhere.
    pub fn verifier(&self) -> Result<LogVerifier, Error> {
        LogVerifier::from_text(&self.keys.join("\n"))
    }
}

/// Hands the lines of the export to `line`, without line ends.
pub fn export(
    store: &dyn Store,
    verifier: &LogVerifier,
    line: &mut dyn FnMut(&str) -> Result<(), Error>,
) -> Result<Checkpoint, Error> {
    let text = log::checkpoint_text(store)?.ok_or(Error::NoSuchEntry { index: 0, size: 0 })?;
    let checkpoint = Checkpoint::open(&text, verifier)?;
    let keys = verifier.keys().iter().map(ToString::to_string).collect();
    let head = ExportHead { schema: SCHEMA.into(), keys, checkpoint: text };
    line(&serde_json::to_string(&head).map_err(|error| Error::Malformed(error.to_string()))?)?;
    let mut frontier = Frontier::default();
    for index in 0..checkpoint.size.div_ceil(WIDTH) {
        for (number, bytes) in (index * WIDTH..).zip(tiles::read_bundle(store, index, checkpoint.size)?) {
            frontier.push(leaf_hash(&bytes), &mut |_, _| Ok(()))?;
            let entry = str::from_utf8(&bytes).ok().filter(|entry| !entry.contains('\n'));
            let entry = entry.ok_or_else(|| Error::Damaged(format!("entry {number} is no line of text")))?;
            line(entry)?;
        }
    }
    if frontier.root() != checkpoint.root {
        return Err(Error::Damaged("its entries do not lead to the root of its checkpoint".into()));
    }
    Ok(checkpoint)
}

/// Verifies an exported log by recomputing its tree: `lines` are those after the first, `visit` sees every entry.
/// What `visit` sees is proven only when this returns without error.
pub fn verify_export(
    head: &ExportHead,
    lines: &mut dyn Iterator<Item = Result<String, Error>>,
    verifier: &LogVerifier,
    visit: &mut dyn FnMut(u64, &Entry),
) -> Result<Checkpoint, Error> {
    let checkpoint = Checkpoint::open(&head.checkpoint, verifier)?;
    let mut frontier = Frontier::default();
    let mut count = 0_u64;
    for line in lines {
        let line = line?;
        if count == checkpoint.size {
            return Err(Error::Unproven(format!("there are more than the {count} entries that were signed")));
        }
        visit(count, &Entry::from_bytes(line.as_bytes())?);
        frontier.push(leaf_hash(line.as_bytes()), &mut |_, _| Ok(()))?;
        count += 1;
    }
    if count != checkpoint.size {
        let message = format!("there are {count} entries, and {} were signed", checkpoint.size);
        return Err(Error::Unproven(message));
    }
    if frontier.root() != checkpoint.root {
        return Err(Error::Unproven("the entries do not lead to the signed root".into()));
    }
    Ok(checkpoint)
}
