//! Writes a bill of materials as CycloneDX.

use std::collections::{BTreeMap, BTreeSet};

use alnage_facts::{Origin, Place, Source};
use serde_json::{Map, Value, json};

use super::{Edition, TYPES};
use crate::{
    bom::{Bom, Component, Known, Licence, Metric, RelationKind, Text, Vulnerability},
    link, source_note,
};

/// The tool's own place in the document.
const TOOL: &str = "tool:0";

/// The document.
pub(crate) fn write(bom: &Bom, edition: Edition) -> Value {
    let mut writer = Writer { citations: Vec::new(), bom };
    let mut document = Map::new();
    let number = edition.number();
    document.insert("$schema".into(), json!(format!("http://cyclonedx.org/schema/bom-{number}.schema.json")));
    document.insert("bomFormat".into(), json!("CycloneDX"));
    document.insert("specVersion".into(), json!(number));
    document.insert("serialNumber".into(), json!(bom.serial));
    document.insert("version".into(), json!(bom.version.max(1)));
    document.insert("metadata".into(), writer.metadata());
    let listed: Vec<&Component> =
        bom.components.iter().filter(|component| !writer.is_base(component)).collect();
    let components: Vec<Value> = (listed.into_iter().enumerate())
        .map(|(at, component)| writer.component(component, &format!("/components/{at}")))
        .collect();
    put_list(&mut document, "components", components);
    put_list(&mut document, "dependencies", writer.dependencies());
    put_list(&mut document, "compositions", writer.compositions());
    put_list(
        &mut document,
        "vulnerabilities",
        bom.vulnerabilities.iter().enumerate().map(vulnerability).collect(),
    );
    if !bom.conformity.is_empty() {
        let (definitions, declarations) = conformity(bom);
        document.insert("declarations".into(), declarations);
        document.insert("definitions".into(), definitions);
    }
    match edition {
        Edition::V1_7 => put_list(&mut document, "citations", writer.citations()),
        // The older edition knows no citations; its annotations are about whole components.
        Edition::V1_6 => put_list(&mut document, "annotations", writer.annotations()),
    }
    Value::Object(document)
}

/// Who says what, collected while the parts are written.
struct Writer<'a> {
    citations: Vec<(String, Source)>,
    bom: &'a Bom,
}

impl Writer<'_> {
    /// Bases stand in the pedigree of the model.
    fn is_base(&self, component: &Component) -> bool {
        self.bom
            .relations
            .iter()
            .any(|relation| relation.kind == RelationKind::DescendantOf && relation.to == component.id)
    }

    fn cite(&mut self, pointer: &str, sources: &[Source]) {
        const MAX_SOURCES: usize = 8;
        for source in sources.iter().take(MAX_SOURCES) {
            self.citations.push((pointer.to_owned(), source.clone()));
        }
    }

    /// The value, cited as what stands at `pointer`.
    fn text(&mut self, known: &Text, pointer: String) -> Value {
        self.cite(&pointer, &known.sources);
        json!(known.value)
    }

    fn put(&mut self, map: &mut Map<String, Value>, key: &str, known: Option<&Text>, base: &str) {
        if let Some(known) = known {
            let value = self.text(known, format!("{base}/{key}"));
            map.insert(key.to_owned(), value);
        }
    }

    fn metadata(&mut self) -> Value {
        let bom = self.bom;
        let mut metadata = Map::new();
        metadata.insert("timestamp".into(), json!(bom.timestamp));
        put_list(
            &mut metadata,
            "lifecycles",
            bom.phases.iter().map(|phase| json!({"phase": phase})).collect(),
        );
        let tool = |(at, (name, version)): (usize, &(String, String))| {
            let mut tool = Map::new();
            tool.insert("type".into(), json!("application"));
            tool.insert("bom-ref".into(), json!(format!("tool:{at}")));
            tool.insert("name".into(), json!(name));
            if !version.is_empty() {
                tool.insert("version".into(), json!(version));
            }
            Value::Object(tool)
        };
        let tools: Vec<Value> = bom.tools.iter().enumerate().map(tool).collect();
        metadata.insert("tools".into(), json!({ "components": tools }));
        put_list(
            &mut metadata,
            "authors",
            bom.authors.iter().map(|author| json!({"name": author})).collect(),
        );
        if let Some(root) = &bom.root {
            let component = self.component(root, "/metadata/component");
            metadata.insert("component".into(), component);
            if let Some(supplier) = &root.supplier {
                metadata.insert("supplier".into(), json!({"name": supplier.value}));
            }
        }
        Value::Object(metadata)
    }

    fn component(&mut self, component: &Component, at: &str) -> Value {
        let mut map = Map::new();
        let kind = TYPES.iter().find(|(_, kind)| *kind == component.kind).map_or("library", |(name, _)| name);
        map.insert("type".into(), json!(kind));
        map.insert("bom-ref".into(), json!(component.id));
        for (key, party) in [("supplier", &component.supplier), ("manufacturer", &component.manufacturer)] {
            if let Some(party) = party {
                let name = self.text(party, format!("{at}/{key}/name"));
                map.insert(key.to_owned(), json!({"name": name}));
            }
        }
        if let Some(group) = &component.group {
            map.insert("group".into(), json!(group));
        }
        self.put(&mut map, "name", Some(&component.name), at);
        self.put(&mut map, "version", component.version.as_ref(), at);
        self.put(&mut map, "description", component.description.as_ref(), at);
        let hashes: Vec<Value> = (component.hashes.iter().enumerate())
            .map(|(index, hash)| {
                self.cite(&format!("{at}/hashes/{index}"), &hash.sources);
                json!({"alg": hash.value.0, "content": hash.value.1})
            })
            .collect();
        put_list(&mut map, "hashes", hashes);
        let licences: Vec<Value> = (component.licences.iter().enumerate())
            .map(|(index, known)| {
                self.cite(&format!("{at}/licenses/{index}"), &known.sources);
                licence(&known.value)
            })
            .collect();
        put_list(&mut map, "licenses", licences);
        self.put(&mut map, "purl", component.purl.as_ref(), at);
        let pedigree = self.pedigree(component, at);
        if !pedigree.is_empty() {
            map.insert("pedigree".into(), Value::Object(pedigree));
        }
        let links: Vec<Value> = (component.links.iter().enumerate())
            .filter_map(|(index, link)| {
                let url = link::reference(&link.value.1)?;
                self.cite(&format!("{at}/externalReferences/{index}"), &link.sources);
                Some(json!({"type": link.value.0, "url": url}))
            })
            .collect();
        put_list(&mut map, "externalReferences", links);
        let parts: Vec<Value> = (component.parts.iter().enumerate())
            .map(|(index, part)| self.component(part, &format!("{at}/components/{index}")))
            .collect();
        put_list(&mut map, "components", parts);
        if let Some(evidence) = evidence(component) {
            map.insert("evidence".into(), evidence);
        }
        if let Some(released) = &component.released {
            self.cite(&format!("{at}/releaseNotes/timestamp"), &released.sources);
            // There is no other place for a time; the kind of the release is required and not known.
            let notes = if is_time(&released.value) {
                json!({"type": "release", "timestamp": released.value})
            } else {
                json!({"type": "release", "description": released.value})
            };
            map.insert("releaseNotes".into(), notes);
        }
        if component.model.is_some() {
            let card = self.model_card(component, &format!("{at}/modelCard"));
            map.insert("modelCard".into(), card);
        }
        if let Some(data) = self.data(component, at) {
            map.insert("data".into(), json!([data]));
        }
        let properties = self.properties(&component.properties, &format!("{at}/properties"));
        put_list(&mut map, "properties", properties);
        Value::Object(map)
    }

    fn properties(&mut self, properties: &[(String, Text)], at: &str) -> Vec<Value> {
        (properties.iter().enumerate())
            .map(|(index, (name, value))| {
                self.cite(&format!("{at}/{index}"), &value.sources);
                json!({"name": name, "value": value.value})
            })
            .collect()
    }

    fn pedigree(&mut self, component: &Component, at: &str) -> Map<String, Value> {
        let bom = self.bom;
        let mut pedigree = Map::new();
        let bases: Vec<&Component> = (bom.relations.iter())
            .filter(|relation| relation.kind == RelationKind::DescendantOf && relation.from == component.id)
            .filter_map(|relation| bom.components.iter().find(|base| base.id == relation.to))
            .collect();
        let ancestors: Vec<Value> = (bases.iter().enumerate())
            .map(|(index, base)| self.component(base, &format!("{at}/pedigree/ancestors/{index}")))
            .collect();
        let relation = bases.iter().find_map(|base| base.properties("alnage:model:relation").next());
        put_list(&mut pedigree, "ancestors", ancestors);
        if let Some(relation) = relation {
            self.cite(&format!("{at}/pedigree/notes"), &relation.sources);
            pedigree.insert("notes".into(), json!(format!("relation={}", relation.value)));
        }
        pedigree
    }

    /// Properties stand at the card: `modelParameters` allows none, though the taxonomy's own examples put them there.
    fn model_card(&mut self, component: &Component, at: &str) -> Value {
        let Some(details) = component.model.as_deref() else { return Value::Null };
        let mut parameters = Map::new();
        let base = format!("{at}/modelParameters");
        if let Some(approach) = &details.approach {
            const KINDS: [&str; 5] = [
                "supervised",
                "unsupervised",
                "reinforcement-learning",
                "semi-supervised",
                "self-supervised",
            ];
            if KINDS.contains(&approach.value.as_str()) {
                self.cite(&format!("{base}/approach"), &approach.sources);
                parameters.insert("approach".into(), json!({"type": approach.value}));
            }
        }
        self.put(&mut parameters, "task", details.task.as_ref(), &base);
        self.put(&mut parameters, "architectureFamily", details.family.as_ref(), &base);
        self.put(&mut parameters, "modelArchitecture", details.architecture.as_ref(), &base);
        let trained = self
            .bom
            .relations
            .iter()
            .filter(|relation| relation.from == component.id && relation.kind == RelationKind::TrainedOn);
        put_list(&mut parameters, "datasets", trained.map(|to| json!({"ref": to.to})).collect());
        for (key, values) in [("inputs", &details.inputs), ("outputs", &details.outputs)] {
            let formats = self.list(values, &format!("{base}/{key}"));
            put_list(
                &mut parameters,
                key,
                formats.into_iter().map(|value| json!({"format": value})).collect(),
            );
        }
        let mut card = Map::new();
        card.insert("bom-ref".into(), json!(format!("card:{}", component.id)));
        card.insert("modelParameters".into(), Value::Object(parameters));
        let measured = format!("{at}/quantitativeAnalysis/performanceMetrics");
        let metrics: Vec<Value> = (details.metrics.iter().enumerate())
            .map(|(index, known)| {
                self.cite(&format!("{measured}/{index}"), &known.sources);
                metric(&known.value)
            })
            .collect();
        if !metrics.is_empty() {
            card.insert("quantitativeAnalysis".into(), json!({ "performanceMetrics": metrics }));
        }
        let mut considerations = Map::new();
        let base = format!("{at}/considerations");
        for (key, values) in [
            ("users", &details.users),
            ("useCases", &details.uses),
            ("technicalLimitations", &details.limitations),
        ] {
            let list = self.list(values, &format!("{base}/{key}"));
            put_list(&mut considerations, key, list);
        }
        // The description of an ethical matter has no other field than its name.
        let ethics = self.list(&details.ethics, &format!("{base}/ethicalConsiderations"));
        put_list(
            &mut considerations,
            "ethicalConsiderations",
            ethics.into_iter().map(|name| json!({"name": name})).collect(),
        );
        if !considerations.is_empty() {
            card.insert("considerations".into(), Value::Object(considerations));
        }
        let mut listed = details.parameters.clone();
        // The native field for CO2 requires energy figures that nobody gives.
        for (name, value) in
            [("alnage:model:training", &details.training), ("alnage:model:co2:tCO2eq", &details.emissions)]
        {
            listed.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        let properties = self.properties(&listed, &format!("{at}/properties"));
        put_list(&mut card, "properties", properties);
        Value::Object(card)
    }

    fn list(&mut self, values: &[Text], at: &str) -> Vec<Value> {
        values.iter().enumerate().map(|(index, value)| self.text(value, format!("{at}/{index}"))).collect()
    }

    fn data(&mut self, component: &Component, at: &str) -> Option<Value> {
        let details = component.dataset.as_deref()?;
        let base = format!("{at}/data/0");
        let mut data = Map::new();
        data.insert("type".into(), json!("dataset"));
        data.insert("name".into(), json!(component.name.value));
        let mut contents = Map::new();
        if let Some(url) = &details.url
            && let Some(reference) = link::reference(&url.value)
        {
            self.cite(&format!("{base}/contents/url"), &url.sources);
            contents.insert("url".into(), json!(reference));
        }
        let facts = [
            ("alnage:dataset:content", &details.content),
            ("alnage:dataset:size", &details.size),
            ("alnage:dataset:bias", &details.bias),
            ("alnage:dataset:collection", &details.collection),
        ];
        let listed: Vec<(String, Text)> =
            (facts.into_iter()).filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect();
        let properties = self.properties(&listed, &format!("{base}/contents/properties"));
        put_list(&mut contents, "properties", properties);
        if !contents.is_empty() {
            data.insert("contents".into(), Value::Object(contents));
        }
        let sensitive = self.list(&details.sensitivity, &format!("{base}/sensitiveData"));
        put_list(&mut data, "sensitiveData", sensitive);
        if let Some(description) = &component.description {
            data.insert("description".into(), json!(description.value));
        }
        if let Some(supplier) = &component.supplier {
            data.insert("governance".into(), json!({"owners": [{"organization": {"name": supplier.value}}]}));
        }
        Some(Value::Object(data))
    }

    fn dependencies(&self) -> Vec<Value> {
        let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut order: Vec<&str> = Vec::new();
        for relation in
            self.bom.relations.iter().filter(|relation| relation.kind != RelationKind::DescendantOf)
        {
            if !needs.contains_key(relation.from.as_str()) {
                order.push(&relation.from);
            }
            let list = needs.entry(&relation.from).or_default();
            if !list.contains(&relation.to.as_str()) {
                list.push(&relation.to);
            }
        }
        order.into_iter().map(|from| json!({"ref": from, "dependsOn": needs.get(from)})).collect()
    }

    /// Every file is listed; what the model was made from and needs is known only as far as somebody says it.
    fn compositions(&self) -> Vec<Value> {
        let (Some(is_complete), Some(model)) = (self.bom.is_complete, self.bom.model()) else {
            return Vec::new();
        };
        let aggregate = if is_complete { "complete" } else { "incomplete" };
        vec![
            json!({"aggregate": aggregate, "assemblies": [model.id]}),
            json!({"aggregate": "unknown", "dependencies": [model.id]}),
        ]
    }

    fn citations(&self) -> Vec<Value> {
        let cited = |(at, (pointer, source)): (usize, &(String, Source))| {
            json!({
                "bom-ref": format!("citation:{at}"),
                "pointers": [pointer],
                "timestamp": self.bom.timestamp,
                "attributedTo": TOOL,
                "note": source_note::written(source),
            })
        };
        self.merged_citations().iter().enumerate().map(cited).collect()
    }

    fn merged_citations(&self) -> Vec<(String, Source)> {
        let mut seen = BTreeSet::new();
        let distinct = self
            .citations
            .iter()
            .filter(|(pointer, source)| seen.insert((pointer, source_note::written(source))));
        if self.bom.tools.is_empty() { Vec::new() } else { distinct.cloned().collect() }
    }

    fn annotations(&self) -> Vec<Value> {
        let Some((name, version)) = self.bom.tools.first() else { return Vec::new() };
        let subject = self.bom.model().or(self.bom.root.as_ref()).map(|component| component.id.clone());
        let annotated = |(at, (pointer, source)): (usize, &(String, Source))| {
            json!({
                "bom-ref": format!("annotation:{at}"),
                "subjects": [subject],
                "annotator": {"component": {"type": "application", "name": name, "version": version}},
                "timestamp": self.bom.timestamp,
                "text": format!("{pointer}: {}", source_note::written(source)),
            })
        };
        self.merged_citations().iter().enumerate().map(annotated).collect()
    }
}

fn put_list(map: &mut Map<String, Value>, key: &str, list: Vec<Value>) {
    if !list.is_empty() {
        map.insert(key.to_owned(), Value::Array(list));
    }
}

/// `id` takes SPDX ids only; everything else is a name.
fn licence(licence: &Licence) -> Value {
    let is_expression = licence.name.contains(' ') && licence.is_spdx;
    if is_expression {
        return json!({"expression": licence.name, "acknowledgement": "declared"});
    }
    let mut map = Map::new();
    map.insert(if licence.is_spdx { "id" } else { "name" }.into(), json!(licence.name));
    map.insert("acknowledgement".into(), json!("declared"));
    if let Some(url) = licence.url.as_deref().and_then(link::reference) {
        map.insert("url".into(), json!(url));
    }
    json!({ "license": map })
}

/// Values are text in the schema.
fn metric(metric: &Metric) -> Value {
    let mut map = Map::new();
    map.insert("type".into(), json!(metric.name));
    map.insert("value".into(), json!(metric.value));
    if let Some(slice) = &metric.slice {
        map.insert("slice".into(), json!(slice));
    }
    Value::Object(map)
}

/// What the fields that the format has evidence for rest on.
fn evidence(component: &Component) -> Option<Value> {
    let mut identity = Vec::new();
    let hash = component
        .hashes
        .first()
        .map(|hash| Known { value: hash.value.1.clone(), sources: hash.sources.clone() });
    let fields: [(&str, Option<&Text>); 4] = [
        ("name", Some(&component.name)),
        ("version", component.version.as_ref()),
        ("purl", component.purl.as_ref()),
        ("hash", hash.as_ref()),
    ];
    for (field, known) in fields {
        let Some(known) = known.filter(|known| !known.sources.is_empty()) else { continue };
        let method = |source: &Source| {
            json!({
                "technique": source.technique.as_str(),
                "confidence": confidence(source),
                "value": source.to_string(),
            })
        };
        let best = known.sources.iter().map(|source| source.confidence).max().unwrap_or(0);
        identity.push(json!({
            "field": field,
            "confidence": f64::from(best) / 100.0,
            "concludedValue": known.value,
            "methods": known.sources.iter().take(4).map(method).collect::<Vec<_>>(),
        }));
    }
    let mut occurrences: Vec<Value> = Vec::new();
    for (file, start, what) in places(component) {
        occurrences.push(json!({"location": file, "offset": start, "additionalContext": what}));
    }
    let mut evidence = Map::new();
    put_list(&mut evidence, "identity", identity);
    put_list(&mut evidence, "occurrences", occurrences);
    (!evidence.is_empty()).then_some(Value::Object(evidence))
}

fn confidence(source: &Source) -> f64 {
    f64::from(source.confidence) / 100.0
}

/// The places in weights that the model's parameters were read from.
fn places(component: &Component) -> BTreeSet<(String, u64, String)> {
    let mut places = BTreeSet::new();
    for (_, known) in component.model.iter().flat_map(|details| &details.parameters) {
        for source in known.sources.iter().filter(|source| source.origin == Origin::Bytes) {
            if let Place::Bytes(start, _) = source.place
                && places.len() < 256
                && i64::try_from(start).is_ok()
            {
                places.insert((source.file.clone(), start, source.what.clone()));
            }
        }
    }
    places
}

fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00:00:00")
        && (shape.ends_with('Z') || shape.get(19..).is_some_and(|zone| zone.contains(':')))
}

fn vulnerability((at, found): (usize, &Vulnerability)) -> Value {
    let mut map = Map::new();
    map.insert("bom-ref".into(), json!(format!("finding:{at}")));
    map.insert("id".into(), json!(found.id));
    map.insert("source".into(), json!({"name": found.source}));
    if !found.severity.is_empty() {
        map.insert("ratings".into(), json!([{"severity": found.severity, "method": "other"}]));
    }
    put_list(&mut map, "cwes", found.cwes.iter().map(|cwe| json!(cwe)).collect());
    map.insert("description".into(), json!(found.description));
    if !found.recommendation.is_empty() {
        map.insert("recommendation".into(), json!(found.recommendation));
    }
    let mut analysis = Map::new();
    if !found.state.is_empty() {
        analysis.insert("state".into(), json!(found.state));
    }
    for (key, value) in [("justification", &found.justification), ("detail", &found.detail)] {
        if let Some(value) = value {
            analysis.insert(key.into(), json!(value));
        }
    }
    if !analysis.is_empty() {
        map.insert("analysis".into(), Value::Object(analysis));
    }
    map.insert("affects".into(), found.affects.iter().map(|id| json!({"ref": id})).collect());
    Value::Object(map)
}

/// Standards with their requirements, and how far each is met.
fn conformity(bom: &Bom) -> (Value, Value) {
    let mut standards: Vec<(String, String, Vec<Value>, Vec<Value>)> = Vec::new();
    for entry in &bom.conformity {
        let id = format!("requirement:{}:{}", entry.standard, entry.requirement);
        let requirement = json!({"bom-ref": id, "identifier": entry.requirement, "title": entry.title});
        let mapped = json!({
            "requirement": id,
            "conformance": {"score": f64::from(entry.score.min(100)) / 100.0, "rationale": entry.rationale},
        });
        match standards.iter_mut().find(|(name, ..)| *name == entry.standard) {
            Some((_, _, requirements, map)) => {
                requirements.push(requirement);
                map.push(mapped);
            }
            None => standards.push((
                entry.standard.clone(),
                entry.standard_version.clone(),
                vec![requirement],
                vec![mapped],
            )),
        }
    }
    let mut defined = Vec::new();
    let mut attestations = Vec::new();
    for (name, version, requirements, map) in standards {
        let id = format!("standard:{name}");
        defined.push(json!({"bom-ref": id, "name": name, "version": version, "requirements": requirements}));
        let summary = format!("{name}: how much of it this document says");
        attestations.push(json!({"summary": summary, "assessor": "assessor:alnage", "map": map}));
    }
    let assessor =
        json!({"bom-ref": "assessor:alnage", "thirdParty": false, "organization": {"name": "alnage"}});
    (json!({ "standards": defined }), json!({"assessors": [assessor], "attestations": attestations}))
}
