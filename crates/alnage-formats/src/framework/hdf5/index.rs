//! Where the chunks of a dataset are: the indices of every version of the library, each read into the same list.

use std::collections::HashSet;

use alnage_types::ReadEnd;

use super::{chunks::Chunk, file::File, tree};
use crate::Context;

/// The most chunks and nodes that are read.
const MOST: usize = 1 << 20;

/// How a dataset is cut.
pub(super) struct Grid<'a> {
    /// The sizes of the dataset.
    pub(super) shape: &'a [u64],
    /// The sizes that it may grow to; [`u64::MAX`] where nothing limits them.
    pub(super) maximum: &'a [u64],
    /// The sizes of a chunk.
    pub(super) chunk: &'a [u64],
    /// The bytes of a chunk that went through no filter.
    pub(super) len: u64,
    /// Whether chunks that reach over the edge went through no filter.
    pub(super) plain_edges: bool,
}

/// The chunks in the order of the index; `None` when it is damaged, or names too many.
type Chunks = Result<Option<Vec<Chunk>>, ReadEnd>;

impl Grid<'_> {
    /// How many chunks there are along a dimension at its largest.
    fn count(&self, dimension: usize) -> u64 {
        let at = |sizes: &[u64]| sizes.get(dimension).copied().unwrap_or(1);
        let largest = match at(self.maximum) {
            u64::MAX => at(self.shape),
            largest => largest,
        };
        largest.div_ceil(at(self.chunk).max(1)).max(1)
    }

    /// The dimension that may grow without limit.
    fn unlimited(&self) -> usize {
        self.maximum.iter().position(|&size| size == u64::MAX).unwrap_or(0)
    }

    /// How many entries of an index that counts along `slowest` last lead to chunks of the dataset as it is.
    fn entries(&self, slowest: usize) -> Option<u64> {
        let at = |sizes: &[u64]| sizes.get(slowest).copied().unwrap_or(1);
        let rows = at(self.shape).div_ceil(at(self.chunk).max(1));
        let others = (0..self.shape.len()).filter(|&dimension| dimension != slowest);
        let entries = others.map(|dimension| self.count(dimension)).try_fold(rows, u64::checked_mul)?;
        (entries <= MOST as u64).then_some(entries)
    }

    /// Index of the first element of the chunk with this number; `None` when the dataset does not reach there.
    fn place(&self, mut number: u64, slowest: usize) -> Option<Vec<u64>> {
        let mut place = vec![0; self.shape.len()];
        let others = (0..self.shape.len()).rev().filter(|&dimension| dimension != slowest);
        for dimension in others {
            let count = self.count(dimension);
            *place.get_mut(dimension)? = number % count;
            number /= count;
        }
        *place.get_mut(slowest)? = number;
        self.scaled(&place)
    }

    /// The same of a chunk whose place is given in chunks.
    fn scaled(&self, place: &[u64]) -> Option<Vec<u64>> {
        let sizes = self.chunk.iter().zip(self.shape);
        place
            .iter()
            .zip(sizes)
            .map(|(at, (chunk, size))| at.checked_mul(*chunk).filter(|first| first < size))
            .collect()
    }

    /// A chunk with its bytes in the file; `None` when they are not all there.
    fn chunk(&self, file: &File<'_>, offset: Vec<u64>, packed: Packed) -> Option<Chunk> {
        let start = file.place(packed.address);
        let end = start.checked_add(packed.len).filter(|&end| end <= file.reader.len())?;
        let mut edges = offset.iter().zip(self.chunk).zip(self.shape);
        let is_edge = edges.any(|((first, chunk), size)| first.saturating_add(*chunk) > *size);
        let mask = if self.plain_edges && is_edge { u32::MAX } else { packed.mask };
        Some(Chunk { offset, data: start..end, mask })
    }
}

/// What an index says of a chunk: where it is, how long, and which filters it did not go through.
struct Packed {
    address: u64,
    len: u64,
    mask: u32,
}

/// A version 1 B-tree.
pub(super) fn old_tree(file: &mut File<'_>, root: u64, grid: &Grid<'_>) -> Chunks {
    let (mut seen, mut queue, mut chunks) = (HashSet::new(), vec![root], Vec::new());
    while let Some(node) = queue.pop() {
        if !seen.insert(node) || seen.len() > MOST {
            return Ok(None);
        }
        file.seek(node);
        if !file.magic(b"TREE")? || file.reader.u8()? != 1 {
            return Ok(None);
        }
        let level = file.reader.u8()?;
        let used = file.reader.u16le()?;
        file.offset()?;
        file.offset()?;
        for _ in 0..used {
            let len = u64::from(file.reader.u32le()?);
            let mask = file.reader.u32le()?;
            let offset = (0..grid.shape.len()).map(|_| file.reader.u64le()).collect::<Result<Vec<_>, _>>()?;
            file.reader.skip(8)?;
            let Some(address) = file.offset()? else { continue };
            if level > 0 {
                queue.push(address);
                continue;
            }
            let Some(chunk) = grid.chunk(file, offset, Packed { address, len, mask }) else {
                return Ok(None);
            };
            if chunks.len() >= MOST {
                return Ok(None);
            }
            chunks.push(chunk);
        }
    }
    Ok(Some(chunks))
}

/// One chunk alone, which is as large as the dataset.
pub(super) fn single(file: &File<'_>, address: u64, packed: Option<(u64, u32)>, grid: &Grid<'_>) -> Chunks {
    let (len, mask) = packed.unwrap_or((grid.len, 0));
    let chunk = grid.chunk(file, vec![0; grid.shape.len()], Packed { address, len, mask });
    Ok(chunk.map(|chunk| vec![chunk]))
}

/// Chunks one after another, without an index.
pub(super) fn implicit(file: &File<'_>, address: u64, grid: &Grid<'_>) -> Chunks {
    let Some(entries) = grid.entries(0) else { return Ok(None) };
    let mut chunks = Vec::new();
    for number in 0..entries {
        let Some(offset) = grid.place(number, 0) else { continue };
        let address = number.checked_mul(grid.len).and_then(|before| address.checked_add(before));
        let packed = address.map(|address| Packed { address, len: grid.len, mask: 0 });
        let Some(chunk) = packed.and_then(|packed| grid.chunk(file, offset, packed)) else { return Ok(None) };
        chunks.push(chunk);
    }
    Ok(Some(chunks))
}

/// The entries of an array in the file: plain addresses, or with the length and mask of chunks behind filters.
struct Entries<'a> {
    grid: &'a Grid<'a>,
    slowest: usize,
    /// Bytes of an entry.
    width: u64,
    filtered: bool,
    /// How many entries matter.
    wanted: u64,
    chunks: Vec<Chunk>,
}

impl Entries<'_> {
    /// Reads `count` entries here, of which the first has this number. Gives whether they hold.
    fn read(&mut self, file: &mut File<'_>, number: u64, count: u64) -> Result<bool, ReadEnd> {
        for number in number..number.saturating_add(count).min(self.wanted) {
            let address = file.offset()?;
            let (mut len, mut mask) = (self.grid.len, 0);
            if self.filtered {
                len = file.number((self.width - u64::from(file.offset_size) - 4) as u8)?;
                mask = file.reader.u32le()?;
            }
            let (Some(address), Some(offset)) = (address, self.grid.place(number, self.slowest)) else {
                continue;
            };
            let Some(chunk) = self.grid.chunk(file, offset, Packed { address, len, mask }) else {
                return Ok(false);
            };
            self.chunks.push(chunk);
        }
        Ok(true)
    }

    /// Reads pages of entries, each followed by a checksum; `written` has a bit for each from `bit` on, the highest of a
    /// byte first.
    fn read_pages(
        &mut self,
        file: &mut File<'_>,
        (number, count): (u64, u64),
        page: u64,
        (written, bit): (&[u8], u64),
    ) -> Result<bool, ReadEnd> {
        let first = file.reader.position();
        let stride = page.saturating_mul(self.width).saturating_add(4);
        let pages = count.min(self.wanted.saturating_sub(number)).div_ceil(page.max(1));
        for index in 0..pages {
            let bit = bit.saturating_add(index);
            let bits = usize::try_from(bit / 8).ok().and_then(|at| written.get(at)).copied().unwrap_or(0);
            if bits & (0x80 >> (bit % 8)) == 0 {
                continue;
            }
            file.reader.seek(first.saturating_add(index.saturating_mul(stride)));
            let before = index.saturating_mul(page);
            if !self.read(file, number.saturating_add(before), page.min(count - before))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads what entries are like from the second and third byte of an array's head.
fn entries<'a>(
    file: &mut File<'_>,
    grid: &'a Grid<'a>,
    slowest: usize,
) -> Result<Option<Entries<'a>>, ReadEnd> {
    let filtered = match (file.reader.u8()?, file.reader.u8()?) {
        (0, 0) => false,
        (0, 1) => true,
        _ => return Ok(None),
    };
    let width = u64::from(file.reader.u8()?);
    let offset_size = u64::from(file.offset_size);
    let fits = match filtered {
        true => (offset_size + 5..=offset_size + 12).contains(&width),
        false => width == offset_size,
    };
    let wanted = grid.entries(slowest).filter(|_| fits);
    Ok(wanted.map(|wanted| Entries { grid, slowest, width, filtered, wanted, chunks: Vec::new() }))
}

/// Moves past the head of a block of an array; gives whether there is one.
fn block(file: &mut File<'_>, address: u64, magic: &[u8; 4]) -> Result<bool, ReadEnd> {
    file.seek(address);
    let is_block = file.magic(magic)? && file.reader.u8()? == 0;
    file.reader.skip(1 + u64::from(file.offset_size))?;
    Ok(is_block)
}

/// An array of a length that does not change.
pub(super) fn fixed_array(file: &mut File<'_>, address: u64, grid: &Grid<'_>) -> Chunks {
    file.seek(address);
    if !file.magic(b"FAHD")? {
        return Ok(None);
    }
    let Some(mut entries) = entries(file, grid, 0)? else { return Ok(None) };
    let page_bits = u32::from(file.reader.u8()?);
    let count = file.length()?;
    let Some(data) = file.offset()? else { return Ok(Some(Vec::new())) };
    let page = 1_u64.checked_shl(page_bits).unwrap_or(u64::MAX);
    if count < entries.wanted || !block(file, data, b"FADB")? {
        return Ok(None);
    }
    let holds = if count > page {
        let written = file.reader.take(count.div_ceil(page).div_ceil(8).min(MOST as u64))?.into_owned();
        file.reader.skip(4)?;
        entries.read_pages(file, (0, count), page, (&written, 0))?
    } else {
        entries.read(file, 0, count)?
    };
    Ok(holds.then_some(entries.chunks))
}

/// How the blocks of an array that grows are laid out.
struct Growth {
    /// Entries in the index itself.
    first: u64,
    /// Entries of the smallest block.
    smallest: u64,
    /// Groups of blocks whose addresses stand in the index itself.
    direct: u32,
    /// All groups.
    groups: u32,
    /// Entries of a page.
    page: u64,
    /// Bytes of the number that says where a block is in the array.
    position: u64,
}

impl Growth {
    fn read(file: &mut File<'_>) -> Result<Option<Self>, ReadEnd> {
        let [bits, first, smallest, pointers, page_bits] = file.reader.array::<5>()?;
        let (smallest, pointers) = (u64::from(smallest), u64::from(pointers));
        let sound = bits <= 64 && smallest.is_power_of_two() && pointers.is_power_of_two() && page_bits < 32;
        let groups = (u32::from(bits) + 1).checked_sub(smallest.checked_ilog2().unwrap_or(0));
        Ok(groups.filter(|_| sound).map(|groups| Self {
            first: u64::from(first),
            smallest,
            direct: 2 * pointers.ilog2(),
            groups,
            page: 1 << page_bits,
            position: u64::from(bits).div_ceil(8),
        }))
    }

    /// How many blocks a group has, and how many entries each of them.
    fn group(&self, group: u32) -> Option<(u64, u64)> {
        let blocks = 1_u64.checked_shl(group / 2)?;
        Some((blocks, 1_u64.checked_shl(group.div_ceil(2))?.checked_mul(self.smallest)?))
    }
}

/// An array that grows along one dimension.
pub(super) fn extensible_array(file: &mut File<'_>, address: u64, grid: &Grid<'_>) -> Chunks {
    file.seek(address);
    if !file.magic(b"EAHD")? {
        return Ok(None);
    }
    let Some(mut entries) = entries(file, grid, grid.unlimited())? else { return Ok(None) };
    let Some(growth) = Growth::read(file)? else { return Ok(None) };
    for _ in 0..6 {
        file.length()?;
    }
    let Some(index) = file.offset()? else { return Ok(Some(Vec::new())) };
    if !block(file, index, b"EAIB")? {
        return Ok(None);
    }
    let entries_end = file.reader.position().saturating_add(growth.first.saturating_mul(entries.width));
    if !entries.read(file, 0, growth.first)? {
        return Ok(None);
    }
    file.reader.seek(entries_end);
    let mut number = growth.first;
    for group in 0..growth.groups {
        let Some((blocks, each)) = growth.group(group).filter(|_| number < entries.wanted) else { break };
        // Both lists of addresses stand one after the other in the index: of blocks, then of groups.
        let next = if group < growth.direct {
            file.reader.position().saturating_add(blocks.saturating_mul(file.offset_size.into()))
        } else {
            file.reader.position().saturating_add(file.offset_size.into())
        };
        let mut written = Vec::new();
        let pages = if each > growth.page { each / growth.page } else { 0 };
        let known = if group < growth.direct {
            pages == 0
        } else if let Some(address) = file.offset()? {
            let known = block(file, address, b"EASB")?;
            file.reader.skip(growth.position)?;
            let bits = pages.div_ceil(8).saturating_mul(blocks).min(MOST as u64);
            written = file.reader.take(bits)?.into_owned();
            known
        } else {
            number = number.saturating_add(blocks.saturating_mul(each));
            file.reader.seek(next);
            continue;
        };
        if !known {
            return Ok(None);
        }
        for nth in 0..blocks {
            if number >= entries.wanted {
                break;
            }
            let (address, after) = (file.offset()?, file.reader.position());
            if let Some(address) = address {
                let known = block(file, address, b"EADB")?;
                file.reader.skip(growth.position)?;
                let holds = if pages == 0 {
                    entries.read(file, number, each)?
                } else {
                    file.reader.skip(4)?;
                    let written = (written.as_slice(), nth.saturating_mul(pages));
                    entries.read_pages(file, (number, each), growth.page, written)?
                };
                if !known || !holds {
                    return Ok(None);
                }
            }
            file.reader.seek(after);
            number = number.saturating_add(each);
        }
        file.reader.seek(next);
    }
    Ok(Some(entries.chunks))
}

/// A version 2 B-tree.
pub(super) fn new_tree(
    file: &mut File<'_>,
    address: u64,
    grid: &Grid<'_>,
    context: &mut Context<'_>,
) -> Chunks {
    let Some(records) = tree::records(file, address, MOST, context)? else { return Ok(None) };
    let (offset_size, rank) = (usize::from(file.offset_size), grid.shape.len());
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    let mut chunks = Vec::new();
    for record in &records.all {
        let Some((head, place)) =
            record.len().checked_sub(8 * rank).and_then(|at| record.split_at_checked(at))
        else {
            return Ok(None);
        };
        let (len, mask) = match (records.kind, head.get(offset_size..)) {
            (10, Some([])) => (grid.len, 0),
            (11, Some([len @ .., a, b, c, d])) if (1..=8).contains(&len.len()) => {
                (number(len), u32::from_le_bytes([*a, *b, *c, *d]))
            }
            _ => return Ok(None),
        };
        let place: Vec<u64> = place.chunks_exact(8).map(number).collect();
        let Some(offset) = grid.scaled(&place) else { continue };
        let address = number(head.get(..offset_size).unwrap_or_default());
        let Some(chunk) = grid.chunk(file, offset, Packed { address, len, mask }) else { return Ok(None) };
        chunks.push(chunk);
    }
    Ok(Some(chunks))
}
