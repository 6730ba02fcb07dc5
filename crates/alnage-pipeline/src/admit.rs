//! The seal of a model as a gate needs it: verified once, then asked file by file.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    ops::Range,
    path::{Path, PathBuf},
    time::SystemTime,
};

use alnage_fs::{Handed, Seen, Sidecars};
use alnage_sign::{Shard, SignedManifest, SignerPolicy, x509::UnixTime};
use alnage_types::{ContentDigest, Digest, HashAlgorithm};

use crate::{
    Error, Outcome, Verification, Verifying,
    reuse::purpose,
    sign,
    threshold::too_few,
    verify::{open, verify_log, verify_verdict},
};

/// What a seal has to be like to count.
#[derive(Clone, Copy)]
pub struct SealPolicy<'a> {
    /// Whose signatures count.
    pub signers: &'a dyn SignerPolicy,
    /// Whether a signed verdict is needed, and of what age.
    pub verdict: VerdictPolicy,
    /// Whether the verdict's receipt of the log is needed.
    pub receipt: ReceiptPolicy,
    /// The directory of the log.
    pub log: &'a Path,
    /// Where digests of unchanged files are remembered; nowhere when there is none.
    pub memory: Option<&'a Path>,
    /// Now.
    pub now: SystemTime,
}

/// Whether a signed verdict is needed. One that is there must hold in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictPolicy {
    /// It is not.
    Optional,
    /// It is, however old.
    Required,
    /// It is, and must not be older than so many seconds.
    Fresh(u64),
}

/// Whether the log's receipt is needed. One that is there must hold in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptPolicy {
    /// It is not.
    Optional,
    /// It is.
    Required,
}

/// A seal that counts.
#[derive(Debug)]
pub struct Seal {
    signer: String,
    signed: SignedManifest,
    files: BTreeMap<String, BTreeMap<Option<Shard>, ContentDigest>>,
    /// Names of the signatures of others beside it.
    further: BTreeSet<String>,
    seen: Option<Seen>,
    /// Where the model is; what is remembered is told from its files' places below.
    root: PathBuf,
}

/// The parts that a file is hashed in.
#[derive(Debug, Clone)]
pub struct Parts {
    shards: Vec<Option<Shard>>,
    /// Which bytes they are.
    pub ranges: Vec<Range<u64>>,
}

/// What a seal says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It names it.
    Named,
    /// It leaves it out on purpose.
    LeftOut,
    /// It does not know it.
    Unknown,
}

/// Where the seal of the model at `model` would be.
pub fn signature_of(model: &Path, single_file: bool) -> PathBuf {
    Sidecars::of(model, single_file).signature
}

impl Seal {
    /// Opens the seal of the model at `model`, which is a single file or a directory. The inner error is why it does not
    /// count, one sentence.
    pub fn open(
        model: &Path,
        single_file: bool,
        policy: &SealPolicy<'_>,
    ) -> Result<Result<Self, String>, Error> {
        let sidecars = Sidecars::of(model, single_file);
        let bytes = sign::read_signature(&sidecars.signature)?;
        let what = Verifying::new(model, policy.signers, policy.log);
        let (signed, signer) = match open(&bytes, &what) {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(format!("its signature does not count: {error}"))),
        };
        if let Some(objection) = too_few(&bytes, &signed, &sidecars, &what) {
            return Ok(Err(objection));
        }
        let mut found = Verification::default();
        if let Some(verdict) = verify_verdict(&sidecars, &signed, &signer.key, &mut found)? {
            if let Some(objection) = too_old(&verdict.statement().predicate, policy) {
                return Ok(Err(objection));
            }
            verify_log(&sidecars, &verdict, &signed, policy.log, &mut found)?;
        }
        if let Some(refused) = found.checks.iter().find(|check| check.outcome == Outcome::Refused) {
            return Ok(Err(format!("its {} is refused: {}", refused.part, refused.message)));
        }
        if policy.verdict != VerdictPolicy::Optional && !found.has_verdict() {
            return Ok(Err("it has no signed verdict".to_owned()));
        }
        let logged = found.checks.iter().any(|check| check.part == "log" && check.outcome == Outcome::Holds);
        if policy.receipt == ReceiptPolicy::Required && !logged {
            return Ok(Err("its verdict has no receipt of the log".to_owned()));
        }
        let seen = policy.memory.map(|directory| {
            let purpose = purpose(&what, &bytes, &signer.key.hint().to_string(), &signed);
            Seen::open_at(directory, purpose, model, policy.now).0
        });
        let mut files: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
        for resource in signed.resources() {
            files.entry(resource.path.clone()).or_default().insert(resource.shard, resource.digest);
        }
        let root = alnage_fs::canonical(model)?;
        let further = match policy.signers.threshold() {
            NonZeroUsize::MIN => Vec::new(),
            _ => sidecars.further_signatures(),
        };
        let names = further.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let further = names.collect();
        Ok(Ok(Self { signer: signer.description, signed, files, further, seen, root }))
    }

    /// Who made it, for a person.
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// The digest over the whole model as it was signed.
    pub fn model(&self) -> Digest {
        self.signed.root()
    }

    /// By which algorithm files are hashed.
    pub fn algorithm(&self) -> HashAlgorithm {
        self.signed.hash()
    }

    /// The files that it names, relative to the model; `.` for a model that is one file.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// What it says of the file `name`, relative to the model; `.` for a model that is one file.
    pub fn coverage(&self, name: &str) -> Coverage {
        if self.files.contains_key(name) {
            Coverage::Named
        } else if self.signed.ignored_paths().contains(name)
            || Sidecars::NAMES.contains(&name)
            || self.further.contains(name)
        {
            Coverage::LeftOut
        } else {
            Coverage::Unknown
        }
    }

    /// The name of a model that is one file: a signature calls it `.`, or as it is called.
    pub fn only_name<'a>(&self, file_name: &'a str) -> &'a str {
        if self.files.contains_key(".") { "." } else { file_name }
    }

    /// The parts that a file of `len` bytes is to be hashed in.
    pub fn parts(&self, len: u64) -> Parts {
        let shards: Vec<_> = self.signed.serialization().parts(len).collect();
        let range = |shard: &Option<Shard>| shard.map_or(0..len, |shard| shard.start..shard.end);
        Parts { ranges: shards.iter().map(range).collect(), shards }
    }

    /// Whether the file `name`, cut into `parts` with these `digests`, is as it was signed.
    pub fn is_as_signed(&self, name: &str, parts: &Parts, digests: &[ContentDigest]) -> bool {
        let found: BTreeMap<_, _> = parts.shards.iter().copied().zip(digests.iter().copied()).collect();
        parts.shards.len() == digests.len() && self.files.get(name) == Some(&found)
    }

    /// The digests of the parts of a file that nobody touched since they were made.
    pub fn recall(&mut self, file: &Handed, place: &Path, parts: usize) -> Option<Vec<ContentDigest>> {
        let place = self.place(place);
        self.seen.as_mut()?.recall(&place, file.stamp(), parts)
    }

    /// Remembers the digests of the parts of a file.
    pub fn remember(&mut self, file: &Handed, place: &Path, digests: &[ContentDigest]) {
        let place = self.place(place);
        if let Some(seen) = &mut self.seen {
            seen.note(&place, file.stamp(), digests.to_vec());
        }
    }

    /// Writes down what was learnt. That it could not be is no harm.
    pub fn keep(&mut self) -> Result<(), Error> {
        let Some(seen) = &mut self.seen else { return Ok(()) };
        seen.keep_the_rest();
        Ok(seen.save()?)
    }

    fn place(&self, place: &Path) -> PathBuf {
        match place.strip_prefix(&self.root) {
            Ok(below) if !below.as_os_str().is_empty() => below.to_owned(),
            _ => place.to_owned(),
        }
    }
}

/// Why the verdict is not fresh enough.
fn too_old(predicate: &serde_json::Value, policy: &SealPolicy<'_>) -> Option<String> {
    let VerdictPolicy::Fresh(limit) = policy.verdict else { return None };
    let now = policy.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = predicate.get("timeCreated").and_then(serde_json::Value::as_str);
    match time.map(str::parse::<UnixTime>) {
        Some(Ok(time)) if now.saturating_sub(time.0) < limit && time.0 <= now.saturating_add(300) => None,
        Some(Ok(time)) => Some(format!("its verdict is of {time}, and that is too old")),
        _ => Some("its verdict does not say when it was made".to_owned()),
    }
}
