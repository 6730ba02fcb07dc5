//! A document as the elements of a profile look at it.

use alnage_facts::{Question, Source, is_placeholder};

use super::Status;
use crate::bom::{Bom, Component, DatasetDetails, Known, ModelDetails, RelationKind, Text};

pub(super) struct View<'a> {
    pub(super) bom: &'a Bom,
    pub(super) model: Option<&'a Component>,
    pub(super) system: Option<&'a Component>,
    pub(super) details: Option<&'a ModelDetails>,
    pub(super) datasets: Vec<&'a Component>,
    /// The words of the questions that the document says are disputed.
    disputed: Vec<&'a str>,
}

impl<'a> View<'a> {
    pub(super) fn new(bom: &'a Bom) -> Self {
        let model = bom.model();
        let contradictions = model.into_iter().flat_map(|model| model.properties("alnage:contradiction"));
        Self {
            bom,
            model,
            system: bom.root.as_ref().or(model),
            details: model.and_then(|model| model.model.as_deref()),
            datasets: bom.datasets().collect(),
            disputed: contradictions.filter_map(|text| Some(text.value.split_once(": ")?.0)).collect(),
        }
    }

    /// `status`, unless the answer to one of `questions` is disputed.
    pub(super) fn unless_disputed(&self, status: Status, questions: &[Question]) -> Status {
        let disputed = questions.iter().any(|question| self.disputed.contains(&question.as_str()));
        if status.is_there() && disputed { Status::Contradicted } else { status }
    }

    pub(super) fn of_model(&self, take: impl Fn(&'a Component) -> Option<&'a Text>) -> Status {
        text(self.model.and_then(take))
    }

    pub(super) fn of_system(&self, take: impl Fn(&'a Component) -> Option<&'a Text>) -> Status {
        text(self.system.and_then(take))
    }

    pub(super) fn detail(&self, take: impl Fn(&'a ModelDetails) -> Option<&'a Text>) -> Status {
        text(self.details.and_then(take))
    }

    pub(super) fn details(&self, take: impl Fn(&'a ModelDetails) -> &'a [Text]) -> Status {
        any(self.details.into_iter().flat_map(|details| take(details).iter().map(|known| text(Some(known)))))
    }

    /// The parameters of the model whose name ends with one of `ends`.
    pub(super) fn parameter(&self, ends: &[&str]) -> Status {
        let parameters = self.details.into_iter().flat_map(|details| &details.parameters);
        let own = self.model.into_iter().flat_map(|model| &model.properties);
        let named = parameters.chain(own).filter(|(name, _)| ends.iter().any(|end| name.ends_with(end)));
        any(named.map(|(_, value)| text(Some(value))))
    }

    /// The properties of model and system whose name begins with `start`.
    pub(super) fn property(&self, start: &str) -> Status {
        let all = self.model.into_iter().chain(self.system).flat_map(|component| &component.properties);
        any(all.filter(|(name, _)| name.starts_with(start)).map(|(_, value)| text(Some(value))))
    }

    pub(super) fn link(&self, kinds: &[&str]) -> Status {
        let all = self.model.into_iter().chain(self.system).flat_map(|component| &component.links);
        any(all.filter(|link| kinds.contains(&link.value.0.as_str())).map(|link| status(&link.sources)))
    }

    /// The best that any data set says.
    pub(super) fn dataset(&self, take: impl Fn(&'a Component) -> Option<&'a Text>) -> Status {
        any(self.datasets.iter().map(|dataset| text(take(dataset))))
    }

    pub(super) fn dataset_detail(&self, take: impl Fn(&'a DatasetDetails) -> Option<&'a Text>) -> Status {
        self.dataset(|dataset| take(dataset.dataset.as_deref()?))
    }

    pub(super) fn relates(&self, kinds: &[RelationKind]) -> Status {
        let known = self.bom.relations.iter().filter(|relation| kinds.contains(&relation.kind));
        let known: Vec<_> = known.collect();
        let listed = |id: &str| {
            let named = self.bom.components.iter().find(|component| component.id == id);
            named.map(|component| status(&component.name.sources))
        };
        any(known.iter().filter_map(|relation| listed(&relation.to)))
    }

    pub(super) fn kind(&self, kinds: &[crate::Kind]) -> Status {
        let all = self.bom.components.iter().filter(|component| kinds.contains(&component.kind));
        any(all.map(|component| text(Some(&component.name))))
    }
}

/// The best of several.
pub(super) fn any(all: impl Iterator<Item = Status>) -> Status {
    all.max().unwrap_or(Status::Missing)
}

/// How a text stands; what a template put there is missing.
pub(super) fn text(text: Option<&Text>) -> Status {
    match text {
        Some(known) if !is_placeholder(&known.value) => status(&known.sources),
        _ => Status::Missing,
    }
}

/// How a value stands that has these sources.
pub(super) fn status(sources: &[Source]) -> Status {
    if sources.iter().any(|source| source.origin.is_derived()) { Status::Derived } else { Status::Declared }
}

/// How the first of several values stands.
pub(super) fn first<T>(known: &[Known<T>]) -> Status {
    known.first().map_or(Status::Missing, |known| status(&known.sources))
}

/// What the tool itself says about its document.
pub(super) fn own(is_there: bool) -> Status {
    if is_there { Status::Derived } else { Status::Missing }
}
