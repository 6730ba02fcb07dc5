//! The members of a zip of advisories, as the OSV project hands them out.

use std::io::{Cursor, Read as _};

use zip::{ZipArchive, result::ZipError};

/// No advisory is longer.
const MAX_MEMBER: u64 = 16 << 20;

/// Shows each member of the zip `bytes` to `visit`. An error says where the archive stops to make sense.
pub fn members(bytes: &[u8], visit: &mut dyn FnMut(&str, &[u8])) -> Result<(), String> {
    let malformed = |error: ZipError| error.to_string();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(malformed)?;
    let mut data = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(malformed)?;
        let path = member.name().map_err(malformed)?.into_owned();
        let shown = || format!("`{:.120}`", path.escape_debug());
        data.clear();
        // The limit is held by what comes out, whatever the directory says.
        member
            .take(MAX_MEMBER + 1)
            .read_to_end(&mut data)
            .map_err(|error| format!("{} cannot be unpacked: {error}", shown()))?;
        if data.len() as u64 > MAX_MEMBER {
            return Err(format!("{} is too long for an advisory", shown()));
        }
        visit(&path, &data);
    }
    Ok(())
}
