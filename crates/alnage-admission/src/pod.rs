//! The specification of a pod: its containers, its volumes, and which volume a path of a container leads to.

use serde_json::Value;

use crate::{
    origin::{Origin, Role},
    pointer::{items, text},
    program::container,
    reading::{Reading, plain},
};

/// A pod, as its containers see it.
pub(crate) struct Pod<'v> {
    /// Name, pointer and value.
    volumes: Vec<(String, String, &'v Value)>,
    /// What was in a directory that begins empty, by where it is named: found when all containers were read.
    scratch: Vec<(String, String)>,
    /// A server of models is among the containers.
    pub(crate) has_server: bool,
}

/// Where a path of a container leads.
pub(crate) enum Place {
    /// To this.
    Origin(Origin),
    /// To a directory that begins empty and that another container fills.
    Scratch,
    /// To where the controller of the object puts the model it names.
    Provisioned,
}

/// Reads the specification of a pod at the pointer `at`.
pub(crate) fn pod(spec: &Value, at: &str, reading: &mut Reading<'_>) {
    if !spec.is_object() {
        return;
    }
    let volumes = items(spec, at, "volumes").into_iter();
    let volumes = volumes.filter_map(|(at, volume)| Some((text(volume, "name")?.to_owned(), at, volume)));
    let mut pod = Pod { volumes: volumes.collect(), scratch: Vec::new(), has_server: false };
    let before = reading.loads.references.len();
    for kind in ["initContainers", "containers", "ephemeralContainers"] {
        for (at, value) in items(spec, at, kind) {
            model_container(value, &at, reading);
            container(value, &at, None, &mut pod, reading);
        }
    }
    pod.finish(before, reading);
}

/// Reads one container that is no part of a pod in the object.
pub(crate) fn lone_container(value: &Value, at: &str, program: Option<&str>, reading: &mut Reading<'_>) {
    let fields = ["args", "command", "env", "image", "envFrom"];
    if !fields.iter().any(|field| value.get(field).is_some()) {
        return;
    }
    let volumes = items(value, at, "volumes").into_iter();
    let volumes = volumes.filter_map(|(at, volume)| Some((text(volume, "name")?.to_owned(), at, volume)));
    let mut pod = Pod { volumes: volumes.collect(), scratch: Vec::new(), has_server: false };
    let before = reading.loads.references.len();
    container(value, at, program, &mut pod, reading);
    pod.finish(before, reading);
}

/// The containers of KServe's model cars: their image is the model.
fn model_container(value: &Value, at: &str, reading: &mut Reading<'_>) {
    if let (Some("modelcar" | "modelcar-init"), Some(image)) = (text(value, "name"), text(value, "image")) {
        reading.provisioned = true;
        let mut reference = plain(Origin::image(image), Role::Model, image, &format!("{at}/image"));
        reference.pinnable = true;
        reading.reference(reference);
    }
}

impl Pod<'_> {
    /// What could only be known when all containers were read.
    fn finish(self, before: usize, reading: &mut Reading<'_>) {
        for (at, volume) in self.volumes.iter().map(|(_, at, volume)| (at, volume)) {
            let Some((origin, key, is_model)) = of_volume(volume) else { continue };
            let at = format!("{at}/{key}");
            if reading.loads.references.iter().any(|known| known.at == at || known.origin == origin) {
                continue;
            }
            let mut reference = plain(origin.clone(), Role::Model, &origin.to_string(), &at);
            reference.certain = is_model || self.has_server;
            reference.pinnable = true;
            reading.reference(reference);
        }
        let filled = reading.loads.references.get(before..).is_some_and(|read| !read.is_empty());
        if !filled && !reading.provisioned && !reading.template {
            for (at, written) in &self.scratch {
                let why = format!(
                    "`{written}` lies in a directory that begins empty, and nothing in the pod tells what fills it"
                );
                reading.unresolved(at, written, why);
            }
        }
    }

    pub(crate) fn scratched(&mut self, at: &str, written: &str) {
        if self.scratch.len() < 64 {
            self.scratch.push((at.to_owned(), written.to_owned()));
        }
    }

    pub(crate) fn is_scratched(&self) -> bool {
        !self.scratch.is_empty()
    }

    /// Where `path` leads in `container`.
    pub(crate) fn place(&self, path: &str, container: &Value, reading: &Reading<'_>) -> Place {
        let whole = if path.starts_with('/') {
            path.to_owned()
        } else {
            let directory = text(container, "workingDir").unwrap_or("").trim_end_matches('/');
            format!("{directory}/{}", path.trim_start_matches("./"))
        };
        let mounts = items(container, "", "volumeMounts").into_iter().map(|(_, mount)| mount);
        let mount = mounts
            .filter_map(|mount| Some((text(mount, "mountPath")?.trim_end_matches('/'), mount)))
            .filter(|(prefix, _)| {
                whole.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|(prefix, _)| prefix.len());
        if let Some((prefix, mount)) = mount {
            let rest = whole.get(prefix.len()..).unwrap_or_default().trim_start_matches('/');
            let rest = rest.trim_end_matches('/');
            let inside = match text(mount, "subPath") {
                Some(below) if rest.is_empty() => below.trim_matches('/').to_owned(),
                Some(below) => format!("{}/{rest}", below.trim_matches('/')),
                None => rest.to_owned(),
            };
            let volume =
                text(mount, "name").and_then(|name| self.volumes.iter().find(|(known, ..)| known == name));
            return match volume {
                Some((name, _, volume)) => in_volume(name, volume, &inside),
                None if reading.template || reading.provisioned => Place::Provisioned,
                None => Place::Origin(Origin::Volume {
                    of: "volume".to_owned(),
                    name: text(mount, "name").unwrap_or("?").to_owned(),
                }),
            };
        }
        if (reading.provisioned || reading.template) && whole.starts_with("/mnt/") {
            return Place::Provisioned;
        }
        Place::Origin(Origin::Baked {
            image: text(container, "image").unwrap_or("?").to_owned(),
            path: whole,
        })
    }
}

/// The model that a volume is, with the field that names it, and whether it can be nothing else.
fn of_volume(volume: &Value) -> Option<(Origin, &'static str, bool)> {
    if let Some(reference) = volume.get("image").and_then(|image| text(image, "reference")) {
        return Some((Origin::image(reference), "image/reference", false));
    }
    let csi = volume.get("csi")?;
    if !text(csi, "driver")?.contains("model") {
        return None;
    }
    let attributes = csi.get("volumeAttributes")?.as_object()?;
    let mut named = attributes.iter().filter(|(key, _)| key.ends_with("reference"));
    named.find_map(|(_, value)| Some((Origin::image(value.as_str()?), "csi/volumeAttributes", true)))
}

/// Where the path `inside` of a volume leads.
fn in_volume(name: &str, volume: &Value, inside: &str) -> Place {
    if let Some((origin, ..)) = of_volume(volume) {
        return Place::Origin(origin);
    }
    let of = |field: &str, key: &str| volume.get(field).and_then(|value| text(value, key)).map(str::to_owned);
    let joined = |base: String| {
        let base = base.trim_end_matches('/');
        if inside.is_empty() { base.to_owned() } else { format!("{base}/{inside}") }
    };
    if let Some(claim) = of("persistentVolumeClaim", "claimName") {
        return Place::Origin(Origin::Claim { claim, path: inside.to_owned() });
    }
    if let Some(path) = of("hostPath", "path") {
        return Place::Origin(Origin::Host { path: joined(path) });
    }
    if let Some(server) = of("nfs", "server") {
        let path = of("nfs", "path").unwrap_or_default();
        return Place::Origin(Origin::Volume {
            of: "nfs".to_owned(),
            name: joined(format!("{server}{path}")),
        });
    }
    if let Some(csi) = volume.get("csi") {
        let bucket = csi.get("volumeAttributes").and_then(|attributes| text(attributes, "bucketName"));
        let driver = text(csi, "driver").unwrap_or("?");
        return Place::Origin(match bucket {
            Some(bucket) if driver.contains("gcs") => {
                Origin::Address { uri: joined(format!("gs://{bucket}")) }
            }
            Some(bucket) if driver.contains("s3") => {
                Origin::Address { uri: joined(format!("s3://{bucket}")) }
            }
            _ => Origin::Volume { of: "csi".to_owned(), name: joined(driver.to_owned()) },
        });
    }
    if volume.get("emptyDir").is_some() {
        return Place::Scratch;
    }
    for kind in ["configMap", "secret", "projected"] {
        if volume.get(kind).is_some() {
            let why = format!("`{inside}` comes from the {kind} in the volume `{name}`");
            return Place::Origin(Origin::Unresolved { why });
        }
    }
    let kind = volume.as_object().and_then(|fields| fields.keys().find(|key| *key != "name"));
    Place::Origin(match kind.map(String::as_str) {
        // A volume without a source begins empty, too.
        None => return Place::Scratch,
        Some(kind) => Origin::Volume { of: kind.to_owned(), name: joined(name.to_owned()) },
    })
}
