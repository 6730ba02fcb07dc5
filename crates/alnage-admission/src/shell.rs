//! Shell scripts, read far enough to know which programs they start with which words; nothing is executed.

use crate::environment::{Environment, Expanded, is_name};

/// Longer scripts are not read.
const MAX_SCRIPT: usize = 64 << 10;
/// A script starts no more programs than this.
const MAX_COMMANDS: usize = 512;
/// A text takes no more than this, with everything put in.
const MAX_WORDS: usize = 8192;
/// Stands for the variable of the loop, until the command is whole.
const LOOP: char = '\u{E000}';

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Why the text may not be all of it.
    pub(crate) unresolved: Option<String>,
    /// A JSON pointer to the string it is the whole of.
    pub(crate) at: Option<String>,
}

/// What a script does, as far as its text tells.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The programs it starts, each with its words.
    pub(crate) commands: Vec<Vec<Word>>,
    /// Texts that it hands to programs: here-documents.
    pub(crate) texts: Vec<String>,
    /// Whether it was too long to be read whole.
    pub(crate) cut: bool,
}

/// Reads `text`; variables that it sets are set in `environment`. `arguments` are `$0`, `$1` and so on.
pub(crate) fn script(text: &str, arguments: &[Word], environment: &mut Environment) -> Script {
    let mut script = Script::default();
    let mut queue = vec![text.to_owned()];
    let mut read = 0_usize;
    while let Some(text) = queue.pop() {
        read = read.saturating_add(text.len());
        if read > MAX_SCRIPT {
            script.cut = true;
            break;
        }
        Reader {
            text: &text,
            at: 0,
            arguments,
            environment,
            script: &mut script,
            queue: &mut queue,
            state: State::default(),
        }
        .run();
    }
    script
}

#[derive(Default)]
struct State {
    words: Vec<Word>,
    word: Option<Word>,
    /// The words that the variable of the loop takes.
    looped: Option<(String, Vec<String>)>,
    heredocs: Vec<String>,
    /// The next word is the target of a redirection.
    redirected: bool,
    count: usize,
}

struct Reader<'r> {
    text: &'r str,
    at: usize,
    arguments: &'r [Word],
    environment: &'r mut Environment,
    script: &'r mut Script,
    queue: &'r mut Vec<String>,
    state: State,
}

impl Reader<'_> {
    fn run(mut self) {
        while let Some(next) = self.take() {
            if self.script.commands.len() >= MAX_COMMANDS || self.state.count >= MAX_WORDS {
                self.script.cut = true;
                return;
            }
            match next {
                '\n' => {
                    self.end_command();
                    self.here_documents();
                }
                ';' | '&' | '|' | '(' | ')' => self.end_command(),
                ' ' | '\t' | '\r' => self.end_word(),
                '#' if self.state.word.is_none() => {
                    while self.peek().is_some_and(|next| next != '\n') {
                        self.take();
                    }
                }
                '\'' => {
                    let quoted = self.until('\'');
                    self.word().text.push_str(&quoted);
                }
                '"' => self.double_quoted(),
                '\\' => match self.take() {
                    Some('\n') | None => {}
                    Some(escaped) => self.word().text.push(escaped),
                },
                '$' => self.dollar(),
                '`' => {
                    let inner = self.until('`');
                    self.substitution(inner);
                }
                '<' | '>' => self.redirection(next),
                other => self.word().text.push(other),
            }
        }
        self.end_command();
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn until(&mut self, end: char) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(end).unwrap_or(rest.len());
        self.at += (length + end.len_utf8()).min(rest.len());
        rest.get(..length).unwrap_or_default().to_owned()
    }

    fn word(&mut self) -> &mut Word {
        self.state.word.get_or_insert_default()
    }

    fn double_quoted(&mut self) {
        self.word();
        while let Some(next) = self.take() {
            match next {
                '"' => return,
                '\\' => match self.take() {
                    Some('\n') | None => {}
                    Some(escaped @ ('"' | '\\' | '$' | '`')) => self.word().text.push(escaped),
                    Some(other) => {
                        let word = self.word();
                        word.text.push('\\');
                        word.text.push(other);
                    }
                },
                '$' => self.dollar(),
                '`' => {
                    let inner = self.until('`');
                    self.substitution(inner);
                }
                other => self.word().text.push(other),
            }
        }
    }

    /// What stands behind a `$`.
    fn dollar(&mut self) {
        match self.peek() {
            Some('(') => {
                self.take();
                let inner = self.balanced();
                self.substitution(inner);
            }
            Some('{') => {
                self.take();
                let inner = self.until('}');
                let end = inner.find(|next: char| !(next.is_ascii_alphanumeric() || "_@*#".contains(next)));
                let (name, operator) = inner.split_at(end.unwrap_or(inner.len()));
                let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
                let default = default.or_else(|| operator.strip_prefix(":="));
                let default = default.map(|default| default.trim_matches(['"', '\'']));
                self.variable(name, default);
            }
            Some(special @ ('@' | '*' | '0'..='9')) => {
                self.take();
                self.variable(&special.to_string(), None);
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || next == '_'));
                let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_owned();
                self.at += name.len();
                self.variable(&name, None);
            }
            Some('?' | '!' | '#' | '$' | '-') => {
                self.take();
            }
            _ => self.word().text.push('$'),
        }
    }

    fn variable(&mut self, name: &str, default: Option<&str>) {
        if name == "@" || name == "*" {
            let arguments: Vec<Word> = self.arguments.iter().skip(1).cloned().collect();
            self.state.count += arguments.len();
            self.state.word = None;
            self.state.words.extend(arguments);
            return;
        }
        if let Ok(index) = name.parse::<usize>() {
            let argument = self.arguments.get(index).cloned().unwrap_or_default();
            return self.push(&Expanded { text: argument.text, unresolved: argument.unresolved });
        }
        if self.state.looped.as_ref().is_some_and(|(looped, _)| looped == name) {
            return self.word().text.push(LOOP);
        }
        let expanded = self.environment.shell(name, default);
        self.push(&expanded);
    }

    fn push(&mut self, expanded: &Expanded) {
        self.state.count += expanded.text.len() / 64;
        let word = self.word();
        word.text.push_str(&expanded.text);
        if word.unresolved.is_none() {
            word.unresolved.clone_from(&expanded.unresolved);
        }
    }

    /// `$(…)`: what it prints is not known, what it starts is.
    fn substitution(&mut self, inner: String) {
        let word = self.word();
        word.unresolved.get_or_insert_with(|| "a program prints it".to_owned());
        self.queue.push(inner);
    }

    fn balanced(&mut self) -> String {
        let mut depth = 1_usize;
        let start = self.at;
        while let Some(next) = self.take() {
            match next {
                '(' => depth += 1,
                ')' => {
                    depth -= 1;
                    if depth == 0 {
                        return self.text.get(start..self.at - 1).unwrap_or_default().to_owned();
                    }
                }
                _ => {}
            }
        }
        self.text.get(start..).unwrap_or_default().to_owned()
    }

    fn redirection(&mut self, which: char) {
        // The number of a descriptor belongs to the redirection.
        if self.state.word.as_ref().is_some_and(|word| word.text.bytes().all(|byte| byte.is_ascii_digit())) {
            self.state.word = None;
        }
        self.end_word();
        if which == '<' && self.text.get(self.at..).is_some_and(|rest| rest.starts_with('<')) {
            self.take();
            let rest = self.text.get(self.at..).unwrap_or_default().trim_start_matches(['-', ' ']);
            let end = rest.find(|next: char| next.is_whitespace() || ";|&)".contains(next));
            let delimiter = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            self.at = self.text.len() - rest.len() + delimiter.len();
            self.state.heredocs.push(delimiter.trim_matches(['"', '\'', '\\']).to_owned());
            return;
        }
        while self.peek().is_some_and(|next| next == '>' || next == '&' || next == ' ') {
            self.take();
        }
        self.state.redirected = true;
    }

    fn here_documents(&mut self) {
        for delimiter in std::mem::take(&mut self.state.heredocs) {
            let mut body = String::new();
            while self.at < self.text.len() {
                let line = self.until('\n');
                if line.trim() == delimiter {
                    break;
                }
                body.push_str(&line);
                body.push('\n');
            }
            self.script.texts.push(body);
        }
    }

    fn end_word(&mut self) {
        if let Some(word) = self.state.word.take() {
            if std::mem::take(&mut self.state.redirected) {
                return;
            }
            self.state.count += 1;
            self.state.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.state.redirected = false;
        let mut words = std::mem::take(&mut self.state.words).into_iter().peekable();
        let keywords =
            ["then", "else", "elif", "if", "do", "while", "until", "!", "{", "}", "fi", "export", "time"];
        while words.next_if(|word| keywords.contains(&word.text.as_str())).is_some() {}
        if words.next_if(|word| word.text == "done").is_some() {
            self.state.looped = None;
        }
        if words.next_if(|word| word.text == "for").is_some() {
            let name = words.next().map(|word| word.text).unwrap_or_default();
            let values = words.skip(1);
            let known =
                values.filter(|word| word.unresolved.is_none()).map(|word| word.text).take(64).collect();
            self.state.looped = Some((name, known));
            return;
        }
        while let Some(word) = words.next_if(|word| assignment(word).is_some()) {
            if let Some((name, value)) = assignment(&word) {
                let value = Expanded { text: value.to_owned(), unresolved: word.unresolved.clone() };
                self.environment.set(name, value);
            }
        }
        let command: Vec<Word> = words.collect();
        if command.is_empty() {
            return;
        }
        match &self.state.looped {
            Some((_, values)) if command.iter().any(|word| word.text.contains(LOOP)) => {
                for value in values {
                    let put = |word: &Word| Word { text: word.text.replace(LOOP, value), ..word.clone() };
                    self.script.commands.push(command.iter().map(put).collect());
                }
            }
            _ => self.script.commands.push(command),
        }
    }
}

/// `NAME=value`.
fn assignment(word: &Word) -> Option<(&str, &str)> {
    word.text.split_once('=').filter(|(name, _)| is_name(name))
}
