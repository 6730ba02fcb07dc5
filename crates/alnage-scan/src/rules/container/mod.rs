//! Rules about archives and the PyTorch and NumPy files built on them.

mod array_header;
mod carved_artifact;
mod checksum_mismatch;
mod decompression_bomb;
mod duplicate_name;
mod encrypted_entry;
mod false_declaration;
mod foreign_bytes;
mod header_mismatch;
mod hidden_entry;
mod legacy_tar;
mod link_escape;
mod name_collision;
mod object_array;
mod overlapping_entries;
mod package_code;
mod path_escape;
mod rival_directory;
mod special_file;
#[cfg(test)]
mod tests;
mod torchscript_extension;
mod torchscript_reach;
mod torchserve_handler;
mod unread_archive;

use alnage_formats::{
    Facts, Model,
    container::{Anomaly, AnomalyKind, ContainerFacts},
};
use alnage_types::ArtifactPath;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &path_escape::RULE,
    &link_escape::RULE,
    &header_mismatch::RULE,
    &duplicate_name::RULE,
    &rival_directory::RULE,
    &hidden_entry::RULE,
    &false_declaration::RULE,
    &encrypted_entry::RULE,
    &checksum_mismatch::RULE,
    &overlapping_entries::RULE,
    &decompression_bomb::RULE,
    &name_collision::RULE,
    &special_file::RULE,
    &foreign_bytes::RULE,
    &unread_archive::RULE,
    &carved_artifact::RULE,
    &torchscript_reach::RULE,
    &torchscript_extension::RULE,
    &package_code::RULE,
    &torchserve_handler::RULE,
    &legacy_tar::RULE,
    &object_array::RULE,
    &array_header::RULE,
];

/// The anomalies of these kinds, with the archives they are in.
fn anomalies<'a>(
    model: &'a Model,
    kinds: &[AnomalyKind],
) -> impl Iterator<Item = (&'a ArtifactPath, &'a Anomaly)> {
    model.artifacts.iter().flat_map(move |artifact| {
        let found = match &artifact.facts {
            Facts::Container(facts) => match facts.as_ref() {
                ContainerFacts::Archive(archive) => archive.anomalies.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        found.iter().filter(|anomaly| kinds.contains(&anomaly.kind)).map(|anomaly| (&artifact.path, anomaly))
    })
}
