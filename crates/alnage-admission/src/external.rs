//! How other engines of policy ask: Gatekeeper's external data, and the calls that Kyverno makes.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{decision::Standing, review::Malformed};

/// More keys are not answered at once.
const MAX_KEYS: usize = 1024;

/// What a key of Gatekeeper's is answered with.
#[derive(Debug, Clone)]
pub struct Provided {
    /// The key, as it was asked.
    pub key: String,
    /// What is known of the model, or why the key is none.
    pub standing: Result<Standing, String>,
}

/// The keys that Gatekeeper asks for.
pub fn keys_of(body: &[u8]) -> Result<Vec<String>, Malformed> {
    #[derive(Deserialize)]
    struct Envelope {
        kind: String,
        request: Request,
    }
    #[derive(Deserialize)]
    struct Request {
        keys: Vec<String>,
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| Malformed(error.to_string()))?;
    if envelope.kind != "ProviderRequest" || envelope.request.keys.len() > MAX_KEYS {
        return Err(Malformed("a ProviderRequest with at most 1024 keys is expected".to_owned()));
    }
    Ok(envelope.request.keys)
}

/// The answer to Gatekeeper: a value for what is approved, an error for everything else.
#[must_use]
pub fn provider_response(items: &[Provided]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|item| match &item.standing {
            Ok(standing @ Standing::Approved { .. }) => json!({ "key": item.key, "value": standing }),
            Ok(standing) => json!({ "key": item.key, "error": refusal(standing) }),
            Err(why) => json!({ "key": item.key, "error": why }),
        })
        .collect();
    json!({
        "apiVersion": "externaldata.gatekeeper.sh/v1beta1",
        "kind": "ProviderResponse",
        "response": { "idempotent": true, "items": items },
    })
}

/// What Kyverno, or anybody, asks in plain JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// Would this object be let through?
    Object(Value),
    /// What is known of these models?
    References(Vec<String>),
}

/// Reads what is asked: `{"object": …}` or `{"references": […]}`.
pub fn asked(body: &[u8]) -> Result<Asked, Malformed> {
    match serde_json::from_slice(body) {
        Ok(Asked::References(names)) if names.len() > MAX_KEYS => {
            Err(Malformed("more than 1024 references".to_owned()))
        }
        Ok(asked) => Ok(asked),
        Err(error) => Err(Malformed(error.to_string())),
    }
}

/// Why a model is not approved, in words.
#[must_use]
pub fn refusal(standing: &Standing) -> String {
    match standing {
        Standing::Approved { .. } => "approved".to_owned(),
        Standing::Pending { reason } => format!("not approved yet: {reason}"),
        Standing::Denied { reason } => format!("refused: {reason}"),
        Standing::Recalled { reason } => format!("recalled: {reason}"),
        Standing::Unknown => "not known to the registry".to_owned(),
        Standing::Unavailable { reason } => format!("the registry could not be asked: {reason}"),
    }
}
