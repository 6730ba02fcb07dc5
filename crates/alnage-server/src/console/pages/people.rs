//! People, services, their tokens, and what they did.

use askama::Template;

use super::{Choice, Pages};
use crate::console::parts::{Frame, Link, Mark, Moment, Shape, Tone, Until};

/// People and tokens.
#[derive(Template)]
#[template(path = "people.html")]
pub(crate) struct People {
    pub(crate) frame: Frame,
    /// A token that was just made; shown once.
    pub(crate) fresh: String,
    pub(crate) tokens: Vec<TokenRow>,
    pub(crate) scopes: Vec<Choice>,
    pub(crate) sees_people: bool,
    pub(crate) people: Vec<PersonRow>,
}

impl People {
    fn good(&self) -> Shape {
        Shape(Tone::Good)
    }
}

/// A token.
pub(crate) struct TokenRow {
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) scopes: String,
    pub(crate) until: Until,
    pub(crate) used: Moment,
    /// Where its withdrawal is sent.
    pub(crate) action: String,
}

/// A person or a service.
pub(crate) struct PersonRow {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) roles: String,
    pub(crate) by: String,
    pub(crate) seen: Moment,
}

/// Who did what.
#[derive(Template)]
#[template(path = "audit.html")]
pub(crate) struct Audit {
    pub(crate) frame: Frame,
    pub(crate) who: String,
    pub(crate) rows: Vec<AuditRow>,
    pub(crate) pages: Pages,
}

/// One thing that somebody did.
pub(crate) struct AuditRow {
    pub(crate) when: Moment,
    pub(crate) who: String,
    pub(crate) did: String,
    pub(crate) subject: Link,
    pub(crate) address: String,
    pub(crate) answer: Mark,
}
