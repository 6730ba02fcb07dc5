//! What is known against packages: OSV records, and a few incidents that no feed has.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use alnage_facts::python_name;
use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;

use crate::{Dependency, Source};

/// One advisory about one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// `MAL-2026-2144`, `PYSEC-…`, `GHSA-…`.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// One line.
    pub summary: String,
    /// Whether the package itself is the attack.
    pub is_malicious: bool,
    versions: HashSet<String>,
    ranges: Vec<Vec<Event>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

/// The advisories about the packages at hand.
#[derive(Debug, Default)]
pub struct Advisories {
    by_name: HashMap<String, Vec<Advisory>>,
}

/// Incidents that the feeds lack or name otherwise: package, versions (none: all on the public index), id, what.
const INCIDENTS: &[(&str, &[&str], &str, &str)] = &[
    (
        "torchtriton",
        &["3.0.0"],
        "pytorch.org/blog/compromised-nightly-dependency",
        "in December 2022 this name on PyPI stood in for PyTorch's own nightly package and sent away keys and files",
    ),
    (
        "ultralytics",
        &["8.3.41", "8.3.42", "8.3.45", "8.3.46"],
        "github.com/ultralytics/ultralytics/issues/18027",
        "in December 2024 releases of it mined cryptocurrency",
    ),
    ("litellm", &["1.82.7", "1.82.8"], "MAL-2026-2144", "in March 2026 releases of it stole credentials"),
    ("aliyun-ai-labs-snippets-sdk", &[], "MAL-2025-5096", "its payload was a pickled model"),
];

impl Advisories {
    /// None but the incidents that are known here.
    pub fn built_in() -> Self {
        let mut advisories = Self::default();
        for (name, versions, id, summary) in INCIDENTS {
            let all = Event { introduced: Some("0".into()), fixed: None, last_affected: None };
            let advisory = Advisory {
                id: (*id).to_owned(),
                aliases: Vec::new(),
                summary: (*summary).to_owned(),
                is_malicious: true,
                versions: versions.iter().map(|version| (*version).to_owned()).collect(),
                ranges: if versions.is_empty() { vec![vec![all]] } else { Vec::new() },
            };
            advisories.by_name.entry((*name).to_owned()).or_default().push(advisory);
        }
        advisories
    }

    /// Takes what the OSV record `bytes` says about PyPI packages that `wanted` names. The error says why it is no
    /// record.
    pub fn add(&mut self, bytes: &[u8], wanted: &HashSet<String>) -> Result<(), String> {
        // Most records are of other packages: what does not even hold the word needs no parsing.
        if !bytes.windows(4).any(|window| window == b"PyPI") {
            return Ok(());
        }
        let record: Record = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if record.withdrawn.is_some() {
            return Ok(());
        }
        for affected in record.affected {
            let name = affected.package.as_ref().filter(|package| package.ecosystem.starts_with("PyPI"));
            let Some(name) = name.map(|package| python_name(&package.name)) else { continue };
            if !wanted.contains(&name) {
                continue;
            }
            let ranges =
                affected.ranges.into_iter().filter(|range| range.kind != "GIT").map(|range| range.events);
            let known = self.by_name.entry(name).or_default();
            // One that is built in says the same in fewer words.
            known.retain(|advisory| advisory.id != record.id);
            known.push(Advisory {
                id: record.id.clone(),
                aliases: record.aliases.clone(),
                summary: record.summary.clone().or_else(|| record.details.clone()).unwrap_or_default(),
                is_malicious: record.id.starts_with("MAL-"),
                versions: affected.versions.into_iter().collect(),
                ranges: ranges.collect(),
            });
        }
        Ok(())
    }

    /// What is known against `dependency`. Without a version it is only what the public index may give for it, when
    /// that `is_public`. Each advisory stands once, under the first of its names.
    pub(crate) fn against(&self, dependency: &Dependency, is_public: bool) -> Vec<&Advisory> {
        if !matches!(dependency.source, Source::Unstated | Source::Index(_)) {
            return Vec::new();
        }
        let known = self.by_name.get(&dependency.name).map(Vec::as_slice).unwrap_or_default();
        let affects = |advisory: &&Advisory| match &dependency.version {
            Some(version) => advisory.affects_version(version),
            // Any version that its specifier lets in; only attacks are worth saying so.
            None => is_public && advisory.is_malicious && advisory.may_affect(&dependency.specifier),
        };
        let mut found: Vec<&Advisory> = known.iter().filter(affects).collect();
        let all = found.clone();
        found.retain(|advisory| {
            !all.iter().any(|other| advisory.aliases.contains(&other.id) && other.id < advisory.id)
        });
        found
    }
}

impl Advisory {
    fn affects_version(&self, version: &str) -> bool {
        let Ok(parsed) = Version::from_str(version) else { return self.versions.contains(version) };
        self.versions.contains(version)
            || self
                .versions
                .iter()
                .any(|listed| Version::from_str(listed).is_ok_and(|listed| listed == parsed))
            || self.ranges.iter().any(|events| in_range(&parsed, events))
    }

    fn may_affect(&self, specifier: &str) -> bool {
        let Ok(allowed) = VersionSpecifiers::from_str(specifier) else { return true };
        let admits =
            |version: &String| Version::from_str(version).is_ok_and(|version| allowed.contains(&version));
        let open = |events: &Vec<Event>| {
            events.iter().any(|event| event.introduced.is_some())
                && !events.iter().any(|event| event.fixed.is_some() || event.last_affected.is_some())
        };
        self.versions.iter().any(admits) || self.ranges.iter().any(open)
    }
}

/// OSV's algorithm: events in order of their versions switch the danger on and off.
fn in_range(version: &Version, events: &[Event]) -> bool {
    let at = |text: &Option<String>| {
        let text = text.as_deref()?;
        if text == "0" { Version::from_str("0.dev0").ok() } else { Version::from_str(text).ok() }
    };
    let mut switches: Vec<(Version, bool)> = Vec::new();
    let mut last = Vec::new();
    for event in events {
        switches.extend(at(&event.introduced).map(|version| (version, true)));
        switches.extend(at(&event.fixed).map(|version| (version, false)));
        last.extend(at(&event.last_affected));
    }
    switches.sort_by(|a, b| a.0.cmp(&b.0));
    let on = switches.iter().rfind(|(at, _)| at <= version).is_some_and(|(_, on)| *on);
    on && last.iter().all(|last| version <= last)
}

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    summary: Option<String>,
    details: Option<String>,
    withdrawn: Option<String>,
    #[serde(default)]
    affected: Vec<Affected>,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}
