//! Whatever `--key` names to sign with: a file, a key in a hardware module, a key behind another program.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use alnage_hsm::{ExecSigner, ExecUri, Pin, PinPlace, Pkcs11Uri, TokenKey};
use alnage_pipeline::{Signer, SigningKey, certificates, signing_key, x509::Certificate};
use anyhow::{Context as _, bail};

use crate::{args::CertificateArgs, output::hinted};

/// Where a PIN is looked for when the URI does not say.
const PIN_VARIABLE: &str = "ALNAGE_PIN";
const MAX_PIN: u64 = 4 << 10;
/// Where the password of a key file is looked for, and where the file that holds it is named.
const PASSWORD_VARIABLE: &str = "ALNAGE_KEY_PASSWORD";
const PASSWORD_FILE_VARIABLE: &str = "ALNAGE_KEY_PASSWORD_FILE";
/// What of the environment is read here and is no setting.
pub(crate) const VARIABLES: [&str; 3] = [PIN_VARIABLE, PASSWORD_VARIABLE, PASSWORD_FILE_VARIABLE];
const PASSWORD_HINT: &str = "put the password in a file only you can read and name it in `ALNAGE_KEY_PASSWORD_FILE`, or put \
                             it in `ALNAGE_KEY_PASSWORD`; at a terminal it is asked for";

/// A key to sign with, and the certificates that its token holds for it.
#[derive(Debug)]
pub(crate) struct OpenKey {
    pub(crate) signer: Box<dyn Signer>,
    certificates: Vec<Vec<u8>>,
}

/// Opens the key that `name` names.
pub(crate) fn open(name: &Path) -> anyhow::Result<OpenKey> {
    match name.to_str() {
        Some(uri) if Pkcs11Uri::is(uri) => {
            // No message may hold the URI: a PIN could be in it.
            let uri = Pkcs11Uri::parse(uri).map_err(explained)?;
            let key = TokenKey::open(&uri, |token| pin(&uri, token)).map_err(explained)?;
            Ok(OpenKey { certificates: key.certificates().to_vec(), signer: Box::new(key) })
        }
        Some(uri) if ExecUri::is(uri) => {
            let signer = ExecSigner::open(ExecUri::parse(uri)?)?;
            Ok(OpenKey { signer: Box::new(signer), certificates: Vec::new() })
        }
        _ => Ok(OpenKey { signer: Box::new(key_file(name)?), certificates: Vec::new() }),
    }
}

/// Reads the private key in a file.
pub(crate) fn key_file(path: &Path) -> anyhow::Result<SigningKey> {
    let context = || format!("the key `{}`", path.display());
    let mut missing = false;
    let key = signing_key(path, || password(path).inspect_err(|_| missing = true));
    match key {
        Err(error) if missing => Err(hinted(format!("{}: {error}", context()), PASSWORD_HINT)),
        key => key.with_context(context),
    }
}

/// The password of a key file: from a file that the environment names, the environment, or whoever sits at the terminal.
fn password(path: &Path) -> Result<String, String> {
    if let Some(file) = std::env::var_os(PASSWORD_FILE_VARIABLE) {
        let bytes = alnage_fs::read_small(Path::new(&file), MAX_PIN)
            .map_err(|error| format!("its password cannot be read: {error}"))?;
        let text = String::from_utf8(bytes).map_err(|_| "its password is no text".to_owned())?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Ok(text) = std::env::var(PASSWORD_VARIABLE) {
        return Ok(text);
    }
    if !io::stdin().is_terminal() {
        return Err("it is encrypted, and there is no password for it".to_owned());
    }
    rpassword::prompt_password(format!("Password for `{}`: ", path.display()))
        .map_err(|error| format!("its password cannot be asked for: {error}"))
}

/// The certificates that a signature with `key` carries; none when it is to name the key alone.
pub(crate) fn certificate_chain(arguments: &CertificateArgs, key: &OpenKey) -> anyhow::Result<Vec<Vec<u8>>> {
    let Some(place) = &arguments.certificate else { return Ok(Vec::new()) };
    let is_token = place.to_str().is_some_and(Pkcs11Uri::is);
    let mut chain = if is_token {
        key.certificates.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?
    } else {
        certificates(place)?
    };
    if chain.is_empty() {
        bail!("there is no certificate beside the key in its token");
    }
    let signers_own = &chain[0];
    if signers_own.verifying_key()? != *key.signer.verifying_key() {
        return Err(hinted(
            format!("the certificate of `{}` is for another key", signers_own.subject()),
            "the signer's own certificate comes first; those that lead to an authority belong in `--cert-chain`",
        ));
    }
    for place in &arguments.cert_chain {
        chain.extend(certificates(place)?);
    }
    Ok(chain.iter().map(|certificate| certificate.der().to_vec()).collect())
}

/// The PIN for `token`: from where the URI says, the environment, or whoever sits at the terminal.
fn pin(uri: &Pkcs11Uri, token: &str) -> Result<Option<Pin>, alnage_hsm::Error> {
    let failed = |message: String| alnage_hsm::Error::Token(message);
    match &uri.pin_source {
        Some(PinPlace::File(path)) => {
            let bytes = alnage_fs::read_small(Path::new(path), MAX_PIN)
                .map_err(|error| failed(format!("the PIN cannot be read: {error}")))?;
            let text =
                String::from_utf8(bytes).map_err(|_| failed("the PIN in its file is no text".into()))?;
            Ok(Some(Pin::new(text)))
        }
        Some(PinPlace::Variable(name)) => match std::env::var(name) {
            Ok(text) => Ok(Some(Pin::new(text))),
            Err(_) => Err(failed("the environment variable that `pin-source` names is not set".into())),
        },
        None => {
            if let Ok(text) = std::env::var(PIN_VARIABLE) {
                return Ok(Some(Pin::new(text)));
            }
            if !io::stdin().is_terminal() {
                return Ok(None);
            }
            let text = rpassword::prompt_password(format!("PIN for `{token}`: "))
                .map_err(|error| failed(format!("the PIN cannot be asked for: {error}")))?;
            Ok(Some(Pin::new(text)))
        }
    }
}

fn explained(error: alnage_hsm::Error) -> anyhow::Error {
    let hint = match &error {
        alnage_hsm::Error::PinInUri => {
            "leave `pin-value` out, and change the PIN if the command was run on a shared machine; put the PIN in a \
             file only you can read (`pin-source=file:/path`), or in the variable `ALNAGE_PIN`, or type it when asked"
        }
        alnage_hsm::Error::PinNeeded(_) => {
            "`pin-source=file:/path` in the URI, or the variable `ALNAGE_PIN`; at a terminal it is asked for"
        }
        _ => return error.into(),
    };
    hinted(error.to_string(), hint)
}
