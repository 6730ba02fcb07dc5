//! The protobuf wire format, walked field by field without a schema and without copying payloads.
//!
//! A [`Message`] is a range of the bytes and a position in it, nothing else, so that a walk over nested messages is
//! an explicit stack of them over one [`Reader`]: read in file order, a large graph costs one pass of its structure,
//! and a tensor's payload is stepped over.

use std::ops::Range;

use alnage_types::{Exhausted, IssueKind, Meter, ReadEnd, Reader};

use crate::Context;

/// A position within one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    position: u64,
    end: u64,
}

/// One field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The field's number in its schema.
    pub number: u32,
    /// What it holds.
    pub value: Value,
    /// Offset of its tag.
    pub start: u64,
}

/// What a field holds, by wire type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: a string, bytes, a nested message or packed numbers, by place.
    Bytes(Range<u64>),
    /// Wire type 3: what stands between the group's start and its matching end.
    Group(Range<u64>),
    /// Wire type 5.
    Fixed32(u32),
}

/// Why a message could not be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireEnd {
    /// At which byte.
    pub offset: u64,
    /// Why.
    pub cause: WireCause,
}

/// Why a message could not be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireCause {
    /// The bytes are no protobuf.
    Malformed(&'static str),
    /// A read gave nothing.
    Read(ReadEnd),
    /// A limit of the budget was reached.
    Exhausted(Exhausted),
}

impl WireEnd {
    fn malformed(offset: u64, what: &'static str) -> Self {
        Self { offset, cause: WireCause::Malformed(what) }
    }

    /// Raises the issue for it; `what` names the structure being read.
    pub fn report(&self, context: &mut Context<'_>, what: &str) {
        match &self.cause {
            WireCause::Malformed(why) => {
                context.issue(IssueKind::Malformed, self.offset, format!("{what}: {why}"));
            }
            WireCause::Read(end) => context.read_end(*end, self.offset, what),
            WireCause::Exhausted(limit) => context.exhausted(*limit, self.offset),
        }
    }
}

impl Message {
    /// The message in `range` of the bytes.
    pub fn new(range: Range<u64>) -> Self {
        Self { position: range.start, end: range.end }
    }

    /// All bytes of `reader` as one message.
    pub fn whole(reader: &Reader<'_>) -> Self {
        Self::new(0..reader.len())
    }

    /// Offset of the next field.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// One past the message's last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The next field, or `None` at the end. After an error there is nothing more to read.
    pub fn next(&mut self, reader: &mut Reader<'_>, meter: &mut Meter) -> Result<Option<Field>, WireEnd> {
        let result = self.advance(reader, meter);
        if result.is_err() {
            self.position = self.end;
        }
        result
    }

    fn advance(&mut self, reader: &mut Reader<'_>, meter: &mut Meter) -> Result<Option<Field>, WireEnd> {
        if self.position >= self.end {
            return Ok(None);
        }
        let start = self.position;
        let (number, wire_type) = self.tag(reader, meter)?;
        let value = match wire_type {
            3 => Value::Group(self.group(number, reader, meter)?),
            4 => return Err(WireEnd::malformed(start, "a group ends that never started")),
            _ => self.value(wire_type, start, reader)?,
        };
        Ok(Some(Field { number, value, start }))
    }

    /// The next varint, for packed numbers.
    pub fn next_varint(
        &mut self,
        reader: &mut Reader<'_>,
        meter: &mut Meter,
    ) -> Result<Option<u64>, WireEnd> {
        if self.position >= self.end {
            return Ok(None);
        }
        let number = step(meter, self.position).and_then(|()| self.varint(reader));
        if number.is_err() {
            self.position = self.end;
        }
        number.map(Some)
    }

    fn tag(&mut self, reader: &mut Reader<'_>, meter: &mut Meter) -> Result<(u32, u8), WireEnd> {
        let start = self.position;
        step(meter, start)?;
        let tag = u32::try_from(self.varint(reader)?)
            .map_err(|_| WireEnd::malformed(start, "a field's tag is out of range"))?;
        match tag >> 3 {
            0 => Err(WireEnd::malformed(start, "a field has the number 0")),
            number => Ok((number, (tag & 7) as u8)),
        }
    }

    fn value(&mut self, wire_type: u8, start: u64, reader: &mut Reader<'_>) -> Result<Value, WireEnd> {
        match wire_type {
            0 => self.varint(reader).map(Value::Varint),
            1 => self.fixed(reader).map(|bytes| Value::Fixed64(u64::from_le_bytes(bytes))),
            2 => {
                let length = self.varint(reader)?;
                let range = self.position..self.position.saturating_add(length);
                self.advance_to(range.end, start)?;
                Ok(Value::Bytes(range))
            }
            5 => self.fixed(reader).map(|bytes| Value::Fixed32(u32::from_le_bytes(bytes))),
            _ => Err(WireEnd::malformed(start, "a field has a wire type that does not exist")),
        }
    }

    /// Steps over a group's content, nested groups included, up to the end that matches `number`.
    fn group(
        &mut self,
        number: u32,
        reader: &mut Reader<'_>,
        meter: &mut Meter,
    ) -> Result<Range<u64>, WireEnd> {
        let content = self.position;
        let mut open = vec![number];
        loop {
            let start = self.position;
            if start >= self.end {
                return Err(WireEnd { offset: start, cause: WireCause::Read(ReadEnd::Truncated) });
            }
            match self.tag(reader, meter)? {
                (inner, 3) => open.push(inner),
                (inner, 4) if open.pop() != Some(inner) => {
                    return Err(WireEnd::malformed(start, "a group ends that never started"));
                }
                (_, 4) if open.is_empty() => return Ok(content..start),
                (_, 4) => {}
                (_, wire_type) => {
                    self.value(wire_type, start, reader)?;
                }
            }
        }
    }

    fn varint(&mut self, reader: &mut Reader<'_>) -> Result<u64, WireEnd> {
        let start = self.position;
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.fixed(reader)?;
            // Real readers drop the bits beyond the 64th.
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireEnd::malformed(start, "a number is longer than ten bytes"))
    }

    fn fixed<const N: usize>(&mut self, reader: &mut Reader<'_>) -> Result<[u8; N], WireEnd> {
        let start = self.position;
        self.advance_to(start.saturating_add(N as u64), start)?;
        if reader.position() != start {
            reader.seek(start);
        }
        reader.array().map_err(|end| WireEnd { offset: start, cause: WireCause::Read(end) })
    }

    fn advance_to(&mut self, position: u64, start: u64) -> Result<(), WireEnd> {
        if position > self.end {
            return Err(WireEnd { offset: start, cause: WireCause::Read(ReadEnd::Truncated) });
        }
        self.position = position;
        Ok(())
    }
}

fn step(meter: &mut Meter, offset: u64) -> Result<(), WireEnd> {
    meter.step(1).map_err(|limit| WireEnd { offset, cause: WireCause::Exhausted(limit) })
}

impl Field {
    /// The place of its bytes, when it has some.
    pub fn bytes(&self) -> Option<Range<u64>> {
        match &self.value {
            Value::Bytes(range) => Some(range.clone()),
            _ => None,
        }
    }

    /// Its number, when it is a varint.
    pub fn varint(&self) -> Option<u64> {
        match self.value {
            Value::Varint(number) => Some(number),
            _ => None,
        }
    }

    /// Its bytes as a nested message.
    pub fn message(&self) -> Option<Message> {
        self.bytes().map(Message::new)
    }

    /// At most `max` of its bytes as text, replacing what is no UTF-8; `None` when it holds no bytes or they could
    /// not be read.
    pub fn text(&self, reader: &mut Reader<'_>, max: u64) -> Option<String> {
        let range = self.bytes()?;
        reader.seek(range.start);
        let bytes = reader.take((range.end - range.start).min(max)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its numbers, for a repeated number field that may be packed: the varint itself or each one of the packed
    /// bytes.
    pub fn varints(
        &self,
        reader: &mut Reader<'_>,
        meter: &mut Meter,
        mut each: impl FnMut(u64),
    ) -> Result<(), WireEnd> {
        match &self.value {
            Value::Varint(number) => each(*number),
            Value::Bytes(range) => {
                let mut packed = Message::new(range.clone());
                while let Some(number) = packed.next_varint(reader, meter)? {
                    each(number);
                }
            }
            Value::Fixed64(_) | Value::Fixed32(_) | Value::Group(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
