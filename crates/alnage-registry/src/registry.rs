//! The registry itself: records, blobs, log and policy, opened together.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use alnage_policy::Pack;
use url::Url;

use crate::{
    Error, Result,
    blobs::{Blobs, Local, S3, S3Settings},
    database::{Connection, Database, Place, Transaction},
    transparency::Log,
    upstream::{self, Guard, Upstream},
};

/// What a registry is opened with.
#[derive(Clone)]
pub struct Settings {
    /// Where the server keeps what only it needs: scratch, and everything else unless told otherwise.
    pub data: PathBuf,
    /// Where the records are.
    pub database: Place,
    /// Where the bytes are.
    pub store: StorePlace,
    /// Under which address people reach it, without a slash at the end.
    pub public_url: String,
    /// The name of the log: like a URL without its scheme.
    pub log_origin: String,
    /// What decides.
    pub policy: Pack,
    /// The hub that unknown models are pulled from.
    pub upstream: Option<upstream::Settings>,
    /// How many have to approve, apart from who asks.
    pub votes: u64,
    /// Public keys, PEM, whose signatures over models count.
    pub trusted_keys: Vec<String>,
    /// A trust file: whose signatures count besides, by certificate or without a key of their own.
    pub signer_trust: Option<PathBuf>,
    /// Who may be told what happens although they are inside a network.
    pub receivers: Receivers,
}

/// Receivers of notices that are no public ones over TLS.
#[derive(Debug, Clone, Default)]
pub struct Receivers {
    /// Their hosts and ports, as URLs.
    pub hosts: Vec<String>,
    /// Whether whoever listens on this machine may be one: of a registry that only this machine reaches.
    pub this_machine: bool,
}

impl Receivers {
    fn guard(&self) -> Result<Guard> {
        let mut guard = Guard::public();
        if self.this_machine {
            guard = guard.and_this_machine();
        }
        for host in &self.hosts {
            let url = Url::parse(host).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let url =
                url.ok_or_else(|| Error::Invalid(format!("`{host:.100}` is no address of a receiver")))?;
            guard = guard.and_only(&url);
        }
        Ok(guard)
    }
}

impl Settings {
    /// A registry that keeps everything below `data`.
    pub fn below(data: &Path, policy: Pack) -> Self {
        Self {
            data: data.to_owned(),
            database: Place::File(data.join("registry.db")),
            store: StorePlace::Directory(data.join("store")),
            public_url: "http://127.0.0.1:8080".into(),
            log_origin: "alnage.local/registry".into(),
            policy,
            upstream: None,
            votes: 1,
            trusted_keys: Vec::new(),
            signer_trust: None,
            receivers: Receivers::default(),
        }
    }
}

/// Where bytes are kept.
#[derive(Debug, Clone)]
pub enum StorePlace {
    /// A directory.
    Directory(PathBuf),
    /// A bucket.
    Bucket(S3Settings),
}

/// Everything about models that has a state. Clones are the same registry.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    settings: Settings,
    database: Database,
    blobs: Blobs,
    log: Log,
    upstream: Option<Upstream>,
    receivers: Guard,
    policy: RwLock<Pack>,
    clock: fn() -> u64,
    last_id: AtomicI64,
    bell: Bell,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({:?})", self.0.settings.database)
    }
}

impl Registry {
    /// Opens a registry, and makes it when there is none. `clock` gives seconds since 1970.
    pub fn open(settings: Settings, clock: fn() -> u64) -> Result<Self> {
        std::fs::create_dir_all(settings.data.join("scratch")).map_err(|error| {
            Error::Unavailable(format!("cannot make the directory `{}`: {error}", settings.data.display()))
        })?;
        let blobs = match &settings.store {
            StorePlace::Directory(path) => Blobs::Local(Local::at(path)?),
            StorePlace::Bucket(bucket) => Blobs::S3(S3::at(bucket.clone(), &settings.data)?),
        };
        let database = Database::open(&settings.database)?;
        let log = Log::open(&database, &settings.log_origin)?;
        let upstream = settings.upstream.as_ref().map(Upstream::new).transpose();
        let upstream = upstream.map_err(|error| Error::Invalid(error.to_string()))?;
        let receivers = settings.receivers.guard()?;
        let registry = Self(Arc::new(Inner {
            receivers,
            policy: RwLock::new(settings.policy.clone()),
            settings,
            database,
            blobs,
            log,
            upstream,
            clock,
            last_id: AtomicI64::new(0),
            bell: Bell::default(),
        }));
        // What cannot be read would have every signature refused later.
        registry.signers()?;
        Ok(registry)
    }

    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The records.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The bytes.
    pub fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// The hub that unknown models are pulled from.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.0.upstream.as_ref()
    }

    /// Where notices may go.
    pub(crate) fn receivers(&self) -> &Guard {
        &self.0.receivers
    }

    /// What decides now.
    pub fn policy(&self) -> Pack {
        self.0.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets another pack decide from now on. What was decided stays until it is decided again.
    pub fn set_policy(&self, pack: Pack) {
        *self.0.policy.write().unwrap_or_else(PoisonError::into_inner) = pack;
    }

    /// Under which address people reach it, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.0.settings.public_url
    }

    /// A directory for what is under way.
    pub fn scratch(&self) -> PathBuf {
        self.0.settings.data.join("scratch")
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        (self.0.clock)()
    }

    /// A number that changes whenever anything changes that an answer depends on; time alone may change an answer too,
    /// when an approval expires.
    pub fn generation(&self) -> Result<i64> {
        self.read(|connection| {
            let row = connection.query_one("SELECT value FROM counters WHERE name = 'generation'", &[])?;
            row.map_or(Ok(0), |row| row.int(0))
        })
    }

    /// Rings when something happened in this process that somebody may wait for.
    pub fn bell(&self) -> &Bell {
        &self.0.bell
    }

    /// Reads the records.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        self.0.database.read(work)
    }

    /// Changes the records.
    pub(crate) fn write<T>(&self, work: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        self.0.database.write(work)
    }

    pub(crate) fn log(&self) -> &Log {
        &self.0.log
    }

    /// A number that is higher than those given before here, and different from those given elsewhere but by a rare
    /// chance: microseconds, shifted by what tells processes apart.
    pub(crate) fn ordered_id(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX >> 10);
        let candidate = micros.saturating_mul(512).saturating_add(i64::from(std::process::id() % 512));
        let next = |last: i64| candidate.max(last.saturating_add(512));
        let before =
            self.0.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }
}

/// Wakes those in this process who wait for something to happen. Other processes are not heard: look now and then.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    /// Something happened.
    pub fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        *rung = rung.wrapping_add(1);
        self.heard.notify_all();
    }

    /// How often it rang. To be asked before looking, so that nothing is missed between looking and waiting.
    pub fn count(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it rings after `count`, or for so long.
    pub fn wait(&self, count: u64, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while *rung == count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            rung = self.heard.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
