//! The transparency log: its checkpoint, its entries, and the proof of each.

use alnage_registry::{Logged, people::Role};
use axum::{extract::State as Shared, response::Response};
use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{may, version::text};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{Checkpoint, Entry, EntryRow, Log, Pages},
        parts::{Count, Link, Mark, Moment, Place, Proof, Size, Tone},
        respond,
    },
    core::{Answered, Failure, Path, Query, State},
};

const ROWS: u32 = 50;

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    before: Option<u64>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let found = state.registry.log_statements(None, wanted.before, ROWS)?;
        let next =
            found.last().filter(|last| found.len() as u32 >= ROWS && last.entry > 0).map(|last| last.entry);
        Ok(Log {
            frame: respond::frame(&state, &caller, "Transparency log", Place::Log, "")?,
            checkpoint: checkpoint(&state)?,
            entries: found.iter().map(|logged| row(&caller, logged)).collect(),
            pages: Pages {
                first: if wanted.before.is_none() { String::new() } else { "/console/log".to_owned() },
                next: next.map_or_else(String::new, |before| format!("/console/log?before={before}")),
            },
        })
    })
    .await
}

/// The signed state of the log; its signature is verified here.
fn checkpoint(state: &State) -> Answered<Option<Checkpoint>> {
    let Some(verified) = state.registry.log_checkpoint()? else { return Ok(None) };
    let text = state.registry.log_object("checkpoint")?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Some(Checkpoint {
        origin: text.lines().next().unwrap_or_default().to_owned(),
        size: Count(verified.size),
        root: verified.root.to_string().trim_start_matches("sha256:").to_owned(),
        mark: Mark::new("Holds", Tone::Good),
        checked: "verified while this page was made".to_owned(),
        text,
    }))
}

/// The statement within an envelope.
fn statement(logged: &Logged) -> Json {
    let envelope: Json = serde_json::from_str(&logged.envelope).unwrap_or_default();
    let payload = Base64::decode_vec(&text(&envelope, "payload")).unwrap_or_default();
    serde_json::from_slice(&payload).unwrap_or_default()
}

fn row(caller: &Caller, logged: &Logged) -> EntryRow {
    let statement = statement(logged);
    let (what, subject) = said(caller, &statement);
    EntryRow {
        number: Link::new(Count(logged.entry).to_string(), format!("/console/log/{}", logged.entry)),
        what,
        subject,
        when: Moment(logged.created),
    }
}

/// What a statement says, and about what: its name only for who may see that.
fn said(caller: &Caller, statement: &Json) -> (String, Link) {
    let step = statement.get("predicate").cloned().unwrap_or_default();
    let (model, commit, after) = (text(&step, "model"), text(&step, "commit"), text(&step, "after"));
    let stage = Mark::of_stage(&after).word;
    let what = if text(&step, "before").is_empty() {
        format!("Came in, {}", stage.to_lowercase())
    } else {
        stage.to_owned()
    };
    let by = step.get("actor").map(|actor| text(actor, "name")).unwrap_or_default();
    let what = if by.is_empty() { what } else { format!("{what}, by {by}") };
    let subject = match may(caller, Role::Viewer, &model) {
        true => Link::new(&*model, address::version(alnage_registry::Kind::Model, &model, &commit)),
        false => Link::new("in a project that you cannot see", ""),
    };
    (what, subject)
}

pub(super) async fn entry(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(entry): Path<String>,
) -> Answered<Response> {
    respond::page(move || {
        let index: u64 = entry.parse().map_err(|_| Failure::not_found("such entry"))?;
        load(&state, &caller, index)
    })
    .await
}

fn load(state: &State, caller: &Caller, index: u64) -> Answered<Entry> {
    let verified = state.registry.log_checkpoint()?.ok_or_else(|| Failure::not_found("such entry"))?;
    if index >= verified.size {
        return Err(Failure::not_found("such entry"));
    }
    let receipt = Receipt::parse(&state.registry.log_receipt(index)?)
        .ok_or_else(|| Failure::internal("a receipt of our own log cannot be read"))?;
    let root: [u8; 32] = *verified.root.as_bytes();
    // Between the two reads the log may have grown: the receipt brings the checkpoint that it is about.
    let (size, root) =
        if receipt.size == verified.size { (verified.size, root) } else { (receipt.size, receipt.root) };
    let proof = Proof::compute(&receipt.entry, index, size, &receipt.siblings, &root);
    let logged = state.registry.log_statement(index)?;
    let statement = logged.as_ref().map(statement).unwrap_or_default();
    let (what, subject) = said(caller, &statement);
    let seen = !subject.href.is_empty();
    let when = logged.as_ref().map(|logged| Moment(logged.created).plain()).unwrap_or_default();
    let mark =
        if proof.holds { Mark::new("In the log", Tone::Good) } else { Mark::new("Not proven", Tone::Bad) };
    let steps = proof.steps.len();
    let server_says = match proof.holds {
        true => format!(
            "The server computed the leaf and {steps} step{} and reached the root of its signed checkpoint.",
            if steps == 1 { "" } else { "s" }
        ),
        false => "The server computed the steps and did not reach the root of its checkpoint. Do not rely on this entry.".to_owned(),
    };
    Ok(Entry {
        frame: respond::frame(state, caller, &format!("Entry {index}"), Place::Log, "")?,
        number: Count(index),
        what: format!("{what}: {}, {when} UTC", subject.text),
        mark,
        server_says,
        bytes: Size(receipt.entry.len() as u64),
        text: String::from_utf8_lossy(&receipt.entry).into_owned(),
        statement: if seen {
            serde_json::to_string_pretty(&statement).unwrap_or_default()
        } else {
            String::new()
        },
        size: Count(size),
        proof,
    })
}

/// A receipt taken apart, as <https://c2sp.org/tlog-proof> lays it out.
struct Receipt {
    entry: Vec<u8>,
    siblings: Vec<[u8; 32]>,
    size: u64,
    root: [u8; 32],
}

impl Receipt {
    fn parse(text: &str) -> Option<Self> {
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.lines().skip(1);
        let entry = Base64::decode_vec(lines.next()?.strip_prefix("extra ")?).ok()?;
        lines.next()?.strip_prefix("index ")?;
        let siblings = lines.take(64).map(hash).collect::<Option<Vec<_>>>()?;
        let mut lines = checkpoint.lines().skip(1);
        let size = lines.next()?.parse().ok()?;
        Some(Self { entry, siblings, size, root: hash(lines.next()?)? })
    }
}

fn hash(line: &str) -> Option<[u8; 32]> {
    Base64::decode_vec(line).ok()?.try_into().ok()
}
