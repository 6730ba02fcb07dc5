//! Programs and native libraries, recognised by their headers; their code is not analysed.

use std::sync::Arc;

use alnage_types::Source;
use serde::Serialize;

use super::RepositoryFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

/// Facts of a program or native library.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExecutableFacts {
    /// The machine or platform it is for, where the header says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<&'static str>,
}

macro_rules! executables {
    ($($name:ident $id:literal $title:literal [$($extension:literal),*] $identify:ident;)*) => {$(
        pub(super) static $name: Format = Format {
            id: $id,
            title: $title,
            extensions: &[$($extension),*],
            load_effect: LoadEffect::Executes,
            reads: "that it is one, and for which machine",
            cannot: "what its machine code does",
            identify: $identify,
            parse,
        };
    )*};
}

executables! {
    ELF "elf" "ELF program or library" ["so"] is_elf;
    PE "pe" "Windows program or library" ["exe", "dll", "pyd"] is_pe;
    MACH_O "mach-o" "macOS program or library" ["dylib"] is_mach_o;
    JAVA_CLASS "java-class" "Java class" ["class"] is_java_class;
    WASM "wasm" "WebAssembly module" ["wasm"] is_wasm;
}

fn is_elf(probe: &Probe<'_>) -> bool {
    probe.starts_with(b"\x7fELF")
        && matches!(probe.head.get(4), Some(1 | 2))
        && matches!(probe.head.get(5), Some(1 | 2))
        && probe.len() >= 52
}

fn is_pe(probe: &Probe<'_>) -> bool {
    if !probe.starts_with(b"MZ") {
        return false;
    }
    // An αctually portable executable is a shell script and a program at once.
    if probe.starts_with(b"MZqFpD='") {
        return true;
    }
    let Some(place) = probe.head.get(0x3c..0x40) else { return false };
    let place = u32::from_le_bytes([place[0], place[1], place[2], place[3]]);
    let mut reader = probe.reader();
    reader.seek(place.into());
    reader.array::<4>().is_ok_and(|magic| magic == *b"PE\0\0")
}

fn is_mach_o(probe: &Probe<'_>) -> bool {
    let kind = probe.head.get(12..16).map(|kind| u32::from_le_bytes([kind[0], kind[1], kind[2], kind[3]]));
    let thin = (probe.starts_with(b"\xcf\xfa\xed\xfe") || probe.starts_with(b"\xce\xfa\xed\xfe"))
        && kind.is_some_and(|kind| (1..=12).contains(&kind));
    // A Java class has the same magic and its version where the number of machines stands here.
    let fat = probe.starts_with(b"\xca\xfe\xba\xbe")
        && probe.head.get(4..8).is_some_and(|count| count[..3] == [0, 0, 0] && (1..30).contains(&count[3]))
        && probe.len() > 4096;
    thin || fat
}

fn is_java_class(probe: &Probe<'_>) -> bool {
    probe.starts_with(b"\xca\xfe\xba\xbe")
        && probe.head.get(6..8).is_some_and(|version| version[0] == 0 && (45..100).contains(&version[1]))
}

fn is_wasm(probe: &Probe<'_>) -> bool {
    probe.starts_with(b"\0asm\x01\0\0\0")
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    context.claim(0..source.len());
    let machine = alnage_types::Reader::at(source.as_ref(), 18).u16le().unwrap_or(0);
    let elf = alnage_types::Reader::new(source.as_ref()).array::<4>().is_ok_and(|magic| magic == *b"\x7fELF");
    let platform = match machine {
        0x3e if elf => Some("x86-64"),
        0xb7 if elf => Some("aarch64"),
        0x03 if elf => Some("x86"),
        0x28 if elf => Some("arm"),
        0xf3 if elf => Some("risc-v"),
        _ => None,
    };
    Facts::Repository(Box::new(RepositoryFacts::Executable(ExecutableFacts { platform })))
}
