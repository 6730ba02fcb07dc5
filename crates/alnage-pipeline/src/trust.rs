//! Reading what a verifier trusts: keys, certificates, revocation lists, and the file that names them all.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use alnage_sign::{
    VerifyingKey,
    keyless::{KeylessTrust, Provider, TrustedRoot},
    trust::{
        CertificateTrust, Identity, RevocationStatement, TimestampTrust, TrustPolicy, TrustedCredential,
        TrustedSigner,
    },
    x509::{Certificate, RevocationList, StaleLists, UnixTime},
};
use serde::Deserialize;

use crate::{Error, sign::verifying_key};

/// More than any file of certificates, and any trust file, needs.
const MAX_CERTIFICATES: u64 = 4 << 20;
const MAX_TRUST_FILE: u64 = 1 << 20;
/// Authorities that serve a whole industry have lists this long.
const MAX_LIST: u64 = 128 << 20;

const DAY: u64 = 24 * 60 * 60;

/// Reads the certificates of a file, PEM or DER.
pub fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    named(path, Certificate::all_from_file(&alnage_fs::read_small(path, MAX_CERTIFICATES)?))
}

/// Reads the certificates of several files.
pub fn all_certificates<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Certificate>, Error> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(certificates(path.as_ref())?);
    }
    Ok(all)
}

/// Reads the revocation lists of certificate authorities in several files, PEM or DER.
pub fn revocation_lists<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<RevocationList>, Error> {
    let mut all = Vec::new();
    for path in paths {
        let path = path.as_ref();
        all.extend(named(path, RevocationList::all_from_file(&alnage_fs::read_small(path, MAX_LIST)?))?);
    }
    Ok(all)
}

/// Reads a trusted root of Sigstore.
pub fn trusted_root(path: &Path) -> Result<TrustedRoot, Error> {
    named(path, TrustedRoot::parse(&alnage_fs::read_small(path, MAX_CERTIFICATES)?))
}

/// Reads a revocation list that `alnage revoke` made, signed by one of `keys`.
///
/// A list older than `max_age` seconds is refused: who holds back a newer one could hide a revocation.
pub fn revocations(
    path: &Path,
    keys: &[VerifyingKey],
    max_age: Option<u64>,
    now: UnixTime,
) -> Result<RevocationStatement, Error> {
    let bytes = alnage_fs::read_small(path, MAX_LIST)?;
    let mut refusal =
        alnage_sign::Error::Policy("no key is named that could have signed the revocation list".into());
    for key in keys {
        match RevocationStatement::verify(&bytes, key) {
            Ok((list, _)) => {
                let issued = list.issued()?;
                if max_age.is_some_and(|age| now.0.saturating_sub(issued.0) > age) {
                    let message = format!("the revocation list is of {issued}, and that is too old");
                    return named(path, Err(alnage_sign::Error::Untrusted(message)));
                }
                return Ok(list);
            }
            Err(error) => refusal = error,
        }
    }
    named(path, Err(refusal))
}

/// Reads a trust file.
pub fn trust_file(path: &Path, now: UnixTime) -> Result<TrustPolicy, Error> {
    let text = String::from_utf8_lossy(&alnage_fs::read_small(path, MAX_TRUST_FILE)?).into_owned();
    let refuse = |message: String| Error::Trust { path: path.to_owned(), message };
    let written: Written =
        toml::from_str(&text).map_err(|error| refuse(error.to_string().trim_end().to_owned()))?;
    if written.version != 1 {
        return Err(refuse(format!("version {} is not known", written.version)));
    }
    // Names of files are seen from where the trust file is.
    let folder = path.parent().unwrap_or(Path::new(""));
    let places = |names: &[PathBuf]| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>();

    let mut signers = Vec::new();
    for signer in &written.signer {
        signers.push(signer.read(folder, &refuse)?);
    }
    if signers.is_empty() {
        return Err(refuse("it trusts nobody: add a `[[signer]]`".into()));
    }
    let mut names: Vec<&str> = signers.iter().map(|signer| signer.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if written.threshold.get() > names.len() {
        let message =
            format!("{} signers have to sign and only {} are named", written.threshold, names.len());
        return Err(refuse(message));
    }
    let mut policy = TrustPolicy::new(signers, now);
    policy.threshold = written.threshold;
    policy.timestamps = TimestampTrust {
        anchors: all_certificates(&places(&written.timestamps.authorities))?,
        intermediates: all_certificates(&places(&written.timestamps.intermediates))?,
    };
    let root = written.sigstore.trusted_root.as_ref();
    policy.trusted_root = root.map(|root| trusted_root(&folder.join(root))).transpose()?;
    policy.revocation_lists = revocation_lists(&places(&written.certificate_lists.files))?;
    if written.certificate_lists.allow_stale {
        policy.stale_lists = StaleLists::Allowed;
    }
    let keys = (places(&written.revocations.keys).iter())
        .map(|place| verifying_key(place))
        .collect::<Result<Vec<_>, _>>()?;
    let max_age = written.revocations.max_age_days.map(|days| days.saturating_mul(DAY));
    for place in places(&written.revocations.lists) {
        policy.revoked.add(revocations(&place, &keys, max_age, now)?);
    }
    Ok(policy)
}

/// The error with the name of its file.
fn named<T>(path: &Path, result: Result<T, alnage_sign::Error>) -> Result<T, Error> {
    result.map_err(|error| Error::Trust { path: path.to_owned(), message: error.to_string() })
}

/// A trust file as it is written; `docs/trust.md` explains it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    version: u32,
    #[serde(default = "one")]
    threshold: NonZeroUsize,
    #[serde(default)]
    signer: Vec<WrittenSigner>,
    #[serde(default)]
    timestamps: WrittenTimestamps,
    #[serde(default)]
    certificate_lists: WrittenLists,
    #[serde(default)]
    revocations: WrittenRevocations,
    #[serde(default)]
    sigstore: WrittenSigstore,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct WrittenSigstore {
    trusted_root: Option<PathBuf>,
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenSigner {
    name: String,
    key: Option<PathBuf>,
    #[serde(default)]
    authorities: Vec<PathBuf>,
    #[serde(default)]
    intermediates: Vec<PathBuf>,
    #[serde(default)]
    identities: Vec<String>,
    #[serde(default)]
    issuers: Vec<String>,
    #[serde(default)]
    identity_providers: Vec<String>,
    not_before: Option<String>,
    not_after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct WrittenTimestamps {
    authorities: Vec<PathBuf>,
    intermediates: Vec<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct WrittenLists {
    files: Vec<PathBuf>,
    allow_stale: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct WrittenRevocations {
    lists: Vec<PathBuf>,
    keys: Vec<PathBuf>,
    max_age_days: Option<u64>,
}

impl WrittenSigner {
    fn read(&self, folder: &Path, refuse: &impl Fn(String) -> Error) -> Result<TrustedSigner, Error> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err(refuse("a signer has no name".into()));
        }
        let restricts =
            !(self.intermediates.is_empty() && self.identities.is_empty() && self.issuers.is_empty());
        let keyless = !self.identity_providers.is_empty();
        let credential = match &self.key {
            _ if keyless && (self.key.is_some() || !self.authorities.is_empty()) => {
                return Err(refuse(format!(
                    "signer `{name}` has both identity providers and a key or authorities"
                )));
            }
            _ if keyless && !(self.intermediates.is_empty() && self.issuers.is_empty()) => {
                return Err(refuse(format!(
                    "signer `{name}` has both identity providers and what belongs to authorities"
                )));
            }
            None if keyless => TrustedCredential::Keyless(
                keyless_trust(&self.identities, &self.identity_providers)
                    .map_err(|error| refuse(format!("signer `{name}`: {error}")))?,
            ),
            Some(_) if !self.authorities.is_empty() || restricts => {
                return Err(refuse(format!(
                    "signer `{name}` has both a key and what belongs to certificates"
                )));
            }
            Some(key) => TrustedCredential::Key(verifying_key(&folder.join(key))?),
            None if self.authorities.is_empty() => {
                return Err(refuse(format!(
                    "signer `{name}` has neither `key` nor `authorities` nor `identity-providers`"
                )));
            }
            None => {
                let places =
                    |names: &[PathBuf]| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>();
                TrustedCredential::Certificate(CertificateTrust {
                    anchors: all_certificates(&places(&self.authorities))?,
                    intermediates: all_certificates(&places(&self.intermediates))?,
                    identities: identities(&self.identities)?,
                    issuers: identities(&self.issuers)?,
                })
            }
        };
        let time = |text: &Option<String>| text.as_ref().map(|text| text.parse()).transpose();
        Ok(TrustedSigner {
            name: name.to_owned(),
            credential,
            not_before: time(&self.not_before)?,
            not_after: time(&self.not_after)?,
        })
    }
}

/// The keyless signers with one of the identities, of one of the providers.
pub fn keyless_trust(
    identities: &[String],
    providers: &[String],
) -> Result<KeylessTrust, alnage_sign::Error> {
    let identities = identities.iter().map(|text| text.parse()).collect::<Result<Vec<Identity>, _>>()?;
    let providers = providers.iter().map(|text| text.parse()).collect::<Result<Vec<Provider>, _>>()?;
    KeylessTrust::new(identities, providers)
}

fn identities(written: &[String]) -> Result<Vec<Identity>, Error> {
    Ok(written.iter().map(|text| text.parse()).collect::<Result<_, _>>()?)
}
