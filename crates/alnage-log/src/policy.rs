//! Whose cosignatures a checkpoint must carry: <https://c2sp.org/tlog-policy>.

use std::collections::HashMap;

use crate::{Error, LogVerifier, NoteVerifier, Scheme, checkpoint, note::Note};

/// The most lines a policy may have.
const MAX_LINES: usize = 1024;

/// Logs, witnesses, and how many of which are enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The logs it accepts; none when the log is known otherwise.
    pub logs: Vec<NoteVerifier>,
    /// Every witness it names.
    pub witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
}

/// One witness of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name in the policy.
    pub name: String,
    /// Verifies its cosignatures.
    pub verifier: NoteVerifier,
    /// Where it takes checkpoints, without `/add-checkpoint`.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    needed: usize,
    members: Vec<Member>,
}

/// By its place in the list; a group's members come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// A witness that has cosigned, and when it says it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's name in the policy.
    pub witness: String,
    /// Seconds since the beginning of 1970.
    pub time: u64,
}

impl Policy {
    /// Reads a policy.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut policy = Self { logs: Vec::new(), witnesses: Vec::new(), groups: Vec::new(), quorum: None };
        let mut names: HashMap<&str, Member> = HashMap::new();
        let mut used: Vec<&str> = Vec::new();
        let mut quorums = 0;
        for (number, line) in text.split('\n').enumerate() {
            let malformed = |message: &str| {
                Error::Malformed(format!("not a policy for logs: line {}: {message}", number + 1))
            };
            if number >= MAX_LINES {
                return Err(malformed("there are too many lines"));
            }
            if line.chars().any(|character| character.is_ascii_control() && character != '\t') {
                return Err(malformed("there is a control character"));
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["log", key, rest @ ..] if rest.len() <= 1 => {
                    let key = NoteVerifier::from_text(key)?;
                    if key.scheme() == Scheme::Cosignature {
                        return Err(malformed("a witness's key stands for a log"));
                    }
                    if policy.logs.iter().any(|log| log.same_key(&key)) {
                        return Err(malformed("the log is there twice"));
                    }
                    policy.logs.push(key);
                }
                ["witness", name, key, rest @ ..] if rest.len() <= 1 => {
                    let verifier = NoteVerifier::from_text(key)?;
                    if verifier.scheme() == Scheme::Ed25519 {
                        return Err(malformed("a log's key stands for a witness"));
                    }
                    if policy.witnesses.iter().any(|witness| witness.verifier.same_key(&verifier)) {
                        return Err(malformed("the witness is there twice"));
                    }
                    define(&mut names, name, Member::Witness(policy.witnesses.len())).map_err(malformed)?;
                    let url = rest.first().map(|url| (*url).to_owned());
                    policy.witnesses.push(Witness { name: (*name).to_owned(), verifier, url });
                }
                ["group", name, needed, members @ ..] if !members.is_empty() => {
                    let mut group = Group { needed: 0, members: Vec::with_capacity(members.len()) };
                    for member in members {
                        if used.contains(member) {
                            return Err(malformed("a member is in a group already"));
                        }
                        used.push(member);
                        let known = names.get(member).ok_or_else(|| malformed("a member is not known"))?;
                        group.members.push(*known);
                    }
                    group.needed = match *needed {
                        "any" => 1,
                        "all" => members.len(),
                        number => checkpoint::decimal(number)
                            .and_then(|number| usize::try_from(number).ok())
                            .filter(|needed| (1..=members.len()).contains(needed))
                            .ok_or_else(|| malformed("it needs more members than it has, or none"))?,
                    };
                    define(&mut names, name, Member::Group(policy.groups.len())).map_err(malformed)?;
                    policy.groups.push(group);
                }
                ["quorum", name] => {
                    quorums += 1;
                    policy.quorum = match *name {
                        "none" => None,
                        name => Some(*names.get(name).ok_or_else(|| malformed("the quorum is not known"))?),
                    };
                }
                _ => return Err(malformed("it is neither `log`, `witness`, `group` nor `quorum`")),
            }
        }
        match quorums {
            1 => Ok(policy),
            count => Err(Error::Malformed(format!("not a policy for logs: it has {count} quorum lines"))),
        }
    }

    /// Who has cosigned `checkpoint`. An error when they are too few, or when a cosignature does not hold. The log's
    /// own signature is another question.
    pub fn verify(&self, checkpoint: &str) -> Result<Vec<Cosigned>, Error> {
        let note = Note::parse(checkpoint)?;
        checkpoint::parse(note.text)?;
        let mut cosigned = Vec::new();
        let mut witnessed = Vec::with_capacity(self.witnesses.len());
        for witness in &self.witnesses {
            let time = note.verify(&witness.verifier)?;
            witnessed.push(time.is_some());
            cosigned.extend(time.map(|time| Cosigned { witness: witness.name.clone(), time }));
        }
        if self.is_met(&witnessed) {
            return Ok(cosigned);
        }
        let names: Vec<&str> = cosigned.iter().map(|cosigned| cosigned.witness.as_str()).collect();
        let by = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        Err(Error::Unproven(format!("the checkpoint is cosigned by {by}, which the policy finds too few")))
    }

    fn is_met(&self, witnessed: &[bool]) -> bool {
        let mut met: Vec<bool> = Vec::with_capacity(self.groups.len());
        let holds = |member: &Member, met: &[bool]| match *member {
            Member::Witness(index) => witnessed.get(index).copied().unwrap_or(false),
            Member::Group(index) => met.get(index).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group.members.iter().filter(|member| holds(member, &met)).count();
            met.push(count >= group.needed);
        }
        self.quorum.as_ref().is_none_or(|quorum| holds(quorum, &met))
    }

    /// The logs that the policy accepts, for one of which a checkpoint must be.
    pub fn log_verifiers(&self) -> Result<Vec<LogVerifier>, Error> {
        self.logs.iter().map(|log| LogVerifier::from_text(&log.to_string())).collect()
    }
}

fn define<'a>(
    names: &mut HashMap<&'a str, Member>,
    name: &'a str,
    member: Member,
) -> Result<(), &'static str> {
    if name == "none" {
        return Err("`none` is no name");
    }
    if names.insert(name, member).is_some() { Err("the name is there twice") } else { Ok(()) }
}
