//! Addresses that a store takes for a while: AWS Signature Version 4 in the query, with the payload unsigned ("Authenticating
//! Requests: Using Query Parameters" of the S3 API Reference).

use std::{fmt::Write as _, time::Duration};

use alnage_pipeline::rfc3339;
use alnage_types::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use super::S3Settings;
use crate::columns::hex;

/// Who signs, and for which bucket.
pub(super) struct Signer {
    /// Without a slash at its end.
    endpoint: String,
    /// Host and port, as requests name it.
    host: String,
    /// What stands before the key: the path of the endpoint and the bucket.
    base: String,
    settings: S3Settings,
}

impl Signer {
    /// A signer for a bucket that is named in the path. None when the endpoint is no address of a server.
    pub(super) fn new(endpoint: &Url, settings: S3Settings) -> Option<Self> {
        let host = endpoint.host_str().filter(|_| matches!(endpoint.scheme(), "http" | "https"))?;
        let host = endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let base = format!("{}/{}", endpoint.path().trim_end_matches('/'), encoded(&settings.bucket, ""));
        Some(Self { endpoint: format!("{}://{host}", endpoint.scheme()), host, base, settings })
    }

    pub(super) fn bucket(&self) -> &str {
        &self.settings.bucket
    }

    /// What every key begins with; empty or ending in `/`.
    pub(super) fn prefix(&self) -> &str {
        &self.settings.prefix
    }

    /// The address of `key`, good for one `method` from `now`, in seconds since 1970, on. `headers`, in lower case and
    /// sorted, are sent with the request.
    pub(super) fn address(
        &self,
        method: &str,
        key: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        now: u64,
        holds: Duration,
    ) -> String {
        let S3Settings { region, key: id, secret, token, .. } = &self.settings;
        let time: String = rfc3339(now).chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let day = time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{region}/s3/aws4_request");
        let path =
            if key.is_empty() { self.base.clone() } else { format!("{}/{}", self.base, encoded(key, "/")) };
        let headers: Vec<(&str, &str)> =
            [("host", self.host.as_str())].into_iter().chain(headers.iter().copied()).collect();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let mut pairs = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{id}/{scope}")),
            ("X-Amz-Date", time.clone()),
            ("X-Amz-Expires", holds.as_secs().to_string()),
            ("X-Amz-SignedHeaders", names.join(";")),
        ];
        pairs.extend(token.iter().map(|token| ("X-Amz-Security-Token", token.clone())));
        pairs.extend(query.iter().map(|(name, value)| (*name, (*value).to_owned())));
        pairs.sort();
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name, ""), encoded(value, "")))
            .collect();
        let query = query.join("&");
        let mut canonical = format!("{method}\n{path}\n{query}\n");
        for (name, value) in &headers {
            let _ = writeln!(canonical, "{name}:{value}");
        }
        let _ = write!(canonical, "\n{}\nUNSIGNED-PAYLOAD", names.join(";"));
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hex(Digest::of(canonical.as_bytes()).as_bytes())
        );
        let mut signing = mac(format!("AWS4{secret}").as_bytes(), day);
        for part in [region.as_str(), "s3", "aws4_request"] {
            signing = mac(&signing, part);
        }
        let signature = hex(&mac(&signing, &to_sign));
        format!("{}{path}?{query}&X-Amz-Signature={signature}", self.endpoint)
    }
}

fn mac(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Every byte that is not unreserved (RFC 3986, section 2.3), nor one of `kept`, as `%XX`.
fn encoded(text: &str, kept: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric()
            || "-._~".contains(character)
            || (byte.is_ascii() && kept.contains(character))
        {
            out.push(character);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
