//! Licences as cards and metadata name them, their SPDX ids, and licence texts beside the weights.

use alnage_formats::{Facts as ArtifactFacts, Model, repository::RepositoryFacts};

use crate::{Facts, Field, Origin, Place, Source};

/// Adds what the licence texts at the top of `model` are.
pub(crate) fn gather(model: &Model, facts: &mut Facts) {
    for artifact in model.artifacts.iter().filter(|artifact| !artifact.path.as_str().contains('/')) {
        let ArtifactFacts::Repository(repository) = &artifact.facts else { continue };
        if let RepositoryFacts::Licence(licence) = repository.as_ref()
            && let Some(id) = licence.id
        {
            let place = Place::Bytes(0, artifact.size);
            let mut source =
                Source::new(Origin::Configuration, artifact.path.as_str(), "licence text", place);
            source.confidence = 90;
            facts.add(Field::Licence, id, source);
        }
    }
}

/// The SPDX id of a licence as the Hugging Face hub and GGUF metadata spell it; `None` for licences that SPDX does
/// not list, such as `llama3.1` or `openrail`.
pub fn spdx_id(name: &str) -> Option<&'static str> {
    SPDX.iter().find(|id| id.eq_ignore_ascii_case(name)).copied().or_else(|| {
        let lower = name.to_ascii_lowercase();
        RENAMED.iter().find(|(hub, _)| *hub == lower).map(|(_, id)| *id)
    })
}

/// Every SPDX id that [`spdx_id`] can give.
pub fn spdx_ids() -> impl Iterator<Item = &'static str> {
    SPDX.iter().copied().chain(RENAMED.iter().map(|(_, id)| *id))
}

/// Where the hub's word differs from the SPDX id in more than case.
static RENAMED: &[(&str, &str)] = &[
    ("c-uda", "C-UDA-1.0"),
    ("lgpl-lr", "LGPLLR"),
    ("odbl", "ODbL-1.0"),
    ("odc-by", "ODC-By-1.0"),
    ("pddl", "PDDL-1.0"),
];

/// The SPDX ids among the licences that the hub offers. The ids without `-only` and `-or-later` are deprecated, and
/// exactly as undecided as the cards that say them.
pub(crate) static SPDX: &[&str] = &[
    "AFL-3.0",
    "AGPL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-3-Clause-Clear",
    "BSL-1.0",
    "C-UDA-1.0",
    "CC-BY-2.0",
    "CC-BY-2.5",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-2.0",
    "CC-BY-NC-3.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-2.0",
    "CC-BY-NC-SA-3.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDLA-Permissive-1.0",
    "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0",
    "ECL-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.1",
    "EUPL-1.2",
    "GFDL-1.3",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-2.1",
    "LGPL-3.0",
    "LGPLLR",
    "LPPL-1.3c",
    "MIT",
    "MPL-2.0",
    "MS-PL",
    "NCSA",
    "ODC-By-1.0",
    "ODbL-1.0",
    "OFL-1.1",
    "OSL-3.0",
    "PDDL-1.0",
    "PostgreSQL",
    "Unlicense",
    "WTFPL",
    "Zlib",
    "etalab-2.0",
];
