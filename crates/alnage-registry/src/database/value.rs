//! Values that go into statements and rows that come out of them, the same for both engines.

use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::{Error, Result};

/// A parameter of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A number, a time in seconds, a truth value.
    Int(i64),
    /// Text, JSON.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            // A literal in the statement makes its partner four bytes wide.
            Self::Int(value) if *kind == Type::INT4 => i32::try_from(value)?.to_sql(kind, out),
            Self::Int(value) => value.to_sql(kind, out),
            // PostgreSQL has no text with a zero in it.
            Self::Text(value) if value.contains('\0') => value.replace('\0', "\u{fffd}").to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Bytes(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::TEXT, Type::VARCHAR, Type::BYTEA, Type::UNKNOWN].contains(kind)
    }

    to_sql_checked!();
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub(super) Vec<Cell>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Row {
    /// The number in column `index`.
    pub fn int(&self, index: usize) -> Result<i64> {
        self.opt_int(index)?.ok_or_else(|| unexpected(index, "is empty"))
    }

    /// The text in column `index`.
    pub fn text(&self, index: usize) -> Result<String> {
        self.opt_text(index)?.ok_or_else(|| unexpected(index, "is empty"))
    }

    /// The bytes in column `index`.
    pub fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        self.opt_bytes(index)?.ok_or_else(|| unexpected(index, "is empty"))
    }

    /// Whether the number in column `index` is not zero.
    pub fn flag(&self, index: usize) -> Result<bool> {
        self.int(index).map(|value| value != 0)
    }

    /// The number in column `index`, unless there is none.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(*value)),
            _ => Err(unexpected(index, "is no number")),
        }
    }

    /// The text in column `index`, unless there is none.
    pub fn opt_text(&self, index: usize) -> Result<Option<String>> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Text(value) => Ok(Some(value.clone())),
            _ => Err(unexpected(index, "is no text")),
        }
    }

    /// The bytes in column `index`, unless there are none.
    pub fn opt_bytes(&self, index: usize) -> Result<Option<Vec<u8>>> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Bytes(value) => Ok(Some(value.clone())),
            _ => Err(unexpected(index, "is not bytes")),
        }
    }

    fn cell(&self, index: usize) -> Result<&Cell> {
        self.0.get(index).ok_or_else(|| unexpected(index, "is missing"))
    }

    pub(super) fn of_sqlite(row: &rusqlite::Row<'_>, columns: usize) -> Result<Self> {
        (0..columns)
            .map(|index| match row.get_ref(index)? {
                ValueRef::Null => Ok(Cell::Null),
                ValueRef::Integer(value) => Ok(Cell::Int(value)),
                ValueRef::Text(value) => String::from_utf8(value.to_vec())
                    .map(Cell::Text)
                    .map_err(|_| unexpected(index, "is not UTF-8")),
                ValueRef::Blob(value) => Ok(Cell::Bytes(value.to_vec())),
                ValueRef::Real(_) => Err(unexpected(index, "is no whole number")),
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    pub(super) fn of_postgres(row: &postgres::Row) -> Result<Self> {
        let cell = |(index, column): (usize, &postgres::Column)| {
            let kind = column.type_();
            let cell = if *kind == Type::INT8 {
                row.try_get::<_, Option<i64>>(index)?.map(Cell::Int)
            } else if *kind == Type::INT4 {
                row.try_get::<_, Option<i32>>(index)?.map(|value| Cell::Int(value.into()))
            } else if *kind == Type::BOOL {
                row.try_get::<_, Option<bool>>(index)?.map(|value| Cell::Int(value.into()))
            } else if *kind == Type::BYTEA {
                row.try_get::<_, Option<Vec<u8>>>(index)?.map(Cell::Bytes)
            } else {
                row.try_get::<_, Option<String>>(index)?.map(Cell::Text)
            };
            Ok(cell.unwrap_or(Cell::Null))
        };
        row.columns().iter().enumerate().map(cell).collect::<Result<_>>().map(Self)
    }
}

fn unexpected(index: usize, what: &str) -> Error {
    Error::internal(format!("column {index} of a row {what}"))
}
