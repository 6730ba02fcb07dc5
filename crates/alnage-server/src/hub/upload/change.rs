//! A commit as clients send it: a line of JSON for what it says, and one for each file.

use alnage_registry::NewFile;
use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};
use serde::Deserialize;

use super::super::reply::Refusal;

/// One line, read.
pub(super) enum Line {
    /// What the commit says of itself.
    Header {
        /// Title and description.
        text: String,
        /// The commit that it is made on.
        parent: Option<String>,
    },
    /// A file with its content.
    File {
        /// Where.
        path: String,
        /// What.
        content: Vec<u8>,
    },
    /// Anything else.
    Do(Operation),
}

/// One change.
#[derive(Clone)]
pub(super) enum Operation {
    /// A file whose content has come with the commit.
    Put(NewFile),
    /// A file whose content has come before.
    PutLarge {
        /// Where.
        path: String,
        /// What.
        sha256: Digest,
        /// How long; who copies a file within a repository does not say.
        size: Option<u64>,
    },
    /// A file is gone.
    Delete(String),
    /// A folder is gone.
    DeleteFolder(String),
    /// A file is somewhere else too.
    Copy {
        /// Where it is.
        from: String,
        /// Where else.
        to: String,
    },
}

#[derive(Deserialize)]
#[serde(tag = "key", content = "value", rename_all = "camelCase")]
enum Sent {
    #[serde(rename_all = "camelCase")]
    Header {
        #[serde(default)]
        summary: String,
        #[serde(default)]
        description: String,
        parent_commit: Option<String>,
    },
    File {
        path: String,
        content: String,
        #[serde(default)]
        encoding: String,
    },
    #[serde(rename_all = "camelCase")]
    LfsFile {
        path: String,
        #[serde(default)]
        algo: String,
        oid: String,
        size: Option<u64>,
    },
    DeletedFile {
        path: String,
    },
    DeletedFolder {
        path: String,
    },
    #[serde(rename_all = "camelCase")]
    CopyFile {
        path: String,
        src_path: String,
    },
}

impl Line {
    /// Reads one line.
    pub(super) fn read(line: &[u8]) -> Result<Self, Refusal> {
        let sent: Sent = serde_json::from_slice(line)
            .map_err(|error| Refusal::Invalid(format!("a line of the commit cannot be read: {error}")))?;
        Ok(match sent {
            Sent::Header { summary, description, parent_commit } => {
                let text =
                    if description.is_empty() { summary } else { format!("{summary}\n\n{description}") };
                Self::Header { text: text.chars().take(10_000).collect(), parent: parent_commit }
            }
            Sent::File { path, content: text, encoding } if encoding == "base64" => {
                let content = content(&text)
                    .ok_or_else(|| Refusal::Invalid(format!("the content of `{path}` is no base64")))?;
                Self::File { path, content }
            }
            Sent::File { path, content, .. } => Self::File { path, content: content.into_bytes() },
            Sent::LfsFile { path, algo, oid, size } => {
                let sha256 = oid.parse().ok().filter(|_| matches!(algo.as_str(), "" | "sha256"));
                let sha256 = sha256.ok_or_else(|| {
                    Refusal::Invalid(format!("the content of `{path}` is named by no SHA-256"))
                })?;
                Self::Do(Operation::PutLarge { path, sha256, size })
            }
            Sent::DeletedFile { path } => Self::Do(Operation::Delete(path)),
            Sent::DeletedFolder { path } => Self::Do(Operation::DeleteFolder(path)),
            Sent::CopyFile { path, src_path } => Self::Do(Operation::Copy { from: src_path, to: path }),
        })
    }
}

/// Bytes out of base64.
pub(super) fn content(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}
