//! Drives identification and parsing over one file and everything nested in it, without recursion.

use std::{borrow::Cow, ops::Range, sync::Arc};

use alnage_types::{ArtifactPath, Budget, Exhausted, Issue, IssueKind, Meter, Source, Span};

use crate::{Artifact, Context, Facts, Format, Member, Probe, carve, registry};

/// Everything learned about one file.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Every reading of the file and of its members, outermost first.
    pub artifacts: Vec<Artifact>,
    /// What was not understood.
    pub issues: Vec<Issue>,
}

/// Analyses the file at `path` with the bytes `source`.
pub fn analyse(path: ArtifactPath, source: Arc<dyn Source>, budget: &Budget) -> Analysis {
    let mut analysis = Analysis::default();
    let mut meter = Meter::new(budget.clone());
    let mut queue = vec![(path, source, 0)];
    while let Some((path, source, depth)) = queue.pop() {
        let members = analyse_one(&path, &source, &mut meter, &mut analysis);
        if members.is_empty() {
            continue;
        }
        if depth == budget.max_depth {
            analysis.issues.push(budget_issue(&path, Exhausted { limit: "max-depth" }));
            continue;
        }
        for member in members.into_iter().rev() {
            if let Err(limit) = meter.entry() {
                analysis.issues.push(budget_issue(&path, limit));
                break;
            }
            queue.push((path.member(&member.name), member.source, depth + 1));
        }
    }
    analysis
}

/// Reads bytes as one format, whether or not they look like it: the entrance for fuzzing a single parser.
pub fn parse_as(format: &Format, path: &ArtifactPath, source: &Arc<dyn Source>, budget: &Budget) -> Analysis {
    let mut meter = Meter::new(budget.clone());
    let mut context = Context::new(path, &mut meter);
    let facts = (format.parse)(source, &mut context);
    let artifact =
        Artifact { path: path.clone(), format: format.id, size: source.len(), facts, unclaimed: Vec::new() };
    Analysis { artifacts: vec![artifact], issues: context.issues }
}

fn budget_issue(path: &ArtifactPath, limit: Exhausted) -> Issue {
    let message = format!("stopped at the limit `{}`; members of this artifact were not read", limit.limit);
    Issue { artifact: path.clone(), offset: None, kind: IssueKind::Budget, message }
}

fn analyse_one(
    path: &ArtifactPath,
    source: &Arc<dyn Source>,
    meter: &mut Meter,
    analysis: &mut Analysis,
) -> Vec<Member> {
    let size = source.len();
    let first = analysis.artifacts.len();
    let mut reading = |format, facts| {
        analysis.artifacts.push(Artifact { path: path.clone(), format, size, facts, unclaimed: Vec::new() });
    };
    if size == 0 {
        reading("empty", Facts::None {});
        return Vec::new();
    }
    let mut context = Context::new(path, meter);
    let Some((head, tail)) = ends(source.as_ref()) else {
        reading("unrecognised", Facts::None {});
        context.issue(IssueKind::Unreadable, None, "the bytes could not be read");
        analysis.issues.append(&mut context.issues);
        return Vec::new();
    };
    let probe = Probe::new(source.as_ref(), path, &head, &tail);
    for format in registry::formats().filter(|format| (format.identify)(&probe)) {
        reading(format.id, (format.parse)(source, &mut context));
    }
    if analysis.artifacts.len() == first {
        let format = if probe.is_text() { "text" } else { "unrecognised" };
        analysis.artifacts.push(Artifact {
            path: path.clone(),
            format,
            size,
            facts: Facts::None {},
            unclaimed: Vec::new(),
        });
    }
    let gaps = gaps(std::mem::take(&mut context.claims), size);
    carve::carve(source, &gaps, &mut context);
    let spans = gaps.iter().take(Artifact::MAX_UNCLAIMED).map(|gap| Span::new(gap.start, gap.end));
    analysis.artifacts[first].unclaimed = spans.collect();
    analysis.issues.append(&mut context.issues);
    context.members
}

/// The head and tail of a source, for identification.
type Ends<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

fn ends(source: &dyn Source) -> Option<Ends<'_>> {
    if let Some(bytes) = source.as_bytes() {
        let head = &bytes[..bytes.len().min(Probe::HEAD)];
        let tail = &bytes[bytes.len() - bytes.len().min(Probe::TAIL)..];
        return Some((head.into(), tail.into()));
    }
    let mut reader = alnage_types::Reader::new(source);
    let head = reader.take(source.len().min(Probe::HEAD as u64)).ok()?;
    let tail_len = source.len().min(Probe::TAIL as u64);
    reader.seek(source.len() - tail_len);
    let tail = reader.take(tail_len).ok()?;
    Some((head, tail))
}

/// The parts of `0..size` that no claim covers.
pub(crate) fn gaps(mut claims: Vec<Range<u64>>, size: u64) -> Vec<Range<u64>> {
    claims.sort_by_key(|claim| claim.start);
    let mut gaps = Vec::new();
    let mut covered = 0;
    for claim in claims {
        if claim.start > covered {
            gaps.push(covered..claim.start.min(size));
        }
        covered = covered.max(claim.end).min(size);
    }
    if covered < size {
        gaps.push(covered..size);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(claims: &[(u64, u64)], size: u64, expected: &[(u64, u64)]) {
        let found = gaps(claims.iter().map(|&(start, end)| start..end).collect(), size);
        assert_eq!(found.iter().map(|gap| (gap.start, gap.end)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn gaps_are_what_no_claim_covers() {
        check(&[(4, 6), (0, 2), (5, 8)], 10, &[(2, 4), (8, 10)]);
        check(&[], 3, &[(0, 3)]);
        check(&[(0, u64::MAX)], 3, &[]);
    }
}
