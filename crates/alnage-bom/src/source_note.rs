//! Sources as text that people read in citations and annotations, and that we can read back.

use alnage_facts::{Origin, Place, Source, Technique};

/// `binary-analysis of model.safetensors, bytes 8 to 11000 (tensor shapes); confidence 0.99; from bytes`.
pub(crate) fn written(source: &Source) -> String {
    let place = match &source.place {
        Place::Whole => "whole".to_owned(),
        Place::Bytes(start, end) => format!("bytes {start} to {end}"),
        Place::Pointer(pointer) => format!("at {pointer}"),
    };
    format!(
        "{} of `{}`, {place} ({}); confidence {}; from {}",
        source.technique.as_str(),
        source.file,
        source.what,
        source.shown_confidence(),
        source.origin.as_str(),
    )
}

/// The source that [`written`] wrote; `None` for other text.
pub(crate) fn read(text: &str) -> Option<Source> {
    let (rest, origin) = text.rsplit_once("; from ")?;
    let origin = Origin::of(origin.trim())?;
    let (rest, confidence) = rest.rsplit_once("; confidence ")?;
    let confidence: f64 = confidence.parse().ok()?;
    let (technique, rest) = rest.split_once(" of `")?;
    let (file, rest) = rest.rsplit_once("`, ")?;
    let (place, what) = rest.split_once(" (")?;
    let place = if let Some(range) = place.strip_prefix("bytes ") {
        let (start, end) = range.split_once(" to ")?;
        Place::Bytes(start.parse().ok()?, end.parse().ok()?)
    } else {
        place.strip_prefix("at ").map_or(Place::Whole, |pointer| Place::Pointer(pointer.to_owned()))
    };
    let what = what.strip_suffix(')').unwrap_or(what);
    let mut source = Source::new(origin, file, what, place);
    source.technique = Technique::of(technique);
    source.confidence = (confidence.clamp(0.0, 1.0) * 100.0).round() as u8;
    Some(source)
}
