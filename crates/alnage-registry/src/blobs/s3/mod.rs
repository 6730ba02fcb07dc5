//! Blobs in an S3-compatible bucket. What comes in is hashed on this machine's disk first, since its digest is its name.

mod answer;
mod sign;

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use alnage_types::Digest;
use ureq::{Agent, SendBody, http::Response};
use url::Url;

use self::sign::Signer;
use super::{BlobReader, From, Listed, Stored, key, local::Beside, scratch};
use crate::{Error, Result};

/// How long a signed address holds: as long as one request may take.
const SIGNED: Duration = Duration::from_secs(3600);
/// What is larger goes in parts of this size; a store takes 10,000 parts.
const PART: u64 = 64 * 1024 * 1024;
/// How often a request is made before it counts as failed.
const ATTEMPTS: u32 = 4;
/// Asks a store not to replace what it has.
const NEW: (&str, &str) = ("if-none-match", "*");
/// The longest answer that is no blob.
const ANSWER: u64 = 16 * 1024 * 1024;

/// Which bucket.
#[derive(Clone)]
pub struct S3Settings {
    /// `https://s3.eu-central-1.amazonaws.com`, `http://127.0.0.1:8333`.
    pub endpoint: String,
    /// The bucket's name.
    pub bucket: String,
    /// What every key begins with; empty or ending in `/`.
    pub prefix: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The id of the access key.
    pub key: String,
    /// The secret of it.
    pub secret: String,
    /// The token of credentials that expire.
    pub token: Option<String>,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3Settings({} {}/{} ***)", self.endpoint, self.bucket, self.prefix)
    }
}

impl S3Settings {
    /// Reads `s3://bucket/prefix?endpoint=…&region=…`; what is missing is asked of `variable`, under the names that all
    /// tools for S3 know.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let bad = |why: &str| Error::Invalid(format!("`{text}` is no bucket: {why}"));
        let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        let bucket = url
            .host_str()
            .filter(|_| url.scheme() == "s3")
            .ok_or_else(|| bad("it is `s3://BUCKET/PREFIX`"))?;
        let asked =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let region = asked("region")
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| "us-east-1".into());
        let endpoint = asked("endpoint")
            .or_else(|| variable("AWS_ENDPOINT_URL_S3"))
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let needed = |name: &str| variable(name).ok_or_else(|| bad(&format!("`{name}` is not set")));
        let mut prefix = url.path().trim_matches('/').to_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Ok(Self {
            endpoint,
            bucket: bucket.to_owned(),
            prefix,
            region,
            key: needed("AWS_ACCESS_KEY_ID")?,
            secret: needed("AWS_SECRET_ACCESS_KEY")?,
            token: variable("AWS_SESSION_TOKEN"),
        })
    }
}

/// A bucket of blobs.
#[derive(Clone)]
pub struct S3(Arc<Inner>);

struct Inner {
    signer: Signer,
    scratch: PathBuf,
    agent: Agent,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3({}/{})", self.0.signer.bucket(), self.0.signer.prefix())
    }
}

impl S3 {
    /// Opens the bucket; `root` is where content is kept while it is hashed.
    pub fn at(settings: S3Settings, root: &Path) -> Result<Self> {
        let scratch = scratch(root);
        fs::create_dir_all(&scratch)?;
        let endpoint = Url::parse(&settings.endpoint)
            .map_err(|error| Error::Invalid(format!("`{}` is no address: {error}", settings.endpoint)))?;
        let signer = Signer::new(&endpoint, settings)
            .ok_or_else(|| Error::Invalid(format!("`{endpoint}` is no address of a store")))?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .accept_encoding("identity")
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        Ok(Self(Arc::new(Inner { signer, scratch, agent })))
    }

    pub(super) fn put(&self, from: impl Read, expect: Option<Digest>) -> Result<Stored> {
        let mut beside = Beside::create(&self.0.scratch)?;
        let stored = beside.take(from, expect)?;
        self.put_file(&beside.path, stored.digest)?;
        Ok(stored)
    }

    pub(super) fn put_file(&self, path: &Path, digest: Digest) -> Result<()> {
        if self.size(digest)?.is_some() {
            return Ok(());
        }
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        if size > PART {
            self.put_parts(&mut file, size, digest)
        } else {
            self.put_whole(&mut file, size, digest)
        }
    }

    fn put_whole(&self, file: &mut File, size: u64, digest: Digest) -> Result<()> {
        let key = self.key(digest);
        let answer = self.attempt("put", || {
            let address = self.address("PUT", &key, &[], &[NEW]);
            file.seek(SeekFrom::Start(0))?;
            let mut body = (&mut *file).take(size);
            let request = self.0.agent.put(address).header(NEW.0, NEW.1);
            Ok(request.header("content-length", size.to_string()).send(SendBody::from_reader(&mut body))?)
        })?;
        settled(&answer, "put")
    }

    fn put_parts(&self, file: &mut File, size: u64, digest: Digest) -> Result<()> {
        let key = self.key(digest);
        let mut answer = self.attempt("begin", || {
            Ok(self.0.agent.post(self.address("POST", &key, &[("uploads", "1")], &[])).send_empty()?)
        })?;
        expect_success(&answer, "begin")?;
        let upload = &answer::text(&text(&mut answer)?, "UploadId").ok_or_else(not_understood)?;
        let put = self.put_each_part(file, size, &key, upload);
        let finished = put.and_then(|tags| {
            let parts = completion(&tags);
            let mut answer = self.attempt("complete", || {
                let address = self.address("POST", &key, &[("uploadId", upload)], &[NEW]);
                Ok(self.0.agent.post(address).header(NEW.0, NEW.1).send(&parts)?)
            })?;
            settled(&answer, "complete")?;
            // A failure after the answer has begun is told in an answer that says 200.
            let said = text(&mut answer)?;
            if said.contains("<Error>") {
                return Err(Error::Unavailable(format!("the store did not complete an upload: {said:.200}")));
            }
            Ok(())
        });
        if finished.is_err() {
            let _ = self.0.agent.delete(self.address("DELETE", &key, &[("uploadId", upload)], &[])).call();
        }
        finished
    }

    fn put_each_part(&self, file: &mut File, size: u64, key: &str, upload: &str) -> Result<Vec<String>> {
        let mut tags = Vec::new();
        for (number, start) in
            (1_u16..=10_000).zip((0..size).step_by(usize::try_from(PART).unwrap_or(usize::MAX)))
        {
            let (length, number) = (PART.min(size - start), number.to_string());
            let answer = self.attempt("part", || {
                let query = [("partNumber", number.as_str()), ("uploadId", upload)];
                file.seek(SeekFrom::Start(start))?;
                let mut body = (&mut *file).take(length);
                let request = self.0.agent.put(self.address("PUT", key, &query, &[]));
                Ok(request
                    .header("content-length", length.to_string())
                    .send(SendBody::from_reader(&mut body))?)
            })?;
            expect_success(&answer, "part")?;
            let tag =
                header(&answer, "etag").ok_or_else(|| Error::Unavailable("a part has no ETag".into()))?;
            tags.push(tag.to_owned());
        }
        if (tags.len() as u64).saturating_mul(PART) < size {
            return Err(Error::Invalid("the file is too large for the store".into()));
        }
        Ok(tags)
    }

    pub(super) fn open(&self, digest: Digest) -> Result<Option<BlobReader>> {
        let Some(size) = self.size(digest)? else { return Ok(None) };
        let reader = Remote { s3: self.clone(), digest, stream: Mutex::new(None) };
        Ok(Some(BlobReader { size, from: From::Remote(reader) }))
    }

    pub(super) fn materialise(&self, digest: Digest, to: &Path) -> Result<()> {
        let Some(reader) = self.open(digest)? else {
            return Err(Error::NotFound(format!("the content {digest}")));
        };
        let mut beside = Beside::create(&self.0.scratch)?;
        if beside.fill(reader.stream())?.0 != digest {
            return Err(Error::internal(format!("the store gives other bytes for {digest}")));
        }
        match fs::rename(&beside.path, to) {
            Ok(()) => Ok(()),
            Err(_) => fs::copy(&beside.path, to).map(|_| ()).map_err(Into::into),
        }
    }

    pub(super) fn size(&self, digest: Digest) -> Result<Option<u64>> {
        let key = self.key(digest);
        let answer =
            self.attempt("head", || Ok(self.0.agent.head(self.address("HEAD", &key, &[], &[])).call()?))?;
        if answer.status() == 404 {
            return Ok(None);
        }
        expect_success(&answer, "head")?;
        let size = header(&answer, "content-length").and_then(|size| size.parse().ok());
        size.map(Some).ok_or_else(|| Error::Unavailable("the store does not say how long a blob is".into()))
    }

    pub(super) fn delete(&self, digest: Digest) -> Result<()> {
        let key = self.key(digest);
        let answer = self.attempt("delete", || {
            Ok(self.0.agent.delete(self.address("DELETE", &key, &[], &[])).call()?)
        })?;
        if answer.status() == 404 { Ok(()) } else { expect_success(&answer, "delete") }
    }

    pub(super) fn scratch(&self) -> &Path {
        &self.0.scratch
    }

    pub(super) fn pages(&self, take: &mut dyn FnMut(Vec<Listed>) -> Result<()>) -> Result<()> {
        let prefix = format!("{}blobs/sha256/", self.0.signer.prefix());
        let mut token: Option<String> = None;
        loop {
            let mut answer = self.attempt("list", || {
                let mut query = vec![("list-type", "2"), ("prefix", &prefix)];
                query.extend(token.as_deref().map(|token| ("continuation-token", token)));
                Ok(self.0.agent.get(self.address("GET", "", &query, &[])).call()?)
            })?;
            expect_success(&answer, "list")?;
            let page = text(&mut answer)?;
            if !page.contains("<ListBucketResult") {
                return Err(not_understood());
            }
            let mut listed = Vec::new();
            for object in answer::within(&page, "Contents") {
                let key = answer::text(object, "Key").unwrap_or_default();
                if let Ok(digest) = key.rsplit('/').next().unwrap_or_default().parse() {
                    let modified = answer::text(object, "LastModified").as_deref().and_then(moment);
                    let size = answer::text(object, "Size").and_then(|size| size.parse().ok()).unwrap_or(0);
                    listed.push(Listed { digest, size, modified });
                }
            }
            take(listed)?;
            match answer::text(&page, "NextContinuationToken") {
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                _ => return Ok(()),
            }
        }
    }

    fn key(&self, digest: Digest) -> String {
        format!("{}{}", self.0.signer.prefix(), key(digest))
    }

    /// A signed address for one request that is made now.
    fn address(&self, method: &str, key: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        self.0.signer.address(method, key, query, headers, now, SIGNED)
    }

    /// Makes a request until the store answers with something other than that it cannot now.
    fn attempt(
        &self,
        what: &str,
        mut request: impl FnMut() -> std::result::Result<Response<ureq::Body>, Failed>,
    ) -> Result<Response<ureq::Body>> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(100 << (2 * attempt)));
            }
            match request() {
                Ok(answer) if answer.status().is_server_error() || answer.status() == 429 => {
                    last = answer.status().to_string();
                }
                Ok(answer) => return Ok(answer),
                Err(Failed(error)) => last = error,
            }
        }
        Err(Error::Unavailable(format!("the store does not answer ({what}): {last}")))
    }
}

/// A moment as stores write it: `2026-11-22T19:31:35.000Z`.
fn moment(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !text.ends_with('Z') || !(1970..10_000).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // Years that begin in March end with the day that is not always there.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Why a request was not answered. The signed address stays out of it.
struct Failed(String);

impl std::convert::From<ureq::Error> for Failed {
    fn from(error: ureq::Error) -> Self {
        Self(error.to_string())
    }
}

impl std::convert::From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A blob in the bucket. Who reads on where they stopped reads on in the same answer.
pub(super) struct Remote {
    s3: S3,
    digest: Digest,
    stream: Mutex<Option<(u64, Box<dyn Read + Send>)>>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}/{}", self.s3, self.digest)
    }
}

impl Remote {
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let held = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut stream = match held {
            Some((at, stream)) if at == offset => stream,
            _ => self.begin(offset)?,
        };
        if stream.read_exact(buffer).is_err() {
            // Stores close what idles; what was not handed out yet can be asked for again.
            stream = self.begin(offset)?;
            stream.read_exact(buffer)?;
        }
        let end = offset.saturating_add(buffer.len() as u64);
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some((end, stream));
        Ok(())
    }

    fn begin(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let key = self.s3.key(self.digest);
        let range = format!("bytes={offset}-");
        let answer = self
            .s3
            .attempt("get", || {
                let address = self.s3.address("GET", &key, &[], &[]);
                Ok(self.s3.0.agent.get(address).header("range", &range).call()?)
            })
            .map_err(io::Error::other)?;
        let whole = answer.status() == 200 && offset == 0;
        if answer.status() != 206 && !whole {
            return Err(io::Error::other(format!("the store answers {} to a range", answer.status())));
        }
        Ok(Box::new(answer.into_body().into_with_config().limit(u64::MAX).reader()))
    }
}

/// The body that puts parts together, by their tags.
fn completion(tags: &[String]) -> String {
    let parts = tags.iter().zip(1..).map(|(tag, number)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", answer::escaped(tag))
    });
    format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</CompleteMultipartUpload>",
        parts.collect::<String>()
    )
}

fn not_understood() -> Error {
    Error::Unavailable("the store's answer is not understood".into())
}

fn header<'a>(answer: &'a Response<ureq::Body>, name: &str) -> Option<&'a str> {
    answer.headers().get(name).and_then(|value| value.to_str().ok())
}

fn text(answer: &mut Response<ureq::Body>) -> Result<String> {
    answer
        .body_mut()
        .with_config()
        .limit(ANSWER)
        .read_to_string()
        .map_err(|error| Error::Unavailable(format!("the store's answer broke off: {error}")))
}

fn expect_success(answer: &Response<ureq::Body>, what: &str) -> Result<()> {
    if answer.status().is_success() {
        return Ok(());
    }
    Err(Error::Unavailable(format!("the store answers {} ({what})", answer.status())))
}

/// That somebody else was faster is as good: the same name stands for the same bytes.
fn settled(answer: &Response<ureq::Body>, what: &str) -> Result<()> {
    if answer.status() == 412 || answer.status() == 409 { Ok(()) } else { expect_success(answer, what) }
}
