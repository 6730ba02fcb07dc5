//! A container: which programs it starts, and which models their words and variables name.

use serde_json::Value;

use crate::{
    environment::{Environment, Variable},
    origin::{Origin, Pin, Role},
    pod::{Place, Pod},
    pointer::{items, text},
    python,
    reading::{Code, Endpoint, Fetcher, Reading, plain},
    shell::{self, Word},
    table::{Bare, Meaning, Program},
    words,
};

/// A container while it is read.
struct Container<'r, 'v, 't> {
    value: &'v Value,
    at: &'r str,
    environment: Environment,
    pod: &'r mut Pod<'v>,
    reading: &'r mut Reading<'t>,
    /// `alnage run` verifies what its program opens.
    gated: bool,
    /// Something is fetched from the Hub, and whether by a program that looks at `HF_ENDPOINT`.
    fetches: Option<bool>,
}

/// One program that a container starts.
struct Start<'t> {
    program: &'t Program,
    words: Vec<Word>,
    /// It is known to be this program, or only its image says so.
    known: bool,
}

/// Reads the container `value` at the pointer `at`. `hint` names the program it runs, where its kind of object says so.
pub(crate) fn container<'v>(
    value: &'v Value,
    at: &str,
    hint: Option<&str>,
    pod: &mut Pod<'v>,
    reading: &mut Reading<'_>,
) {
    if !value.is_object() {
        return;
    }
    let environment = Environment::of(value, at);
    let before = reading.loads.references.len();
    let mut container = Container { value, at, environment, pod, reading, gated: false, fetches: None };
    let starts = container.starts(hint);
    for start in &starts {
        container.start(start);
    }
    container.hooks();
    let named = container.reading.loads.references.len() > before;
    container.says_nothing(&starts, named);
    container.fetcher();
}

impl<'t> Container<'_, '_, 't> {
    /// The programs that the container starts.
    fn starts(&mut self, hint: Option<&str>) -> Vec<Start<'t>> {
        let table = self.reading.table;
        let image = text(self.value, "image").unwrap_or_default();
        let of_image = table.image(image).or_else(|| hint.and_then(|name| table.program(name)));
        let command = self.words("command");
        let arguments = self.words("args");
        let has_command = !command.is_empty();
        let all: Vec<Word> = command.into_iter().chain(arguments).collect();
        let commands = self.unwrapped(all.clone());
        let mut starts: Vec<Start<'t>> = Vec::new();
        for words in commands {
            if let Some(program) = words::recognise(table, &words) {
                starts.push(Start { program, words: words::arguments(&words), known: true });
            } else if words.first().is_some_and(|first| !first.text.starts_with('-')) && has_command {
                let rest: Vec<Word> = words.get(1..).unwrap_or_default().to_vec();
                self.python(&words);
                if let Some(program) = of_image.filter(|_| mentions(&rest)) {
                    starts.push(Start { program, words: rest, known: false });
                } else {
                    starts.push(Start { program: &table.unknown_program, words: rest, known: false });
                }
                self.script_in_volume(&words, of_image.is_some());
            }
        }
        if !has_command && !starts.iter().any(|start| start.known) {
            match of_image {
                Some(program) => starts = vec![Start { program, words: all, known: true }],
                None => starts = vec![Start { program: &table.unknown_program, words: all, known: false }],
            }
        } else if starts.iter().all(|start| start.program.name.is_empty()) {
            starts.push(Start {
                program: of_image.unwrap_or(&table.unknown_program),
                words: Vec::new(),
                known: false,
            });
        }
        starts
    }

    fn words(&self, field: &str) -> Vec<Word> {
        let words = items(self.value, self.at, field).into_iter();
        words
            .filter_map(|(at, word)| {
                let expanded = self.environment.substituted(word.as_str()?);
                Some(Word { text: expanded.text, unresolved: expanded.unresolved, at: Some(at) })
            })
            .collect()
    }

    /// The commands in `all`, without what only starts others; scripts are read.
    fn unwrapped(&mut self, all: Vec<Word>) -> Vec<Vec<Word>> {
        let mut done = Vec::new();
        let mut queue = vec![(all, 0_usize)];
        while let Some((mut words, depth)) = queue.pop() {
            self.gated |= words::strip_wrappers(&mut words, &mut self.environment);
            match words::script_of(&words) {
                Some((script, arguments)) if depth < 4 => {
                    if let Some(why) = &script.unresolved {
                        self.reading.unresolved(self.at, &script.text, why.clone());
                    }
                    let read = shell::script(&script.text, &arguments, &mut self.environment);
                    if read.cut {
                        let message = "a script that is too long to be read whole".to_owned();
                        self.reading.finding(Code::TooMuch, script.at.as_deref().unwrap_or(self.at), message);
                    }
                    for body in &read.texts {
                        self.python_text(body, script.at.as_deref());
                    }
                    queue.extend(read.commands.into_iter().rev().map(|command| (command, depth + 1)));
                }
                _ if !words.is_empty() => done.push(words),
                _ => {}
            }
        }
        done
    }

    /// Reads what one program is told.
    fn start(&mut self, start: &Start<'t>) {
        let program = start.program;
        self.pod.has_server |= program.serves;
        let told = words::told(program, &start.words);
        if told.loads_nothing {
            return;
        }
        let mut pin = self.pin(start, told.revision.as_ref());
        for (meaning, word) in &told.models {
            self.named(*meaning, word, program, told.revision.as_ref(), pin.as_ref());
        }
        for (flag, word) in &told.remote_code {
            let at = word.at.clone().unwrap_or_else(|| self.at.to_owned());
            self.reading.finding(
                Code::RemoteCode,
                &at,
                format!("`{flag}` executes code of the model's repository"),
            );
        }
        for (flag, word) in &told.formats {
            let at = word.at.clone().unwrap_or_else(|| self.at.to_owned());
            let message = format!("`{flag} {}` loads weights in a format that executes code", word.text);
            self.reading.finding(Code::UnsafeFormat, &at, message);
        }
        let has_model = told.models.iter().any(|(meaning, _)| meaning.role() == Role::Model);
        let mut variables: Vec<_> = program.variables.iter().collect();
        variables.sort_by_key(|(name, _)| name.as_str());
        let revision = program.revision_variable.as_deref().and_then(|name| self.environment.literal(name));
        let revision = revision.map(|text| Word { text: text.to_owned(), ..Word::default() });
        if let Some(name) = &program.revision_variable {
            let value = match self.environment.get(name) {
                Some(Variable::Literal(_, at)) => at.clone(),
                _ => None,
            };
            let has_variables = self.value.get("env").is_some();
            pin = Some(Pin::Variable {
                container: self.at.to_owned(),
                name: name.clone(),
                value,
                has_variables,
            });
        }
        for (name, &meaning) in variables {
            // A flag wins over the variable of the same meaning.
            if has_model && meaning.role() == Role::Model {
                continue;
            }
            let word = match self.environment.get(name) {
                Some(Variable::Literal(text, at)) if !text.is_empty() => {
                    Word { text: text.clone(), at: at.clone(), unresolved: None }
                }
                Some(Variable::Elsewhere(why))
                    if meaning != Meaning::Possible && !program.name.is_empty() =>
                {
                    Word { text: format!("${name}"), unresolved: Some(format!("`{name}`: {why}")), at: None }
                }
                _ => continue,
            };
            self.named(meaning, &word, program, revision.as_ref(), pin.as_ref());
        }
        for name in &program.remote_code_variables {
            if self.environment.says_yes(name) {
                let message = format!("`{name}` executes code of the model's repository");
                self.reading.finding(Code::RemoteCode, self.at, message);
            }
        }
    }

    /// How a model of this program can be pinned by a change of the object.
    fn pin(&self, start: &Start<'t>, revision: Option<&Word>) -> Option<Pin> {
        let flag = start.program.revision.as_ref().filter(|_| !start.program.name.is_empty())?;
        if let Some(at) = revision.and_then(|word| word.at.clone()) {
            let whole = self.at.len() < at.len();
            let prefix = self.value.pointer(at.get(self.at.len()..)?).and_then(Value::as_str);
            let prefix = prefix.and_then(|text| text.split_once('=')).map(|(flag, _)| format!("{flag}="));
            return whole.then_some(Pin::Replace { at, prefix: prefix.unwrap_or_default() });
        }
        // Only where the words are those of the container is it known what the next one means.
        let last = start.words.iter().rev().find_map(|word| word.at.as_deref())?;
        let (array, _) = last.rsplit_once('/')?;
        Some(Pin::Append { array: array.to_owned(), flag: flag.clone() })
    }

    /// Reads a word that names models.
    fn named(
        &mut self,
        meaning: Meaning,
        word: &Word,
        program: &'t Program,
        revision: Option<&Word>,
        pin: Option<&Pin>,
    ) {
        let at = word.at.clone().unwrap_or_else(|| self.at.to_owned());
        if let Some(why) = &word.unresolved {
            if meaning != Meaning::Possible && meaning != Meaning::Download {
                self.reading.unresolved(&at, &word.text, why.clone());
            }
            return;
        }
        for written in words::values(meaning, &word.text) {
            let written = written.trim();
            if written.is_empty() || written.contains("{{") {
                continue;
            }
            let Some((origin, certain)) = self.origin(meaning, written, program, &at) else { continue };
            let is_hub = matches!(origin, Origin::Hub { .. });
            let own = matches!(&origin, Origin::Hub { revision: Some(_), .. });
            let origin = match (origin, revision) {
                (Origin::Hub { repo, revision: None, part }, Some(word)) if meaning.role() == Role::Model => {
                    Origin::Hub { repo, revision: Some(word.text.clone()), part }
                }
                (origin, _) => origin,
            };
            let mut reference = plain(origin, meaning.role(), written, &at);
            reference.certain = certain;
            reference.gated = self.gated;
            reference.pinnable = match &reference.origin {
                Origin::Hub { .. } => {
                    own || meaning.role() == Role::Model
                        && (program.revision.is_some()
                            || program.revision_variable.is_some()
                            || meaning == Meaning::Download)
                }
                Origin::Image { .. } => true,
                _ => false,
            };
            if is_hub && meaning.role() == Role::Model && !own {
                reference.pin = pin.cloned();
            }
            if is_hub && certain {
                let fixed = program.fixed || meaning == Meaning::Download || written.starts_with("http");
                self.fetches = Some(self.fetches.unwrap_or(false) || !fixed);
            }
            self.reading.reference(reference);
        }
    }

    /// What a spelling means to a program, and whether it is certainly loaded.
    fn origin(
        &mut self,
        meaning: Meaning,
        written: &str,
        program: &Program,
        at: &str,
    ) -> Option<(Origin, bool)> {
        let certain = meaning != Meaning::Possible;
        if meaning == Meaning::Download {
            return words::downloaded(written)
                .map(|(origin, certain)| (origin, certain || self.pod.has_server));
        }
        if program.bare == Bare::Ollama || meaning == Meaning::Ollama {
            return Some((Origin::ollama(written), true));
        }
        if let Some(origin) = Origin::address(written) {
            return Some((origin, certain));
        }
        let is_path =
            written.starts_with(['/', '~', '.']) || program.bare == Bare::Path || words::is_file(written);
        if matches!(meaning, Meaning::Likely | Meaning::Possible) {
            let shaped = written.contains('/') && !is_path && !words::of_an_interface(written);
            return Origin::hub(written).filter(|_| shaped).map(|origin| (origin, certain));
        }
        if is_path {
            return match self.pod.place(written, self.value, self.reading) {
                Place::Origin(origin) => Some((origin, certain)),
                Place::Scratch => {
                    self.pod.scratched(at, written);
                    None
                }
                Place::Provisioned => None,
            };
        }
        let origin = match program.bare {
            Bare::HubPart => Origin::hub_part(written),
            Bare::Image => Some(Origin::image(written)),
            Bare::Catalogue => Some(Origin::Catalogue { of: program.name.clone(), name: written.to_owned() }),
            _ => Origin::hub(written),
        };
        Some((
            origin.unwrap_or_else(|| Origin::Baked {
                image: text(self.value, "image").unwrap_or("?").to_owned(),
                path: written.to_owned(),
            }),
            certain,
        ))
    }

    /// What is started when the container has begun.
    fn hooks(&mut self) {
        let Some(hook) = self.value.pointer("/lifecycle/postStart/exec") else { return };
        let at = format!("{}/lifecycle/postStart/exec", self.at);
        let words = items(hook, &at, "command").into_iter();
        let words = words.filter_map(|(at, word)| {
            Some(Word { text: word.as_str()?.to_owned(), unresolved: None, at: Some(at) })
        });
        for words in self.unwrapped(words.collect()) {
            self.python(&words);
            if let Some(program) = words::recognise(self.reading.table, &words) {
                self.start(&Start { program, words: words::arguments(&words), known: true });
            }
        }
    }

    /// Code of Python among the words.
    fn python(&mut self, words: &[Word]) {
        let is_python = words.first().is_some_and(|first| words::is_python(&first.text));
        let code = words.iter().skip_while(|word| word.text != "-c").nth(1);
        if let Some(code) = code.filter(|_| is_python) {
            self.python_text(&code.text, code.at.as_deref());
        }
    }

    fn python_text(&mut self, code: &str, at: Option<&str>) {
        let at = at.unwrap_or(self.at).to_owned();
        let calls = python::calls(code, &self.environment);
        for call in calls {
            let program = &self.reading.table.unknown_program;
            if let Some(why) = call.unresolved {
                self.reading.unresolved(&at, &call.name, why);
                continue;
            }
            let word = Word { text: call.name, at: Some(at.clone()), unresolved: None };
            let revision = call.revision.map(|text| Word { text, ..Word::default() });
            self.named(Meaning::Model, &word, program, revision.as_ref(), None);
            self.pod.has_server = true;
        }
        if python::trusts(code) {
            let message = "`trust_remote_code=True` executes code of the model's repository".to_owned();
            self.reading.finding(Code::RemoteCode, &at, message);
        }
    }

    /// A server that is started by a script that the object does not hold.
    fn script_in_volume(&mut self, words: &[Word], is_server: bool) {
        let script =
            words.iter().take(2).find(|word| word.text.starts_with('/') && !word.text.starts_with("/bin/"));
        if let Some(script) = script.filter(|_| is_server)
            && let Place::Origin(Origin::Unresolved { why }) =
                self.pod.place(&script.text, self.value, self.reading)
        {
            let at = script.at.clone().unwrap_or_else(|| self.at.to_owned());
            self.reading.unresolved(&at, &script.text, format!("what it starts is not in the object: {why}"));
        }
    }

    /// A server that names no model takes one that nobody was asked about.
    fn says_nothing(&mut self, starts: &[Start<'_>], named: bool) {
        let server = starts.iter().find(|start| {
            start.known && start.program.serves && !words::told(start.program, &start.words).loads_nothing
        });
        let Some(server) = server else { return };
        if named || self.reading.provisioned || self.reading.template || self.pod.is_scratched() {
            return;
        }
        let name = &server.program.name;
        let why = match &self.environment.open {
            Some(open) => format!("{name} names no model here; it may come from {open}"),
            None => {
                format!("{name} names no model here, so it takes its default, or what it is told at run time")
            }
        };
        self.reading.unresolved(self.at, name, why);
    }

    /// Where the container fetches from.
    fn fetcher(&mut self) {
        let offline = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]
            .into_iter()
            .find(|name| self.environment.says_yes(name));
        let (endpoint, variable) = match (offline, self.environment.get("HF_ENDPOINT")) {
            (Some(_), _) => (Endpoint::Offline, None),
            (_, Some(Variable::Literal(text, at))) if !text.is_empty() => {
                (Endpoint::Set(text.clone()), at.clone())
            }
            (_, Some(Variable::Elsewhere(why))) => (Endpoint::Elsewhere(why.clone()), None),
            (_, Some(Variable::Literal(_, at))) => (Endpoint::Default, at.clone()),
            (_, None) => match &self.environment.open {
                Some(open) => (Endpoint::Elsewhere(format!("it may come from {open}")), None),
                None => (Endpoint::Default, None),
            },
        };
        let has_variables = self.value.get("env").is_some_and(Value::is_array);
        let fixed = self.fetches == Some(false);
        let fetcher = Fetcher { at: self.at.to_owned(), endpoint, variable, has_variables, fixed };
        if self.fetches.is_some() {
            if let (Some(name), true) = (offline, fetcher.endpoint == Endpoint::Offline) {
                let message = format!(
                    "with `{name}` the model is what lies in the container's cache, not what the registry serves"
                );
                self.reading.finding(Code::Offline, self.at, message);
            }
            self.reading.fetcher(fetcher);
        } else if self.reading.containers.len() < 64 {
            self.reading.containers.push(fetcher);
        }
    }
}

/// Whether words hold a flag that may name a model.
fn mentions(words: &[Word]) -> bool {
    words
        .iter()
        .any(|word| word.text.starts_with('-') && word.text.contains("model") || word.text.starts_with("-hf"))
}
