//! Pickles made by chance: what picklers never write and unpicklers still run, whole and damaged.

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
    for _ in 0..1 + dice.roll(4) / 2 {
        one(&mut dice, &mut out);
    }
    if dice.roll(2) == 0 {
        for _ in 0..1 + dice.roll(3) {
            damage(&mut dice, &mut out);
        }
    }
    out
}

/// One pickle, its opcodes, and then frames over any part of them.
fn one(dice: &mut Dice, out: &mut Vec<u8>) {
    let first = out.len();
    let mut pickle = Draft { dice, out, depth: 0, marks: Vec::new(), memo: 0, starts: Vec::new() };
    if pickle.dice.roll(3) > 0 {
        let version = pickle.dice.roll(6) as u8;
        pickle.put([0x80, version]);
    }
    for _ in 0..3 + pickle.dice.roll(40) {
        pickle.starts.push(pickle.out.len());
        pickle.step();
    }
    if pickle.depth == 0 {
        pickle.put(b"N");
    }
    let mut starts = std::mem::take(&mut pickle.starts);
    if dice.roll(8) > 0 {
        out.push(b'.');
    }
    for _ in 0..dice.roll(4).saturating_sub(1) {
        frame(dice, out, &mut starts, first);
    }
}

/// Opens a frame at an opcode; it ends at another, inside one, behind the end, or right away.
fn frame(dice: &mut Dice, out: &mut Vec<u8>, starts: &mut [usize], first: usize) {
    let at = if starts.is_empty() { first } else { starts[dice.roll(starts.len())] };
    let behind: Vec<usize> = starts.iter().copied().filter(|&start| start >= at).collect();
    let len = match dice.roll(6) {
        0 if !behind.is_empty() => behind[dice.roll(behind.len())] - at,
        1 => out.len() - at,
        2 => out.len() - at + dice.roll(4),
        3 => dice.roll(12),
        _ => dice.roll(out.len() - at + 1),
    };
    let mut opened = vec![0x95];
    opened.extend((len as u64).to_le_bytes());
    let grown = opened.len();
    out.splice(at..at, opened);
    for start in starts.iter_mut().filter(|start| **start > at) {
        *start += grown;
    }
}

/// A pickle while it is made up.
struct Draft<'a> {
    dice: &'a mut Dice,
    out: &'a mut Vec<u8>,
    depth: usize,
    marks: Vec<usize>,
    memo: u8,
    starts: Vec<usize>,
}

impl Draft<'_> {
    fn put(&mut self, bytes: impl AsRef<[u8]>) {
        self.out.extend_from_slice(bytes.as_ref());
    }

    fn one_of(&mut self, choices: &[&'static [u8]]) {
        let chosen = self.dice.pick(choices);
        self.put(chosen);
    }

    fn global_line(&mut self, opcode: char) {
        let (module, name) = (self.dice.pick(MODULES), self.dice.pick(NAMES));
        let end = self.dice.pick(&["\n", "\n", "\n", "\n", "\n", "\r\n"]);
        self.put(format!("{opcode}{module}\n{name}{end}"));
    }

    /// Adds an opcode, or a few that belong together.
    fn step(&mut self) {
        match self.dice.roll(40) {
            0..=4 => self.push_global(),
            5..=6 => self.named_by_strings(),
            7..=8 => self.named_by_computation(),
            9..=11 => {
                self.plain();
                self.depth += 1;
            }
            12 => {
                self.put(b"(");
                self.marks.push(self.depth);
            }
            13..=15 if !self.marks.is_empty() => self.close_mark(),
            16..=19 if self.depth > 0 => self.remember(),
            20..=21 => self.recall(),
            22 if self.depth > 0 => {
                self.put(b"0");
                self.depth -= 1;
            }
            23..=26 if self.depth > 0 => self.call(),
            27..=28 if self.depth > 0 => self.one_of(&[
                b"}b",
                b"Nb",
                b"}U\x01ac__main__\nq\nsb",
                b"}}\x86b",
                b"N}\x86b",
                b"N}U\x01acos\nslot\ns\x86b",
                b"}V__setstate__\ncm\nplanted\nsb}b",
                b"}Vappend\ncm\nplanted\nsbNa",
                b"]b",
            ]),
            29 if self.depth > 0 => self.one_of(&[
                b"Na",
                b"(NNe",
                b"(N\x90",
                b"NNs",
                b"(NNu",
                b"(e",
                b"cm\nitem\na",
                b"(cm\nkey\nNu",
                b"(l0",
                b"(NNNd0",
            ]),
            30 => {
                self.one_of(&[
                    b"I0x1f\n",
                    b"I 7\n",
                    b"I010\n",
                    b"L0x1L\n",
                    b"F1e5\n",
                    b"I01\n",
                    b"I1_0\n",
                    b"L-5\n",
                    b"I\t-3\n",
                    b"L 12 \n",
                    b"F inf\n",
                    b"F1_0.5\n",
                    b"I99999999999999999999\n",
                    b"I7\0x\n",
                ]);
                self.depth += 1;
            }
            31 => {
                self.one_of(&[
                    b"Pid\n",
                    b"NQ",
                    b"\x8a\x02\x01\x02",
                    b"\x8b\x01\x00\x00\x00\x07",
                    b"\x88",
                    b"\x8f",
                    b"\x97",
                    b"\x97\x98",
                    b"(N\x91",
                    b"\x8a\x00",
                ]);
                self.depth += 1;
            }
            32 if self.depth > 1 => {
                self.put([0x86]);
                self.depth -= 1;
            }
            33 => {
                let version = self.dice.roll(6) as u8;
                self.put([0x80, version]);
            }
            34 if self.depth > 0 => {
                self.put(b"2");
                self.depth += 1;
            }
            35 => self.registered(),
            36 if self.depth > 0 && self.dice.roll(6) == 0 => self.put(b"."),
            37 if self.depth > 0 => {
                self.one_of(&[b"(N1", b"(1", b"N0", b"(0", b"20"]);
            }
            _ => {
                self.one_of(&[b")", b"]", b"}", b"N"]);
                self.depth += 1;
            }
        }
    }

    fn push_global(&mut self) {
        self.global_line('c');
        self.depth += 1;
    }

    fn named_by_strings(&mut self) {
        let (module, name) = (self.dice.pick(MODULES), self.dice.pick(NAMES));
        self.text(module);
        if self.dice.roll(5) == 0 {
            // Through the memo, past another value of the same index.
            self.one_of(&[b"q\x200h\x20", b"p 32\n0g+32\n", b"r\x00\x10\x00\x000j\x00\x10\x00\x00"]);
        }
        self.text(name);
        if self.dice.roll(4) == 0 {
            self.one_of(&[b"(NN1", b"N0", b"\x94", b"20", b"q\x21N0", b"p0033\n"]);
        }
        self.put([0x93]);
        self.depth += 1;
    }

    /// A name that calls of harmless functions put together.
    fn named_by_computation(&mut self) {
        let (module, name) = (self.dice.pick(MODULES), self.dice.pick(NAMES));
        if self.dice.roll(2) == 0 {
            self.computed(module);
            self.text(name);
        } else {
            self.text(module);
            self.computed(name);
        }
        self.put([0x93]);
        self.depth += 1;
    }

    fn computed(&mut self, text: &str) {
        let (left, right) = text.split_at(self.dice.roll(text.len() + 1));
        match self.dice.roll(26) {
            0 => {
                self.put("coperator\nadd\n");
                self.text(left);
                self.text(right);
                self.put([0x86, b'R']);
            }
            1 => {
                self.put("c_operator\nconcat\n(");
                self.text(left);
                self.text(right);
                self.put("tR");
            }
            2 => {
                self.put("cbuiltins\nstr.join\n");
                self.text("");
                self.put("(");
                self.text(left);
                self.text(right);
                self.put([b'l', 0x86, b'R']);
            }
            3 => {
                self.put("cbuiltins\nstr\nC");
                self.put([text.len() as u8]);
                self.put(text);
                self.text("ascii");
                self.put([0x86, b'R']);
            }
            4 => {
                let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                self.put("cbuiltins\nbytes.decode\ncbuiltins\nbytes.fromhex\n");
                self.text(&hex);
                self.put([0x85, b'R', 0x85, b'R']);
            }
            5 => {
                let turned: String = text
                    .chars()
                    .map(|c| match c {
                        'a'..='z' => char::from((c as u8 - b'a' + 13) % 26 + b'a'),
                        'A'..='Z' => char::from((c as u8 - b'A' + 13) % 26 + b'A'),
                        _ => c,
                    })
                    .collect();
                self.put("c_codecs\ndecode\n");
                self.text(&turned);
                self.text("rot13");
                self.put([0x86, b'R']);
            }
            6 => {
                self.put("coperator\nmod\n");
                self.text("%s%s");
                self.text(left);
                self.text(right);
                self.put([0x86, 0x86, b'R']);
            }
            7 => {
                self.put("cbuiltins\nstr.replace\n");
                let marked = format!("{left}#{right}");
                self.text(&marked);
                self.text("#");
                self.text("");
                self.put([0x87, b'R']);
            }
            8 => {
                self.put("coperator\ngetitem\n(");
                self.text("decoy");
                self.text(text);
                self.put(b"lK\x01\x86R");
            }
            9 => {
                self.put("cfunctools\nreduce\ncoperator\nadd\n(");
                self.text(left);
                self.text(right);
                self.put([b'l', 0x86, b'R']);
            }
            10 => {
                self.put("cbuiltins\nstr.format\n");
                self.text("{1}{0}");
                self.text(right);
                self.text(left);
                self.put([0x87, b'R']);
            }
            11 => {
                self.put("cbuiltins\nstr.strip\n");
                let padded = format!("\x1f {text}\x1c\x0b");
                self.text(&padded);
                self.put([0x85, b'R']);
            }
            12 => {
                self.put("coperator\ngetitem\ncbuiltins\nstr.split\n");
                let parts = format!("decoy#{left}#{right}");
                self.text(&parts);
                self.text("#");
                self.put(b"K\x01\x87RK\x01\x86R");
            }
            13 => {
                // Of an iterator, what comes second.
                self.put("cbuiltins\niter\n(");
                self.text("decoy");
                self.text(text);
                self.put(b"l\x85Rq\x220cbuiltins\nnext\nh\x22\x85R0cbuiltins\nnext\nh\x22\x85R");
            }
            14 => {
                self.put("cbuiltins\nmax\n(");
                self.text("");
                self.text(text);
                self.put(b"l\x85R");
            }
            15 => {
                self.put("coperator\ngetitem\ncbuiltins\nsorted\n(");
                self.text(text);
                self.text("");
                self.put(b"l\x85RK\x01\x86R");
            }
            16 => {
                self.put("c_codecs\ndecode\n");
                let bytes = [b"\xe9", text.as_bytes()].concat();
                self.put([b'C', bytes.len() as u8]);
                self.put(bytes);
                self.text("ascii");
                self.text("ignore");
                self.put([0x87, b'R']);
            }
            17 => {
                self.put("coperator\ngetitem\nX");
                let decoyed = format!("\u{e9}{text}");
                self.put((decoyed.len() as u32).to_le_bytes());
                self.put(decoyed);
                self.put(b"cbuiltins\nslice\nK\x01N\x86R\x86R");
            }
            18 => {
                self.put("c_codecs\ndecode\nC");
                let wide: Vec<u8> =
                    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
                self.put([wide.len() as u8]);
                self.put(wide);
                self.text("utf-16");
                self.put([0x86, b'R']);
            }
            19 => {
                self.put("cbuiltins\nstr.replace\n(");
                let marked = format!("{left}##{right}");
                self.text(&marked);
                self.text("#");
                self.text("");
                self.put(b"K\x01tR");
            }
            20 => {
                self.put("cbuiltins\nstr.replace\ncbuiltins\nstr.format\n");
                self.text("{0}");
                let braces = format!("{left}}}}}{right}");
                self.text(&braces);
                self.put([0x86, b'R']);
                self.text("}}");
                self.text("");
                self.put([0x87, b'R']);
            }
            21 => {
                self.put("cbuiltins\nstr.join\n");
                self.text("");
                self.put("cbuiltins\nlist\ncbuiltins\nfilter\nN(");
                self.text("");
                self.text(text);
                self.put([b'l', 0x86, b'R', 0x85, b'R', 0x86, b'R']);
            }
            22 => {
                self.put("coperator\ngetitem\ncbuiltins\nlist\ncbuiltins\nfilter\nN(");
                self.text("");
                self.text(text);
                self.put(b"l\x86R\x85RK\0\x86R");
            }
            23 => {
                // A list that was turned round after it was made.
                self.put("(");
                self.text(text);
                self.text("decoy");
                self.put(b"lq\x230cbuiltins\nlist.reverse\nh\x23\x85R0coperator\ngetitem\nh\x23K\x01\x86R");
            }
            24 => {
                self.put("(");
                self.text("key");
                self.text("decoy");
                self.put(b"dq\x240coperator\nsetitem\n(h\x24");
                self.text("key");
                self.text(text);
                self.put(b"tR0coperator\ngetitem\nh\x24");
                self.text("key");
                self.put(b"\x86R");
            }
            _ => {
                self.put("cbuiltins\nstr\n");
                self.put("coperator\ngetitem\nccodecs\nutf_8_decode\nC");
                self.put([text.len() as u8]);
                self.put(text);
                self.put(b"\x85RK\0\x86R\x85R");
            }
        }
    }

    /// An extension code, registered or not.
    fn registered(&mut self) {
        let code = 1 + self.dice.roll(200) as u8;
        if self.dice.roll(4) > 0 {
            let (module, name) = (self.dice.pick(MODULES), self.dice.pick(NAMES));
            self.put("ccopyreg\nadd_extension\n(");
            self.text(module);
            self.text(name);
            self.put([b'K', code]);
            self.put("tR0");
        }
        match self.dice.roll(3) {
            0 => self.put([0x82, code]),
            1 => self.put([0x83, code, 0]),
            _ => self.put([0x84, code, 0, 0, 0]),
        }
        self.depth += 1;
    }

    fn close_mark(&mut self) {
        self.depth = self.marks.pop().unwrap_or(0);
        match self.dice.roll(8) {
            0 | 1 => self.put(b"t"),
            2 => self.put(b"l"),
            3 => self.put(b"d"),
            4 | 5 => self.global_line('i'),
            6 => self.put([0x91]),
            _ => self.put(b"o"),
        }
        self.depth += 1;
    }

    fn remember(&mut self) {
        let memo = self.memo;
        match self.dice.roll(5) {
            0 | 1 => {
                self.put([b'q', memo]);
                self.memo = memo.wrapping_add(1);
            }
            2 => self.put([0x94]),
            3 => {
                let key = self.dice.roll(300);
                self.put(format!("p{key}\n"));
            }
            _ => {
                let key = self.dice.roll(1 << 14) as u32;
                self.put(b"r");
                self.put(key.to_le_bytes());
            }
        }
    }

    fn recall(&mut self) {
        let key = self.dice.roll(usize::from(self.memo) + 1);
        match self.dice.roll(3) {
            0 => self.put([b'h', key as u8]),
            1 => self.put(format!("g{key}\n")),
            _ => {
                self.put(b"j");
                self.put((key as u32).to_le_bytes());
            }
        }
        self.depth += 1;
    }

    fn call(&mut self) {
        match self.dice.roll(6) {
            0 => self.put(b")}\x92"),
            1 => {
                let arguments = self.dice.pick(&[&b")"[..], b"N\x85", b"(NNt"]);
                self.put(arguments);
                self.put(b"}Vkey\nNs\x92");
            }
            at => {
                let arguments: &[u8] = self.dice.pick(&[&b")"[..], b"N\x85", b"K\x01\x85", b"]", b"}"]);
                self.put(arguments);
                self.put(if at < 5 { b"R" } else { b"\x81" });
            }
        }
    }

    fn text(&mut self, text: &str) {
        match self.dice.roll(8) {
            0 => {
                self.put([0x8c, text.len() as u8]);
                self.put(text);
            }
            1 => {
                self.put(b"X");
                self.put((text.len() as u32).to_le_bytes());
                self.put(text);
            }
            2 => self.put(format!("V{}\n", text.replace('s', "\\u0073"))),
            3 => self.put(format!("S'{}'\n", text.replace('e', "\\x65"))),
            4 => self.put(format!("S\"{}\"\n", text.replace('o', "\\157"))),
            5 => self.put(format!("V{}\n", text.replace('o', "\\U0000006f"))),
            6 => {
                self.put([0x8d]);
                self.put((text.len() as u64).to_le_bytes());
                self.put(text);
            }
            _ => {
                self.put([b'U', text.len() as u8]);
                self.put(text);
            }
        }
    }

    fn plain(&mut self) {
        match self.dice.roll(9) {
            0 => {
                let value = self.dice.roll(256) as u8;
                self.put([b'K', value]);
            }
            1 => self.put([b'M', 1, 2]),
            2 => self.put([b'J', 1, 2, 3, 4]),
            3 => self.put([b'G', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
            4 => {
                let inside = format!("cos\n{}\n.", self.dice.pick(NAMES));
                self.put([b'C', inside.len() as u8]);
                self.put(inside);
            }
            5 => {
                let inside = format!("\nc{}\nsystem\n", self.dice.pick(MODULES));
                self.put(b"B");
                self.put((inside.len() as u32).to_le_bytes());
                self.put(inside);
            }
            6 => {
                let name = self.dice.pick(NAMES);
                self.text(name);
            }
            7 => {
                let inside = format!("c{}\nx\n", self.dice.pick(MODULES));
                self.put([0x8e]);
                self.put((inside.len() as u64).to_le_bytes());
                self.put(inside);
            }
            _ => self.put(b"\x96\x02\0\0\0\0\0\0\0ab"),
        }
    }
}

fn damage(dice: &mut Dice, out: &mut Vec<u8>) {
    if out.is_empty() {
        return;
    }
    let at = dice.roll(out.len());
    match dice.roll(7) {
        0 => out[at] = dice.roll(256) as u8,
        1 => {
            out.remove(at);
        }
        2 => {
            let opcode: u8 = *dice.pick(&[&b'.', &b'(', &b'0', &b'2', &b'R', &b'N', &0x93, &b'\n', &b'i']);
            out.insert(at, opcode);
        }
        3 => {
            let end = (at + 1 + dice.roll(20)).min(out.len());
            let copy = out[at..end].to_vec();
            let to = dice.roll(out.len());
            out.splice(to..to, copy);
        }
        4 => out.truncate(at),
        5 => {
            let mut opened = vec![0x95];
            opened.extend((dice.roll(40) as u64).to_le_bytes());
            out.splice(at..at, opened);
        }
        _ => out[at] ^= 1 << dice.roll(8),
    }
}
