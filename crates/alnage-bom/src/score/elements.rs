//! The elements, row by row: id, title, and where a document says it.

use alnage_facts::Question::{Architecture, BaseModel, ContextLength, ElementType, Licence, Parameters};
use alnage_facts::is_placeholder;

use super::{
    Status,
    view::{View, any, first, own, text},
};
use crate::{
    Kind,
    RelationKind::{DependsOn, DescendantOf, TestedOn, TrainedOn},
};

/// Id, title, and how a document stands.
pub(super) type Row = (&'static str, &'static str, fn(&View<'_>) -> Status);

fn author(view: &View<'_>) -> Status {
    let there = view.bom.authors.iter().any(|author| !is_placeholder(author));
    if there { Status::Declared } else { Status::Missing }
}

fn tool(view: &View<'_>) -> Status {
    own(view.bom.tools.iter().any(|(name, _)| !is_placeholder(name)))
}

fn tool_version(view: &View<'_>) -> Status {
    own(view.bom.tools.iter().any(|(_, version)| !is_placeholder(version)))
}

/// In the document, or beside it and named in it.
fn signature(view: &View<'_>) -> Status {
    let beside = view.link(&["digital-signature", "attestation"]);
    any([own(view.bom.is_signed), beside].into_iter())
}

fn context(view: &View<'_>) -> Status {
    own(!view.bom.phases.is_empty())
}

fn timestamp(view: &View<'_>) -> Status {
    own(!view.bom.timestamp.is_empty())
}

fn document_version(view: &View<'_>) -> Status {
    own(view.bom.version > 0 && !view.bom.serial.is_empty())
}

fn format(view: &View<'_>) -> Status {
    own(!view.bom.format.is_empty() || view.bom.tools.iter().any(|(name, _)| name == "alnage"))
}

fn dependencies(view: &View<'_>) -> Status {
    view.relates(&[DependsOn])
}

fn components(view: &View<'_>) -> Status {
    let has_parts = view.model.is_some_and(|model| !model.parts.is_empty());
    any([own(has_parts), view.kind(&[Kind::Model])].into_iter())
}

fn hash(view: &View<'_>) -> Status {
    let of_parts = |model: &crate::Component| any(model.parts.iter().map(|part| first(&part.hashes)));
    view.model.map_or(Status::Missing, |model| any([first(&model.hashes), of_parts(model)].into_iter()))
}

fn algorithm(view: &View<'_>) -> Status {
    hash(view)
}

fn licence(view: &View<'_>) -> Status {
    let named = view.model.into_iter().flat_map(|model| &model.licences);
    let named: Vec<_> = named.filter(|licence| !is_placeholder(&licence.value.name)).cloned().collect();
    view.unless_disputed(first(&named), &[Licence])
}

fn properties(view: &View<'_>) -> Status {
    let architecture = any([
        view.detail(|details| details.family.as_ref()),
        view.detail(|details| details.architecture.as_ref()),
    ]
    .into_iter());
    let size =
        view.parameter(&["parameterCount", "parameter:count", "quantization", "hidden_size", "elementType"]);
    let all = any([architecture, size].into_iter());
    view.unless_disputed(all, &[Architecture, Parameters, ElementType, ContextLength])
}

fn inputs_and_outputs(view: &View<'_>) -> Status {
    let (inputs, outputs) =
        (view.details(|details| &details.inputs), view.details(|details| &details.outputs));
    inputs.min(outputs)
}

fn training(view: &View<'_>) -> Status {
    let told = any([
        view.detail(|details| details.training.as_ref()),
        view.detail(|details| details.approach.as_ref()),
    ]
    .into_iter());
    let from = view.relates(&[TrainedOn, DescendantOf]);
    let all = any([told, from, view.parameter(&["adapterRank", "tune_method"])].into_iter());
    view.unless_disputed(all, &[BaseModel])
}

fn links(view: &View<'_>) -> Status {
    let all = view.model.into_iter().flat_map(|model| &model.links);
    any(all.map(|link| super::view::status(&link.sources)))
}

fn application_area(view: &View<'_>) -> Status {
    let native = any(
        [view.details(|details| &details.uses), view.detail(|details| details.task.as_ref())].into_iter()
    );
    any([native, view.property("alnage:system:applicationArea")].into_iter())
}

fn software(view: &View<'_>) -> Status {
    view.kind(&[Kind::Framework, Kind::Library, Kind::Application])
}

fn hardware(view: &View<'_>) -> Status {
    any([view.property("alnage:hardware"), view.parameter(&[":hardware", "hardware_used"])].into_iter())
}

fn controls(view: &View<'_>) -> Status {
    let stated = view.property("alnage:security:control");
    // What the tool found in the files carries no citation.
    if stated == Status::Missing { stated } else { Status::Derived }
}

fn compliance(view: &View<'_>) -> Status {
    any([view.property("alnage:compliance"), own(!view.bom.conformity.is_empty())].into_iter())
}

fn security_policy(view: &View<'_>) -> Status {
    any([view.property("alnage:security:policy"), view.link(&["security-contact"])].into_iter())
}

fn vulnerabilities(view: &View<'_>) -> Status {
    let named = own(!view.bom.vulnerabilities.is_empty());
    any([named, view.link(&["exploitability-statement", "advisories"])].into_iter())
}

fn security_metrics(view: &View<'_>) -> Status {
    own(view.property("alnage:security:metric:") != Status::Missing)
}

fn metrics(view: &View<'_>) -> Status {
    let metrics = view.details.into_iter().flat_map(|details| &details.metrics);
    let metrics: Vec<_> = metrics.filter(|metric| !is_placeholder(&metric.value.value)).cloned().collect();
    first(&metrics)
}

fn model_name(view: &View<'_>) -> Status {
    view.of_model(|model| Some(&model.name))
}

fn model_version(view: &View<'_>) -> Status {
    view.of_model(|model| model.version.as_ref())
}

fn identifier(view: &View<'_>) -> Status {
    view.of_model(|model| model.purl.as_ref())
}

fn producer(view: &View<'_>) -> Status {
    any([view.of_model(|model| model.supplier.as_ref()), view.of_model(|model| model.manufacturer.as_ref())]
        .into_iter())
}

fn system_producer(view: &View<'_>) -> Status {
    any([view.of_system(|root| root.supplier.as_ref()), view.of_system(|root| root.manufacturer.as_ref())]
        .into_iter())
}

fn description(view: &View<'_>) -> Status {
    view.of_model(|model| model.description.as_ref())
}

fn dataset_url(view: &View<'_>) -> Status {
    view.dataset_detail(|dataset| dataset.url.as_ref())
}

fn dataset_licence(view: &View<'_>) -> Status {
    any(view.datasets.iter().map(|dataset| first(&dataset.licences)))
}

fn dataset_provenance(view: &View<'_>) -> Status {
    let owner = view.dataset(|dataset| dataset.supplier.as_ref());
    let paper = any(view.datasets.iter().map(|dataset| first(&dataset.links)));
    any([owner, paper, view.dataset_detail(|dataset| dataset.collection.as_ref())].into_iter())
}

fn dataset_size(view: &View<'_>) -> Status {
    view.dataset_detail(|dataset| dataset.size.as_ref())
}

fn limitations(view: &View<'_>) -> Status {
    any([view.details(|details| &details.limitations), view.details(|details| &details.ethics)].into_iter())
}

fn lineage(view: &View<'_>) -> Status {
    view.unless_disputed(view.relates(&[DescendantOf]), &[BaseModel])
}

fn release(view: &View<'_>) -> Status {
    view.of_model(|model| model.released.as_ref())
}

fn architecture(view: &View<'_>) -> Status {
    let named = any([
        view.detail(|details| details.family.as_ref()),
        view.detail(|details| details.architecture.as_ref()),
    ]
    .into_iter());
    view.unless_disputed(named, &[Architecture])
}

fn parameter_count(view: &View<'_>) -> Status {
    view.unless_disputed(view.parameter(&["parameterCount", "parameter:count"]), &[Parameters])
}

fn context_length(view: &View<'_>) -> Status {
    let stated = view.parameter(&["context_length", "max_position_embeddings", "contextLength"]);
    view.unless_disputed(stated, &[ContextLength])
}

fn energy(view: &View<'_>) -> Status {
    view.detail(|details| details.emissions.as_ref())
}

fn distribution(view: &View<'_>) -> Status {
    view.link(&["distribution"])
}

fn coverage(view: &View<'_>) -> Status {
    own(view.bom.is_complete.is_some())
}

pub(super) static G7: &[Row] = &[
    ("MD-01", "author of the document", author),
    ("MD-02", "version of the document", document_version),
    ("MD-03", "data format", format),
    ("MD-04", "version of the data format", format),
    ("MD-05", "signature of the author", signature),
    ("MD-06", "tool", tool),
    ("MD-07", "version of the tool", tool_version),
    ("MD-08", "generation context", context),
    ("MD-09", "timestamp", timestamp),
    ("MD-10", "dependency relationships", dependencies),
    ("SLP-01", "name of the system", |view| view.of_system(|root| Some(&root.name))),
    ("SLP-02", "components of the system", components),
    ("SLP-03", "producer of the system", system_producer),
    ("SLP-04", "version of the system", |view| view.of_system(|root| root.version.as_ref())),
    ("SLP-05", "timestamp of the system", |view| view.of_system(|root| root.released.as_ref())),
    ("SLP-06", "data flow", |view| view.property("alnage:system:dataFlow")),
    ("SLP-07", "data usage", |view| view.property("alnage:system:dataUsage")),
    ("SLP-08", "inputs and outputs of the system", |view| {
        let of_system = view.property("alnage:system:input").min(view.property("alnage:system:output"));
        any([of_system, inputs_and_outputs(view)].into_iter())
    }),
    ("SLP-09", "application area", application_area),
    ("MDL-01", "name of the model", model_name),
    ("MDL-02", "identifier of the model", identifier),
    ("MDL-03", "version of the model", model_version),
    ("MDL-04", "timestamp of the model", release),
    ("MDL-05", "producer of the model", producer),
    ("MDL-06", "description of the model", description),
    ("MDL-07", "hash value", hash),
    ("MDL-08", "hash algorithm", algorithm),
    ("MDL-09", "properties of the model", properties),
    ("MDL-10", "inputs and outputs of the model", inputs_and_outputs),
    ("MDL-11", "training properties", training),
    ("MDL-12", "licence of the model", licence),
    ("MDL-13", "external references", links),
    ("DP-01", "name of a data set", |view| view.dataset(|dataset| Some(&dataset.name))),
    ("DP-02", "description of a data set", |view| view.dataset(|dataset| dataset.description.as_ref())),
    ("DP-03", "content of a data set", |view| view.dataset_detail(|dataset| dataset.content.as_ref())),
    ("DP-04", "identifier of a data set", |view| {
        any([dataset_url(view), view.dataset(|dataset| dataset.purl.as_ref())].into_iter())
    }),
    ("DP-05", "hash of a data set", |view| any(view.datasets.iter().map(|dataset| first(&dataset.hashes)))),
    ("DP-06", "provenance of a data set", dataset_provenance),
    ("DP-07", "statistical properties of a data set", dataset_size),
    ("DP-08", "sensitivity of a data set", |view| view.dataset_detail(|dataset| dataset.sensitivity.first())),
    ("DP-09", "how data sets relate to the model", |view| view.relates(&[TrainedOn, TestedOn])),
    ("DP-10", "licence of a data set", dataset_licence),
    ("INF-01", "software", software),
    ("INF-02", "hardware", hardware),
    ("SP-01", "security controls", controls),
    ("SP-02", "compliance", compliance),
    ("SP-03", "cybersecurity policy", security_policy),
    ("SP-04", "references to vulnerabilities", vulnerabilities),
    ("KPI-01", "security metrics", security_metrics),
    ("KPI-02", "operational metrics", metrics),
];

pub(super) static CISA: &[Row] = &[
    ("DOC-author", "author", author),
    ("DOC-tool", "tool", tool),
    ("DOC-tool-version", "version of the tool", tool_version),
    ("DOC-timestamp", "timestamp", timestamp),
    ("DOC-version", "version of the document", document_version),
    ("DOC-format", "data format", format),
    ("DOC-context", "generation context", context),
    ("DOC-signature", "signature", signature),
    ("CMP-name", "name of the component", model_name),
    ("CMP-version", "version of the component", model_version),
    ("CMP-producer", "producer of the component", producer),
    ("CMP-identifier", "identifier of the component", identifier),
    ("CMP-hash", "hash of the component", hash),
    ("CMP-hash-algorithm", "hash algorithm", algorithm),
    ("CMP-licence", "licence of the component", licence),
    ("REL-dependency", "dependency relationships", dependencies),
    ("REL-coverage", "what is and is not covered", coverage),
];

pub(super) static ANNEX_IV: &[Row] = &[
    ("1-a-purpose", "intended purpose", application_area),
    ("1-a-provider", "provider", producer),
    ("1-a-version", "version, and relation to earlier ones", |view| model_version(view)),
    ("1-b", "interaction with other software and hardware", dependencies),
    ("1-c", "versions of software", software),
    ("1-d", "forms in which it is placed on the market", distribution),
    ("1-e", "hardware it runs on", hardware),
    ("2-a", "how it was made; pre-trained parts of others", |view| {
        view.unless_disputed(any([training(view), lineage(view)].into_iter()), &[BaseModel])
    }),
    ("2-b", "design: general logic", |view| {
        any([architecture(view), view.property("alnage:system:dataFlow")].into_iter())
    }),
    ("2-c", "architecture, computing resources", |view| architecture(view).min(hardware(view))),
    ("2-d-provenance", "data: provenance", |view| {
        any([dataset_provenance(view), dataset_url(view)].into_iter())
    }),
    ("2-d-scope", "data: scope and main characteristics", dataset_size),
    ("2-d-selection", "data: how it was obtained and selected", |view| {
        view.dataset_detail(|dataset| dataset.collection.as_ref())
    }),
    ("2-g", "validation and testing: data and metrics", |view| metrics(view)),
    ("2-h", "cybersecurity measures", controls),
    ("3-limits", "capabilities and limitations", limitations),
    ("4", "why the metrics are appropriate", |view| {
        let slices = view.details.into_iter().flat_map(|details| &details.metrics);
        any(slices
            .filter(|metric| metric.value.slice.is_some())
            .map(|metric| super::view::status(&metric.sources)))
    }),
    ("5", "risk management", |view| {
        any([view.details(|details| &details.ethics), view.link(&["risk-assessment"])].into_iter())
    }),
    ("7", "standards applied", |view| view.property("alnage:compliance")),
    ("9", "plan for monitoring after placing on the market", |view| {
        view.property("alnage:system:monitoring")
    }),
];

pub(super) static ANNEX_XI: &[Row] = &[
    ("1-1-a", "tasks it is intended for", |view| {
        any([view.detail(|details| details.task.as_ref()), view.details(|details| &details.uses)].into_iter())
    }),
    ("1-1-b", "acceptable use policies", |view| view.property("alnage:policy:acceptableUse")),
    ("1-1-c-date", "date of release", release),
    ("1-1-c-distribution", "methods of distribution", distribution),
    ("1-1-d-architecture", "architecture", architecture),
    ("1-1-d-parameters", "number of parameters", parameter_count),
    ("1-1-e", "modality and format of inputs and outputs", inputs_and_outputs),
    ("1-1-f", "licence", licence),
    ("1-2-a", "technical means needed for integration", software),
    ("1-2-b", "design and training process", training),
    ("1-2-c-type", "data: type", |view| view.dataset_detail(|dataset| dataset.content.as_ref())),
    ("1-2-c-provenance", "data: provenance", |view| {
        any([dataset_provenance(view), dataset_url(view)].into_iter())
    }),
    ("1-2-c-size", "data: number of points", dataset_size),
    ("1-2-c-bias", "data: measures against bias", |view| {
        view.dataset_detail(|dataset| dataset.bias.as_ref())
    }),
    ("1-2-d", "computing resources", hardware),
    ("1-2-e", "energy consumption", energy),
];

pub(super) static ANNEX_XII: &[Row] = &[
    ("1-a", "tasks it is intended for", |view| {
        any([view.detail(|details| details.task.as_ref()), view.details(|details| &details.uses)].into_iter())
    }),
    ("1-b", "acceptable use policies", |view| view.property("alnage:policy:acceptableUse")),
    ("1-c-date", "date of release", release),
    ("1-c-distribution", "methods of distribution", distribution),
    ("1-d", "interaction with hardware and software", dependencies),
    ("1-e", "versions of software", software),
    ("1-f-architecture", "architecture", architecture),
    ("1-f-parameters", "number of parameters", parameter_count),
    ("1-g", "modality and format of inputs and outputs", inputs_and_outputs),
    ("1-h", "licence", licence),
    ("2-a", "technical means needed for integration", software),
    ("2-b", "maximum size of inputs and outputs", context_length),
    ("2-c", "data: type and provenance", |view| {
        let kind = view.dataset_detail(|dataset| dataset.content.as_ref());
        kind.min(any([dataset_provenance(view), dataset_url(view)].into_iter()))
    }),
    ("2-d", "limitations", |view| text(view.details.and_then(|details| details.limitations.first()))),
];
