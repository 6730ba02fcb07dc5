//! Puts a bill of materials together from facts, files and findings.

use std::fmt::Write as _;

use alnage_facts::{Fact, Facts, Field, Place, Source, gather, is_placeholder, python_purl, spdx_id};
use alnage_formats::{LoadEffect, Model};
use alnage_types::{Digest, Finding, Manifest, Severity, Verdict};

use crate::{
    Declared, Options,
    bom::{Bom, Component, Kind, Known, Licence, Metric, ModelDetails, Relation, RelationKind, Text},
    datasets, decimal, declared, files, findings, hub, link, score,
};

/// The system's place in the document.
const ROOT: &str = "root";
/// The model's place in the document.
const MODEL: &str = "model";

/// The property of a data set that says for what it was used.
pub(crate) const DATASET_USAGE: &str = "alnage:dataset:usage";

/// The bill of materials of a model. The same input gives the same one.
pub fn compose(
    model: &Model,
    manifest: &Manifest,
    verdict: Verdict,
    findings: &[Finding],
    options: &Options<'_>,
    declared: &Declared,
) -> Bom {
    let mut facts = gather(model);
    declared.add_to(&mut facts);
    let composer = Composer { facts, model, manifest, verdict, findings, options, declared };
    composer.bom()
}

struct Composer<'a> {
    facts: Facts,
    model: &'a Model,
    manifest: &'a Manifest,
    verdict: Verdict,
    findings: &'a [Finding],
    options: &'a Options<'a>,
    declared: &'a Declared,
}

impl Composer<'_> {
    fn bom(&self) -> Bom {
        let (mut trained, mut tested) = datasets::components(&self.facts);
        for (usage, datasets) in [("training", &mut trained), ("evaluation", &mut tested)] {
            for dataset in datasets {
                dataset.properties.push((DATASET_USAGE.to_owned(), Known::bare(usage.to_owned())));
            }
        }
        let packages = self.packages();
        let bases = self.bases();
        let described = self.described(&trained, &tested);
        let relation = |kind, to: &Component| Relation { from: MODEL.into(), kind, to: to.id.clone() };
        let mut relations =
            vec![Relation { from: ROOT.into(), kind: RelationKind::DependsOn, to: MODEL.into() }];
        relations.extend(trained.iter().map(|to| relation(RelationKind::TrainedOn, to)));
        relations.extend(tested.iter().map(|to| relation(RelationKind::TestedOn, to)));
        relations.extend(packages.iter().map(|to| relation(RelationKind::DependsOn, to)));
        relations.extend(bases.iter().map(|to| relation(RelationKind::DescendantOf, to)));
        let files: Vec<&str> = described.parts.iter().map(|file| file.id.as_str()).collect();
        let mut vulnerabilities = findings::vulnerabilities(self.findings, &files, MODEL);
        vulnerabilities.extend(findings::without_pickle(self.model, MODEL));
        let author = self.options.author.or(self.declared.get("author"));
        let mut bom = Bom {
            serial: self.serial_number(),
            version: 1,
            timestamp: self.options.timestamp.into(),
            authors: author.map(str::to_owned).into_iter().collect(),
            tools: vec![("alnage".into(), self.options.tool_version.into())],
            phases: vec!["post-build".into()],
            root: Some(self.root(&described)),
            components: [vec![described], trained, tested, bases, packages].into_iter().flatten().collect(),
            relations,
            is_complete: Some(self.manifest.digest.is_some()),
            vulnerabilities,
            ..Bom::default()
        };
        bom.conformity = score::conformity(&bom);
        bom
    }

    /// A UUID (version 8, RFC 9562) out of what the document is about, so that making it again gives the same one.
    fn serial_number(&self) -> String {
        let mut named = String::from("alnage.bom/1\n");
        for file in &self.manifest.files {
            let digest = file.sha256.map(|digest| digest.to_string()).unwrap_or_default();
            let _ = writeln!(named, "{digest} {} {}", file.size, file.path);
        }
        let options = self.options;
        let _ =
            write!(named, "{}\n{}\n{}", options.name, options.version.unwrap_or_default(), options.timestamp);
        serial(&named)
    }

    /// The best answer to a question, unless it is one only by form.
    fn text(&self, field: Field) -> Option<Text> {
        let fact = self.facts.all(field).into_iter().find(|fact| !is_placeholder(&fact.value))?;
        Some(self.known(fact))
    }

    fn known(&self, fact: &Fact) -> Text {
        Known { value: fact.value.clone(), sources: self.facts.sources(fact) }
    }

    fn texts(&self, field: Field) -> Vec<Text> {
        let facts = self.facts.about(field).into_iter().filter(|fact| !is_placeholder(&fact.value));
        facts.take(8).map(|fact| self.known(fact)).collect()
    }

    fn name(&self) -> Text {
        let hub = self.facts.best(Field::HubName).map(|fact| {
            let name = fact.value.rsplit('/').next().unwrap_or(&fact.value);
            Known { value: name.to_owned(), sources: self.facts.sources(fact) }
        });
        let declared = self
            .declared
            .get("name")
            .map(|name| Known { value: name.to_owned(), sources: vec![declared::source("name")] });
        let said = || self.text(Field::Name);
        declared.or(hub).or_else(said).unwrap_or_else(|| Known::bare(self.options.name.to_owned()))
    }

    /// What nobody gave a version has that of its content.
    fn version(&self) -> Option<Text> {
        let given = self.options.version.map(|version| Known {
            value: version.to_owned(),
            sources: vec![Source::new(
                alnage_facts::Origin::User,
                "the command line",
                "version",
                Place::Whole,
            )],
        });
        let of_content = || {
            let digest = self.manifest.digest?;
            Some(Known { value: format!("sha256:{digest}"), sources: vec![files::hashed("all files")] })
        };
        given.or_else(|| self.text(Field::Version)).or_else(of_content)
    }

    fn purl(&self) -> Option<Text> {
        let version = self.version().map(|version| version.value);
        let on_hub = self.facts.best(Field::HubName).and_then(|fact| {
            let purl = hub::model_purl(&fact.value, version.as_deref())?;
            Some(Known { value: purl, sources: self.facts.sources(fact) })
        });
        on_hub.or_else(|| {
            let digest = self.manifest.digest?.to_string();
            let value = hub::generic_purl(&self.name().value, Some(&digest));
            Some(Known { value, sources: vec![files::hashed("all files")] })
        })
    }

    fn described(&self, trained: &[Component], tested: &[Component]) -> Component {
        let group = self.facts.best(Field::HubName).and_then(|fact| fact.value.split_once('/'));
        let digest = self.manifest.digest.map(|digest| Known {
            value: ("SHA-256".to_owned(), digest.to_string()),
            sources: vec![files::hashed("all files")],
        });
        Component {
            id: MODEL.into(),
            kind: Kind::Model,
            name: self.name(),
            group: group.map(|(owner, _)| owner.to_owned()),
            version: self.version(),
            description: self.text(Field::Description),
            purl: self.purl(),
            hashes: digest.into_iter().collect(),
            licences: self.licences(),
            supplier: self.text(Field::Producer),
            manufacturer: self.declared.get("manufacturer").map(|name| Known {
                value: name.to_owned(),
                sources: vec![declared::source("manufacturer")],
            }),
            released: self.text(Field::Timestamp),
            links: self.links(),
            properties: self.properties(trained, tested),
            model: Some(Box::new(self.details())),
            dataset: None,
            parts: files::components(self.model, self.manifest),
        }
    }

    fn root(&self, model: &Component) -> Component {
        let name = self
            .declared
            .get("system")
            .map(|name| Known { value: name.to_owned(), sources: vec![declared::source("system")] });
        let mut properties = Vec::new();
        let mut system = |name: &str, value: Option<Text>| {
            properties.extend(value.map(|value| (format!("alnage:system:{name}"), value)));
        };
        system("dataFlow", self.data_flow(model));
        system("dataUsage", self.declared_text("data-usage").or_else(|| self.data_usage()));
        system("contact", self.declared_text("contact"));
        system("applicationArea", self.text(Field::IntendedUse).or_else(|| self.text(Field::Task)));
        let details = model.model.as_ref();
        for (name, values) in [("input", details.map(|d| &d.inputs)), ("output", details.map(|d| &d.outputs))]
        {
            for value in values.into_iter().flatten() {
                system(name, Some(value.clone()));
            }
        }
        Component {
            id: ROOT.into(),
            kind: Kind::Model,
            name: name.unwrap_or_else(|| model.name.clone()),
            version: model.version.clone(),
            description: model.description.clone(),
            supplier: model.supplier.clone(),
            manufacturer: model.manufacturer.clone(),
            released: model.released.clone(),
            properties,
            ..Component::default()
        }
    }

    fn declared_text(&self, key: &'static str) -> Option<Text> {
        let value = self.declared.get(key).filter(|value| !is_placeholder(value))?;
        Some(Known { value: value.to_owned(), sources: vec![declared::source(key)] })
    }

    /// From what goes in to what comes out.
    fn data_flow(&self, model: &Component) -> Option<Text> {
        if let Some(declared) = self.declared_text("data-flow") {
            return Some(declared);
        }
        let steps = self.text(Field::DataFlow)?;
        let details = model.model.as_ref()?;
        let shown = |values: &[Text]| {
            values.iter().map(|value| value.value.clone()).take(4).collect::<Vec<_>>().join(", ")
        };
        let ends = [shown(&details.inputs), steps.value.clone(), shown(&details.outputs)];
        let parts: Vec<String> = ends.into_iter().filter(|part| !part.is_empty()).collect();
        Some(Known { value: parts.join(" → "), sources: steps.sources })
    }

    /// For what the data sets that are named were used.
    fn data_usage(&self) -> Option<Text> {
        let mut parts = Vec::new();
        let mut sources = Vec::new();
        let trained = self.facts.weightiest(Field::Dataset);
        if let Some(first) = trained.first() {
            let names: Vec<&str> = trained.iter().map(|fact| fact.value.as_str()).take(40).collect();
            parts.push(format!("training: {}", names.join(", ")));
            sources.push(first.source.clone());
        }
        let measured = self.facts.all(Field::Metric);
        if let Some(first) = measured.first() {
            let mut names: Vec<&str> = measured.iter().filter_map(|fact| fact.detail("dataset")).collect();
            names.sort_unstable();
            names.dedup();
            parts.push(format!("evaluation: {}", names.join(", ")));
            sources.push(first.source.clone());
        }
        (!parts.is_empty()).then(|| Known { value: parts.join("; "), sources })
    }

    fn licences(&self) -> Vec<Known<Licence>> {
        let Some(fact) = self.facts.best(Field::Licence) else { return Vec::new() };
        let id = spdx_id(&fact.value);
        let url = self.facts.best(Field::LicenceUrl).and_then(|fact| link::reference(&fact.value));
        let name = id.map_or_else(|| fact.value.clone(), str::to_owned);
        let value = Licence { name, is_spdx: id.is_some(), url };
        vec![Known { value, sources: self.facts.sources(fact) }]
    }

    fn links(&self) -> Vec<Known<(String, String)>> {
        let mut links = Vec::new();
        if let Some(file) =
            self.manifest.files.iter().find(|file| file.path.eq_ignore_ascii_case("README.md"))
        {
            let value = ("model-card".to_owned(), file.path.clone());
            links.push(Known { value, sources: vec![files::hashed(&file.path)] });
        }
        if let Some(fact) = self.facts.best(Field::HubName) {
            let url = format!("https://huggingface.co/{}", fact.value);
            let value = ("distribution".to_owned(), url);
            links.push(Known { value, sources: self.facts.sources(fact) });
        }
        for fact in self.facts.about(Field::Link).into_iter().take(16) {
            if let Some(url) = link::reference(&fact.value).filter(|url| url.contains("://")) {
                let kind = match fact.detail("kind") {
                    Some(kind) => kind,
                    None if url.contains("github.com") || url.contains("gitlab.com") => "vcs",
                    None => "documentation",
                };
                links.push(Known { value: (kind.to_owned(), url), sources: self.facts.sources(fact) });
            }
        }
        let beside =
            [("digital-signature", self.options.signature), ("attestation", self.options.attestation)];
        for (kind, url) in beside {
            if let Some(url) = url.and_then(link::reference) {
                links.push(Known::bare((kind.to_owned(), url)));
            }
        }
        links
    }

    fn details(&self) -> ModelDetails {
        let metric = |fact: &&Fact| {
            let slice: Vec<&str> =
                ["dataset", "config", "split"].iter().filter_map(|name| fact.detail(name)).collect();
            let name = fact.detail("type").or(fact.detail("name")).unwrap_or("metric").to_owned();
            let slice = (!slice.is_empty()).then(|| slice.join(":"));
            let value = Metric { name, value: fact.value.clone(), slice };
            Known { value, sources: vec![fact.source.clone()] }
        };
        let emissions = self.facts.best(Field::Emissions).and_then(|fact| {
            Some(Known { value: decimal::tonnes(&fact.value)?, sources: self.facts.sources(fact) })
        });
        ModelDetails {
            task: self.text(Field::Task),
            family: self.text(Field::ArchitectureFamily),
            architecture: self.text(Field::ArchitectureClass),
            approach: self.text(Field::Approach),
            inputs: self.texts(Field::Input),
            outputs: self.texts(Field::Output),
            metrics: self.facts.all(Field::Metric).iter().take(256).map(metric).collect(),
            uses: self.texts(Field::IntendedUse),
            users: self.texts(Field::Users),
            limitations: self.texts(Field::Limitation),
            ethics: self.texts(Field::Ethics),
            training: self.text(Field::Training),
            emissions,
            parameters: self.parameters(),
        }
    }

    fn parameters(&self) -> Vec<(String, Text)> {
        let mut parameters = Vec::new();
        for (field, name) in PARAMETERS {
            let many = matches!(
                field,
                Field::ElementType | Field::Language | Field::Quantization | Field::AdapterTarget
            );
            let limit = if many { 64 } else { 1 };
            for fact in self.facts.weightiest(*field).into_iter().take(limit) {
                // A count that a card claims is not one.
                if *field == Field::Parameters && !fact.source.origin.is_derived() {
                    continue;
                }
                let mut known = self.known(fact);
                if let (Field::ElementType, Some(count)) = (field, fact.detail("elements")) {
                    parameters.push((
                        format!("alnage:model:elements:{}", fact.value),
                        Known { value: count.to_owned(), sources: known.sources.clone() },
                    ));
                }
                known.sources.truncate(4);
                parameters.push(((*name).to_owned(), known));
            }
        }
        parameters
    }

    fn properties(&self, trained: &[Component], tested: &[Component]) -> Vec<(String, Text)> {
        let mut properties: Vec<(String, Text)> = Vec::new();
        let mut bare = |name: &str, value: String| properties.push((name.to_owned(), Known::bare(value)));
        bare("alnage:verdict", self.verdict.as_str().to_owned());
        bare("alnage:findings", self.findings.len().to_string());
        if self.manifest.digest.is_some() {
            bare(
                "alnage:model:digest",
                "SHA-256 over the SHA-256 digests of the files in code point order of their paths, as OpenSSF Model \
                 Signing v1.0 takes it"
                    .into(),
            );
        }
        for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
            let count = self.findings.iter().filter(|finding| finding.severity == severity).count();
            let word = format!("{severity:?}").to_ascii_lowercase();
            bare(&format!("alnage:security:metric:findings:{word}"), count.to_string());
        }
        bare("alnage:security:metric:files", self.manifest.files.len().to_string());
        bare("alnage:security:metric:partsRead", self.model.artifacts.len().to_string());
        bare("alnage:security:metric:notUnderstood", self.model.issues.len().to_string());
        for control in self.controls() {
            bare("alnage:security:control", control);
        }
        for contradiction in self.facts.contradictions() {
            bare("alnage:contradiction", contradiction.shown());
        }
        for gap in self.gaps(trained, tested) {
            bare("alnage:unknown", gap);
        }
        let mut said = |name: &str, value: Option<Text>| {
            properties.extend(value.map(|value| (name.to_owned(), value)));
        };
        said("alnage:model:baseModelRelation", self.text(Field::BaseModelRelation));
        said("alnage:hardware", self.text(Field::Hardware));
        said("alnage:security:policy", self.text(Field::SecurityPolicy));
        for key in ["security-control", "compliance"] {
            for value in self.declared.all(key).filter(|value| !is_placeholder(value)) {
                let name = if key == "compliance" { "alnage:compliance" } else { "alnage:security:control" };
                let sources = vec![declared::source(key)];
                properties.push((name.to_owned(), Known { value: value.to_owned(), sources }));
            }
        }
        properties
    }

    /// What protects whoever loads the model, as far as its files show.
    fn controls(&self) -> Vec<String> {
        let mut controls = Vec::new();
        let formats: Vec<_> = (self.model.artifacts.iter())
            .filter_map(|artifact| alnage_formats::format(artifact.format))
            .filter(|format| format.holds_a_model())
            .collect();
        let only_data = formats.iter().all(|format| format.load_effect == LoadEffect::Data);
        if !formats.is_empty() && only_data {
            let mut ids: Vec<&str> = formats.iter().map(|format| format.id).collect();
            ids.sort_unstable();
            ids.dedup();
            controls.push(format!("loading the weights runs no code of theirs: they are {}", ids.join(", ")));
        }
        if self.manifest.digest.is_some() {
            controls.push("every file is listed with its SHA-256 digest".into());
        }
        if self.options.signature.is_some() {
            controls.push("the files are signed (OpenSSF Model Signing v1.0)".into());
        }
        controls
    }

    /// What no source says, in words: silence could be taken for absence.
    fn gaps(&self, trained: &[Component], tested: &[Component]) -> Vec<String> {
        let mut gaps: Vec<String> =
            self.facts.gaps.iter().map(|(_, why)| format!("number of parameters: {why}")).collect();
        if self.manifest.digest.is_none() {
            gaps.push("digest: not every file was hashed".into());
        }
        for (what, field) in [
            ("licence", Field::Licence),
            ("base model", Field::BaseModel),
            ("task", Field::Task),
            ("architecture", Field::ArchitectureFamily),
            ("supplier", Field::Producer),
            ("time of making or release", Field::Timestamp),
            ("description", Field::Description),
            ("how it was trained", Field::Training),
            ("what it is meant for", Field::IntendedUse),
            ("limitations", Field::Limitation),
            ("measured qualities", Field::Metric),
            ("security policy", Field::SecurityPolicy),
        ] {
            if self.text(field).is_none() {
                gaps.push(format!("{what}: no source says it"));
            }
        }
        if self.options.version.is_none() && self.text(Field::Version).is_none() {
            gaps.push("version: nobody gave one; the digest of the content stands for it".into());
        }
        if trained.is_empty() {
            gaps.push("training data: no source names it".into());
        }
        if trained.iter().chain(tested).any(|dataset| dataset.hashes.is_empty()) {
            gaps.push("digests of data sets: they are not here".into());
        }
        gaps
    }

    fn bases(&self) -> Vec<Component> {
        let relation = self.text(Field::BaseModelRelation);
        let base = |fact: &&Fact| {
            let known = self.known(fact);
            let purl = hub::model_purl(&fact.value, None);
            let local = purl.is_none();
            let mut properties = Vec::new();
            if let Some(relation) = &relation {
                properties.push(("alnage:model:relation".to_owned(), relation.clone()));
            }
            if local {
                let value = "a name that no hub knows; the package URL cannot be given".to_owned();
                properties.push(("alnage:unknown".to_owned(), Known::bare(value)));
            }
            Component {
                id: format!("base:{}", fact.value),
                kind: Kind::Model,
                supplier: hub_owner(&fact.value)
                    .map(|owner| Known { value: owner, sources: known.sources.clone() }),
                purl: purl.map(|value| Known { value, sources: known.sources.clone() }),
                name: known,
                properties,
                ..Component::default()
            }
        };
        let mut bases: Vec<Component> =
            self.facts.about(Field::BaseModel).iter().take(64).map(base).collect();
        bases.extend(self.sources_of_conversions());
        bases
    }

    /// Files that files of this model were converted from, by attestations that name the very bytes of these.
    fn sources_of_conversions(&self) -> Vec<Component> {
        let digests: Vec<String> =
            self.manifest.files.iter().filter_map(|file| Some(file.sha256?.to_string())).collect();
        let source = |fact: &&Fact| {
            let outputs = fact.detail("outputs")?;
            if !outputs.split(' ').any(|output| digests.iter().any(|digest| digest == output)) {
                return None;
            }
            let name = self.known(fact);
            let from = |value: String| Known { value, sources: name.sources.clone() };
            let digest = fact.detail("sha256")?.to_owned();
            let mut properties = vec![("alnage:model:relation".to_owned(), from("converted".to_owned()))];
            properties.extend(
                fact.detail("format")
                    .map(|format| ("alnage:conversion:sourceFormat".to_owned(), from(format.to_owned()))),
            );
            Some(Component {
                id: format!("converted:{digest}"),
                kind: Kind::Model,
                hashes: vec![Known { value: ("SHA-256".to_owned(), digest), sources: name.sources.clone() }],
                properties,
                name,
                ..Component::default()
            })
        };
        let facts = self.facts.about(Field::ConvertedFrom);
        facts.iter().take(256).filter_map(source).collect()
    }

    /// Frameworks that wrote or load the model, and packages that its code and environment name.
    fn packages(&self) -> Vec<Component> {
        let mut packages: Vec<Component> = Vec::new();
        for (field, kind) in [(Field::Framework, Kind::Framework), (Field::Dependency, Kind::Library)] {
            for fact in self.facts.all(field) {
                let version = fact.detail("version");
                let same = |known: &&mut Component| known.name.value.eq_ignore_ascii_case(&fact.value);
                if let Some(known) = packages.iter_mut().find(same) {
                    if known.version.is_none()
                        && let Some(version) = version
                    {
                        known.version =
                            Some(Known { value: version.to_owned(), sources: vec![fact.source.clone()] });
                        known.purl = python(&known.name.value, Some(version), fact);
                    }
                    continue;
                }
                let mut properties = Vec::new();
                if let Some(range) = fact.detail("range") {
                    let value = Known { value: range.to_owned(), sources: vec![fact.source.clone()] };
                    properties.push(("alnage:package:requirement".to_owned(), value));
                }
                if let Some(opset) = fact.detail("opset") {
                    let value = Known { value: opset.to_owned(), sources: vec![fact.source.clone()] };
                    properties.push(("alnage:onnx:opset".to_owned(), value));
                }
                packages.push(Component {
                    id: format!("package:{}", fact.value),
                    kind,
                    name: Known { value: fact.value.clone(), sources: vec![fact.source.clone()] },
                    version: version.map(|version| Known {
                        value: version.to_owned(),
                        sources: vec![fact.source.clone()],
                    }),
                    purl: python(&fact.value, version, fact),
                    properties,
                    ..Component::default()
                });
            }
        }
        packages.truncate(2000);
        packages
    }
}

/// Packages of conda and producers that only a file names are on no registry that we know.
fn python(name: &str, version: Option<&str>, fact: &Fact) -> Option<Text> {
    const ON_PYPI: [&str; 18] = [
        "transformers",
        "diffusers",
        "peft",
        "sentence-transformers",
        "timm",
        "spacy",
        "torch",
        "tensorflow",
        "keras",
        "flax",
        "onnx",
        "mlflow",
        "scikit-learn",
        "xgboost",
        "mlx",
        "gguf",
        "numpy",
        "tf2onnx",
    ];
    let is_package = fact.field == Field::Dependency && fact.detail("kind") != Some("conda");
    (is_package || ON_PYPI.contains(&name))
        .then(|| Known { value: python_purl(name, version), sources: vec![fact.source.clone()] })
}

fn hub_owner(name: &str) -> Option<String> {
    alnage_facts::hub_name(name).map(|hub| hub.owner)
}

/// A serial number out of what a document is about.
pub(crate) fn serial(named: &str) -> String {
    let mut hex: Vec<char> = Digest::of(named.as_bytes()).to_string().chars().take(32).collect();
    if let Some([version, _, _, _, variant]) = hex.get_mut(12..17) {
        *version = '8';
        *variant = 'a';
    }
    let mut uuid = String::from("urn:uuid:");
    for (at, digit) in hex.into_iter().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

/// Parameters of the model, by the names of the CycloneDX property taxonomy where it has one.
static PARAMETERS: &[(Field, &str)] = &[
    (Field::Parameters, "alnage:model:parameterCount"),
    (Field::ElementType, "alnage:model:elementType"),
    (Field::Quantization, "cdx:ai-ml:model:hyperparameter:quantization"),
    (Field::ContextLength, "cdx:ai-ml:model:hyperparameter:context_length"),
    (Field::HiddenSize, "cdx:ai-ml:model:hyperparameter:hidden_size"),
    (Field::Layers, "cdx:ai-ml:model:hyperparameter:num_hidden_layers"),
    (Field::AttentionHeads, "cdx:ai-ml:model:hyperparameter:num_attention_heads"),
    (Field::KeyValueHeads, "cdx:ai-ml:model:hyperparameter:num_key_value_heads"),
    (Field::IntermediateSize, "cdx:ai-ml:model:hyperparameter:intermediate_size"),
    (Field::VocabularySize, "cdx:ai-ml:model:hyperparameter:vocab_size"),
    (Field::Experts, "alnage:model:experts"),
    (Field::TokenizerClass, "cdx:ai-ml:model:hyperparameter:tokenizer_class"),
    (Field::Language, "cdx:ai-ml:model:language"),
    (Field::AdapterRank, "alnage:model:adapterRank"),
    (Field::AdapterTarget, "alnage:model:adapterTarget"),
];
