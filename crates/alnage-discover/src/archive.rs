//! The members of a zip of advisories, as the OSV project hands them out: plain, by the central directory.

/// No advisory is longer.
const MAX_MEMBER: usize = 16 << 20;
const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";

/// Shows each member of the zip `bytes` to `visit`. An error says where the archive stops to make sense.
pub fn members(bytes: &[u8], visit: &mut dyn FnMut(&str, &[u8])) -> Result<(), String> {
    let tail = bytes.len().saturating_sub(END.len() + 18 + 0xffff);
    let end = bytes.get(tail..).unwrap_or_default().windows(END.len()).rposition(|window| window == END);
    let end = tail + end.ok_or("it is no zip archive")?;
    let count = number(bytes, end + 10, 2).ok_or("its end is cut off")?;
    let mut at = number(bytes, end + 16, 4).ok_or("its end is cut off")?;
    if count == 0xffff || at == 0xffff_ffff {
        // The directory is found by its size instead: more entries than the old fields can tell.
        let size = number(bytes, end + 12, 4).filter(|size| *size != 0xffff_ffff);
        at =
            zip64_start(bytes, end).or_else(|| end.checked_sub(size?)).ok_or("its directory is not found")?;
    }
    let mut data = Vec::new();
    while at < end && bytes.get(at..at + 4) == Some(ENTRY) {
        let field = |offset, width| number(bytes, at + offset, width).ok_or("its directory is cut off");
        let (method, packed, size) = (field(10, 2)?, field(20, 4)?, field(24, 4)?);
        let (name, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let local = field(42, 4)?;
        let path = bytes.get(at + 46..at + 46 + name).ok_or("its directory is cut off")?;
        let path = String::from_utf8_lossy(path).into_owned();
        at += 46 + name + extra + comment;
        if size > MAX_MEMBER {
            return Err(format!("`{:.120}` is too long for an advisory", path.escape_debug()));
        }
        let cut = || format!("`{:.120}` is cut off", path.escape_debug());
        let name = number(bytes, local + 26, 2).ok_or_else(cut)?;
        let extra = number(bytes, local + 28, 2).ok_or_else(cut)?;
        let start = local + 30 + name + extra;
        let member = bytes.get(start..start.saturating_add(packed)).ok_or_else(cut)?;
        match method {
            0 => visit(&path, member),
            8 => {
                data.clear();
                data.reserve(size);
                let mut inflate = flate2::Decompress::new(false);
                let done = inflate.decompress_vec(member, &mut data, flate2::FlushDecompress::Finish);
                if !matches!(done, Ok(flate2::Status::StreamEnd)) || data.len() != size {
                    return Err(format!("`{:.120}` does not inflate", path.escape_debug()));
                }
                visit(&path, &data);
            }
            _ => {
                return Err(format!(
                    "`{:.120}` is compressed in another way than deflate",
                    path.escape_debug()
                ));
            }
        }
    }
    Ok(())
}

fn zip64_start(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(20)?;
    (bytes.get(locator..locator + 4)? == b"PK\x06\x07").then_some(())?;
    let record = number(bytes, locator + 8, 8)?;
    (bytes.get(record..record.checked_add(4)?)? == b"PK\x06\x06").then_some(())?;
    number(bytes, record.checked_add(48)?, 8)
}

/// A little-endian number of `width` bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(width)?)?;
    field.iter().rev().try_fold(0_usize, |number, byte| Some(number.checked_mul(256)? + usize::from(*byte)))
}
