//! A bounded reader of FlatBuffers: tables, vectors and texts by offset, each checked against the file's end.

use alnage_types::{ReadEnd, Reader, Source};

/// A table: where it is, and its field offsets.
#[derive(Debug, Clone)]
pub(super) struct Table {
    at: u64,
    fields: Vec<u16>,
}

/// A vector: where its first element is, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vector {
    pub(super) at: u64,
    pub(super) count: u64,
}

/// A file of FlatBuffers.
pub(super) struct Flat<'a> {
    reader: Reader<'a>,
    /// Where the furthest part that was read ends.
    pub(super) end: u64,
}

impl<'a> Flat<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { reader: Reader::new(source), end: 8 }
    }

    /// Where the reader is, for issues.
    pub(super) fn position(&self) -> u64 {
        self.reader.position()
    }

    fn seen(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    fn u32_at(&mut self, at: u64) -> Result<u32, ReadEnd> {
        self.reader.seek(at);
        let number = self.reader.u32le()?;
        self.seen(at + 4);
        Ok(number)
    }

    /// The place that an offset at `at` leads to.
    fn follow(&mut self, at: u64) -> Result<u64, ReadEnd> {
        let offset = u64::from(self.u32_at(at)?);
        let target = at.checked_add(offset).ok_or(ReadEnd::Truncated)?;
        if offset == 0 || target >= self.reader.len() { Err(ReadEnd::Truncated) } else { Ok(target) }
    }

    /// The table that the offset at `at` leads to.
    pub(super) fn table(&mut self, at: u64) -> Result<Table, ReadEnd> {
        let at = self.follow(at)?;
        self.reader.seek(at);
        let back = i64::from(self.reader.i32le()?);
        let directory = at.checked_add_signed(back.wrapping_neg()).ok_or(ReadEnd::Truncated)?;
        self.reader.seek(directory);
        let size = self.reader.u16le()?;
        let length = self.reader.u16le()?;
        // Fields beyond these are of no interest, and reading them for every table would be slow.
        let count = (size.saturating_sub(4) / 2).min(24);
        let fields = (0..count).map(|_| self.reader.u16le()).collect::<Result<Vec<_>, _>>()?;
        self.seen(at + u64::from(length));
        self.seen(directory + u64::from(size));
        Ok(Table { at, fields })
    }

    fn field(&self, table: &Table, field: usize) -> Option<u64> {
        let offset = *table.fields.get(field)?;
        (offset != 0).then(|| table.at + u64::from(offset))
    }

    /// A number of `N` bytes; `None` when the table leaves it at its default.
    fn number<const N: usize>(&mut self, table: &Table, field: usize) -> Result<Option<[u8; N]>, ReadEnd> {
        let Some(at) = self.field(table, field) else { return Ok(None) };
        self.reader.seek(at);
        let bytes = self.reader.array::<N>()?;
        self.seen(at + N as u64);
        Ok(Some(bytes))
    }

    pub(super) fn u8(&mut self, table: &Table, field: usize) -> Result<u8, ReadEnd> {
        Ok(self.number::<1>(table, field)?.map_or(0, |[byte]| byte))
    }

    pub(super) fn u32(&mut self, table: &Table, field: usize) -> Result<u32, ReadEnd> {
        Ok(self.number(table, field)?.map_or(0, u32::from_le_bytes))
    }

    pub(super) fn u64(&mut self, table: &Table, field: usize) -> Result<u64, ReadEnd> {
        Ok(self.number(table, field)?.map_or(0, u64::from_le_bytes))
    }

    /// A table within a table.
    pub(super) fn inner(&mut self, table: &Table, field: usize) -> Result<Option<Table>, ReadEnd> {
        self.field(table, field).map(|at| self.table(at)).transpose()
    }

    /// A vector whose elements have `width` bytes, all of them within the file.
    pub(super) fn vector(
        &mut self,
        table: &Table,
        field: usize,
        width: u64,
    ) -> Result<Option<Vector>, ReadEnd> {
        let Some(at) = self.field(table, field) else { return Ok(None) };
        let at = self.follow(at)?;
        let count = u64::from(self.u32_at(at)?);
        let at = at + 4;
        let end = count.checked_mul(width).and_then(|size| at.checked_add(size)).ok_or(ReadEnd::Truncated)?;
        if end > self.reader.len() {
            return Err(ReadEnd::Truncated);
        }
        self.seen(end);
        Ok(Some(Vector { at, count }))
    }

    /// Element `index` of a vector of tables.
    pub(super) fn element(&mut self, vector: Vector, index: u64) -> Result<Table, ReadEnd> {
        self.table(vector.at + index * 4)
    }

    /// Element `index` of a vector of `i32`.
    pub(super) fn i32_element(&mut self, vector: Vector, index: u64) -> Result<i32, ReadEnd> {
        Ok(self.u32_at(vector.at + index * 4)?.cast_signed())
    }

    /// A text, cut to what a name may be long.
    pub(super) fn text(&mut self, table: &Table, field: usize) -> Result<Option<String>, ReadEnd> {
        const LONGEST: u64 = 1024;
        let Some(vector) = self.vector(table, field, 1)? else { return Ok(None) };
        self.reader.seek(vector.at);
        let bytes = self.reader.take(vector.count.min(LONGEST))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}
