//! Why something cannot be done, by what the caller can do about it.

use postgres::error::SqlState;

/// Why the registry refuses or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("{0} is not known")]
    NotFound(String),
    /// It would contradict what is there already.
    #[error("{0}")]
    Conflict(String),
    /// A rule forbids it to this person, or to anybody.
    #[error("{0}")]
    Forbidden(String),
    /// What was given is not well formed.
    #[error("{0}")]
    Invalid(String),
    /// Something else is needed and does not answer now.
    #[error("{0}")]
    Unavailable(String),
    /// Something is broken here.
    #[error("{0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the functions of this crate give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Something is broken here, in words.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into().into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => {
                Self::Conflict(format!("the database refused it: {error}"))
            }
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::Unavailable("the database is busy".into())
            }
            Some(rusqlite::ErrorCode::DiskFull) => {
                Self::Unavailable("the disk of the database is full".into())
            }
            _ => Self::Internal(Box::new(error)),
        }
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Conflict(format!("the database refused it: {error}")),
            Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW) => {
                Self::Unavailable(format!("the database is going down or coming up: {error}"))
            }
            None if error.is_closed() || is_broken(&error) => {
                Self::Unavailable(format!("the connection to the database broke: {error}"))
            }
            _ => Self::Internal(Box::new(error)),
        }
    }
}

/// Whether the network failed, and not the statement.
fn is_broken(error: &postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::Unavailable("the disk is full".into());
        }
        Self::Internal(Box::new(error))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(Box::new(error))
    }
}
