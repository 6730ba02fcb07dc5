//! Reads CycloneDX documents, whoever wrote them.

use std::collections::{BTreeMap, BTreeSet};

use alnage_facts::Source;
use serde_json::Value;

use super::TYPES;
use crate::{
    bom::{
        Bom, Component, Conformity, DatasetDetails, Kind, Known, Licence, Metric, ModelDetails, Relation,
        RelationKind, Text, Vulnerability,
    },
    compose::DATASET_USAGE,
    source_note,
};

/// How many components, relations and findings of a document are read.
const MAX: usize = 200_000;

/// The bill of materials in `document`.
pub(crate) fn read(document: &Value) -> Bom {
    let reader = Reader { cited: citations(document) };
    let metadata = &document["metadata"];
    let mut bom = Bom {
        serial: text(&document["serialNumber"]),
        version: document["version"].as_u64().unwrap_or(1),
        timestamp: text(&metadata["timestamp"]),
        format: "CycloneDX".into(),
        format_version: text(&document["specVersion"]),
        authors: authors(metadata),
        tools: tools(&metadata["tools"]),
        phases: list(&metadata["lifecycles"]).map(|phase| text(&phase["phase"])).collect(),
        is_signed: document["signature"].is_object(),
        ..Bom::default()
    };
    if metadata["component"].is_object() {
        bom.root = Some(reader.component(
            &metadata["component"],
            "/metadata/component",
            &mut bom.relations,
            &mut bom.components,
        ));
    }
    let mut found = Vec::new();
    for (at, component) in list(&document["components"]).enumerate().take(MAX) {
        let at = format!("/components/{at}");
        let component = reader.component(component, &at, &mut bom.relations, &mut found);
        bom.components.push(component);
    }
    bom.components.append(&mut found);
    depends(document, &mut bom);
    for composition in list(&document["compositions"]) {
        if composition["assemblies"].is_array() && bom.is_complete.is_none() {
            bom.is_complete = Some(composition["aggregate"] == "complete");
        }
    }
    bom.vulnerabilities = list(&document["vulnerabilities"]).take(MAX).map(vulnerability).collect();
    bom.conformity = conformity(document);
    bom
}

/// Which sources are given for what stands where.
fn citations(document: &Value) -> BTreeMap<String, Vec<Source>> {
    let mut cited: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for citation in list(&document["citations"]) {
        if let Some(source) = citation["note"].as_str().and_then(source_note::read) {
            for pointer in list(&citation["pointers"]) {
                cited.entry(text(pointer)).or_default().push(source.clone());
            }
        }
    }
    for annotation in list(&document["annotations"]) {
        let Some((pointer, note)) = annotation["text"].as_str().and_then(|text| text.split_once(": ")) else {
            continue;
        };
        if let Some(source) = source_note::read(note) {
            cited.entry(pointer.to_owned()).or_default().push(source);
        }
    }
    cited
}

struct Reader {
    cited: BTreeMap<String, Vec<Source>>,
}

impl Reader {
    fn known<T>(&self, value: T, pointer: &str) -> Known<T> {
        Known { value, sources: self.cited.get(pointer).cloned().unwrap_or_default() }
    }

    fn text(&self, value: &Value, pointer: &str) -> Option<Text> {
        let value = value.as_str().filter(|text| !text.trim().is_empty())?;
        Some(self.known(value.to_owned(), pointer))
    }

    /// A component; those that stand in its pedigree go to `others`, with how they relate.
    fn component(
        &self,
        value: &Value,
        at: &str,
        relations: &mut Vec<Relation>,
        others: &mut Vec<Component>,
    ) -> Component {
        let kind =
            TYPES.iter().find(|(name, _)| value["type"] == *name).map_or(Kind::Library, |(_, kind)| *kind);
        let mut id = text(&value["bom-ref"]);
        if id.is_empty() {
            id = format!("at:{at}");
        }
        for (index, ancestor) in list(&value["pedigree"]["ancestors"]).enumerate().take(256) {
            let pointer = format!("{at}/pedigree/ancestors/{index}");
            // What stands in the pedigree of an ancestor is left to its own document.
            let ancestor = self.component_alone(ancestor, &pointer);
            let to = ancestor.id.clone();
            relations.push(Relation { from: id.clone(), kind: RelationKind::DescendantOf, to });
            others.push(ancestor);
        }
        let mut component = self.component_alone(value, at);
        component.kind = kind;
        component.id = id;
        // Data sets that are described in the card itself become components.
        let parameters = &value["modelCard"]["modelParameters"];
        for (index, dataset) in list(&parameters["datasets"]).enumerate().take(4096) {
            let pointer = format!("{at}/modelCard/modelParameters/datasets/{index}");
            let to = match dataset["ref"].as_str() {
                Some(to) => to.to_owned(),
                None => {
                    let id = format!("at:{pointer}");
                    others.push(self.inline_dataset(dataset, &pointer, &id));
                    id
                }
            };
            relations.push(Relation { from: component.id.clone(), kind: RelationKind::TrainedOn, to });
        }
        component
    }

    /// A component without what its pedigree and card refer to. Parts are read without recursion.
    fn component_alone(&self, value: &Value, at: &str) -> Component {
        let mut component = self.flat(value, at);
        let mut open = vec![(&value["components"], format!("{at}/components"))];
        while let Some((parts, base)) = open.pop() {
            for (index, part) in list(parts).enumerate().take(MAX) {
                let pointer = format!("{base}/{index}");
                open.push((&part["components"], format!("{pointer}/components")));
                component.parts.push(self.flat(part, &pointer));
            }
        }
        component
    }

    fn flat(&self, value: &Value, at: &str) -> Component {
        let under = |key: &str| self.text(&value[key], &format!("{at}/{key}"));
        let party = |key: &str| self.text(&value[key]["name"], &format!("{at}/{key}/name"));
        let kind =
            TYPES.iter().find(|(name, _)| value["type"] == *name).map_or(Kind::Library, |(_, kind)| *kind);
        let mut id = text(&value["bom-ref"]);
        if id.is_empty() {
            id = format!("at:{at}");
        }
        let time =
            |key: &str| self.text(&value["releaseNotes"][key], &format!("{at}/releaseNotes/timestamp"));
        let author = || self.text(&value["authors"][0]["name"], &format!("{at}/authors/0/name"));
        Component {
            id,
            kind,
            name: under("name").unwrap_or_default(),
            group: value["group"].as_str().filter(|group| !group.is_empty()).map(str::to_owned),
            version: under("version"),
            description: under("description"),
            purl: under("purl"),
            hashes: list(&value["hashes"])
                .enumerate()
                .map(|(index, hash)| {
                    let pair = (text(&hash["alg"]), text(&hash["content"]));
                    self.known(pair, &format!("{at}/hashes/{index}"))
                })
                .collect(),
            licences: list(&value["licenses"])
                .enumerate()
                .map(|(index, choice)| self.known(licence(choice), &format!("{at}/licenses/{index}")))
                .filter(|licence| !licence.value.name.is_empty())
                .collect(),
            supplier: party("supplier").or_else(|| under("publisher")).or_else(author),
            manufacturer: party("manufacturer"),
            released: time("timestamp").or_else(|| time("description")),
            links: list(&value["externalReferences"])
                .enumerate()
                .map(|(index, link)| {
                    let pair = (text(&link["type"]), text(&link["url"]));
                    self.known(pair, &format!("{at}/externalReferences/{index}"))
                })
                .collect(),
            properties: self.properties(&value["properties"], &format!("{at}/properties")),
            model: (kind == Kind::Model || value["modelCard"].is_object())
                .then(|| Box::new(self.details(&value["modelCard"], &format!("{at}/modelCard")))),
            dataset: (kind == Kind::Dataset)
                .then(|| Box::new(self.dataset(&value["data"][0], &format!("{at}/data/0")))),
            parts: Vec::new(),
        }
    }

    fn properties(&self, value: &Value, at: &str) -> Vec<(String, Text)> {
        list(value)
            .enumerate()
            .map(|(index, property)| {
                (text(&property["name"]), self.known(text(&property["value"]), &format!("{at}/{index}")))
            })
            .collect()
    }

    fn list(&self, value: &Value, key: Option<&str>, at: &str) -> Vec<Text> {
        list(value)
            .enumerate()
            .filter_map(|(index, entry)| {
                let entry = key.map_or(entry, |key| &entry[key]);
                self.text(entry, &format!("{at}/{index}"))
            })
            .collect()
    }

    fn details(&self, card: &Value, at: &str) -> ModelDetails {
        let parameters = &card["modelParameters"];
        let base = format!("{at}/modelParameters");
        let under = |key: &str| self.text(&parameters[key], &format!("{base}/{key}"));
        let considerations = &card["considerations"];
        let considered =
            |key: &str, inner| self.list(&considerations[key], inner, &format!("{at}/considerations/{key}"));
        let mut ethics = considered("ethicalConsiderations", Some("name"));
        ethics.extend(considered("fairnessAssessments", Some("harms")));
        let measured = &card["quantitativeAnalysis"]["performanceMetrics"];
        let mut named = self.properties(&card["properties"], &format!("{at}/properties"));
        let mut take = |name: &str| {
            let at = named.iter().position(|(key, _)| key == name)?;
            Some(named.remove(at).1)
        };
        let (training, emissions) = (take("alnage:model:training"), take("alnage:model:co2:tCO2eq"));
        ModelDetails {
            task: under("task"),
            family: under("architectureFamily"),
            architecture: under("modelArchitecture"),
            approach: self.text(&parameters["approach"]["type"], &format!("{base}/approach")),
            inputs: self.list(&parameters["inputs"], Some("format"), &format!("{base}/inputs")),
            outputs: self.list(&parameters["outputs"], Some("format"), &format!("{base}/outputs")),
            metrics: list(measured)
                .enumerate()
                .map(|(index, metric)| {
                    let pointer = format!("{at}/quantitativeAnalysis/performanceMetrics/{index}");
                    let slice = metric["slice"].as_str().map(str::to_owned);
                    let value = Metric { name: text(&metric["type"]), value: text(&metric["value"]), slice };
                    self.known(value, &pointer)
                })
                .collect(),
            uses: considered("useCases", None),
            users: considered("users", None),
            limitations: considered("technicalLimitations", None),
            ethics,
            training,
            emissions,
            parameters: named,
        }
    }

    fn dataset(&self, data: &Value, at: &str) -> DatasetDetails {
        let base = format!("{at}/contents");
        let mut properties = self.properties(&data["contents"]["properties"], &format!("{base}/properties"));
        let mut take = |name: &str| {
            let at = properties.iter().position(|(key, _)| key == name)?;
            Some(properties.remove(at).1)
        };
        DatasetDetails {
            url: self.text(&data["contents"]["url"], &format!("{base}/url")),
            content: take("alnage:dataset:content"),
            size: take("alnage:dataset:size"),
            bias: take("alnage:dataset:bias"),
            collection: take("alnage:dataset:collection"),
            sensitivity: self.list(&data["sensitiveData"], None, &format!("{at}/sensitiveData")),
        }
    }

    fn inline_dataset(&self, data: &Value, at: &str, id: &str) -> Component {
        Component {
            id: id.to_owned(),
            kind: Kind::Dataset,
            name: self.text(&data["name"], &format!("{at}/name")).unwrap_or_default(),
            description: self.text(&data["description"], &format!("{at}/description")),
            supplier: self
                .text(&data["governance"]["owners"][0]["organization"]["name"], &format!("{at}/governance")),
            dataset: Some(Box::new(self.dataset(data, at))),
            ..Component::default()
        }
    }
}

fn depends(document: &Value, bom: &mut Bom) {
    let datasets: BTreeMap<String, bool> = bom
        .datasets()
        .map(|dataset| {
            let tested = dataset.properties(DATASET_USAGE).any(|usage| usage.value == "evaluation");
            (dataset.id.clone(), tested)
        })
        .collect();
    let known: BTreeSet<(String, String)> =
        bom.relations.iter().map(|relation| (relation.from.clone(), relation.to.clone())).collect();
    for dependency in list(&document["dependencies"]).take(MAX) {
        let from = text(&dependency["ref"]);
        for to in list(&dependency["dependsOn"]).map(text).take(MAX) {
            let kind = match datasets.get(&to) {
                Some(_) if known.contains(&(from.clone(), to.clone())) => continue,
                Some(true) => RelationKind::TestedOn,
                _ => RelationKind::DependsOn,
            };
            bom.relations.push(Relation { from: from.clone(), kind, to });
        }
    }
}

fn licence(choice: &Value) -> Licence {
    let licence = &choice["license"];
    let url = licence["url"].as_str().map(str::to_owned);
    for (value, is_spdx) in [(&choice["expression"], true), (&licence["id"], true), (&licence["name"], false)]
    {
        if let Some(name) = value.as_str() {
            return Licence { name: name.to_owned(), is_spdx, url };
        }
    }
    Licence::default()
}

fn authors(metadata: &Value) -> Vec<String> {
    let mut authors: Vec<String> = list(&metadata["authors"]).map(|author| text(&author["name"])).collect();
    authors.extend(metadata["manufacturer"]["name"].as_str().map(str::to_owned));
    authors.retain(|author| !author.trim().is_empty());
    authors
}

/// Tools stand in a list of their own, or as components and services.
fn tools(tools: &Value) -> Vec<(String, String)> {
    let all = list(tools).chain(list(&tools["components"])).chain(list(&tools["services"]));
    all.map(|tool| (text(&tool["name"]), text(&tool["version"]))).collect()
}

fn vulnerability(value: &Value) -> Vulnerability {
    let optional = |value: &Value| value.as_str().map(str::to_owned);
    Vulnerability {
        id: text(&value["id"]),
        source: text(&value["source"]["name"]),
        severity: text(&value["ratings"][0]["severity"]),
        cwes: list(&value["cwes"]).filter_map(|cwe| u32::try_from(cwe.as_u64()?).ok()).collect(),
        description: text(&value["description"]),
        recommendation: text(&value["recommendation"]),
        affects: list(&value["affects"]).map(|affected| text(&affected["ref"])).collect(),
        state: text(&value["analysis"]["state"]),
        justification: optional(&value["analysis"]["justification"]),
        detail: optional(&value["analysis"]["detail"]),
    }
}

fn conformity(document: &Value) -> Vec<Conformity> {
    let mut conformity = Vec::new();
    let standards = || list(&document["definitions"]["standards"]);
    for attestation in list(&document["declarations"]["attestations"]) {
        for entry in list(&attestation["map"]) {
            let found = standards().find_map(|standard| {
                let id = &entry["requirement"];
                let requirement = list(&standard["requirements"]).find(|other| other["bom-ref"] == *id)?;
                Some((standard, requirement))
            });
            let Some((standard, requirement)) = found else { continue };
            let score = entry["conformance"]["score"].as_f64().unwrap_or(0.0).clamp(0.0, 1.0);
            conformity.push(Conformity {
                standard: text(&standard["name"]),
                standard_version: text(&standard["version"]),
                requirement: text(&requirement["identifier"]),
                title: text(&requirement["title"]),
                score: (score * 100.0).round() as u8,
                rationale: text(&entry["conformance"]["rationale"]),
            });
        }
    }
    conformity
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
