//! What a Python callable can do: the question every pickle rule asks.
//!
//! The answer comes from tables, not from code: `dangerous.tsv` and `safe.tsv` are written by hand,
//! `generated.tsv` and `harvested.tsv` by `cargo xtask gadgets`. All are sorted text, packed in blocks of which
//! one is unpacked when something in it is looked for.

mod alias;
mod dotted;
mod recent;
mod table;
#[cfg(test)]
mod tests;

pub use alias::canonical;

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
    /// When it reaches it.
    pub trigger: Trigger,
    /// Where this is known from: a CVE, an advisory, or the source line it was derived from.
    pub source: &'static str,
}

/// When a dangerous callable does its damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// In any role; naming it in a model is already wrong.
    Any,
    /// Only when called with arguments (REDUCE, OBJ, INST). The class itself may be named, and an instance made by
    /// NEWOBJ, which skips `__init__`, is harmless.
    Call,
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
///
/// A name that is safe in one role may be dangerous in another: a callable classed as a safe [`Role::Class`] or
/// [`Role::Reference`] that is called all the same should be asked about again by [`danger_when_called`].
pub fn classify(module: &str, name: &str) -> Class {
    recent::class(module, name, look_up)
}

fn look_up(module: &str, name: &str) -> Class {
    let (module, name) = canonical(module, name);
    if let Some(danger) = table::DANGEROUS.danger(&module, name) {
        return Class::Dangerous(danger);
    }
    if let Some(role) = safe_role(&module, name) {
        return Class::Safe(role);
    }
    whole_module(&module)
        .or_else(|| table::GENERATED.danger(&module, name))
        .or_else(|| dotted::danger(&module, name))
        .map_or(Class::Unknown, Class::Dangerous)
}

/// What calling `module.name` with arguments reaches, even where [`classify`] knows a safer role for it.
pub fn danger_when_called(module: &str, name: &str) -> Option<Danger> {
    let (module, name) = canonical(module, name);
    let listed = table::DANGEROUS.danger(&module, name);
    if listed.is_none() && matches!(safe_role(&module, name), Some(Role::Constructor | Role::ByArguments)) {
        return None;
    }
    listed
        .or_else(|| table::GENERATED.danger(&module, name))
        .or_else(|| whole_module(&module))
        .or_else(|| dotted::danger(&module, name))
}

/// What the rows written by hand say of `module.name`, one for the whole module included.
pub fn listed(module: &str, name: &str) -> Option<Danger> {
    let (module, name) = canonical(module, name);
    table::DANGEROUS.danger(&module, name).or_else(|| whole_module(&module))
}

/// Classes `module.name` by the tables written by hand alone: what the generator need not say again.
pub fn known_by_hand(module: &str, name: &str) -> Class {
    let (module, name) = canonical(module, name);
    match (table::DANGEROUS.danger(&module, name), table::SAFE.role(&module, name)) {
        (Some(danger), _) => Class::Dangerous(danger),
        (None, Some(role)) => Class::Safe(role),
        (None, None) => whole_module(&module).map_or(Class::Unknown, Class::Dangerous),
    }
}

/// Says what a sink does, to follow a callable's name in a sentence.
pub const fn describe(sink: SinkKind) -> &'static str {
    match sink {
        SinkKind::Process => "starts a process",
        SinkKind::Code => "runs code given to it",
        SinkKind::Native => "loads native code",
        SinkKind::Import => "imports a module of the caller's choice",
        SinkKind::File => "reads, writes or removes files",
        SinkKind::Network => "connects to the network",
        SinkKind::Gadget => "hands over another callable or loads a second stage",
    }
}

/// Every dangerous row as (module, name, danger), for the documentation: those by hand, then those derived. The name
/// `*` stands for the whole module, `**` for its submodules as well.
pub fn dangerous_rows() -> impl Iterator<Item = (&'static str, &'static str, Danger)> {
    table::DANGEROUS.dangers().chain(table::GENERATED.dangers())
}

/// Every safe row as (module, name, role), for the documentation.
pub fn safe_rows() -> impl Iterator<Item = (&'static str, &'static str, Role)> {
    table::SAFE.roles().chain(table::HARVESTED.roles())
}

fn safe_role(module: &str, name: &str) -> Option<Role> {
    if module == "__torch__" || module.starts_with("__torch__.") {
        // Classes of TorchScript: their code lies beside the pickle, and Python has no module of this name.
        return Some(Role::Class);
    }
    let known = |module: &str| table::SAFE.role(module, name).or_else(|| table::HARVESTED.role(module, name));
    known(module).or_else(|| alias::moved(module).and_then(|now| known(&now)))
}

/// The rows that say something about every name of a module.
fn whole_module(module: &str) -> Option<Danger> {
    if let Some(danger) = table::DANGEROUS.danger(module, "*") {
        return Some(danger);
    }
    let mut package = module;
    loop {
        if let Some(danger) = table::DANGEROUS.danger(package, "**") {
            return Some(danger);
        }
        package = package.rsplit_once('.')?.0;
    }
}
