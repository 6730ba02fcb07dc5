//! The JSON header, read as the reference loader reads it, except that repeated keys are seen.

use std::{
    cell::Cell,
    fmt,
    io::{self, Read},
    ops::Range,
    rc::Rc,
};

use alnage_types::{Exhausted, Meter, Source};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// What the header says.
#[derive(Default)]
pub(super) struct Header {
    pub(super) tensors: Vec<DeclaredTensor>,
    pub(super) metadata: Vec<(String, MetadataValue, u64)>,
    /// Keys that stand more than once in one object, with the offset after the repetition.
    pub(super) repeated: Vec<(String, u64)>,
    /// Keys of a tensor's entry that the format does not know.
    pub(super) unknown_keys: Vec<(String, u64)>,
    pub(super) exhausted: Option<Exhausted>,
}

/// A tensor as the header declares it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DeclaredTensor {
    pub(super) name: String,
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    pub(super) offsets: (u64, u64),
    /// Where its entry stands in the file.
    pub(super) entry: (u64, u64),
}

/// A value of `__metadata__`, which should be a string.
pub(super) enum MetadataValue {
    Text(String),
    Other(String),
}

/// How many repeated or unknown keys are kept.
const MAX_KEYS: usize = 64;

/// Reads the header in `range`. What was read before an error is in the header all the same.
pub(super) fn read(
    source: &dyn Source,
    range: Range<u64>,
    meter: &mut Meter,
) -> (Header, Result<(), serde_json::Error>, u64) {
    let position = Rc::new(Cell::new(range.start));
    let stream = Stream { source, position: position.clone(), end: range.end, buffer: Vec::new(), used: 0 };
    let mut header = Header::default();
    let mut json = serde_json::Deserializer::from_reader(stream);
    let seed = Entries { header: &mut header, meter, position: &position };
    let result = seed.deserialize(&mut json).and_then(|()| json.end());
    (header, result, position.get())
}

/// The header's bytes as a stream that knows its position in the file.
struct Stream<'a> {
    source: &'a dyn Source,
    position: Rc<Cell<u64>>,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.used == self.buffer.len() {
            let left = self.end.saturating_sub(self.position.get());
            self.buffer.resize(left.min(64 << 10) as usize, 0);
            let count = self.source.read_at(self.position.get(), &mut self.buffer)?;
            self.buffer.truncate(count);
            self.used = 0;
        }
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        self.position.set(self.position.get() + count as u64);
        Ok(count)
    }
}

/// The whole header: an object of tensors and `__metadata__`.
struct Entries<'a> {
    header: &'a mut Header,
    meter: &'a mut Meter,
    position: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { header, meter, position } = self;
        let mut metadata_seen = false;
        while let Some(key) = map.next_key::<String>()? {
            let limit = meter.budget().max_nodes;
            let step = meter.step(1 + key.len() as u64 / 64).err();
            let full = header.tensors.len() as u64 >= limit;
            if let Some(limit) = step.or(full.then_some(Exhausted { limit: "max-nodes" })) {
                header.exhausted = Some(limit);
                return Err(de::Error::custom("stopped at a limit"));
            }
            if key == "__metadata__" {
                if std::mem::replace(&mut metadata_seen, true) {
                    keep_key(&mut header.repeated, key, position);
                }
                map.next_value_seed(Metadata { header, meter, position })?;
                continue;
            }
            let start = position.get().saturating_sub(key.len() as u64 + 2);
            let mut tensor = map.next_value_seed(Tensor { name: &key, header, position })?;
            tensor.entry = (start, position.get());
            tensor.name = key;
            header.tensors.push(tensor);
        }
        find_repeated(header);
        Ok(())
    }
}

fn keep_key(keys: &mut Vec<(String, u64)>, key: String, position: &Cell<u64>) {
    if keys.len() < MAX_KEYS {
        keys.push((key, position.get()));
    }
}

/// Tensor names that stand more than once.
fn find_repeated(header: &mut Header) {
    let mut names: Vec<(&str, u64)> =
        header.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.entry.0)).collect();
    names.sort_unstable();
    let repeated = names.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let repeated: Vec<_> = repeated.take(MAX_KEYS).map(|pair| (pair[1].0.to_owned(), pair[1].1)).collect();
    header.repeated.extend(repeated);
}

/// `__metadata__`: an object of strings.
struct Metadata<'a> {
    header: &'a mut Header,
    meter: &'a mut Meter,
    position: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = std::collections::BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Err(limit) = self.meter.step(1 + key.len() as u64 / 64) {
                self.header.exhausted = Some(limit);
                return Err(de::Error::custom("stopped at a limit"));
            }
            let start = self.position.get();
            let value = match map.next_value::<serde_json::Value>()? {
                serde_json::Value::String(text) => MetadataValue::Text(text),
                other => MetadataValue::Other(other.to_string()),
            };
            if !seen.insert(key.clone()) {
                keep_key(&mut self.header.repeated, key.clone(), self.position);
            }
            self.header.metadata.push((key, value, start));
        }
        Ok(())
    }
}

/// One tensor's entry.
struct Tensor<'a> {
    name: &'a str,
    header: &'a mut Header,
    position: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Tensor<'_> {
    type Value = DeclaredTensor;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<DeclaredTensor, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tensor<'_> {
    type Value = DeclaredTensor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `dtype`, `shape` and `data_offsets`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DeclaredTensor, A::Error> {
        let mut tensor = DeclaredTensor::default();
        let (mut dtype, mut shape, mut offsets) = (false, false, false);
        while let Some(key) = map.next_key::<String>()? {
            let seen = match key.as_str() {
                "dtype" => {
                    tensor.dtype = map.next_value()?;
                    &mut dtype
                }
                "shape" => {
                    tensor.shape = map.next_value()?;
                    &mut shape
                }
                "data_offsets" => {
                    tensor.offsets = map.next_value()?;
                    &mut offsets
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    let place = format!("{}.{key}", self.name);
                    keep_key(&mut self.header.unknown_keys, place, self.position);
                    continue;
                }
            };
            if std::mem::replace(seen, true) {
                keep_key(&mut self.header.repeated, format!("{}.{key}", self.name), self.position);
            }
        }
        for (seen, field) in [(dtype, "dtype"), (shape, "shape"), (offsets, "data_offsets")] {
            if !seen {
                return Err(de::Error::missing_field(field));
            }
        }
        Ok(tensor)
    }
}
