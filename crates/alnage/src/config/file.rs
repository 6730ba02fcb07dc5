//! `alnage.toml`: read with the line of each value; an unknown key is an error.

use std::{borrow::Cow, ops::Range, path::Path};

use alnage_pipeline::materials::DECLARED;
use alnage_scan::{Effect, Suppression};
use anyhow::Context as _;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Config, KEYS, Origin, SERVE_KEYS, keys, values};
use crate::output::hinted;

/// Reads the file at `path` into `config`.
pub(super) fn apply(config: &mut Config, path: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?;
    let place = Place { path, text: &text };
    let document = DeTable::parse(&text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        hinted(format!("{}: {}", place.origin(&at), error.message()), "the file is TOML: https://toml.io")
    })?;
    for (name, value) in document.get_ref() {
        match name.get_ref().as_ref() {
            "policy" => apply_policy(config, value, &place)?,
            "suppress" => apply_suppressions(config, value, &place)?,
            "bom" => apply_bom(config, value, &place)?,
            "serve" => apply_serve(config, value, &place)?,
            other => {
                let Some(key) = keys::key(other) else { return Err(place.unknown_key(name)) };
                let mut text = place.plain(key.name, value)?;
                if key.is_path && !text.starts_with('~') && !text.is_empty() {
                    let folder = path.parent().unwrap_or(Path::new(""));
                    text = folder.join(&text).to_string_lossy().into_owned();
                }
                config.set(key, &text, place.origin(&value.span()))?;
            }
        }
    }
    Ok(())
}

/// The file, to say where in it something stands.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

type Name<'a> = Spanned<Cow<'a, str>>;
type Value<'a> = Spanned<DeValue<'a>>;

impl Place<'_> {
    fn origin(&self, span: &Range<usize>) -> Origin {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        Origin::File { path: self.path.to_owned(), line: before.matches('\n').count() + 1 }
    }

    fn unknown_key(&self, name: &Name<'_>) -> anyhow::Error {
        let known = KEYS.iter().map(|key| key.name).chain(["policy", "suppress", "bom", "serve"]);
        self.unknown(name, known)
    }

    fn unknown<'b>(&self, name: &Name<'_>, known: impl Iterator<Item = &'b str> + Clone) -> anyhow::Error {
        let message = format!("{}: unknown key `{}`", self.origin(&name.span()), name.get_ref());
        match values::closest(name.get_ref(), known.clone()) {
            Some(close) => hinted(message, format!("did you mean `{close}`?")),
            None => hinted(message, format!("the keys here are {}", known.collect::<Vec<_>>().join(", "))),
        }
    }

    fn wrong(&self, value: &Value<'_>, expected: &str) -> anyhow::Error {
        anyhow::anyhow!("{}: expected {expected}", self.origin(&value.span()))
    }

    /// The value as flags would have it: a number, a word, or a list with commas.
    fn plain(&self, key: &str, value: &Value<'_>) -> anyhow::Result<String> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.as_ref().to_owned()),
            DeValue::Boolean(flag) => Ok(flag.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.plain(key, item));
                Ok(items.collect::<anyhow::Result<Vec<_>>>()?.join(","))
            }
            _ => Err(self.wrong(value, &format!("a plain value for `{key}`"))),
        }
    }

    fn string(&self, value: &Value<'_>) -> anyhow::Result<String> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.as_ref().to_owned()),
            DeValue::Datetime(day) => Ok(day.to_string()),
            _ => Err(self.wrong(value, "a string")),
        }
    }
}

/// What `alnage serve` and `alnage worker` are told.
fn apply_serve(config: &mut Config, value: &Value<'_>, place: &Place<'_>) -> anyhow::Result<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(place.wrong(value, "a table `[serve]`"));
    };
    for (name, value) in table {
        let key = name.get_ref().as_ref();
        let Some((key, is_path)) = SERVE_KEYS.iter().find(|(known, _)| *known == key) else {
            return Err(place.unknown(name, SERVE_KEYS.iter().map(|(known, _)| *known)));
        };
        let mut text = place.plain(key, value)?;
        if *is_path && !text.is_empty() {
            let expanded = values::expand_home(Path::new(&text));
            text = place.path.parent().unwrap_or(Path::new("")).join(expanded).to_string_lossy().into_owned();
        }
        config.settings.serve.insert((*key).to_owned(), text);
        config.origins.insert(format!("serve.{key}"), place.origin(&value.span()));
    }
    Ok(())
}

/// What the user declares about the model, for bills of materials: a value or a list of them by key.
fn apply_bom(config: &mut Config, value: &Value<'_>, place: &Place<'_>) -> anyhow::Result<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(place.wrong(value, "a table `[bom]`"));
    };
    for (name, value) in table {
        let key = name.get_ref().as_ref();
        if !DECLARED.iter().any(|(known, _)| *known == key) {
            return Err(place.unknown(name, DECLARED.iter().map(|(known, _)| *known)));
        }
        let file = place.origin(&value.span()).to_string();
        let values: Vec<String> = match value.get_ref() {
            DeValue::Array(items) => {
                items.iter().map(|item| place.string(item)).collect::<anyhow::Result<_>>()?
            }
            _ => vec![place.string(value)?],
        };
        // What is declared last counts most.
        for text in values.into_iter().rev() {
            config.settings.declared.set_from(key, text, &file);
        }
        config.origins.insert(format!("bom.{key}"), place.origin(&value.span()));
    }
    Ok(())
}

fn apply_policy(config: &mut Config, value: &Value<'_>, place: &Place<'_>) -> anyhow::Result<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(place.wrong(value, "a table `[policy]`"));
    };
    for (name, value) in table {
        let policy = &mut config.settings.policy;
        let slot = match name.get_ref().as_ref() {
            "critical" => &mut policy.critical,
            "high" => &mut policy.high,
            "medium" => &mut policy.medium,
            "low" => &mut policy.low,
            "info" => &mut policy.info,
            "rules" => {
                apply_rule_policy(config, value, place)?;
                continue;
            }
            _ => {
                let known = ["critical", "high", "medium", "low", "info", "rules"];
                return Err(place.unknown(name, known.into_iter()));
            }
        };
        *slot = effect(value, place)?;
        config.origins.insert(format!("policy.{}", name.get_ref()), place.origin(&value.span()));
    }
    Ok(())
}

fn apply_rule_policy(config: &mut Config, value: &Value<'_>, place: &Place<'_>) -> anyhow::Result<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(place.wrong(value, "a table `[policy.rules]`"));
    };
    for (name, value) in table {
        let code = rule_code(name.get_ref()).map_err(|error| error.context(place.origin(&name.span())))?;
        config.origins.insert(format!("policy.rules.{code}"), place.origin(&value.span()));
        config.settings.policy.rules.insert(code, effect(value, place)?);
    }
    Ok(())
}

fn effect(value: &Value<'_>, place: &Place<'_>) -> anyhow::Result<Effect> {
    let text = place.string(value)?;
    let choices = [("note", Effect::Note), ("review", Effect::Review), ("block", Effect::Block)];
    values::one_of(&text, &choices)
        .map_err(|reason| anyhow::anyhow!("{}: `{text}` is no effect: {reason}", place.origin(&value.span())))
}

fn rule_code(code: &str) -> anyhow::Result<String> {
    let upper = code.to_ascii_uppercase();
    match alnage_scan::rules::rule(&upper) {
        Some(_) => Ok(upper),
        None => Err(hinted(format!("there is no rule `{code}`"), "`alnage rules` lists them")),
    }
}

fn apply_suppressions(config: &mut Config, value: &Value<'_>, place: &Place<'_>) -> anyhow::Result<()> {
    let DeValue::Array(entries) = value.get_ref() else {
        return Err(place.wrong(value, "tables `[[suppress]]`"));
    };
    for entry in entries {
        let suppression = suppression(entry, place)?;
        config.settings.suppressions.push(suppression);
        let number = config.settings.suppressions.len();
        config.origins.insert(format!("suppress.{number}"), place.origin(&entry.span()));
    }
    Ok(())
}

fn suppression(entry: &Value<'_>, place: &Place<'_>) -> anyhow::Result<Suppression> {
    let DeValue::Table(table) = entry.get_ref() else {
        return Err(place.wrong(entry, "a table `[[suppress]]`"));
    };
    let (mut code, mut artifact, mut sha256, mut reason, mut expires) = (None, None, None, None, None);
    for (name, value) in table {
        let text = place.string(value)?;
        let here = || place.origin(&value.span());
        match name.get_ref().as_ref() {
            "code" => code = Some(rule_code(&text).map_err(|error| error.context(here()))?),
            "artifact" => artifact = Some(text),
            "sha256" => sha256 = Some(text.parse().with_context(here)?),
            "reason" => reason = Some(text).filter(|text| !text.trim().is_empty()),
            "expires" => expires = Some(text.parse().with_context(here)?),
            _ => {
                let known = ["code", "artifact", "sha256", "reason", "expires"];
                return Err(place.unknown(name, known.into_iter()));
            }
        }
    }
    let missing = |key: &str, hint: &str| {
        hinted(format!("{}: this suppression has no `{key}`", place.origin(&entry.span())), hint)
    };
    Ok(Suppression {
        code: code.ok_or_else(|| missing("code", "name the rule: `code = \"PKL004\"`"))?,
        artifact: artifact
            .ok_or_else(|| missing("artifact", "name the artifact; `*` stands for any characters"))?,
        sha256,
        reason: reason
            .ok_or_else(|| missing("reason", "say why the finding may pass; it stands in the record"))?,
        expires: expires.ok_or_else(|| missing("expires", "give the last day: `expires = 2027-01-31`"))?,
    })
}
