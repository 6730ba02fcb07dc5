//! The Xet door, write side: what stock clients upload large files through. It has no read side, because every download
//! takes the hub's door, where versions are judged.
//!
//! A client asks the hub's door for a token, sends xorbs and then a shard here, and commits at the hub's door by the
//! digest of each file. Global deduplication and uploads past this server are answered 404, which clients take for no.

use alnage_registry::{
    Kind,
    people::Role,
    xet::{self as registry_xet, Assembled, Grant, Inserted},
};
use alnage_xet::{MAX_SHARD_BYTES, MAX_XORB_BODY, MerkleHash};
use axum::{
    body::{Body, Bytes},
    extract::State as Shared,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::core::{Access, Answered, Ask, Failure, Json, Path, Route, State, blocking};

/// Xorbs and shards in memory at a time; the others wait at the door.
static AT_ONCE: Semaphore = Semaphore::const_new(6);

/// What is asked for with a token for uploads, which publishers of a project are given at the hub's door.
const XORB: &[Ask] = &[Ask::role(Role::Publisher, "/v1/xorbs/default/{hash}").empty()];
const SHARD: &[Ask] = &[Ask::role(Role::Publisher, "/v1/shards").empty()];

pub(crate) fn routes() -> Vec<Route> {
    let absent =
        |method, path| Route::new(method, path, Access::Public, "Not offered: clients go on without", absent);
    let (xorb, shard) = (Access::Asked(XORB), Access::Asked(SHARD));
    vec![
        Route::post("/v1/xorbs/{prefix}/{hash}", xorb, "Takes a xorb: chunks of files", take_xorb)
            .body(MAX_XORB_BODY),
        Route::post("/v1/shards", shard, "Takes a shard: makes files of chunks", take_shard)
            .body(MAX_SHARD_BYTES),
        absent(Method::GET, "/v1/chunks/{prefix}/{hash}"),
        absent(Method::POST, "/v1/xorb-grants/{prefix}/{hash}"),
        absent(Method::POST, "/v2/shards"),
    ]
}

/// The answer of `/api/models/{name}/xet-write-token/{rev}` to a caller who may publish there; `address` is where the
/// caller sees this server.
pub(crate) async fn write_token(
    state: &State,
    address: &str,
    account: &str,
    kind: Kind,
    name: &str,
) -> Answered<Response> {
    let grant = Grant::new(account, kind.as_str(), name, state.registry.now());
    let (registry, sealed) = (state.registry.clone(), grant.clone());
    let token = blocking(move || Ok(sealed.seal(&registry_xet::secret(registry.database())?)?)).await?;
    let expires = grant.expires.to_string();
    let body = Json(json!({"casUrl": address, "accessToken": token, "exp": grant.expires}));
    let mut response = body.into_response();
    for (name, value) in [
        ("x-xet-cas-url", address),
        ("x-xet-access-token", token.as_str()),
        ("x-xet-token-expiration", expires.as_str()),
    ] {
        let value = HeaderValue::from_str(value).map_err(Failure::internal)?;
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn take_xorb(
    Shared(state): Shared<State>,
    Path((_, hash)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answered<Response> {
    granted(&state, &headers).await?;
    let _turn = AT_ONCE.acquire().await.map_err(Failure::internal)?;
    let bytes = whole(body, MAX_XORB_BODY).await?;
    let hash: MerkleHash = hash.parse().map_err(|_| Failure::invalid("the xorb's hash is no hash"))?;
    let registry = state.registry.clone();
    let inserted = blocking(move || {
        Ok(registry_xet::put_xorb(registry.database(), registry.blobs(), hash, &bytes, registry.now())?)
    });
    Ok(Json(json!({"was_inserted": inserted.await? == Inserted::New})).into_response())
}

async fn take_shard(Shared(state): Shared<State>, headers: HeaderMap, body: Body) -> Answered<Response> {
    let grant = granted(&state, &headers).await?;
    let _turn = AT_ONCE.acquire().await.map_err(Failure::internal)?;
    let bytes = whole(body, MAX_SHARD_BYTES).await?;
    let registry = state.registry.clone();
    let files = blocking(move || {
        let files = registry_xet::put_shard(registry.database(), registry.blobs(), &bytes, registry.now())?;
        let kind = if grant.kind == Kind::Dataset.as_str() { Kind::Dataset } else { Kind::Model };
        for Assembled { sha256, size } in &files {
            registry.note_upload(kind, &grant.name, *sha256, *size, &grant.account)?;
        }
        Ok(files)
    })
    .await?;
    // 0 says that all of it was here before; clients go on alike after 1.
    Ok(Json(json!({"result": u8::from(!files.is_empty())})).into_response())
}

async fn absent() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not_found", "this is not offered here")
}

/// Who may send, by the token that [`write_token`] gave out.
async fn granted(state: &State, headers: &HeaderMap) -> Answered<Grant> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = token.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned) else {
        return Err(Failure::unauthorized());
    };
    let registry = state.registry.clone();
    let grant = blocking(move || {
        let secret = registry_xet::secret(registry.database())?;
        // 401 makes a client ask for a new token, 403 makes it give up.
        Grant::open(&token, &secret, registry.now())
            .map_err(|error| Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", error.to_string()))
    });
    grant.await
}

async fn whole(body: Body, limit: usize) -> Answered<Bytes> {
    let too_large =
        |_| Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large, or broke off");
    axum::body::to_bytes(body, limit).await.map_err(too_large)
}
