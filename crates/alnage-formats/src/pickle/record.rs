//! What a run leaves behind: globals, calls, anomalies, tensors, strings that may hold programs.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    carried,
    facts::{
        Anomaly, AnomalyKind, Call, Global, Import, MAX_TENSORS, Reference, Role, Storage, Tensor, Tensors,
    },
    identify,
    known::{Known, known},
    tape::{Extent, Tape},
};

/// Everything recorded, over all pickles of a file.
#[derive(Default)]
pub(super) struct Record {
    pub(super) protocol: u8,
    pub(super) globals: Vec<Global>,
    pub(super) known: Vec<Known>,
    by_name: HashMap<u64, u32>,
    pub(super) calls: Vec<Call>,
    by_signature: HashMap<u64, u32>,
    distinct: HashMap<(u32, Role), u32>,
    touched: HashSet<(u32, Role)>,
    pub(super) call_count: u64,
    pub(super) anomalies: Vec<Anomaly>,
    pub(super) tensors: Tensors,
    /// The tensor that a node stands for.
    pub(super) tensor_of: HashMap<u32, u32>,
    /// Strings that may hold a program, by their extents, and what loads them.
    pub(super) nested: Vec<(Extent, Option<String>)>,
    /// Whether there were too many of them to look into all.
    pub(super) nested_left_out: bool,
    /// The same for computed and decoded strings, with the offset of the opcode.
    pub(super) computed: Vec<(u64, Vec<u8>, Option<String>)>,
    computed_bytes: usize,
    /// The first thing `weights_only` refuses.
    pub(super) refused: Option<String>,
    /// Raw arrays that joblib put between the opcodes.
    pub(super) arrays: Vec<Extent>,
    /// Files that joblib's old wrappers read arrays from.
    pub(super) references: Vec<Reference>,
    /// Whether joblib's wrappers are used.
    pub(super) joblib: bool,
}

/// Anomalies kept a kind.
const MAX_ANOMALIES: usize = 16;
/// Distinct calls of one callable kept when their arguments are plain data.
const MAX_PLAIN_CALLS: u32 = 256;
const MAX_NESTED: usize = 4096;
const MAX_COMPUTED: usize = 1000;
const MAX_COMPUTED_BYTES: usize = 64 << 20;

impl Record {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn weight(&self) -> u64 {
        (self.references.len() * 3
            + self.globals.len() * 12
            + self.calls.len() * 6
            + self.nested.len()
            + self.tensor_of.len()) as u64
    }

    /// Before the next pickle: its values have other indices.
    pub(super) fn forget_values(&mut self) {
        self.tensor_of.clear();
    }

    /// The index of a global, which is new when it is named for the first time.
    pub(super) fn global(&mut self, module: &str, name: &str, how: Import, offset: u64) -> u32 {
        let mut hasher = DefaultHasher::new();
        (module, name).hash(&mut hasher);
        let mut key = hasher.finish();
        while let Some(&at) = self.by_name.get(&key) {
            let global = &self.globals[at as usize];
            if global.module == module && global.name == name {
                return at;
            }
            key = key.wrapping_add(1);
        }
        let at = self.globals.len() as u32;
        self.by_name.insert(key, at);
        self.globals.push(Global {
            module: module.to_owned(),
            name: name.to_owned(),
            spelled: None,
            offset,
            how,
            called: false,
            instantiated: false,
        });
        let (module, name) = innermost(module, name);
        self.known.push(known(module, name));
        at
    }

    /// Adds a call that is new, built by `make` unless there are too many alike.
    pub(super) fn call(
        &mut self,
        callee: u32,
        role: Role,
        signature: u64,
        plain: bool,
        make: impl FnOnce() -> Call,
    ) {
        self.call_count += 1;
        let distinct = self.distinct.entry((callee, role)).or_default();
        *distinct += 1;
        if plain && *distinct > MAX_PLAIN_CALLS {
            return;
        }
        self.by_signature.insert(signature, self.calls.len() as u32);
        self.calls.push(make());
    }

    /// Counts a call that was written down before.
    pub(super) fn counted(&mut self, signature: u64) -> bool {
        let Some(&at) = self.by_signature.get(&signature) else { return false };
        self.call_count += 1;
        self.calls[at as usize].count += 1;
        true
    }

    /// Counts a change of an instance of `class`; whether there was one before.
    pub(super) fn touched(&mut self, class: u32, role: Role) -> bool {
        let before = !self.touched.insert((class, role));
        self.call_count += u64::from(before);
        before
    }

    pub(super) fn anomaly(&mut self, kind: AnomalyKind, offset: u64, detail: String) {
        let same = self.anomalies.iter().filter(|anomaly| anomaly.kind == kind);
        let new = Anomaly { kind, offset, detail };
        if same.clone().count() < MAX_ANOMALIES && !self.anomalies.contains(&new) {
            self.anomalies.push(new);
        }
    }

    /// Notes a string that carries a program. How many steps looking took.
    pub(super) fn maybe_nested(&mut self, tape: &Tape<'_>, extent: Extent, offset: u64) -> u64 {
        const MAX_LOOK: u64 = 8 << 20;
        let head = tape.bytes(extent, 8);
        if self.nested_left_out || !carried::may_begin(&head) {
            return 0;
        }
        let plain = identify::may_begin(&head)
            && identify::is_pickle(tape.source(), extent.start, identify::Place::Anywhere);
        let cost = 16 + extent.len.min(MAX_LOOK) / 16;
        if !plain {
            let bytes = tape.bytes(extent, MAX_LOOK);
            if !carried::is_program(&bytes) {
                return cost;
            }
            if let Some(decoded) = carried::unwrapped(&bytes) {
                self.carried(offset, &decoded, None);
                return cost;
            }
        }
        if self.nested.len() >= MAX_NESTED {
            self.nested_left_out = true;
        } else if !self.nested.iter().rev().take(64).any(|(known, _)| *known == extent) {
            self.nested.push((extent, None));
        }
        cost
    }

    /// Notes bytes that were computed or decoded, and what loads them.
    pub(super) fn carried(&mut self, offset: u64, bytes: &[u8], by: Option<&str>) {
        if let Some((_, _, known)) = self.computed.iter_mut().find(|(_, known, _)| known == bytes) {
            *known = by.map(str::to_owned).or_else(|| known.take());
            return;
        }
        self.computed_bytes = self.computed_bytes.saturating_add(bytes.len());
        if self.computed.len() >= MAX_COMPUTED || self.computed_bytes > MAX_COMPUTED_BYTES {
            self.nested_left_out = true;
            return;
        }
        self.computed.push((offset, bytes.to_vec(), by.map(str::to_owned)));
    }

    /// Says that something loads the string at `extent`.
    pub(super) fn loaded(&mut self, extent: Extent, by: String) {
        if let Some((_, loader)) = self.nested.iter_mut().find(|(known, _)| *known == extent) {
            *loader = Some(by);
        } else if self.nested.len() >= MAX_NESTED {
            self.nested_left_out = true;
        } else {
            self.nested.push((extent, Some(by)));
        }
    }

    pub(super) fn tensor(&mut self, node: Option<u32>, tensor: Tensor) {
        let elements = tensor.shape.iter().fold(1u64, |all, &size| all.saturating_mul(size));
        let sum = self.tensors.elements.entry(tensor.dtype.clone()).or_default();
        *sum = sum.saturating_add(elements);
        self.tensors.count += 1;
        if self.tensors.list.len() < MAX_TENSORS {
            if let Some(node) = node {
                self.tensor_of.insert(node, self.tensors.list.len() as u32);
            }
            self.tensors.list.push(tensor);
        }
    }

    pub(super) fn storage(&mut self, storage: Storage) {
        const MAX_STORAGES: usize = 200_000;
        let storages = &mut self.tensors.storages;
        if storages.len() < MAX_STORAGES && storages.last().is_none_or(|last| last.key != storage.key) {
            storages.push(storage);
        }
    }
}

/// The part of a dotted path from the last well-known module on: `random` `_os.system` is `os` `system`.
pub(super) fn innermost<'a>(module: &'a str, name: &'a str) -> (&'a str, &'a str) {
    if !name.contains('.') {
        return (module, name);
    }
    let mut found = (module, name);
    let mut rest = name;
    while let Some((segment, tail)) = rest.split_once('.') {
        let bare = segment.strip_prefix('_').unwrap_or(segment);
        let bare = if bare == "_builtins__" { "builtins" } else { bare };
        let well_known = matches!(
            bare,
            "os" | "posix"
                | "nt"
                | "sys"
                | "builtins"
                | "subprocess"
                | "importlib"
                | "operator"
                | "functools"
                | "pickle"
                | "codecs"
                | "types"
                | "marshal"
                | "copyreg"
                | "pkgutil"
                | "inspect"
                | "shutil"
                | "socket"
                | "ctypes"
                | "runpy"
                | "io"
        );
        if well_known {
            found = (bare, tail);
        }
        rest = tail;
    }
    found
}
