//! A matrix of a fastText model, dense or as codes of a product quantiser. Its numbers are stepped over, not read.

use alnage_types::Reader;

use super::{FastTextFacts, FastTextMatrix, Stop};
use crate::Context;

/// What the rest of the file demands of a matrix.
pub(super) struct Needs {
    /// `input` or `output`.
    pub(super) name: &'static str,
    /// How many rows the library looks up. It does not check whether they are there.
    pub(super) rows: i64,
    /// How long the vectors are that rows are added to. The library does not check that either.
    pub(super) columns: i64,
    /// Whether the library looks at the flag; the output is quantised only where the input is.
    pub(super) may_be_quantised: bool,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    facts: &mut FastTextFacts,
    context: &mut Context<'_>,
    needs: Needs,
) -> Result<(), Stop> {
    let start = reader.position();
    let flag = reader.u8()?;
    let quantised = flag != 0 && needs.may_be_quantised;
    let with_norms = quantised && reader.u8()? != 0;
    let (rows, columns) = (reader.i64le()?, reader.i64le()?);
    let header = (start, reader.position());
    let matrix = Some(FastTextMatrix { rows, columns, quantised });
    match needs.name {
        "input" => facts.input = matrix,
        _ => facts.output = matrix,
    }
    let name = needs.name;
    if rows < needs.rows {
        let fits = format!("at least {}", needs.rows);
        facts.contradict(header, format!("rows of the {name} matrix"), rows, fits);
    }
    if columns != needs.columns {
        let fits = needs.columns.to_string();
        facts.contradict(header, format!("columns of the {name} matrix"), columns, fits);
    }
    if quantised {
        codes(reader, facts, name, (rows, columns))?;
        if with_norms {
            reader.skip(size([rows, 1])?)?;
            quantiser(reader, facts, &format!("norms of the {name} matrix"), 1)?;
        }
    } else {
        let size = size([rows, columns, 4]);
        // The library multiplies without a check, and reserves what is left of the product.
        if size.is_err() && rows >= needs.rows && columns == needs.columns {
            let fits = "few enough for 64 bits".to_owned();
            facts.contradict(header, format!("rows of the {name} matrix"), rows, fits);
        }
        reader.skip(size?)?;
    }
    context.claim(start..reader.position());
    Ok(())
}

const IMPOSSIBLE: &str = "a matrix of an impossible size";

/// The product, when it is a number of bytes that can be.
fn size<const N: usize>(factors: [i64; N]) -> Result<u64, Stop> {
    let product = factors
        .into_iter()
        .try_fold(1_u64, |product, factor| product.checked_mul(u64::try_from(factor).ok()?));
    product.ok_or(Stop::Malformed(IMPOSSIBLE))
}

/// The codes of the rows, and the quantiser that says what they mean.
fn codes(
    reader: &mut Reader<'_>,
    facts: &mut FastTextFacts,
    name: &str,
    (rows, columns): (i64, i64),
) -> Result<(), Stop> {
    let start = reader.position();
    let count = i64::from(reader.i32le()?);
    let header = (start, reader.position());
    let number = format!("codes of the {name} matrix");
    if count < 0 {
        facts.contradict(header, number, count, "at least 0".into());
        return Err(Stop::Malformed(IMPOSSIBLE));
    }
    reader.skip(size([count, 1])?)?;
    let parts = quantiser(reader, facts, &format!("{name} matrix"), columns)?;
    let needed = rows.saturating_mul(parts.into());
    if count < needed {
        facts.contradict(header, number, count, format!("at least {needed}"));
    }
    Ok(())
}

/// A product quantiser for vectors of `columns` numbers: it cuts them into parts and has 256 centroids for each. How
/// many parts a row has.
fn quantiser(
    reader: &mut Reader<'_>,
    facts: &mut FastTextFacts,
    what: &str,
    columns: i64,
) -> Result<i32, Stop> {
    const CENTROIDS: i64 = 256;
    let start = reader.position();
    let [dimension, parts, part, last] = [reader.i32le()?, reader.i32le()?, reader.i32le()?, reader.i32le()?];
    let header = (start, reader.position());
    let mut fit = |number: &str, declared: i32, fits: i64| {
        if i64::from(declared) != fits {
            let number = format!("{number} of the quantiser of the {what}");
            facts.contradict(header, number, declared.into(), fits.to_string());
        }
    };
    fit("dimension", dimension, columns);
    if part < 1 || dimension < 1 {
        fit("numbers in a part", part, i64::from(part.max(1)));
        return Err(Stop::Malformed("a quantiser of an impossible size"));
    }
    fit("parts", parts, i64::from(dimension).div_euclid(part.into()) + i64::from(dimension % part != 0));
    fit(
        "numbers in the last part",
        last,
        i64::from(if dimension % part == 0 { part } else { dimension % part }),
    );
    let size = size([dimension.into(), CENTROIDS, 4])?;
    reader.skip(size)?;
    Ok(parts)
}
