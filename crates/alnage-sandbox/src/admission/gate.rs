//! The gate: judges an open file by its content, its place, the seals around it and the policy.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use alnage_fs::{Handed, IN_MEMORY, Stamp, digests_of};
use alnage_pipeline::{Coverage, ReceiptPolicy, Seal, SealPolicy, SignerPolicy, VerdictPolicy, signature_of};
use alnage_types::{ContentDigest, Digest, HashAlgorithm};

use super::{
    Content, FormatPolicy, Places, Vouching, content::whole, formats::is_program, places::Candidate,
};

/// Which seals count.
pub struct Trust {
    /// Whose signatures.
    pub signers: Box<dyn SignerPolicy + Send + Sync>,
    /// Whether a signed verdict is needed.
    pub verdict: VerdictPolicy,
    /// Whether the log's receipt is needed.
    pub receipt: ReceiptPolicy,
    /// The directory of the log.
    pub log: PathBuf,
    /// Where digests of unchanged files are remembered.
    pub memory: Option<PathBuf>,
    /// Who vouches for what gets in.
    pub vouching: Vouching,
}

/// What a file in a sealed model leads to that is no model and was not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedFiles {
    /// It is refused: it may be code, or settings that lead to some.
    Refused,
    /// It gets in.
    Admitted,
}

/// Judges files. Many threads may ask at once.
pub struct Gate {
    trust: Trust,
    formats: FormatPolicy,
    unsigned: UnsignedFiles,
    exempt: Vec<PathBuf>,
    contents: Mutex<HashMap<(Stamp, String), Content>>,
    digests: Mutex<HashMap<Stamp, Digest>>,
    seals: Mutex<HashMap<PathBuf, (Stamp, Arc<OpenSeal>)>>,
}

/// A seal that counts.
struct OpenSeal {
    signer: String,
    model: Digest,
    seal: Mutex<Seal>,
}

/// What came of judging.
#[derive(Debug)]
pub enum Judgement {
    /// It is nobody's model.
    NoModel,
    /// It is a model, or part of one, and gets in.
    Admitted(Box<Admission>),
    /// It does not get in.
    Refused(Refusal),
}

/// Why a file gets in.
#[derive(Clone)]
pub struct Admission {
    /// Formats of models that it has.
    pub formats: Vec<&'static str>,
    /// Where the sealed model is; without a seal, the file.
    pub model: PathBuf,
    /// Its digest as it was signed; without a seal, that of the file.
    pub digest: Digest,
    /// Who signed it; without a seal, who approved it.
    pub signer: String,
    /// The bytes that were verified, when they are few.
    pub bytes: Option<Vec<u8>>,
}

/// Why a file does not get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Formats of models that it has.
    pub formats: Vec<&'static str>,
    /// One sentence.
    pub reason: String,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("model", &self.model)
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// The digest of a whole file, and its bytes when they are few.
type Whole = (Digest, Option<Vec<u8>>);

/// More contents than this are not kept in mind.
const MOST_CONTENTS: usize = 1 << 16;

impl Gate {
    /// A gate by which `trust` and `formats` decide; what lies below `exempt` is not looked at.
    pub fn new(trust: Trust, formats: FormatPolicy, unsigned: UnsignedFiles, exempt: Vec<PathBuf>) -> Self {
        // What is not there yet has no links to follow.
        let absolute = |place: PathBuf| std::path::absolute(&place).unwrap_or(place);
        let exempt = exempt.into_iter().map(|place| place.canonicalize().unwrap_or_else(|_| absolute(place)));
        let exempt = exempt.collect();
        let (contents, digests, seals) = Default::default();
        Self { trust, formats, unsigned, exempt, contents, digests, seals }
    }

    /// Judges `file`, opened at `places`. `before_hashing` is called when a longer file is about to be hashed, and its
    /// objection refuses the file: the place to keep writers away.
    pub fn judge(
        &self,
        file: &Handed,
        places: &Places,
        before_hashing: &dyn Fn(&Handed) -> Result<(), String>,
    ) -> io::Result<Judgement> {
        self.judge_copying(IN_MEMORY, file, places, before_hashing)
    }

    /// The same for who cannot hand over a copy: `before_hashing` is called for short files, too, and an admission has no
    /// bytes.
    pub fn judge_in_place(
        &self,
        file: &Handed,
        places: &Places,
        before_hashing: &dyn Fn(&Handed) -> Result<(), String>,
    ) -> io::Result<Judgement> {
        self.judge_copying(0, file, places, before_hashing)
    }

    /// `copied` is the length up to which a file is read at once and its bytes are given.
    fn judge_copying(
        &self,
        copied: u64,
        file: &Handed,
        places: &Places,
        before_hashing: &dyn Fn(&Handed) -> Result<(), String>,
    ) -> io::Result<Judgement> {
        if self.exempt.iter().any(|place| places.place.starts_with(place)) {
            return Ok(Judgement::NoModel);
        }
        // Somebody may be about to fill it: what a seal names is as it was signed even so.
        let is_empty = file.stamp().len == 0;
        let content = match is_empty {
            true => Content { formats: Vec::new() },
            false => self.content(file, &places.file_name())?,
        };
        let refuse =
            |reason: String| Ok(Judgement::Refused(Refusal { formats: content.formats.clone(), reason }));
        if let Some(format) = self.formats.banned(&content.formats) {
            return refuse(format!("the format `{format}` is banned; `--allow-format {format}` lifts that"));
        }
        if let Vouching::Record(records) = &self.trust.vouching {
            if !content.is_model() {
                return Ok(Judgement::NoModel);
            }
            let (digest, bytes) = match self.digest(copied, file, before_hashing)? {
                Ok(read) => read,
                Err(reason) => return refuse(reason),
            };
            let place = places.shown();
            return match records.vouch(digest, place) {
                Ok(signer) => Ok(Judgement::Admitted(Box::new(Admission {
                    formats: content.formats.clone(),
                    model: place.to_owned(),
                    digest,
                    signer,
                    bytes,
                }))),
                Err(reason) => refuse(reason),
            };
        }
        let mut objection = None;
        for candidate in
            places.candidates(|path| rustix::fs::access(path, rustix::fs::Access::EXISTS).is_ok())
        {
            let seal = match self.seal(&candidate) {
                Ok(seal) => seal,
                Err(reason) => {
                    let shown = signature_of(&candidate.model, candidate.single_file);
                    objection
                        .get_or_insert(format!("the seal `{}` does not hold: {reason}", shown.display()));
                    continue;
                }
            };
            let name = match candidate.single_file {
                true => hold(&seal.seal).only_name(&candidate.name).to_owned(),
                false => candidate.name.clone(),
            };
            let coverage = hold(&seal.seal).coverage(&name);
            let admit = |bytes| {
                Ok(Judgement::Admitted(Box::new(Admission {
                    formats: content.formats.clone(),
                    model: candidate.model.clone(),
                    digest: seal.model,
                    signer: seal.signer.clone(),
                    bytes,
                })))
            };
            match coverage {
                Coverage::Named => {
                    return match self.compare(copied, file, places, &seal, &name, before_hashing)? {
                        Ok(bytes) => match self.vouch(seal.model, &candidate.model) {
                            Ok(()) => admit(bytes),
                            Err(reason) => refuse(reason),
                        },
                        Err(reason) => refuse(reason),
                    };
                }
                Coverage::LeftOut if !content.is_model() => return Ok(Judgement::NoModel),
                Coverage::LeftOut => {
                    objection.get_or_insert("the seal leaves it out".to_owned());
                }
                Coverage::Unknown if is_empty => return Ok(Judgement::NoModel),
                Coverage::Unknown if self.unsigned == UnsignedFiles::Admitted && !content.is_model() => {
                    return Ok(Judgement::NoModel);
                }
                Coverage::Unknown => {
                    let model = candidate.model.display();
                    return refuse(format!("it lies in the sealed model `{model}` and was not signed"));
                }
            }
        }
        match content.is_model() {
            true => refuse(objection.unwrap_or_else(|| "no seal covers it".to_owned())),
            false => Ok(Judgement::NoModel),
        }
    }

    /// Whether `file` would be judged at all: it is a model, or lies in a sealed one.
    pub fn is_guarded(&self, file: &Handed, places: &Places) -> io::Result<bool> {
        if self.exempt.iter().any(|place| places.place.starts_with(place)) || file.stamp().len == 0 {
            return Ok(false);
        }
        if self.content(file, &places.file_name())?.is_model() {
            return Ok(true);
        }
        let there = |path: &Path| rustix::fs::access(path, rustix::fs::Access::EXISTS).is_ok();
        let mut candidates = places.candidates(there).into_iter();
        Ok(candidates.any(|candidate| {
            let named = |open: Arc<OpenSeal>| {
                let seal = hold(&open.seal);
                let only = candidate.single_file.then(|| seal.only_name(&candidate.name));
                seal.coverage(only.unwrap_or(&candidate.name)) == Coverage::Named
            };
            self.seal(&candidate).is_ok_and(named)
        }))
    }

    /// The files that the seal of the model at `model`, a single file or a directory, names, once the seal is verified. An
    /// error is why it does not count, one sentence.
    pub fn sealed_files(&self, model: &Path, single_file: bool) -> Result<Vec<String>, String> {
        let model = model.canonicalize().map_err(|error| error.to_string())?;
        let seal = self.seal(&Candidate { model, single_file, name: String::new() })?;
        Ok(hold(&seal.seal).files().map(str::to_owned).collect())
    }

    /// Whether `file`, which is about to be started, is a program that is a model.
    pub fn is_model_program(&self, file: &Handed, name: &str) -> io::Result<bool> {
        Ok(is_program(&self.content(file, name)?.formats))
    }

    /// Whether the seal by which a file was admitted is still there as it was, and what was asked for it is still so.
    pub fn still_counts(&self, admission: &Admission) -> bool {
        if self.vouch(admission.digest, &admission.model).is_err() {
            return false;
        }
        if let Vouching::Record(_) = self.trust.vouching {
            return true;
        }
        [true, false].into_iter().any(|single_file| {
            let signature = signature_of(&admission.model, single_file);
            let now = Stamp::at(&signature);
            let seals = hold(&self.seals);
            let known = seals.get(&signature).filter(|(_, seal)| seal.model == admission.digest);
            known.is_some_and(|(stamp, _)| now.is_ok_and(|now| now == *stamp))
        })
    }

    /// Writes down what was learnt of unchanged files.
    pub fn keep(&self) {
        for (_, open) in hold(&self.seals).values() {
            // It is only a memory: without it the files are read again.
            let _ = hold(&open.seal).keep();
        }
    }

    /// Whether records, if any are asked, know what has this digest.
    fn vouch(&self, digest: Digest, place: &Path) -> Result<(), String> {
        self.trust.vouching.records().map_or(Ok(()), |records| records.vouch(digest, place).map(|_| ()))
    }

    /// The digest of the whole file; its bytes when they are few.
    fn digest(
        &self,
        copied: u64,
        file: &Handed,
        before_hashing: &dyn Fn(&Handed) -> Result<(), String>,
    ) -> io::Result<Result<Whole, String>> {
        let stamp = file.stamp();
        if stamp.len <= copied {
            let bytes = whole(file)?;
            return Ok(Ok((Digest::of(&bytes), Some(bytes))));
        }
        if let Err(objection) = before_hashing(file) {
            return Ok(Err(objection));
        }
        let known = hold(&self.digests).get(&stamp).copied();
        if let Some(digest) = known.filter(|_| !file.has_changed()) {
            return Ok(Ok((digest, None)));
        }
        let digests = file.digests(HashAlgorithm::Sha256, std::slice::from_ref(&(0..stamp.len)))?;
        let digest = digests.first().and_then(ContentDigest::sha256);
        let digest = digest.ok_or_else(|| io::Error::other("it was not hashed"))?;
        if file.is_settled(SystemTime::now()) {
            let mut digests = hold(&self.digests);
            if digests.len() >= MOST_CONTENTS {
                digests.clear();
            }
            digests.insert(stamp, digest);
        }
        Ok(Ok((digest, None)))
    }

    fn content(&self, file: &Handed, name: &str) -> io::Result<Content> {
        let key = (file.stamp(), name.to_owned());
        if let Some(content) = hold(&self.contents).get(&key) {
            return Ok(content.clone());
        }
        let content = Content::of(file, name)?;
        if file.has_changed() {
            return Err(io::Error::other("written to while it was looked at"));
        }
        if file.is_settled(SystemTime::now()) {
            let mut contents = hold(&self.contents);
            if contents.len() >= MOST_CONTENTS {
                contents.clear();
            }
            contents.insert(key, content.clone());
        }
        Ok(content)
    }

    /// The seal of a candidate, verified once for as long as its signature stays as it is.
    fn seal(&self, candidate: &Candidate) -> Result<Arc<OpenSeal>, String> {
        let signature = signature_of(&candidate.model, candidate.single_file);
        let stamp = Stamp::at(&signature).map_err(|error| error.to_string())?;
        if let Some((known, seal)) = hold(&self.seals).get(&signature)
            && *known == stamp
        {
            return Ok(Arc::clone(seal));
        }
        let policy = SealPolicy {
            signers: &*self.trust.signers,
            verdict: self.trust.verdict,
            receipt: self.trust.receipt,
            log: &self.trust.log,
            memory: self.trust.memory.as_deref(),
            now: SystemTime::now(),
        };
        let seal = Seal::open(&candidate.model, candidate.single_file, &policy)
            .map_err(|error| error.to_string())??;
        let open = OpenSeal { signer: seal.signer().to_owned(), model: seal.model(), seal: Mutex::new(seal) };
        let open = Arc::new(open);
        hold(&self.seals).insert(signature, (stamp, Arc::clone(&open)));
        Ok(open)
    }

    /// Whether `file` is what was signed as `name`; its bytes when they are few.
    fn compare(
        &self,
        copied: u64,
        file: &Handed,
        places: &Places,
        open: &OpenSeal,
        name: &str,
        before_hashing: &dyn Fn(&Handed) -> Result<(), String>,
    ) -> io::Result<Result<Option<Vec<u8>>, String>> {
        let changed = || Err(format!("it is not what was signed with {}", open.signer));
        let (parts, algorithm) = {
            let seal = hold(&open.seal);
            (seal.parts(file.stamp().len), seal.algorithm())
        };
        if file.stamp().len <= copied {
            let bytes = whole(file)?;
            let digests = digests_of(&bytes, algorithm, &parts.ranges).unwrap_or_default();
            let same = hold(&open.seal).is_as_signed(name, &parts, &digests);
            return Ok(if same { Ok(Some(bytes)) } else { changed() });
        }
        if let Err(objection) = before_hashing(file) {
            return Ok(Err(objection));
        }
        let known = hold(&open.seal).recall(file, &places.place, parts.ranges.len());
        let digests = match known {
            Some(digests) if !file.has_changed() => digests,
            _ => {
                let digests = file.digests(algorithm, &parts.ranges)?;
                hold(&open.seal).remember(file, &places.place, &digests);
                digests
            }
        };
        let same = hold(&open.seal).is_as_signed(name, &parts, &digests);
        Ok(if same { Ok(None) } else { changed() })
    }
}

/// A thread that panicked left nothing half done behind these locks.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
