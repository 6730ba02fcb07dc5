//! People and programs that ask: who they are, what they may do, what they show to prove it.
//!
//! What proves who somebody is, a token or a session, is kept as its digest: who reads the records cannot pass for
//! anybody. They are 40 letters of 62 at random, so that a plain digest is enough.

mod account;
mod issuers;
mod login;
mod recall;
mod role;
mod secret;
mod session;
mod token;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use account::{Account, AccountKind, ProviderRoles};
pub use issuers::{Discovered, Issuers, form_pairs, with_query};
pub use login::{ATTEMPTS, WINDOW};
pub use role::{Grant, Place, Role, Roles};
pub use secret::Secret;
pub use session::{Opened, Session};
pub use token::{NewToken, Token};

use crate::{Result, database::Database};
use recall::Recall;

/// The people that the records know.
#[derive(Clone)]
pub struct People {
    database: Database,
    clock: fn() -> u64,
    recall: Arc<Recall>,
}

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The account.
    pub name: String,
    /// What kind of account.
    pub kind: AccountKind,
    /// What they may do with what they showed.
    pub roles: Roles,
    /// The token they showed, if it was one.
    pub token: Option<i64>,
}

impl People {
    /// The people in `database`.
    pub fn new(database: Database, clock: fn() -> u64) -> Self {
        Self { database, clock, recall: Arc::default() }
    }

    /// The seconds since the beginning of 1970, as a column has them.
    fn now(&self) -> i64 {
        i64::try_from((self.clock)()).unwrap_or(i64::MAX)
    }

    /// Makes the account `admin` with every right and a token for it, when there is no account at all. `secret` is the
    /// token, where it was chosen before.
    pub fn first_run(&self, secret: Option<Secret>) -> Result<Option<Secret>> {
        let secret = match secret {
            Some(secret) => secret,
            None => Secret::token()?,
        };
        let now = self.now();
        let made = self.database.write(|transaction| {
            if transaction.query_one("SELECT name FROM accounts LIMIT 1", &[])?.is_some() {
                return Ok(false);
            }
            let account =
                Account::new("admin", AccountKind::User, Roles(vec![Grant::everywhere(Role::SecurityAdmin)]));
            account::insert(transaction, &account, now)?;
            token::insert(transaction, &NewToken::of("admin", "first run"), &secret, now)?;
            Ok(true)
        })?;
        Ok(made.then_some(secret))
    }
}
