//! The hub that models come from: what it has, and its bytes. Nothing of its answers is handed on.

mod guard;
mod listing;
#[cfg(test)]
mod tests;

use crate::columns::hex;
use std::io::Read;

use alnage_types::Digest;
use ureq::{
    Agent, Body,
    http::{HeaderMap, Response, header},
};
use url::Url;

pub use guard::Guard;
pub use listing::{Expected, Found, Listed, is_name};

/// A renamed repository, a content network and its mirror are three.
const MAX_REDIRECTS: usize = 10;
/// The answer to a call for a repository with very many files.
const MAX_INFO: u64 = 64 << 20;
/// One page of a tree.
const MAX_PAGE: u64 = 16 << 20;
/// Pages of a tree, at a thousand files each.
const MAX_PAGES: usize = 500;

/// Where models come from, as it was configured.
#[derive(Clone, Default)]
pub struct Settings {
    /// The address of the hub.
    pub url: String,
    /// What proves to the hub who asks.
    pub token: Option<String>,
    /// Further hosts, as URLs, that bytes may come from although they are inside a network.
    pub hosts: Vec<String>,
    /// Authorities to trust in place of those of the web, in PEM.
    pub roots: Option<Vec<u8>>,
}

/// What a hub keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Models.
    Models,
    /// Data sets.
    Datasets,
}

/// The hub.
#[derive(Clone)]
pub struct Upstream {
    base: Url,
    token: Option<String>,
    guard: Guard,
    agent: Agent,
}

/// Bytes of a file on their way.
pub struct Bytes {
    /// How many bytes of the file came before these.
    pub from: u64,
    /// The bytes.
    pub reader: Box<dyn Read + Send>,
}

/// Why the hub did not give what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no such repository, or it is not to be seen.
    #[error("the upstream hub has no repository of this name")]
    NoRepository,
    /// The repository has no such revision.
    #[error("the upstream hub has no such revision of it")]
    NoRevision,
    /// The hub wants something of whoever asks.
    #[error("the upstream hub gives it only to those it has granted access: {0}")]
    Gated(String),
    /// What came cannot be believed, or a request would have gone where none may go.
    #[error("{0}")]
    Refused(String),
    /// The hub cannot be reached, or fails; later may be better.
    #[error("the upstream hub does not answer: {0}")]
    Unavailable(String),
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        let Self { url, hosts, .. } = self;
        f.debug_struct("Settings").field("url", url).field("token", &token).field("hosts", hosts).finish()
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Upstream {
    /// A client of the hub that `settings` names.
    ///
    /// # Errors
    ///
    /// When an address is none, or no certificate can be read.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let parse = |text: &str| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            url.ok_or_else(|| Error::Refused(format!("`{text}` is no address of a hub")))
        };
        let mut base = parse(&settings.url)?;
        base.set_query(None);
        base.set_fragment(None);
        let mut guard = Guard::public().and(&base);
        for host in &settings.hosts {
            guard = guard.and(&parse(host)?);
        }
        guard.check(&base).map_err(Error::Refused)?;
        let agent = guard.clone().agent(settings.roots.as_deref()).map_err(Error::Refused)?;
        Ok(Self { base, token: settings.token.clone(), guard, agent })
    }

    /// The hub's address.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The commit that `revision` of a repository is, and the repository's present name.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn find(&self, shelf: Shelf, name: &str, revision: &str) -> Result<Found, Error> {
        let url = self.at(&["api", shelf.as_str()], name, &["revision", revision])?;
        let body = read(self.get(url, None)?, MAX_INFO)?;
        listing::found(&body, name)
    }

    /// Every file of a repository at a commit.
    ///
    /// # Errors
    ///
    /// See [`Error`]; a listing whose names leave the repository is refused as a whole.
    pub fn files(&self, shelf: Shelf, name: &str, commit: &str) -> Result<Vec<Listed>, Error> {
        let mut next = self.at(&["api", shelf.as_str()], name, &["tree", commit])?;
        next.set_query(Some("recursive=true&expand=false"));
        let mut files = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.get(next.clone(), None)?;
            let following = link_to_next(answer.headers());
            listing::page(&read(answer, MAX_PAGE)?, &mut files)?;
            let Some(link) = following else { return self.distinct(files) };
            let link =
                next.join(&link).map_err(|_| Error::Refused("a page of the tree leads nowhere".into()))?;
            if link == next {
                return Err(Error::Refused("a page of the upstream's tree leads to itself".into()));
            }
            next = link;
        }
        Err(Error::Refused("the repository has too many files".into()))
    }

    /// Every file, from the answer that describes the repository: some hubs list no tree.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn files_described(&self, shelf: Shelf, name: &str, commit: &str) -> Result<Vec<Listed>, Error> {
        let mut url = self.at(&["api", shelf.as_str()], name, &["revision", commit])?;
        url.set_query(Some("blobs=true"));
        let body = read(self.get(url, None)?, MAX_INFO)?;
        let files = listing::siblings(&body)?;
        self.distinct(files.ok_or_else(|| Error::Refused("the upstream hub tells no sizes".into()))?)
    }

    /// The bytes of a file from `from` on. A hub that does not give parts gives the whole file.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn open(
        &self,
        shelf: Shelf,
        name: &str,
        commit: &str,
        path: &str,
        from: u64,
    ) -> Result<Bytes, Error> {
        let prefix: &[&str] = if shelf == Shelf::Datasets { &["datasets"] } else { &[] };
        let mut last = vec!["resolve", commit];
        last.extend(path.split('/'));
        let answer = self.get(self.at(prefix, name, &last)?, Some(from))?;
        let from = if answer.status() == 206 { first_byte(answer.headers())? } else { 0 };
        let reader = answer.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Bytes { from, reader: Box::new(reader) })
    }

    fn distinct(&self, files: Vec<Listed>) -> Result<Vec<Listed>, Error> {
        let mut seen = std::collections::BTreeSet::new();
        if files.iter().all(|file| seen.insert(file.path.as_str())) {
            return Ok(files);
        }
        Err(Error::Refused("the upstream hub names a file twice".into()))
    }

    fn at(&self, before: &[&str], name: &str, after: &[&str]) -> Result<Url, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Refused("the hub's address takes no path".into()))?
            .pop_if_empty()
            .extend(before)
            .extend(name.split('/'))
            .extend(after);
        Ok(url)
    }

    /// Asks, following redirects to where requests may go. `from` asks for a file's bytes, and not for what is packed.
    fn get(&self, mut url: Url, from: Option<u64>) -> Result<Response<Body>, Error> {
        for _ in 0..MAX_REDIRECTS {
            self.guard.check(&url).map_err(Error::Refused)?;
            let mut request = self.agent.get(url.as_str());
            if let Some(token) = self.token.as_ref().filter(|_| url.origin() == self.base.origin()) {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            if let Some(from) = from {
                request = request.header(header::ACCEPT_ENCODING, "identity");
                if from > 0 {
                    request = request.header(header::RANGE, format!("bytes={from}-"));
                }
            }
            let answer = request.call().map_err(failed)?;
            match answer.status().as_u16() {
                200 | 206 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => {
                    let place = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
                    let place = place.and_then(|place| url.join(place).ok());
                    url = place
                        .ok_or_else(|| Error::Refused("a redirect of the upstream leads nowhere".into()))?;
                }
                _ => return Err(refusal(&answer)),
            }
        }
        Err(Error::Refused("the upstream hub redirects without end".into()))
    }
}

impl Expected {
    /// As it is kept: the algorithm and the digits.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Sha256(digest) => Some(digest.to_string()),
            Self::Sha1(sha1) => Some(hex(sha1)),
            Self::Nothing => None,
        }
    }

    /// Reads what [`Self::to_text`] gave.
    pub fn parse(text: &str) -> Self {
        listing::expected(text)
    }

    /// Whether bytes with these digests are what was expected.
    pub fn is_met(&self, sha256: &Digest, git: &[u8; 20], plain: &[u8; 20]) -> bool {
        match self {
            Self::Sha256(expected) => expected == sha256,
            Self::Sha1(expected) => expected == git || expected == plain,
            Self::Nothing => true,
        }
    }
}

impl Shelf {
    fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Datasets => "datasets",
        }
    }
}

fn read(answer: Response<Body>, limit: u64) -> Result<Vec<u8>, Error> {
    let body = answer.into_body().into_with_config().limit(limit).read_to_vec();
    body.map_err(failed)
}

fn failed(error: ureq::Error) -> Error {
    match error {
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Error::Refused(error.to_string())
        }
        ureq::Error::BodyExceedsLimit(_) => {
            Error::Refused("an answer of the upstream hub is too long".into())
        }
        error => Error::Unavailable(error.to_string()),
    }
}

fn refusal(answer: &Response<Body>) -> Error {
    let text = |name| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().chars().take(300).collect::<String>()
    };
    match (text("x-error-code").as_str(), answer.status().as_u16()) {
        ("GatedRepo", _) => Error::Gated(text("x-error-message")),
        ("RevisionNotFound", _) => Error::NoRevision,
        ("RepoNotFound", _) | (_, 401 | 404 | 410) => Error::NoRepository,
        (_, 403 | 451) => Error::Gated(text("x-error-message")),
        (_, status) => Error::Unavailable(format!("it says {status}")),
    }
}

fn first_byte(headers: &HeaderMap) -> Result<u64, Error> {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok());
    first.ok_or_else(|| Error::Refused("the upstream hub does not say which part it gives".into()))
}

/// The address of `Link: <…>; rel="next"`.
fn link_to_next(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let links = lines.flat_map(|line| line.split(", <"));
    let next = links
        .filter_map(|link| link.split_once('>'))
        .find(|(_, rest)| rest.split(';').any(|part| matches!(part.trim(), "rel=\"next\"" | "rel=next")));
    next.map(|(place, _)| place.trim_start_matches('<').to_owned())
}
