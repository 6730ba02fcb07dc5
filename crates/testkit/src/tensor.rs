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
