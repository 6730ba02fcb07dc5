use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::framework::{xgboost_json, xgboost_ubjson};

use super::*;
use crate::analyse;

fn check(name: &str, bytes: &[u8]) -> XgboostFacts {
    let analysis = analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default());
    assert_eq!(analysis.issues, []);
    let Facts::Framework(facts) = &analysis.artifacts[0].facts else { panic!("not XGBoost: {analysis:?}") };
    let FrameworkFacts::Xgboost(facts) = facts.as_ref() else { panic!("not XGBoost") };
    facts.clone()
}

#[test]
fn both_forms_tell_the_same() {
    for bytes in [xgboost_json("binary:logistic").into_bytes(), xgboost_ubjson("binary:logistic")] {
        let facts = check("model", &bytes);
        assert_eq!(facts.objective.as_deref(), Some("binary:logistic"));
        assert_eq!(facts.booster.as_deref(), Some("gbtree"));
    }
}

#[test]
fn damage_does_not_panic() {
    super::super::mutation::survive("m.ubj", &xgboost_ubjson("binary:logistic"), 3000);
    super::super::mutation::survive("m.json", xgboost_json("binary:logistic").as_bytes(), 2000);
}
