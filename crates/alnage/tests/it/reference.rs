use crate::sandbox::Sandbox;

/// Runs a command that prints; every part of `said` must be in what it prints.
fn check(arguments: &str, said: &[&str]) {
    let ran = Sandbox::new().run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments}");
    for part in said {
        assert!(ran.stdout.contains(part), "{part:?} in {}", ran.stdout);
    }
}

#[test]
fn rules_and_formats_are_listed_and_explained() {
    check("rules", &["SUP001 suppression-expired"]);
    check("rules --format markdown", &["| SUP001 | suppression-expired | low |"]);
    check("rules --format json", &["\"code\": \"SUP001\""]);
    check("formats", &["Safetensors (safetensors)", "known afterwards:", "cannot be known:"]);
    check("formats --format markdown", &["(`safetensors`) | `.safetensors` |"]);
    check("formats --format json", &["\"id\": \"safetensors\""]);
    check("explain sup001", &["SUP001 suppression-expired", "Why: ", "What to do: "]);
    check("explain suppression-expired", &["SUP001"]);
}

#[test]
fn completions_and_the_man_page_are_generated() {
    check("completions bash", &["--fail-on"]);
    check("completions zsh", &["#compdef alnage"]);
    check("man", &[".TH alnage 1", "Exit codes"]);
    check("--version", &["alnage 0."]);
    check("vet --help", &["--max-steps", "[possible values: review, block]"]);
}

#[test]
fn the_reference_page_has_every_command_and_flag() {
    let page = alnage::cli_markdown();
    for part in [
        "## `alnage vet`",
        "## `alnage config show`",
        "`--fail-on VERDICT`",
        "`-o`, `--output FILE`",
        "`review`, `block`",
    ] {
        assert!(page.contains(part), "{part:?} in {page}");
    }
    assert!(!page.contains("`--help`"), "{page}");
}
