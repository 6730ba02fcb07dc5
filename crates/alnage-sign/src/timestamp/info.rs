//! What a timestamp says (RFC 3161, `TSTInfo`).

use x509_cert::{der::Decode as _, spki::AlgorithmIdentifierOwned};

use crate::{
    der::{Result, SEQUENCE, first_byte, octets, parts, text, value},
    x509::{Hash, UnixTime},
};

const GENERALIZED_TIME: u8 = 0x18;

/// That something with this hash existed at this time.
pub(super) struct TimestampInfo {
    pub(super) hash: Hash,
    pub(super) imprint: Vec<u8>,
    pub(super) time: UnixTime,
}

impl TimestampInfo {
    pub(super) fn parse(der: &[u8]) -> Result<Self> {
        let fields = parts(der, SEQUENCE)?;
        let [version, _policy, imprint, _serial, time, ..] = fields.as_slice() else {
            return Err("parts of it are missing".into());
        };
        if u8::from_der(version) != Ok(1) {
            return Err("it is not of version 1".into());
        }
        let imprint = parts(imprint, SEQUENCE)?;
        let [algorithm, imprint] = imprint.as_slice() else { return Err("it is over no hash".into()) };
        let algorithm = AlgorithmIdentifierOwned::from_der(algorithm).map_err(text)?.oid;
        Ok(Self {
            hash: Hash::from_oid(algorithm).ok_or_else(|| format!("the hash {algorithm} is not accepted"))?,
            imprint: octets(imprint)?.to_vec(),
            time: generalized_time(time)?,
        })
    }
}

/// Reads `20261122080000Z`, fractions of a second allowed and dropped.
fn generalized_time(der: &[u8]) -> Result<UnixTime> {
    let wrong = || "its time cannot be read".to_owned();
    if first_byte(der) != GENERALIZED_TIME {
        return Err(wrong());
    }
    let text = std::str::from_utf8(value(der)?).map_err(|_| wrong())?;
    let text = text.strip_suffix('Z').filter(|text| text.is_ascii()).ok_or_else(wrong)?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.len() != 14 || !is_digits(seconds) || !is_digits(fraction) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| seconds.get(from..to).unwrap_or_default();
    let (date, time) = ([part(0, 4), part(4, 6), part(6, 8)], [part(8, 10), part(10, 12), part(12, 14)]);
    format!("{}T{}Z", date.join("-"), time.join(":")).parse().map_err(|_| wrong())
}
