//! What a person reads about packs and decisions.

use std::fmt::Write as _;

use alnage_policy::{Decision, Effect, Explanation, Pack, TestReport};

/// Every pack with its description.
pub(super) fn list(packs: &[Pack]) -> String {
    let width = packs.iter().map(|pack| pack.name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for pack in packs {
        let _ = writeln!(text, "{:width$}  {}", pack.name(), pack.manifest().description);
    }
    text
}

pub(super) fn list_markdown(packs: &[Pack]) -> String {
    let mut text = String::from("| pack | version | rules | what it is for |\n|---|---|---|---|\n");
    for pack in packs {
        let (name, manifest) = (pack.name(), pack.manifest());
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            manifest.version,
            pack.rules().len(),
            manifest.description
        );
    }
    text
}

/// What a pack is for, its rules and its parameters.
pub(super) fn pack(pack: &Pack) -> String {
    let manifest = pack.manifest();
    let mut text = format!("{} {}\n{}\n", pack.name(), manifest.version, manifest.description);
    let _ = writeln!(text, "sha256:{}", pack.digest());
    if !manifest.extends.is_empty() {
        let _ = writeln!(text, "extends {}", manifest.extends.join(", "));
    }
    for reference in &manifest.references {
        let _ = writeln!(text, "{reference}");
    }
    text.push_str("\nrules\n");
    for (rule, says) in pack.rules() {
        let places: Vec<String> = pack.places(rule).iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  {rule}\n      {}\n      stops when: {}", says.summary, says.remedy);
        let _ = writeln!(text, "      {}", places.join(", "));
    }
    text.push_str("\nparameters\n");
    for (name, parameter, value) in pack.parameters() {
        let _ = writeln!(text, "  {name} = {value}\n      {}", parameter.description);
    }
    text
}

/// What does not hold; everything when asked.
pub(super) fn report(pack: &Pack, report: &TestReport, verbose: bool) -> String {
    let mut text = String::new();
    let failed = report.cases.iter().filter(|case| !case.wrong.is_empty()).count();
    for case in &report.cases {
        for wrong in &case.wrong {
            let _ = writeln!(text, "{}: {}: {wrong}", case.place, case.name);
        }
        if verbose && case.wrong.is_empty() {
            let _ = writeln!(text, "{}: {}: holds", case.place, case.name);
        }
    }
    for rule in &report.untested {
        let _ = writeln!(text, "{}: no case has `{rule}` fire, or none has it quiet", pack.name());
    }
    let held = report.cases.len() - failed;
    let _ = writeln!(text, "{}: {held} of {} cases hold", pack.name(), report.cases.len());
    text
}

/// The effect, and each reason.
pub(super) fn decision(decision: &Decision) -> String {
    let mut text = head(decision);
    for reason in &decision.reasons {
        let _ = writeln!(text, "{:10}  {}: {}", reason.effect.as_str(), reason.rule, reason.message);
    }
    tail(decision, &mut text);
    text
}

fn head(decision: &Decision) -> String {
    format!(
        "{} by {} {} (sha256:{:.12})\n",
        decision.effect.as_str(),
        decision.pack,
        decision.version,
        decision.digest.to_string()
    )
}

fn tail(decision: &Decision, text: &mut String) {
    for withheld in &decision.withheld {
        let _ = writeln!(text, "withheld    {}: {}", withheld.rule, withheld.message);
    }
    for lifted in &decision.lifted {
        let (rule, message) = (&lifted.reason.rule, &lifted.reason.message);
        let _ = writeln!(text, "lifted      {rule}: {message} (exception: {})", lifted.exception);
    }
}

/// Each reason with the parts of the input that it hangs on, and what would change the decision.
pub(super) fn explanation(explanation: &Explanation) -> String {
    let mut text = head(&explanation.decision);
    for explained in &explanation.reasons {
        let reason = &explained.reason;
        let effect = match (reason.effect, &reason.file) {
            (Effect::Allow, Some(_)) => "withheld",
            (effect, _) => effect.as_str(),
        };
        let _ = writeln!(text, "\n{effect}: {}: {}", reason.rule, reason.message);
        if !explained.summary.is_empty() {
            let _ = writeln!(text, "    rule: {}", explained.summary);
        }
        for place in &explained.places {
            let _ = writeln!(text, "    at {place}");
        }
        for part in &explained.because {
            let _ = writeln!(text, "    because {} = {}", part.path, short(&part.value));
        }
        if !explained.remedy.is_empty() {
            let _ = writeln!(text, "    stops when: {}", explained.remedy);
        }
    }
    if explanation.decision.effect > Effect::Allow {
        text.push('\n');
        if explanation.changes.is_empty() {
            text.push_str("nothing that was tried changes the decision by itself\n");
        }
    }
    for change in &explanation.changes {
        let _ = writeln!(text, "with {}: {}", change.change, change.effect.as_str());
    }
    if !explanation.is_complete {
        text.push_str("the input is large: not every part of it was tried\n");
    }
    text
}

fn short(value: &serde_json::Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Whether two decisions are the same, and what differs.
pub(super) fn replay(old: &Decision, new: &Decision) -> String {
    if old == new {
        return format!("the same: {}", head(new));
    }
    let mut text = String::new();
    if old.input != new.input {
        text.push_str("the input is another\n");
    }
    if old.digest != new.digest {
        let _ =
            writeln!(text, "the pack is another: it was {} {}, sha256:{}", old.pack, old.version, old.digest);
    }
    if old.effect != new.effect {
        let _ = writeln!(text, "it was {}, and is {}", old.effect.as_str(), new.effect.as_str());
    }
    for reason in old.reasons.iter().filter(|reason| !new.reasons.contains(reason)) {
        let _ = writeln!(text, "- {} {}: {}", reason.effect.as_str(), reason.rule, reason.message);
    }
    for reason in new.reasons.iter().filter(|reason| !old.reasons.contains(reason)) {
        let _ = writeln!(text, "+ {} {}: {}", reason.effect.as_str(), reason.rule, reason.message);
    }
    if old.withheld != new.withheld {
        text.push_str("other files are withheld\n");
    }
    text
}
