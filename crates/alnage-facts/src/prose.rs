//! Words that people use for tasks, and text that says nothing.

use crate::{Facts, Field};

/// The hub's name of the task that a model class is made for, where the class tells.
pub(crate) fn task_of_class(class: &str) -> Option<&'static str> {
    static HEADS: &[(&str, &str)] = &[
        ("ForCausalLM", "text-generation"),
        ("LMHeadModel", "text-generation"),
        ("ForMaskedLM", "fill-mask"),
        ("ForSequenceClassification", "text-classification"),
        ("ForTokenClassification", "token-classification"),
        ("ForQuestionAnswering", "question-answering"),
        ("ForImageClassification", "image-classification"),
        ("ForObjectDetection", "object-detection"),
        ("ForSemanticSegmentation", "image-segmentation"),
        ("ForAudioClassification", "audio-classification"),
        ("ForVideoClassification", "video-classification"),
        ("ForDepthEstimation", "depth-estimation"),
        ("ForCTC", "automatic-speech-recognition"),
    ];
    HEADS.iter().find(|(head, _)| class.ends_with(head)).map(|(_, task)| *task)
}

/// The hub's name of an adapter's task.
pub(crate) fn task_of_adapter(task: &str) -> Option<&'static str> {
    Some(match task {
        "CAUSAL_LM" => "text-generation",
        "SEQ_2_SEQ_LM" => "text2text-generation",
        "SEQ_CLS" => "text-classification",
        "TOKEN_CLS" => "token-classification",
        "QUESTION_ANS" => "question-answering",
        "FEATURE_EXTRACTION" => "feature-extraction",
        _ => return None,
    })
}

/// What goes into and comes out of a model of each task.
static FORMATS: &[(&str, &str, &str)] = &[
    ("text-generation", "text", "text"),
    ("text2text-generation", "text", "text"),
    ("fill-mask", "text", "text"),
    ("summarization", "text", "text"),
    ("translation", "text", "text"),
    ("question-answering", "text", "text"),
    ("text-classification", "text", "scores by label"),
    ("token-classification", "text", "scores by token and label"),
    ("zero-shot-classification", "text", "scores by label"),
    ("sentence-similarity", "text", "embedding"),
    ("feature-extraction", "text", "embedding"),
    ("text-ranking", "text", "scores"),
    ("text-to-image", "text", "image"),
    ("text-to-video", "text", "video"),
    ("text-to-speech", "text", "audio"),
    ("text-to-audio", "text", "audio"),
    ("image-classification", "image", "scores by label"),
    ("object-detection", "image", "boxes with scores by label"),
    ("image-segmentation", "image", "image masks"),
    ("depth-estimation", "image", "image"),
    ("image-feature-extraction", "image", "embedding"),
    ("image-to-image", "image", "image"),
    ("image-to-text", "image", "text"),
    ("image-text-to-text", "image, text", "text"),
    ("visual-question-answering", "image, text", "text"),
    ("automatic-speech-recognition", "audio", "text"),
    ("audio-classification", "audio", "scores by label"),
    ("voice-activity-detection", "audio", "scores over time"),
    ("video-classification", "video", "scores by label"),
    ("tabular-classification", "table", "scores by label"),
    ("tabular-regression", "table", "number"),
];

/// Adds inputs and outputs by the task, where nothing tells them better.
pub(crate) fn inputs_and_outputs(facts: &mut Facts) {
    let Some(task) = facts.best(Field::Task).cloned() else { return };
    let Some((_, input, output)) = FORMATS.iter().find(|(name, ..)| *name == task.value) else { return };
    for (field, value) in [(Field::Input, input), (Field::Output, output)] {
        if facts.best(field).is_none() {
            facts.add(field, *value, task.source.clone());
        }
    }
}

/// Whether a text is there only because a template had a place for one.
pub fn is_placeholder(text: &str) -> bool {
    const NOTHING: [&str; 22] = [
        "",
        "n/a",
        "na",
        "none",
        "unknown",
        "tbd",
        "todo",
        "null",
        "noassertion",
        "no description available",
        "more information needed",
        "description",
        "not specified",
        "not provided",
        "unspecified",
        "undefined",
        "not available",
        "placeholder",
        "fill in",
        "your name here",
        "example",
        "to be added",
    ];
    const PHRASES: [&str; 8] = [
        "more information needed",
        "base template for new models",
        "provide a quick summary",
        "lorem ipsum",
        "no description available",
        "has been pushed on the hub",
        "should probably proofread",
        "insert description",
    ];
    let plain = text.trim().trim_matches(['[', ']', '(', ')', '<', '>', '.', '*', '_', '-']).trim();
    let lower = plain.to_lowercase();
    NOTHING.contains(&lower.as_str()) || PHRASES.iter().any(|phrase| lower.contains(phrase))
}

/// Markdown as plain text on one line: links by their words, no images, no marks, at most `max` characters.
pub(crate) fn plain(markdown: &str, max: usize) -> String {
    let mut text = String::new();
    let mut fenced = false;
    for line in markdown.lines() {
        let line = line.trim();
        fenced ^= line.starts_with("```");
        let skipped =
            fenced || line.starts_with(['|', '<', '!']) || line.starts_with("```") || line.starts_with("[![");
        if skipped || line.chars().all(|c| matches!(c, '-' | '=' | '*' | ' ')) {
            continue;
        }
        let mut rest = line.trim_start_matches(['-', '*', '>', '+']).trim_start();
        if !text.is_empty() {
            text.push(' ');
        }
        while let Some(open) = rest.find("](") {
            let (before, after) = rest.split_at(open);
            text.push_str(&before.replace(['[', '`'], "").replace("**", ""));
            rest = after.find(')').and_then(|close| after.get(close + 1..)).unwrap_or_default();
        }
        text.push_str(&rest.replace(['[', ']', '`'], "").replace("**", ""));
        if text.len() > max * 4 {
            break;
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= max {
        return text;
    }
    let mut cut: String = text.chars().take(max).collect();
    cut.truncate(cut.rfind(' ').unwrap_or(cut.len()));
    cut.push('…');
    cut
}
