//! Several signatures of one model: enough different signers must have signed the same files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use alnage_sign::{Bundle, SignedManifest, VerifyingKey, trust::TrustPolicy};

use crate::{Error, Forms, Outcome, Progress, Verification, Verifying, sign::read_signature, verify::verify};

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
    if signatures.is_empty() {
        let mut found = verify(what, progress)?;
        if needed > 1 {
            let message = format!("at least {needed} have to sign: name each signature with `--signature`");
            found.say("signers", Outcome::Refused, message);
        }
        return Ok(found);
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
    let enough = count(&good);
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

/// How many different signers there are. Who stands under two names with one key, or under one name with two keys,
/// counts once.
fn count(good: &[Good]) -> usize {
    let mut counted: Vec<(&str, String)> = Vec::new();
    for good in good {
        let key = good.key.hint().to_string();
        if counted.iter().all(|(name, known)| *name != good.signer && *known != key) {
            counted.push((&good.signer, key));
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
