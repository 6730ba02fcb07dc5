//! Compares what was written with the source, element by element and without the code that wrote it.
//!
//! The file is read by Alnage's own reader of safetensors; where each element should come from is computed anew from
//! offset, sizes and strides.

use std::{collections::HashMap, sync::Arc};

use alnage_formats::{Facts, formats, parse_as, tensor::TensorFacts};
use alnage_types::{ArtifactPath, Budget, Reader, Source};

use crate::{
    gather::read_exact,
    plan::{Plan, TensorFile},
    refusal::{Refusal, malformed, shown},
    tensor::{Place, Tensor},
};

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Tensors.
    pub tensors: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Bytes of the output that are compared at a time.
const PIECE: u64 = 8 << 20;

/// Compares the file `written` with what `plan` says it holds; the error says which tensor differs.
pub fn check(plan: &Plan, file: &TensorFile, written: &Arc<dyn Source>) -> Result<Checked, Refusal> {
    let mut checked = Checked::default();
    let declared = declared(written)?;
    if declared.len() != file.tensors.len() {
        return malformed("the written file has other tensors than were planned");
    }
    let mut reader = Reader::new(written.as_ref());
    let header =
        reader.u64le().map_err(|_| Refusal::Malformed("the written file has no header".to_owned()))?;
    for planned in &file.tensors {
        let Some((dtype, shape)) = declared.get(planned.name.as_str()) else {
            return malformed(format!("the tensor `{}` is not in the written file", shown(&planned.name)));
        };
        let tensor = &planned.tensor;
        if dtype != tensor.element.safetensors || *shape != tensor.written_shape() {
            return malformed(format!("the tensor `{}` has another type or shape", shown(&planned.name)));
        }
        let Some(place) = plan.place(tensor) else { return malformed("a tensor's storage is not there") };
        let start = 8 + header + planned.offset;
        if !same(tensor, place, written.as_ref(), start)? {
            return malformed(format!("the tensor `{}` differs from the source", shown(&planned.name)));
        }
        checked.tensors += 1;
        checked.bytes += tensor.bytes();
    }
    Ok(checked)
}

/// The tensors of the written file with type and shape.
fn declared(written: &Arc<dyn Source>) -> Result<HashMap<String, (String, Vec<u64>)>, Refusal> {
    let Some(format) = formats().find(|format| format.id == "safetensors") else {
        return malformed("no reader of safetensors");
    };
    let budget = Budget { max_nodes: u64::MAX, max_steps: u64::MAX, ..Budget::default() };
    let analysis = parse_as(format, &ArtifactPath::file("written.safetensors"), written, &budget);
    if let Some(issue) = analysis.issues.first() {
        return malformed(format!("the written file cannot be read: {}", issue.message));
    }
    let facts = analysis.artifacts.into_iter().find_map(|artifact| match artifact.facts {
        Facts::Tensor(facts) => Some(facts),
        _ => None,
    });
    match facts.as_deref() {
        Some(TensorFacts::Safetensors(facts))
            if facts.layout_faults.is_empty() && facts.header_faults.is_empty() =>
        {
            let entries = facts.all.iter();
            Ok(entries
                .map(|tensor| (tensor.name.clone(), (tensor.dtype.to_string(), tensor.shape.to_vec())))
                .collect())
        }
        _ => malformed("the written file is not what readers of safetensors take"),
    }
}

/// Whether the bytes at `start` of the output are the tensor.
fn same(tensor: &Tensor, place: &Place, written: &dyn Source, start: u64) -> Result<bool, Refusal> {
    let size = tensor.element.size;
    let row: u64 = tensor.shape.iter().skip(1).product();
    let rows = tensor.shape.first().copied().unwrap_or(1);
    if tensor.elements() == 0 {
        return Ok(true);
    }
    // A slab of whole rows, or of a row that is longer than a piece a part at a time.
    let step = (PIECE / size / row.max(1)).max(1);
    let mut found = Vec::new();
    let mut source = Pages::new(place);
    let mut first = 0;
    while first < rows {
        let count = step.min(rows - first);
        let (mut done, all) = (0, count * row);
        while done < all {
            let part = (all - done).min(PIECE / size);
            found.resize((part * size) as usize, 0);
            read_exact(written, start + (first * row + done) * size, &mut found)?;
            if !same_slab(tensor, &mut source, first * row + done, &found, part == all)? {
                return Ok(false);
            }
            done += part;
        }
        first += count;
    }
    Ok(true)
}

/// Compares the elements from number `from` on. A slab of whole rows is walked in the order of the storage, so that
/// elements that are neighbours there are read together.
fn same_slab(
    tensor: &Tensor,
    source: &mut Pages<'_>,
    from: u64,
    found: &[u8],
    whole_rows: bool,
) -> Result<bool, Refusal> {
    let size = tensor.element.size;
    let count = found.len() as u64 / size;
    let mut expected = [0_u8; 16];
    let width = size as usize;
    let mut compare = |number: u64| -> Result<bool, Refusal> {
        let expected = expected.get_mut(..width).unwrap_or_default();
        source.read(tensor.start + offset(tensor, number) * size, expected)?;
        adjust(tensor, source.place.big_endian, expected);
        let at = ((number - from) * size) as usize;
        Ok(found.get(at..at + width).is_some_and(|found| *found == *expected))
    };
    let row: u64 = tensor.shape.iter().skip(1).product();
    let innermost = tensor.strides.last().copied().unwrap_or(1);
    let outermost = tensor.strides.first().copied().unwrap_or(1);
    if whole_rows && row > 1 && outermost < innermost {
        for column in 0..row {
            let mut number = from + column;
            while number < from + count {
                if !compare(number)? {
                    return Ok(false);
                }
                number += row;
            }
        }
        return Ok(true);
    }
    for number in from..from + count {
        if !compare(number)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many elements lie between the first and the one with this number.
fn offset(tensor: &Tensor, mut number: u64) -> u64 {
    let mut offset = 0;
    for (&size, &stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
        offset += number % size * stride;
        number /= size;
    }
    offset
}

/// A stored element as the tensor has it.
fn adjust(tensor: &Tensor, big_endian: bool, element: &mut [u8]) {
    let part = tensor.element.part as usize;
    for (index, number) in element.chunks_exact_mut(part).enumerate() {
        if big_endian {
            number.reverse();
        }
        let imaginary = index == 1;
        let times = u8::from(tensor.negative) + u8::from(tensor.conjugate && imaginary);
        if let (1, Some(highest)) = (times, number.last_mut()) {
            *highest ^= 0b1000_0000;
        }
    }
}

/// Reads a storage through a few pages that are kept.
struct Pages<'a> {
    place: &'a Place,
    pages: HashMap<u64, Vec<u8>>,
    order: std::collections::VecDeque<u64>,
    current: (u64, Vec<u8>),
}

const PAGE: u64 = 64 << 10;
const MOST_PAGES: usize = 512;

impl<'a> Pages<'a> {
    fn new(place: &'a Place) -> Self {
        Self { place, pages: HashMap::new(), order: Default::default(), current: (u64::MAX, Vec::new()) }
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> Result<(), Refusal> {
        let (page, within) = (at / PAGE, (at % PAGE) as usize);
        if page != self.current.0 {
            self.turn(page)?;
        }
        if let Some(bytes) = self.current.1.get(within..within + into.len()) {
            into.copy_from_slice(bytes);
            return Ok(());
        }
        if at + into.len() as u64 > self.place.len {
            return Err(Refusal::Unreadable("the bytes of a tensor end before it does".to_owned()));
        }
        read_exact(self.place.source.as_ref(), self.place.start + at, into)
    }

    /// Makes `page` the current one.
    fn turn(&mut self, page: u64) -> Result<(), Refusal> {
        let fresh = match self.pages.remove(&page) {
            Some(known) => known,
            None => {
                let start = page * PAGE;
                let mut bytes = vec![0; self.place.len.saturating_sub(start).min(PAGE) as usize];
                read_exact(self.place.source.as_ref(), self.place.start + start, &mut bytes)?;
                self.order.push_back(page);
                bytes
            }
        };
        let (number, bytes) = std::mem::replace(&mut self.current, (page, fresh));
        if number != u64::MAX {
            self.pages.insert(number, bytes);
        }
        while self.order.len() > MOST_PAGES {
            if let Some(oldest) = self.order.pop_front() {
                self.pages.remove(&oldest);
            }
        }
        Ok(())
    }
}
