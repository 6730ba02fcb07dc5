//! Strings of a model that may carry something else, remembered until it is known whose they are.

use std::{ops::Range, sync::Arc};

use alnage_types::{Reader, Source, WindowSource};

use crate::{
    Context,
    tensor::{Carried, embedded},
};

/// Looks into the string in `range`.
pub(super) fn look(
    place: &str,
    range: &Range<u64>,
    source: &Arc<dyn Source>,
    reader: &mut Reader<'_>,
    carried: &mut Vec<Carried>,
    context: &mut Context<'_>,
) {
    let length = range.end - range.start;
    if length > embedded::MAX_LOOK {
        return context.member(place, Arc::new(WindowSource::new(source.clone(), range.start, length)));
    }
    reader.seek(range.start);
    match reader.take(length) {
        Ok(text) => embedded::look(place, &text, range.start, carried, context),
        Err(end) => context.read_end(end, range.start, "a string"),
    }
}
