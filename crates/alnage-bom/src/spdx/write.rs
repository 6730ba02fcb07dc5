//! Writes a bill of materials as SPDX.

use std::collections::{BTreeMap, BTreeSet};

use alnage_facts::{Origin, Place};
use serde_json::{Map, Value, json};

use super::{ALGORITHMS, CONTEXT, LINKS, PHASES, right, sources};
use crate::{
    bom::{Bom, Component, DatasetDetails, Kind, ModelDetails, RelationKind, Text, Vulnerability},
    link, source_note,
};

/// The document.
pub(crate) fn write(bom: &Bom) -> Value {
    let mut writer = Writer { base: format!("{}#", bom.serial), graph: Vec::new(), agents: BTreeMap::new() };
    writer.creation(bom);
    let all: Vec<&Component> = bom.root.iter().chain(&bom.components).collect();
    for component in &all {
        writer.component(component, bom.is_complete);
    }
    writer.relations(bom);
    for (at, found) in bom.vulnerabilities.iter().enumerate() {
        writer.vulnerability(at, found);
    }
    writer.evidence(bom);
    writer.document(bom, &all);
    json!({"@context": CONTEXT, "@graph": writer.graph})
}

struct Writer {
    base: String,
    graph: Vec<Value>,
    /// Organisations by name.
    agents: BTreeMap<String, String>,
}

type Element = Map<String, Value>;

impl Writer {
    /// An element's IRI.
    fn iri(&self, id: &str) -> String {
        let mut iri = self.base.clone();
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/') {
                iri.push(byte.into());
            } else {
                iri.push_str(&format!("%{byte:02X}"));
            }
        }
        iri
    }

    fn element(&self, kind: &str, id: &str) -> Element {
        let mut element = Map::new();
        element.insert("type".into(), json!(kind));
        element.insert("spdxId".into(), json!(self.iri(id)));
        element.insert("creationInfo".into(), json!("_:creation"));
        element
    }

    fn add(&mut self, element: Element) {
        self.graph.push(Value::Object(element));
    }

    /// Who made the document with what.
    fn creation(&mut self, bom: &Bom) {
        let mut creation = Map::new();
        let tools: Vec<String> = (0..bom.tools.len()).map(|at| self.iri(&format!("tool:{at}"))).collect();
        let authors: Vec<String> = if bom.authors.is_empty() {
            vec![self.iri("agent:software")]
        } else {
            bom.authors.iter().map(|author| self.iri(&format!("author:{author}"))).collect()
        };
        creation.insert("type".into(), json!("CreationInfo"));
        creation.insert("@id".into(), json!("_:creation"));
        creation.insert("specVersion".into(), json!("3.0.1"));
        creation.insert("created".into(), json!(bom.timestamp));
        creation.insert("createdBy".into(), json!(authors));
        if !tools.is_empty() {
            creation.insert("createdUsing".into(), json!(tools));
        }
        self.add(creation);
        for author in &bom.authors {
            let mut agent = self.element("Agent", &format!("author:{author}"));
            agent.insert("name".into(), json!(author));
            self.add(agent);
        }
        if bom.authors.is_empty() {
            let mut agent = self.element("SoftwareAgent", "agent:software");
            let name = bom.tools.first().map_or("unknown", |(name, _)| name.as_str());
            agent.insert("name".into(), json!(name));
            self.add(agent);
        }
        for (at, (name, version)) in bom.tools.iter().enumerate() {
            let mut tool = self.element("Tool", &format!("tool:{at}"));
            // A tool has no field for its version.
            tool.insert("name".into(), json!(format!("{name} {version}").trim()));
            self.add(tool);
        }
    }

    /// The IRI of the organisation of this name.
    fn agent(&mut self, name: &str) -> String {
        if let Some(iri) = self.agents.get(name) {
            return iri.clone();
        }
        let id = format!("agent:{name}");
        let mut agent = self.element("Organization", &id);
        agent.insert("name".into(), json!(name));
        self.add(agent);
        let iri = self.iri(&id);
        self.agents.insert(name.to_owned(), iri.clone());
        iri
    }

    fn component(&mut self, component: &Component, is_complete: Option<bool>) {
        let (kind, purpose) = match component.kind {
            Kind::Model => ("ai_AIPackage", "model"),
            Kind::Dataset => ("dataset_DatasetPackage", "data"),
            Kind::File => ("software_File", "file"),
            Kind::Framework => ("software_Package", "framework"),
            Kind::Library => ("software_Package", "library"),
            Kind::Application => ("software_Package", "application"),
        };
        let mut element = self.element(kind, &component.id);
        let mut put = |key: &str, text: Option<&Text>| {
            if let Some(text) = text {
                element.insert(key.to_owned(), json!(text.value));
            }
        };
        put("name", Some(&component.name));
        put("description", component.description.as_ref());
        let is_file = component.kind == Kind::File;
        if !is_file {
            let version = component.version.as_ref().map_or("NOASSERTION", |version| version.value.as_str());
            element.insert("software_packageVersion".into(), json!(version));
            if let Some(purl) = &component.purl {
                element.insert("software_packageUrl".into(), json!(purl.value));
                let identifier = json!({
                    "type": "ExternalIdentifier",
                    "externalIdentifierType": "packageUrl",
                    "identifier": purl.value,
                });
                element.insert("externalIdentifier".into(), json!([identifier]));
            }
        }
        element.insert("software_primaryPurpose".into(), json!(purpose));
        if let Some(supplier) = &component.supplier {
            let agent = self.agent(&supplier.value);
            // A data set has originators.
            if component.kind == Kind::Dataset {
                element.insert("originatedBy".into(), json!([agent]));
            }
            element.insert("suppliedBy".into(), json!(agent));
        }
        if let Some(manufacturer) = &component.manufacturer {
            let agent = self.agent(&manufacturer.value);
            element.insert("originatedBy".into(), json!([agent]));
        }
        if let Some(time) = component.released.as_ref().and_then(|released| utc(&released.value)) {
            element.insert("releaseTime".into(), json!(time));
        }
        let hashes: Vec<Value> = (component.hashes.iter())
            .map(|hash| {
                let algorithm = right(ALGORITHMS, &hash.value.0).unwrap_or("other");
                json!({"type": "Hash", "algorithm": algorithm, "hashValue": hash.value.1})
            })
            .collect();
        put_list(&mut element, "verifiedUsing", hashes);
        links(component, is_file, &mut element);
        let mut extra: Vec<(String, String)> =
            component.properties.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect();
        if let Some(released) = component.released.as_ref().filter(|released| utc(&released.value).is_none())
        {
            extra.push(("alnage:released".into(), released.value.clone()));
        }
        if let Some(group) = &component.group {
            extra.push(("alnage:group".into(), group.clone()));
        }
        if component.kind == Kind::Model {
            match component.model.as_deref() {
                Some(details) => model(details, component, &mut element, &mut extra),
                None => model(&ModelDetails::default(), component, &mut element, &mut extra),
            }
        }
        if component.kind == Kind::Dataset {
            dataset(component.dataset.as_deref(), &mut element, &mut extra);
        }
        properties(&mut element, &extra);
        self.add(element);
        self.licences(component);
        self.parts(component, is_complete);
        self.annotate(component);
    }

    fn licences(&mut self, component: &Component) {
        for (at, known) in component.licences.iter().enumerate() {
            let id = format!("{}:licence:{at}", component.id);
            let mut licence = self.element("simplelicensing_LicenseExpression", &id);
            let name = &known.value.name;
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
            let expression = if known.value.is_spdx {
                name.clone()
            } else {
                format!("LicenseRef-{}", name.replace(|c| !fits(c), "-"))
            };
            licence.insert("name".into(), json!(name));
            licence.insert("simplelicensing_licenseExpression".into(), json!(expression));
            if let Some(url) = &known.value.url {
                licence.insert("comment".into(), json!(url));
            }
            self.add(licence);
            let to = vec![self.iri(&id)];
            self.relationship(&format!("{id}:declared"), &component.id, "hasDeclaredLicense", to, None);
        }
    }

    fn parts(&mut self, component: &Component, is_complete: Option<bool>) {
        for part in &component.parts {
            self.component(part, None);
        }
        if !component.parts.is_empty() {
            let to = component.parts.iter().map(|part| self.iri(&part.id)).collect();
            let completeness = match is_complete {
                Some(true) => "complete",
                Some(false) => "incomplete",
                None => "noAssertion",
            };
            let id = format!("{}:contains", component.id);
            self.relationship(&id, &component.id, "contains", to, Some(completeness));
        }
    }

    /// What each field rests on: one annotation a component.
    fn annotate(&mut self, component: &Component) {
        let mut fields = Map::new();
        sources::each(&mut component.clone(), &mut |name, sources| {
            let notes: Vec<String> = sources.iter().take(8).map(source_note::written).collect();
            if !notes.is_empty() {
                fields.insert(name, json!(notes));
            }
        });
        if !fields.is_empty() {
            let mut annotation = self.element("Annotation", &format!("{}:sources", component.id));
            annotation.insert("annotationType".into(), json!("other"));
            annotation.insert("subject".into(), json!(self.iri(&component.id)));
            annotation.insert("contentType".into(), json!("application/json"));
            annotation.insert("statement".into(), json!(json!({ "sources": fields }).to_string()));
            self.add(annotation);
        }
    }

    fn relationship(
        &mut self,
        id: &str,
        from: &str,
        kind: &str,
        to: Vec<String>,
        completeness: Option<&str>,
    ) {
        let mut relationship = self.element("Relationship", id);
        relationship.insert("from".into(), json!(self.iri(from)));
        relationship.insert("to".into(), json!(to));
        relationship.insert("relationshipType".into(), json!(kind));
        if let Some(completeness) = completeness {
            relationship.insert("completeness".into(), json!(completeness));
        }
        self.add(relationship);
    }

    fn relations(&mut self, bom: &Bom) {
        let mut groups: BTreeMap<(&str, RelationKind), Vec<&str>> = BTreeMap::new();
        for relation in &bom.relations {
            groups.entry((&relation.from, relation.kind)).or_default().push(&relation.to);
        }
        for ((from, kind), mut to) in groups {
            to.dedup();
            let kind = match kind {
                RelationKind::DependsOn => "dependsOn",
                RelationKind::TrainedOn => "trainedOn",
                RelationKind::TestedOn => "testedOn",
                RelationKind::DescendantOf => "descendantOf",
            };
            let to = to.into_iter().map(|to| self.iri(to)).collect();
            self.relationship(&format!("{from}:{kind}"), from, kind, to, Some("noAssertion"));
        }
    }

    fn vulnerability(&mut self, at: usize, found: &Vulnerability) {
        let id = format!("finding:{at}");
        let mut element = self.element("security_Vulnerability", &id);
        element.insert("name".into(), json!(found.id));
        element.insert("description".into(), json!(found.description));
        if !found.severity.is_empty() {
            element.insert("comment".into(), json!(format!("severity={}", found.severity)));
        }
        self.add(element);
        let (kind, relation) = match found.state.as_str() {
            "exploitable" => ("security_VexAffectedVulnAssessmentRelationship", "affects"),
            "not_affected" | "false_positive" => {
                ("security_VexNotAffectedVulnAssessmentRelationship", "doesNotAffect")
            }
            "resolved" | "resolved_with_pedigree" => {
                ("security_VexFixedVulnAssessmentRelationship", "fixedIn")
            }
            _ => ("security_VexUnderInvestigationVulnAssessmentRelationship", "underInvestigationFor"),
        };
        let mut assessment = self.element(kind, &format!("{id}:assessment"));
        assessment.insert("from".into(), json!(self.iri(&id)));
        let to: Vec<String> = found.affects.iter().map(|to| self.iri(to)).collect();
        assessment.insert("to".into(), json!(to));
        assessment.insert("relationshipType".into(), json!(relation));
        if relation == "affects" {
            let action = if found.recommendation.is_empty() { "none known" } else { &found.recommendation };
            assessment.insert("security_actionStatement".into(), json!(action));
        }
        if relation == "doesNotAffect" {
            if found.justification.as_deref() == Some("code_not_present") {
                assessment.insert("security_justificationType".into(), json!("vulnerableCodeNotPresent"));
            }
            let statement = found.detail.as_deref().unwrap_or("it does not apply");
            assessment.insert("security_impactStatement".into(), json!(statement));
        }
        self.add(assessment);
    }

    /// The bytes that the model's parameters were read from, as snippets of its files.
    fn evidence(&mut self, bom: &Bom) {
        let Some(model) = bom.model() else { return };
        let files: BTreeMap<&str, &str> =
            model.parts.iter().map(|part| (part.name.value.as_str(), part.id.as_str())).collect();
        let mut ranges: BTreeMap<(String, u64, u64), BTreeSet<String>> = BTreeMap::new();
        for (_, known) in model.model.iter().flat_map(|details| &details.parameters) {
            for source in known.sources.iter().filter(|source| source.origin == Origin::Bytes) {
                if let Place::Bytes(start, end) = source.place
                    && files.contains_key(source.file.as_str())
                    && end > start
                    && ranges.len() < 256
                {
                    ranges.entry((source.file.clone(), start, end)).or_default().insert(source.what.clone());
                }
            }
        }
        let mut snippets = Vec::new();
        for (at, ((file, start, end), what)) in ranges.into_iter().enumerate() {
            let id = format!("snippet:{at}");
            let mut snippet = self.element("software_Snippet", &id);
            let what: Vec<String> = what.into_iter().collect();
            snippet.insert("name".into(), json!(format!("{file}: {}", what.join(", "))));
            snippet.insert(
                "software_snippetFromFile".into(),
                json!(files.get(file.as_str()).map(|id| self.iri(id))),
            );
            // Counted from one, the last byte included.
            snippet.insert(
                "software_byteRange".into(),
                json!({
                    "type": "PositiveIntegerRange",
                    "beginIntegerRange": start.saturating_add(1),
                    "endIntegerRange": end,
                }),
            );
            self.add(snippet);
            snippets.push(self.iri(&id));
        }
        if !snippets.is_empty() {
            self.relationship("model:evidence", &model.id, "hasEvidence", snippets, None);
        }
    }

    fn document(&mut self, bom: &Bom, all: &[&Component]) {
        let ids: Vec<Value> =
            self.graph.iter().filter_map(|element| element.get("spdxId").cloned()).collect();
        let mut profiles = vec!["core", "software", "simpleLicensing", "security"];
        let lacking: Vec<String> = all.iter().filter_map(|component| lacking(component)).collect();
        if lacking.is_empty() {
            profiles.extend(["ai", "dataset"]);
        }
        let root = bom.root.as_ref().or(bom.model()).map(|component| self.iri(&component.id));
        let phase = |phase: &String| right(PHASES, phase).unwrap_or("analyzed");
        let phases: Vec<&str> = bom.phases.iter().map(phase).collect();
        let mut sbom = self.element("software_Sbom", "sbom");
        sbom.insert("software_sbomType".into(), json!(phases));
        sbom.insert("rootElement".into(), json!(root.into_iter().collect::<Vec<_>>()));
        sbom.insert("element".into(), json!(ids));
        sbom.insert("profileConformance".into(), json!(profiles));
        self.add(sbom);
        let mut document = self.element("SpdxDocument", "document");
        let name = bom.root.as_ref().map_or("bill of materials", |root| root.name.value.as_str());
        document.insert("name".into(), json!(name));
        let sbom = self.iri("sbom");
        let mut elements = ids;
        elements.push(json!(sbom));
        document.insert("rootElement".into(), json!([sbom]));
        document.insert("element".into(), json!(elements));
        document.insert("profileConformance".into(), json!(profiles));
        if !lacking.is_empty() {
            let comment = format!(
                "The profiles `ai` and `dataset` are not claimed: {}",
                lacking.into_iter().take(20).collect::<Vec<_>>().join("; ")
            );
            document.insert("comment".into(), json!(comment));
        }
        let conformity: Vec<(String, String)> = (bom.conformity.iter())
            .map(|entry| {
                let name = format!("alnage:conformity:{}:{}", entry.standard, entry.requirement);
                (name, format!("{} of 100: {}", entry.score, entry.rationale))
            })
            .collect();
        properties(&mut document, &conformity);
        self.add(document);
    }
}

/// What the AI and Dataset profiles require and the published shapes do not check.
fn lacking(component: &Component) -> Option<String> {
    let is_dataset = component.kind == Kind::Dataset;
    if component.kind != Kind::Model && !is_dataset {
        return None;
    }
    let mut lacking = Vec::new();
    if component.supplier.is_none() {
        lacking.push(if is_dataset { "originatedBy" } else { "suppliedBy" });
    }
    if component.released.as_ref().is_none_or(|released| utc(&released.value).is_none()) {
        lacking.push("releaseTime");
    }
    if is_dataset {
        lacking.push("builtTime");
    }
    if download(component).is_none() {
        lacking.push("software_downloadLocation");
    }
    (!lacking.is_empty()).then(|| format!("`{}` lacks {}", component.name.value, lacking.join(", ")))
}

/// Where a component is fetched from.
fn download(component: &Component) -> Option<String> {
    let linked = component.links.iter().find(|link| link.value.0 == "distribution").map(|link| &link.value.1);
    let dataset = component.dataset.as_ref().and_then(|dataset| dataset.url.as_ref()).map(|url| &url.value);
    let purl = component.purl.as_ref().and_then(|purl| purl.value.strip_prefix("pkg:huggingface/"));
    let on_hub =
        purl.map(|name| format!("https://huggingface.co/{}", name.split('@').next().unwrap_or(name)));
    linked.or(dataset).and_then(|url| link::reference(url)).or(on_hub)
}

fn links(component: &Component, is_file: bool, element: &mut Element) {
    if !is_file && let Some(url) = download(component) {
        element.insert("software_downloadLocation".into(), json!(url));
    }
    let references: Vec<Value> = (component.links.iter())
        .filter(|link| link.value.0 != "distribution")
        .filter_map(|link| {
            let url = link::reference(&link.value.1)?;
            let kind = right(LINKS, &link.value.0).unwrap_or("other");
            Some(json!({
                "type": "ExternalRef",
                "externalRefType": kind,
                "locator": [url],
                "comment": link.value.0,
            }))
        })
        .collect();
    put_list(element, "externalRef", references);
}

fn model(
    details: &ModelDetails,
    component: &Component,
    element: &mut Element,
    extra: &mut Vec<(String, String)>,
) {
    let values = |texts: &[&Option<Text>]| -> Vec<Value> {
        texts.iter().filter_map(|text| text.as_ref()).map(|text| json!(text.value)).collect()
    };
    let joined = |texts: &[Text]| {
        let texts: Vec<&str> = texts.iter().map(|text| text.value.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    };
    put_list(element, "ai_typeOfModel", values(&[&details.family, &details.architecture]));
    put_list(element, "ai_domain", values(&[&details.task]));
    let entry = |key: &str, value: &str| json!({"type": "DictionaryEntry", "key": key, "value": value});
    let parameters = details.parameters.iter().map(|(key, value)| entry(key, &value.value)).collect();
    put_list(element, "ai_hyperparameter", parameters);
    let metrics = (details.metrics.iter())
        .map(|metric| {
            let slice = metric.value.slice.as_ref().map(|slice| format!("@{slice}")).unwrap_or_default();
            entry(&format!("{}{slice}", metric.value.name), &metric.value.value)
        })
        .collect();
    put_list(element, "ai_metric", metrics);
    for (key, value) in [
        ("ai_informationAboutTraining", details.training.as_ref().map(|text| text.value.clone())),
        ("ai_informationAboutApplication", joined(&details.uses)),
        ("ai_limitation", joined(&details.limitations)),
    ] {
        if let Some(value) = value {
            element.insert(key.into(), json!(value));
        }
    }
    let standards = component.properties("alnage:compliance").map(|text| json!(text.value)).collect();
    put_list(element, "ai_standardCompliance", standards);
    element.insert("ai_autonomyType".into(), json!("noAssertion"));
    element.insert("ai_useSensitivePersonalInformation".into(), json!("noAssertion"));
    for (name, texts) in [
        ("alnage:model:input", &details.inputs),
        ("alnage:model:output", &details.outputs),
        ("alnage:model:user", &details.users),
        ("alnage:model:ethics", &details.ethics),
    ] {
        extra.extend(texts.iter().map(|text| (name.to_owned(), text.value.clone())));
    }
    for (name, text) in
        [("alnage:model:co2:tCO2eq", &details.emissions), ("alnage:model:approach", &details.approach)]
    {
        extra.extend(text.iter().map(|text| (name.to_owned(), text.value.clone())));
    }
}

fn dataset(details: Option<&DatasetDetails>, element: &mut Element, extra: &mut Vec<(String, String)>) {
    let default = DatasetDetails::default();
    let details = details.unwrap_or(&default);
    let kind = match details.content.as_ref().map(|content| content.value.as_str()) {
        Some("text") => "text",
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        Some("table") => "structured",
        Some(other) => {
            extra.push(("alnage:dataset:content".into(), other.to_owned()));
            "other"
        }
        None => "noAssertion",
    };
    element.insert("dataset_datasetType".into(), json!([kind]));
    if let Some(size) = &details.size {
        match size.value.parse::<u64>() {
            Ok(count) if i64::try_from(count).is_ok() => {
                element.insert("dataset_datasetSize".into(), json!(count));
            }
            _ => extra.push(("alnage:dataset:size".into(), size.value.clone())),
        }
    }
    if let Some(bias) = &details.bias {
        element.insert("dataset_knownBias".into(), json!([bias.value]));
    }
    if let Some(collection) = &details.collection {
        element.insert("dataset_dataCollectionProcess".into(), json!(collection.value));
    }
    let sensitive = if details.sensitivity.is_empty() { "noAssertion" } else { "yes" };
    element.insert("dataset_hasSensitivePersonalInformation".into(), json!(sensitive));
    extra.extend(
        details.sensitivity.iter().map(|text| ("alnage:dataset:sensitivity".to_owned(), text.value.clone())),
    );
}

/// What SPDX has no field for, in the extension that it defines for properties of CycloneDX.
fn properties(element: &mut Element, properties: &[(String, String)]) {
    if properties.is_empty() {
        return;
    }
    let entry = |(name, value): &(String, String)| {
        json!({
            "type": "extension_CdxPropertyEntry",
            "extension_cdxPropName": name,
            "extension_cdxPropValue": value,
        })
    };
    let entries: Vec<Value> = properties.iter().map(entry).collect();
    let extension = json!([{"type": "extension_CdxPropertiesExtension", "extension_cdxProperty": entries}]);
    element.insert("extension".into(), extension);
}

fn put_list(element: &mut Element, key: &str, list: Vec<Value>) {
    if !list.is_empty() {
        element.insert(key.to_owned(), Value::Array(list));
    }
}

/// The one form of times that SPDX takes: whole seconds, UTC.
fn utc(time: &str) -> Option<String> {
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let rest = shape.strip_prefix("0000-00-00T00:00:00")?;
    let fraction = rest.trim_start_matches(['.', '0']);
    matches!(fraction, "Z" | "+00:00").then(|| format!("{}Z", time.get(..19).unwrap_or_default()))
}
