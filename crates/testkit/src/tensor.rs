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

/// A protobuf message, built field by field.
#[derive(Clone, Default)]
pub struct Protobuf(pub Vec<u8>);

impl Protobuf {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A number.
    pub fn number(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3);
        self.varint(number);
        self
    }

    /// Bytes or text.
    pub fn bytes(mut self, field: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// A nested message.
    pub fn message(self, field: u64, message: &Protobuf) -> Self {
        self.bytes(field, &message.0)
    }
}

/// An ONNX node.
pub fn onnx_node(domain: &str, operator: &str) -> Protobuf {
    Protobuf::default().bytes(1, "x").bytes(2, "y").bytes(4, operator).bytes(7, domain)
}

/// An ONNX attribute with a string.
pub fn onnx_text_attribute(name: &str, text: &str) -> Protobuf {
    Protobuf::default().bytes(1, name).bytes(4, text).number(20, 3)
}

/// An ONNX attribute with a graph.
pub fn onnx_graph_attribute(name: &str, graph: &Protobuf) -> Protobuf {
    Protobuf::default().bytes(1, name).message(6, graph).number(20, 5)
}

/// An ONNX tensor of this data type with `raw` as its bytes.
pub fn onnx_tensor(name: &str, shape: &[u64], data_type: u64, raw: &[u8]) -> Protobuf {
    let tensor = shape.iter().fold(Protobuf::default(), |tensor, &dimension| tensor.number(1, dimension));
    tensor.number(2, data_type).bytes(8, name).bytes(9, raw)
}

/// An ONNX tensor of float32 whose bytes lie elsewhere.
pub fn onnx_external_tensor(name: &str, shape: &[u64], reference: &[(&str, &str)]) -> Protobuf {
    let tensor = shape.iter().fold(Protobuf::default(), |tensor, &dimension| tensor.number(1, dimension));
    let tensor = tensor.number(2, 1).bytes(8, name);
    let tensor = reference.iter().fold(tensor, |tensor, (key, value)| {
        tensor.message(13, &Protobuf::default().bytes(1, key).bytes(2, value))
    });
    tensor.number(14, 1)
}

/// An ONNX graph with these nodes and initializers.
pub fn onnx_graph(nodes: &[Protobuf], initializers: &[Protobuf]) -> Protobuf {
    let graph = nodes.iter().fold(Protobuf::default(), |graph, node| graph.message(1, node));
    let graph = initializers.iter().fold(graph.bytes(2, "g"), |graph, tensor| graph.message(5, tensor));
    graph.message(11, &Protobuf::default().bytes(1, "x")).message(12, &Protobuf::default().bytes(1, "y"))
}

/// An ONNX model of `graph`; more fields can follow.
pub fn onnx_model(graph: &Protobuf) -> Protobuf {
    Protobuf::default()
        .number(1, 8)
        .bytes(2, "test")
        .message(7, graph)
        .message(8, &Protobuf::default().bytes(1, "").number(2, 17))
}
