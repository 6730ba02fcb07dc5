//! Reads the paths of the hub's protocol. Names have one part or two, so what follows a name is found by its marker.

use alnage_registry::Kind;

/// What a path of the hub's protocol names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Something of one repository.
    Repo {
        /// Model or data set.
        kind: Kind,
        /// One part or two.
        name: String,
        /// What of it.
        part: Part,
    },
    /// All repositories of a kind.
    List(Kind),
    /// Who asks.
    WhoAmI,
    /// A check of a card's front matter.
    ValidateYaml,
    /// Where repositories are made and deleted.
    Repos(Repos),
    /// Where the bytes of one file are sent, under a secret name.
    Upload(String),
    /// Where it is asked whether they have arrived.
    UploadDone(String),
}

/// What is done with repositories as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repos {
    /// One is made.
    Create,
    /// One is deleted.
    Delete,
}

/// A part of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// What it is, and its files.
    Info(Option<String>),
    /// Files at a revision, below a folder.
    Tree(String, String),
    /// Some files, by their paths.
    PathsInfo(String),
    /// Branches and tags.
    Refs,
    /// History.
    Commits(String),
    /// Discussions and pull requests, of which there are none.
    Discussions,
    /// Whether it may be read.
    MayRead,
    /// Whether it may be written.
    MayWrite,
    /// The bytes of a file.
    File(String, String),
    /// How files should be sent.
    Preupload(String),
    /// A change.
    Commit(String),
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// Settings, of which none can be changed.
    Settings,
    /// A token for sending chunks.
    XetWrite(String),
    /// A token for reading chunks, which nobody gets.
    XetRead(String),
    /// Where large files should be sent.
    LargeFiles,
}

/// Reads a path, still encoded, without its query. `None` is none of the protocol.
pub(crate) fn parse(path: &str) -> Option<Place> {
    let segments = path.strip_prefix('/')?.split('/').map(decoded).collect::<Option<Vec<_>>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["api", rest @ ..] => api(rest),
        ["-", "upload", secret] => Some(Place::Upload((*secret).to_owned())),
        ["-", "upload", secret, "done"] => Some(Place::UploadDone((*secret).to_owned())),
        ["datasets", rest @ ..] => bytes(Kind::Dataset, rest),
        ["spaces" | "kernels" | "v1" | "v2" | "-", ..] => None,
        rest => bytes(Kind::Model, rest),
    }
}

fn api(segments: &[&str]) -> Option<Place> {
    match segments {
        ["models"] => Some(Place::List(Kind::Model)),
        ["datasets"] => Some(Place::List(Kind::Dataset)),
        ["models", rest @ ..] => repo(Kind::Model, rest),
        ["datasets", rest @ ..] => repo(Kind::Dataset, rest),
        ["whoami-v2"] => Some(Place::WhoAmI),
        ["validate-yaml"] => Some(Place::ValidateYaml),
        ["repos", "create"] => Some(Place::Repos(Repos::Create)),
        ["repos", "delete"] => Some(Place::Repos(Repos::Delete)),
        _ => None,
    }
}

fn repo(kind: Kind, segments: &[&str]) -> Option<Place> {
    let (name, rest) = split_at_marker(segments, |marker| {
        matches!(
            marker,
            "revision"
                | "tree"
                | "paths-info"
                | "refs"
                | "commits"
                | "auth-check"
                | "preupload"
                | "commit"
                | "branch"
                | "tag"
                | "settings"
                | "xet-read-token"
                | "xet-write-token"
                | "discussions"
        )
    })
    .or_else(|| (segments.len() <= 2).then(|| (segments.join("/"), [].as_slice())))?;
    let whole = |rest: &[&str]| {
        let (revision, rest) = revision(rest)?;
        rest.is_empty().then_some(revision)
    };
    let part = match rest {
        [] => Part::Info(None),
        ["revision", rest @ ..] => Part::Info(Some(whole(rest)?)),
        ["tree", rest @ ..] => {
            let (revision, folder) = revision(rest)?;
            Part::Tree(revision, folder.join("/").trim_matches('/').to_owned())
        }
        ["paths-info", rest @ ..] => Part::PathsInfo(whole(rest)?),
        ["refs"] => Part::Refs,
        ["commits", rest @ ..] => Part::Commits(whole(rest)?),
        ["discussions", ..] => Part::Discussions,
        ["auth-check"] => Part::MayRead,
        ["auth-check", "write"] => Part::MayWrite,
        ["preupload", rest @ ..] => Part::Preupload(whole(rest)?),
        ["commit", rest @ ..] => Part::Commit(whole(rest)?),
        ["branch", rest @ ..] if !rest.is_empty() => Part::Branch(rest.join("/")),
        ["tag", rest @ ..] if !rest.is_empty() => Part::Tag(rest.join("/")),
        ["settings"] => Part::Settings,
        ["xet-read-token", rest @ ..] => Part::XetRead(whole(rest)?),
        ["xet-write-token", rest @ ..] => Part::XetWrite(whole(rest)?),
        _ => return None,
    };
    of(kind, name, part)
}

fn bytes(kind: Kind, segments: &[&str]) -> Option<Place> {
    if let [name @ .., "info", "lfs", "objects", "batch"] = segments {
        return of(kind, name.join("/").strip_suffix(".git")?.to_owned(), Part::LargeFiles);
    }
    let (name, rest) = split_at_marker(segments, |marker| marker == "resolve")?;
    let (revision, file) = revision(rest.get(1..)?)?;
    of(kind, name, Part::File(revision, file.join("/")))
}

fn of(kind: Kind, name: String, part: Part) -> Option<Place> {
    alnage_registry::upstream::is_name(&name).then_some(Place::Repo { kind, name, part })
}

/// The name before the first marker, and what begins with the marker.
fn split_at_marker<'a, 'b>(
    segments: &'b [&'a str],
    is_marker: impl Fn(&str) -> bool,
) -> Option<(String, &'b [&'a str])> {
    let place = (1..=2).find(|place| segments.get(*place).is_some_and(|segment| is_marker(segment)))?;
    let (name, rest) = segments.split_at_checked(place)?;
    Some((name.join("/"), rest))
}

/// A revision is one segment, in which its own slashes are encoded; some clients do not encode those of references.
fn revision<'a, 'b>(segments: &'b [&'a str]) -> Option<(String, &'b [&'a str])> {
    let length = match segments {
        ["refs", "pr" | "convert" | "heads" | "tags", _, ..] => 3,
        ["" | "." | "..", ..] | [] => return None,
        _ => 1,
    };
    let (revision, rest) = segments.split_at_checked(length)?;
    let revision = revision.join("/");
    let revision =
        revision.strip_prefix("refs/heads/").or(revision.strip_prefix("refs/tags/")).unwrap_or(&revision);
    (revision.len() <= 255).then(|| (revision.to_owned(), rest))
}

/// Takes `%2F` and its like back. `None` is no text.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit(rest.next())? << 4 | digit(rest.next())?).ok()?,
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// A text as a segment of a path, or several with their slashes.
pub(crate) fn encoded(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            path.push(byte as char);
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

/// The same request, asked again: `/-/wait/3/…` is the third time.
pub(crate) fn waited(path: &str) -> (u32, &str) {
    let parts = path.strip_prefix("/-/wait/").and_then(|rest| Some((rest, rest.find('/')?)));
    let times = parts.and_then(|(rest, slash)| Some((rest.get(..slash)?.parse().ok()?, rest.get(slash..)?)));
    times.unwrap_or((0, path))
}
