//! The numbers of an HDF5 file, for who wants them: each dataset with type, shape and where its values are.

use std::{collections::HashSet, ops::Range, sync::Arc};

use alnage_types::{ArtifactPath, Meter, ReadEnd, Source};

use super::{
    Hdf5Facts,
    chunks::{Chunked, Content, Filter, Shared},
    dataset,
    file::File,
    find_superblock, group,
    header::{self, Message},
    index::{self, Grid},
};
use crate::Context;

/// A dataset.
#[derive(Debug)]
pub struct Hdf5Array {
    /// Its path without a leading slash.
    pub path: String,
    /// Its data type as NumPy spells it, `<f4`; `None` for what is no number.
    pub dtype: Option<&'static str>,
    /// Its sizes.
    pub shape: Vec<u64>,
    /// Where its values are.
    pub values: Hdf5Values,
}

/// Where the values of a dataset are.
pub enum Hdf5Values {
    /// In the file, one after another.
    At(Range<u64>),
    /// In chunks that are put together as they are read.
    Chunked {
        /// All of them.
        values: Arc<dyn Source>,
        /// How many bytes the file has for them.
        stored: u64,
    },
    /// Not where they could be read; the text says why.
    Absent(String),
}

impl std::fmt::Debug for Hdf5Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(range) => f.debug_tuple("At").field(range).finish(),
            Self::Chunked { values, .. } => f.debug_tuple("Chunked").field(&values.len()).finish(),
            Self::Absent(why) => f.debug_tuple("Absent").field(why).finish(),
        }
    }
}

/// The datasets of an HDF5 file and how many attributes stand beside them; the error says what is wrong with it.
pub fn hdf5_arrays(source: &Arc<dyn Source>, meter: &mut Meter) -> Result<(Vec<Hdf5Array>, u64), String> {
    let path = ArtifactPath::file("hdf5");
    let mut context = Context::new(&path, meter);
    let start = find_superblock(source.as_ref()).ok_or("no superblock")?;
    let mut facts = Hdf5Facts::default();
    let opened = File::open(source, start, &mut facts, &mut context);
    let (mut file, mut queue) = opened.map_err(|_| "the bytes end inside the superblock")?;
    let mut seen = HashSet::new();
    let mut arrays = Vec::new();
    let kept = Shared::default();
    let mut attributes = 0;
    while let Some((address, path)) = queue.pop() {
        if !seen.insert(address) {
            continue;
        }
        context.meter().step(1).map_err(|limit| format!("stopped at the limit `{}`", limit.limit))?;
        let messages = header::read(&mut file, address, &mut context);
        attributes += messages.iter().filter(|message| message.kind == header::ATTRIBUTE).count() as u64;
        if messages.iter().any(|message| message.kind == header::LAYOUT) {
            arrays.push(
                array(&mut file, path, &messages, (arrays.len(), kept.clone()), &mut context)
                    .map_err(|_| "the bytes end inside a dataset")?,
            );
        } else {
            let mut reached = group::read(&mut file, &path, &messages, &mut facts, &mut context);
            reached.reverse();
            queue.extend(reached);
        }
        if queue.len() as u64 > context.meter().budget().max_nodes {
            return Err("stopped at the limit `max-nodes`".to_owned());
        }
    }
    match (context.issues.first(), facts.references.first()) {
        (Some(issue), _) => Err(issue.message.clone()),
        (None, Some(_)) => Err("it leads to other places, which are not followed".to_owned()),
        (None, None) => Ok((arrays, attributes)),
    }
}

fn array(
    file: &mut File<'_>,
    path: String,
    messages: &[Message],
    (number, kept): (usize, Shared),
    context: &mut Context<'_>,
) -> Result<Hdf5Array, ReadEnd> {
    let find = |kind: u16| messages.iter().find(|message| message.kind == kind && !message.shared);
    let mut array = Hdf5Array {
        path,
        dtype: None,
        shape: Vec::new(),
        values: Hdf5Values::Absent("no layout that is known".to_owned()),
    };
    let (Some(space), Some(kind), Some(layout)) =
        (find(header::DATASPACE), find(header::DATATYPE), find(header::LAYOUT))
    else {
        array.values = Hdf5Values::Absent("its type or shape is kept elsewhere".to_owned());
        return Ok(array);
    };
    file.reader.seek(space.body.start);
    let (shape, maximum) = dataset::extent(file)?;
    array.shape = shape.clone();
    let (dtype, size) = datatype(file, kind)?;
    array.dtype = dtype;
    if messages.iter().any(|message| message.kind == header::EXTERNAL_FILES) {
        array.values = Hdf5Values::Absent("its values are in other files".to_owned());
        return Ok(array);
    }
    let filters = match messages.iter().find(|message| message.kind == header::FILTERS) {
        Some(message) => filters(file, message)?,
        None => Vec::new(),
    };
    let fill = fill(file, messages, size)?;
    let content = Content { source: file.source.clone(), shape, size, filters, fill, number, kept };
    array.values = values(file, layout, &maximum, content, context)?;
    Ok(array)
}

/// NumPy's spelling of a number's type, and the bytes of an element.
fn datatype(file: &mut File<'_>, message: &Message) -> Result<(Option<&'static str>, u64), ReadEnd> {
    file.reader.seek(message.body.start);
    let class = file.reader.u8()? & 15;
    let bits = file.reader.u8()?;
    file.reader.skip(2)?;
    let size = file.reader.u32le()?;
    let big = bits & 1 == 1;
    let rest = message.body.end.saturating_sub(file.reader.position()).min(256);
    let body = file.reader.take(rest)?.into_owned();
    let short = |at: usize| body.get(at..at + 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let whole = short(0) == Some(0) && short(2).map(u32::from) == Some(size.saturating_mul(8));
    let exponent = body.get(5).copied();
    let name = match (class, size, big) {
        (0, ..) if !whole => None,
        (0, 1, _) => Some(if bits & 8 != 0 { "|i1" } else { "|u1" }),
        (0, 2, false) => Some(if bits & 8 != 0 { "<i2" } else { "<u2" }),
        (0, 4, false) => Some(if bits & 8 != 0 { "<i4" } else { "<u4" }),
        (0, 8, false) => Some(if bits & 8 != 0 { "<i8" } else { "<u8" }),
        (0, 2, true) => Some(if bits & 8 != 0 { ">i2" } else { ">u2" }),
        (0, 4, true) => Some(if bits & 8 != 0 { ">i4" } else { ">u4" }),
        (0, 8, true) => Some(if bits & 8 != 0 { ">i8" } else { ">u8" }),
        (1, ..) if !whole || bits & 0x40 != 0 => None,
        (1, 2, _) => match (exponent, big) {
            (Some(5), false) => Some("<f2"),
            (Some(5), true) => Some(">f2"),
            (Some(8), false) => Some("bfloat16"),
            _ => None,
        },
        (1, 4, _) if exponent == Some(8) => Some(if big { ">f4" } else { "<f4" }),
        (1, 8, _) if exponent == Some(11) => Some(if big { ">f8" } else { "<f8" }),
        // What h5py makes of booleans: an enumeration of two bytes' names.
        (8, 1, _) if body.windows(6).any(|w| w == b"FALSE\0") && body.windows(5).any(|w| w == b"TRUE\0") => {
            Some("|b1")
        }
        _ => None,
    };
    Ok((name, u64::from(size)))
}

fn filters(file: &mut File<'_>, message: &Message) -> Result<Vec<Filter>, ReadEnd> {
    file.reader.seek(message.body.start);
    let version = file.reader.u8()?;
    let count = file.reader.u8()?;
    file.reader.skip(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::new();
    for _ in 0..count {
        let id = file.reader.u16le()?;
        let name_len = if version == 1 || id >= 256 { u64::from(file.reader.u16le()?) } else { 0 };
        file.reader.skip(2)?;
        let values = file.reader.u16le()?;
        file.reader.skip(if version == 1 { name_len.next_multiple_of(8) } else { name_len })?;
        let mut first = 0;
        for at in 0..values {
            let value = file.reader.u32le()?;
            first = if at == 0 { value } else { first };
        }
        file.reader.skip(if version == 1 && values % 2 == 1 { 4 } else { 0 })?;
        filters.push(Filter { id, value: first });
    }
    Ok(filters)
}

/// What elements hold that were never written; zeros when the file does not say.
fn fill(file: &mut File<'_>, messages: &[Message], size: u64) -> Result<Vec<u8>, ReadEnd> {
    let find = |kind: u16| messages.iter().find(|message| message.kind == kind && !message.shared);
    let value_len = if let Some(message) = find(header::FILL) {
        file.reader.seek(message.body.start);
        let version = file.reader.u8()?;
        let defined = if version >= 3 {
            file.reader.u8()? & 0x20 != 0
        } else {
            file.reader.skip(2)?;
            file.reader.u8()? != 0 || version == 1
        };
        if defined { u64::from(file.reader.u32le()?) } else { 0 }
    } else if let Some(message) = find(header::OLD_FILL) {
        file.reader.seek(message.body.start);
        u64::from(file.reader.u32le()?)
    } else {
        0
    };
    if value_len != size || size > 64 {
        return Ok(Vec::new());
    }
    Ok(file.reader.take(size)?.into_owned())
}

/// Values of a dataset by its layout message.
fn values(
    file: &mut File<'_>,
    layout: &Message,
    maximum: &[u64],
    content: Content,
    context: &mut Context<'_>,
) -> Result<Hdf5Values, ReadEnd> {
    let absent = |why: &str| Ok(Hdf5Values::Absent(why.to_owned()));
    let expected = content.shape.iter().try_fold(content.size, |all, &size| all.checked_mul(size));
    let Some(expected) = expected else { return absent("its sizes overflow") };
    file.reader.seek(layout.body.start);
    let version = file.reader.u8()?;
    if !(3..=5).contains(&version) {
        return absent("a layout of another version");
    }
    match (file.reader.u8()?, version) {
        (0, _) => {
            let len = u64::from(file.reader.u16le()?);
            let at = file.reader.position();
            if len != expected {
                absent("its length does not fit its shape")
            } else {
                Ok(Hdf5Values::At(at..at + len))
            }
        }
        (1, _) => {
            let (address, len) = (file.offset()?, file.length()?);
            let Some(address) = address else { return Ok(unwritten(content)) };
            let at = file.place(address);
            let fits = len == expected && at.checked_add(len).is_some_and(|end| end <= file.reader.len());
            if fits { Ok(Hdf5Values::At(at..at + len)) } else { absent("its length does not fit its shape") }
        }
        (2, _) => {
            let (flags, rank) = match version {
                3 => (0, file.reader.u8()?),
                _ => (file.reader.u8()?, file.reader.u8()?),
            };
            if usize::from(rank) != content.shape.len() + 1 {
                return absent("its chunks have other dimensions");
            }
            // The last of the sizes is that of an element.
            let width = if version == 3 { 4 } else { file.reader.u8()? };
            let mut index = if version == 3 { file.offset()? } else { None };
            let mut chunk = (0..rank).map(|_| file.number(width)).collect::<Result<Vec<_>, _>>()?;
            chunk.pop();
            let len = chunk.iter().try_fold(content.size, |all, &size| all.checked_mul(size));
            let Some(len) = len else { return absent("its sizes overflow") };
            let grid =
                Grid { shape: &content.shape, maximum, chunk: &chunk, len, plain_edges: flags & 1 != 0 };
            let kind = if version == 3 { 0 } else { file.reader.u8()? };
            let mut packed = None;
            match kind {
                1 if flags & 2 != 0 => packed = Some((file.length()?, file.reader.u32le()?)),
                3 => file.reader.skip(1)?,
                4 => file.reader.skip(5)?,
                5 => file.reader.skip(6)?,
                _ => {}
            }
            if version > 3 {
                index = file.offset()?;
            }
            let Some(index) = index else { return Ok(unwritten(content)) };
            let chunks = match kind {
                0 => index::old_tree(file, index, &grid)?,
                1 => index::single(file, index, packed, &grid)?,
                2 => index::implicit(file, index, &grid)?,
                3 => index::fixed_array(file, index, &grid)?,
                4 => index::extensible_array(file, index, &grid)?,
                5 => index::new_tree(file, index, &grid, context)?,
                _ => return absent("its chunks have an index of a kind that is not known"),
            };
            match chunks {
                Some(chunks) => Ok(chunked(Chunked::new(content, chunk, chunks))),
                None => absent("its chunks are damaged or too many"),
            }
        }
        _ => absent("its values are mapped from elsewhere"),
    }
}

fn chunked(chunked: Result<Chunked, String>) -> Hdf5Values {
    match chunked {
        Ok(values) => Hdf5Values::Chunked { stored: values.stored(), values: Arc::new(values) },
        Err(why) => Hdf5Values::Absent(why),
    }
}

/// A dataset of which nothing was written: all its elements are what unwritten ones are.
fn unwritten(mut content: Content) -> Hdf5Values {
    const MOST: u64 = 4096;
    if content.shape.is_empty() {
        content.shape.push(1);
    }
    let mut chunk = vec![1; content.shape.len()];
    if let (Some(chunk), Some(&size)) = (chunk.last_mut(), content.shape.last()) {
        *chunk = size.clamp(1, MOST);
    }
    chunked(Chunked::new(content, chunk, Vec::new()))
}
