//! Sessions: people at a browser.

use super::{People, Roles, Secret, Who, account, secret};
use crate::Result;

/// A session ends so many seconds after the login.
const LENGTH: i64 = 12 * 3600;

/// A session that was just opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What the browser's cookie holds.
    pub cookie: Secret,
    /// What every form must carry.
    pub csrf: String,
}

/// A session that somebody came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub who: Who,
    /// What every form must carry.
    pub csrf: String,
}

impl People {
    /// Opens a session for somebody who proved who they are. It carries no more than what they showed.
    pub fn open_session(&self, who: &Who) -> Result<Opened> {
        let opened = Opened { cookie: Secret::plain()?, csrf: secret::random(43)? };
        let now = self.now();
        // Of an account that logged in by itself the roles of the day count; of a token, what it carried.
        let grants = who.token.map(|_| serde_json::to_string(&who.roles)).transpose()?;
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM sessions WHERE expires <= $1", &[now.into()])?;
            transaction.execute(
                "INSERT INTO sessions (hash, account, grants, csrf, created, expires) VALUES ($1, $2, $3, $4, $5, $6)",
                &[
                    (&opened.cookie.hash()).into(),
                    (&who.name).into(),
                    grants.as_ref().into(),
                    (&opened.csrf).into(),
                    now.into(),
                    now.saturating_add(LENGTH).into(),
                ],
            )
        })?;
        Ok(opened)
    }

    /// The session of a cookie.
    pub fn by_session(&self, cookie: &str) -> Result<Option<Session>> {
        let now = self.now();
        self.database.read(|connection| {
            let row = connection.query_one(
                "SELECT account, grants, csrf FROM sessions WHERE hash = $1 AND expires > $2",
                &[(&secret::hash(cookie)).into(), now.into()],
            )?;
            let Some(row) = row else { return Ok(None) };
            let Some(account) = account::one(connection, &row.text(0)?)?.filter(|account| !account.disabled)
            else {
                return Ok(None);
            };
            let roles: Roles = match row.opt_text(1)? {
                Some(grants) => serde_json::from_str(&grants)?,
                None => account.roles,
            };
            let who = Who { name: account.name, kind: account.kind, roles, token: None };
            Ok(Some(Session { who, csrf: row.text(2)? }))
        })
    }

    /// Ends the session of a cookie.
    pub fn close_session(&self, cookie: &str) -> Result<()> {
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM sessions WHERE hash = $1", &[(&secret::hash(cookie)).into()])
        })?;
        Ok(())
    }
}
