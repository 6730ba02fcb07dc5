//! The template reader on its own.

use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};

use super::{ConstructKind, TemplateFacts};
use crate::{Facts, analyse, repository::RepositoryFacts};

fn read(template: &[u8]) -> (TemplateFacts, usize) {
    let path = ArtifactPath::file("chat_template.jinja");
    let analysis = analyse(path, Arc::new(MemorySource::new(template)), &Budget::default());
    let facts = analysis.artifacts.into_iter().find_map(|artifact| match artifact.facts {
        Facts::Repository(facts) => match *facts {
            RepositoryFacts::Template(facts) => Some(facts),
            _ => None,
        },
        _ => None,
    });
    (facts.unwrap_or_default(), analysis.issues.len())
}

fn check(template: &str, expected: &[(ConstructKind, &str, Option<&str>)]) {
    let (facts, issues) = read(template.as_bytes());
    let found: Vec<_> = facts
        .constructs
        .iter()
        .map(|construct| (construct.kind, construct.text.as_str(), construct.resolved.as_deref()))
        .collect();
    assert_eq!((found.as_slice(), issues), (expected, 0), "{template}");
}

#[test]
fn constructs_say_where_and_what() {
    use ConstructKind::{ComputedAttribute, InternalAttribute, InternalName};
    check("{{ a.__class__.b }}", &[(InternalAttribute, "a.__class__", Some("__class__"))]);
    check(
        "{% set n = '__in' ~ 'it__' %}{{ a|attr(n) }}",
        &[
            (InternalName, "'__in' ~ 'it__'", Some("__init__")),
            (InternalAttribute, "a|attr(n)", Some("__init__")),
        ],
    );
    check("{{ a|attr(b) }}", &[(ComputedAttribute, "a|attr(b)", None)]);
    check("{{ a[b] ~ a['b']() ~ 'x'[0] }}", &[]);
}

#[test]
fn variables_are_those_it_does_not_bind() {
    let (facts, _) = read(b"{% for m in messages %}{% set x = y %}{{ m.z ~ x ~ bos_token }}{% endfor %}");
    assert_eq!(facts.variables, ["bos_token", "messages", "y"]);
}

#[test]
fn deep_expressions_are_an_issue_and_no_overflow() {
    for open in ["(", "[", "-", "not ", "{'a':", "a[", "a(", "a|b("] {
        let template = format!("{{{{ {} }}}}", open.repeat(100_000));
        assert!(read(template.as_bytes()).1 > 0, "{open}");
    }
    for chain in ["a + ", "a ~ ", "a . ", "a | ", "a or ", "a if b else "] {
        let template = format!("{{{{ {}a }}}}", chain.repeat(100_000));
        read(template.as_bytes());
    }
}

#[test]
fn folding_is_bounded() {
    let mut template = "{% set a = 'xxxxxxxxxxxxxxxx' %}{% set b = ['x', 'y'] %}".to_owned();
    for _ in 0..2000 {
        template.push_str("{% set a = a ~ a %}{% set b = [b, b] %}{% set c = {'a': b, 'c': a} %}");
    }
    assert_eq!(read(template.as_bytes()).1, 0);
}
