//! Plain tests that hold the project's shape: the laws of `ARCHITECTURE.md` and `STYLE.md` that no compiler knows.

use std::{fs, path::Path, process::Command};

use crate::root;

/// Every text file git tracks under `prefix` that ends with `suffix`, with its content.
fn tracked(prefix: &str, suffix: &str) -> Vec<(String, String)> {
    let output = Command::new("git").args(["ls-files", "-z", prefix]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "`git ls-files` failed");
    let names = String::from_utf8(output.stdout).unwrap();
    let names = names.split('\0').filter(|name| name.ends_with(suffix) && !name.is_empty());
    names.filter_map(|name| Some((name.to_owned(), fs::read_to_string(root().join(name)).ok()?))).collect()
}

/// Fails with every offence at once.
#[track_caller]
fn none(offences: Vec<String>) {
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn files_hold_one_concept() {
    let files = tracked(".", ".rs").into_iter();
    none(
        files
            .filter(|(_, text)| text.lines().count() > 800)
            .map(|(name, _)| format!("{name}: over 800 lines"))
            .collect(),
    );
}

#[test]
fn modules_open_with_what_they_are() {
    let files = tracked("crates", ".rs").into_iter().filter(|(name, _)| {
        name.contains("/src/") && !name.ends_with("tests.rs") && !name.contains("/tests/")
    });
    none(
        files
            .filter(|(_, text)| !text.starts_with("//!"))
            .map(|(name, _)| format!("{name}: no `//!` line"))
            .collect(),
    );
    let modules = tracked("crates", ".py").into_iter().filter(|(name, _)| name.contains("/python/"));
    none(
        modules
            .filter(|(_, text)| !text.starts_with("\"\"\""))
            .map(|(name, _)| format!("{name}: no line that says what it is"))
            .collect(),
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "#[ign".to_owned() + "ore",
        "todo".to_owned() + "!(",
    ];
    let mut offences = Vec::new();
    for (name, text) in tracked(".", ".rs") {
        for (number, line) in text.lines().enumerate() {
            offences.extend(
                marks
                    .iter()
                    .filter(|mark| line.contains(*mark))
                    .map(|mark| format!("{name}:{}: {mark}", number + 1)),
            );
        }
    }
    none(offences);
}

#[test]
fn every_dependency_says_why() {
    let mut offences = Vec::new();
    for (name, text) in tracked(".", "Cargo.toml") {
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line.contains("dependencies") && !line.contains("workspace.");
            } else if inside
                && line.contains('=')
                && !line.contains("workspace = true")
                && !line.contains("path = ")
                && !line.contains(" # ")
            {
                offences.push(format!("{name}: `{line}` does not say why"));
            }
        }
    }
    none(offences);
}

/// Crates that take bytes and values and give values: no file system, network, clock, environment or threads.
const PURE: &[&str] = &[
    "alnage-types",
    "alnage-formats",
    "alnage-facts",
    "alnage-scan",
    "alnage-convert",
    "alnage-bom",
    "alnage-sign",
    "alnage-log",
    "alnage-discover",
    "alnage-hash",
    "alnage-policy",
    "alnage-xet",
    "alnage-admission",
];

#[test]
fn pure_crates_stay_pure() {
    let effects =
        ["std::fs", "std::net", "std::process", "std::env", "std::thread", "SystemTime", "Instant::now"];
    let mut offences = Vec::new();
    for krate in PURE {
        for (name, text) in tracked(&format!("crates/{krate}/src"), ".rs") {
            if name.ends_with("tests.rs") || name.contains("/tests/") {
                continue;
            }
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            offences.extend(
                effects
                    .iter()
                    .filter(|effect| text.contains(*effect))
                    .map(|effect| format!("{name}: {effect}")),
            );
        }
    }
    none(offences);
}

/// Crates that may say `unsafe`, because they are made of what cannot be said otherwise, and of nothing else.
const UNSAFE: &[&str] = &["alnage-hash", "alnage-sandbox"];

#[test]
fn unsafe_is_said_where_it_may_be() {
    let mut offences = Vec::new();
    for (name, text) in tracked("crates", "Cargo.toml") {
        let krate = name.split('/').nth(1).unwrap_or_default();
        let inherits = text.contains("[lints]\nworkspace = true");
        let own =
            text.contains("unsafe_code = \"deny\"") && text.contains("undocumented_unsafe_blocks = \"deny\"");
        if !(inherits || own && UNSAFE.contains(&krate)) {
            offences.push(format!(
                "{name}: neither the lints of the workspace nor a crate that may say `unsafe`"
            ));
        }
    }
    none(offences);
    // Inside the pen, too, it is kept together.
    for (krate, place) in [("alnage-hash", "/x86"), ("alnage-sandbox", "/raw")] {
        let outside = tracked(&format!("crates/{krate}/src"), ".rs").into_iter();
        let outside = outside.filter(|(name, text)| !name.contains(place) && text.contains("unsafe {"));
        none(outside.map(|(name, _)| format!("{name}: `unsafe` belongs in {place}")).collect());
    }
    assert!(fs::read_to_string(root().join("Cargo.toml")).unwrap().contains("unsafe_code = \"forbid\""));
}

#[test]
fn arrows_only_point_down() {
    // Each crate with the crates of ours it may name.
    let allowed: &[(&str, &[&str])] = &[
        ("alnage-types", &[]),
        ("alnage-hash", &[]),
        ("alnage-formats", &["alnage-types"]),
        ("alnage-facts", &["alnage-formats", "alnage-types"]),
        ("alnage-scan", &["alnage-facts", "alnage-formats", "alnage-types"]),
        ("alnage-convert", &["alnage-formats", "alnage-scan", "alnage-types"]),
        ("alnage-bom", &["alnage-facts", "alnage-formats", "alnage-types"]),
        ("alnage-sign", &["alnage-types"]),
        ("alnage-log", &["alnage-types"]),
        ("alnage-policy", &["alnage-types"]),
        ("alnage-xet", &["alnage-types"]),
        ("alnage-admission", &["alnage-types"]),
        ("alnage-discover", &["alnage-facts", "alnage-formats", "alnage-scan", "alnage-types"]),
    ];
    let mut offences = Vec::new();
    for (krate, may) in allowed {
        let manifest = fs::read_to_string(root().join("crates").join(krate).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("[dev-dependencies]").next().unwrap_or_default();
        for line in dependencies.lines().filter(|line| line.starts_with("alnage")) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !may.contains(&name) {
                offences.push(format!("{krate} may not depend on {name}"));
            }
        }
    }
    none(offences);
}

#[test]
fn rule_codes_are_well_formed_and_unique() {
    let mut seen = Vec::new();
    for rule in alnage_scan::rules::rules() {
        let (letters, digits) = rule.code.split_at(3);
        assert!(letters.chars().all(|c| c.is_ascii_uppercase()) && digits.len() == 3, "{}", rule.code);
        assert!(digits.chars().all(|c| c.is_ascii_digit()), "{}", rule.code);
        assert!(!seen.contains(&rule.code) && !seen.contains(&rule.name), "{} is there twice", rule.code);
        for text in [rule.summary, rule.why, rule.remediation, rule.example] {
            assert!(!text.trim().is_empty(), "{} says too little", rule.code);
        }
        seen.extend([rule.code, rule.name]);
    }
}

#[test]
fn format_ids_are_unique() {
    let mut seen = Vec::new();
    for format in alnage_formats::formats() {
        assert!(!seen.contains(&format.id), "{} is there twice", format.id);
        seen.push(format.id);
    }
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let tests = [tracked(".", ".rs"), tracked("crates", ".py")].into_iter().flatten();
    let sources: String = tests.map(|(_, text)| text).collect();
    let mut named = 0;
    let mut offences = Vec::new();
    // The names may stand on the lines that follow; an invariant ends where the next one begins.
    for invariant in architecture.split("\n- **").filter(|invariant| invariant.contains("held by")) {
        let tests = invariant.split("\n\n").next().unwrap_or_default();
        let tests = tests.split_once("held by").map_or("", |(_, tests)| tests);
        for test in tests.split('`').skip(1).step_by(2) {
            named += 1;
            let is_there = |word| sources.contains(&format!("{word} {test}("));
            if !is_there("fn") && !is_there("def") {
                offences.push(format!("ARCHITECTURE.md names the test `{test}`, which is not there"));
            }
        }
    }
    assert!(named > 5, "ARCHITECTURE.md names {named} tests");
    none(offences);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut offences = Vec::new();
    for (name, text) in tracked(".", ".md") {
        let folder = Path::new(&name).parent().unwrap_or(Path::new("")).to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !root().join(&folder).join(target).exists() {
                offences.push(format!("{name}: `{link}` leads nowhere"));
            }
        }
    }
    none(offences);
}
