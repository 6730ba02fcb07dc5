//! Walks a model in file order with an explicit stack: graphs in attributes of nodes in graphs, as deep as they go.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use alnage_types::{Exhausted, IssueKind, Reader, Source};

use super::{
    ExternalTensor, GraphValue, NodeCarried, OnnxFacts, OperatorName, OperatorUse, Opset, strings,
    tensor::{self, Tensor, entry},
};
use crate::{
    Context, Field, Message, WireCause, WireEnd,
    tensor::{
        embedded,
        layout::{self, MAX_FAULTS},
        summary::{self, shortened},
    },
};

/// Readers give up far earlier: protobuf's own limit is a hundred.
const MAX_DEPTH: usize = 1000;
const MAX_TEXT: u64 = 1024;
/// Steps that a nested message costs beyond its fields: what is kept of it is allocated and compared.
const PART_COST: u64 = 12;
/// How many of a kind stand in the record.
const MAX_SHOWN: usize = 256;

/// A message that is being read.
struct Frame {
    message: Message,
    range: Range<u64>,
    part: Part,
}

/// What a message is.
enum Part {
    Model,
    Graph {
        /// Whether it is the model's own graph, no attribute of a node.
        main: bool,
    },
    Node(Node),
    Attribute {
        name: String,
        strings: Vec<Range<u64>>,
    },
    Tensor(Box<Tensor>),
    SparseTensor,
    Function(OperatorName),
    Training,
}

/// A node as it is read.
#[derive(Default)]
struct Node {
    operator: OperatorName,
    strings: Vec<(String, Range<u64>)>,
}

/// Everything that grows during the walk.
struct Walk<'a, 'b> {
    source: &'a Arc<dyn Source>,
    reader: Reader<'a>,
    context: &'a mut Context<'b>,
    facts: OnnxFacts,
    operators: BTreeMap<OperatorName, (u64, u64)>,
    functions: BTreeSet<OperatorName>,
    external: Vec<ExternalTensor>,
    unknown: Vec<Range<u64>>,
}

/// Reads the whole model.
pub(super) fn walk(source: &Arc<dyn Source>, context: &mut Context<'_>) -> OnnxFacts {
    let mut walk = Walk {
        source,
        reader: Reader::new(source.as_ref()),
        context,
        facts: OnnxFacts::default(),
        operators: BTreeMap::new(),
        functions: BTreeSet::new(),
        external: Vec::new(),
        unknown: Vec::new(),
    };
    let end = walk.run();
    match end {
        Ok(()) => walk.claim(),
        Err(end) => end.report(walk.context, "the model"),
    }
    walk.into_facts()
}

impl Walk<'_, '_> {
    fn run(&mut self) -> Result<(), WireEnd> {
        let whole = 0..self.reader.len();
        let mut stack = vec![Frame { message: Message::new(whole.clone()), range: whole, part: Part::Model }];
        while let Some(frame) = stack.last_mut() {
            let Some(field) = frame.message.next(&mut self.reader, self.context.meter())? else {
                if let Some(done) = stack.pop() {
                    self.finish(done, stack.last_mut());
                }
                continue;
            };
            let Some(part) = self.take(&mut frame.part, &field)? else { continue };
            let Some(range) = field.bytes() else { continue };
            if stack.len() >= MAX_DEPTH {
                let message = "graphs nest deeper than any reader goes";
                self.context.issue(IssueKind::Malformed, field.start, message);
                continue;
            }
            self.context
                .meter()
                .step(PART_COST)
                .map_err(|limit| WireEnd { offset: field.start, cause: WireCause::Exhausted(limit) })?;
            stack.push(Frame { message: Message::new(range.clone()), range, part });
        }
        Ok(())
    }

    /// Takes a field of `part`; gives the part that the field is, when it is one to walk into.
    fn take(&mut self, part: &mut Part, field: &Field) -> Result<Option<Part>, WireEnd> {
        Ok(match part {
            Part::Model => return self.take_model(field),
            Part::Graph { main } => match field.number {
                11 | 12 if *main => {
                    self.take_value(field)?;
                    None
                }
                1 => Some(Part::Node(Node::default())),
                2 if self.facts.graph_name.is_empty() => {
                    self.facts.graph_name = self.text(field);
                    None
                }
                5 => Some(Part::Tensor(Box::default())),
                15 => Some(Part::SparseTensor),
                2 | 10..=14 | 16 => None,
                _ => self.unknown(field),
            },
            Part::Node(node) => match field.number {
                4 => {
                    node.operator.name = self.text(field);
                    None
                }
                5 => Some(Part::Attribute { name: String::new(), strings: Vec::new() }),
                7 => {
                    node.operator.domain = self.text(field);
                    None
                }
                1..=10 => None,
                _ => self.unknown(field),
            },
            Part::Attribute { name, strings } => match field.number {
                1 => {
                    *name = self.text(field);
                    None
                }
                4 | 9 => {
                    strings.extend(field.bytes().filter(|range| range.end - range.start >= 8));
                    None
                }
                5 | 10 => Some(Part::Tensor(Box::default())),
                6 | 11 => {
                    self.facts.subgraphs += 1;
                    Some(Part::Graph { main: false })
                }
                22 | 23 => Some(Part::SparseTensor),
                2 | 3 | 7 | 8 | 13 | 14 | 15 | 20 | 21 => None,
                _ => self.unknown(field),
            },
            Part::Tensor(tensor) => {
                tensor.take(field, &mut self.reader, self.context.meter())?;
                if matches!(field.number, 1..=14 | 16) { None } else { self.unknown(field) }
            }
            Part::SparseTensor => match field.number {
                1 | 2 => Some(Part::Tensor(Box::default())),
                3 => None,
                _ => self.unknown(field),
            },
            Part::Function(function) => match field.number {
                1 => {
                    function.name = self.text(field);
                    None
                }
                10 => {
                    function.domain = self.text(field);
                    None
                }
                7 => Some(Part::Node(Node::default())),
                11 => Some(Part::Attribute { name: String::new(), strings: Vec::new() }),
                4..=14 => None,
                _ => self.unknown(field),
            },
            Part::Training => match field.number {
                1 | 2 => {
                    self.facts.subgraphs += 1;
                    Some(Part::Graph { main: false })
                }
                3 | 4 => None,
                _ => self.unknown(field),
            },
        })
    }

    fn take_model(&mut self, field: &Field) -> Result<Option<Part>, WireEnd> {
        match field.number {
            1 => self.facts.ir_version = field.varint().unwrap_or(0),
            2 => self.facts.producer_name = self.text(field),
            3 => self.facts.producer_version = self.text(field),
            4 => self.facts.domain = self.text(field),
            5 | 6 | 26 => {}
            7 => return Ok(Some(Part::Graph { main: true })),
            8 => self.take_opset(field)?,
            14 => self.take_metadata(field)?,
            20 => {
                self.facts.training = true;
                return Ok(Some(Part::Training));
            }
            25 => return Ok(Some(Part::Function(OperatorName::default()))),
            _ => return Ok(self.unknown(field)),
        }
        Ok(None)
    }

    fn take_opset(&mut self, field: &Field) -> Result<(), WireEnd> {
        let Some(mut message) = field.message() else { return Ok(()) };
        let mut opset = Opset { domain: String::new(), version: 0 };
        while let Some(field) = message.next(&mut self.reader, self.context.meter())? {
            match field.number {
                1 => opset.domain = shortened(&self.text(&field)),
                2 => opset.version = field.varint().unwrap_or(0),
                _ => {}
            }
        }
        if self.facts.opsets.len() < MAX_SHOWN {
            self.facts.opsets.push(opset);
        }
        Ok(())
    }

    /// An input or output of the model: its name, element type and dimensions.
    fn take_value(&mut self, field: &Field) -> Result<(), WireEnd> {
        const MAX_DIMENSIONS: usize = 16;
        let Some(message) = field.message() else { return Ok(()) };
        let mut value = GraphValue { span: (field.start, message.end()), ..GraphValue::default() };
        // ValueInfoProto holds a TypeProto, which holds a tensor type, which holds a shape of dimensions.
        let mut open = vec![(message, 0_u8)];
        while let Some((message, depth)) = open.last_mut() {
            let depth = *depth;
            let Some(field) = message.next(&mut self.reader, self.context.meter())? else {
                open.pop();
                continue;
            };
            match (depth, field.number) {
                (0, 1) => value.name = shortened(&self.text(&field)),
                (2, 1) => value.element = tensor::type_name(field.varint().unwrap_or(0)),
                (4, 1) if value.shape.len() < MAX_DIMENSIONS => {
                    value.shape.push(field.varint().unwrap_or(0).to_string());
                }
                (4, 2) if value.shape.len() < MAX_DIMENSIONS => {
                    value.shape.push(shortened(&self.text(&field)))
                }
                (0, 2) | (1, 1) | (2, 2) | (3, 1) => {
                    open.extend(field.message().map(|message| (message, depth + 1)));
                }
                _ => {}
            }
        }
        let values = if field.number == 11 { &mut self.facts.inputs } else { &mut self.facts.outputs };
        if values.len() < MAX_SHOWN {
            values.push(value);
        }
        Ok(())
    }

    fn take_metadata(&mut self, field: &Field) -> Result<(), WireEnd> {
        let Some(message) = field.message() else { return Ok(()) };
        let (key, value) = entry(message.clone(), &mut self.reader, self.context.meter())?;
        let at = field.bytes().unwrap_or(field.start..field.start);
        summary::keep_entry(&mut self.facts.metadata, &key, &value, at);
        let mut message = message;
        while let Some(field) = message.next(&mut self.reader, self.context.meter())? {
            if let (2, Some(range)) = (field.number, field.bytes()) {
                let place = format!("metadata_props.{key}");
                let carried = &mut self.facts.carried;
                strings::look(&place, &range, self.source, &mut self.reader, carried, self.context);
            }
        }
        Ok(())
    }

    /// A message is read to its end.
    fn finish(&mut self, frame: Frame, parent: Option<&mut Frame>) {
        let Frame { range, part, .. } = frame;
        match part {
            Part::Node(node) => self.finish_node(node, range),
            Part::Attribute { name, strings } => {
                if let Some(Frame { part: Part::Node(node), .. }) = parent {
                    node.strings.extend(strings.into_iter().map(|range| (name.clone(), range)));
                } else {
                    strings.iter().for_each(|range| self.look(&name, range));
                }
            }
            Part::Tensor(tensor) => self.finish_tensor(&tensor, range),
            Part::Function(function) => {
                if self.facts.functions.len() < MAX_SHOWN {
                    let (domain, name) = (shortened(&function.domain), shortened(&function.name));
                    self.facts.functions.push(OperatorName { domain, name });
                }
                self.functions.insert(function);
            }
            Part::Model | Part::Graph { .. } | Part::SparseTensor | Part::Training => {}
        }
    }

    fn finish_node(&mut self, node: Node, range: Range<u64>) {
        self.facts.nodes += 1;
        for (attribute, at) in &node.strings {
            let place = format!("{}.{attribute}", shortened(&node.operator.name));
            let mut carried = Vec::new();
            strings::look(&place, at, self.source, &mut self.reader, &mut carried, self.context);
            for carried in carried {
                if self.facts.carried_by_nodes.len() < MAX_FAULTS {
                    let operator = node.operator.clone();
                    self.facts.carried_by_nodes.push(NodeCarried { operator, carried });
                }
            }
        }
        if let Some((count, _)) = self.operators.get_mut(&node.operator) {
            *count += 1;
        } else if (self.operators.len() as u64) < self.context.meter().budget().max_nodes {
            self.operators.insert(node.operator, (1, range.start));
        } else {
            self.context.exhausted(Exhausted { limit: "max-nodes" }, range.start);
        }
    }

    fn finish_tensor(&mut self, tensor: &Tensor, range: Range<u64>) {
        let (name, elements, bytes) = tensor.size();
        self.facts.tensors += 1;
        self.facts.parameters = self.facts.parameters.saturating_add(elements);
        summary::add_to(&mut self.facts.dtypes, name, elements, bytes.unwrap_or(0));
        if let Some(fault) = tensor.fault(range.clone())
            && self.facts.tensor_faults.len() < MAX_FAULTS
        {
            self.facts.tensor_faults.push(fault);
        }
        if let Some(external) = tensor.external(range.clone()) {
            self.facts.external_tensors += 1;
            let file = shortened(&external.location);
            let files = &mut self.facts.external_files;
            if files.len() < MAX_SHOWN && !files.contains(&file) {
                files.push(file);
            }
            if (self.external.len() as u64) < self.context.meter().budget().max_nodes {
                self.external.push(external);
            } else {
                self.context.exhausted(Exhausted { limit: "max-nodes" }, range.start);
            }
        }
        if let Some(payload) = tensor.payload() {
            let carried = &mut self.facts.carried;
            embedded::look_at_tensor(
                &layout::quoted(tensor.name()),
                payload,
                self.source,
                carried,
                self.context,
            );
        }
        for at in &tensor.strings {
            self.look(&layout::quoted(tensor.name()), at);
        }
    }

    fn look(&mut self, place: &str, range: &Range<u64>) {
        let carried = &mut self.facts.carried;
        strings::look(place, range, self.source, &mut self.reader, carried, self.context);
    }

    fn text(&mut self, field: &Field) -> String {
        field.text(&mut self.reader, MAX_TEXT).unwrap_or_default()
    }

    /// A field that the schema does not know: readers skip it, so it is nobody's.
    fn unknown(&mut self, field: &Field) -> Option<Part> {
        const MAX_UNKNOWN: usize = 10_000;
        if let Some(range) = field.bytes()
            && self.unknown.len() < MAX_UNKNOWN
        {
            self.unknown.push(range);
        }
        None
    }

    /// Claims everything but the fields that the schema does not know.
    fn claim(&mut self) {
        let mut start = 0;
        for range in std::mem::take(&mut self.unknown) {
            self.context.claim(start..range.start);
            start = range.end;
        }
        self.context.claim(start..self.reader.len());
    }

    fn into_facts(mut self) -> OnnxFacts {
        let functions = &self.functions;
        let operators = self.operators.into_iter().map(|(operator, (count, offset))| {
            let defined_in_model = functions.contains(&operator);
            OperatorUse { operator, count, offset, defined_in_model }
        });
        self.facts.all_operators = operators.collect();
        let shown = self.facts.all_operators.iter().take(MAX_SHOWN).map(|operator| OperatorUse {
            operator: OperatorName {
                domain: shortened(&operator.operator.domain),
                name: shortened(&operator.operator.name),
            },
            ..operator.clone()
        });
        self.facts.operators = shown.collect();
        self.facts.external = self.external.into();
        for text in [
            &mut self.facts.producer_name,
            &mut self.facts.producer_version,
            &mut self.facts.domain,
            &mut self.facts.graph_name,
        ] {
            *text = shortened(text);
        }
        self.facts
    }
}
