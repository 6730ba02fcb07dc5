//! Whether bytes are an ONNX model. Protobuf has no magic number, so the fields must make sense.

use alnage_types::{Budget, Meter, Reader};

use crate::{Field, Message, Probe, Value};

/// More fields than this at the top are not looked at: a model has one graph and few functions.
const MAX_FIELDS: u64 = 20_000;

/// Whether a reader of ONNX would take the bytes: the whole top level is well-formed protobuf, it has a graph, the
/// fields that are known have the types they should, and the graph has nodes or outputs.
pub(super) fn identify(probe: &Probe<'_>) -> bool {
    // A tag of a known field, or of one that readers skip, stands first; text and most magic numbers do not.
    if probe.len() < 8 {
        return false;
    }
    let mut reader = probe.reader();
    let mut meter = Meter::new(Budget { max_steps: MAX_FIELDS, ..Budget::default() });
    let mut model = Message::whole(&reader);
    let (mut graph, mut evidence) = (None, false);
    loop {
        match model.next(&mut reader, &mut meter) {
            Ok(Some(field)) => {
                if !fits_model(&field) {
                    return false;
                }
                match field.number {
                    7 => graph = graph.or(field.message()),
                    1 => evidence |= matches!(field.varint(), Some(1..=0xffff)),
                    8 => evidence = true,
                    _ => {}
                }
            }
            Ok(None) => break,
            // A damaged tail under the right name is still meant as a model.
            Err(_) if probe.extension() == Some("onnx") => break,
            Err(_) => return false,
        }
    }
    evidence && graph.is_some_and(|graph| is_graph(graph, &mut reader, &mut meter))
}

/// Whether a field of the top level has the wire type its number asks for.
fn fits_model(field: &Field) -> bool {
    match field.number {
        1 | 5 => matches!(field.value, Value::Varint(_)),
        2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26 => matches!(field.value, Value::Bytes(_)),
        _ => true,
    }
}

fn is_graph(mut graph: Message, reader: &mut Reader<'_>, meter: &mut Meter) -> bool {
    while let Ok(Some(field)) = graph.next(reader, meter) {
        let Some(mut message) = field.message() else { return false };
        // A node has an operator's name in field 4, an output has its own in field 1.
        let name = match field.number {
            1 => 4,
            12 => 1,
            _ => continue,
        };
        while let Ok(Some(inner)) = message.next(reader, meter) {
            if inner.number == name {
                return inner.text(reader, 256).is_some_and(|text| is_name(&text));
            }
        }
        return false;
    }
    false
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER) && !text.chars().any(char::is_control)
}
