//! CycloneDX 1.6 and 1.7 as JSON. Traps of the schema stand beside the fields they concern.

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

/// Which edition of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    V1_6,
    V1_7,
}

impl Edition {
    fn number(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// The component types of the format.
static TYPES: &[(&str, crate::Kind)] = &[
    ("machine-learning-model", crate::Kind::Model),
    ("data", crate::Kind::Dataset),
    ("file", crate::Kind::File),
    ("framework", crate::Kind::Framework),
    ("library", crate::Kind::Library),
    ("application", crate::Kind::Application),
];
