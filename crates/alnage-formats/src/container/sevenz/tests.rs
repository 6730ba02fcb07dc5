use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, IssueKind, MemorySource};
use testkit::archive::{SEVENZ, STREAM_CONTENT, hex};

use crate::analyse;

#[test]
fn every_common_coder_is_read() {
    for (coder, digits) in SEVENZ {
        let source = Arc::new(MemorySource::new(hex(digits)));
        let analysis = analyse(ArtifactPath::file("f"), source, &Budget::default());
        let members: Vec<_> = analysis
            .artifacts
            .iter()
            .filter_map(|artifact| {
                Some((artifact.path.as_str().strip_prefix("f!/")?, artifact.size as usize))
            })
            .collect();
        if *coder == "aes" {
            assert!(members.is_empty());
            assert_eq!(
                analysis.issues.iter().map(|issue| issue.kind).collect::<Vec<_>>(),
                [IssueKind::Encrypted]
            );
        } else {
            let length = STREAM_CONTENT.len() + 1;
            assert_eq!(
                members,
                [("model.pkl", length), ("sub/b.txt", length)],
                "{coder}: {:?}",
                analysis.issues
            );
            assert!(analysis.issues.is_empty(), "{coder}: {:?}", analysis.issues);
        }
    }
}
