//! Rules about Keras, HDF5, TensorFlow and the other frameworks' files.

use alnage_formats::{Artifact, Facts, Model, framework::FrameworkFacts};

use crate::Rule;

mod compiled_program;
mod core_ml_custom;
mod fasttext_counts;
mod hdf5_external_link;
mod hdf5_external_storage;
mod hdf5_user_defined_link;
mod hdf5_virtual_dataset;
mod keras_custom_class;
mod keras_dangerous_reference;
mod keras_file_access;
mod keras_foreign_reference;
mod keras_gadget;
mod keras_lambda;
mod keras_nested_pickle;
mod keras_tensorflow_function;
mod llamafile_program;
mod msgpack_carried;
mod msgpack_extension;
mod openvino_extension;
mod paddle_operation;
mod paths;
mod python_modules;
mod r_call;
mod r_functions;
mod r_promise;
mod r_startup_hook;
mod skops_node;
mod tensorflow_custom_operation;
mod tensorflow_effect;
mod tflite_custom_operation;
mod tflite_tensor_size;
mod torch7_code;
mod xgboost_code_like;
mod xml_code_like;
mod xml_entity_expansion;
mod xml_external_entity;

#[cfg(test)]
mod tests;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &keras_lambda::RULE,
    &keras_nested_pickle::RULE,
    &keras_dangerous_reference::RULE,
    &keras_foreign_reference::RULE,
    &keras_gadget::RULE,
    &keras_file_access::RULE,
    &keras_tensorflow_function::RULE,
    &keras_custom_class::RULE,
    &hdf5_external_link::RULE,
    &hdf5_external_storage::RULE,
    &hdf5_virtual_dataset::RULE,
    &hdf5_user_defined_link::RULE,
    &tensorflow_effect::RULE,
    &tensorflow_custom_operation::RULE,
    &skops_node::RULE,
    &xgboost_code_like::RULE,
    &xml_external_entity::RULE,
    &xml_entity_expansion::RULE,
    &xml_code_like::RULE,
    &openvino_extension::RULE,
    &msgpack_extension::RULE,
    &msgpack_carried::RULE,
    &torch7_code::RULE,
    &core_ml_custom::RULE,
    &paddle_operation::RULE,
    &llamafile_program::RULE,
    &tflite_custom_operation::RULE,
    &tflite_tensor_size::RULE,
    &fasttext_counts::RULE,
    &compiled_program::RULE,
    &r_promise::RULE,
    &r_call::RULE,
    &r_startup_hook::RULE,
];

/// The artifacts with facts of this family.
fn facts(model: &Model) -> impl Iterator<Item = (&Artifact, &FrameworkFacts)> {
    model.artifacts.iter().filter_map(|artifact| match &artifact.facts {
        Facts::Framework(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

/// The artifacts whose facts `pick` takes.
fn only<'a, T: 'a>(
    model: &'a Model,
    pick: impl Fn(&'a FrameworkFacts) -> Option<&'a T>,
) -> impl Iterator<Item = (&'a Artifact, &'a T)> {
    facts(model).filter_map(move |(artifact, facts)| Some((artifact, pick(facts)?)))
}

/// The Keras configurations.
fn keras(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::KerasFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Keras(facts) => Some(facts),
        _ => None,
    })
}

/// The HDF5 files.
fn hdf5(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::Hdf5Facts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Hdf5(facts) => Some(facts),
        _ => None,
    })
}

/// The TensorFlow graphs.
fn tensorflow(
    model: &Model,
) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::TensorFlowFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::TensorFlow(facts) => Some(facts),
        _ => None,
    })
}

/// The skops schemas.
fn skops(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::SkopsFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Skops(facts) => Some(facts),
        _ => None,
    })
}

/// The XGBoost models.
fn xgboost(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::XgboostFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Xgboost(facts) => Some(facts),
        _ => None,
    })
}

/// The XML documents.
fn xml(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::XmlFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Xml(facts) => Some(facts),
        _ => None,
    })
}

/// The MessagePack files.
fn msgpack(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::MsgpackFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Msgpack(facts) => Some(facts),
        _ => None,
    })
}

/// The Torch7 files.
fn torch7(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::Torch7Facts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Torch7(facts) => Some(facts),
        _ => None,
    })
}

/// The TensorFlow Lite models.
fn tflite(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::TfliteFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Tflite(facts) => Some(facts),
        _ => None,
    })
}

/// The fastText models.
fn fasttext(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::FastTextFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::FastText(facts) => Some(facts),
        _ => None,
    })
}

/// The objects and workspaces of R.
fn r(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::RFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::R(facts) => Some(facts),
        _ => None,
    })
}

/// The Core ML models and Paddle programs.
fn graph(model: &Model) -> impl Iterator<Item = (&Artifact, &alnage_formats::framework::GraphFacts)> {
    only(model, |facts| match facts {
        FrameworkFacts::Graph(facts) => Some(facts),
        _ => None,
    })
}

/// Text of a file as it may stand in a message: one line, escaped, at most `max` characters.
fn quote(text: &str, max: usize) -> String {
    let escaped: String = text.escape_debug().collect();
    match escaped.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}
