//! The element types of safetensors.

/// Bits of an element of `dtype`, as the format spells it.
pub(super) fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" => 8,
        "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FN" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        "C128" => 128,
        _ => return None,
    })
}

/// Elements of a tensor of this shape.
pub(super) fn elements(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1_u64, |product, &dimension| product.checked_mul(dimension))
}

/// Bytes of a tensor of this shape with elements of `bits` bits; `None` when they do not fit 64 bits or do not
/// fill whole bytes.
pub(super) fn bytes(shape: &[u64], bits: u64) -> Option<u64> {
    let bits = elements(shape)?.checked_mul(bits)?;
    bits.is_multiple_of(8).then_some(bits / 8)
}
