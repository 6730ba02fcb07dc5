//! What every handler has at hand.

use std::{ops::Deref, sync::Arc};

use alnage_registry::{
    Registry,
    people::{Issuers, People},
};

use tokio::sync::mpsc;

use super::{Answered, audit::Line, listen::Stop, metrics::Metrics};
use crate::Settings;

/// What every handler has at hand; cloning it is cheap.
#[derive(Clone)]
pub(crate) struct State(Arc<Inner>);

/// The fields of [`State`].
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) people: People,
    pub(crate) issuers: Issuers,
    /// When the server ends, for what would go on.
    pub(crate) stop: Stop,
    pub(crate) registry: Registry,
    pub(crate) audit: mpsc::Sender<Line>,
    /// Answers what clusters ask.
    pub(crate) reviewer: Option<crate::admission::Reviewer>,
    /// What clients of the hub were given a moment ago.
    pub(crate) hub: crate::hub::Cache,
    clock: fn() -> u64,
}

impl Deref for State {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl State {
    pub(crate) fn new(
        settings: Settings,
        registry: Registry,
        stop: Stop,
        audit: mpsc::Sender<Line>,
        clock: fn() -> u64,
    ) -> Self {
        let people = People::new(registry.database().clone(), clock);
        let issuers = Issuers::new(clock, settings.roots.clone());
        let reviewer = crate::admission::reviewer(&registry, &settings.public_url, clock);
        Self(Arc::new(Inner {
            settings,
            metrics: Metrics::default(),
            people,
            issuers,
            stop,
            registry,
            audit,
            reviewer,
            hub: crate::hub::Cache::default(),
            clock,
        }))
    }

    /// The seconds since the beginning of 1970.
    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Whether everything that requests need can be reached.
    pub(crate) fn ready(&self) -> Answered<()> {
        self.registry.generation()?;
        Ok(())
    }
}
