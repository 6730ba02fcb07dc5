//! Where the files of a model contradict each other.

use crate::{
    claim::{Claim, Claims, Field, Origin},
    document::Property,
};

/// Where files give several answers to a question that has one.
pub(crate) fn properties(claims: &Claims) -> Vec<Property> {
    let mut properties = Vec::new();
    for (field, name) in SINGLE {
        let answers = claims.about(*field);
        if answers.len() > 1 {
            let said: Vec<String> = answers.iter().map(|claim| claim.shown()).collect();
            properties.push(Property::new("alnage:disagreement", format!("{name}: {}", said.join(", "))));
        }
    }
    // A model may have several bases, but what the files name must be among what the card names.
    let (card, named): (Vec<&Claim>, Vec<&Claim>) =
        claims.all(Field::BaseModel).into_iter().partition(|claim| claim.origin == Origin::Card);
    let strange = named.iter().find(|named| !card.iter().any(|card| card.says_the_same(named)));
    if let (Some(named), Some(card)) = (strange, card.first()) {
        let said = format!("base model: {}, {}", named.shown(), card.shown());
        properties.push(Property::new("alnage:disagreement", said));
    }
    properties
}

/// Questions with one answer.
static SINGLE: &[(Field, &str)] = &[
    (Field::Licence, "licence"),
    (Field::Task, "task"),
    (Field::ArchitectureFamily, "architecture family"),
    (Field::ContextLength, "context length"),
    (Field::HiddenSize, "hidden size"),
    (Field::Layers, "layers"),
    (Field::AttentionHeads, "attention heads"),
    (Field::VocabularySize, "vocabulary size"),
];
