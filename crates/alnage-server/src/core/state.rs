//! What every handler has at hand.

use std::{ops::Deref, sync::Arc};

use super::{Answered, metrics::Metrics};
use crate::Settings;

/// What every handler has at hand; cloning it is cheap.
#[derive(Clone)]
pub(crate) struct State(Arc<Inner>);

/// The fields of [`State`].
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
}

impl Deref for State {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, metrics: Metrics::default() }))
    }

    /// Whether everything that requests need can be reached.
    pub(crate) fn ready(&self) -> Answered<()> {
        Ok(())
    }
}
