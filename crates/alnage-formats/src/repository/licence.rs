//! Licence texts: which licence a `LICENSE` file holds, by phrases that only this licence has.

use std::sync::Arc;

use alnage_types::{Reader, Source};
use serde::Serialize;

use super::RepositoryFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

const MAX_BYTES: u64 = 128 << 10;

/// Facts of a licence text.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LicenceFacts {
    /// The SPDX id of the licence, when its text is recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'static str>,
}

pub(super) static LICENCE: Format = Format {
    id: "licence-text",
    title: "Licence text",
    extensions: &[],
    load_effect: LoadEffect::Data,
    reads: "which of the common licences the text is",
    cannot: "what a changed or rare licence allows",
    identify,
    parse,
};

fn identify(probe: &Probe<'_>) -> bool {
    let name = probe.path.name().to_ascii_lowercase();
    let stem = name.split(['.', '-', '_']).next().unwrap_or_default();
    let extension =
        matches!(probe.path.extension().as_deref(), None | Some("txt" | "apache" | "mit" | "bsd"));
    matches!(stem, "license" | "licence" | "copying") && extension && probe.is_text()
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    context.claim(0..source.len());
    let mut facts = LicenceFacts::default();
    match Reader::new(source.as_ref()).take(source.len().min(MAX_BYTES)) {
        Ok(bytes) => facts.id = recognise(&String::from_utf8_lossy(&bytes)),
        Err(end) => context.read_end(end, 0, "the text"),
    }
    Facts::Repository(Box::new(RepositoryFacts::Licence(facts)))
}

/// Licences by phrases; the first whose phrases all stand in the text is it, so the narrower come first.
static PHRASES: &[(&str, &[&str])] = &[
    ("Apache-2.0", &["apache license", "version 2.0, january 2004"]),
    ("AGPL-3.0", &["gnu affero general public license", "version 3, 19 november 2007"]),
    ("LGPL-3.0", &["gnu lesser general public license", "version 3, 29 june 2007"]),
    ("GPL-3.0", &["gnu general public license", "version 3, 29 june 2007"]),
    ("LGPL-2.1", &["gnu lesser general public license", "version 2.1, february 1999"]),
    ("GPL-2.0", &["gnu general public license", "version 2, june 1991"]),
    ("MPL-2.0", &["mozilla public license version 2.0"]),
    ("CC-BY-NC-SA-4.0", &["attribution-noncommercial-sharealike 4.0 international"]),
    ("CC-BY-NC-ND-4.0", &["attribution-noncommercial-noderivatives 4.0 international"]),
    ("CC-BY-NC-4.0", &["attribution-noncommercial 4.0 international"]),
    ("CC-BY-SA-4.0", &["attribution-sharealike 4.0 international"]),
    ("CC-BY-ND-4.0", &["attribution-noderivatives 4.0 international"]),
    ("CC-BY-4.0", &["attribution 4.0 international"]),
    ("CC0-1.0", &["cc0 1.0 universal"]),
    ("Unlicense", &["this is free and unencumbered software released into the public domain"]),
    (
        "BSD-3-Clause",
        &["redistribution and use in source and binary forms", "endorse or promote products derived"],
    ),
    ("BSD-2-Clause", &["redistribution and use in source and binary forms"]),
    ("ISC", &["permission to use, copy, modify, and/or distribute this software for any purpose"]),
    (
        "MIT",
        &[
            "permission is hereby granted, free of charge, to any person obtaining a copy",
            "the software is provided",
        ],
    ),
];

fn recognise(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = words.join(" ").to_lowercase();
    let holds = |phrases: &[&str]| phrases.iter().all(|phrase| plain.contains(phrase));
    PHRASES.iter().find(|(_, phrases)| holds(phrases)).map(|(id, _)| *id)
}
