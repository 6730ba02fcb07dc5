//! Accounts: of people, and of programs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Grant, People, Role, Roles};
use crate::{
    Error, Result,
    database::{Connection, Row, Transaction},
};

/// Names are no longer.
const MAX_NAME: usize = 96;

/// Who has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// A person.
    User,
    /// A program, a pipeline, a workload.
    Service,
}

impl AccountKind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
        }
    }
}

impl FromStr for AccountKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "user" => Ok(Self::User),
            "service" => Ok(Self::Service),
            _ => Err(Error::Invalid(format!("`{text}` is no kind of account: `user` or `service`"))),
        }
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub kind: AccountKind,
    /// Issuer and subject of the identity provider, where one vouches for it.
    pub subject: Option<String>,
    /// A name for people.
    pub display: String,
    /// An address, where it is known.
    pub email: String,
    /// What it may do.
    pub roles: Roles,
    /// When it was made.
    pub created: u64,
    /// Whether nobody may use it any more.
    pub disabled: bool,
}

impl Account {
    /// A new account.
    pub fn new(name: impl Into<String>, kind: AccountKind, roles: Roles) -> Self {
        let name = name.into();
        let display = name.clone();
        Self { name, kind, subject: None, display, email: String::new(), roles, created: 0, disabled: false }
    }
}

const COLUMNS: &str = "name, kind, subject, display, email, created, disabled";

impl People {
    /// Makes an account.
    pub fn add_account(&self, account: &Account) -> Result<Account> {
        check_name(&account.name)?;
        let now = self.now();
        self.database.write(|transaction| {
            if one(transaction, &account.name)?.is_some() {
                return Err(Error::Conflict(format!("there is an account `{}` already", account.name)));
            }
            insert(transaction, account, now)
        })?;
        self.account(&account.name)?.ok_or_else(|| Error::internal("the new account is not there"))
    }

    /// Changes what is said of an account, and what it may do.
    pub fn change_account(&self, account: &Account) -> Result<()> {
        self.database.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE accounts SET display = $2, email = $3, disabled = $4 WHERE name = $1",
                &[
                    (&account.name).into(),
                    (&account.display).into(),
                    (&account.email).into(),
                    account.disabled.into(),
                ],
            )?;
            if changed == 0 {
                return Err(Error::NotFound(format!("the account `{}`", account.name)));
            }
            transaction.execute("DELETE FROM grants WHERE account = $1", &[(&account.name).into()])?;
            grant(transaction, &account.name, &account.roles)?;
            if account.disabled {
                transaction.execute("DELETE FROM sessions WHERE account = $1", &[(&account.name).into()])?;
            }
            let admins = "SELECT a.name FROM accounts a JOIN grants g ON g.account = a.name
                 WHERE g.role = $1 AND g.project = '' AND a.disabled = 0 LIMIT 1";
            if transaction.query_one(admins, &[Role::SecurityAdmin.as_str().into()])?.is_none() {
                return Err(Error::Conflict("somebody must remain security-admin everywhere".into()));
            }
            Ok(())
        })?;
        self.recall.forget();
        Ok(())
    }

    /// An account.
    pub fn account(&self, name: &str) -> Result<Option<Account>> {
        self.database.read(|connection| one(connection, name))
    }

    /// Accounts in the order of their names, after `after`.
    pub fn accounts(&self, after: &str, limit: usize) -> Result<Vec<Account>> {
        self.database.read(|connection| {
            let limit = i64::try_from(limit.min(1000)).unwrap_or(1000);
            let sql = format!("SELECT {COLUMNS} FROM accounts WHERE name > $1 ORDER BY name LIMIT $2");
            let rows = connection.query(&sql, &[after.into(), limit.into()])?;
            rows.iter().map(|row| whole(connection, row)).collect()
        })
    }

    /// The account that an identity provider vouches for: the one that is there, or a new one of the wished name with
    /// the wished roles. What the provider says of roles, when it says anything, replaces what was there.
    pub fn vouched(&self, wished: &Account, says_roles: ProviderRoles) -> Result<Account> {
        let subject =
            wished.subject.as_deref().ok_or_else(|| Error::internal("an account without a subject"))?;
        let now = self.now();
        let name = self.database.write(|transaction| {
            let known =
                transaction.query_one("SELECT name FROM accounts WHERE subject = $1", &[subject.into()])?;
            if let Some(row) = known {
                let name = row.text(0)?;
                if says_roles == ProviderRoles::Replace {
                    transaction.execute("DELETE FROM grants WHERE account = $1", &[(&name).into()])?;
                    grant(transaction, &name, &wished.roles)?;
                }
                return Ok(name);
            }
            let mut account = wished.clone();
            // A name that is taken is not given to somebody else.
            for number in 2..1000 {
                if one(transaction, &account.name)?.is_none() {
                    check_name(&account.name)?;
                    insert(transaction, &account, now)?;
                    return Ok(account.name);
                }
                account.name = format!("{}-{number}", wished.name);
            }
            Err(Error::Conflict(format!("a thousand accounts are called `{}`", wished.name)))
        })?;
        self.recall.forget();
        self.account(&name)?.ok_or_else(|| Error::internal("the account is not there"))
    }
}

/// What becomes of the roles of an account that is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderRoles {
    /// They are what the provider says.
    Replace,
    /// They stay.
    Keep,
}

fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:/+".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
        return Err(Error::Invalid(format!(
            "an account's name has 1 to {MAX_NAME} letters, digits and `-_.@:/+`"
        )));
    }
    Ok(())
}

pub(super) fn insert(transaction: &mut Transaction, account: &Account, now: i64) -> Result<()> {
    transaction.execute(
        "INSERT INTO accounts (name, kind, subject, display, email, created, disabled) VALUES ($1, $2, $3, $4, $5, $6, 0)",
        &[
            (&account.name).into(),
            account.kind.as_str().into(),
            account.subject.as_ref().into(),
            (&account.display).into(),
            (&account.email).into(),
            now.into(),
        ],
    )?;
    grant(transaction, &account.name, &account.roles)
}

fn grant(transaction: &mut Transaction, account: &str, roles: &Roles) -> Result<()> {
    for Grant { project, role } in &roles.0 {
        let project = project.as_deref().unwrap_or_default();
        transaction.execute(
            "INSERT INTO grants (account, project, role) VALUES ($1, $2, $3) ON CONFLICT (account, project, role) DO NOTHING",
            &[account.into(), project.into(), role.as_str().into()],
        )?;
    }
    Ok(())
}

pub(super) fn one(connection: &mut Connection, name: &str) -> Result<Option<Account>> {
    let row =
        connection.query_one(&format!("SELECT {COLUMNS} FROM accounts WHERE name = $1"), &[name.into()])?;
    row.map(|row| whole(connection, &row)).transpose()
}

fn whole(connection: &mut Connection, row: &Row) -> Result<Account> {
    let name = row.text(0)?;
    let rows = connection.query(
        "SELECT project, role FROM grants WHERE account = $1 ORDER BY project, role",
        &[(&name).into()],
    )?;
    let mut roles = Vec::with_capacity(rows.len());
    for row in rows {
        // A role that a newer version knows is none here.
        if let Ok(role) = row.text(1)?.parse() {
            roles.push(Grant { project: Some(row.text(0)?).filter(|project| !project.is_empty()), role });
        }
    }
    Ok(Account {
        name,
        kind: row.text(1)?.parse()?,
        subject: row.opt_text(2)?,
        display: row.text(3)?,
        email: row.text(4)?,
        roles: Roles(roles),
        created: u64::try_from(row.int(5)?).unwrap_or_default(),
        disabled: row.int(6)? != 0,
    })
}
