//! Tests, seals and gates AI models.

use std::{path::Path, sync::Arc};

use alnage_formats::{EntryKind, Model, TreeEntry, analyse};
use alnage_scan::{ModelRecord, Policy, Record, SCHEMA, Stats, judge};
use alnage_types::{ArtifactPath, Budget, Level, Manifest, MemorySource};

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(2).unwrap_or_default();
    let mut model = Model::default();
    walk(Path::new(&path), Path::new(&path), &mut model)?;
    let judgement = judge(&model, &Policy::default(), Level::Default, |_| true);
    let record = Record {
        schema: SCHEMA,
        verdict: judgement.verdict,
        models: vec![ModelRecord {
            path,
            verdict: judgement.verdict,
            manifest: Manifest::new(Vec::new()),
            tree: model.tree,
            artifacts: model.artifacts,
            findings: judgement.findings,
            issues: model.issues,
            decided_by: judgement.decided_by,
        }],
        stats: Stats::default(),
    };
    println!("{}", serde_json::to_string_pretty(&record)?);
    Ok(())
}

fn walk(root: &Path, path: &Path, model: &mut Model) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            walk(root, &entry?.path(), model)?;
        }
        return Ok(());
    }
    let name = path.strip_prefix(root).ok().filter(|name| name.as_os_str().len() > 0);
    let name = name.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default()));
    let name = ArtifactPath::file(name.to_string_lossy());
    let bytes = std::fs::read(path)?;
    let size = bytes.len() as u64;
    model.tree.push(TreeEntry { path: name.clone(), kind: EntryKind::File, size, executable: false });
    let analysis = analyse(name, Arc::new(MemorySource::new(bytes)), &Budget::default());
    model.artifacts.extend(analysis.artifacts);
    model.issues.extend(analysis.issues);
    Ok(())
}
