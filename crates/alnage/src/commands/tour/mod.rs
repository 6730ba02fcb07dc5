//! `alnage tour`: from a model to a verdict, a seal and a refusal, with commands to go on with.

mod models;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use alnage_pipeline::{
    Curve, Input, KeyHint, KnownKey, Sealing, Silent, Verification, Verifying, keygen, rfc3339, seal, verify,
    verifying_key, vet,
};
use alnage_scan::report::{TextStyle, text};
use alnage_types::Verdict;

use super::{verify::report, vet::options};
use crate::{
    config::Settings,
    exit,
    output::{self, hinted},
    signer,
};

/// Where the tour makes its models.
const ROOT: &str = "alnage-tour";

/// Takes the tour. It ends well only when everything went as it should.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    let root = Path::new(ROOT);
    if !models::make(root)? {
        return Err(hinted(
            format!("`{ROOT}` is here and was not made by the tour"),
            "move it away, or take the tour in another directory",
        ));
    }
    let mut tour = Tour {
        settings: Settings { log: root.join("log"), ..Settings::default() },
        program: program(),
        root: root.to_owned(),
        wrong: Vec::new(),
    };
    tour.walk()?;
    if tour.wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for wrong in &tour.wrong {
        output::warn(format_args!("error: {wrong}"));
    }
    Ok(ExitCode::from(exit::REFUSED))
}

struct Tour {
    settings: Settings,
    program: String,
    root: PathBuf,
    wrong: Vec<String>,
}

impl Tour {
    fn walk(&mut self) -> anyhow::Result<()> {
        let (good, bad) = (models::good(&self.root), models::bad(&self.root));
        self.step(1, "A model that runs a command when it is loaded", &format!("vet {}", bad.display()))?;
        self.vet(&bad, Verdict::Block)?;

        self.step(2, "A key to seal with", &format!("keygen --out {ROOT}/keys"))?;
        let pair = keygen(&self.root.join("keys"), Curve::P256)?;
        output::print(&format!("{}\n{}\n", pair.private.display(), pair.public.display()))?;

        let command = format!("vet {} --seal --key {ROOT}/keys/signing.pem --log {ROOT}/log", good.display());
        self.step(3, "A model that passes, and is sealed", &command)?;
        self.seal(&good, &pair.private)?;

        let command = format!("verify {} --key {ROOT}/keys/signing.pub.pem --log {ROOT}/log", good.display());
        self.step(4, "Is it still what was sealed?", &command)?;
        self.verify(&good, &pair.public, true)?;

        flip_last_byte(&good.join("model.safetensors"))?;
        self.step(5, "One bit of its weights is flipped, and it is verified again", &command)?;
        self.verify(&good, &pair.public, false)?;

        output::print(&format!(
            "\nNow a model of your own:\n\n    {0} vet PATH\n    {0} vet PATH --seal --key {ROOT}/keys/signing.pem\n    {0} verify PATH --key {ROOT}/keys/signing.pub.pem\n    {0} explain PKL001\n",
            self.program
        ))?;
        Ok(())
    }

    fn step(&self, number: u32, title: &str, command: &str) -> anyhow::Result<()> {
        let before = if number == 1 { "" } else { "\n" };
        Ok(output::print(&format!("{before}{number}. {title}\n\n    $ {} {command}\n\n", self.program))?)
    }

    fn expect(&mut self, held: bool, what: &str) {
        if !held {
            self.wrong.push(format!("the tour expected that {what}"));
        }
    }

    fn vet(&mut self, path: &Path, expected: Verdict) -> anyhow::Result<()> {
        let vetted = vet(vec![Input::Path(path.to_owned())], &options(&self.settings), &Silent);
        let style = TextStyle { width: output::width(), color: output::terminal_takes_color(), brief: false };
        output::print(&text(&vetted.record, style))?;
        let what = format!("`{}` is `{}`", path.display(), expected.as_str());
        self.expect(vetted.record.verdict == expected, &what);
        Ok(())
    }

    fn seal(&mut self, path: &Path, key: &Path) -> anyhow::Result<()> {
        let options = options(&self.settings);
        let mut vetted = vet(vec![Input::Path(path.to_owned())], &options, &Silent);
        let style = TextStyle { width: output::width(), color: output::terminal_takes_color(), brief: false };
        output::print(&text(&vetted.record, style))?;
        let key = signer::key_file(key)?;
        let sealing = Sealing {
            signer: &key,
            certificates: &[],
            timestamps: None,
            log: &self.settings.log,
            declared: &self.settings.declared,
            time: &rfc3339(super::vet::now()),
        };
        let sealed = seal(&mut vetted, 0, &options, sealing)?;
        output::print(&sealed_text(path, &sealed))?;
        Ok(())
    }

    fn verify(&mut self, path: &Path, key: &Path, expected: bool) -> anyhow::Result<()> {
        let signers = KnownKey { key: verifying_key(key)?, hint: KeyHint::MustMatch };
        let what = Verifying::new(path, &signers, &self.settings.log);
        let verification: Verification = verify(what, &Silent)?;
        let holds = if expected { verification.is_complete() } else { verification.holds() };
        output::print(&report(path, &verification, holds))?;
        self.expect(
            holds == expected,
            if expected { "the seal holds" } else { "the changed model is refused" },
        );
        Ok(())
    }
}

/// Says what was written beside a model.
pub(super) fn sealed_text(path: &Path, sealed: &alnage_pipeline::Sidecars) -> String {
    let mut text = format!("sealed: {}\n", path.display());
    for file in [&sealed.signature, &sealed.bom, &sealed.verdict, &sealed.receipt] {
        let _ = writeln!(text, "  {}", file.display());
    }
    text
}

fn flip_last_byte(path: &Path) -> anyhow::Result<()> {
    let mut bytes = alnage_fs::read_small(path, 1 << 20)?;
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Ok(alnage_fs::write_atomic(path, &bytes)?)
}

/// How the reader calls this program: as it was called now.
fn program() -> String {
    std::env::args_os().next().map_or_else(|| "alnage".into(), |name| name.to_string_lossy().into_owned())
}
