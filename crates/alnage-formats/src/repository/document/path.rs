//! Where a value stands in a document: the keys and indexes that lead to it.

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

/// The way from the root to a value.
#[derive(Debug, Default)]
pub(crate) struct Path {
    segments: Vec<Segment>,
}

impl Path {
    pub(crate) fn push(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    pub(crate) fn pop(&mut self) {
        self.segments.pop();
    }

    /// The last step, to be rewritten for the next sibling.
    pub(crate) fn last_mut(&mut self) -> Option<&mut Segment> {
        self.segments.last_mut()
    }

    pub(crate) fn depth(&self) -> usize {
        self.segments.len()
    }

    /// The key at step `depth`; nothing for an index.
    pub(crate) fn key(&self, depth: usize) -> Option<&str> {
        match self.segments.get(depth)? {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        }
    }

    /// The index at step `depth`; nothing for a key.
    pub(crate) fn index(&self, depth: usize) -> Option<usize> {
        match self.segments.get(depth)? {
            Segment::Index(index) => Some(*index),
            Segment::Key(_) => None,
        }
    }

    /// The innermost key, indexes after it left out: `architectures` for `architectures/0`.
    pub(crate) fn nearest_key(&self) -> Option<&str> {
        self.segments.iter().rev().find_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        })
    }

    /// As a JSON pointer (RFC 6901), shortened where keys are long.
    pub(crate) fn pointer(&self) -> String {
        const MAX: usize = 512;
        let mut pointer = String::new();
        for segment in &self.segments {
            if pointer.len() > MAX {
                pointer.push('…');
                break;
            }
            pointer.push('/');
            match segment {
                Segment::Key(key) => {
                    for character in key.chars().take(128) {
                        match character {
                            '~' => pointer.push_str("~0"),
                            '/' => pointer.push_str("~1"),
                            other => pointer.push(other),
                        }
                    }
                }
                Segment::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}
