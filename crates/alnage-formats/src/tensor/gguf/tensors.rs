//! The tensor table and where its tensors lie.

use std::{collections::HashSet, ops::Range};

use alnage_types::ReadEnd;

use super::{
    GgufFacts, GgufFaultKind,
    cursor::{Cursor, Stop},
    element,
};
use crate::{
    Context,
    tensor::{
        LayoutFaultKind, TensorSummary,
        layout::{self, MAX_FAULTS, Placed},
        summary,
    },
};

/// ggml has room for so many dimensions and name bytes.
const MAX_DIMENSIONS: u32 = 4;
const MAX_NAME: usize = 63;
/// A hostile table can declare any number of dimensions; so many are kept.
const MAX_KEPT: u32 = 16;
/// Steps that a tensor costs: all that is declared of it is kept. Real models have some thousands.
const TENSOR_COST: u64 = 100;

/// A tensor as the table declares it.
struct Declared {
    name: String,
    shape: Vec<u64>,
    kind: u32,
    offset: u64,
    entry: Range<u64>,
}

/// Reads the table and checks where the tensors lie.
pub(super) fn read(
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    let mut tensors = Vec::new();
    let table = table(&mut tensors, cursor, facts, context);
    let header_end = cursor.position();
    if table.is_ok() {
        find_repeated(&tensors, facts);
        let data_start = header_end.checked_next_multiple_of(facts.alignment).unwrap_or(u64::MAX);
        context.claim(0..data_start);
        lay_out(&tensors, data_start, cursor, facts, context)?;
    }
    take_summary(tensors, facts);
    table
}

fn table(
    tensors: &mut Vec<Declared>,
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    const MAX_NAME_READ: u64 = 64 << 10;
    for _ in 0..facts.tensor_count {
        if tensors.len() as u64 >= context.meter().budget().max_nodes {
            return Err(Stop::Exhausted(alnage_types::Exhausted { limit: "max-nodes" }));
        }
        context.meter().step(TENSOR_COST)?;
        let start = cursor.position();
        let name = cursor.text("the length of a tensor's name", MAX_NAME_READ, context.meter())?;
        let at = cursor.position();
        let dimensions = cursor.u32()?;
        cursor.check("the number of a tensor's dimensions", dimensions.into(), cursor.count_width(), at)?;
        let kept = dimensions.min(MAX_KEPT);
        let mut shape = Vec::new();
        for _ in 0..kept {
            shape.push(cursor.count()?);
        }
        cursor.reader.skip(u64::from(dimensions - kept) * cursor.count_width())?;
        let kind = cursor.u32()?;
        let offset = cursor.u64()?;
        let entry = start..cursor.position();
        if dimensions > MAX_DIMENSIONS {
            let detail = format!("`{}` has {dimensions} dimensions", layout::quoted(&name));
            facts.fault(GgufFaultKind::TooManyDimensions, detail, entry.clone());
        }
        if name.len() > MAX_NAME {
            facts.fault(GgufFaultKind::LongTensorName, layout::quoted(&name), entry.clone());
        }
        tensors.push(Declared { name, shape, kind, offset, entry });
    }
    Ok(())
}

fn find_repeated(tensors: &[Declared], facts: &mut GgufFacts) {
    let mut names = HashSet::new();
    for tensor in tensors {
        if !names.insert(tensor.name.as_str()) {
            facts.fault(GgufFaultKind::RepeatedTensor, layout::quoted(&tensor.name), tensor.entry.clone());
        }
    }
}

/// Claims the tensors' bytes and reports what does not lie as it should.
fn lay_out(
    tensors: &[Declared],
    data_start: u64,
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    let file_end = cursor.reader.len();
    let mut faults = Vec::new();
    let mut placed = Vec::new();
    let mut all_sizes_known = true;
    for tensor in tensors {
        let mut fault = |kind, detail: String| {
            if faults.len() < MAX_FAULTS {
                faults.push(layout::fault(kind, &tensor.name, detail, tensor.entry.clone()));
            }
        };
        let Some(element) = element::element_type(tensor.kind) else {
            fault(LayoutFaultKind::UnknownType, format!("type {}", tensor.kind));
            all_sizes_known = false;
            continue;
        };
        let Some(block) = element.block else {
            all_sizes_known = false;
            continue;
        };
        let Some(size) = size(&tensor.shape, block) else {
            fault(LayoutFaultKind::Overflow, format!("shape {:?} of {}", tensor.shape, element.name));
            all_sizes_known = false;
            continue;
        };
        if tensor.shape.first().is_some_and(|row| !row.is_multiple_of(block.0)) {
            let detail = format!("rows of {:?} in blocks of {}", tensor.shape.first(), block.0);
            fault(LayoutFaultKind::SizeMismatch, detail);
        }
        if !tensor.offset.is_multiple_of(facts.alignment) {
            fault(LayoutFaultKind::Misaligned, format!("offset {}", tensor.offset));
        }
        let start = data_start.checked_add(tensor.offset);
        let end = start.and_then(|start| start.checked_add(size));
        match (start, end) {
            (Some(start), Some(end)) if end <= file_end => {
                placed.push(Placed { name: &tensor.name, range: start..end });
            }
            _ => {
                let detail = format!(
                    "shape {:?} of {} at offset {} needs {size} bytes, the file has {} for all tensors",
                    tensor.shape,
                    element.name,
                    tensor.offset,
                    file_end.saturating_sub(data_start)
                );
                fault(LayoutFaultKind::OutOfBounds, detail);
            }
        }
    }
    let mut ranges: Vec<Range<u64>> = placed.iter().map(|tensor| tensor.range.clone()).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    for range in &ranges {
        // The padding behind a tensor is the tensor's.
        context.claim(range.start..range.end.checked_next_multiple_of(facts.alignment).unwrap_or(range.end));
    }
    if all_sizes_known {
        let buffer = data_start.min(file_end)..file_end;
        let room = MAX_FAULTS.saturating_sub(faults.len());
        let found = layout::overlaps_and_holes(placed, buffer, facts.alignment - 1);
        for fault in found.into_iter().take(room) {
            if fault.kind != LayoutFaultKind::Trailing || !is_zero(fault.start..fault.end, cursor)? {
                faults.push(fault);
            } else {
                context.claim(fault.start..fault.end);
            }
        }
    }
    facts.layout_faults = faults;
    Ok(())
}

/// Bytes of a tensor: elements by block.
fn size(shape: &[u64], (block_elements, block_bytes): (u64, u64)) -> Option<u64> {
    let elements = shape.iter().try_fold(1_u64, |product, &dimension| product.checked_mul(dimension))?;
    let bytes = elements.div_ceil(block_elements).checked_mul(block_bytes)?;
    // Loaders compute with signed numbers.
    (elements <= i64::MAX as u64 && bytes <= i64::MAX as u64).then_some(bytes)
}

/// Whether a short range holds zeros only: padding that some writers leave at the end.
fn is_zero(range: Range<u64>, cursor: &mut Cursor<'_, '_>) -> Result<bool, Stop> {
    const MAX_PADDING: u64 = 64 << 10;
    if range.end - range.start > MAX_PADDING {
        return Ok(false);
    }
    match cursor.bytes(&range, MAX_PADDING) {
        Ok(bytes) => Ok(bytes.iter().all(|&byte| byte == 0)),
        Err(Stop::Read(ReadEnd::Truncated)) => Ok(false),
        Err(stop) => Err(stop),
    }
}

fn take_summary(tensors: Vec<Declared>, facts: &mut GgufFacts) {
    const SHOWN: usize = 8;
    let type_name = |kind| element::element_type(kind).map_or("unknown", |element| element.name);
    let show = |tensor: &Declared| TensorSummary::new(&tensor.name, type_name(tensor.kind), &tensor.shape);
    facts.first_tensors = tensors.iter().take(SHOWN).map(show).collect();
    facts.last_tensors =
        tensors.iter().skip(SHOWN.max(tensors.len().saturating_sub(SHOWN))).map(show).collect();
    for tensor in &tensors {
        let product =
            tensor.shape.iter().try_fold(1_u64, |product, &dimension| product.checked_mul(dimension));
        let block = element::element_type(tensor.kind).and_then(|element| element.block);
        let bytes = block.and_then(|block| size(&tensor.shape, block)).unwrap_or(0);
        facts.parameters = facts.parameters.saturating_add(product.unwrap_or(0));
        summary::add_to(&mut facts.types, type_name(tensor.kind), product.unwrap_or(0), bytes);
    }
    facts.names = tensors.into_iter().map(|tensor| tensor.name).collect();
}
