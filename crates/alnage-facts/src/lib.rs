//! What the files of a model say about it, and where they contradict each other.
//!
//! A [`Fact`] is one answer of one source to one question, with its place and how sure the source makes it. Facts come
//! from the bytes of the weights first, then from configuration, then from what people wrote: cards, licence texts.
//! Nothing is merged here: who asks for [`Facts::best`] gets the weightiest answer, [`contradictions`] gives the rest.

mod base;
mod card;
mod configuration;
mod contradiction;
mod conversion;
mod datasets;
mod dependencies;
mod fact;
mod fasttext;
mod grammar;
mod licence;
mod package;
mod prose;
mod weights;

use alnage_formats::Model;

pub use base::{HubName, hub_name};
pub use contradiction::{Contradiction, Question, contradictions};
pub use fact::{Fact, Facts, Field, Origin, Place, Source, Technique};
pub use licence::{spdx_id, spdx_ids};
pub use package::{purl_encoded, python_name, python_purl};
pub use prose::is_placeholder;
pub use weights::element_type;

#[cfg(test)]
mod tests;

/// Everything the files of `model` say.
pub fn gather(model: &Model) -> Facts {
    let mut facts = Facts::default();
    weights::gather(model, &mut facts);
    configuration::gather(model, &mut facts);
    card::gather(model, &mut facts);
    datasets::gather(model, &mut facts);
    dependencies::gather(model, &mut facts);
    licence::gather(model, &mut facts);
    prose::inputs_and_outputs(&mut facts);
    facts
}
