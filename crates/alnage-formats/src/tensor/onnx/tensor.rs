//! One tensor of a model: its shape, its type, and where its bytes are.

use std::ops::Range;

use alnage_types::{Meter, Reader};

use super::ExternalTensor;
use crate::{
    Field, Message, WireEnd,
    tensor::{
        LayoutFault, LayoutFaultKind,
        layout::{self, quoted},
    },
};

/// A hostile file can declare any number of dimensions; so many are shown.
const MAX_DIMENSIONS: usize = 16;
const MAX_TEXT: u64 = 4096;

/// A tensor as it is read.
#[derive(Default)]
pub(super) struct Tensor {
    name: String,
    dimensions: Vec<i64>,
    elements: Product,
    data_type: u64,
    segment: bool,
    raw: Option<Range<u64>>,
    is_external: bool,
    reference: Vec<(String, String)>,
    /// Its strings.
    pub(super) strings: Vec<Range<u64>>,
}

/// The number of elements, as long as it fits.
#[derive(Clone, Copy)]
enum Product {
    Fits(u64),
    Overflows,
    Negative,
}

impl Default for Product {
    fn default() -> Self {
        Self::Fits(1)
    }
}

impl Tensor {
    /// Takes a field; strings that may carry something are kept in `strings`.
    pub(super) fn take(
        &mut self,
        field: &Field,
        reader: &mut Reader<'_>,
        meter: &mut Meter,
    ) -> Result<(), WireEnd> {
        const SHORTEST: u64 = 16;
        match field.number {
            1 => {
                let (dimensions, elements) = (&mut self.dimensions, &mut self.elements);
                field.varints(reader, meter, |dimension| {
                    let dimension = dimension as i64;
                    if dimensions.len() < MAX_DIMENSIONS {
                        dimensions.push(dimension);
                    }
                    *elements = elements.times(dimension);
                })?;
            }
            2 => self.data_type = field.varint().unwrap_or(0),
            3 => self.segment = true,
            6 => {
                let long = field.bytes().filter(|range| range.end - range.start >= SHORTEST);
                self.strings.extend(long);
            }
            8 => self.name = field.text(reader, MAX_TEXT).unwrap_or_default(),
            9 => self.raw = field.bytes(),
            13 => {
                if let Some(message) = field.message() {
                    self.reference.push(entry(message, reader, meter)?);
                }
            }
            14 => self.is_external = field.varint() == Some(1),
            _ => {}
        }
        Ok(())
    }

    /// Its name, for a message.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its bytes, when it is made of bytes that can be anything.
    pub(super) fn payload(&self) -> Option<Range<u64>> {
        self.raw.clone().filter(|_| matches!(self.data_type, 2 | 3))
    }

    /// Element type, number of elements, and bytes those need.
    pub(super) fn size(&self) -> (&'static str, u64, Option<u64>) {
        let (name, bits) = data_type(self.data_type).unwrap_or(("unknown", None));
        let Product::Fits(elements) = self.elements else { return (name, 0, None) };
        (name, elements, bits.and_then(|bits| elements.checked_mul(bits)).map(|bits| bits.div_ceil(8)))
    }

    /// What is wrong with its arithmetic.
    pub(super) fn fault(&self, span: Range<u64>) -> Option<LayoutFault> {
        let shape = || format!("shape {:?}", self.dimensions);
        let fault = |kind, detail| Some(layout::fault(kind, &self.name, detail, span.clone()));
        if data_type(self.data_type).is_none() {
            return fault(LayoutFaultKind::UnknownType, format!("data type {}", self.data_type));
        }
        let needed = match (self.elements, self.size().2) {
            (Product::Negative, _) => {
                return fault(LayoutFaultKind::Overflow, format!("{} is negative", shape()));
            }
            (Product::Overflows, _) => return fault(LayoutFaultKind::Overflow, shape()),
            (Product::Fits(_), needed) => needed?,
        };
        let raw = self.raw.as_ref().map(|raw| raw.end - raw.start);
        let has = raw.filter(|_| !self.segment && !self.is_external).or_else(|| {
            let length = self.key("length").filter(|_| self.is_external)?;
            length.parse().ok()
        })?;
        let (name, ..) = self.size();
        (has != needed)
            .then(|| {
                fault(
                    LayoutFaultKind::SizeMismatch,
                    format!("{} of {name} needs {needed} bytes, has {has}", shape()),
                )
            })
            .flatten()
    }

    fn key(&self, key: &str) -> Option<&str> {
        self.reference.iter().rev().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    /// The reference to another file, when its bytes are there. A reference without the mark that it is external is
    /// reported too: some readers go by the reference alone.
    pub(super) fn external(&self, span: Range<u64>) -> Option<ExternalTensor> {
        if !self.is_external && self.reference.is_empty() {
            return None;
        }
        let known = |key: &str| {
            matches!(key, "location" | "offset" | "length" | "checksum" | "basepath")
                || key.starts_with("prepacked")
        };
        let unknown = self.reference.iter().filter(|(key, _)| !known(key));
        Some(ExternalTensor {
            tensor: quoted(&self.name),
            location: self.key("location").unwrap_or_default().to_owned(),
            offset: self.key("offset").map(str::to_owned),
            length: self.key("length").map(str::to_owned),
            unknown_keys: unknown.map(|(key, _)| key.clone()).take(8).collect(),
            needed: self.size().2,
            span: (span.start, span.end),
        })
    }
}

impl Product {
    fn times(self, dimension: i64) -> Self {
        match (self, u64::try_from(dimension)) {
            (Self::Negative, _) | (_, Err(_)) => Self::Negative,
            (Self::Overflows, Ok(_)) => Self::Overflows,
            (Self::Fits(elements), Ok(dimension)) => {
                elements.checked_mul(dimension).map_or(Self::Overflows, Self::Fits)
            }
        }
    }
}

/// A key and its value.
pub(super) fn entry(
    mut message: Message,
    reader: &mut Reader<'_>,
    meter: &mut Meter,
) -> Result<(String, String), WireEnd> {
    let (mut key, mut value) = (String::new(), String::new());
    while let Some(field) = message.next(reader, meter)? {
        match field.number {
            1 => key = field.text(reader, MAX_TEXT).unwrap_or_default(),
            2 => value = field.text(reader, MAX_TEXT).unwrap_or_default(),
            _ => {}
        }
    }
    Ok((key, value))
}

/// Name of an element type and bits of an element, if they have a fixed number.
/// The name of an element type.
pub(super) fn type_name(number: u64) -> &'static str {
    data_type(number).map_or("unknown", |(name, _)| name)
}

fn data_type(number: u64) -> Option<(&'static str, Option<u64>)> {
    Some(match number {
        0 => ("undefined", None),
        1 => ("float32", Some(32)),
        2 => ("uint8", Some(8)),
        3 => ("int8", Some(8)),
        4 => ("uint16", Some(16)),
        5 => ("int16", Some(16)),
        6 => ("int32", Some(32)),
        7 => ("int64", Some(64)),
        8 => ("string", None),
        9 => ("bool", Some(8)),
        10 => ("float16", Some(16)),
        11 => ("float64", Some(64)),
        12 => ("uint32", Some(32)),
        13 => ("uint64", Some(64)),
        14 => ("complex64", Some(64)),
        15 => ("complex128", Some(128)),
        16 => ("bfloat16", Some(16)),
        17 => ("float8e4m3fn", Some(8)),
        18 => ("float8e4m3fnuz", Some(8)),
        19 => ("float8e5m2", Some(8)),
        20 => ("float8e5m2fnuz", Some(8)),
        21 => ("uint4", Some(4)),
        22 => ("int4", Some(4)),
        23 => ("float4e2m1", Some(4)),
        24 => ("float8e8m0", Some(8)),
        25 => ("uint2", Some(2)),
        26 => ("int2", Some(2)),
        _ => return None,
    })
}
