//! Pages for who is not let in: signing in, and failures.

use askama::Template;

use crate::console::parts::{Frame, Link, Shape, Tone};

/// Signing in.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignIn {
    pub(crate) frame: Frame,
    /// Where one can sign in without a token.
    pub(crate) provider: Option<Link>,
    /// The page to go to afterwards.
    pub(crate) next: String,
    pub(crate) problem: Option<String>,
}

impl SignIn {
    fn refused(&self) -> Shape {
        Shape(Tone::Bad)
    }
}

/// Something that cannot be shown.
#[derive(Template)]
#[template(path = "failure.html")]
pub(crate) struct Failure {
    pub(crate) frame: Frame,
    pub(crate) what: &'static str,
    pub(crate) why: String,
    pub(crate) way_out: Vec<Link>,
    /// The request's number, where somebody must look into it.
    pub(crate) request: String,
}

/// Letting a terminal sign in.
#[derive(Template)]
#[template(path = "device.html")]
pub(crate) struct Device {
    pub(crate) frame: Frame,
    pub(crate) code: String,
}
