//! What is learned about a pickle: the public record and what the rules judge.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// What a pickle would do when loaded.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PickleFacts {
    /// How the bytes around the pickles are laid out.
    pub layout: Layout,
    /// The highest protocol that is declared.
    pub protocol: u8,
    /// The pickles that follow one another, the first [`MAX_STREAMS`].
    pub streams: Vec<Stream>,
    /// How many pickles follow one another.
    pub stream_count: u64,
    /// Every global that loading imports, in the order of first use.
    #[serde(serialize_with = "first_listed")]
    pub globals: Vec<Global>,
    /// Every distinct call that loading makes.
    #[serde(serialize_with = "first_listed")]
    pub calls: Vec<Call>,
    /// How many calls loading makes, equal ones included.
    pub call_count: u64,
    /// What no ordinary pickler writes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<Anomaly>,
    /// Pickles and code inside strings, handed on as members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nested: Vec<Nested>,
    /// Files beside this one that arrays are read from, as joblib wrote them before 0.10.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "first_listed")]
    pub references: Vec<Reference>,
    /// What `torch.load(weights_only=True)` would say.
    pub weights_only: WeightsOnly,
    /// The tensors that are rebuilt.
    #[serde(skip_serializing_if = "Tensors::is_empty")]
    pub tensors: Tensors,
}

/// How many streams are listed.
pub const MAX_STREAMS: usize = 100;
/// How many globals and calls are listed in the record; rules see all.
pub const MAX_LISTED: usize = 500;

fn first_listed<T: Serialize, S: Serializer>(all: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    all[..all.len().min(MAX_LISTED)].serialize(serializer)
}

/// How pickles and raw bytes share a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One pickle, or several after one another.
    #[default]
    Stream,
    /// Arrays stand raw between the opcodes, as joblib writes them.
    Joblib,
    /// Five pickles and raw storages, as `torch.save` wrote before version 1.6.
    PytorchLegacy,
}

/// One pickle of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stream {
    /// First byte.
    pub start: u64,
    /// One past the last byte that was read.
    pub end: u64,
    /// How it ended: `stop`, or why every unpickler gives up there.
    pub ended: String,
    /// Whether it ended with STOP.
    pub complete: bool,
    /// Opcodes.
    pub opcodes: u64,
    /// Calls made before the end.
    pub calls: u64,
}

/// A global that loading imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Global {
    /// As Python 3 imports it.
    pub module: String,
    /// A dotted path in the module; empty for the module itself.
    pub name: String,
    /// As the pickle spells it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spelled: Option<String>,
    /// Of the opcode that imports it first.
    pub offset: u64,
    /// How it is named.
    pub how: Import,
    /// Called with arguments.
    pub called: bool,
    /// Instantiated without `__init__`.
    pub instantiated: bool,
}

impl Global {
    /// `module.name`.
    pub fn path(&self) -> String {
        match (self.module.as_str(), self.name.as_str()) {
            (module, "") => module.to_owned(),
            (module, name) => [module, ".", name].concat(),
        }
    }
}

/// How a global is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Import {
    /// GLOBAL.
    Global,
    /// STACK_GLOBAL with literal names.
    StackGlobal,
    /// STACK_GLOBAL with names that are computed while loading.
    ComputedName,
    /// INST.
    Inst,
    /// EXT1, EXT2, EXT4.
    Extension,
    /// An import function, `getattr` and the like.
    Computed,
}

/// A call that loading makes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Call {
    /// Of the opcode that makes it, the first time.
    pub offset: u64,
    /// That opcode.
    pub opcode: &'static str,
    /// What kind of call it is.
    pub role: Role,
    /// The call as a line of Python.
    pub line: String,
    /// How many equal calls there are.
    pub count: u64,
    /// What makes the call when it is not the opcode itself: `functools.partial`, a planted `__setstate__`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What is called.
    #[serde(skip)]
    pub callee: Callee,
    /// What it is called with.
    #[serde(skip)]
    pub arguments: Vec<Argument>,
}

/// The kinds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An ordinary call.
    Call,
    /// `__new__` of a class, without `__init__`.
    New,
    /// `__setstate__`, or an update of the instance's attributes.
    State,
    /// `__setitem__`.
    SetItem,
    /// `append`, `extend` or `add`.
    Append,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A global, by its index in [`PickleFacts::globals`].
    Global(usize),
    /// A method of an instance of a class, by the class's index.
    Method {
        /// The instance's class.
        class: usize,
        /// The attribute.
        name: String,
    },
    /// Not resolved.
    Unknown,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A global, by its index in [`PickleFacts::globals`].
    Global(usize),
    /// A string; long ones are cut at 256 bytes.
    Text(String),
    /// A byte string of this length.
    Bytes(u64),
    /// An integer.
    Int(i64),
    /// An instance of a class, by the class's index.
    Instance(Option<usize>),
    /// A tuple, list, set or dictionary, and the globals in it.
    Container(Vec<usize>),
    /// Other plain data.
    Plain,
    /// Not computed.
    Unknown,
}

/// Something no ordinary pickler writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Anomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Where.
    pub offset: u64,
    /// More about it.
    pub detail: String,
}

/// The kinds of anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// A number spelled so that strict readers stop at it while CPython reads on.
    OddNumber,
    /// An operand that crosses the end of a frame: readers disagree about what follows.
    FrameCrossing,
    /// A declared length beyond the end of the bytes.
    DeclaredLength,
    /// A line that ends with the file instead of a newline.
    UnterminatedLine,
    /// An extension code that nothing registered.
    UnknownExtension,
    /// State or items set on a module, class or function that others use.
    ShadowedGlobal,
    /// An attribute planted that the unpickler itself calls later.
    PlantedHook,
    /// Items set on something that is no mapping of the usual kinds (CVE-2026-24747).
    ItemOnOther,
    /// References nested so that walking the object takes exponential time.
    Expansion,
    /// Two runs of memo numbers far apart: a program was spliced into another pickle's.
    MemoHole,
    /// A protocol declared somewhere else than at the start.
    MisplacedProtocol,
}

/// A string that holds a program of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Nested {
    /// The member's name.
    pub member: String,
    /// Of the string's first byte.
    pub offset: u64,
    /// What loads it, when something does: `pickle.loads`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<String>,
    /// Names that the code object in it uses, when it holds one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Strings among that code object's constants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<String>,
}

/// A file that is read while loading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reference {
    /// Its name, seen from the pickle's folder.
    pub file: String,
    /// Of the opcode that reads it.
    pub offset: u64,
}

/// What `torch.load(weights_only=True)` would say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WeightsOnly {
    /// Whether it would load.
    pub accepted: bool,
    /// The first opcode or global it would refuse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The tensors a pickle rebuilds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tensors {
    /// How many.
    pub count: u64,
    /// Their elements by data type.
    pub elements: BTreeMap<String, u64>,
    /// The first [`MAX_TENSORS`].
    pub list: Vec<Tensor>,
    /// The storages they lie in.
    #[serde(skip)]
    pub storages: Vec<Storage>,
}

/// How many tensors are listed.
pub const MAX_TENSORS: usize = 1000;

impl Tensors {
    fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tensor {
    /// Where it stands in the object, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As PyTorch or NumPy spells it: `float32`.
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<u64>,
    /// The storage it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

/// A storage that a persistent id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Its key.
    pub key: String,
    /// Data type of its elements.
    pub dtype: &'static str,
    /// Bytes of an element.
    pub item_size: u64,
    /// Elements.
    pub elements: u64,
    /// Of the opcode that names it.
    pub offset: u64,
}
