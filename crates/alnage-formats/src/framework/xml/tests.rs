use alnage_types::{ArtifactPath, Budget};

use super::*;
use crate::analyse;

fn check(bytes: &[u8]) -> (&'static str, XmlFacts) {
    let analysis = analyse(ArtifactPath::file("m"), Arc::new(MemorySource::new(bytes)), &Budget::default());
    let Facts::Framework(facts) = &analysis.artifacts[0].facts else { panic!("not XML: {analysis:?}") };
    let FrameworkFacts::Xml(facts) = facts.as_ref() else { panic!("not XML") };
    (analysis.artifacts[0].format, facts.clone())
}

const XXE: &str = r#"<?xml version="1.0"?><!DOCTYPE p [<!-- > --><!ENTITY x SYSTEM 'file:///etc/passwd'>
    <!ENTITY % y PUBLIC "a" "http://h/y.dtd"> %y;]><PMML version="4.4"><Header>&x;</Header></PMML>"#;

#[test]
fn entities_are_found_in_every_encoding() {
    for bytes in [
        XXE.as_bytes().to_vec(),
        XXE.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        XXE.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ] {
        let (format, facts) = check(&bytes);
        let targets: Vec<_> = facts.external_entities.iter().map(|entity| entity.target.as_str()).collect();
        assert_eq!((format, targets), ("pmml", vec!["file:///etc/passwd", "http://h/y.dtd"]));
    }
}

#[test]
fn laughs_are_measured() {
    let mut document = String::from("<!DOCTYPE l [<!ENTITY l0 \"lol\">");
    for level in 1..10 {
        document += &format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10));
    }
    let (_, facts) = check(format!("{document}]><l>&l9;</l>").as_bytes());
    assert_eq!(facts.expansion, 3_000_000_000);
}

#[test]
fn openvino_layers_that_name_libraries() {
    let (format, facts) = check(br#"<?xml version="1.0"?><net name="m" version="11"><layers>
        <layer id="0" type="Evil" version="extension"><data library="/tmp/x.so"/></layer>
        <layer id="1" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/></layer></layers></net>"#);
    let names: Vec<_> = facts.extensions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((format, names), ("openvino", vec!["layer@version", "data@library"]));
}

#[test]
fn text_and_markup_of_other_kinds_is_no_xml() {
    for bytes in [&b"a < b"[..], b"<", b"<html><body/></html>", b"# <x/>"] {
        let analysis =
            analyse(ArtifactPath::file("m"), Arc::new(MemorySource::new(bytes)), &Budget::default());
        assert!(analysis.artifacts.iter().all(|one| one.format != "xml"), "{bytes:?}");
    }
}

#[test]
fn damage_does_not_panic() {
    super::super::mutation::survive("m.pmml", XXE.as_bytes(), 3000);
}
