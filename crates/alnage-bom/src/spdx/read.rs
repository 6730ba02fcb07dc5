//! Reads SPDX 3 documents, whoever wrote them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ALGORITHMS, LINKS, PHASES, left, sources};
use crate::{
    bom::{
        Bom, Component, Conformity, DatasetDetails, Kind, Known, Licence, Metric, ModelDetails, Relation,
        RelationKind, Text, Vulnerability,
    },
    source_note,
};

/// The bill of materials in `document`.
pub(crate) fn read(document: &Value) -> Bom {
    let reader = Reader::new(document);
    reader.bom()
}

struct Reader<'a> {
    elements: Vec<&'a Value>,
    by_id: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Value) -> Self {
        let elements: Vec<&Value> = list(&document["@graph"]).collect();
        let named = elements.iter().filter_map(|element| Some((element["spdxId"].as_str()?, *element)));
        Self { by_id: named.collect(), elements }
    }

    fn of<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'a Value> + 'b {
        self.elements.iter().copied().filter(move |element| element["type"] == kind)
    }

    fn name(&self, id: &Value) -> String {
        id.as_str()
            .and_then(|id| self.by_id.get(id))
            .map(|element| text(&element["name"]))
            .unwrap_or_default()
    }

    /// Ids are shown without the name space of the document.
    fn id(&self, id: &Value) -> String {
        let id = text(id);
        id.rsplit_once('#').map_or(id.clone(), |(_, local)| unescaped(local))
    }

    fn bom(&self) -> Bom {
        let creation = self.of("CreationInfo").next().unwrap_or(&Value::Null);
        let document = self.of("SpdxDocument").next().unwrap_or(&Value::Null);
        let sbom = self.of("software_Sbom").next().unwrap_or(&Value::Null);
        let serial = text(&document["spdxId"]);
        let is_person = |id: &&Value| {
            let agent = id.as_str().and_then(|id| self.by_id.get(id));
            agent.is_some_and(|agent| agent["type"] != "SoftwareAgent")
        };
        let tool = |id: &Value| {
            let name = self.name(id);
            match name.rsplit_once(' ') {
                Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                    (name.to_owned(), version.to_owned())
                }
                _ => (name, String::new()),
            }
        };
        let mut bom = Bom {
            serial: serial.rsplit_once('#').map_or(serial.clone(), |(base, _)| base.to_owned()),
            version: 1,
            timestamp: text(&creation["created"]),
            format: "SPDX".into(),
            format_version: text(&creation["specVersion"]),
            authors: list(&creation["createdBy"]).filter(is_person).map(|id| self.name(id)).collect(),
            tools: list(&creation["createdUsing"]).map(tool).collect(),
            phases: list(&sbom["software_sbomType"])
                .map(text)
                .map(|kind| left(PHASES, &kind).map_or(kind.clone(), str::to_owned))
                .collect(),
            ..Bom::default()
        };
        let root =
            list(&sbom["rootElement"]).chain(list(&document["rootElement"])).map(|id| self.id(id)).next();
        let mut parts: BTreeMap<String, String> = BTreeMap::new();
        for relationship in self.of("Relationship").chain(self.of("LifecycleScopedRelationship")) {
            self.relationship(relationship, &mut bom, &mut parts);
        }
        let mut components: Vec<Component> =
            self.elements.iter().filter_map(|element| self.component(element)).collect();
        self.licences(&mut components);
        self.annotations(&mut components);
        // What a component contains becomes its part.
        let mut files: BTreeMap<String, Vec<Component>> = BTreeMap::new();
        for component in components {
            match parts.get(&component.id) {
                Some(of) if component.kind == Kind::File => {
                    files.entry(of.clone()).or_default().push(component)
                }
                _ if Some(&component.id) == root.as_ref() && component.id != "model" => {
                    bom.root = Some(component);
                }
                _ => bom.components.push(component),
            }
        }
        for component in bom.root.iter_mut().chain(&mut bom.components) {
            component.parts = files.remove(&component.id).unwrap_or_default();
        }
        bom.components.extend(files.into_values().flatten());
        bom.vulnerabilities = self.vulnerabilities();
        bom.conformity = properties(document).iter().filter_map(conformity).collect();
        bom
    }

    fn relationship(&self, value: &Value, bom: &mut Bom, parts: &mut BTreeMap<String, String>) {
        let kind = match value["relationshipType"].as_str() {
            Some("dependsOn") => RelationKind::DependsOn,
            Some("trainedOn") => RelationKind::TrainedOn,
            Some("testedOn") => RelationKind::TestedOn,
            Some("descendantOf") => RelationKind::DescendantOf,
            Some("contains") => {
                for to in list(&value["to"]) {
                    parts.insert(self.id(to), self.id(&value["from"]));
                }
                if let Some(completeness) = value["completeness"].as_str() {
                    bom.is_complete = Some(completeness == "complete");
                }
                return;
            }
            _ => return,
        };
        for to in list(&value["to"]) {
            bom.relations.push(Relation { from: self.id(&value["from"]), kind, to: self.id(to) });
        }
    }

    fn component(&self, value: &Value) -> Option<Component> {
        let kind = match (value["type"].as_str()?, value["software_primaryPurpose"].as_str()) {
            ("ai_AIPackage", _) => Kind::Model,
            ("dataset_DatasetPackage", _) => Kind::Dataset,
            ("software_File", _) => Kind::File,
            ("software_Package", Some("framework")) => Kind::Framework,
            ("software_Package", Some("application")) => Kind::Application,
            ("software_Package", _) => Kind::Library,
            _ => return None,
        };
        let mut properties = properties(value);
        let mut take = |name: &str| {
            let mut taken = Vec::new();
            properties.retain(|(key, value)| {
                let matches = key == name;
                if matches {
                    taken.push(value.clone());
                }
                !matches
            });
            taken
        };
        let agent = |value: &Value| some(self.name(value));
        let supplier = agent(&value["suppliedBy"]).or_else(|| agent(&value["originatedBy"][0]));
        let released = optional(&value["releaseTime"]).or_else(|| take("alnage:released").pop());
        let group = take("alnage:group").pop().map(|text| text.value);
        let model = (kind == Kind::Model).then(|| {
            Box::new(ModelDetails {
                inputs: take("alnage:model:input"),
                outputs: take("alnage:model:output"),
                users: take("alnage:model:user"),
                ethics: take("alnage:model:ethics"),
                emissions: take("alnage:model:co2:tCO2eq").pop(),
                approach: take("alnage:model:approach").pop(),
                ..details(value)
            })
        });
        let dataset = (kind == Kind::Dataset).then(|| {
            let content = value["dataset_datasetType"][0]
                .as_str()
                .filter(|kind| !matches!(*kind, "noAssertion" | "other"));
            let content =
                content.map(|kind| Known::bare(if kind == "structured" { "table" } else { kind }.to_owned()));
            let size = value["dataset_datasetSize"].as_u64().map(|size| Known::bare(size.to_string()));
            Box::new(DatasetDetails {
                url: optional(&value["software_downloadLocation"]),
                content: take("alnage:dataset:content").pop().or(content),
                size: size.or_else(|| take("alnage:dataset:size").pop()),
                sensitivity: take("alnage:dataset:sensitivity"),
                bias: optional(&value["dataset_knownBias"][0]),
                collection: optional(&value["dataset_dataCollectionProcess"]),
            })
        });
        let mut links: Vec<Known<(String, String)>> = Vec::new();
        // The address that follows from the package URL is no link of its own.
        let purl = text(&value["software_packageUrl"]);
        let implied = purl
            .strip_prefix("pkg:huggingface/")
            .map(|name| format!("https://huggingface.co/{}", name.split('@').next().unwrap_or(name)));
        let given = optional(&value["software_downloadLocation"]).filter(|_| kind == Kind::Model);
        if let Some(url) =
            given.filter(|url| Some(&url.value) != implied.as_ref() || value["verifiedUsing"].is_array())
        {
            links.push(Known::bare(("distribution".into(), url.value)));
        }
        for reference in list(&value["externalRef"]) {
            let kind = text(&reference["externalRefType"]);
            let kind = reference["comment"].as_str().or(left(LINKS, &kind)).unwrap_or("other").to_owned();
            links.push(Known::bare((kind, text(&reference["locator"][0]))));
        }
        let hash = |hash: &Value| {
            let algorithm = text(&hash["algorithm"]);
            let ours = left(ALGORITHMS, &algorithm).map_or(algorithm.clone(), str::to_owned);
            Known::bare((ours, text(&hash["hashValue"])))
        };
        let version =
            optional(&value["software_packageVersion"]).filter(|version| version.value != "NOASSERTION");
        Some(Component {
            id: self.id(&value["spdxId"]),
            kind,
            name: Known::bare(text(&value["name"])),
            group,
            version,
            description: optional(&value["description"]),
            purl: optional(&value["software_packageUrl"]),
            hashes: list(&value["verifiedUsing"])
                .filter(|hash| hash["hashValue"].is_string())
                .map(hash)
                .collect(),
            supplier,
            released,
            links,
            properties,
            model,
            dataset,
            ..Component::default()
        })
    }

    fn licences(&self, components: &mut [Component]) {
        for relationship in self.of("Relationship") {
            if !matches!(
                relationship["relationshipType"].as_str(),
                Some("hasDeclaredLicense" | "hasConcludedLicense")
            ) {
                continue;
            }
            let from = self.id(&relationship["from"]);
            let Some(component) = components.iter_mut().find(|component| component.id == from) else {
                continue;
            };
            for to in list(&relationship["to"]) {
                let Some(licence) = to.as_str().and_then(|id| self.by_id.get(id)) else { continue };
                let expression = text(&licence["simplelicensing_licenseExpression"]);
                let is_spdx = !expression.starts_with("LicenseRef-") && !expression.is_empty();
                let name = if is_spdx { expression } else { text(&licence["name"]) };
                let url = licence["comment"].as_str().filter(|text| text.contains("://")).map(str::to_owned);
                if !name.is_empty() {
                    component.licences.push(Known::bare(Licence { name, is_spdx, url }));
                }
            }
        }
    }

    /// Puts the sources of our own annotations back where they belong.
    fn annotations(&self, components: &mut [Component]) {
        for annotation in self.of("Annotation") {
            let id = self.id(&annotation["subject"]);
            let Some(component) = components.iter_mut().find(|component| component.id == id) else {
                continue;
            };
            let statement = annotation["statement"].as_str().unwrap_or_default();
            let Ok(statement) = serde_json::from_str::<Value>(statement) else { continue };
            let fields = &statement["sources"];
            sources::each(component, &mut |name, sources| {
                sources.extend(list(&fields[&name]).filter_map(|note| source_note::read(note.as_str()?)));
            });
        }
    }

    fn vulnerabilities(&self) -> Vec<Vulnerability> {
        let mut found = Vec::new();
        for (kind, state) in [
            ("security_VexAffectedVulnAssessmentRelationship", "exploitable"),
            ("security_VexNotAffectedVulnAssessmentRelationship", "not_affected"),
            ("security_VexFixedVulnAssessmentRelationship", "resolved"),
            ("security_VexUnderInvestigationVulnAssessmentRelationship", "in_triage"),
        ] {
            for assessment in self.of(kind) {
                let Some(id) = assessment["from"].as_str() else { continue };
                let element = self.by_id.get(id).copied().unwrap_or(&Value::Null);
                let severity = text(&element["comment"]);
                let justified = assessment["security_justificationType"] == "vulnerableCodeNotPresent";
                found.push(Vulnerability {
                    id: text(&element["name"]),
                    description: text(&element["description"]),
                    severity: severity.strip_prefix("severity=").unwrap_or_default().to_owned(),
                    recommendation: text(&assessment["security_actionStatement"]),
                    affects: list(&assessment["to"]).map(|to| self.id(to)).collect(),
                    state: state.into(),
                    justification: justified.then(|| "code_not_present".to_owned()),
                    detail: assessment["security_impactStatement"].as_str().map(str::to_owned),
                    ..Vulnerability::default()
                });
            }
        }
        found
    }
}

fn details(value: &Value) -> ModelDetails {
    let entries = |key: &str| -> Vec<(String, String)> {
        list(&value[key]).map(|entry| (text(&entry["key"]), text(&entry["value"]))).collect()
    };
    // The family is written small, the class in capitals.
    let types: Vec<String> = list(&value["ai_typeOfModel"]).map(text).collect();
    let is_class = |name: &&String| name.starts_with(|c: char| c.is_ascii_uppercase());
    let one = |key: &str| optional(&value[key]);
    ModelDetails {
        task: optional(&value["ai_domain"][0]),
        family: types.iter().find(|name| !is_class(name)).cloned().map(Known::bare),
        architecture: types.iter().find(is_class).cloned().map(Known::bare),
        metrics: entries("ai_metric")
            .into_iter()
            .map(|(key, value)| {
                let (name, slice) = match key.split_once('@') {
                    Some((name, slice)) => (name.to_owned(), Some(slice.to_owned())),
                    None => (key, None),
                };
                Known::bare(Metric { name, value, slice })
            })
            .collect(),
        uses: one("ai_informationAboutApplication").into_iter().collect(),
        limitations: one("ai_limitation").into_iter().collect(),
        training: one("ai_informationAboutTraining"),
        parameters: entries("ai_hyperparameter")
            .into_iter()
            .map(|(key, value)| (key, Known::bare(value)))
            .collect(),
        ..ModelDetails::default()
    }
}

/// `alnage:conformity:EU AI Act Annex XI:1`, with `85 of 100: why`.
fn conformity((name, value): &(String, Text)) -> Option<Conformity> {
    let (standard, requirement) = name.strip_prefix("alnage:conformity:")?.rsplit_once(':')?;
    let (score, rationale) = value.value.split_once(" of 100: ")?;
    Some(Conformity {
        standard: standard.to_owned(),
        requirement: requirement.to_owned(),
        title: format!("{standard}, {requirement}"),
        score: score.parse().ok()?,
        rationale: rationale.to_owned(),
        ..Conformity::default()
    })
}

fn properties(value: &Value) -> Vec<(String, Text)> {
    let entries = list(&value["extension"]).flat_map(|extension| list(&extension["extension_cdxProperty"]));
    entries
        .map(|entry| {
            (text(&entry["extension_cdxPropName"]), Known::bare(text(&entry["extension_cdxPropValue"])))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn some(name: String) -> Option<Text> {
    (!name.is_empty()).then(|| Known::bare(name))
}

fn optional(value: &Value) -> Option<Text> {
    some(text(value))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
