//! Whoever asks.

use std::net::{IpAddr, Ipv4Addr};

use alnage_registry::{
    Actor, ActorKind,
    people::{Place, Role, Roles},
};
use axum::http::request::Parts;

use crate::core::{
    Answered, Failure, State,
    handler::{FromHead, Given},
};

/// Who asks, as far as is known. An extractor: the layers in front of every handler found out.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account; empty for nobody in particular.
    pub(crate) name: String,
    pub(crate) kind: CallerKind,
    /// What they may do with what they showed.
    pub(crate) roles: Roles,
    /// Where they ask from.
    pub(crate) address: IpAddr,
    /// What every form of their session must carry; of those who came with a cookie.
    pub(crate) csrf: Option<String>,
    /// Whether they showed something that is not known here.
    pub(crate) unknown: bool,
}

/// What kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallerKind {
    Anonymous,
    /// A person.
    User,
    /// A service account, a pipeline, a workload.
    Service,
}

impl Caller {
    /// Nobody in particular.
    pub(crate) fn anonymous(address: IpAddr) -> Self {
        Self {
            name: String::new(),
            kind: CallerKind::Anonymous,
            roles: Roles::default(),
            address,
            csrf: None,
            unknown: false,
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.kind == CallerKind::Anonymous
    }

    /// As records name whoever does something.
    pub(crate) fn actor(&self) -> Actor {
        let (name, kind) = match self.kind {
            CallerKind::Anonymous => ("anonymous".to_owned(), ActorKind::User),
            CallerKind::User => (self.name.clone(), ActorKind::User),
            CallerKind::Service => (self.name.clone(), ActorKind::Service),
        };
        Actor { name, kind, address: self.address.to_string() }
    }

    /// Whether they may do what `role` may at `place`.
    pub(crate) fn may(&self, role: Role, place: Place<'_>) -> bool {
        self.roles.contain(role, place)
    }

    /// Fails unless they may: with 401 for those who could say who they are, with 403 for the others.
    pub(crate) fn must(&self, role: Role, place: Place<'_>) -> Answered<()> {
        if self.may(role, place) {
            return Ok(());
        }
        if self.is_anonymous() {
            return Err(if self.unknown { Failure::unknown_token() } else { Failure::unauthorized() });
        }
        let place = match place {
            Place::Project(project) => format!(" in project `{project}`"),
            Place::Anywhere => String::new(),
            Place::Everywhere => " in all projects".to_owned(),
        };
        Err(Failure::forbidden(format!("`{}` lacks the role `{role}`{place}", self.name)))
    }

    /// Who asks, as it was found out before.
    pub(crate) fn of_head(head: &Parts) -> Self {
        let caller = head.extensions.get::<Self>().cloned();
        caller.unwrap_or_else(|| Self::anonymous(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

impl FromHead for Caller {
    fn from_head(given: &Given, _: &State) -> Answered<Self> {
        Ok(Self::of_head(&given.head))
    }
}
