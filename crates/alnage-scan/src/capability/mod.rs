//! What a Python callable can do: the question every pickle rule asks.

/// What is known about a callable, by its module and its dotted name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Written by real frameworks in this role and harmless in it.
    Safe(Role),
    /// Reaches something dangerous.
    Dangerous(Danger),
    /// Not known: a person must look.
    Unknown,
}

/// In which role a callable is known to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Builds plain data from any arguments: `collections.OrderedDict`, `numpy.dtype`.
    Constructor,
    /// A class whose instances are made without running its `__init__` (NEWOBJ, `copyreg._reconstructor`) and
    /// filled by BUILD.
    Class,
    /// Only as a value that is never called: `numpy.float64` as a dtype, a function kept in an attribute.
    Reference,
    /// Safe only with certain arguments, which the pickle rules judge: `getattr`, `functools.partial`,
    /// `operator.attrgetter`.
    ByArguments,
}

/// Why a callable is dangerous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Danger {
    /// What it reaches.
    pub sink: SinkKind,
    /// Where this is known from: a CVE, an advisory, or the source line it was derived from.
    pub source: &'static str,
}

/// What a dangerous callable reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SinkKind {
    /// Starts a process.
    Process,
    /// Runs code given to it.
    Code,
    /// Loads native code.
    Native,
    /// Imports a module of the caller's choice.
    Import,
    /// Reads, writes or removes files.
    File,
    /// Connects to the network.
    Network,
    /// Hands the attacker another callable or loads a second stage.
    Gadget,
}

/// Classes `module.name`; `name` may be dotted (`Outer.Inner`, `path.os.system`).
pub fn classify(_module: &str, _name: &str) -> Class {
    Class::Unknown
}
