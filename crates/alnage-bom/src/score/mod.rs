//! How much of what regulators ask for a document says: each element derived, declared, missing or contradicted.
//!
//! Only the document counts. Text that a template put there is missing; what a tool read from bytes or configuration and
//! cites is derived; what people said is declared; what the document itself says is disputed is contradicted.

mod elements;
mod view;

use crate::bom::{Bom, Conformity};

use elements::{ANNEX_IV, ANNEX_XI, ANNEX_XII, CISA, G7};
use view::View;

/// A list of elements that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// "SBOM for AI: minimum elements" of the G7, 2026.
    G7,
    /// "2026 minimum elements" of CISA.
    Cisa,
    /// Annex IV of the EU AI Act: technical documentation.
    AnnexIv,
    /// Annex XI of the EU AI Act: documentation of general-purpose models.
    AnnexXi,
    /// Annex XII of the EU AI Act: transparency towards who builds on a general-purpose model.
    AnnexXii,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::G7, Self::Cisa, Self::AnnexIv, Self::AnnexXi, Self::AnnexXii];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::G7 => "g7",
            Self::Cisa => "cisa-2026",
            Self::AnnexIv => "annex-iv",
            Self::AnnexXi => "annex-xi",
            Self::AnnexXii => "annex-xii",
        }
    }

    /// Its title and edition.
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::G7 => ("G7 SBOM for AI minimum elements", "2026-05-12"),
            Self::Cisa => ("CISA 2026 minimum elements", "2.1"),
            Self::AnnexIv => ("EU AI Act Annex IV", "2024/1689"),
            Self::AnnexXi => ("EU AI Act Annex XI", "2024/1689"),
            Self::AnnexXii => ("EU AI Act Annex XII", "2024/1689"),
        }
    }

    fn rows(self) -> &'static [elements::Row] {
        match self {
            Self::G7 => G7,
            Self::Cisa => CISA,
            Self::AnnexIv => ANNEX_IV,
            Self::AnnexXi => ANNEX_XI,
            Self::AnnexXii => ANNEX_XII,
        }
    }
}

/// How an element stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The document does not say it.
    Missing,
    /// The document says it and says that it is disputed.
    Contradicted,
    /// Somebody said it.
    Declared,
    /// It was read from the model.
    Derived,
}

impl Status {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Contradicted => "contradicted",
            Self::Declared => "declared",
            Self::Derived => "derived",
        }
    }

    /// Whether the element is there.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Declared | Self::Derived)
    }
}

/// An element of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its id: `MDL-07`.
    pub id: &'static str,
    /// What it is.
    pub title: &'static str,
    /// How it stands.
    pub status: Status,
}

/// How a document stands to a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// To which.
    pub profile: Profile,
    /// Each element.
    pub elements: Vec<Element>,
}

impl Score {
    /// How many elements are there.
    pub fn there(&self) -> usize {
        self.elements.iter().filter(|element| element.status.is_there()).count()
    }
}

/// How `bom` stands to `profile`.
pub fn score(bom: &Bom, profile: Profile) -> Score {
    let view = View::new(bom);
    let element = |row: &elements::Row| Element { id: row.0, title: row.1, status: (row.2)(&view) };
    Score { profile, elements: profile.rows().iter().map(element).collect() }
}

/// How far each profile is met, for the document itself.
pub(crate) fn conformity(bom: &Bom) -> Vec<Conformity> {
    let mut conformity = Vec::new();
    for profile in Profile::ALL {
        let score = score(bom, profile);
        let (standard, standard_version) = profile.title();
        let mut groups: Vec<(&str, usize, Vec<&str>)> = Vec::new();
        for element in &score.elements {
            let group = element.id.split('-').next().unwrap_or(element.id);
            if groups.last().is_none_or(|(name, ..)| *name != group) {
                groups.push((group, 0, Vec::new()));
            }
            if let Some((_, count, missing)) = groups.last_mut() {
                *count += 1;
                if !element.status.is_there() {
                    missing.push(element.id);
                }
            }
        }
        for (group, count, missing) in groups {
            let there = count - missing.len();
            let lacking =
                if missing.is_empty() { String::new() } else { format!("; not {}", missing.join(", ")) };
            conformity.push(Conformity {
                standard: standard.into(),
                standard_version: standard_version.into(),
                requirement: group.into(),
                title: format!("{standard}, {group}"),
                score: u8::try_from(there * 100 / count.max(1)).unwrap_or(0),
                rationale: format!("{there} of {count} elements are in this document{lacking}"),
            });
        }
    }
    conformity
}
