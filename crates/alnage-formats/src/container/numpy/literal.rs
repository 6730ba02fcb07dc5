//! Python literals, as far as a NumPy header uses them. Anything that is no literal is refused.

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Integer(u64),
    Boolean(bool),
    None,
    /// A list or a tuple.
    Sequence(Vec<Literal>),
    Dictionary(Vec<(Literal, Literal)>),
}

/// How deep literals may nest; NumPy writes four levels at most.
const MAX_DEPTH: u32 = 16;

/// Reads a literal that takes all of `text`, blanks aside.
pub(super) fn read(text: &str) -> Option<Literal> {
    let mut parser = Parser { rest: text.trim_matches([' ', '\n', '\t', '\r', '\0']) };
    let literal = parser.value(0)?;
    parser.blanks();
    parser.rest.is_empty().then_some(literal)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: u32) -> Option<Literal> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        for (word, literal) in
            [("True", Literal::Boolean(true)), ("False", Literal::Boolean(false)), ("None", Literal::None)]
        {
            if self.eat(word) {
                return Some(literal);
            }
        }
        match self.rest.chars().next()? {
            '{' => self.dictionary(depth),
            '(' => self.sequence("(", ")", depth),
            '[' => self.sequence("[", "]", depth),
            '0'..='9' => self.integer(),
            'u' | 'b' | '\'' | '"' => self.text(),
            _ => None,
        }
    }

    fn dictionary(&mut self, depth: u32) -> Option<Literal> {
        self.eat("{");
        let mut pairs = Vec::new();
        while !self.eat("}") {
            let key = self.value(depth + 1)?;
            if !self.eat(":") {
                return None;
            }
            pairs.push((key, self.value(depth + 1)?));
            if !self.eat(",") {
                return self.eat("}").then_some(Literal::Dictionary(pairs));
            }
        }
        Some(Literal::Dictionary(pairs))
    }

    fn sequence(&mut self, open: &str, close: &str, depth: u32) -> Option<Literal> {
        self.eat(open);
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value(depth + 1)?);
            if !self.eat(",") {
                if !self.eat(close) {
                    return None;
                }
                // `(3)` is a number in brackets, not a tuple.
                return match (open, items.len()) {
                    ("(", 1) => items.pop(),
                    _ => Some(Literal::Sequence(items)),
                };
            }
        }
        Some(Literal::Sequence(items))
    }

    fn integer(&mut self) -> Option<Literal> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let number = self.rest.get(..end)?.parse().ok()?;
        self.rest = &self.rest[end..];
        // Python 2 wrote `3L`.
        _ = self.rest.strip_prefix('L').map(|rest| self.rest = rest);
        Some(Literal::Integer(number))
    }

    fn text(&mut self) -> Option<Literal> {
        self.rest = self.rest.trim_start_matches(['u', 'b']);
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => {
                    let (_, escaped) = characters.next()?;
                    text.push('\\');
                    text.push(escaped);
                }
                _ if character == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(Literal::Text(text));
                }
                _ => text.push(character),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_literals() {
        let header =
            "{'descr': [('a', '<f4'), ('b', '|O', (2,))], 'fortran_order': False, 'shape': (3L, 4), }  \n";
        let Some(Literal::Dictionary(pairs)) = read(header) else { panic!("not read") };
        assert_eq!(pairs.len(), 3);
        assert_eq!(pairs[2].1, Literal::Sequence(vec![Literal::Integer(3), Literal::Integer(4)]));
    }

    #[test]
    fn expressions_are_refused() {
        for text in
            ["{'descr': __import__('os')}", "{'shape': (1+1,)}", "{'a': 1} or x", "{", "'abc", "(1,", "-1"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"(".repeat(10_000)), None);
    }
}
