//! Every field of a component that has sources, by a name that does not depend on a format.

use alnage_facts::Source;

use crate::bom::{Component, Text};

/// Calls `visit` with the name and the sources of each field.
pub(super) fn each(component: &mut Component, visit: &mut dyn FnMut(String, &mut Vec<Source>)) {
    let mut one = |name: &str, known: &mut Text| visit(name.to_owned(), &mut known.sources);
    one("name", &mut component.name);
    for (name, known) in [
        ("version", &mut component.version),
        ("description", &mut component.description),
        ("packageUrl", &mut component.purl),
        ("supplier", &mut component.supplier),
        ("manufacturer", &mut component.manufacturer),
        ("released", &mut component.released),
    ] {
        known.iter_mut().for_each(|known| one(name, known));
    }
    component
        .hashes
        .iter_mut()
        .enumerate()
        .for_each(|(at, known)| visit(format!("hash/{at}"), &mut known.sources));
    component
        .licences
        .iter_mut()
        .enumerate()
        .for_each(|(at, known)| visit(format!("licence/{at}"), &mut known.sources));
    for known in &mut component.links {
        // Their order is not kept.
        visit(format!("link/{} {}", known.value.0, known.value.1), &mut known.sources);
    }
    component
        .properties
        .iter_mut()
        .enumerate()
        .for_each(|(at, (_, known))| visit(format!("property/{at}"), &mut known.sources));
    if let Some(model) = component.model.as_deref_mut() {
        for (name, known) in [
            ("task", &mut model.task),
            ("family", &mut model.family),
            ("architecture", &mut model.architecture),
            ("approach", &mut model.approach),
            ("training", &mut model.training),
            ("emissions", &mut model.emissions),
        ] {
            known.iter_mut().for_each(|known| visit(format!("model/{name}"), &mut known.sources));
        }
        for (name, list) in [
            ("input", &mut model.inputs),
            ("output", &mut model.outputs),
            ("use", &mut model.uses),
            ("user", &mut model.users),
            ("limitation", &mut model.limitations),
            ("ethics", &mut model.ethics),
        ] {
            let named = list.iter_mut().enumerate();
            named.for_each(|(at, known)| visit(format!("model/{name}/{at}"), &mut known.sources));
        }
        let metrics = model.metrics.iter_mut().enumerate();
        metrics.for_each(|(at, known)| visit(format!("model/metric/{at}"), &mut known.sources));
        let parameters = model.parameters.iter_mut().enumerate();
        parameters.for_each(|(at, (_, known))| visit(format!("model/parameter/{at}"), &mut known.sources));
    }
    if let Some(dataset) = component.dataset.as_deref_mut() {
        for (name, known) in [
            ("url", &mut dataset.url),
            ("content", &mut dataset.content),
            ("size", &mut dataset.size),
            ("bias", &mut dataset.bias),
            ("collection", &mut dataset.collection),
        ] {
            known.iter_mut().for_each(|known| visit(format!("dataset/{name}"), &mut known.sources));
        }
        let sensitivity = dataset.sensitivity.iter_mut().enumerate();
        sensitivity.for_each(|(at, known)| visit(format!("dataset/sensitivity/{at}"), &mut known.sources));
    }
}
