//! The registry's own records as what reviews are decided by.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use alnage_admission::{Known, Origin, Standing};
use alnage_registry::{Actor, Answer, Kind, NewDeployment, Registry, Result, Stage, Version, oci};
use alnage_types::Digest;
use serde_json::{Value, json};

use super::reviewer::{Shelf, Sighting};

/// Answers are remembered for so many models.
const MAX_REMEMBERED: usize = 4096;
/// Time alone ends an approval, so nothing is remembered for longer, in seconds.
const MAX_AGE: u64 = 5;

/// A registry, and what it said since it last changed.
pub(crate) struct Records {
    registry: Registry,
    public_url: String,
    clock: fn() -> u64,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    generation: i64,
    since: u64,
    standings: HashMap<Origin, Standing>,
}

impl Records {
    pub(crate) fn of(registry: Registry, public_url: &str, clock: fn() -> u64) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        Self { registry, public_url, clock, remembered: Mutex::default() }
    }

    fn asked(&self, origin: &Origin) -> Result<Standing> {
        let generation = self.registry.generation()?;
        let now = (self.clock)();
        {
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            let is_old = now.saturating_sub(remembered.since) >= MAX_AGE;
            if remembered.generation != generation || is_old || remembered.standings.len() >= MAX_REMEMBERED {
                *remembered = Remembered { generation, since: now, standings: HashMap::new() };
            }
            if let Some(standing) = remembered.standings.get(origin) {
                return Ok(standing.clone());
            }
        }
        let standing = match self.named(origin)? {
            Some((repo, revision)) => {
                let answer = self.registry.answer(Kind::Model, &repo, &revision)?;
                self.standing(answer)?
            }
            None => Standing::Unknown,
        };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        // What changed since it was asked for is not remembered as new.
        if remembered.generation == generation {
            remembered.standings.insert(origin.clone(), standing.clone());
        }
        Ok(standing)
    }

    /// The repository and revision that an origin means here.
    fn named(&self, origin: &Origin) -> Result<Option<(String, String)>> {
        let database = self.registry.database();
        match origin {
            Origin::Hub { repo, revision, .. } => {
                Ok(Some((repo.clone(), revision.clone().unwrap_or_else(|| "main".to_owned()))))
            }
            Origin::Image { name, tag, digest } => {
                let Some(path) = self.own_path(name) else { return Ok(None) };
                let Some(repo) = oci::model_called(database, path)? else { return Ok(None) };
                let Some(digest) = digest else {
                    let tag = tag.as_deref().filter(|tag| *tag != "latest").unwrap_or("main");
                    return Ok(Some((repo, tag.to_owned())));
                };
                let Some(digest) = digest.strip_prefix("sha256:").and_then(|hex| hex.parse::<Digest>().ok())
                else {
                    return Ok(None);
                };
                let Some(kept) = oci::manifest(database, &repo, digest)? else { return Ok(None) };
                Ok(oci::commit_of(database, &repo, &kept)?.map(|commit| (repo, commit)))
            }
            Origin::Ollama { name, tag } => {
                let path = self.own_path(name).unwrap_or(name);
                let tag = tag.as_deref().filter(|tag| *tag != "latest").unwrap_or("main");
                Ok(oci::model_called(database, path)?.map(|repo| (repo, tag.to_owned())))
            }
            _ => Ok(None),
        }
    }

    /// The path of an artifact behind our own host.
    fn own_path<'n>(&self, name: &'n str) -> Option<&'n str> {
        let host = self.public_url.split_once("://").map_or(self.public_url.as_str(), |(_, host)| host);
        name.strip_prefix(host)?.strip_prefix('/')
    }

    fn standing(&self, answer: Answer) -> Result<Standing> {
        Ok(match answer {
            Answer::Serve(version) => self.approved(&version)?,
            Answer::Wait { .. } => Standing::Pending { reason: "it is being scanned".to_owned() },
            Answer::Ask { version, reason, .. } if version.stage == Stage::Rejected => {
                Standing::Denied { reason }
            }
            Answer::Ask { reason, approval_path, .. } => Standing::Pending {
                reason: format!("{reason}; approval is asked for at {}{approval_path}", self.public_url),
            },
            Answer::Recalled { reason, .. } => Standing::Recalled { reason },
            Answer::Unknown => Standing::Unknown,
        })
    }

    fn approved(&self, version: &Version) -> Result<Standing> {
        let mut conditions: Vec<String> = version
            .conditions
            .split("; ")
            .filter(|condition| !condition.is_empty())
            .map(str::to_owned)
            .collect();
        if version.stage == Stage::Deprecated {
            conditions.push("it is deprecated: move to a newer version".to_owned());
        }
        let scan = version.scan.map(|scan| self.registry.scan(scan)).transpose()?.flatten();
        let seals = scan.map(|scan| scan.seals);
        let seals = seals.as_ref().and_then(Value::as_array).into_iter().flatten();
        let sealed = seals.into_iter().any(|seal| seal.get("verified") == Some(&Value::Bool(true)));
        Ok(Standing::Approved {
            commit: Some(version.commit.clone()),
            digest: Some(version.manifest.clone()),
            sealed: Some(sealed),
            conditions,
        })
    }
}

impl Known for Records {
    fn ask(&self, origin: &Origin) -> Standing {
        self.asked(origin).unwrap_or_else(|error| Standing::Unavailable { reason: error.to_string() })
    }
}

impl Shelf for Records {
    fn seen(&self, sighting: &Sighting) {
        let model = sighting.model();
        let new = NewDeployment {
            place: &sighting.place,
            kind: "kubernetes",
            model: &model,
            commit: &sighting.commit,
            manifest: &sighting.manifest,
            environment: &sighting.environment,
            owner: &sighting.owner,
            state: "running",
            details: json!({ "object": sighting.kind }),
        };
        // The object is let through all the same; the next review of it reports it again.
        if let Err(error) = self.registry.report_deployment(&new, &Actor::system("admission")) {
            eprintln!("warning: {} was not written down: {error}", sighting.place);
        }
    }
}
