//! Words and signs of a condition.

/// What is wrong, and in which column, from 1.
pub(super) type Mistake = (usize, String);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// Without its sign: 2^63 is a number only behind a minus.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Sign(&'static str),
    End,
}

/// Longer ones first, since each is the beginning of none before it.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];

/// The tokens of `text`, each with its column; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Mistake> {
    let mut reader = Reader { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blank();
        let column = reader.column();
        let token = reader.token().map_err(|what| (column, what))?;
        let ends = token == Token::End;
        tokens.push((column, token));
        if ends {
            return Ok(tokens);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn column(&self) -> usize {
        self.text.get(..self.at).map_or(1, |before| before.chars().count() + 1)
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.find(|character| !is(character)).map_or(rest, |end| rest.get(..end).unwrap_or(rest));
        self.at += taken.len();
        taken
    }

    fn skip_blank(&mut self) {
        loop {
            self.take_while(|character| matches!(character, ' ' | '\t' | '\r' | '\n' | '\x0c'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|character| character != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let second = rest.chars().nth(1);
        if matches!(first, '"' | '\'') {
            return self.quoted(false).map(Token::Text);
        }
        if matches!((first, second), ('r' | 'R', Some('"' | '\''))) {
            self.at += 1;
            return self.quoted(true).map(Token::Text);
        }
        if matches!((first, second), ('b' | 'B', Some('"' | '\''))) {
            return Err("bytes are not known here".to_owned());
        }
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|next| next.is_ascii_digit())) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.take_while(|character| character.is_ascii_alphanumeric() || character == '_');
            return Ok(if name == "in" { Token::Sign("in") } else { Token::Name(name.to_owned()) });
        }
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(format!("`{first}` means nothing here")),
        }
    }

    fn number(&mut self) -> Result<Token, String> {
        let rest = self.rest();
        if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            let digits = digits.get(..digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len()));
            let digits = digits.unwrap_or_default();
            self.at += 2 + digits.len();
            let number = u64::from_str_radix(digits, 16).map_err(|_| too_large())?;
            return Ok(self.whole(number));
        }
        let begin = self.at;
        self.take_while(|character| character.is_ascii_digit());
        let mut is_real = false;
        if self.rest().strip_prefix('.').is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()))
        {
            is_real = true;
            self.at += 1;
            self.take_while(|character| character.is_ascii_digit());
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                is_real = true;
                self.at += 1 + (exponent.len() - digits.len());
                self.take_while(|character| character.is_ascii_digit());
            }
        }
        let text = self.text.get(begin..self.at).unwrap_or_default();
        if is_real {
            return text.parse().map(Token::Double).map_err(|_| too_large());
        }
        let number = text.parse().map_err(|_| too_large())?;
        Ok(self.whole(number))
    }

    fn whole(&mut self, number: u64) -> Token {
        if self.rest().starts_with(['u', 'U']) {
            self.at += 1;
            return Token::Uint(number);
        }
        Token::Int(number)
    }

    fn quoted(&mut self, raw: bool) -> Result<String, String> {
        let rest = self.rest();
        let quote = if rest.starts_with('"') { '"' } else { '\'' };
        let triple = if quote == '"' { "\"\"\"" } else { "'''" };
        let end = if rest.starts_with(triple) { triple } else { triple.get(..1).unwrap_or_default() };
        self.at += end.len();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(end) {
                self.at += end.len();
                return Ok(text);
            }
            match rest.chars().next() {
                None => return Err("the text does not end".to_owned()),
                Some('\n' | '\r') if end.len() == 1 => {
                    return Err("the text does not end in its line".to_owned());
                }
                Some('\\') if raw => {
                    // What follows a backslash does not end the text, and both stand for themselves.
                    text.push('\\');
                    self.at += 1;
                    if let Some(next) = self.rest().chars().next() {
                        text.push(next);
                        self.at += next.len_utf8();
                    }
                }
                Some('\\') => {
                    self.at += 1;
                    text.push(self.escaped()?);
                }
                Some(character) => {
                    text.push(character);
                    self.at += character.len_utf8();
                }
            }
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        let Some(kind) = self.rest().chars().next() else { return Err("the text does not end".to_owned()) };
        self.at += kind.len_utf8();
        Ok(match kind {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' | '?' | '"' | '\'' | '`' => kind,
            'x' | 'X' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            '0'..='3' => {
                self.at -= 1;
                self.code(3, 8)?
            }
            _ => return Err(format!("`\\{kind}` stands for no character")),
        })
    }

    fn code(&mut self, length: usize, radix: u32) -> Result<char, String> {
        let digits = self.rest().get(..length).unwrap_or_default();
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        self.at += if is_number { length } else { 0 };
        let number = if is_number { u32::from_str_radix(digits, radix).ok() } else { None };
        number.and_then(char::from_u32).ok_or_else(|| "the escape names no character".to_owned())
    }
}

fn too_large() -> String {
    "the number has no digits, or too many".to_owned()
}
