//! Gives the elements of a view in the order of its indices, in pieces, whatever order they lie in.

use alnage_types::{Buffer, Source};

use crate::{
    refusal::Refusal,
    tensor::{Place, Tensor},
};

/// A megabyte, but for tests, which are to meet every limit with little.
const UNIT: u64 = if cfg!(test) { 1 << 8 } else { 1 << 20 };
/// Bytes that are given at a time of elements that lie one after another: few enough to stay in the processor's cache.
const RUN: u64 = UNIT / 2;
/// Bytes that are given at a time of others.
const PIECE: u64 = 4 * UNIT;
/// Bytes of the storage that are read at a time to pick elements from.
const SPAN: u64 = 16 * UNIT;
/// Bytes that a piece of a view has whose elements lie far apart: long pieces need fewer reads.
const LONG_PIECE: u64 = 32 * UNIT;

/// Bytes that are read in the time that one more read takes.
const WORTH: u64 = 4 << 10;

/// Hands the bytes of `tensor` to `give`, little-endian and in order.
pub(crate) fn gather(
    tensor: &Tensor,
    place: &Place,
    give: &mut dyn FnMut(&[u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let size = tensor.element.size;
    if tensor.elements() == 0 {
        return Ok(());
    }
    if tensor.is_contiguous() {
        let end = tensor.start + tensor.bytes();
        let mut at = tensor.start;
        let mut buffer = Buffer::new(tensor.bytes().min(RUN) as usize);
        while at < end {
            let count = (end - at).min(RUN);
            let run = buffer.get_mut(..count as usize).unwrap_or_default();
            read(place, at, run)?;
            mend(tensor, place.big_endian, run);
            give(run)?;
            at += count;
        }
        return Ok(());
    }
    let dimensions = merged(tensor);
    let mut buffer = Vec::new();
    for piece in Pieces::new(&dimensions, tensor.start / size.max(1), size) {
        pick(&piece, tensor, place, &mut buffer)?;
        mend(tensor, place.big_endian, &mut buffer);
        give(&buffer)?;
    }
    Ok(())
}

/// Size and stride of a dimension.
type Dimension = (u64, u64);

/// The dimensions without those of one index, neighbours that lie like one made one.
fn merged(tensor: &Tensor) -> Vec<Dimension> {
    let mut merged: Vec<Dimension> = Vec::new();
    for (&size, &stride) in tensor.shape.iter().zip(&tensor.strides).filter(|(size, _)| **size != 1) {
        match merged.last_mut() {
            Some((before, outer)) if *outer == stride.saturating_mul(size) => {
                (*before, *outer) = (*before * size, stride)
            }
            _ => merged.push((size, stride)),
        }
    }
    merged
}

/// A box of a view: its dimensions, and the element that is its first.
struct Piece {
    dimensions: Vec<Dimension>,
    first: u64,
}

/// Cuts a view into boxes that follow one another.
struct Pieces<'a> {
    dimensions: &'a [Dimension],
    /// The dimension that is cut; those before it are gone through index by index.
    cut: usize,
    /// How many indices of it a box has.
    rows: u64,
    index: Vec<u64>,
    first: u64,
    done: bool,
}

impl<'a> Pieces<'a> {
    fn new(dimensions: &'a [Dimension], first: u64, size: u64) -> Self {
        let span = dimensions.iter().fold(1, |span, &(size, stride)| span + (size - 1) * stride);
        let limit = if span.saturating_mul(size) <= SPAN { PIECE } else { LONG_PIECE };
        let mut inner = size;
        let mut cut = dimensions.len();
        while cut > 0 && inner.saturating_mul(dimensions[cut - 1].0) <= limit {
            cut -= 1;
            inner *= dimensions[cut].0;
        }
        // Everything from `cut` on fits; of the dimension before, some indices do.
        let rows = match cut.checked_sub(1) {
            Some(before) => (limit / inner).clamp(1, dimensions[before].0),
            None => dimensions.first().map_or(1, |&(size, _)| size),
        };
        let cut = cut.saturating_sub(1);
        Self { dimensions, cut, rows, index: vec![0; cut + 1], first, done: false }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if self.done {
            return None;
        }
        let first = self
            .index
            .iter()
            .zip(self.dimensions)
            .fold(self.first, |at, (index, (_, stride))| at + index * stride);
        let mut dimensions = self.dimensions.get(self.cut..).unwrap_or_default().to_vec();
        if let Some((size, _)) = dimensions.first_mut() {
            *size = self.rows.min(*size - self.index[self.cut]);
        }
        let mut step = self.rows;
        self.done = true;
        for (index, (size, _)) in self.index.iter_mut().zip(self.dimensions).rev() {
            *index += step;
            if *index < *size {
                self.done = false;
                break;
            }
            *index = 0;
            step = 1;
        }
        Some(Piece { dimensions, first })
    }
}

/// Fills `buffer` with the elements of a box.
fn pick(piece: &Piece, tensor: &Tensor, place: &Place, buffer: &mut Vec<u8>) -> Result<(), Refusal> {
    let size = tensor.element.size;
    let offset = tensor.start % size;
    // Each dimension with how far apart its elements are in the box, those that lie furthest apart first.
    let mut loops: Vec<(u64, u64, u64)> = Vec::new();
    let mut target = 1;
    for &(count, stride) in piece.dimensions.iter().rev() {
        loops.push((count, stride, target));
        target *= count;
    }
    loops.sort_by_key(|&(_, stride, _)| std::cmp::Reverse(stride));
    buffer.clear();
    buffer.resize((target * size) as usize, 0);
    // The innermost loops whose elements lie close together are filled from one read.
    let mut close = loops.len();
    let mut span = 1;
    while close > 0 {
        let (count, stride, _) = loops[close - 1];
        let wider = span + (count - 1) * stride;
        let picked: u64 = loops[close - 1..].iter().map(|(count, ..)| count).product();
        if wider.saturating_mul(size) > SPAN || wider.saturating_mul(size) > picked.saturating_mul(WORTH) {
            break;
        }
        span = wider;
        close -= 1;
    }
    let (far, near) = loops.split_at(close);
    let mut index = vec![0_u64; far.len()];
    let mut window = Vec::new();
    loop {
        let (mut from, mut to) = (piece.first, 0);
        for (index, (_, stride, target)) in index.iter().zip(far) {
            from += index * stride;
            to += index * target;
        }
        // At most `SPAN`, or one element.
        window.resize((span * size) as usize, 0);
        read(place, from * size + offset, &mut window)?;
        scatter(near, size as usize, &window, buffer, to);
        let mut level = far.len();
        loop {
            if level == 0 {
                return Ok(());
            }
            level -= 1;
            index[level] += 1;
            if index[level] < far[level].0 {
                break;
            }
            index[level] = 0;
        }
    }
}

/// Copies the elements of `window` to where they belong in `buffer`.
fn scatter(loops: &[(u64, u64, u64)], size: usize, window: &[u8], buffer: &mut [u8], to: u64) {
    match size {
        1 => scatter_sized::<1>(loops, window, buffer, to),
        2 => scatter_sized::<2>(loops, window, buffer, to),
        4 => scatter_sized::<4>(loops, window, buffer, to),
        8 => scatter_sized::<8>(loops, window, buffer, to),
        _ => scatter_sized::<16>(loops, window, buffer, to),
    }
}

fn scatter_sized<const N: usize>(loops: &[(u64, u64, u64)], window: &[u8], buffer: &mut [u8], to: u64) {
    let (outer, inner) = match loops.split_last() {
        Some((inner, outer)) => (outer, *inner),
        None => (&[][..], (1, 0, 0)),
    };
    let (count, stride, target) = (inner.0, inner.1 as usize * N, inner.2 as usize * N);
    let mut index = vec![0_u64; outer.len()];
    loop {
        let (mut from, mut into) = (0, to as usize * N);
        for (index, (_, stride, target)) in index.iter().zip(outer) {
            from += (index * stride) as usize * N;
            into += (index * target) as usize * N;
        }
        for _ in 0..count {
            if let (Some(element), Some(slot)) = (window.get(from..from + N), buffer.get_mut(into..into + N))
            {
                slot.copy_from_slice(element);
            }
            from += stride;
            into += target;
        }
        let mut level = outer.len();
        loop {
            if level == 0 {
                return;
            }
            level -= 1;
            index[level] += 1;
            if index[level] < outer[level].0 {
                break;
            }
            index[level] = 0;
        }
    }
}

/// Fills `buffer` with bytes of a storage; fewer are an error.
fn read(place: &Place, at: u64, buffer: &mut [u8]) -> Result<(), Refusal> {
    let cut = || Refusal::Unreadable("the bytes of a tensor end before it does".to_owned());
    at.checked_add(buffer.len() as u64).filter(|&end| end <= place.len).ok_or_else(cut)?;
    read_exact(place.source.as_ref(), place.start + at, buffer)
}

pub(crate) fn read_exact(source: &dyn Source, mut at: u64, mut buffer: &mut [u8]) -> Result<(), Refusal> {
    while !buffer.is_empty() {
        match source.read_at(at, buffer) {
            Ok(0) => return Err(Refusal::Unreadable("its bytes end while they are read".to_owned())),
            Ok(count) => {
                at += count as u64;
                buffer = buffer.get_mut(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Refusal::Unreadable(error.to_string())),
        }
    }
    Ok(())
}

/// Makes stored numbers the numbers of the tensor: byte order, conjugation, negation.
fn mend(tensor: &Tensor, big_endian: bool, bytes: &mut [u8]) {
    let part = tensor.element.part as usize;
    if big_endian && part > 1 {
        bytes.chunks_exact_mut(part).for_each(<[u8]>::reverse);
    }
    if !tensor.conjugate && !tensor.negative {
        return;
    }
    let is_complex = tensor.element.size > tensor.element.part;
    for (index, number) in bytes.chunks_exact_mut(part).enumerate() {
        let flip = tensor.negative ^ (tensor.conjugate && is_complex && index % 2 == 1);
        if let (true, Some(last)) = (flip, number.last_mut()) {
            *last ^= 0x80;
        }
    }
}
