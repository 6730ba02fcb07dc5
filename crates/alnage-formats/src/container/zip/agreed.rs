//! The members of a zip on which all readers agree, for who must not pick one reading: anything else is an error.

use std::{
    collections::HashSet,
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use alnage_types::{Budget, Exhausted, Meter, Reader, Source, WindowSource};

use super::{
    contents::codec_of,
    directory::{self, Entry},
    local::{self, LocalHeader},
};
use crate::{InflatedSource, Inflation, container::codec};

/// A member that every reader sees alike.
#[derive(Clone)]
pub struct ZipMember {
    /// Its name.
    pub name: String,
    /// Its size when unpacked, as declared.
    pub size: u64,
    /// CRC-32 of its content, as declared.
    pub crc32: u32,
    /// Where its bytes are, packed or not.
    pub data: Range<u64>,
    entry: Entry,
    unpacked: Unpacked,
}

/// The member that was unpacked last, by where its bytes start; the members of a zip share one place for it.
type Unpacked = Arc<Mutex<Option<(u64, Arc<dyn Source>)>>>;

/// The members of the zip; the error says what readers disagree about.
pub fn agreed_zip(source: &dyn Source) -> Result<Vec<ZipMember>, String> {
    let mut directories = directory::directories(source, None).into_iter();
    let Some(only) = directories.next() else { return Err("no directory of entries".to_owned()) };
    if directories.next().is_some() {
        return Err("readers find different directories of entries in it".to_owned());
    }
    if only.within_len != only.entries.len() as u64 || only.promised & 0xffff != only.within_len & 0xffff {
        return Err("its end record and its directory count different entries".to_owned());
    }
    let mut names = HashSet::new();
    let unpacked = Unpacked::default();
    only.entries.into_iter().map(|entry| agreed(source, entry, &mut names, &unpacked)).collect()
}

fn agreed(
    source: &dyn Source,
    entry: Entry,
    names: &mut HashSet<String>,
    unpacked: &Unpacked,
) -> Result<ZipMember, String> {
    let shown: String = entry.name.chars().take(120).flat_map(char::escape_debug).collect();
    let Some(local) = local::read(source, entry.header) else {
        return Err(format!("no header where the directory has `{shown}`"));
    };
    if !names.insert(entry.name.to_lowercase()) {
        return Err(format!("two entries are called `{shown}`"));
    }
    if !is_same(&entry, &local) || entry.unicode_name.is_some() {
        return Err(format!("directory and header disagree about `{shown}`"));
    }
    if (entry.flags | local.flags) & (1 | 1 << 5 | 1 << 6 | 1 << 13) != 0 {
        return Err(format!("`{shown}` is encrypted"));
    }
    let end = local.data.checked_add(entry.compressed).filter(|&end| end <= source.len());
    let data = local.data..end.ok_or_else(|| format!("the bytes end inside `{shown}`"))?;
    if entry.method == 0 && entry.compressed != entry.size {
        return Err(format!("`{shown}` is stored and has two lengths"));
    }
    let (name, unpacked) = (entry.name.clone(), unpacked.clone());
    Ok(ZipMember { name, size: entry.size, crc32: entry.crc32, data, entry, unpacked })
}

fn is_same(entry: &Entry, local: &LocalHeader) -> bool {
    let left_open = (local.flags | entry.flags) & 8 != 0;
    let fits =
        |central: u64, own: u64| central == own || left_open && matches!(own, 0 | 0xffff_ffff | u64::MAX);
    entry.raw_name == local.raw_name
        && entry.method == local.method
        && fits(entry.crc32.into(), local.crc32.into())
        && fits(entry.compressed, local.compressed)
        && fits(entry.size, local.size)
}

impl ZipMember {
    /// Whether its bytes stand in the zip as they are.
    pub fn is_stored(&self) -> bool {
        self.entry.method == 0
    }

    /// Its content. What is packed is unpacked once, under `meter`, to be sure of its length and checksum, and then
    /// anew when it is read after another member: only one of them is kept at a time.
    pub fn open(&self, source: &Arc<dyn Source>, meter: &mut Meter) -> Result<Arc<dyn Source>, String> {
        if self.is_stored() {
            let length = self.data.end - self.data.start;
            return Ok(Arc::new(WindowSource::new(source.clone(), self.data.start, length)));
        }
        let inflated = self.inflate(source, meter)?;
        const SMALL: u64 = 4 << 10;
        if self.size <= SMALL {
            return Ok(Arc::new(inflated));
        }
        Ok(Arc::new(Packed { source: source.clone(), member: self.clone() }))
    }

    /// Its content in memory, with the length and the checksum that are declared. No more is unpacked than `size`, so
    /// whoever calls looks at that first.
    pub fn content(&self, source: &Arc<dyn Source>) -> Result<Vec<u8>, String> {
        let content: Arc<dyn Source> = if self.is_stored() {
            Arc::new(WindowSource::new(source.clone(), self.data.start, self.size))
        } else {
            let (max_expanded, max_member_memory) = (self.size, self.size);
            let budget = Budget { max_expanded, max_ratio: 0, max_member_memory, ..Budget::default() };
            let inflation = self.inflation(source, &mut Meter::new(budget))?;
            if inflation.exhausted.is_some() {
                return Err("its length does not fit".to_owned());
            }
            Arc::new(self.checked(inflation)?)
        };
        let bytes =
            Reader::new(content.as_ref()).take(content.len()).map_err(|_| "it cannot be read".to_owned())?;
        if self.is_stored() && crc32fast::hash(&bytes) != self.crc32 {
            return Err("its checksum does not fit".to_owned());
        }
        Ok(bytes.into_owned())
    }

    fn inflate(&self, source: &Arc<dyn Source>, meter: &mut Meter) -> Result<InflatedSource, String> {
        self.checked(self.inflation(source, meter)?)
    }

    fn inflation(&self, source: &Arc<dyn Source>, meter: &mut Meter) -> Result<Inflation, String> {
        let codec = codec_of(self.entry.method, Some(&self.entry))
            .ok_or_else(|| format!("packing method {} is not read", self.entry.method))?;
        let (decoder, _) = codec::open(codec, source, self.data.clone());
        Ok(InflatedSource::inflate(decoder, self.data.end - self.data.start, meter))
    }

    fn checked(&self, inflation: Inflation) -> Result<InflatedSource, String> {
        match (inflation.exhausted, inflation.error) {
            (Some(Exhausted { limit }), _) => Err(format!("stopped at the limit `{limit}`")),
            (None, Some(error)) => Err(error.to_string()),
            (None, None) if inflation.crc32 != self.crc32 => Err("its checksum does not fit".to_owned()),
            (None, None) if inflation.source.len() != self.size => Err("its length does not fit".to_owned()),
            (None, None) => Ok(inflation.source),
        }
    }
}

impl std::fmt::Debug for ZipMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZipMember")
            .field("name", &self.name)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// A packed member whose length and checksum are known to fit.
struct Packed {
    source: Arc<dyn Source>,
    member: ZipMember,
}

impl Packed {
    fn unpacked(&self) -> io::Result<Arc<dyn Source>> {
        let mut unpacked = self.member.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, known)) = &*unpacked
            && *start == self.member.data.start
        {
            return Ok(known.clone());
        }
        *unpacked = None;
        // What it unpacks to was counted when it was opened.
        let budget = Budget { max_expanded: self.member.size, ..Budget::default() };
        let inflated = self.member.inflate(&self.source, &mut Meter::new(budget));
        let inflated = inflated.map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
        let inflated: Arc<dyn Source> = Arc::new(inflated);
        *unpacked = Some((self.member.data.start, inflated.clone()));
        Ok(inflated)
    }
}

impl Source for Packed {
    fn len(&self) -> u64 {
        self.member.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.unpacked()?.read_at(offset, buffer)
    }
}
