//! Packs the tables of callables in blocks, which are 1.6 MB of the binary otherwise and of which a run needs a few.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

/// How long a block is before it is packed: what one lookup unpacks.
const BLOCK: usize = 16 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    for table in ["dangerous", "generated", "harvested", "safe"] {
        let from = format!("src/capability/{table}.tsv");
        println!("cargo:rerun-if-changed={from}");
        let text = fs::read_to_string(&from)?;
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let (mut packed, mut index) = (Vec::new(), String::new());
        let mut rest = rows.as_slice();
        while let Some(first) = rest.first() {
            let mut length = 0;
            let full = rest.iter().position(|row| {
                length += row.len() + 1;
                length > BLOCK
            });
            let (block, after) = rest.split_at(full.unwrap_or(rest.len()).max(1));
            rest = after;
            packed.extend(miniz_oxide::deflate::compress_to_vec(block.join("\n").as_bytes(), 10));
            let key: Vec<&str> = first.split('\t').take(2).collect();
            writeln!(index, "    ({:?}, {}),", key.join("\t"), packed.len())?;
        }
        let file = format!("Table::new(include_bytes!(\"{table}.bin\"), &[\n{index}])\n");
        fs::write(Path::new(&out).join(format!("{table}.bin")), packed)?;
        fs::write(Path::new(&out).join(format!("{table}.rs")), file)?;
    }
    Ok(())
}
