//! Looks for artifacts hidden in bytes that no reading claimed.

use std::{ops::Range, sync::Arc};

use alnage_types::Source;

use crate::Context;

/// Hands on what is found in `gaps` as members.
pub(crate) fn carve(_source: &Arc<dyn Source>, _gaps: &[Range<u64>], _context: &mut Context<'_>) {}
