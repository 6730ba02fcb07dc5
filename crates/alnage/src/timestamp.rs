//! A timestamp authority, asked over HTTP (RFC 3161, section 3.4).

use std::time::Duration;

use alnage_pipeline::timestamp::TimestampSource;

/// An authority that needs longer is as good as none.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than any answer with all its certificates.
const LARGEST: u64 = 256 << 10;

/// Where an authority is.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    url: String,
}

impl Authority {
    /// The authority at `url`. Most have no TLS: who answers in their place gives a timestamp that no verifier trusts.
    pub(crate) fn at(url: &str) -> Result<Self, String> {
        let uri: ureq::http::Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
        match uri.scheme_str() {
            Some("http" | "https") => Ok(Self { url: url.to_owned() }),
            _ => Err("neither `http://` nor `https://`".into()),
        }
    }
}

impl TimestampSource for Authority {
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |reason: String| format!("`{}` {reason}", self.url);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build()
            .into();
        let answer = agent.post(&self.url).content_type("application/timestamp-query").send(request);
        let mut answer = answer.map_err(|error| failed(format!("does not answer: {error}")))?;
        if answer.status() != 200 {
            return Err(failed(format!("answered {}", answer.status().as_u16())));
        }
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
        body.map_err(|error| failed(format!("broke off: {error}")))
    }
}
