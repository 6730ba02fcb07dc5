//! A witness's directory: its keys, the logs it watches, and what it has cosigned of each.

use std::{collections::BTreeMap, path::Path};

use alnage_fs::LogDir;
use alnage_log::{
    LogVerifier, NoteKey, NoteVerifier, Refusal, Scheme, Store, Update, cosigned_checkpoint, log_of_update,
};
use alnage_types::Digest;

use super::{LOG_KEY, MAX_TEXT, keep_keys, make_note_keys};
use crate::Error;

const VERIFIER: &str = "witness.vkey";
/// The public keys of the logs that are watched, one a line.
const LOGS: &str = "logs";
const SEEN: &str = "seen";

/// A witness that others wait for until it is dropped.
#[derive(Debug)]
pub struct WitnessDir {
    store: LogDir,
    keys: Vec<NoteKey>,
}

/// Why a witness gives no cosignature.
#[derive(Debug)]
pub enum WitnessError {
    /// It does not agree.
    Refused(Refusal),
    /// It cannot say, because its own files cannot be read or written.
    Failed(Error),
}

impl WitnessDir {
    /// Opens the witness in `directory`; its keys are made on first use, under `name` when one is given.
    pub fn lock(directory: &Path, name: Option<&str>) -> Result<Self, Error> {
        let store = LogDir::lock(directory)?;
        let keys = match alnage_fs::read_small(&directory.join(LOG_KEY), MAX_TEXT) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                text.lines().map(NoteKey::from_text).collect::<Result<Vec<_>, _>>()?
            }
            Err(alnage_fs::Error::NotFound(_)) => {
                let keys = make_note_keys(name, &[Scheme::Cosignature, Scheme::MlDsa44])?;
                let lines: Vec<String> = keys.iter().map(|key| key.verifier().to_string()).collect();
                keep_keys(directory, VERIFIER, &lines.join("\n"), &NoteKey::texts(&keys))?;
                keys
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { store, keys })
    }

    /// Its public keys.
    pub fn verifiers(&self) -> impl Iterator<Item = &NoteVerifier> {
        self.keys.iter().map(NoteKey::verifier)
    }

    /// Decides on the body of an `add-checkpoint` request: the cosignatures, which are handed out only after what was
    /// cosigned is on the disk.
    pub fn add_checkpoint(&mut self, body: &[u8], time: u64) -> Result<String, WitnessError> {
        let refused = |message: &str| WitnessError::Refused(Refusal::Malformed(message.to_owned()));
        let text = str::from_utf8(body).map_err(|_| refused("the request is not text"))?;
        let update = Update::parse(text).map_err(|error| refused(&error.to_string()))?;
        let logs = self.logs().map_err(WitnessError::Failed)?;
        let log = log_of_update(&update, &logs).map_err(WitnessError::Refused)?;
        let place = format!("{SEEN}/{}", Digest::of(log.origin().as_bytes()));
        let failed = |error: alnage_log::Error| WitnessError::Failed(error.into());
        let at_place = |source| failed(alnage_log::Error::Store { name: place.clone(), source });
        let latest = match self.store.read(&place).map_err(at_place)? {
            Some(note) => {
                let own = self.keys.iter().map(NoteKey::verifier);
                Some(cosigned_checkpoint(&String::from_utf8_lossy(&note), own).map_err(failed)?)
            }
            None => None,
        };
        let agreed = alnage_log::witness(&update, log, latest.as_ref(), &self.keys, time)
            .map_err(WitnessError::Refused)?;
        self.store.write(&place, agreed.note.as_bytes()).map_err(at_place)?;
        Ok(agreed.cosignatures)
    }

    /// The logs it watches; read each time, so that one can be added while it runs.
    fn logs(&self) -> Result<Vec<LogVerifier>, Error> {
        let bytes = match alnage_fs::read_small(&self.store.path().join(LOGS), MAX_TEXT) {
            Ok(bytes) => bytes,
            Err(alnage_fs::Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        for line in String::from_utf8_lossy(&bytes).lines().map(str::trim) {
            if let Some((name, _)) = line.split_once('+').filter(|_| !line.starts_with('#')) {
                let of_log = keys.entry(name.to_owned()).or_default();
                of_log.push_str(line);
                of_log.push('\n');
            }
        }
        Ok(keys.values().map(|keys| LogVerifier::from_text(keys)).collect::<Result<_, _>>()?)
    }
}
