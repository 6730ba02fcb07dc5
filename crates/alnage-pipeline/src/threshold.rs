//! Several signatures of one model: enough different signers must have signed the same files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use alnage_fs::Sidecars;
use alnage_sign::{Bundle, SignedManifest, VerifyingKey, trust::TrustPolicy};

use crate::{
    Error, Forms, Outcome, Progress, Verification, Verifying,
    sign::read_signature,
    verify::{open as open_signed, verify},
};

/// A signature that holds.
struct Good {
    signature: PathBuf,
    signer: String,
    key: VerifyingKey,
    signed: SignedManifest,
}

/// Verifies a model against its signatures; `what.signers` must be `policy`. Files are hashed once, unless signatures
/// name them in different ways.
pub fn verify_signed_by(
    what: Verifying<'_>,
    policy: &TrustPolicy,
    signatures: &[PathBuf],
    progress: &dyn Progress,
) -> Result<Verification, Error> {
    let needed = policy.threshold.get();
    let beside = if signatures.is_empty() && needed > 1 { all_beside(what.path) } else { Vec::new() };
    let signatures = if signatures.is_empty() { &beside } else { signatures };
    if signatures.is_empty() {
        return verify(what, progress);
    }
    // A signature in the model cannot be covered by the others.
    let ignore_paths: Vec<PathBuf> = what.ignore_paths.iter().chain(signatures).cloned().collect();
    let what = Verifying { ignore_paths: &ignore_paths, ..what };
    let mut good: Vec<Good> = Vec::new();
    let mut refused = Vec::new();
    for signature in signatures {
        match open(signature, &what, policy)? {
            Ok(found) => good.push(found),
            Err(error) => refused.push(format!("`{}`: {error}", signature.display())),
        }
    }
    let Some(first) = good.first() else {
        // The ordinary way says what is wrong with the first one.
        let first = signatures.first().map(PathBuf::as_path);
        return verify(Verifying { signature: first, ..what }, progress);
    };
    let mut found = verify(Verifying { signature: Some(&first.signature), ..what }, progress)?;
    for other in good.iter().skip(1) {
        if says_the_same(&other.signed, &first.signed) {
            found.say(
                "signature",
                Outcome::Holds,
                format!("`{}` too, by `{}`", other.signature.display(), other.signer),
            );
            continue;
        }
        let again = verify(Verifying { signature: Some(&other.signature), ..what }, progress)?;
        found
            .checks
            .extend(again.checks.into_iter().filter(|check| matches!(check.part, "signature" | "files")));
        found.differences.extend(again.differences);
    }
    let enough = count(good.iter().map(|good| (good.signer.as_str(), &good.key)));
    for refusal in &refused {
        // One that does not count does no harm as long as enough others do.
        found.say(
            "signature",
            if enough >= needed { Outcome::Noted } else { Outcome::Refused },
            refusal.clone(),
        );
    }
    if needed > 1 || signatures.len() > 1 {
        let names: BTreeSet<&str> = good.iter().map(|good| good.signer.as_str()).collect();
        let names = names.into_iter().collect::<Vec<_>>().join("`, `");
        let outcome = if enough >= needed { Outcome::Holds } else { Outcome::Refused };
        found.say("signers", outcome, format!("{enough} of at least {needed} have signed: `{names}`"));
    }
    Ok(found)
}

/// The signatures in or beside a model.
fn all_beside(path: &Path) -> Vec<PathBuf> {
    let sidecars = Sidecars::of(path, path.is_file());
    let further = sidecars.further_signatures();
    std::iter::once(sidecars.signature).chain(further).collect()
}

/// Why a model does not count that is signed by `bytes` with `signed` in it, when others have to have signed the same:
/// their signatures are sought beside.
pub(crate) fn too_few(
    bytes: &[u8],
    signed: &SignedManifest,
    sidecars: &Sidecars,
    what: &Verifying<'_>,
) -> Option<String> {
    let needed = what.signers.threshold().get();
    if needed == 1 {
        return None;
    }
    let mut signers = Vec::new();
    for further in std::iter::once(None).chain(sidecars.further_signatures().into_iter().map(Some)) {
        let read = further.map_or_else(|| Ok(bytes.to_vec()), |path| read_signature(&path));
        let Ok(bytes) = read else { continue };
        let opened = Bundle::parse(&bytes).and_then(|bundle| {
            let (other, signer) = open_signed(&bytes, what)?;
            let name = what.signers.name(&bundle).unwrap_or(signer.description);
            Ok((name, signer.key, says_the_same(&other, signed)))
        });
        // One that does not count does no harm.
        if let Ok((name, key, true)) = opened {
            signers.push((name, key));
        }
    }
    let enough = count(signers.iter().map(|(name, key)| (name.as_str(), key)));
    (enough < needed).then(|| format!("{enough} of at least {needed} have signed it"))
}

/// How many different signers there are. Who stands under two names with one key, or under one name with two keys,
/// counts once.
fn count<'a>(signers: impl Iterator<Item = (&'a str, &'a VerifyingKey)>) -> usize {
    let mut counted: Vec<(&str, String)> = Vec::new();
    for (name, key) in signers {
        let key = key.hint().to_string();
        if counted.iter().all(|(known, other)| *known != name && *other != key) {
            counted.push((name, key));
        }
    }
    counted.len()
}

/// An error outside is a file that cannot be read, one inside is a signature that does not count.
fn open(
    signature: &Path,
    what: &Verifying<'_>,
    policy: &TrustPolicy,
) -> Result<Result<Good, alnage_sign::Error>, Error> {
    let bytes = read_signature(signature)?;
    Ok((|| {
        let bundle = Bundle::parse(&bytes)?;
        let acceptance = policy.accept_signer(&bundle)?;
        let signed = match what.forms {
            Forms::Specified => bundle.verify(&acceptance.key)?,
            Forms::Historic => bundle.verify_legacy(&acceptance.key)?,
        };
        Ok(Good { signature: signature.to_owned(), signer: acceptance.name, key: acceptance.key, signed })
    })())
}

/// Whether two signatures name the same files in the same way, so that one look at the files is enough.
fn says_the_same(one: &SignedManifest, other: &SignedManifest) -> bool {
    let resources = |signed: &SignedManifest| {
        let mut all: Vec<_> =
            signed.resources().iter().map(|part| (part.path.clone(), part.shard, part.digest)).collect();
        all.sort();
        all
    };
    let ignored =
        |signed: &SignedManifest| signed.ignored_paths().paths().map(str::to_owned).collect::<Vec<_>>();
    one.hash() == other.hash()
        && one.serialization() == other.serialization()
        && one.symlinks() == other.symlinks()
        && ignored(one) == ignored(other)
        && resources(one) == resources(other)
}
