//! The instructions of each version of CPython, as far as they name things (`Lib/opcode.py`, `Include/opcode_ids.h`).

/// Which instructions there are, and how they are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct InstructionSet {
    numbers: Numbers,
    layout: Layout,
    /// Whether the lowest bit of the number of a global, or of an attribute, is a flag.
    flag_in_global: bool,
    flag_in_attribute: bool,
}

/// The instructions by number.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    load_name: u8,
    load_global: u8,
    load_attribute: u8,
    load_method: Option<u8>,
    load_constant: u8,
    import_name: u8,
    import_from: u8,
    store_name: u8,
    store_global: u8,
    extended: u8,
    /// What neither uses nor changes the top of the stack.
    nothing: &'static [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One byte, and two more from this number on.
    Bytes(u8),
    /// Two bytes each.
    Words,
}

/// What a magic number stands for.
pub(super) struct Known {
    pub(super) version: &'static str,
    pub(super) instructions: InstructionSet,
    /// Bytes before the code object.
    pub(super) header: usize,
}

/// An instruction, by what it does to names; with the number of the name or constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    ImportName(usize),
    ImportFrom(usize),
    Load(usize),
    Attribute(usize),
    Store(usize),
    Constant(usize),
    Nothing,
    Other,
}

const CLASSIC: Numbers = Numbers {
    load_name: 101,
    load_global: 116,
    load_attribute: 106,
    load_method: None,
    load_constant: 100,
    import_name: 108,
    import_from: 109,
    store_name: 90,
    store_global: 97,
    extended: 144,
    nothing: &[9],
};
const PYTHON_2: Numbers = Numbers { extended: 145, ..CLASSIC };
const WITH_METHODS: Numbers = Numbers { load_method: Some(160), ..CLASSIC };
/// CACHE, PUSH_NULL, NOP, RESUME.
const WITH_CACHES: Numbers = Numbers { nothing: &[0, 2, 9, 151], ..WITH_METHODS };
const PYTHON_3_12: Numbers = Numbers { load_method: None, ..WITH_CACHES };
const PYTHON_3_13: Numbers = Numbers {
    load_name: 92,
    load_global: 91,
    load_attribute: 82,
    load_method: None,
    load_constant: 83,
    import_name: 75,
    import_from: 74,
    store_name: 114,
    store_global: 113,
    extended: 71,
    nothing: &[0, 34, 30, 149],
};
const PYTHON_3_14: Numbers = Numbers {
    load_name: 93,
    load_global: 92,
    load_attribute: 80,
    load_method: None,
    load_constant: 82,
    import_name: 73,
    import_from: 72,
    store_name: 116,
    store_global: 115,
    extended: 69,
    nothing: &[0, 33, 27, 128],
};

/// The Python whose magic number this is (`Lib/importlib/_bootstrap_external.py`).
pub(super) fn of_magic(magic: u16) -> Option<Known> {
    let (version, numbers, layout, header) = match magic {
        62_171..=62_211 => ("2.7", PYTHON_2, Layout::Bytes(90), 8),
        3_000..=3_189 => ("3.0 to 3.2", CLASSIC, Layout::Bytes(90), 8),
        3_190..=3_359 => ("3.3 to 3.5", CLASSIC, Layout::Bytes(90), 12),
        3_360..=3_389 => ("3.6", CLASSIC, Layout::Words, 12),
        3_390..=3_399 => ("3.7", WITH_METHODS, Layout::Words, 16),
        3_400..=3_419 => ("3.8", WITH_METHODS, Layout::Words, 16),
        3_420..=3_429 => ("3.9", WITH_METHODS, Layout::Words, 16),
        3_430..=3_449 => ("3.10", WITH_METHODS, Layout::Words, 16),
        3_450..=3_499 => ("3.11", WITH_CACHES, Layout::Words, 16),
        3_500..=3_549 => ("3.12", PYTHON_3_12, Layout::Words, 16),
        3_550..=3_599 => ("3.13", PYTHON_3_13, Layout::Words, 16),
        3_600..=3_649 => ("3.14", PYTHON_3_14, Layout::Words, 16),
        _ => return None,
    };
    let instructions = InstructionSet {
        numbers,
        layout,
        flag_in_global: (3_450..3_999).contains(&magic),
        flag_in_attribute: (3_500..3_999).contains(&magic),
    };
    Some(Known { version, instructions, header })
}

impl InstructionSet {
    /// The instructions of `code` with their offsets.
    pub(super) fn operations(self, code: &[u8]) -> impl Iterator<Item = (usize, Operation)> {
        let (mut at, mut extension) = (0, 0);
        std::iter::from_fn(move || {
            loop {
                let start = at;
                let number = *code.get(at)?;
                let (argument, width) = match self.layout {
                    Layout::Words => (usize::from(*code.get(at + 1)?), 8),
                    Layout::Bytes(least) if number < least => (0, 16),
                    Layout::Bytes(_) => {
                        (usize::from(u16::from_le_bytes([*code.get(at + 1)?, *code.get(at + 2)?])), 16)
                    }
                };
                at += match self.layout {
                    Layout::Bytes(least) if number < least => 1,
                    Layout::Bytes(_) => 3,
                    Layout::Words => 2,
                };
                let argument = (extension << width) & 0xffff_ffff | argument;
                if number == self.numbers.extended {
                    extension = argument;
                    continue;
                }
                extension = 0;
                return Some((start, self.operation(number, argument)));
            }
        })
    }

    fn operation(self, number: u8, argument: usize) -> Operation {
        let numbers = self.numbers;
        let unflagged = |flagged: bool| if flagged { argument >> 1 } else { argument };
        match number {
            _ if numbers.nothing.contains(&number) => Operation::Nothing,
            _ if number == numbers.load_name => Operation::Load(argument),
            _ if number == numbers.load_global => Operation::Load(unflagged(self.flag_in_global)),
            _ if number == numbers.load_attribute => Operation::Attribute(unflagged(self.flag_in_attribute)),
            _ if Some(number) == numbers.load_method => Operation::Attribute(argument),
            _ if number == numbers.load_constant => Operation::Constant(argument),
            _ if number == numbers.import_name => Operation::ImportName(argument),
            _ if number == numbers.import_from => Operation::ImportFrom(argument),
            _ if number == numbers.store_name || number == numbers.store_global => Operation::Store(argument),
            _ => Operation::Other,
        }
    }
}
