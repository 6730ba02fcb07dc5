//! Builds pickles opcode by opcode.

mod generate;

pub use generate::generate;

/// A pickle being assembled. Each method appends one opcode, or a few that belong together.
#[derive(Debug, Clone, Default)]
pub struct Pickle(Vec<u8>);

impl Pickle {
    /// Nothing yet, not even a PROTO.
    pub fn new() -> Self {
        Self::default()
    }

    /// PROTO.
    pub fn protocol(version: u8) -> Self {
        Self(vec![0x80, version])
    }

    /// Any bytes: an opcode with its operand.
    #[must_use]
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// GLOBAL.
    #[must_use]
    pub fn global(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n"))
    }

    /// STACK_GLOBAL over two literal strings.
    #[must_use]
    pub fn stack_global(self, module: &str, name: &str) -> Self {
        self.text(module).text(name).raw([0x93])
    }

    /// BINUNICODE.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.raw(b"X").raw((text.len() as u32).to_le_bytes()).raw(text)
    }

    /// BINBYTES.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.raw(b"B").raw((bytes.len() as u32).to_le_bytes()).raw(bytes)
    }

    /// BININT.
    #[must_use]
    pub fn int(self, value: i32) -> Self {
        self.raw(b"J").raw(value.to_le_bytes())
    }

    /// `MARK`.
    #[must_use]
    pub fn mark(self) -> Self {
        self.raw(b"(")
    }

    /// TUPLE.
    #[must_use]
    pub fn tuple(self) -> Self {
        self.raw(b"t")
    }

    /// TUPLE1.
    #[must_use]
    pub fn tuple1(self) -> Self {
        self.raw([0x85])
    }

    /// TUPLE2.
    #[must_use]
    pub fn tuple2(self) -> Self {
        self.raw([0x86])
    }

    /// REDUCE.
    #[must_use]
    pub fn reduce(self) -> Self {
        self.raw(b"R")
    }

    /// NEWOBJ over an empty tuple.
    #[must_use]
    pub fn new_object(self) -> Self {
        self.raw(b")\x81")
    }

    /// BUILD.
    #[must_use]
    pub fn build(self) -> Self {
        self.raw(b"b")
    }

    /// POP.
    #[must_use]
    pub fn pop(self) -> Self {
        self.raw(b"0")
    }

    /// FRAME of a length that need not be true.
    #[must_use]
    pub fn frame(self, len: u64) -> Self {
        self.raw([0x95]).raw(len.to_le_bytes())
    }

    /// STOP; the bytes.
    pub fn stop(mut self) -> Vec<u8> {
        self.0.push(b'.');
        self.0
    }

    /// The bytes without a STOP.
    pub fn cut(self) -> Vec<u8> {
        self.0
    }
}

/// `module.name(argument)` by REDUCE in protocol 4.
pub fn call(module: &str, name: &str, argument: &str) -> Vec<u8> {
    Pickle::protocol(4).global(module, name).text(argument).tuple1().reduce().stop()
}
