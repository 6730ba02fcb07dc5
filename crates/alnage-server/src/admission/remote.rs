//! A registry elsewhere, asked over HTTP. Whatever goes wrong is "nobody could be asked", which the rules refuse.

use std::time::Duration;

use alnage_admission::{Known, Origin, Standing};
use serde::Deserialize;
use serde_json::json;
use ureq::Agent;

use super::reviewer::{Shelf, Sighting};

/// The API server waits ten seconds unless told otherwise.
const TIME: Duration = Duration::from_secs(5);
const MAX_ANSWER: u64 = 1 << 20;

/// A registry elsewhere.
pub(crate) struct Remote {
    agent: Agent,
    address: String,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Answers {
    references: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    standing: Option<String>,
    #[serde(default)]
    commit: Option<String>,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    sealed: Option<bool>,
    #[serde(default)]
    conditions: Vec<String>,
    #[serde(default)]
    reason: String,
}

impl Remote {
    /// The registry at `address`, which is asked with `token`.
    pub(crate) fn at(address: &str, token: Option<String>) -> Self {
        let config = Agent::config_builder().timeout_global(Some(TIME)).max_redirects(0).build();
        Self { agent: config.into(), address: address.trim_end_matches('/').to_owned(), token }
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> Result<Vec<u8>, ureq::Error> {
        let mut request =
            self.agent.post(format!("{}{path}", self.address)).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.send(body.to_string())?.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()
    }

    fn asked(&self, origin: &Origin) -> Result<Standing, String> {
        let answer = self
            .post("/admission/check", &json!({ "references": [origin.to_string()] }))
            .map_err(|error| error.to_string())?;
        let answers: Answers = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let told = answers.references.into_iter().next().ok_or("its answer is empty")?;
        let reason = told.reason;
        Ok(match told.standing.as_deref() {
            Some("approved") => Standing::Approved {
                commit: told.commit,
                digest: told.digest,
                sealed: told.sealed,
                conditions: told.conditions,
            },
            Some("pending") => Standing::Pending { reason },
            Some("denied") => Standing::Denied { reason },
            Some("recalled") => Standing::Recalled { reason },
            Some("unavailable") => Standing::Unavailable { reason },
            // What it cannot name it does not know.
            Some("unknown") | None => Standing::Unknown,
            Some(other) => return Err(format!("its answer `{other}` is not understood")),
        })
    }
}

impl Known for Remote {
    fn ask(&self, origin: &Origin) -> Standing {
        // The part of a repository is no name that it could be asked by.
        let whole = match origin {
            Origin::Hub { repo, revision, .. } => {
                Origin::Hub { repo: repo.clone(), revision: revision.clone(), part: None }
            }
            other => other.clone(),
        };
        self.asked(&whole).unwrap_or_else(|reason| Standing::Unavailable { reason })
    }
}

impl Shelf for Remote {
    fn seen(&self, sighting: &Sighting) {
        let body = json!({
            "place": sighting.place, "kind": "kubernetes", "model": sighting.model(), "commit": sighting.commit,
            "manifest": sighting.manifest, "environment": sighting.environment, "owner": sighting.owner,
            "state": "running", "details": { "object": sighting.kind },
        });
        // The object is let through all the same; the next review of it reports it again.
        if let Err(error) = self.post("/api/v1/deployments", &body) {
            eprintln!("warning: `{}` was not told of {}: {error}", self.address, sighting.place);
        }
    }
}
