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
        Literal::Text(text) => scalar(text),
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

/// `<f4`, `|O`, `<U12`, `<M8[ns]`, `|V16`.
fn scalar(text: &str) -> Option<DataType> {
    let code = text.trim_start_matches(['<', '>', '=', '|']);
    let kind = code.chars().next().filter(char::is_ascii)?;
    let digits: String = code[1..].chars().take_while(char::is_ascii_digit).collect();
    let size = if digits.is_empty() { None } else { Some(digits.parse::<u64>().ok()?) };
    let item_size = match kind {
        'O' => 8,
        'U' => size.unwrap_or(0).checked_mul(4)?,
        'S' | 'a' | 'V' => size.unwrap_or(0),
        '?' => 1,
        'b' | 'B' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' => size.unwrap_or(match kind {
            'b' | 'B' => 1,
            'f' | 'i' => 4,
            _ => 8,
        }),
        // Names of ml_dtypes and of C types.
        _ => match code {
            "float16" | "bfloat16" | "int16" | "uint16" | "half" => 2,
            "float32" | "int32" | "uint32" => 4,
            "float64" | "int64" | "uint64" => 8,
            "d" | "q" | "Q" | "l" | "L" => 8,
            "e" | "h" | "H" => 2,
            "I" => 4,
            _ => return None,
        },
    };
    Some(DataType { spelling: text.to_owned(), item_size, object: kind == 'O' })
}
