//! What limits a run of the machine, and how it went.

use alnage_types::ReadEnd;

use super::heap::Value;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// STOP.
    Stop,
    /// The bytes end inside an opcode, or before any.
    Truncated,
    /// The operating system refused to give the bytes.
    Unreadable,
    /// No unpickler knows this opcode.
    InvalidOpcode(u8),
    /// The opcode takes more values than there are.
    StackUnderflow(u8),
    /// The opcode needs a MARK that is not there.
    NoMark(u8),
    /// The memo has no such entry.
    UnknownMemo,
    /// The operand means nothing to any unpickler.
    BadOperand(u8),
    /// A limit of the budget.
    Steps,
    /// Too many values at a time.
    Nodes,
}

impl From<ReadEnd> for End {
    fn from(end: ReadEnd) -> Self {
        match end {
            ReadEnd::Truncated => Self::Truncated,
            ReadEnd::Unreadable => Self::Unreadable,
        }
    }
}

/// What limits a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) steps: u64,
    pub(super) nodes: u64,
}

/// How a run went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) ended: End,
    pub(super) opcodes: u64,
    /// Calls made, equal ones included.
    pub(super) calls: u64,
    /// Globals resolved.
    pub(super) globals: u64,
    /// Those of them whose names could be names.
    pub(super) plausible: u64,
    /// Calls of a global.
    pub(super) named_calls: u64,
    /// What STOP gave back.
    pub(super) result: Value,
    /// The end of a frame that reaches beyond STOP: an unpickler over a file leaves the file there.
    pub(super) frame_end: Option<u64>,
}
