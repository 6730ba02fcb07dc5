//! What a path of the distribution protocol asks for. Names have slashes, so the words between them are looked for.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A manifest by tag or digest.
    Manifest { name: String, reference: String },
    /// A blob.
    Blob { name: String, digest: String },
    /// Where uploads begin.
    Uploads { name: String },
    /// An upload under way.
    Upload { name: String, id: String },
    /// The tags there are.
    Tags { name: String },
    /// What is attached to a manifest.
    Referrers { name: String, digest: String },
}

/// Reads what comes after `/v2/`. A name has one or two segments, as models have.
pub(super) fn parse(path: &str) -> Option<Place> {
    let segments: Vec<&str> = path.split('/').collect();
    let (name, rest): (&[&str], &[&str]) = match segments.as_slice() {
        [name @ .., "tags", "list"] => return Some(Place::Tags { name: joined(name)? }),
        [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => {
            return Some(Place::Uploads { name: joined(name)? });
        }
        [name @ .., "blobs", "uploads", id] => {
            return Some(Place::Upload { name: joined(name)?, id: plain(id)? });
        }
        [name @ .., _, _] => (name, segments.get(name.len()..).unwrap_or_default()),
        _ => return None,
    };
    let name = joined(name)?;
    match *rest {
        ["manifests", reference] => Some(Place::Manifest { name, reference: plain(reference)? }),
        ["blobs", digest] => Some(Place::Blob { name, digest: plain(digest)? }),
        ["referrers", digest] => Some(Place::Referrers { name, digest: plain(digest)? }),
        _ => None,
    }
}

/// The name of a model. Ollama says `library` where nobody is named.
fn joined(segments: &[&str]) -> Option<String> {
    match *segments {
        ["library", name] | [name] => plain(name),
        [owner, name] => Some(format!("{}/{}", plain(owner)?, plain(name)?)),
        _ => None,
    }
}

fn plain(segment: &str) -> Option<String> {
    let fits = (1..=128).contains(&segment.len())
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
        && !segment.starts_with(['.', '-']);
    fits.then(|| segment.to_owned())
}
