//! in-toto statements about digests, signed in a DSSE envelope.

use alnage_types::{Digest, Manifest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Signer, VerifyingKey, dsse::Envelope, path};

/// The version of in-toto statements that we write and read.
pub(crate) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What somebody says about some digests: <https://github.com/in-toto/attestation>.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it is about. A consumer matches them by digest alone.
    pub subjects: Vec<Subject>,
    /// Names the shape of `predicate`, a URI.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
}

/// A thing with a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// For people.
    pub name: String,
    /// What identifies it.
    pub digest: Digest,
}

/// A statement as somebody signed it. Only [`verify_attestation`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedStatement {
    statement: Statement,
    digest: Digest,
}

impl SignedStatement {
    /// What was said.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The digest of the signed bytes, by which a log records the statement.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether the statement is about the content with this digest.
    pub fn is_about(&self, digest: Digest) -> bool {
        self.statement.subjects.iter().any(|subject| subject.digest == digest)
    }
}

/// The subjects of a statement about a whole model: its root digest, then every file.
pub fn model_subjects(name: &str, manifest: &Manifest) -> Result<Vec<Subject>, Error> {
    let root =
        manifest.digest.ok_or_else(|| Error::Unsignable("not every file of the model was hashed".into()))?;
    let mut subjects = vec![Subject { name: name.to_owned(), digest: root }];
    for file in &manifest.files {
        let digest = file
            .sha256
            .ok_or_else(|| Error::Unsignable(format!("`{}` was not hashed", path::shown(&file.path))))?;
        subjects.push(Subject { name: file.path.clone(), digest });
    }
    Ok(subjects)
}

/// Signs a statement; gives the text of a DSSE envelope. The same statement and key give the same bytes.
pub fn attest(statement: &Statement, signer: &dyn Signer) -> Result<String, Error> {
    if statement.subjects.is_empty() {
        return Err(Error::Unsignable("the statement is about nothing".into()));
    }
    let payload =
        serde_json::to_vec(&written(statement)).map_err(|error| Error::Unsignable(error.to_string()))?;
    let envelope = Envelope::seal(&payload, signer.verifying_key().hint().to_string(), signer)?;
    serde_json::to_string(&envelope).map_err(|error| Error::Unsignable(error.to_string()))
}

/// The text of a statement that nobody signs.
pub fn unsigned(statement: &Statement) -> Result<String, Error> {
    serde_json::to_string(&written(statement)).map_err(|error| Error::Unsignable(error.to_string()))
}

fn written(statement: &Statement) -> Written {
    Written {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: statement
            .subjects
            .iter()
            .map(|subject| WrittenSubject {
                name: subject.name.clone(),
                digest: WrittenDigest { sha256: Some(subject.digest) },
            })
            .collect(),
        predicate_type: statement.predicate_type.clone(),
        predicate: statement.predicate.clone(),
    }
}

/// Verifies the signature of a DSSE envelope and reads the statement it holds.
pub fn verify_attestation(envelope: &[u8], key: &VerifyingKey) -> Result<SignedStatement, Error> {
    let envelope = parse(envelope)?;
    let payload = envelope.open(key).map_err(|error| {
        // The key id is a hint and proves nothing; it only makes the refusal easier to understand.
        let given = key.hint().to_string();
        match error {
            Error::BadSignature if !envelope.key_id().is_empty() && envelope.key_id() != given => {
                Error::WrongKey { signed_by: path::shown(envelope.key_id()), given }
            }
            other => other,
        }
    })?;
    Ok(SignedStatement { statement: read(&payload)?, digest: Digest::of(&payload) })
}

/// Reads a statement that stands alone, **which nobody signed**: it proves nothing, and what it says can be checked.
pub fn read_unsigned(statement: &[u8]) -> Result<Statement, Error> {
    if serde_json::from_slice::<Envelope>(statement).is_ok() {
        return Err(Error::Malformed("it is signed: say by which key".into()));
    }
    read(statement)
}

fn read(payload: &[u8]) -> Result<Statement, Error> {
    let written: Written = serde_json::from_slice(payload)
        .map_err(|error| Error::Malformed(format!("not an in-toto statement: {error}")))?;
    if written.statement_type != STATEMENT_TYPE {
        let message = format!(
            "the statement type is `{}`, not `{STATEMENT_TYPE}`",
            path::shown(&written.statement_type)
        );
        return Err(Error::Malformed(message));
    }
    let subjects: Vec<Subject> = written
        .subject
        .into_iter()
        .filter_map(|subject| Some(Subject { name: subject.name, digest: subject.digest.sha256? }))
        .collect();
    if subjects.is_empty() {
        return Err(Error::Malformed("the statement has no subject with a SHA-256 digest".into()));
    }
    Ok(Statement { subjects, predicate_type: written.predicate_type, predicate: written.predicate })
}

/// The digest of the payload of a DSSE envelope, **not verified**: for the log entry of an envelope just made.
pub fn attested_digest(envelope: &[u8]) -> Result<Digest, Error> {
    parse(envelope)?.payload().map(|payload| Digest::of(&payload))
}

fn parse(envelope: &[u8]) -> Result<Envelope, Error> {
    serde_json::from_slice(envelope)
        .map_err(|error| Error::Malformed(format!("not a DSSE envelope: {error}")))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<WrittenSubject>,
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct WrittenSubject {
    #[serde(default)]
    name: String,
    digest: WrittenDigest,
}

/// A subject may be named by other digests too, or only by those.
#[derive(Debug, Serialize, Deserialize)]
struct WrittenDigest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
}
