//! Versions counted from 1 in the order they came, as MLflow names them.

use crate::{Kind, Registry, Result, Version};

/// The number of a version.
pub fn number(registry: &Registry, version: &Version) -> Result<u64> {
    let row = registry.database().read(|connection| {
        connection.query_one(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM versions WHERE repo = $1 AND id <= $2",
            &[version.repo.into(), version.id.into()],
        )
    })?;
    row.map_or(Ok(0), |row| Ok(u64::try_from(row.int(0)?).unwrap_or(0)))
}

/// The version with this number.
pub fn version(registry: &Registry, kind: Kind, name: &str, number: u64) -> Result<Option<Version>> {
    let Some(before) = number.checked_sub(1).and_then(|before| i64::try_from(before).ok()) else {
        return Ok(None);
    };
    let row = registry.database().read(|connection| {
        connection.query_one(
            "SELECT v.id FROM versions v JOIN repos r ON r.id = v.repo WHERE r.kind = $1 AND r.name = $2
             ORDER BY v.id LIMIT 1 OFFSET $3",
            &[kind.as_str().into(), name.into(), before.into()],
        )
    })?;
    row.map(|row| registry.version_by_id(row.int(0)?)).transpose().map(Option::flatten)
}
