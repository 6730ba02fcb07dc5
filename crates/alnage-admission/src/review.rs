//! How the API server of Kubernetes asks, and how it is answered: `admission.k8s.io/v1`.

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::patch::Change;

/// `kubectl` cuts warnings that are longer.
const MAX_WARNING: usize = 256;
/// The API server drops warnings beyond this.
const MAX_WARNINGS: usize = 4096;
/// Messages and notes for the audit log are cut here.
const MAX_MESSAGE: usize = 8192;
/// Longer than any that Kubernetes makes.
const MAX_UID: usize = 256;

/// Why what was asked is no review.
#[derive(Debug, Error)]
#[error("not an admission review: {0}")]
pub struct Malformed(pub String);

/// What the API server asks.
#[derive(Debug, Clone)]
pub struct Review {
    /// Names the question; the answer repeats it.
    pub uid: String,
    /// What happens to the object.
    pub operation: Operation,
    /// The kind of the object.
    pub kind: String,
    /// Its name space, if it is in one.
    pub namespace: Option<String>,
    /// Its name, if it has one yet.
    pub name: Option<String>,
    /// Who sent it.
    pub user: Option<String>,
    /// Nothing will be stored.
    pub dry_run: bool,
    subresource: String,
    object: Value,
    old: Value,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is removed.
    Delete,
    /// Somebody talks to it.
    Connect,
}

/// What there is to decide.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'r> {
    /// Nothing, for this reason.
    Nothing(&'static str),
    /// This object.
    New(&'r Value),
    /// What is new in this object.
    Changed {
        /// The object.
        new: &'r Value,
        /// As it was.
        old: &'r Value,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    kind: String,
    request: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    uid: String,
    operation: Operation,
    kind: Kind,
    #[serde(default)]
    sub_resource: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    user_info: Option<User>,
    #[serde(default)]
    dry_run: Option<bool>,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: Option<String>,
}

impl Review {
    /// Reads a review.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let envelope: Envelope =
            serde_json::from_slice(body).map_err(|error| Malformed(error.to_string()))?;
        if envelope.kind != "AdmissionReview" || envelope.api_version != "admission.k8s.io/v1" {
            return Err(Malformed(format!("{} {}", cut(&envelope.api_version, 64), cut(&envelope.kind, 64))));
        }
        let request = envelope.request.ok_or_else(|| Malformed("it has no request".to_owned()))?;
        if request.uid.is_empty() || request.uid.len() > MAX_UID {
            return Err(Malformed("it has no uid".to_owned()));
        }
        let kind = request.kind.kind;
        let mut object = request.object;
        let mut old = request.old_object;
        for object in [&mut object, &mut old] {
            if let Value::Object(fields) = object {
                fields.entry("kind").or_insert_with(|| Value::String(kind.clone()));
            }
        }
        Ok(Self {
            uid: request.uid,
            operation: request.operation,
            kind,
            namespace: request.namespace.filter(|namespace| !namespace.is_empty()),
            name: request.name.filter(|name| !name.is_empty()),
            user: request.user_info.and_then(|user| user.username),
            dry_run: request.dry_run.unwrap_or(false),
            subresource: request.sub_resource.unwrap_or_default(),
            object,
            old,
        })
    }

    /// What there is to decide.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        let is_going =
            || self.object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        match (self.operation, self.subresource.as_str()) {
            (Operation::Delete, _) => Subject::Nothing("what is removed loads nothing"),
            (Operation::Connect, _) => Subject::Nothing("what is talked to was decided on before"),
            (_, subresource) if !["", "ephemeralcontainers"].contains(&subresource) => {
                Subject::Nothing("this part of the object names no models")
            }
            _ if is_going() => Subject::Nothing("what is being removed loads nothing"),
            (Operation::Update, _) => Subject::Changed { new: &self.object, old: &self.old },
            (Operation::Create, _) => Subject::New(&self.object),
        }
    }

    /// Whether there is an object where there has to be one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self.operation {
            Operation::Create | Operation::Update => self.object.is_object(),
            Operation::Delete | Operation::Connect => true,
        }
    }
}

/// How the API server is answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// That of the question.
    pub uid: String,
    /// Whether the object is let through.
    pub allowed: bool,
    /// Why not.
    pub message: String,
    /// What whoever sent the object is told.
    pub warnings: Vec<String>,
    /// Notes for the audit log of the cluster.
    pub notes: Vec<(&'static str, String)>,
    /// How the object is changed.
    pub changes: Vec<Change>,
}

impl Answer {
    /// Lets an object through.
    #[must_use]
    pub fn allowed(uid: &str) -> Self {
        Self { uid: uid.to_owned(), allowed: true, ..Self::default() }
    }

    /// Refuses an object.
    #[must_use]
    pub fn denied(uid: &str, message: String) -> Self {
        Self { uid: uid.to_owned(), message, ..Self::default() }
    }

    /// The answer as it is sent.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut response = Map::new();
        response.insert("uid".to_owned(), json!(self.uid));
        response.insert("allowed".to_owned(), json!(self.allowed));
        if !self.allowed {
            let message = cut(&self.message, MAX_MESSAGE);
            let status =
                json!({ "code": 403, "reason": "Forbidden", "status": "Failure", "message": message });
            response.insert("status".to_owned(), status);
        }
        let warnings = self.shown_warnings();
        if !warnings.is_empty() {
            response.insert("warnings".to_owned(), json!(warnings));
        }
        if !self.notes.is_empty() {
            let notes =
                self.notes.iter().map(|(key, note)| ((*key).to_owned(), json!(cut(note, MAX_MESSAGE))));
            response.insert("auditAnnotations".to_owned(), Value::Object(notes.collect()));
        }
        if self.allowed && !self.changes.is_empty() {
            let patch = json!(self.changes).to_string();
            response.insert("patchType".to_owned(), json!("JSONPatch"));
            response.insert("patch".to_owned(), json!(Base64::encode_string(patch.as_bytes())));
        }
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response })
    }

    fn shown_warnings(&self) -> Vec<String> {
        let mut left = MAX_WARNINGS;
        let mut shown = Vec::new();
        for warning in &self.warnings {
            let warning = cut(warning, MAX_WARNING);
            if warning.len() > left {
                break;
            }
            left -= warning.len();
            shown.push(warning);
        }
        shown
    }
}

/// `text` in at most `most` bytes, without control characters: it goes into headers and logs.
fn cut(text: &str, most: usize) -> String {
    let clean = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let clean: String = clean.take(most).collect();
    if clean.len() <= most {
        return if text.chars().count() > most { shortened(&clean, most) } else { clean };
    }
    shortened(&clean, most)
}

fn shortened(text: &str, most: usize) -> String {
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}
