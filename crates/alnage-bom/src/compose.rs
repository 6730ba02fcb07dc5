//! Puts the document together.

use std::fmt::Write as _;

use alnage_formats::Model;
use alnage_types::{Digest, Finding, Manifest, Verdict};

use crate::{
    Options,
    claim::{Claim, Claims, Field},
    disagreement,
    document::{
        Citation, Component, Composition, Contact, Contents, Data, Dependency, Document, ExternalReference,
        Hash, License, LicenseChoice, Lifecycle, Metadata, ModelCard, ModelParameters, Pedigree, Property,
        Reference, Tools,
    },
    files, findings, hub, licence, link, repository, weights,
};

const ROOT: &str = "root";
const MODEL: &str = "model";
const TOOL: &str = "tool:alnage";

pub(crate) fn document(
    model: &Model,
    manifest: &Manifest,
    verdict: Verdict,
    findings: &[Finding],
    options: &Options<'_>,
) -> Document {
    let mut claims = Claims::default();
    let uncounted = weights::gather(model, &mut claims);
    repository::gather(model, &mut claims);
    let mut composer = Composer { claims, options, citations: Vec::new(), unknown: Vec::new() };
    if let Some(why) = uncounted {
        composer.unknown.push(format!("number of parameters: {why}"));
    }
    let datasets = composer.datasets();
    let frameworks = composer.frameworks();
    let described = composer.model(model, manifest, verdict, findings, &datasets);
    let files: Vec<String> = described.components.iter().map(|file| file.reference.clone()).collect();
    let depends_on: Vec<String> =
        datasets.iter().chain(&frameworks).map(|component| component.reference.clone()).collect();
    let tool = Component {
        kind: "application",
        reference: TOOL.into(),
        name: "alnage".into(),
        version: Some(options.tool_version.into()),
        ..Component::default()
    };
    let root = Component {
        kind: "machine-learning-model",
        reference: ROOT.into(),
        name: options.name.into(),
        version: options.version.map(str::to_owned),
        ..Component::default()
    };
    let whole = if manifest.digest.is_some() { "complete" } else { "incomplete" };
    Document {
        schema: "http://cyclonedx.org/schema/bom-1.7.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.7",
        serial_number: serial_number(manifest, options),
        version: 1,
        metadata: Metadata {
            timestamp: options.timestamp.into(),
            lifecycles: vec![Lifecycle { phase: "post-build" }],
            tools: Tools { components: vec![tool] },
            authors: options.author.map(|name| Contact { name: name.into() }).into_iter().collect(),
            component: root,
        },
        components: [vec![described], datasets, frameworks].into_iter().flatten().collect(),
        dependencies: vec![
            Dependency { reference: ROOT.into(), depends_on: vec![MODEL.into()] },
            Dependency { reference: MODEL.into(), depends_on },
        ],
        compositions: vec![
            // Every file is listed; what the model was made from and needs is known only as far as it says.
            Composition { aggregate: whole, assemblies: vec![MODEL.into()], dependencies: Vec::new() },
            Composition { aggregate: "unknown", assemblies: Vec::new(), dependencies: vec![MODEL.into()] },
        ],
        vulnerabilities: findings::vulnerabilities(findings, &files, MODEL),
        citations: composer.citations,
    }
}

/// A UUID (version 8, RFC 9562) out of what the document is about, so that making it again gives the same one.
fn serial_number(manifest: &Manifest, options: &Options<'_>) -> String {
    let mut named = String::from("alnage.bom/1\n");
    for file in &manifest.files {
        let digest = file.sha256.map(|digest| digest.to_string()).unwrap_or_default();
        let _ = writeln!(named, "{digest} {} {}", file.size, file.path);
    }
    let _ = write!(named, "{}\n{}\n{}", options.name, options.version.unwrap_or_default(), options.timestamp);
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

/// Collects citations and gaps while the parts are made.
struct Composer<'a> {
    claims: Claims,
    options: &'a Options<'a>,
    citations: Vec<Citation>,
    unknown: Vec<String>,
}

/// Where the model's component stands in the document.
const POINTER: &str = "/components/0";

impl Composer<'_> {
    fn model(
        &mut self,
        model: &Model,
        manifest: &Manifest,
        verdict: Verdict,
        findings: &[Finding],
        datasets: &[Component],
    ) -> Component {
        let mut properties = vec![
            Property::new("alnage:verdict", verdict.as_str()),
            Property::new("alnage:findings", findings.len().to_string()),
        ];
        let mut hashes = Vec::new();
        match manifest.digest {
            Some(digest) => {
                hashes.push(Hash { alg: "SHA-256", content: digest.to_string() });
                properties.push(Property::new(
                    "alnage:model:digest",
                    "SHA-256 over the SHA-256 digests of the files in code point order of their paths, as OpenSSF \
                     Model Signing v1.0 takes it",
                ));
            }
            None => self.unknown.push("digest: not every file was hashed".into()),
        }
        let licenses = self.licenses();
        let pedigree = self.pedigree();
        let description = self.cited(Field::Description, "/description");
        let card = self.card(datasets);
        if self.options.version.is_none() {
            self.unknown.push("version: nobody gave one".into());
        }
        self.unknown.push("supplier: nobody gave one".into());
        properties.extend(disagreement::properties(&self.claims));
        properties.extend(self.unknown.iter().map(|gap| Property::new("alnage:unknown", gap)));
        let external =
            [("digital-signature", self.options.signature), ("attestation", self.options.attestation)];
        Component {
            kind: "machine-learning-model",
            reference: MODEL.into(),
            name: self.options.name.into(),
            version: self.options.version.map(str::to_owned),
            description,
            hashes,
            licenses,
            pedigree,
            external_references: external
                .into_iter()
                .filter_map(|(kind, url)| Some(ExternalReference { kind, url: link::reference(url?)? }))
                .collect(),
            components: files::components(model, manifest),
            model_card: Some(card),
            properties,
            ..Component::default()
        }
    }

    fn card(&mut self, datasets: &[Component]) -> ModelCard {
        const PARAMETERS: &str = "/modelCard/modelParameters";
        let mut parameters = ModelParameters {
            task: self.cited(Field::Task, &format!("{PARAMETERS}/task")),
            architecture_family: self
                .cited(Field::ArchitectureFamily, &format!("{PARAMETERS}/architectureFamily")),
            model_architecture: self
                .cited(Field::ArchitectureClass, &format!("{PARAMETERS}/modelArchitecture")),
            datasets: Vec::new(),
        };
        parameters.datasets =
            datasets.iter().map(|dataset| Reference { reference: dataset.reference.clone() }).collect();
        let gaps = [
            ("task", parameters.task.is_none()),
            (
                "architecture",
                parameters.architecture_family.is_none() && parameters.model_architecture.is_none(),
            ),
            ("training data", datasets.is_empty()),
        ];
        for (what, _) in gaps.into_iter().filter(|(_, missing)| *missing) {
            self.unknown.push(format!("{what}: no file says it"));
        }
        let mut properties = Vec::new();
        for (field, name) in PROPERTIES {
            let many = matches!(field, Field::ElementType | Field::Language | Field::Quantization);
            let limit = if many { usize::MAX } else { 1 };
            let claims = self.claims.weightiest(*field).into_iter().take(limit).cloned();
            for claim in claims.collect::<Vec<_>>() {
                self.cite(&claim, format!("{POINTER}/modelCard/properties/{}", properties.len()));
                properties.push(Property::new(*name, claim.value));
            }
        }
        ModelCard { reference: "card".into(), model_parameters: parameters, properties }
    }

    fn licenses(&mut self) -> Vec<LicenseChoice> {
        let Some(claim) = self.claims.best(Field::Licence).cloned() else {
            self.unknown.push("licence: no file states it".into());
            return Vec::new();
        };
        self.cite(&claim, format!("{POINTER}/licenses/0"));
        let id = licence::spdx(&claim.value);
        let url = self.claims.best(Field::LicenceUrl).and_then(|claim| link::reference(&claim.value));
        let name = if id.is_some() { None } else { Some(claim.value) };
        vec![LicenseChoice { license: License { id, name, acknowledgement: "declared", url } }]
    }

    fn pedigree(&mut self) -> Option<Pedigree> {
        let bases: Vec<Claim> = self.claims.about(Field::BaseModel).into_iter().cloned().collect();
        if bases.is_empty() {
            self.unknown.push("base model: no file names one".into());
            return None;
        }
        let mut ancestors = Vec::new();
        for claim in bases {
            self.cite(&claim, format!("{POINTER}/pedigree/ancestors/{}", ancestors.len()));
            ancestors.push(Component {
                kind: "machine-learning-model",
                reference: format!("base:{}", claim.value),
                purl: hub::model_purl(&claim.value),
                name: claim.value,
                ..Component::default()
            });
        }
        let notes = self.cited(Field::BaseModelRelation, "/pedigree/notes");
        Some(Pedigree { ancestors, notes: notes.map(|relation| format!("relation={relation}")) })
    }

    fn datasets(&mut self) -> Vec<Component> {
        let claims: Vec<Claim> = self.claims.about(Field::Dataset).into_iter().cloned().collect();
        let mut datasets = Vec::new();
        for claim in claims {
            self.cite(&claim, format!("/components/{}", 1 + datasets.len()));
            let url = hub::dataset_url(&claim.value);
            datasets.push(Component {
                kind: "data",
                reference: format!("dataset:{}", claim.value),
                name: claim.value.clone(),
                data: vec![Data {
                    kind: "dataset",
                    name: claim.value,
                    contents: url.map(|url| Contents { url }),
                }],
                ..Component::default()
            });
        }
        datasets
    }

    /// Frameworks are claimed as `name` or `name==version`.
    fn frameworks(&mut self) -> Vec<Component> {
        let claims: Vec<Claim> = self.claims.about(Field::Framework).into_iter().cloned().collect();
        let first = 1 + self.claims.about(Field::Dataset).len();
        let mut frameworks: Vec<Component> = Vec::new();
        for claim in claims {
            let (name, version) = match claim.value.split_once("==") {
                Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
                None => (claim.value.clone(), None),
            };
            if frameworks.iter().any(|framework| framework.name == name) {
                continue;
            }
            self.cite(&claim, format!("/components/{}", first + frameworks.len()));
            frameworks.push(Component {
                kind: "framework",
                reference: format!("framework:{}", claim.value),
                purl: hub::framework_purl(&name, version.as_deref()),
                name,
                version,
                properties: vec![Property::new(
                    "alnage:framework:relation",
                    "wrote the model or is named by it; which release loads it is not known",
                )],
                ..Component::default()
            });
        }
        frameworks
    }

    /// The answer that counts, cited as what stands at `pointer` of the model's component.
    fn cited(&mut self, field: Field, pointer: &str) -> Option<String> {
        let claim = self.claims.best(field)?.clone();
        self.cite(&claim, format!("{POINTER}{pointer}"));
        Some(claim.value)
    }

    fn cite(&mut self, claim: &Claim, pointer: String) {
        self.citations.push(Citation {
            reference: format!("citation:{}", self.citations.len()),
            pointers: vec![pointer],
            timestamp: self.options.timestamp.into(),
            attributed_to: TOOL.into(),
            note: format!("`{}` of `{}`; confidence {}", claim.key, claim.file, claim.origin.confidence()),
        });
    }
}

/// Properties of the model card, by the names of the CycloneDX property taxonomy where it has one.
static PROPERTIES: &[(Field, &str)] = &[
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
    (Field::TokenizerClass, "cdx:ai-ml:model:hyperparameter:tokenizer_class"),
    (Field::Language, "cdx:ai-ml:model:language"),
];
