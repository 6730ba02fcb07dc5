//! Those who vouch for others: what they publish of themselves, and asking them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use url::Url;

use crate::{Error, Result, upstream::Guard};

/// What is published is asked for again after so many seconds; sooner, when a key is missing in it.
const FRESH: u64 = 600;
/// But for a missing key not twice within so many: a stranger's token must not make us ask without end.
const RETRY: u64 = 30;
/// No answer of theirs is larger.
const MOST: u64 = 1 << 20;

/// Issuers of identities, with what they published lately.
pub struct Issuers {
    clock: fn() -> u64,
    /// Authorities to trust instead of the web's: PEM.
    roots: Option<Vec<u8>>,
    published: Mutex<HashMap<String, Published>>,
}

/// What was published at an address.
#[derive(Clone)]
struct Published {
    document: Value,
    /// When it was asked for.
    at: u64,
    /// When it was last asked for because a key was missing.
    again: u64,
}

/// Where an issuer is asked for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Where people sign in.
    pub authorization: String,
    /// Where codes become identities.
    pub token: String,
    keys: String,
}

impl Issuers {
    /// Nobody asked yet. `roots` are authorities to trust instead of the web's.
    pub fn new(clock: fn() -> u64, roots: Option<Vec<u8>>) -> Self {
        Self { clock, roots, published: Mutex::default() }
    }

    /// What `issuer` says of itself (OpenID Connect Discovery).
    pub fn discover(&self, issuer: &str) -> Result<Discovered> {
        let document = self.document(
            &format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
            issuer,
            false,
        )?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("issuer").trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(Error::Unavailable(format!("`{issuer}` says it is somebody else")));
        }
        Ok(Discovered {
            authorization: text("authorization_endpoint"),
            token: text("token_endpoint"),
            keys: text("jwks_uri"),
        })
    }

    /// The keys that `issuer` signs with, `place` being where they are if that is not to be discovered. Asked for again
    /// when the key `id` is not among them.
    pub fn keys(&self, issuer: &str, place: Option<&str>, id: Option<&str>) -> Result<Value> {
        let url = match place {
            Some(place) if !place.contains("://") => {
                let text = std::fs::read(place).map_err(|error| {
                    Error::Unavailable(format!("the keys of `{issuer}`: `{place}`: {error}"))
                })?;
                return serde_json::from_slice(&text).map_err(|error| {
                    Error::Unavailable(format!("the keys of `{issuer}`: `{place}`: {error}"))
                });
            }
            Some(place) => place.to_owned(),
            None => self.discover(issuer)?.keys,
        };
        let set = self.document(&url, issuer, false)?;
        let has = |set: &Value| {
            let keys = set.get("keys").and_then(Value::as_array);
            keys.into_iter().flatten().any(|key| key.get("kid").and_then(Value::as_str) == id)
        };
        if id.is_none() || has(&set) { Ok(set) } else { self.document(&url, issuer, true) }
    }

    fn document(&self, url: &str, issuer: &str, again: bool) -> Result<Value> {
        let now = (self.clock)();
        let known = self.published.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        let again_at = match known {
            Some(known) if !again && now.saturating_sub(known.at) < FRESH => return Ok(known.document),
            Some(known) if again && now.saturating_sub(known.again) < RETRY => return Ok(known.document),
            Some(known) if !again => known.again,
            Some(_) => now,
            None => 0,
        };
        let (agent, url_read) = self.agent(url, issuer)?;
        let response = agent.get(url_read.as_str()).call();
        let document = answer(response, &url_read)?;
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.insert(url.to_owned(), Published { document: document.clone(), at: now, again: again_at });
        Ok(document)
    }

    /// Sends a form, and reads the answer's JSON.
    pub fn post(&self, issuer: &str, url: &str, form: &[(&str, &str)]) -> Result<Value> {
        let (agent, url) = self.agent(url, issuer)?;
        let response =
            agent.post(url.as_str()).header("accept", "application/json").send_form(form.iter().copied());
        answer(response, &url)
    }

    /// A client that reaches `url`, and inside of networks only the configured `issuer`.
    fn agent(&self, url: &str, issuer: &str) -> Result<(ureq::Agent, Url)> {
        let read =
            |text: &str| Url::parse(text).map_err(|_| Error::Unavailable(format!("`{text}` is no URL")));
        let (url, issuer) = (read(url)?, read(issuer)?);
        let guard = Guard::public().and(&issuer);
        guard.check(&url).map_err(Error::Unavailable)?;
        let agent = guard.agent(self.roots.as_deref()).map_err(Error::Unavailable)?;
        Ok((agent, url))
    }
}

fn answer(
    response: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    url: &Url,
) -> Result<Value> {
    let host = url.host_str().unwrap_or_default();
    let failed =
        |why: String| Error::Unavailable(format!("the identity provider `{host}` does not answer: {why}"));
    let mut response = response.map_err(|error| failed(error.to_string()))?;
    if !response.status().is_success() {
        return Err(failed(format!("status {}", response.status())));
    }
    let bytes = response
        .body_mut()
        .with_config()
        .limit(MOST)
        .read_to_vec()
        .map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))
}

/// `url` with what follows `?`.
pub fn with_query(url: &str, pairs: &[(&str, &str)]) -> Result<String> {
    let mut url = Url::parse(url).map_err(|_| Error::Unavailable(format!("`{url}` is no URL")))?;
    url.query_pairs_mut().extend_pairs(pairs);
    Ok(url.into())
}

/// The pairs of a form.
pub fn form_pairs(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body)
        .take(64)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}
