//! Core ML models and Paddle programs: protobuf in which the kinds of layers and operations are what matters.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use alnage_types::{Reader, Source};
use serde::Serialize;

use super::{
    FrameworkFacts,
    proto::{Allowed::*, Shape},
    text::short,
};
use crate::{
    Context, Facts, Format, LoadEffect,
    wire::{Field, Message},
};

pub(super) static CORE_ML: Format = Format {
    id: "core-ml",
    title: "Core ML",
    extensions: &["mlmodel"],
    load_effect: LoadEffect::MayExecute,
    reads: "custom layers and models, operations of ML programs, weight files and linked models they name, nested models of pipelines",
    cannot: "what the native classes of custom layers do",
    identify: |probe| is_core_ml(probe.source),
    parse: |source, context| parse(source, context, Level::Model),
};

pub(super) static PADDLE: Format = Format {
    id: "paddle-program",
    title: "Paddle program",
    extensions: &["pdmodel"],
    load_effect: LoadEffect::MayExecute,
    reads: "every operation of every block",
    cannot: "what Python functions do that the program calls by number",
    identify: |probe| is_paddle(probe.source),
    parse: |source, context| parse(source, context, Level::Program),
};

/// What a model of layers or operations is made of.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GraphFacts {
    /// How many layers or operations there are of each kind that is known by name; at most 1024 kinds.
    pub operations: BTreeMap<String, u64>,
    /// Layers and models whose code is a native class of the application, with byte offset; at most 256.
    pub custom: Vec<(String, u64)>,
    /// Files that hold weights or linked models; at most 256.
    pub files: Vec<String>,
}

fn is_core_ml(source: &dyn Source) -> bool {
    let allowed = [Number(1..=1), Bytes(2..=2), Number(10..=10), Bytes(200..=3000)];
    let Some(top) = Shape::whole(source, 64, &allowed) else { return false };
    top.varint(1).is_some_and(|version| (1..100).contains(&version))
        && (200..=3000).any(|number| top.has(number))
}

fn is_paddle(source: &dyn Source) -> bool {
    let Some(top) = Shape::whole(source, 64, &[Bytes(1..=5)]) else { return false };
    let block = |block: Shape| {
        let operation = |shape: Shape| {
            let is_word =
                |name: String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            shape.name(source, 3).is_some_and(is_word)
        };
        let called = || block.inner(source, 4, 256, &[Bytes(1..=4), Number(5..=5)]);
        block.has(1) && (called().is_some_and(operation) || block.has(3) && block.has(2) && !block.has(4))
    };
    top.inner(source, 1, 4096, &[Number(1..=2), Bytes(3..=4), Number(5..=5)]).is_some_and(block)
}

/// A message still to be walked.
#[derive(Clone, Copy)]
enum Level {
    /// Core ML.
    Model,
    Pipeline,
    PipelineOf,
    Network,
    Layer,
    CustomModel,
    Linked,
    LinkedFile,
    LinkedName,
    MilProgram,
    MilFunctionEntry,
    MilFunction,
    MilBlockEntry,
    MilBlock,
    MilOperation,
    MilAttribute,
    MilValue,
    MilBlob,
    /// Paddle.
    Program,
    Block,
    Operation,
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>, level: Level) -> Facts {
    let mut facts = GraphFacts::default();
    let mut reader = Reader::new(source.as_ref());
    let mut stack = vec![(Message::new(0..source.len()), level)];
    while let Some((message, level)) = stack.last_mut() {
        match message.next(&mut reader, context.meter()) {
            Ok(Some(field)) => {
                let level = *level;
                if let (Some(inner), Some(next)) =
                    (field.message(), step(level, &field, &mut reader, &mut facts))
                {
                    stack.push((inner, next));
                }
            }
            Ok(None) => _ = stack.pop(),
            Err(end) => {
                end.report(context, "a model graph");
                stack.pop();
            }
        }
        if stack.len() > 4096 {
            context.issue(alnage_types::IssueKind::Budget, None, "messages are nested too deep");
            break;
        }
    }
    context.claim(0..source.len());
    Facts::Framework(Box::new(FrameworkFacts::Graph(facts)))
}

/// What the message of a field is, when it is walked; names are taken on the way.
fn step(level: Level, field: &Field, reader: &mut Reader<'_>, facts: &mut GraphFacts) -> Option<Level> {
    const MAX_LISTED: usize = 256;
    let mut custom = |name: String| {
        if facts.custom.len() < MAX_LISTED {
            facts.custom.push((short(&name, 256), field.start));
        }
    };
    match (level, field.number) {
        (Level::Model, 200 | 201) => Some(Level::PipelineOf),
        (Level::PipelineOf, 1) => Some(Level::Pipeline),
        (Level::Model, 202) => Some(Level::Pipeline),
        (Level::Pipeline, 1) => Some(Level::Model),
        (Level::Model, 303 | 403 | 500) => Some(Level::Network),
        (Level::Model, 502) => Some(Level::MilProgram),
        (Level::Model, 555) => Some(Level::CustomModel),
        (Level::Model, 556) => Some(Level::Linked),
        (Level::Linked, 1) => Some(Level::LinkedFile),
        (Level::LinkedFile, 1 | 2) => Some(Level::LinkedName),
        (Level::Network, 1) => Some(Level::Layer),
        (Level::Layer, 500) => {
            custom(format!("layer {}", first_text(field.bytes()?, 10, reader).unwrap_or_default()));
            None
        }
        (Level::CustomModel, 10) => {
            custom(format!("model {}", field.text(reader, 256).unwrap_or_default()));
            None
        }
        (Level::MilProgram, 2) => Some(Level::MilFunctionEntry),
        (Level::MilFunctionEntry, 2) => Some(Level::MilFunction),
        (Level::MilFunction, 3) => Some(Level::MilBlockEntry),
        (Level::MilBlockEntry, 2) => Some(Level::MilBlock),
        (Level::MilBlock, 3) => Some(Level::MilOperation),
        (Level::MilOperation, 1) | (Level::Operation, 3) => {
            let name = short(&field.text(reader, 128)?, 128);
            if facts.operations.len() < 1024 || facts.operations.contains_key(&name) {
                *facts.operations.entry(name).or_insert(0) += 1;
            }
            None
        }
        (Level::MilOperation, 4) => Some(Level::MilBlock),
        (Level::MilOperation, 5) => Some(Level::MilAttribute),
        (Level::MilAttribute, 2) => Some(Level::MilValue),
        (Level::MilValue, 5) => Some(Level::MilBlob),
        (Level::MilBlob | Level::LinkedName, 1) => {
            let file = short(&field.text(reader, 1024)?, 1024);
            if facts.files.len() < MAX_LISTED && !facts.files.contains(&file) {
                facts.files.push(file);
            }
            None
        }
        (Level::Program, 1) => Some(Level::Block),
        (Level::Block, 4) => Some(Level::Operation),
        _ => None,
    }
}

/// The first text with this number in a message.
fn first_text(range: Range<u64>, number: u32, reader: &mut Reader<'_>) -> Option<String> {
    let mut message = Message::new(range);
    let mut meter = alnage_types::Meter::new(alnage_types::Budget { max_steps: 1024, ..Default::default() });
    while let Ok(Some(field)) = message.next(reader, &mut meter) {
        if field.number == number {
            return field.text(reader, 256);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn damaged_files_are_survived() {
        use testkit::framework::{protobuf_bytes, protobuf_number};
        let layer = [protobuf_bytes(1, b"l"), protobuf_bytes(500, &protobuf_bytes(10, b"Custom"))].concat();
        let network = protobuf_bytes(500, &protobuf_bytes(1, &layer));
        let model = [protobuf_number(1, 4), network].concat();
        super::super::mutation::survive("m.mlmodel", &model, 3000);
        let operation = protobuf_bytes(4, &protobuf_bytes(3, b"py_func"));
        let program = protobuf_bytes(1, &[protobuf_number(1, 0), operation].concat());
        super::super::mutation::survive("m.pdmodel", &program, 3000);
    }
}
