//! Which part of a file is asked for.

use std::ops::Range;

/// Reads `bytes=0-9`, `bytes=10-` and `bytes=-5` for a file of `size` bytes. `Ok(None)` is the whole file: what is not
/// understood is ignored, as the standard has it. An error is a part that is not there.
pub(crate) fn parse(text: Option<&str>, size: u64) -> Result<Option<Range<u64>>, OutOfRange> {
    let Some((first, last)) = text.and_then(|text| text.trim().strip_prefix("bytes=")?.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return Ok(None),
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.trim().is_empty() => first..size,
        (None, Some(count)) if first.trim().is_empty() => size.saturating_sub(count)..size,
        _ => return Ok(None),
    };
    if range.start >= size || range.is_empty() { Err(OutOfRange) } else { Ok(Some(range)) }
}

/// The part is not in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;
