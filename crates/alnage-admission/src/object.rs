//! An object: the rows of the table for its kind, and a look at everything for kinds that have none.

use serde_json::Value;

use crate::{
    origin::{Origin, Pin, Role},
    pod::{lone_container, pod},
    pointer::{find, step, text},
    ray::ray_serve,
    reading::{Code, Loads, Reading, plain},
    table::{Field, Read, Table},
};

/// Values of an object of a kind without rows that are looked at.
const MAX_VALUES: usize = 200_000;
/// Schemes that only models have.
const TELLING_SCHEMES: &[&str] =
    &["hf://", "huggingface://", "modelscope://", "ollama://", "oci+native://", "oci+fetch://"];

/// What `object` would load.
#[must_use]
pub fn read(table: &Table, object: &Value) -> Loads {
    let mut reading = Reading::new(table);
    let kind = text(object, "kind").unwrap_or_default();
    if kind == "List" {
        for (at, item) in find(object, "", "items[*]") {
            reading.provisioned = false;
            reading.template = false;
            read_one(table, item, &at, &mut reading);
        }
    } else {
        read_one(table, object, "", &mut reading);
    }
    reading.loads
}

/// What `object` would load that `old`, which it replaces, would not load just so.
#[must_use]
pub fn read_changed(table: &Table, object: &Value, old: &Value) -> Option<Loads> {
    let (new, old) = (read(table, object), read(table, old));
    let key = |loads: &Loads| {
        let mut references: Vec<String> = loads
            .references
            .iter()
            .map(|known| format!("{:?} {:?} {}", known.origin, known.role, known.gated))
            .collect();
        references.sort_unstable();
        let mut findings: Vec<String> =
            loads.findings.iter().map(|known| format!("{:?} {}", known.code, known.message)).collect();
        findings.sort_unstable();
        let mut fetchers: Vec<String> =
            loads.fetchers.iter().map(|known| format!("{:?}", known.endpoint)).collect();
        fetchers.sort_unstable();
        (references, findings, fetchers)
    };
    (key(&new) != key(&old)).then_some(new)
}

fn read_one(table: &Table, object: &Value, at: &str, reading: &mut Reading<'_>) {
    let kind = text(object, "kind").unwrap_or_default();
    let fields: Vec<&Field> = table.fields(kind).collect();
    if fields.is_empty() {
        if !table.is_idle(kind) {
            unknown_kind(table, object, at, reading);
        }
        return;
    }
    let is_pods = |field: &&Field| matches!(field.read, Read::Pod | Read::Container);
    // What the object names decides how the paths of its containers are read, and what Ray serves is fetched by its pods.
    let (pods, named): (Vec<&Field>, Vec<&Field>) = fields.into_iter().partition(is_pods);
    let (late, named): (Vec<&Field>, Vec<&Field>) =
        named.into_iter().partition(|field| field.read == Read::RayServe);
    for field in named.into_iter().chain(pods).chain(late) {
        for (at, value) in find(object, at, &field.path) {
            reading.template = field.template;
            reading.provisioned |= field.provisions;
            read_field(field, object, value, &at, reading);
        }
    }
}

fn read_field(field: &Field, object: &Value, value: &Value, at: &str, reading: &mut Reading<'_>) {
    let role = field.role.unwrap_or(Role::Model);
    match field.read {
        Read::Pod => return pod(value, at, reading),
        Read::Container => return lone_container(value, at, program_of(field, value), reading),
        Read::Storage => return storage(value, at, reading),
        _ => {}
    }
    let Some(written) = value.as_str().map(str::trim).filter(|written| !written.is_empty()) else { return };
    if written.contains("{{") {
        return;
    }
    let origin = match field.read {
        Read::Shell => return entry_point(written, at, reading),
        Read::RayServe => return ray_serve(written, at, reading),
        Read::Uri => Origin::address(written).or_else(|| Origin::hub(written)),
        Read::Hub => Origin::address(written).or_else(|| Origin::hub(written)),
        Read::Image => Some(image(object, field, written)),
        Read::Ollama => Some(Origin::ollama(written)),
        Read::Claim => Some(Origin::Claim { claim: written.to_owned(), path: String::new() }),
        Read::Catalogue if written.contains('/') => Origin::hub(written),
        Read::Catalogue => {
            let of = field.of.clone().unwrap_or_default();
            Some(Origin::Catalogue { of, name: written.to_owned() })
        }
        Read::Pod | Read::Container | Read::Storage => None,
    };
    let origin = origin.unwrap_or_else(|| match written.starts_with('/') {
        true => Origin::Volume { of: "path".to_owned(), name: written.to_owned() },
        false => Origin::Address { uri: written.to_owned() },
    });
    let mut reference = plain(origin, role, written, at);
    reference.pinnable = matches!(reference.origin, Origin::Hub { .. } | Origin::Image { .. });
    if let Origin::Hub { revision, part: None, .. } = &reference.origin {
        let is_uri = field.read == Read::Uri && written.starts_with("hf://");
        reference.pin = match revision {
            None if is_uri => Some(Pin::Suffix(':')),
            Some(revision) if is_uri && written.ends_with(revision.as_str()) => {
                let prefix = written.get(..written.len() - revision.len()).unwrap_or_default().to_owned();
                Some(Pin::Replace { at: at.to_owned(), prefix })
            }
            _ => None,
        };
    }
    // A field beside it pins it: NIM's caches have one.
    if let (Origin::Hub { repo, revision: None, part }, Read::Hub) = (&reference.origin, field.read) {
        let parent = at.rsplit_once('/').map(|(parent, _)| parent).unwrap_or_default();
        if let Some(revision) = object.pointer(parent).and_then(|parent| text(parent, "revision")) {
            reference.origin =
                Origin::Hub { repo: repo.clone(), revision: Some(revision.to_owned()), part: part.clone() };
        }
    }
    reading.reference(reference);
}

/// The program that a field of KServe's says its container runs.
fn program_of<'f>(field: &'f Field, value: &'f Value) -> Option<&'f str> {
    let format = value.get("modelFormat").and_then(|format| text(format, "name"));
    field.program.as_deref().or(match format {
        Some("huggingface" | "vLLM" | "vllm") => Some("huggingfaceserver"),
        _ => None,
    })
}

/// An image whose tag may stand in a field beside it.
fn image(object: &Value, field: &Field, written: &str) -> Origin {
    let parent = field.path.strip_suffix(".repository");
    let tag = parent
        .and_then(|parent| find(object, "", parent).into_iter().find_map(|(_, value)| text(value, "tag")));
    match tag {
        Some(tag) if tag.starts_with("sha256:") => Origin::image(&format!("{written}@{tag}")),
        Some(tag) => Origin::image(&format!("{written}:{tag}")),
        None => Origin::image(written),
    }
}

/// What KServe calls a storage.
fn storage(value: &Value, at: &str, reading: &mut Reading<'_>) {
    let path = text(value, "path").unwrap_or_default();
    let parameters = value.get("parameters");
    let bucket = parameters.and_then(|parameters| text(parameters, "bucket"));
    let kind = parameters.and_then(|parameters| text(parameters, "type")).unwrap_or("s3");
    let key = text(value, "key").unwrap_or("default");
    let written = format!("{key}: {path}");
    match bucket {
        Some(bucket) => {
            let uri = format!("{kind}://{bucket}/{}", path.trim_start_matches('/'));
            reading.reference(plain(Origin::Address { uri }, Role::Model, &written, at));
        }
        None => {
            let name = format!("{key}/{}", path.trim_start_matches('/'));
            reading.reference(plain(
                Origin::Volume { of: "storage".to_owned(), name },
                Role::Model,
                &written,
                at,
            ));
        }
    }
}

/// A command in one string.
fn entry_point(written: &str, at: &str, reading: &mut Reading<'_>) {
    let words = ["sh", "-c", written].map(|word| serde_json::Value::String(word.to_owned()));
    let container = serde_json::json!({ "command": words });
    let read = reading.loads.references.len();
    lone_container(&container, at, None, reading);
    let references = reading.loads.references.get_mut(read..).into_iter().flatten();
    // The container was made here: nothing in it can be pointed to or changed.
    for reference in references {
        reference.at = at.to_owned();
        reference.pin = None;
    }
    reading.loads.fetchers.retain(|fetcher| fetcher.at != at);
    for finding in
        reading.loads.findings.iter_mut().filter(|finding| finding.at.starts_with(&format!("{at}/")))
    {
        finding.at = at.to_owned();
    }
}

/// Looks at everything in an object of a kind without rows: pods, addresses with telling schemes, fields with telling names.
fn unknown_kind(table: &Table, object: &Value, at: &str, reading: &mut Reading<'_>) {
    let mut seen = 0_usize;
    let mut rest: Vec<(String, &Value)> = vec![(at.to_owned(), object)];
    while let Some((at, value)) = rest.pop() {
        seen += 1;
        if seen > MAX_VALUES {
            return reading.finding(
                Code::TooMuch,
                "",
                "an object with more values than are looked at".to_owned(),
            );
        }
        match value {
            Value::Object(fields) => {
                if is_pod(value) {
                    pod(value, &at, reading);
                    continue;
                }
                for (key, field) in fields {
                    if at.is_empty() && (key == "metadata" || key == "status") {
                        continue;
                    }
                    let at = step(&at, key);
                    match field.as_str() {
                        Some(written) => telling(table, key, written, &at, reading),
                        None => rest.push((at, field)),
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let at = format!("{at}/{index}");
                    match item.as_str() {
                        Some(written) => telling(table, "", written, &at, reading),
                        None => rest.push((at, item)),
                    }
                }
            }
            _ => {}
        }
    }
}

fn telling(table: &Table, key: &str, written: &str, at: &str, reading: &mut Reading<'_>) {
    let scheme = TELLING_SCHEMES.iter().any(|scheme| written.starts_with(scheme));
    if !(scheme || table.telling_fields.iter().any(|field| field == key)) {
        return;
    }
    if let Some(origin) = Origin::address(written) {
        let mut reference = plain(origin, Role::Model, written, at);
        reference.pinnable = matches!(reference.origin, Origin::Hub { .. } | Origin::Image { .. });
        reading.reference(reference);
    }
}

/// Whether `value` is the specification of a pod: it has containers with names.
fn is_pod(value: &Value) -> bool {
    let containers = value.get("containers").and_then(Value::as_array);
    containers.is_some_and(|containers| containers.iter().any(|container| container.get("name").is_some()))
}
