//! Fills a registry with made-up models, to measure with: `fill DIRECTORY [MODELS] [FILES]`, 10,000 models of 100 files.
//!
//! Records alone: one content stands for all files, and no scan reads it. Prints what questions cost then.

use std::{path::Path, time::Instant};

use alnage_policy::Pack;
use alnage_registry::{
    Actor, FindingQuery, Kind, NewFile, NewFinding, NewVersion, Page, Registry, RepoQuery, Scan, Settings,
    Stage, database::Database,
};
use alnage_types::{Severity, Verdict};

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("fill DIRECTORY [MODELS] [FILES]")?;
    let models: u32 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let files: u32 = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let pack = Pack::shipped("default").ok_or("no policy")?;
    let registry = Registry::open(Settings::below(Path::new(&directory), pack), now)?;
    fill(&registry, models, files)?;
    measure(&registry)?;
    Ok(())
}

fn fill(registry: &Registry, models: u32, files: u32) -> Result<(), Box<dyn std::error::Error>> {
    let stored = registry.blobs().put(&b"made up"[..], None)?;
    let actor = Actor::system("fill");
    let begun = Instant::now();
    for number in 0..models {
        let name = format!("team-{:02}/model-{number:05}", number % 40);
        if registry.repo(Kind::Model, &name)?.is_some() {
            continue;
        }
        let file = |index: u32| NewFile {
            path: format!("part-{:02}/weights-{index:05}.safetensors", index % 10),
            size: stored.size,
            sha256: stored.digest,
            git_oid: stored.git_oid.clone(),
        };
        let new = NewVersion {
            refname: "main".into(),
            message: "made up".into(),
            files: (0..files).map(file).collect(),
            ..NewVersion::default()
        };
        let version = registry.add_version(Kind::Model, &name, new, &actor)?;
        let verdict = [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Review, Verdict::Block]
            .get(number as usize % 5)
            .copied()
            .unwrap_or(Verdict::Pass);
        registry.finish_scan(version.id, &scan(verdict, &name))?;
        if let Some(job) = registry.lease(&["scan"], "fill", 60)? {
            registry.done(&job)?;
        }
        if number % 1000 == 999 {
            eprintln!("{} models, {:.0} s", number + 1, begun.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

fn scan(verdict: Verdict, name: &str) -> Scan {
    let finding = NewFinding {
        code: "PKL004".into(),
        name: "pickle-dangerous-call".into(),
        severity: Severity::High,
        confidence: "high".into(),
        artifact: "part-00/weights-00000.safetensors".into(),
        message: "made up".into(),
        evidence: None,
        remediation: "none".into(),
        suppressed: false,
    };
    Scan {
        started: now(),
        verdict,
        rules: "made up".into(),
        input: serde_json::json!({"verdict": verdict, "model": {"name": name}}),
        record: "{}".into(),
        bom: "{}".into(),
        seals: serde_json::json!([]),
        facts: serde_json::json!({}),
        findings: if verdict == Verdict::Pass { Vec::new() } else { vec![finding] },
        files: Vec::new(),
        edges: Vec::new(),
    }
}

fn measure(registry: &Registry) -> Result<(), Box<dyn std::error::Error>> {
    let middle = "team-20/model-04060";
    let version = registry
        .version(Kind::Model, middle, "main")?
        .or(registry.versions_in(Stage::Approved, Page::first(1))?.pop());
    let version = version.ok_or("nothing is approved")?;
    let (name, commit, id) = (version.name.clone(), version.commit.clone(), version.id);
    type Question<'a> = (&'a str, u32, Box<dyn Fn() -> alnage_registry::Result<()> + 'a>);
    let search = RepoQuery { search: Some("9999"), ..RepoQuery::default() };
    let project = RepoQuery { project: Some("team-07"), ..RepoQuery::default() };
    let refused = RepoQuery { stage: Some(Stage::Rejected), ..RepoQuery::default() };
    let far = Page { after: "team-30/model-0", limit: 100 };
    let questions: Vec<Question<'_>> = vec![
        ("answer (commit)", 2000, Box::new(|| registry.answer(Kind::Model, &name, &commit).map(drop))),
        ("answer (main)", 2000, Box::new(|| registry.answer(Kind::Model, &name, "main").map(drop))),
        ("generation", 2000, Box::new(|| registry.generation().map(drop))),
        ("file", 2000, Box::new(|| registry.file(id, "part-00/weights-00000.safetensors").map(drop))),
        ("files, all of a version", 20, Box::new(|| registry.files(id, "", "", 1000).map(drop))),
        (
            "repos, first 100",
            20,
            Box::new(|| registry.repos(RepoQuery::default(), Page::first(100)).map(drop)),
        ),
        ("repos, a page far in", 20, Box::new(|| registry.repos(RepoQuery::default(), far).map(drop))),
        ("repos, search", 20, Box::new(|| registry.repos(search, Page::first(100)).map(drop))),
        ("repos, project", 20, Box::new(|| registry.repos(project, Page::first(100)).map(drop))),
        ("repos, by stage", 20, Box::new(|| registry.repos(refused, Page::first(100)).map(drop))),
        (
            "versions in a stage",
            20,
            Box::new(|| registry.versions_in(Stage::Quarantined, Page::first(100)).map(drop)),
        ),
        ("findings", 20, Box::new(|| registry.findings(FindingQuery::default(), Page::first(100)).map(drop))),
        ("events", 20, Box::new(|| registry.recent_events(100).map(drop))),
        ("statistics", 20, Box::new(|| registry.stats().map(drop))),
        ("blast radius", 5, Box::new(|| registry.blast_radius(&format!("model/{name}")).map(drop))),
        ("next number", 20, Box::new(|| registry.database().write(Database::next_id).map(drop))),
    ];
    for (what, times, question) in questions {
        question()?;
        let begun = Instant::now();
        for _ in 0..times {
            question()?;
        }
        println!("{what:<26} {:>9.1} µs", begun.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    }
    Ok(())
}
