//! NumPy's data types, as headers spell them: how long a value is, and whether it is a Python object.

use super::literal::Literal;

/// A data type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataType {
    /// As the header spells it.
    pub(super) spelling: String,
    /// Bytes of one value in the file.
    pub(super) item_size: u64,
    /// Whether a value is, or holds, a Python object.
    pub(super) object: bool,
}

/// Reads the `descr` of a header: a string, or a list of fields for a structured type.
pub(super) fn read(descr: &Literal) -> Option<DataType> {
    match descr {
        Literal::Text(text) => spelled(text),
        Literal::Sequence(fields) => structured(fields),
        _ => None,
    }
}

fn structured(fields: &[Literal]) -> Option<DataType> {
    // A type and a shape: `('<f4', (3,))`.
    if let [base @ Literal::Text(_), shape] = fields {
        let mut dtype = read(base)?;
        dtype.item_size = dtype.item_size.checked_mul(values(shape)?)?;
        return Some(dtype);
    }
    let mut whole = DataType { spelling: "[".to_owned(), item_size: 0, object: false };
    for field in fields {
        let Literal::Sequence(parts) = field else { return None };
        let (name, descr, shape) = match parts.as_slice() {
            [name, descr] => (name, descr, None),
            [name, descr, shape] => (name, descr, Some(shape)),
            _ => return None,
        };
        let part = read(descr)?;
        let count = shape.map_or(Some(1), values)?;
        whole.item_size = whole.item_size.checked_add(part.item_size.checked_mul(count)?)?;
        whole.object |= part.object;
        if whole.spelling.len() < 1024 {
            whole.spelling.push_str(&format!("{}: {}, ", name_of(name)?, part.spelling));
        }
    }
    whole.spelling = format!("{}]", whole.spelling.trim_end_matches(", "));
    Some(whole)
}

/// A field's name; with a title it is a pair.
fn name_of(name: &Literal) -> Option<&str> {
    match name {
        Literal::Text(name) => Some(name),
        Literal::Sequence(pair) => match pair.as_slice() {
            [_, Literal::Text(name)] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// How many values a subarray of this shape has.
fn values(shape: &Literal) -> Option<u64> {
    match shape {
        Literal::Integer(size) => Some(*size),
        Literal::Sequence(sizes) => {
            sizes.iter().try_fold(1u64, |product, size| product.checked_mul(values_of(size)?))
        }
        _ => None,
    }
}

fn values_of(size: &Literal) -> Option<u64> {
    match size {
        Literal::Integer(size) => Some(*size),
        _ => None,
    }
}

/// What `numpy.dtype` takes a text for: `<f4`, `|O`, `<M8[ns]`, `(2,)O`, `3f4`, and several of them with commas between,
/// which make a structured type. A spelling that is not known is none.
fn spelled(text: &str) -> Option<DataType> {
    let (mut item_size, mut object, mut depth, mut start) = (0_u64, false, 0_usize, 0);
    let ends = text.char_indices().chain([(text.len(), ',')]);
    for (at, c) in ends {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                let part = text.get(start..at)?.trim();
                start = at + 1;
                // `O,` is a structured type of one field.
                if !part.is_empty() {
                    let part = repeated(part)?;
                    item_size = item_size.checked_add(part.item_size)?;
                    object |= part.object;
                }
            }
            _ => {}
        }
    }
    (depth == 0 && !text.trim().is_empty()).then(|| DataType { spelling: text.to_owned(), item_size, object })
}

/// A type with a shape or a number before it.
fn repeated(text: &str) -> Option<DataType> {
    let (count, base) = match text.strip_prefix('(') {
        Some(rest) => {
            let (shape, base) = rest.split_once(')')?;
            let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
            let mut count = sizes.map(|size| size.parse::<u64>().ok());
            (count.try_fold(1_u64, |product, size| product.checked_mul(size?))?, base.trim())
        }
        None => {
            let base = text.trim_start_matches(|c: char| c.is_ascii_digit());
            let count = &text[..text.len() - base.len()];
            (if count.is_empty() { 1 } else { count.parse().ok()? }, base)
        }
    };
    let one = scalar(base)?;
    Some(DataType { item_size: one.item_size.checked_mul(count)?, ..one })
}

/// `<f4`, `|O`, `<U12`, `<M8[ns]`, `|V16`, and names of types.
fn scalar(text: &str) -> Option<DataType> {
    let code = text.trim_start_matches(['<', '>', '=', '|']);
    let kind = code.chars().next().filter(char::is_ascii)?;
    let digits: String = code[1..].chars().take_while(char::is_ascii_digit).collect();
    let size = if digits.is_empty() { None } else { Some(digits.parse::<u64>().ok()?) };
    let unit = &code[1 + digits.len()..];
    let plain =
        unit.is_empty() || (matches!(kind, 'm' | 'M') && unit.starts_with('[') && unit.ends_with(']'));
    let item_size = match kind {
        // Strings of variable length are objects to a file.
        'O' | 'T' if plain => size.unwrap_or(8),
        'U' if plain => size.unwrap_or(0).checked_mul(4)?,
        'S' | 'a' | 'V' if plain => size.unwrap_or(0),
        '?' if plain => 1,
        'b' | 'B' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' if plain => size.unwrap_or(match kind {
            'b' | 'B' | 'c' => 1,
            'f' | 'i' => 4,
            _ => 8,
        }),
        // Names, and letters of C types.
        _ => match code {
            "bool" | "bool_" | "int8" | "uint8" | "byte" | "ubyte" => 1,
            "float16" | "bfloat16" | "int16" | "uint16" | "half" | "short" | "ushort" => 2,
            "float32" | "int32" | "uint32" | "single" | "intc" | "uintc" => 4,
            "float64" | "int64" | "uint64" | "double" | "float" | "int" | "uint" | "intp" | "uintp"
            | "long" | "ulong" | "longlong" | "ulonglong" | "complex64" | "csingle" => 8,
            "complex128" | "complex" | "cdouble" | "float128" | "longdouble" | "g" | "D" => 16,
            "complex256" | "clongdouble" | "G" => 32,
            "str" | "str_" | "bytes" | "bytes_" | "void" => 0,
            "object" | "object_" => 8,
            "d" | "q" | "Q" | "l" | "L" | "p" | "P" | "F" => 8,
            "e" | "h" | "H" => 2,
            "I" => 4,
            _ => return None,
        },
    };
    let object = plain && matches!(kind, 'O' | 'T') || matches!(code, "object" | "object_");
    Some(DataType { spelling: text.to_owned(), item_size, object })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_as_numpy_takes_them() {
        let check = |text: &str, expected: Option<(u64, bool)>| {
            let found = spelled(text).map(|dtype| (dtype.item_size, dtype.object));
            assert_eq!(found, expected, "{text}");
        };
        check("<f4", Some((4, false)));
        check("<M8[ns]", Some((8, false)));
        check("<U12", Some((48, false)));
        check("float64", Some((8, false)));
        check("3f4", Some((12, false)));
        check("(2,3)<i2, |S5", Some((17, false)));
        check("|O", Some((8, true)));
        check("object", Some((8, true)));
        check("(2,)O", Some((16, true)));
        check("<f8,object", Some((16, true)));
        check("T", Some((8, true)));
        check("f4 or so", None);
        check("(2", None);
        check("", None);
    }
}
