//! What configuration and card say beside the weights.

use alnage_formats::Model;

use crate::claim::Claims;

/// Adds what the configuration files and the card of `model` say.
pub(crate) fn gather(_model: &Model, _claims: &mut Claims) {}
