//! MLflow's client loads what is given out, and is told why it gets nothing else.

use testkit::pickle;

use super::doors::{Place, safetensors, said};

/// Makes a model of these files at the hub's door.
fn upload(place: &Place, name: &str, files: &[(&str, &[u8])]) {
    let folder = place.folder_of(&name.replace('/', "-"), files);
    let arguments = ["upload", name, folder.to_str().unwrap()];
    said(&place.script("xet.py", Some("hub/2.4.0"), &arguments));
    place.judged(name, "main");
}

#[test]
fn models_load_by_alias_and_number_unless_they_are_not_given_out() {
    let place = Place::start();
    upload(&place, "acme/tiny", &[("MLmodel", b"flavors: {}\n"), ("model.safetensors", &safetensors(4000))]);
    upload(&place, "acme/bad", &[("pytorch_model.bin", &pickle::call("os", "system", "id"))]);
    let out = place.folder_of("out", &[]);
    let load = |addresses: &[&str]| {
        let arguments = [&[out.to_str().unwrap()], addresses].concat();
        said(&place.script("mlflow.py", None, &arguments))
    };
    let addresses =
        ["models:/acme--tiny@main", "models:/acme--tiny/1", "models:/acme--bad@main", "models:/acme--tiny/7"];
    let told = load(&addresses);
    let [by_alias, by_number, refused, absent] = told.split('|').collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    assert_eq!((by_alias, by_number), ("MLmodel model.safetensors", "MLmodel model.safetensors"));
    assert!(refused.contains("PERMISSION_DENIED") && refused.contains("ALNAGE"), "{refused}");
    assert!(absent.contains("RESOURCE_DOES_NOT_EXIST"), "{absent}");
    place.recall("acme/tiny");
    let recalled = load(&["models:/acme--tiny/1"]);
    assert!(recalled.contains("PERMISSION_DENIED") && recalled.contains("it steals keys"), "{recalled}");
}
