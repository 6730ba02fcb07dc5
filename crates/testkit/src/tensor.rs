//! Builds safetensors, GGUF and ONNX files.

/// A safetensors file: the length of `header`, `header`, `data`.
pub fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(data);
    file
}

/// A sound safetensors file with two tensors and one metadata value.
pub fn safetensors_with_metadata(key: &str, value: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"__metadata__":{{"{key}":"{value}"}},"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}},"b":{{"dtype":"I8","shape":[2,2],"data_offsets":[8,12]}}}}"#
    );
    safetensors(&header, &[0; 12])
}

/// `bytes` as base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// A generator of the same pseudo-random numbers in every run.
pub struct Mutator(u64);

impl Mutator {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// `bytes` with a few bytes changed, cut, doubled or replaced by extreme numbers.
    pub fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_within(at..),
                2 => {
                    let extreme = [u64::MAX, 1 << 63, 1 << 31, 0][self.below(4)].to_le_bytes();
                    bytes.iter_mut().skip(at).zip(extreme).for_each(|(byte, new)| *byte = new);
                }
                _ => {
                    let new = self.below(256) as u8;
                    bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = new);
                }
            }
        }
        bytes
    }
}

/// A GGUF file, built entry by entry.
#[derive(Clone)]
pub struct Gguf {
    version: u32,
    big_endian: bool,
    entries: Vec<u8>,
    entry_count: u64,
    tensors: Vec<u8>,
    tensor_count: u64,
}

impl Default for Gguf {
    fn default() -> Self {
        Self::new(3, false)
    }
}

impl Gguf {
    /// An empty file of this version and byte order.
    pub fn new(version: u32, big_endian: bool) -> Self {
        Self {
            version,
            big_endian,
            entries: Vec::new(),
            entry_count: 0,
            tensors: Vec::new(),
            tensor_count: 0,
        }
    }

    /// A small sound language model with a chat template.
    pub fn model(chat_template: &str) -> Self {
        Self::default()
            .text("general.architecture", "llama")
            .text("general.name", "small")
            .entry("llama.context_length", 4, &4096_u32.to_le_bytes())
            .entry("general.file_type", 4, &15_u32.to_le_bytes())
            .texts("tokenizer.ggml.tokens", &["<s>", "</s>", "a"])
            .text("tokenizer.chat_template", chat_template)
            .tensor("token_embd.weight", &[8, 2], 0, 0)
            .tensor("output.weight", &[32], 2, 64)
    }

    fn u32(&self, number: u32) -> [u8; 4] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u64(&self, number: u64) -> [u8; 8] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// A count or length as wide as the version has it.
    pub fn count(&self, number: u64) -> Vec<u8> {
        if self.version == 1 { self.u32(number as u32).to_vec() } else { self.u64(number).to_vec() }
    }

    fn string(&self, text: &str) -> Vec<u8> {
        [&self.count(text.len() as u64), text.as_bytes()].concat()
    }

    /// An entry whose value is already encoded.
    pub fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        let entry = [&self.string(key), &self.u32(kind)[..], value].concat();
        self.entries.extend(entry);
        self.entry_count += 1;
        self
    }

    /// A string.
    pub fn text(self, key: &str, text: &str) -> Self {
        let value = self.string(text);
        self.entry(key, 8, &value)
    }

    /// A number.
    pub fn number(self, key: &str, number: u32) -> Self {
        let value = self.u32(number);
        self.entry(key, 4, &value)
    }

    /// An array of strings.
    pub fn texts(self, key: &str, texts: &[&str]) -> Self {
        let mut value = [&self.u32(8)[..], &self.count(texts.len() as u64)].concat();
        texts.iter().for_each(|text| value.extend(self.string(text)));
        self.entry(key, 9, &value)
    }

    /// A row of the tensor table.
    pub fn tensor(mut self, name: &str, shape: &[u64], kind: u32, offset: u64) -> Self {
        let mut row = self.string(name);
        row.extend(self.u32(shape.len() as u32));
        shape.iter().for_each(|&dimension| row.extend(self.count(dimension)));
        row.extend(self.u32(kind));
        row.extend(self.u64(offset));
        self.tensors.extend(row);
        self.tensor_count += 1;
        self
    }

    /// The file with `data` bytes of tensors, and with the counts it really has.
    pub fn build(&self, data: usize) -> Vec<u8> {
        self.build_with_counts(self.tensor_count, self.entry_count, data)
    }

    /// The file with other counts in its header than it has.
    pub fn build_with_counts(&self, tensors: u64, entries: u64, data: usize) -> Vec<u8> {
        let header =
            [&b"GGUF"[..], &self.u32(self.version), &self.count(tensors), &self.count(entries)].concat();
        let mut file = [&header[..], &self.entries, &self.tensors].concat();
        file.resize(file.len().next_multiple_of(32) + data, 0);
        file
    }
}
