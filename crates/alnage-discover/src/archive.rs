//! The members of a zip of advisories, as the OSV project hands them out.

use std::sync::Arc;

use alnage_formats::container::agreed_zip;
use alnage_types::{MemorySource, Source};

/// No advisory is longer.
const MAX_MEMBER: u64 = 16 << 20;

/// Shows each member of the zip `bytes` to `visit`. An error says where the archive stops to make sense; one on which
/// readers do not agree makes none.
pub fn members(bytes: &[u8], visit: &mut dyn FnMut(&str, &[u8])) -> Result<(), String> {
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
    for member in agreed_zip(source.as_ref())? {
        let shown = || format!("`{:.120}`", member.name.escape_debug());
        if member.size > MAX_MEMBER {
            return Err(format!("{} is too long for an advisory", shown()));
        }
        let content = member.content(&source);
        let content = content.map_err(|error| format!("{} cannot be unpacked: {error}", shown()))?;
        visit(&member.name, &content);
    }
    Ok(())
}
