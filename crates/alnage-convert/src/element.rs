//! Data types of elements: as frameworks call them, as they lie in storages, and as safetensors calls them.

/// A data type.
#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    /// As PyTorch calls it, or NumPy where PyTorch has none: `bfloat16`.
    pub name: &'static str,
    /// As safetensors calls what is written.
    pub safetensors: &'static str,
    /// Bytes of an element in its storage.
    pub size: u64,
    /// Bytes of a number in it: half of `size` for complex numbers.
    pub part: u64,
    /// How the shape changes.
    pub shape: Reshape,
    /// Whether it is made of floating-point numbers, whose sign is the highest bit.
    pub floating: bool,
}

/// How the shape that is written differs from the source's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reshape {
    /// Not at all.
    Same,
    /// A last dimension of two: real and imaginary part.
    Pairs,
    /// The last dimension counts two elements a byte.
    DoublesLast,
}

const fn plain(name: &'static str, safetensors: &'static str, size: u64, floating: bool) -> Element {
    Element { name, safetensors, size, part: size, shape: Reshape::Same, floating }
}

/// Every data type, by PyTorch's name or NumPy's.
static ELEMENTS: &[Element] = &[
    plain("float32", "F32", 4, true),
    plain("float64", "F64", 8, true),
    plain("float16", "F16", 2, true),
    plain("bfloat16", "BF16", 2, true),
    plain("int64", "I64", 8, false),
    plain("int32", "I32", 4, false),
    plain("int16", "I16", 2, false),
    plain("int8", "I8", 1, false),
    plain("uint64", "U64", 8, false),
    plain("uint32", "U32", 4, false),
    plain("uint16", "U16", 2, false),
    plain("uint8", "U8", 1, false),
    plain("bool", "BOOL", 1, false),
    plain("float8_e4m3fn", "F8_E4M3", 1, true),
    plain("float8_e5m2", "F8_E5M2", 1, true),
    plain("float8_e8m0fnu", "F8_E8M0", 1, false),
    plain("float8_e4m3fnuz", "F8_E4M3FNUZ", 1, true),
    plain("float8_e5m2fnuz", "F8_E5M2FNUZ", 1, true),
    Element { name: "complex64", safetensors: "C64", size: 8, part: 4, shape: Reshape::Same, floating: true },
    // safetensors has no wider and no narrower complex numbers: they are written as pairs, like `view_as_real`.
    Element {
        name: "complex128",
        safetensors: "F64",
        size: 16,
        part: 8,
        shape: Reshape::Pairs,
        floating: true,
    },
    Element {
        name: "complex32",
        safetensors: "F16",
        size: 4,
        part: 2,
        shape: Reshape::Pairs,
        floating: true,
    },
    Element {
        name: "float4_e2m1fn_x2",
        safetensors: "F4",
        size: 1,
        part: 1,
        shape: Reshape::DoublesLast,
        floating: false,
    },
    // The integers of quantised tensors; scale and zero point are tensors beside them.
    plain("qint8", "I8", 1, false),
    plain("quint8", "U8", 1, false),
    plain("qint32", "I32", 4, false),
    plain("quint4x2", "U8", 1, false),
    plain("quint2x4", "U8", 1, false),
    // Types that PyTorch only names, and bits without a meaning.
    plain("bits8", "U8", 1, false),
    plain("bits16", "U16", 2, false),
    plain("bits1x8", "U8", 1, false),
    plain("bits2x4", "U8", 1, false),
    plain("bits4x2", "U8", 1, false),
    plain("uint1", "U8", 1, false),
    plain("uint2", "U8", 1, false),
    plain("uint3", "U8", 1, false),
    plain("uint4", "U8", 1, false),
    plain("uint5", "U8", 1, false),
    plain("uint6", "U8", 1, false),
    plain("uint7", "U8", 1, false),
    plain("int1", "I8", 1, false),
    plain("int2", "I8", 1, false),
    plain("int3", "I8", 1, false),
    plain("int4", "I8", 1, false),
    plain("int5", "I8", 1, false),
    plain("int6", "I8", 1, false),
    plain("int7", "I8", 1, false),
];

impl Element {
    /// The data type that `torch.<name>` is.
    pub fn torch(name: &str) -> Option<&'static Self> {
        let name = match name {
            "float" => "float32",
            "double" => "float64",
            "half" => "float16",
            "long" => "int64",
            "int" => "int32",
            "short" => "int16",
            "cfloat" => "complex64",
            "cdouble" => "complex128",
            "chalf" => "complex32",
            other => other,
        };
        Self::named(name)
    }

    /// The data type by its own name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ELEMENTS.iter().find(|element| element.name == name)
    }

    /// The data type of a storage class; `None` for one without, and for what is no storage class.
    pub(crate) fn of_storage(class: &str) -> Option<&'static Self> {
        Self::named(match class.strip_suffix("Storage")? {
            "Float" => "float32",
            "Double" => "float64",
            "Half" => "float16",
            "BFloat16" => "bfloat16",
            "Long" => "int64",
            "Int" => "int32",
            "Short" => "int16",
            "Char" => "int8",
            "Byte" => "uint8",
            "Bool" => "bool",
            "ComplexFloat" => "complex64",
            "ComplexDouble" => "complex128",
            "QInt8" => "qint8",
            "QUInt8" => "quint8",
            "QInt32" => "qint32",
            "QUInt4x2" => "quint4x2",
            "QUInt2x4" => "quint2x4",
            _ => return None,
        })
    }

    /// The data type that NumPy spells `<f4`, and whether its numbers are big-endian.
    pub(crate) fn numpy(spelling: &str) -> Option<(&'static Self, bool)> {
        let big = spelling.starts_with('>');
        let code = spelling.trim_start_matches(['<', '>', '=', '|']);
        let name = match code {
            "f2" | "e" => "float16",
            "f4" | "f" => "float32",
            "f8" | "d" => "float64",
            "i1" | "b" => "int8",
            "i2" | "h" => "int16",
            "i4" | "i" => "int32",
            "i8" | "q" | "l" => "int64",
            "u1" | "B" => "uint8",
            "u2" | "H" => "uint16",
            "u4" | "I" => "uint32",
            "u8" | "Q" | "L" => "uint64",
            "b1" | "?" => "bool",
            "c8" | "F" => "complex64",
            "c16" | "D" => "complex128",
            // ml_dtypes, which JAX brings along.
            "bfloat16" | "float8_e4m3fn" | "float8_e5m2" | "float8_e4m3fnuz" | "float8_e5m2fnuz"
            | "float16" | "float32" | "float64" | "int8" | "int16" | "int32" | "int64" | "uint8"
            | "uint16" | "uint32" | "uint64" | "bool" | "complex64" | "complex128" => code,
            "bool_" => "bool",
            _ => return None,
        };
        Self::named(name).map(|element| (element, big))
    }
}
