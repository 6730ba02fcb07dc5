//! Signed identities: JSON Web Tokens under RS256 and ES256, and the published keys they are verified with.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use p256::ecdsa::signature::Verifier as _;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

/// Clocks differ by so many seconds.
const LEEWAY: u64 = 60;
/// Keys of a set that are looked at.
const MOST_KEYS: usize = 64;
/// Keys below are no longer safe, keys above only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A key somebody publishes.
pub(crate) struct Key {
    id: Option<String>,
    kind: KeyKind,
}

enum KeyKind {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    P256(p256::ecdsa::VerifyingKey),
}

/// A token's parts, before anything of it is believed.
pub(crate) struct Unverified<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    algorithm: String,
    pub(crate) key_id: Option<String>,
    claims: Value,
}

/// Reads a token's form.
pub(crate) fn read(token: &str) -> Result<Unverified<'_>, &'static str> {
    let (signed, signature) = token.rsplit_once('.').ok_or("it has not three parts")?;
    let (header, claims) = signed.split_once('.').ok_or("it has not three parts")?;
    let json = |part: &str| -> Option<Value> {
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).ok()?).ok()
    };
    let header = json(header).ok_or("its header is not JSON")?;
    if header.get("crit").is_some() {
        return Err("it demands what is not known here");
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Unverified {
        signed,
        signature: Base64UrlUnpadded::decode_vec(signature).map_err(|_| "its signature is not base64url")?,
        algorithm: text("alg").ok_or("it names no algorithm")?,
        key_id: text("kid"),
        claims: json(claims).ok_or("its claims are not JSON")?,
    })
}

impl Unverified<'_> {
    /// Who says they issued it: only to find the keys by.
    pub(crate) fn issuer(&self) -> &str {
        self.claims.get("iss").and_then(Value::as_str).unwrap_or_default()
    }

    /// The claims, when one of `keys` signed them, for `audience`, and `now` is within their time.
    pub(crate) fn verify(self, keys: &[Key], audience: &[&str], now: u64) -> Result<Value, &'static str> {
        let fits = |key: &&Key| match (&self.key_id, &key.id) {
            (Some(wanted), Some(id)) => wanted == id,
            _ => true,
        };
        let signed = keys
            .iter()
            .filter(fits)
            .any(|key| key.signed(&self.algorithm, self.signed.as_bytes(), &self.signature));
        if !signed {
            return Err("none of its issuer's keys signed it");
        }
        let time =
            |name: &str| self.claims.get(name).and_then(Value::as_f64).map(|time| time.max(0.0) as u64);
        let expires = time("exp").ok_or("it has no end")?;
        if expires.saturating_add(LEEWAY) <= now {
            return Err("its time is over");
        }
        if time("nbf").is_some_and(|begins| begins > now.saturating_add(LEEWAY)) {
            return Err("its time has not begun");
        }
        let meant = match self.claims.get("aud") {
            Some(Value::String(one)) => audience.contains(&one.as_str()),
            Some(Value::Array(many)) => {
                many.iter().filter_map(Value::as_str).any(|one| audience.contains(&one))
            }
            _ => false,
        };
        if !meant {
            return Err("it is meant for somebody else");
        }
        Ok(self.claims)
    }
}

impl Key {
    fn signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        // The key decides which algorithm may be meant; a token cannot choose another one.
        match &self.kind {
            KeyKind::Rsa(key) if algorithm == "RS256" => {
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            KeyKind::P256(key) if algorithm == "ES256" => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            _ => false,
        }
    }
}

/// The keys of a published set (RFC 7517); those of kinds not known here are left out.
pub(crate) fn keys(set: &Value) -> Vec<Key> {
    let all = set.get("keys").and_then(Value::as_array);
    all.into_iter().flatten().take(MOST_KEYS).filter_map(key).collect()
}

fn key(described: &Value) -> Option<Key> {
    let text = |name: &str| described.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let number = |name: &str| Base64UrlUnpadded::decode_vec(text(name)?.trim_end_matches('=')).ok();
    let kind = match text("kty")? {
        "RSA" => {
            let (modulus, exponent) = (number("n")?, number("e")?);
            if modulus.len() > 1024 || exponent.len() > 8 {
                return None;
            }
            let (n, e) = (without_zeros(&modulus), without_zeros(&exponent));
            let unused = n.first().map_or(0, |first| first.leading_zeros() as usize);
            if !RSA_BITS.contains(&(n.len() * 8 - unused)) {
                return None;
            }
            KeyKind::Rsa(RsaPublicKeyComponents { n, e })
        }
        "EC" if text("crv") == Some("P-256") => {
            let (x, y) = (number("x")?, number("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            let point = [&[4][..], &x, &y].concat();
            KeyKind::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?)
        }
        _ => return None,
    };
    Some(Key { id: text("kid").map(str::to_owned), kind })
}

/// A number without the zeros in front of it, which some publish and `ring` does not take.
fn without_zeros(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|&byte| byte == 0).collect()
}
