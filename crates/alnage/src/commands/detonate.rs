//! `alnage detonate`: what a model does when it is loaded.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use alnage_pipeline::{AttestingDetonation, Options, Subject, Vetted, attest_detonation, rfc3339};
use alnage_sandbox::{
    Error,
    detonate::{Detonation, Detonator, Interpreter, findings, issues, json, text},
};
use alnage_types::{ArtifactPath, Issue, IssueKind};

use super::vet::now;
use crate::{
    args::{DetonateArgs, DetonationFormat, JailArgs},
    config::Settings,
    exit,
    output::{self, hinted, warn},
    signer,
};

/// Loads what the arguments name, writes the report, and gives the exit code.
pub(super) fn run(arguments: &DetonateArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut detonator = detonator(&arguments.jail).map_err(with_way_out)?;
    let mut detonations: Vec<Detonation> = Vec::new();
    let mut code = 0;
    for path in paths(&arguments.paths, &mut code) {
        match detonator.detonate(&path) {
            Ok(detonation) => detonations.push(detonation),
            Err(Error::Files(error)) => {
                warn(format_args!("error: {error}"));
                code = exit::gravest(code, exit::COULD_NOT_RUN);
            }
            Err(error) => return Err(with_way_out(error)),
        }
    }
    let report = match arguments.format {
        DetonationFormat::Text => text(&detonator, &detonations),
        DetonationFormat::Json => format!("{:#}\n", json(&detonator, &detonations)),
    };
    match &arguments.output {
        Some(file) => alnage_fs::write_atomic(file, report.as_bytes())?,
        None => output::print(&report)?,
    }
    if let Some(file) = &arguments.attestation {
        attest(arguments, file, &detonator, &detonations)?;
    }
    for detonation in &detonations {
        let effects = findings(detonation);
        let effect = effects.iter().map(|finding| settings.policy.effect(finding).verdict()).max();
        if effect.is_some_and(|verdict| verdict >= settings.fail_on) {
            code = exit::gravest(code, exit::REFUSED);
        } else if !issues(detonation).is_empty() {
            code = exit::gravest(code, exit::UNKNOWN);
        }
    }
    Ok(ExitCode::from(code))
}

fn paths(named: &[String], code: &mut u8) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for name in named {
        match alnage_fs::expand(name) {
            Ok(expanded) => paths.extend(expanded),
            Err(error) => {
                warn(format_args!("error: {error}"));
                *code = exit::gravest(*code, exit::COULD_NOT_RUN);
            }
        }
    }
    paths
}

fn detonator(jail: &JailArgs) -> Result<Detonator, Error> {
    let interpreter = Interpreter::find(&jail.python, jail.profile())?;
    Ok(Detonator::new(interpreter, jail.profile(), jail.limits()))
}

fn with_way_out(error: Error) -> anyhow::Error {
    match error {
        Error::NoJail(_) => hinted(
            error.to_string(),
            "allow user name spaces (`sysctl user.max_user_namespaces`, `kernel.unprivileged_userns_clone`), or run it as root",
        ),
        Error::NoInterpreter(_) => {
            hinted(error.to_string(), "name another with `--python`, such as `/usr/bin/python3`")
        }
        error => error.into(),
    }
}

fn attest(
    arguments: &DetonateArgs,
    file: &Path,
    detonator: &Detonator,
    detonations: &[Detonation],
) -> anyhow::Result<()> {
    let key = arguments.key.as_deref().map(signer::open).transpose()?;
    let mut subjects = Vec::new();
    for detonation in detonations {
        let loaded = detonation.files.iter().map(|file| (&file.artifact, file.sha256));
        let data = detonation.data.iter().map(|(artifact, sha256)| (artifact, *sha256));
        for (artifact, sha256) in loaded.chain(data) {
            if let Some(digest) = sha256 {
                subjects.push(Subject { name: artifact.as_str().to_owned(), digest });
            }
        }
    }
    let time = rfc3339(now());
    let attesting = AttestingDetonation {
        subjects,
        report: json(detonator, detonations),
        file,
        signer: key.as_ref().map(|key| &*key.signer),
        log: arguments.log.as_deref(),
        time: &time,
    };
    attest_detonation(attesting)?;
    Ok(())
}

/// Adds what each vetted model does when it is loaded. Where it cannot be loaded, that is an issue: nobody shall take
/// silence for an answer.
pub(super) fn add_to(vetted: &mut Vetted, jail: &JailArgs, options: &Options) {
    let mut made = detonator(jail);
    for index in 0..vetted.record.models.len() {
        let Some(model) = vetted.record.models.get(index) else { break };
        let path = model.path.clone();
        let outcome = match &mut made {
            Ok(_) if path == "-" => Err("standard input has no file that could be loaded".to_owned()),
            Ok(detonator) => detonator.detonate(Path::new(&path)).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let (found, unknown) = match outcome {
            Ok(detonation) => (findings(&detonation), issues(&detonation)),
            Err(message) => {
                let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy().into_owned();
                let message = format!("detonation: {message}");
                let artifact = ArtifactPath::file(name);
                (Vec::new(), vec![Issue { artifact, offset: None, kind: IssueKind::Unsupported, message }])
            }
        };
        vetted.add(index, found, unknown, options);
    }
}
