//! A key behind another program: for key services and hardware that speak no PKCS#11.
//!
//! The program is started without a shell, twice:
//!
//! - `PROGRAM public-key [ARGUMENT…]` writes the public key in PEM.
//! - `PROGRAM sign ALGORITHM [ARGUMENT…]` reads what is to be signed from standard input and writes the signature in
//!   DER. `ALGORITHM` is `ecdsa-sha256`, `ecdsa-sha384` or `ecdsa-sha512`, by the key's curve. The input is the raw
//!   digest, or the message itself with `input=message`.
//!
//! Exit code 0 means success. What it writes to standard error is shown when it fails. It inherits the environment.

use std::{
    ffi::OsStr,
    fmt,
    io::{Read, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use alnage_sign::{Curve, Signer, VerifyingKey};

use crate::{Error, digest, uri};

/// More output than any key or signature takes.
const MAX_OUTPUT: u64 = 64 << 10;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the program is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// What a URI `exec:/path/to/program?…` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecUri {
    /// The program.
    pub program: PathBuf,
    /// Further arguments (`argument=`, any number of them).
    pub arguments: Vec<String>,
    /// What the program is given to sign (`input=`).
    pub input: Input,
    /// How long one call may take (`timeout=`, seconds).
    pub timeout: Duration,
}

/// What an external program is given to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The digest, raw.
    Digest,
    /// The whole message.
    Message,
}

impl ExecUri {
    /// Whether `text` is a URI of this kind.
    pub fn is(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads a URI.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let body = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| Error::Uri(format!("it does not begin with `{SCHEME}`")))?;
        let (program, query) = body.split_once('?').unwrap_or((body, ""));
        let program = decoded(program)?;
        if !program.starts_with('/') {
            return Err(Error::Uri("the program's path is not absolute".into()));
        }
        let mut uri = Self {
            program: PathBuf::from(program),
            arguments: Vec::new(),
            input: Input::Digest,
            timeout: DEFAULT_TIMEOUT,
        };
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| Error::Uri("an attribute has no value (`name=value`)".into()))?;
            match (name, decoded(value)?) {
                ("argument", value) => uri.arguments.push(value),
                ("input", value) if value == "digest" => uri.input = Input::Digest,
                ("input", value) if value == "message" => uri.input = Input::Message,
                ("timeout", value) => {
                    let seconds = value.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
                    let seconds =
                        seconds.ok_or_else(|| Error::Uri("`timeout` is not 1 to 3600 seconds".into()))?;
                    uri.timeout = Duration::from_secs(seconds);
                }
                ("input", _) => return Err(Error::Uri("`input` is neither `digest` nor `message`".into())),
                (other, _) => {
                    return Err(Error::Uri(format!("the attribute `{}` is not known", other.escape_debug())));
                }
            }
        }
        Ok(uri)
    }
}

const SCHEME: &str = "exec:";

fn decoded(text: &str) -> Result<String, Error> {
    let bytes = uri::decode(text).ok_or_else(|| Error::Uri("a value is wrongly encoded".into()))?;
    String::from_utf8(bytes).map_err(|_| Error::Uri("a value is no text".into()))
}

/// A key behind another program.
pub struct ExecSigner {
    uri: ExecUri,
    public: VerifyingKey,
}

impl ExecSigner {
    /// Asks the program for its public key.
    pub fn open(uri: ExecUri) -> Result<Self, Error> {
        let output = run(&uri, &["public-key"], &[])?;
        let public = VerifyingKey::from_pem(&String::from_utf8_lossy(&output)).map_err(|error| {
            Error::Failed(format!("`{}` gave no public key: {error}", uri.program.display()))
        })?;
        Ok(Self { uri, public })
    }

    fn sign_with_program(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let curve = self.public.curve();
        let algorithm = match curve {
            Curve::P256 => "ecdsa-sha256",
            Curve::P384 => "ecdsa-sha384",
            Curve::P521 => "ecdsa-sha512",
        };
        let hashed;
        let input = match self.uri.input {
            Input::Message => message,
            Input::Digest => {
                hashed = digest(curve, message);
                &hashed
            }
        };
        let signature = run(&self.uri, &["sign", algorithm], input)?;
        match self.public.verify(message, &signature) {
            Ok(()) => Ok(signature),
            Err(_) => {
                let program = self.uri.program.display();
                Err(Error::Failed(format!(
                    "what `{program}` gave is no signature by its key over what was asked"
                )))
            }
        }
    }
}

impl Signer for ExecSigner {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, alnage_sign::Error> {
        Ok(self.sign_with_program(message)?)
    }
}

impl fmt::Debug for ExecSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecSigner").field("program", &self.uri.program).finish_non_exhaustive()
    }
}

/// Runs the program to its end and gives what it wrote.
fn run(uri: &ExecUri, first: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
    let refuse = |reason: String| Error::Failed(format!("`{}` {reason}", uri.program.display()));
    let arguments = first.iter().copied().map(OsStr::new).chain(uri.arguments.iter().map(OsStr::new));
    let mut child = Command::new(&uri.program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| refuse(format!("cannot be started: {error}")))?;
    let deadline = Instant::now() + uri.timeout;
    // Each pipe has a thread, so that a program that reads and writes in any order cannot block us, and a pipe that
    // some grandchild keeps open does not either: such a thread is left behind.
    if let Some(mut pipe) = child.stdin.take() {
        let input = input.to_vec();
        // A program that does not read everything may still succeed.
        thread::spawn(move || drop(pipe.write_all(&input)));
    }
    let output = child.stdout.take().map(read);
    let errors = child.stderr.take().map(read);
    let status = loop {
        match child.try_wait().map_err(|error| refuse(format!("cannot be waited for: {error}")))? {
            Some(status) => break status,
            None if Instant::now() >= deadline => {
                stop(&mut child);
                return Err(refuse(format!("did not end within {} seconds", uri.timeout.as_secs())));
            }
            None => thread::sleep(PAUSE),
        }
    };
    let rest = || deadline.saturating_duration_since(Instant::now()).max(PAUSE);
    let collect = |pipe: Option<Receiver<Vec<u8>>>| pipe.and_then(|pipe| pipe.recv_timeout(rest()).ok());
    let output = collect(output);
    if !status.success() {
        let said = String::from_utf8_lossy(&collect(errors).unwrap_or_default()).trim().to_owned();
        let said: String = said.escape_debug().take(400).collect();
        return Err(refuse(format!("failed with {status}: {said}")));
    }
    let output = output.ok_or_else(|| refuse("did not close its output".into()))?;
    if output.len() as u64 > MAX_OUTPUT {
        return Err(refuse("wrote more than a key or signature takes".into()));
    }
    Ok(output)
}

fn read(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.by_ref().take(MAX_OUTPUT + 1).read_to_end(&mut bytes);
        if read.is_ok() {
            // Nobody listens any more after a timeout.
            let _ = sender.send(bytes);
        }
        // What is too much is read and dropped, so that the program can end.
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    });
    receiver
}

fn stop(child: &mut Child) {
    // It may have ended meanwhile; either way it is over.
    let _ = child.kill();
    let _ = child.wait();
}
