//! PKL022: a storage is shorter than the tensors in it say.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::shorten, few::Few, pickles};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL022",
    name: "pickle-storage-size",
    summary: "a storage is shorter than the pickle says",
    why: "The pickle names each storage with its number of elements. PyTorch before 2.10 believed the number: where the member of the archive is shorter, tensors reach into memory behind it, with `weights_only=True` too.",
    remediation: "Do not load the file with PyTorch before 2.10. If it was cut short on its way, fetch it again.",
    references: &["CVE-2026-24747", "CWE-125", "CWE-787"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a `FloatStorage` of 1,000,000 elements over a member of 4 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let archive =
            artifact.path.as_str().strip_suffix("/data.pkl").and_then(|path| path.rsplit_once("!/"));
        let Some((archive, folder)) = archive.filter(|_| !facts.tensors.storages.is_empty()) else {
            continue;
        };
        let Some(sizes) = model.artifacts.iter().find_map(|candidate| match &candidate.facts {
            Facts::Container(container) if candidate.path.as_str() == archive => match container.as_ref() {
                ContainerFacts::Checkpoint(checkpoint) if checkpoint.root == folder => {
                    Some(&checkpoint.storage_sizes)
                }
                _ => None,
            },
            _ => None,
        }) else {
            continue;
        };
        let mut few = Few::new();
        for storage in &facts.tensors.storages {
            // Two or four elements share a byte of these.
            if matches!(storage.dtype, "quint4x2" | "quint2x4") {
                continue;
            }
            let declared = storage.elements.saturating_mul(storage.item_size);
            let Some(&size) = sizes.get(&storage.key) else { continue };
            if size < declared && few.has_room(storage.offset) {
                let key = shorten(&storage.key);
                let message = format!("the storage `{key}` is said to have {declared} bytes and has {size}");
                let evidence = format!("{} elements of {}", storage.elements, storage.dtype);
                sink.report_at(&artifact.path, (storage.offset, storage.offset + 1), message, evidence);
            }
        }
        few.close(sink, artifact, None);
    }
}
