//! Content smuggled in a string: something encoded as base64 or hexadecimal, or a script in plain sight.

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use aho_corasick::AhoCorasick;
use alnage_types::{ArtifactPath, MemorySource, Source, WindowSource};
use serde::Serialize;

use crate::{Context, Probe, registry};

/// How many carried things of a file are kept.
const MAX_CARRIED: usize = 64;
/// Longer strings are handed on whole: nobody hides a line of script in them that the member's own reading misses.
pub(crate) const MAX_LOOK: u64 = 4 << 20;
/// Steps that a look costs: a file can have millions of strings.
const LOOK_COST: u64 = 60;
/// What native programs and archives start with.
const STRONG_MAGICS: &[(&[u8], &str)] = &[
    (b"\x7fELF", "elf"),
    (b"MZ\x90\0", "pe"),
    (b"\xcf\xfa\xed\xfe", "mach-o"),
    (b"\xca\xfe\xba\xbe", "mach-o"),
    (b"PK\x03\x04", "zip"),
];

/// Something that a string of the file carries although the format has no use for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Carried {
    /// Where the string stands: a metadata key, an attribute's path.
    pub place: String,
    /// What it carries.
    pub kind: CarriedKind,
    /// What gave it away: the encoded format's name, the piece of script.
    pub evidence: String,
    /// Offset in the file, near the string.
    pub offset: u64,
}

/// What a string carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CarriedKind {
    /// Base64 of a format that is recognised.
    Base64,
    /// Hexadecimal digits of a format that is recognised.
    Hexadecimal,
    /// Bytes of a format that is recognised, not encoded.
    Raw,
    /// Source of a script that runs commands or reaches into the interpreter.
    Script,
}

/// Looks into the string at `place`; what is recognised in it is handed on as the member `place`.
pub(crate) fn look(
    place: &str,
    text: &[u8],
    offset: u64,
    carried: &mut Vec<Carried>,
    context: &mut Context<'_>,
) {
    // Nothing that is encoded is shorter than sixteen bytes; a command can be.
    if carried.len() >= MAX_CARRIED || text.len() < 8 {
        return;
    }
    if let Err(limit) = context.meter().step(LOOK_COST + text.len() as u64 / 16) {
        return context.exhausted(limit, offset);
    }
    if text.len() as u64 > MAX_LOOK {
        return context.member(place, Arc::new(MemorySource::new(text)));
    }
    let shown = super::summary::shortened(place);
    let mut keep = |kind, evidence: String| {
        carried.push(Carried { place: shown.clone(), kind, evidence, offset });
    };
    if text.len() < 16 {
        if let Some(marker) = script_marker(&String::from_utf8_lossy(text)) {
            keep(CarriedKind::Script, marker.to_owned());
        }
        return;
    }
    let path = context.path().member(place);
    if let Some(format) = recognised(text, &path) {
        keep(CarriedKind::Raw, format.to_owned());
        return context.member(place, Arc::new(MemorySource::new(text)));
    }
    for (kind, decoded) in
        [(CarriedKind::Hexadecimal, hexadecimal(text)), (CarriedKind::Base64, base64(text))]
    {
        let Some(decoded) = decoded else { continue };
        if let Some(format) = recognised(&decoded, &path) {
            keep(kind, format.to_owned());
            return context.member(place, Arc::new(MemorySource::new(decoded)));
        }
        if let Some(marker) = script_marker(&String::from_utf8_lossy(&decoded)) {
            keep(CarriedKind::Script, marker.to_owned());
            return context.member(format!("{place}.py"), Arc::new(MemorySource::new(decoded)));
        }
    }
    let text = String::from_utf8_lossy(text);
    if let Some(marker) = script_marker(&text) {
        keep(CarriedKind::Script, marker.to_owned());
        context.member(format!("{place}.py"), Arc::new(MemorySource::new(text.as_bytes())));
    } else if is_configuration(&text) {
        context.member(format!("{place}.json"), Arc::new(MemorySource::new(text.as_bytes())));
    }
}

/// Looks at the start of a tensor of bytes, which can hold a whole file as it is.
pub(crate) fn look_at_tensor(
    name: &str,
    range: Range<u64>,
    source: &Arc<dyn Source>,
    carried: &mut Vec<Carried>,
    context: &mut Context<'_>,
) {
    let mut head = [0; 8];
    let count = source.read_at(range.start, &mut head).unwrap_or(0);
    let head = head.get(..count).unwrap_or_default();
    let magic = STRONG_MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name);
    let could_be_pickle =
        || matches!(head, [0x80, 2..=5, ..]) && crate::pickle::is_pickle_at(source, range.start);
    let Some(found) = magic.or_else(|| could_be_pickle().then_some("pickle")) else { return };
    if carried.len() < MAX_CARRIED && range.end - range.start >= 16 {
        let (place, evidence) = (super::summary::shortened(name), found.to_owned());
        carried.push(Carried { place, kind: CarriedKind::Raw, evidence, offset: range.start });
        let window = WindowSource::new(source.clone(), range.start, range.end - range.start);
        context.member(name, Arc::new(window));
    }
}

/// The binary format some loader would take `bytes` for.
fn recognised(bytes: &[u8], path: &ArtifactPath) -> Option<&'static str> {
    if let Some((_, name)) = STRONG_MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(name);
    }
    let source = MemorySource::new(bytes);
    let head = bytes.get(..Probe::HEAD).unwrap_or(bytes);
    let probe = Probe::new(&source, path, head, &bytes[bytes.len().saturating_sub(Probe::TAIL)..]);
    // Text is judged by what it says, not by which text format it could be.
    if probe.is_text() && !crate::pickle::is_pickle_at(&source, 0) {
        return None;
    }
    registry::formats().find(|format| (format.identify)(&probe)).map(|format| format.id)
}

/// The bytes that Python's `base64.b64decode` or its URL-safe sister makes of `text`, white space aside, when
/// `text` is base64 from end to end. A `data:` prefix is dropped.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = match text.starts_with(b"data:") {
        true => text.iter().position(|&byte| byte == b',').and_then(|at| text.get(at + 1..))?,
        false => text,
    };
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0_u32, 0_u32, 0_u32);
    for &byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ if byte.is_ascii_whitespace() => continue,
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
        }
    }
    (padding <= 2 && decoded.len() >= 12).then_some(decoded)
}

/// The bytes that `bytes.fromhex` makes of `text`, when it is hexadecimal from end to end.
pub(crate) fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let mut decoded = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = char::from(byte).to_digit(16)? as u8;
        match high.take() {
            None => high = Some(digit),
            Some(high) => decoded.push(high << 4 | digit),
        }
    }
    (high.is_none() && decoded.len() >= 8).then_some(decoded)
}

/// What only a script says.
const ALONE: &[&str] = &[
    "os.system(",
    "os.popen(",
    "os.exec",
    "os.spawn",
    "subprocess.Popen(",
    "subprocess.run(",
    "subprocess.call(",
    "subprocess.check_output(",
    "subprocess.check_call(",
    "subprocess.getoutput(",
    "__import__(",
    "__subclasses__",
    "__globals__",
    "__builtins__",
    "importlib.import_module(",
    "pty.spawn(",
    "socket.socket(",
    "pickle.loads(",
    "marshal.loads(",
    "ctypes.CDLL(",
    "exec(base64",
    "exec(compile(",
    "eval(compile(",
    "runpy.run_",
    "shutil.rmtree(",
    "urllib.request.urlopen(",
    "urlretrieve(",
    "powershell -",
    "powershell.exe",
    "cmd.exe /c",
    "/dev/tcp/",
    "bash -i",
    "bash -c",
    "sh -c ",
    "nc -e ",
    "rm -rf /",
    "<script",
    "javascript:",
    "os.execute(",
    "io.popen(",
];

/// A piece of `text` that only a script has which runs commands or reaches into the interpreter.
pub(crate) fn script_marker(text: &str) -> Option<&'static str> {
    // Without one of these no marker, no import and no first line of a script is there.
    if memchr::memchr3(b'(', b' ', b'_', text.as_bytes()).is_none()
        && memchr::memchr3(b'/', b'<', b'.', text.as_bytes()).is_none()
        && !text.contains(':')
    {
        return None;
    }
    static MARKERS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(ALONE).ok());
    let found = MARKERS.as_ref().and_then(|markers| markers.find(text));
    if let Some(marker) = found.and_then(|found| ALONE.get(found.pattern().as_usize())) {
        return Some(marker);
    }
    const DOWNLOADERS: &[&str] = &["curl ", "wget "];
    const SHELLS: &[&str] = &["| sh", "|sh", "| bash", "|bash", "| python", "|python"];
    if DOWNLOADERS.iter().any(|word| text.contains(word))
        && let Some(shell) = SHELLS.iter().find(|&&word| text.contains(word))
    {
        return Some(shell);
    }
    const MODULES: &[&str] =
        &["os", "sys", "subprocess", "socket", "ctypes", "pty", "shutil", "marshal", "pickle"];
    text.lines().flat_map(|line| line.split(';')).find_map(|statement| {
        let statement = statement.trim();
        if statement.starts_with("#!/") {
            return Some("#!/");
        }
        let module = statement.strip_prefix("import ").or_else(|| statement.strip_prefix("from "))?;
        let module = module.split([' ', ',', '.']).next().unwrap_or_default();
        MODULES.contains(&module).then_some("import of a system module")
    })
}

/// Whether `text` is a configuration that frameworks instantiate objects from.
fn is_configuration(text: &str) -> bool {
    const KEYS: &[&str] =
        &["\"_target_\"", "\"__reduce__\"", "\"auto_map\"", "\"trust_remote_code\"", "!!python/"];
    KEYS.iter().any(|key| text.contains(key))
}
