//! Builds pickles opcode by opcode.

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

/// A small generator of numbers (splitmix64): the same seed gives the same pickle everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % sides as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.roll(choices.len())]
    }
}

const MODULES: &[&str] = &[
    "os",
    "posix",
    "__builtin__",
    "builtins",
    "copy_reg",
    "collections",
    "torch._utils",
    "a.b",
    "itertools",
];
const NAMES: &[&str] =
    &["system", "eval", "OrderedDict", "_rebuild_tensor_v2", "x.y", "imap", "reduce", "_reconstructor", "f"];

/// A pickle made by chance: opcodes that mostly fit the stack, then, half of the time, damaged.
pub fn generate(seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let mut out = Vec::new();
    for _ in 0..1 + dice.roll(3) / 2 {
        one(&mut dice, &mut out);
    }
    if dice.roll(2) == 0 {
        for _ in 0..1 + dice.roll(3) {
            damage(&mut dice, &mut out);
        }
    }
    out
}

fn one(dice: &mut Dice, out: &mut Vec<u8>) {
    if dice.roll(3) > 0 {
        out.extend([0x80, dice.roll(6) as u8]);
    }
    let (mut depth, mut marks, mut memo) = (0usize, Vec::new(), 0u8);
    for _ in 0..3 + dice.roll(40) {
        match dice.roll(30) {
            0..=4 => {
                out.extend(format!("c{}\n{}\n", dice.pick(MODULES), dice.pick(NAMES)).bytes());
                depth += 1;
            }
            5..=6 => {
                text(dice, out, dice_module);
                text(dice, out, dice_name);
                if dice.roll(4) == 0 {
                    out.extend(dice.pick(&[&b"(NN1"[..], b"N0", b"\x94", b"20"]));
                }
                out.push(0x93);
                depth += 1;
            }
            7..=10 => {
                plain(dice, out);
                depth += 1;
            }
            11 => {
                out.push(b'(');
                marks.push(depth);
            }
            12..=13 if !marks.is_empty() => {
                depth = marks.pop().unwrap_or(0);
                match dice.roll(6) {
                    0 | 1 => out.push(b't'),
                    2 => out.push(b'l'),
                    3 => out.push(b'd'),
                    4 => out.extend(format!("i{}\n{}\n", dice.pick(MODULES), dice.pick(NAMES)).bytes()),
                    _ => out.push(b'o'),
                }
                depth += 1;
            }
            14 if depth > 0 => {
                out.extend([b'q', memo]);
                memo = memo.wrapping_add(1);
            }
            15 if depth > 0 => out.push(0x94),
            16 if memo > 0 => {
                out.extend([b'h', dice.roll(memo.into()) as u8]);
                depth += 1;
            }
            17 if depth > 0 => out.extend(format!("p{}\n", dice.roll(300)).bytes()),
            18 => {
                let len = dice.roll(40) as u64;
                out.push(0x95);
                out.extend(len.to_le_bytes());
            }
            19 if depth > 0 => {
                out.push(b'0');
                depth -= 1;
            }
            20..=22 if depth > 0 => {
                let arguments: &[u8] = dice.pick(&[&b")"[..], b"N\x85", b"K\x01\x85", b"]", b"}"]);
                out.extend(arguments);
                out.push(*dice.pick(&[&b'R', &b'R', &0x81]));
            }
            23 if depth > 0 => {
                out.extend(dice.pick(&[&b"}b"[..], b"Nb", b"}U\x01ac__main__\nq\nsb", b"}}\x86b"]))
            }
            24 if depth > 0 => {
                out.extend(dice.pick(&[&b"Na"[..], b"(NNe", b"(N\x90", b"NNs", b"(NNu", b"(e"]))
            }
            25 => {
                out.extend(dice.pick(&[
                    &b"I0x1f\n"[..],
                    b"I 7\n",
                    b"I010\n",
                    b"L0x1L\n",
                    b"F1e5\n",
                    b"I01\n",
                    b"I1_0\n",
                    b"L-5\n",
                ]));
                depth += 1;
            }
            26 => {
                out.extend(dice.pick(&[
                    &b"Pid\n"[..],
                    b"NQ",
                    b"\x8a\x02\x01\x02",
                    b"\x8b\x01\x00\x00\x00\x07",
                    b"\x88",
                    b"\x8f",
                ]));
                depth += 1;
            }
            27 if depth > 1 => {
                out.push(0x86);
                depth -= 1;
            }
            28 => out.extend([0x80, dice.roll(6) as u8]),
            29 if depth > 0 => {
                out.push(b'2');
                depth += 1;
            }
            _ => {
                out.push(*dice.pick(&[&b')', &b']', &b'}', &b'N']));
                depth += 1;
            }
        }
    }
    if depth == 0 {
        out.push(b'N');
    }
    if dice.roll(8) > 0 {
        out.push(b'.');
    }
}

fn dice_module(dice: &mut Dice) -> &'static str {
    dice.pick(MODULES)
}

fn dice_name(dice: &mut Dice) -> &'static str {
    dice.pick(NAMES)
}

fn text(dice: &mut Dice, out: &mut Vec<u8>, make: fn(&mut Dice) -> &'static str) {
    let text = make(dice);
    match dice.roll(5) {
        0 => {
            out.extend([0x8c, text.len() as u8]);
            out.extend(text.bytes());
        }
        1 => {
            out.push(b'X');
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.bytes());
        }
        2 => out.extend(format!("V{}\n", text.replace('s', "\\u0073")).bytes()),
        3 => out.extend(format!("S'{}'\n", text.replace('e', "\\x65")).bytes()),
        _ => {
            out.extend([b'U', text.len() as u8]);
            out.extend(text.bytes());
        }
    }
}

fn plain(dice: &mut Dice, out: &mut Vec<u8>) {
    match dice.roll(8) {
        0 => out.extend([b'K', dice.roll(256) as u8]),
        1 => out.extend([b'M', 1, 2]),
        2 => out.extend([b'J', 1, 2, 3, 4]),
        3 => out.extend([b'G', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        4 => {
            let inside = format!("cos\n{}\n.", dice.pick(NAMES));
            out.extend([b'C', inside.len() as u8]);
            out.extend(inside.bytes());
        }
        5 => {
            let inside = format!("\nc{}\nsystem\n", dice.pick(MODULES));
            out.push(b'B');
            out.extend((inside.len() as u32).to_le_bytes());
            out.extend(inside.bytes());
        }
        6 => text(dice, out, dice_name),
        _ => out.extend(b"\x96\x02\0\0\0\0\0\0\0ab"),
    }
}

fn damage(dice: &mut Dice, out: &mut Vec<u8>) {
    if out.is_empty() {
        return;
    }
    let at = dice.roll(out.len());
    match dice.roll(6) {
        0 => out[at] = dice.roll(256) as u8,
        1 => {
            out.remove(at);
        }
        2 => out.insert(at, *dice.pick(&[&b'.', &b'(', &b'0', &b'2', &b'R', &b'N', &0x93, &b'\n'])),
        3 => {
            let end = (at + 1 + dice.roll(20)).min(out.len());
            let copy = out[at..end].to_vec();
            let to = dice.roll(out.len());
            out.splice(to..to, copy);
        }
        4 => out.truncate(at),
        _ => out[at] ^= 1 << dice.roll(8),
    }
}
