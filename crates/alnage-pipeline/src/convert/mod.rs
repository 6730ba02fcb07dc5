//! Converting: opens what the user named, writes safetensors beside it or elsewhere, and says what became of what.

mod checksums;
mod copy;
mod digests;
mod names;
mod report;
mod verify;

use std::{
    io,
    path::{Path, PathBuf},
};

use alnage_convert::{Checked, Options as Reading, Plan, Refusal, check, prepare};
use alnage_fs::{Existing, NewFile, Tree, TreeFile, create_dir, walk};
use alnage_sign::{ConversionClaim, Signer, Subject, attest, unsigned};
use alnage_types::Digest;

use self::{digests::Wanted, names::Names};
pub use self::{
    names::default_output,
    report::{ConvertedFile, Output, TensorReport},
    verify::{VerifiedConversion, VerifyingConversion, verify_conversion},
};
use crate::{Error, Progress};

/// What to convert, and how.
pub struct Converting<'a> {
    /// A file or a directory.
    pub source: &'a Path,
    /// Where the result goes: a file for a file, a directory for a directory.
    pub output: &'a Path,
    /// How checkpoints are read and laid out.
    pub reading: Reading,
    /// Whether what was written is compared with the source.
    pub check: bool,
    /// What is done with files that are there already.
    pub existing: Existing,
    /// Whether it is hashed and attested.
    pub attesting: Attesting,
    /// Signs the attestation; unsigned when absent.
    pub signer: Option<&'a dyn Signer>,
    /// Now, as [`rfc3339`](crate::rfc3339) writes it.
    pub time: &'a str,
}

/// Whether a conversion tells what it made of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attesting {
    /// Source and results are hashed, and an attestation is written.
    #[default]
    Yes,
    /// Nothing is hashed: who converts for their own use alone is not kept waiting.
    No,
}

/// What became of everything that was named.
#[derive(Debug, Default)]
pub struct Conversion {
    /// Files that were converted.
    pub files: Vec<ConvertedFile>,
    /// Files of a directory that were copied as they are, relative to it.
    pub copied: Vec<String>,
    /// Files of a directory that were left behind, with the reason.
    pub left_behind: Vec<(String, String)>,
    /// Files that were not converted.
    pub refused: Vec<(String, Refusal)>,
}

/// Converts a file, or every checkpoint of a directory.
pub fn convert(request: &Converting<'_>, progress: &dyn Progress) -> Result<Conversion, Error> {
    let tree = walk(request.source)?;
    let mut conversion = Conversion::default();
    if tree.single_file {
        let Some(file) = tree.files.first() else { return Ok(conversion) };
        let names = Names::of_file(request.output);
        progress.expect(file.size);
        one(request, &tree, file, &names, progress, &mut conversion)?;
        return Ok(conversion);
    }
    copy::directory(request, &tree, progress, &mut conversion)?;
    Ok(conversion)
}

/// Converts one file; a refusal is noted, not an error.
fn one(
    request: &Converting<'_>,
    tree: &Tree,
    file: &TreeFile,
    names: &Names,
    progress: &dyn Progress,
    conversion: &mut Conversion,
) -> Result<(), Error> {
    let shown = file.path.as_str().to_owned();
    let content = tree.read(file, false, &|_| {}).map_err(|source| at(request.source, source))?;
    let planned = crate::parallel::guarded(|| prepare(&file.path, &content.source, &request.reading));
    let plan = match planned {
        Ok(Ok(plan)) => plan,
        Ok(Err(refusal)) => {
            conversion.refused.push((shown, refusal));
            return Ok(());
        }
        Err(said) => {
            let refusal = Refusal::Malformed(format!("internal error: {said}"));
            conversion.refused.push((shown, refusal));
            return Ok(());
        }
    };
    match written(request, &plan, &content, names, &shown, progress) {
        Ok(file) => conversion.files.push(file),
        Err(Failed::Refused(refusal)) => conversion.refused.push((shown, refusal)),
        Err(Failed::Error(error)) => return Err(error),
    }
    Ok(())
}

/// Why writing stopped.
enum Failed {
    Refused(Refusal),
    Error(Error),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<alnage_fs::Error> for Failed {
    fn from(error: alnage_fs::Error) -> Self {
        Self::Error(error.into())
    }
}

impl From<alnage_sign::Error> for Failed {
    fn from(error: alnage_sign::Error) -> Self {
        Self::Error(error.into())
    }
}

fn at(path: &Path, source: io::Error) -> Error {
    Error::Files(alnage_fs::Error::Io { path: path.to_owned(), source })
}

/// Writes everything that comes of a plan; the files take their places when all are written and compared.
fn written(
    request: &Converting<'_>,
    plan: &Plan,
    content: &alnage_fs::Content,
    names: &Names,
    source_name: &str,
    progress: &dyn Progress,
) -> Result<ConvertedFile, Failed> {
    if let Some(parent) = names.directory() {
        create_dir(parent)?;
    }
    let tensor_names = names.shards(plan.files.len());
    let mut finished: Vec<NewFile> = Vec::new();
    let mut outputs = Vec::new();
    let mut checked = request.check.then(Checked::default);
    let wanted = match request.attesting {
        Attesting::Yes => Wanted::Digests,
        Attesting::No => Wanted::Checksums,
    };
    let (source_digest, wrote) =
        digests::alongside(&content.source, wanted, plan.checksums(), progress, |hashed| {
            for (file, name) in plan.files.iter().zip(&tensor_names) {
                let path = names.beside(name);
                let mut new = NewFile::begin(&path)?;
                let sha256 = hashed.file(&mut new, |give| plan.write(file, give))?;
                if let Some(checked) = &mut checked {
                    let same = check(plan, file, &new.source()?)?;
                    checked.tensors += same.tensors;
                    checked.bytes += same.bytes;
                }
                outputs.push(Output { path, name: name.clone(), size: file.len(), sha256 });
                finished.push(new);
            }
            Ok::<(), Failed>(())
        })?;
    wrote?;
    if content.has_changed() {
        return Err(Refusal::Unreadable("the file was written to while it was read".to_owned()).into());
    }
    let mut left_out = plan.left_out().to_vec();
    let mut text = |name: String, bytes: &[u8]| -> Result<(), Error> {
        let path = names.beside(&name);
        let mut new = NewFile::begin(&path)?;
        new.write(bytes)?;
        outputs.push(Output { path, name, size: bytes.len() as u64, sha256: Some(Digest::of(bytes)) });
        finished.push(new);
        Ok(())
    };
    if plan.files.len() > 1 {
        text(names.index(), plan.index(&tensor_names).as_bytes())?;
    }
    if plan.has_state() {
        let path = names.beside(&names.state());
        let mut new = NewFile::begin(&path)?;
        let mut hashed = digests::Counted::new(&mut new);
        left_out.extend(plan.write_state(&mut hashed).map_err(|source| at(&path, source))?);
        let (size, sha256) = hashed.finish().map_err(|source| at(&path, source))?;
        outputs.push(Output { path, name: names.state(), size, sha256: Some(sha256) });
        finished.push(new);
    }
    let mut converted = ConvertedFile::new(report::Parts {
        source: source_name,
        source_digest,
        source_size: content.source.len(),
        plan,
        outputs,
        shards: &tensor_names,
        left_out,
        checked,
        reading: &request.reading,
    });
    if let Some(source_digest) = source_digest {
        let path = names.beside(&names.attestation());
        let mut new = NewFile::begin(&path)?;
        new.write(attestation(request, &converted, source_digest)?.as_bytes())?;
        finished.push(new);
        converted.attestation = Some(path);
    }
    for file in finished {
        file.finish(request.existing)?;
    }
    Ok(converted)
}

/// The text of the attestation.
fn attestation(
    request: &Converting<'_>,
    converted: &ConvertedFile,
    source_digest: Digest,
) -> Result<String, alnage_sign::Error> {
    let claim = ConversionClaim {
        tool_version: env!("CARGO_PKG_VERSION"),
        time: request.time,
        source: &converted.source,
        source_digest,
        source_size: converted.source_size,
        format: converted.format,
        report: converted.predicate(),
    };
    let subjects = converted.outputs.iter();
    let subjects =
        subjects.filter_map(|output| Some(Subject { name: output.name.clone(), digest: output.sha256? }));
    let statement = claim.statement(subjects.collect());
    match request.signer {
        Some(signer) => attest(&statement, signer),
        None => unsigned(&statement),
    }
}

/// What of a conversion is there already, so that nothing is read that could not be written.
pub fn already_there(source: &Path, output: &Path) -> Option<PathBuf> {
    let is_directory = source.is_dir();
    let candidates = match is_directory {
        true => vec![output.to_owned()],
        false => {
            let names = Names::of_file(output);
            vec![output.to_owned(), names.beside(&names.attestation()), names.beside(&names.index())]
        }
    };
    candidates.into_iter().find(|path| match (is_directory, path.read_dir()) {
        (true, Ok(mut entries)) => entries.next().is_some(),
        _ => path.symlink_metadata().is_ok(),
    })
}
