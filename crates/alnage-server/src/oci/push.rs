//! A manifest that is pushed: it makes a version of the blobs that came before it, or goes with one as an attachment.

use alnage_registry::{
    Actor, ActorKind, Kind, NewFile, NewVersion, RefKind, Registry,
    blobs::pointer_oid,
    oci::{self, Descriptor, KeptManifest, MAX_MANIFEST, Manifest, Name},
};
use alnage_types::Digest;
use axum::{
    body::Body,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Call, DIGEST, OciError, Told, insert};
use crate::{
    auth::CallerKind,
    core::{Failure, blocking},
};

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// PUT of a manifest.
pub(super) async fn manifest(call: &Call, name: &str, reference: &str, body: Body) -> Told<Response> {
    call.must_write(name)?;
    let too_large =
        |_| OciError::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", "the manifest is too large");
    let bytes = axum::body::to_bytes(body, MAX_MANIFEST).await.map_err(too_large)?;
    let parsed = Manifest::parse(&bytes);
    let manifest = parsed.map_err(|error| OciError::invalid("MANIFEST_INVALID", error.to_string()))?;
    let digest = Digest::of(&bytes);
    let refname = match reference.parse::<Name>() {
        Ok(named) if named.0 != digest => {
            return Err(OciError::invalid(
                "DIGEST_INVALID",
                format!("the manifest's digest is {}", Name(digest)),
            ));
        }
        Ok(_) => String::new(),
        Err(_) if reference == "latest" => "main".to_owned(),
        Err(_) => reference.to_owned(),
    };
    let subject = manifest.subject.as_ref().map(|subject| subject.digest);
    let (registry, repo, actor) = (call.state.registry.clone(), name.to_owned(), actor(call));
    let taken = blocking(move || take(&registry, &repo, &manifest, &bytes, &refname, &actor));
    let told = match taken.await? {
        Taken::Version(told) => told,
        Taken::Attachment => None,
        Taken::Missing(digest) => {
            return Err(OciError::absent(
                "MANIFEST_BLOB_UNKNOWN",
                format!("{digest} was not pushed to {name}"),
            ));
        }
        Taken::Invalid(message) => return Err(OciError::invalid("MANIFEST_INVALID", message)),
    };
    let mut response = StatusCode::CREATED.into_response();
    let headers = response.headers_mut();
    insert(headers, header::LOCATION, &format!("/v2/{name}/manifests/{}", Name(digest)));
    insert(headers, DIGEST, &Name(digest).to_string());
    if let Some(subject) = subject {
        insert(headers, SUBJECT, &subject.to_string());
    }
    if let Some(told) = told {
        insert(headers, header::WARNING, &format!("299 - \"{told}\""));
    }
    Ok(response)
}

enum Taken {
    /// A version was made of it, or was before; what its uploader is told.
    Version(Option<String>),
    Attachment,
    /// A blob was not pushed to this repository.
    Missing(Name),
    Invalid(String),
}

fn take(
    registry: &Registry,
    name: &str,
    manifest: &Manifest,
    bytes: &[u8],
    refname: &str,
    actor: &Actor,
) -> Result<Taken, Failure> {
    for named in manifest.layers.iter().chain([&manifest.config]) {
        if !is_here(registry, name, named)? {
            return Ok(Taken::Missing(named.digest));
        }
    }
    if let Some(reason) = bad_config(registry, &manifest.config)? {
        return Ok(Taken::Invalid(reason));
    }
    let database = registry.database();
    if manifest.subject.is_some() {
        let mut attached: Vec<Digest> = manifest.layers.iter().map(|layer| layer.digest.0).collect();
        attached.push(manifest.config.digest.0);
        oci::keep(
            database,
            registry.blobs(),
            name,
            &KeptManifest::new(manifest, bytes, "")?,
            &attached,
            registry.now(),
        )?;
        return Ok(Taken::Attachment);
    }
    let known = oci::manifest(database, name, Digest::of(bytes))?;
    if let Some(known) = known.filter(|known| !known.made)
        && registry.version(Kind::Model, name, &known.commit)?.is_some()
    {
        if !refname.is_empty() {
            registry.add_ref(Kind::Model, name, refname, RefKind::Branch, &known.commit)?;
        }
        return Ok(Taken::Version(None));
    }
    let files = match manifest.files() {
        Ok(files) => files,
        Err(error) => return Ok(Taken::Invalid(error.to_string())),
    };
    let files = files.into_iter().map(|file| NewFile {
        git_oid: pointer_oid(file.digest, file.size),
        path: file.path,
        size: file.size,
        sha256: file.digest,
    });
    let new = NewVersion {
        message: format!("Pushed as an artifact: {}", manifest.kind()),
        refname: refname.to_owned(),
        files: files.collect(),
        ..NewVersion::default()
    };
    let version = match registry.add_version(Kind::Model, name, new, actor) {
        Ok(version) => version,
        Err(alnage_registry::Error::Invalid(message)) => return Ok(Taken::Invalid(message)),
        Err(error) => return Err(error.into()),
    };
    let kept = KeptManifest::new(manifest, bytes, &version.commit)?;
    oci::keep(database, registry.blobs(), name, &kept, &[manifest.config.digest.0], registry.now())?;
    Ok(Taken::Version(Some(format!("alnage: {} until it is scanned and approved", version.stage.as_str()))))
}

/// Whether a blob came to this repository with this size: by a push, or as a file of a version.
fn is_here(registry: &Registry, name: &str, named: &Descriptor) -> Result<bool, Failure> {
    let digest = named.digest.0;
    let noted = oci::noted_blob(registry.database(), name, digest)?;
    if noted.is_none() && oci::commits_with(registry.database(), name, digest)?.is_empty() {
        return Ok(false);
    }
    Ok(registry.blobs().open(digest)?.is_some_and(|blob| blob.size() == named.size))
}

/// A configuration is given out with the model and is no file that scanners look at: it is JSON, and nothing else.
fn bad_config(registry: &Registry, config: &Descriptor) -> Result<Option<String>, Failure> {
    if config.size > MAX_MANIFEST as u64 {
        return Ok(Some("the configuration is larger than 4 MiB".into()));
    }
    let bytes = registry.blobs().read(config.digest.0, MAX_MANIFEST as u64)?.unwrap_or_default();
    let json = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
    Ok(json.err().map(|error| format!("the configuration is no JSON: {error}")))
}

fn actor(call: &Call) -> Actor {
    let kind = if call.caller.kind == CallerKind::Service { ActorKind::Service } else { ActorKind::User };
    Actor { name: call.caller.name.clone(), kind, address: call.caller.address.to_string() }
}
