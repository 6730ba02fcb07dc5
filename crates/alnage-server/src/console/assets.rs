//! The stylesheet, the script and the typeface: embedded, and served under names that hold their digest, so that a
//! browser may keep them for ever.

use std::{borrow::Cow, sync::LazyLock};

use sha2::{Digest as _, Sha256};

/// One file.
pub(crate) struct Asset {
    /// Its name in this source.
    name: &'static str,
    /// Its name in addresses.
    pub(crate) address: String,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Cow<'static, [u8]>,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets = vec![
        asset("sans.woff2", "font/woff2", Cow::Borrowed(include_bytes!("../../assets/sans.woff2"))),
        asset("mono.woff2", "font/woff2", Cow::Borrowed(include_bytes!("../../assets/mono.woff2"))),
        asset("seal.svg", "image/svg+xml", Cow::Borrowed(include_bytes!("../../assets/seal.svg"))),
        asset(
            "console.js",
            "text/javascript; charset=utf-8",
            Cow::Borrowed(include_bytes!("../../assets/console.js")),
        ),
    ];
    let mut style = include_str!("../../assets/console.css").to_owned();
    for font in assets.iter().filter(|asset| asset.content_type == "font/woff2") {
        style = style.replace(&format!("\"{}\"", font.name), &format!("\"{}\"", font.address));
    }
    assets.push(asset("console.css", "text/css; charset=utf-8", Cow::Owned(style.into_bytes())));
    assets
});

fn asset(name: &'static str, content_type: &'static str, bytes: Cow<'static, [u8]>) -> Asset {
    let digest = Sha256::digest(&bytes);
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    Asset { name, address: format!("{PREFIX}{stem}.{short}.{ending}"), content_type, bytes }
}

/// What their addresses begin with.
const PREFIX: &str = "/console/assets/";

/// Where the file of this name is served; empty when there is none.
pub(crate) fn address(name: &str) -> String {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| asset.address.clone()).unwrap_or_default()
}

/// What is served at an address.
pub(crate) fn at(address: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.address == address)
}

/// Everything there is to serve.
#[cfg(test)]
pub(crate) fn all() -> &'static [Asset] {
    &ASSETS
}
