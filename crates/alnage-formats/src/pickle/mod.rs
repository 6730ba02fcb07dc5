//! Pickle: a program for a stack machine, run symbolically and never for real.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[];

/// Facts of this family.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PickleFacts {}
