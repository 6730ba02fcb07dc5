//! Where the files of a model contradict each other.
//!
//! Only what cannot both be true counts: a padded vocabulary, a licence without identifier or a base model under a name
//! of its own are no contradictions.

use alnage_formats::Model;

use crate::{
    Fact, Facts, Field, Origin, base, gather,
    grammar::FAMILIES,
    licence::spdx_id,
    weights::{element_type, is_integer},
};

/// What two sources answer differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// From which model was it made?
    BaseModel,
    /// Under which licence is it?
    Licence,
    /// Of which type are its weights?
    ElementType,
    /// How many parameters has it?
    Parameters,
    /// How many tokens of context does it take?
    ContextLength,
    /// Of which architecture is it, and of which sizes?
    Architecture,
}

impl Question {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BaseModel => "base model",
            Self::Licence => "licence",
            Self::ElementType => "element type",
            Self::Parameters => "number of parameters",
            Self::ContextLength => "context length",
            Self::Architecture => "architecture",
        }
    }
}

/// Two answers that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// To what.
    pub question: Question,
    /// The answer that weighs more.
    pub stronger: Fact,
    /// The other one.
    pub weaker: Fact,
    /// Whether the two mean things that have nothing in common.
    pub is_grave: bool,
}

impl Contradiction {
    /// As a sentence.
    pub fn shown(&self) -> String {
        format!("{}: {}, but {}", self.question.as_str(), self.stronger.shown(), self.weaker.shown())
    }
}

/// Every contradiction between the files of `model`.
pub fn contradictions(model: &Model) -> Vec<Contradiction> {
    gather(model).contradictions()
}

impl Facts {
    /// Every contradiction among these facts.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        found.extend(self.base_model());
        found.extend(self.licence());
        found.extend(self.element_type());
        found.extend(self.parameters());
        found.extend(self.context_length());
        found.extend(self.family());
        found.extend(self.sizes());
        found
    }

    /// What programs name must be among what the card names; a card may name several.
    fn base_model(&self) -> Option<Contradiction> {
        let (named, card): (Vec<&Fact>, Vec<&Fact>) =
            self.all(Field::BaseModel).into_iter().partition(|fact| fact.source.origin.is_derived());
        let card: Vec<&Fact> = card.into_iter().filter(|fact| fact.source.origin != Origin::Prose).collect();
        for named in named {
            let alike = card.iter().map(|card| (base::likeness(&named.value, &card.value), *card));
            let alike: Vec<_> = alike.collect();
            if alike.iter().any(|(likeness, _)| *likeness == base::Likeness::Same) {
                continue;
            }
            let graver = alike.iter().find(|(likeness, _)| *likeness == base::Likeness::OtherFamily);
            let other =
                graver.or_else(|| alike.iter().find(|(likeness, _)| *likeness == base::Likeness::OtherName));
            if let Some((_, card)) = other {
                return Some(contradiction(Question::BaseModel, named, card, graver.is_some()));
            }
        }
        None
    }

    /// Licences that SPDX lists; the two spellings of the GNU licences are one.
    fn licence(&self) -> Option<Contradiction> {
        let known = |fact: &&Fact| licence_key(&fact.value).is_some();
        let facts: Vec<&Fact> = self.all(Field::Licence).into_iter().filter(known).collect();
        let (first, others) = facts.split_first()?;
        let other = others.iter().find(|other| licence_key(&other.value) != licence_key(&first.value))?;
        Some(contradiction(Question::Licence, first, other, false))
    }

    /// What a configuration says the type is, when no weight at all is of it.
    fn element_type(&self) -> Option<Contradiction> {
        let facts = self.all(Field::ElementType);
        let of = |origin: Origin| facts.iter().filter(move |fact| fact.source.origin == origin);
        let claimed = of(Origin::Configuration).next()?;
        let weights: Vec<&Fact> =
            of(Origin::Bytes).copied().filter(|fact| !is_integer(&fact.value)).collect();
        let plain = |fact: &&Fact| matches!(fact.value.as_str(), "F64" | "F32" | "F16" | "BF16");
        let is_adapter = self.best(Field::AdapterRank).is_some();
        let is_quantised = self.best(Field::Quantization).is_some() || !weights.iter().all(plain);
        let says_same = |fact: &&Fact| fact.value == element_type(&claimed.value);
        if is_adapter || is_quantised || weights.iter().any(says_same) {
            return None;
        }
        let most = weights.into_iter().max_by_key(|fact| number(fact.detail("elements")))?;
        Some(contradiction(Question::ElementType, most, claimed, false))
    }

    /// What a card or a file's label says, beyond what rounding and tied weights explain.
    fn parameters(&self) -> Option<Contradiction> {
        let facts = self.all(Field::Parameters);
        let counted = facts.iter().find(|fact| fact.source.origin == Origin::Bytes)?;
        if counted.detail("of") == Some("adapter") {
            return None;
        }
        let count: f64 = counted.value.parse().ok()?;
        facts.iter().filter(|fact| fact.source.origin < Origin::Bytes).find_map(|claimed| {
            let ratio = rounded_number(&claimed.value)? / count;
            (!(0.6..=1.6).contains(&ratio))
                .then(|| contradiction(Question::Parameters, counted, claimed, false))
        })
    }

    /// A configuration that claims more positions than the weights have rows for, or than their file says.
    fn context_length(&self) -> Option<Contradiction> {
        let facts = self.all(Field::ContextLength);
        let from_bytes = facts.iter().find(|fact| fact.source.origin == Origin::Bytes)?;
        let rows = number(Some(&from_bytes.value))?;
        let is_table = from_bytes.source.what.starts_with("tensor");
        facts.iter().filter(|fact| fact.source.origin == Origin::Configuration).find_map(|claimed| {
            let claim = number(Some(&claimed.value))?;
            let differs = if is_table { claim > rows } else { claim != rows };
            differs.then(|| contradiction(Question::ContextLength, from_bytes, claimed, false))
        })
    }

    /// A configuration of one family over tensors that are named as in another.
    fn family(&self) -> Option<Contradiction> {
        let facts = self.all(Field::ArchitectureFamily);
        let claimed = facts.iter().find(|fact| fact.source.origin == Origin::Configuration)?;
        let known = |name: &str| FAMILIES.iter().any(|family| family.members.contains(&name));
        if !known(&claimed.value) {
            return None;
        }
        facts.iter().filter(|fact| fact.source.origin == Origin::Bytes).find_map(|seen| {
            let fits = match seen.detail("grammar") {
                Some(grammar) => {
                    let family = FAMILIES.iter().find(|family| family.name == grammar)?;
                    family.members.contains(&claimed.value.as_str())
                }
                // GGUF names architectures much as transformers does; what both know must agree.
                None => {
                    !known(&seen.value)
                        || seen.value == claimed.value
                        || same_in_gguf(&claimed.value, &seen.value)
                }
            };
            (!fits).then(|| contradiction(Question::Architecture, seen, claimed, true))
        })
    }

    /// Sizes that shapes fix.
    fn sizes(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        for field in [Field::HiddenSize, Field::Layers, Field::VocabularySize, Field::IntermediateSize] {
            let facts = self.all(field);
            let of = |origin| facts.iter().find(|fact| fact.source.origin == origin);
            let (Some(seen), Some(claimed)) = (of(Origin::Bytes), of(Origin::Configuration)) else {
                continue;
            };
            let (Some(size), Some(claim)) = (number(Some(&seen.value)), number(Some(&claimed.value))) else {
                continue;
            };
            let differs = match field {
                // Tables are padded to round numbers, and some layers predict further tokens.
                Field::VocabularySize => size < claim,
                Field::Layers => size < claim || size > claim.saturating_add(2),
                _ => size != claim,
            };
            if differs {
                found.push(contradiction(Question::Architecture, seen, claimed, false));
            }
        }
        found
    }
}

fn contradiction(question: Question, stronger: &Fact, weaker: &Fact, is_grave: bool) -> Contradiction {
    Contradiction { question, stronger: stronger.clone(), weaker: weaker.clone(), is_grave }
}

/// llama.cpp reads several families of transformers as one.
fn same_in_gguf(model_type: &str, architecture: &str) -> bool {
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    let as_llama = ["mistral", "mixtral", "ministral", "smollm3", "arcee"];
    plain(model_type) == plain(architecture)
        || architecture == "llama" && as_llama.contains(&model_type)
        || plain(model_type).starts_with(&plain(architecture))
        || matches!(architecture, "bert" | "nomic-bert") && matches!(model_type, "roberta" | "xlm-roberta")
        || architecture == "command-r" && model_type.starts_with("cohere")
}

fn licence_key(value: &str) -> Option<String> {
    let id = spdx_id(value)?;
    Some(id.trim_end_matches("-only").trim_end_matches("-or-later").to_owned())
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

/// `7B`, `135M`, `1.1 billion`; nothing for `8x7B` and what is no number.
fn rounded_number(text: &str) -> Option<f64> {
    let text = text.trim().trim_start_matches(['~', '≈']).replace(',', "");
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let number: f64 = digits.parse().ok()?;
    let unit = unit.trim().split(' ').next().unwrap_or_default().to_lowercase();
    let factor = match unit.as_str() {
        "" => 1.0,
        "k" | "thousand" => 1e3,
        "m" | "million" => 1e6,
        "b" | "bn" | "billion" => 1e9,
        "t" | "trillion" => 1e12,
        _ => return None,
    };
    let value = number * factor;
    // A bare small number counts something else.
    (value >= 1e4).then_some(value)
}
