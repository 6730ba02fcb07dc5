//! Who may take a route, as the table says it: what the router asks itself, and what it leaves to the handler.

use alnage_registry::people::Role;

/// Who may take a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Public,
    /// Whoever says who they are.
    Known,
    /// Who has this role there.
    Role(Role, On),
    /// The handler finds out what is asked for, and then asks `Caller::must`: everything that can be asked, each with a
    /// request that asks it.
    Asked(&'static [Ask]),
}

/// Where a route needs its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// In the project that the path names in this segment.
    Segment(&'static str),
    Anywhere,
    Everywhere,
}

/// Something that a route is asked for, who may, and an example: the test of every role on every route makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) needs: Needs,
    /// Where what is asked for belongs: the project in which the role is needed.
    pub(crate) project: &'static str,
    /// Path and query; `{commit}`, `{approval}` and their like stand for what the records hold.
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    /// Whether the example says nothing that could be done: whoever may is told so.
    pub(crate) is_empty: bool,
}

/// Who may ask for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Everybody: there is nothing to be had, or the path has a secret in it.
    Nothing,
    /// Whoever says who they are.
    Known,
    /// The same, unless models are given to everybody.
    KnownUnlessOpen,
    /// Who has the role in the project of what is asked for.
    Role(Role),
    /// Whoever has the role in some project, or nobody in particular; each sees what is in their projects.
    Rows(Role),
}

impl Ask {
    pub(crate) const fn of(needs: Needs, path: &'static str) -> Self {
        Self { needs, project: "acme", path, body: "", is_empty: false }
    }

    pub(crate) const fn role(role: Role, path: &'static str) -> Self {
        Self::of(Needs::Role(role), path)
    }

    pub(crate) const fn body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    pub(crate) const fn project(self, project: &'static str) -> Self {
        Self { project, ..self }
    }

    /// With an example that says nothing that could be done.
    pub(crate) const fn empty(self) -> Self {
        Self { is_empty: true, ..self }
    }
}
