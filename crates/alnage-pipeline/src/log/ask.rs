//! Asks a witness over HTTP: <https://c2sp.org/tlog-witness>.
//!
//! Without TLS: what is sent is public, and a cosignature that comes back is verified or dropped.

use std::time::Duration;

use alnage_log::Update;
use alnage_types::Digest;

/// A witness that needs longer is as good as none.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Several cosignatures of the longest kind.
const MAX_ANSWER: u64 = 256 << 10;

/// The cosignature lines that the witness at `url` gives for `checkpoint`; `prove` proves consistency with an older
/// size. Nothing of them is verified yet.
pub(super) fn ask(
    url: &str,
    checkpoint: &str,
    prove: &dyn Fn(u64) -> Result<Vec<Digest>, alnage_log::Error>,
) -> Result<String, String> {
    if !url.starts_with("http://") {
        return Err("only `http://` is supported; put a proxy before a witness that wants TLS".into());
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let mut old_size = 0;
    // What the witness has seen last is not known here; it says so when it is asked.
    for _ in 0..2 {
        let proof = prove(old_size).map_err(|error| error.to_string())?;
        let body = Update { old_size, proof, checkpoint: checkpoint.to_owned() }.to_string();
        let answer = agent.post(&url).content_type("text/plain; charset=utf-8").send(body.as_str());
        let mut answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        let text = text.map_err(|error| error.to_string())?;
        match status {
            200 => return Ok(text),
            409 => old_size = text.trim().parse().map_err(|_| "it told no size with its refusal")?,
            _ => return Err(format!("it answered {status}: {:.200}", text.trim().escape_debug())),
        }
    }
    Err(format!("it refuses as if the log were not the one it has seen, at size {old_size}"))
}
