//! The dictionary of a fastText model: words, then labels, then which hashed features were kept.

use alnage_types::{ReadEnd, Reader};
use memchr::memchr;

use super::{FastTextFacts, Stop};
use crate::{Context, framework::text::short};

/// Read at a time; no word is longer.
const CHUNK: u64 = 1 << 20;

/// What the dictionary demands of the rest of the file.
pub(super) struct Dictionary {
    /// The library looks up vectors of as many words and features.
    pub(super) input_rows: i64,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    facts: &mut FastTextFacts,
    context: &mut Context<'_>,
) -> Result<Dictionary, Stop> {
    let start = reader.position();
    let count = reader.i32le()?;
    facts.words = reader.i32le()?;
    facts.labels = reader.i32le()?;
    facts.tokens = reader.i64le()?;
    let kept = reader.i64le()?;
    facts.kept_features = (kept >= 0).then_some(kept);
    let header = (start, reader.position());
    context.claim(header.0..header.1);
    let parts = [("words of the dictionary", facts.words), ("labels of the dictionary", facts.labels)];
    for (number, declared) in parts.into_iter().filter(|(_, declared)| *declared < 0) {
        facts.contradict(header, number, declared.into(), "at least 0".into());
    }
    let sum = i64::from(facts.words) + i64::from(facts.labels);
    if sum != i64::from(count) {
        facts.contradict(header, "entries of the dictionary", count.into(), sum.to_string());
    }
    let Ok(count) = u32::try_from(count) else {
        return Err(Stop::Malformed("a dictionary with a negative number of entries"));
    };
    entries(reader, count, facts, context)?;
    let features = match facts.kept_features {
        Some(kept) => kept_features(reader, kept, facts, context)?,
        None if facts.hashes_features() => facts.buckets.into(),
        None => 0,
    };
    Ok(Dictionary { input_rows: i64::from(facts.words).saturating_add(features) })
}

/// Beyond it the library builds a tree over the labels that runs in circles.
const MOST_OCCURRENCES: i64 = 1_000_000_000_000_000;

/// Walks the entries: a word with a zero behind it, how often it occurred, and whether it is a label.
fn entries(
    reader: &mut Reader<'_>,
    count: u32,
    facts: &mut FastTextFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    let whole = reader.position();
    let (mut index, mut labels, mut misplaced, mut miscounted) = (0_u32, 0_u32, None, None);
    while index < count {
        let start = reader.position();
        let chunk = reader.take(reader.remaining().min(CHUNK))?;
        reader.seek(start);
        let mut rest = chunk.as_ref();
        while index < count
            && let Some((word, occurrences, kind, behind)) = entry(rest)
        {
            context.meter().step(1)?;
            if kind != 0 {
                labels += 1;
                label(word, facts);
            }
            if !(0..MOST_OCCURRENCES).contains(&occurrences) && miscounted.is_none() {
                miscounted = Some((index, occurrences));
            }
            // The library tells labels from words by the place as well as by the kind.
            let expected = u8::from(i64::from(index) >= i64::from(facts.words));
            if kind != expected && misplaced.is_none() {
                misplaced = Some((index, kind, expected));
            }
            rest = behind;
            index += 1;
        }
        let used = (chunk.len() - rest.len()) as u64;
        if used == 0 && chunk.len() as u64 == CHUNK {
            return Err(Stop::Malformed("a word of the dictionary is longer than any that is read"));
        }
        if used == 0 {
            return Err(ReadEnd::Truncated.into());
        }
        reader.skip(used)?;
        context.claim(start..reader.position());
    }
    let span = (whole, reader.position());
    if let Some((index, occurrences)) = miscounted {
        let number = format!("occurrences of entry {index} of the dictionary");
        facts.contradict(span, number, occurrences, format!("from 0 to {MOST_OCCURRENCES}"));
    }
    if i64::from(labels) != i64::from(facts.labels) {
        facts.contradict(span, "labels of the dictionary", facts.labels.into(), labels.to_string());
    } else if let Some((index, kind, expected)) = misplaced {
        let number = format!("kind of entry {index} of the dictionary");
        facts.contradict(span, number, kind.into(), expected.to_string());
    }
    Ok(())
}

/// The word, how often it occurred, whether it is a label, and what stands behind the first entry of `bytes`.
fn entry(bytes: &[u8]) -> Option<(&[u8], i64, u8, &[u8])> {
    let (word, rest) = bytes.split_at_checked(memchr(0, bytes)?)?;
    let ([_, count @ .., kind], rest) = rest.split_first_chunk::<10>()?;
    Some((word, i64::from_le_bytes(*count), *kind, rest))
}

fn label(word: &[u8], facts: &mut FastTextFacts) {
    const MAX_LISTED: usize = 256;
    if facts.label_names.len() < MAX_LISTED {
        let beginning = word.get(..512).unwrap_or(word);
        facts.label_names.push(short(&String::from_utf8_lossy(beginning), 128));
    }
}

/// Walks the pairs of a bucket and its row behind those of the words; how many rows they reach.
fn kept_features(
    reader: &mut Reader<'_>,
    count: i64,
    facts: &mut FastTextFacts,
    context: &mut Context<'_>,
) -> Result<i64, Stop> {
    const PAIR: u64 = 8;
    let start = reader.position();
    let size = u64::try_from(count).ok().and_then(|count| count.checked_mul(PAIR));
    let mut left = size.filter(|&size| size <= reader.remaining()).ok_or(ReadEnd::Truncated)?;
    let (mut lowest, mut highest) = (0, -1);
    while left > 0 {
        let chunk = reader.take(left.min(CHUNK))?;
        left -= chunk.len() as u64;
        context.meter().step(chunk.len() as u64 / PAIR)?;
        for [_, _, _, _, row @ ..] in chunk.as_chunks::<{ PAIR as usize }>().0 {
            let row = i32::from_le_bytes(*row);
            lowest = lowest.min(row);
            highest = highest.max(row);
        }
    }
    let span = (start, reader.position());
    context.claim(span.0..span.1);
    if lowest < 0 {
        facts.contradict(span, "lowest row of a kept feature", lowest.into(), "at least 0".into());
    }
    Ok(i64::from(highest) + 1)
}
