//! Tokens: what programs show, and people who use programs.

use super::{Grant, People, Role, Roles, Secret, Who, account, account::AccountKind, secret};
use crate::{
    Error, Result,
    database::{Connection, Row, Transaction},
};

/// A token is noted as used at most so often.
const NOTED_EVERY: i64 = 300;

/// What is known of a token. Not the token: that was shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub account: String,
    /// What its owner calls it.
    pub name: String,
    /// The most that may be done with it, whatever its owner may.
    pub ceiling: Role,
    /// The projects it is for; all when empty.
    pub projects: Vec<String>,
    /// When it was made.
    pub created: u64,
    /// When it ends.
    pub expires: Option<u64>,
    /// When it was last seen, within some minutes.
    pub used: Option<u64>,
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Whose it is.
    pub account: String,
    /// What its owner calls it.
    pub name: String,
    /// The most that may be done with it.
    pub ceiling: Role,
    /// The projects it is for; all when empty.
    pub projects: Vec<String>,
    /// What it carries by itself, for those who have no account here: a pipeline that another issuer vouches for.
    pub grants: Option<Vec<Grant>>,
    /// When it ends.
    pub expires: Option<u64>,
}

impl NewToken {
    /// A token that carries all that its owner may.
    pub fn of(account: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            name: name.into(),
            ceiling: Role::SecurityAdmin,
            projects: Vec::new(),
            grants: None,
            expires: None,
        }
    }
}

impl People {
    /// Makes a token. The secret is given once, here.
    pub fn add_token(&self, new: &NewToken) -> Result<(i64, Secret)> {
        if new.name.len() > 200 || new.projects.len() > 100 {
            return Err(Error::Invalid(
                "a token's name has up to 200 bytes, and it is for up to 100 projects".into(),
            ));
        }
        let (secret, now) = (Secret::token()?, self.now());
        let id = self.database.write(|transaction| {
            if new.grants.is_none() && account::one(transaction, &new.account)?.is_none() {
                return Err(Error::NotFound(format!("the account `{}`", new.account)));
            }
            insert(transaction, new, &secret, now)
        })?;
        Ok((id, secret))
    }

    /// Tokens of an account, or of all, newest first, older than the number `before`.
    pub fn tokens(&self, account: Option<&str>, before: i64, limit: usize) -> Result<Vec<Token>> {
        let limit = i64::try_from(limit.min(1000)).unwrap_or(1000);
        self.database.read(|connection| {
            let rows = connection.query(
                "SELECT id, account, name, ceiling, projects, created, expires, used FROM tokens
                 WHERE id < $1 AND ($2 = '' OR account = $2) ORDER BY id DESC LIMIT $3",
                &[before.into(), account.unwrap_or_default().into(), limit.into()],
            )?;
            rows.iter().map(read).collect()
        })
    }

    /// Ends a token; of `account` alone, when that is given.
    pub fn end_token(&self, id: i64, account: Option<&str>) -> Result<()> {
        let ended = self.database.write(|transaction| {
            transaction.execute(
                "DELETE FROM tokens WHERE id = $1 AND ($2 = '' OR account = $2)",
                &[id.into(), account.unwrap_or_default().into()],
            )
        })?;
        self.recall.forget();
        if ended == 0 { Err(Error::NotFound(format!("the token {id}"))) } else { Ok(()) }
    }

    /// Who shows `token`; `None` when it is none of ours, has ended, or its owner may not come in any more.
    pub fn by_token(&self, token: &str) -> Result<Option<Who>> {
        if Secret::parse_token(token).is_err() {
            return Ok(None);
        }
        if let Some(who) = self.recalled(token) {
            return Ok(Some(who));
        }
        let (hash, now) = (secret::hash(token), self.now());
        let found = self.database.read(|connection| find(connection, &hash, now))?;
        let Some((who, used, expires)) = found else { return Ok(None) };
        if used.is_none_or(|used| now - used > NOTED_EVERY) {
            // That nobody can note it does not keep anybody out.
            let _ = self.database.write(|transaction| {
                transaction
                    .execute("UPDATE tokens SET used = $2 WHERE hash = $1", &[(&hash).into(), now.into()])
            });
        }
        self.recall.put(hash, who.clone(), now, expires);
        Ok(Some(who))
    }

    /// Whose token it is, when it was shown a moment ago: without a look at the records.
    pub fn recalled(&self, token: &str) -> Option<Who> {
        self.recall.get(&secret::hash(token), self.now())
    }
}

pub(super) fn insert(
    transaction: &mut Transaction,
    new: &NewToken,
    secret: &Secret,
    now: i64,
) -> Result<i64> {
    let id = crate::database::Database::next_id(transaction)?;
    let grants = new.grants.as_ref().map(serde_json::to_string).transpose()?;
    let expires = new.expires.map(|expires| i64::try_from(expires).unwrap_or(i64::MAX));
    transaction.execute(
        "INSERT INTO tokens (id, account, name, hash, ceiling, projects, grants, created, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            id.into(),
            (&new.account).into(),
            (&new.name).into(),
            (&secret.hash()).into(),
            new.ceiling.as_str().into(),
            (&serde_json::to_string(&new.projects)?).into(),
            grants.as_ref().into(),
            now.into(),
            expires.into(),
        ],
    )?;
    Ok(id)
}

/// Who shows a token, when that was last noted, and when it ends.
type Found = (Who, Option<i64>, Option<i64>);

/// What is known of the token of this hash.
fn find(connection: &mut Connection, hash: &str, now: i64) -> Result<Option<Found>> {
    let row = connection.query_one(
        "SELECT id, account, ceiling, projects, grants, expires, used FROM tokens WHERE hash = $1",
        &[hash.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let expires = row.opt_int(5)?;
    if expires.is_some_and(|expires| expires <= now) {
        return Ok(None);
    }
    let name = row.text(1)?;
    let projects: Vec<String> = serde_json::from_str(&row.text(3)?)?;
    let ceiling = row.text(2)?.parse().map_err(Error::Invalid)?;
    let (kind, roles) = match row.opt_text(4)? {
        Some(grants) => match account::one(connection, &name)? {
            Some(account) if account.disabled => return Ok(None),
            _ => (AccountKind::Service, Roles(serde_json::from_str(&grants)?)),
        },
        None => match account::one(connection, &name)? {
            Some(account) if !account.disabled => (account.kind, account.roles),
            _ => return Ok(None),
        },
    };
    let who = Who { name, kind, roles: roles.limited(ceiling, &projects), token: Some(row.int(0)?) };
    Ok(Some((who, row.opt_int(6)?, expires)))
}

fn read(row: &Row) -> Result<Token> {
    let time = |time: Option<i64>| time.map(|time| u64::try_from(time).unwrap_or_default());
    Ok(Token {
        id: row.int(0)?,
        account: row.text(1)?,
        name: row.text(2)?,
        ceiling: row.text(3)?.parse().map_err(Error::Invalid)?,
        projects: serde_json::from_str(&row.text(4)?)?,
        created: time(Some(row.int(5)?)).unwrap_or_default(),
        expires: time(row.opt_int(6)?),
        used: time(row.opt_int(7)?),
    })
}
