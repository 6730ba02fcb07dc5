//! What pages are put together from. Each part writes its own HTML and escapes what it is given.

mod frame;
mod graph;
mod mark;
mod moment;
mod proof;
mod text;

pub(crate) use frame::{Frame, Notice, Place};
pub(crate) use graph::{Edge, Graph, Node};
pub(crate) use mark::{Mark, Shape, Tone};
pub(crate) use moment::{Moment, Span, Until, day};
pub(crate) use proof::Proof;
pub(crate) use text::{Count, Escaped, InPath, InQuery, Link, Said, Short, Size};
