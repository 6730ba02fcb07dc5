//! What is asked, answered: reviews of Kubernetes, keys of Gatekeeper, questions in plain JSON. Blocking, as asking is.

use std::sync::Arc;

use alnage_admission::{
    Answer, Asked, Decision, Known, Loads, Malformed, Origin, Provided, Review, Rules, Standing, Subject,
    Table, asked, changes, decide, keys_of, provider_response, read, read_changed, refusal,
};
use serde_json::{Value, json};

/// Somebody who knows models, and who may want to hear where they are used.
pub(crate) trait Shelf: Known + Send + Sync {
    /// A model was let through.
    fn seen(&self, sighting: &Sighting);
}

/// A model in an object that was let through.
#[derive(Debug)]
pub(crate) struct Sighting {
    /// Name space, kind and name of the object.
    pub(crate) place: String,
    /// The kind of the object.
    pub(crate) kind: String,
    /// The name space.
    pub(crate) environment: String,
    /// Who sent the object.
    pub(crate) owner: String,
    /// The model.
    pub(crate) origin: Origin,
    /// The commit that was approved.
    pub(crate) commit: String,
    /// The digest of its manifest.
    pub(crate) manifest: String,
}

impl Sighting {
    /// The model, as deployments name it.
    pub(crate) fn model(&self) -> String {
        match &self.origin {
            Origin::Hub { repo, .. } => format!("model/{repo}"),
            other => other.to_string(),
        }
    }
}

/// Answers what is asked.
#[derive(Clone)]
pub(crate) struct Reviewer {
    pub(crate) table: Arc<Table>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) shelf: Arc<dyn Shelf>,
    /// Whether the shelf is told what was let through: only of those who say who they are.
    pub(crate) reports: bool,
}

/// How a review is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is decided on.
    Validate,
    /// It is changed; deciding is left to the validation that follows.
    Mutate,
}

impl Reviewer {
    /// Answers a review, and says what is to be told to the shelf, when there is time.
    pub(crate) fn review(&self, body: &[u8], manner: Manner) -> Result<(Value, Vec<Sighting>), Malformed> {
        let review = Review::parse(body)?;
        let quiet = |answer: Answer| Ok((answer.to_json(), Vec::new()));
        if !review.is_whole() {
            return quiet(Answer::denied(&review.uid, "there is no object to decide on".to_owned()));
        }
        let loads = match review.subject() {
            Subject::Nothing(why) => return quiet(untouched(&review, why)),
            Subject::New(object) => read(&self.table, object),
            Subject::Changed { new, old } => match read_changed(&self.table, new, old) {
                Some(loads) => loads,
                None => return quiet(untouched(&review, "what it loads did not change")),
            },
        };
        if loads.references.is_empty() && loads.findings.is_empty() {
            return quiet(untouched(&review, "it names no models"));
        }
        let decision = decide(&loads, &*self.shelf, &self.rules);
        if manner == Manner::Mutate {
            let mut answer = Answer::allowed(&review.uid);
            answer.changes = changes(&loads, &decision, &self.rules);
            return quiet(answer);
        }
        let is_stored = decision.allowed && !review.dry_run && self.reports;
        let sightings = if is_stored { sightings(&review, &decision) } else { Vec::new() };
        Ok((validated(&review, &decision).to_json(), sightings))
    }

    /// Answers the keys of Gatekeeper.
    pub(crate) fn provide(&self, body: &[u8]) -> Result<Value, Malformed> {
        let keys = keys_of(body)?;
        let items = keys.into_iter().map(|key| {
            let standing = self.standing(&key).ok_or_else(|| "not a reference to a model".to_owned());
            Provided { key, standing }
        });
        Ok(provider_response(&items.collect::<Vec<_>>()))
    }

    /// Answers a question in plain JSON.
    pub(crate) fn check(&self, body: &[u8]) -> Result<Value, Malformed> {
        match asked(body)? {
            Asked::Object(object) => {
                let loads: Loads = read(&self.table, &object);
                let decision = decide(&loads, &*self.shelf, &self.rules);
                Ok(json!({
                    "allowed": decision.allowed,
                    "denials": decision.denials,
                    "warnings": decision.warnings,
                    "models": decision.models,
                    "patch": changes(&loads, &decision, &self.rules),
                }))
            }
            Asked::References(names) => {
                let answers: Vec<Value> = names.iter().map(|name| self.told(name)).collect();
                let allowed = answers.iter().all(|answer| answer["allowed"] == json!(true));
                Ok(json!({ "allowed": allowed, "references": answers }))
            }
        }
    }

    fn standing(&self, key: &str) -> Option<Standing> {
        Some(self.shelf.ask(&Origin::key(key)?))
    }

    fn told(&self, name: &str) -> Value {
        match self.standing(name) {
            Some(standing) => {
                let allowed = matches!(standing, Standing::Approved { .. });
                let mut answer =
                    json!({ "reference": name, "allowed": allowed, "message": refusal(&standing) });
                if let (Value::Object(answer), Value::Object(standing)) = (&mut answer, json!(standing)) {
                    answer.extend(standing);
                }
                answer
            }
            None => json!({ "reference": name, "allowed": false, "message": "not a reference to a model" }),
        }
    }
}

/// The answer that a decision comes to.
fn validated(review: &Review, decision: &Decision) -> Answer {
    let models: Vec<&str> = decision.models.iter().map(|judged| judged.model.as_str()).collect();
    let mut answer = if decision.allowed {
        Answer::allowed(&review.uid)
    } else {
        Answer::denied(&review.uid, format!("alnage: {}", decision.denials.join("; ")))
    };
    answer.warnings = decision.warnings.iter().map(|warning| format!("alnage: {warning}")).collect();
    let word = if decision.allowed { "allowed" } else { "denied" };
    answer.notes = vec![("models", models.join(" ")), ("decision", word.to_owned())];
    if !decision.denials.is_empty() {
        answer.notes.push(("reasons", decision.denials.join("; ")));
    }
    answer
}

/// The models of an object that was let through.
fn sightings(review: &Review, decision: &Decision) -> Vec<Sighting> {
    let environment = review.namespace.as_deref().unwrap_or("-");
    let name = review.name.as_deref().unwrap_or("-");
    let approved = decision.models.iter().filter_map(|judged| {
        let Some(Standing::Approved { commit, digest, .. }) = &judged.standing else { return None };
        Some(Sighting {
            place: format!("{environment}/{}/{name}", review.kind),
            kind: review.kind.clone(),
            environment: environment.to_owned(),
            owner: review.user.clone().unwrap_or_else(|| "-".to_owned()),
            origin: judged.reference.origin.clone(),
            commit: commit.clone().unwrap_or_default(),
            manifest: digest.clone().unwrap_or_default(),
        })
    });
    approved.collect()
}

/// Lets an object through that there is nothing to decide on.
fn untouched(review: &Review, why: &str) -> Answer {
    let mut answer = Answer::allowed(&review.uid);
    answer.notes = vec![("decision", format!("allowed: {why}"))];
    answer
}
