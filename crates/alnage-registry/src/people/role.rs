//! Roles, and where somebody has them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What somebody may do. Each but the last contains those before it; an auditor reads everything and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees what there is.
    Viewer,
    /// Downloads what is allowed.
    Consumer,
    /// Uploads, and asks for approval.
    Publisher,
    /// Approves, denies, excepts, revokes.
    Reviewer,
    /// Everything: people, tokens, policy.
    SecurityAdmin,
    /// Reads everything, the audit as well.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Consumer, Self::Publisher, Self::Reviewer, Self::SecurityAdmin, Self::Auditor];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Consumer => "consumer",
            Self::Publisher => "publisher",
            Self::Reviewer => "reviewer",
            Self::SecurityAdmin => "security-admin",
            Self::Auditor => "auditor",
        }
    }

    /// Whether who has this role may do what `needed` may.
    pub fn contains(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Auditor, needed) => matches!(needed, Self::Viewer | Self::Auditor),
            (held, Self::Auditor) => held == Self::SecurityAdmin,
            (held, needed) => held >= needed,
        }
    }

    /// The most of this role that a credential limited to `ceiling` carries.
    fn at_most(self, ceiling: Self) -> Self {
        match (self, ceiling) {
            (Self::Auditor, Self::Auditor | Self::SecurityAdmin) => self,
            (Self::Auditor, _) | (_, Self::Auditor) => Self::Viewer,
            _ => self.min(ceiling),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join("`, `");
            format!("`{text}` is no role: those are `{known}`")
        })
    }
}

/// A role in one project, or in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The project: a name space. `None` is everywhere.
    pub project: Option<String>,
    /// The role there.
    pub role: Role,
}

impl Grant {
    /// The role everywhere.
    pub fn everywhere(role: Role) -> Self {
        Self { project: None, role }
    }
}

impl FromStr for Grant {
    type Err = String;

    /// `reviewer`, or `acme:reviewer` for a role in one project.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once(':') {
            Some((project, role)) => Ok(Self { project: Some(project.to_owned()), role: role.parse()? }),
            None => Ok(Self::everywhere(text.parse()?)),
        }
    }
}

/// Where a role is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// In this project.
    Project(&'a str),
    /// In any project.
    Anywhere,
    /// In all of them.
    Everywhere,
}

/// All that somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles(pub Vec<Grant>);

impl Roles {
    /// Whether they contain `needed` at `place`.
    pub fn contain(&self, needed: Role, place: Place<'_>) -> bool {
        self.0.iter().any(|grant| {
            let there = match (place, &grant.project) {
                (_, None) | (Place::Anywhere, Some(_)) => true,
                (Place::Project(project), Some(granted)) => project == granted,
                (Place::Everywhere, Some(_)) => false,
            };
            there && grant.role.contains(needed)
        })
    }

    /// What a credential with this ceiling, for these projects (all when empty), carries of them.
    pub fn limited(&self, ceiling: Role, projects: &[String]) -> Self {
        let mut limited = Vec::new();
        for grant in &self.0 {
            let role = grant.role.at_most(ceiling);
            match &grant.project {
                _ if projects.is_empty() => limited.push(Grant { project: grant.project.clone(), role }),
                Some(project) if projects.contains(project) => {
                    limited.push(Grant { project: Some(project.clone()), role });
                }
                Some(_) => {}
                None => limited
                    .extend(projects.iter().map(|project| Grant { project: Some(project.clone()), role })),
            }
        }
        Self(limited)
    }

    /// The projects in which they contain `needed`; `None` is all.
    pub fn projects(&self, needed: Role) -> Option<Vec<&str>> {
        if self.contain(needed, Place::Everywhere) {
            return None;
        }
        let with = self.0.iter().filter(|grant| grant.role.contains(needed));
        Some(with.filter_map(|grant| grant.project.as_deref()).collect())
    }

    /// The names of the roles held at `project`.
    pub fn names_in(&self, project: &str) -> Vec<&'static str> {
        let there = |grant: &&Grant| grant.project.as_deref().is_none_or(|granted| granted == project);
        self.0.iter().filter(there).map(|grant| grant.role.as_str()).collect()
    }
}
