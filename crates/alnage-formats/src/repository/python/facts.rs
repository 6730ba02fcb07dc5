//! What a Python file imports, defines and calls, and when those calls run.

use serde::Serialize;

/// Facts of a Python file.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonFacts {
    /// Modules it imports, as dotted names; relative ones begin with a dot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    /// Classes it defines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// How many functions and methods it defines.
    pub functions: u64,
    /// Calls that act on more than the program's own data, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<SensitiveCall>,
}

/// A call that acts on more than the program's own data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensitiveCall {
    /// The callable by its full name, aliases and indirections resolved: `os.system`.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// When it runs.
    pub when: When,
    /// What it is given.
    pub argument: ArgumentOrigin,
    /// The first argument, as far as it is a constant or can be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The call as written, shortened.
    pub text: String,
    /// The function it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Line, from 1.
    pub line: u64,
    /// First byte of the call.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Starts a process.
    Process,
    /// Runs code given as text or as a code object.
    Code,
    /// Imports a module whose name is computed, or a file as a module.
    Import,
    /// Fetches code and runs it.
    FetchedCode,
    /// Unpickles or reads another format that runs code.
    Deserialize,
    /// Loads native code.
    Native,
    /// Connects to the network.
    Network,
    /// Waits for connections or hands a socket to a shell.
    Socket,
    /// Writes or removes files.
    WriteFile,
    /// Opens files that hold secrets or start programs.
    SensitiveFile,
    /// Reads all of the environment.
    Environment,
    /// Reaches an attribute of a system module by a computed name.
    ComputedAttribute,
    /// Changes how Python imports or audits.
    Hook,
}

/// When a call runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// When the file is run as a program.
    Main,
    /// When a function is called that nothing in the file calls by itself.
    Function,
    /// When an object is made or used: `__init__`, `forward`, `from_pretrained`.
    Use,
    /// When the file is imported.
    Import,
}

/// Where a call's argument comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ArgumentOrigin {
    /// There is none.
    None,
    /// It is written in the file.
    Constant,
    /// It is written in the file with computed parts: a format string.
    Template,
    /// It is computed.
    Computed,
    /// It is read from a file.
    File,
    /// It is decoded or decompressed.
    Decoded,
    /// It comes over the network.
    Network,
}
