//! What conditions say, and that the oracle says the same.

use std::{collections::HashMap, sync::Arc};

use cel::{Context, Program, objects::Value as Oracle};
use serde_json::{Value as Json, json};

use super::Condition;
use crate::Error;

fn input() -> Json {
    json!({
        "a": 1, "b": -2, "c": 2.5, "t": true, "n": null, "s": "model.safetensors", "e": "",
        "l": [1, 2, 3], "w": ["x", "y", "zz"], "m": {"x": 1, "y": "two", "z": {"deep": [true]}},
        "files": [{"path": "a.bin", "size": 3}, {"path": "b/c.pkl", "size": 70_000_000_000_i64}],
    })
}

/// `Ok` with what a condition says; `Err` when it says neither.
fn said(text: &str) -> Result<bool, String> {
    let condition = Condition::parse(text).map_err(|error| format!("parse: {error}"))?;
    condition.holds(&input()).map_err(|error| error.to_string())
}

#[test]
fn conditions_say_what_the_language_definition_says() {
    for text in [
        "a == 1 && b == -2 && c == 2.5 && t && n == null && s != 'x' && e == ''",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1 && 2 - 1 - 1 == 0",
        "0x10 == 16 && 1e3 == 1000.0 && 1u == 1 && 2.0 == 2 && 1 < 1.5 && 2u > 1 && -1 < 0u && .5 == 0.5",
        "-9223372036854775808 < 0 && 9223372036854775807 < 9223372036854775808.0 && !!true && --1 == 1",
        "'a' + \"b\" == 'ab' && 'a' < 'b' && r'\\n' == '\\\\n' && '''x'y''' == \"x'y\" && '\\x41\\u0042\\103' == 'ABC'",
        "l[0] == 1 && l[2.0] == 3 && m['x'] == 1 && m.z.deep[0] && size(l) == 3 && l.size() == 3 && size('äö') == 2",
        "2 in l && !(5 in l) && 'x' in m && !('q' in m) && l + [4] == [1, 2, 3, 4] && {1: 'a', 'b': 2}[1u] == 'a'",
        "has(m.x) && !has(m.q) && has(m.z.deep) && type(a) == int && type(s) == string && type(n) == null_type",
        "l.all(i, i > 0) && l.exists(i, i == 2) && l.exists_one(i, i > 2) && l.filter(i, i > 1) == [2, 3]",
        "l.map(i, i * 2) == [2, 4, 6] && l.map(i, i > 1, i * 2) == [4, 6] && m.exists(k, k == 'x') && [].all(i, false)",
        "files.exists(f, f.path.endsWith('.pkl') && f.size > 1000) && files.map(f, f.path).join(',') == 'a.bin,b/c.pkl'",
        "s.startsWith('model') && s.contains('safe') && s.matches('^m.*s$') && matches(s, 'ten') && !s.matches('^x')",
        "'A b'.lowerAscii() == 'a b' && 'a'.upperAscii() == 'A' && ' a '.trim() == 'a' && 'aXa'.replace('a', 'b') == 'bXb'",
        "'a,b'.split(',') == ['a', 'b'] && 'äbc'.indexOf('c') == 2 && 'äbc'.substring(1) == 'bc' && 'abc'.substring(0, 1) == 'a'",
        "int('5') == 5 && int(2.9) == 2 && uint(3) == 3u && double(1) == 1.0 && string(1.5) == '1.5' && bool('true')",
        "true || 1 / 0 == 1",
        "1 / 0 == 1 || true",
        "!(false && m.q)",
        "!(m.q && false)",
        "[0, 1].exists(i, 2 / i == 2)",
        "![0, 1].all(i, 2 / i == 3)",
        "t ? a == 1 : m.q",
        "1 != 'a' && null != 0 && [1] != [2] && {'a': 1} == {'a': 1.0} && 0.0 / 0.0 != 0.0 / 0.0",
        "true // what follows is for people",
        "[1, 2,].size() == 2",
        ".a == 1",
    ] {
        assert_eq!(said(text), Ok(true), "{text}");
    }
}

#[test]
fn what_says_neither_is_told_why() {
    for (text, why) in [
        ("a", "neither yes nor no"),
        ("m.q", "no key `q`"),
        ("m['q'] == 1", "no key `q`"),
        ("l[3] == 1", "no item 3 in a list of 3"),
        ("l[-1] == 1", "no item -1"),
        ("zzz", "the input has no `zzz`"),
        ("a < 'x'", "no order"),
        ("a + 'x' == 2", "no arithmetic"),
        ("a + 1.0 == 2.0", "no arithmetic"),
        ("9223372036854775807 + 1 > 0", "too large"),
        ("-(-9223372036854775808) > 0", "too large"),
        ("1 % 0 == 0", "division by zero"),
        ("!a", "`!` is not for int"),
        ("a && true", "neither yes nor no"),
        ("a ? true : false", "`?` is not for int"),
        ("s.trim() == 1 || s.contains(1)", "`contains` is not for int"),
        ("a.all(i, true)", "int has no items"),
        ("int('x') == 1", "no such value"),
        ("{a: 1, a: 2} == {}", "stands twice"),
        ("e.matches('(' + e)", "the pattern"),
        ("", "column 1 of the condition: the end where a value belongs"),
        ("a ==", "column 5"),
        ("äb", "column 1 of the condition: `ä` means nothing here"),
        ("'open", "column 1 of the condition: the text does not end"),
        ("a b", "column 3 of the condition: `b` where the end belongs"),
        ("nope(1)", "column 1 of the condition: `nope` is no function here"),
        ("trim(s) == ''", "write `text.trim(…)`"),
        ("a.int() == 1", "write `int(…)`"),
        ("size(l, l) == 1", "another number"),
        ("l.all(1, true)", "takes a variable"),
        ("has(a)", "`has` asks for a field"),
        ("null in m", "null_type is no key"),
        ("while == 1", "keeps for itself"),
        ("9223372036854775808 > 0", "larger than"),
        ("b'x' == b'x'", "bytes"),
        ("s.matches('(')", "the pattern: unclosed group"),
        ("'\\q' == ''", "stands for no character"),
    ] {
        let message = said(text).expect_err(text);
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn depth_steps_and_bytes_are_bounded() {
    for text in [
        "(".repeat(500),
        "1+".repeat(1500),
        "!".repeat(3000) + "true",
        "-".repeat(3000) + "1",
        "a".repeat(5000),
    ] {
        assert!(matches!(Condition::parse(&text), Err(Error::Pack { .. })), "{text:.20}");
    }
    for text in [
        "[".repeat(31) + &"]".repeat(31) + " == []",
        "true".to_owned() + &" && true".repeat(98),
        "!".repeat(98) + "true",
    ] {
        assert!(Condition::parse(&text).expect(&text).holds(&input()).is_ok(), "{text:.20}");
    }
    let many: Vec<i64> = (0..2_000).collect();
    let input = json!({ "many": many, "long": "ab".repeat(1 << 20) });
    for text in [
        "many.all(a, many.all(b, many.all(c, true)))",
        "many.map(a, long + long).size() == 2000",
        "long.split('').map(a, long.split('')).size() > 0",
        "many.all(a, long.matches('(a|b)*c') || true)",
        "long.replace('', long) == ''",
        "many.map(a, many) == many.map(a, many) && many.all(a, many.map(b, many) == many.map(b, many))",
    ] {
        let error = Condition::parse(text).expect(text).holds(&input).expect_err(text);
        assert!(error.to_string().contains("takes more than"), "{text}: {error}");
    }
}

/// The next number of a fixed sequence (xorshift64), below `end`.
fn next(state: &mut u64, end: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % end as u64).unwrap_or_default()
}

/// A condition made by chance: most have sense.
fn written(state: &mut u64, depth: usize) -> String {
    const LEAVES: [&str; 30] = [
        "a",
        "b",
        "c",
        "t",
        "n",
        "s",
        "e",
        "l",
        "w",
        "m",
        "files",
        "i",
        "1",
        "0",
        "-3",
        "2u",
        "2.5",
        "1e2",
        "true",
        "false",
        "null",
        "'x'",
        "\"two\"",
        "r'\\d'",
        "[]",
        "{}",
        "m.x",
        "m.z.deep",
        "files[0].path",
        "q",
    ];
    if depth == 0 {
        return LEAVES[next(state, LEAVES.len())].to_owned();
    }
    let kind = next(state, 22);
    let mut part = || written(state, depth - 1);
    match kind {
        0 => format!("({} && {})", part(), part()),
        1 => format!("({} || {})", part(), part()),
        2 => format!("{} == {}", part(), part()),
        3 => format!("({} != {})", part(), part()),
        4 => format!("({} < {})", part(), part()),
        5 => format!("({} >= {})", part(), part()),
        6 => format!("({} in {})", part(), part()),
        7 => format!("({} + {})", part(), part()),
        8 => format!("({} - {})", part(), part()),
        9 => format!("{} * {}", part(), part()),
        10 => format!("({} / {})", part(), part()),
        11 => format!("({} % {})", part(), part()),
        12 => format!("!({})", part()),
        13 => format!("({} ? {} : {})", part(), part(), part()),
        14 => format!("[{}, {}]", part(), part()),
        15 => format!("{{'x': {}, 'k': {}}}", part(), part()),
        16 => format!("({}).all(i, {})", part(), part()),
        17 => format!("({}).exists(i, {})", part(), part()),
        18 => format!("({}).filter(i, {})", part(), part()),
        19 => format!("({}).map(i, {})", part(), part()),
        20 => format!("size({})", part()),
        _ => format!("({})[{}]", part(), part()),
    }
}

fn of_oracle(value: &Json) -> Oracle {
    match value {
        Json::Null => Oracle::Null,
        Json::Bool(truth) => Oracle::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Oracle::Int(whole),
            (None, real) => Oracle::Float(real.unwrap_or_default()),
        },
        Json::String(text) => Oracle::String(Arc::new(text.clone())),
        Json::Array(items) => Oracle::List(Arc::new(items.iter().map(of_oracle).collect())),
        Json::Object(fields) => {
            let fields: HashMap<String, Oracle> =
                fields.iter().map(|(key, value)| (key.clone(), of_oracle(value))).collect();
            Oracle::Map(fields.into())
        }
    }
}

fn oracle_said(text: &str) -> Option<bool> {
    let program = Program::compile(text).ok()?;
    let mut context = Context::default();
    for (key, value) in input().as_object().into_iter().flatten() {
        context.add_variable_from_value(key.as_str(), of_oracle(value));
    }
    match program.execute(&context) {
        Ok(Oracle::Bool(holds)) => Some(holds),
        _ => None,
    }
}

#[test]
fn the_oracle_says_the_same() {
    let mut state = 0x00a1_4a6e_u64;
    let (mut said_something, mut differ) = (0_usize, Vec::new());
    for round in 0..4_000 {
        let text = format!("({}) == ({})", written(&mut state, round % 4), written(&mut state, round % 3));
        let text = if round % 2 == 0 { text } else { written(&mut state, 1 + round % 4) };
        let ours = said(&text).ok();
        let theirs = std::panic::catch_unwind(|| oracle_said(&text)).unwrap_or_default();
        said_something += usize::from(ours.is_some());
        if ours != theirs {
            differ.push(format!("{text}: {:?}, the oracle {theirs:?}", said(&text)));
        }
    }
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(said_something > 300, "{said_something}");
}
