//! Packs the OpenAPI document, which is 220 kB of the binary otherwise and which few ask for.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let from = "../../docs/openapi.json";
    println!("cargo:rerun-if-changed={from}");
    let packed = miniz_oxide::deflate::compress_to_vec(&fs::read(from)?, 10);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("openapi.bin"), packed)?;
    Ok(())
}
