//! Why a key that lives elsewhere cannot be used.

/// Why a key that lives elsewhere cannot be used, by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The URI is written wrongly; mend it.
    #[error("not a usable key URI: {0}")]
    Uri(String),
    /// A PIN stands where everybody on the machine can read it.
    #[error("a PIN in a key URI can be read by everybody who lists processes or reads the configuration")]
    PinInUri,
    /// The library of the module cannot be loaded; name another.
    #[error("the PKCS#11 module cannot be used: {0}")]
    Module(String),
    /// No token, or several, fit the URI.
    #[error("{0}")]
    Token(String),
    /// The token asks for a PIN and none was given.
    #[error("the token `{0}` asks for a PIN")]
    PinNeeded(String),
    /// The PIN is wrong; too many of these lock the token.
    #[error("the PIN for the token `{token}` is wrong{left}")]
    WrongPin {
        /// The token's label.
        token: String,
        /// What the token says of the tries that are left.
        left: &'static str,
    },
    /// The PIN was wrong too often; the token's security officer can set it anew.
    #[error("the token `{0}` is locked: its PIN was wrong too often")]
    Locked(String),
    /// No key, or several, fit the URI.
    #[error("{0}")]
    Object(String),
    /// The key is there and did not sign.
    #[error("the key did not sign: {0}")]
    Failed(String),
}

impl From<Error> for alnage_sign::Error {
    fn from(error: Error) -> Self {
        Self::Key(error.to_string())
    }
}
