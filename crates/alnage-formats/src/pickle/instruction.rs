//! A pickle as a list of instructions with their operands, for who runs it by rules of his own.
//!
//! Only the reading on which all unpicklers agree is given: an operand that crosses the end of a frame, a number that
//! one of them spells differently, or a line that the file's end cuts, ends it.

use std::ops::Range;

use alnage_types::{ReadEnd, Source};

use super::{
    compat, literal,
    literal::{Number, Spelling},
    opcode as op,
    readings::Reading,
    tape::{Extent, Line, Tape},
};

/// One opcode with its operand.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// Where it stands.
    pub offset: u64,
    /// Its code.
    pub opcode: u8,
    /// What follows it.
    pub operand: Operand,
}

/// What follows an opcode.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Nothing.
    None,
    /// `True` or `False`, which protocol 0 writes as numbers.
    Bool(bool),
    /// A number: an integer of at most 64 bits, an index, a length, a protocol.
    Int(i64),
    /// A longer integer: little-endian two's complement.
    Long(Range<u64>),
    /// An integer of more than 64 bits in decimal digits.
    Digits(String),
    /// A number.
    Float(f64),
    /// A text.
    Text(Text),
    /// Bytes, by their place.
    Bytes(Range<u64>),
    /// Module and name of a global as Python 3 imports it.
    Global(String, String),
}

/// A text, by its place when it stands there as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// UTF-8 in the source.
    At(Range<u64>),
    /// Escapes were resolved.
    Made(String),
}

/// Why there is no next instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The bytes end.
    Truncated,
    /// The operating system refused to give the bytes.
    Unreadable,
    /// No unpickler knows this opcode.
    InvalidOpcode(u8),
    /// The operand means nothing to some unpickler.
    BadOperand(u8),
    /// Unpicklers disagree about what follows.
    TornFrame,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end inside it"),
            Self::Unreadable => f.write_str("its bytes could not be read"),
            Self::InvalidOpcode(code) => write!(f, "no such opcode: 0x{code:02x}"),
            Self::BadOperand(code) => write!(f, "{} has an operand without meaning", op::name(*code)),
            Self::TornFrame => f.write_str("an operand crosses the end of a frame"),
        }
    }
}

impl From<ReadEnd> for Broken {
    fn from(end: ReadEnd) -> Self {
        match end {
            ReadEnd::Truncated => Self::Truncated,
            ReadEnd::Unreadable => Self::Unreadable,
        }
    }
}

/// Gives the instructions of the pickle at one place, STOP included.
pub struct Instructions<'a> {
    tape: Tape<'a>,
    protocol: u8,
}

/// The longest line that is read: a name or a number.
const LONGEST_LINE: u64 = 16 << 20;

impl<'a> Instructions<'a> {
    /// The pickle that starts at `position`.
    pub fn at(source: &'a dyn Source, position: u64) -> Self {
        let mut tape = Tape::new(source, Reading::default());
        tape.max_line = LONGEST_LINE;
        tape.start(position);
        Self { tape, protocol: 0 }
    }

    /// Where the next opcode stands.
    pub fn position(&self) -> u64 {
        self.tape.position()
    }

    /// Where the file goes on for a loader that reads from it past the unpickler, as joblib does.
    pub fn raw_start(&self) -> u64 {
        self.tape.raw_start()
    }

    /// Goes past `len` raw bytes at `start` that a loader took from the file.
    pub fn skip_raw(&mut self, start: u64, len: u64) -> Result<Range<u64>, Broken> {
        let extent = self.tape.raw(start, len)?;
        Ok(extent.start..extent.start + extent.len)
    }

    /// A name as Python 3 imports it, which maps those of Python 2 in old pickles.
    pub fn modern(&self, module: &str, name: &str) -> (String, String) {
        let (module, name) = if self.protocol < 3 { compat::modern(module, name) } else { (module, name) };
        (module.to_owned(), name.to_owned())
    }

    /// The next instruction. After STOP there is none to ask for.
    pub fn step(&mut self) -> Result<Instruction, Broken> {
        let tears = self.tape.tears;
        let offset = self.tape.position();
        let opcode = self.tape.opcode()?;
        let operand = self.operand(opcode)?;
        if self.tape.tears != tears {
            return Err(Broken::TornFrame);
        }
        Ok(Instruction { offset, opcode, operand })
    }

    fn operand(&mut self, opcode: u8) -> Result<Operand, Broken> {
        Ok(match opcode {
            op::BININT => Operand::Int(i32::from_le_bytes(self.tape.array()?).into()),
            op::BININT1 | op::BINPUT | op::BINGET | op::EXT1 => {
                Operand::Int(u8::from_le_bytes(self.tape.array()?).into())
            }
            op::BININT2 | op::EXT2 => Operand::Int(u16::from_le_bytes(self.tape.array()?).into()),
            op::LONG_BINPUT | op::LONG_BINGET => Operand::Int(u32::from_le_bytes(self.tape.array()?).into()),
            op::EXT4 => Operand::Int(i32::from_le_bytes(self.tape.array()?).into()),
            op::PROTO => {
                let [protocol] = self.tape.array()?;
                if protocol > 5 {
                    return Err(Broken::BadOperand(opcode));
                }
                self.protocol = protocol;
                Operand::Int(protocol.into())
            }
            op::FRAME => {
                let len = u64::from_le_bytes(self.tape.array()?);
                if len > self.tape.len().saturating_sub(self.tape.position()) {
                    return Err(Broken::BadOperand(opcode));
                }
                self.tape.frame(len);
                Operand::None
            }
            op::BINFLOAT => Operand::Float(f64::from_be_bytes(self.tape.array()?)),
            op::FLOAT => {
                let line = self.line(opcode)?;
                Operand::Float(literal::float(&line).ok_or(Broken::BadOperand(opcode))?)
            }
            op::INT | op::LONG => self.number(opcode)?,
            op::PUT | op::GET => {
                let line = self.line(opcode)?;
                let key = literal::memo_key(&line).and_then(|key| i64::try_from(key).ok());
                Operand::Int(key.ok_or(Broken::BadOperand(opcode))?)
            }
            op::LONG1 => {
                let [len] = self.tape.array()?;
                self.long(len.into())?
            }
            op::LONG4 => {
                let len = self.length32(opcode)?;
                self.long(len)?
            }
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE => {
                let [len] = self.tape.array()?;
                self.text(len.into())?
            }
            op::BINSTRING => {
                let len = self.length32(opcode)?;
                self.text(len)?
            }
            op::BINUNICODE => {
                let len = u32::from_le_bytes(self.tape.array()?);
                self.text(len.into())?
            }
            op::BINUNICODE8 => {
                let len = u64::from_le_bytes(self.tape.array()?);
                self.text(len)?
            }
            op::SHORT_BINBYTES => {
                let [len] = self.tape.array()?;
                self.bytes(len.into())?
            }
            op::BINBYTES => {
                let len = u32::from_le_bytes(self.tape.array()?);
                self.bytes(len.into())?
            }
            op::BINBYTES8 | op::BYTEARRAY8 => {
                let len = u64::from_le_bytes(self.tape.array()?);
                self.bytes(len)?
            }
            op::UNICODE => Operand::Text(Text::Made(literal::raw_unicode(&self.line(opcode)?))),
            op::PERSID => {
                Operand::Text(Text::Made(String::from_utf8_lossy(&self.line(opcode)?).into_owned()))
            }
            op::STRING => {
                let line = self.line(opcode)?;
                let bytes = literal::string(&line).ok_or(Broken::BadOperand(opcode))?;
                Operand::Text(Text::Made(String::from_utf8_lossy(&bytes).into_owned()))
            }
            op::GLOBAL | op::INST => {
                let (module, name) = (self.line(opcode)?, self.line(opcode)?);
                let (module, name) = (String::from_utf8_lossy(&module), String::from_utf8_lossy(&name));
                let (module, name) = self.modern(&module, &name);
                Operand::Global(module, name)
            }
            _ if op::name(opcode) == "invalid" => return Err(Broken::InvalidOpcode(opcode)),
            _ => Operand::None,
        })
    }

    fn line(&mut self, opcode: u8) -> Result<std::borrow::Cow<'a, [u8]>, Broken> {
        let Line { extent, cut } = self.tape.line()?;
        if cut { Err(Broken::BadOperand(opcode)) } else { Ok(self.tape.bytes(extent, LONGEST_LINE)) }
    }

    fn number(&mut self, opcode: u8) -> Result<Operand, Broken> {
        let line = self.line(opcode)?;
        let parsed = if opcode == op::INT { literal::int(&line) } else { literal::long(&line) };
        match parsed {
            Some((Number::Bool(value), Spelling::Plain)) => Ok(Operand::Bool(value)),
            Some((Number::Int(value), Spelling::Plain)) => Ok(Operand::Int(value)),
            Some((Number::Big, Spelling::Plain)) => {
                Ok(Operand::Digits(String::from_utf8_lossy(&line).trim_end_matches('L').to_owned()))
            }
            _ => Err(Broken::BadOperand(opcode)),
        }
    }

    fn length32(&mut self, opcode: u8) -> Result<u64, Broken> {
        u64::try_from(i32::from_le_bytes(self.tape.array()?)).map_err(|_| Broken::BadOperand(opcode))
    }

    fn long(&mut self, len: u64) -> Result<Operand, Broken> {
        let extent = self.tape.extent(len)?;
        if len > 8 {
            return Ok(Operand::Long(range(extent)));
        }
        let bytes = self.tape.bytes(extent, 8);
        let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
        let mut wide = [sign; 8];
        wide.iter_mut().zip(bytes.iter()).for_each(|(wide, byte)| *wide = *byte);
        Ok(Operand::Int(i64::from_le_bytes(wide)))
    }

    fn text(&mut self, len: u64) -> Result<Operand, Broken> {
        Ok(Operand::Text(Text::At(range(self.tape.extent(len)?))))
    }

    fn bytes(&mut self, len: u64) -> Result<Operand, Broken> {
        Ok(Operand::Bytes(range(self.tape.extent(len)?)))
    }
}

fn range(extent: Extent) -> Range<u64> {
    extent.start..extent.start + extent.len
}
