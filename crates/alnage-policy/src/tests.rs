//! What packs say, and that nothing they are given makes them fail.

use serde_json::json;

use crate::{Effect, Pack, SHIPPED, example_input};

#[test]
fn every_shipped_pack_compiles_and_its_cases_hold() {
    for name in SHIPPED.iter() {
        let pack = Pack::from_files(crate::shipped::files(name).expect("is shipped"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = pack.test().unwrap_or_else(|error| panic!("{name}: {error}"));
        let wrong: Vec<_> = report.cases.iter().filter(|case| !case.wrong.is_empty()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        assert!(report.cases.len() > 3, "{name} has cases");
        assert!(report.untested.is_empty(), "{name}: untested {:?}", report.untested);
        assert!(report.undocumented.is_empty(), "{name}: undocumented {:?}", report.undocumented);
        assert_eq!(pack.name(), *name);
        assert_eq!(Pack::shipped(name).map(|pack| pack.digest()), Some(pack.digest()), "{name}");
    }
}

#[test]
fn an_empty_input_is_not_allowed_by_any_pack() {
    for name in SHIPPED.iter().copied() {
        let pack = Pack::shipped(name).expect("is shipped");
        assert_ne!(pack.decide_or_deny(&json!({})).effect, Effect::Allow, "{name}");
        assert_eq!(pack.decide_or_deny(&example_input()).effect, Effect::Allow, "{name}");
    }
}
