//! What a template says about itself once it is read.

use serde::Serialize;

/// Facts of a Jinja template.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TemplateFacts {
    /// What ordinary chat templates do not do, in the order of the template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constructs: Vec<Construct>,
    /// Names the template expects from whoever renders it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// Blocks (`{% … %}` and `{{ … }}`) it has.
    pub blocks: u64,
}

/// Something in a template that ordinary ones do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Construct {
    /// What it is.
    pub kind: ConstructKind,
    /// First byte of the expression.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// The expression as written, shortened.
    pub text: String,
    /// What its computed part comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
}

/// Kinds of constructs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConstructKind {
    /// An attribute of Python's object machinery is reached: `x.__class__`, `x['__globals__']`, `x|attr('mro')`.
    InternalAttribute,
    /// An attribute by a name that is computed while rendering: `x|attr(y)`, `''[y]`, `x[y]()`.
    ComputedAttribute,
    /// The name of Python's object machinery as text, or one spelled with escapes.
    InternalName,
    /// A format string that walks attributes: `'{0.__class__}'`.
    FormatTraversal,
    /// A call of a function that templates are never given: `eval(…)`, `getattr(…)`.
    DangerousCall,
    /// The filter `attr` with a plain constant name.
    AttrFilter,
    /// An object of a web framework or of the template engine, or a module: `request`, `self`, `lipsum`, `requests`.
    EngineObject,
    /// Another template is loaded.
    Load,
    /// A repetition far beyond any conversation.
    Huge,
    /// A function that neither Jinja nor the usual renderers give to templates.
    UnknownCall,
    /// Text that is written only when a message has a certain phrase.
    TriggeredText,
}
