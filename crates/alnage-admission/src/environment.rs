//! The variables of a container, and the text that names them.

use std::collections::HashMap;

use serde_json::Value;

use crate::pointer::{items, text};

/// Text is not expanded beyond this.
const MAX_TEXT: usize = 64 << 10;

/// What a variable holds.
#[derive(Debug, Clone)]
pub(crate) enum Variable {
    /// This text, which stands at the pointer, if it stands anywhere.
    Literal(String, Option<String>),
    /// What another object says.
    Elsewhere(String),
}

/// The variables of a container.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: HashMap<String, Variable>,
    /// Another object whose fields are variables too.
    pub(crate) open: Option<String>,
}

/// Text after its variables were put in, and why that may not be all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    pub(crate) unresolved: Option<String>,
}

impl Environment {
    /// The variables of the container `container` at the pointer `at`.
    pub(crate) fn of(container: &Value, at: &str) -> Self {
        let mut environment = Self::default();
        for (_, source) in items(container, at, "envFrom") {
            for (kind, name) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                if let Some(named) = source.get(kind) {
                    environment.open = Some(format!("{name} `{}`", text(named, "name").unwrap_or("?")));
                }
            }
        }
        for (at, variable) in items(container, at, "env") {
            let Some(name) = text(variable, "name") else { continue };
            let value = match (text(variable, "value"), variable.get("valueFrom")) {
                (Some(value), _) => {
                    let expanded = environment.substituted(value);
                    match expanded.unresolved {
                        None => Variable::Literal(expanded.text, Some(format!("{at}/value"))),
                        Some(why) => Variable::Elsewhere(why),
                    }
                }
                (None, Some(from)) => Variable::Elsewhere(elsewhere(from)),
                (None, None) => Variable::Literal(String::new(), Some(format!("{at}/value"))),
            };
            environment.variables.insert(name.to_owned(), value);
        }
        environment
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// The text of the variable `name`, where it is known and not empty.
    pub(crate) fn literal(&self, name: &str) -> Option<&str> {
        match self.variables.get(name) {
            Some(Variable::Literal(text, _)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: Expanded) {
        let value = match value.unresolved {
            None => Variable::Literal(value.text, None),
            Some(why) => Variable::Elsewhere(why),
        };
        self.variables.insert(name.to_owned(), value);
    }

    /// Whether a variable says yes.
    pub(crate) fn says_yes(&self, name: &str) -> bool {
        self.literal(name)
            .is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
    }

    /// `text` with `$(NAME)` put in, as Kubernetes does it: what is not defined stays as it is.
    pub(crate) fn substituted(&self, text: &str) -> Expanded {
        let mut done = Expanded::default();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            let (before, behind) = rest.split_at(dollar);
            done.text.push_str(before);
            let behind = behind.get(1..).unwrap_or_default();
            if let Some(escaped) = behind.strip_prefix('$') {
                done.text.push('$');
                rest = escaped;
            } else if let Some((name, after)) = behind.strip_prefix('(').and_then(|name| name.split_once(')'))
            {
                match self.variables.get(name) {
                    Some(Variable::Literal(value, _)) => done.text.push_str(value),
                    Some(Variable::Elsewhere(why)) => done.unresolved = Some(why.clone()),
                    None => {
                        if let Some(open) = self.open.as_ref().filter(|_| is_variable(name)) {
                            done.unresolved = Some(format!("`{name}` may come from {open}"));
                        }
                        done.text.push_str(&format!("$({name})"));
                    }
                }
                rest = after;
            } else {
                done.text.push('$');
                rest = behind;
            }
            if done.text.len() > MAX_TEXT {
                return Expanded {
                    text: String::new(),
                    unresolved: Some("it is too long to read".to_owned()),
                };
            }
        }
        done.text.push_str(rest);
        done
    }

    /// The value of `$name` in a shell; `default` is what `${name:-default}` says.
    pub(crate) fn shell(&self, name: &str, default: Option<&str>) -> Expanded {
        match (self.variables.get(name), default, &self.open) {
            (Some(Variable::Literal(text, _)), None, _) => Expanded { text: text.clone(), unresolved: None },
            (Some(Variable::Literal(text, _)), Some(default), _) => {
                let text = if text.is_empty() { default } else { text };
                Expanded { text: text.to_owned(), unresolved: None }
            }
            (Some(Variable::Elsewhere(why)), ..) => {
                Expanded { text: String::new(), unresolved: Some(why.clone()) }
            }
            (None, _, Some(open)) => {
                Expanded { text: String::new(), unresolved: Some(format!("`{name}` may come from {open}")) }
            }
            (None, Some(default), None) => Expanded { text: default.to_owned(), unresolved: None },
            (None, None, None) => Expanded {
                text: String::new(),
                unresolved: Some(format!("`{name}` is not among the container's variables")),
            },
        }
    }
}

/// Where the value of a variable comes from, in words.
fn elsewhere(from: &Value) -> String {
    let sources = [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")];
    for (kind, name) in sources {
        if let Some(source) = from.get(kind) {
            let (object, key) = (text(source, "name").unwrap_or("?"), text(source, "key").unwrap_or("?"));
            return format!("it comes from `{key}` of {name} `{object}`");
        }
    }
    if let Some(field) = from.get("fieldRef").and_then(|field| text(field, "fieldPath")) {
        return format!("it comes from the field `{field}` of the pod");
    }
    "it comes from outside the object".to_owned()
}

/// In capitals, as variables are; `$(date)` is a program that a shell starts.
fn is_variable(text: &str) -> bool {
    is_name(text) && !text.contains(|letter: char| letter.is_ascii_lowercase())
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
}
