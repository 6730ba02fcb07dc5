//! The header of a 7z archive: where the packed streams are, how they unpack, and the files they unpack to.

/// Why a header could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderFault {
    /// It ends early, or a number in it cannot be.
    Malformed,
    /// It keeps its parts in another place, which no archiver does.
    External,
}

type Result<T> = std::result::Result<T, HeaderFault>;

/// How packed streams unpack.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Where the first packed stream starts, behind the signature header.
    pub(super) pack_position: u64,
    pub(super) pack_sizes: Vec<u64>,
    pub(super) folders: Vec<Folder>,
}

/// A chain of coders and what it unpacks to.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) coders: Vec<Coder>,
    /// Which input is fed by which output.
    pub(super) binds: Vec<(u64, u64)>,
    /// How many packed streams go in.
    pub(super) packed: u64,
    pub(super) unpack_sizes: Vec<u64>,
    pub(super) crc32: Option<u32>,
    /// The files it holds, one behind the other: size and checksum.
    pub(super) substreams: Vec<(u64, Option<u32>)>,
}

/// One step of unpacking.
#[derive(Debug)]
pub(super) struct Coder {
    pub(super) id: Vec<u8>,
    pub(super) properties: Vec<u8>,
    /// Whether it has one input and one output.
    pub(super) simple: bool,
}

/// A file of the archive.
#[derive(Debug, Default, Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) has_content: bool,
    /// Windows attributes, with the Unix mode in the upper half when bit 15 is set.
    pub(super) attributes: u32,
}

/// What a header is.
#[derive(Debug)]
pub(super) enum Header {
    /// The files and how to unpack them.
    Plain { streams: Streams, files: Vec<File> },
    /// How to unpack the real header.
    Packed(Streams),
}

pub(super) fn read(bytes: &[u8]) -> Result<Header> {
    let mut input = Input { rest: bytes };
    match input.byte()? {
        0x01 => {}
        0x17 => return Ok(Header::Packed(input.streams()?)),
        _ => return Err(HeaderFault::Malformed),
    }
    let (mut streams, mut files) = (Streams::default(), Vec::new());
    loop {
        match input.byte()? {
            0x00 => return Ok(Header::Plain { streams, files }),
            0x02 => {
                while input.byte()? != 0 {
                    let length = input.number()?;
                    input.bytes(length)?;
                }
            }
            0x03 => drop(input.streams()?),
            0x04 => streams = input.streams()?,
            0x05 => files = input.files()?,
            _ => return Err(HeaderFault::Malformed),
        }
    }
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or(HeaderFault::Malformed)?;
        self.rest = rest;
        Ok(byte)
    }

    fn bytes(&mut self, count: u64) -> Result<&'a [u8]> {
        let count = usize::try_from(count).map_err(|_| HeaderFault::Malformed)?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(HeaderFault::Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.bytes(4)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    /// A number whose first byte says by its leading ones how many bytes follow.
    fn number(&mut self) -> Result<u64> {
        let first = self.byte()?;
        let mut number = 0u64;
        for at in 0..8 {
            let mask = 0x80u8 >> at;
            if first & mask == 0 {
                let high = u64::from(first & (mask - 1));
                return Ok(number | high << (8 * at));
            }
            number |= u64::from(self.byte()?) << (8 * at);
        }
        Ok(number)
    }

    /// A number of things of which each takes at least one bit of the header.
    fn count(&mut self) -> Result<usize> {
        let count = self.number()?;
        if count > (self.rest.len() as u64).saturating_mul(8) {
            return Err(HeaderFault::Malformed);
        }
        usize::try_from(count).map_err(|_| HeaderFault::Malformed)
    }

    fn bits(&mut self, count: usize) -> Result<Vec<bool>> {
        let bytes = self.bytes(count.div_ceil(8) as u64)?;
        Ok((0..count).map(|at| bytes[at / 8] & (0x80 >> (at % 8)) != 0).collect())
    }

    /// Bits with a byte in front that says that all are set.
    fn optional_bits(&mut self, count: usize) -> Result<Vec<bool>> {
        if self.byte()? != 0 { Ok(vec![true; count]) } else { self.bits(count) }
    }

    fn digests(&mut self, count: usize) -> Result<Vec<Option<u32>>> {
        let defined = self.optional_bits(count)?;
        defined.into_iter().map(|defined| if defined { self.u32().map(Some) } else { Ok(None) }).collect()
    }

    fn inline(&mut self) -> Result<()> {
        if self.byte()? == 0 { Ok(()) } else { Err(HeaderFault::External) }
    }

    fn streams(&mut self) -> Result<Streams> {
        let mut streams = Streams::default();
        loop {
            match self.byte()? {
                0x00 => break,
                0x06 => self.pack_info(&mut streams)?,
                0x07 => self.folders(&mut streams)?,
                0x08 => self.substreams(&mut streams)?,
                _ => return Err(HeaderFault::Malformed),
            }
        }
        for folder in &mut streams.folders {
            if folder.substreams.is_empty() && folder.crc32.is_some() {
                folder.substreams.push((folder.unpack_size(), folder.crc32));
            }
        }
        Ok(streams)
    }

    fn pack_info(&mut self, streams: &mut Streams) -> Result<()> {
        streams.pack_position = self.number()?;
        let count = self.count()?;
        loop {
            match self.byte()? {
                0x00 => return Ok(()),
                0x09 => streams.pack_sizes = (0..count).map(|_| self.number()).collect::<Result<_>>()?,
                0x0a => drop(self.digests(count)?),
                _ => return Err(HeaderFault::Malformed),
            }
        }
    }

    fn folders(&mut self, streams: &mut Streams) -> Result<()> {
        loop {
            match self.byte()? {
                0x00 => return Ok(()),
                0x0b => {
                    let count = self.count()?;
                    self.inline()?;
                    streams.folders = (0..count).map(|_| self.folder()).collect::<Result<_>>()?;
                }
                0x0c => {
                    for folder in &mut streams.folders {
                        folder.unpack_sizes =
                            folder.coders.iter().map(|_| self.number()).collect::<Result<_>>()?;
                    }
                }
                0x0a => {
                    let digests = self.digests(streams.folders.len())?;
                    streams.folders.iter_mut().zip(digests).for_each(|(folder, crc32)| folder.crc32 = crc32);
                }
                _ => return Err(HeaderFault::Malformed),
            }
        }
    }

    fn folder(&mut self) -> Result<Folder> {
        const MAX_CODERS: u64 = 32;
        let mut folder = Folder::default();
        let coders = self.number()?;
        if coders == 0 || coders > MAX_CODERS {
            return Err(HeaderFault::Malformed);
        }
        let (mut inputs, mut outputs) = (0, 0);
        for _ in 0..coders {
            let flags = self.byte()?;
            let id = self.bytes(u64::from(flags & 0x0f))?.to_vec();
            let (mut ins, mut outs) = (1, 1);
            if flags & 0x10 != 0 {
                (ins, outs) = (self.number()?, self.number()?);
            }
            if ins > MAX_CODERS || outs > MAX_CODERS {
                return Err(HeaderFault::Malformed);
            }
            inputs += ins;
            outputs += outs;
            let properties = if flags & 0x20 != 0 {
                let length = self.number()?;
                self.bytes(length)?.to_vec()
            } else {
                Vec::new()
            };
            folder.coders.push(Coder { id, properties, simple: (ins, outs) == (1, 1) });
        }
        for _ in 1..outputs {
            folder.binds.push((self.number()?, self.number()?));
        }
        folder.packed = inputs - folder.binds.len().min(inputs as usize) as u64;
        if folder.packed > 1 {
            for _ in 0..folder.packed {
                self.number()?;
            }
        }
        Ok(folder)
    }

    fn substreams(&mut self, streams: &mut Streams) -> Result<()> {
        let mut counts = vec![1; streams.folders.len()];
        let mut id = self.byte()?;
        if id == 0x0d {
            for count in &mut counts {
                *count = self.count()?;
            }
            id = self.byte()?;
        }
        for (folder, &count) in streams.folders.iter_mut().zip(&counts) {
            let mut left = folder.unpack_size();
            for at in 0..count {
                let size = if id == 0x09 && at + 1 < count { self.number()? } else { left };
                left = left.saturating_sub(size);
                folder.substreams.push((size, None));
            }
            if let ([only], Some(crc32)) = (folder.substreams.as_mut_slice(), folder.crc32) {
                only.1 = Some(crc32);
            }
        }
        if id == 0x09 {
            id = self.byte()?;
        }
        if id == 0x0a {
            let open =
                streams.folders.iter().flat_map(|folder| &folder.substreams).filter(|sub| sub.1.is_none());
            let digests = self.digests(open.count())?;
            let open = streams
                .folders
                .iter_mut()
                .flat_map(|folder| &mut folder.substreams)
                .filter(|sub| sub.1.is_none());
            open.zip(digests).for_each(|(substream, crc32)| substream.1 = crc32);
            id = self.byte()?;
        }
        if id == 0 { Ok(()) } else { Err(HeaderFault::Malformed) }
    }

    fn files(&mut self) -> Result<Vec<File>> {
        let count = self.count()?;
        let mut files = vec![File { has_content: true, ..File::default() }; count];
        loop {
            let property = self.byte()?;
            if property == 0 {
                return Ok(files);
            }
            let length = self.number()?;
            let mut part = Input { rest: self.bytes(length)? };
            match property {
                0x0e => {
                    let empty = part.bits(count)?;
                    files.iter_mut().zip(empty).for_each(|(file, empty)| file.has_content = !empty);
                }
                0x11 => {
                    part.inline()?;
                    let units: Vec<u16> = part
                        .rest
                        .chunks_exact(2)
                        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                        .collect();
                    let names = units.split(|&unit| unit == 0);
                    files
                        .iter_mut()
                        .zip(names)
                        .for_each(|(file, name)| file.name = String::from_utf16_lossy(name));
                }
                0x15 => {
                    let defined = part.optional_bits(count)?;
                    part.inline()?;
                    for (file, _) in files.iter_mut().zip(defined).filter(|(_, defined)| *defined) {
                        file.attributes = part.u32()?;
                    }
                }
                _ => {}
            }
        }
    }
}

impl Folder {
    /// Bytes that come out at the end of the chain.
    pub(super) fn unpack_size(&self) -> u64 {
        let last = self.unpack_sizes.iter().enumerate().rev();
        let mut unbound = last.filter(|(at, _)| !self.binds.iter().any(|(_, output)| *output == *at as u64));
        unbound.next().map_or(0, |(_, size)| *size)
    }

    /// The coders from the packed stream to the file, when they form a simple chain.
    pub(super) fn chain(&self) -> Option<Vec<usize>> {
        if self.packed != 1 || !self.coders.iter().all(|coder| coder.simple) {
            return None;
        }
        let outputs = 0..self.coders.len();
        let mut at =
            outputs.clone().find(|&at| !self.binds.iter().any(|(_, output)| *output == at as u64))?;
        let mut chain = vec![at];
        while let Some((_, output)) = self.binds.iter().find(|(input, _)| *input == at as u64) {
            at = usize::try_from(*output).ok().filter(|output| outputs.contains(output))?;
            if chain.contains(&at) {
                return None;
            }
            chain.push(at);
        }
        chain.reverse();
        Some(chain)
    }
}
