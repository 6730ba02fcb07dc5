//! Who showed what a moment ago, so that not every request asks the records.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Who;

/// A token that another server ended is good here for so many seconds more, at most.
const SECONDS: i64 = 5;
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Recall(Mutex<HashMap<String, (Who, i64)>>);

impl Recall {
    pub(super) fn get(&self, hash: &str, now: i64) -> Option<Who> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(_, until)| now < *until).map(|(who, _)| who.clone())
    }

    pub(super) fn put(&self, hash: String, who: Who, now: i64, expires: Option<i64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let until = now.saturating_add(SECONDS);
        known.insert(hash, (who, expires.map_or(until, |expires| until.min(expires))));
    }

    /// Something changed.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
