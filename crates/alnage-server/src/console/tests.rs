mod sample;

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use alnage_registry::Kind;

use super::{
    address::Place,
    assets,
    parts::{Count, Edge, Graph, InPath, InQuery, Link, Mark, Moment, Node, Proof, Said, Size, Span, day},
};

/// Writes every page to the directory that `ALNAGE_PREVIEW` names, to be looked at in a browser.
#[test]
fn every_page_can_be_written() {
    let pages = sample::pages();
    for (name, html) in &pages {
        assert!(html.starts_with("<!doctype html>"), "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
    }
    let Some(to) = env::var_os("ALNAGE_PREVIEW").map(PathBuf::from) else { return };
    fs::create_dir_all(to.join("console/assets")).unwrap();
    for (name, html) in pages {
        fs::write(to.join(format!("{name}.html")), html).unwrap();
    }
    for asset in assets::all() {
        fs::write(to.join(asset.address.trim_start_matches('/')), &asset.bytes).unwrap();
    }
}

/// The policy for content that pages are served under forbids both.
#[test]
fn no_page_has_script_or_style_of_its_own() {
    for (name, html) in sample::pages() {
        assert!(!html.contains(" style="), "{name}");
        assert!(!html.contains("<style"), "{name}");
        assert!(!html.contains("javascript:"), "{name}");
        assert_eq!(html.matches("<script").count(), 1, "{name}: what was asked for must be escaped");
        for word in html.split(|c: char| c.is_whitespace() || c == '<').filter(|word| word.starts_with("on"))
        {
            assert!(!word.contains("=\""), "{name}: {word}");
        }
    }
}

/// What a reader's assistive technology needs of each page.
#[test]
fn pages_can_be_read_without_eyes() {
    for (name, html) in sample::pages() {
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one heading of the first level");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(html.contains("<html lang=\"en\">"), "{name}");
        let ids = attributes(&html, "id");
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: an id is given twice: {ids:?}");
        for points in ["for", "aria-labelledby", "aria-describedby"] {
            for id in attributes(&html, points) {
                assert!(unique.contains(&id), "{name}: {points}=\"{id}\" leads nowhere");
            }
        }
        let labelled: BTreeSet<_> = attributes(&html, "for").into_iter().collect();
        for tag in html
            .split('<')
            .filter(|tag| ["input ", "select ", "textarea "].iter().any(|is| tag.starts_with(is)))
        {
            let hidden = tag.contains("type=\"hidden\"");
            let id = attributes(tag, "id").into_iter().next();
            assert!(hidden || id.is_some_and(|id| labelled.contains(&id)), "{name}: no label for <{tag}");
        }
        for table in html.split("<table").skip(1) {
            let head = table.split("</thead>").next().unwrap();
            assert!(head.contains("scope=\"col\""), "{name}: a table without headings");
        }
        for form in
            html.split("<form").skip(1).filter(|form| form.split('>').next().unwrap().contains("post"))
        {
            let body = form.split("</form>").next().unwrap();
            assert!(
                name.starts_with("sign-in") || body.contains("name=\"csrf\""),
                "{name}: a form anybody can send"
            );
        }
    }
}

/// Values of an attribute, in order.
fn attributes(html: &str, name: &str) -> Vec<String> {
    html.split(&format!(" {name}=\""))
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for text, 3 for what is drawn and for the edges of fields.
#[test]
fn colours_have_enough_contrast() {
    let style = include_str!("../../assets/console.css");
    let light = colours(style.split(":root {").nth(1).unwrap());
    let dark = colours(style.split("prefers-color-scheme: dark").nth(1).unwrap());
    let mut text = Vec::new();
    for on in ["ground", "sheet", "sunk"] {
        text.extend(["ink", "soft", "link"].map(|colour| (colour.to_owned(), on.to_owned())));
    }
    for tone in ["good", "wait", "look", "unclear", "bad", "quiet"] {
        text.extend(["ground", "sheet"].map(|on| (tone.to_owned(), on.to_owned())));
        text.push((tone.to_owned(), format!("{tone}-ground")));
        text.extend(["ink", "soft", "link"].map(|colour| (colour.to_owned(), format!("{tone}-ground"))));
    }
    text.extend(["link", "bad"].map(|on| ("on-link".to_owned(), on.to_owned())));
    let drawn = ["ground", "sheet", "sunk"].map(|on| ("edge".to_owned(), on.to_owned()));
    for (scheme, palette) in [("light", &light), ("dark", &dark)] {
        for (pairs, least) in [(&text[..], 4.5), (&drawn[..], 3.0)] {
            for (colour, on) in pairs {
                let of = |name: &str| {
                    palette.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name}")).1
                };
                let (a, b) = (luminance(of(colour)), luminance(of(on)));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= least, "{scheme}: {colour} on {on} has {contrast:.2}");
            }
        }
    }
}

fn colours(block: &str) -> Vec<(String, u32)> {
    let block = block.split("\n\n").next().unwrap();
    block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"))
        .map(|(name, value)| (name.to_owned(), u32::from_str_radix(value, 16).unwrap()))
        .collect()
}

fn luminance(colour: u32) -> f64 {
    let channel = |shift: u32| {
        let value = f64::from(colour >> shift & 0xff) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

#[test]
fn moments_and_days() {
    for (seconds, day_of, shown) in [
        (0, "1970-01-01", "never"),
        (951_782_400, "2000-02-29", "29 Feb 2000, 00:00"),
        (1_795_320_306, "2026-11-22", "22 Nov 2026, 04:05"),
        (4_102_444_799, "2099-12-31", "31 Dec 2099, 23:59"),
    ] {
        assert_eq!(Moment(seconds).day(), day_of);
        assert_eq!(day(day_of), Some(seconds - seconds % 86_400));
        assert!(Moment(seconds).to_string().contains(shown), "{}", Moment(seconds));
    }
    for wrong in [
        "",
        "2026",
        "2026-02-30",
        "2026-13-01",
        "1969-12-31",
        "x-y-z",
        "99999-01-01",
        "18446744073709551615-01-01",
    ] {
        assert_eq!(day(wrong), None, "{wrong}");
    }
}

#[test]
fn numbers_as_people_read_them() {
    for (size, shown) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (5312, "5.3 kB"),
        (9_085_657, "9.0 MB"),
        (123_456_789, "123 MB"),
        (12_298_829_274, "12.2 GB"),
        (u64::MAX, "18.4 EB"),
    ] {
        assert_eq!(Size(size).to_string().replace('\u{a0}', " "), shown);
    }
    for (count, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (7_248_023_552, "7,248,023,552")] {
        assert_eq!(Count(count).to_string(), shown);
    }
    for (span, shown) in
        [(59, "under a minute"), (60, "1 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d")]
    {
        assert_eq!(Span(span).to_string(), shown);
    }
}

#[test]
fn what_a_model_is_called_stays_text() {
    let name = "a\"><script>x</script>&'";
    let link = Link::new(name, format!("/console/model/{}", InPath(name))).to_string();
    assert_eq!(
        link,
        "<a href=\"/console/model/a%22%3E%3Cscript%3Ex%3C/script%3E%26%27\">a&quot;&gt;&lt;script&gt;x&lt;/script&gt;&amp;&#39;</a>"
    );
    assert_eq!(InQuery("a/b c").to_string(), "a%2Fb%20c");
    assert_eq!(Said("calls `<b>`, and ` is left").to_string(), "calls <code>&lt;b&gt;</code>, and ` is left");
    let node = Node {
        name: name.to_owned(),
        detail: name.to_owned(),
        mark: Mark::of_stage("approved"),
        href: name.to_owned(),
        depth: 0,
    };
    let graph = Graph {
        nodes: vec![node.clone(), Node { depth: 1, ..node }],
        edges: vec![Edge { from: 0, to: 1 }, Edge { from: 0, to: 9 }],
        more: 0,
    };
    assert!(!graph.to_string().contains("<script"));
}

#[test]
fn addresses_name_a_version_and_what_of_it() {
    let check = |rest: &str, expected: Option<(&str, &str, &str)>| {
        let found = Place::parse(Kind::Model, rest);
        let found = found.as_ref().map(|place| (&*place.name, &*place.revision, &*place.part));
        assert_eq!(found, expected, "{rest}");
    };
    check("gpt2", Some(("gpt2", "main", "")));
    check("acme/tiny", Some(("acme/tiny", "main", "")));
    check("gpt2/versions/v1", Some(("gpt2", "v1", "")));
    check("gpt2/versions/v1/files", Some(("gpt2", "v1", "files")));
    check("acme/tiny/versions/v1", Some(("acme/tiny", "v1", "")));
    check("acme/tiny/versions/v1/revoke", Some(("acme/tiny", "v1", "revoke")));
    check("acme/versions/versions/v1", Some(("acme/versions", "v1", "")));
    for nothing in ["", "a/b/c", "acme/tiny/versions/v1/files/more", "acme/tiny/other/v1"] {
        check(nothing, None);
    }
}

#[test]
fn a_proof_is_computed_and_a_changed_one_fails() {
    let proof = sample::proof_of("entry");
    assert!(proof.holds);
    assert_eq!(proof.steps.iter().map(|step| step.side).collect::<Vec<_>>(), ["right", "left", "right"]);
    assert_eq!(proof.steps.last().unwrap().result, proof.root);
    let one = Proof::compute(b"only", 0, 1, &[], &[0; 32]);
    assert!(!one.holds, "a root that is not the leaf");
    assert!(!Proof::compute(b"only", 7, 1, &[], &[0; 32]).holds, "an entry beyond the tree");
    assert!(!Proof::compute(b"only", 0, 0, &[[0; 32]; 70], &[0; 32]).holds, "more steps than any tree has");
}

#[test]
fn assets_are_found_by_their_digest_and_nothing_else() {
    let style = assets::at(&assets::address("console.css")).unwrap();
    let text = std::str::from_utf8(&style.bytes).unwrap();
    assert!(!text.contains("\"sans.woff2\"") && text.contains(&assets::address("sans.woff2")));
    for wrong in ["", "/console/assets/console.css", "/console/assets/../mod.rs", "/console/assets/"] {
        assert!(assets::at(wrong).is_none(), "{wrong}");
    }
}
