use std::collections::BTreeSet;

use serde_json::Value;

use super::openapi;
use crate::core::{Door, routes};

#[test]
fn the_document_has_every_route_once_and_resolves() {
    let table = routes::table();
    let document = openapi::parsed();
    let mut described = 0;
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described += 1;
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            for segment in path.split('/').filter_map(|segment| segment.strip_prefix('{')) {
                let segment = segment.trim_end_matches('}');
                let parameters = operation["parameters"].as_array().unwrap();
                assert!(
                    parameters.iter().any(|known| known["name"] == segment),
                    "{method} {path}: {segment}"
                );
            }
        }
    }
    let listed = table.iter().filter(|route| matches!(route.door, Door::Api | Door::Core)).count();
    assert_eq!(described, listed);
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(place) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = place.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{place} leads nowhere");
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}
