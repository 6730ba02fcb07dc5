//! `alnage vet`: verdicts and reports.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use alnage_fs::STDIN_LIMIT;
use alnage_pipeline::{Input, Options, Sealing, Vetted, rfc3339, seal, timestamp::TimestampSource, vet};
use alnage_scan::{Date, Record, report};
use alnage_types::Verdict;

use super::tour::sealed_text;

use crate::{
    args::{ReportFormat, VetArgs},
    config::{Color, Config, Settings},
    exit,
    output::{self, hinted, warn},
    progress::Bar,
    signer::{self, OpenKey},
};

/// Vets what the arguments name, writes the reports, and gives the exit code.
pub(super) fn run(arguments: VetArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&arguments.settings)?;
    let settings = &config.settings;
    let reports = reports(&arguments.format, &arguments.output)?;
    let sealing_key = if arguments.seal { Some(sealing_key(settings)?) } else { None };
    let certificates = match &sealing_key {
        Some(key) => signer::certificate_chain(&arguments.certificate, key)?,
        None => Vec::new(),
    };
    let (inputs, missing) = inputs(&arguments.paths)?;
    let bar = Bar::new(!settings.quiet);
    let options = options(settings);
    let mut vetted = vet(inputs, &options, &bar);
    drop(bar);
    for failure in &vetted.failures {
        warn(format_args!("error: {}", failure.error));
    }
    if arguments.detonate {
        super::detonate::add_to(&mut vetted, &arguments.jail, &options);
    }
    let failures = vetted.failures.len() + missing;
    let code = exit::of_record(&vetted.record, failures, settings.fail_on);
    for report in &reports {
        write_report(report, &vetted.record, settings, code)?;
    }
    let sealed = match sealing_key {
        Some(key) => {
            seal_all(&mut vetted, &options, settings, &key, &certificates, arguments.certificate.timestamps())
        }
        None => 0,
    };
    // The process ends here: giving a large record back piece by piece would only take time.
    std::mem::forget(vetted);
    Ok(ExitCode::from(exit::gravest(code, sealed)))
}

/// The key to seal with: the one named, or the keyring's.
fn sealing_key(settings: &Settings) -> anyhow::Result<OpenKey> {
    if !settings.hash {
        anyhow::bail!("`--seal` needs the digests that `--no-hash` leaves out");
    }
    let in_ring = || settings.keyring.as_ref().map(|directory| directory.join("signing.pem"));
    let Some(path) = settings.key.clone().or_else(in_ring) else {
        return Err(hinted(
            "there is no key to seal with",
            "`alnage keygen --out DIR`, then `--key DIR/signing.pem`",
        ));
    };
    signer::open(&path)
}

/// Seals every model that passed; gives the exit code for those that could not be.
fn seal_all(
    vetted: &mut Vetted,
    options: &Options,
    settings: &Settings,
    key: &OpenKey,
    certificates: &[Vec<u8>],
    timestamps: Option<&dyn TimestampSource>,
) -> u8 {
    let time = rfc3339(now());
    let mut code = 0;
    for index in 0..vetted.record.models.len() {
        let path = vetted.record.models[index].path.clone();
        match seal(
            vetted,
            index,
            options,
            Sealing {
                signer: &*key.signer,
                certificates,
                timestamps,
                log: &settings.log,
                declared: &settings.declared,
                time: &time,
            },
        ) {
            Ok(sealed) => warn(format_args!("{}", sealed_text(Path::new(&path), &sealed).trim_end())),
            Err(error) => {
                let grave = match error {
                    alnage_pipeline::Error::NotPassed(Verdict::Unknown) => exit::UNKNOWN,
                    alnage_pipeline::Error::NotPassed(_) => exit::REFUSED,
                    _ => exit::COULD_NOT_RUN,
                };
                code = exit::gravest(code, grave);
                warn(format_args!("error: `{path}` was not sealed: {error}"));
            }
        }
    }
    code
}

/// Seconds since the beginning of 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The pipeline's options out of the settings.
pub(super) fn options(settings: &Settings) -> Options {
    Options {
        jobs: settings.jobs,
        budget: settings.budget.clone(),
        policy: settings.policy.clone(),
        level: settings.level,
        select: settings.select.clone(),
        ignore: settings.ignore.clone(),
        hash: settings.hash,
        suppressions: settings.suppressions.clone(),
        today: Date::from_unix(now()),
    }
}

/// What the paths stand for, and how many stand for nothing; those have been complained about.
fn inputs(paths: &[String]) -> anyhow::Result<(Vec<Input>, usize)> {
    let mut inputs = Vec::with_capacity(paths.len());
    let mut missing = 0;
    let mut stdin_taken = false;
    for path in paths {
        if path == "-" {
            if std::mem::replace(&mut stdin_taken, true) {
                anyhow::bail!("standard input `-` is named twice");
            }
            let bytes =
                alnage_fs::read_stdin(io::stdin().lock(), STDIN_LIMIT).map_err(|error| match error {
                    alnage_fs::Error::StdinTooLong { .. } => hinted(
                        error.to_string(),
                        "save it to a file and vet that; files may be of any length",
                    ),
                    error => error.into(),
                })?;
            inputs.push(Input::Bytes { name: "-".into(), bytes });
            continue;
        }
        match alnage_fs::expand(path) {
            Ok(paths) => inputs.extend(paths.into_iter().map(Input::Path)),
            Err(error) => {
                warn(format_args!("error: {error}"));
                missing += 1;
            }
        }
    }
    Ok((inputs, missing))
}

/// A report to be written.
pub(super) struct Report {
    format: ReportFormat,
    /// Standard output when absent.
    file: Option<PathBuf>,
}

/// Pairs formats with files. Formats beyond the files go to standard output, of which there is one.
pub(super) fn reports(formats: &[ReportFormat], files: &[PathBuf]) -> anyhow::Result<Vec<Report>> {
    if files.is_empty() && formats.len() > 1 || formats.len() > files.len() + 1 {
        return Err(hinted(
            "several formats for standard output",
            "give each but one a file: `--format json -o vet.json --format text`",
        ));
    }
    let mut reports: Vec<Report> = (files.iter().enumerate())
        .map(|(index, file)| {
            // With one format too many the last is for standard output, so positions still match.
            let format = formats.get(index).copied().unwrap_or_else(|| format_of(file));
            Report { format, file: Some(file.clone()).filter(|file| file.as_os_str() != "-") }
        })
        .collect();
    if let Some(&format) = formats.get(files.len()) {
        reports.push(Report { format, file: None });
    } else if files.is_empty() {
        reports.push(Report { format: ReportFormat::Text, file: None });
    }
    Ok(reports)
}

fn format_of(file: &Path) -> ReportFormat {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "json" => ReportFormat::Json,
        "sarif" => ReportFormat::Sarif,
        "md" | "markdown" => ReportFormat::Markdown,
        _ => ReportFormat::Text,
    }
}

pub(super) fn write_report(
    report: &Report,
    record: &Record,
    settings: &Settings,
    exit_code: u8,
) -> anyhow::Result<()> {
    let Some(file) = &report.file else {
        let color = match settings.color {
            Color::Auto => output::terminal_takes_color(),
            Color::Always => true,
            Color::Never => false,
        };
        return Ok(output::print_with(|out| render(report.format, record, settings, color, exit_code, out))?);
    };
    let mut bytes = Vec::new();
    render(report.format, record, settings, false, exit_code, &mut bytes)?;
    Ok(alnage_fs::write_atomic(file, &bytes)?)
}

fn render(
    format: ReportFormat,
    record: &Record,
    settings: &Settings,
    color: bool,
    exit_code: u8,
    mut out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        ReportFormat::Json => report::json(record, &mut out),
        ReportFormat::Text => {
            let style = report::TextStyle { width: output::width(), color, brief: settings.quiet };
            out.write_all(report::text(record, style).as_bytes())
        }
        ReportFormat::Sarif => report::sarif(record, exit_code, &mut out),
        ReportFormat::Markdown => out.write_all(report::markdown(record).as_bytes()),
    }
}
