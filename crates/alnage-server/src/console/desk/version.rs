//! A version: whether clients get it and why, and all that is known about it.

use alnage_pipeline::materials;
use alnage_registry::{
    FindingQuery, Kind, NewRequest, Page, Repo, Request, RequestState, ScanRecord, Stage, Version,
    people::Role,
};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{actor, lineage, may, must, revoke, rows, seals};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{self, BomField, Choice, Fact, Files, Pages, VoteRow},
        parts::{Count, InQuery, Link, Mark, Moment, Place, Size, Tone, Until},
        respond,
    },
    core::{Answered, Failure, Form, Path, Query, State},
};

/// What the page of a version shows of each list.
const FINDINGS: u32 = 50;
const FILES: u32 = 20;
const FILE_ROWS: u32 = 200;

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    done: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    after: String,
}

/// What the forms of a version send.
#[derive(Deserialize, Default)]
pub(super) struct Change {
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) sure: String,
    #[serde(default)]
    stage: String,
}

pub(super) async fn model(
    state: Shared<State>,
    caller: Caller,
    Path(rest): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    show(state.0, caller, Kind::Model, rest, wanted).await
}

pub(super) async fn dataset(
    state: Shared<State>,
    caller: Caller,
    Path(rest): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    show(state.0, caller, Kind::Dataset, rest, wanted).await
}

pub(super) async fn change_model(
    state: Shared<State>,
    caller: Caller,
    Path(rest): Path<String>,
    Form(form): Form<Change>,
) -> Answered<Response> {
    respond::done(move || change(&state.0, &caller, Kind::Model, &rest, &form)).await
}

pub(super) async fn change_dataset(
    state: Shared<State>,
    caller: Caller,
    Path(rest): Path<String>,
    Form(form): Form<Change>,
) -> Answered<Response> {
    respond::done(move || change(&state.0, &caller, Kind::Dataset, &rest, &form)).await
}

/// The version that an address names, if the reader may see it, and what of it.
fn named(state: &State, caller: &Caller, kind: Kind, rest: &str) -> Answered<(Version, String)> {
    let absent = || Failure::not_found("such version");
    if caller.is_anonymous() {
        return Err(Failure::unauthorized());
    }
    let place = address::Place::parse(kind, rest).ok_or_else(absent)?;
    let version = state.registry.version(place.kind, &place.name, &place.revision)?;
    let version = match version {
        Some(version) => version,
        // A repository of which no reference is called `main` has a newest version all the same.
        None if place.revision == "main" => {
            let repo = state.registry.repo(place.kind, &place.name)?.ok_or_else(absent)?;
            *repo.head.ok_or_else(absent)?
        }
        None => return Err(absent()),
    };
    must(caller, Role::Viewer, &version)?;
    Ok((version, place.part))
}

async fn show(state: State, caller: Caller, kind: Kind, rest: String, wanted: Wanted) -> Answered<Response> {
    let at = (state.clone(), caller.clone());
    let (version, part) = crate::core::blocking(move || named(&at.0, &at.1, kind, &rest)).await?;
    match &*part {
        "" => respond::page(move || load(&state, &caller, version, &wanted)).await,
        "files" => respond::page(move || files(&state, &caller, &version, &wanted)).await,
        "revoke" => respond::page(move || revoke::load(&state, &caller, &version)).await,
        _ => Err(Failure::not_found("such page")),
    }
}

fn change(state: &State, caller: &Caller, kind: Kind, rest: &str, form: &Change) -> Answered<String> {
    let (version, part) = named(state, caller, kind, rest)?;
    let page = address::version(version.kind, &version.name, &version.commit);
    match &*part {
        "ask" => {
            must(caller, Role::Consumer, &version)?;
            let new = NewRequest {
                version: version.id,
                stage: Stage::Approved,
                reason: &form.reason,
                expires: None,
                conditions: "",
            };
            state.registry.request_approval(&new, &actor(caller))?;
            Ok(format!("{page}?done=asked#approvals"))
        }
        "stage" => {
            must(caller, Role::Reviewer, &version)?;
            let stage = Stage::parse(&form.stage)?;
            if !moves(&version).contains(&stage) {
                return Err(Failure::conflict("this stage cannot be reached from where the version is now"));
            }
            state.registry.transition(version.id, stage, &form.reason, &actor(caller))?;
            Ok(format!("{page}?done=moved"))
        }
        "revoke" => {
            must(caller, Role::Reviewer, &version)?;
            revoke::revoke(state, caller, &version, form)?;
            Ok(format!("{page}?done=revoked"))
        }
        _ => Err(Failure::not_found("such page")),
    }
}

/// Where a person may move a version without a vote.
fn moves(version: &Version) -> &'static [Stage] {
    match version.stage {
        Stage::Approved => &[Stage::Production, Stage::Deprecated],
        Stage::Production => &[Stage::Approved, Stage::Deprecated],
        Stage::Deprecated => &[Stage::Approved, Stage::Production],
        Stage::Quarantined | Stage::Rejected | Stage::Revoked => &[],
    }
}

fn crumbs(version: &Version) -> Vec<Link> {
    let mut crumbs = vec![Link::new("Models", "/console/models")];
    if let Some((project, _)) = version.name.split_once('/') {
        crumbs.push(Link::new(project, format!("/console/models?q={}", InQuery(&format!("{project}/")))));
    }
    crumbs.push(Link::new(&*version.name, address::repo(version.kind, &version.name)));
    crumbs
}

fn load(state: &State, caller: &Caller, version: Version, wanted: &Wanted) -> Answered<pages::Version> {
    let registry = &state.registry;
    let scan = version.scan.map_or(Ok(None), |id| registry.scan(id))?;
    let repo = registry.repo(version.kind, &version.name)?;
    let query = FindingQuery { version: Some(version.id), code: None, severity: None };
    let mut found = registry.findings(query, Page::first(1000))?;
    found.sort_by_key(|finding| std::cmp::Reverse(gravity(&finding.severity, finding.suppressed)));
    let total = found.len() as u64;
    let given_out = registry.is_given_out(&version);
    let files = registry.files(version.id, "", "", FILES)?;
    let requests = registry.requests_of(version.id)?;
    let open = requests.iter().find(|request| request.state == RequestState::Open);
    let reviewer = may(caller, Role::Reviewer, &version.name);
    let model = format!("{}/{}", version.kind.as_str(), version.name);
    let mut running = Vec::new();
    for deployment in registry.deployments(Some(&model), Page::first(200))? {
        if deployment.commit == version.commit && running.len() < 50 {
            running.push(rows::deployment(state, &deployment)?);
        }
    }
    let said = answer(&version, given_out);
    let reasons = scan.as_ref().map(|scan| rows::reasons(&scan.decision)).unwrap_or_default();
    let lineage = lineage::load(state, &version)?;
    let (seals, seals_checked) = seals::load(state, &version, scan.as_ref())?;
    let page = address::version(version.kind, &version.name, &version.commit);
    // What the policy denies is not approved by votes.
    let denied = version.effect == Some(alnage_policy::Effect::Deny);
    let waits = match version.stage {
        Stage::Quarantined => true,
        Stage::Rejected => !denied,
        Stage::Approved | Stage::Production | Stage::Deprecated | Stage::Revoked => false,
    };
    Ok(pages::Version {
        frame: respond::frame(state, caller, &version.name, Place::Models, &wanted.done)?,
        crumbs: crumbs(&version),
        actions: actions(caller, &version, open),
        verdict: said.0,
        answer: said.1,
        because: because(&version),
        way_out: if given_out { String::new() } else { way_out(state, &version, &reasons) },
        reasons,
        facts: facts(&version, repo.as_ref()),
        findings: found.iter().take(FINDINGS as usize).map(rows::finding).collect(),
        findings_total: Count(total),
        findings_more: total.saturating_sub(u64::from(FINDINGS)),
        record_href: address::api(&version, "findings"),
        scanned: scan.as_ref().map(scanned).unwrap_or_default(),
        no_findings: if scan.is_some() { "The scan found nothing." } else { "It has not been scanned yet." },
        files: files.iter().map(|file| rows::file(file, given_out)).collect(),
        files_total: Count(version.files),
        files_href: if version.files > u64::from(FILES) {
            address::part(&version, "files")
        } else {
            String::new()
        },
        size: Size(version.size),
        bom: version
            .scan
            .map_or(Ok(None), |id| registry.scan_bom(id))?
            .map(|text| bom(&text))
            .unwrap_or_default(),
        bom_href: version.scan.map(|_| address::api(&version, "bom")).unwrap_or_default(),
        seals,
        seals_checked,
        lineage: lineage.graph,
        lineage_rows: lineage.rows,
        blast_href: address::part(&version, "revoke"),
        deployments: running,
        approvals: votes(&requests),
        may_ask: waits && scan.is_some() && open.is_none() && may(caller, Role::Consumer, &version.name),
        ask_action: format!("{page}/ask"),
        moves: if reviewer { choices(moves(&version)) } else { Vec::new() },
        move_action: format!("{page}/stage"),
        events: registry.transitions(version.id)?.iter().rev().map(rows::step).collect(),
        name: version.name,
        commit: version.commit,
    })
}

fn choices(stages: &[Stage]) -> Vec<Choice> {
    let choice = |stage: &Stage| Choice {
        value: stage.as_str().to_owned(),
        label: Mark::of_stage(stage.as_str()).word.to_owned(),
        chosen: false,
    };
    stages.iter().map(choice).collect()
}

fn gravity(severity: &str, suppressed: bool) -> (bool, u8) {
    let rank = ["info", "low", "medium", "high", "critical"].iter().position(|name| *name == severity);
    (!suppressed, rank.map_or(0, |rank| rank as u8))
}

/// Whether clients get it, in one line, and how that looks.
fn answer(version: &Version, given_out: bool) -> (Mark, String) {
    let say = |word, tone, text: &str| (Mark::new(word, tone), text.to_owned());
    match version.stage {
        Stage::Quarantined if version.scan.is_none() => {
            say("Waits", Tone::Wait, "Waiting for its scan: clients wait too")
        }
        Stage::Quarantined => {
            let tone = rows::verdict(version).tone;
            let tone = if tone == Tone::Good { Tone::Look } else { tone };
            (Mark::new("Held", tone), "In quarantine: a person has to decide".to_owned())
        }
        Stage::Rejected => say("Blocked", Tone::Bad, "Blocked: clients are refused"),
        Stage::Revoked => {
            say("Revoked", Tone::Bad, "Revoked: clients are refused, those that have it cached as well")
        }
        _ if !given_out => {
            say("Ended", Tone::Look, "Its approval has ended: clients are refused until it is renewed")
        }
        Stage::Approved => say("Approved", Tone::Good, "Approved: clients get it"),
        Stage::Production => say("Production", Tone::Good, "In production: clients get it"),
        Stage::Deprecated => say("Deprecated", Tone::Look, "Deprecated: clients still get it"),
    }
}

/// Why, in one or two sentences.
fn because(version: &Version) -> String {
    let verdict = match version.verdict.map(|verdict| verdict.as_str()) {
        Some("pass") => "Everything was read and nothing in it asks for a person.",
        Some("unknown") => "Not everything in it could be understood.",
        Some("review") => "Some findings ask for a person.",
        Some("block") => "Loading it would execute, escape or mislead.",
        _ => "Nothing is known about it before the scan ends.",
    };
    let reason = respond::sentence(&version.reason);
    let mut text = if reason.is_empty() { verdict.to_owned() } else { format!("{verdict} {reason}") };
    if version.stage.is_served() && !version.staged_by.is_empty() {
        text = format!("{text} Decided by {}.", version.staged_by);
    }
    if !version.conditions.is_empty() {
        text = format!("{text} Only if {}.", version.conditions);
    }
    text
}

/// What would change it.
fn way_out(state: &State, version: &Version, reasons: &[pages::Reason]) -> String {
    match version.stage {
        Stage::Quarantined if version.scan.is_none() => String::new(),
        Stage::Revoked => {
            "Use another version. What is revoked does not come back by an approval.".to_owned()
        }
        _ => {
            let pack = state.registry.policy();
            let remedy = reasons
                .iter()
                .find_map(|reason| pack.rules().get(&reason.rule).map(|rule| rule.remedy.clone()));
            match (remedy.filter(|text| !text.is_empty()), version.stage) {
                (Some(remedy), _) => respond::sentence(&remedy),
                (None, Stage::Rejected) => {
                    "Use another version, or one without these findings. A reviewer can except a rule for a while."
                        .to_owned()
                }
                (None, _) => "Ask for an approval below; somebody else decides.".to_owned(),
            }
        }
    }
}

fn actions(caller: &Caller, version: &Version, open: Option<&Request>) -> Vec<Link> {
    let mut actions = Vec::new();
    if let Some(request) = open {
        let decides = may(caller, Role::Reviewer, &version.name);
        let label = if decides { "Decide about the request" } else { "See the request" };
        actions.push(Link::new(label, format!("/console/reviews/{}", request.id)));
    }
    let excepted = matches!(version.stage, Stage::Rejected | Stage::Quarantined) && version.scan.is_some();
    if excepted && may(caller, Role::Reviewer, &version.name) {
        let of = format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit);
        actions
            .push(Link::new("Except a rule", format!("/console/exceptions?version={}#grant", InQuery(&of))));
    }
    if version.stage != Stage::Revoked && may(caller, Role::Reviewer, &version.name) {
        actions.push(Link::new("Revoke", address::part(version, "revoke")));
    }
    actions
}

fn facts(version: &Version, repo: Option<&Repo>) -> Vec<Fact> {
    let text = |value: &str| if value.is_empty() { "not said".to_owned() } else { value.to_owned() };
    let since = format!(
        "{} since {} UTC",
        Mark::of_stage(version.stage.as_str()).word,
        Moment(version.staged).plain()
    );
    let mut facts = vec![
        Fact { label: "Stage", value: since },
        Fact { label: "Verdict", value: rows::verdict(version).word.to_owned() },
        Fact { label: "Manifest", value: version.manifest.clone() },
        Fact { label: "Reference", value: text(&version.refname) },
        Fact {
            label: "Brought by",
            value: format!("{}, {} UTC", text(&version.author), Moment(version.created).plain()),
        },
        Fact { label: "Message", value: text(&version.message) },
    ];
    if let Some(repo) = repo {
        facts.push(Fact { label: "Origin", value: text(&repo.origin) });
        facts.push(Fact { label: "Owner", value: text(&repo.owner) });
        facts.push(Fact { label: "Given out", value: format!("{} times, all versions", Count(repo.pulls)) });
    }
    facts
}

fn scanned(scan: &ScanRecord) -> String {
    let rules: String = scan.rules.trim_start_matches("sha256:").chars().take(12).collect();
    format!("Scanned {} UTC with rules {rules}", Moment(scan.finished).plain())
}

/// The fields of a bill of materials that people ask about, each with who says so.
fn bom(text: &str) -> Vec<BomField> {
    let Ok(bom) = materials::read(text.as_bytes()) else { return Vec::new() };
    let mut fields = Vec::new();
    let mut say = |name: &str, value: &str, sources: &[String]| {
        if !value.is_empty() && fields.len() < 60 {
            let source =
                if sources.is_empty() { "the record of the scan".to_owned() } else { sources.join(", ") };
            fields.push(BomField { name: name.to_owned(), value: value.to_owned(), source });
        }
    };
    let Some(model) = bom.model() else { return fields };
    fn sources<T>(known: &materials::Known<T>) -> Vec<String> {
        known.sources.iter().take(4).map(|source| source.to_string().replace('`', "")).collect()
    }
    let single = [
        ("Version", &model.version),
        ("Description", &model.description),
        ("Supplier", &model.supplier),
        ("Package", &model.purl),
    ];
    for (name, known) in single {
        if let Some(known) = known {
            say(name, &known.value, &sources(known));
        }
    }
    for licence in &model.licences {
        say("Licence", &licence.value.name, &sources(licence));
    }
    if let Some(details) = &model.model {
        let single = [
            ("Task", &details.task),
            ("Family", &details.family),
            ("Architecture", &details.architecture),
            ("Training", &details.training),
        ];
        for (name, known) in single {
            if let Some(known) = known {
                say(name, &known.value, &sources(known));
            }
        }
        for (name, known) in &details.parameters {
            say(&words(name), &known.value, &sources(known));
        }
    }
    // What the scan itself counted stands elsewhere on the page.
    for (name, known) in model.properties.iter().filter(|(_, known)| !known.sources.is_empty()) {
        say(&words(name), &known.value, &sources(known));
    }
    let silent = model.properties.iter().filter(|(name, _)| name.rsplit(':').next() == Some("unknown"));
    let silent: Vec<&str> =
        silent.map(|(_, known)| known.value.split(": ").next().unwrap_or_default()).collect();
    say("Said by no source", &silent.join(", "), &["none".to_owned()]);
    let all = bom.all();
    for relation in &bom.relations {
        let name = match relation.kind {
            materials::RelationKind::TrainedOn => "Trained on",
            materials::RelationKind::TestedOn => "Tested on",
            materials::RelationKind::DescendantOf => "Base model",
            materials::RelationKind::DependsOn => continue,
        };
        if let Some(component) = all.iter().find(|component| component.id == relation.to) {
            say(name, &component.name.value, &sources(&component.name));
        }
    }
    fields
}

/// `alnage:model:parameterCount` and `parameter-count` are both `Parameter count` here.
fn words(name: &str) -> String {
    let last = name.rsplit(':').next().unwrap_or(name);
    let mut words = String::new();
    for letter in last.chars() {
        let begins =
            letter.is_ascii_uppercase() && words.ends_with(|before: char| before.is_ascii_lowercase());
        match (words.is_empty(), begins) {
            (true, _) => words.extend(letter.to_uppercase()),
            (false, true) => words.extend([' ', letter.to_ascii_lowercase()]),
            (false, false) => words.push(if letter == '-' || letter == '_' { ' ' } else { letter }),
        }
    }
    words
}

fn votes(requests: &[Request]) -> Vec<VoteRow> {
    let mut all = Vec::new();
    for request in requests.iter().rev() {
        all.push(VoteRow {
            who: request.requester.clone(),
            mark: Mark::new("Asked", Tone::Wait),
            reason: request.reason.clone(),
            conditions: request.conditions.clone(),
            until: Until(request.expires),
            when: Moment(request.created),
        });
        all.extend(request.votes.iter().map(super::reviews::vote_row));
    }
    all
}

fn files(state: &State, caller: &Caller, version: &Version, wanted: &Wanted) -> Answered<Files> {
    let found = state.registry.files(version.id, &wanted.prefix, &wanted.after, FILE_ROWS)?;
    let here = address::part(version, "files");
    let query = |after: &str| format!("{here}?prefix={}{after}", InQuery(&wanted.prefix));
    let next = found.last().filter(|_| found.len() as u32 >= FILE_ROWS);
    let given_out = state.registry.is_given_out(version);
    Ok(Files {
        frame: respond::frame(state, caller, "Files", Place::Models, "")?,
        crumbs: crumbs(version).into_iter().chain([address::link(version)]).collect(),
        total: Count(version.files),
        size: Size(version.size),
        prefix: wanted.prefix.clone(),
        files: found.iter().map(|file| rows::file(file, given_out)).collect(),
        pages: Pages {
            first: if wanted.after.is_empty() { String::new() } else { query("") },
            next: next.map_or_else(String::new, |file| query(&format!("&after={}", InQuery(&file.path)))),
        },
        action: here,
    })
}

/// Text of a JSON object.
pub(super) fn text(of: &Json, key: &str) -> String {
    of.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}
