//! Recognising protobuf messages by structure: a bounded look at the fields of the first levels.

use std::ops::{Range, RangeInclusive};

use alnage_types::{Budget, Meter, Reader, Source};

use crate::{
    Context,
    wire::{Field, Message, Value},
};

/// The shape of a message's fields: number and wire type, enough to tell formats apart.
pub(super) struct Shape {
    fields: Vec<Field>,
}

impl Shape {
    /// The first fields of the message in `range`, at most `max`. `None` when the bytes are no protobuf, do not end
    /// where the message does, or hold another field than `allowed`.
    pub(super) fn of(
        source: &dyn Source,
        range: Range<u64>,
        max: usize,
        allowed: &[Allowed],
    ) -> Option<Self> {
        let mut reader = Reader::new(source);
        let mut meter = Meter::new(Budget { max_steps: 1 << 20, ..Budget::default() });
        let mut message = Message::new(range);
        let mut fields = Vec::new();
        while fields.len() < max {
            match message.next(&mut reader, &mut meter) {
                Ok(Some(field)) if allowed.iter().any(|allowed| allowed.fits(&field)) => fields.push(field),
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return None,
            }
        }
        (!fields.is_empty()).then_some(Self { fields })
    }

    /// The whole source as one message.
    pub(super) fn whole(source: &dyn Source, max: usize, allowed: &[Allowed]) -> Option<Self> {
        Self::of(source, 0..source.len(), max, allowed)
    }

    /// The places of all byte fields with this number.
    pub(super) fn bytes(&self, number: u32) -> impl Iterator<Item = Range<u64>> {
        self.fields.iter().filter(move |field| field.number == number).filter_map(Field::bytes)
    }

    /// The first byte field with this number as a message of its own.
    pub(super) fn inner(
        &self,
        source: &dyn Source,
        number: u32,
        max: usize,
        allowed: &[Allowed],
    ) -> Option<Self> {
        Self::of(source, self.bytes(number).next()?, max, allowed)
    }

    /// Whether there is a field with this number.
    pub(super) fn has(&self, number: u32) -> bool {
        self.fields.iter().any(|field| field.number == number)
    }

    /// The first number with this field number.
    pub(super) fn varint(&self, number: u32) -> Option<u64> {
        self.fields.iter().find(|field| field.number == number).and_then(Field::varint)
    }

    /// All numbers with this field number, packed or not; the message must be small.
    pub(super) fn varints(&self, source: &dyn Source, number: u32) -> Vec<u64> {
        let mut reader = Reader::new(source);
        let mut meter = Meter::new(Budget { max_steps: 1 << 12, ..Budget::default() });
        let mut numbers = Vec::new();
        for field in self.fields.iter().filter(|field| field.number == number) {
            if field.varints(&mut reader, &mut meter, |number| numbers.push(number)).is_err() {
                break;
            }
        }
        numbers
    }

    /// The first byte field with this number, when it is short printable text.
    pub(super) fn name(&self, source: &dyn Source, number: u32) -> Option<String> {
        let range = self.bytes(number).next()?;
        let mut reader = Reader::at(source, range.start);
        let length = range.end.saturating_sub(range.start);
        let bytes = (length <= 4096).then(|| reader.take(length).ok()).flatten()?;
        let text = String::from_utf8(bytes.into_owned()).ok()?;
        (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
    }
}

/// Fields a message may have, by their numbers.
pub(super) enum Allowed {
    Bytes(RangeInclusive<u32>),
    Number(RangeInclusive<u32>),
    Any(RangeInclusive<u32>),
}

impl Allowed {
    fn fits(&self, field: &Field) -> bool {
        let (numbers, fits) = match self {
            Self::Bytes(numbers) => (numbers, matches!(field.value, Value::Bytes(_))),
            Self::Number(numbers) => (numbers, !matches!(field.value, Value::Bytes(_) | Value::Group(_))),
            Self::Any(numbers) => (numbers, true),
        };
        fits && numbers.contains(&field.number)
    }
}

/// Calls `each` with every field of a message; what is malformed becomes an issue and ends the message.
pub(super) fn each_field(
    reader: &mut Reader<'_>,
    context: &mut Context<'_>,
    mut message: Message,
    what: &str,
    mut each: impl FnMut(&Field, &mut Reader<'_>, &mut Context<'_>),
) {
    loop {
        match message.next(reader, context.meter()) {
            Ok(Some(field)) => each(&field, reader, context),
            Ok(None) => return,
            Err(end) => return end.report(context, what),
        }
    }
}
