use std::fs;

use super::*;

/// Reads `text` as a configuration file.
fn read(text: &str) -> anyhow::Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    fs::write(&path, text).unwrap();
    let mut config = Config { settings: Settings::default(), origins: BTreeMap::new() };
    file::apply(&mut config, &path).map(|()| config)
}

fn check_error(text: &str, expected: &[&str]) {
    let error = read(text).expect_err(text);
    let said = format!("{error:#} {error:?}");
    for part in expected {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

#[test]
fn stronger_layers_win_and_say_so() {
    let mut config = read("jobs = 3\nlevel = \"audit\"\nmax-steps = \"5k\"\n").unwrap();
    assert_eq!(config.settings.budget.max_steps, 5 << 10);
    let variables =
        [("ALNAGE_JOBS".to_owned(), "4".to_owned()), ("ALNAGE_LEVEL".to_owned(), "pedantic".to_owned())];
    config.apply_environment(variables.into_iter(), &|_| {}).unwrap();
    config
        .apply_flags(&SettingArgs { jobs: Some("5".into()), no_hash: true, ..SettingArgs::default() })
        .unwrap();
    assert_eq!((config.settings.jobs, config.settings.level), (5, Level::Pedantic));
    assert_eq!(config.origin("jobs"), &Origin::Flag("--jobs".into()));
    assert_eq!(config.origin("level"), &Origin::Environment("ALNAGE_LEVEL".into()));
    assert_eq!(config.origin("hash"), &Origin::Flag("--no-hash".into()));
    assert!(matches!(config.origin("max-steps"), Origin::File { line: 3, .. }));
    assert_eq!(config.origin("color"), &Origin::Default);
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = read("key = \"keys/signing.pem\"").unwrap();
    let key = config.settings.key.unwrap();
    assert!(key.is_absolute() && key.ends_with("keys/signing.pem"), "{key:?}");
}

#[test]
fn mistakes_are_told_with_their_line() {
    check_error("\njbos = 3", &["alnage.toml:2", "unknown key `jbos`"]);
    check_error("[policy]\nhihg = \"note\"", &["alnage.toml:2", "unknown key `hihg`"]);
    check_error("[policy.rules]\nXYZ999 = \"note\"", &["alnage.toml:2", "no rule `XYZ999`"]);
    check_error("[policy]\nhigh = \"ignore\"", &["`ignore` is no effect", "`note`"]);
    check_error("jobs = 0", &["`0` is no value for `jobs`", "between 1 and 256"]);
    check_error("select = [\"NOPE\"]", &["no rule has a code that begins with `NOPE`"]);
    check_error("max-steps = \"many\"", &["expected a number"]);
    check_error("jobs = ", &["alnage.toml:1"]);
    check_error("[[suppress]]\ncode = \"SUP001\"", &["alnage.toml:1", "no `artifact`"]);
    let rest = "code = \"SUP001\"\nartifact = \"*\"\n";
    check_error(&format!("[[suppress]]\n{rest}expires = 2027-01-31"), &["no `reason`"]);
    check_error(&format!("[[suppress]]\n{rest}reason = \"x\""), &["no `expires`"]);
    check_error(
        &format!("[[suppress]]\n{rest}reason = \"x\"\nexpires = \"soon\""),
        &["alnage.toml:5", "2027-01-31"],
    );
}

#[test]
fn suppressions_and_policy_are_read() {
    let config = read(
        "[policy]\nmedium = \"block\"\n[policy.rules]\nSUP001 = \"review\"\n\
         [[suppress]]\ncode = \"sup001\"\nartifact = \"a/*\"\nreason = \"looked at\"\nexpires = 2027-01-31\n",
    )
    .unwrap();
    assert_eq!(config.settings.policy.medium, alnage_scan::Effect::Block);
    assert_eq!(config.settings.policy.rules["SUP001"], alnage_scan::Effect::Review);
    assert_eq!(config.settings.suppressions[0].expires.to_string(), "2027-01-31");
    assert!(matches!(config.origin("policy.medium"), Origin::File { line: 2, .. }));
    assert!(matches!(config.origin("suppress.1"), Origin::File { line: 5, .. }));
}

#[test]
fn numbers_take_suffixes() {
    for (text, expected) in [
        ("12", Some(12)),
        ("1_000", Some(1000)),
        ("64MiB", Some(64 << 20)),
        ("64 M", Some(64 << 20)),
        ("2GB", Some(2_000_000_000)),
        ("1kB", Some(1000)),
        ("7 b", Some(7)),
        ("1x", None),
        ("", None),
        ("-1", None),
        ("99999999999T", None),
    ] {
        assert_eq!(values::number(text).ok(), expected, "{text}");
    }
}

#[test]
fn near_misses_get_a_suggestion() {
    let keys = || KEYS.iter().map(|key| key.name);
    assert_eq!(values::closest("jbos", keys()), Some("jobs"));
    assert_eq!(values::closest("max_steps", keys()), Some("max-steps"));
    assert_eq!(values::closest("nothing-like-it", keys()), None);
}
