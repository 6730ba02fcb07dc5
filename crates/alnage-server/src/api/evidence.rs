//! What is known about a version: scans, findings, bills of materials, seals, attestations, and the log's word on it.

use alnage_registry::{
    Document, Edge, FindingQuery, FindingRecord, Page, ScanRecord, Transition, people::Role, project_of,
};
use axum::{
    body::Bytes,
    extract::State as Shared,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::common::{List, Named, rows, sees, version_for};
use super::version_path;
use crate::{
    auth::Caller,
    core::{Access, Answered, Ask, Failure, Json, Last, On, Path, Query, Route, State, blocking},
};

const VIEW: Access = Access::Role(Role::Viewer, On::Segment("project"));
const REVIEW: Access = Access::Role(Role::Reviewer, On::Segment("project"));
const SCAN: &[Ask] = &[Ask::role(Role::Viewer, "/api/v1/scans/{scan}")];
/// An attestation is no longer.
const LONGEST: usize = 8 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(version_path!("/scans"), VIEW, "Scans of a version, the newest first", scans)
            .gives::<List<ScanRecord>>(),
        Route::post(version_path!("/scans"), REVIEW, "Scan a version again", scan_again).success(202),
        Route::get(version_path!("/findings"), VIEW, "What was found in a version", findings_of)
            .query::<FindingsQuery>()
            .gives::<List<FindingRecord>>(),
        Route::get(version_path!("/bom"), VIEW, "The bill of materials of a version: CycloneDX", bom)
            .gives_kinds(&["application/vnd.cyclonedx+json"]),
        Route::get(
            version_path!("/seals"),
            VIEW,
            "Signatures and seals of a version, and how they were found",
            seals,
        )
        .gives::<Value>(),
        Route::get(version_path!("/attestations"), VIEW, "Documents about a version", documents)
            .gives::<List<Document>>(),
        Route::put(
            version_path!("/attestations/{document}"),
            Access::Role(Role::Publisher, On::Segment("project")),
            "Add a document about a version: an attestation, a signature, a bill of materials",
            add_document,
        )
        .query::<DocumentQuery>()
        .takes_kinds(&["application/octet-stream"])
        .gives::<Numbered>()
        .success(201)
        .body(LONGEST),
        Route::get(version_path!("/attestations/{document}"), VIEW, "A document about a version", document)
            .gives_kinds(&["application/octet-stream"]),
        Route::get(
            version_path!("/transitions"),
            VIEW,
            "The way of a version from stage to stage, and the log's entries",
            transitions,
        )
        .gives::<List<Transition>>(),
        Route::get(version_path!("/lineage"), VIEW, "What a version was made from", lineage)
            .gives::<List<Edge>>(),
        Route::get(
            "/api/v1/scans/{scan}",
            Access::Asked(SCAN),
            "A scan with the record of `alnage vet`",
            scan,
        )
        .gives::<Scanned>(),
        Route::get(
            "/api/v1/findings",
            Access::Role(Role::Viewer, On::Anywhere),
            "What was found, the newest first",
            findings,
        )
        .query::<FindingsQuery>()
        .gives::<List<FindingRecord>>(),
    ]
}

async fn scans(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<ScanRecord>>> {
    blocking(move || Ok(Json(List::all(state.registry.scans(named.version(&state)?.id)?)))).await
}

async fn scan_again(Shared(state): Shared<State>, named: Named) -> Answered<StatusCode> {
    blocking(move || {
        state.registry.rescan(named.version(&state)?.id)?;
        Ok(StatusCode::ACCEPTED)
    })
    .await
}

/// A scan with its record.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Scanned {
    #[serde(flatten)]
    scan: ScanRecord,
    /// What `alnage vet` writes: docs/record.schema.json describes it
    record: Value,
}

async fn scan(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answered<Json<Scanned>> {
    blocking(move || {
        let id: i64 = id.parse().map_err(|_| Failure::not_found("scan of that number"))?;
        let scan = state.registry.scan(id)?.ok_or_else(|| Failure::not_found(format_args!("scan {id}")))?;
        version_for(&state, &caller, scan.version, Role::Viewer)?;
        let record = state.registry.scan_record(id)?.unwrap_or_default();
        Ok(Json(Scanned { scan, record: serde_json::from_str(&record).unwrap_or_default() }))
    })
    .await
}

/// Which findings.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FindingsQuery {
    /// Of this rule: `PKL004`
    code: Option<String>,
    /// At least so bad
    #[cfg_attr(feature = "schema", schemars(with = "Option<SeverityWord>"))]
    severity: Option<String>,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

/// How bad.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "lowercase"))]
#[expect(dead_code, reason = "it describes what another crate reads")]
enum SeverityWord {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

fn find(state: &State, version: Option<i64>, query: &FindingsQuery) -> Answered<List<FindingRecord>> {
    use alnage_types::Severity;
    let severity = match query.severity.as_deref() {
        None | Some("") => None,
        Some("info") => Some(Severity::Info),
        Some("low") => Some(Severity::Low),
        Some("medium") => Some(Severity::Medium),
        Some("high") => Some(Severity::High),
        Some("critical") => Some(Severity::Critical),
        Some(_) => {
            return Err(Failure::invalid("a severity is `info`, `low`, `medium`, `high` or `critical`"));
        }
    };
    let limit = rows(query.limit);
    let wanted = FindingQuery { version, code: query.code.as_deref(), severity };
    let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
    Ok(List::of(state.registry.findings(wanted, page)?, limit, |finding| finding.id.to_string()))
}

async fn findings_of(
    Shared(state): Shared<State>,
    named: Named,
    Query(query): Query<FindingsQuery>,
) -> Answered<Json<List<FindingRecord>>> {
    blocking(move || Ok(Json(find(&state, Some(named.version(&state)?.id), &query)?))).await
}

async fn findings(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<FindingsQuery>,
) -> Answered<Json<List<FindingRecord>>> {
    blocking(move || {
        let mut list = find(&state, None, &query)?;
        list.items.retain(|finding| sees(&caller, project_of(&finding.model)));
        Ok(Json(list))
    })
    .await
}

async fn bom(Shared(state): Shared<State>, named: Named) -> Answered<Response> {
    blocking(move || {
        let scan = named.version(&state)?.scan;
        let bom = scan.map(|scan| state.registry.scan_bom(scan)).transpose()?.flatten();
        let bom = bom
            .filter(|bom| !bom.is_empty())
            .ok_or_else(|| Failure::not_found("bill of materials before the first scan"))?;
        Ok(([(header::CONTENT_TYPE, "application/vnd.cyclonedx+json")], bom).into_response())
    })
    .await
}

async fn seals(Shared(state): Shared<State>, named: Named) -> Answered<Json<Value>> {
    blocking(move || {
        let version = named.version(&state)?;
        let newest = version.scan.map(|scan| state.registry.scan(scan)).transpose()?.flatten();
        Ok(Json(newest.map_or(Value::Array(Vec::new()), |scan| scan.seals)))
    })
    .await
}

async fn documents(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<Document>>> {
    blocking(move || Ok(Json(List::all(state.registry.documents(named.version(&state)?.id, None)?)))).await
}

/// What kind of document.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct DocumentQuery {
    /// `attestation`, `signature` or `bom`; `attestation` when left out
    #[cfg_attr(feature = "schema", schemars(with = "Option<DocumentWord>"))]
    what: Option<String>,
}

/// What a document is.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "lowercase"))]
#[expect(dead_code, reason = "it describes what another crate reads")]
enum DocumentWord {
    Attestation,
    Signature,
    Bom,
}

/// The number of something new.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Numbered {
    /// The number
    id: i64,
}

async fn add_document(
    Shared(state): Shared<State>,
    caller: Caller,
    named: Named,
    Path(Last(document)): Path<Last>,
    Query(query): Query<DocumentQuery>,
    body: Bytes,
) -> Answered<(StatusCode, Json<Numbered>)> {
    blocking(move || {
        let what = query.what.as_deref().unwrap_or("attestation");
        if !["attestation", "signature", "bom"].contains(&what) {
            return Err(Failure::invalid("a document is `attestation`, `signature` or `bom`"));
        }
        if document.len() > 200 || document.contains('\0') {
            return Err(Failure::invalid("a document's name has up to 200 bytes"));
        }
        let version = named.version(&state)?;
        let id = state.registry.add_document(version.id, what, &document, &body, &caller.actor())?;
        Ok((StatusCode::CREATED, Json(Numbered { id })))
    })
    .await
}

async fn document(
    Shared(state): Shared<State>,
    named: Named,
    Path(Last(document)): Path<Last>,
) -> Answered<Response> {
    blocking(move || {
        let found = state.registry.documents(named.version(&state)?.id, None)?;
        let found = found.into_iter().find(|known| known.name == document);
        let found = found.ok_or_else(|| Failure::not_found(format_args!("document `{document}`")))?;
        // What somebody uploaded is never shown as a page.
        let headers =
            [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, "attachment")];
        Ok((headers, found.body).into_response())
    })
    .await
}

async fn transitions(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<Transition>>> {
    blocking(move || Ok(Json(List::all(state.registry.transitions(named.version(&state)?.id)?)))).await
}

async fn lineage(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<Edge>>> {
    blocking(move || Ok(Json(List::all(state.registry.edges(named.version(&state)?.id)?)))).await
}
